//! People, as candidates tells them: where they are, under the id and nothing else.

use conum_kernel::{CandidateId, Error};
use conum_service::{Failure, Tx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::read;
use crate::domain::choice::Spot;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: CandidateId,
    /// INSEE codes; empty once erased.
    pub department: String,
    pub commune: String,
    /// Merged or erased.
    pub gone: bool,
    pub merged_into: Option<CandidateId>,
}

impl Person {
    /// Where the person lives, while that is known.
    #[must_use]
    pub fn home(&self) -> Option<Spot> {
        (!self.department.is_empty()).then(|| Spot::of(&self.department, &self.commune))
    }
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    department: String,
    commune: String,
    gone: bool,
    merged_into: Option<String>,
}

impl TryFrom<Row> for Person {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: read(row.id.parse())?,
            department: row.department,
            commune: row.commune,
            gone: row.gone,
            merged_into: row.merged_into.map(|id| read(id.parse())).transpose()?,
        })
    }
}

/// Writes where a person is. Who is gone stays so.
///
/// # Errors
/// The database's.
pub async fn upsert(tx: &Tx, id: CandidateId, department: &str, commune: &str) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO people (id, department, commune, gone) VALUES ($1, $2, $3, false)
         ON CONFLICT (id) DO UPDATE SET department = excluded.department, commune = excluded.commune
           WHERE NOT people.gone",
        [id.to_string().into(), department.into(), commune.into()],
    )
    .await?;
    Ok(())
}

/// Reads a person.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: CandidateId) -> Result<Option<Person>, Failure> {
    let query = "SELECT id, department, commune, gone, merged_into FROM people WHERE id = $1";
    let row: Option<Row> = sql::row(connection, query, [id.to_string().into()]).await?;
    Ok(row.map(Person::try_from).transpose()?)
}

/// Reads a person and locks it; the registration that goes on where it was merged (C08).
///
/// # Errors
/// The database's.
pub async fn lock_survivor(tx: &Tx, id: CandidateId) -> Result<Option<Person>, Failure> {
    let query =
        format!("SELECT id, department, commune, gone, merged_into FROM people WHERE id = $1{}", sql::for_update(tx));
    let mut next = id;
    loop {
        let row: Option<Row> = sql::row(tx, &query, [next.to_string().into()]).await?;
        let Some(person) = row.map(Person::try_from).transpose()? else { return Ok(None) };
        match person.merged_into {
            Some(survivor) => next = survivor,
            None => return Ok(Some(person)),
        }
    }
}

/// Notes that a registration went on in another one, or was erased: where the person was is dropped (C07, C08).
///
/// # Errors
/// The database's.
pub async fn set_gone(tx: &Tx, id: CandidateId, merged_into: Option<CandidateId>) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO people (id, department, commune, gone, merged_into) VALUES ($1, '', '', true, $2)
         ON CONFLICT (id) DO UPDATE SET department = '', commune = '', gone = true,
           merged_into = COALESCE(excluded.merged_into, people.merged_into)",
        [id.to_string().into(), merged_into.map(|id| id.to_string()).into()],
    )
    .await?;
    Ok(())
}
