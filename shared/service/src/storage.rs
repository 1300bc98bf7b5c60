//! A service's own database: SQLite beside the process or PostgreSQL across the network, the same code on both.
//!
//! SQLite has one writer. Commands that wait at the same time share its commit, and are acknowledged after it; where one
//! of them writes and is refused, they run again, each in a savepoint of its own, so that it undoes nothing but itself.
//! PostgreSQL takes a transaction for each command, and decides again on fresh state where another one came first.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use conum_kernel::Error;
use futures::{FutureExt as _, future::BoxFuture};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    IsolationLevel, QueryResult, Statement, TransactionTrait as _,
};
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;

use crate::{
    Failure,
    schema::{self, Tables},
    sql,
    sqlite::{self, Checkpoints, Mode},
    telemetry,
    threads::{self, Aside},
};

/// How often PostgreSQL decides again before the caller is told to.
const RETRIES: u32 = 8;
/// How many commands may share a SQLite commit.
const SHARED_COMMIT: usize = 128;
/// How many shared commits keep commands apart after one that had to run again: somebody who is refused again and again
/// costs the others little.
const APART: u32 = 32;
/// How many commands may wait for SQLite's writer before callers are turned away.
const QUEUE: usize = 4096;

/// The database of a service. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Store {
    readers: Reader,
    writer: Writer,
}

#[derive(Clone, Debug)]
enum Writer {
    /// SQLite: one connection, fed from a queue.
    Queue(mpsc::Sender<Waiting>),
    /// PostgreSQL: any connection of the pool.
    Pool(DatabaseConnection),
}

/// The connections to read from. They see what is committed, and cannot write.
#[derive(Clone, Debug)]
pub enum Reader {
    Sqlite(Arc<sqlite::Readers>),
    Postgres(DatabaseConnection),
}

/// A transaction, or a savepoint in one.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Level),
    Postgres(DatabaseTransaction),
}

/// A transaction of SQLite's, or a savepoint in it.
#[derive(Debug)]
pub struct Level {
    connection: Arc<sqlite::Connection>,
    /// How many savepoints deep. They are named after it, so that the end of one ends those that were left open in it.
    depth: u32,
}

impl Level {
    fn transaction(connection: Arc<sqlite::Connection>) -> Self {
        Self { connection, depth: 0 }
    }

    fn savepoint(&self) -> Result<Self, DbErr> {
        let within = Self { connection: self.connection.clone(), depth: self.depth + 1 };
        within.batch(&format!("SAVEPOINT level_{}", within.depth))?;
        Ok(within)
    }
}

impl std::ops::Deref for Level {
    type Target = sqlite::Connection;

    fn deref(&self) -> &sqlite::Connection {
        &self.connection
    }
}

impl Reader {
    /// A transaction that sees the database as it stands now, whatever is written meanwhile.
    ///
    /// # Errors
    /// The database's.
    pub async fn snapshot(&self) -> Result<Snapshot, DbErr> {
        Ok(Snapshot(match self {
            Self::Sqlite(readers) => {
                let connection = readers.another()?;
                connection.batch("BEGIN")?;
                Tx::Sqlite(Level::transaction(Arc::new(connection)))
            }
            Self::Postgres(pool) => {
                Tx::Postgres(pool.begin_with_config(Some(IsolationLevel::RepeatableRead), None).await?)
            }
        }))
    }
}

/// What a reader sees at one moment. It ends when it is dropped.
#[derive(Debug)]
pub struct Snapshot(Tx);

impl std::ops::Deref for Snapshot {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.0
    }
}

impl Tx {
    /// A transaction within this one: what it writes is undone by itself.
    ///
    /// # Errors
    /// The database's.
    pub async fn savepoint(&self) -> Result<Self, DbErr> {
        match self {
            Self::Sqlite(level) => Ok(Self::Sqlite(level.savepoint()?)),
            Self::Postgres(transaction) => Ok(Self::Postgres(transaction.begin().await?)),
        }
    }

    /// Keeps what the savepoint wrote.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(level) => level.batch(&format!("RELEASE level_{}", level.depth)),
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Undoes what the savepoint wrote.
    ///
    /// # Errors
    /// The database's.
    pub async fn undo(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(level) => level.batch(&format!("ROLLBACK TO level_{0}; RELEASE level_{0}", level.depth)),
            Self::Postgres(transaction) => transaction.rollback().await,
        }
    }
}

/// Both databases take the same statements.
macro_rules! connection {
    ($type:ty) => {
        #[async_trait::async_trait]
        impl ConnectionTrait for $type {
            fn get_database_backend(&self) -> DbBackend {
                match self {
                    Self::Sqlite(_) => DbBackend::Sqlite,
                    Self::Postgres(_) => DbBackend::Postgres,
                }
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                match self {
                    Self::Sqlite(connection) => connection.execute_raw(statement).await,
                    Self::Postgres(connection) => connection.execute_raw(statement).await,
                }
            }

            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                match self {
                    Self::Sqlite(connection) => connection.execute_unprepared(sql).await,
                    Self::Postgres(connection) => connection.execute_unprepared(sql).await,
                }
            }

            async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
                match self {
                    Self::Sqlite(connection) => connection.query_one_raw(statement).await,
                    Self::Postgres(connection) => connection.query_one_raw(statement).await,
                }
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                match self {
                    Self::Sqlite(connection) => connection.query_all_raw(statement).await,
                    Self::Postgres(connection) => connection.query_all_raw(statement).await,
                }
            }
        }

        #[async_trait::async_trait]
        impl sql::Rows for $type {
            async fn each_raw(
                &self,
                statement: Statement,
                take: &mut (dyn FnMut(QueryResult) -> Result<(), DbErr> + Send),
            ) -> Result<(), DbErr> {
                match self {
                    Self::Sqlite(connection) => connection.every(&statement, take),
                    Self::Postgres(connection) => {
                        connection.query_all_raw(statement).await?.into_iter().try_for_each(take)
                    }
                }
            }
        }
    };
}

connection!(Reader);
connection!(Tx);

impl Store {
    /// Opens the database at a URL: `sqlite:///path/file.db` (made where there is none) or `postgres://…`.
    ///
    /// # Errors
    /// Unavailable where it cannot be reached.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::connect(url).await.map_err(|error| Failure::from(error).into_error())
    }

    async fn connect(url: &str) -> Result<Self, DbErr> {
        if url.starts_with(sqlite::SCHEME) {
            let writer = Arc::new(sqlite::Connection::open(url, Mode::Write)?);
            let readers = Reader::Sqlite(Arc::new(sqlite::Readers::open(url)?));
            let (sender, receiver) = mpsc::channel(QUEUE);
            // A thread of its own: a long transaction and the wait for the disk hold up nobody who reads.
            let runtime = tokio::runtime::Handle::current();
            let checkpoints = Checkpoints::start(url)?;
            let write = move || runtime.block_on(write_queue(writer, checkpoints, receiver));
            threads::spawn("sqlite-writer", Aside::ForReaders, write).map_err(|error| sqlite::no_thread(&error))?;
            Ok(Self { readers, writer: Writer::Queue(sender) })
        } else {
            let pool = Database::connect(postgres(url, 16)).await?;
            Ok(Self { readers: Reader::Postgres(pool.clone()), writer: Writer::Pool(pool) })
        }
    }

    /// Brings the tables that every service has, and a service's own, up to date.
    ///
    /// # Errors
    /// Internal where a migration fails.
    pub async fn migrate(url: &str, tables: &'static [Tables]) -> Result<(), Error> {
        let run = async {
            if url.starts_with(sqlite::SCHEME) {
                let connection = Arc::new(sqlite::Connection::open(url, Mode::Write)?);
                connection.batch("BEGIN IMMEDIATE")?;
                schema::bring_up(&Tx::Sqlite(Level::transaction(connection.clone())), tables).await?;
                connection.batch("COMMIT")
            } else {
                let connection = Database::connect(postgres(url, 1)).await?;
                let tx = Tx::Postgres(connection.begin().await?);
                schema::bring_up(&tx, tables).await?;
                tx.keep().await?;
                connection.close().await
            }
        };
        run.await.map_err(|error| Failure::from(error).into_error())
    }

    /// The connections to read from. They see what is committed, and cannot write.
    #[must_use]
    pub fn read(&self) -> &Reader {
        &self.readers
    }

    /// Runs `op` in a transaction of its own, and answers once what it wrote is durable. `op` may run several times; it
    /// must do nothing but read and write through the transaction it is given.
    ///
    /// # Errors
    /// What `op` refuses; Aborted where races never end; unavailable where the database is.
    pub async fn write<T, F>(&self, op: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, Failure>> + Send + Sync + 'static,
    {
        self.through(op, End::Commit).await
    }

    /// Runs `op` as [`write`](Self::write) does, answers what it answers, and undoes all that it wrote.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    pub async fn rehearse<T, F>(&self, op: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, Failure>> + Send + Sync + 'static,
    {
        self.through(op, End::RollBack).await
    }

    async fn through<T, F>(&self, op: F, end: End) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, Failure>> + Send + Sync + 'static,
    {
        match &self.writer {
            Writer::Queue(queue) => {
                let (answer, answered) = oneshot::channel();
                let waiting = Waiting {
                    command: Box::new(Command { op, answer, outcome: None }),
                    end,
                    span: tracing::Span::current(),
                    trace: telemetry::traceparent(),
                };
                queue.try_send(waiting).map_err(|_| {
                    Error::exhausted("WRITE_QUEUE_FULL", "too many writes are waiting", "trop d'écritures en attente")
                        .retry_after(Duration::from_secs(1))
                })?;
                answered.await.map_err(|_| Error::unavailable("the writer has stopped"))?
            }
            Writer::Pool(pool) => retried(pool, op, end).await,
        }
    }
}

fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
    options
}

/// How the transaction of a command that went well ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Commit,
    RollBack,
}

impl End {
    async fn of(self, tx: Tx) -> Result<(), DbErr> {
        match self {
            Self::Commit => tx.keep().await,
            Self::RollBack => tx.undo().await,
        }
    }
}

/// A command that waits for SQLite's writer.
struct Waiting {
    command: Box<dyn Run>,
    end: End,
    span: tracing::Span,
    /// The trace of the call, for what it writes.
    trace: String,
}

impl Waiting {
    async fn run(&mut self, tx: &Tx) -> bool {
        let run = self.command.run(tx).instrument(self.span.clone());
        telemetry::carry(self.trace.clone(), run).await
    }
}

/// What the writer does with a command, whatever it answers.
trait Run: Send {
    /// Runs it, anew where it ran before. Answers false where it is refused.
    fn run<'t>(&'t mut self, tx: &'t Tx) -> BoxFuture<'t, bool>;

    /// Tells who waits for it what came of it, once the fate of the commit is known.
    fn acknowledge(self: Box<Self>, committed: Result<(), Error>);
}

struct Command<T, F> {
    op: F,
    answer: oneshot::Sender<Result<T, Failure>>,
    /// Of its last run.
    outcome: Option<Result<T, Failure>>,
}

impl<T, F> Run for Command<T, F>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, Failure>> + Send + Sync + 'static,
{
    fn run<'t>(&'t mut self, tx: &'t Tx) -> BoxFuture<'t, bool> {
        let run = async {
            // Nobody waits any more: the caller's deadline has passed.
            if self.answer.is_closed() {
                return true;
            }
            let outcome = AssertUnwindSafe((self.op)(tx)).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("a command panicked").into()));
            self.outcome.insert(outcome).is_ok()
        };
        run.boxed()
    }

    fn acknowledge(self: Box<Self>, committed: Result<(), Error>) {
        let outcome = match self.outcome {
            Some(Err(failure)) => Err(failure),
            Some(Ok(value)) => committed.map(|()| value).map_err(Failure::from),
            None => Err(committed.err().unwrap_or_else(|| Error::unavailable("it did not run")).into()),
        };
        let _ = self.answer.send(outcome);
    }
}

/// SQLite's one writer: takes what waits, runs it in one transaction, commits, then acknowledges.
async fn write_queue(
    connection: Arc<sqlite::Connection>,
    checkpoints: Checkpoints,
    mut queue: mpsc::Receiver<Waiting>,
) {
    let mut apart = 0;
    while let Some(first) = queue.recv().await {
        let mut commands = vec![first];
        let mut is_kept =
            if apart == 0 { share(&connection, &mut commands, &mut queue, false).await } else { Ok(false) };
        if matches!(is_kept, Ok(false)) {
            apart = if apart == 0 { APART } else { apart - 1 };
            is_kept = share(&connection, &mut commands, &mut queue, true).await;
        }
        let committed = is_kept.map(|_| ()).map_err(|error| Failure::from(error).into_error());
        for waiting in commands {
            waiting.command.acknowledge(committed.clone());
        }
        checkpoints.committed();
    }
}

/// Runs commands in one transaction, and takes more while it runs; each in a savepoint of its own where they are kept
/// apart. Answers false, with nothing written, where they are not and one was refused after it had written.
async fn share(
    connection: &Arc<sqlite::Connection>,
    commands: &mut Vec<Waiting>,
    queue: &mut mpsc::Receiver<Waiting>,
    apart: bool,
) -> Result<bool, DbErr> {
    let tx = Tx::Sqlite(Level::transaction(connection.clone()));
    let run = async {
        connection.batch("BEGIN IMMEDIATE")?;
        let mut next = 0;
        while let Some(waiting) = commands.get_mut(next) {
            if apart || waiting.end == End::RollBack {
                let savepoint = tx.savepoint().await?;
                let end = if waiting.run(&savepoint).await { waiting.end } else { End::RollBack };
                end.of(savepoint).await?;
            } else {
                let before = connection.changes();
                if !waiting.run(&tx).await && connection.changes() != before {
                    return Ok(false);
                }
            }
            next += 1;
            if next == commands.len() && next < SHARED_COMMIT {
                commands.extend(queue.try_recv().ok());
            }
            // Where the disk is full or broken, SQLite has ended the transaction itself, and keeps nothing of it.
            if connection.is_idle() {
                break;
            }
        }
        connection.batch("COMMIT").map(|()| true)
    };
    let is_kept = run.await;
    if !connection.is_idle() {
        connection.batch("ROLLBACK")?;
    }
    is_kept
}

/// Runs a command on PostgreSQL, again where a race was lost.
async fn retried<T, F>(pool: &DatabaseConnection, op: F, end: End) -> Result<T, Failure>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, Failure>> + Send + Sync,
{
    let mut attempt = 0;
    loop {
        let outcome = async {
            let tx = Tx::Postgres(pool.begin().await?);
            match op(&tx).await {
                Ok(value) => end.of(tx).await.map(|()| value).map_err(Failure::from),
                Err(failure) => {
                    tx.undo().await?;
                    Err(failure)
                }
            }
        };
        match outcome.await {
            Err(failure) if failure.is_race() && attempt < RETRIES => {
                attempt += 1;
                // With jitter, two losers of one race do not meet again at once.
                let wait = u64::from(attempt) * 3 + conum_kernel::id::jitter(8);
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
            Err(failure) if failure.is_race() => {
                let error = Failure::into_error(failure);
                return Err(Error::stale("the record").because(error).into());
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    /// What a command does after it has written its number.
    #[derive(Clone, Copy, Debug)]
    enum Then {
        GoesWell,
        IsRefused,
        Panics,
        PanicsWithin,
    }

    async fn insert(tx: &Tx, number: i64, then: Then) -> Result<i64, Failure> {
        sql::execute(tx, "INSERT INTO written (number) VALUES ($1)", [number.into()]).await?;
        match then {
            Then::GoesWell => Ok(number),
            Then::IsRefused => Err(Error::not_found("numbers/any").into()),
            Then::Panics => panic!("on purpose"),
            Then::PanicsWithin => {
                let savepoint = tx.savepoint().await?;
                sql::execute(&savepoint, "INSERT INTO written (number) VALUES ($1)", [(-number).into()]).await?;
                panic!("on purpose, with a savepoint open")
            }
        }
    }

    async fn written(store: &Store) -> Vec<i64> {
        let rows = sql::all(store.read(), "SELECT number FROM written ORDER BY number", []).await.unwrap();
        rows.iter().map(|row| row.try_get("", "number").unwrap()).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn commands_that_share_a_commit_undo_nothing_but_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&sqlite::url(&folder.path().join("store.db"))).await.unwrap();
        let create = "CREATE TABLE written (number bigint PRIMARY KEY)";
        store
            .write(move |tx| Box::pin(async move { Ok(tx.execute_unprepared(create).await.map(drop)?) }))
            .await
            .unwrap();

        // The first one holds up the writer until all of them wait.
        let (gate, runs) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU32::new(0)));
        let (opened, counted) = (gate.clone(), runs.clone());
        let first = store.write(move |tx| {
            let (gate, runs) = (opened.clone(), counted.clone());
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                runs.fetch_add(1, Ordering::Relaxed);
                insert(tx, 0, Then::GoesWell).await
            })
        });
        let one = |(number, then)| store.write(move |tx| Box::pin(insert(tx, number, then)));
        let others = [
            (1, Then::GoesWell),
            (2, Then::IsRefused),
            (3, Then::Panics),
            (6, Then::PanicsWithin),
            (5, Then::GoesWell),
        ];
        let others = others.map(one);
        let rehearsed = store.rehearse(|tx| Box::pin(insert(tx, 4, Then::GoesWell)));
        let (first, others, rehearsed, ()) =
            futures::join!(first, join_all(others), rehearsed, async { gate.add_permits(2) });
        assert_eq!(first.unwrap(), 0);
        assert_eq!(rehearsed.unwrap(), 4);
        let others: Vec<_> = others.into_iter().map(Result::ok).collect();
        assert_eq!(others, [Some(1), None, None, None, Some(5)]);
        assert_eq!(runs.load(Ordering::Relaxed), 2, "once together, and once apart");
        assert_eq!(written(&store).await, [0, 1, 5]);
    }
}
