//! The daily seals on the heads of the ledger's chains.

use chrono::NaiveDate;
use conum_kernel::Error;
use conum_service::{Failure, Tx, sql};
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult};

use super::read;
use crate::domain::chain::{Seal, Sealed};

#[derive(Debug, FromQueryResult)]
struct Row {
    number: i64,
    sealed_on: NaiveDate,
    heads: i64,
    digest: String,
    previous: String,
    hash: String,
}

impl TryFrom<Row> for Seal {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let (number, heads) = (row.number, row.heads);
        let sealed_on = sql::date(row.sealed_on)?;
        Ok(Self { number, sealed_on, heads, digest: row.digest, previous: row.previous, hash: row.hash })
    }
}

fn head(row: &QueryResult) -> Result<Sealed, Failure> {
    Ok(Sealed {
        convention: read(row.try_get::<String>("", "convention")?.parse())?,
        number: row.try_get("", "number")?,
        hash: row.try_get("", "hash")?,
    })
}

/// The heads that moved before a day and are not sealed, in the order of their conventions.
///
/// # Errors
/// The database's.
pub async fn unsealed<C: ConnectionTrait>(connection: &C, before: Date, limit: u64) -> Result<Vec<Sealed>, Failure> {
    let query = format!(
        "SELECT convention, number, hash FROM ledger_heads WHERE unsealed_on < $1 ORDER BY convention LIMIT {limit}"
    );
    let rows = sql::all(connection, &query, [sql::day(before).into()]).await?;
    rows.iter().map(head).collect()
}

/// The last seal.
///
/// # Errors
/// The database's.
pub async fn last<C: ConnectionTrait>(connection: &C) -> Result<Option<Seal>, Failure> {
    let query =
        "SELECT number, sealed_on, heads, digest, previous, hash FROM ledger_seals ORDER BY number DESC LIMIT 1";
    let row: Option<Row> = sql::row(connection, query, []).await?;
    Ok(row.map(Seal::try_from).transpose()?)
}

/// Seals after a number, in their order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(connection: &C, after: i64, limit: u64) -> Result<Vec<Seal>, Failure> {
    let query = format!(
        "SELECT number, sealed_on, heads, digest, previous, hash FROM ledger_seals
         WHERE number > $1 ORDER BY number LIMIT {limit}"
    );
    let rows: Vec<Row> = sql::rows(connection, &query, [after.into()]).await?;
    rows.into_iter().map(|row| Ok(Seal::try_from(row)?)).collect()
}

/// The heads of a seal, in the order of their conventions.
///
/// # Errors
/// The database's.
pub async fn heads<C: ConnectionTrait>(connection: &C, seal: i64) -> Result<Vec<Sealed>, Failure> {
    let query = "SELECT convention, number, hash FROM ledger_sealed_heads WHERE seal = $1 ORDER BY convention";
    let rows = sql::all(connection, query, [seal.into()]).await?;
    rows.iter().map(head).collect()
}

/// Writes a seal with its heads. One that moved meanwhile stays to be sealed.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &Tx, seal: &Seal, heads: &[Sealed]) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO ledger_seals (number, sealed_on, heads, digest, previous, hash) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            seal.number.into(),
            sql::day(seal.sealed_on).into(),
            seal.heads.into(),
            seal.digest.clone().into(),
            seal.previous.clone().into(),
            seal.hash.clone().into(),
        ],
    )
    .await?;
    for head in heads {
        sql::execute(
            tx,
            "INSERT INTO ledger_sealed_heads (seal, convention, number, hash) VALUES ($1, $2, $3, $4)",
            [seal.number.into(), head.convention.to_string().into(), head.number.into(), head.hash.clone().into()],
        )
        .await?;
        sql::execute(
            tx,
            "UPDATE ledger_heads SET unsealed_on = NULL WHERE convention = $1 AND number = $2",
            [head.convention.to_string().into(), head.number.into()],
        )
        .await?;
    }
    Ok(())
}
