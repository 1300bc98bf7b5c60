//! What registrations are found by as doubles of one another, and who is flagged with whom (C08).

use conum_kernel::{CandidateId, Machine as _};
use conum_service::{
    Failure, Tx,
    sql::{self, Script},
};
use sea_orm::Value;

use super::read;
use crate::domain::{
    Candidate, State,
    doubles::{self, Alike, Found, Keys},
};

const MAIL: &str = "mail";
const PERSON: &str = "person";

/// The kinds of keys, with the keys of each.
fn by_kind(keys: &Keys) -> [(&'static str, &[String]); 2] {
    [(MAIL, &keys.mails), (PERSON, &keys.people)]
}

/// Adds the forgetting of what a registration was found by and flagged with to a script.
pub fn forget(script: &mut Script, id: CandidateId) {
    script.add("DELETE FROM keys WHERE candidate = $1", [id.to_string().into()]);
    script.add("DELETE FROM doubles WHERE candidate = $1", [id.to_string().into()]);
}

/// Adds the writing of what a registration is found by and flagged with to a script.
pub fn add(script: &mut Script, candidate: &Candidate) {
    let id = candidate.id.to_string();
    for (kind, keys) in by_kind(&doubles::keys(candidate)) {
        for key in keys {
            let insert = "INSERT INTO keys (kind, key, candidate) VALUES ($1, $2, $3)";
            script.add(insert, [kind.into(), key.clone().into(), id.clone().into()]);
        }
    }
    let flagged = candidate.possible_doubles.iter().map(|double| double.candidate);
    for other in flagged.chain(candidate.distinct_from.iter().copied()) {
        let insert = "INSERT INTO doubles (other, candidate) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        script.add(insert, [other.to_string().into(), id.clone().into()]);
    }
}

/// The registrations that are flagged with one, or were said to be of somebody else, in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn flagged_with(tx: &Tx, id: CandidateId) -> Result<Vec<CandidateId>, Failure> {
    let query = "SELECT candidate FROM doubles WHERE other = $1 ORDER BY candidate";
    let rows = sql::all(tx, query, [id.to_string().into()]).await?;
    rows.iter().map(|row| Ok(read(row.try_get::<String>("", "candidate")?.parse())?)).collect()
}

/// Finds what has some of these keys, a registration's own aside. The keys are held and what is found is locked: two
/// that register at once see one another, and nobody is flagged with who is just leaving.
///
/// # Errors
/// The database's.
pub async fn find(tx: &Tx, own: Option<CandidateId>, keys: &Keys) -> Result<Found, Failure> {
    for (kind, keys) in by_kind(keys) {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        for key in keys {
            sql::hold(tx, &format!("{kind} {key}")).await?;
        }
    }
    Ok(Found {
        same_mail: alike(tx, own, MAIL, &keys.mails).await?,
        same_person: alike(tx, own, PERSON, &keys.people).await?,
    })
}

async fn alike(tx: &Tx, own: Option<CandidateId>, kind: &str, keys: &[String]) -> Result<Vec<Alike>, Failure> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let query = format!(
        "SELECT id, state FROM candidates WHERE id <> $1 AND id IN (SELECT candidate FROM keys WHERE kind = $2
           AND key IN ({})) ORDER BY id{}",
        sql::parameters(3, keys.len()),
        sql::for_update(tx)
    );
    let mut values: Vec<Value> = vec![own.map(|id| id.to_string()).unwrap_or_default().into(), kind.into()];
    values.extend(keys.iter().map(|key| key.clone().into()));
    let mut found = Vec::new();
    for row in sql::all(tx, &query, values).await? {
        let state: String = row.try_get("", "state")?;
        let candidate = read(row.try_get::<String>("", "id")?.parse())?;
        // What was merged or erased while its lock was waited for has no keys any more.
        let state = [State::Registered, State::Left].into_iter().find(|known| known.name() == state);
        found.extend(state.map(|state| Alike { candidate, state }));
    }
    Ok(found)
}
