//! Seats through the running service, on every database: who may take one, in which order sessions are offered, and races
//! (T05, C04).

use conum_proto::training::v1::{
    CancelSessionRequest, EligibleSession, LeaveSessionRequest, ListEligibleSessionsRequest, Mode, Preference, Session,
    SetTrainingPreferenceRequest, eligible_session::Reason, session,
};
use conum_testkit::{backends, callers};
use tonic::Code;

use crate::scene::{LYON, Programme, SAINT_DENIS, Selected, VILLEURBANNE, day, names, on_site, refusal};

const LILLE: &str = "59350";

async fn eligible(programme: &Programme, who: Selected, training: &str) -> Vec<EligibleSession> {
    let message = ListEligibleSessionsRequest { parent: training.into(), ..Default::default() };
    let request = programme.signed(&who.person(), message).await;
    programme.trainings().list_eligible_sessions(request).await.unwrap().into_inner().sessions
}

fn on_line(organisation: &str) -> Session {
    Session { mode: Mode::OnLine.into(), commune: String::new(), ..on_site(organisation, LYON, 50) }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_thirty_people_at_once_take_the_ten_seats_and_no_more() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let own = programme.organisation("Rhône", &["69"]).await.unwrap();
        let session = programme.session(on_site(&own.name, LYON, 10)).await.unwrap();
        let mut enrolments = Vec::new();
        for number in 0..30 {
            let who = Selected::named(&format!("person {number}"));
            let training = programme.select(who, VILLEURBANNE, LYON).await;
            enrolments.push((who.person(), training.name));
        }
        let (programme, session) = (&programme, &session.name);
        let outcomes = futures::future::join_all(
            enrolments.iter().map(|(person, training)| programme.enrol(person, training, session)),
        )
        .await;
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 10);
        for refused in lost {
            let refused = refused.unwrap_err();
            assert_eq!(refusal(&refused), (Code::FailedPrecondition, "SESSION_FULL".into(), "T05".into()));
        }
        let taken = programme.column("SELECT CAST(taken AS text) AS taken FROM sessions", "taken").await;
        assert_eq!(taken, ["10"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_seats_agree_with_trainings_whatever_comes_at_the_same_moment() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let own = programme.organisation("Rhône", &["69"]).await.unwrap();
        let organisation = callers::organisation(&own.name);
        let kept = programme.session(on_site(&own.name, LYON, 8)).await.unwrap().name;
        let lost = programme.session(on_site(&own.name, VILLEURBANNE, 8)).await.unwrap().name;
        let mut people = Vec::new();
        for number in 0..12 {
            let who = Selected::named(&format!("person {number}"));
            let training = programme.select(who, VILLEURBANNE, LYON).await.name;
            let session = if number % 2 == 0 { &kept } else { &lost };
            programme.enrol(&who.person(), &training, session).await.unwrap();
            people.push((number, who, training));
        }
        let (programme, kept) = (&programme, &kept);
        let moves = people.iter().map(|(number, who, training)| async move {
            match number % 4 {
                // Leave, and try to come back; those of the session that is lost go to the other one.
                0 | 1 => {
                    let leave = LeaveSessionRequest { name: training.clone(), ..Default::default() };
                    let request = programme.signed(&who.person(), leave).await;
                    let _ = programme.trainings().leave_session(request).await;
                    let _ = programme.enrol(&who.person(), training, kept).await;
                }
                _ => programme.tell("matching", who.recruitment.name(), who.ended(day(2020, 12, 1))).await,
            }
        });
        let cancel = async {
            let reason = session::CancelReason::NoTrainer.into();
            let message = CancelSessionRequest { name: lost.clone(), reason, ..Default::default() };
            let request = programme.signed(&organisation, message).await;
            programme.organisations().cancel_session(request).await.unwrap();
        };
        futures::future::join(futures::future::join_all(moves), cancel).await;
        let odd = "SELECT id FROM sessions s WHERE taken <> (SELECT count(*) FROM trainings t WHERE t.session = s.id)";
        assert!(programme.column(odd, "id").await.is_empty());
        let held = "SELECT t.id FROM trainings t JOIN sessions s ON s.id = t.session
             WHERE s.state = 'CANCELLED' OR t.state = 'STOPPED'";
        assert!(programme.column(held, "id").await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_a_seat_given_back_is_free_for_the_next() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let own = programme.organisation("Rhône", &["69"]).await.unwrap();
        let session = programme.session(on_site(&own.name, LYON, 1)).await.unwrap();
        let (one, two) = (Selected::named("one"), Selected::named("two"));
        let first = programme.select(one, VILLEURBANNE, LYON).await;
        let second = programme.select(two, VILLEURBANNE, LYON).await;
        let taken = programme.enrol(&one.person(), &first.name, &session.name).await.unwrap();
        assert_eq!((&taken.session, &taken.organisation), (&session.name, &own.name));
        assert!(eligible(&programme, two, &second.name).await.is_empty(), "full");
        let refused = programme.enrol(&two.person(), &second.name, &session.name).await.unwrap_err();
        assert!(names(&refused, "session"));
        assert_eq!(refusal(&refused).1, "SESSION_FULL");
        // The seat is the person's to give back.
        let leave = LeaveSessionRequest { name: first.name.clone(), ..Default::default() };
        let request = programme.signed(&two.person(), leave.clone()).await;
        assert_eq!(programme.trainings().leave_session(request).await.unwrap_err().code(), Code::PermissionDenied);
        let request = programme.signed(&one.person(), leave).await;
        programme.trainings().leave_session(request).await.unwrap();
        programme.enrol(&two.person(), &second.name, &session.name).await.unwrap();

        programme.scene.settle().await;
        let mails = programme.mails();
        let about = |word: &str| mails.iter().filter(|mail| mail.contains(word)).count();
        assert_eq!(about("Subject: Une place est prise"), 2, "{mails:?}");
        assert!(mails.iter().all(|mail| !mail.contains("candidates/")), "no mail names the person");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_sessions_are_offered_by_preference_then_distance_then_on_line() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let own = programme.organisation("Rhône", &["69", "59", "974"]).await.unwrap();
        for commune in [LILLE, LYON, VILLEURBANNE, SAINT_DENIS] {
            programme.session(on_site(&own.name, commune, 3)).await.unwrap();
        }
        programme.session(on_line(&own.name)).await.unwrap();
        let who = Selected::named("one");
        let training = programme.select(who, VILLEURBANNE, LYON).await;
        let offered = async || {
            let sessions = eligible(&programme, who, &training.name).await;
            let seen = |offer: &EligibleSession| (offer.reason(), offer.session.clone().unwrap().commune);
            sessions.iter().map(seen).collect::<Vec<_>>()
        };
        let near = [(Reason::Near, VILLEURBANNE.into()), (Reason::Near, LYON.into())];
        let far = [(Reason::Far, LILLE.to_owned())];
        assert_eq!(offered().await, [near.to_vec(), far.to_vec()].concat());

        let preference = Some(Preference { mode: Mode::OnLine.into(), organisation: String::new() });
        let message = SetTrainingPreferenceRequest { name: training.name.clone(), preference, ..Default::default() };
        let request = programme.signed(&who.person(), message).await;
        programme.trainings().set_training_preference(request).await.unwrap();
        let preferred = [(Reason::Preferred, String::new())];
        assert_eq!(offered().await, [preferred.to_vec(), near.to_vec(), far.to_vec()].concat());

        // Page by page, in the same order.
        let mut token = String::new();
        let mut pages = Vec::new();
        loop {
            let message =
                ListEligibleSessionsRequest { parent: training.name.clone(), page_size: 1, page_token: token };
            let request = programme.signed(&callers::agency(), message).await;
            let page = programme.trainings().list_eligible_sessions(request).await.unwrap().into_inner();
            pages.extend(page.sessions);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(pages, eligible(&programme, who, &training.name).await);
        assert_eq!((pages[1].distance_m, pages[1].seats_left), (0, 3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_where_nothing_near_has_room_sessions_on_line_come_before_far_ones() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let own = programme.organisation("Rhône", &["69", "59"]).await.unwrap();
        let far = programme.session(on_site(&own.name, LILLE, 3)).await.unwrap();
        let line = programme.session(on_line(&own.name)).await.unwrap();
        let who = Selected::named("one");
        let training = programme.select(who, VILLEURBANNE, LYON).await;
        let offered = eligible(&programme, who, &training.name).await;
        let names: Vec<_> = offered.iter().map(|offer| offer.session.clone().unwrap().name).collect();
        assert_eq!(names, [line.name, far.name]);
        assert_eq!(offered[0].distance_m, -1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_c04_a_session_in_another_sea_or_past_is_refused_and_a_foreign_organisation_enrols_nobody() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let own = programme.organisation("Rhône", &["69", "974"]).await.unwrap();
        let other = programme.organisation("Isère", &["38"]).await.unwrap();
        let island = programme.session(on_site(&own.name, SAINT_DENIS, 3)).await.unwrap();
        let near = programme.session(on_site(&own.name, LYON, 3)).await.unwrap();
        let who = Selected::named("one");
        let training = programme.select(who, VILLEURBANNE, LYON).await;
        let refused = programme.enrol(&who.person(), &training.name, &island.name).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "OTHER_SEA".into(), "C04".into()));
        assert!(names(&refused, "session"));
        let foreign = callers::organisation(&other.name);
        let refused = programme.enrol(&foreign, &training.name, &near.name).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        programme.scene.days_pass(31).await;
        let refused = programme.enrol(&who.person(), &training.name, &near.name).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "REGISTRATION_CLOSED");
        programme.scene.days_pass(3).await;
        let refused = programme.enrol(&who.person(), &training.name, &near.name).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "SESSION_PAST".into(), "T05".into()));
        let taken = programme.column("SELECT CAST(taken AS text) AS taken FROM sessions", "taken").await;
        assert_eq!(taken, ["0", "0"], "nothing is half-written");
    }
}
