//! matching: introductions, answers, selections and contracts. The only service that decides who occupies a post and
//! whom a person is introduced to.
//!
//! [`domain`] holds the rules, [`storage`] the tables, [`commands`] what changes several records at once, [`rpc`] the
//! methods and the reaction to events, [`tasks`] the timers.

pub mod commands;
pub mod domain;
pub mod figures;
pub mod rpc;
pub mod storage;
pub mod tasks;

use std::sync::Arc;

use conum_kernel::Error;
use conum_proto::matching::v1::{
    introductions_service_server::IntroductionsServiceServer, recruitments_service_server::RecruitmentsServiceServer,
    studies_service_server::StudiesServiceServer,
};
use conum_service::{
    Host,
    config::Config,
    lifecycle::{Built, Service},
    metrics,
};
use tonic::service::Routes;

/// The service's name.
pub const NAME: &str = "matching";

/// The service.
pub const SERVICE: Service =
    Service { name: NAME, policies: domain::policies::POLICIES, tables: storage::schema::MIGRATIONS, build };

#[expect(clippy::unnecessary_wraps, reason = "every service is built the same way, and some can fail")]
fn build(host: &Host, _: &Config) -> Result<Built, Error> {
    metrics::violations(0);
    let introductions = IntroductionsServiceServer::new(rpc::introductions::Introductions(host.clone()));
    let recruitments = RecruitmentsServiceServer::new(rpc::recruitments::Recruitments(host.clone()));
    let studies = StudiesServiceServer::new(rpc::studies::Studies(host.clone()));
    Ok(Built {
        routes: Routes::new(introductions).add_service(recruitments).add_service(studies),
        subscriber: Some(Arc::new(rpc::inbox::Reactions)),
        letters: None,
        timers: tasks::timers(),
        guard: None,
        case: Some(storage::schema::CASE),
    })
}
