//! What training tells of recruitments, through the running service, on every database (M10, T02).

use crate::scene::{Granted, Programme, contract, day, granted, id};
use conum_kernel::TrainingId;
use conum_proto::{
    events::v1::{Outcome, TrainingCompleted, TrainingPlanned, TrainingStopped, TrainingUnplanned, event::Payload},
    google::r#type::Date,
    matching::v1::{Recruitment, adviser},
};
use conum_testkit::{Backend, backends};

const LYON: &str = "69123";

fn training() -> String {
    let id: TrainingId = id("training");
    id.name()
}

async fn selected(backend: &Backend) -> (Programme, Granted, Recruitment) {
    let programme = Programme::start(backend).await;
    let person = programme.register("person", LYON).await;
    let one = granted("one", LYON, 1);
    programme.grant(&one).await;
    programme.activate(&[&one]).await;
    let selected = programme.select(&one, 0, &person.name()).await.unwrap();
    (programme, one, selected)
}

async fn planned(programme: &Programme, recruitment: &Recruitment, starts_on: Option<Date>, ends_on: Option<Date>) {
    let event = TrainingPlanned {
        training: training(),
        candidate: recruitment.candidate.clone(),
        recruitment: recruitment.name.clone(),
        hours: 105,
        starts_on,
        ends_on,
        ..TrainingPlanned::default()
    };
    programme.tell("training", training(), Payload::TrainingPlanned(event)).await;
}

async fn completed(programme: &Programme, recruitment: &Recruitment, completed_on: Option<Date>) {
    let event = TrainingCompleted {
        training: training(),
        recruitment: recruitment.name.clone(),
        completed_on,
        ..TrainingCompleted::default()
    };
    programme.tell("training", training(), Payload::TrainingCompleted(event)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_a_signed_person_is_in_training_from_the_first_to_the_last_day_of_the_initial_training() {
    for backend in backends() {
        let (programme, one, recruitment) = selected(&backend).await;
        let person = recruitment.candidate.clone();
        planned(&programme, &recruitment, day(2020, 12, 3), day(2020, 12, 4)).await;
        planned(&programme, &recruitment, day(2020, 12, 7), day(2020, 12, 18)).await;
        programme.scene.days_pass(6).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::Selected, "not signed yet");

        programme.sign(&one, &recruitment.name, contract()).await.unwrap();
        assert_eq!(programme.adviser_state(&person).await, adviser::State::InTraining, "its first day");
        programme.scene.days_pass(11).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::InTraining, "its last day");
        programme.scene.days_pass(1).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::Signed);
        // A plan that reaches into the post is continuing training there.
        planned(&programme, &recruitment, day(2020, 12, 7), day(2021, 1, 8)).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::InTraining);
        programme.scene.days_pass(16).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::InPost);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_who_is_trained_or_whose_training_stopped_or_lost_its_days_is_in_training_no_longer() {
    for backend in backends() {
        let (programme, one, recruitment) = selected(&backend).await;
        let person = recruitment.candidate.clone();
        programme.sign(&one, &recruitment.name, contract()).await.unwrap();
        let plan = || planned(&programme, &recruitment, day(2020, 12, 1), day(2020, 12, 18));
        plan().await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::InTraining);
        planned(&programme, &recruitment, None, None).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::Signed, "continuing training alone");

        plan().await;
        let unplanned = TrainingUnplanned {
            training: training(),
            recruitment: recruitment.name.clone(),
            ..TrainingUnplanned::default()
        };
        programme.tell("training", training(), Payload::TrainingUnplanned(unplanned)).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::Signed, "its session was cancelled");

        plan().await;
        let stopped = TrainingStopped {
            training: training(),
            recruitment: recruitment.name.clone(),
            reason: "contract_ended".into(),
            ..TrainingStopped::default()
        };
        programme.tell("training", training(), Payload::TrainingStopped(stopped)).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::Signed);

        plan().await;
        completed(&programme, &recruitment, day(2020, 12, 1)).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::InTraining, "the day itself");
        programme.scene.days_pass(1).await;
        assert_eq!(programme.adviser_state(&person).await, adviser::State::Signed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_the_same_plan_told_again_changes_nothing_and_one_that_cannot_be_read_is_refused() {
    for backend in backends() {
        let (programme, one, recruitment) = selected(&backend).await;
        programme.sign(&one, &recruitment.name, contract()).await.unwrap();
        let told = TrainingPlanned {
            recruitment: recruitment.name.clone(),
            starts_on: day(2020, 12, 1),
            ends_on: day(2020, 12, 18),
            ..TrainingPlanned::default()
        };
        let first = programme.event("training", training(), Payload::TrainingPlanned(told.clone()));
        let later = TrainingPlanned { starts_on: day(2020, 12, 14), ..told.clone() };
        let later = programme.event("training", training(), Payload::TrainingPlanned(later));
        let outcomes = programme.deliver(vec![first.clone(), later, first]).await;
        assert_eq!(outcomes, [Outcome::Applied; 3]);
        assert_eq!(programme.adviser_state(&recruitment.candidate).await, adviser::State::Signed, "of the later plan");

        let nobodys = TrainingPlanned { recruitment: String::new(), ..told };
        let nobodys = programme.event("training", training(), Payload::TrainingPlanned(nobodys));
        assert_eq!(programme.deliver(vec![nobodys]).await, [Outcome::Refused]);
    }
}
