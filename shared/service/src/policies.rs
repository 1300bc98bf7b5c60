//! The policies of a service: declared in a table, changed by the agency, every change kept.

use chrono::{DateTime, NaiveDate, Utc};
use conum_kernel::{
    Error,
    policy::{Dated, Policy},
};
use futures::future::BoxFuture;
use jiff::{Timestamp, civil::Date};
use sea_orm::ConnectionTrait;

use crate::{Call, Failure, Tx, sql};

/// What a service refuses of a policy's new value, in the transaction that records it. Given the policy's key, and a value
/// that has its shape.
pub type Guard = for<'t> fn(&'t Tx, &'t Call, &'t str, &'t Dated) -> BoxFuture<'t, Result<(), Failure>>;

/// A change that was recorded.
#[derive(Clone, Debug)]
pub struct Change {
    pub policy: String,
    pub dated: Dated,
    pub at: Timestamp,
    pub actor: String,
    pub why: String,
}

/// The policies in force on one day, read in the transaction that uses them.
#[derive(Clone, Debug)]
pub struct InForce {
    table: &'static [Policy],
    changes: Vec<(String, Dated)>,
    day: Date,
}

impl InForce {
    /// Reads the policies of a day.
    ///
    /// # Errors
    /// The database's.
    pub async fn on<C: ConnectionTrait>(connection: &C, table: &'static [Policy], day: Date) -> Result<Self, Failure> {
        let rows = sql::all(
            connection,
            "SELECT policy, value, applies_from FROM policy_changes WHERE applies_from <= $1 ORDER BY id",
            [sql::day(day).into()],
        )
        .await?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            let applies_from = sql::date(row.try_get::<NaiveDate>("", "applies_from")?)?;
            changes.push((row.try_get("", "policy")?, Dated { value: row.try_get("", "value")?, applies_from }));
        }
        Ok(Self { table, changes, day })
    }

    /// The value in force, as text.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        let changes: Vec<Dated> =
            self.changes.iter().filter(|(policy, _)| policy == key).map(|(_, dated)| dated.clone()).collect();
        let policy = self.table.iter().find(|policy| policy.key == key);
        policy.map(|policy| policy.on(self.day, &changes).to_owned()).unwrap_or_default()
    }

    /// The value in force, read as a number, a date or a flag. The table's shape has checked it when it was set.
    ///
    /// # Errors
    /// Internal where the value has another shape.
    pub fn get<T: std::str::FromStr>(&self, key: &str) -> Result<T, Error> {
        self.text(key).parse().map_err(|_| Error::internal(format!("policy {key} cannot be read")))
    }
}

/// Every change of a service's policies, in the order of recording.
///
/// # Errors
/// The database's.
pub async fn changes<C: ConnectionTrait>(connection: &C) -> Result<Vec<Change>, Failure> {
    let rows =
        sql::all(connection, "SELECT policy, value, applies_from, at, actor, why FROM policy_changes ORDER BY id", [])
            .await?;
    rows.iter()
        .map(|row| {
            let applies_from = sql::date(row.try_get::<NaiveDate>("", "applies_from")?)?;
            Ok(Change {
                policy: row.try_get("", "policy")?,
                dated: Dated { value: row.try_get("", "value")?, applies_from },
                at: sql::timestamp(row.try_get::<DateTime<Utc>>("", "at")?),
                actor: row.try_get("", "actor")?,
                why: row.try_get("", "why")?,
            })
        })
        .collect()
}

/// Records a change that was checked.
///
/// # Errors
/// The database's.
pub async fn record(tx: &Tx, call: &Call, policy: &str, dated: &Dated, why: &str) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO policy_changes (policy, value, applies_from, at, actor, why) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            policy.into(),
            dated.value.clone().into(),
            sql::day(dated.applies_from).into(),
            sql::instant(call.moment.now).into(),
            call.actor().into(),
            why.into(),
        ],
    )
    .await?;
    Ok(())
}
