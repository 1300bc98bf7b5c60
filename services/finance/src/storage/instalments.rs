//! Instalments, and what is counted of them.

use std::fmt::Write as _;

use chrono::NaiveDate;
use conum_kernel::{ApplicationId, Cents, ConventionId, Error, StructureId, policy::words};
use conum_service::{Failure, Tx, sql};
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::{
    convention::Convention,
    holds::HoldReason,
    instalment::{Instalment, State},
};

#[derive(Debug, FromQueryResult)]
struct Row {
    id: String,
    convention: String,
    structure: String,
    application: String,
    post: String,
    number: i32,
    rank: i32,
    recruitment: Option<String>,
    amount: i64,
    cancelled: i64,
    due_on: NaiveDate,
    late_after: Option<NaiveDate>,
    state: String,
    payment_order: Option<String>,
    told: String,
    held_for: String,
    paid_on: Option<NaiveDate>,
    set_off: bool,
}

const COLUMNS: &str =
    "id, convention, structure, application, post, number, rank, recruitment, amount, cancelled, due_on,
    late_after, state, payment_order, told, held_for, paid_on, set_off";

/// An instalment, with whose it is.
#[derive(Clone, Debug)]
pub struct Listed {
    pub convention: ConventionId,
    pub structure: StructureId,
    pub application: ApplicationId,
    pub instalment: Instalment,
}

fn reasons(text: &str) -> Vec<HoldReason> {
    words(text).filter_map(HoldReason::parse).collect()
}

fn text(reasons: &[HoldReason]) -> String {
    let words: Vec<_> = reasons.iter().map(|reason| reason.text()).collect();
    words.join(",")
}

impl TryFrom<Row> for Listed {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let instalment = Instalment {
            id: read(row.id.parse())?,
            post: read(row.post.parse())?,
            number: read(row.number.try_into())?,
            rank: read(row.rank.try_into())?,
            recruitment: row.recruitment.map(|id| read(id.parse())).transpose()?,
            amount: Cents(row.amount),
            cancelled: Cents(row.cancelled),
            due_on: sql::date(row.due_on)?,
            late_after: row.late_after.map(sql::date).transpose()?,
            state: read(State::parse(&row.state).ok_or(()))?,
            order: row.payment_order.map(|id| read(id.parse())).transpose()?,
            told: reasons(&row.told),
            held_for: reasons(&row.held_for),
            paid_on: row.paid_on.map(sql::date).transpose()?,
            set_off: row.set_off,
        };
        Ok(Self {
            convention: read(row.convention.parse())?,
            structure: read(row.structure.parse())?,
            application: read(row.application.parse())?,
            instalment,
        })
    }
}

async fn many<C: ConnectionTrait>(connection: &C, rest: &str, values: Vec<Value>) -> Result<Vec<Listed>, Failure> {
    let query = format!("SELECT {COLUMNS} FROM instalments WHERE {rest}");
    let rows: Vec<Row> = sql::rows(connection, &query, values).await?;
    rows.into_iter().map(|row| Ok(Listed::try_from(row)?)).collect()
}

/// The instalments of a convention, by post and number.
///
/// # Errors
/// The database's.
pub async fn of<C: ConnectionTrait>(connection: &C, convention: ConventionId) -> Result<Vec<Instalment>, Failure> {
    let rest = "convention = $1 ORDER BY post, number";
    let listed = many(connection, rest, vec![convention.to_string().into()]).await?;
    Ok(listed.into_iter().map(|listed| listed.instalment).collect())
}

/// Which instalments of all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub structure: Option<StructureId>,
    /// INSEE code.
    pub department: Option<String>,
    pub convention: Option<ConventionId>,
    pub state: Option<State>,
}

/// Adds a filter's conditions to a query.
fn narrow(filter: &Filter, query: &mut String, values: &mut Vec<Value>) {
    let given = [
        ("structure", filter.structure.map(|id| id.to_string())),
        ("department", filter.department.clone()),
        ("convention", filter.convention.map(|id| id.to_string())),
        ("state", filter.state.map(|state| state.text().to_owned())),
    ];
    for (column, value) in given {
        if let Some(value) = value {
            values.push(value.into());
            let _ = write!(query, " AND {column} = ${}", values.len());
        }
    }
}

/// Instalments after an id, in its order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    filter: &Filter,
    after: &str,
    limit: u64,
) -> Result<Vec<Listed>, Failure> {
    let (mut rest, mut values) = ("id > $1".to_owned(), vec![after.into()]);
    narrow(filter, &mut rest, &mut values);
    let _ = write!(rest, " ORDER BY id LIMIT {limit}");
    many(connection, &rest, values).await
}

/// What is not paid yet, summed by day and state: (day, state, cents, how many).
///
/// # Errors
/// The database's.
pub async fn unpaid<C: ConnectionTrait>(
    connection: &C,
    filter: &Filter,
) -> Result<Vec<(Date, State, Cents, u32)>, Failure> {
    let mut query = "SELECT due_on, state, CAST(SUM(amount) AS bigint) AS cents, COUNT(*) AS count FROM instalments
        WHERE state IN ('to_come', 'due', 'held', 'sent')"
        .to_owned();
    let mut values = vec![];
    narrow(filter, &mut query, &mut values);
    query.push_str(" GROUP BY due_on, state");
    let rows = sql::all(connection, &query, values).await?;
    rows.iter()
        .map(|row| {
            let state = read(State::parse(&row.try_get::<String>("", "state")?).ok_or(()))?;
            let count = read(u32::try_from(row.try_get::<i64>("", "count")?))?;
            Ok((sql::date(row.try_get("", "due_on")?)?, state, Cents(row.try_get("", "cents")?), count))
        })
        .collect()
}

/// How many instalments the bank has paid.
///
/// # Errors
/// The database's.
pub async fn paid<C: ConnectionTrait>(connection: &C) -> Result<i64, Failure> {
    let query = "SELECT COUNT(*) AS count FROM instalments WHERE state = 'paid' AND NOT set_off";
    let row = sql::one(connection, query, []).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "count"))?)
}

/// Writes an instalment, new or changed.
///
/// # Errors
/// The database's.
pub(super) async fn save(tx: &Tx, convention: &Convention, instalment: &Instalment) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO instalments (id, convention, structure, application, department, post, number, rank, recruitment,
           due_on, late_after, set_off, amount, cancelled, state, payment_order, told, held_for, paid_on)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, cancelled = excluded.cancelled,
           state = excluded.state, payment_order = excluded.payment_order, told = excluded.told,
           held_for = excluded.held_for, paid_on = excluded.paid_on",
        [
            instalment.id.to_string().into(),
            convention.id.to_string().into(),
            convention.structure.to_string().into(),
            convention.application.to_string().into(),
            convention.department.clone().into(),
            instalment.post.to_string().into(),
            i64::from(instalment.number).into(),
            i64::from(instalment.rank).into(),
            instalment.recruitment.map(|id| id.to_string()).into(),
            sql::day(instalment.due_on).into(),
            instalment.late_after.map(sql::day).into(),
            instalment.set_off.into(),
            instalment.amount.0.into(),
            instalment.cancelled.0.into(),
            instalment.state.text().into(),
            instalment.order.map(|id| id.to_string()).into(),
            text(&instalment.told).into(),
            text(&instalment.held_for).into(),
            instalment.paid_on.map(sql::day).into(),
        ],
    )
    .await?;
    Ok(())
}
