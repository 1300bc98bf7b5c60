//! The tables of applications: structures, applications and their versions, waves, the programme's row, posts. And the
//! store of supporting documents.

pub mod applications;
pub mod files;
pub mod posts;
pub mod programme;
pub mod schema;
pub mod structures;
pub mod versions;
pub mod waves;

use conum_kernel::Error;
pub(crate) use conum_service::sql::read;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A value of a list, as the columns and the documents write it: `local_authority`.
pub(crate) fn word(value: impl Serialize) -> Result<String, Error> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word),
        _ => Err(Error::internal("a value that is no word cannot be stored as one")),
    }
}

/// A value of a list, read back.
pub(crate) fn from_word<T: DeserializeOwned>(word: String) -> Result<T, Error> {
    read(serde_json::from_value(Value::String(word)))
}
