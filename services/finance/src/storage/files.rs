//! Payment files: written once.

use chrono::{DateTime, NaiveDate, Utc};
use conum_kernel::{Cents, Error, PaymentFileId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use jiff::{Timestamp, civil::Date};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::read;

/// A payment file without its bytes.
#[derive(Clone, Debug)]
pub struct File {
    pub id: PaymentFileId,
    pub created_at: Timestamp,
    pub execution_on: Date,
    pub orders: i32,
    pub total: Cents,
    /// Of its bytes, lower-case hexadecimal.
    pub sha256: String,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: String,
    created_at: DateTime<Utc>,
    execution_on: NaiveDate,
    orders: i32,
    total: i64,
    sha256: String,
}

impl TryFrom<Row> for File {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: read(row.id.parse())?,
            created_at: sql::timestamp(row.created_at),
            execution_on: sql::date(row.execution_on)?,
            orders: row.orders,
            total: Cents(row.total),
            sha256: row.sha256,
        })
    }
}

impl Record for File {
    fn name(&self) -> String {
        self.id.name()
    }

    fn etag(&self) -> String {
        String::new()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move { find(tx, PaymentFileId::parse_name("name", name)?).await })
    }
}

/// Reads a file.
///
/// # Errors
/// Not found.
pub async fn find<C: ConnectionTrait>(connection: &C, id: PaymentFileId) -> Result<File, Failure> {
    let query = "SELECT id, created_at, execution_on, orders, total, sha256 FROM payment_files WHERE id = $1";
    let row: Option<Row> = sql::row(connection, query, [id.to_string().into()]).await?;
    Ok(row.ok_or_else(|| Error::not_found(&id.name()))?.try_into()?)
}

/// The bytes of a file.
///
/// # Errors
/// Not found.
pub async fn content<C: ConnectionTrait>(connection: &C, id: PaymentFileId) -> Result<Vec<u8>, Failure> {
    let query = "SELECT content FROM payment_files WHERE id = $1";
    let row = sql::one(connection, query, [id.to_string().into()]).await?;
    Ok(row.ok_or_else(|| Error::not_found(&id.name()))?.try_get("", "content")?)
}

/// Writes a file.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &Tx, file: &File, content: Vec<u8>) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO payment_files (id, created_at, execution_on, orders, total, sha256, content)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            file.id.to_string().into(),
            sql::instant(file.created_at).into(),
            sql::day(file.execution_on).into(),
            file.orders.into(),
            file.total.0.into(),
            file.sha256.clone().into(),
            content.into(),
        ],
    )
    .await?;
    Ok(())
}
