//! Introductions and their places.

use std::{collections::HashMap, fmt::Write as _};

use chrono::{DateTime, Utc};
use conum_kernel::{ApplicationId, CandidateId, Error, Id, IntroductionId, StructureId, id::Entity};
use conum_service::{
    Failure, Tx,
    requests::Record,
    sql::{self, Script},
};
use futures::future::BoxFuture;
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::{
    eligibility::Reasons,
    introduction::{CloseReason, State},
};

/// An introduction as it is kept.
#[derive(Clone, Debug)]
pub struct Introduction {
    pub id: IntroductionId,
    pub structure: StructureId,
    pub application: ApplicationId,
    pub candidate: CandidateId,
    pub state: State,
    pub close_reason: Option<CloseReason>,
    pub reasons: Reasons,
    pub introduced_at: Timestamp,
    pub remind_at: Option<Timestamp>,
    pub reminded_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub replaces: Option<IntroductionId>,
    pub version: i64,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: String,
    structure: String,
    application: String,
    candidate: String,
    state: String,
    close_reason: Option<String>,
    reasons: String,
    introduced_at: DateTime<Utc>,
    remind_at: Option<DateTime<Utc>>,
    reminded_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    replaces: Option<String>,
    version: i64,
}

const COLUMNS: &str = "id, structure, application, candidate, state, close_reason, reasons, introduced_at, remind_at,
    reminded_at, expires_at, ended_at, replaces, version";

impl TryFrom<Row> for Introduction {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: read(row.id.parse())?,
            structure: read(row.structure.parse())?,
            application: read(row.application.parse())?,
            candidate: read(row.candidate.parse())?,
            state: read(State::parse(&row.state).ok_or(()))?,
            close_reason: row.close_reason.as_deref().and_then(CloseReason::parse),
            reasons: read(serde_json::from_str(&row.reasons))?,
            introduced_at: sql::timestamp(row.introduced_at),
            remind_at: row.remind_at.map(sql::timestamp),
            reminded_at: row.reminded_at.map(sql::timestamp),
            expires_at: sql::timestamp(row.expires_at),
            ended_at: row.ended_at.map(sql::timestamp),
            replaces: row.replaces.map(|id| read(id.parse())).transpose()?,
            version: row.version,
        })
    }
}

impl Record for Introduction {
    fn name(&self) -> String {
        self.id.name()
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let id = IntroductionId::parse_name("name", name)?;
            find(tx, id).await?.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

async fn many<C: ConnectionTrait>(
    connection: &C,
    rest: &str,
    values: Vec<Value>,
) -> Result<Vec<Introduction>, Failure> {
    let query = format!("SELECT {COLUMNS} FROM introductions WHERE {rest}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Introduction::try_from(row).map_err(Failure::from)).collect()
}

/// Reads an introduction.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: IntroductionId) -> Result<Option<Introduction>, Failure> {
    Ok(many(connection, "id = $1", vec![id.to_string().into()]).await?.pop())
}

/// Which introductions a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub structure: Option<StructureId>,
    pub candidate: Option<CandidateId>,
    pub live_only: bool,
}

/// Introductions after an id, in its order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    filter: &Filter,
    after: &str,
    limit: u64,
) -> Result<Vec<Introduction>, Failure> {
    let mut rest = "id > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    if let Some(structure) = filter.structure {
        values.push(structure.to_string().into());
        let _ = write!(rest, " AND structure = ${}", values.len());
    }
    if let Some(candidate) = filter.candidate {
        values.push(candidate.to_string().into());
        let _ = write!(rest, " AND candidate = ${}", values.len());
    }
    if filter.live_only {
        rest.push_str(" AND structure_slot IS NOT NULL");
    }
    let _ = write!(rest, " ORDER BY id LIMIT {limit}");
    many(connection, &rest, values).await
}

/// The live introductions of a structure, oldest first.
///
/// # Errors
/// The database's.
pub async fn live_of_structure<C: ConnectionTrait>(
    connection: &C,
    structure: StructureId,
) -> Result<Vec<Introduction>, Failure> {
    let rest = "structure = $1 AND structure_slot IS NOT NULL ORDER BY introduced_at, id";
    many(connection, rest, vec![structure.to_string().into()]).await
}

/// How many live introductions a structure has.
///
/// # Errors
/// The database's.
pub async fn live_count<C: ConnectionTrait>(connection: &C, structure: StructureId) -> Result<usize, Failure> {
    slots(connection, "structure", structure.to_string()).await
}

/// How many live introductions a candidate has.
///
/// # Errors
/// The database's.
pub async fn live_count_of_candidate(tx: &Tx, candidate: CandidateId) -> Result<usize, Failure> {
    slots(tx, "candidate", candidate.to_string()).await
}

/// How many slots of one side are held.
async fn slots<C: ConnectionTrait>(connection: &C, side: &str, id: String) -> Result<usize, Failure> {
    let query = format!("SELECT count(*) AS held FROM introductions WHERE {side} = $1 AND {side}_slot IS NOT NULL");
    let row = sql::one(connection, &query, [id.into()]).await?;
    let held: i64 = row.map(|row| row.try_get("", "held")).transpose()?.unwrap_or(0);
    Ok(usize::try_from(held).unwrap_or(0))
}

/// How many live introductions each structure has that has any.
///
/// # Errors
/// The database's.
pub async fn live_counts<C: ConnectionTrait>(connection: &C) -> Result<HashMap<StructureId, usize>, Failure> {
    counts(connection, "structure").await
}

/// How many live introductions each candidate has that has any.
///
/// # Errors
/// The database's.
pub async fn live_counts_of_candidates<C: ConnectionTrait>(
    connection: &C,
) -> Result<HashMap<CandidateId, usize>, Failure> {
    counts(connection, "candidate").await
}

async fn counts<C: ConnectionTrait, T: Entity>(connection: &C, side: &str) -> Result<HashMap<Id<T>, usize>, Failure> {
    let query = format!(
        "SELECT {side} AS side, CAST(count(*) AS bigint) AS live FROM introductions
         WHERE {side}_slot IS NOT NULL GROUP BY {side}"
    );
    let rows = sql::all(connection, &query, []).await?;
    let count = |row: &sea_orm::QueryResult| {
        let live: i64 = row.try_get("", "live")?;
        Ok((read(row.try_get::<String>("", "side")?.parse())?, usize::try_from(live).unwrap_or(0)))
    };
    rows.iter().map(count).collect()
}

/// The live introductions of a candidate, oldest first.
///
/// # Errors
/// The database's.
pub async fn live_of_candidate(tx: &Tx, candidate: CandidateId) -> Result<Vec<Introduction>, Failure> {
    let rest = "candidate = $1 AND candidate_slot IS NOT NULL ORDER BY introduced_at, id";
    many(tx, rest, vec![candidate.to_string().into()]).await
}

/// The live introduction of a pair.
///
/// # Errors
/// The database's.
pub async fn live_pair(
    tx: &Tx,
    structure: StructureId,
    candidate: CandidateId,
) -> Result<Option<Introduction>, Failure> {
    let rest = "structure = $1 AND candidate = $2 AND structure_slot IS NOT NULL";
    Ok(many(tx, rest, vec![structure.to_string().into(), candidate.to_string().into()]).await?.pop())
}

/// The introductions whose reminder is due, in the order of due time and id.
///
/// # Errors
/// The database's.
pub async fn to_remind<C: ConnectionTrait>(
    connection: &C,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Introduction>, Failure> {
    let rest = format!("state = 'proposed' AND remind_at <= $1 ORDER BY remind_at, id LIMIT {limit}");
    many(connection, &rest, vec![sql::instant(now).into()]).await
}

/// The introductions whose silence has lasted too long, in the order of due time and id.
///
/// # Errors
/// The database's.
pub async fn to_expire<C: ConnectionTrait>(
    connection: &C,
    now: Timestamp,
    limit: u64,
) -> Result<Vec<Introduction>, Failure> {
    let rest = format!("state = 'proposed' AND expires_at <= $1 ORDER BY expires_at, id LIMIT {limit}");
    many(connection, &rest, vec![sql::instant(now).into()]).await
}

/// Adds the writing of a new introduction, in the first free place of each side. Two that take the same place at the same
/// moment break a constraint, and one of them is decided again.
///
/// # Errors
/// Internal where the reasons cannot be written.
pub fn add(script: &mut Script, introduction: &Introduction) -> Result<(), Failure> {
    script.add(
        format!(
            "INSERT INTO introductions (id, structure, application, candidate, state, reasons, structure_slot,
               candidate_slot, introduced_at, remind_at, expires_at, replaces, version)
             VALUES ($1, $2, $3, $4, $5, $6, {structure_slot}, {candidate_slot}, $7, $8, $9, $10, 1)",
            structure_slot = free_slot("structure", 2),
            candidate_slot = free_slot("candidate", 4),
        ),
        [
            introduction.id.to_string().into(),
            introduction.structure.to_string().into(),
            introduction.application.to_string().into(),
            introduction.candidate.to_string().into(),
            introduction.state.text().into(),
            read(serde_json::to_string(&introduction.reasons))?.into(),
            sql::instant(introduction.introduced_at).into(),
            introduction.remind_at.map(sql::instant).into(),
            sql::instant(introduction.expires_at).into(),
            introduction.replaces.map(|id| id.to_string()).into(),
        ],
    );
    Ok(())
}

/// The first place of a side that nothing live holds, from 1; the side's id is a parameter.
fn free_slot(side: &str, parameter: usize) -> String {
    let taken =
        format!("SELECT {side}_slot FROM introductions WHERE {side} = ${parameter} AND {side}_slot IS NOT NULL");
    format!(
        "(SELECT min(slot) FROM (SELECT 1 AS slot UNION SELECT {side}_slot + 1 FROM introductions
            WHERE {side} = ${parameter} AND {side}_slot IS NOT NULL) next WHERE slot NOT IN ({taken}))"
    )
}

/// Writes an introduction's state, and frees its places where it has ended.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn update(tx: &Tx, introduction: &Introduction) -> Result<(), Failure> {
    let freed = if introduction.state.is_live() { "" } else { ", structure_slot = NULL, candidate_slot = NULL" };
    let update = format!(
        "UPDATE introductions SET state = $3, close_reason = $4, remind_at = $5, reminded_at = $6, ended_at = $7,
           candidate = $8, version = version + 1{freed} WHERE id = $1 AND version = $2"
    );
    let done = sql::execute(
        tx,
        &update,
        [
            introduction.id.to_string().into(),
            introduction.version.into(),
            introduction.state.text().into(),
            introduction.close_reason.map(|reason| reason.text().to_owned()).into(),
            introduction.remind_at.map(sql::instant).into(),
            introduction.reminded_at.map(sql::instant).into(),
            introduction.ended_at.map(sql::instant).into(),
            introduction.candidate.to_string().into(),
        ],
    )
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::stale(&introduction.id.name()).into()) }
}

/// Puts a live introduction into the first free place of another registration of the same person (C08).
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn move_to(tx: &Tx, introduction: &mut Introduction, candidate: CandidateId) -> Result<(), Failure> {
    let slot = free_slot("candidate", 2);
    let update = format!(
        "UPDATE introductions SET candidate = $2, candidate_slot = {slot}, version = version + 1
         WHERE id = $1 AND version = $3"
    );
    let values = [introduction.id.to_string().into(), candidate.to_string().into(), introduction.version.into()];
    if sql::execute(tx, &update, values).await?.rows_affected() != 1 {
        return Err(Error::stale(&introduction.id.name()).into());
    }
    introduction.candidate = candidate;
    introduction.version += 1;
    Ok(())
}

/// One introduction, as the season is counted.
#[derive(Clone, Debug)]
pub struct Counted {
    pub structure: String,
    pub candidate: String,
    pub state: State,
    pub replaces: bool,
    pub distance_m: Option<u32>,
}

/// Every introduction.
///
/// # Errors
/// The database's.
pub async fn counted<C: ConnectionTrait>(connection: &C) -> Result<Vec<Counted>, Failure> {
    let introductions = many(connection, "1 = 1 ORDER BY introduced_at, id", vec![]).await?;
    Ok(introductions
        .into_iter()
        .map(|introduction| Counted {
            structure: introduction.structure.to_string(),
            candidate: introduction.candidate.to_string(),
            state: introduction.state,
            replaces: introduction.replaces.is_some(),
            distance_m: introduction.reasons.distance_m,
        })
        .collect())
}

/// One thing that happened to the places of an introduction.
#[derive(Clone, Debug)]
pub struct Step {
    pub introduction: String,
    pub structure: String,
    /// The registration that holds it at last.
    pub candidate: String,
    /// 1 where it began, -1 where it ended.
    pub live: i32,
    /// The registration that a merge took it from.
    pub moved_from: Option<String>,
}

/// What happened to places, in the order of its writing, from the history.
///
/// # Errors
/// The database's.
pub async fn steps<C: ConnectionTrait>(connection: &C) -> Result<Vec<Step>, Failure> {
    let rows = sql::all(
        connection,
        "SELECT h.action, h.to_state, h.why, i.id, i.structure, i.candidate
         FROM history h JOIN introductions i ON h.record = 'introductions/' || i.id ORDER BY h.id",
        [],
    )
    .await?;
    let mut steps = Vec::with_capacity(rows.len());
    for row in rows {
        let (action, to): (String, String) = (row.try_get("", "action")?, row.try_get("", "to_state")?);
        let live = match (action.as_str(), to.as_str()) {
            ("INTRODUCE", _) => 1,
            (_, "DECLINED" | "EXPIRED" | "CLOSED") => -1,
            (MOVE, _) => 0,
            _ => continue,
        };
        steps.push(Step {
            introduction: row.try_get("", "id")?,
            structure: row.try_get("", "structure")?,
            candidate: row.try_get("", "candidate")?,
            live,
            moved_from: (action == MOVE).then(|| row.try_get("", "why")).transpose()?,
        });
    }
    Ok(steps)
}

/// The fact of an introduction that a merge moved; its reason is the registration that it was taken from.
pub const MOVE: &str = "MOVE";
