//! What structures are written when matching tells something, on every database (M02–M04, M07).

use crate::scene::{Programme, day};
use conum_kernel::{Ids, IntroductionId};
use conum_proto::{
    applications::v1::ListApplicationHistoryRequest,
    events::v1::{
        CandidateIntroduced, CandidatesShort, ContractSigned, IntroductionClosed, IntroductionReminded, SignatureLate,
        event::Payload,
    },
};
use conum_service::wire;
use conum_testkit::{backends, callers};

fn introduction(key: &str) -> IntroductionId {
    Ids::seeded(1).mint("2020-12-01T00:00:00Z".parse().unwrap(), key)
}

#[expect(clippy::unnecessary_wraps, reason = "as messages hold an instant")]
fn expiry() -> Option<prost_types::Timestamp> {
    Some(wire::from_timestamp("2020-12-22T23:00:00Z".parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_an_introduction_is_mailed_with_two_buttons_and_without_a_name() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 1, &wave).await;
        let introduced = |key: &str, replaces: &str, distance_m| {
            Payload::CandidateIntroduced(CandidateIntroduced {
                introduction: introduction(key).name(),
                structure: application.structure.clone(),
                application: application.name.clone(),
                candidate: "candidates/cand_01760000000070008000000000000001".into(),
                replaces: replaces.into(),
                distance_m,
                expires_at: expiry(),
            })
        };
        programme.tell(introduced("first", "", 12_300)).await;
        programme.tell(introduced("second", &introduction("first").name(), 0)).await;
        programme.scene.settle().await;

        let page = format!("/{}?t=", introduction("first").name());
        let letter = programme.letter(&page);
        assert!(letter.contains("à environ 12 km de chez vous") && letter.contains("22 décembre 2020"), "{letter}");
        assert!(letter.contains("Pas intéressé") && letter.contains("&a=oui") && letter.contains("&a=non"));
        assert!(!letter.contains("cand_"));
        let other = programme.letter(&format!("/{}?t=", introduction("second").name()));
        assert!(other.contains("de votre commune") && other.contains("Une place s'est libérée"), "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_m04_m07_reminders_ends_shortages_and_delays_are_mailed() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 1, &wave).await;
        programme.scene.settle().await;
        let (structure, name) = (application.structure.clone(), application.name.clone());
        let closed = |reason: &str| {
            Payload::IntroductionClosed(IntroductionClosed {
                introduction: introduction("one").name(),
                structure: structure.clone(),
                application: name.clone(),
                candidate: String::new(),
                reason: reason.into(),
            })
        };
        let before = programme.letters().len();
        for silent in ["expired", "recruited", "posts_filled", "withdrawn", "merged"] {
            programme.tell(closed(silent)).await;
        }
        programme.scene.settle().await;
        assert_eq!(programme.letters().len(), before, "the structure knows of these");

        programme.tell(closed("candidate_recruited")).await;
        let reminded = IntroductionReminded {
            introduction: introduction("two").name(),
            structure: structure.clone(),
            application: name.clone(),
            candidate: String::new(),
            expires_at: expiry(),
        };
        programme.tell(Payload::IntroductionReminded(reminded)).await;
        let short = CandidatesShort { structure: structure.clone(), application: name.clone(), live: 1 };
        programme.tell(Payload::CandidatesShort(short)).await;
        let late =
            SignatureLate { structure: structure.clone(), application: name.clone(), launched_on: day(2020, 12, 1) };
        programme.tell(Payload::SignatureLate(late)).await;
        programme.scene.settle().await;
        programme.letter("a été recrutée par une autre structure");
        assert!(programme.letter("votre réponse manque encore").contains("&a=oui"));
        programme.letter("bulletin municipal");
        programme.letter("lancé le 1er décembre 2020");
        assert_eq!(programme.letters().len(), before + 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_contract_stands_in_the_history() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 1, &wave).await;
        let signed = ContractSigned {
            structure: application.structure.clone(),
            application: application.name.clone(),
            post: application.posts[0].name.clone(),
            ..ContractSigned::default()
        };
        programme.tell(Payload::ContractSigned(signed)).await;
        let message = ListApplicationHistoryRequest { parent: application.name.clone(), ..Default::default() };
        let request = programme.signed(&callers::agency(), message).await;
        let history = programme.applications().list_application_history(request).await.unwrap().into_inner();
        let last = history.entries.last().unwrap();
        assert_eq!((last.action.as_str(), last.to_state.as_str()), ("SIGN_CONTRACT", "GRANTED"));
    }
}
