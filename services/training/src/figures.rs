//! What training counts of a season. Somebody who was trained already when selected again is counted once.

use conum_proto::training::v1::TrainingFigures;
use conum_service::{Failure, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

#[derive(FromQueryResult)]
struct Row {
    trained: i64,
    hours_min: Option<i64>,
    hours_max: Option<i64>,
    ccp1: i64,
    pix: i64,
    failed: i64,
    open: i64,
    stopped: i64,
}

/// Counts the season so far.
///
/// # Errors
/// The database's.
pub async fn count<C: ConnectionTrait>(connection: &C) -> Result<TrainingFigures, Failure> {
    let trained = "state = 'COMPLETED' AND NOT carried";
    let count = |condition: &str| format!("CAST(COALESCE(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END), 0) AS bigint)");
    let query = format!(
        "SELECT {} AS trained, CAST(MIN(CASE WHEN {trained} THEN hours END) AS bigint) AS hours_min,
           CAST(MAX(CASE WHEN {trained} THEN hours END) AS bigint) AS hours_max, {} AS ccp1, {} AS pix,
           CAST(COALESCE(SUM(failed), 0) AS bigint) AS failed, {} AS open, {} AS stopped FROM trainings",
        count(trained),
        count("ccp1"),
        count("pix"),
        count("state IN ('OPENED', 'PLANNED')"),
        count("state = 'STOPPED'"),
    );
    let Some(row) = sql::row::<Row, _>(connection, &query, []).await? else { return Ok(TrainingFigures::default()) };
    Ok(TrainingFigures {
        name: "trainingFigures".into(),
        trained: row.trained,
        hours_min: hours(row.hours_min)?,
        hours_max: hours(row.hours_max)?,
        ccp1_awarded: row.ccp1,
        pix_certified: row.pix,
        exams_failed: row.failed,
        trainings_open: row.open,
        trainings_stopped: row.stopped,
    })
}

fn hours(hours: Option<i64>) -> Result<i32, Failure> {
    Ok(sql::read(i32::try_from(hours.unwrap_or(0)))?)
}
