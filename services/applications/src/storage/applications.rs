//! Applications: each is one document, with the columns that it is found and counted by.

use std::{collections::HashMap, fmt::Write as _};

use conum_kernel::{ApplicationId, Error, StructureId, WaveId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::{posts, read, structures, word};
use crate::domain::{Application, State, allocation};

/// How many applications are read at once to be counted.
const BATCH: usize = 500;

/// An application as it is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    pub application: Application,
    /// Counts every change of the record: its etag.
    pub version: i64,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    body: String,
    version: i64,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self { application: read(serde_json::from_str(&row.body))?, version: row.version })
    }
}

impl Record for Stored {
    fn name(&self) -> String {
        self.application.id.name()
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let id = ApplicationId::parse_name("name", name)?;
            find(tx, id).await?.ok_or_else(|| Error::not_found(name).into())
        })
    }
}

async fn many<C: ConnectionTrait>(connection: &C, rest: &str, values: Vec<Value>) -> Result<Vec<Stored>, Failure> {
    let query = format!("SELECT body, version FROM applications WHERE {rest}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Stored::try_from(row).map_err(Failure::from)).collect()
}

/// Reads an application.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: ApplicationId) -> Result<Option<Stored>, Failure> {
    Ok(many(connection, "id = $1", vec![id.to_string().into()]).await?.pop())
}

/// Reads an application and locks it.
///
/// # Errors
/// Not found.
pub async fn lock(tx: &Tx, id: ApplicationId) -> Result<Stored, Failure> {
    let rest = format!("id = $1{}", sql::for_update(tx));
    let found = many(tx, &rest, vec![id.to_string().into()]).await?.pop();
    found.ok_or_else(|| Error::not_found(&id.name()).into())
}

/// The applications with a post in a wave, locked in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn lock_of_wave(tx: &Tx, wave: WaveId) -> Result<Vec<Stored>, Failure> {
    let rest = format!("id IN (SELECT application FROM posts WHERE wave = $1) ORDER BY id{}", sql::for_update(tx));
    many(tx, &rest, vec![wave.to_string().into()]).await
}

/// The active application of a registration number (A05).
///
/// # Errors
/// The database's.
pub async fn active_of<C: ConnectionTrait>(connection: &C, number: &str) -> Result<Option<ApplicationId>, Failure> {
    let query = "SELECT id FROM applications WHERE registration_number = $1 AND active";
    let row = sql::one(connection, query, [number.into()]).await?;
    row.map(|row| Ok(read(row.try_get::<String>("", "id")?.parse())?)).transpose()
}

/// An active application that names a registration number as a partner (A06).
///
/// # Errors
/// The database's.
pub async fn with_partner(tx: &Tx, number: &str) -> Result<Option<ApplicationId>, Failure> {
    let query = "SELECT a.id FROM partners p JOIN applications a ON a.id = p.application
         WHERE p.registration_number = $1 AND a.active ORDER BY a.id LIMIT 1";
    let row = sql::one(tx, query, [number.into()]).await?;
    row.map(|row| Ok(read(row.try_get::<String>("", "id")?.parse())?)).transpose()
}

/// The application that a source line of the past was recorded in.
///
/// # Errors
/// The database's.
pub async fn of_source(tx: &Tx, source: &str) -> Result<Option<ApplicationId>, Failure> {
    let row = sql::one(tx, "SELECT application FROM sources WHERE source = $1", [source.into()]).await?;
    row.map(|row| Ok(read(row.try_get::<String>("", "application")?.parse())?)).transpose()
}

/// Which applications a list shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub department: Option<String>,
    pub state: Option<State>,
    pub registration_number: Option<String>,
    pub structure: Option<StructureId>,
}

/// Applications after an id, in its order: that of their arrival.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    filter: &Filter,
    after: &str,
    limit: u64,
) -> Result<Vec<Stored>, Failure> {
    let wanted = [
        ("department", filter.department.clone()),
        ("state", filter.state.map(word).transpose()?),
        ("registration_number", filter.registration_number.clone()),
        ("structure", filter.structure.map(|id| id.to_string())),
    ];
    let mut rest = "id > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    for (column, value) in wanted {
        if let Some(value) = value {
            values.push(value.into());
            let _ = write!(rest, " AND {column} = ${}", values.len());
        }
    }
    let _ = write!(rest, " ORDER BY id LIMIT {limit}");
    many(connection, &rest, values).await
}

/// The posts that wait for a decision, by department, as [`allocation::awaiting`] counts them.
///
/// # Errors
/// The database's.
pub async fn awaiting<C: ConnectionTrait>(
    connection: &C,
    last_day: Option<Date>,
) -> Result<HashMap<String, u32>, Failure> {
    let rest = format!(
        "id > $1 AND active AND department IS NOT NULL
           AND EXISTS (SELECT 1 FROM posts p WHERE p.application = applications.id AND p.state = 'asked')
         ORDER BY id LIMIT {BATCH}"
    );
    let mut posts: HashMap<String, u32> = HashMap::new();
    let mut after = String::new();
    loop {
        let found = many(connection, &rest, vec![after.into()]).await?;
        for Stored { application, .. } in &found {
            let department = application.form.profile.department().unwrap_or_default().to_owned();
            let awaiting = allocation::awaiting(application, last_day);
            *posts.entry(department).or_default() += u32::try_from(awaiting).map_err(Error::internal)?;
        }
        match found.last() {
            Some(last) if found.len() == BATCH => after = last.application.id.to_string(),
            _ => return Ok(posts),
        }
    }
}

/// The columns of a record, in the order of [`insert`] and [`update`].
fn columns(application: &Application) -> Result<[Value; 7], Failure> {
    let profile = &application.form.profile;
    Ok([
        application.structure.to_string().into(),
        profile.registration_number.clone().into(),
        profile.department().map(str::to_owned).into(),
        profile.kind.map(word).transpose()?.into(),
        word(application.state)?.into(),
        application.is_active().into(),
        read(serde_json::to_string(application))?.into(),
    ])
}

/// Writes a new application. Two active ones of one registration number break a constraint, and the second is decided
/// again (A05).
///
/// # Errors
/// The database's.
pub async fn insert(tx: &Tx, application: Application) -> Result<Stored, Failure> {
    let mut values: Vec<Value> = vec![application.id.to_string().into()];
    values.extend(columns(&application)?);
    sql::execute(
        tx,
        "INSERT INTO applications (id, structure, registration_number, department, kind, state, active, body, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)",
        values,
    )
    .await?;
    posts::write(tx, None, &application).await?;
    write_links(tx, None, &application).await?;
    Ok(Stored { application, version: 1 })
}

/// Writes what became of an application, if anything did.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn update(tx: &Tx, before: Stored, after: Application) -> Result<Stored, Failure> {
    if before.application == after {
        return Ok(before);
    }
    let mut values: Vec<Value> = vec![after.id.to_string().into(), before.version.into()];
    values.extend(columns(&after)?);
    let done = sql::execute(
        tx,
        "UPDATE applications SET structure = $3, registration_number = $4, department = $5, kind = $6, state = $7,
           active = $8, body = $9, version = version + 1 WHERE id = $1 AND version = $2",
        values,
    )
    .await?;
    if done.rows_affected() != 1 {
        return Err(Error::stale(&after.id.name()).into());
    }
    posts::write(tx, Some(&before.application), &after).await?;
    write_links(tx, Some(&before.application), &after).await?;
    Ok(Stored { application: after, version: before.version + 1 })
}

/// Writes what an application is also found by: its structure's number, partners, source lines.
async fn write_links(tx: &Tx, before: Option<&Application>, after: &Application) -> Result<(), Failure> {
    let number = |application: &Application| application.form.profile.registration_number.clone();
    if let Some(new) = number(after)
        && before.and_then(number).as_ref() != Some(&new)
    {
        structures::name(tx, &new, after.structure).await?;
    }
    let known = before.map_or(0, |before| before.partners.len());
    for partner in after.partners.iter().skip(known) {
        let insert = "INSERT INTO partners (registration_number, application) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let values = [partner.registration_number.clone().into(), after.id.to_string().into()];
        sql::execute(tx, insert, values).await?;
    }
    let known = before.map_or(0, |before| before.sources.len());
    for source in after.sources.iter().skip(known) {
        let insert = "INSERT INTO sources (source, application) VALUES ($1, $2)";
        sql::execute(tx, insert, [source.clone().into(), after.id.to_string().into()]).await?;
    }
    Ok(())
}
