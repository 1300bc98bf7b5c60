//! SQLite, in the process that asks: a statement runs where it is called, as a function does.
//!
//! A statement on a local file takes microseconds; handing it to another thread and waiting for its answer takes tens of
//! them, for each of the dozen statements of a command. So SQLite is called through rusqlite in the caller's own task,
//! and gives sea-orm its rows as a proxy does. Each statement counts against the task's budget, so that a long command
//! lets the others run.

use std::{
    cell::Cell,
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rusqlite::{
    CachedStatement, OpenFlags, ToSql,
    config::DbConfig,
    types::{Null, ToSqlOutput, ValueRef},
};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, ProxyExecResult, ProxyRow, QueryResult, RuntimeErr, Statement, Value,
};

use crate::threads::{self, Aside};

/// What the URL of a SQLite file begins with.
pub(crate) const SCHEME: &str = "sqlite:";
/// How many statements a connection keeps prepared.
const PREPARED: usize = 256;
/// How long a connection waits for another process that writes.
const BUSY: std::time::Duration = std::time::Duration::from_secs(10);
/// How many steps of SQLite's machine a statement takes before its thread may offer the processor: some ten microseconds.
const STEPS: i32 = 500;
/// How many pages the write-ahead log may hold before they are brought home.
const LOG: u32 = 4_000;
/// How many before the writer does it itself: more is written than is brought home meanwhile.
const FULL_LOG: u32 = 4 * LOG;

thread_local! {
    /// How many pages the write-ahead log held at this thread's last commit.
    static PAGES: Cell<u32> = const { Cell::new(0) };
}

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
}

/// One connection to a SQLite file.
#[derive(Debug)]
pub struct Connection(Mutex<Open>);

#[derive(Debug)]
struct Open {
    connection: rusqlite::Connection,
    /// The columns of the queries that are kept prepared.
    columns: HashMap<String, Arc<[Column]>>,
}

/// A column of a query.
#[derive(Debug)]
struct Column {
    index: usize,
    name: String,
    kind: Kind,
}

impl Connection {
    /// Opens the file of a URL (`sqlite:///path/file.db`), made where there is none.
    pub(crate) fn open(url: &str, mode: Mode) -> Result<Self, DbErr> {
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
            let connection = rusqlite::Connection::open_with_flags(file(url), flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(BUSY)?;
            connection.set_prepared_statement_cache_capacity(PREPARED);
            // A plan does not depend on values: a statement is prepared once.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            connection.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                 PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;",
            )?;
            connection.pragma_update(None, "query_only", mode == Mode::Read)?;
            // In place of SQLite's own hook, which would bring pages home within a commit.
            connection.wal_hook(Some(|_, pages| {
                PAGES.set(u32::try_from(pages).unwrap_or(u32::MAX));
                Ok(())
            }));
            connection.progress_handler(
                STEPS,
                Some(|| {
                    threads::breathe();
                    false
                }),
            )?;
            Ok(connection)
        };
        open()
            .map(|connection| Self(Mutex::new(Open { connection, columns: HashMap::new() })))
            .map_err(|error: rusqlite::Error| DbErr::Conn(RuntimeErr::Internal(error.to_string())))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs statements without parameters that answer nothing: `BEGIN`, `SAVEPOINT …`.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), DbErr> {
        self.lock().connection.execute_batch(sql).map_err(|error| refused(&error))
    }

    /// How many rows were written since it was opened, what was undone included.
    pub(crate) fn changes(&self) -> u64 {
        self.lock().connection.total_changes()
    }

    /// Whether no transaction is open: SQLite ends one by itself where the disk is full or broken.
    pub(crate) fn is_idle(&self) -> bool {
        self.lock().connection.is_autocommit()
    }

    /// Brings home the pages of the write-ahead log, as far as nobody reads older ones. Who writes meanwhile is not held up.
    fn checkpoint(&self) -> Result<(), DbErr> {
        self.batch("PRAGMA wal_checkpoint(PASSIVE)")
    }

    fn run<T>(
        &self,
        name: &'static str,
        statement: &Statement,
        run: impl FnOnce(CachedStatement<'_>, &mut HashMap<String, Arc<[Column]>>) -> rusqlite::Result<T>,
    ) -> Result<T, DbErr> {
        threads::breathe();
        let operation = statement.sql.split_whitespace().next().unwrap_or_default();
        let span = tracing::info_span!(
            "sqlite",
            otel.name = name,
            otel.kind = "client",
            db.system = "sqlite",
            db.operation = operation,
            otel.status_code = tracing::field::Empty,
        );
        let _entered = span.enter();
        let Open { connection, columns } = &mut *self.lock();
        let values = statement.values.as_ref().map_or(&[][..], |values| &values.0);
        let answer = connection.prepare_cached(&statement.sql).and_then(|mut prepared| {
            bind(&mut prepared, values)?;
            run(prepared, columns)
        });
        if answer.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        answer.map_err(|error| refused(&error))
    }

    fn rows(&self, name: &'static str, statement: &Statement, most: usize) -> Result<Vec<QueryResult>, DbErr> {
        let mut answer = Vec::new();
        let mut take = |row| {
            answer.push(row);
            Ok(())
        };
        self.each(name, statement, most, &mut take)?;
        Ok(answer)
    }

    /// Reads at most so many rows, one after the other.
    fn each(
        &self,
        name: &'static str,
        statement: &Statement,
        most: usize,
        take: &mut dyn FnMut(QueryResult) -> Result<(), DbErr>,
    ) -> Result<(), DbErr> {
        let mut taken = Ok(());
        self.run(name, statement, |mut prepared, known| {
            let columns = columns(&prepared, &statement.sql, known);
            let (mut count, mut rows) = (0, prepared.raw_query());
            while taken.is_ok()
                && count < most
                && let Some(row) = rows.next()?
            {
                let value = |Column { index, name, kind }: &Column| {
                    let value = row.get_ref(*index).map(|value| kind.read(value));
                    value.map(|value| Some((name.clone(), value?))).transpose()
                };
                let values = columns.iter().filter_map(value).collect::<rusqlite::Result<_>>()?;
                taken = take(ProxyRow { values }.into());
                count += 1;
            }
            Ok(())
        })?;
        taken
    }

    /// Reads every row.
    pub(crate) fn every(
        &self,
        statement: &Statement,
        take: &mut dyn FnMut(QueryResult) -> Result<(), DbErr>,
    ) -> Result<(), DbErr> {
        self.each("sea_orm.query_all", statement, usize::MAX, take)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Connection {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        tokio::task::coop::consume_budget().await;
        let changed = self.run("sea_orm.execute", &statement, |mut prepared, _| prepared.raw_execute())?;
        Ok(ProxyExecResult { last_insert_id: 0, rows_affected: u64::try_from(changed).unwrap_or(u64::MAX) }.into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.batch(sql)?;
        Ok(ProxyExecResult::default().into())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        tokio::task::coop::consume_budget().await;
        Ok(self.rows("sea_orm.query_one", &statement, 1)?.pop())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        tokio::task::coop::consume_budget().await;
        self.rows("sea_orm.query_all", &statement, usize::MAX)
    }
}

/// Brings home the pages of the write-ahead log in a thread of its own: a page is written twice and the file is synced, which
/// takes as long as some tens of commits. The thread ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    connection: Arc<Connection>,
    wake: mpsc::SyncSender<()>,
}

impl Checkpoints {
    pub(crate) fn start(url: &str) -> Result<Self, DbErr> {
        let connection = Arc::new(Connection::open(url, Mode::Write)?);
        let (wake, woken) = mpsc::sync_channel(1);
        let own = connection.clone();
        let work = move || {
            while woken.recv().is_ok() {
                note(own.checkpoint());
            }
        };
        threads::spawn("sqlite-checkpoint", Aside::ForReaders, work).map_err(|error| no_thread(&error))?;
        Ok(Self { connection, wake })
    }

    /// After a commit of this thread's: sees to it that the log does not grow without end.
    pub(crate) fn committed(&self) {
        match PAGES.get() {
            // Waits for the one that is under way, and brings home what came after.
            FULL_LOG.. => note(self.connection.checkpoint()),
            // Where one is under way already, a later commit asks again.
            LOG.. => drop(self.wake.try_send(())),
            _ => {}
        }
    }
}

/// That a thread could not be made.
pub(crate) fn no_thread(error: &std::io::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(error.to_string()))
}

/// A log that is not brought home is still whole: the next commit tries again.
fn note(checkpoint: Result<(), DbErr>) {
    if let Err(error) = checkpoint {
        tracing::warn!(%error, "the write-ahead log could not be brought home");
    }
}

/// Connections to read from: as many as there are threads that read at the same time.
#[derive(Debug)]
pub struct Readers {
    url: String,
    idle: Mutex<Vec<Arc<Connection>>>,
}

impl Readers {
    pub(crate) fn open(url: &str) -> Result<Self, DbErr> {
        let first = Arc::new(Connection::open(url, Mode::Read)?);
        Ok(Self { url: url.to_owned(), idle: Mutex::new(vec![first]) })
    }

    /// Reads with a connection that nobody else reads with.
    fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, DbErr>) -> Result<T, DbErr> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| Connection::open(&self.url, Mode::Read).map(Arc::new), Ok)?;
        let answer = read(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        answer
    }

    /// Reads every row.
    pub(crate) fn every(
        &self,
        statement: &Statement,
        take: &mut dyn FnMut(QueryResult) -> Result<(), DbErr>,
    ) -> Result<(), DbErr> {
        self.with(|connection| connection.every(statement, take))
    }

    /// A connection of one's own.
    pub(crate) fn another(&self) -> Result<Connection, DbErr> {
        Connection::open(&self.url, Mode::Read)
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Readers {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.with(|connection| {
            connection.run("sea_orm.execute", &statement, |mut prepared, _| prepared.raw_execute())
        })?;
        Ok(ProxyExecResult::default().into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.with(|connection| connection.batch(sql))?;
        Ok(ProxyExecResult::default().into())
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        tokio::task::coop::consume_budget().await;
        Ok(self.with(|connection| connection.rows("sea_orm.query_one", &statement, 1))?.pop())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        tokio::task::coop::consume_budget().await;
        self.with(|connection| connection.rows("sea_orm.query_all", &statement, usize::MAX))
    }
}

/// The URL of a SQLite file.
#[must_use]
pub fn url(file: &Path) -> String {
    format!("{SCHEME}//{}", file.display())
}

/// The file of a URL. What may follow it (`?mode=rwc`) says what is done anyway.
fn file(url: &str) -> &str {
    let path = url.strip_prefix(SCHEME).unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// What SQLite said.
fn refused(error: &rusqlite::Error) -> DbErr {
    DbErr::Query(RuntimeErr::Internal(error.to_string()))
}

/// Gives each parameter `$n` the n-th value.
fn bind(prepared: &mut rusqlite::Statement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    for place in 1..=prepared.parameter_count() {
        let number = prepared.parameter_name(place).and_then(|name| name.get(1..)?.parse().ok()).unwrap_or(place);
        let missing = || rusqlite::Error::InvalidParameterCount(values.len(), number);
        let value = number.checked_sub(1).and_then(|index| values.get(index)).ok_or_else(missing)?;
        prepared.raw_bind_parameter(place, Parameter(value))?;
    }
    Ok(())
}

/// A value as SQLite keeps it: instants (RFC 3339) and days as text.
struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Bool(Some(value)) => i64::from(*value).into(),
            Value::SmallInt(Some(value)) => i64::from(*value).into(),
            Value::Int(Some(value)) => i64::from(*value).into(),
            Value::BigInt(Some(value)) => (*value).into(),
            Value::Unsigned(Some(value)) => i64::from(*value).into(),
            Value::Double(Some(value)) => (*value).into(),
            Value::String(Some(value)) => value.as_str().into(),
            Value::Bytes(Some(value)) => value.as_slice().into(),
            Value::ChronoDate(Some(value)) => value.to_string().into(),
            Value::ChronoDateTimeUtc(Some(value)) => value.to_rfc3339_opts(SecondsFormat::AutoSi, false).into(),
            Value::BigUnsigned(Some(value)) => {
                let value = i64::try_from(*value);
                value.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?.into()
            }
            value if *value == value.as_null() => Null.into(),
            _ => return Err(rusqlite::Error::ToSqlConversionFailure("no such values are kept in SQLite".into())),
        })
    }
}

/// What a column was declared as, which says what its values are read as. An expression is declared as nothing: whole
/// numbers are read as `i64`.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Boolean,
    Integer,
    Day,
    Instant,
    AsStored,
}

/// The columns of a query, by name, as a row is read.
fn columns(prepared: &rusqlite::Statement<'_>, sql: &str, known: &mut HashMap<String, Arc<[Column]>>) -> Arc<[Column]> {
    if let Some(columns) = known.get(sql) {
        return columns.clone();
    }
    let column = |(index, column): (usize, rusqlite::Column<'_>)| {
        let kind = match column.decl_type() {
            Some("boolean") => Kind::Boolean,
            // SQLite writes its own types in capitals.
            Some("INTEGER") => Kind::Integer,
            Some("date_text") => Kind::Day,
            Some("timestamp_with_timezone_text") => Kind::Instant,
            _ => Kind::AsStored,
        };
        Column { index, name: column.name().to_owned(), kind }
    };
    let mut columns: Vec<_> = prepared.columns().into_iter().enumerate().map(column).collect();
    columns.sort_by(|one, other| one.name.cmp(&other.name));
    let columns: Arc<[Column]> = columns.into();
    if known.len() >= PREPARED {
        known.clear();
    }
    known.insert(sql.to_owned(), columns.clone());
    columns
}

impl Kind {
    /// A value of such a column; `None` where it is absent, or not what the column was declared as.
    fn read(self, value: ValueRef<'_>) -> Option<Value> {
        let text = || value.as_str().ok();
        Some(match (self, value) {
            (_, ValueRef::Null) => return None,
            (Self::Boolean, ValueRef::Integer(value)) => Value::from(value != 0),
            (Self::Integer, ValueRef::Integer(value)) => Value::from(i32::try_from(value).ok()?),
            (Self::Day, _) => Value::from(text()?.parse::<NaiveDate>().ok()?),
            (Self::Instant, _) => Value::from(text()?.parse::<DateTime<Utc>>().ok()?),
            (_, ValueRef::Integer(value)) => Value::from(value),
            (_, ValueRef::Real(value)) => Value::from(value),
            (_, ValueRef::Text(_)) => Value::from(text()?),
            (_, ValueRef::Blob(value)) => Value::from(value.to_vec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, sql};

    #[tokio::test(flavor = "multi_thread")]
    async fn the_log_is_brought_home_while_somebody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.db");
        let store = Store::open(&url(&file)).await.unwrap();
        let create = "CREATE TABLE written (number bigint NOT NULL, text text NOT NULL)";
        let made =
            store.write(move |tx| Box::pin(async move { Ok(sql::execute(tx, create, []).await?.rows_affected()) }));
        made.await.unwrap();
        // Twice as much as the log may hold, in commits of a sixteenth of it each.
        let text = "x".repeat(4096 * usize::try_from(FULL_LOG / 16).unwrap());
        for number in 0..32_i64 {
            let text = text.clone();
            let insert = "INSERT INTO written (number, text) VALUES ($1, $2)";
            let written = store.write(move |tx| {
                let values = [number.into(), text.clone().into()];
                Box::pin(async move { Ok(sql::execute(tx, insert, values).await?.rows_affected()) })
            });
            assert_eq!(written.await.unwrap(), 1);
        }
        let log = std::fs::metadata(folder.path().join("store.db-wal")).unwrap().len();
        let page = 4096 + 24;
        assert!(log < page * u64::from(FULL_LOG + FULL_LOG / 8), "{log} bytes");
        let count = sql::one(store.read(), "SELECT count(*) AS n FROM written", []).await.unwrap().unwrap();
        assert_eq!(count.try_get::<i64>("", "n").unwrap(), 32);
    }
}
