//! The days of the initial training of each recruitment.

use chrono::NaiveDate;
use conum_kernel::RecruitmentId;
use conum_service::{Failure, Tx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::domain::training::InitialTraining;

#[derive(Debug, FromQueryResult)]
struct Row {
    first_day: NaiveDate,
    last_day: NaiveDate,
}

/// The initial training of a recruitment, where one is planned.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(
    connection: &C,
    recruitment: RecruitmentId,
) -> Result<Option<InitialTraining>, Failure> {
    let query = "SELECT first_day, last_day FROM trainings WHERE recruitment = $1";
    let row: Option<Row> = sql::row(connection, query, [recruitment.to_string().into()]).await?;
    let days = |row: Row| -> Result<_, Failure> {
        Ok(InitialTraining { first_day: sql::date(row.first_day)?, last_day: sql::date(row.last_day)? })
    };
    row.map(days).transpose()
}

/// Writes the initial training of a recruitment, in the place of what was planned before.
///
/// # Errors
/// The database's.
pub async fn write(tx: &Tx, recruitment: RecruitmentId, training: InitialTraining) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO trainings (recruitment, first_day, last_day) VALUES ($1, $2, $3)
         ON CONFLICT (recruitment) DO UPDATE SET first_day = excluded.first_day, last_day = excluded.last_day",
        [recruitment.to_string().into(), sql::day(training.first_day).into(), sql::day(training.last_day).into()],
    )
    .await?;
    Ok(())
}

/// Drops the initial training of a recruitment: it stopped, or no day of it is left.
///
/// # Errors
/// The database's.
pub async fn delete(tx: &Tx, recruitment: RecruitmentId) -> Result<(), Failure> {
    sql::execute(tx, "DELETE FROM trainings WHERE recruitment = $1", [recruitment.to_string().into()]).await?;
    Ok(())
}
