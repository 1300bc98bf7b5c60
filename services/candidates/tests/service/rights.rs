//! Rights over one's data through the running service, on every database: export, erasure, anonymisation (C07).

use super::scene::{Register, at, own, person, refusal, rose};
use conum_proto::{
    candidates::v1::{Candidate, candidate::State},
    events::v1::event::Payload,
};
use conum_testkit::{backends, callers};
use tonic::Code;

/// Every column of candidates' tables that could hold a word of a person.
const COLUMNS: [(&str, &str); 10] = [
    ("candidates", "document"),
    ("candidates", "mail_key"),
    ("keys", "key"),
    ("ties", "document"),
    ("history", "why"),
    ("history", "actor"),
    ("mails", "facts"),
    ("answers", "resource"),
    ("doubles", "other"),
    ("derogations", "post"),
];

async fn traces(register: &Register) -> Vec<String> {
    let mut traces = Vec::new();
    for (table, column) in COLUMNS {
        for word in ["Rose", "rose", "Dupont", "dupont", "exemple", "1990", "06 12", "69123"] {
            if register.holds(table, column, word).await {
                traces.push(format!("{word} in {table}.{column}"));
            }
        }
    }
    traces
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_an_export_holds_the_person_the_history_the_introductions_and_the_mails() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let first = register.register(rose()).await;
        let second = register.register(person("Rose", "Dupont", "rose.perso@exemple.fr")).await;
        register.record_pix(&first, 640).await.unwrap();
        register.introduced(&second.name, "mairie").await;
        register.selected(&second.name, "mairie").await;
        register.scene.settle().await;
        register.merge(&first.name, &second.name).await.unwrap();

        for caller in [own(&first), callers::agency()] {
            let export = register.export(&caller, &first.name).await.unwrap();
            let candidate = export.candidate.unwrap();
            assert_eq!((candidate.given_name.as_str(), candidate.pix.map(|pix| pix.score)), ("Rose", Some(640)));
            let actions: Vec<_> = export.history.iter().map(|entry| entry.action.as_str()).collect();
            assert_eq!(actions.iter().filter(|action| **action == "REGISTER").count(), 2, "of both registrations");
            assert!(actions.contains(&"ABSORB") && actions.contains(&"INTRODUCED"));
            assert_eq!((export.introductions.len(), export.mails.len()), (1, 4));
            let absorbed = export.absorbed[0].candidate.clone().unwrap();
            assert_eq!((absorbed.name, absorbed.email.as_str()), (second.name.clone(), "rose.perso@exemple.fr"));
            assert_eq!(export.recruitments[0].stage, "SELECTED");
            assert!(export.exported_at.is_some());
        }
        assert_eq!(register.export(&callers::agency(), &second.name).await.unwrap_err().code(), Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_after_an_erasure_nothing_of_the_person_is_left_here_and_the_others_are_told() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let first = register.register(rose()).await;
        register.scene.clock.advance(jiff::SignedDuration::from_secs(1));
        let second = register.register(person("Rose", "Dupont", "rose.perso@exemple.fr")).await;
        register.record_pix(&first, 640).await.unwrap();
        register.introduced(&first.name, "mairie").await;
        register.introduced(&second.name, "maison").await;
        register.scene.settle().await;
        assert_eq!(register.mails().len(), 4);
        register.merge(&first.name, &second.name).await.unwrap();
        // One more that waits to be sent.
        register.selected(&first.name, "mairie").await;
        assert!(!traces(&register).await.is_empty());

        // Whoever asks by the registration that ended is erased with the one that goes on.
        let erased = register.erase(&own(&second), &second.name).await.unwrap();
        assert_eq!((erased.name.as_str(), erased.state()), (first.name.as_str(), State::Erased));
        register.scene.settle().await;

        assert_eq!(traces(&register).await, [""; 0]);
        assert!(register.mails().is_empty(), "{:?}", register.mails());
        for table in ["mails", "ties", "keys", "doubles"] {
            assert_eq!(register.count(table).await, 0, "{table}");
        }
        for name in [&first.name, &second.name] {
            let told = register.outbox(name).await;
            assert!(
                matches!(told.as_slice(), [Payload::CandidateErased(event)] if event.candidate == *name),
                "{told:?}"
            );
            assert_eq!(register.seen(name).await.state(), State::Erased);
        }
        // The id and its states stay.
        assert_eq!(register.actions(&second.name).await.last().unwrap(), "ERASE_WITH_SURVIVOR");
        assert_eq!(register.card(&at("mairie"), &first.name).await.unwrap_err().code(), Code::NotFound);

        // Again: nothing more; what matching still tells finds nobody; the address is free.
        assert!(register.erase(&callers::agency(), &first.name).await.is_ok());
        assert_eq!(register.outbox(&first.name).await.len(), 1);
        register.closed(&first.name, "mairie", "candidate_left").await;
        assert_eq!((register.count("ties").await, register.count("mails").await), (0, 0));
        assert!(register.try_register(rose()).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_the_erasure_of_the_first_releases_the_second() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let first = register.register(rose()).await;
        let second = register.register(person("Rose", "Dupont", "autre@exemple.fr")).await;
        assert_eq!(second.holds, ["POSSIBLE_DOUBLE"]);
        register.erase(&callers::agency(), &first.name).await.unwrap();
        let released = register.seen(&second.name).await;
        assert!(released.holds.is_empty() && released.possible_doubles.is_empty());
        assert!(matches!(register.outbox(&second.name).await.last(), Some(Payload::CandidateChanged(event))
            if event.facts.as_ref().is_some_and(|facts| facts.eligible)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_an_inactive_file_is_noticed_then_anonymised_and_who_answers_keeps_it() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        // 2020-12-01: the 24 months end on 2022-12-01, and the notice goes out 30 days before.
        let silent = register.register(rose()).await;
        let answers = register.register(person("Léa", "Martin", "lea@exemple.fr")).await;
        let introduced = register.register(person("Zoé", "Petit", "zoe@exemple.fr")).await;
        register.introduced(&introduced.name, "mairie").await;
        let notices =
            |register: &Register| register.mails().iter().filter(|file| file.starts_with("inactivity-notice")).count();

        register.scene.days_pass(699).await;
        assert_eq!(notices(&register), 0);
        register.scene.days_pass(1).await;
        assert_eq!(notices(&register), 2);
        assert_eq!(register.actions(&silent.name).await, ["REGISTER", "GIVE_NOTICE"]);
        let asked = Candidate { etag: String::new(), ..answers.clone() };
        register.update(&own(&answers), asked, &["phone"]).await.unwrap();

        register.scene.days_pass(30).await;
        assert_eq!(register.seen(&silent.name).await.state(), State::Registered);
        register.scene.days_pass(1).await;
        assert_eq!(register.seen(&silent.name).await.state(), State::Erased);
        assert!(!register.holds("candidates", "document", "Dupont").await);
        assert!(matches!(register.outbox(&silent.name).await.as_slice(), [Payload::CandidateErased(_)]));
        assert_eq!(notices(&register), 1, "that of the erased person is gone");
        for kept in [&answers, &introduced] {
            assert_eq!(register.seen(&kept.name).await.state(), State::Registered);
        }
        // Two years after the answer, a notice of its own.
        register.scene.days_pass(660).await;
        assert_eq!(notices(&register), 1);
        register.scene.days_pass(20).await;
        assert_eq!(notices(&register), 2);
        register.scene.days_pass(31).await;
        assert_eq!(register.seen(&answers.name).await.state(), State::Erased);
        assert_eq!(register.seen(&introduced.name).await.state(), State::Registered);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_a_notice_of_a_period_that_was_lengthened_does_not_count_and_another_goes_out() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let silent = register.register(rose()).await;
        let gives_notice =
            async || register.actions(&silent.name).await.iter().filter(|action| *action == "GIVE_NOTICE").count();
        register.scene.days_pass(700).await;
        assert_eq!(gives_notice().await, 1);
        register.set_policy("inactivity-months", "30").await;
        register.scene.days_pass(31).await;
        assert_eq!(register.seen(&silent.name).await.state(), State::Registered);
        // 30 months end on 2023-06-01.
        register.scene.days_pass(150).await;
        assert_eq!(gives_notice().await, 1);
        register.scene.days_pass(1).await;
        assert_eq!(gives_notice().await, 2);
        register.scene.days_pass(31).await;
        assert_eq!(register.seen(&silent.name).await.state(), State::Erased);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_a_period_as_short_as_its_notice_gives_one_notice_and_then_anonymises() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        register.set_policy("inactivity-months", "1").await;
        register.set_policy("inactivity-notice-days", "60").await;
        let silent = register.register(rose()).await;
        register.scene.settle().await;
        register.scene.days_pass(60).await;
        assert_eq!(register.actions(&silent.name).await, ["REGISTER", "GIVE_NOTICE"]);
        register.scene.days_pass(1).await;
        assert_eq!(register.seen(&silent.name).await.state(), State::Erased);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_a_mail_to_somebody_who_is_gone_is_not_written() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let made = register.register(rose()).await;
        register.erase(&own(&made), &made.name).await.unwrap();
        register.scene.settle().await;
        assert!(register.mails().is_empty());
        assert_eq!(refusal(register.export(&own(&made), &made.name).await).0, "NOT_FOUND");
    }
}
