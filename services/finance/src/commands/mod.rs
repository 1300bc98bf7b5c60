//! What a decision writes, in the transaction that it is given. The rules are the domain's; here is the order of things.
//!
//! Locks are taken in one order everywhere: names (a structure's account, the payment files), conventions by id, then
//! accounts, orders and the ledger's heads.

pub mod auditing;
pub mod granting;
pub mod paying;
pub mod sealing;
pub mod telling;

use conum_kernel::{ConventionId, Result};
use conum_service::{Call, Failure, Tx, history, policies::InForce};
use sea_orm::ConnectionTrait;

use crate::{
    domain::{
        advance, amounts,
        convention::Convention,
        decision::{Context, Decision, Effect},
        policies::{POLICIES, Settings, numbers},
        schedule::Plan,
    },
    storage::{conventions, ledger, orders},
};

/// The settings in force on the day of a call.
///
/// # Errors
/// The database's.
pub async fn settings<C: ConnectionTrait>(connection: &C, call: &Call) -> Result<Settings, Failure> {
    let policies = InForce::on(connection, POLICIES, call.moment.today).await?;
    Ok(Settings {
        grants: amounts::read(&policies.text("grants"))?,
        plan: Plan {
            shares: numbers(&policies.text("instalment-shares")),
            months: numbers(&policies.text("instalment-months")),
            first_late_months: policies.get("first-late-months")?,
        },
        contract_needed_from: policies.get("contract-needed-from")?,
        grant_months: policies.get("grant-months")?,
        ending_notices: numbers(&policies.text("ending-notices")),
        aids_refused_to_private: conum_kernel::policy::words(&policies.text("aids-refused-to-private"))
            .map(str::to_owned)
            .collect(),
    })
}

/// Decides on a convention under its lock, and writes the decision.
///
/// # Errors
/// Not found, or what the domain refuses.
pub async fn decide<F>(tx: &Tx, call: &Call, id: ConventionId, decide: F) -> Result<Convention, Failure>
where
    F: FnOnce(Convention, &Context<'_>) -> Result<Decision>,
{
    let before = conventions::lock(tx, id).await?;
    let settings = settings(tx, call).await?;
    let decision = within(call, &settings, |context| decide(before.clone(), context))?;
    commit(tx, call, &settings, Some(&before), decision).await
}

/// Takes a decision with the settings, the moment and the ids of a call.
pub(crate) fn within<T>(call: &Call, settings: &Settings, decide: impl FnOnce(&Context<'_>) -> T) -> T {
    let mint = |what: &str| call.uuid(what);
    decide(&Context { settings, moment: call.moment, mint: &mint })
}

/// Writes a decision: the convention, its history, the ledger, the payment orders, and what others are told.
pub(crate) async fn commit(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    before: Option<&Convention>,
    decision: Decision,
) -> Result<Convention, Failure> {
    let mut convention = decision.state;
    let wakes_on = advance::wakes_on(&convention, settings, call.moment.today);
    conventions::save(tx, before, &convention, wakes_on).await?;
    convention.version += 1;
    history::append(tx, call, &convention.id.name(), &decision.facts).await?;
    let mut postings = Vec::new();
    for effect in decision.events {
        match effect {
            Effect::Posted(posting) => postings.push(posting),
            Effect::Order(change) => orders::apply(tx, call, &convention, &change).await?,
            Effect::Told(told) => telling::tell(tx, call, &convention, told).await?,
        }
    }
    ledger::append(tx, call, convention.id, &postings).await?;
    Ok(convention)
}
