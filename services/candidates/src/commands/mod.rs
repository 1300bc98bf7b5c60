//! What is decided on registrations and written, in the transaction that it is given. The rules are the domain's; here
//! is the order of things.
//!
//! A registration is locked before it is decided on; two at once in the order of their ids, then those that are flagged
//! with them.

pub mod ending;
pub mod registering;
pub mod telling;

use std::collections::HashMap;

use conum_kernel::policy::Dated;
use conum_service::{Call, Failure, Tx, history, policies};
use sea_orm::ConnectionTrait;

use crate::{
    domain::{Decision, Settings},
    storage::{
        candidates::{self, Stored},
        doubles, ties,
    },
};

/// The settings in force on the day of a call.
///
/// # Errors
/// The database's.
pub async fn settings<C: ConnectionTrait>(connection: &C, call: &Call) -> Result<Settings, Failure> {
    let mut recorded: HashMap<String, Vec<Dated>> = HashMap::new();
    for change in policies::changes(connection).await? {
        recorded.entry(change.policy).or_default().push(change.dated);
    }
    Ok(Settings::on(call.moment.today, |key| recorded.get(key).map_or(&[], Vec::as_slice))?)
}

/// Writes what was decided on a registration that was read in a version, 0 for a new one: itself, its history, what
/// others are told, and its mails. A decision without a fact has changed nothing.
///
/// # Errors
/// Aborted where it has changed since it was read; the database's.
pub async fn carry_out(tx: &Tx, call: &Call, version: i64, decision: Decision) -> Result<Stored, Failure> {
    let Decision { state: candidate, facts, events, mails } = decision;
    let mut stored = Stored { candidate, version };
    if facts.is_empty() {
        return Ok(stored);
    }
    let id = stored.candidate.id;
    if version == 0 {
        candidates::insert(tx, &stored.candidate).await?;
    } else {
        candidates::update(tx, &stored, &ties::of(tx, id).await?).await?;
    }
    stored.version += 1;
    doubles::write(tx, &stored.candidate).await?;
    history::append(tx, call, &id.name(), &facts).await?;
    for event in events {
        telling::others(tx, call, event).await?;
    }
    for mail in mails {
        telling::person(tx, call, &mail).await?;
    }
    Ok(stored)
}
