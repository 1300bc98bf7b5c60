//! Sessions and their seats.

use std::fmt::Write as _;

use chrono::NaiveDate;
use conum_kernel::{Error, Machine as _, OrganisationId, SessionId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::session::{Session, Site, State};

/// A session as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    pub session: Session,
    pub version: i64,
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    organisation: String,
    department: Option<String>,
    commune: Option<String>,
    starts_on: NaiveDate,
    ends_on: NaiveDate,
    deadline: NaiveDate,
    capacity: i32,
    taken: i32,
    state: String,
    cancel_reason: Option<String>,
    version: i64,
}

const COLUMNS: &str = "id, organisation, department, commune, starts_on, ends_on, deadline, capacity, taken, state,
    cancel_reason, version";

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let site = row.commune.zip(row.department).map(|(commune, department)| Site { commune, department });
        let session = Session {
            id: read(row.id.parse())?,
            organisation: read(row.organisation.parse())?,
            site,
            starts_on: sql::date(row.starts_on)?,
            ends_on: sql::date(row.ends_on)?,
            deadline: sql::date(row.deadline)?,
            capacity: row.capacity.unsigned_abs(),
            taken: row.taken.unsigned_abs(),
            state: if row.state == State::Open.name() { State::Open } else { State::Cancelled },
            cancel_reason: row.cancel_reason,
        };
        Ok(Self { session, version: row.version })
    }
}

impl Record for Stored {
    fn name(&self) -> String {
        self.session.id.name()
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let id = SessionId::parse_name("name", name)?;
            find(tx, id).await?.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

async fn many<C: ConnectionTrait>(connection: &C, rest: &str, values: Vec<Value>) -> Result<Vec<Stored>, Failure> {
    let query = format!("SELECT {COLUMNS} FROM sessions WHERE {rest}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Stored::try_from(row).map_err(Failure::from)).collect()
}

/// Reads a session.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: SessionId) -> Result<Option<Stored>, Failure> {
    Ok(many(connection, "id = $1", vec![id.to_string().into()]).await?.pop())
}

/// Reads and locks a session that must be there.
///
/// # Errors
/// Not found.
pub async fn lock(tx: &Tx, id: SessionId) -> Result<Stored, Failure> {
    let rest = format!("id = $1{}", sql::for_update(tx));
    many(tx, &rest, vec![id.to_string().into()]).await?.pop().ok_or_else(|| Error::not_found(&id.name()).into())
}

/// Sessions after an id, in its order: of an organisation, and the open ones from a day on, where they are named.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    organisation: Option<OrganisationId>,
    starts_from: Option<Date>,
    after: &str,
    limit: u64,
) -> Result<Vec<Stored>, Failure> {
    let mut rest = "id > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    if let Some(organisation) = organisation {
        values.push(organisation.to_string().into());
        let _ = write!(rest, " AND organisation = ${}", values.len());
    }
    if let Some(day) = starts_from {
        values.push(sql::day(day).into());
        let _ = write!(rest, " AND state = 'OPEN' AND starts_on >= ${}", values.len());
    }
    let _ = write!(rest, " ORDER BY id LIMIT {limit}");
    many(connection, &rest, values).await
}

/// The open sessions with room to which registration is open on a day: those of some territories, and those on line.
///
/// # Errors
/// The database's.
pub async fn with_room<C: ConnectionTrait>(
    connection: &C,
    territories: &[&str],
    today: Date,
) -> Result<Vec<Stored>, Failure> {
    let mut values: Vec<Value> = vec![sql::day(today).into()];
    values.extend(territories.iter().map(|territory| Value::from(*territory)));
    let near = match territories.len() {
        0 => String::new(),
        count => format!(" OR territory IN ({})", sql::parameters(2, count)),
    };
    let rest = format!(
        "state = 'OPEN' AND deadline >= $1 AND starts_on > $1 AND taken < capacity
           AND (territory IS NULL{near}) ORDER BY id"
    );
    many(connection, &rest, values).await
}

/// Writes a new session.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &Tx, session: &Session) -> Result<(), Failure> {
    let [organisation, rest @ ..] = columns(session)?;
    let values = [session.id.to_string().into(), organisation].into_iter().chain(rest);
    sql::execute(
        tx,
        "INSERT INTO sessions (id, organisation, territory, department, commune, starts_on, ends_on, deadline, capacity,
           state, cancel_reason, taken, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 1)",
        values.collect::<Vec<_>>(),
    )
    .await?;
    Ok(())
}

/// Writes a session that has changed; its seats are taken and freed elsewhere.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn update(tx: &Tx, stored: &Stored) -> Result<(), Failure> {
    let session = &stored.session;
    let [_, rest @ ..] = columns(session)?;
    let values = [session.id.to_string().into(), stored.version.into()].into_iter().chain(rest);
    let done = sql::execute(
        tx,
        "UPDATE sessions SET territory = $3, department = $4, commune = $5, starts_on = $6, ends_on = $7, deadline = $8,
           capacity = $9, state = $10, cancel_reason = $11, version = version + 1 WHERE id = $1 AND version = $2",
        values.collect::<Vec<_>>(),
    )
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::stale(&session.id.name()).into()) }
}

/// Organisation, territory, department, commune, days, capacity, state, reason.
fn columns(session: &Session) -> Result<[Value; 10], Failure> {
    let site = session.site.as_ref();
    Ok([
        session.organisation.to_string().into(),
        site.and_then(Site::territory).map(|territory| territory.code().to_owned()).into(),
        site.map(|site| site.department.clone()).into(),
        site.map(|site| site.commune.clone()).into(),
        sql::day(session.starts_on).into(),
        sql::day(session.ends_on).into(),
        sql::day(session.deadline).into(),
        read(i32::try_from(session.capacity))?.into(),
        session.state.name().into(),
        session.cancel_reason.clone().into(),
    ])
}

/// Takes a seat. Answers false where there is none left.
///
/// # Errors
/// The database's.
pub async fn take_seat(tx: &Tx, id: SessionId) -> Result<bool, Failure> {
    let update = "UPDATE sessions SET taken = taken + 1 WHERE id = $1 AND taken < capacity AND state = 'OPEN'";
    Ok(sql::execute(tx, update, [id.to_string().into()]).await?.rows_affected() == 1)
}

/// Frees a seat.
///
/// # Errors
/// The database's.
pub async fn free_seat(tx: &Tx, id: SessionId) -> Result<(), Failure> {
    sql::execute(tx, "UPDATE sessions SET taken = taken - 1 WHERE id = $1", [id.to_string().into()]).await?;
    Ok(())
}
