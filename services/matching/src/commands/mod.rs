//! What changes several records at once, in the transaction that it is given: serving a structure, answering,
//! recruiting, releasing, and what happens to people. The rules are the domain's; here is the order of things.
//!
//! Locks are taken in one order everywhere: structures by id, then candidates.

pub mod answering;
pub mod people;
pub mod posts;
pub mod recruiting;
pub mod serving;

use conum_kernel::Result;
use conum_proto::events::v1::event::Payload;
use conum_service::{Call, Failure, Tx, events, policies::InForce, sql::Script};
use sea_orm::ConnectionTrait;

use crate::{
    NAME,
    domain::{
        contract::minimum_wages,
        order::{Order, Reserve},
        policies::{POLICIES, Settings},
    },
};

/// The settings in force on the day of a call.
///
/// # Errors
/// The database's.
pub async fn settings<C: ConnectionTrait>(connection: &C, call: &Call) -> Result<Settings, Failure> {
    let policies = InForce::on(connection, POLICIES, call.moment.today).await?;
    Ok(Settings {
        live_per_structure: policies.get("live-per-structure")?,
        live_per_candidate: policies.get("live-per-candidate")?,
        reminder_days: policies.get("reminder-days")?,
        expiry_days: policies.get("expiry-days")?,
        order: Order {
            need_m: policies.get("order-need-metres")?,
            wish_m: policies.get("order-wish-metres")?,
            day_m: policies.get("order-day-metres")?,
        },
        reserve: Reserve {
            percent: policies.get("reserved-share-percent")?,
            months: policies.get("reserved-share-months")?,
        },
        shortest_contract_months: policies.get("shortest-contract-months")?,
        signature_days: policies.get("signature-days")?,
        minimum_wages: minimum_wages(&policies.text("minimum-wages")),
    })
}

/// Tells the others.
pub(crate) async fn tell(tx: &Tx, call: &Call, subject: &str, payload: Payload) -> Result<(), Failure> {
    events::append(tx, call, NAME, subject, payload).await
}

/// Adds the telling of the others to a script.
pub(crate) fn told(script: &mut Script, call: &Call, subject: &str, payload: Payload) {
    events::outbox::add(script, call, NAME, subject, payload);
}
