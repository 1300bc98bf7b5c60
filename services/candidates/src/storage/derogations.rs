//! Posts whose special examination was decided (A09), as applications told it.

use conum_kernel::PostId;
use conum_service::{Failure, Tx, sql};
use sea_orm::ConnectionTrait;

/// Notes a decision; the last one counts.
///
/// # Errors
/// The database's.
pub async fn decide(tx: &Tx, post: PostId, granted: bool) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO derogations (post, granted) VALUES ($1, $2)
         ON CONFLICT (post) DO UPDATE SET granted = excluded.granted",
        [post.to_string().into(), granted.into()],
    )
    .await?;
    Ok(())
}

/// Whether the derogation of a post was granted.
///
/// # Errors
/// The database's.
pub async fn granted<C: ConnectionTrait>(connection: &C, post: PostId) -> Result<bool, Failure> {
    let query = "SELECT granted FROM derogations WHERE post = $1";
    let row = sql::one(connection, query, [post.to_string().into()]).await?;
    Ok(row.map_or(Ok(false), |row| row.try_get("", "granted"))?)
}
