//! What is read of a registration beside itself: the card, the export, the history.

use conum_kernel::{CandidateId, Error, IntroductionId, StructureId, id::invalid_name};
use conum_proto::{
    access::v1::Role,
    candidates::v1::{CandidateCard, CandidateExport, CandidateHistoryEntry, SentMail},
};
use conum_service::{Call, Failure, Host, Scope, history, mail, paging, wire};

use super::convert::{self, PixResults};
use crate::{
    domain::{
        card::{self, Viewer},
        export,
    },
    storage::{candidates, ties},
};

/// The card of a person, as the caller may see it.
///
/// # Errors
/// Not found where nothing ties the two; `NOT_YOURS` where the caller stands for no structure and no introduction.
pub async fn card(host: &Host, call: &Call, name: String) -> Result<CandidateCard, Failure> {
    let id = name
        .strip_suffix("/card")
        .and_then(|candidate| CandidateId::parse_name("name", candidate).ok())
        .ok_or_else(|| invalid_name("name", "candidates/{id}/card"))?;
    let viewer = viewer(call)?;
    let unknown = || Error::not_found(&id.name());
    let stored = candidates::find_survivor(host.store().read(), id).await?.ok_or_else(unknown)?;
    let ties = ties::of(host.store().read(), stored.candidate.id).await?;
    // The refusal speaks of the id that was asked for: where it went is not everybody's to know.
    let card = card::card(&stored.candidate, &ties, viewer, call.moment.today).map_err(|_| unknown())?;
    Ok(convert::card(name, card))
}

/// Who looks at a card: the agency, the holder of an introduction's link, or a structure.
fn viewer(call: &Call) -> Result<Viewer, Error> {
    if call.scope == Scope::Any {
        return Ok(Viewer::Agency);
    }
    let owned =
        |role: Role, collection: &str| call.caller.owned_in(collection).filter(|_| call.caller.roles.contains(&role));
    if let Some(introduction) = owned(Role::Link, "introductions/") {
        return Ok(Viewer::Link(IntroductionId::parse_name("introduction", introduction)?));
    }
    let structure = owned(Role::Structure, "structures/").ok_or_else(|| Error::denied("NOT_YOURS"))?;
    Ok(Viewer::Structure(StructureId::parse_name("structure", structure)?))
}

/// All that is held of a person (C07).
///
/// # Errors
/// Not found where nothing is held.
pub async fn export(host: &Host, call: &Call, id: CandidateId) -> Result<CandidateExport, Failure> {
    let stored = candidates::find(host.store().read(), id).await?.ok_or_else(|| Error::not_found(&id.name()))?;
    let ties = ties::of(host.store().read(), id).await?;
    let held = export::export(&stored.candidate, &ties)?;
    let introductions = held.introductions.iter().map(convert::introduction).collect();
    let absorbed = held.absorbed.iter().cloned().map(convert::absorbed).collect();
    let recruitments = held.recruitments.iter().map(convert::recruitment).collect();
    let trainings = held.trainings.iter().map(convert::training).collect();
    let mut ids: Vec<CandidateId> = held.absorbed.iter().map(|absorbed| absorbed.candidate).collect();
    ids.push(id);
    let (mut entries, mut mails) = (Vec::new(), Vec::new());
    for id in ids {
        entries.extend(whole_history(host, id).await?);
        mails.extend(mail::sent_to(host, &id.name()).await?);
    }
    entries.sort_by_key(|entry| entry.id);
    mails.sort_by_key(|(_, at)| *at);
    Ok(CandidateExport {
        name: id.name(),
        candidate: Some(convert::candidate(stored, PixResults::Shown)),
        history: entries.into_iter().map(convert::entry).collect(),
        introductions,
        absorbed,
        recruitments,
        trainings,
        mails: mails.into_iter().map(|(kind, at)| SentMail { kind, at: Some(wire::from_timestamp(at)) }).collect(),
        exported_at: Some(wire::from_timestamp(call.moment.now)),
    })
}

async fn whole_history(host: &Host, id: CandidateId) -> Result<Vec<history::Entry>, Failure> {
    const PAGE: u64 = 1000;
    let (mut entries, mut after): (Vec<history::Entry>, i64) = (Vec::new(), 0);
    loop {
        let page = history::list(host.store().read(), &id.name(), after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(entries) };
        after = last.id;
        entries.extend(page);
    }
}

/// A page of a registration's history, oldest first, and the token of the next one.
///
/// # Errors
/// Not found; those of [`paging::Page::read`].
pub async fn history(
    host: &Host,
    id: CandidateId,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<CandidateHistoryEntry>, String), Failure> {
    let page = paging::Page::read(&format!("history?{id}"), page_size, 100, page_token)?;
    candidates::find(host.store().read(), id).await?.ok_or_else(|| Error::not_found(&id.name()))?;
    let after = page.after.parse().unwrap_or(0);
    let entries = history::list(host.store().read(), &id.name(), after, page.limit()).await?;
    let (entries, next) = page.cut(entries, |entry| entry.id.to_string());
    Ok((entries.into_iter().map(convert::entry).collect(), next))
}
