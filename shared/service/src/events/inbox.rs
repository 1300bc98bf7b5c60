//! The inbox: takes delivered events, records each in the transaction of its effect, and parks what names something not
//! known yet.

use std::sync::Arc;

use conum_kernel::{Error, Moment};
use conum_proto::events::v1::{
    DeliverRequest, DeliverResponse, Event, Outcome, Receipt, event::Payload,
    event_sink_service_server::EventSinkService,
};
use futures::future::BoxFuture;
use prost::Message as _;
use tonic::{Request, Response, Status};

use crate::{Call, Failure, Host, Tx, sql, telemetry};

/// The most events that one delivery may carry.
const MOST: usize = 500;

/// What an event did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It had its effect, or there is nothing to do.
    Done,
    /// It names something that is not known yet, by its resource name; it is kept until an event on that arrives.
    WaitsFor(String),
}

/// A service's reaction to events, in the transaction that records them. An event may come to it several times before one
/// is kept: it does nothing but read and write through the transaction.
pub trait Subscriber: Send + Sync + 'static {
    fn apply<'t>(&'t self, tx: &'t Tx, call: &'t Call, event: &'t Event) -> BoxFuture<'t, Result<Applied, Failure>>;
}

/// The rpc that relays call.
#[derive(Clone)]
pub struct Inbox {
    host: Host,
    subscriber: Arc<dyn Subscriber>,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Inbox {
    pub fn new(host: Host, subscriber: Arc<dyn Subscriber>) -> Self {
        Self { host, subscriber }
    }

    async fn receive(&self, events: Arc<Vec<Event>>, taken: Taken) -> Result<Vec<Receipt>, Failure> {
        let (host, subscriber) = (self.host.clone(), self.subscriber.clone());
        let write = self.host.store().write(move |tx| {
            let (host, subscriber, events) = (host.clone(), subscriber.clone(), events.clone());
            Box::pin(async move { receive_all(tx, &host, &*subscriber, &events, taken).await })
        });
        write.await
    }
}

#[tonic::async_trait]
impl EventSinkService for Inbox {
    async fn deliver(&self, request: Request<DeliverRequest>) -> Result<Response<DeliverResponse>, Status> {
        let events = request.into_inner().events;
        if events.len() > MOST {
            let error = Error::invalid("events", "TOO_MANY", "at most 500 events", "au plus 500 événements");
            return Err(Failure::from(error).into());
        }
        telemetry::link(&tracing::Span::current(), events.iter().map(|event| event.traceparent.as_str()));
        let events = Arc::new(events);
        // Nearly always, none is refused: only where one is, each is taken apart from the others.
        let receipts = match self.receive(events.clone(), Taken::Together).await {
            Ok(receipts) => receipts,
            Err(_) => self.receive(events, Taken::Apart).await?,
        };
        self.host.wake();
        Ok(Response::new(DeliverResponse { receipts }))
    }
}

/// Whether the events of a delivery stand together, or each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    /// One that is refused undoes all.
    Together,
    /// One that is refused holds back the later ones of its aggregate.
    Apart,
}

async fn receive_all(
    tx: &Tx,
    host: &Host,
    subscriber: &dyn Subscriber,
    events: &[Event],
    taken: Taken,
) -> Result<Vec<Receipt>, Failure> {
    let mut receipts: Vec<Receipt> = Vec::with_capacity(events.len());
    let mut held: Vec<&str> = Vec::new();
    for event in events {
        let (outcome, reason) = if held.contains(&event.subject.as_str()) {
            (Outcome::Held, String::new())
        } else {
            let outcome = match taken {
                Taken::Together => receive(tx, host, subscriber, event).await,
                Taken::Apart => receive_apart(tx, host, subscriber, event).await,
            };
            match outcome {
                Ok(outcome) => (outcome, String::new()),
                // A race must be decided again as a whole; anything else is this event's own trouble.
                Err(failure) if failure.is_race() || taken == Taken::Together => return Err(failure),
                Err(failure) => {
                    let error = failure.into_error();
                    tracing::warn!(event = event.id, subject = event.subject, %error, "event refused");
                    held.push(&event.subject);
                    (Outcome::Refused, error.reason().to_owned())
                }
            }
        };
        receipts.push(Receipt { id: event.id.clone(), outcome: outcome.into(), reason });
    }
    Ok(receipts)
}

/// Takes one event, in a savepoint.
async fn receive_apart(tx: &Tx, host: &Host, subscriber: &dyn Subscriber, event: &Event) -> Result<Outcome, Failure> {
    let savepoint = tx.savepoint().await?;
    let outcome = receive(&savepoint, host, subscriber, event).await;
    match outcome {
        Ok(_) => savepoint.keep().await?,
        Err(_) => savepoint.undo().await?,
    }
    outcome
}

/// Takes one event.
async fn receive(tx: &Tx, host: &Host, subscriber: &dyn Subscriber, event: &Event) -> Result<Outcome, Failure> {
    let moved = sql::execute(
        tx,
        "INSERT INTO inbox (source, aggregate, sequence) VALUES ($1, $2, $3)
         ON CONFLICT (source, aggregate) DO UPDATE SET sequence = excluded.sequence
           WHERE inbox.sequence < excluded.sequence",
        [event.source.clone().into(), event.subject.clone().into(), event.sequence.into()],
    )
    .await?;
    if moved.rows_affected() == 0 {
        return Ok(Outcome::Applied);
    }
    if matches!(event.payload, Some(Payload::CandidateErased(_))) {
        // What is parked holds facts of somebody who is nobody any more, and may wait for what was forgotten (C07).
        let delete = "DELETE FROM parked WHERE source = $1 AND aggregate = $2";
        sql::execute(tx, delete, [event.source.clone().into(), event.subject.clone().into()]).await?;
    }
    // Behind a parked event of the same aggregate, everything waits.
    let mut waiting = waiting(tx, event).await?;
    if let Some(name) = &waiting {
        hold(tx, name).await?;
        waiting = self::waiting(tx, event).await?;
    }
    if let Some(name) = waiting {
        park(tx, event, &name).await?;
        return Ok(Outcome::Parked);
    }
    let call = call(host, event);
    match apply(tx, &call, subscriber, event).await? {
        Applied::WaitsFor(name) => {
            park(tx, event, &name).await?;
            Ok(Outcome::Parked)
        }
        Applied::Done => {
            hold(tx, &event.subject).await?;
            unpark(tx, host, subscriber, &event.subject).await?;
            Ok(Outcome::Applied)
        }
    }
}

/// Applies an event. What it waits for, if anything, is held: on PostgreSQL it may have come meanwhile, when nobody was
/// waiting for it, and the event is applied again under the hold.
async fn apply(tx: &Tx, call: &Call, subscriber: &dyn Subscriber, event: &Event) -> Result<Applied, Failure> {
    let mut held = None;
    loop {
        match subscriber.apply(tx, call, event).await? {
            Applied::WaitsFor(name) if sql::is_postgres(tx) && held.as_ref() != Some(&name) => {
                hold(tx, &name).await?;
                held = Some(name);
            }
            applied => return Ok(applied),
        }
    }
}

/// What the aggregate of an event waits for.
async fn waiting(tx: &Tx, event: &Event) -> Result<Option<String>, Failure> {
    let row = sql::one(
        tx,
        "SELECT waits_for FROM parked WHERE source = $1 AND aggregate = $2 LIMIT 1",
        [event.source.clone().into(), event.subject.clone().into()],
    )
    .await?;
    Ok(row.map(|row| row.try_get("", "waits_for")).transpose()?)
}

/// Who waits for a name and who brings it come one after the other: whoever is second sees what the first one wrote.
async fn hold(tx: &Tx, name: &str) -> Result<(), Failure> {
    Ok(sql::hold(tx, &format!("parked/{name}")).await?)
}

fn call(host: &Host, event: &Event) -> Call {
    Call::delivered(&event.source, event.id.clone(), Moment::at(host.clock().now()), host.ids())
}

async fn park(tx: &Tx, event: &Event, waits_for: &str) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO parked (source, aggregate, sequence, waits_for, event) VALUES ($1, $2, $3, $4, $5)",
        [
            event.source.clone().into(),
            event.subject.clone().into(),
            event.sequence.into(),
            waits_for.into(),
            event.encode_to_vec().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Applies the parked events that waited for `name`, and what waited behind them, in order. Each may wait again, for
/// something else.
async fn unpark(tx: &Tx, host: &Host, subscriber: &dyn Subscriber, name: &str) -> Result<(), Failure> {
    loop {
        // The earliest parked event of an aggregate whose earliest one waits for the name.
        let row = sql::one(
            tx,
            "SELECT event FROM parked p WHERE waits_for = $1 AND NOT EXISTS (SELECT 1 FROM parked q
               WHERE q.source = p.source AND q.aggregate = p.aggregate AND q.sequence < p.sequence)
             ORDER BY source, aggregate LIMIT 1",
            [name.into()],
        )
        .await?;
        let Some(row) = row else { return Ok(()) };
        let bytes: Vec<u8> = row.try_get("", "event")?;
        let event = Event::decode(bytes.as_slice()).map_err(Error::internal)?;
        let key = || [event.source.clone().into(), event.subject.clone().into(), event.sequence.into()];
        match apply(tx, &call(host, &event), subscriber, &event).await? {
            Applied::Done => {
                let delete = "DELETE FROM parked WHERE source = $1 AND aggregate = $2 AND sequence = $3";
                sql::execute(tx, delete, key()).await?;
            }
            Applied::WaitsFor(other) if other == name => return Ok(()),
            Applied::WaitsFor(other) => {
                let [source, aggregate, _] = key();
                let update = "UPDATE parked SET waits_for = $3 WHERE source = $1 AND aggregate = $2";
                sql::execute(tx, update, [source, aggregate, other.into()]).await?;
            }
        }
    }
}
