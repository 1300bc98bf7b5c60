//! Trainings, with the versions of their plans and what was recorded of their hours.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use conum_kernel::{
    CandidateId, Error, Machine as _, OrganisationId, RecruitmentId, SessionId, StructureId, TrainingId,
};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use jiff::{Timestamp, civil::Date};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::{
    Training,
    attendance::Done,
    exam::{self, Certification},
    plan::Plan,
    training::State,
};

/// A training as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    pub training: Training,
    /// Counts up with every change; 0 before the first.
    pub version: i64,
}

#[derive(FromQueryResult)]
struct Row {
    document: String,
    version: i64,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self { training: read(serde_json::from_str(&row.document))?, version: row.version })
    }
}

impl Record for Stored {
    fn name(&self) -> String {
        self.training.id.name()
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let id = TrainingId::parse_name("name", name)?;
            find(tx, id).await?.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

async fn many<C: ConnectionTrait>(connection: &C, rest: &str, values: Vec<Value>) -> Result<Vec<Stored>, Failure> {
    let query = format!("SELECT document, version FROM trainings WHERE {rest}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Stored::try_from(row).map_err(Failure::from)).collect()
}

/// Reads a training.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: TrainingId) -> Result<Option<Stored>, Failure> {
    Ok(many(connection, "id = $1", vec![id.to_string().into()]).await?.pop())
}

/// Reads a training and locks it.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &Tx, id: TrainingId) -> Result<Option<Stored>, Failure> {
    let rest = format!("id = $1{}", sql::for_update(tx));
    Ok(many(tx, &rest, vec![id.to_string().into()]).await?.pop())
}

/// The training of a recruitment.
///
/// # Errors
/// The database's.
pub async fn of_recruitment(tx: &Tx, recruitment: RecruitmentId) -> Result<Option<TrainingId>, Failure> {
    let found = many(tx, "recruitment = $1", vec![recruitment.to_string().into()]).await?.pop();
    Ok(found.map(|stored| stored.training.id))
}

/// The trainings of a person, in the order of their opening.
///
/// # Errors
/// The database's.
pub async fn of_candidate(tx: &Tx, candidate: CandidateId) -> Result<Vec<Training>, Failure> {
    let found = many(tx, "candidate = $1 ORDER BY id", vec![candidate.to_string().into()]).await?;
    Ok(found.into_iter().map(|stored| stored.training).collect())
}

/// The trainings that hold a seat of a session, in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn of_session(tx: &Tx, session: SessionId) -> Result<Vec<TrainingId>, Failure> {
    let found = many(tx, "session = $1 ORDER BY id", vec![session.to_string().into()]).await?;
    Ok(found.into_iter().map(|stored| stored.training.id).collect())
}

/// Which trainings a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub structure: Option<StructureId>,
    pub candidate: Option<CandidateId>,
    pub organisation: Option<OrganisationId>,
    /// With an organisation: those without a session in departments of its lots on this day, too.
    pub or_unplaced_on: Option<Date>,
    pub session: Option<SessionId>,
    pub state: Option<State>,
}

/// Trainings after an id, in its order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    filter: &Filter,
    after: &str,
    limit: u64,
) -> Result<Vec<Stored>, Failure> {
    let mut rest = "id > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    let wanted = [
        ("structure", filter.structure.map(|id| id.to_string())),
        ("candidate", filter.candidate.map(|id| id.to_string())),
        ("session", filter.session.map(|id| id.to_string())),
        ("state", filter.state.map(|state| state.name().to_owned())),
    ];
    for (column, wanted) in wanted {
        if let Some(wanted) = wanted {
            values.push(wanted.into());
            let _ = write!(rest, " AND {column} = ${}", values.len());
        }
    }
    if let Some(organisation) = filter.organisation {
        values.push(organisation.to_string().into());
        let own = values.len();
        let _ = write!(rest, " AND (organisation = ${own}");
        if let Some(day) = filter.or_unplaced_on {
            values.push(sql::day(day).into());
            let day = values.len();
            let _ = write!(
                rest,
                " OR organisation IS NULL AND department IN (SELECT department FROM lots WHERE organisation = ${own}
                   AND valid_from <= ${day} AND valid_until >= ${day})"
            );
        }
        rest.push(')');
    }
    let _ = write!(rest, " ORDER BY id LIMIT {limit}");
    many(connection, &rest, values).await
}

/// Writes a new training. A second one of its recruitment breaks a constraint.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &Tx, training: &Training) -> Result<(), Failure> {
    let values = [
        training.id.to_string().into(),
        training.recruitment.to_string().into(),
        training.application.to_string().into(),
    ];
    sql::execute(
        tx,
        "INSERT INTO trainings (id, recruitment, application, candidate, structure, department, organisation, session,
           state, hours, ccp1, pix, failed, carried, document, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1)",
        values.into_iter().chain(found_by(training)?).collect::<Vec<_>>(),
    )
    .await?;
    Ok(())
}

/// Writes a training that has changed.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn update(tx: &Tx, stored: &Stored) -> Result<(), Failure> {
    let values = [stored.training.id.to_string().into(), stored.version.into()];
    let done = sql::execute(
        tx,
        "UPDATE trainings SET candidate = $3, structure = $4, department = $5, organisation = $6, session = $7,
           state = $8, hours = $9, ccp1 = $10, pix = $11, failed = $12, carried = $13, document = $14,
           version = version + 1 WHERE id = $1 AND version = $2",
        values.into_iter().chain(found_by(&stored.training)?).collect::<Vec<_>>(),
    )
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::stale(&stored.training.id.name()).into()) }
}

/// What a training is found and counted by, and its document.
fn found_by(training: &Training) -> Result<[Value; 12], Failure> {
    let seat = training.seat.as_ref();
    let passed = |certification| exam::passed_on(&training.exams, certification).is_some();
    Ok([
        training.candidate.to_string().into(),
        training.structure.to_string().into(),
        training.department.clone().into(),
        seat.map(|seat| seat.organisation.to_string()).into(),
        seat.map(|seat| seat.session.to_string()).into(),
        training.state.name().into(),
        read(i32::try_from(training.hours_done()))?.into(),
        passed(Certification::Ccp1).into(),
        passed(Certification::Pix).into(),
        i32::try_from(exam::failed(&training.exams)).unwrap_or(i32::MAX).into(),
        training.credit.completed_in.is_some().into(),
        read(serde_json::to_string(training))?.into(),
    ])
}

/// Keeps a version of a plan.
///
/// # Errors
/// The database's.
pub async fn keep_plan(tx: &Tx, id: TrainingId, plan: &Plan) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO plans (training, version, document) VALUES ($1, $2, $3)",
        [id.to_string().into(), read(i32::try_from(plan.version))?.into(), read(serde_json::to_string(plan))?.into()],
    )
    .await?;
    Ok(())
}

/// The versions of a training's plan after one, in their order.
///
/// # Errors
/// The database's.
pub async fn plans<C: ConnectionTrait>(
    connection: &C,
    id: TrainingId,
    after: i32,
    limit: u64,
) -> Result<Vec<Plan>, Failure> {
    let query =
        format!("SELECT document FROM plans WHERE training = $1 AND version > $2 ORDER BY version LIMIT {limit}");
    let rows = sql::all(connection, &query, [id.to_string().into(), after.into()]).await?;
    rows.iter().map(|row| Ok(read(serde_json::from_str(&row.try_get::<String>("", "document")?))?)).collect()
}

/// What was recorded of a day.
#[derive(Clone, Debug)]
pub struct Entry {
    pub day: Date,
    pub done: Done,
    /// UPPER_SNAKE_CASE for a correction, from the contract's list; empty for what was recorded first.
    pub reason: String,
    pub at: Timestamp,
}

/// Keeps what was recorded of a day. Each version of a day is written once.
///
/// # Errors
/// The database's.
pub async fn keep_hours(tx: &Tx, id: TrainingId, entry: &Entry) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO hours (training, day, version, hours, reason, at) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            id.to_string().into(),
            sql::day(entry.day).into(),
            read(i32::try_from(entry.done.version))?.into(),
            read(i32::try_from(entry.done.hours))?.into(),
            entry.reason.clone().into(),
            sql::instant(entry.at).into(),
        ],
    )
    .await?;
    Ok(())
}

/// What was recorded of a training after a day and its version, in their order.
///
/// # Errors
/// The database's.
pub async fn entries<C: ConnectionTrait>(
    connection: &C,
    id: TrainingId,
    after: (Date, i32),
    limit: u64,
) -> Result<Vec<Entry>, Failure> {
    let query = format!(
        "SELECT day, version, hours, reason, at FROM hours
         WHERE training = $1 AND (day > $2 OR day = $2 AND version > $3) ORDER BY day, version LIMIT {limit}"
    );
    let values = [id.to_string().into(), sql::day(after.0).into(), after.1.into()];
    let mut entries = Vec::new();
    for row in sql::all(connection, &query, values).await? {
        let (version, hours): (i32, i32) = (row.try_get("", "version")?, row.try_get("", "hours")?);
        entries.push(Entry {
            day: sql::date(row.try_get::<NaiveDate>("", "day")?)?,
            done: Done { hours: hours.unsigned_abs(), version: version.unsigned_abs() },
            reason: row.try_get("", "reason")?,
            at: sql::timestamp(row.try_get::<DateTime<Utc>>("", "at")?),
        });
    }
    Ok(entries)
}
