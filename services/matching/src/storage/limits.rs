//! How many live introductions each side could have when all structures were last served so.

use conum_service::{Failure, Tx, sql};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::domain::policies::Settings;

/// Live introductions of each structure and of each candidate, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Limits {
    live_per_structure: i64,
    live_per_candidate: i64,
}

impl Limits {
    /// Those in force.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let number = |limit| i64::try_from(limit).unwrap_or(i64::MAX);
        Self {
            live_per_structure: number(settings.live_per_structure),
            live_per_candidate: number(settings.live_per_candidate),
        }
    }
}

/// Those that all structures were last served with; nothing before the first time.
///
/// # Errors
/// The database's.
pub async fn adopted<C: ConnectionTrait>(connection: &C) -> Result<Option<Limits>, Failure> {
    Ok(sql::row(connection, "SELECT live_per_structure, live_per_candidate FROM limits", []).await?)
}

/// Notes that all structures were served with these.
///
/// # Errors
/// The database's.
pub async fn adopt(tx: &Tx, limits: Limits) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO limits (id, live_per_structure, live_per_candidate) VALUES (1, $1, $2)
         ON CONFLICT (id) DO UPDATE SET live_per_structure = excluded.live_per_structure,
           live_per_candidate = excluded.live_per_candidate",
        [limits.live_per_structure.into(), limits.live_per_candidate.into()],
    )
    .await?;
    Ok(())
}
