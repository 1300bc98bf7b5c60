//! What is decided on trainings and sessions and written, in the transaction that it is given. The rules are the
//! domain's; here is the order of things.
//!
//! Locks are taken in one order everywhere: people, then sessions, then trainings, each by id.

pub mod opening;
pub mod people;
pub mod seats;
pub mod telling;

use conum_kernel::{Error, Result, TrainingId};
use conum_service::{Call, Failure, Tx, history, policies::InForce};
use sea_orm::ConnectionTrait;

use crate::{
    domain::{
        Decision, Settings, choice,
        choice::{Spot, Whereabouts},
        policies::POLICIES,
        training::{Seat, Training},
    },
    storage::{
        people as people_store, sessions,
        trainings::{self, Stored},
    },
};

/// The settings in force on the day of a call.
///
/// # Errors
/// The database's.
pub async fn settings<C: ConnectionTrait>(connection: &C, call: &Call) -> Result<Settings, Failure> {
    let policies = InForce::on(connection, POLICIES, call.moment.today).await?;
    Ok(Settings {
        retakes: policies.get("exam-retakes")?,
        pix_after_hours: policies.get("pix-after-hours")?,
        near_km: policies.get("near-km")?,
        private_in_months: policies.get("private-training-in-months")?,
        vae_open: policies.get("vae-open")?,
        daily_hours: policies.get("daily-hours")?,
    })
}

/// Reads a training under the lock of its session and its own. Where its seat has changed between the two, the other
/// session is locked last: whoever crosses that way is decided again.
///
/// # Errors
/// Not found.
pub async fn lock(tx: &Tx, id: TrainingId) -> Result<Stored, Failure> {
    let unknown = || Error::not_found(&id.name());
    let session = |stored: &Stored| stored.training.seat.as_ref().map(|seat| seat.session);
    let seen = trainings::find(tx, id).await?.ok_or_else(unknown)?;
    if let Some(held) = session(&seen) {
        sessions::lock(tx, held).await?;
    }
    let stored = trainings::lock(tx, id).await?.ok_or_else(unknown)?;
    if let Some(held) = session(&stored)
        && session(&seen) != Some(held)
    {
        sessions::lock(tx, held).await?;
    }
    Ok(stored)
}

/// Where the person of a training is, and where the structure is.
///
/// # Errors
/// The database's.
pub async fn whereabouts<C: ConnectionTrait>(connection: &C, training: &Training) -> Result<Whereabouts, Failure> {
    let person = people_store::find(connection, training.candidate).await?;
    let home = person.and_then(|person| person.home());
    Ok(Whereabouts { home, work: Spot::of(&training.department, &training.commune) })
}

/// What a training was when it was decided on: its version, 0 for a new one, and the seat that it held.
#[derive(Clone, Debug, Default)]
pub struct Before {
    version: i64,
    seat: Option<Seat>,
}

impl From<&Stored> for Before {
    fn from(stored: &Stored) -> Self {
        Self { version: stored.version, seat: stored.training.seat.clone() }
    }
}

/// Writes what was decided on a training: itself, its seat, its history, what others are told, and its mails. A decision
/// without a fact has changed nothing.
///
/// # Errors
/// `SESSION_FULL` where the last seat was taken meanwhile; aborted where the training has changed since it was read; the
/// database's.
pub async fn carry_out(tx: &Tx, call: &Call, before: Before, decision: Decision) -> Result<Stored, Failure> {
    let Decision { state: training, facts, events, mails } = decision;
    let mut stored = Stored { training, version: before.version };
    if facts.is_empty() {
        return Ok(stored);
    }
    move_seat(tx, before.seat.as_ref(), stored.training.seat.as_ref()).await?;
    if before.version == 0 {
        trainings::insert(tx, &stored.training).await?;
    } else {
        trainings::update(tx, &stored).await?;
    }
    stored.version += 1;
    history::append(tx, call, &stored.training.id.name(), &facts).await?;
    for event in events {
        telling::others(tx, call, &stored.training, event).await?;
    }
    for mail in mails {
        telling::organisation(tx, call, &mail).await?;
    }
    Ok(stored)
}

async fn move_seat(tx: &Tx, before: Option<&Seat>, after: Option<&Seat>) -> Result<(), Failure> {
    let (before, after) = (before.map(|seat| seat.session), after.map(|seat| seat.session));
    if before == after {
        return Ok(());
    }
    if let Some(session) = before {
        sessions::free_seat(tx, session).await?;
    }
    if let Some(session) = after
        && !sessions::take_seat(tx, session).await?
    {
        return Err(choice::full(session).into());
    }
    Ok(())
}
