//! What happens in one transaction: reading under locks, deciding with the domain, storing all that it answers.
//!
//! Locks are taken in one order everywhere: the programme's row, the wave, then applications by id.

pub mod applying;
pub mod correcting;
pub mod granting;
pub mod past;

use std::collections::HashMap;

use conum_kernel::{Fact, policy::Dated};
use conum_service::{Call, Failure, Tx, events, history, mail, policies};
use sea_orm::ConnectionTrait;

use crate::{
    NAME,
    domain::{CapOutcome, Desk, Event, Mail, Outcome, Settings},
    rpc::convert,
    storage::{
        applications::{self, Stored},
        programme,
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

/// The desk today, as it is seen without a lock (P02).
///
/// # Errors
/// The database's.
pub async fn desk<C: ConnectionTrait>(connection: &C, call: &Call, settings: &Settings) -> Result<Desk, Failure> {
    Ok(programme::find(connection, settings.cap).await?.desk(settings.closing_date, call.moment.today))
}

/// Stores what a command decided on an application.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn store(tx: &Tx, call: &Call, before: Stored, outcome: Outcome) -> Result<Stored, Failure> {
    let stored = applications::update(tx, before, outcome.state).await?;
    record(tx, call, &stored.application.id.name(), &outcome.facts, outcome.events, outcome.mails).await?;
    Ok(stored)
}

/// Stores what a command decided on an application and the cap (P01): of the locked row, and of a new application where
/// there was none.
///
/// # Errors
/// Those of [`store`].
pub async fn store_with_cap(
    tx: &Tx,
    call: &Call,
    before: Option<Stored>,
    outcome: CapOutcome,
) -> Result<Stored, Failure> {
    let (application, programme) = outcome.state;
    programme::update(tx, programme).await?;
    let stored = match before {
        Some(before) => applications::update(tx, before, application).await?,
        None => applications::insert(tx, application).await?,
    };
    record(tx, call, &stored.application.id.name(), &outcome.facts, outcome.events, outcome.mails).await?;
    Ok(stored)
}

/// Writes the history of a record, tells the others, and queues the mails.
///
/// # Errors
/// The database's.
pub async fn record(
    tx: &Tx,
    call: &Call,
    name: &str,
    facts: &[Fact],
    events: Vec<Event>,
    mails: Vec<Mail>,
) -> Result<(), Failure> {
    history::append(tx, call, name, facts).await?;
    for event in events {
        let subject = event.subject();
        events::append(tx, call, NAME, &subject, convert::events::payload(event)).await?;
    }
    for mail in mails {
        queue(tx, call, &mail).await?;
    }
    Ok(())
}

/// Queues a mail to the contact of an application. One call sends one of a kind to one application.
///
/// # Errors
/// The database's.
pub async fn queue(tx: &Tx, call: &Call, mail: &Mail) -> Result<(), Failure> {
    let (kind, recipient) = (mail.kind(), mail.application().name());
    let id = call.uuid(&format!("mail/{recipient}/{kind}")).to_string();
    mail::queue(tx, call, &id, kind, &recipient, mail).await
}
