//! The posts of all applications as rows, to be counted: by wave, department, kind of structure and committee date
//! (A03, P03). The record of a post is in its application.

use std::{collections::HashMap, fmt::Write as _};

use chrono::NaiveDate;
use conum_service::{Failure, Tx, sql};
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::{from_word, word};
use crate::domain::{Application, form::StructureKind};

/// The states that count under the cap, as [`crate::domain::PostState::counts`] says.
pub(super) const COUNTED: &str = "('granted', 'return_asked')";
/// How many rows one statement writes.
const ROWS: usize = 200;

/// Writes the posts of an application that are new or have moved.
///
/// # Errors
/// The database's.
pub async fn write(tx: &Tx, before: Option<&Application>, after: &Application) -> Result<(), Failure> {
    let known = |post: &&crate::domain::Post| {
        let known = before.and_then(|before| before.post(post.id));
        !known.is_some_and(|known| (known.state, known.wave) == (post.state, post.wave))
    };
    let moved: Vec<_> = after.posts.iter().filter(known).collect();
    for rows in moved.chunks(ROWS) {
        let mut values: Vec<Value> = Vec::with_capacity(rows.len() * 4);
        let mut insert = "INSERT INTO posts (id, application, wave, state) VALUES ".to_owned();
        for (place, post) in rows.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let _ = write!(insert, "{comma}({})", sql::parameters(values.len() + 1, 4));
            values.push(post.id.to_string().into());
            values.push(after.id.to_string().into());
            values.push(post.wave.map(|wave| wave.to_string()).into());
            values.push(word(post.state)?.into());
        }
        insert.push_str(" ON CONFLICT (id) DO UPDATE SET wave = excluded.wave, state = excluded.state");
        sql::execute(tx, &insert, values).await?;
    }
    Ok(())
}

/// Granted posts of one department, kind of structure and committee date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// Empty where a record of the past lacks it.
    pub department: String,
    pub kind: Option<StructureKind>,
    pub committee_date: Date,
    pub posts: i64,
    pub structures: i64,
}

#[derive(Debug, FromQueryResult)]
struct TotalRow {
    department: Option<String>,
    kind: Option<String>,
    committee_date: NaiveDate,
    posts: i64,
    structures: i64,
}

/// The totals of granted posts, of one committee date or department where they are given.
///
/// # Errors
/// The database's.
pub async fn totals<C: ConnectionTrait>(
    connection: &C,
    committee_date: Option<Date>,
    department: Option<&str>,
) -> Result<Vec<Total>, Failure> {
    let mut filter = String::new();
    let mut values: Vec<Value> = Vec::new();
    if let Some(date) = committee_date {
        values.push(sql::day(date).into());
        let _ = write!(filter, " AND w.committee_date = ${}", values.len());
    }
    if let Some(department) = department {
        values.push(department.into());
        let _ = write!(filter, " AND a.department = ${}", values.len());
    }
    let query = format!(
        "SELECT a.department, a.kind, w.committee_date, count(*) AS posts, count(DISTINCT a.structure) AS structures
         FROM posts p JOIN applications a ON a.id = p.application JOIN waves w ON w.id = p.wave
         WHERE p.state IN {COUNTED}{filter}
         GROUP BY a.department, a.kind, w.committee_date"
    );
    let rows: Vec<TotalRow> = sql::rows(connection, &query, values).await?;
    let mut totals = rows
        .into_iter()
        .map(|row| {
            Ok(Total {
                department: row.department.unwrap_or_default(),
                kind: row.kind.map(from_word).transpose()?,
                committee_date: sql::date(row.committee_date)?,
                posts: row.posts,
                structures: row.structures,
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    // The two databases put what is not known at different ends.
    totals.sort_by_key(|total| (total.committee_date, total.department.clone(), total.kind.map(|kind| kind as u8)));
    Ok(totals)
}

/// Posts of a department.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Counted under the cap.
    pub granted: u32,
    /// Asked for, and not decided.
    pub asked: u32,
}

#[derive(Debug, FromQueryResult)]
struct ShareRow {
    department: String,
    state: String,
    posts: i64,
}

/// The posts of each department, by its INSEE code.
///
/// # Errors
/// The database's.
pub async fn shares<C: ConnectionTrait>(connection: &C) -> Result<HashMap<String, Share>, Failure> {
    let rows: Vec<ShareRow> = sql::rows(
        connection,
        "SELECT a.department, p.state, count(*) AS posts FROM posts p JOIN applications a ON a.id = p.application
         WHERE a.active AND a.department IS NOT NULL AND p.state IN ('asked', 'granted', 'return_asked')
         GROUP BY a.department, p.state",
        [],
    )
    .await?;
    let mut shares: HashMap<String, Share> = HashMap::new();
    for row in rows {
        let posts = u32::try_from(row.posts).unwrap_or(u32::MAX);
        let share = shares.entry(row.department).or_default();
        if row.state == "asked" { share.asked += posts } else { share.granted += posts }
    }
    Ok(shares)
}
