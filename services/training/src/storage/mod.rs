//! training's own tables: organisations and sessions, trainings with their plans and hours, read models of what others
//! tell.

pub mod grants;
pub mod organisations;
pub mod people;
pub mod schema;
pub mod sessions;
pub mod trainings;

pub(crate) use conum_service::sql::read;
