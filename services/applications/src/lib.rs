//! applications: structures, their applications and posts, the committee's waves and the cap. The only service that
//! decides how many posts are granted, and to whom.
//!
//! [`domain`] holds the rules, [`storage`] the tables, [`commands`] what happens in one transaction, [`rpc`] the methods
//! and the reaction to events, [`letters`] what structures are written, [`tasks`] the timers.

pub mod commands;
pub mod domain;
pub mod letters;
pub mod rpc;
pub mod storage;
pub mod tasks;

use std::sync::Arc;

use conum_kernel::Error;
use conum_proto::applications::v1::{
    applications_service_server::ApplicationsServiceServer, documents_service_server::DocumentsServiceServer,
    waves_service_server::WavesServiceServer,
};
use conum_service::{
    Host,
    config::Config,
    lifecycle::{Built, Service},
};
use tonic::service::Routes;

/// The service's name.
pub const NAME: &str = "applications";

/// The service.
pub const SERVICE: Service =
    Service { name: NAME, policies: domain::POLICIES, tables: storage::schema::MIGRATIONS, build };

fn build(host: &Host, config: &Config) -> Result<Built, Error> {
    let applications = ApplicationsServiceServer::new(rpc::applications::Applications(host.clone()));
    let waves = WavesServiceServer::new(rpc::waves::Waves(host.clone()));
    let files = storage::files::Files::open(config)?;
    let documents = DocumentsServiceServer::new(rpc::documents::Documents::new(host.clone(), files.clone()));
    Ok(Built {
        routes: Routes::new(applications).add_service(waves).add_service(documents),
        subscriber: Some(Arc::new(rpc::inbox::Reactions)),
        letters: Some(Arc::new(letters::ToContacts)),
        timers: tasks::timers(files),
        guard: Some(commands::granting::guard_cap),
        case: Some(storage::schema::CASE),
    })
}
