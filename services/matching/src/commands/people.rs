//! What happens to people, as candidates tells it: arrivals, changes, departures, merges, erasures (C04, C07, C08).

use conum_kernel::{CandidateId, Fact, Machine as _, Rule};
use conum_proto::events::v1::{CandidateLeaveRefused, event::Payload};
use conum_service::{Call, Failure, Tx, history};

use super::{
    answering, recruiting,
    serving::{self, Freed},
    tell,
};
use crate::{
    domain::{
        candidate::Candidate, eligibility::possible, introduction::CloseReason, policies::Settings, recruitment::State,
        structure::Seat,
    },
    storage::{
        candidates, introductions,
        recruitments::{self, Recruitment},
        structures,
    },
};

/// Takes what is told of a candidate. Introductions that have become impossible are closed and replaced; somebody with
/// room goes to the structures that wait.
///
/// # Errors
/// The database's.
pub async fn changed(tx: &Tx, call: &Call, settings: &Settings, candidate: &Candidate) -> Result<(), Failure> {
    candidates::upsert(tx, candidate, call.moment.today).await?;
    let mut freed = Freed::default();
    freed.person(candidate.id);
    for introduction in introductions::live_of_candidate(tx, candidate.id).await? {
        let Some(stored) = structures::lock(tx, introduction.structure).await? else { continue };
        let (_, needed_by) = structures::demand(&structures::posts_of(tx, introduction.structure).await?);
        let needed_by = needed_by.unwrap_or(introduction.reasons.needed_by);
        let seat = Seat { structure: stored.structure, needed_by, places: 1, called: stored.called };
        if possible(candidate, &seat, call.moment.today).is_err() {
            answering::close(tx, call, introduction, CloseReason::CandidateIneligible, &mut freed).await?;
        }
    }
    serving::serve(tx, call, settings, freed).await
}

/// Releases somebody who asks to leave: from a selection and from every introduction. Refuses where a contract is
/// signed, and tells.
///
/// # Errors
/// The database's.
pub async fn left(tx: &Tx, call: &Call, settings: &Settings, id: CandidateId) -> Result<(), Failure> {
    let recruitment = recruitments::last_of(tx, id).await?;
    if let Some(recruitment) = &recruitment
        && recruitment.state == State::Signed
    {
        let payload = CandidateLeaveRefused { candidate: id.name(), recruitment: recruitment.id.name() };
        return tell(tx, call, &recruitment.id.name(), Payload::CandidateLeaveRefused(payload)).await;
    }
    depart(tx, call, settings, id, recruitment).await
}

async fn depart(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    id: CandidateId,
    recruitment: Option<Recruitment>,
) -> Result<(), Failure> {
    candidates::set_gone(tx, id, None).await?;
    let mut freed = Freed::default();
    if let Some(recruitment) = recruitment
        && recruitment.state == State::Selected
    {
        recruiting::release(tx, call, recruitment, "CANCEL_REASON_CANDIDATE_LEFT", &mut freed).await?;
    }
    for introduction in introductions::live_of_candidate(tx, id).await? {
        answering::close(tx, call, introduction, CloseReason::CandidateLeft, &mut freed).await?;
    }
    serving::serve(tx, call, settings, freed).await
}

/// Releases an erased person and drops what is held (C07). A signed contract stays, under the id alone.
///
/// # Errors
/// The database's.
pub async fn erased(tx: &Tx, call: &Call, settings: &Settings, id: CandidateId) -> Result<(), Failure> {
    let recruitment = recruitments::last_of(tx, id).await?;
    depart(tx, call, settings, id, recruitment).await?;
    candidates::erase(tx, id).await
}

/// Unites two registrations of one person (C08): pairs, introductions and recruitments go to the one that stays; a
/// second introduction to one structure, and the newest beyond the limit, are closed.
///
/// # Errors
/// The database's.
pub async fn merged(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    kept: CandidateId,
    merged: CandidateId,
) -> Result<(), Failure> {
    let known = introductions::live_of_candidate(tx, kept).await?;
    candidates::unite_pairs(tx, kept, merged).await?;
    let mut freed = Freed::default();
    let mut moving = Vec::new();
    for introduction in introductions::live_of_candidate(tx, merged).await? {
        structures::lock(tx, introduction.structure).await?;
        if known.iter().any(|other| other.structure == introduction.structure) {
            answering::close(tx, call, introduction, CloseReason::Merged, &mut freed).await?;
        } else {
            moving.push(introduction);
        }
    }
    // The oldest stay, whoever's they were.
    let mut all: Vec<_> = known.into_iter().chain(moving).collect();
    all.sort_by_key(|introduction| (introduction.introduced_at, introduction.id));
    for introduction in all.split_off(all.len().min(settings.live_per_candidate)) {
        answering::close(tx, call, introduction, CloseReason::Merged, &mut freed).await?;
    }
    for mut introduction in all.into_iter().filter(|introduction| introduction.candidate == merged) {
        introductions::move_to(tx, &mut introduction, kept).await?;
        let fact = Fact::noted(introductions::MOVE, introduction.state.name(), merged.to_string()).under(Rule("C08"));
        history::append(tx, call, &introduction.id.name(), &[fact]).await?;
    }
    if let Some(mut recruitment) = recruitments::last_of(tx, merged).await?
        && recruitment.state.is_open()
    {
        recruitment.candidate = kept;
        recruitments::update(tx, &recruitment).await?;
        candidates::set_taken(tx, merged, false).await?;
        candidates::set_taken(tx, kept, true).await?;
    }
    candidates::set_gone(tx, merged, Some(kept)).await?;
    serving::serve(tx, call, settings, freed).await
}
