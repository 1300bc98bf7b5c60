//! Recruitments: selections and contracts.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use conum_kernel::{ApplicationId, CandidateId, Error, PostId, RecruitmentId, StructureId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use jiff::{Timestamp, civil::Date};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::{
    contract::Contract,
    recruitment::{Ending, State},
};

/// A recruitment as it is kept.
#[derive(Clone, Debug)]
pub struct Recruitment {
    pub id: RecruitmentId,
    pub structure: StructureId,
    pub application: ApplicationId,
    pub post: PostId,
    pub candidate: CandidateId,
    pub state: State,
    pub selected_at: Timestamp,
    /// UPPER_SNAKE_CASE, from the contract's list.
    pub cancel_reason: Option<String>,
    pub contract: Option<Contract>,
    pub ending: Option<Ending>,
    /// Days from the launch of the recruitment to the signature.
    pub days_to_fill: Option<i32>,
    pub version: i64,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: String,
    structure: String,
    application: String,
    post: String,
    candidate: String,
    state: String,
    selected_at: DateTime<Utc>,
    cancel_reason: Option<String>,
    contract: Option<String>,
    ending: Option<String>,
    days_to_fill: Option<i32>,
    version: i64,
}

const COLUMNS: &str =
    "id, structure, application, post, candidate, state, selected_at, cancel_reason, contract, ending,
    days_to_fill, version";

impl TryFrom<Row> for Recruitment {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: read(row.id.parse())?,
            structure: read(row.structure.parse())?,
            application: read(row.application.parse())?,
            post: read(row.post.parse())?,
            candidate: read(row.candidate.parse())?,
            state: read(State::parse(&row.state).ok_or(()))?,
            selected_at: sql::timestamp(row.selected_at),
            cancel_reason: row.cancel_reason,
            contract: row.contract.map(|text| read(serde_json::from_str(&text))).transpose()?,
            ending: row.ending.map(|text| read(serde_json::from_str(&text))).transpose()?,
            days_to_fill: row.days_to_fill,
            version: row.version,
        })
    }
}

impl Record for Recruitment {
    fn name(&self) -> String {
        self.id.name()
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let id = RecruitmentId::parse_name("name", name)?;
            find(tx, id).await?.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

async fn many<C: ConnectionTrait>(connection: &C, rest: &str, values: Vec<Value>) -> Result<Vec<Recruitment>, Failure> {
    let query = format!("SELECT {COLUMNS} FROM recruitments WHERE {rest}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Recruitment::try_from(row).map_err(Failure::from)).collect()
}

/// Reads a recruitment.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: RecruitmentId) -> Result<Option<Recruitment>, Failure> {
    Ok(many(connection, "id = $1", vec![id.to_string().into()]).await?.pop())
}

/// The recruitment of a candidate that is open; else the last one that was not cancelled.
///
/// # Errors
/// The database's.
pub async fn last_of<C: ConnectionTrait>(
    connection: &C,
    candidate: CandidateId,
) -> Result<Option<Recruitment>, Failure> {
    let rest = "candidate = $1 AND state <> 'cancelled' ORDER BY state = 'ended', id DESC LIMIT 1";
    Ok(many(connection, rest, vec![candidate.to_string().into()]).await?.pop())
}

/// The last day in post of a candidate whose contracts have ended early; nothing where none has.
///
/// # Errors
/// The database's.
pub async fn in_post_until<C: ConnectionTrait>(
    connection: &C,
    candidate: CandidateId,
) -> Result<Option<Date>, Failure> {
    let ended = many(connection, "candidate = $1 AND state = 'ended'", vec![candidate.to_string().into()]).await?;
    Ok(ended.into_iter().filter_map(|recruitment| recruitment.ending).map(|ending| ending.last_day).max())
}

/// Recruitments after an id, in its order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    structure: Option<StructureId>,
    candidate: Option<CandidateId>,
    after: &str,
    limit: u64,
) -> Result<Vec<Recruitment>, Failure> {
    let mut rest = "id > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    if let Some(structure) = structure {
        values.push(structure.to_string().into());
        let _ = write!(rest, " AND structure = ${}", values.len());
    }
    if let Some(candidate) = candidate {
        values.push(candidate.to_string().into());
        let _ = write!(rest, " AND candidate = ${}", values.len());
    }
    let _ = write!(rest, " ORDER BY id LIMIT {limit}");
    many(connection, &rest, values).await
}

/// Writes a new recruitment. A second open one of the post or the person breaks a constraint.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &Tx, recruitment: &Recruitment) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO recruitments (id, structure, application, post, candidate, state, selected_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1)",
        [
            recruitment.id.to_string().into(),
            recruitment.structure.to_string().into(),
            recruitment.application.to_string().into(),
            recruitment.post.to_string().into(),
            recruitment.candidate.to_string().into(),
            recruitment.state.text().into(),
            sql::instant(recruitment.selected_at).into(),
        ],
    )
    .await?;
    Ok(())
}

/// The signed contracts whose last day came before a day, in the order of that day and of their ids.
///
/// # Errors
/// The database's.
pub async fn past_term<C: ConnectionTrait>(
    connection: &C,
    today: Date,
    most: u64,
) -> Result<Vec<RecruitmentId>, Failure> {
    let query = "SELECT id FROM recruitments WHERE state = 'signed' AND term < $1 ORDER BY term, id LIMIT $2";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = sql::all(connection, query, [sql::day(today).into(), most.into()]).await?;
    rows.iter().map(|row| Ok(read(row.try_get::<String>("", "id")?.parse())?)).collect()
}

/// Writes a recruitment's state and what came with it.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn update(tx: &Tx, recruitment: &Recruitment) -> Result<(), Failure> {
    let json = |value: Result<String, serde_json::Error>| read(value);
    let contract = recruitment.contract.as_ref().map(|contract| json(serde_json::to_string(contract))).transpose()?;
    let ending = recruitment.ending.as_ref().map(|ending| json(serde_json::to_string(ending))).transpose()?;
    let done = sql::execute(
        tx,
        "UPDATE recruitments SET state = $3, cancel_reason = $4, contract = $5, ending = $6, days_to_fill = $7,
           candidate = $8, term = $9, version = version + 1 WHERE id = $1 AND version = $2",
        [
            recruitment.id.to_string().into(),
            recruitment.version.into(),
            recruitment.state.text().into(),
            recruitment.cancel_reason.clone().into(),
            contract.into(),
            ending.into(),
            recruitment.days_to_fill.into(),
            recruitment.candidate.to_string().into(),
            recruitment.contract.as_ref().and_then(|contract| contract.end_date).map(sql::day).into(),
        ],
    )
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::stale(&recruitment.id.name()).into()) }
}

/// What the season's figures need: (ended early, days to fill) of every recruitment that was signed.
///
/// # Errors
/// The database's.
pub async fn signed<C: ConnectionTrait>(connection: &C) -> Result<Vec<(bool, Option<i32>)>, Failure> {
    let rows = many(connection, "state IN ('signed', 'ended') ORDER BY id", vec![]).await?;
    Ok(rows.into_iter().map(|recruitment| (recruitment.ending.is_some(), recruitment.days_to_fill)).collect())
}
