//! Payments through the running service, on every database (F03).

use conum_proto::finance::v1::{
    Breach, GetBankAccountRequest, SuspendConventionRequest, bank_account, instalment::State, payment_order,
};
use conum_testkit::{backends, callers};

use crate::scene::{Programme, granted, reason, report};

#[tokio::test(flavor = "multi_thread")]
async fn f03_an_instalment_is_released_sent_in_a_file_and_paid_once() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.grant(&one).await;
        programme.sign_both(&one, 0).await;
        let seen = programme.instalments(&one).await;
        assert_eq!(seen[0].held_for, ["documents_missing", "no_bank_account"]);
        assert_eq!(reason(&programme.create_file().await.unwrap_err()), ("NOTHING_TO_PAY".into(), "F03".into()));
        programme.documents(&one).await;
        programme.account(&one).await;
        assert_eq!(programme.instalments(&one).await[0].state(), State::Due);

        let file = programme.create_file().await.unwrap();
        assert_eq!((file.orders, file.total_cents), (1, 1_000_000));
        let content = programme.download(&file.name).await;
        assert_eq!(conum_finance::commands::paying::digest(&content), file.sha256);
        let orders = programme.orders(&file.name).await;
        let order = orders[0].name.trim_start_matches("paymentOrders/pay_");
        assert!(String::from_utf8(content).unwrap().contains(order));
        assert_eq!(reason(&programme.create_file().await.unwrap_err()).0, "NOTHING_TO_PAY", "in one file only");

        let paid = report(&file.name, &[(&orders[0].name, "ACSC", "")]);
        let answer = programme.answer(paid.clone()).await.unwrap();
        assert_eq!((answer.paid, answer.rejected), (1, 0));
        assert_eq!(programme.answer(paid).await.unwrap(), answer, "the same file again has no second effect");
        let seen = programme.instalments(&one).await;
        assert_eq!((seen[0].state(), seen[1].state()), (State::Paid, State::ToCome));
        assert_eq!(programme.figures().await.instalments_paid, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_nothing_is_paid_once_the_file_of_documents_is_opened_again_until_it_is_complete() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.payable(&one).await;
        assert_eq!(programme.instalments(&one).await[0].state(), State::Due);
        programme.documents_again(&one).await;
        assert_eq!(programme.instalments(&one).await[0].held_for, ["documents_missing"]);
        assert_eq!(reason(&programme.create_file().await.unwrap_err()).0, "NOTHING_TO_PAY");
        programme.documents(&one).await;
        assert_eq!(programme.create_file().await.unwrap().orders, 1);
        programme.figures().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_an_answer_for_an_unknown_or_settled_order_is_refused_and_nothing_is_half_written() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let (one, two) = (granted("one", "public", 1), granted("two", "private", 1));
        programme.payable(&one).await;
        programme.payable(&two).await;
        let file = programme.create_file().await.unwrap();
        let orders = programme.orders(&file.name).await;
        assert_eq!(orders.len(), 2);
        let unknown = "paymentOrders/pay_00000000000000000000000000000000";
        let bad = report(&file.name, &[(&orders[0].name, "ACSC", ""), (unknown, "ACSC", "")]);
        let refused = programme.answer(bad).await.unwrap_err();
        assert_eq!(reason(&refused), ("UNKNOWN_ORDER".into(), "F03".into()));
        assert!(String::from_utf8_lossy(refused.details()).contains("content.lines[1]"));
        assert_eq!(programme.figures().await.sent_cents, 1_800_000, "nothing is half-written");

        programme.answer(report(&file.name, &[(&orders[0].name, "ACSC", "")])).await.unwrap();
        let again = report(&file.name, &[(&orders[1].name, "ACSC", ""), (&orders[0].name, "RJCT", "AC04")]);
        assert_eq!(reason(&programme.answer(again).await.unwrap_err()), ("SETTLED_ORDER".into(), "F03".into()));
        assert_eq!(programme.orders(&file.name).await[1].state(), payment_order::State::Sent);
        let other = report("paymentFiles/file_00000000000000000000000000000000", &[(unknown, "ACSC", "")]);
        assert_eq!(reason(&programme.answer(other).await.unwrap_err()), ("UNKNOWN_FILE".into(), "F03".into()));
        assert_eq!(reason(&programme.answer(b"<xml>".to_vec()).await.unwrap_err()).0, "NOT_A_PAIN_002");
        programme.figures().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_what_the_bank_rejects_is_sent_again_once_the_account_is_corrected_by_two_people() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.payable(&one).await;
        let file = programme.create_file().await.unwrap();
        let orders = programme.orders(&file.name).await;
        programme.answer(report(&file.name, &[(&orders[0].name, "RJCT", "AC04")])).await.unwrap();
        assert_eq!(programme.orders(&file.name).await[0].reject_reason, "AC04");
        assert_eq!(programme.instalments(&one).await[0].held_for, ["no_bank_account"]);
        let request = programme.signed(&one.caller(), GetBankAccountRequest { name: one.account() }).await;
        let account = programme.payments().get_bank_account(request).await.unwrap().into_inner();
        assert_eq!(account.state(), bank_account::State::RefusedByBank);
        assert_eq!(account.masked_iban, "FR14 **** 606");

        let wrong = programme.propose(&one.caller(), &one, "FR15 2004 1010 0505 0001 3M02 606").await.unwrap_err();
        assert_eq!(reason(&wrong), ("IBAN_KEY".into(), "F03".into()));
        programme.propose(&one.caller(), &one, "DE89370400440532013000").await.unwrap();
        let same = programme.confirm(&one.caller(), &one).await.unwrap_err();
        assert_eq!(reason(&same), ("SAME_PERSON".into(), "F03".into()));
        programme.confirm(&callers::agency(), &one).await.unwrap();
        assert_eq!(programme.instalments(&one).await[0].state(), State::Due);
        programme.pay().await;
        let seen = programme.figures().await;
        assert_eq!((seen.instalments_paid, seen.payments_rejected, seen.paid_cents), (1, 1, 1_000_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_an_account_that_was_changed_since_the_file_is_not_to_blame_for_its_rejection() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.payable(&one).await;
        let file = programme.create_file().await.unwrap();
        programme.scene.days_pass(1).await;
        programme.propose(&one.caller(), &one, "DE89370400440532013000").await.unwrap();
        programme.confirm(&callers::agency(), &one).await.unwrap();
        let orders = programme.orders(&file.name).await;
        programme.answer(report(&file.name, &[(&orders[0].name, "RJCT", "AC01")])).await.unwrap();
        assert_eq!(programme.instalments(&one).await[0].state(), State::Due, "released to the new account");
        let second = programme.create_file().await.unwrap();
        let content = String::from_utf8(programme.download(&second.name).await).unwrap();
        assert!(content.contains("DE89370400440532013000"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_64_releases_of_one_instalment_at_once_pay_once() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.payable(&one).await;
        let files = futures::future::join_all((0..64).map(|_| programme.create_file())).await;
        let made: Vec<_> = files.iter().flatten().collect();
        assert_eq!(made.len(), 1);
        for refused in files.iter().filter_map(|file| file.as_ref().err()) {
            assert_eq!(reason(refused), ("NOTHING_TO_PAY".into(), "F03".into()));
        }
        let orders = programme.orders(&made[0].name).await;
        let paid = report(&made[0].name, &[(&orders[0].name, "ACSC", "")]);
        let answers = futures::future::join_all((0..64).map(|_| programme.answer(paid.clone()))).await;
        assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.paid == 1)), "{answers:?}");
        let seen = programme.figures().await;
        assert_eq!((seen.instalments_paid, seen.paid_cents), (1, 1_000_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_f04_a_suspension_withdraws_what_is_ready_and_leaves_what_is_sent() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.payable(&one).await;
        let name = programme.convention(&one).await.name;
        let message = SuspendConventionRequest { name, reason: Breach::GrantMisused.into(), ..Default::default() };
        let request = programme.signed(&callers::agency(), message).await;
        programme.conventions().suspend_convention(request).await.unwrap();
        assert_eq!(programme.instalments(&one).await[0].held_for, ["suspended"]);
        assert_eq!(reason(&programme.create_file().await.unwrap_err()).0, "NOTHING_TO_PAY");
    }
}
