//! Granted applications, as applications tells them: which structure, where, of which kind.

use conum_kernel::{ApplicationId, StructureId};
use conum_service::{Failure, Tx, sql};
use sea_orm::FromQueryResult;

use super::read;
use crate::domain::beside::Sector;

/// A granted application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub application: ApplicationId,
    pub structure: StructureId,
    pub sector: Sector,
    /// INSEE codes.
    pub department: String,
    pub commune: String,
}

#[derive(FromQueryResult)]
struct Row {
    structure: String,
    sector: String,
    department: String,
    commune: String,
}

/// Writes what is told of a grant.
///
/// # Errors
/// The database's.
pub async fn upsert(tx: &Tx, grant: &Grant) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO grants (application, structure, sector, department, commune) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (application) DO UPDATE SET structure = excluded.structure, sector = excluded.sector,
           department = excluded.department, commune = excluded.commune",
        [
            grant.application.to_string().into(),
            grant.structure.to_string().into(),
            grant.sector.text().into(),
            grant.department.clone().into(),
            grant.commune.clone().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Reads a grant.
///
/// # Errors
/// The database's.
pub async fn find(tx: &Tx, application: ApplicationId) -> Result<Option<Grant>, Failure> {
    let query = "SELECT structure, sector, department, commune FROM grants WHERE application = $1";
    let Some(row) = sql::row::<Row, _>(tx, query, [application.to_string().into()]).await? else { return Ok(None) };
    Ok(Some(Grant {
        application,
        structure: read(row.structure.parse())?,
        sector: read(Sector::parse(&row.sector).ok_or(()))?,
        department: row.department,
        commune: row.commune,
    }))
}
