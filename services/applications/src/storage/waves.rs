//! Waves of the committee (P03).

use chrono::{DateTime, NaiveDate, Utc};
use conum_kernel::{Error, WaveId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::{from_word, posts::COUNTED, read, word};
use crate::domain::Wave;

/// A wave as it is kept, and what is granted in it.
#[derive(Clone, Debug)]
pub struct Stored {
    pub wave: Wave,
    pub version: i64,
    /// Posts that count under the cap.
    pub posts: i64,
    /// Applications that hold them.
    pub applications: i64,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: String,
    number: i32,
    committee_date: NaiveDate,
    state: String,
    imported: bool,
    activated_at: Option<DateTime<Utc>>,
    version: i64,
    posts: i64,
    applications: i64,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let wave = Wave {
            id: read(row.id.parse())?,
            number: row.number.unsigned_abs(),
            committee_date: sql::date(row.committee_date)?,
            state: from_word(row.state)?,
            imported: row.imported,
            activated_at: row.activated_at.map(sql::timestamp),
        };
        Ok(Self { wave, version: row.version, posts: row.posts, applications: row.applications })
    }
}

impl Record for Stored {
    fn name(&self) -> String {
        self.wave.id.name()
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let id = WaveId::parse_name("name", name)?;
            find(tx, id).await?.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

async fn many<C: ConnectionTrait>(connection: &C, rest: &str, values: Vec<Value>) -> Result<Vec<Stored>, Failure> {
    let query = format!(
        "SELECT id, number, committee_date, state, imported, activated_at, version,
           (SELECT count(*) FROM posts p WHERE p.wave = waves.id AND p.state IN {COUNTED}) AS posts,
           (SELECT count(DISTINCT application) FROM posts p WHERE p.wave = waves.id AND p.state IN {COUNTED})
             AS applications
         FROM waves WHERE {rest}"
    );
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Stored::try_from(row).map_err(Failure::from)).collect()
}

/// Reads a wave.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: WaveId) -> Result<Option<Stored>, Failure> {
    Ok(many(connection, "id = $1", vec![id.to_string().into()]).await?.pop())
}

/// Reads a wave and locks it: after the programme's row, before an application.
///
/// # Errors
/// Not found.
pub async fn lock(tx: &Tx, id: WaveId) -> Result<Stored, Failure> {
    let rest = format!("id = $1{}", sql::for_update(tx));
    let found = many(tx, &rest, vec![id.to_string().into()]).await?.pop();
    found.ok_or_else(|| Error::not_found(&id.name()).into())
}

/// The wave of a committee date, locked; the one made for the past before any other.
///
/// # Errors
/// The database's.
pub async fn lock_of_date(tx: &Tx, committee_date: Date) -> Result<Option<Stored>, Failure> {
    let rest = format!("committee_date = $1 ORDER BY imported DESC, number LIMIT 1{}", sql::for_update(tx));
    Ok(many(tx, &rest, vec![sql::day(committee_date).into()]).await?.pop())
}

/// The waves after a number, in its order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(connection: &C, after: i32, limit: u64) -> Result<Vec<Stored>, Failure> {
    many(connection, &format!("number > $1 ORDER BY number LIMIT {limit}"), vec![after.into()]).await
}

/// The number of the next wave. Whoever asks holds it until its transaction ends.
///
/// # Errors
/// The database's.
pub async fn next_number(tx: &Tx) -> Result<u32, Failure> {
    sql::hold(tx, "waves").await?;
    let row = sql::one(tx, "SELECT number FROM waves ORDER BY number DESC LIMIT 1", []).await?;
    let last = row.map_or(Ok(0), |row| row.try_get::<i32>("", "number"))?;
    Ok(last.unsigned_abs() + 1)
}

/// Writes a new wave.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &Tx, wave: Wave) -> Result<Stored, Failure> {
    sql::execute(
        tx,
        "INSERT INTO waves (id, number, committee_date, state, imported, version) VALUES ($1, $2, $3, $4, $5, 1)",
        [
            wave.id.to_string().into(),
            i32::try_from(wave.number).map_err(Error::internal)?.into(),
            sql::day(wave.committee_date).into(),
            word(wave.state)?.into(),
            wave.imported.into(),
        ],
    )
    .await?;
    Ok(Stored { wave, version: 1, posts: 0, applications: 0 })
}

/// Writes the state of a wave that was locked.
///
/// # Errors
/// The database's.
pub async fn update(tx: &Tx, before: Stored, after: Wave) -> Result<Stored, Failure> {
    sql::execute(
        tx,
        "UPDATE waves SET state = $2, activated_at = $3, version = version + 1 WHERE id = $1",
        [after.id.to_string().into(), word(after.state)?.into(), after.activated_at.map(sql::instant).into()],
    )
    .await?;
    Ok(Stored { wave: after, version: before.version + 1, ..before })
}
