//! Selections, contracts and their ends (M06, M07, M08, C06).

use conum_kernel::{CandidateId, Error, Fact, Machine as _, PostId, RecruitmentId, StructureId, dates::days_between};
use conum_proto::events::v1::{
    CandidateSelected, ContractEnded, ContractSigned, SelectionCancelled, SignatureLate, event::Payload,
};
use conum_service::{Call, Failure, Tx, history, wire};
use jiff::civil::Date;

use super::{
    answering,
    serving::{self, Freed},
    tell,
};
use crate::{
    domain::{
        contract::{Contract, Terms},
        introduction::CloseReason,
        policies::Settings,
        recruitment::{self, Action, Ending, Selectable, State},
    },
    storage::{
        candidates, introductions, notices,
        recruitments::{self, Recruitment},
        structures,
    },
};

/// The resource name of a recruitment's post.
#[must_use]
pub fn post_name(recruitment: &Recruitment) -> String {
    conum_kernel::post_name(recruitment.application, recruitment.post)
}

/// Selects a candidate on a post. The caller has checked that the post is its structure's.
///
/// # Errors
/// Those of the domain's `select`.
pub async fn select(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    post: PostId,
    candidate: CandidateId,
) -> Result<Recruitment, Failure> {
    let unknown = || Error::not_found(&post.name());
    let seen = structures::find_post(tx, post).await?.ok_or_else(unknown)?;
    let structure = structures::lock(tx, seen.structure).await?.ok_or_else(unknown)?;
    let post = structures::find_post(tx, post).await?.ok_or_else(unknown)?;
    let person = candidates::lock(tx, candidate).await?;
    let introduced = introductions::live_pair(tx, post.structure, candidate).await?.is_some();
    let fact = recruitment::select(Selectable {
        post_vacant: post.is_free(),
        registered: person.as_ref().is_some_and(|person| !person.gone),
        person_free: person.is_some_and(|person| !person.taken),
        known_to_structure: introduced || structure.structure.candidate_found,
    })?;
    let recruitment = Recruitment {
        id: call.mint("recruitment"),
        structure: post.structure,
        application: post.application,
        post: post.id,
        candidate,
        state: State::Selected,
        selected_at: call.moment.now,
        cancel_reason: None,
        contract: None,
        ending: None,
        days_to_fill: None,
        version: 1,
    };
    recruitments::insert(tx, &recruitment).await?;
    structures::hold(tx, post.id, Some((recruitment.id, State::Selected))).await?;
    candidates::set_taken(tx, candidate, true).await?;
    history::append(tx, call, &recruitment.id.name(), &[fact]).await?;
    let payload = CandidateSelected {
        recruitment: recruitment.id.name(),
        structure: recruitment.structure.name(),
        application: recruitment.application.name(),
        post: post_name(&recruitment),
        candidate: candidate.name(),
    };
    tell(tx, call, &recruitment.id.name(), Payload::CandidateSelected(payload)).await?;
    // What is left may begin later, which makes more people possible.
    let mut freed = Freed::default();
    freed.structure(recruitment.structure);
    serving::serve(tx, call, settings, freed).await?;
    Ok(recruitment)
}

/// Reads a recruitment under its structure's and its candidate's locks.
///
/// # Errors
/// Not found.
pub async fn lock(tx: &Tx, id: RecruitmentId) -> Result<Recruitment, Failure> {
    let unknown = || Error::not_found(&id.name());
    let seen = recruitments::find(tx, id).await?.ok_or_else(unknown)?;
    structures::lock(tx, seen.structure).await?;
    candidates::lock(tx, seen.candidate).await?;
    recruitments::find(tx, id).await?.ok_or_else(|| unknown().into())
}

/// Cancels a selection: the post is vacant and the person free again. `reason` is a listed one.
///
/// # Errors
/// `WRONG_STATE` once the contract is signed.
pub async fn cancel(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    recruitment: Recruitment,
    reason: &str,
) -> Result<Recruitment, Failure> {
    let mut freed = Freed::default();
    let cancelled = release(tx, call, recruitment, reason, &mut freed).await?;
    serving::serve(tx, call, settings, freed).await?;
    Ok(cancelled)
}

/// The same without serving anybody: whoever cancels it so serves what is freed afterwards.
///
/// # Errors
/// `WRONG_STATE` once the contract is signed.
pub async fn release(
    tx: &Tx,
    call: &Call,
    mut recruitment: Recruitment,
    reason: &str,
    freed: &mut Freed,
) -> Result<Recruitment, Failure> {
    let (state, fact) = recruitment.state.step(Action::Cancel, reason)?;
    recruitment.state = state;
    recruitment.cancel_reason = Some(reason.into());
    recruitments::update(tx, &recruitment).await?;
    recruitment.version += 1;
    structures::hold(tx, recruitment.post, None).await?;
    candidates::set_taken(tx, recruitment.candidate, false).await?;
    history::append(tx, call, &recruitment.id.name(), &[fact]).await?;
    let payload = SelectionCancelled {
        recruitment: recruitment.id.name(),
        structure: recruitment.structure.name(),
        application: recruitment.application.name(),
        post: post_name(&recruitment),
        candidate: recruitment.candidate.name(),
    };
    tell(tx, call, &recruitment.id.name(), Payload::SelectionCancelled(payload)).await?;
    freed.structure(recruitment.structure);
    freed.person(recruitment.candidate);
    Ok(recruitment)
}

/// Records the signed contract. The candidate leaves every other introduction, and each structure concerned is served
/// again (C06).
///
/// # Errors
/// Those of the domain's `sign`.
pub async fn sign(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    mut recruitment: Recruitment,
    contract: Contract,
) -> Result<Recruitment, Failure> {
    let structure = structures::lock(tx, recruitment.structure).await?;
    let structure = structure.ok_or_else(|| Error::internal("a recruitment without its structure"))?;
    let terms = Terms {
        minimum_wages: &settings.minimum_wages,
        territory: structure.structure.territory.map_or("general", |territory| territory.code()),
        shortest_months: settings.shortest_contract_months,
        today: call.moment.today,
    };
    let in_post_until = recruitments::in_post_until(tx, recruitment.candidate).await?;
    let (state, fact) = recruitment::sign(recruitment.state, &contract, in_post_until, terms)?;
    recruitment.state = state;
    recruitment.days_to_fill = structure.launched_on.map(|launched| days_between(launched, contract.signed_on));
    recruitment.contract = Some(contract.clone());
    recruitments::update(tx, &recruitment).await?;
    recruitment.version += 1;
    structures::hold(tx, recruitment.post, Some((recruitment.id, State::Signed))).await?;
    history::append(tx, call, &recruitment.id.name(), &[fact]).await?;
    let payload = ContractSigned {
        recruitment: recruitment.id.name(),
        structure: recruitment.structure.name(),
        application: recruitment.application.name(),
        post: post_name(&recruitment),
        candidate: recruitment.candidate.name(),
        signed_on: Some(wire::from_date(contract.signed_on)),
        start_date: Some(wire::from_date(contract.start_date)),
        end_date: contract.end_date.map(wire::from_date),
    };
    tell(tx, call, &recruitment.id.name(), Payload::ContractSigned(payload)).await?;
    if recruitment.days_to_fill.is_some_and(|days| days > settings.signature_days) && !structure.late_noticed {
        notice_late(tx, call, recruitment.structure).await?;
    }
    let mut freed = Freed::default();
    freed.structure(recruitment.structure);
    leave_introductions(tx, call, &recruitment, &mut freed).await?;
    serving::serve(tx, call, settings, freed).await?;
    Ok(recruitment)
}

/// Closes every live introduction of somebody who has signed. Whoever closes them so serves what is freed afterwards.
///
/// # Errors
/// The database's.
pub async fn leave_introductions(
    tx: &Tx,
    call: &Call,
    recruitment: &Recruitment,
    freed: &mut Freed,
) -> Result<(), Failure> {
    for introduction in introductions::live_of_candidate(tx, recruitment.candidate).await? {
        let own = introduction.structure == recruitment.structure;
        let reason = if own { CloseReason::Recruited } else { CloseReason::CandidateRecruited };
        answering::close(tx, call, introduction, reason, freed).await?;
    }
    Ok(())
}

/// Ends a contract early: the post is vacant again, the person free (M08).
///
/// # Errors
/// Those of the domain's `end`.
pub async fn end(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    mut recruitment: Recruitment,
    ending: Ending,
) -> Result<Recruitment, Failure> {
    let contract = recruitment.contract.clone().ok_or_else(|| {
        recruitment.state.step(Action::End, "").err().unwrap_or_else(|| Error::internal("signed without a contract"))
    })?;
    let (state, fact) = recruitment::end(recruitment.state, &contract, &ending)?;
    let (last_day, reason) = (ending.last_day, ending.reason.to_lowercase());
    recruitment.state = state;
    recruitment.ending = Some(ending);
    structures::hold(tx, recruitment.post, None).await?;
    structures::forget_launch_without_contract(tx, recruitment.structure).await?;
    let recruitment = ended(tx, call, recruitment, fact, last_day, reason).await?;
    let mut freed = Freed::default();
    freed.structure(recruitment.structure);
    freed.person(recruitment.candidate);
    serving::serve(tx, call, settings, freed).await?;
    Ok(recruitment)
}

/// Ends a contract whose fixed term has passed (M07). One that has not come to its term stays as it is. The post is not
/// vacant again: a fixed term lasts as long as the grant at least, and another recruitment is not funded (F07).
///
/// # Errors
/// The database's.
pub async fn expire(tx: &Tx, call: &Call, settings: &Settings, mut recruitment: Recruitment) -> Result<(), Failure> {
    let contract = recruitment.contract.clone().filter(|_| recruitment.state == State::Signed);
    let Some(contract) = contract else { return Ok(()) };
    let expired = recruitment::expire(recruitment.state, &contract, call.moment.today)?;
    let Some((state, fact, last_day)) = expired else { return Ok(()) };
    recruitment.state = state;
    let recruitment = ended(tx, call, recruitment, fact, last_day, recruitment::TERM.into()).await?;
    let mut freed = Freed::default();
    freed.person(recruitment.candidate);
    serving::serve(tx, call, settings, freed).await
}

/// Writes the end of a contract, and tells of it: the person is free.
async fn ended(
    tx: &Tx,
    call: &Call,
    mut recruitment: Recruitment,
    fact: Fact,
    last_day: Date,
    reason: String,
) -> Result<Recruitment, Failure> {
    let payload = ContractEnded {
        recruitment: recruitment.id.name(),
        structure: recruitment.structure.name(),
        application: recruitment.application.name(),
        post: post_name(&recruitment),
        candidate: recruitment.candidate.name(),
        last_day: Some(wire::from_date(last_day)),
        reason,
    };
    recruitments::update(tx, &recruitment).await?;
    recruitment.version += 1;
    candidates::set_taken(tx, recruitment.candidate, false).await?;
    history::append(tx, call, &recruitment.id.name(), &[fact]).await?;
    tell(tx, call, &recruitment.id.name(), Payload::ContractEnded(payload)).await?;
    Ok(recruitment)
}

/// Raises the notice of a late signature (M07), once for a structure.
///
/// # Errors
/// The database's.
pub async fn notice_late(tx: &Tx, call: &Call, id: StructureId) -> Result<(), Failure> {
    let Some(structure) = structures::lock(tx, id).await? else { return Ok(()) };
    if structure.late_noticed {
        return Ok(());
    }
    structures::set_late_noticed(tx, id).await?;
    let application = structure.structure.application;
    notices::raise(tx, call, id, application, notices::Kind::SignatureLate, 0).await?;
    let payload = SignatureLate {
        structure: id.name(),
        application: application.name(),
        launched_on: structure.launched_on.map(wire::from_date),
    };
    tell(tx, call, &id.name(), Payload::SignatureLate(payload)).await
}
