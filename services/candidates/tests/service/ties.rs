//! What matching tells of people, through the running service, on every database: cards, mails, leaves, merges (C05–C08).

use super::scene::{Register, at, introduction, own, person, refusal, rose};
use conum_proto::{
    candidates::v1::{Candidate, candidate::State},
    events::v1::{Outcome, event::Payload},
};
use conum_testkit::{backends, callers};
use futures::future::join_all;
use tonic::Code;

fn rose_again() -> Candidate {
    person("Rose", "Dupont", "rose.perso@exemple.fr")
}

#[tokio::test(flavor = "multi_thread")]
async fn c05_a_structure_sees_the_card_while_introduced_and_the_pix_result_while_the_person_consents() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let rose = register.register(rose()).await;
        register.record_pix(&rose, 640).await.unwrap();
        let before = register.card(&at("mairie"), &rose.name).await.unwrap_err();
        assert_eq!(before.code(), Code::NotFound);

        let etag = register.seen(&rose.name).await.etag;
        register.introduced(&rose.name, "mairie").await;
        assert_eq!(register.seen(&rose.name).await.etag, etag, "an event makes no etag stale");

        let link = callers::link(&introduction("mairie"));
        for caller in [at("mairie"), link.clone(), callers::agency()] {
            let card = register.card(&caller, &rose.name).await.unwrap();
            assert_eq!((card.given_name.as_str(), card.commune_name.as_str(), card.pix), ("Rose", "Lyon", None));
        }
        register.consent(&rose, true).await.unwrap();
        assert_eq!(register.card(&link, &rose.name).await.unwrap().pix.map(|pix| pix.score), Some(640));
        register.consent(&rose, false).await.unwrap();
        for caller in [at("mairie"), link.clone(), callers::agency()] {
            assert_eq!(register.card(&caller, &rose.name).await.unwrap().pix, None);
        }

        let other = register.card(&at("maison"), &rose.name).await.unwrap_err();
        assert_eq!(other.code(), Code::NotFound);
        let other_link = register.card(&callers::link(&introduction("maison")), &rose.name).await.unwrap_err();
        assert_eq!(other_link.code(), Code::NotFound);
        let candidate = register.card(&own(&rose), &rose.name).await.unwrap_err();
        assert_eq!(candidate.code(), Code::PermissionDenied);

        register.closed(&rose.name, "mairie", "expired").await;
        assert_eq!(register.card(&link, &rose.name).await.unwrap_err().code(), Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_what_happens_is_mailed_once_to_the_address_of_the_day() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let rose = register.register(rose()).await;
        register.introduced(&rose.name, "mairie").await;
        register.introduced(&rose.name, "maison").await;
        register.closed(&rose.name, "mairie", "posts_filled").await;
        register.closed(&rose.name, "maison", "candidate_recruited").await;
        register.selected(&rose.name, "maison").await;
        let moved = Candidate { email: "rose@ailleurs.fr".into(), ..register.seen(&rose.name).await };
        register.update(&own(&rose), moved, &["email"]).await.unwrap();
        register.scene.settle().await;

        let kinds: Vec<_> = register.mails().iter().map(|file| file.split('_').next().unwrap().to_owned()).collect();
        assert_eq!(
            kinds,
            ["closed-not-chosen-intro", "introduced-intro", "introduced-intro", "registered-cand", "selected-rec"]
        );
        for file in register.mails() {
            let text = std::fs::read_to_string(register.scene.folder.path().join("mails").join(file)).unwrap();
            assert!(text.contains("To: rose@ailleurs.fr") && !text.contains("640"), "{text}");
        }
        let sent = register.export(&own(&rose), &rose.name).await.unwrap().mails;
        assert_eq!(sent.len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m08_a_leave_that_matching_refuses_is_taken_back() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let rose = register.register(rose()).await;
        register.introduced(&rose.name, "mairie").await;
        let left = register.leave(&rose).await.unwrap();
        assert_eq!(left.state(), State::Left);
        assert!(matches!(register.outbox(&rose.name).await.last(), Some(Payload::CandidateLeft(_))));
        assert_eq!(register.card(&at("mairie"), &rose.name).await.unwrap_err().code(), Code::NotFound);

        register.leave_refused(&rose.name, "mairie").await;
        assert_eq!(register.seen(&rose.name).await.state(), State::Registered);
        assert_eq!(register.actions(&rose.name).await, ["REGISTER", "INTRODUCED", "LEAVE", "REINSTATE"]);
        assert!(matches!(register.outbox(&rose.name).await.last(), Some(Payload::CandidateChanged(_))));

        register.signed_contract(&rose.name, "mairie").await;
        assert_eq!(refusal(register.leave(&rose).await), ("UNDER_CONTRACT".into(), "M08".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c06_c08_who_registered_anew_before_the_refusal_is_held_until_the_two_are_merged() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let before = register.register(rose()).await;
        register.leave(&before).await.unwrap();
        register.scene.clock.advance(jiff::SignedDuration::from_secs(1));
        let anew = register.register(rose()).await;
        assert_eq!((anew.possible_doubles.clone(), anew.holds.len()), (vec![before.name.clone()], 0));

        register.leave_refused(&before.name, "mairie").await;
        assert_eq!(register.seen(&before.name).await.state(), State::Left);
        assert_eq!(register.actions(&before.name).await.last().unwrap(), "LEAVE_REFUSED");
        assert_eq!(register.seen(&anew.name).await.holds, ["POSSIBLE_DOUBLE"]);
        let merged = register.merge(&anew.name, &before.name).await.unwrap();
        assert_eq!((merged.possible_doubles, merged.holds), (vec![], vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_a_namesake_is_held_until_the_first_leaves_and_again_when_it_comes_back() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let first = register.register(rose()).await;
        register.scene.clock.advance(jiff::SignedDuration::from_secs(1));
        let second = register.register(rose_again()).await;
        assert_eq!(second.holds, ["POSSIBLE_DOUBLE"]);
        register.leave(&first).await.unwrap();
        assert!(register.seen(&second.name).await.holds.is_empty());
        register.leave_refused(&first.name, "mairie").await;
        assert_eq!(register.seen(&second.name).await.holds, ["POSSIBLE_DOUBLE"]);

        let dismissed = register.dismiss(&second.name, &first.name).await.unwrap();
        assert!(dismissed.holds.is_empty() && dismissed.possible_doubles.is_empty());
        assert_eq!(refusal(register.dismiss(&second.name, &second.name).await).0, "SAME_REGISTRATION");
        assert_eq!(register.actions(&first.name).await.last().unwrap(), "SETTLE_DOUBLE");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_who_was_said_to_be_another_holds_nobody_after_a_merge() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let first = register.register(rose()).await;
        register.scene.clock.advance(jiff::SignedDuration::from_secs(1));
        let second = register.register(rose_again()).await;
        register.dismiss(&second.name, &first.name).await.unwrap();
        register.scene.clock.advance(jiff::SignedDuration::from_secs(1));
        let third = register.register(person("Rose", "Dupont", "troisieme@exemple.fr")).await;
        assert_eq!(third.possible_doubles.len(), 2);
        let merged = register.merge(&third.name, &second.name).await.unwrap();
        assert_eq!((merged.possible_doubles, merged.holds), (vec![], vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_a_merge_unites_everything_and_what_names_the_double_goes_to_the_survivor() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let first = register.register(rose()).await;
        register.scene.clock.advance(jiff::SignedDuration::from_secs(1));
        let second = register.register(rose_again()).await;
        let third = register.register(person("Rose", "Dupont", "troisieme@exemple.fr")).await;
        register.introduced(&first.name, "mairie").await;
        register.introduced(&second.name, "maison").await;

        let merged = register.merge(&first.name, &second.name).await.unwrap();
        assert_eq!(merged.state(), State::Registered);
        let ended = register.seen(&second.name).await;
        assert_eq!((ended.state(), ended.merged_into.as_str()), (State::Merged, first.name.as_str()));
        assert_eq!((ended.email.as_str(), ended.given_name.as_str()), ("", ""));
        assert_eq!(register.seen(&third.name).await.possible_doubles, std::slice::from_ref(&first.name));
        let told = register.outbox(&first.name).await;
        assert!(told.iter().any(|told| matches!(told, Payload::CandidateMerged(event) if event.merged == second.name)));

        for by in ["mairie", "maison"] {
            assert!(register.card(&at(by), &first.name).await.is_ok(), "{by}");
        }
        register.closed(&second.name, "maison", "posts_filled").await;
        register.selected(&second.name, "école").await;
        assert!(register.card(&at("maison"), &first.name).await.is_err());
        assert!(register.card(&at("école"), &first.name).await.is_ok());
        assert_eq!(register.export(&own(&first), &first.name).await.unwrap().introductions.len(), 2);

        assert_eq!(refusal(register.try_register(rose_again()).await).0, "ALREADY_REGISTERED");
        let error = register.leave(&second).await.unwrap_err();
        assert_eq!(conum_service::status::info(&error).unwrap().metadata["merged_into"], first.name);
        assert_eq!(refusal(register.merge(&first.name, &first.name).await).0, "SAME_REGISTRATION");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_two_that_are_merged_both_ways_at_once_end_in_one() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let (one, other) = (register.register(rose()).await, register.register(rose_again()).await);
        let calls = (0..6).map(|n| {
            if n % 2 == 0 { register.merge(&one.name, &other.name) } else { register.merge(&other.name, &one.name) }
        });
        let merged = join_all(calls).await.into_iter().flatten().count();
        assert_eq!(merged, 1);
        let states = [register.seen(&one.name).await.state(), register.seen(&other.name).await.state()];
        assert!(states.contains(&State::Registered) && states.contains(&State::Merged));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_registration_that_never_was_changes_nothing_and_one_that_cannot_be_read_is_refused() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let stranger: conum_kernel::CandidateId = super::scene::id("stranger");
        register.introduced(&stranger.name(), "mairie").await;
        assert_eq!((register.count("ties").await, register.count("parked").await), (0, 0));
        let event = Payload::CandidateIntroduced(conum_proto::events::v1::CandidateIntroduced::default());
        assert_eq!(register.tell("matching", "introductions/x".into(), event).await, Outcome::Refused);
    }
}
