//! Structures: one for a registration number, minted once (A05).

use conum_kernel::StructureId;
use conum_service::{Call, Failure, Tx, sql};

use super::read;

/// The structure of a registration number; a new one where there is none yet.
///
/// # Errors
/// The database's.
pub async fn of_number(tx: &Tx, call: &Call, number: &str) -> Result<StructureId, Failure> {
    if let Some(known) = find(tx, number).await? {
        return Ok(known);
    }
    name(tx, number, call.mint(&format!("structure/{number}"))).await?;
    // Another one may have come first.
    Ok(find(tx, number).await?.ok_or_else(|| conum_kernel::Error::internal("a structure vanished"))?)
}

async fn find(tx: &Tx, number: &str) -> Result<Option<StructureId>, Failure> {
    let row = sql::one(tx, "SELECT id FROM structures WHERE registration_number = $1", [number.into()]).await?;
    row.map(|row| Ok(read(row.try_get::<String>("", "id")?.parse())?)).transpose()
}

/// Notes the structure of a registration number, unless it has one.
///
/// # Errors
/// The database's.
pub async fn name(tx: &Tx, number: &str, structure: StructureId) -> Result<(), Failure> {
    let insert = "INSERT INTO structures (registration_number, id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    sql::execute(tx, insert, [number.into(), structure.to_string().into()]).await?;
    Ok(())
}
