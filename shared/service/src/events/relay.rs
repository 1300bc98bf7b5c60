//! The relay: takes aggregates that have something to tell a subscriber, sends their next events in order, and notes
//! how far each has come. On PostgreSQL, where every replica has one, what is taken is leased; SQLite's one process has
//! it alone.
//!
//! A subscriber that is down delays its events and nothing else: they are sent again, with growing pauses, for as long
//! as it takes. A subscriber that *refuses* an event is asked [`REFUSALS`] times; then the event is a dead letter, and
//! holds back the later events of its own aggregate only.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{DateTime, Utc};
use conum_proto::events::v1::{
    DeliverRequest, Event, Outcome, Receipt, event_sink_service_client::EventSinkServiceClient,
};
use jiff::{SignedDuration, Timestamp};
use sea_orm::{ConnectionTrait, QueryResult};
use tonic::{Code, Request, transport::Channel};
use tracing::Instrument as _;

use super::{outbox, subscriptions};
use crate::{Failure, Host, Tx, identity::Caller, schema, sql, telemetry};

/// How often a subscriber may refuse an event before it is a dead letter.
pub const REFUSALS: i32 = 8;
/// How many aggregates one delivery takes.
const AGGREGATES: i64 = 200;
/// How many events one delivery carries.
const EVENTS: usize = 500;
/// How long a lease lasts: longer than a delivery may.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long one delivery may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// An aggregate that has something to tell, taken to be told.
#[derive(Clone, Debug)]
struct Lease {
    aggregate: String,
    delivered: i64,
    attempts: i32,
}

/// What a service tells one subscriber. Each has its own, so that none waits for another.
#[derive(Clone, Debug)]
pub struct Relay {
    subscriber: &'static str,
    channel: Channel,
}

impl Relay {
    /// A relay to each subscriber among some peers.
    pub fn to(peers: &[(String, Channel)]) -> impl Iterator<Item = Self> {
        subscriptions::all().filter_map(|subscriber| {
            let (_, channel) = peers.iter().find(|(peer, _)| peer == subscriber)?;
            Some(Self { subscriber, channel: channel.clone() })
        })
    }

    /// Sends what is due, once. Answers how many events were acknowledged.
    ///
    /// # Errors
    /// Those of the own database; the subscriber's are noted and tried again later.
    pub async fn step(&self, host: &Host) -> Result<usize, Failure> {
        let leases = lease(host, self.subscriber, host.clock().now()).await?;
        if leases.is_empty() {
            return Ok(0);
        }
        let events = load(host, self.subscriber, &leases).await?;
        let subjects = events.iter().map(|event| (event.subject.clone(), event.sequence)).collect();
        let span = delivery_span(host.name(), self.subscriber, &events);
        let outcome = send(host, self.subscriber, self.channel.clone(), events).instrument(span).await;
        note(host, self.subscriber, leases, subjects, outcome).await
    }
}

/// Takes the aggregates that are due, oldest event first.
async fn lease(host: &Host, subscriber: &'static str, now: Timestamp) -> Result<Vec<Lease>, Failure> {
    let instant = sql::instant(now);
    let reader = host.store().read();
    if !sql::is_postgres(reader) {
        return due(reader, subscriber, instant, AGGREGATES, "").await;
    }
    // Most of the time nothing waits: look before taking a transaction.
    if due(reader, subscriber, instant, 1, "").await?.is_empty() {
        return Ok(Vec::new());
    }
    let until = sql::instant(now.saturating_add(LEASE).unwrap_or(now));
    host.store()
        .write(move |tx| {
            Box::pin(async move {
                let leases = due(tx, subscriber, instant, AGGREGATES, " FOR UPDATE SKIP LOCKED").await?;
                let mut values: Vec<sea_orm::Value> = vec![subscriber.into(), until.into()];
                values.extend(leases.iter().map(|lease| lease.aggregate.clone().into()));
                let list = sql::parameters(3, leases.len());
                let update =
                    format!("UPDATE deliveries SET lease_until = $2 WHERE subscriber = $1 AND aggregate IN ({list})");
                if !leases.is_empty() {
                    sql::execute(tx, &update, values).await?;
                }
                Ok(leases)
            })
        })
        .await
}

/// The aggregates that are due and that nobody else has taken.
async fn due<C: ConnectionTrait>(
    connection: &C,
    subscriber: &str,
    now: DateTime<Utc>,
    most: i64,
    lock: &str,
) -> Result<Vec<Lease>, Failure> {
    let query = format!(
        "SELECT aggregate, delivered, attempts FROM deliveries
         WHERE subscriber = $1 AND delivered < last AND dead IS NULL AND retry_at <= $2
           AND (lease_until IS NULL OR lease_until <= $2) ORDER BY position LIMIT $3{lock}"
    );
    let rows = sql::all(connection, &query, [subscriber.into(), now.into(), most.into()]).await?;
    let lease = |row: &QueryResult| {
        Ok(Lease {
            aggregate: row.try_get("", "aggregate")?,
            delivered: row.try_get("", "delivered")?,
            attempts: row.try_get("", "attempts")?,
        })
    };
    rows.iter().map(lease).collect()
}

/// The next events of the leased aggregates that the subscriber wants, in the order of their writing.
async fn load(host: &Host, subscriber: &str, leases: &[Lease]) -> Result<Vec<Event>, Failure> {
    let list = sql::parameters(1, leases.len());
    let query = format!(
        "SELECT o.kind, o.sequence, o.event FROM outbox o JOIN deliveries d ON d.aggregate = o.aggregate
         WHERE d.subscriber = ${} AND o.aggregate IN ({list}) AND o.sequence > d.delivered
         ORDER BY o.position LIMIT {}",
        leases.len() + 1,
        EVENTS * 2
    );
    let mut values: Vec<sea_orm::Value> = leases.iter().map(|lease| lease.aggregate.clone().into()).collect();
    values.push(subscriber.into());
    let mut events = Vec::new();
    for row in sql::all(host.store().read(), &query, values).await? {
        let kind: String = row.try_get("", "kind")?;
        if subscriptions::wants(subscriber, &kind) && events.len() < EVENTS {
            let bytes: Vec<u8> = row.try_get("", "event")?;
            events.push(outbox::read(&bytes, row.try_get("", "sequence")?)?);
        }
    }
    Ok(events)
}

/// The span of a delivery, linked to the calls that caused its events.
fn delivery_span(source: &str, subscriber: &str, events: &[Event]) -> tracing::Span {
    let span = tracing::info_span!(
        "events.deliver",
        otel.kind = "producer",
        service = source,
        subscriber,
        events = events.len()
    );
    telemetry::link(&span, events.iter().map(|event| event.traceparent.as_str()));
    span
}

async fn send(
    host: &Host,
    subscriber: &str,
    channel: Channel,
    events: Vec<Event>,
) -> Result<Vec<Receipt>, tonic::Status> {
    let mut request = Request::new(DeliverRequest { events });
    request.set_timeout(DEADLINE);
    host.sign(&mut request, &Caller::service(host.name()), subscriber).await?;
    let mut client = EventSinkServiceClient::new(channel).max_decoding_message_size(64 << 20);
    Ok(client.deliver(request).await?.into_inner().receipts)
}

/// What became of an aggregate's events.
struct Progress {
    lease: Lease,
    delivered: i64,
    /// The reason of a refusal; empty where the subscriber was not reached.
    trouble: Option<String>,
    refused: bool,
}

/// Notes how far each aggregate has come, of the events (subject and number) that were sent.
async fn note(
    host: &Host,
    subscriber: &'static str,
    leases: Vec<Lease>,
    events: Vec<(String, i64)>,
    outcome: Result<Vec<Receipt>, tonic::Status>,
) -> Result<usize, Failure> {
    let mut progress: HashMap<String, Progress> = leases
        .into_iter()
        .map(|lease| {
            let delivered = lease.delivered;
            (lease.aggregate.clone(), Progress { lease, delivered, trouble: None, refused: false })
        })
        .collect();
    let mut acknowledged = 0;
    match outcome {
        Ok(receipts) => {
            for ((subject, sequence), receipt) in events.into_iter().zip(receipts) {
                let Some(aggregate) = progress.get_mut(&subject) else { continue };
                match receipt.outcome() {
                    Outcome::Applied | Outcome::Parked => {
                        aggregate.delivered = sequence;
                        acknowledged += 1;
                    }
                    Outcome::Refused => (aggregate.trouble, aggregate.refused) = (Some(receipt.reason), true),
                    Outcome::Held | Outcome::Unspecified => {}
                }
            }
        }
        Err(status) => {
            tracing::debug!(subscriber, code = ?status.code(), "delivery failed; it will be tried again");
            let reason = if status.code() == Code::Unavailable { "UNREACHABLE" } else { "FAILED" };
            for aggregate in progress.values_mut() {
                aggregate.trouble = Some(reason.into());
            }
        }
    }
    let now = host.clock().now();
    let progress = std::sync::Arc::new(progress.into_values().collect::<Vec<_>>());
    host.store()
        .write(move |tx| {
            let progress = progress.clone();
            Box::pin(async move { write_progress(tx, subscriber, &progress, now).await })
        })
        .await?;
    Ok(acknowledged)
}

/// Forgets what was delivered to its last event; notes of the others how far they have come.
async fn write_progress(tx: &Tx, subscriber: &str, all: &[Progress], now: Timestamp) -> Result<(), Failure> {
    let (moved, mut others): (Vec<_>, Vec<_>) =
        all.iter().partition(|progress| progress.trouble.is_none() && progress.delivered > progress.lease.delivered);
    let mut by_last: BTreeMap<i64, Vec<&Progress>> = BTreeMap::new();
    for progress in moved {
        by_last.entry(progress.delivered).or_default().push(progress);
    }
    for (last, moved) in by_last {
        let list = sql::parameters(3, moved.len());
        let delete = format!("DELETE FROM deliveries WHERE subscriber = $1 AND last = $2 AND aggregate IN ({list})");
        let mut values: Vec<sea_orm::Value> = vec![subscriber.into(), last.into()];
        values.extend(moved.iter().map(|progress| progress.lease.aggregate.clone().into()));
        let forgotten = sql::execute(tx, &delete, values).await?.rows_affected();
        if usize::try_from(forgotten).is_ok_and(|forgotten| forgotten < moved.len()) {
            others.extend(moved);
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let mut values: Vec<sea_orm::Value> = vec![subscriber.into()];
    let mut rows = Vec::with_capacity(others.len());
    for progress in others {
        let attempts = if progress.trouble.is_some() { progress.lease.attempts + 1 } else { 0 };
        let dead = progress.trouble.clone().filter(|_| progress.refused && attempts >= REFUSALS);
        let pause = if progress.trouble.is_some() { pause(attempts) } else { SignedDuration::ZERO };
        let retry_at = sql::instant(now.saturating_add(pause).unwrap_or(now));
        let n = values.len();
        let casts = format!(
            "(CAST(${} AS text), CAST(${} AS bigint), CAST(${} AS integer), CAST(${} AS INSTANT), CAST(${} AS text))",
            n + 1,
            n + 2,
            n + 3,
            n + 4,
            n + 5
        );
        rows.push(schema::dialect(tx.get_database_backend(), &casts));
        let row: [sea_orm::Value; 5] = [
            progress.lease.aggregate.clone().into(),
            progress.delivered.into(),
            attempts.into(),
            retry_at.into(),
            dead.into(),
        ];
        values.extend(row);
    }
    let update = format!(
        "UPDATE deliveries SET delivered = CASE WHEN v.column2 > delivered THEN v.column2 ELSE delivered END,
           attempts = v.column3, retry_at = v.column4, dead = v.column5, lease_until = NULL
         FROM (VALUES {}) v WHERE subscriber = $1 AND aggregate = v.column1",
        rows.join(", ")
    );
    sql::execute(tx, &update, values).await?;
    Ok(())
}

/// The pause after a number of attempts: 100 ms, doubling up to a minute, with jitter.
fn pause(attempts: i32) -> SignedDuration {
    let exponent = u32::try_from(attempts.clamp(0, 10)).unwrap_or(0);
    let milliseconds = (100_u64 << exponent).min(60_000);
    let jittered = milliseconds + conum_kernel::id::jitter(milliseconds / 4);
    SignedDuration::from_millis(i64::try_from(jittered).unwrap_or(60_000))
}

/// How far a service's events have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    pub published: i64,
    pub pending: i64,
    pub parked: i64,
    pub dead: i64,
    pub mails_sent: i64,
    pub mails_pending: i64,
}

/// What waits in a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    pub(crate) pending: i64,
    pub(crate) parked: i64,
    pub(crate) dead: i64,
    pub(crate) mails: i64,
}

/// Counts what waits: indexes hold nothing else.
///
/// # Errors
/// The database's.
pub(crate) async fn backlog(host: &Host) -> Result<Backlog, Failure> {
    Ok(Backlog {
        pending: count(host, "SELECT count(*) AS n FROM deliveries WHERE delivered < last AND dead IS NULL").await?,
        parked: count(host, "SELECT count(*) AS n FROM parked").await?,
        dead: count(host, "SELECT count(*) AS n FROM deliveries WHERE dead IS NOT NULL").await?,
        mails: count(host, "SELECT count(*) AS n FROM mails WHERE sent_at IS NULL").await?,
    })
}

async fn count(host: &Host, query: &str) -> Result<i64, Failure> {
    let row = sql::one(host.store().read(), query, []).await?;
    Ok(row.map_or(Ok(None), |row| row.try_get::<Option<i64>>("", "n"))?.unwrap_or(0))
}

/// Counts what was told and what waits.
///
/// # Errors
/// The database's.
pub async fn lag(host: &Host) -> Result<Lag, Failure> {
    let Backlog { pending, parked, dead, mails } = backlog(host).await?;
    Ok(Lag {
        published: count(host, "SELECT CAST(sum(sequence) AS bigint) AS n FROM aggregates").await?,
        pending,
        parked,
        dead,
        mails_sent: count(host, "SELECT count(*) AS n FROM mails WHERE sent_at IS NOT NULL AND outcome IS NULL")
            .await?,
        mails_pending: mails,
    })
}

/// A dead letter.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    pub subscriber: String,
    pub aggregate: String,
    pub sequence: i64,
    pub kind: String,
    pub attempts: i32,
    pub reason: String,
    pub last_attempt_at: Timestamp,
}

/// The dead letters after a key (`subscriber|aggregate`), in its order.
///
/// # Errors
/// The database's.
pub async fn dead_letters(host: &Host, after: &str, limit: u64) -> Result<Vec<DeadLetter>, Failure> {
    let rows = sql::all(
        host.store().read(),
        "SELECT d.subscriber, d.aggregate, d.attempts, d.dead, d.retry_at, o.sequence, o.kind
         FROM deliveries d JOIN outbox o ON o.aggregate = d.aggregate AND o.sequence = (SELECT min(sequence)
           FROM outbox WHERE aggregate = d.aggregate AND sequence > d.delivered)
         WHERE d.dead IS NOT NULL AND d.subscriber || '|' || d.aggregate > $1
         ORDER BY d.subscriber || '|' || d.aggregate LIMIT $2",
        [after.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(DeadLetter {
                subscriber: row.try_get("", "subscriber")?,
                aggregate: row.try_get("", "aggregate")?,
                sequence: row.try_get("", "sequence")?,
                kind: row.try_get("", "kind")?,
                attempts: row.try_get("", "attempts")?,
                reason: row.try_get("", "dead")?,
                last_attempt_at: sql::timestamp(row.try_get::<DateTime<Utc>>("", "retry_at")?),
            })
        })
        .collect()
}

/// Sends a dead letter again. Answers whether there was one.
///
/// # Errors
/// The database's.
pub async fn redrive(host: &Host, subscriber: String, aggregate: String) -> Result<bool, Failure> {
    let now = host.clock().now();
    let found = host
        .store()
        .write(move |tx| {
            let (subscriber, aggregate) = (subscriber.clone(), aggregate.clone());
            Box::pin(async move {
                let done = sql::execute(
                    tx,
                    "UPDATE deliveries SET dead = NULL, attempts = 0, retry_at = $3
                     WHERE subscriber = $1 AND aggregate = $2 AND dead IS NOT NULL",
                    [subscriber.into(), aggregate.into(), sql::instant(now).into()],
                )
                .await?;
                Ok(done.rows_affected() == 1)
            })
        })
        .await?;
    host.wake();
    Ok(found)
}
