//! Commands that are safe to send again (AIP-155): the same request gives the same answer, and has one effect.
//!
//! What is kept for a request id is the name of what it made or changed and a hash of the request, for 24 hours: never
//! its content. The same request again answers with the record as it stands.

use std::collections::HashMap;

use conum_kernel::Error;
use futures::future::BoxFuture;
use prost::Message;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    Call, Failure, Host, Tx,
    sql::{self, Script},
};

/// How long an answer is kept, in hours.
pub const KEPT_HOURS: i64 = 24;

/// Something a command answers with, and that can be read again by its resource name.
pub trait Record: Sized + Send + 'static {
    /// Its resource name.
    fn name(&self) -> String;

    /// Its version.
    fn etag(&self) -> String;

    /// Reads it.
    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>>;
}

impl Host {
    /// Runs a command in one transaction: state, events, mails and the answer kept for its request id. Wakes the
    /// relay and the mailer once it is durable.
    ///
    /// # Errors
    /// What the command refuses; `REQUEST_ID_REUSED` where the id was used for something else.
    pub async fn command<R, M, F>(&self, call: &Call, message: M, op: F) -> Result<R, Failure>
    where
        R: Record,
        M: Message + Clone + 'static,
        F: for<'t> Fn(&'t Tx, Call, M) -> BoxFuture<'t, Result<R, Failure>> + Send + Sync + 'static,
    {
        let hash = call.request_id.map(|_| hash::<M>(&message));
        let call = call.clone();
        let op = std::sync::Arc::new(op);
        let record = self
            .store()
            .write(move |tx| {
                let (call, message, hash, op) = (call.clone(), message.clone(), hash.clone(), op.clone());
                Box::pin(async move {
                    let Some(hash) = hash else { return op(tx, call, message).await };
                    if let Some(resource) = remembered(tx, &call, &hash).await? {
                        return R::load(tx, &resource).await;
                    }
                    let record = op(tx, call.clone(), message).await?;
                    sql::execute(
                        tx,
                        "UPDATE answers SET resource = $3, etag = $4 WHERE subject = $1 AND request_id = $2",
                        [call.actor().into(), key(&call).into(), record.name().into(), record.etag().into()],
                    )
                    .await?;
                    Ok(record)
                })
            })
            .await?;
        self.wake();
        Ok(record)
    }

    /// Runs a command and writes nothing (`validate_only`, AIP-163): it refuses what [`command`](Self::command) would
    /// refuse, and answers what it would answer.
    ///
    /// # Errors
    /// What the command refuses.
    pub async fn rehearse<R, M, F>(&self, call: &Call, message: M, op: F) -> Result<R, Failure>
    where
        R: Send + 'static,
        M: Clone + Send + Sync + 'static,
        F: for<'t> Fn(&'t Tx, Call, M) -> BoxFuture<'t, Result<R, Failure>> + Send + Sync + 'static,
    {
        let call = call.clone();
        self.store().rehearse(move |tx| op(tx, call.clone(), message.clone())).await
    }
}

fn key(call: &Call) -> String {
    call.request_id.map(|id| id.to_string()).unwrap_or_default()
}

/// SHA-256 of the request, its type included.
fn hash<M: Message>(message: &M) -> String {
    let mut hash = Sha256::new();
    hash.update(std::any::type_name::<M>());
    hash.update(message.encode_to_vec());
    hex::encode(hash.finalize())
}

/// Takes the request id for this transaction, or tells what an earlier one made. On PostgreSQL the insert waits for
/// another transaction that holds the same id.
async fn remembered(tx: &Tx, call: &Call, hash: &str) -> Result<Option<String>, Failure> {
    let taken = sql::execute(
        tx,
        "INSERT INTO answers (subject, request_id, hash, resource, etag, at) VALUES ($1, $2, $3, '', '', $4)
         ON CONFLICT (subject, request_id) DO NOTHING",
        [call.actor().into(), key(call).into(), hash.into(), sql::instant(call.moment.now).into()],
    )
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    let row = sql::one(
        tx,
        "SELECT hash, resource FROM answers WHERE subject = $1 AND request_id = $2",
        [call.actor().into(), key(call).into()],
    )
    .await?;
    let Some(row) = row else { return Err(Error::internal("an answer vanished").into()) };
    let (known, resource): (String, String) = (row.try_get("", "hash")?, row.try_get("", "resource")?);
    if known == hash { Ok(Some(resource)) } else { Err(Error::request_id_reused().into()) }
}

/// What earlier requests of a caller made, by their ids, with the hash of each.
///
/// # Errors
/// The database's.
pub async fn earlier(tx: &Tx, call: &Call, ids: &[Uuid]) -> Result<HashMap<Uuid, Earlier>, Failure> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = format!(
        "SELECT request_id, hash, resource FROM answers WHERE subject = $1 AND request_id IN ({})",
        sql::parameters(2, ids.len())
    );
    let values = std::iter::once(call.actor().into()).chain(ids.iter().map(|id| id.to_string().into()));
    let mut found = HashMap::new();
    for row in sql::all(tx, &query, values.collect::<Vec<sea_orm::Value>>()).await? {
        let id: String = row.try_get("", "request_id")?;
        let earlier = Earlier { hash: row.try_get("", "hash")?, resource: row.try_get("", "resource")? };
        found.insert(sql::read(Uuid::try_parse(&id))?, earlier);
    }
    Ok(found)
}

/// What an earlier request made.
#[derive(Clone, Debug)]
pub struct Earlier {
    hash: String,
    resource: String,
}

impl Earlier {
    /// The name of what it made.
    ///
    /// # Errors
    /// `REQUEST_ID_REUSED` where it had other content.
    pub fn of<M: Message>(&self, message: &M) -> Result<&str, Error> {
        if self.hash == hash(message) { Ok(&self.resource) } else { Err(Error::request_id_reused()) }
    }
}

/// Adds the note of what a request made to a script. Where another transaction has taken its id meanwhile, the script
/// breaks a constraint, and is decided again.
pub fn remember<M: Message, R: Record>(script: &mut Script, call: &Call, message: &M, record: &R) {
    script.add(
        "INSERT INTO answers (subject, request_id, hash, resource, etag, at) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            call.actor().into(),
            key(call).into(),
            hash(message).into(),
            record.name().into(),
            record.etag().into(),
            sql::instant(call.moment.now).into(),
        ],
    );
}

/// Forgets answers older than [`KEPT_HOURS`], and outbox rows that everybody has received 30 days ago.
///
/// # Errors
/// The database's.
pub async fn sweep(host: &Host) -> Result<usize, Failure> {
    let now = host.clock().now();
    let before = |hours: i64| sql::instant(now.saturating_sub(jiff::SignedDuration::from_hours(hours)).unwrap_or(now));
    let (answers, events) = (before(KEPT_HOURS), before(24 * 30));
    host.store()
        .write(move |tx| {
            Box::pin(async move {
                let answers = sql::execute(tx, "DELETE FROM answers WHERE at < $1", [answers.into()]).await?;
                // Events stand in the order of their time: only those before the first young one are looked at.
                let events = sql::execute(
                    tx,
                    "DELETE FROM outbox WHERE at < $1 AND position < COALESCE(
                         (SELECT position FROM outbox WHERE at >= $1 ORDER BY position LIMIT 1), 9223372036854775807)
                       AND NOT EXISTS (SELECT 1 FROM deliveries d
                         WHERE d.aggregate = outbox.aggregate AND d.delivered < outbox.sequence)",
                    [events.into()],
                )
                .await?;
                Ok(usize::try_from(answers.rows_affected() + events.rows_affected()).unwrap_or(0))
            })
        })
        .await
}
