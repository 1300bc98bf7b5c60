//! How the embedded text tables are read: rows, fields, coordinates.
//!
//! `data/rebuild.py` refuses any input these readers would have to guess about, and the tests count
//! the rows that come out; so a row that cannot be read is left out rather than reported.

use crate::Place;

/// The rows of a table, without the comment that heads it.
pub(crate) fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

/// A place from its two fields, in millionths of a degree; `None` when they are empty.
pub(crate) fn place(lat: &str, lon: &str) -> Option<Place> {
    Place::new(degrees(lat)?, degrees(lon)?).ok()
}

/// Dividing a whole number gives the very `f64` that parsing the decimal text would.
fn degrees(millionths: &str) -> Option<f64> {
    let millionths: i32 = millionths.parse().ok()?;
    Some(f64::from(millionths) / 1_000_000.0)
}
