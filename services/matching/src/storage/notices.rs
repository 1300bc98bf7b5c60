//! Notices to structures and the agency: shortage (M04), late signature (M07), introductions that were stopped (M02).

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use conum_kernel::{ApplicationId, Fact, Rule, StructureId};
use conum_service::{Call, Failure, Tx, history, sql};
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, Value};
use serde::{Deserialize, Serialize};

use super::read;

/// A notice as it is kept.
#[derive(Clone, Debug)]
pub struct Notice {
    /// A UUID.
    pub id: String,
    pub structure: String,
    pub application: String,
    pub kind: Kind,
    pub at: Timestamp,
    pub live: i32,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fewer live introductions than it should have, and no possible candidate (M04).
    CandidatesShort,
    /// No contract within the delay (M07).
    SignatureLate,
    /// A wave's proposals for it did not stand the second look: nobody was introduced.
    AssignmentStopped,
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::CandidatesShort => "candidates_short",
            Self::SignatureLate => "signature_late",
            Self::AssignmentStopped => "assignment_stopped",
        }
    }

    fn rule(self) -> Rule {
        match self {
            Self::CandidatesShort => Rule("M04"),
            Self::SignatureLate => Rule("M07"),
            Self::AssignmentStopped => Rule("M02"),
        }
    }
}

/// Writes a notice.
///
/// # Errors
/// The database's.
pub async fn raise(
    tx: &Tx,
    call: &Call,
    structure: StructureId,
    application: ApplicationId,
    kind: Kind,
    live: usize,
) -> Result<(), Failure> {
    let id = call.uuid(&format!("notice/{structure}/{}", kind.text())).to_string();
    sql::execute(
        tx,
        "INSERT INTO notices (id, structure, application, kind, at, live) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            id.as_str().into(),
            structure.to_string().into(),
            application.to_string().into(),
            kind.text().into(),
            sql::instant(call.moment.now).into(),
            i32::try_from(live).unwrap_or(i32::MAX).into(),
        ],
    )
    .await?;
    let why = kind.text().to_owned();
    let fact = Fact { action: "RAISE", from: "", to: "RAISED", why, rule: Some(kind.rule()) };
    history::append(tx, call, &format!("notices/{id}"), &[fact]).await
}

/// Notices after an id, in its order.
///
/// # Errors
/// The database's.
pub async fn list<C: ConnectionTrait>(
    connection: &C,
    structure: Option<StructureId>,
    after: &str,
    limit: u64,
) -> Result<Vec<Notice>, Failure> {
    let mut query = "SELECT id, structure, application, kind, at, live FROM notices WHERE id > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    if let Some(structure) = structure {
        values.push(structure.to_string().into());
        query.push_str(" AND structure = $2");
    }
    let _ = write!(query, " ORDER BY id LIMIT {limit}");
    let rows = sql::all(connection, &query, values).await?;
    rows.iter()
        .map(|row| {
            Ok(Notice {
                id: row.try_get("", "id")?,
                structure: row.try_get("", "structure")?,
                application: row.try_get("", "application")?,
                kind: read(serde_json::from_value(row.try_get::<String>("", "kind")?.into()))?,
                at: sql::timestamp(row.try_get::<DateTime<Utc>>("", "at")?),
                live: row.try_get("", "live")?,
            })
        })
        .collect()
}
