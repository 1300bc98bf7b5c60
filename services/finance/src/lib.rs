//! finance: conventions, instalments, payments, claims and the ledger. The only service that decides what money moves.
//!
//! [`domain`] holds the rules, [`storage`] the tables, [`commands`] what a decision writes, [`rpc`] the methods and the
//! reaction to events, [`iso20022`] what is exchanged with the bank, [`tasks`] the timers.

pub mod commands;
pub mod domain;
pub mod figures;
pub mod iso20022;
pub mod rpc;
pub mod storage;
pub mod tasks;

use std::sync::Arc;

use conum_kernel::Error;
use conum_proto::finance::v1::{
    claims_service_server::ClaimsServiceServer, conventions_service_server::ConventionsServiceServer,
    ledger_service_server::LedgerServiceServer, payments_service_server::PaymentsServiceServer,
};
use conum_service::{
    Host,
    config::Config,
    lifecycle::{Built, Service},
};
use tonic::service::Routes;

/// The service's name.
pub const NAME: &str = "finance";

/// The service.
pub const SERVICE: Service =
    Service { name: NAME, policies: domain::policies::POLICIES, tables: storage::schema::MIGRATIONS, build };

#[expect(clippy::unnecessary_wraps, reason = "every service is built the same way, and some can fail")]
fn build(host: &Host, _: &Config) -> Result<Built, Error> {
    let conventions = ConventionsServiceServer::new(rpc::conventions::Conventions(host.clone()));
    let payments = PaymentsServiceServer::new(rpc::payments::Payments(host.clone()));
    let claims = ClaimsServiceServer::new(rpc::claims::Claims(host.clone()));
    let ledger = LedgerServiceServer::new(rpc::ledger::Ledger(host.clone()));
    Ok(Built {
        routes: Routes::new(conventions).add_service(payments).add_service(claims).add_service(ledger),
        subscriber: Some(Arc::new(rpc::inbox::Reactions)),
        letters: None,
        timers: tasks::timers(),
        guard: Some(|_, _, key, dated| Box::pin(async move { Ok(domain::policies::check(key, &dated.value)?) })),
        case: Some(storage::schema::CASE),
    })
}
