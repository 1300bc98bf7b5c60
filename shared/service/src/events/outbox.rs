//! The outbox: events are written in the transaction of the fact that they tell, numbered under their aggregate's lock.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use conum_kernel::Error;
use conum_proto::events::v1::{Event, event::Payload};
use prost::Message as _;
use sea_orm::{ConnectionTrait, DbErr, Value};
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

/// Adds an event to a script, which writes its events last. Its number is the database's to give, under the aggregate's
/// lock; the event takes it, and the id that follows from it, when it is [`read`].
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
    let (at, event) = (sql::instant(call.moment.now), event.encode_to_vec());
    script.tell(Told { aggregate: subject.into(), kind, at, event });
}

/// An event to write.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    aggregate: String,
    kind: &'static str,
    at: DateTime<Utc>,
    event: Vec<u8>,
}

/// The most events that are written at once.
const AT_ONCE: usize = 64;

/// Writes events in their order: their numbers, themselves, and who is to hear of them.
///
/// # Errors
/// The database's.
pub(crate) async fn write<C: ConnectionTrait>(connection: &C, told: &[Told]) -> Result<(), DbErr> {
    let mut rest = told;
    while !rest.is_empty() {
        // Powers of two: a few statements serve for any number.
        let (some, others) = rest.split_at(AT_ONCE.min(1 << rest.len().ilog2()));
        let numbers = number(connection, some).await?;
        let positions = keep(connection, some, &numbers).await?;
        address(connection, some, &numbers, &positions).await?;
        rest = others;
    }
    Ok(())
}

/// Numbers events, each in its aggregate. The aggregates are taken in the order of their names, so that two commands wait
/// for each other in turn.
async fn number<C: ConnectionTrait>(connection: &C, told: &[Told]) -> Result<Vec<i64>, DbErr> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for told in told {
        *counts.entry(&told.aggregate).or_default() += 1;
    }
    let upsert = format!(
        "INSERT INTO aggregates (name, sequence) VALUES {}
         ON CONFLICT (name) DO UPDATE SET sequence = aggregates.sequence + excluded.sequence RETURNING name, sequence",
        sql::rows_of(2, counts.len())
    );
    let values: Vec<Value> = counts.iter().flat_map(|(name, count)| [(*name).into(), (*count).into()]).collect();
    let mut last: HashMap<String, i64> = HashMap::with_capacity(counts.len());
    for row in sql::all(connection, &upsert, values).await? {
        last.insert(row.try_get("", "name")?, row.try_get("", "sequence")?);
    }
    let number = |told: &Told| {
        let (count, last) = (counts.get_mut(told.aggregate.as_str())?, last.get(&told.aggregate)?);
        *count -= 1;
        Some(last - *count)
    };
    told.iter().map(number).collect::<Option<_>>().ok_or_else(|| unanswered("a number"))
}

/// Keeps events; answers their positions in the outbox.
async fn keep<C: ConnectionTrait>(connection: &C, told: &[Told], numbers: &[i64]) -> Result<Vec<i64>, DbErr> {
    let insert = format!(
        "INSERT INTO outbox (aggregate, sequence, kind, at, event) VALUES {}
         RETURNING aggregate, sequence, CAST(position AS bigint) AS position",
        sql::rows_of(5, told.len())
    );
    let row = |(told, number): (&Told, &i64)| -> [Value; 5] {
        [told.aggregate.as_str().into(), (*number).into(), told.kind.into(), told.at.into(), told.event.clone().into()]
    };
    let values: Vec<Value> = told.iter().zip(numbers).flat_map(row).collect();
    let mut positions: HashMap<(String, i64), i64> = HashMap::with_capacity(told.len());
    for row in sql::all(connection, &insert, values).await? {
        positions.insert((row.try_get("", "aggregate")?, row.try_get("", "sequence")?), row.try_get("", "position")?);
    }
    let position = |(told, number): (&Told, &i64)| positions.get(&(told.aggregate.clone(), *number)).copied();
    told.iter().zip(numbers).map(position).collect::<Option<_>>().ok_or_else(|| unanswered("a position"))
}

/// Notes who is to hear of events: for each aggregate and subscriber, from where and up to which.
async fn address<C: ConnectionTrait>(
    connection: &C,
    told: &[Told],
    numbers: &[i64],
    positions: &[i64],
) -> Result<(), DbErr> {
    let mut waiting: BTreeMap<(&str, &str), [Value; 7]> = BTreeMap::new();
    for ((told, number), position) in told.iter().zip(numbers).zip(positions) {
        for subscriber in subscriptions::subscribers(told.kind) {
            let row = waiting.entry((&told.aggregate, subscriber)).or_insert_with(|| {
                let (aggregate, delivered) = (told.aggregate.as_str().into(), (number - 1).into());
                let (last, attempts) = ((*number).into(), 0.into());
                [aggregate, subscriber.into(), (*position).into(), delivered, last, attempts, told.at.into()]
            });
            row[4] = (*number).into();
        }
    }
    if waiting.is_empty() {
        return Ok(());
    }
    let insert = format!(
        "INSERT INTO deliveries (aggregate, subscriber, position, delivered, last, attempts, retry_at) VALUES {}
         ON CONFLICT (aggregate, subscriber) DO UPDATE SET last = excluded.last",
        sql::rows_of(7, waiting.len())
    );
    sql::execute(connection, &insert, waiting.into_values().flatten()).await?;
    Ok(())
}

fn unanswered(what: &str) -> DbErr {
    DbErr::Custom(format!("the outbox gave {what} to none of its rows"))
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
