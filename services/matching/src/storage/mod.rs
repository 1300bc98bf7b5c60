//! matching's own tables: read models of what others tell, introductions, recruitments.

pub mod candidates;
pub mod introductions;
pub mod notices;
pub mod recruitments;
pub mod schema;
pub mod structures;

use conum_kernel::Error;

/// Reads what this service wrote itself: an id, a state.
///
/// # Errors
/// Internal where the database holds something else.
pub(crate) fn read<T, E>(value: Result<T, E>) -> Result<T, Error> {
    value.map_err(|_| Error::internal("a stored value cannot be read"))
}
