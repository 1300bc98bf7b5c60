//! Conventions through the running service, on every database (F01, F02, F05–F09, F11).

use conum_proto::{
    events::v1::{Outcome, event::Payload},
    finance::v1::{
        Aid, Cofunding, DeclareAidRequest, GetConventionRequest, GetForecastRequest, RecordCofundingRequest,
        RecordVouchersRequest, RequestFollowUpRequest, SignConventionRequest, SubmitFollowUpRequest, Vouchers, aid,
        cofunding, convention, follow_up, instalment::State,
    },
};
use conum_testkit::{backends, callers};

use crate::scene::{Programme, day, granted, id, reason};

#[tokio::test(flavor = "multi_thread")]
async fn f02_granted_posts_become_a_convention_that_both_sides_sign_and_later_ones_an_amendment() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        programme.grant(&one).await;
        assert_eq!(programme.convention(&one).await.state(), convention::State::Draft);
        programme.sign_both(&one, 0).await;
        let signed = programme.convention(&one).await;
        assert_eq!((signed.state(), signed.amendments[0].granted_cents), (convention::State::InForce, 5_000_000));
        let amounts: Vec<_> = programme.instalments(&one).await.iter().map(|i| i.amount_cents).collect();
        assert_eq!(amounts, [1_000_000, 1_500_000, 2_500_000]);

        let again = programme.sign(&one.caller(), &one, 0).await.unwrap_err();
        assert_eq!(reason(&again), ("ALREADY_SIGNED".into(), "F02".into()));
        let mut more = one.clone();
        more.posts.push(id("one/later"));
        programme.scene.days_pass(30).await;
        programme.grant(&more).await;
        programme.sign_both(&more, 1).await;
        let signed = programme.convention(&more).await;
        assert_eq!(signed.amendments[1].signed_on, day("2020-12-31"), "its own signature");
        assert_eq!(programme.figures().await.granted_cents, 10_000_000);
        assert_eq!(programme.figures().await.conventions, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_a_signature_before_the_grant_is_refused_and_a_rehearsed_one_writes_nothing() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "private", 1);
        programme.grant(&one).await;
        let name = programme.convention(&one).await.name;
        let sign = |signed_on, validate_only| SignConventionRequest {
            name: name.clone(),
            signed_on,
            validate_only,
            ..Default::default()
        };
        let request = programme.signed(&callers::agency(), sign(day("2020-11-30"), false)).await;
        let refused = programme.conventions().sign_convention(request).await.unwrap_err();
        assert_eq!(reason(&refused), ("SIGNED_BEFORE_GRANT".into(), "F02".into()));
        let request = programme.signed(&callers::agency(), sign(None, true)).await;
        let shown = programme.conventions().sign_convention(request).await.unwrap().into_inner();
        assert!(shown.amendments[0].signed_by_agency_on.is_some());
        assert!(programme.convention(&one).await.amendments[0].signed_by_agency_on.is_none());
        let stale = SignConventionRequest { etag: "99".into(), ..sign(None, false) };
        let request = programme.signed(&callers::agency(), stale).await;
        let refused = programme.conventions().sign_convention(request).await.unwrap_err();
        assert_eq!(reason(&refused).0, "STALE_ETAG");
        let other = callers::structure(&granted("other", "public", 1).structure.name());
        assert_eq!(reason(&programme.sign(&other, &one, 0).await.unwrap_err()).0, "NOT_YOURS");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_the_table_of_amounts_is_checked_and_a_convention_keeps_what_it_was_signed_with() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let (one, two) = (granted("one", "public", 1), granted("two", "public", 1));
        programme.grant(&one).await;
        programme.sign_both(&one, 0).await;
        let set = async |value: &str| programme.scene.set_policy("finance", "grants", value).await;
        for bad in ["public:2020-11-01=-1", "public:2020-11-01=100000001", "private:974:2020-11-01=1"] {
            assert_eq!(reason(&set(bad).await.unwrap_err()).1, "F01", "{bad}");
        }
        set("public:2020-11-01=5000000,private:2020-11-01=4000000,public:2020-12-01=5480500").await.unwrap();
        programme.grant(&two).await;
        programme.sign_both(&two, 0).await;
        assert_eq!(programme.convention(&one).await.posts[0].grant_cents, 5_000_000);
        assert_eq!(programme.convention(&two).await.posts[0].grant_cents, 5_480_500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_others_may_come_in_any_order() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        let (subject, payload) = Programme::contract_payload(&one, 0, "adviser", "2021-01-04");
        let contract = programme.event("matching", subject, payload);
        assert_eq!(programme.deliver(vec![contract.clone()]).await, [Outcome::Parked]);
        programme.grant(&one).await;
        assert_eq!(programme.convention(&one).await.posts[0].contracts.len(), 1);
        assert_eq!(programme.deliver(vec![contract]).await, [Outcome::Applied], "the same again");
        assert_eq!(programme.convention(&one).await.posts[0].contracts.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_a_record_of_the_past_is_held_until_it_is_complete() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "public", 1);
        let mut past = Programme::granted_payload(&one);
        past.ready = false;
        programme.tell("applications", one.application.name(), Payload::PostsGranted(past)).await;
        programme.documents(&one).await;
        programme.account(&one).await;
        programme.sign_both(&one, 0).await;
        assert_eq!(programme.instalments(&one).await[0].held_for, ["file_incomplete"]);
        programme.grant(&one).await;
        assert_eq!(programme.instalments(&one).await[0].state(), State::Due);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f05_f06_f08_f09_what_is_recorded_beside_the_grant_never_changes_it() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = granted("one", "private", 1);
        programme.payable(&one).await;
        programme.contract(&one, 0, "adviser", "2021-01-04").await;
        let name = programme.convention(&one).await.name;
        let before = programme.figures().await;

        let aid = |kind: aid::Kind| DeclareAidRequest {
            name: name.clone(),
            aid: Some(Aid { post: one.post(0), kind: kind.into(), ..Default::default() }),
            ..Default::default()
        };
        let request = programme.signed(&one.caller(), aid(aid::Kind::EmploisFrancs)).await;
        let refused = programme.conventions().declare_aid(request).await.unwrap_err();
        assert_eq!(reason(&refused), ("AID_CANNOT_BE_ADDED".into(), "F05".into()));
        let request = programme.signed(&one.caller(), aid(aid::Kind::DisabilityAid)).await;
        assert_eq!(programme.conventions().declare_aid(request).await.unwrap().into_inner().aids.len(), 1);

        let money = |amount_cents| RecordCofundingRequest {
            name: name.clone(),
            cofunding: Some(Cofunding { source: cofunding::Source::Detr.into(), amount_cents, recorded_on: None }),
            ..Default::default()
        };
        let request = programme.signed(&one.caller(), money(-1)).await;
        let refused = programme.conventions().record_cofunding(request).await.unwrap_err();
        assert_eq!(reason(&refused), ("INVALID_AMOUNT".into(), "F06".into()));
        let request = programme.signed(&one.caller(), money(500)).await;
        programme.conventions().record_cofunding(request).await.unwrap();

        let vouchers = Vouchers { amount_cents: 700, cashed_on: day("2020-12-01") };
        let message = RecordVouchersRequest { name: name.clone(), vouchers: Some(vouchers), ..Default::default() };
        let request = programme.signed(&one.caller(), message).await;
        programme.conventions().record_vouchers(request).await.unwrap();
        assert_eq!(programme.figures().await, before);

        let message = RequestFollowUpRequest {
            name: name.clone(),
            kind: follow_up::Kind::Figures.into(),
            due_on: day("2020-12-15"),
            holds: true,
            ..Default::default()
        };
        let request = programme.signed(&callers::agency(), message).await;
        let asked = programme.conventions().request_follow_up(request).await.unwrap().into_inner();
        programme.scene.days_pass(15).await;
        assert_eq!(programme.instalments(&one).await[0].held_for, ["report_late"]);
        let follow_up = asked.follow_ups[0].name.clone();
        let message = SubmitFollowUpRequest { name, follow_up, people: 12, activities: 3, ..Default::default() };
        let request = programme.signed(&one.caller(), message).await;
        let handed_in = programme.conventions().submit_follow_up(request).await.unwrap().into_inner();
        assert!(!handed_in.follow_ups[0].late);
        assert_eq!(programme.instalments(&one).await[0].state(), State::Due);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f11_the_forecast_is_told_for_a_structure_a_department_and_the_nation_and_to_nobody_else() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let (one, two) = (granted("one", "public", 1), granted("two", "private", 2));
        programme.payable(&one).await;
        programme.payable(&two).await;
        let forecast = async |caller: &conum_service::Caller, scope: &str| {
            let request = programme.signed(caller, GetForecastRequest { scope: scope.into() }).await;
            let answered = programme.conventions().get_forecast(request).await;
            let months = answered.map(|answered| answered.into_inner().months).map_err(|status| reason(&status).0);
            months.map(|months| months.iter().map(|m| m.to_come_cents + m.waiting_cents).collect::<Vec<_>>())
        };
        let nation = forecast(&callers::agency(), "").await.unwrap();
        assert_eq!(nation, [2_600_000, 3_900_000, 6_500_000]);
        assert_eq!(forecast(&callers::prefect("69"), "").await.unwrap(), nation);
        assert_eq!(forecast(&callers::prefect("75"), "").await.unwrap(), [0_i64; 0]);
        assert_eq!(forecast(&one.caller(), "").await.unwrap(), [1_000_000, 1_500_000, 2_500_000]);
        assert_eq!(forecast(&one.caller(), &two.structure.name()).await.unwrap_err(), "NOT_YOURS");

        let name = programme.convention(&one).await.name;
        let request = programme.signed(&callers::prefect("75"), GetConventionRequest { name }).await;
        assert_eq!(reason(&programme.conventions().get_convention(request).await.unwrap_err()).0, "NOT_YOURS");
    }
}
