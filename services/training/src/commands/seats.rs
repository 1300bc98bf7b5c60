//! Seats: taken, given back, and lost with a session that is cancelled (T05).

use conum_kernel::{Error, SessionId, TrainingId};
use conum_service::{Call, Failure, Tx, history};

use super::{Before, carry_out, lock, whereabouts};
use crate::{
    domain::{preparing, session},
    storage::{
        organisations,
        sessions::{self, Stored as StoredSession},
        trainings::{self, Stored},
    },
};

/// Takes a seat for a locked training in a locked session.
///
/// # Errors
/// Those of [`preparing::enrol`]; `SESSION_FULL` where the last seat goes meanwhile.
pub async fn enrol(tx: &Tx, call: &Call, stored: Stored, session: &StoredSession) -> Result<Stored, Failure> {
    let organisation = organisations::known(tx, session.session.organisation).await?.organisation;
    let whereabouts = whereabouts(tx, &stored.training).await?;
    let before = Before::from(&stored);
    let decision = preparing::enrol(stored.training, &session.session, &organisation, &whereabouts, call.moment)?;
    carry_out(tx, call, before, decision).await
}

/// Reads a session and a training that may go to it, under their locks.
///
/// # Errors
/// Not found.
pub async fn lock_both(tx: &Tx, session: SessionId, training: TrainingId) -> Result<(StoredSession, Stored), Failure> {
    let unknown = || Error::not_found(&training.name());
    // A training that holds a seat elsewhere is refused anyway: its session needs no lock.
    let session = sessions::lock(tx, session).await?;
    let training = trainings::lock(tx, training).await?.ok_or_else(unknown)?;
    Ok((session, training))
}

/// Cancels a locked session: its seats are lost, and the plans that rest on it fall. `reason` is a listed one.
///
/// # Errors
/// Those of [`session::cancel`].
pub async fn cancel(tx: &Tx, call: &Call, stored: StoredSession, reason: &str) -> Result<StoredSession, Failure> {
    let (cancelled, fact) = session::cancel(&stored.session, reason, call.moment)?;
    for id in trainings::of_session(tx, cancelled.id).await? {
        let training = lock(tx, id).await?;
        if training.training.seat.as_ref().is_none_or(|seat| seat.session != cancelled.id) {
            continue;
        }
        let before = Before::from(&training);
        carry_out(tx, call, before, preparing::lose_seat(training.training)?).await?;
    }
    let mut stored = StoredSession { session: cancelled, version: stored.version };
    sessions::update(tx, &stored).await?;
    stored.version += 1;
    history::append(tx, call, &stored.session.id.name(), &[fact]).await?;
    Ok(stored)
}
