//! The bank's answers that were recorded, by the digest of their bytes.

use chrono::{DateTime, Utc};
use conum_kernel::{Error, PaymentFileId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::read;

/// A bank's answer as it is kept.
#[derive(Clone, Debug)]
pub struct Answer {
    /// SHA-256 of its bytes.
    pub digest: String,
    pub file: PaymentFileId,
    pub paid: i32,
    pub rejected: i32,
    pub recorded_at: Timestamp,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    digest: String,
    file: String,
    paid: i32,
    rejected: i32,
    recorded_at: DateTime<Utc>,
}

/// The resource name of an answer.
#[must_use]
pub fn name(digest: &str) -> String {
    format!("bankAnswers/{digest}")
}

impl Record for Answer {
    fn name(&self) -> String {
        name(&self.digest)
    }

    fn etag(&self) -> String {
        String::new()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let found = find(tx, name.strip_prefix("bankAnswers/").unwrap_or_default()).await?;
            found.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

/// Reads an answer.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, digest: &str) -> Result<Option<Answer>, Failure> {
    let query = "SELECT digest, file, paid, rejected, recorded_at FROM bank_answers WHERE digest = $1";
    let Some(row): Option<Row> = sql::row(connection, query, [digest.into()]).await? else { return Ok(None) };
    Ok(Some(Answer {
        digest: row.digest,
        file: read(row.file.parse())?,
        paid: row.paid,
        rejected: row.rejected,
        recorded_at: sql::timestamp(row.recorded_at),
    }))
}

/// Takes the digest of an answer for this transaction; false where another one has recorded it. On PostgreSQL the insert
/// waits for another transaction that holds the same digest.
///
/// # Errors
/// The database's.
pub async fn take(tx: &Tx, answer: &Answer) -> Result<bool, Failure> {
    let taken = sql::execute(
        tx,
        "INSERT INTO bank_answers (digest, file, paid, rejected, recorded_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (digest) DO NOTHING",
        [
            answer.digest.clone().into(),
            answer.file.to_string().into(),
            answer.paid.into(),
            answer.rejected.into(),
            sql::instant(answer.recorded_at).into(),
        ],
    )
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Writes what an answer came to.
///
/// # Errors
/// The database's.
pub async fn finish(tx: &Tx, answer: &Answer) -> Result<(), Failure> {
    sql::execute(
        tx,
        "UPDATE bank_answers SET paid = $2, rejected = $3 WHERE digest = $1",
        [answer.digest.clone().into(), answer.paid.into(), answer.rejected.into()],
    )
    .await?;
    Ok(())
}
