//! candidates' own tables: registrations and what they are found by, what ties people to structures, derogations.

pub mod candidates;
pub mod derogations;
pub mod doubles;
pub mod schema;
pub mod ties;

pub(crate) use conum_service::sql::read;
