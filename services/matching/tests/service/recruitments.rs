//! Selections and contracts through the running service, on every database (M06–M08, M10, C06, A19).

use crate::scene::{Granted, MATCHING, Programme, contract, day, granted};
use conum_proto::{
    events::v1::{CandidateLeft, PostsGranted, PostsReturned, event::Payload},
    google::r#type::Date,
    matching::v1::{
        Contract, EndContractRequest, Ending, Introduction, adviser, ending::Reason, introduction, notice, post,
        recruitment,
    },
};
use conum_service::status;
use conum_testkit::{Backend, backends, callers};
use tonic::Status;

const LYON: &str = "69123";
const VILLEURBANNE: &str = "69266";

/// Two structures of Lyon with one post each, and people next door.
async fn two_structures(backend: &Backend, people: usize) -> (Programme, Granted, Granted) {
    let programme = Programme::start(backend).await;
    for number in 0..people {
        programme.register(&format!("person {number}"), VILLEURBANNE).await;
    }
    let (one, two) = (granted("one", LYON, 1), granted("two", LYON, 1));
    programme.grant(&one).await;
    programme.grant(&two).await;
    programme.activate(&[&one, &two]).await;
    (programme, one, two)
}

fn reason(status: &Status) -> (String, String) {
    (status::reason(status).unwrap_or_default(), status::rule(status).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_two_structures_that_select_one_person_at_the_same_moment_one_succeeds() {
    for backend in backends() {
        let (programme, one, two) = two_structures(&backend, 3).await;
        let person = programme.live(&one).await.remove(0).candidate;
        let (first, second) = tokio::join!(programme.select(&one, 0, &person), programme.select(&two, 0, &person));
        let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
        assert_eq!(won.unwrap().state(), recruitment::State::Selected);
        assert_eq!(reason(&lost.unwrap_err()), ("ALREADY_SELECTED".into(), "M06".into()));
        // The other introductions stay live until the contract is signed.
        assert_eq!(programme.list(&callers::candidate(&person), true).await.len(), 2);
        assert_eq!(programme.adviser_state(&person).await, adviser::State::Selected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_a_cancelled_selection_frees_post_and_person() {
    for backend in backends() {
        let (programme, one, two) = two_structures(&backend, 3).await;
        let person = programme.live(&one).await.remove(0).candidate;
        let selected = programme.select(&one, 0, &person).await.unwrap();
        assert_eq!(programme.post(&one, 0).await.recruitment, selected.name);
        programme.cancel(&callers::candidate(&person), &selected.name).await.unwrap();
        assert_eq!(programme.post(&one, 0).await.recruitment, "");
        assert!(programme.select(&two, 0, &person).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c06_a_signature_ends_every_other_introduction_and_the_others_are_served_again() {
    for backend in backends() {
        let (programme, one, two) = two_structures(&backend, 4).await;
        let person = programme.live(&one).await.remove(0).candidate;
        assert!(programme.live(&two).await.iter().any(|introduction| introduction.candidate == person));
        let selected = programme.select(&one, 0, &person).await.unwrap();
        programme.sign(&one, &selected.name, contract()).await.unwrap();

        let live = programme.live(&two).await;
        assert_eq!(live.len(), 3, "served again");
        assert!(live.iter().all(|introduction| introduction.candidate != person));
        let ended = programme.list(&callers::candidate(&person), false).await;
        let reasons: Vec<_> = ended.iter().map(conum_proto::matching::v1::Introduction::close_reason).collect();
        assert!(reasons.contains(&introduction::CloseReason::Recruited));
        assert!(reasons.contains(&introduction::CloseReason::CandidateRecruited));
        // M02: no vacant post is left.
        assert!(programme.live(&one).await.is_empty());
        assert_eq!(programme.post(&one, 0).await.state(), post::State::Filled);
        assert_eq!(programme.adviser_state(&person).await, adviser::State::Signed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c06_a_signature_brings_the_others_the_nearest_even_where_it_frees_that_person_itself() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        for (key, value) in [("live-per-structure", "2"), ("live-per-candidate", "2")] {
            programme.scene.set_policy(MATCHING, key, value).await.unwrap();
        }
        let signing = programme.register("signing", LYON).await.name();
        let near = programme.register("near", LYON).await.name();
        let structures = ["own", "busy", "other"].map(|name| granted(name, LYON, 1));
        let [own, busy, other] = &structures;
        for structure in [own, busy] {
            programme.grant(structure).await;
            programme.activate(&[structure]).await;
        }
        let of_signing = callers::candidate(&signing);
        let at_busy = programme.list(&of_signing, true).await;
        let at_busy = at_busy.iter().find(|introduction| introduction.structure == busy.structure.name()).unwrap();
        programme.decline(&of_signing, &at_busy.name, "").await.unwrap();
        programme.register("middle", VILLEURBANNE).await;
        programme.grant(other).await;
        programme.activate(&[other]).await;
        let of_other = |live: Vec<Introduction>| live.into_iter().map(|live| live.candidate).collect::<Vec<_>>();
        let before = of_other(programme.live(other).await);
        assert!(before.contains(&signing) && !before.contains(&near), "who is near is at the other two");
        programme.register("far", VILLEURBANNE).await;
        let selected = programme.select(own, 0, &signing).await.unwrap();
        programme.sign(own, &selected.name, contract()).await.unwrap();
        assert!(of_other(programme.live(other).await).contains(&near));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m07_a_contract_below_the_rules_names_every_field_and_writes_nothing() {
    for backend in backends() {
        let (programme, one, _) = two_structures(&backend, 3).await;
        let person = programme.live(&one).await.remove(0).candidate;
        let selected = programme.select(&one, 0, &person).await.unwrap();
        let bad = Contract { full_time: false, gross_monthly_cents: 1, end_date: day(2021, 2, 1), ..contract() };
        let refused = programme.sign(&one, &selected.name, bad).await.unwrap_err();
        assert_eq!(reason(&refused), ("PART_TIME".into(), "M07".into()));
        let details = String::from_utf8_lossy(refused.details()).into_owned();
        for field in ["contract.full_time", "contract.end_date", "contract.gross_monthly_cents"] {
            assert!(details.contains(field), "{field}");
        }
        assert!(programme.sign(&one, &selected.name, contract()).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m07_a_late_signature_raises_a_notice_and_is_not_refused() {
    for backend in backends() {
        let (programme, one, _) = two_structures(&backend, 3).await;
        let late = |notices: Vec<conum_proto::matching::v1::Notice>| {
            notices.iter().filter(|notice| notice.kind() == notice::Kind::SignatureLate).count()
        };
        programme.scene.days_pass(15).await;
        assert_eq!(late(programme.notices(&one).await), 0);
        programme.scene.days_pass(1).await;
        assert_eq!(late(programme.notices(&one).await), 1);
        let person = programme.live(&one).await.remove(0).candidate;
        let selected = programme.select(&one, 0, &person).await.unwrap();
        let signed = Contract { signed_on: day(2020, 12, 17), ..contract() };
        assert!(programme.sign(&one, &selected.name, signed).await.is_ok());
        assert_eq!(late(programme.notices(&one).await), 1, "once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m08_an_early_end_makes_the_post_vacant_and_the_person_free() {
    for backend in backends() {
        let (programme, one, _) = two_structures(&backend, 5).await;
        let person = programme.live(&one).await.remove(0).candidate;
        let selected = programme.select(&one, 0, &person).await.unwrap();
        programme.sign(&one, &selected.name, contract()).await.unwrap();
        let ending = Ending {
            reason: Reason::Resignation.into(),
            last_day: day(2021, 8, 31),
            document_sha256: vec!["0".repeat(64)],
        };
        let message = EndContractRequest { name: selected.name, ending: Some(ending), ..Default::default() };
        let without = EndContractRequest {
            ending: message.ending.clone().map(|ending| Ending { document_sha256: vec![], ..ending }),
            ..message.clone()
        };
        let refused = programme.end(&one, without).await.unwrap_err();
        assert_eq!(reason(&refused), ("DOCUMENTS_REQUIRED".into(), "M08".into()));
        programme.end(&one, message).await.unwrap();
        assert_eq!(programme.post(&one, 0).await.state(), post::State::Vacant);
        let live = programme.live(&one).await;
        assert!(!live.is_empty(), "served again");
        assert!(live.iter().all(|introduction| introduction.candidate != person), "never the same pair");
        assert_eq!(programme.figures().await.contracts_ended_early, 1);
    }
}

fn resigned(name: &str, last_day: Option<Date>) -> EndContractRequest {
    let ending = Ending { reason: Reason::Resignation.into(), last_day, document_sha256: vec!["0".repeat(64)] };
    EndContractRequest { name: name.into(), ending: Some(ending), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn c06_another_contract_begins_after_the_last_day_of_the_one_that_ended() {
    for backend in backends() {
        let (programme, one, two) = two_structures(&backend, 3).await;
        let person = programme.live(&one).await.remove(0).candidate;
        let selected = programme.select(&one, 0, &person).await.unwrap();
        // The other structure keeps its introductions until the signature; afterwards somebody else is there for it.
        programme.sign(&one, &selected.name, contract()).await.unwrap();
        programme.end(&one, resigned(&selected.name, day(2021, 8, 31))).await.unwrap();
        let three = granted("three", LYON, 1);
        programme.grant(&three).await;
        programme.activate(&[&three]).await;
        let _ = two;
        let selected = programme.select(&three, 0, &person).await.unwrap();
        let from = |month, day_of| Contract {
            start_date: day(2021, month, day_of),
            end_date: day(2023, 12, 31),
            ..contract()
        };
        let refused = programme.sign(&three, &selected.name, from(8, 31)).await.unwrap_err();
        assert_eq!(reason(&refused), ("IN_POST".into(), "C06".into()));
        programme.sign(&three, &selected.name, from(9, 1)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m07_a_post_that_is_vacant_again_launches_another_recruitment() {
    for backend in backends() {
        let (programme, one, _) = two_structures(&backend, 6).await;
        let person = programme.live(&one).await.remove(0).candidate;
        let selected = programme.select(&one, 0, &person).await.unwrap();
        programme.sign(&one, &selected.name, contract()).await.unwrap();
        programme.scene.days_pass(100).await;
        programme.end(&one, resigned(&selected.name, day(2021, 3, 31))).await.unwrap();
        assert!(!programme.live(&one).await.is_empty(), "served again");
        let late = async || {
            let notices = programme.notices(&one).await;
            notices.iter().filter(|notice| notice.kind() == notice::Kind::SignatureLate).count()
        };
        programme.scene.days_pass(15).await;
        assert_eq!(late().await, 0);
        programme.scene.days_pass(1).await;
        assert_eq!(late().await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_selection_and_a_return_of_the_post_at_one_moment_leave_no_selection_without_post() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        for number in 0..8 {
            let (name, person) = (format!("structure {number}"), format!("person {number}"));
            let lyon = granted(&name, LYON, 1);
            let candidate = programme.register(&person, LYON).await;
            let Payload::PostsGranted(told) = Programme::granted_payload(&lyon) else { unreachable!() };
            let told = Payload::PostsGranted(PostsGranted { candidate_found: true, ..told });
            programme.tell("applications", lyon.application.name(), told).await;
            programme.activate(&[&lyon]).await;
            let (application, structure) = (lyon.application.name(), lyon.structure.name());
            let back = PostsReturned { application: application.clone(), structure, posts: vec![lyon.post(0)] };
            let name = candidate.name();
            let (selected, ()) = tokio::join!(
                programme.select(&lyon, 0, &name),
                programme.tell("applications", application, Payload::PostsReturned(back))
            );
            assert_eq!(programme.post(&lyon, 0).await.state(), post::State::GivenBack);
            if let Ok(selected) = selected {
                assert!(programme.sign(&lyon, &selected.name, contract()).await.is_err());
            }
            assert_ne!(programme.adviser_state(&name).await, adviser::State::Selected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_a_selection_and_a_departure_at_one_moment_leave_nobody_selected() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        for number in 0..8 {
            let lyon = granted(&format!("structure {number}"), LYON, 1);
            let candidate = programme.register(&format!("person {number}"), LYON).await.name();
            let Payload::PostsGranted(told) = Programme::granted_payload(&lyon) else { unreachable!() };
            let told = Payload::PostsGranted(PostsGranted { candidate_found: true, ..told });
            programme.tell("applications", lyon.application.name(), told).await;
            programme.activate(&[&lyon]).await;
            let left = Payload::CandidateLeft(CandidateLeft { candidate: candidate.clone() });
            let _ = tokio::join!(
                programme.select(&lyon, 0, &candidate),
                programme.tell("candidates", candidate.clone(), left)
            );
            assert_eq!(programme.post(&lyon, 0).await.recruitment, "");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m07_a_fixed_term_ends_by_itself_after_its_last_day_and_is_no_early_end() {
    for backend in backends() {
        let (programme, one, _) = two_structures(&backend, 5).await;
        let person = programme.live(&one).await.remove(0).candidate;
        let selected = programme.select(&one, 0, &person).await.unwrap();
        programme.sign(&one, &selected.name, contract()).await.unwrap();
        programme.scene.days_pass(763).await;
        assert_eq!(programme.post(&one, 0).await.state(), post::State::Filled, "its last day, 3 January 2023");
        assert_eq!(programme.adviser_state(&person).await, adviser::State::InPost);
        programme.scene.days_pass(1).await;
        assert_ne!(programme.adviser_state(&person).await, adviser::State::InPost);
        assert_eq!(programme.post(&one, 0).await.state(), post::State::Filled, "no other recruitment is funded");
        assert_eq!(programme.figures().await.contracts_ended_early, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_post_is_given_back_unless_a_contract_is_signed_on_it() {
    for backend in backends() {
        let (programme, one, two) = two_structures(&backend, 4).await;
        let back = |granted: &Granted| {
            let (application, structure) = (granted.application.name(), granted.structure.name());
            Payload::PostsReturned(PostsReturned { application, structure, posts: vec![granted.post(0)] })
        };
        let person = programme.live(&one).await.remove(0).candidate;
        let selected = programme.select(&one, 0, &person).await.unwrap();
        programme.sign(&one, &selected.name, contract()).await.unwrap();
        programme.tell("applications", one.application.name(), back(&one)).await;
        assert_eq!(programme.post(&one, 0).await.state(), post::State::Filled);

        let other = programme.live(&two).await.remove(0).candidate;
        let selected = programme.select(&two, 0, &other).await.unwrap();
        programme.tell("applications", two.application.name(), back(&two)).await;
        assert_eq!(programme.post(&two, 0).await.state(), post::State::GivenBack);
        assert!(programme.live(&two).await.is_empty(), "all close");
        let cancelled = programme.cancel(&two.caller(), &selected.name).await.unwrap_err();
        assert_eq!(reason(&cancelled), ("WRONG_STATE".into(), "M06".into()));
        assert_eq!(programme.adviser_state(&other).await, adviser::State::Free);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m06_who_was_not_introduced_cannot_be_selected() {
    for backend in backends() {
        let (programme, one, _) = two_structures(&backend, 3).await;
        let stranger = programme.register("stranger", "59350").await;
        let refused = programme.select(&one, 0, &stranger.name()).await.unwrap_err();
        assert_eq!(reason(&refused), ("NOT_INTRODUCED".into(), "M06".into()));
        let unknown: conum_kernel::CandidateId = crate::scene::id("nobody");
        let refused = programme.select(&one, 0, &unknown.name()).await.unwrap_err();
        assert_eq!(reason(&refused), ("NOT_REGISTERED".into(), "M06".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_told_again_changes_its_facts_and_begins_afresh_only_in_another_wave() {
    for backend in backends() {
        let (programme, one, two) = two_structures(&backend, 4).await;
        let again = |granted: &Granted, wave: Option<&str>| {
            let Payload::PostsGranted(mut told) = Programme::granted_payload(granted) else { unreachable!() };
            told.posts[0].start_date = day(2021, 5, 1);
            told.wave = wave.map_or(told.wave, str::to_owned);
            Payload::PostsGranted(told)
        };
        let subject = one.application.name();
        let before = programme.live(&one).await.len();
        programme.tell("applications", subject.clone(), again(&one, None)).await;
        let post = programme.post(&one, 0).await;
        assert!(post.active, "its wave stays activated");
        assert_eq!(post.start_date, day(2021, 5, 1));
        assert_eq!(programme.live(&one).await.len(), before);

        let (application, structure) = (two.application.name(), two.structure.name());
        let back = PostsReturned { application, structure, posts: vec![two.post(0)] };
        programme.tell("applications", two.application.name(), Payload::PostsReturned(back)).await;
        programme.tell("applications", two.application.name(), again(&two, None)).await;
        assert_eq!(programme.post(&two, 0).await.state(), post::State::GivenBack, "told again of what is back");
        let other: conum_kernel::WaveId = crate::scene::id("another wave");
        programme.tell("applications", two.application.name(), again(&two, Some(&other.name()))).await;
        let post = programme.post(&two, 0).await;
        assert_eq!((post.state(), post.active), (post::State::Vacant, false), "granted afresh, not activated yet");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_the_past_is_known_before_it_is_complete_and_can_be_given_back() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let past = granted("Past", "69123", 2);
        let Payload::PostsGranted(mut told) = Programme::granted_payload(&past) else { unreachable!() };
        (told.ready, told.location) = (false, None);
        (told.commune, told.department, told.structure_kind) = Default::default();
        programme.tell("applications", past.application.name(), Payload::PostsGranted(told)).await;
        let (application, structure) = (past.application.name(), past.structure.name());
        let back = PostsReturned { application, structure, posts: vec![past.post(1)] };
        programme.tell("applications", past.application.name(), Payload::PostsReturned(back)).await;
        assert_eq!(programme.post(&past, 1).await.state(), post::State::GivenBack);
    }
}
