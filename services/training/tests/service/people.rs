//! What happens to people and recruitments, as the others tell it, on every database (M06, M08, C07, C08).

use conum_proto::{
    events::v1::{CandidateErased, CandidateMerged, Outcome, SelectionCancelled, event::Payload},
    training::v1::{Certification, exam, training},
};
use conum_testkit::{backends, callers};

use crate::{
    scene::{LYON, Programme, Selected, VILLEURBANNE, day, interview, on_site},
    trainings::Course,
};

#[tokio::test(flavor = "multi_thread")]
async fn events_of_different_aggregates_arrive_in_any_order() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let who = Selected::named("one");
        let selected = programme.event("matching", who.recruitment.name(), who.selected());
        let signed = programme.event("matching", who.recruitment.name(), who.signed(day(2021, 5, 3)));
        assert_eq!(programme.deliver(selected.clone()).await, Outcome::Parked);
        assert_eq!(programme.deliver(signed).await, Outcome::Parked);
        programme.tell("candidates", who.candidate.name(), who.registered(VILLEURBANNE)).await;
        programme.tell("applications", who.application.name(), who.granted(LYON)).await;
        let training = programme.training(who).await;
        assert_eq!((training.state(), training.start_in_post), (training::State::Opened, day(2021, 5, 3)));
        assert_eq!(programme.deliver(selected).await, Outcome::Applied, "again, without effect");
        assert_eq!(programme.told(&training.name).await, ["TrainingOpened"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_the_organisations_of_the_department_are_put_in_touch() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.organisation("Rhône", &["69", "01"]).await.unwrap();
        programme.organisation("Isère", &["38"]).await.unwrap();
        let who = Selected::named("one");
        let training = programme.select(who, VILLEURBANNE, LYON).await;
        programme.scene.settle().await;
        let mails = programme.mails();
        assert_eq!(mails.len(), 1);
        let id = training.name.strip_prefix("trainings/").unwrap();
        let mail = mails[0].replace("=\r\n", "");
        assert!(mail.contains("@formation.example") && mail.contains(id), "{mail}");
        assert!(!mail.contains(&who.candidate.to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_a_cancelled_selection_stops_the_training_and_frees_its_seat() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        let who = course.who;
        let cancelled = Payload::SelectionCancelled(SelectionCancelled {
            recruitment: who.recruitment.name(),
            candidate: who.candidate.name(),
            ..Default::default()
        });
        course.programme.tell("matching", who.recruitment.name(), cancelled).await;
        let stopped = course.programme.training(who).await;
        assert_eq!(stopped.stop_reason(), training::StopReason::SelectionCancelled);
        assert_eq!(stopped.session, "");
        let taken = "SELECT CAST(taken AS text) AS taken FROM sessions";
        assert_eq!(course.programme.column(taken, "taken").await, ["0"]);
        assert_eq!(course.programme.told(&course.name).await.last().unwrap(), "TrainingStopped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m08_hours_and_certifications_follow_somebody_to_the_next_recruitment() {
    for backend in backends() {
        let course = Course::done(&backend).await;
        course.exam(Certification::Ccp1, exam::Outcome::Passed).await.unwrap();
        let who = course.who;
        course.programme.tell("matching", who.recruitment.name(), who.ended(day(2021, 1, 30))).await;
        let stopped = course.programme.training(who).await;
        assert_eq!(stopped.state(), training::State::Stopped);
        assert_eq!(course.entries().await.len(), 15, "what is done stays");

        let next = Selected::again("one", "elsewhere");
        course.programme.tell("applications", next.application.name(), next.granted(LYON)).await;
        course.programme.tell("matching", next.recruitment.name(), next.selected()).await;
        let again = course.programme.training(next).await;
        let credit = again.credit.clone().unwrap();
        assert_eq!((credit.minutes / 60, credit.ccp1_on), (105, day(2021, 1, 28)));
        let course = Course { who: next, name: again.name, ..course };
        course.programme.interview(&course.organisation, &course.name, interview()).await.unwrap();
        let plan = crate::scene::hours(105);
        course.programme.plan(&course.organisation, &course.name, plan).await.unwrap();
        let trained = course.exam(Certification::Pix, exam::Outcome::Passed).await.unwrap();
        assert_eq!(trained.state(), training::State::Completed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t03_whoever_was_trained_is_trained_for_the_next_recruitment_and_counted_once() {
    for backend in backends() {
        let course = Course::done(&backend).await;
        course.exam(Certification::Ccp1, exam::Outcome::Passed).await.unwrap();
        course.exam(Certification::Pix, exam::Outcome::Passed).await.unwrap();
        let who = course.who;
        course.programme.tell("matching", who.recruitment.name(), who.ended(day(2021, 1, 30))).await;
        assert_eq!(course.programme.training(who).await.state(), training::State::Completed);
        let next = Selected::again("one", "elsewhere");
        course.programme.tell("applications", next.application.name(), next.granted(LYON)).await;
        course.programme.tell("matching", next.recruitment.name(), next.selected()).await;
        let again = course.programme.training(next).await;
        assert_eq!((again.state(), again.credit.unwrap().completed_in), (training::State::Completed, course.name));
        assert_eq!(course.programme.told(&again.name).await, ["TrainingOpened", "TrainingCompleted"]);
        let figures = course.programme.figures().await;
        assert_eq!((figures.trained, figures.hours_max, figures.ccp1_awarded), (1, 105, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_an_erasure_drops_the_place_and_the_interview_and_stops_what_runs() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        let who = course.who;
        let erased = Payload::CandidateErased(CandidateErased { candidate: who.candidate.name() });
        course.programme.tell("candidates", who.candidate.name(), erased).await;
        let stopped = course.programme.training(who).await;
        assert_eq!(stopped.stop_reason(), training::StopReason::Erased);
        assert_eq!((stopped.interview, stopped.plan.is_some()), (None, true));
        let places = "SELECT commune || department AS place FROM people";
        assert_eq!(course.programme.column(places, "place").await, [""]);
        // Whoever is erased stays so, whatever comes late.
        let late = course.programme.event("candidates", who.candidate.name(), who.registered(LYON));
        course.programme.deliver(late).await;
        assert_eq!(course.programme.column(places, "place").await, [""]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_a_merge_unites_the_trainings_of_two_registrations() {
    for backend in backends() {
        let course = Course::done(&backend).await;
        let who = course.who;
        course.programme.tell("matching", who.recruitment.name(), who.ended(day(2021, 1, 30))).await;
        let other = Selected::named("two");
        let second = course.programme.select(other, VILLEURBANNE, LYON).await;
        assert_eq!(second.credit.unwrap().minutes, 0);
        let merged = CandidateMerged { candidate: other.candidate.name(), merged: who.candidate.name() };
        let subject = other.candidate.name();
        course.programme.tell("candidates", subject, Payload::CandidateMerged(merged)).await;
        let first = course.programme.training(who).await;
        let second = course.programme.training(other).await;
        assert_eq!((&first.candidate, &second.candidate), (&other.candidate.name(), &other.candidate.name()));
        assert_eq!(second.credit.unwrap().minutes / 60, 105);
        // What matching still tells of the one that ended reaches the one that goes on.
        let next = Selected::again("one", "elsewhere");
        course.programme.tell("applications", next.application.name(), next.granted(LYON)).await;
        course.programme.tell("matching", next.recruitment.name(), next.selected()).await;
        assert_eq!(course.programme.training(next).await.candidate, other.candidate.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_a_merge_waits_until_both_registrations_are_known() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let (kept, gone) = (Selected::named("kept"), Selected::named("gone"));
        programme.tell("candidates", kept.candidate.name(), kept.registered(LYON)).await;
        let merged = CandidateMerged { candidate: kept.candidate.name(), merged: gone.candidate.name() };
        let event = programme.event("candidates", kept.candidate.name(), Payload::CandidateMerged(merged));
        assert_eq!(programme.deliver(event).await, Outcome::Parked);
        programme.tell("candidates", gone.candidate.name(), gone.registered(VILLEURBANNE)).await;
        let survivor = programme.column("SELECT merged_into FROM people WHERE gone", "merged_into").await;
        assert_eq!(survivor, [kept.candidate.to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_a_seat_in_a_session_that_has_begun_stays_taken() {
    for backend in backends() {
        let course = Course::done(&backend).await;
        let who = course.who;
        course.programme.tell("matching", who.recruitment.name(), who.ended(day(2021, 1, 30))).await;
        assert_ne!(course.programme.training(who).await.session, "");
        let own = course.organisation.owned[0].clone();
        let session = on_site(&own, LYON, 1);
        let past = course.programme.session(session).await.unwrap_err();
        assert!(crate::scene::names(&past, "session.starts_on"));
        assert!(course.programme.get(&callers::agency(), &course.name).await.is_ok());
    }
}
