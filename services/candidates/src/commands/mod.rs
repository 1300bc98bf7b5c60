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
use conum_service::{Call, Failure, Tx, history, policies, sql::Script};
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
    let mut script = Script::default();
    if version != 0 && !decision.facts.is_empty() {
        let candidate = &decision.state;
        candidates::update(tx, candidate, version, &ties::of(tx, candidate.id).await?).await?;
        doubles::forget(&mut script, candidate.id);
    }
    let stored = write(&mut script, call, version, decision)?;
    script.run(tx).await?;
    Ok(stored)
}

/// Adds the writing of what was decided to a script: of a new registration all of it, of another all but itself.
///
/// # Errors
/// Internal where something cannot be written.
pub fn write(script: &mut Script, call: &Call, version: i64, decision: Decision) -> Result<Stored, Failure> {
    let Decision { state: candidate, facts, events, mails } = decision;
    if facts.is_empty() {
        return Ok(Stored { candidate, version });
    }
    if version == 0 {
        candidates::insert(script, &candidate)?;
    }
    doubles::add(script, &candidate);
    history::add(script, call, &candidate.id.name(), &facts);
    for event in events {
        telling::others(script, call, event);
    }
    for mail in mails {
        telling::person(script, call, &mail)?;
    }
    Ok(Stored { candidate, version: version + 1 })
}
