//! The outbox: events are written in the transaction of the fact that they tell, numbered under their aggregate's lock.

use conum_proto::events::v1::{Event, event::Payload};
use prost::Message as _;

use super::subscriptions;
use crate::{Call, Failure, Tx, sql, telemetry, wire};

/// Writes an event on `subject`, a resource name of the service `source`.
///
/// # Errors
/// The database's.
pub async fn append(tx: &Tx, call: &Call, source: &str, subject: &str, payload: Payload) -> Result<(), Failure> {
    let row = sql::one(
        tx,
        "INSERT INTO aggregates (name, sequence) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET sequence = aggregates.sequence + 1 RETURNING sequence",
        [subject.into()],
    )
    .await?;
    let sequence: i64 = row.map_or(Ok(1), |row| row.try_get("", "sequence"))?;
    let kind = subscriptions::kind(&payload);
    let event = Event {
        id: call.uuid(&format!("{subject}#{sequence}")).to_string(),
        source: source.into(),
        subject: subject.into(),
        sequence,
        time: Some(wire::from_timestamp(call.moment.now)),
        traceparent: telemetry::traceparent(),
        actor: call.actor().into(),
        cause: call.cause.clone(),
        payload: Some(payload),
    };
    let row = sql::one(
        tx,
        "INSERT INTO outbox (aggregate, sequence, kind, at, event) VALUES ($1, $2, $3, $4, $5) RETURNING position",
        [
            subject.into(),
            sequence.into(),
            kind.into(),
            sql::instant(call.moment.now).into(),
            event.encode_to_vec().into(),
        ],
    )
    .await?;
    let position: i64 = row.map_or(Ok(0), |row| row.try_get("", "position"))?;
    for subscriber in subscriptions::subscribers(kind) {
        sql::execute(
            tx,
            "INSERT INTO deliveries (subscriber, aggregate, position, delivered, last, attempts, retry_at)
             VALUES ($1, $2, $3, 0, $4, 0, $5)
             ON CONFLICT (subscriber, aggregate) DO UPDATE SET last = excluded.last,
               position = CASE WHEN deliveries.delivered < deliveries.last
                          THEN deliveries.position ELSE excluded.position END",
            [subscriber.into(), subject.into(), position.into(), sequence.into(), sql::instant(call.moment.now).into()],
        )
        .await?;
    }
    Ok(())
}

/// Forgets what was told of a subject, sent or not, dead letters included: the erasure that is told next is all that
/// others need of it (C07).
///
/// # Errors
/// The database's.
pub async fn forget(tx: &Tx, call: &Call, subject: &str) -> Result<(), Failure> {
    sql::execute(tx, "DELETE FROM outbox WHERE aggregate = $1", [subject.into()]).await?;
    sql::execute(
        tx,
        "UPDATE deliveries SET delivered = last, dead = NULL, attempts = 0, retry_at = $2 WHERE aggregate = $1",
        [subject.into(), sql::instant(call.moment.now).into()],
    )
    .await?;
    Ok(())
}
