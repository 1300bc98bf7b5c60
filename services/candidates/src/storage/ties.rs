//! What ties people to structures, as matching and training told it.

use conum_kernel::{ApplicationId, CandidateId};
use conum_service::{Failure, Tx, sql};
use sea_orm::ConnectionTrait;

use super::read;
use crate::domain::Ties;

/// The ties of a registration; none where nothing was told yet.
///
/// # Errors
/// The database's.
pub async fn of<C: ConnectionTrait>(connection: &C, id: CandidateId) -> Result<Ties, Failure> {
    let query = "SELECT document FROM ties WHERE candidate = $1";
    let Some(row) = sql::one(connection, query, [id.to_string().into()]).await? else { return Ok(Ties::default()) };
    Ok(read(serde_json::from_str(&row.try_get::<String>("", "document")?))?)
}

/// Writes the ties of a registration, under its lock.
///
/// # Errors
/// The database's.
pub async fn write(tx: &Tx, id: CandidateId, ties: &Ties) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO ties (candidate, document) VALUES ($1, $2)
         ON CONFLICT (candidate) DO UPDATE SET document = excluded.document",
        [id.to_string().into(), read(serde_json::to_string(ties))?.into()],
    )
    .await?;
    Ok(())
}

/// Notes which application an introduction or a recruitment of a registration is for.
///
/// # Errors
/// The database's.
pub async fn note_case(tx: &Tx, id: CandidateId, reference: &str, application: ApplicationId) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO cases (reference, candidate, application) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [reference.into(), id.to_string().into(), application.to_string().into()],
    )
    .await?;
    Ok(())
}

/// Drops the ties of a registration that was merged or erased.
///
/// # Errors
/// The database's.
pub async fn delete(tx: &Tx, id: CandidateId) -> Result<(), Failure> {
    sql::execute(tx, "DELETE FROM ties WHERE candidate = $1", [id.to_string().into()]).await?;
    Ok(())
}
