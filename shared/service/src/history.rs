//! The history of every record: who, in which roles, when, what, from, to, why, under which rule, in which trace. Ids and
//! listed reasons only.

use chrono::{DateTime, Utc};
use conum_kernel::{ApplicationId, Fact, policy::words};
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, QueryResult};

use crate::{
    Call, Failure, Tx,
    sql::{self, Script},
    telemetry,
};

/// One row of a history.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts up within a service.
    pub id: i64,
    pub at: Timestamp,
    pub actor: String,
    pub action: String,
    pub from: String,
    pub to: String,
    pub why: String,
}

/// One row of the history of a case: it may be any record's.
#[derive(Clone, Debug)]
pub struct CaseEntry {
    /// The resource name of the record.
    pub record: String,
    pub entry: Entry,
    /// Short names; `timer` or `event` for what the service did by itself.
    pub roles: Vec<String>,
    /// Empty where the rule book names none.
    pub rule: String,
    /// 32 hexadecimal digits, or empty.
    pub trace: String,
}

/// Which rows of the history belong to an application: a query with its id as `$1` and two columns, `record` and `naming`.
/// They are those of `record`; where `naming` is not empty, only those whose `why` it is. No row is chosen twice.
pub type Case = &'static str;

/// Writes facts of a record, by its resource name.
///
/// # Errors
/// The database's.
pub async fn append(tx: &Tx, call: &Call, record: &str, facts: &[Fact]) -> Result<(), Failure> {
    if facts.is_empty() {
        return Ok(());
    }
    let mut script = Script::default();
    add(&mut script, call, record, facts);
    Ok(script.run(tx).await?)
}

/// Adds the writing of facts to a script.
pub fn add(script: &mut Script, call: &Call, record: &str, facts: &[Fact]) {
    let (roles, trace) = (call.roles().join(","), telemetry::trace_id());
    for fact in facts {
        script.add(
            "INSERT INTO history (record, at, actor, action, from_state, to_state, why, roles, rule, trace)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            [
                record.into(),
                sql::instant(call.moment.now).into(),
                call.actor().into(),
                fact.action.into(),
                fact.from.into(),
                fact.to.into(),
                fact.why.clone().into(),
                roles.as_str().into(),
                fact.rule.map_or("", |rule| rule.0).into(),
                trace.as_str().into(),
            ],
        );
    }
}

/// The history of a record after a row, oldest first.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    record: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<Entry>, Failure> {
    let rows = sql::all(
        connection,
        "SELECT CAST(id AS bigint) AS id, at, actor, action, from_state, to_state, why FROM history
         WHERE record = $1 AND id > $2 ORDER BY id LIMIT $3",
        [record.into(), after.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
    )
    .await?;
    rows.iter().map(entry).collect()
}

/// What happened to a case after a moment and a row, by time, then by row.
///
/// # Errors
/// The database's.
pub async fn of_case<C: ConnectionTrait>(
    connection: &C,
    case: Case,
    application: ApplicationId,
    (at, id): (Timestamp, i64),
    limit: u64,
) -> Result<Vec<CaseEntry>, Failure> {
    let query = format!(
        "SELECT CAST(h.id AS bigint) AS id, h.record, h.at, h.actor, h.action, h.from_state, h.to_state, h.why, h.roles, h.rule, h.trace
         FROM ({case}) parts JOIN history h ON h.record = parts.record AND (parts.naming = '' OR parts.naming = h.why)
         WHERE (h.at, h.id) > ($2, $3) ORDER BY h.at, h.id LIMIT $4"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values = [application.to_string().into(), sql::instant(at).into(), id.into(), limit.into()];
    let rows = sql::all(connection, &query, values).await?;
    rows.iter()
        .map(|row| {
            let roles: String = row.try_get("", "roles")?;
            Ok(CaseEntry {
                record: row.try_get("", "record")?,
                entry: entry(row)?,
                roles: words(&roles).filter(|role| !role.is_empty()).map(str::to_owned).collect(),
                rule: row.try_get("", "rule")?,
                trace: row.try_get("", "trace")?,
            })
        })
        .collect()
}

fn entry(row: &QueryResult) -> Result<Entry, Failure> {
    Ok(Entry {
        id: row.try_get("", "id")?,
        at: sql::timestamp(row.try_get::<DateTime<Utc>>("", "at")?),
        actor: row.try_get("", "actor")?,
        action: row.try_get("", "action")?,
        from: row.try_get("", "from_state")?,
        to: row.try_get("", "to_state")?,
        why: row.try_get("", "why")?,
    })
}
