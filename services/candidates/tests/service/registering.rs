//! Registering, correcting and listing through the running service, on every database (C01–C05, C08).

use super::scene::{Register, a_post, own, person, refusal, rose};
use conum_proto::{
    candidates::v1::{
        Candidate, CreateCandidateRequest, ListCandidatesRequest, Situation, candidate::State, situation::Status,
    },
    events::v1::event::Payload,
};
use conum_service::status;
use conum_testkit::{backends, callers};
use futures::future::join_all;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_read_back_told_without_identity_and_confirmed_by_mail() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let made = register.register(rose()).await;
        assert_eq!((made.state(), made.email.as_str()), (State::Registered, "Rose.Dupont@exemple.fr"));
        assert_eq!(register.get(&own(&made), &made.name).await.unwrap(), made);

        let told = register.outbox(&made.name).await;
        let [Payload::CandidateRegistered(event)] = told.as_slice() else { panic!("{told:?}") };
        let facts = event.facts.clone().unwrap();
        assert_eq!((facts.commune.as_str(), facts.department.as_str(), facts.max_km), ("69123", "69", 40));
        assert!(facts.eligible);
        let printed = format!("{event:?}");
        assert!(["Rose", "Dupont", "exemple", "06 12"].iter().all(|personal| !printed.contains(personal)));

        register.scene.settle().await;
        let [file] = register.mails().try_into().unwrap();
        assert!(file.starts_with("registered-cand_"), "{file}");
        assert_eq!(register.actions(&made.name).await, ["REGISTER"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_a_vanished_commune_is_todays_and_an_unknown_one_is_refused_at_its_field() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let made = register.register(Candidate { commune: "69152".into(), ..rose() }).await;
        assert_eq!(made.commune, "69149");
        assert!(made.location.is_some());

        let nowhere = Candidate { commune: "99999".into(), ..person("A", "B", "a@b.fr") };
        let refused = register.try_register(nowhere).await.unwrap_err();
        assert_eq!((refused.code(), status::rule(&refused).as_deref()), (Code::InvalidArgument, Some("C04")));
        assert!(String::from_utf8_lossy(refused.details()).contains("candidate.commune"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_comes_back_at_once_and_nothing_is_written() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let refused = register.try_register(Candidate::default()).await.unwrap_err();
        let details = String::from_utf8_lossy(refused.details()).into_owned();
        for field in ["given_name", "birth_date", "email", "commune", "reach", "situation", "available_from"] {
            assert!(details.contains(&format!("candidate.{field}")), "{field}");
        }
        assert_eq!(register.count("candidates").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c02_who_already_does_this_work_registers_with_the_derogation_of_the_post() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let situation = Situation {
            status: Status::CivilServant.into(),
            mediation_share_percent: 80,
            moves_to_full_time: true,
            derogated_post: a_post(),
            ..Situation::default()
        };
        let asked = || Candidate { situation: Some(situation.clone()), ..rose() };
        let not_granted = ("DEROGATION_NOT_GRANTED".to_owned(), "C02".to_owned());
        assert_eq!(refusal(register.try_register(asked()).await), not_granted);
        register.derogation_decided(&a_post(), false, true).await;
        assert_eq!(refusal(register.try_register(asked()).await), not_granted);
        register.derogation_decided(&a_post(), true, false).await;
        assert_eq!(refusal(register.try_register(asked()).await), not_granted);
        register.derogation_decided(&a_post(), true, true).await;
        assert!(register.try_register(asked()).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_one_address_that_registers_many_times_at_once_is_registered_once_and_the_others_are_told_where() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let people = (0..12).map(|n| person(&format!("Rose{}", "e".repeat(n)), "Dupont", "ROSE@exemple.fr"));
        let answers = join_all(people.map(|person| register.try_register(person))).await;
        let (registered, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(registered.len(), 1);
        let first = registered[0].as_ref().unwrap();
        for answer in refused {
            let error = answer.unwrap_err();
            assert_eq!(error.code(), Code::AlreadyExists, "{error}");
            assert_eq!(status::info(&error).unwrap().metadata["existing"], first.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_namesakes_of_one_day_that_register_at_once_see_one_another() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let people = (0..8).map(|n| person("Hélène", "Le Goff", &format!("h{n}@exemple.fr")));
        let answers = join_all(people.map(|person| register.try_register(person))).await;
        let mut people: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        people.sort_by_key(|person| person.possible_doubles.len());
        for (before, person) in people.iter().enumerate() {
            assert_eq!(person.possible_doubles.len(), before);
            assert_eq!(person.holds.is_empty(), before == 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_again_is_the_same_registration_and_other_content_is_refused() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let request_id = "3f2b8c1e-0000-4000-8000-000000000001".to_owned();
        let message = CreateCandidateRequest { candidate: Some(rose()), request_id, validate_only: false };
        let answers = join_all((0..16).map(|_| register.create(message.clone()))).await;
        let names: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().name).collect();
        assert!(names.windows(2).all(|pair| pair[0] == pair[1]));
        let other = CreateCandidateRequest { candidate: Some(person("A", "B", "a@b.fr")), ..message };
        assert_eq!(refusal(register.create(other).await).0, "REQUEST_ID_REUSED");
        assert_eq!(register.count("candidates").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_refuses_what_is_refused_answers_what_would_be_and_writes_nothing() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let rehearsal = |candidate| CreateCandidateRequest {
            candidate: Some(candidate),
            validate_only: true,
            ..CreateCandidateRequest::default()
        };
        let would_be = register.create(rehearsal(rose())).await.unwrap();
        assert_eq!((would_be.given_name.as_str(), would_be.etag.as_str()), ("Rose", "1"));
        for table in ["candidates", "keys", "history", "outbox", "aggregates", "deliveries", "mails", "answers"] {
            assert_eq!(register.count(table).await, 0, "{table}");
        }
        register.register(rose()).await;
        assert_eq!(refusal(register.create(rehearsal(rose())).await).0, "ALREADY_REGISTERED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_a_correction_changes_what_its_mask_says_and_a_stale_one_is_aborted() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let made = register.register(rose()).await;
        let asked = Candidate { phone: String::new(), given_name: "Rosa".into(), ..made.clone() };
        let corrected = register.update(&own(&made), asked.clone(), &["phone"]).await.unwrap();
        assert_eq!((corrected.given_name.as_str(), corrected.phone.as_str()), ("Rose", ""));

        let stale = register.update(&own(&made), asked.clone(), &["given_name"]).await.unwrap_err();
        assert_eq!((stale.code(), status::reason(&stale).as_deref()), (Code::Aborted, Some("STALE_ETAG")));
        let unknown = register.update(&own(&made), asked, &["state"]).await;
        assert_eq!(refusal(unknown).0, "UNKNOWN_FIELD");

        // Without a mask: what is set.
        let moved = Candidate { name: made.name.clone(), commune: "69266".into(), ..Candidate::default() };
        let moved = register.update(&own(&made), moved, &[]).await.unwrap();
        assert_eq!((moved.given_name.as_str(), moved.commune.as_str()), ("Rose", "69266"));
        let told = register.outbox(&made.name).await;
        assert!(matches!(told.last(), Some(Payload::CandidateChanged(event))
            if event.facts.as_ref().is_some_and(|facts| facts.commune == "69266")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_an_address_that_is_given_up_is_free_again() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let first = register.register(rose()).await;
        let second = register.register(person("Léa", "Martin", "lea@exemple.fr")).await;
        let taken = Candidate { email: "rose.dupont@exemple.fr".into(), etag: String::new(), ..second.clone() };
        assert_eq!(refusal(register.update(&own(&second), taken.clone(), &["email"]).await).0, "ALREADY_REGISTERED");
        let moved = Candidate { email: "rose@ailleurs.fr".into(), ..first.clone() };
        register.update(&own(&first), moved, &["email"]).await.unwrap();
        assert!(register.update(&own(&second), taken, &["email"]).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c05_a_pix_result_is_shown_to_the_person_and_not_to_the_agency() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let made = register.register(rose()).await;
        assert_eq!(refusal(register.consent(&made, true).await).0, "NO_PIX_RESULT");
        let recorded = register.record_pix(&made, 640).await.unwrap();
        assert_eq!(recorded.pix.map(|pix| (pix.score, pix.consent)), Some((640, false)));
        assert!(register.consent(&made, true).await.unwrap().pix.unwrap().consent);
        assert_eq!(register.seen(&made.name).await.pix, None);
        assert_eq!(register.list(ListCandidatesRequest::default()).await.unwrap().candidates[0].pix, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_reads_and_writes_its_own_registration_only() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let made = register.register(rose()).await;
        let stranger = register.register(person("Léa", "Martin", "lea@exemple.fr")).await;
        let caller = own(&stranger);
        for denied in [
            register.get(&caller, &made.name).await.map(|_| ()),
            register.update(&caller, made.clone(), &["phone"]).await.map(|_| ()),
            register.erase(&caller, &made.name).await.map(|_| ()),
            register.export(&caller, &made.name).await.map(|_| ()),
        ] {
            assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
        }
        assert_eq!(register.get(&callers::anonymous(), &made.name).await.unwrap_err().code(), Code::Unauthenticated);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_in_the_order_of_registration_paged_and_narrowed() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let mut names = Vec::new();
        for n in 0..5 {
            let commune = if n == 4 { "97411" } else { "69123" };
            let asked = person(&format!("P{}", "a".repeat(n)), "Martin", &format!("p{n}@exemple.fr"));
            names.push(register.register(Candidate { commune: commune.into(), ..asked }).await.name);
            register.scene.clock.advance(jiff::SignedDuration::from_secs(1));
        }
        let order = |list: &[Candidate]| list.iter().map(|candidate| candidate.name.clone()).collect::<Vec<_>>();
        let ask = ListCandidatesRequest { page_size: 3, ..Default::default() };
        let first = register.list(ask.clone()).await.unwrap();
        let rest = ListCandidatesRequest { page_token: first.next_page_token.clone(), ..ask.clone() };
        let second = register.list(rest.clone()).await.unwrap();
        assert_eq!([order(&first.candidates), order(&second.candidates)].concat(), names);
        assert_eq!(second.next_page_token, "");
        let other = ListCandidatesRequest { department: "69".into(), ..rest };
        assert_eq!(refusal(register.list(other).await).0, "INVALID_PAGE_TOKEN");

        let reunion = ListCandidatesRequest { department: "974".into(), ..Default::default() };
        assert_eq!(order(&register.list(reunion).await.unwrap().candidates), names[4..]);
        let address = ListCandidatesRequest { email: "P2@Exemple.fr".into(), ..Default::default() };
        assert_eq!(order(&register.list(address).await.unwrap().candidates), names[2..3]);
        let left = ListCandidatesRequest { state: State::Left.into(), ..Default::default() };
        assert!(register.list(left).await.unwrap().candidates.is_empty());
        let none = ListCandidatesRequest { state: 99, ..Default::default() };
        assert_eq!(refusal(register.list(none).await).0, "UNKNOWN_VALUE");
    }
}
