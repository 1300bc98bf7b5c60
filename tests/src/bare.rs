//! What plain rusqlite takes to write the rows that the platform has written.

use std::{path::Path, time::Instant};

use rusqlite::{Connection, types::Value};

/// How many rows a transaction has that measures beside a batch of the platform's.
pub const BATCH: usize = 500;

/// Rows of a table, each with a value for every column.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    pub rows: Vec<Vec<Value>>,
}

/// Opens a database, made where there is none, in the file mode of the platform's.
#[must_use]
pub fn open(file: &Path) -> Connection {
    let connection = Connection::open(file).expect("a database");
    connection.pragma_update(None, "journal_mode", "WAL").expect("a mode");
    connection.pragma_update(None, "synchronous", "FULL").expect("a mode");
    connection
}

/// The statements that made the tables and indexes of a database, tables first, each with its name.
#[must_use]
pub fn shape(of: &Connection) -> Vec<(String, String)> {
    let mut query = of
        .prepare(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL
               AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name",
        )
        .expect("a query");
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

/// The names of the tables that hold what was done, without the note of the migrations.
#[must_use]
pub fn tables(of: &Connection) -> Vec<String> {
    let holds = |(name, sql): &(String, String)| sql.starts_with("CREATE TABLE") && name != "seaql_migrations";
    shape(of).into_iter().filter(holds).map(|(name, _)| name).collect()
}

/// All rows of a table.
#[must_use]
pub fn rows(source: &Connection, name: &str) -> Table {
    chosen(source, name, "true")
}

/// The rows of a table whose key an attached database, `before`, does not have.
#[must_use]
pub fn new_rows(source: &Connection, name: &str) -> Table {
    let mut query = source.prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0").expect("a query");
    let columns = query.query_map([name], |row| row.get::<_, String>(0)).expect("columns");
    let same: Vec<_> =
        columns.map(|column| column.expect("a column")).map(|key| format!("b.{key} = t.{key}")).collect();
    let condition = format!("NOT EXISTS (SELECT 1 FROM before.{name} b WHERE {})", same.join(" AND "));
    chosen(source, name, &condition)
}

fn chosen(source: &Connection, name: &str, condition: &str) -> Table {
    let mut query = source.prepare(&format!("SELECT * FROM main.{name} t WHERE {condition}")).expect("a query");
    let columns = query.column_count();
    let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    let rows = query.query_map([], read).expect("rows").map(|row| row.expect("a row")).collect();
    Table { name: name.to_owned(), rows }
}

/// Inserts rows into tables of their shape, a part of every table in each of so many durable transactions; answers the
/// seconds that took.
pub fn insert(target: &mut Connection, tables: &[Table], batches: usize) -> f64 {
    let began = Instant::now();
    for batch in 0..batches {
        let transaction = target.transaction().expect("a transaction");
        for Table { name, rows } in tables {
            let Some(first) = rows.first() else { continue };
            let places = vec!["?"; first.len()].join(", ");
            let mut insert =
                transaction.prepare_cached(&format!("INSERT INTO {name} VALUES ({places})")).expect("an insert");
            for row in &rows[rows.len() * batch / batches..rows.len() * (batch + 1) / batches] {
                insert.execute(rusqlite::params_from_iter(row)).expect("written");
            }
        }
        transaction.commit().expect("durable");
    }
    began.elapsed().as_secs_f64()
}
