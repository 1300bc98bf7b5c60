//! candidates: people, their wishes, their consents and their rights over their data. The only service that holds who
//! somebody is.
//!
//! [`domain`] holds the rules, [`storage`] the tables, [`commands`] what is decided and written in one transaction,
//! [`rpc`] the methods and the reaction to events, [`letters`] the mails to people, [`tasks`] the timers.

pub mod commands;
pub mod domain;
pub mod letters;
pub mod rpc;
pub mod storage;
pub mod tasks;

use std::sync::Arc;

use conum_kernel::Error;
use conum_proto::candidates::v1::candidates_service_server::CandidatesServiceServer;
use conum_service::{
    Host,
    config::Config,
    lifecycle::{Built, Service},
};
use tonic::service::Routes;

/// The service's name.
pub const NAME: &str = "candidates";

/// The service.
pub const SERVICE: Service =
    Service { name: NAME, policies: domain::POLICIES, tables: storage::schema::MIGRATIONS, build };

#[expect(clippy::unnecessary_wraps, reason = "every service is built the same way, and some can fail")]
fn build(host: &Host, _: &Config) -> Result<Built, Error> {
    let candidates = CandidatesServiceServer::new(rpc::candidates::Candidates(host.clone()));
    Ok(Built {
        routes: Routes::new(candidates),
        subscriber: Some(Arc::new(rpc::inbox::Reactions)),
        letters: Some(Arc::new(letters::ToCandidates)),
        timers: tasks::timers(),
        guard: None,
        case: Some(storage::schema::CASE),
    })
}
