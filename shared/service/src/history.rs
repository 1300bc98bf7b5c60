//! The history of every record: who, when, what, from, to, why. Ids and listed reasons only.

use chrono::{DateTime, Utc};
use conum_kernel::Fact;
use jiff::Timestamp;
use sea_orm::ConnectionTrait;

use crate::{
    Call, Failure, Tx,
    sql::{self, Script},
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
    for fact in facts {
        script.add(
            "INSERT INTO history (record, at, actor, action, from_state, to_state, why)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [
                record.into(),
                sql::instant(call.moment.now).into(),
                call.actor().into(),
                fact.action.into(),
                fact.from.into(),
                fact.to.into(),
                fact.why.clone().into(),
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
        "SELECT id, at, actor, action, from_state, to_state, why FROM history
         WHERE record = $1 AND id > $2 ORDER BY id LIMIT $3",
        [record.into(), after.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                id: row.try_get("", "id")?,
                at: sql::timestamp(row.try_get::<DateTime<Utc>>("", "at")?),
                actor: row.try_get("", "actor")?,
                action: row.try_get("", "action")?,
                from: row.try_get("", "from_state")?,
                to: row.try_get("", "to_state")?,
                why: row.try_get("", "why")?,
            })
        })
        .collect()
}
