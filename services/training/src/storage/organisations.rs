//! Training organisations and their lots.

use std::collections::HashMap;

use conum_kernel::{Error, OrganisationId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::organisation::Organisation;

/// An organisation as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    pub organisation: Organisation,
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
        Ok(Self { organisation: read(serde_json::from_str(&row.document))?, version: row.version })
    }
}

impl Record for Stored {
    fn name(&self) -> String {
        self.organisation.id.name()
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move { known(tx, OrganisationId::parse_name("name", name)?).await })
    }
}

/// Reads an organisation.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: OrganisationId) -> Result<Option<Stored>, Failure> {
    let query = "SELECT document, version FROM organisations WHERE id = $1";
    let row: Option<Row> = sql::row(connection, query, [id.to_string().into()]).await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

/// Reads an organisation that must be there.
///
/// # Errors
/// Not found.
pub async fn known<C: ConnectionTrait>(connection: &C, id: OrganisationId) -> Result<Stored, Failure> {
    find(connection, id).await?.ok_or_else(|| Error::not_found(&id.name()).into())
}

/// Some organisations, by id.
///
/// # Errors
/// The database's.
pub async fn some<C: ConnectionTrait>(
    connection: &C,
    ids: &[OrganisationId],
) -> Result<HashMap<OrganisationId, Organisation>, Failure> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(500) {
        let query =
            format!("SELECT document, version FROM organisations WHERE id IN ({})", sql::parameters(1, chunk.len()));
        let values: Vec<Value> = chunk.iter().map(|id| id.to_string().into()).collect();
        for row in sql::rows::<Row, _>(connection, &query, values).await? {
            let organisation = Stored::try_from(row)?.organisation;
            found.insert(organisation.id, organisation);
        }
    }
    Ok(found)
}

/// The organisation of a name, by its key.
///
/// # Errors
/// The database's.
pub async fn named(tx: &Tx, key: &str) -> Result<Option<OrganisationId>, Failure> {
    let row = sql::one(tx, "SELECT id FROM organisations WHERE name_key = $1", [key.into()]).await?;
    row.map(|row| Ok(read(row.try_get::<String>("", "id")?.parse())?)).transpose()
}

/// Organisations after an id, in its order; of a department, where one is named.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    department: &str,
    after: &str,
    limit: u64,
) -> Result<Vec<Stored>, Failure> {
    let mut query = "SELECT document, version FROM organisations WHERE id > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    if !department.is_empty() {
        query.push_str(" AND id IN (SELECT organisation FROM lots WHERE department = $2)");
        values.push(department.into());
    }
    let query = format!("{query} ORDER BY id LIMIT {limit}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Stored::try_from(row).map_err(Failure::from)).collect()
}

/// The organisations that train in a department on a day, in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn in_department<C: ConnectionTrait>(
    connection: &C,
    department: &str,
    day: Date,
) -> Result<Vec<OrganisationId>, Failure> {
    let query = "SELECT DISTINCT organisation FROM lots WHERE department = $1 AND valid_from <= $2
         AND valid_until >= $2 ORDER BY organisation";
    let rows = sql::all(connection, query, [department.into(), sql::day(day).into()]).await?;
    rows.iter().map(|row| Ok(read(row.try_get::<String>("", "organisation")?.parse())?)).collect()
}

/// Writes a new organisation. A second one of its name breaks a constraint.
///
/// # Errors
/// The database's.
pub async fn insert(tx: &Tx, organisation: &Organisation) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO organisations (id, name_key, document, version) VALUES ($1, $2, $3, 1)",
        [
            organisation.id.to_string().into(),
            organisation.key().into(),
            read(serde_json::to_string(organisation))?.into(),
        ],
    )
    .await?;
    write_lots(tx, organisation).await
}

/// Writes an organisation that has changed.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn update(tx: &Tx, stored: &Stored) -> Result<(), Failure> {
    let organisation = &stored.organisation;
    let done = sql::execute(
        tx,
        "UPDATE organisations SET name_key = $3, document = $4, version = version + 1 WHERE id = $1 AND version = $2",
        [
            organisation.id.to_string().into(),
            stored.version.into(),
            organisation.key().into(),
            read(serde_json::to_string(organisation))?.into(),
        ],
    )
    .await?;
    if done.rows_affected() != 1 {
        return Err(Error::stale(&organisation.id.name()).into());
    }
    let delete = "DELETE FROM lots WHERE organisation = $1";
    sql::execute(tx, delete, [organisation.id.to_string().into()]).await?;
    write_lots(tx, organisation).await
}

async fn write_lots(tx: &Tx, organisation: &Organisation) -> Result<(), Failure> {
    for lot in &organisation.lots {
        for department in &lot.departments {
            sql::execute(
                tx,
                "INSERT INTO lots (department, organisation, number, valid_from, valid_until)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                [
                    department.clone().into(),
                    organisation.id.to_string().into(),
                    lot.number.clone().into(),
                    sql::day(lot.valid_from).into(),
                    sql::day(lot.valid_until).into(),
                ],
            )
            .await?;
        }
    }
    Ok(())
}
