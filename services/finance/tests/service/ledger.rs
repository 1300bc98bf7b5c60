//! The ledger as it runs, on every database (F10): chained, sealed daily, audited from its entries alone.

use conum_proto::finance::v1::{
    AuditLedgerRequest, GetLedgerBalancesRequest, LedgerAudit, ListLedgerEntriesRequest, ListLedgerSealsRequest,
};
use conum_service::sql;
use conum_testkit::{backends, callers};

use crate::scene::{Programme, granted};

pub(crate) async fn audit(programme: &Programme) -> LedgerAudit {
    let request = programme.signed(&callers::operator(), AuditLedgerRequest {}).await;
    programme.ledger().audit_ledger(request).await.unwrap().into_inner()
}

fn reasons(audit: &LedgerAudit) -> Vec<&str> {
    audit.findings.iter().map(|finding| finding.reason.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_every_entry_is_balanced_chained_and_named_by_its_cause_and_heads_are_sealed_daily() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.payable(&one).await;
        programme.pay().await;
        programme.scene.days_pass(1).await;
        programme.scene.days_pass(1).await;

        let parent = programme.convention(&one).await.name;
        let message = ListLedgerEntriesRequest { parent: parent.clone(), page_size: 2, ..Default::default() };
        let request = programme.signed(&one.caller(), message.clone()).await;
        let first = programme.ledger().list_ledger_entries(request).await.unwrap().into_inner();
        let message = ListLedgerEntriesRequest { page_size: 100, page_token: first.next_page_token, ..message };
        let request = programme.signed(&one.caller(), message).await;
        let rest = programme.ledger().list_ledger_entries(request).await.unwrap().into_inner();
        let entries = [first.entries, rest.entries].concat();
        let kinds: Vec<_> = entries.iter().map(|entry| (entry.number, entry.kind.as_str())).collect();
        assert_eq!(kinds, [(1, "GRANT"), (2, "FALL_DUE"), (3, "SEND"), (4, "PAY")]);
        for pair in entries.windows(2) {
            assert_eq!(pair[0].hash, pair[1].previous);
        }
        for entry in &entries {
            let debits: i64 = entry.lines.iter().map(|line| line.debit_cents).sum();
            assert_eq!(debits, entry.lines.iter().map(|line| line.credit_cents).sum::<i64>());
            assert!(!entry.cause.is_empty() && !entry.rule.is_empty());
        }
        let message = ListLedgerSealsRequest::default();
        let request = programme.signed(&callers::operator(), message).await;
        let seals = programme.ledger().list_ledger_seals(request).await.unwrap().into_inner().seals;
        assert_eq!(seals.len(), 1, "a day without an entry needs no seal");
        for scope in [parent, one.post(0), String::new()] {
            let request = programme.signed(&callers::agency(), GetLedgerBalancesRequest { scope }).await;
            let balances = programme.ledger().get_ledger_balances(request).await.unwrap().into_inner();
            assert_eq!((balances.granted_cents, balances.paid_cents), (5_000_000, 1_000_000));
        }
        let audit = audit(&programme).await;
        assert!(audit.balanced, "{:?}", audit.findings);
        assert_eq!((audit.conventions, audit.entries, audit.seals), (1, 4, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_whoever_edits_the_books_is_found_out() {
    for backend in backends() {
        for (edit, expected) in [
            ("UPDATE ledger_entries SET cause = 'x' WHERE number = 2", "CHAIN_BROKEN"),
            ("DELETE FROM ledger_entries WHERE number = 1", "ENTRY_MISSING"),
            ("DELETE FROM ledger_entries WHERE number = 2", "HEAD_DIFFERS"),
            ("UPDATE ledger_balances SET due = due - 1, held = held + 1", "BALANCE_DIFFERS"),
            ("UPDATE instalments SET amount = amount + 1 WHERE number = 3", "ROWS_DIFFER"),
            ("UPDATE ledger_sealed_heads SET hash = 'x'", "SEALED_HEADS_CHANGED"),
            ("UPDATE ledger_seals SET heads = 7", "SEAL_BROKEN"),
        ] {
            let programme = Programme::start(&backend).await;
            let one = granted("one", "public", 1);
            programme.payable(&one).await;
            programme.scene.days_pass(1).await;
            assert!(audit(&programme).await.balanced);
            let store = programme.scene.cluster.services()[0].host.store().clone();
            store.write(move |tx| Box::pin(async move { Ok(sql::execute(tx, edit, []).await?) })).await.unwrap();
            let audit = audit(&programme).await;
            assert!(!audit.balanced && reasons(&audit).contains(&expected), "{edit}: {:?}", audit.findings);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_the_database_itself_refuses_what_the_ledger_forbids() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.payable(&one).await;
        let store = programme.scene.cluster.services()[0].host.store().clone();
        for forbidden in [
            "UPDATE ledger_balances SET paid = paid + 1",
            "UPDATE ledger_balances SET to_come = to_come - 5000000, paid = paid + 5000000",
            "UPDATE ledger_balances SET claimed = claimed + 1, outstanding = outstanding + 1",
        ] {
            let refused =
                store.write(move |tx| Box::pin(async move { Ok(sql::execute(tx, forbidden, []).await?) })).await;
            assert!(refused.is_err(), "{forbidden}");
        }
    }
}
