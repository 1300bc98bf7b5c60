//! What happens to people, as candidates tells it: arrivals, changes, departures, merges, erasures (C04, C07, C08).

use std::collections::{BTreeSet, HashSet};

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
        candidate::Candidate,
        eligibility::possible,
        introduction::{CloseReason, State as Introduced},
        policies::Settings,
        recruitment::State,
        structure::Seat,
    },
    storage::{
        candidates,
        introductions::{self, Introduction},
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
    close_impossible(tx, call, candidate, &mut freed).await?;
    serving::serve(tx, call, settings, freed).await
}

/// Closes the live introductions of somebody that are no longer possible.
async fn close_impossible(tx: &Tx, call: &Call, candidate: &Candidate, freed: &mut Freed) -> Result<(), Failure> {
    for introduction in introductions::live_of_candidate(tx, candidate.id).await? {
        let Some(stored) = structures::lock(tx, introduction.structure).await? else { continue };
        let (_, needed_by) = structures::demand(&structures::posts_of(tx, introduction.structure).await?);
        let needed_by = needed_by.unwrap_or(introduction.reasons.needed_by);
        let seat = Seat { structure: stored.structure, needed_by, places: 1, called: stored.called };
        if possible(candidate, &seat, call.moment.today).is_err() {
            answering::close(tx, call, introduction, CloseReason::CandidateIneligible, freed).await?;
        }
    }
    Ok(())
}

/// Releases somebody who asks to leave: from a selection and from every introduction. Refuses where a contract is
/// signed, and tells.
///
/// # Errors
/// The database's.
pub async fn left(tx: &Tx, call: &Call, settings: &Settings, id: CandidateId) -> Result<(), Failure> {
    // Whoever selects the person meanwhile comes before or after.
    candidates::hold(tx, id).await?;
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
    candidates::hold(tx, id).await?;
    let recruitment = recruitments::last_of(tx, id).await?;
    depart(tx, call, settings, id, recruitment).await?;
    candidates::erase(tx, id).await
}

/// Unites two registrations of one person (C08): pairs, introductions and recruitments go to the one that stays. Closed
/// are a second introduction to one structure, one to a structure that the person was introduced to before and that has
/// not answered, the newest beyond the limit, and what is not possible for the one that stays; all, where a contract is
/// signed (C06).
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
    let mut freed = Freed::default();
    let mut all = united(tx, call, kept, merged, &mut freed).await?;
    candidates::unite_pairs(tx, kept, merged).await?;
    // The oldest stay, whoever's they were.
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
    let recruitment = recruitments::last_of(tx, kept).await?;
    if let Some(recruitment) = recruitment.filter(|recruitment| recruitment.state == State::Signed) {
        recruiting::leave_introductions(tx, call, &recruitment, &mut freed).await?;
    } else if let Some(stored) = candidates::find(tx, kept).await? {
        close_impossible(tx, call, &stored.candidate, &mut freed).await?;
    }
    serving::serve(tx, call, settings, freed).await
}

/// The live introductions of two registrations of one person, the oldest first. Those that come twice are closed: of two
/// to one structure, the one of the registration that ends; and one that is not answered, where the person was introduced
/// to that structure before, under the other registration (M03).
async fn united(
    tx: &Tx,
    call: &Call,
    kept: CandidateId,
    merged: CandidateId,
    freed: &mut Freed,
) -> Result<Vec<Introduction>, Failure> {
    let [of_kept, of_merged] =
        [introductions::live_of_candidate(tx, kept).await?, introductions::live_of_candidate(tx, merged).await?];
    let structures =
        |of: &[Introduction]| of.iter().map(|introduction| introduction.structure).collect::<BTreeSet<_>>();
    let (with_kept, with_merged) = (structures(&of_kept), structures(&of_merged));
    let all: Vec<_> = with_kept.union(&with_merged).copied().collect();
    for structure in &all {
        structures::lock(tx, *structure).await?;
    }
    let before: HashSet<_> = candidates::pairs(tx, &all).await?.into_iter().collect();
    let mut all = Vec::new();
    for introduction in of_kept.into_iter().chain(of_merged) {
        let structure = introduction.structure;
        let both = with_kept.contains(&structure) && with_merged.contains(&structure);
        let is_second = if both {
            introduction.candidate == merged
        } else {
            let other = if introduction.candidate == merged { kept } else { merged };
            introduction.state == Introduced::Proposed && before.contains(&(structure, other))
        };
        if is_second {
            answering::close(tx, call, introduction, CloseReason::Merged, freed).await?;
        } else {
            all.push(introduction);
        }
    }
    all.sort_by_key(|introduction| (introduction.introduced_at, introduction.id));
    Ok(all)
}
