//! training: training organisations, their sessions, and the trainings of advisers. The only service that decides who
//! holds a seat, and who is trained.
//!
//! [`domain`] holds the rules, [`storage`] the tables, [`commands`] what is decided and written in one transaction,
//! [`rpc`] the methods and the reaction to events, [`letters`] the mails to organisations. Nothing here happens by the
//! clock alone: there is no timer.

pub mod commands;
pub mod domain;
pub mod figures;
pub mod letters;
pub mod rpc;
pub mod storage;

use std::sync::Arc;

use conum_kernel::Error;
use conum_proto::training::v1::{
    organisations_service_server::OrganisationsServiceServer, trainings_service_server::TrainingsServiceServer,
};
use conum_service::{
    Host,
    config::Config,
    lifecycle::{Built, Service},
};
use tonic::service::Routes;

/// The service's name.
pub const NAME: &str = "training";

/// The service.
pub const SERVICE: Service =
    Service { name: NAME, policies: domain::policies::POLICIES, tables: storage::schema::MIGRATIONS, build };

#[expect(clippy::unnecessary_wraps, reason = "every service is built the same way, and some can fail")]
fn build(host: &Host, _: &Config) -> Result<Built, Error> {
    let organisations = OrganisationsServiceServer::new(rpc::organisations::Organisations(host.clone()));
    let trainings = TrainingsServiceServer::new(rpc::trainings::Trainings(host.clone()));
    Ok(Built {
        routes: Routes::new(organisations).add_service(trainings),
        subscriber: Some(Arc::new(rpc::inbox::Reactions)),
        letters: Some(Arc::new(letters::ToOrganisations)),
        timers: Vec::new(),
        guard: None,
        case: Some(storage::schema::CASE),
    })
}
