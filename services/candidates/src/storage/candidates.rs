//! Registrations.

use std::fmt::Write as _;

use conum_kernel::{CandidateId, Error, Machine as _, clock::paris_date};
use conum_service::{
    Failure, Tx,
    requests::Record,
    sql::{self, Script},
};
use futures::future::BoxFuture;
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::{Candidate, State, Ties, doubles::mail_key, inactivity::last_activity};

/// A registration as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    pub candidate: Candidate,
    /// Counts up with every change; 0 before the first.
    pub version: i64,
}

#[derive(FromQueryResult)]
struct Row {
    version: i64,
    document: String,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self { candidate: read(serde_json::from_str(&row.document))?, version: row.version })
    }
}

impl Record for Stored {
    fn name(&self) -> String {
        self.candidate.id.name()
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let id = CandidateId::parse_name("name", name)?;
            find(tx, id).await?.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

/// Reads a registration.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: CandidateId) -> Result<Option<Stored>, Failure> {
    let query = "SELECT version, document FROM candidates WHERE id = $1";
    let row: Option<Row> = sql::row(connection, query, [id.to_string().into()]).await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

/// Reads a registration, or the one that goes on where it was merged (C08).
///
/// # Errors
/// The database's.
pub async fn find_survivor<C: ConnectionTrait>(connection: &C, id: CandidateId) -> Result<Option<Stored>, Failure> {
    let mut next = id;
    loop {
        let Some(stored) = find(connection, next).await? else { return Ok(None) };
        match went_on_in(&stored.candidate) {
            Some(survivor) => next = survivor,
            None => return Ok(Some(stored)),
        }
    }
}

/// Reads a registration and locks it.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &Tx, id: CandidateId) -> Result<Option<Stored>, Failure> {
    let query = format!("SELECT version, document FROM candidates WHERE id = $1{}", sql::for_update(tx));
    let row: Option<Row> = sql::row(tx, &query, [id.to_string().into()]).await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

/// Reads and locks a registration that must be there.
///
/// # Errors
/// Not found.
pub async fn lock_known(tx: &Tx, id: CandidateId) -> Result<Stored, Failure> {
    lock(tx, id).await?.ok_or_else(|| Error::not_found(&id.name()).into())
}

/// Reads and locks a registration, or the one that goes on where it was merged (C08).
///
/// # Errors
/// The database's.
pub async fn lock_survivor(tx: &Tx, id: CandidateId) -> Result<Option<Stored>, Failure> {
    let mut next = id;
    loop {
        let Some(stored) = lock(tx, next).await? else { return Ok(None) };
        match went_on_in(&stored.candidate) {
            Some(survivor) => next = survivor,
            None => return Ok(Some(stored)),
        }
    }
}

/// Reads and locks two registrations, in the order of their ids.
///
/// # Errors
/// Not found.
pub async fn lock_both(tx: &Tx, one: CandidateId, other: CandidateId) -> Result<(Stored, Stored), Failure> {
    let first = lock_known(tx, one.min(other)).await?;
    let second = lock_known(tx, one.max(other)).await?;
    Ok(if one <= other { (first, second) } else { (second, first) })
}

fn went_on_in(candidate: &Candidate) -> Option<CandidateId> {
    candidate.merged_into.filter(|_| candidate.state == State::Merged)
}

/// What a list of registrations is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// INSEE code; empty for all.
    pub department: String,
    pub state: Option<State>,
    /// The key of a mail address; empty for all.
    pub mail_key: String,
}

/// Registrations after an id, in its order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    filter: &Filter,
    after: &str,
    limit: u64,
) -> Result<Vec<Stored>, Failure> {
    let mut query = "SELECT version, document FROM candidates WHERE id > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    let state = filter.state.map(State::name).unwrap_or_default();
    for (column, wanted) in [("department", &*filter.department), ("state", state), ("mail_key", &*filter.mail_key)] {
        if !wanted.is_empty() {
            values.push(wanted.into());
            let _ = write!(query, " AND {column} = ${}", values.len());
        }
    }
    let _ = write!(query, " ORDER BY id LIMIT {limit}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Stored::try_from(row).map_err(Failure::from)).collect()
}

/// Adds the writing of a new registration to a script: a unique violation where its mail address is registered.
///
/// # Errors
/// Internal where it cannot be written.
pub fn insert(script: &mut Script, candidate: &Candidate) -> Result<(), Failure> {
    let [mail_key, department, last_activity, noticed_on] = found_by(candidate, &Ties::default());
    script.add(
        "INSERT INTO candidates (id, state, document, mail_key, department, last_activity, noticed_on, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1)",
        [
            candidate.id.to_string().into(),
            candidate.state.name().into(),
            read(serde_json::to_string(candidate))?.into(),
            mail_key,
            department,
            last_activity,
            noticed_on,
        ],
    );
    Ok(())
}

/// Writes a registration that has changed since it was read in a version.
///
/// # Errors
/// Aborted where another has changed it meanwhile.
pub async fn update(tx: &Tx, candidate: &Candidate, version: i64, ties: &Ties) -> Result<(), Failure> {
    let [mail_key, department, last_activity, noticed_on] = found_by(candidate, ties);
    let done = sql::execute(
        tx,
        "UPDATE candidates SET state = $3, document = $4, mail_key = $5, department = $6, last_activity = $7,
           noticed_on = $8, version = version + 1 WHERE id = $1 AND version = $2",
        [
            candidate.id.to_string().into(),
            version.into(),
            candidate.state.name().into(),
            read(serde_json::to_string(candidate))?.into(),
            mail_key,
            department,
            last_activity,
            noticed_on,
        ],
    )
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::stale(&candidate.id.name()).into()) }
}

/// Writes the last activity of a registration whose ties have changed.
///
/// # Errors
/// The database's.
pub async fn update_activity(tx: &Tx, candidate: &Candidate, ties: &Ties) -> Result<(), Failure> {
    let [_, _, last_activity, noticed_on] = found_by(candidate, ties);
    let update = "UPDATE candidates SET last_activity = $2, noticed_on = $3 WHERE id = $1";
    sql::execute(tx, update, [candidate.id.to_string().into(), last_activity, noticed_on]).await?;
    Ok(())
}

/// What a registration is found by: mail key, department, last activity, day of the notice since.
fn found_by(candidate: &Candidate, ties: &Ties) -> [Value; 4] {
    let person = candidate.person.as_ref();
    let last = person.and_then(|_| last_activity(candidate, ties));
    let noticed = candidate.noticed_at.map(paris_date).filter(|day| last.is_some_and(|last| *day > last));
    [
        person.map(|person| mail_key(&person.email)).into(),
        person.map(|person| person.home.department.clone()).into(),
        last.map(sql::day).into(),
        noticed.map(sql::day).into(),
    ]
}

/// Registrations without a notice since their last activity, on a day or before; the longest inactive first (C07).
///
/// # Errors
/// The database's.
pub async fn silent<C: ConnectionTrait>(
    connection: &C,
    until: Date,
    limit: usize,
) -> Result<Vec<CandidateId>, Failure> {
    let query = "SELECT id FROM candidates WHERE last_activity IS NOT NULL AND noticed_on IS NULL
         AND last_activity <= $1 ORDER BY last_activity, id LIMIT $2";
    ids(connection, query, until, limit).await
}

/// Registrations whose notice went out before a day, the earliest first (C07).
///
/// # Errors
/// The database's.
pub async fn noticed<C: ConnectionTrait>(
    connection: &C,
    before: Date,
    limit: usize,
) -> Result<Vec<CandidateId>, Failure> {
    let query = "SELECT id FROM candidates WHERE noticed_on IS NOT NULL AND noticed_on < $1
         ORDER BY noticed_on, id LIMIT $2";
    ids(connection, query, before, limit).await
}

/// The ids of a query on a day, in their order: that of locks.
async fn ids<C: ConnectionTrait>(
    connection: &C,
    query: &str,
    day: Date,
    limit: usize,
) -> Result<Vec<CandidateId>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut ids = Vec::new();
    for row in sql::all(connection, query, [sql::day(day).into(), limit.into()]).await? {
        ids.push(read(row.try_get::<String>("", "id")?.parse())?);
    }
    ids.sort_unstable();
    Ok(ids)
}

/// Notes the notice that counts, which the settings decide: none where it no longer does.
///
/// # Errors
/// The database's.
pub async fn set_noticed(tx: &Tx, id: CandidateId, day: Option<Date>) -> Result<(), Failure> {
    let update = "UPDATE candidates SET noticed_on = $2 WHERE id = $1";
    sql::execute(tx, update, [id.to_string().into(), day.map(sql::day).into()]).await?;
    Ok(())
}
