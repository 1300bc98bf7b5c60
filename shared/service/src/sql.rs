//! Statements with numbered parameters (`$1`), which both databases understand, and instants as they are stored.
//!
//! Storage is written with sea-orm's statements and `FromQueryResult` rows rather than with its entities: upserts,
//! partial indexes, row locks and `RETURNING` are said once, the same for both databases, and cost less than the
//! builder on the tables that every command touches.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use conum_kernel::Error;
use jiff::{Timestamp, civil::Date};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, FromQueryResult, QueryResult, Statement, Value};

use crate::Failure;

/// Runs a statement.
///
/// # Errors
/// The database's.
pub async fn execute<C: ConnectionTrait>(
    connection: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<ExecResult, DbErr> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await
}

/// The rows of a query.
///
/// # Errors
/// The database's.
pub async fn all<C: ConnectionTrait>(
    connection: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.query_all_raw(statement).await
}

/// The first row of a query.
///
/// # Errors
/// The database's.
pub async fn one<C: ConnectionTrait>(
    connection: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<Option<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.query_one_raw(statement).await
}

/// Statements that are run one after the other and whose answers nobody needs.
#[derive(Debug, Default)]
pub struct Script {
    statements: Vec<(Cow<'static, str>, Vec<Value>)>,
}

impl Script {
    /// Adds a statement with parameters of its own, from `$1`.
    pub fn add(&mut self, sql: impl Into<Cow<'static, str>>, values: impl IntoIterator<Item = Value>) {
        self.statements.push((sql.into(), values.into_iter().collect()));
    }

    /// Runs the statements in their order.
    ///
    /// # Errors
    /// The database's, at the first statement that it refuses.
    pub async fn run<C: ConnectionTrait>(self, connection: &C) -> Result<(), DbErr> {
        for (sql, values) in self.statements {
            execute(connection, &sql, values).await?;
        }
        Ok(())
    }
}

/// An instant as databases keep it.
#[must_use]
pub fn instant(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.as_microsecond()).unwrap_or_default()
}

/// An instant read back.
#[must_use]
pub fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_microsecond(at.timestamp_micros()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A calendar day as databases keep it.
#[must_use]
pub fn day(date: Date) -> NaiveDate {
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    NaiveDate::from_ymd_opt(i32::from(date.year()), u32::from(month), u32::from(day)).unwrap_or_default()
}

/// A calendar day read back.
///
/// # Errors
/// Internal where the database holds a day that no calendar of ours has.
pub fn date(day: NaiveDate) -> Result<Date, Error> {
    day.to_string().parse().map_err(Error::internal)
}

/// A list of parameters `$from, …` for `IN (…)`.
#[must_use]
pub fn parameters(from: usize, count: usize) -> String {
    let list: Vec<_> = (from..from + count).map(|n| format!("${n}")).collect();
    list.join(", ")
}

/// The rows of a query, read as `T`.
///
/// # Errors
/// The database's.
pub async fn rows<T: FromQueryResult, C: ConnectionTrait>(
    connection: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<Vec<T>, DbErr> {
    let rows = all(connection, sql, values).await?;
    rows.iter().map(|row| T::from_query_result(row, "")).collect()
}

/// A connection that gives the rows of a query one after the other: on SQLite a whole table is held once, as what it is
/// read into.
#[async_trait::async_trait]
pub trait Rows: ConnectionTrait {
    /// Gives every row to `take`, until it refuses one.
    ///
    /// # Errors
    /// The database's, and what `take` refuses.
    async fn each_raw(
        &self,
        statement: Statement,
        take: &mut (dyn FnMut(QueryResult) -> Result<(), DbErr> + Send),
    ) -> Result<(), DbErr>;
}

/// Every row of a query that answers many, read as `T` and as what it stands for.
///
/// # Errors
/// The database's; what cannot be read.
pub async fn every<T: FromQueryResult, U: Send, C: Rows>(
    connection: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
    mut into: impl FnMut(T) -> Result<U, Error> + Send,
) -> Result<Vec<U>, Failure> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let (mut all, mut refused) = (Vec::new(), None);
    let mut take = |row: QueryResult| match into(T::from_query_result(&row, "")?) {
        Ok(one) => {
            all.push(one);
            Ok(())
        }
        Err(error) => {
            refused = Some(error);
            Err(DbErr::Custom("a row cannot be read".into()))
        }
    };
    let read = connection.each_raw(statement, &mut take).await;
    if let Some(error) = refused {
        return Err(error.into());
    }
    read?;
    Ok(all)
}

/// The first row of a query, read as `T`.
///
/// # Errors
/// The database's.
pub async fn row<T: FromQueryResult, C: ConnectionTrait>(
    connection: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<Option<T>, DbErr> {
    one(connection, sql, values).await?.map(|row| T::from_query_result(&row, "")).transpose()
}

/// Reads what the service wrote itself: an id, a state, a document.
///
/// # Errors
/// Internal where the database holds something else.
pub fn read<T, E>(value: Result<T, E>) -> Result<T, Error> {
    value.map_err(|_| Error::internal("a stored value cannot be read"))
}

/// Holds a name until the transaction ends, so that two commands that look for the same thing before they write it come
/// one after the other: PostgreSQL's advisory lock; SQLite's one writer needs none. Names are held in their order.
///
/// # Errors
/// The database's.
pub async fn hold<C: ConnectionTrait>(transaction: &C, name: &str) -> Result<(), DbErr> {
    if is_postgres(transaction) {
        execute(transaction, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [name.into()]).await?;
    }
    Ok(())
}

/// Whether several processes may use the database at once, over connections; SQLite is one process's.
#[must_use]
pub fn is_postgres<C: ConnectionTrait>(connection: &C) -> bool {
    connection.get_database_backend() == DbBackend::Postgres
}

/// The end of a query that locks its rows: PostgreSQL's; SQLite's one writer needs none.
#[must_use]
pub fn for_update<C: ConnectionTrait>(connection: &C) -> &'static str {
    if is_postgres(connection) { " FOR UPDATE" } else { "" }
}

/// Locks the rows of a query; SQLite's one writer needs it not.
///
/// # Errors
/// The database's.
pub async fn lock<C: ConnectionTrait>(
    connection: &C,
    sql: &str,
    values: impl IntoIterator<Item = Value> + Send,
) -> Result<(), DbErr> {
    if is_postgres(connection) {
        all(connection, &format!("{sql}{}", for_update(connection)), values).await?;
    }
    Ok(())
}
