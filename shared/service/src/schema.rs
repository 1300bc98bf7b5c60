//! The tables that every service has beside its own, and the small builders that migrations are written with.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DbErr};

use crate::{sql, storage::Tx};

/// Which migrations were applied, in the table that sea-orm's own tools read.
const APPLIED: &str =
    "CREATE TABLE IF NOT EXISTS seaql_migrations (version text PRIMARY KEY, applied_at bigint NOT NULL)";

/// Applies the migrations that were not: what every service has, then a service's own, all of them or none.
///
/// # Errors
/// The database's.
pub(crate) async fn bring_up(tx: &Tx, own: &[Tables]) -> Result<(), DbErr> {
    // Two processes that start at the same time migrate one after the other.
    sql::hold(tx, "migrations").await?;
    tx.execute_unprepared(APPLIED).await?;
    let rows = sql::all(tx, "SELECT version FROM seaql_migrations", []).await?;
    let applied: HashSet<String> = rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?;
    for tables in SHARED.iter().chain(own).filter(|tables| !applied.contains(tables.name)) {
        for statement in tables.statements {
            tx.execute_unprepared(&dialect(tx.get_database_backend(), statement)).await?;
        }
        let insert = "INSERT INTO seaql_migrations (version, applied_at) VALUES ($1, $2)";
        sql::execute(tx, insert, [tables.name.into(), conum_kernel::Clock::system().now().as_second().into()]).await?;
    }
    Ok(())
}

/// Writes the few words that differ: `INSTANT` is a UTC instant, `DAY` a calendar day, `BYTES` a blob, `SERIAL` a key that
/// the database counts up; `CLUSTERED` says that SQLite keeps the rows of a table in its primary key.
pub(crate) fn dialect(backend: sea_orm::DbBackend, statement: &str) -> String {
    let words = if backend == sea_orm::DbBackend::Sqlite {
        ["timestamp_with_timezone_text", "date_text", "blob", "integer PRIMARY KEY AUTOINCREMENT", "WITHOUT ROWID"]
    } else {
        ["timestamptz", "date", "bytea", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", ""]
    };
    let names = ["INSTANT", "DAY", "BYTES", "SERIAL", "CLUSTERED"].into_iter();
    names.zip(words).fold(statement.to_owned(), |text, (name, word)| text.replace(name, word))
}

/// One migration: its name, which is kept for ever, and its statements in the dialect of this module.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// `m0002_matching`.
    pub name: &'static str,
    pub statements: &'static [&'static str],
}

/// The migrations that every service has.
const SHARED: &[Tables] = &[
    Tables { name: "m0001_shared", statements: TABLES },
    Tables { name: "m0001_shared_cases", statements: CASES },
    Tables { name: "m0001_shared_deliveries", statements: DELIVERIES },
    Tables { name: "m0001_shared_clustered", statements: CLUSTERED },
];

/// What every command writes, on as few pages as can be: how far the subscribers of one aggregate have come stands
/// together, and one index of the history serves both its readers.
const CLUSTERED: &[&str] = &[
    "DROP INDEX history_by_record",
    "DROP INDEX deliveries_by_aggregate",
    "DROP INDEX deliveries_due",
    "DROP INDEX deliveries_dead",
    "ALTER TABLE deliveries RENAME TO old_deliveries",
    "CREATE TABLE deliveries (aggregate text NOT NULL, subscriber text NOT NULL, position bigint NOT NULL,
        delivered bigint NOT NULL, last bigint NOT NULL, attempts integer NOT NULL, retry_at INSTANT NOT NULL,
        lease_until INSTANT, dead text, PRIMARY KEY (aggregate, subscriber)) CLUSTERED",
    "INSERT INTO deliveries (aggregate, subscriber, position, delivered, last, attempts, retry_at, dead)
     SELECT aggregate, subscriber, position, delivered, last, attempts, retry_at, dead FROM old_deliveries
     WHERE delivered < last",
    "DROP TABLE old_deliveries",
    "CREATE INDEX deliveries_due ON deliveries (subscriber, position) WHERE delivered < last AND dead IS NULL",
    "CREATE INDEX deliveries_dead ON deliveries (subscriber, aggregate) WHERE dead IS NOT NULL",
    "ALTER TABLE aggregates RENAME TO old_aggregates",
    "CREATE TABLE aggregates (name text PRIMARY KEY, sequence bigint NOT NULL) CLUSTERED",
    "INSERT INTO aggregates (name, sequence) SELECT name, sequence FROM old_aggregates",
    "DROP TABLE old_aggregates",
    "ALTER TABLE inbox RENAME TO old_inbox",
    "CREATE TABLE inbox (source text NOT NULL, aggregate text NOT NULL, sequence bigint NOT NULL,
        PRIMARY KEY (source, aggregate)) CLUSTERED",
    "INSERT INTO inbox (source, aggregate, sequence) SELECT source, aggregate, sequence FROM old_inbox",
    "DROP TABLE old_inbox",
    "DROP INDEX answers_by_age",
    "ALTER TABLE answers RENAME TO old_answers",
    "CREATE TABLE answers (subject text NOT NULL, request_id text NOT NULL, hash text NOT NULL,
        resource text NOT NULL, etag text NOT NULL, at INSTANT NOT NULL, PRIMARY KEY (subject, request_id)) CLUSTERED",
    "INSERT INTO answers (subject, request_id, hash, resource, etag, at)
     SELECT subject, request_id, hash, resource, etag, at FROM old_answers",
    "DROP TABLE old_answers",
    "CREATE INDEX answers_by_age ON answers (at)",
    // In the order in which they are sent: the next ones are read, not all that wait.
    "DROP INDEX mails_due",
    "CREATE INDEX mails_due ON mails (retry_at, id) WHERE sent_at IS NULL",
];

/// Who has received what of one aggregate: an erasure forgets it, and the sweep of the outbox asks.
const DELIVERIES: &[&str] = &["CREATE INDEX deliveries_by_aggregate ON deliveries (aggregate)"];

/// What a case file tells of a fact beside who and when: in which roles, under which rule, in which trace.
const CASES: &[&str] = &[
    "ALTER TABLE history ADD COLUMN roles text NOT NULL DEFAULT ''",
    "ALTER TABLE history ADD COLUMN rule text NOT NULL DEFAULT ''",
    "ALTER TABLE history ADD COLUMN trace text NOT NULL DEFAULT ''",
    "CREATE INDEX history_by_time ON history (record, at, id)",
];

const TABLES: &[&str] = &[
    // Answers kept for request ids (AIP-155): what was made, never its content.
    "CREATE TABLE answers (subject text NOT NULL, request_id text NOT NULL, hash text NOT NULL,
        resource text NOT NULL, etag text NOT NULL, at INSTANT NOT NULL, PRIMARY KEY (subject, request_id))",
    "CREATE INDEX answers_by_age ON answers (at)",
    // Who, when, from, to, why.
    "CREATE TABLE history (id SERIAL, record text NOT NULL, at INSTANT NOT NULL, actor text NOT NULL,
        action text NOT NULL, from_state text NOT NULL, to_state text NOT NULL, why text NOT NULL)",
    "CREATE INDEX history_by_record ON history (record, id)",
    "CREATE TABLE policy_changes (id SERIAL, policy text NOT NULL, value text NOT NULL, applies_from DAY NOT NULL,
        at INSTANT NOT NULL, actor text NOT NULL, why text NOT NULL)",
    // The outbox: events in the order of their writing, numbered for each aggregate.
    "CREATE TABLE aggregates (name text PRIMARY KEY, sequence bigint NOT NULL)",
    "CREATE TABLE outbox (position SERIAL, aggregate text NOT NULL, sequence bigint NOT NULL, kind text NOT NULL,
        at INSTANT NOT NULL, event BYTES NOT NULL, UNIQUE (aggregate, sequence))",
    // How far each subscriber has come with each aggregate that has something to tell it.
    "CREATE TABLE deliveries (subscriber text NOT NULL, aggregate text NOT NULL, position bigint NOT NULL,
        delivered bigint NOT NULL, last bigint NOT NULL, attempts integer NOT NULL, retry_at INSTANT NOT NULL,
        lease_until INSTANT, dead text, PRIMARY KEY (subscriber, aggregate))",
    "CREATE INDEX deliveries_due ON deliveries (subscriber, position) WHERE delivered < last AND dead IS NULL",
    "CREATE INDEX deliveries_dead ON deliveries (subscriber, aggregate) WHERE dead IS NOT NULL",
    // The inbox: the last event of each aggregate that had its effect here.
    "CREATE TABLE inbox (source text NOT NULL, aggregate text NOT NULL, sequence bigint NOT NULL,
        PRIMARY KEY (source, aggregate))",
    // Events that name something not known yet.
    "CREATE TABLE parked (source text NOT NULL, aggregate text NOT NULL, sequence bigint NOT NULL,
        waits_for text NOT NULL, event BYTES NOT NULL, PRIMARY KEY (source, aggregate, sequence))",
    "CREATE INDEX parked_by_wait ON parked (waits_for)",
    // Mails to send: ids and facts; addresses and words are added at sending.
    "CREATE TABLE mails (id text PRIMARY KEY, kind text NOT NULL, recipient text NOT NULL, facts text NOT NULL,
        queued_at INSTANT NOT NULL, sent_at INSTANT, attempts integer NOT NULL, retry_at INSTANT NOT NULL,
        outcome text)",
    "CREATE INDEX mails_due ON mails (retry_at) WHERE sent_at IS NULL",
    "CREATE INDEX mails_by_recipient ON mails (recipient, queued_at)",
    "CREATE INDEX mails_erased ON mails (id) WHERE outcome = 'erased'",
];
