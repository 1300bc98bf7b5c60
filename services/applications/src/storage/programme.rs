//! The programme's row: the cap, and what is granted of it (P01).

use conum_kernel::Error;
use conum_service::{Failure, Tx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::read;
use crate::domain::Programme;

#[derive(Debug, FromQueryResult)]
struct Row {
    granted: i32,
}

async fn granted<C: ConnectionTrait>(connection: &C) -> Result<u32, Failure> {
    let row: Option<Row> = sql::row(connection, "SELECT granted FROM programme WHERE id = 1", []).await?;
    let row = row.ok_or_else(|| Error::internal("the programme's row is missing"))?;
    Ok(read(row.granted.try_into())?)
}

/// The programme under the cap of the policies. Where a cap came into force below what was granted meanwhile, nothing
/// more is granted, and nothing is taken back.
fn under(cap: u32, granted: u32) -> Programme {
    Programme { cap: cap.max(granted), granted }
}

/// Reads the row. `cap` is the one in force.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, cap: u32) -> Result<Programme, Failure> {
    Ok(under(cap, granted(connection).await?))
}

/// Locks the row: before a wave, and before an application.
///
/// # Errors
/// The database's.
pub async fn hold(tx: &Tx) -> Result<(), Failure> {
    Ok(sql::lock(tx, "SELECT granted FROM programme WHERE id = 1", []).await?)
}

/// Writes the row that was locked.
///
/// # Errors
/// The database's; a broken constraint where the cap would be passed.
pub async fn update(tx: &Tx, programme: Programme) -> Result<(), Failure> {
    let number = |count: u32| i32::try_from(count).map_err(Error::internal);
    let values = [number(programme.cap)?.into(), number(programme.granted)?.into()];
    sql::execute(tx, "UPDATE programme SET cap = $1, granted = $2 WHERE id = 1", values).await?;
    Ok(())
}
