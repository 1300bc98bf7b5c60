//! A service's own database: SQLite beside the process or PostgreSQL across the network, the same code on both.
//!
//! SQLite has one writer. Commands that wait at the same time share its commit: each runs in a savepoint of its own and
//! is acknowledged after the commit. PostgreSQL takes a transaction for each command, and decides again on fresh state
//! where another one came first.

use std::{panic::AssertUnwindSafe, path::Path, time::Duration};

use conum_kernel::Error;
use futures::{FutureExt as _, future::BoxFuture};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};
use sea_orm_migration::MigratorTraitSelf as _;
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;

use crate::{
    Failure,
    schema::{Migrator, Tables},
    telemetry,
};

/// A transaction, or a savepoint in one.
pub type Tx = DatabaseTransaction;

/// How often PostgreSQL decides again before the caller is told to.
const RETRIES: u32 = 8;
/// How many commands may share a SQLite commit.
const SHARED_COMMIT: usize = 128;
/// How many commands may wait for SQLite's writer before callers are turned away.
const QUEUE: usize = 4096;

/// The database of a service. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Store {
    readers: DatabaseConnection,
    writer: Writer,
}

#[derive(Clone, Debug)]
enum Writer {
    /// SQLite: one connection, fed from a queue.
    Queue(mpsc::Sender<Job>),
    /// PostgreSQL: any connection of the pool.
    Pool(DatabaseConnection),
}

impl Store {
    /// Opens the database at a URL: `sqlite:///path/file.db` (made where there is none) or `postgres://…`.
    ///
    /// # Errors
    /// Unavailable where it cannot be reached.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::connect(url).await.map_err(|error| Failure::from(error).into_error())
    }

    async fn connect(url: &str) -> Result<Self, sea_orm::DbErr> {
        if url.starts_with("sqlite:") {
            let writer = Database::connect(sqlite(url, 1, false)).await?;
            let readers = Database::connect(sqlite(url, 4, true)).await?;
            let (sender, receiver) = mpsc::channel(QUEUE);
            tokio::spawn(write_queue(writer, receiver));
            Ok(Self { readers, writer: Writer::Queue(sender) })
        } else {
            let mut options = ConnectOptions::new(url);
            options.max_connections(16).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
            let pool = Database::connect(options).await?;
            Ok(Self { readers: pool.clone(), writer: Writer::Pool(pool) })
        }
    }

    /// Brings the tables that every service has, and a service's own, up to date.
    ///
    /// # Errors
    /// Internal where a migration fails.
    pub async fn migrate(url: &str, tables: &'static [Tables]) -> Result<(), Error> {
        let run = async {
            let mut options = if url.starts_with("sqlite:") { sqlite(url, 1, false) } else { ConnectOptions::new(url) };
            options.sqlx_logging(false);
            let connection = Database::connect(options).await?;
            Migrator(tables).up(&connection, None).await?;
            connection.close().await
        };
        run.await.map_err(|error| Failure::from(error).into_error())
    }

    /// The connections to read from. They see what is committed, and cannot write.
    #[must_use]
    pub fn read(&self) -> &DatabaseConnection {
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

fn sqlite(url: &str, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(10))
        .sqlx_logging(false)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |options| {
            use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(10))
                .statement_cache_capacity(256)
                // Savepoints keep what they may undo in memory rather than in a file.
                .pragma("temp_store", "MEMORY")
                .pragma("cache_size", "-16384")
                .foreign_keys(true);
            if read_only { options.pragma("query_only", "ON") } else { options }
        });
    options
}

/// The URL of a SQLite file.
#[must_use]
pub fn sqlite_url(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

/// How the transaction of a command that went well ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Commit,
    RollBack,
}

impl End {
    async fn of(self, tx: Tx) -> Result<(), sea_orm::DbErr> {
        match self {
            Self::Commit => tx.commit().await,
            Self::RollBack => tx.rollback().await,
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
        let savepoint = tx.begin().await?;
        let outcome = AssertUnwindSafe(op(&savepoint)).catch_unwind().await;
        match outcome.unwrap_or_else(|_| Err(Error::internal("a command panicked").into())) {
            Ok(value) => end.of(savepoint).await.map(|()| value).map_err(Failure::from),
            Err(failure) => {
                savepoint.rollback().await?;
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
async fn write_queue(connection: DatabaseConnection, mut queue: mpsc::Receiver<Job>) {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    while let Some(first) = queue.recv().await {
        let mut acknowledgements = Vec::new();
        let committed = async {
            let tx = connection.begin_with_options(options).await?;
            let mut next = Some(first);
            while let Some(job) = next {
                acknowledgements.push(telemetry::carry(job.trace, (job.run)(&tx)).instrument(job.span).await);
                next = if acknowledgements.len() < SHARED_COMMIT { queue.try_recv().ok() } else { None };
            }
            tx.commit().await
        };
        let committed = committed.await.map_err(|error| Failure::from(error).into_error());
        for acknowledge in acknowledgements {
            acknowledge(committed.clone());
        }
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
            let tx = pool.begin().await?;
            match op(&tx).await {
                Ok(value) => end.of(tx).await.map(|()| value).map_err(Failure::from),
                Err(failure) => {
                    tx.rollback().await?;
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
