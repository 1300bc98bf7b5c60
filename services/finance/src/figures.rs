//! What finance counts of a season. Double payments are recounted from the orders, and the ledger is recomputed from its
//! entries: they would show a counter that lies.

use conum_proto::finance::v1::FinanceFigures;
use conum_service::{Failure, Reader};

use crate::{
    commands::auditing,
    domain::ledger::Account,
    storage::{
        conventions, instalments,
        ledger::{self, Scope},
        orders,
    },
};

/// Counts the season so far.
///
/// # Errors
/// The database's.
pub async fn count(connection: &Reader) -> Result<FinanceFigures, Failure> {
    let balances = ledger::sum(connection, Scope::Whole).await?;
    let (payments_rejected, payments_doubled) = orders::counted(connection).await?;
    let of = |account| balances.of(account).0;
    let audit = auditing::at_once(connection).await?;
    Ok(FinanceFigures {
        name: "financeFigures".into(),
        conventions: conventions::in_force(connection).await?,
        granted_cents: of(Account::Granted),
        to_come_cents: of(Account::ToCome),
        due_cents: of(Account::Due),
        held_cents: of(Account::Held),
        sent_cents: of(Account::Sent),
        paid_cents: of(Account::Paid),
        cancelled_cents: of(Account::Cancelled),
        claimed_cents: of(Account::Claimed),
        outstanding_cents: of(Account::Outstanding),
        repaid_cents: of(Account::Repaid),
        waived_cents: of(Account::Waived),
        instalments_paid: instalments::paid(connection).await?,
        payments_rejected,
        payments_doubled,
        ledger_balanced: audit.findings.is_empty() && balances.broken().is_empty(),
    })
}
