//! What training tells of people, through the running service, on every database: mails, history, exports (T01–T05, C07,
//! C08).

use super::scene::{Register, day, own, person, recruitment, rose, structure, training};
use conum_proto::events::v1::{
    CertificationRecorded, Outcome, TrainingCompleted, TrainingOpened, TrainingPlanned, TrainingStopped,
    TrainingUnplanned, event::Payload,
};
use conum_testkit::backends;

fn opened(candidate: &str) -> Payload {
    Payload::TrainingOpened(TrainingOpened {
        training: training("mairie"),
        candidate: candidate.into(),
        recruitment: recruitment("mairie"),
        structure: structure("mairie"),
        ..TrainingOpened::default()
    })
}

fn planned(candidate: &str, hours: i32) -> Payload {
    Payload::TrainingPlanned(TrainingPlanned {
        training: training("mairie"),
        candidate: candidate.into(),
        organisation: organisation(),
        session: super::scene::id::<conum_kernel::entities::Session>("session").name(),
        hours,
        starts_on: Some(day(2021, 2, 1)),
        ends_on: Some(day(2021, 2, 19)),
        ..TrainingPlanned::default()
    })
}

fn unplanned(candidate: &str) -> Payload {
    Payload::TrainingUnplanned(TrainingUnplanned {
        training: training("mairie"),
        candidate: candidate.into(),
        ..TrainingUnplanned::default()
    })
}

fn organisation() -> String {
    super::scene::id::<conum_kernel::entities::Organisation>("organisation").name()
}

fn examined(candidate: &str, certification: &str, attempt: i32, passed: bool) -> Payload {
    Payload::CertificationRecorded(CertificationRecorded {
        training: training("mairie"),
        candidate: candidate.into(),
        certification: certification.into(),
        passed,
        attempt,
        attempts_left: 3 - attempt,
        taken_on: Some(day(2021, 2, 22)),
        ..CertificationRecorded::default()
    })
}

fn completed(candidate: &str) -> Payload {
    Payload::TrainingCompleted(TrainingCompleted {
        training: training("mairie"),
        candidate: candidate.into(),
        hours: 140,
        completed_on: Some(day(2021, 3, 1)),
        ..TrainingCompleted::default()
    })
}

fn stopped(candidate: &str, reason: &str) -> Payload {
    Payload::TrainingStopped(TrainingStopped {
        training: training("mairie"),
        candidate: candidate.into(),
        reason: reason.into(),
        ..TrainingStopped::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn t03_each_turn_of_a_training_is_mailed_once_however_often_it_is_told() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let rose = register.register(rose()).await;
        let turns = [
            opened(&rose.name),
            planned(&rose.name, 105),
            unplanned(&rose.name),
            planned(&rose.name, 140),
            examined(&rose.name, "ccp1", 1, false),
            examined(&rose.name, "ccp1", 2, true),
            examined(&rose.name, "pix", 1, true),
            completed(&rose.name),
        ];
        for turn in &turns {
            register.trained("mairie", turn.clone()).await;
            register.again("training", training("mairie"), turn.clone()).await;
        }
        // Told anew, as another event.
        for turn in &turns {
            register.trained("mairie", turn.clone()).await;
        }
        assert_eq!(
            register.mail_kinds(&rose.name).await,
            [
                "examined",
                "examined",
                "examined",
                "registered",
                "trained",
                "training-opened",
                "training-planned",
                "training-planned",
                "training-unplanned"
            ]
        );
        assert_eq!(
            register.actions(&rose.name).await[1..],
            [
                "TRAINING_OPENED",
                "TRAINING_PLANNED",
                "TRAINING_UNPLANNED",
                "TRAINING_PLANNED",
                "CCP1_FAILED",
                "CCP1_PASSED",
                "PIX_PASSED",
                "TRAINING_COMPLETED"
            ]
        );
        register.scene.settle().await;
        for says in [
            format!("sous le numéro {}", training("mairie").trim_start_matches("trainings/")),
            "Votre formation durera 140 heures. La formation initiale va du 1er février 2021 au 19 février 2021."
                .into(),
            "cet examen peut encore être repassé 2 fois".into(),
            "vous avez obtenu la certification Pix".into(),
            "vos 140 heures de formation sont faites".into(),
        ] {
            let letter = register.scene.letter(&says);
            assert!(letter.contains("Bonjour Rose,") && !letter.contains("str_"), "{letter}");
        }

        let known = register.export(&own(&rose), &rose.name).await.unwrap().trainings.remove(0);
        assert_eq!((known.training, known.state.as_str(), known.hours), (training("mairie"), "COMPLETED", 140));
        assert_eq!(
            (known.organisation, known.first_day, known.exams.len()),
            (organisation(), Some(day(2021, 2, 1)), 3)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_a_training_that_stops_is_mailed_to_who_stays_and_not_to_who_left_or_is_erased() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let rose = register.register(rose()).await;
        register.trained("mairie", opened(&rose.name)).await;
        register.trained("mairie", stopped(&rose.name, "selection_cancelled")).await;
        register.again("training", training("mairie"), stopped(&rose.name, "selection_cancelled")).await;
        register.scene.settle().await;
        register.scene.letter("Le recrutement en préparation est annulé");
        let mailed = register.mail_kinds(&rose.name).await;
        assert_eq!(mailed, ["registered", "training-opened", "training-stopped"]);

        register.leave(&rose).await.unwrap();
        let before = register.mail_kinds(&rose.name).await.len();
        let other =
            TrainingOpened { training: training("maison"), candidate: rose.name.clone(), ..TrainingOpened::default() };
        register.trained("maison", Payload::TrainingOpened(other)).await;
        assert_eq!(register.mail_kinds(&rose.name).await.len(), before, "who left asked to hear no more");
        assert_eq!(register.export(&own(&rose), &rose.name).await.unwrap().trainings.len(), 2);

        register.erase(&own(&rose), &rose.name).await.unwrap();
        let erased = TrainingStopped {
            training: training("maison"),
            candidate: rose.name.clone(),
            reason: "erased".into(),
            ..TrainingStopped::default()
        };
        register.trained("maison", Payload::TrainingStopped(erased)).await;
        register.scene.settle().await;
        assert_eq!((register.count("ties").await, register.count("mails").await), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_what_is_told_of_a_merged_registration_is_mailed_to_the_one_that_goes_on() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let first = register.register(rose()).await;
        register.scene.clock.advance(jiff::SignedDuration::from_secs(1));
        let second = register.register(person("Rose", "Dupont", "rose.perso@exemple.fr")).await;
        register.trained("mairie", opened(&second.name)).await;
        register.merge(&first.name, &second.name).await.unwrap();
        register.trained("mairie", planned(&second.name, 105)).await;

        assert!(register.mail_kinds(&first.name).await.contains(&"training-planned".to_owned()));
        let trainings = register.export(&own(&first), &first.name).await.unwrap().trainings;
        assert_eq!((trainings.len(), trainings[0].state.as_str()), (1, "PLANNED"));
        register.scene.settle().await;
        let letter = register.scene.letter("Votre formation durera 105 heures");
        assert!(letter.contains("To: Rose.Dupont@exemple.fr"), "{letter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_training_tells_in_words_that_no_contract_has_is_refused() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let rose = register.register(rose()).await;
        for bad in [
            examined(&rose.name, "toeic", 1, true),
            examined(&rose.name, "pix", -1, true),
            stopped(&rose.name, "bored"),
            planned(&rose.name, -1),
        ] {
            assert_eq!(register.tell("training", training("mairie"), bad).await, Outcome::Refused);
        }
        assert_eq!((register.count("ties").await, register.mail_kinds(&rose.name).await.len()), (0, 1));
    }
}
