//! Waves, grants, the cap and what comes back through the running service, on every database (P01–P03, A02, A03, A19).

use crate::scene::{Answer, DEPARTMENT, Programme, day, form};
use conum_proto::{
    applications::v1::{
        Application, DepartmentAllocation, DepartmentEquity, GrantPostsRequest, GrantTotal,
        ListDepartmentEquityRequest, ListGrantTotalsRequest, ProposeAllocationRequest, ProposeAllocationResponse,
        SettleStartDateRequest, StructureKind, WithdrawApplicationRequest, application::State, post, wave,
    },
    events::v1::{Outcome, event::Payload},
};
use conum_service::{Caller, sql, status};
use conum_testkit::{backends, callers};
use tonic::{Code, Status};

fn reason(status: &Status) -> (String, String) {
    (status::reason(status).unwrap_or_default(), status::rule(status).unwrap_or_default())
}

fn post_states(application: &Application) -> Vec<post::State> {
    application.posts.iter().map(conum_proto::applications::v1::Post::state).collect()
}

async fn withdraw(programme: &Programme, application: &Application) -> Application {
    let message = WithdrawApplicationRequest { name: application.name.clone(), ..Default::default() };
    let request = programme.signed(&callers::structure(&application.structure), message).await;
    programme.applications().withdraw_application(request).await.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_two_grants_at_the_same_moment_never_pass_the_cap_together() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.set_policy("cap", "10").await.unwrap();
        let wave = programme.wave().await;
        let mut applications = Vec::new();
        for number in 0..12 {
            applications.push(programme.examined(number, 3).await);
        }
        let grants = applications.iter().map(|application| programme.grant(&application.name, &wave, 2));
        let answers = futures::future::join_all(grants).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
        for refused in answers.into_iter().filter_map(Result::err) {
            assert_eq!(reason(&refused), ("CAP_EXCEEDED".into(), "P01".into()));
        }
        let row = programme.programme().await;
        assert_eq!((row.cap, row.granted, row.desk_open), (10, 10, false));
        let mut posts = 0;
        for application in &applications {
            let states = post_states(&programme.get(&application.name).await);
            posts += states.iter().filter(|state| **state == post::State::Granted).count();
        }
        assert_eq!(posts, 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_one_application_is_granted_once_by_grants_at_the_same_moment() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.examined(1, 4).await;
        let answers = futures::future::join_all((0..6).map(|_| programme.grant(&application.name, &wave, 3))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_eq!(programme.programme().await.granted, 3);
        let stale = GrantPostsRequest {
            name: application.name.clone(),
            wave: wave.name.clone(),
            etag: application.etag.clone(),
            ..Default::default()
        };
        let request = programme.signed(&callers::agency(), stale).await;
        assert_eq!(programme.applications().grant_posts(request).await.unwrap_err().code(), Code::Aborted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_the_cap_is_not_lowered_below_what_is_granted() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 3, &wave).await;
        let waiting = programme.examined(2, 1).await;
        let refused = programme.set_policy("cap", "2").await.unwrap_err();
        assert_eq!(reason(&refused), ("CAP_BELOW_GRANTED".into(), "P01".into()));
        programme.set_policy("cap", "3").await.unwrap();
        let row = programme.programme().await;
        assert_eq!((row.cap, row.granted, row.desk_open), (3, 3, false));
        let refused = programme.grant(&waiting.name, &wave, 0).await.unwrap_err();
        assert_eq!(reason(&refused), ("CAP_EXCEEDED".into(), "P01".into()));
        let closed = programme.apply(form(3, 1), "").await.unwrap_err();
        assert_eq!(reason(&closed), ("DESK_CLOSED".into(), "P02".into()));

        programme.give_back(&application, &[&application.posts[0].name]).await.unwrap();
        programme.tell(Programme::released(&application, &application.posts[0].name)).await;
        programme.grant(&waiting.name, &wave, 0).await.unwrap();
        assert_eq!(programme.programme().await.granted, 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_a_lower_cap_that_comes_into_force_later_takes_nothing_back() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        programme.set_policy_from("cap", "2", day(2020, 12, 10)).await.unwrap();
        let application = programme.granted(1, 4, &wave).await;
        programme.scene.days_pass(20).await;
        let row = programme.programme().await;
        assert_eq!((row.cap, row.granted), (4, 4));
        let one = application.posts[0].name.as_str();
        programme.give_back(&application, &[one]).await.unwrap();
        programme.tell(Programme::released(&application, one)).await;
        let row = programme.programme().await;
        assert_eq!((row.cap, row.granted, row.desk_open), (3, 3, false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_a_grant_tells_matching_and_mails_the_kit() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 2, &wave).await;
        assert_eq!(application.state(), State::Granted);
        assert_eq!(application.documents.len(), 3, "the file is opened");
        let told = programme.told(&application.name).await;
        let Some(Payload::PostsGranted(granted)) = told.last() else { panic!("{told:?}") };
        assert_eq!((granted.wave.as_str(), granted.posts.len(), granted.ready), (wave.name.as_str(), 2, true));
        assert_eq!((granted.structure_kind.as_str(), granted.department.as_str()), ("public", DEPARTMENT));
        assert!(granted.location.is_some());
        let kinds = programme.mail_kinds(&application.name).await;
        assert_eq!(kinds, ["confirm_address", "posts_granted", "welcome_kit"]);
        programme.scene.settle().await;
        assert!(programme.letter("par le comité du 8 décembre 2020").contains("2 postes"));
        let kit = programme.letter("Ce qui reste votre affaire");
        assert!(kit.contains("relevé d'identité bancaire") || kit.contains("relev"), "{kit}");
        assert!(!kit.contains("## "), "no marks of Markdown");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_wave_is_activated_once() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        assert_eq!((wave.number, wave.state()), (1, wave::State::Open));
        let (one, two) = (programme.granted(1, 2, &wave).await, programme.granted(2, 1, &wave).await);
        let answers = futures::future::join_all((0..4).map(|_| programme.activate(&wave.name))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for refused in answers.into_iter().filter_map(Result::err) {
            assert_eq!(reason(&refused), ("WRONG_STATE".into(), "P03".into()));
        }
        let told = programme.told(&wave.name).await;
        let [Payload::WaveActivated(told)] = &told[..] else { panic!("{told:?}") };
        let served: Vec<_> = told.applications.iter().map(|served| (&served.application, served.posts.len())).collect();
        assert_eq!(served, [(&one.name, 2), (&two.name, 1)]);
        let three = programme.examined(3, 1).await;
        let late = programme.grant(&three.name, &wave, 0).await.unwrap_err();
        assert_eq!(reason(&late), ("WAVE_NOT_OPEN".into(), "P03".into()));
        let next = programme.wave().await;
        assert_eq!(next.number, 2);
        programme.grant(&three.name, &next, 0).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_waves_opened_at_the_same_moment_have_their_own_numbers() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let mut numbers: Vec<_> =
            futures::future::join_all((0..6).map(|_| programme.wave())).await.iter().map(|wave| wave.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_post_given_back_returns_to_the_cap_once_matching_has_released_it() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 3, &wave).await;
        let posts: Vec<_> = application.posts.iter().map(|post| post.name.as_str()).collect();
        let returned = programme.give_back(&application, &posts[..2]).await.unwrap();
        assert_eq!(post_states(&returned)[0], post::State::ReturnAsked);
        assert_eq!(programme.programme().await.granted, 3, "matching decides");
        let told = programme.told(&application.name).await;
        assert!(matches!(told.last(), Some(Payload::PostsReturned(told)) if told.posts.len() == 2));

        programme.tell(Programme::released(&application, posts[0])).await;
        programme.tell(Programme::released(&application, posts[0])).await;
        programme.tell(Programme::kept(&application, posts[1])).await;
        let after = programme.get(&application.name).await;
        let expected = [post::State::Returned, post::State::Granted, post::State::Granted];
        assert_eq!(post_states(&after), expected);
        assert_eq!(programme.programme().await.granted, 2);
        programme.scene.settle().await;
        programme.letter("Un contrat est signé sur l'un des postes");
        assert_eq!(programme.deliver(Programme::released(&application, posts[2])).await, Outcome::Refused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_a_withdrawal_waits_for_matching_and_frees_the_number() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 2, &wave).await;
        let asked = withdraw(&programme, &application).await;
        assert_eq!(asked.state(), State::Granted);
        assert!(programme.apply(form(1, 1), "").await.is_err(), "it is still the one application");
        let releases =
            application.posts.iter().map(|post| programme.tell(Programme::released(&application, &post.name)));
        futures::future::join_all(releases).await;
        assert_eq!(programme.get(&application.name).await.state(), State::Withdrawn);
        assert_eq!(programme.programme().await.granted, 0);
        let again = programme.apply(form(1, 1), "").await.unwrap();
        assert_eq!(again.structure, application.structure, "one structure for one number");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a05_a_settled_date_is_told() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 1, &wave).await;
        let message = SettleStartDateRequest {
            name: application.posts[0].name.clone(),
            start_date: day(2021, 4, 1),
            request_id: String::new(),
        };
        let request = programme.signed(&callers::structure(&application.structure), message).await;
        let settled = programme.applications().settle_start_date(request).await.unwrap().into_inner();
        assert_eq!(settled.posts[0].settled_start_date, day(2021, 4, 1));
        assert_eq!(settled.warnings, ["START_DATE_FAR"]);
        let told = programme.told(&application.name).await;
        assert!(matches!(told.last(), Some(Payload::PostDateSettled(told)) if told.start_date == day(2021, 4, 1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_totals_and_equity_count_what_is_held() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        programme.granted(1, 2, &wave).await;
        let two = programme.granted(2, 1, &wave).await;
        programme.apply(form(3, 4), "").await.unwrap();
        programme.give_back(&two, &[]).await.unwrap();
        programme.tell(Programme::released(&two, &two.posts[0].name)).await;

        let request = programme.signed(&callers::agency(), ListGrantTotalsRequest::default()).await;
        let totals = programme.waves().list_grant_totals(request).await.unwrap().into_inner().totals;
        let expected = GrantTotal {
            department: DEPARTMENT.into(),
            kind: StructureKind::LocalAuthority.into(),
            committee_date: day(2020, 12, 8),
            posts: 2,
            structures: 1,
        };
        assert_eq!(totals, [expected]);
        let elsewhere = ListGrantTotalsRequest { department: "75".into(), ..Default::default() };
        let request = programme.signed(&callers::agency(), elsewhere).await;
        assert!(programme.waves().list_grant_totals(request).await.unwrap().into_inner().totals.is_empty());

        let request = programme.signed(&callers::prefect("75"), ListDepartmentEquityRequest::default()).await;
        let rows = programme.waves().list_department_equity(request).await.unwrap().into_inner().departments;
        let of = |code: &str| -> DepartmentEquity {
            rows.iter().find(|row| row.department == code).cloned().expect("a row of every department")
        };
        let rhone = of(DEPARTMENT);
        assert_eq!((rhone.posts_granted, rhone.posts_asked), (2, 4));
        assert!(rhone.ratio > 1.0 && of("75").ratio == 0.0 && rhone.population > 1_000_000);
        assert!(rows.len() > 100);
    }
}

async fn propose(programme: &Programme, caller: &Caller, posts: i32, wave: &str) -> Answer<ProposeAllocationResponse> {
    let request = programme.signed(caller, ProposeAllocationRequest { posts, wave: wave.into() }).await;
    Ok(programme.waves().propose_allocation(request).await?.into_inner())
}

fn of(allocation: &ProposeAllocationResponse, department: &str) -> DepartmentAllocation {
    let mut rows = allocation.departments.iter();
    rows.find(|row| row.department == department).cloned().expect("a row of every department")
}

/// Posts granted, asked for, and proposed by population and by max-min.
fn posts(row: &DepartmentAllocation) -> [i32; 4] {
    let proposed = |posts: &Option<conum_proto::applications::v1::ProposedPosts>| posts.as_ref().unwrap().posts;
    [row.posts_granted, row.posts_asked, proposed(&row.proportional), proposed(&row.max_min)]
}

/// A structure of Mende, in Lozère, that applied and confirmed its address.
async fn mende(programme: &Programme, number: u32, posts: usize) -> Application {
    let mut form = form(number, posts);
    form.profile.as_mut().unwrap().commune = "48095".into();
    let application = programme.apply(form, "").await.unwrap();
    programme.confirm(&application, &programme.token(&application).await).await.unwrap();
    programme.get(&application.name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_two_proposals_stand_next_to_each_other_and_nothing_is_written() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        programme.granted(1, 3, &wave).await;
        let waiting = [programme.examined(2, 4).await, mende(&programme, 3, 5).await];
        programme.apply(form(4, 6), "").await.unwrap();

        let two = propose(&programme, &callers::prefect("75"), 2, "").await.unwrap();
        assert_eq!(posts(&of(&two, DEPARTMENT)), [3, 4, 2, 1], "what is not confirmed is not considered");
        assert_eq!(posts(&of(&two, "48")), [0, 5, 0, 1]);
        assert_eq!((two.moved, two.left_over), (1, 0));
        let lozere = of(&two, "48");
        assert!((lozere.max_min.unwrap().posts_per_100k - 1e5 / f64::from(76_486)).abs() < 1e-9);
        let (proportional, max_min) = (two.proportional.unwrap(), two.max_min.unwrap());
        assert!(proportional.highest_per_100k < max_min.highest_per_100k && proportional.lowest_per_100k == 0.0);
        assert!((0.0..=1.0).contains(&max_min.gini) && two.mean_per_100k > 0.0);
        assert!(max_min.departments_below_mean > 100 && two.departments.len() > 100);
        assert_eq!(two.departments.last().map(|row| row.population), Some(0));

        let hundred = propose(&programme, &callers::agency(), 100, "").await.unwrap();
        assert_eq!(posts(&of(&hundred, DEPARTMENT)), [3, 4, 4, 4]);
        assert_eq!(posts(&of(&hundred, "48")), [0, 5, 5, 5]);
        assert_eq!((hundred.moved, hundred.left_over), (0, 91));

        assert_eq!(programme.programme().await.granted, 3);
        for application in waiting {
            assert_eq!(programme.get(&application.name).await, application);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_a_wave_considers_what_was_asked_for_by_its_day() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        mende(&programme, 1, 2).await;
        programme.scene.days_pass(8).await;
        mende(&programme, 2, 3).await;
        let asked = async |wave: &str| {
            let allocation = propose(&programme, &callers::agency(), 1, wave).await?;
            Ok::<_, Status>(of(&allocation, "48").posts_asked)
        };
        assert_eq!(asked(&wave.name).await.unwrap(), 2);
        assert_eq!(asked("").await.unwrap(), 5);
        programme.activate(&wave.name).await.unwrap();
        let refused = asked(&wave.name).await.unwrap_err();
        assert_eq!(reason(&refused), ("WAVE_NOT_OPEN".into(), "P03".into()));
        assert_eq!(asked("waves/x").await.unwrap_err().code(), Code::InvalidArgument);
        let unknown = format!("{}000000", &wave.name[..wave.name.len() - 6]);
        assert_eq!(asked(&unknown).await.unwrap_err().code(), Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_a_proposal_shares_out_one_post_to_what_remains_under_the_cap() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.set_policy("cap", "10").await.unwrap();
        let wave = programme.wave().await;
        let application = programme.granted(1, 3, &wave).await;
        let agency = callers::agency();
        assert_eq!(propose(&programme, &agency, 7, "").await.unwrap().left_over, 7);
        let refused = propose(&programme, &agency, 8, "").await.unwrap_err();
        assert_eq!(reason(&refused), ("CAP_EXCEEDED".into(), "P01".into()));
        for wrong in [0, -1] {
            let refused = propose(&programme, &agency, wrong, "").await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused).1), (Code::InvalidArgument, "A03".into()));
        }
        let stranger = callers::structure(&application.structure);
        assert_eq!(propose(&programme, &stranger, 1, "").await.unwrap_err().code(), Code::PermissionDenied);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_a_proposal_counts_the_applications_of_a_whole_nation() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let application = mende(&programme, 1, 2).await;
        let id = application.name.trim_start_matches("applications/").to_owned();
        // 1,200 more like it, each with an id of its own, of a moment that no clock of ours knows.
        let copies = "WITH RECURSIVE copies(number) AS
               (SELECT 1000 UNION ALL SELECT number + 1 FROM copies WHERE number < 2199)";
        let own = |id: &str| format!("replace(substr({id}, 1, length({id}) - 4), '_0', '_f') || number");
        let applications = format!(
            "{copies} INSERT INTO applications
               SELECT {own}, structure, registration_number || number, department, kind, state, active, version,
                 replace(body, id, {own})
               FROM applications, copies WHERE id = $1",
            own = own("id")
        );
        let posts = format!(
            "{copies} INSERT INTO posts SELECT {}, {}, wave, state
               FROM posts, copies WHERE id = (SELECT max(id) FROM posts WHERE application = $1)",
            own("id"),
            own("application")
        );
        let done = programme.host().store().write(move |tx| {
            let (applications, posts, id) = (applications.clone(), posts.clone(), id.clone());
            Box::pin(async move {
                sql::execute(tx, &applications, [id.clone().into()]).await?;
                Ok(sql::execute(tx, &posts, [id.into()]).await?.rows_affected())
            })
        });
        assert_eq!(done.await.unwrap(), 1200);
        let allocation = propose(&programme, &callers::agency(), 3000, "").await.unwrap();
        assert_eq!((of(&allocation, "48").posts_asked, allocation.left_over), (2402, 598));
    }
}
