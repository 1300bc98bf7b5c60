//! finance's own tables: conventions with their instalments and claims, payments, the ledger.

pub mod accounts;
pub mod answers;
pub mod claims;
pub mod conventions;
pub mod files;
pub mod instalments;
pub mod ledger;
pub mod orders;
pub mod schema;
pub mod seals;

pub(crate) use conum_service::sql::read;
