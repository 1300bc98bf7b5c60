//! Bank accounts of structures.

use chrono::{DateTime, Utc};
use conum_kernel::{Error, StructureId};
use conum_service::{Failure, Tx, requests::Record, sql};
use futures::future::BoxFuture;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::read;
use crate::domain::account::BankAccount;

/// The resource name of a structure's account.
#[must_use]
pub fn name(structure: StructureId) -> String {
    format!("{}/bankAccount", structure.name())
}

/// Reads the resource name of an account.
///
/// # Errors
/// `INVALID_NAME` at `name`.
pub fn parse_name(text: &str) -> Result<StructureId, Error> {
    let wrong = || conum_kernel::id::invalid_name("name", "structures/{structure}/bankAccount");
    let structure = text.strip_suffix("/bankAccount").ok_or_else(wrong)?;
    StructureId::parse_name("name", structure).map_err(|_| wrong())
}

#[derive(Debug, FromQueryResult)]
struct Row {
    current: Option<String>,
    usable: bool,
    confirmed_at: Option<DateTime<Utc>>,
    proposal: Option<String>,
    version: i64,
}

impl Record for BankAccount {
    fn name(&self) -> String {
        name(self.structure)
    }

    fn etag(&self) -> String {
        self.version.to_string()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move { find(tx, parse_name(name)?).await })
    }
}

/// Reads a structure's account; a blank one where it has given none.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, structure: StructureId) -> Result<BankAccount, Failure> {
    let query = "SELECT current, usable, confirmed_at, proposal, version FROM bank_accounts WHERE structure = $1";
    let Some(row): Option<Row> = sql::row(connection, query, [structure.to_string().into()]).await? else {
        return Ok(BankAccount::none(structure));
    };
    Ok(BankAccount {
        structure,
        current: row.current.map(|text| read(serde_json::from_str(&text))).transpose()?,
        usable: row.usable,
        confirmed_at: row.confirmed_at.map(sql::timestamp),
        proposal: row.proposal.map(|text| read(serde_json::from_str(&text))).transpose()?,
        version: row.version,
    })
}

/// Writes a structure's account.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn save(tx: &Tx, account: &BankAccount) -> Result<(), Failure> {
    let json = |text: Result<String, serde_json::Error>| read(text);
    let current = account.current.as_ref().map(|details| json(serde_json::to_string(details))).transpose()?;
    let proposal = account.proposal.as_ref().map(|proposal| json(serde_json::to_string(proposal))).transpose()?;
    let done = sql::execute(
        tx,
        "INSERT INTO bank_accounts (structure, current, usable, proposal, version, confirmed_at)
         VALUES ($1, $2, $3, $4, $5 + 1, $6)
         ON CONFLICT (structure) DO UPDATE SET current = excluded.current, usable = excluded.usable,
           confirmed_at = excluded.confirmed_at, proposal = excluded.proposal, version = excluded.version WHERE bank_accounts.version = $5",
        [
            account.structure.to_string().into(),
            current.into(),
            account.usable.into(),
            proposal.into(),
            account.version.into(),
            account.confirmed_at.map(sql::instant).into(),
        ],
    )
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::stale(&name(account.structure)).into()) }
}
