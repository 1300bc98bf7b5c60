//! A service's own database: SQLite beside the process or PostgreSQL across the network, the same code on both.
//!
//! SQLite has one writer. Commands that wait at the same time share its commit: each runs in a savepoint of its own and
//! is acknowledged after the commit. PostgreSQL takes a transaction for each command, and decides again on fresh state
//! where another one came first.

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
    sqlite::{self, Checkpoints, Mode},
    telemetry,
    threads::{self, Aside},
};

/// How often PostgreSQL decides again before the caller is told to.
const RETRIES: u32 = 8;
/// How many commands may share a SQLite commit.
const SHARED_COMMIT: usize = 128;
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
    Queue(mpsc::Sender<Job>),
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
    Sqlite(Arc<sqlite::Connection>),
    Postgres(DatabaseTransaction),
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
                Tx::Sqlite(Arc::new(connection))
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
            Self::Sqlite(connection) => {
                connection.batch("SAVEPOINT command")?;
                Ok(Self::Sqlite(connection.clone()))
            }
            Self::Postgres(transaction) => Ok(Self::Postgres(transaction.begin().await?)),
        }
    }

    /// Keeps what the savepoint wrote.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(connection) => connection.batch("RELEASE command"),
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Undoes what the savepoint wrote.
    ///
    /// # Errors
    /// The database's.
    pub async fn undo(self) -> Result<(), DbErr> {
        match self {
            Self::Sqlite(connection) => connection.batch("ROLLBACK TO command; RELEASE command"),
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
                schema::bring_up(&Tx::Sqlite(connection.clone()), tables).await?;
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
                let run: Run = Box::new(move |tx| run(op, end, tx, answer).boxed());
                let job = Job { run, span: tracing::Span::current(), trace: telemetry::traceparent() };
                queue.try_send(job).map_err(|_| {
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
#[derive(Clone, Copy, Debug)]
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

/// What is called once the fate of the commit is known.
type Acknowledge = Box<dyn FnOnce(Result<(), Error>) + Send>;

type Run = Box<dyn for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Acknowledge> + Send>;

struct Job {
    run: Run,
    span: tracing::Span,
    /// The trace of the call, for what it writes.
    trace: String,
}

/// Runs one command in a savepoint.
async fn run<T, F>(op: F, end: End, tx: &Tx, answer: oneshot::Sender<Result<T, Failure>>) -> Acknowledge
where
    T: Send + 'static,
    F: for<'t> Fn(&'t Tx) -> BoxFuture<'t, Result<T, Failure>> + Send + Sync + 'static,
{
    // Nobody waits any more: the caller's deadline has passed.
    if answer.is_closed() {
        return Box::new(|_| ());
    }
    let outcome = async {
        let savepoint = tx.savepoint().await?;
        let outcome = AssertUnwindSafe(op(&savepoint)).catch_unwind().await;
        match outcome.unwrap_or_else(|_| Err(Error::internal("a command panicked").into())) {
            Ok(value) => end.of(savepoint).await.map(|()| value).map_err(Failure::from),
            Err(failure) => {
                savepoint.undo().await?;
                Err(failure)
            }
        }
    };
    match outcome.await {
        Ok(value) => Box::new(move |committed| {
            let _ = answer.send(committed.map(|()| value).map_err(Failure::from));
        }),
        Err(failure) => Box::new(move |_| {
            let _ = answer.send(Err(failure));
        }),
    }
}

/// SQLite's one writer: takes what waits, runs it in one transaction, commits, then acknowledges.
async fn write_queue(connection: Arc<sqlite::Connection>, checkpoints: Checkpoints, mut queue: mpsc::Receiver<Job>) {
    let tx = Tx::Sqlite(connection.clone());
    while let Some(first) = queue.recv().await {
        let mut acknowledgements = Vec::new();
        let committed = async {
            connection.batch("BEGIN IMMEDIATE")?;
            let mut next = Some(first);
            while let Some(job) = next {
                acknowledgements.push(telemetry::carry(job.trace, (job.run)(&tx)).instrument(job.span).await);
                // Where SQLite has ended the transaction itself, nothing of it is kept.
                let more = acknowledgements.len() < SHARED_COMMIT && !connection.is_idle();
                next = if more { queue.try_recv().ok() } else { None };
            }
            connection.batch("COMMIT").inspect_err(|_| {
                let _ = connection.batch("ROLLBACK");
            })
        };
        let committed = committed.await.map_err(|error| Failure::from(error).into_error());
        for acknowledge in acknowledgements {
            acknowledge(committed.clone());
        }
        checkpoints.committed();
    }
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
