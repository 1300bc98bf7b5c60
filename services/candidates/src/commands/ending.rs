//! The ends of a registration, and what they do to those that are flagged with it: leaves, merges, erasures (C07, C08).

use conum_kernel::{CandidateId, RecruitmentId};
use conum_service::{Call, Failure, Tx, events, mail};

use super::carry_out;
use crate::{
    domain::{
        Decision, Settings, State,
        doubles::{self, End, distinguish, other_came_back, other_ended},
        erasure::{self, Cause},
        inactivity, leaving, merge,
    },
    storage::{
        self,
        candidates::{self, Stored, lock_both},
        ties,
    },
};

/// Leaves the programme.
///
/// # Errors
/// Those of [`leaving::leave`].
pub async fn leave(tx: &Tx, call: &Call, stored: Stored) -> Result<Stored, Failure> {
    let Stored { candidate, version } = stored;
    let ties = ties::of(tx, candidate.id).await?;
    let left = carry_out(tx, call, version, leaving::leave(candidate, &ties, call.moment)?).await?;
    tell_flagged(tx, call, left.candidate.id, End::Left).await?;
    Ok(left)
}

/// Takes back a leave that matching refused (M08).
///
/// # Errors
/// The database's.
pub async fn reinstate(tx: &Tx, call: &Call, stored: Stored, recruitment: RecruitmentId) -> Result<(), Failure> {
    let Stored { candidate, version } = stored;
    if candidate.state != State::Left {
        return Ok(());
    }
    let id = candidate.id;
    let found = storage::doubles::find(tx, Some(id), &doubles::keys(&candidate)).await?;
    carry_out(tx, call, version, leaving::reinstate(candidate, &found, recruitment)).await?;
    // Back or not, the person is under contract: who registered after is held, be it the same person anew (C06).
    for other in storage::doubles::flagged_with(tx, id).await? {
        let Some(other) = candidates::lock(tx, other).await? else { continue };
        carry_out(tx, call, other.version, other_came_back(other.candidate, id)).await?;
    }
    Ok(())
}

/// Merges a double into the registration that goes on (C08).
///
/// # Errors
/// Not found; those of [`merge::merge`].
pub async fn merge(tx: &Tx, call: &Call, survivor: CandidateId, duplicate: CandidateId) -> Result<Stored, Failure> {
    let (kept, ended) = lock_both(tx, survivor, duplicate).await?;
    let kept_ties = ties::of(tx, survivor).await?;
    let ended_ties = ties::of(tx, duplicate).await?;
    let merged = merge::merge((kept.candidate, kept_ties), (ended.candidate, ended_ties), call.moment)?;
    ties::write(tx, survivor, &merged.ties).await?;
    ties::delete(tx, duplicate).await?;
    carry_out(tx, call, ended.version, merged.duplicate).await?;
    let kept = carry_out(tx, call, kept.version, merged.survivor).await?;
    tell_flagged(tx, call, duplicate, End::MergedInto(survivor)).await?;
    Ok(kept)
}

/// Says that two registrations are of different people (C08). Answers the first.
///
/// # Errors
/// Not found; those of [`distinguish`].
pub async fn dismiss(tx: &Tx, call: &Call, one: CandidateId, other: CandidateId) -> Result<Stored, Failure> {
    let (first, second) = lock_both(tx, one, other).await?;
    let first = carry_out(tx, call, first.version, distinguish(first.candidate, other)?).await?;
    carry_out(tx, call, second.version, distinguish(second.candidate, one)?).await?;
    Ok(first)
}

/// Erases a person, with the registrations that had ended in this one (C07).
///
/// # Errors
/// Those of [`erasure::erase`].
pub async fn erase(tx: &Tx, call: &Call, stored: Stored) -> Result<Stored, Failure> {
    let Stored { candidate, version } = stored;
    let absorbed = candidate.absorbed_ids().collect();
    empty_all(tx, call, version, erasure::erase(candidate, Cause::Asked)?, absorbed).await
}

/// Anonymises an inactive file, with the registrations that had ended in it (C07).
///
/// # Errors
/// Those of [`inactivity::anonymise`].
pub async fn anonymise(tx: &Tx, call: &Call, settings: &Settings, stored: Stored) -> Result<(), Failure> {
    let Stored { candidate, version } = stored;
    let absorbed = candidate.absorbed_ids().collect();
    let ties = ties::of(tx, candidate.id).await?;
    let decision = inactivity::anonymise(candidate, &ties, settings, call.moment)?;
    empty_all(tx, call, version, decision, absorbed).await?;
    Ok(())
}

async fn empty_all(
    tx: &Tx,
    call: &Call,
    version: i64,
    decision: Decision,
    mut absorbed: Vec<CandidateId>,
) -> Result<Stored, Failure> {
    absorbed.sort_unstable();
    let erased = empty(tx, call, version, decision).await?;
    for id in absorbed {
        let Some(ended) = candidates::lock(tx, id).await? else { continue };
        let decision = erasure::erase(ended.candidate, Cause::Survivor)?;
        empty(tx, call, ended.version, decision).await?;
    }
    Ok(erased)
}

/// Writes an erasure: ties, mails and whatever others have not been told yet go with the person.
async fn empty(tx: &Tx, call: &Call, version: i64, decision: Decision) -> Result<Stored, Failure> {
    let id = decision.state.id;
    if decision.facts.is_empty() {
        return Ok(Stored { candidate: decision.state, version });
    }
    ties::delete(tx, id).await?;
    mail::erase(tx, call, &id.name()).await?;
    events::forget(tx, &id.name()).await?;
    let erased = carry_out(tx, call, version, decision).await?;
    tell_flagged(tx, call, id, End::Erased).await?;
    Ok(erased)
}

/// Those that are flagged with a registration that has ended, or were said to be of somebody else, no longer are.
async fn tell_flagged(tx: &Tx, call: &Call, ended: CandidateId, end: End) -> Result<(), Failure> {
    for other in storage::doubles::flagged_with(tx, ended).await? {
        let Some(other) = candidates::lock(tx, other).await? else { continue };
        carry_out(tx, call, other.version, other_ended(other.candidate, ended, end)?).await?;
    }
    Ok(())
}
