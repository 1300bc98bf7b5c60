//! What happens to people, as candidates tells it (C07, C08).

use conum_kernel::{CandidateId, TrainingId};
use conum_service::{Call, Failure, Tx, events::Applied};

use super::{Before, carry_out, lock};
use crate::{
    domain::{credit, opening},
    storage::{people, trainings},
};

/// The trainings of some people, in the order of their ids: that of locks.
async fn trainings_of(tx: &Tx, candidates: &[CandidateId]) -> Result<Vec<TrainingId>, Failure> {
    let mut ids = Vec::new();
    for candidate in candidates {
        ids.extend(trainings::of_candidate(tx, *candidate).await?.into_iter().map(|training| training.id));
    }
    ids.sort_unstable();
    Ok(ids)
}

/// Drops what is held of an erased person, and stops what runs (C07). Facts stay, under the id alone.
///
/// # Errors
/// The database's.
pub async fn erased(tx: &Tx, call: &Call, id: CandidateId) -> Result<(), Failure> {
    people::set_gone(tx, id, None).await?;
    for training in trainings_of(tx, &[id]).await? {
        let stored = lock(tx, training).await?;
        let before = Before::from(&stored);
        carry_out(tx, call, before, opening::erase(stored.training, call.moment)?).await?;
    }
    Ok(())
}

/// Unites two registrations of one person (C08): every training goes to the one that stays, and what runs counts what was
/// done in all others.
///
/// # Errors
/// The database's.
pub async fn merged(tx: &Tx, call: &Call, kept: CandidateId, merged: CandidateId) -> Result<Applied, Failure> {
    // In the order of ids, as everywhere.
    for id in [kept.min(merged), kept.max(merged)] {
        if people::lock_survivor(tx, id).await?.is_none() {
            return Ok(Applied::WaitsFor(id.name()));
        }
    }
    people::set_gone(tx, merged, Some(kept)).await?;
    for id in trainings_of(tx, &[kept, merged]).await? {
        let stored = lock(tx, id).await?;
        let mut others = trainings::of_candidate(tx, kept).await?;
        others.extend(trainings::of_candidate(tx, merged).await?);
        others.retain(|training| training.id != id && !training.state.is_open());
        others.sort_by_key(|training| training.id);
        let credit = credit::from(&others);
        if stored.training.candidate == kept && (!stored.training.state.is_open() || stored.training.credit == credit) {
            continue;
        }
        let before = Before::from(&stored);
        carry_out(tx, call, before, opening::unite(stored.training, kept, credit, call.moment)?).await?;
    }
    Ok(Applied::Done)
}
