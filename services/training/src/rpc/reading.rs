//! What is read of trainings: by their parties, and nobody else.

use conum_kernel::{Error, OrganisationId, TrainingId, id::invalid_name};
use conum_proto::training::v1 as proto;
use conum_service::{Call, Failure, Host, Scope, history, paging::Page};
use jiff::civil::Date;
use sea_orm::ConnectionTrait;

use super::{convert, narrowed, optional};
use crate::{
    commands::{settings, whereabouts},
    domain::{
        Training,
        choice::{self, Ranked},
        training::State,
    },
    storage::{
        organisations, sessions,
        trainings::{self, Filter, Stored},
    },
};

/// Refuses whoever is no party of a training: its structure, its candidate, the organisation of its session; without a
/// session, the organisations of its department.
///
/// # Errors
/// Permission denied, `NOT_YOURS`.
pub async fn require_party<C: ConnectionTrait>(
    connection: &C,
    call: &Call,
    training: &Training,
) -> Result<(), Failure> {
    let mut parties = vec![training.structure.name(), training.candidate.name()];
    parties.extend(training.seat.as_ref().map(|seat| seat.organisation.name()));
    let refused = match call.require_owner(&parties.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => return Ok(()),
        Err(refused) => refused,
    };
    let Some(own) = call.caller.owned_in("organisations/").filter(|_| training.seat.is_none()) else {
        return Err(refused.into());
    };
    let own = organisations::find(connection, OrganisationId::parse_name("organisation", own)?).await?;
    let near = own.is_some_and(|own| own.organisation.trains_in(&training.department, call.moment.today));
    if near { Ok(()) } else { Err(refused.into()) }
}

/// A training of the caller's.
///
/// # Errors
/// Not found; permission denied.
pub async fn training(host: &Host, call: &Call, field: &str, name: &str) -> Result<Stored, Failure> {
    let id = TrainingId::parse_name(field, name)?;
    let found = trainings::find(host.store().read(), id).await?.ok_or_else(|| Error::not_found(name))?;
    require_party(host.store().read(), call, &found.training).await?;
    Ok(found)
}

/// Where a training stands, by `trainings/{id}/progress`.
///
/// # Errors
/// Those of [`training`].
pub async fn progress(host: &Host, call: &Call, name: &str) -> Result<proto::TrainingProgress, Failure> {
    let of = name.strip_suffix("/progress").ok_or_else(|| invalid_name("name", "trainings/{id}/progress"))?;
    let stored = training(host, call, "name", of).await?;
    let settings = settings(host.store().read(), call).await?;
    Ok(convert::progress(&stored.training, &settings, call.moment.today))
}

/// A page of trainings.
///
/// # Errors
/// Those of names and pages; permission denied.
pub async fn list(
    host: &Host,
    call: &Call,
    asked: &proto::ListTrainingsRequest,
) -> Result<proto::ListTrainingsResponse, Failure> {
    use proto::training::State as Wire;
    let filter = Filter {
        structure: narrowed(call, "structure", &asked.structure)?,
        candidate: narrowed(call, "candidate", &asked.candidate)?,
        organisation: narrowed(call, "organisation", &asked.organisation)?,
        or_unplaced_on: (call.scope == Scope::Own).then_some(call.moment.today),
        session: optional("session", &asked.session)?,
        state: match asked.state() {
            Wire::Unspecified => None,
            Wire::Opened => Some(State::Opened),
            Wire::Planned => Some(State::Planned),
            Wire::Completed => Some(State::Completed),
            Wire::Stopped => Some(State::Stopped),
        },
    };
    let own = ["structures/", "candidates/", "organisations/"];
    if call.scope == Scope::Own && own.iter().all(|collection| call.caller.owned_in(collection).is_none()) {
        return Err(Error::denied("NOT_YOURS").into());
    }
    let page = Page::read(&format!("trainings?{filter:?}"), asked.page_size, 50, &asked.page_token)?;
    let found = trainings::list(host.store().read(), &filter, &page.after, page.limit()).await?;
    let (found, next_page_token) = page.cut(found, |stored| stored.training.id.to_string());
    let settings = settings(host.store().read(), call).await?;
    let trainings = found.into_iter().map(|stored| convert::training(stored, &settings)).collect();
    Ok(proto::ListTrainingsResponse { trainings, next_page_token })
}

/// A page of the sessions that the person of a training can be enrolled in, best first.
///
/// # Errors
/// Those of [`training`].
pub async fn eligible(
    host: &Host,
    call: &Call,
    asked: &proto::ListEligibleSessionsRequest,
) -> Result<proto::ListEligibleSessionsResponse, Failure> {
    let connection = host.store().read();
    let training = training(host, call, "parent", &asked.parent).await?.training;
    let page = Page::read(&format!("eligible?{}", training.id), asked.page_size, 50, &asked.page_token)?;
    let whereabouts = whereabouts(connection, &training).await?;
    let settings = settings(connection, call).await?;
    let found = sessions::with_room(connection, &whereabouts.territories(), call.moment.today).await?;
    let versions: std::collections::HashMap<_, _> =
        found.iter().map(|stored| (stored.session.id, stored.version)).collect();
    let mut ids: Vec<OrganisationId> = found.iter().map(|stored| stored.session.organisation).collect();
    ids.sort_unstable();
    ids.dedup();
    let known = organisations::some(connection, &ids).await?;
    let sessions = found.into_iter().filter_map(|stored| {
        let organisation = known.get(&stored.session.organisation)?;
        Some((stored.session, organisation))
    });
    let mut ranked = choice::rank(sessions, &whereabouts, training.preference, settings.near_km, call.moment.today);
    ranked.retain(|ranked| ranked.key() > page.after);
    ranked.truncate(usize::try_from(page.limit()).unwrap_or(usize::MAX));
    let (ranked, next_page_token) = page.cut(ranked, Ranked::key);
    let written = ranked.into_iter().map(|ranked| {
        let name = known.get(&ranked.session.organisation).map(|known| known.display_name.clone());
        let version = versions.get(&ranked.session.id).copied().unwrap_or_default();
        convert::eligible(ranked, version, name.unwrap_or_default())
    });
    Ok(proto::ListEligibleSessionsResponse { sessions: written.collect(), next_page_token })
}

/// A page of the versions of a plan.
///
/// # Errors
/// Those of [`training`].
pub async fn plans(
    host: &Host,
    call: &Call,
    asked: &proto::ListTrainingPlansRequest,
) -> Result<proto::ListTrainingPlansResponse, Failure> {
    let training = training(host, call, "parent", &asked.parent).await?.training;
    let page = Page::read(&format!("plans?{}", training.id), asked.page_size, 50, &asked.page_token)?;
    let after = page.after.parse().unwrap_or(0);
    let found = trainings::plans(host.store().read(), training.id, after, page.limit()).await?;
    let (found, next_page_token) = page.cut(found, |plan| plan.version.to_string());
    let start = training.contract.map(|contract| contract.start);
    let in_force = training.plan;
    let plans = found.into_iter().map(|kept| {
        // What the employer has agreed to since is in the training itself.
        let current = in_force.as_ref().filter(|plan| plan.version == kept.version);
        convert::plan(current.unwrap_or(&kept), start)
    });
    Ok(proto::ListTrainingPlansResponse { plans: plans.collect(), next_page_token })
}

/// A page of what was recorded of hours.
///
/// # Errors
/// Those of [`training`].
pub async fn hours(
    host: &Host,
    call: &Call,
    asked: &proto::ListTrainingHoursRequest,
) -> Result<proto::ListTrainingHoursResponse, Failure> {
    let training = training(host, call, "parent", &asked.parent).await?.training;
    let page = Page::read(&format!("hours?{}", training.id), asked.page_size, 100, &asked.page_token)?;
    let first = || (Date::constant(1, 1, 1), 0);
    let read = |key: &str| key.split_once('#').and_then(|(day, version)| day.parse().ok().zip(version.parse().ok()));
    let after = read(&page.after).unwrap_or_else(first);
    let found = trainings::entries(host.store().read(), training.id, after, page.limit()).await?;
    let (found, next_page_token) = page.cut(found, |entry| format!("{}#{}", entry.day, entry.done.version));
    let entries = found.into_iter().map(|entry| {
        let counts = training.done.get(&entry.day) == Some(&entry.done);
        convert::entry(&entry, counts)
    });
    Ok(proto::ListTrainingHoursResponse { entries: entries.collect(), next_page_token })
}

/// A page of the history of a training.
///
/// # Errors
/// Those of [`training`].
pub async fn history(
    host: &Host,
    call: &Call,
    asked: &proto::ListTrainingHistoryRequest,
) -> Result<proto::ListTrainingHistoryResponse, Failure> {
    let name = training(host, call, "parent", &asked.parent).await?.training.id.name();
    let page = Page::read(&format!("history?{name}"), asked.page_size, 50, &asked.page_token)?;
    let after = page.after.parse().unwrap_or(0);
    let found = history::list(host.store().read(), &name, after, page.limit()).await?;
    let (found, next_page_token) = page.cut(found, |entry| entry.id.to_string());
    let entries = found.into_iter().map(convert::history).collect();
    Ok(proto::ListTrainingHistoryResponse { entries, next_page_token })
}
