//! Introductions through the running service, on every database: places, answers, silence, races (M01–M05).

use crate::scene::{MATCHING, Programme, granted};
use conum_proto::{
    events::v1::{
        CandidateChanged, CandidateErased, CandidateLeft, CandidateMerged, Outcome, PostsReturned, event::Payload,
    },
    matching::v1::{adviser, introduction::State, notice},
};
use conum_service::status;
use conum_testkit::{backends, callers};
use tonic::Code;

/// Lyon, with people in Villeurbanne next door.
const LYON: &str = "69123";
const VILLEURBANNE: &str = "69266";
const LILLE: &str = "59350";

async fn lyon_with(backend: &conum_testkit::Backend, people: usize) -> (Programme, crate::scene::Granted) {
    let programme = Programme::start(backend).await;
    for number in 0..people {
        programme.register(&format!("person {number}"), VILLEURBANNE).await;
    }
    let lyon = granted("Lyon", LYON, 2);
    programme.grant(&lyon).await;
    programme.activate(&[&lyon]).await;
    (programme, lyon)
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_a_structure_has_three_live_introductions_whatever_its_posts() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 5).await;
        assert_eq!(programme.live(&lyon).await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_no_introduction_comes_before_the_wave_is_activated() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.register("person", VILLEURBANNE).await;
        let lyon = granted("Lyon", LYON, 1);
        programme.grant(&lyon).await;
        assert!(programme.live(&lyon).await.is_empty());
        programme.activate(&[&lyon]).await;
        assert_eq!(programme.live(&lyon).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_a_decline_brings_the_next_in_the_same_transaction_and_never_the_same_pair() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 6).await;
        let mut seen: Vec<String> = programme.live(&lyon).await.iter().map(|i| i.candidate.clone()).collect();
        for expected in [3, 3, 3, 2, 1, 0] {
            let first = programme.live(&lyon).await.remove(0);
            let declined = programme.decline(&lyon.caller(), &first.name, "").await.unwrap();
            assert_eq!(declined.state(), State::Declined);
            let live = programme.live(&lyon).await;
            assert_eq!(live.len(), expected);
            if let Some(next) = live.iter().find(|introduction| introduction.replaces == first.name) {
                assert!(!seen.contains(&next.candidate), "a pair was introduced twice");
                seen.push(next.candidate.clone());
            }
        }
        let figures = programme.figures().await;
        assert_eq!((figures.introductions, figures.declined, figures.replaced), (6, 6, 3));
        assert_eq!((figures.repeated_pairs, figures.max_live_per_structure), (0, 3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_sixty_four_declines_at_once_have_one_effect() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 6).await;
        let first = programme.live(&lyon).await.remove(0).name;
        let request_id = "3f2b8c1e-0000-4000-8000-000000000001";
        let caller = lyon.caller();
        let calls = (0..64).map(|_| programme.decline(&caller, &first, request_id));
        for answer in futures::future::join_all(calls).await {
            assert_eq!(answer.unwrap().name, first);
        }
        assert_eq!(programme.list(&lyon.caller(), false).await.len(), 4);

        let other = programme.live(&lyon).await.remove(0).name;
        let reused = programme.decline(&lyon.caller(), &other, request_id).await.unwrap_err();
        assert_eq!(reused.code(), Code::InvalidArgument);
        assert_eq!(status::reason(&reused).as_deref(), Some("REQUEST_ID_REUSED"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_silence_is_reminded_after_7_days_and_expires_after_21() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 4).await;
        let interested = programme.live(&lyon).await.remove(0).name;
        programme.accept(&lyon.caller(), &interested).await.unwrap();
        programme.scene.days_pass(7).await;
        assert!(programme.live(&lyon).await.iter().all(|introduction| introduction.reminded_at.is_none()));
        programme.scene.days_pass(1).await;
        let reminded = programme.live(&lyon).await;
        assert_eq!(reminded.iter().filter(|introduction| introduction.reminded_at.is_some()).count(), 2);
        programme.scene.days_pass(13).await;
        assert_eq!(programme.figures().await.expired, 0);
        programme.scene.days_pass(1).await;
        assert_eq!(programme.figures().await.expired, 2);
        let live = programme.live(&lyon).await;
        assert!(live.iter().any(|introduction| introduction.name == interested), "interest does not expire");
        assert_eq!(live.len(), 2, "the interested one and the one person left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_an_answer_after_the_end_says_so_and_changes_nothing() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 3).await;
        let first = programme.live(&lyon).await.remove(0).name;
        programme.scene.days_pass(22).await;
        let late = programme.accept(&lyon.caller(), &first).await.unwrap_err();
        assert_eq!(late.code(), Code::FailedPrecondition);
        assert_eq!(status::rule(&late).as_deref(), Some("M03"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_a_shortage_is_told_once_and_ends_when_somebody_comes() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 1).await;
        let short = |notices: Vec<conum_proto::matching::v1::Notice>| {
            notices.iter().filter(|notice| notice.kind() == notice::Kind::CandidatesShort).count()
        };
        assert_eq!(short(programme.notices(&lyon).await), 1);
        let only = programme.live(&lyon).await.remove(0).name;
        programme.decline(&lyon.caller(), &only, "").await.unwrap();
        assert_eq!(short(programme.notices(&lyon).await), 1, "told once");
        // M05: whoever registers now goes to the structure that waits.
        for name in ["a", "b", "c", "d"] {
            programme.register(name, VILLEURBANNE).await;
        }
        assert_eq!(programme.live(&lyon).await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_a_candidate_is_in_at_most_three_and_a_freed_one_goes_to_whoever_waits() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let person = programme.register("person", VILLEURBANNE).await;
        let structures: Vec<_> = ["a", "b", "c", "d"].iter().map(|name| granted(name, LYON, 1)).collect();
        for structure in &structures {
            programme.grant(structure).await;
        }
        programme.activate(&structures.iter().collect::<Vec<_>>()).await;
        let of_person = callers::candidate(&person.name());
        assert_eq!(programme.list(&of_person, true).await.len(), 3);
        let waiting: Vec<_> = {
            let mut waiting = Vec::new();
            for structure in &structures {
                if programme.live(structure).await.is_empty() {
                    waiting.push(structure);
                }
            }
            waiting
        };
        assert_eq!(waiting.len(), 1);
        let first = programme.list(&of_person, true).await.remove(0);
        programme.decline(&of_person, &first.name, "").await.unwrap();
        assert_eq!(programme.live(waiting[0]).await.len(), 1);
        assert_eq!(programme.list(&of_person, true).await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_many_declines_at_once_never_pass_the_limits_or_repeat_a_pair() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        for number in 0..40 {
            programme.register(&format!("person {number}"), VILLEURBANNE).await;
        }
        let structures: Vec<_> = (0..8).map(|number| granted(&format!("structure {number}"), LYON, 1)).collect();
        for structure in &structures {
            programme.grant(structure).await;
        }
        programme.activate(&structures.iter().collect::<Vec<_>>()).await;
        for _ in 0..4 {
            let mut calls = Vec::new();
            for structure in &structures {
                for introduction in programme.live(structure).await {
                    let programme = &programme;
                    calls.push(async move { programme.decline(&structure.caller(), &introduction.name, "").await });
                }
            }
            for answer in futures::future::join_all(calls).await {
                answer.unwrap();
            }
        }
        let figures = programme.figures().await;
        assert_eq!(figures.repeated_pairs, 0);
        assert!(figures.max_live_per_structure <= 3 && figures.max_live_per_candidate <= 3, "{figures:?}");
        assert_eq!(figures.introductions, figures.declined + 24, "every place is filled again: {figures:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_again_or_before_what_it_names_has_its_effect_once() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.register("person", VILLEURBANNE).await;
        let lyon = granted("Lyon", LYON, 1);
        let activated = programme.event("applications", lyon.wave.name(), Programme::activated_payload(&[&lyon]));
        assert_eq!(programme.deliver(vec![activated.clone()]).await, [Outcome::Parked]);
        let grant = programme.event("applications", lyon.application.name(), Programme::granted_payload(&lyon));
        assert_eq!(programme.deliver(vec![grant.clone(), grant]).await, [Outcome::Applied, Outcome::Applied]);
        assert_eq!(programme.deliver(vec![activated]).await, [Outcome::Applied]);
        assert_eq!(programme.live(&lyon).await.len(), 1);
        assert_eq!(programme.figures().await.introductions, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_wave_waits_for_what_completes_the_records_that_it_serves() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.register("person", VILLEURBANNE).await;
        let lyon = granted("Lyon", LYON, 1);
        let Payload::PostsGranted(mut incomplete) = Programme::granted_payload(&lyon) else { unreachable!() };
        (incomplete.ready, incomplete.structure_kind) = (false, String::new());
        programme.tell("applications", lyon.application.name(), Payload::PostsGranted(incomplete)).await;
        let activated = programme.event("applications", lyon.wave.name(), Programme::activated_payload(&[&lyon]));
        assert_eq!(programme.deliver(vec![activated]).await, [Outcome::Parked]);
        assert_eq!(programme.figures().await.introductions, 0);
        programme.grant(&lyon).await;
        assert_eq!(programme.live(&lyon).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_an_erasure_waits_for_nothing_that_is_parked_of_the_person() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 1).await;
        let kept = programme.live(&lyon).await.remove(0).candidate;
        let unheard = crate::scene::id::<conum_kernel::entities::Candidate>("unheard").name();
        let merge = CandidateMerged { candidate: kept.clone(), merged: unheard };
        let merge = programme.event("candidates", kept.clone(), Payload::CandidateMerged(merge));
        assert_eq!(programme.deliver(vec![merge]).await, [Outcome::Parked]);
        let erased = CandidateErased { candidate: kept.clone() };
        programme.tell("candidates", kept, Payload::CandidateErased(erased)).await;
        assert!(programme.live(&lyon).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_a_change_that_makes_a_pair_impossible_closes_it_and_brings_the_next() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 4).await;
        let first = programme.live(&lyon).await.remove(0);
        let facts = conum_proto::events::v1::CandidateFacts { max_km: 5, ..Programme::facts(LILLE) };
        let changed = CandidateChanged { candidate: first.candidate.clone(), facts: Some(facts) };
        programme.tell("candidates", first.candidate.clone(), Payload::CandidateChanged(changed)).await;
        let live = programme.live(&lyon).await;
        assert_eq!(live.len(), 3);
        assert!(live.iter().all(|introduction| introduction.candidate != first.candidate));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_who_leaves_is_replaced_everywhere() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 4).await;
        let first = programme.live(&lyon).await.remove(0);
        let left = Payload::CandidateLeft(CandidateLeft { candidate: first.candidate.clone() });
        programme.tell("candidates", first.candidate.clone(), left).await;
        let live = programme.live(&lyon).await;
        assert_eq!(live.len(), 3);
        assert!(live.iter().any(|introduction| introduction.replaces == first.name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_a_merge_unites_the_pairs_and_closes_what_is_beyond_the_limit() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 3).await;
        let live = programme.live(&lyon).await;
        let (kept, merged) = (live[0].candidate.clone(), live[1].candidate.clone());
        let event = Payload::CandidateMerged(CandidateMerged { candidate: kept.clone(), merged: merged.clone() });
        programme.tell("candidates", kept.clone(), event).await;
        let live = programme.live(&lyon).await;
        assert_eq!(live.iter().filter(|introduction| introduction.candidate == kept).count(), 1);
        assert!(live.iter().all(|introduction| introduction.candidate != merged));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_who_was_introduced_under_an_earlier_registration_is_not_introduced_again() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 1).await;
        let first = programme.live(&lyon).await.remove(0);
        programme.decline(&lyon.caller(), &first.name, "").await.unwrap();
        let mut person = first.candidate;
        for name in ["second", "third"] {
            let kept = programme.register(name, LILLE).await.name();
            let event = CandidateMerged { candidate: kept.clone(), merged: person };
            programme.tell("candidates", kept.clone(), Payload::CandidateMerged(event)).await;
            person = kept;
        }
        let moved = CandidateChanged { candidate: person.clone(), facts: Some(Programme::facts(VILLEURBANNE)) };
        programme.tell("candidates", person, Payload::CandidateChanged(moved)).await;
        assert!(programme.live(&lyon).await.is_empty());
        // The structure waits all the same, for somebody new.
        programme.register("somebody else", VILLEURBANNE).await;
        assert_eq!(programme.live(&lyon).await.len(), 1);
        assert_eq!(programme.list(&lyon.caller(), false).await.len(), 2);
    }
}

async fn merge(programme: &Programme, kept: &str, merged: &str) {
    let event = CandidateMerged { candidate: kept.into(), merged: merged.into() };
    programme.tell("candidates", kept.into(), Payload::CandidateMerged(event)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_a_merge_closes_what_is_not_answered_where_the_person_was_introduced_before() {
    for backend in backends() {
        for interested in [false, true] {
            let (programme, lyon) = lyon_with(&backend, 1).await;
            let first = programme.live(&lyon).await.remove(0);
            programme.decline(&lyon.caller(), &first.name, "").await.unwrap();
            let second = programme.register("again", VILLEURBANNE).await.name();
            let again = programme.live(&lyon).await.remove(0);
            assert_eq!(again.candidate, second);
            if interested {
                programme.accept(&lyon.caller(), &again.name).await.unwrap();
            }
            merge(&programme, &first.candidate, &second).await;
            // Who is met already is not taken away.
            let live = programme.live(&lyon).await;
            let left: Vec<_> = live.iter().map(|introduction| introduction.candidate.as_str()).collect();
            assert_eq!(left, if interested { vec![first.candidate.as_str()] } else { vec![] });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_a_merge_closes_what_is_not_possible_for_the_registration_that_stays() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 1).await;
        let merged = programme.live(&lyon).await.remove(0).candidate;
        let kept = programme.register("kept", LILLE).await.name();
        merge(&programme, &kept, &merged).await;
        assert!(programme.live(&lyon).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c06_a_merge_with_somebody_under_contract_ends_every_introduction() {
    for backend in backends() {
        for signed_is_kept in [true, false] {
            let (programme, lyon) = lyon_with(&backend, 2).await;
            let live = programme.live(&lyon).await;
            let (signed, other) = (&live[0].candidate, &live[1].candidate);
            let selected = programme.select(&lyon, 0, signed).await.unwrap();
            programme.sign(&lyon, &selected.name, crate::scene::contract()).await.unwrap();
            assert_eq!(programme.live(&lyon).await.len(), 1, "one post is vacant still");
            let (kept, merged) = if signed_is_kept { (signed, other) } else { (other, signed) };
            merge(&programme, kept, merged).await;
            assert!(programme.live(&lyon).await.is_empty());
            assert_eq!(programme.adviser_state(kept).await, adviser::State::Signed);
        }
    }
}

/// Somebody whom no command brought: as if both had run at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn m02_a_structure_that_goes_short_while_others_write_is_looked_at_once_more() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 0).await;
        assert!(programme.live(&lyon).await.is_empty());
        programme.scene.settle().await;
        let host = &programme.scene.cluster.service(MATCHING).unwrap().host;
        let commune = conum_geo::commune(VILLEURBANNE).unwrap();
        let candidate = conum_matching::domain::candidate::Candidate {
            id: crate::scene::id("unseen"),
            registered_at: host.clock().now(),
            commune: commune.code.into(),
            place: commune.place,
            department: commune.department.into(),
            territory: commune.territory(),
            reach: conum_matching::domain::candidate::Reach::Within(20),
            available_from: host.clock().moment().today,
            wished_departments: vec![],
            wished_sectors: vec![],
            offers: vec![],
            eligible: true,
            job_seeker_since: None,
        };
        let today = host.clock().moment().today;
        let write = host.store().write(move |tx| {
            let candidate = candidate.clone();
            Box::pin(async move { conum_matching::storage::candidates::upsert(tx, &candidate, today).await })
        });
        write.await.unwrap();
        programme.scene.days_pass(1).await;
        // SQLite's commands come one after the other: there, nobody is unseen.
        let served = usize::from(!matches!(backend, conum_testkit::Backend::Sqlite));
        assert_eq!(programme.live(&lyon).await.len(), served);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_wave_and_a_grant_of_it_that_come_at_one_moment_find_each_other() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        limits(&programme, "1", "20").await;
        programme.register("person", LYON).await;
        for round in 0..20 {
            let lyon = granted(&format!("structure {round}"), LYON, 1);
            let (wave, application) = (lyon.wave.name(), lyon.application.name());
            let activated = programme.event("applications", wave, Programme::activated_payload(&[&lyon]));
            let grant = programme.event("applications", application, Programme::granted_payload(&lyon));
            tokio::join!(programme.deliver(vec![activated]), programme.deliver(vec![grant]));
            assert_eq!(programme.live(&lyon).await.len(), 1, "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_parties_see_and_answer_an_introduction() {
    for backend in backends() {
        let (programme, lyon) = lyon_with(&backend, 3).await;
        let first = programme.live(&lyon).await.remove(0);
        let stranger = granted("stranger", LYON, 1).caller();
        for caller in [stranger, callers::link("introductions/other"), callers::candidate("candidates/other")] {
            let refused = programme.decline(&caller, &first.name, "").await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{caller:?}");
        }
        let refused = programme.decline(&callers::anonymous(), &first.name, "").await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
        assert!(programme.decline(&callers::link(&first.name), &first.name, "").await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m05_a_structure_that_has_someone_in_mind_is_introduced_all_the_same_and_may_select_that_person() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let in_mind = programme.register("in mind", "59350").await;
        for name in ["a", "b", "c"] {
            programme.register(name, VILLEURBANNE).await;
        }
        let lyon = granted("Lyon", LYON, 1);
        let Payload::PostsGranted(told) = Programme::granted_payload(&lyon) else { panic!("another event") };
        let told = conum_proto::events::v1::PostsGranted { candidate_found: true, ..told };
        programme.tell("applications", lyon.application.name(), Payload::PostsGranted(told)).await;
        programme.activate(&[&lyon]).await;
        assert_eq!(programme.live(&lyon).await.len(), 3);
        // A11: that person has registered, far away, and was not introduced.
        assert!(programme.select(&lyon, 0, &in_mind.name()).await.is_ok());
    }
}

/// Live introductions of a structure and of a candidate at most.
async fn limits(programme: &Programme, of_structure: &str, of_candidate: &str) {
    for (key, value) in [("live-per-structure", of_structure), ("live-per-candidate", of_candidate)] {
        programme.scene.set_policy(MATCHING, key, value).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_more_live_introductions_are_brought_from_the_day_they_are_allowed() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        limits(&programme, "1", "1").await;
        let [one, two] = ["one", "two"].map(|name| granted(name, LYON, 1));
        for name in ["first", "second"] {
            programme.register(name, LYON).await;
        }
        for structure in [&one, &two] {
            programme.grant(structure).await;
            programme.activate(&[structure]).await;
        }
        let count = async || {
            programme.scene.settle().await;
            [programme.live(&one).await.len(), programme.live(&two).await.len()]
        };
        assert_eq!(count().await, [1, 1]);
        // More for each structure, and nobody with room.
        limits(&programme, "2", "1").await;
        assert_eq!(count().await, [1, 1]);
        assert_eq!(
            [programme.notices(&one).await.len(), programme.notices(&two).await.len()],
            [1, 1],
            "both are short"
        );
        limits(&programme, "2", "2").await;
        assert_eq!(count().await, [2, 2]);
        // Less ends nothing.
        limits(&programme, "1", "1").await;
        assert_eq!(count().await, [2, 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_what_expires_at_once_is_replaced_by_the_nearest_of_all_who_are_free_then() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        limits(&programme, "1", "1").await;
        let (one, two) = (granted("one", LYON, 1), granted("two", LYON, 1));
        let mut near = Vec::new();
        for structure in [&one, &two] {
            near.push(programme.register(structure.structure.name().as_str(), LYON).await.name());
            programme.grant(structure).await;
            programme.activate(&[structure]).await;
        }
        programme.register("far", VILLEURBANNE).await;
        programme.scene.days_pass(22).await;
        for (structure, of_the_other) in [(&one, &near[1]), (&two, &near[0])] {
            let live = programme.live(structure).await;
            assert_eq!(live.iter().map(|introduction| &introduction.candidate).collect::<Vec<_>>(), [of_the_other]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_of_those_who_are_freed_at_once_the_nearest_goes_to_whoever_waits() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        limits(&programme, "2", "1").await;
        let villeurbanne = granted("villeurbanne", VILLEURBANNE, 1);
        programme.grant(&villeurbanne).await;
        programme.register("far", VILLEURBANNE).await;
        programme.activate(&[&villeurbanne]).await;
        programme.scene.days_pass(1).await;
        let near = programme.register("near", LYON).await;
        assert_eq!(programme.live(&villeurbanne).await.len(), 2);
        programme.scene.set_policy(MATCHING, "live-per-structure", "1").await.unwrap();
        let lyon = granted("lyon", LYON, 1);
        programme.grant(&lyon).await;
        programme.activate(&[&lyon]).await;
        assert!(programme.live(&lyon).await.is_empty());
        let (application, structure) = (villeurbanne.application.name(), villeurbanne.structure.name());
        let back = PostsReturned { application: application.clone(), structure, posts: vec![villeurbanne.post(0)] };
        programme.tell("applications", application, Payload::PostsReturned(back)).await;
        let live = programme.live(&lyon).await;
        assert_eq!(live.iter().map(|introduction| introduction.candidate.clone()).collect::<Vec<_>>(), [near.name()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_who_comes_after_a_departure_goes_to_the_structure_that_is_wished() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        limits(&programme, "1", "2").await;
        let facts = |wished: &str| conum_proto::events::v1::CandidateFacts {
            anywhere: true,
            wished_departments: vec![wished.to_owned()],
            ..Programme::facts(LYON)
        };
        let leaving = programme.register_as("leaving", facts("69")).await;
        let (lyon, grenoble) = (granted("lyon", LYON, 1), granted("grenoble", "38185", 1));
        for structure in [&lyon, &grenoble] {
            programme.grant(structure).await;
            programme.activate(&[structure]).await;
            assert_eq!(programme.live(structure).await.len(), 1);
            programme.scene.days_pass(1).await;
        }
        limits(&programme, "1", "1").await;
        let next = programme.register_as("next", facts("38")).await;
        let left = Payload::CandidateLeft(CandidateLeft { candidate: leaving.name() });
        programme.tell("candidates", leaving.name(), left).await;
        assert!(programme.live(&lyon).await.is_empty());
        assert_eq!(programme.live(&grenoble).await[0].candidate, next.name());
    }
}
