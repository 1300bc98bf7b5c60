//! matching's own tables: read models of what others tell, introductions, recruitments.

pub mod candidates;
pub mod introductions;
pub mod limits;
pub mod notices;
pub mod recruitments;
pub mod schema;
pub mod structures;
pub mod trainings;

pub(crate) use conum_service::sql::read;
