//! What must hold once a payment run is over: files, orders, instalments and the bank's answers agree (F03).

use std::collections::{BTreeMap, BTreeSet};

use conum_proto::finance::v1::{GetPaymentFileRequest, PaymentFile, PaymentOrder, instalment, payment_order::State};
use conum_testkit::callers;

use crate::{
    payment_run::{Bank, Run, STRUCTURES},
    scene::Programme,
};

/// Every file, order, instalment and answer, one against the other.
pub(crate) async fn agrees(run: &Run) {
    let instalments = run.instalments().await;
    let orders = run.programme.orders("").await;
    assert_eq!(instalments.len(), 3 * STRUCTURES);
    for instalment in &instalments {
        let own = || orders.iter().filter(|order| order.instalment == instalment.name);
        let paid: Vec<_> = own().filter(|order| order.state() == State::Paid).collect();
        assert_eq!(paid.len(), 1, "{instalment:?}");
        assert_eq!(paid[0].amount_cents, instalment.amount_cents);
        assert_eq!(instalment.state(), instalment::State::Paid);
        assert!(own().all(|order| matches!(order.state(), State::Paid | State::Rejected | State::Withdrawn)));
    }
    let files = {
        let bank = run.bank.lock().unwrap();
        settled_once(&bank, &orders);
        bank.files.clone()
    };
    in_one_file_each(&run.programme, &files, &orders).await;
}

/// Of the answers that were acknowledged, one has settled each order that was sent.
fn settled_once(bank: &Bank, orders: &[PaymentOrder]) {
    let mut answered: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (_, place) in bank.recorded.values() {
        for (order, code) in &bank.reports[*place].verdicts {
            answered.entry(order.name.as_str()).or_default().push(code);
        }
    }
    for order in orders {
        let code: &[&str] = match order.state() {
            State::Paid => &[""],
            State::Rejected => &[&order.reject_reason],
            _ => &[],
        };
        let said = answered.get(order.name.as_str()).map_or(&[][..], Vec::as_slice);
        assert_eq!(said, code, "{order:?}");
    }
}

/// What a file holds is what its orders say, and no order is in two.
async fn in_one_file_each(programme: &Programme, files: &BTreeMap<String, PaymentFile>, orders: &[PaymentOrder]) {
    let mut placed = BTreeSet::new();
    for (name, file) in files {
        let request = programme.signed(&callers::agency(), GetPaymentFileRequest { name: name.clone() }).await;
        assert_eq!(programme.payments().get_payment_file(request).await.unwrap().into_inner(), *file);
        let content = programme.download(name).await;
        assert_eq!(conum_finance::commands::paying::digest(&content), file.sha256);
        let text = String::from_utf8(content).unwrap();
        let ids = text.split("<EndToEndId>").skip(1).map(|rest| rest.split('<').next().unwrap());
        let written: BTreeSet<_> = ids.map(|id| format!("paymentOrders/pay_{id}")).collect();
        let own = || orders.iter().filter(|order| order.payment_file == *name);
        assert_eq!(written, own().map(|order| order.name.clone()).collect(), "{name}");
        assert_eq!(file.total_cents, own().map(|order| order.amount_cents).sum::<i64>());
        for order in written {
            assert!(placed.insert(order.clone()), "{order} stands in two files");
        }
    }
    let sent = orders.iter().filter(|order| order.state() != State::Withdrawn).map(|order| order.name.clone());
    assert_eq!(placed, sent.collect());
}
