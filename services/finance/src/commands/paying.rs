//! Payment files and the bank's answers (F03): an order is in one file, an answer has one effect, and each is written whole
//! or not at all.

use std::collections::{BTreeMap, BTreeSet};

use conum_kernel::{ConventionId, Error, PaymentFileId, PaymentOrderId, Rule, StructureId};
use conum_service::{Call, Failure, Tx, policies::InForce, sql};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::decide;
use crate::{
    domain::{
        account::Details,
        answers::{self, Known},
        convention::Convention,
        payment::{self, Verdict},
        policies::POLICIES,
        refusals::breaks,
    },
    iso20022::{
        credit_transfer::{CreditTransfer, Transaction},
        status_report,
    },
    storage::{
        accounts,
        answers::Answer,
        conventions,
        files::{self, File},
        orders::{self, Order},
    },
};

const F03: Rule = Rule("F03");
/// The name that is held while a file is made: one file at a time.
const FILES: &str = "paymentFiles";

/// Gathers the orders that are ready, the oldest first, into a file.
///
/// # Errors
/// `NOTHING_TO_PAY`; `DATE_IN_THE_PAST`.
pub async fn create_file(tx: &Tx, call: &Call, execution_on: Date) -> Result<File, Failure> {
    if execution_on < call.moment.today {
        let french = "la date d'exécution est passée";
        return Err(breaks(F03, "execution_on", "DATE_IN_THE_PAST", "the day is past", french).into());
    }
    sql::hold(tx, FILES).await?;
    let policies = InForce::on(tx, POLICIES, call.moment.today).await?;
    let id: PaymentFileId = call.mint("file");
    let ready = orders::ready(tx, policies.get("payment-file-orders")?).await?;
    let mut sent: BTreeMap<ConventionId, Vec<Order>> = BTreeMap::new();
    for order in ready {
        sent.entry(order.convention).or_default().push(order);
    }
    let mut transactions = Vec::new();
    for (convention, orders) in sent {
        // Under the lock: an order may have been withdrawn since it was read.
        let after = decide(tx, call, convention, |state, _| {
            let standing: Vec<_> = orders.iter().map(|order| order.id).filter(|id| stands(&state, *id)).collect();
            payment::send(state, &standing, id)
        })
        .await?;
        for order in orders.into_iter().filter(|order| stands(&after, order.id)) {
            transactions.push(transaction(tx, order).await?);
        }
    }
    if transactions.is_empty() {
        let french = "aucun ordre de paiement n'est prêt";
        return Err(Error::refused(F03, "NOTHING_TO_PAY", "no payment order is ready", french).into());
    }
    transactions.sort_by_key(|transaction| transaction.order);
    let debtor = Details {
        iban: policies.text("debtor-iban"),
        bic: policies.text("debtor-bic"),
        holder: policies.text("debtor-name"),
    };
    let transfer = CreditTransfer { id, created: call.moment, execution_on, debtor, transactions };
    let content = transfer.write()?;
    let file = File {
        id,
        created_at: call.moment.now,
        execution_on,
        orders: i32::try_from(transfer.transactions.len()).map_err(Error::internal)?,
        total: transfer.total()?,
        sha256: digest(&content),
    };
    files::insert(tx, &file, content).await?;
    Ok(file)
}

fn stands(convention: &Convention, order: PaymentOrderId) -> bool {
    convention.instalments.iter().any(|instalment| instalment.order == Some(order))
}

async fn transaction(tx: &Tx, order: Order) -> Result<Transaction, Failure> {
    let account = accounts::find(tx, order.structure).await?;
    let creditor = account.current.ok_or_else(|| Error::internal("an order without an account"))?;
    let remittance = format!("CONSEILLER NUMERIQUE {}", order.instalment.uuid().simple());
    Ok(Transaction { order: order.id, amount: order.amount, creditor, remittance })
}

/// SHA-256 of bytes, lower-case hexadecimal.
#[must_use]
pub fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// Records what the bank answers on a file: all of it, or nothing. The same bytes again answer what they came to.
///
/// # Errors
/// Those of [`status_report::read`] and [`answers::decide`]; `UNKNOWN_FILE`.
pub async fn record_answer(tx: &Tx, call: &Call, content: &[u8]) -> Result<Answer, Failure> {
    let digest = digest(content);
    if let Some(known) = crate::storage::answers::find(tx, &digest).await? {
        return Ok(known);
    }
    let report = status_report::read(content)?;
    let File { id: file, created_at: sent_at, .. } = file_of(tx, &report.original).await?;
    let mut answer = Answer { digest, file, paid: 0, rejected: 0, recorded_at: call.moment.now };
    if !crate::storage::answers::take(tx, &answer).await? {
        let known = crate::storage::answers::find(tx, &answer.digest).await?;
        return known.ok_or_else(|| Error::internal("an answer vanished").into());
    }
    // The conventions first, in the order of their ids, so that no order changes between reading and writing.
    let concerned: BTreeSet<_> = orders::of_file(tx, file).await?.iter().map(|order| order.convention).collect();
    for convention in &concerned {
        conventions::hold(tx, *convention).await?;
    }
    let orders = orders::of_file(tx, file).await?;
    let known: Vec<Known> = orders.iter().map(|order| Known { order: order.id, state: order.state }).collect();
    let verdicts = answers::decide(&report.lines, &known)?;
    let holders: BTreeMap<PaymentOrderId, ConventionId> =
        orders.iter().map(|order| (order.id, order.convention)).collect();
    let mut answered: BTreeMap<ConventionId, Vec<(PaymentOrderId, Verdict)>> = BTreeMap::new();
    for verdict in &verdicts {
        if let Some(convention) = holders.get(&verdict.0) {
            answered.entry(*convention).or_default().push(verdict.clone());
        }
    }
    let mut refused: BTreeSet<StructureId> = BTreeSet::new();
    for (convention, own) in answered {
        let structure = orders.iter().find(|order| order.convention == convention).map(|order| order.structure);
        let changed = match structure {
            Some(structure) => accounts::find(tx, structure).await?.changed_since(sent_at),
            None => false,
        };
        let after =
            decide(tx, call, convention, |state, context| payment::answered(state, &own, changed, context)).await?;
        if !after.account {
            refused.insert(after.structure);
        }
    }
    for structure in refused {
        let account = accounts::find(tx, structure).await?;
        if account.usable {
            accounts::save(tx, &crate::domain::account::BankAccount { usable: false, ..account }).await?;
        }
    }
    let paid = verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Paid).count();
    answer.paid = i32::try_from(paid).map_err(Error::internal)?;
    answer.rejected = i32::try_from(verdicts.len() - paid).map_err(Error::internal)?;
    crate::storage::answers::finish(tx, &answer).await?;
    Ok(answer)
}

async fn file_of(tx: &Tx, original: &str) -> Result<File, Failure> {
    let unknown = || {
        let french = "ce fichier ne répond à aucun de nos fichiers de paiement";
        breaks(F03, "content", "UNKNOWN_FILE", "it answers none of our payment files", french)
    };
    let id: PaymentFileId = format!("file_{original}").parse().map_err(|_| unknown())?;
    files::find(tx, id).await.map_err(|failure| match failure {
        Failure::Refused(_) => unknown().into(),
        database @ Failure::Database(_) => database,
    })
}
