//! Whole seasons on the bench: early ends, replacements, posts given back, claims (F04, F07), and any sequence of all of it
//! (F10). The bench posts every decision to a ledger, and checks it against the rows after each.

use conum_kernel::{Cents, Rule};
use proptest::prelude::*;

use super::{
    amounts::Kind,
    claims::{self, WaiverReason},
    convention::{Breach, Funding},
    decision::Told,
    endings,
    examples::{Bench, date, id, named},
    following::{self, FollowUpKind, Submitted},
    holds::{AgencyReason, HoldReason},
    instalment::State,
    ledger::Account,
    payment::Verdict,
    signing::{self, Grant},
};

const DECISION: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// One post whose first and second instalments were paid, with somebody in post since 2021-03-15.
fn seven_months() -> Bench {
    let mut bench = Bench::payable(1, "2021-02-01");
    bench.contract(0, "one", "2021-03-15");
    bench.pay(0, 1);
    bench.on("2021-08-01");
    bench.advance();
    bench.pay(0, 2);
    bench.on("2021-10-20");
    bench
}

fn balances(bench: &Bench, accounts: &[Account]) -> Vec<i64> {
    accounts.iter().map(|account| bench.balance(*account).0).collect()
}

#[test]
fn f04_who_leaves_after_seven_months_keeps_what_was_earned_and_the_rest_is_claimed() {
    let mut bench = seven_months();
    bench.end(0, "one", "2021-10-14", "resignation");
    bench.settle(0).unwrap();
    let earned = 5_000_000 * 214 / 730;
    assert_eq!(bench.balance(Account::Claimed), Cents(2_500_000 - earned));
    assert_eq!(bench.balance(Account::Cancelled), Cents(2_500_000));
    assert_eq!(bench.state(0, 3), State::Cancelled);
    assert_eq!(bench.count(|told| matches!(told, Told::Claimed { .. })), 1);
    let again = bench.settle(0).unwrap_err();
    assert_eq!((again.reason(), again.rule()), ("NO_ENDING", Some(Rule("F04"))));
}

#[test]
fn f04_where_less_was_paid_than_earned_the_difference_stays_payable_by_its_calendar() {
    let mut bench = seven_months();
    bench.on("2022-05-20");
    bench.advance();
    bench.end(0, "one", "2022-05-14", "resignation");
    assert_eq!(bench.held_for(0, 3), [HoldReason::EndingUnsettled]);
    bench.settle(0).unwrap();
    let earned = 5_000_000 * 426 / 730;
    assert_eq!(bench.state(0, 3), State::Due);
    assert_eq!(bench.instalment(0, 3).amount, Cents(earned - 2_500_000));
    assert_eq!(bench.balance(Account::Claimed), Cents::ZERO);
    bench.pay(0, 3);
    assert_eq!(bench.balance(Account::Paid), Cents(earned));
}

#[test]
fn f04_the_unpaid_is_cut_from_the_last_instalment_first() {
    let mut bench = Bench::payable(1, "2021-02-01");
    bench.contract(0, "one", "2021-03-15");
    bench.on("2021-07-20");
    bench.end(0, "one", "2021-07-14", "dismissal");
    bench.settle(0).unwrap();
    let earned = 5_000_000 * 122 / 730;
    assert_eq!(bench.state(0, 3), State::Cancelled);
    assert_eq!(bench.state(0, 2), State::Cancelled);
    assert_eq!(bench.instalment(0, 1).amount, Cents(earned), "the first stays payable");
    assert_eq!(bench.state(0, 1), State::Due);
}

#[test]
fn f04_an_end_is_settled_after_the_banks_answer() {
    let mut bench = Bench::payable(1, "2021-02-01");
    bench.contract(0, "one", "2021-03-15");
    let order = bench.send(0, 1);
    bench.on("2021-07-20");
    bench.end(0, "one", "2021-07-14", "dismissal");
    let error = bench.settle(0).unwrap_err();
    assert_eq!((error.reason(), error.rule()), ("PAYMENT_UNDER_WAY", Some(Rule("F04"))));
    bench.answer(order, Verdict::Paid).unwrap();
    bench.settle(0).unwrap();
    assert_eq!(bench.balance(Account::Claimed), Cents(1_000_000 - 5_000_000 * 122 / 730));
}

#[test]
fn f04_a_post_given_back_unfilled_all_that_was_paid_is_claimed_and_the_rest_cancelled() {
    let mut bench = Bench::payable(2, "2021-02-01");
    bench.pay(0, 1);
    let order = bench.send(1, 1);
    bench.give_back(0);
    bench.give_back(1);
    let seen = [Account::Claimed, Account::Cancelled, Account::Sent];
    assert_eq!(balances(&bench, &seen), [1_000_000, 8_000_000, 1_000_000]);
    bench.answer(order, Verdict::Paid).unwrap();
    assert_eq!(balances(&bench, &seen), [2_000_000, 8_000_000, 0], "claimed once it is paid");
}

#[test]
fn f04_a_breach_is_suspended_then_claimed_never_above_what_was_paid() {
    let mut bench = seven_months();
    bench.suspend();
    let post = bench.post(0);
    let mut claim = |cents: i64, document: &str| {
        bench.apply(|c, x| claims::raise(c, post, Breach::GrantMisused, (Cents(cents), document), x))
    };
    for amount in [0, -1] {
        let error = claim(amount, DECISION).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("INVALID_AMOUNT", Some(Rule("F04"))));
    }
    assert_eq!(claim(1, "because").unwrap_err().reason(), "NOT_A_SHA256", "a reasoned decision");
    assert_eq!(claim(2_500_001, DECISION).unwrap_err().reason(), "CLAIM_ABOVE_PAID");
    claim(2_000_000, DECISION).unwrap();
    assert_eq!(claim(500_001, DECISION).unwrap_err().reason(), "CLAIM_ABOVE_PAID", "less what was claimed before");
    claim(500_000, DECISION).unwrap();
}

#[test]
fn f04_a_claim_is_repaid_in_parts_or_waived_with_a_reason_and_never_beyond_what_is_outstanding() {
    let mut bench = seven_months();
    bench.end(0, "one", "2021-10-14", "resignation");
    bench.settle(0).unwrap();
    let claim = bench.convention.claims[0].clone();
    bench.apply(|c, x| claims::repay(c, claim.id, Cents(100), x)).unwrap();
    let rest = claim.amount.0 - 100;
    let waive = |cents| {
        move |c, x: &super::decision::Context<'_>| claims::waive(c, claim.id, Cents(cents), WaiverReason::Insolvency, x)
    };
    assert_eq!(bench.apply(waive(rest + 1)).unwrap_err().reason(), "ABOVE_OUTSTANDING");
    bench.apply(waive(rest)).unwrap();
    let seen = balances(&bench, &[Account::Repaid, Account::Waived, Account::Outstanding]);
    assert_eq!(seen, [100, rest, 0]);
    assert_eq!(bench.convention.claims[0].waiver, Some(WaiverReason::Insolvency));
}

#[test]
fn f07_a_replacement_gets_what_its_predecessor_did_not_keep() {
    let mut bench = seven_months();
    bench.end(0, "one", "2021-10-14", "resignation");
    bench.settle(0).unwrap();
    let earned = 5_000_000 * 214 / 730;
    let claimed = 2_500_000 - earned;
    let claim = bench.convention.claims[0].id;
    bench.apply(|c, x| claims::repay(c, claim, Cents(400_000), x)).unwrap();
    bench.on("2021-12-01");
    bench.contract(0, "two", "2022-01-03");
    assert_eq!(bench.convention.posts[0].contracts[1].funding, Some(Funding::Of(Cents(5_000_000 - earned))));
    // What was owed is set off, what was repaid is granted anew, what was cancelled is reinstated.
    assert_eq!(bench.balance(Account::Outstanding), Cents::ZERO);
    assert_eq!(bench.balance(Account::Repaid), Cents(claimed));
    assert_eq!(bench.balance(Account::Granted), Cents(5_000_000 + claimed));
    assert_eq!(bench.balance(Account::Cancelled), Cents::ZERO);
    let new: Vec<_> = bench.convention.instalments.iter().filter(|i| i.recruitment.is_some()).collect();
    let rest = 2_500_000 + 400_000;
    let amounts: Vec<_> = new.iter().map(|i| (i.number, i.amount.0, i.set_off)).collect();
    let expected =
        [(4, claimed - 400_000, true), (5, rest / 5, false), (6, rest * 3 / 10, false), (7, rest / 2, false)];
    assert_eq!(amounts, expected);
    assert_eq!(new[2].due_on, date("2022-06-01"), "its dates count from the replacement's signature");
    assert_eq!(bench.count(|told| matches!(told, Told::Paid { .. })), 2, "a set-off is no payment");
}

#[test]
fn f07_a_replacement_signed_before_the_end_is_settled_is_funded_with_it() {
    let mut bench = seven_months();
    bench.contract(0, "two", "2021-11-02");
    assert_eq!(bench.convention.posts[0].contracts[1].funding, None);
    bench.end(0, "one", "2021-10-14", "resignation");
    bench.settle(0).unwrap();
    assert!(matches!(bench.convention.posts[0].contracts[1].funding, Some(Funding::Of(_))));
    assert_eq!(bench.balance(Account::Outstanding), Cents::ZERO);
}

#[test]
fn f07_after_the_window_nothing_is_funded_and_before_its_end_everything_falls_due() {
    let mut bench = seven_months();
    bench.end(0, "one", "2021-10-14", "resignation");
    bench.settle(0).unwrap();
    let before = bench.entries.len();
    bench.on("2023-03-01");
    let mut late = bench;
    late.contract(0, "two", "2023-03-15");
    assert_eq!(late.convention.posts[0].contracts[1].funding, Some(Funding::None));
    assert_eq!(late.entries.len(), before, "nothing is posted");

    let mut bench = seven_months();
    bench.end(0, "one", "2021-10-14", "resignation");
    bench.settle(0).unwrap();
    bench.on("2023-01-15");
    bench.contract(0, "two", "2023-03-14");
    let days: Vec<_> = bench
        .convention
        .instalments
        .iter()
        .filter(|i| i.recruitment.is_some() && !i.set_off)
        .map(|i| i.due_on)
        .collect();
    assert_eq!(days, [date("2023-01-15"), date("2023-03-14"), date("2023-03-14")], "up to the last day");
}

#[test]
fn f07_a_replacement_that_leaves_early_too_keeps_its_own_days_only() {
    let mut bench = seven_months();
    bench.end(0, "one", "2021-10-14", "resignation");
    bench.settle(0).unwrap();
    bench.contract(0, "two", "2021-11-02");
    bench.on("2021-12-10");
    bench.advance();
    bench.end(0, "two", "2021-12-01", "trial_period");
    bench.settle(0).unwrap();
    let (first, second) = (5_000_000 * 214 / 730, 5_000_000 * 30 / 730);
    let kept = bench.balance(Account::Paid).0 - bench.balance(Account::Claimed).0;
    assert_eq!(kept, first + second);
    bench.contract(0, "three", "2022-02-01");
    let funding = bench.convention.posts[0].contracts[2].funding;
    assert_eq!(funding, Some(Funding::Of(Cents(5_000_000 - first - second))));
}

#[test]
fn f02_a_post_given_back_and_granted_in_another_wave_is_signed_afresh() {
    let mut bench = Bench::payable(1, "2021-02-01");
    bench.pay(0, 1);
    bench.give_back(0);
    let post = bench.post(0);
    let again = Grant {
        structure: id(1),
        application: id(1),
        department: "69".into(),
        kind: Some(Kind::Public),
        ready: true,
        wave: named("another"),
        posts: vec![post],
        coordinators: vec![],
        granted_on: bench.today(),
    };
    bench.apply(|c, x| signing::grant(Some(c), id(1), &again, x)).unwrap();
    bench.sign_both(1, "2021-02-01");
    assert_eq!(bench.balance(Account::Granted), Cents(10_000_000));
    assert_eq!(bench.state(0, 4), State::Due);
}

#[test]
fn f05_an_aid_that_cannot_be_added_is_refused_to_a_private_employer_for_the_same_person() {
    for (kind, aid, refused) in [
        (Kind::Private, "emplois_francs", true),
        (Kind::Private, "disability_aid", false),
        (Kind::Public, "emplois_francs", false),
    ] {
        let mut bench = Bench::of(kind, 1);
        let post = bench.post(0);
        let nobody = bench.apply(|c, x| following::declare_aid(c, post, aid, x)).unwrap_err();
        assert_eq!(nobody.reason(), "NOBODY_IN_POST");
        bench.contract(0, "one", "2021-03-15");
        let declared = bench.apply(|c, x| following::declare_aid(c, post, aid, x));
        let reason = declared.err().map(|error| (error.reason(), error.rule()));
        assert_eq!(reason, refused.then_some(("AID_CANNOT_BE_ADDED", Some(Rule("F05")))));
    }
}

#[test]
fn f06_cofunding_is_recorded_and_never_changes_the_grant() {
    let mut bench = Bench::payable(1, "2021-02-01");
    let before = bench.entries.len();
    bench.apply(|c, x| following::cofund(c, "DETR", Cents(1_000_000), x)).unwrap();
    assert_eq!((bench.entries.len(), bench.balance(Account::Granted)), (before, Cents(5_000_000)));
    for amount in [0, -1, 100_000_001] {
        let error = bench.apply(|c, x| following::cofund(c, "DETR", Cents(amount), x)).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("INVALID_AMOUNT", Some(Rule("F06"))));
    }
}

#[test]
fn f08_vouchers_are_kept_apart_from_the_grant() {
    let mut bench = Bench::payable(1, "2021-02-01");
    let before = bench.entries.len();
    bench.apply(|c, x| following::vouchers(c, Cents(50_000), date("2021-02-01"), x)).unwrap();
    assert_eq!(bench.entries.len(), before);
    let error = bench.apply(|c, x| following::vouchers(c, Cents(1), date("2021-02-02"), x)).unwrap_err();
    assert_eq!((error.reason(), error.rule()), ("CASHED_IN_THE_FUTURE", Some(Rule("F08"))));
}

#[test]
fn f09_a_late_report_holds_the_next_instalment_until_it_is_handed_in() {
    let mut bench = Bench::payable(1, "2021-02-01");
    bench.contract(0, "one", "2021-03-15");
    bench.pay(0, 1);
    bench.apply(|c, x| following::request(c, FollowUpKind::Report, date("2021-07-15"), true, x)).unwrap();
    let asked = bench.convention.follow_ups[0].clone();
    assert!(!asked.is_late(date("2021-07-15")) && asked.is_late(date("2021-07-16")));
    bench.on("2021-08-01");
    bench.advance();
    assert_eq!(bench.held_for(0, 2), [HoldReason::ReportLate]);
    let submitted = Submitted { on: bench.today(), people: -1, activities: 2, sha256: String::new() };
    let error = bench.apply(|c, x| following::submit(c, asked.id, submitted.clone(), x)).unwrap_err();
    assert_eq!(error.violations().len(), 2, "every wrong field at once");
    let submitted = Submitted { people: 3, sha256: DECISION.into(), ..submitted };
    bench.apply(|c, x| following::submit(c, asked.id, submitted, x)).unwrap();
    assert_eq!(bench.state(0, 2), State::Due);
}

#[test]
fn f03_a_hold_of_the_agencys_own_has_a_reason_and_is_lifted() {
    let mut bench = Bench::payable(2, "2021-02-01");
    let post = bench.post(0);
    bench.apply(|c, x| following::hold(c, Some(post), AgencyReason::Litigation, x)).unwrap();
    assert_eq!(bench.held_for(0, 1), [HoldReason::AgencyDecision]);
    assert_eq!(bench.state(1, 1), State::Due, "the other post is not held");
    bench.apply(|c, x| following::lift(c, 1, x)).unwrap();
    assert_eq!(bench.state(0, 1), State::Due);
    assert_eq!(bench.apply(|c, x| following::lift(c, 1, x)).unwrap_err().reason(), "NO_SUCH_HOLD");
}

/// One thing of many that may happen, wherever it is possible.
fn happen(bench: &mut Bench, what: u8, which: usize, amount: i64) {
    let posts = bench.convention.posts.len();
    let at = which % posts;
    let post = bench.post(at);
    let day = bench.today();
    match what {
        0 => {
            let later = conum_kernel::dates::add_days(day, i32::try_from(amount % 90).unwrap());
            bench.on(&later.to_string());
            bench.advance();
        }
        1 => {
            let due: Vec<_> = bench.convention.instalments.iter().filter(|i| i.state == State::Due).cloned().collect();
            if let Some(found) = due.get(which % due.len().max(1)) {
                let file = id(7);
                let order = found.order.unwrap();
                bench.apply(|c, _| super::payment::send(c, &[order], file)).unwrap();
            }
        }
        2 | 3 => {
            let sent = bench.convention.instalments.iter().find(|i| i.state == State::Sent).and_then(|i| i.order);
            if let Some(order) = sent {
                let code = if amount % 2 == 0 { "AC01" } else { "AM04" };
                let verdict = if what == 2 { Verdict::Paid } else { Verdict::Rejected(code.into()) };
                bench.answer(order, verdict.clone()).unwrap();
                assert!(bench.answer(order, verdict).is_err(), "the same answer again");
            }
        }
        4 => bench.account(),
        5 => {
            let open = bench.convention.posts[at].contracts.last().is_none_or(|contract| contract.ended.is_some());
            if open && !bench.convention.posts[at].given_back {
                bench.contract(at, &format!("{at}/{amount}/{day}"), &day.to_string());
            }
        }
        6 => {
            let current =
                bench.convention.posts[at].contracts.iter().find(|contract| contract.ended.is_none()).cloned();
            if let Some(contract) = current {
                let last = conum_kernel::dates::add_days(contract.start, i32::try_from(amount % 800).unwrap());
                bench
                    .apply(|c, x| super::contracts::ended(c, post, contract.recruitment, (last, "resignation"), x))
                    .unwrap();
            }
        }
        7 => drop(bench.settle(at)),
        8 => {
            let held = bench.convention.posts[at].contracts.iter().any(|contract| contract.ended.is_none());
            if !held && amount % 4 == 0 {
                bench.apply(|c, x| endings::give_back(c, post, x)).unwrap();
            }
        }
        9 => drop(bench.apply(|c, x| claims::raise(c, post, Breach::GrantMisused, (Cents(amount), DECISION), x))),
        10 | 11 => {
            let claims = bench.convention.claims.clone();
            if let Some(claim) = claims.get(which % claims.len().max(1)) {
                let part = Cents(amount.min(claim.outstanding().unwrap().0 + amount % 2));
                drop(if what == 10 {
                    bench.apply(|c, x| claims::repay(c, claim.id, part, x))
                } else {
                    bench.apply(|c, x| claims::waive(c, claim.id, part, WaiverReason::ForceMajeure, x))
                });
            }
        }
        12 => drop(bench.apply(|c, x| following::suspend(c, Breach::CommitmentsNotKept, x))),
        13 => drop(bench.apply(following::resume)),
        14 => {
            bench.grant_more(1);
            let part = u32::try_from(bench.convention.parts.len() - 1).unwrap();
            bench.sign_both(part, &day.to_string());
        }
        _ => drop(bench.apply(|c, x| following::hold(c, Some(post), AgencyReason::CheckUnderWay, x))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn f10_any_sequence_keeps_the_books_pays_nothing_twice_and_claims_no_more_than_was_paid(
        steps in proptest::collection::vec((0_u8..16, 0_usize..8, 1_i64..3_000_000), 1..60)
    ) {
        let mut bench = Bench::payable(2, "2021-02-01");
        for (what, which, amount) in steps {
            happen(&mut bench, what, which, amount);
            prop_assert!(bench.balance(Account::Claimed) <= bench.balance(Account::Paid));
        }
        let paid = bench.take_told().into_iter().filter_map(|told| match told {
            Told::Paid { instalment, .. } => Some(instalment),
            _ => None,
        });
        let paid: Vec<_> = paid.collect();
        let mut once = paid.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), paid.len(), "each instalment is paid once");
    }
}
