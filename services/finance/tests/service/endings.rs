//! Early ends, replacements, posts given back and claims through the running service, on every database (F04, F07).

use conum_proto::finance::v1::{
    Breach, Claim, CreateClaimRequest, RecordRepaymentRequest, WaiveClaimRequest, WaiverReason, instalment::State,
};
use conum_testkit::{Backend, backends, callers};

use crate::scene::{Granted, Programme, granted, reason};

/// A post whose first two instalments were paid, with somebody in post since 2021-01-04; the day is 2021-08-08.
async fn in_post(backend: &Backend) -> (Programme, Granted) {
    let programme = Programme::start(backend).await;
    let one = granted("one", "public", 1);
    programme.payable(&one).await;
    programme.contract(&one, 0, "adviser", "2021-01-04").await;
    programme.pay().await;
    programme.scene.days_pass(250).await;
    programme.pay().await;
    (programme, one)
}

#[tokio::test(flavor = "multi_thread")]
async fn f04_an_early_end_is_held_then_settled_by_the_day_and_its_claim_repaid_or_waived() {
    for backend in backends() {
        let (programme, one) = in_post(&backend).await;
        programme.end(&one, 0, "adviser", "2021-08-03").await;
        let settled = programme.settle(&one, 0).await.unwrap();
        let earned = 5_000_000 * 212 / 730;
        let contract = &settled.posts[0].contracts[0];
        assert_eq!((contract.earned_cents, contract.freed_cents), (earned, 2_500_000));
        assert_eq!(contract.claimed_cents, 2_500_000 - earned);
        assert_eq!(reason(&programme.settle(&one, 0).await.unwrap_err()), ("NO_ENDING".into(), "F04".into()));
        let claim = programme.claims(&one).await.remove(0);
        assert_eq!((claim.reason.as_str(), claim.outstanding_cents), ("ENDED_EARLY", 2_500_000 - earned));

        let repay = RecordRepaymentRequest { name: claim.name.clone(), amount_cents: 100, ..Default::default() };
        let request = programme.signed(&callers::agency(), repay.clone()).await;
        programme.claims_service().record_repayment(request).await.unwrap();
        let above = RecordRepaymentRequest { amount_cents: claim.amount_cents, ..repay };
        let request = programme.signed(&callers::agency(), above).await;
        let refused = programme.claims_service().record_repayment(request).await.unwrap_err();
        assert_eq!(reason(&refused), ("ABOVE_OUTSTANDING".into(), "F04".into()));
        let waive = WaiveClaimRequest { name: claim.name, amount_cents: 50, ..Default::default() };
        let request = programme.signed(&callers::agency(), waive.clone()).await;
        let refused = programme.claims_service().waive_claim(request).await.unwrap_err();
        assert_eq!(reason(&refused), ("UNKNOWN_VALUE".into(), "F04".into()), "a waiver needs a reason");
        let waive = WaiveClaimRequest { reason: WaiverReason::Insolvency.into(), ..waive };
        let request = programme.signed(&callers::agency(), waive).await;
        let waived = programme.claims_service().waive_claim(request).await.unwrap().into_inner();
        assert_eq!((waived.repaid_cents, waived.waived_cents), (100, 50));
        programme.figures().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f07_a_replacement_is_granted_what_its_predecessor_did_not_keep() {
    for backend in backends() {
        let (programme, one) = in_post(&backend).await;
        programme.end(&one, 0, "adviser", "2021-08-03").await;
        programme.settle(&one, 0).await.unwrap();
        programme.contract(&one, 0, "second", "2021-08-08").await;
        let earned = 5_000_000 * 212 / 730;
        let convention = programme.convention(&one).await;
        assert_eq!(convention.posts[0].contracts[1].funding_cents, 5_000_000 - earned);
        let claim = programme.claims(&one).await.remove(0);
        assert_eq!((claim.outstanding_cents, claim.set_off_cents), (0, 2_500_000 - earned));
        let new: Vec<_> = programme.instalments(&one).await.split_off(3);
        let states: Vec<_> = new.iter().map(|i| (i.number, i.state(), i.amount_cents)).collect();
        let expected = [
            (4, State::Paid, 2_500_000 - earned),
            (5, State::Due, 500_000),
            (6, State::ToCome, 750_000),
            (7, State::ToCome, 1_250_000),
        ];
        assert_eq!(states, expected);
        programme.pay().await;
        assert_eq!(programme.figures().await.instalments_paid, 3, "a set-off is no payment");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f04_a_post_given_back_is_claimed_and_a_breach_never_above_what_was_paid() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 2);
        programme.payable(&one).await;
        programme.pay().await;
        programme.release(&one, 1).await;
        let claims = programme.claims(&one).await;
        assert_eq!((claims.len(), claims[0].reason.as_str(), claims[0].amount_cents), (1, "GIVEN_BACK", 1_000_000));
        let seen = programme.figures().await;
        assert_eq!((seen.cancelled_cents, seen.claimed_cents), (4_000_000, 1_000_000));

        let claim = |amount_cents, number| CreateClaimRequest {
            claim: Some(Claim {
                convention: claims[0].convention.clone(),
                post: one.post(number),
                breach: Breach::GrantMisused.into(),
                decision_sha256: "0".repeat(64),
                amount_cents,
                ..Default::default()
            }),
            ..Default::default()
        };
        for (amount, number, expected) in
            [(1_000_001, 0, "CLAIM_ABOVE_PAID"), (1, 1, "CLAIM_ABOVE_PAID"), (-5, 0, "INVALID_AMOUNT")]
        {
            let request = programme.signed(&callers::agency(), claim(amount, number)).await;
            let refused = programme.claims_service().create_claim(request).await.unwrap_err();
            assert_eq!(reason(&refused), (expected.into(), "F04".into()));
        }
        let request = programme.signed(&callers::agency(), claim(400_000, 0)).await;
        let raised = programme.claims_service().create_claim(request).await.unwrap().into_inner();
        assert_eq!(raised.outstanding_cents, 400_000);
        programme.figures().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f04_a_post_that_was_given_back_and_granted_again_waits_for_the_news_that_it_was_given_back() {
    use conum_proto::events::v1::{Outcome, event::Payload};
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.payable(&one).await;
        let wave: conum_kernel::WaveId = crate::scene::id("another wave");
        let mut again = Programme::granted_payload(&one);
        again.wave = wave.name();
        let event = programme.event("applications", one.application.name(), Payload::PostsGranted(again));
        assert_eq!(programme.deliver(vec![event]).await, [Outcome::Parked]);
        programme.release(&one, 0).await;
        let convention = programme.convention(&one).await;
        assert_eq!((convention.amendments.len(), convention.posts[0].given_back), (2, false));
        programme.sign_both(&one, 1).await;
        assert_eq!(programme.figures().await.granted_cents, 10_000_000);
    }
}
