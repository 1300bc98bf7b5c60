//! The versions of applications: what each said before it was corrected (A04).

use chrono::{DateTime, Utc};
use conum_kernel::{ApplicationId, Error};
use conum_service::{Failure, Tx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::read;
use crate::domain::changes::Version;

#[derive(Debug, FromQueryResult)]
struct Row {
    number: i32,
    at: DateTime<Utc>,
    actor: String,
    body: String,
}

impl TryFrom<Row> for Version {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            number: row.number.unsigned_abs(),
            application: read(serde_json::from_str(&row.body))?,
            at: sql::timestamp(row.at),
            actor: row.actor,
        })
    }
}

/// Keeps a version that was replaced.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &Tx, version: &Version) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO versions (application, number, at, actor, body) VALUES ($1, $2, $3, $4, $5)",
        [
            version.application.id.to_string().into(),
            i32::try_from(version.number).unwrap_or(i32::MAX).into(),
            sql::instant(version.at).into(),
            version.actor.clone().into(),
            read(serde_json::to_string(&version.application))?.into(),
        ],
    )
    .await?;
    Ok(())
}

/// The replaced versions of an application after a number, oldest first.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    application: ApplicationId,
    after: i32,
    limit: u64,
) -> Result<Vec<Version>, Failure> {
    let query = format!(
        "SELECT number, at, actor, body FROM versions WHERE application = $1 AND number > $2 ORDER BY number LIMIT {limit}"
    );
    let rows: Vec<Row> = sql::rows(connection, &query, [application.to_string().into(), after.into()]).await?;
    rows.into_iter().map(|row| Version::try_from(row).map_err(Failure::from)).collect()
}
