//! The daily seal on the heads of the ledger's chains (F10).

use conum_service::{Failure, Tx, sql};
use jiff::civil::Date;

use crate::{domain::chain::Seal, storage::seals};

/// The name that is held while a seal is made: one at a time.
const SEALS: &str = "ledgerSeals";
/// How many heads one seal takes at most; what is left goes into the next.
const MOST: u64 = 5_000;

/// Seals the heads that moved before a day, and answers how many.
///
/// # Errors
/// The database's.
pub async fn seal(tx: &Tx, today: Date) -> Result<usize, Failure> {
    sql::hold(tx, SEALS).await?;
    let heads = seals::unsealed(tx, today, MOST).await?;
    if heads.is_empty() {
        return Ok(0);
    }
    let seal = Seal::next(seals::last(tx).await?.as_ref(), today, &heads);
    seals::insert(tx, &seal, &heads).await?;
    Ok(heads.len())
}
