//! The outbox: events are written in the transaction of the fact that they tell, numbered under their aggregate's lock.

use conum_kernel::Error;
use conum_proto::events::v1::{Event, event::Payload};
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use uuid::Builder;

use super::subscriptions;
use crate::{
    Call, Failure, Tx,
    sql::{self, Script},
    telemetry, wire,
};

/// Writes an event on `subject`, a resource name of the service `source`.
///
/// # Errors
/// The database's.
pub async fn append(tx: &Tx, call: &Call, source: &str, subject: &str, payload: Payload) -> Result<(), Failure> {
    let mut script = Script::default();
    add(&mut script, call, source, subject, payload);
    Ok(script.run(tx).await?)
}

/// Adds the writing of an event to a script. Its number is the database's to give, under the aggregate's lock; the event
/// takes it, and the id that follows from it, when it is [`read`].
pub fn add(script: &mut Script, call: &Call, source: &str, subject: &str, payload: Payload) {
    let kind = subscriptions::kind(&payload);
    let event = Event {
        source: source.into(),
        subject: subject.into(),
        time: Some(wire::from_timestamp(call.moment.now)),
        traceparent: telemetry::traceparent(),
        actor: call.actor().into(),
        cause: call.cause.clone(),
        payload: Some(payload),
        ..Event::default()
    };
    let at = sql::instant(call.moment.now);
    script.add(
        "INSERT INTO aggregates (name, sequence) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET sequence = aggregates.sequence + 1",
        [subject.into()],
    );
    // One row of values each: what is chosen by a SELECT, SQLite notes for the case that a later row is refused.
    let number = "(SELECT sequence FROM aggregates WHERE name = $1)";
    script.add(
        format!("INSERT INTO outbox (aggregate, sequence, kind, at, event) VALUES ($1, {number}, $2, $3, $4)"),
        [subject.into(), kind.into(), at.into(), event.encode_to_vec().into()],
    );
    for subscriber in subscriptions::subscribers(kind) {
        script.add(
            format!(
                "INSERT INTO deliveries (aggregate, subscriber, position, delivered, last, attempts, retry_at)
                 VALUES ($1, $2, (SELECT position FROM outbox WHERE aggregate = $1 AND sequence = {number}),
                   {number} - 1, {number}, 0, $3)
                 ON CONFLICT (aggregate, subscriber) DO UPDATE SET last = excluded.last"
            ),
            [subject.into(), subscriber.into(), at.into()],
        );
    }
}

/// Reads a stored event, with its number and its id.
///
/// # Errors
/// Internal where it cannot be read.
pub(super) fn read(bytes: &[u8], sequence: i64) -> Result<Event, Error> {
    let event = Event::decode(bytes).map_err(Error::internal)?;
    let id = id(&event, sequence);
    Ok(Event { id, sequence, ..event })
}

/// The id of an event: a UUID made of its source, subject and number, which nothing else shares.
fn id(event: &Event, sequence: i64) -> String {
    let name = format!("{}/{}#{sequence}", event.source, event.subject);
    let digest: [u8; 32] = Sha256::digest(name).into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// Forgets what was told of a subject, sent or not, dead letters included: the erasure that is told next is all that
/// others need of it (C07).
///
/// # Errors
/// The database's.
pub async fn forget(tx: &Tx, subject: &str) -> Result<(), Failure> {
    sql::execute(tx, "DELETE FROM outbox WHERE aggregate = $1", [subject.into()]).await?;
    sql::execute(tx, "DELETE FROM deliveries WHERE aggregate = $1", [subject.into()]).await?;
    Ok(())
}
