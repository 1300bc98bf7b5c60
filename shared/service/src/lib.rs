//! What every server needs, so that five services do the same thing in the same way.
//!
//! A service gives its domain, its tables, its rpc and its table of policies; this crate gives the rest: configuration,
//! lifecycle, telemetry, health, access by signed identity, idempotent commands, storage on SQLite and PostgreSQL,
//! events between services, mail.

pub mod access;
pub mod call;
pub mod cases;
pub mod cluster;
pub mod config;
pub mod events;
pub mod failure;
pub mod french;
pub mod history;
pub mod host;
pub mod identity;
pub mod layers;
pub mod lifecycle;
pub mod links;
pub mod mail;
pub mod metrics;
pub mod operations;
pub mod paging;
pub mod policies;
pub mod requests;
pub mod schema;
pub mod sql;
pub mod sqlite;
pub mod status;
pub mod storage;
pub mod tasks;
pub mod telemetry;
mod threads;
pub mod wire;

pub use call::Call;
pub use failure::Failure;
pub use host::Host;
pub use identity::{Caller, Scope};
pub use storage::{Reader, Store, Tx};
