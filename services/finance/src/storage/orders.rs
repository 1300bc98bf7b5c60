//! Payment orders. One stands for an instalment at a time: the rest is a constraint.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use conum_kernel::{Cents, ConventionId, Error, InstalmentId, PaymentFileId, PaymentOrderId, StructureId};
use conum_service::{Call, Failure, Tx, sql};
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::{convention::Convention, decision::OrderChange, payment::State};

/// A payment order as it is kept.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: PaymentOrderId,
    pub instalment: InstalmentId,
    pub convention: ConventionId,
    pub structure: StructureId,
    pub amount: Cents,
    pub state: State,
    pub file: Option<PaymentFileId>,
    /// The bank's code of a rejection.
    pub reason: Option<String>,
    pub released_at: Timestamp,
    pub answered_at: Option<Timestamp>,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: String,
    instalment: String,
    convention: String,
    structure: String,
    amount: i64,
    state: String,
    file: Option<String>,
    reason: Option<String>,
    released_at: DateTime<Utc>,
    answered_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Order {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: read(row.id.parse())?,
            instalment: read(row.instalment.parse())?,
            convention: read(row.convention.parse())?,
            structure: read(row.structure.parse())?,
            amount: Cents(row.amount),
            state: read(State::parse(&row.state).ok_or(()))?,
            file: row.file.map(|id| read(id.parse())).transpose()?,
            reason: row.reason,
            released_at: sql::timestamp(row.released_at),
            answered_at: row.answered_at.map(sql::timestamp),
        })
    }
}

async fn many<C: ConnectionTrait>(connection: &C, rest: &str, values: Vec<Value>) -> Result<Vec<Order>, Failure> {
    let query = format!(
        "SELECT id, instalment, convention, structure, amount, state, file, reason, released_at, answered_at
         FROM payment_orders WHERE {rest}"
    );
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Ok(Order::try_from(row)?)).collect()
}

/// The orders of a file, in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn of_file<C: ConnectionTrait>(connection: &C, file: PaymentFileId) -> Result<Vec<Order>, Failure> {
    many(connection, "file = $1 ORDER BY id", vec![file.to_string().into()]).await
}

/// The oldest orders that are ready, of structures whose account can be paid.
///
/// # Errors
/// The database's.
pub async fn ready<C: ConnectionTrait>(connection: &C, limit: i64) -> Result<Vec<Order>, Failure> {
    let rest = "state = 'ready' AND EXISTS (SELECT 1 FROM bank_accounts a
        WHERE a.structure = payment_orders.structure AND a.usable) ORDER BY id LIMIT $1";
    many(connection, rest, vec![limit.into()]).await
}

/// Which orders of all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub structure: Option<StructureId>,
    pub state: Option<State>,
    pub file: Option<PaymentFileId>,
}

/// Orders after an id, in its order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    filter: &Filter,
    after: &str,
    limit: u64,
) -> Result<Vec<Order>, Failure> {
    let (mut rest, mut values): (_, Vec<Value>) = ("id > $1".to_owned(), vec![after.into()]);
    let given = [
        ("structure", filter.structure.map(|id| id.to_string())),
        ("state", filter.state.map(|state| state.text().to_owned())),
        ("file", filter.file.map(|id| id.to_string())),
    ];
    for (column, value) in given {
        if let Some(value) = value {
            values.push(value.into());
            let _ = write!(rest, " AND {column} = ${}", values.len());
        }
    }
    let _ = write!(rest, " ORDER BY id LIMIT {limit}");
    many(connection, &rest, values).await
}

/// How many orders the bank has rejected, and how many instalments have more than one paid order.
///
/// # Errors
/// The database's.
pub async fn counted<C: ConnectionTrait>(connection: &C) -> Result<(i64, i64), Failure> {
    let row = sql::one(
        connection,
        "SELECT (SELECT COUNT(*) FROM payment_orders WHERE state = 'rejected') AS rejected,
           (SELECT COUNT(*) FROM (SELECT instalment FROM payment_orders WHERE state = 'paid'
              GROUP BY instalment HAVING COUNT(*) > 1) d) AS doubled",
        [],
    )
    .await?;
    let Some(row) = row else { return Ok((0, 0)) };
    Ok((row.try_get("", "rejected")?, row.try_get("", "doubled")?))
}

/// Writes what a decision made of orders.
///
/// # Errors
/// Aborted where one has changed since.
pub async fn apply(tx: &Tx, call: &Call, convention: &Convention, change: &OrderChange) -> Result<(), Failure> {
    let now = sql::instant(call.moment.now);
    let (order, from, to, file, reason) = match change {
        OrderChange::Release { order, instalment, cents } => {
            sql::execute(
                tx,
                "INSERT INTO payment_orders (id, instalment, convention, structure, amount, state, released_at)
                 VALUES ($1, $2, $3, $4, $5, 'ready', $6)",
                [
                    order.to_string().into(),
                    instalment.to_string().into(),
                    convention.id.to_string().into(),
                    convention.structure.to_string().into(),
                    cents.0.into(),
                    now.into(),
                ],
            )
            .await?;
            return Ok(());
        }
        OrderChange::Withdraw { order } => (order, State::Ready, State::Withdrawn, None, None),
        OrderChange::Send { order, file } => (order, State::Ready, State::Sent, Some(file.to_string()), None),
        OrderChange::Settle { order } => (order, State::Sent, State::Paid, None, None),
        OrderChange::Reject { order, reason } => (order, State::Sent, State::Rejected, None, Some(reason.clone())),
    };
    let answered = matches!(to, State::Paid | State::Rejected).then_some(now);
    let done = sql::execute(
        tx,
        "UPDATE payment_orders SET state = $3, file = COALESCE($4, file), reason = $5, answered_at = $6
         WHERE id = $1 AND state = $2",
        [order.to_string().into(), from.text().into(), to.text().into(), file.into(), reason.into(), answered.into()],
    )
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::stale(&order.name()).into()) }
}
