//! The ledger: entries that are written once, and the balances that they come to.

use std::collections::{BTreeMap, btree_map};

use chrono::{DateTime, Utc};
use conum_kernel::{Cents, ConventionId, Error, PostId};
use conum_service::{Call, Failure, Tx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult, Value};

use super::read;
use crate::domain::{
    chain::{Entry, Head},
    ledger::{self, ACCOUNTS, Balances, Posting},
};

#[derive(Debug, FromQueryResult)]
struct Row {
    convention: String,
    number: i64,
    at: DateTime<Utc>,
    kind: String,
    rule: String,
    cause: String,
    lines: String,
    previous: String,
    hash: String,
}

impl TryFrom<Row> for Entry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            convention: read(row.convention.parse())?,
            number: row.number,
            at: sql::timestamp(row.at),
            kind: row.kind,
            rule: row.rule,
            cause: row.cause,
            lines: read(serde_json::from_str(&row.lines))?,
            previous: row.previous,
            hash: row.hash,
        })
    }
}

/// Posts to a convention's ledger, under its convention's lock: entries, their chain, the balances of their posts.
///
/// # Errors
/// Internal where F10 forbids it.
pub async fn append(tx: &Tx, call: &Call, convention: ConventionId, postings: &[Posting]) -> Result<(), Failure> {
    if postings.is_empty() {
        return Ok(());
    }
    let mut head = head(tx, convention).await?;
    let mut balances: BTreeMap<PostId, Balances> = BTreeMap::new();
    for posting in postings {
        let Some(post) = posting.lines.first().map(|line| line.post) else { continue };
        let known = match balances.entry(post) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(unread) => unread.insert(of_post(tx, convention, post).await?),
        };
        ledger::post(known, posting)?;
        let entry = Entry::next(&head, convention, posting, call.moment.now, &call.cause);
        insert(tx, &entry).await?;
        head = entry.head();
    }
    for (post, balances) in &balances {
        keep(tx, convention, *post, balances).await?;
    }
    sql::execute(
        tx,
        "INSERT INTO ledger_heads (convention, number, hash, unsealed_on) VALUES ($1, $2, $3, $4)
         ON CONFLICT (convention) DO UPDATE SET number = excluded.number, hash = excluded.hash,
           unsealed_on = COALESCE(ledger_heads.unsealed_on, excluded.unsealed_on)",
        [convention.to_string().into(), head.number.into(), head.hash.into(), sql::day(call.moment.today).into()],
    )
    .await?;
    Ok(())
}

/// The head of a convention's chain.
///
/// # Errors
/// The database's.
pub async fn head<C: ConnectionTrait>(connection: &C, convention: ConventionId) -> Result<Head, Failure> {
    let query = "SELECT number, hash FROM ledger_heads WHERE convention = $1";
    let row = sql::one(connection, query, [convention.to_string().into()]).await?;
    let Some(row) = row else { return Ok(Head::beginning()) };
    Ok(Head { number: row.try_get("", "number")?, hash: row.try_get("", "hash")? })
}

async fn insert(tx: &Tx, entry: &Entry) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO ledger_entries (convention, number, at, kind, rule, cause, lines, previous, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            entry.convention.to_string().into(),
            entry.number.into(),
            sql::instant(entry.at).into(),
            entry.kind.clone().into(),
            entry.rule.clone().into(),
            entry.cause.clone().into(),
            read(serde_json::to_string(&entry.lines))?.into(),
            entry.previous.clone().into(),
            entry.hash.clone().into(),
        ],
    )
    .await?;
    Ok(())
}

/// The balances of a row.
fn balances(row: &QueryResult) -> Result<Balances, Failure> {
    let mut balances = Balances::default();
    for (balance, account) in balances.0.iter_mut().zip(ACCOUNTS) {
        *balance = Cents(row.try_get("", account.text())?);
    }
    Ok(balances)
}

fn columns(each: impl Fn(&str) -> String) -> String {
    let columns: Vec<_> = ACCOUNTS.iter().map(|account| each(account.text())).collect();
    columns.join(", ")
}

async fn of_post(tx: &Tx, convention: ConventionId, post: PostId) -> Result<Balances, Failure> {
    let query = format!("SELECT {} FROM ledger_balances WHERE convention = $1 AND post = $2", columns(str::to_owned));
    let row = sql::one(tx, &query, [convention.to_string().into(), post.to_string().into()]).await?;
    row.map_or_else(|| Ok(Balances::default()), |row| balances(&row))
}

async fn keep(tx: &Tx, convention: ConventionId, post: PostId, kept: &Balances) -> Result<(), Failure> {
    let statement = format!(
        "INSERT INTO ledger_balances (convention, post, {}) VALUES ($1, $2, {})
         ON CONFLICT (convention, post) DO UPDATE SET {}",
        columns(str::to_owned),
        sql::parameters(3, ACCOUNTS.len()),
        columns(|account| format!("{account} = excluded.{account}")),
    );
    let mut values: Vec<Value> = vec![convention.to_string().into(), post.to_string().into()];
    values.extend(kept.0.iter().map(|cents| Value::from(cents.0)));
    sql::execute(tx, &statement, values).await?;
    Ok(())
}

/// Whose balances.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    Whole,
    Convention(ConventionId),
    Post(PostId),
}

/// The balances of a post, a convention, or the whole.
///
/// # Errors
/// The database's.
pub async fn sum<C: ConnectionTrait>(connection: &C, scope: Scope) -> Result<Balances, Failure> {
    let (rest, values): (&str, Vec<Value>) = match scope {
        Scope::Whole => ("", vec![]),
        Scope::Convention(id) => (" WHERE convention = $1", vec![id.to_string().into()]),
        Scope::Post(id) => (" WHERE post = $1", vec![id.to_string().into()]),
    };
    let sums = columns(|account| format!("CAST(COALESCE(SUM({account}), 0) AS bigint) AS {account}"));
    let row = sql::one(connection, &format!("SELECT {sums} FROM ledger_balances{rest}"), values).await?;
    row.map_or_else(|| Ok(Balances::default()), |row| balances(&row))
}

/// The balances that are kept for the posts of a convention.
///
/// # Errors
/// The database's.
pub async fn kept<C: ConnectionTrait>(
    connection: &C,
    convention: ConventionId,
) -> Result<BTreeMap<PostId, Balances>, Failure> {
    let query = format!("SELECT post, {} FROM ledger_balances WHERE convention = $1", columns(str::to_owned));
    let rows = sql::all(connection, &query, [convention.to_string().into()]).await?;
    rows.iter().map(|row| Ok((read(row.try_get::<String>("", "post")?.parse())?, balances(row)?))).collect()
}

/// Entries of a convention after a number, in their order.
///
/// # Errors
/// The database's.
pub async fn entries<C: ConnectionTrait>(
    connection: &C,
    convention: ConventionId,
    after: i64,
    limit: u64,
) -> Result<Vec<Entry>, Failure> {
    let query = format!(
        "SELECT convention, number, at, kind, rule, cause, lines, previous, hash FROM ledger_entries
         WHERE convention = $1 AND number > $2 ORDER BY number LIMIT {limit}"
    );
    let rows: Vec<Row> = sql::rows(connection, &query, [convention.to_string().into(), after.into()]).await?;
    rows.into_iter().map(|row| Ok(Entry::try_from(row)?)).collect()
}
