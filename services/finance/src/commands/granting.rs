//! Granted posts that become a convention (F02), and the account that a structure is paid to (F03).

use conum_kernel::{ConventionId, Result, StructureId};
use conum_service::{Call, Failure, Tx, history, requests::Record as _, sql};

use super::{commit, decide, settings, within};
use crate::{
    domain::{
        account::{BankAccount, Details},
        advance,
        convention::Convention,
        decision::{Context, Decision},
        signing::{self, Grant},
    },
    storage::{accounts, conventions},
};

/// Takes granted posts into the convention of their application, or makes it.
///
/// # Errors
/// The database's.
pub async fn grant(tx: &Tx, call: &Call, grant: &Grant) -> Result<Convention, Failure> {
    // A confirmed account and a new convention never miss each other.
    sql::hold(tx, &grant.structure.name()).await?;
    let known = conventions::of_application(tx, grant.application).await?;
    let before = match known {
        Some(id) => Some(conventions::lock(tx, id).await?),
        None => None,
    };
    let account = accounts::find(tx, grant.structure).await?.usable;
    let settings = settings(tx, call).await?;
    let new = call.mint("convention");
    let known = before.clone();
    let decision = within(call, &settings, |context| with_account(known, new, grant, account, context))?;
    commit(tx, call, &settings, before.as_ref(), decision).await
}

/// A grant to a structure whose account may be known before its convention.
fn with_account(
    known: Option<Convention>,
    new: ConventionId,
    grant: &Grant,
    account: bool,
    context: &Context<'_>,
) -> Result<Decision> {
    let mut decision = signing::grant(known, new, grant, context)?;
    if decision.state.account != account {
        decision.state.account = account;
        advance::advance(&mut decision, context)?;
    }
    Ok(decision)
}

/// Proposes an account.
///
/// # Errors
/// Aborted where it has changed since it was read.
pub async fn propose(tx: &Tx, call: &Call, account: BankAccount, details: Details) -> Result<BankAccount, Failure> {
    let (account, fact) = account.propose(details, call.actor());
    keep(tx, call, account, fact).await
}

/// Confirms a proposed account: what waited for it is released.
///
/// # Errors
/// `NO_PROPOSAL`, `SAME_PERSON`.
pub async fn confirm(
    tx: &Tx,
    call: &Call,
    structure: StructureId,
    account: BankAccount,
) -> Result<BankAccount, Failure> {
    sql::hold(tx, &structure.name()).await?;
    let (account, fact) = account.confirm(call.actor(), call.moment)?;
    for id in conventions::of_structure(tx, structure).await? {
        decide(tx, call, id, |convention, context| advance::on(Convention { account: true, ..convention }, context))
            .await?;
    }
    keep(tx, call, account, fact).await
}

async fn keep(tx: &Tx, call: &Call, account: BankAccount, fact: conum_kernel::Fact) -> Result<BankAccount, Failure> {
    accounts::save(tx, &account).await?;
    history::append(tx, call, &account.name(), &[fact]).await?;
    Ok(BankAccount { version: account.version + 1, ..account })
}
