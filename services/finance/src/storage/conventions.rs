//! Conventions: a document beside what is searched, with their instalments and claims as rows.

use std::fmt::Write as _;

use conum_kernel::{ApplicationId, ConventionId, Error, StructureId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::{claims, instalments, read};
use crate::domain::convention::Convention;

#[derive(Debug, FromQueryResult)]
struct Row {
    document: String,
    version: i64,
}

impl TryFrom<Row> for Convention {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let convention: Self = read(serde_json::from_str(&row.document))?;
        Ok(Self { version: row.version, ..convention })
    }
}

impl Record for Convention {
    fn name(&self) -> String {
        self.id.name()
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let id = ConventionId::parse_name("name", name)?;
            find(tx, id).await?.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

/// Which conventions of all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub structure: Option<StructureId>,
    /// INSEE code.
    pub department: Option<String>,
    pub application: Option<ApplicationId>,
}

/// Reads a convention without its instalments and claims.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: ConventionId) -> Result<Option<Convention>, Failure> {
    let query = "SELECT document, version FROM conventions WHERE id = $1";
    let row: Option<Row> = sql::row(connection, query, [id.to_string().into()]).await?;
    Ok(row.map(Convention::try_from).transpose()?)
}

/// Reads a whole convention, and locks it until the transaction ends.
///
/// # Errors
/// Not found.
pub async fn lock(tx: &Tx, id: ConventionId) -> Result<Convention, Failure> {
    let query = format!("SELECT document, version FROM conventions WHERE id = $1{}", sql::for_update(tx));
    let row: Option<Row> = sql::row(tx, &query, [id.to_string().into()]).await?;
    let row = row.ok_or_else(|| Error::not_found(&id.name()))?;
    let mut convention = Convention::try_from(row)?;
    convention.instalments = instalments::of(tx, id).await?;
    convention.claims = claims::of(tx, id).await?;
    Ok(convention)
}

/// Locks a convention until the transaction ends.
///
/// # Errors
/// The database's.
pub async fn hold(tx: &Tx, id: ConventionId) -> Result<(), Failure> {
    let query = format!("SELECT id FROM conventions WHERE id = $1{}", sql::for_update(tx));
    sql::one(tx, &query, [id.to_string().into()]).await?;
    Ok(())
}

async fn ids<C: ConnectionTrait>(connection: &C, rest: &str, values: Vec<Value>) -> Result<Vec<ConventionId>, Failure> {
    let rows = sql::all(connection, &format!("SELECT id FROM conventions WHERE {rest}"), values).await?;
    rows.iter().map(|row| Ok(read(row.try_get::<String>("", "id")?.parse())?)).collect()
}

/// The convention of an application.
///
/// # Errors
/// The database's.
pub async fn of_application<C: ConnectionTrait>(
    connection: &C,
    application: ApplicationId,
) -> Result<Option<ConventionId>, Failure> {
    Ok(ids(connection, "application = $1", vec![application.to_string().into()]).await?.pop())
}

/// The conventions of a structure, in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn of_structure<C: ConnectionTrait>(
    connection: &C,
    structure: StructureId,
) -> Result<Vec<ConventionId>, Failure> {
    ids(connection, "structure = $1 ORDER BY id", vec![structure.to_string().into()]).await
}

/// The conventions for which the calendar brings something about by a day.
///
/// # Errors
/// The database's.
pub async fn to_wake<C: ConnectionTrait>(
    connection: &C,
    today: Date,
    limit: u64,
) -> Result<Vec<ConventionId>, Failure> {
    let rest = format!("wakes_on <= $1 ORDER BY wakes_on, id LIMIT {limit}");
    ids(connection, &rest, vec![sql::day(today).into()]).await
}

/// Every convention after an id, in its order.
///
/// # Errors
/// The database's.
pub async fn after<C: ConnectionTrait>(connection: &C, id: &str, limit: u64) -> Result<Vec<ConventionId>, Failure> {
    ids(connection, &format!("id > $1 ORDER BY id LIMIT {limit}"), vec![id.into()]).await
}

/// Conventions after an id, in its order, without their instalments and claims.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    filter: &Filter,
    after: &str,
    limit: u64,
) -> Result<Vec<Convention>, Failure> {
    let mut query = "SELECT document, version FROM conventions WHERE id > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    let given = [
        ("structure", filter.structure.map(|id| id.to_string())),
        ("department", filter.department.clone()),
        ("application", filter.application.map(|id| id.to_string())),
    ];
    for (column, value) in given {
        if let Some(value) = value {
            values.push(value.into());
            let _ = write!(query, " AND {column} = ${}", values.len());
        }
    }
    let _ = write!(query, " ORDER BY id LIMIT {limit}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Ok(Convention::try_from(row)?)).collect()
}

/// How many conventions are in force.
///
/// # Errors
/// The database's.
pub async fn in_force<C: ConnectionTrait>(connection: &C) -> Result<i64, Failure> {
    let row = sql::one(connection, "SELECT COUNT(*) AS count FROM conventions WHERE in_force", []).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "count"))?)
}

/// Writes a convention with what has changed of its instalments and claims. `before` is what was read, nothing for a new
/// one.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn save(
    tx: &Tx,
    before: Option<&Convention>,
    after: &Convention,
    wakes_on: Option<Date>,
) -> Result<(), Failure> {
    let values: Vec<Value> = vec![
        after.id.to_string().into(),
        after.version.into(),
        after.department.clone().into(),
        after.in_force().into(),
        wakes_on.map(sql::day).into(),
        read(serde_json::to_string(after))?.into(),
    ];
    if before.is_none() {
        let own = [after.structure.to_string().into(), after.application.to_string().into()];
        sql::execute(
            tx,
            "INSERT INTO conventions (id, version, department, in_force, wakes_on, document, structure, application)
             VALUES ($1, $2 + 1, $3, $4, $5, $6, $7, $8)",
            values.into_iter().chain(own),
        )
        .await?;
    } else {
        let done = sql::execute(
            tx,
            "UPDATE conventions SET version = version + 1, department = $3, in_force = $4, wakes_on = $5, document = $6
             WHERE id = $1 AND version = $2",
            values,
        )
        .await?;
        if done.rows_affected() != 1 {
            return Err(Error::stale(&after.id.name()).into());
        }
    }
    for instalment in &after.instalments {
        if before.is_none_or(|before| !before.instalments.contains(instalment)) {
            instalments::save(tx, after, instalment).await?;
        }
    }
    for (position, claim) in after.claims.iter().enumerate() {
        if before.is_none_or(|before| !before.claims.contains(claim)) {
            claims::save(tx, after, position, claim).await?;
        }
    }
    Ok(())
}
