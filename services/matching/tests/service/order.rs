//! The order in which people are introduced: its weights, the share that is kept, and the days that make pairs possible
//! (M01).

use conum_proto::{
    events::v1::{CandidateFacts, EventNeed, PostDateSettled, PostsGranted, event::Payload},
    google::r#type::LatLng,
    matching::v1::Introduction,
};
use conum_testkit::backends;

use crate::scene::{Granted, MATCHING, Programme, day, granted};

const LYON: &str = "69123";
const VILLEURBANNE: &str = "69266";
const GRENOBLE: &str = "38185";

fn named(live: &[Introduction]) -> Vec<&str> {
    live.iter().map(|introduction| introduction.candidate.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_a_wish_outweighs_distance_from_the_day_the_agency_says_so() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.scene.set_policy(MATCHING, "live-per-structure", "1").await.unwrap();
        let (first, second) = (granted("first", LYON, 1), granted("second", LYON, 1));
        for structure in [&first, &second] {
            programme.grant(structure).await;
        }
        let near = programme.register("near", LYON).await;
        let wishing = CandidateFacts { wished_kinds: vec!["public".into()], ..Programme::facts(VILLEURBANNE) };
        let wishing = programme.register_as("wishing", wishing).await;
        programme.activate(&[&first]).await;
        assert_eq!(named(&programme.live(&first).await), [near.name()]);
        programme.scene.set_policy(MATCHING, "order-wish-metres", "20000").await.unwrap();
        programme.activate(&[&second]).await;
        let live = programme.live(&second).await;
        assert_eq!(named(&live), [wishing.name()]);
        let reasons = live[0].reasons.as_ref().unwrap();
        assert_eq!((reasons.choice, reasons.choices, reasons.preference), (1, 2, 1));
        assert!(reasons.sentence.ends_with(
            "1er sur 2 pour la structure ; la structure est 1re pour cette personne parmi celles de la vague"
        ));
        // The same order decides who comes after a decline.
        let name = &programme.live(&first).await[0].name;
        programme.decline(&first.caller(), name, "").await.unwrap();
        assert_eq!(named(&programme.live(&first).await), [wishing.name()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_an_inhabitant_of_its_commune_is_near_a_structure_wherever_it_is() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.scene.set_policy(MATCHING, "live-per-structure", "1").await.unwrap();
        let lyon = granted("lyon", LYON, 1);
        let Payload::PostsGranted(mut told) = Programme::granted_payload(&lyon) else { unreachable!() };
        // In Lyon, beside the centre of Villeurbanne.
        let villeurbanne = conum_geo::commune(VILLEURBANNE).unwrap().place.unwrap();
        told.location = Some(LatLng { latitude: villeurbanne.lat() + 0.01, longitude: villeurbanne.lon() });
        programme.tell("applications", lyon.application.name(), Payload::PostsGranted(told)).await;
        programme.register("near", VILLEURBANNE).await;
        let [first, second] = [programme.register("first", LYON).await, programme.register("second", LYON).await];
        programme.activate(&[&lyon]).await;
        let live = programme.live(&lyon).await;
        assert_eq!((live[0].reasons.as_ref().unwrap().distance_m, live.len()), (0, 1));
        let next = if live[0].candidate == first.name() { second } else { first };
        programme.decline(&lyon.caller(), &live[0].name, "").await.unwrap();
        assert_eq!(named(&programme.live(&lyon).await), [next.name()]);
        assert!(programme.notices(&lyon).await.is_empty());
    }
}

/// Lyon as it is told, with a compulsory need, and beside the centre of Villeurbanne.
fn asking_for_a_licence(lyon: &Granted) -> PostsGranted {
    let Payload::PostsGranted(told) = Programme::granted_payload(lyon) else { unreachable!() };
    let villeurbanne = conum_geo::commune(VILLEURBANNE).unwrap().place.unwrap();
    PostsGranted {
        location: Some(LatLng { latitude: villeurbanne.lat() + 0.01, longitude: villeurbanne.lon() }),
        needs: vec![EventNeed { need: "driving_licence".into(), compulsory: true }],
        ..told
    }
}

fn with_a_licence(code: &str) -> CandidateFacts {
    CandidateFacts { offers: vec!["driving_licence".into()], ..Programme::facts(code) }
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_of_many_inhabitants_the_one_who_is_possible_comes_before_a_neighbour() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.scene.set_policy(MATCHING, "live-per-structure", "1").await.unwrap();
        let lyon = granted("lyon", LYON, 1);
        let told = asking_for_a_licence(&lyon);
        programme.tell("applications", lyon.application.name(), Payload::PostsGranted(told)).await;
        let first = programme.register_as("first", with_a_licence(LYON)).await;
        for number in 0..6 {
            programme.register(&format!("without {number}"), LYON).await;
        }
        programme.activate(&[&lyon]).await;
        let live = programme.live(&lyon).await;
        assert_eq!(named(&live), [first.name()]);
        programme.register_as("neighbour", with_a_licence(VILLEURBANNE)).await;
        let later = prost_types::Timestamp { seconds: 1_606_000_001, nanos: 0 };
        let inhabitant = CandidateFacts { registered_at: Some(later), ..with_a_licence(LYON) };
        let inhabitant = programme.register_as("inhabitant", inhabitant).await;
        programme.decline(&lyon.caller(), &live[0].name, "").await.unwrap();
        assert_eq!(named(&programme.live(&lyon).await), [inhabitant.name()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_what_is_told_of_a_structure_again_brings_those_who_have_become_possible() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let lyon = granted("lyon", LYON, 1);
        let told = asking_for_a_licence(&lyon);
        programme.tell("applications", lyon.application.name(), Payload::PostsGranted(told.clone())).await;
        let person = programme.register("person", VILLEURBANNE).await;
        programme.activate(&[&lyon]).await;
        assert!(programme.live(&lyon).await.is_empty());
        let corrected = PostsGranted { needs: vec![], ..told };
        programme.tell("applications", lyon.application.name(), Payload::PostsGranted(corrected)).await;
        assert_eq!(named(&programme.live(&lyon).await), [person.name()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c04_who_goes_further_than_any_ring_is_found_between_waves() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let grenoble = granted("grenoble", GRENOBLE, 1);
        programme.grant(&grenoble).await;
        programme.activate(&[&grenoble]).await;
        // Some 240 km from Grenoble.
        let far = |max_km| CandidateFacts { max_km, ..Programme::facts("13055") };
        programme.register_as("not so far", far(150)).await;
        assert!(programme.live(&grenoble).await.is_empty());
        let second = granted("second", GRENOBLE, 1);
        let far = programme.register_as("far", far(300)).await;
        assert_eq!(named(&programme.live(&grenoble).await), [far.name()], "the structure waits for whoever comes");
        programme.grant(&second).await;
        programme.activate(&[&second]).await;
        let live = programme.live(&second).await;
        assert_eq!(named(&live), [far.name()], "by a wave");
        let another = CandidateFacts { max_km: 50_000, ..Programme::facts("13055") };
        let another = programme.register_as("another", another).await;
        programme.decline(&second.caller(), &live[0].name, "").await.unwrap();
        assert_eq!(named(&programme.live(&second).await), [another.name()], "between waves");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_a_share_is_kept_for_long_unemployment_over_waves_and_replacements() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.scene.set_policy(MATCHING, "reserved-share-percent", "50").await.unwrap();
        let lyon = granted("lyon", LYON, 1);
        programme.grant(&lyon).await;
        for number in 0..8 {
            programme.register(&format!("near-{number}"), LYON).await;
        }
        let mut seekers = Vec::new();
        for number in 0..3 {
            let facts = CandidateFacts { job_seeker_since: day(2019, 1, 1), ..Programme::facts(VILLEURBANNE) };
            seekers.push(programme.register_as(&format!("seeker-{number}"), facts).await.name());
        }
        programme.activate(&[&lyon]).await;
        let mut called = 0;
        let mut all = programme.live(&lyon).await;
        while all.len() < 6 {
            let live = programme.live(&lyon).await;
            programme.decline(&lyon.caller(), &live[0].name, "").await.unwrap();
            all = programme.list(&lyon.caller(), false).await;
            all.sort_by_key(|introduction| introduction.name.clone());
        }
        for introduction in &all {
            called += usize::from(seekers.contains(&introduction.candidate));
        }
        assert_eq!((all.len(), called), (6, 3), "half of the first six");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_who_becomes_available_comes_on_that_day() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let lyon = granted("lyon", LYON, 1);
        programme.grant(&lyon).await;
        // The post's date is 1 March.
        let later = CandidateFacts { available_from: day(2021, 3, 15), ..Programme::facts(LYON) };
        let later = programme.register_as("later", later).await;
        programme.activate(&[&lyon]).await;
        // 1 December and 103 days are 14 March.
        programme.scene.days_pass(103).await;
        assert!(programme.live(&lyon).await.is_empty());
        programme.scene.days_pass(1).await;
        assert_eq!(named(&programme.live(&lyon).await), [later.name()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_a_later_date_of_a_post_makes_more_people_possible() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let grenoble = granted("grenoble", GRENOBLE, 1);
        programme.grant(&grenoble).await;
        let later = CandidateFacts { available_from: day(2021, 3, 15), ..Programme::facts(GRENOBLE) };
        let later = programme.register_as("later", later).await;
        programme.activate(&[&grenoble]).await;
        assert!(programme.live(&grenoble).await.is_empty());
        let settled = PostDateSettled {
            application: grenoble.application.name(),
            post: grenoble.post(0),
            start_date: day(2021, 4, 1),
        };
        programme.tell("applications", grenoble.application.name(), Payload::PostDateSettled(settled)).await;
        assert_eq!(named(&programme.live(&grenoble).await), [later.name()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_a_selection_on_the_earlier_post_makes_more_people_possible_for_the_later_one() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let lyon = granted("lyon", LYON, 2);
        let Payload::PostsGranted(mut told) = Programme::granted_payload(&lyon) else { unreachable!() };
        told.posts[1].start_date = day(2021, 4, 1);
        programme.tell("applications", lyon.application.name(), Payload::PostsGranted(told)).await;
        let early = programme.register("early", LYON).await;
        let later = CandidateFacts { available_from: day(2021, 3, 15), ..Programme::facts(LYON) };
        let later = programme.register_as("later", later).await;
        programme.activate(&[&lyon]).await;
        assert_eq!(named(&programme.live(&lyon).await), [early.name()], "the earliest free post begins on 1 March");
        programme.select(&lyon, 0, &early.name()).await.unwrap();
        let live = programme.live(&lyon).await;
        assert_eq!(live.len(), 2);
        assert!(named(&live).contains(&later.name().as_str()));
    }
}
