//! What structures are written when training and finance tell something, on every database (T01–T03, F02–F04, F07, F09).

use crate::scene::{Programme, day, siret};
use conum_kernel::{Ids, id::Entity};
use conum_proto::{
    applications::v1::{
        Application, HistoryEntry, ListApplicationHistoryRequest, RecordPastGrantRequest, Structure, StructureKind,
    },
    events::v1::{
        ClaimRaised, ConventionSigned, FollowUpRequested, GrantEnding, GrantSuspended, InstalmentHeld, InstalmentPaid,
        Outcome, TrainingCompleted, TrainingPlanned, TrainingUnplanned, event::Payload,
    },
};
use conum_testkit::{backends, callers};

fn name<T: Entity>() -> String {
    Ids::seeded(1).mint::<T>("2020-12-01T00:00:00Z".parse().unwrap(), "told").name()
}

async fn history(programme: &Programme, application: &str) -> Vec<HistoryEntry> {
    let message = ListApplicationHistoryRequest { parent: application.into(), ..Default::default() };
    let request = programme.signed(&callers::agency(), message).await;
    programme.applications().list_application_history(request).await.unwrap().into_inner().entries
}

fn planned(of: &Application) -> Payload {
    Payload::TrainingPlanned(TrainingPlanned {
        training: name::<conum_kernel::entities::Training>(),
        candidate: "candidates/cand_01760000000070008000000000000001".into(),
        application: of.name.clone(),
        hours: 105,
        starts_on: day(2021, 2, 1),
        ends_on: day(2021, 2, 19),
        ..TrainingPlanned::default()
    })
}

fn signed(of: &Application, amendment: i32) -> Payload {
    Payload::ConventionSigned(ConventionSigned {
        convention: name::<conum_kernel::entities::Convention>(),
        structure: of.structure.clone(),
        application: of.name.clone(),
        amendment,
        posts: of.posts.iter().map(|post| post.name.clone()).collect(),
        granted_cents: 10_000_000,
        signed_on: day(2021, 1, 4),
    })
}

fn held(of: &Application, reason: &str) -> Payload {
    Payload::InstalmentHeld(InstalmentHeld {
        convention: name::<conum_kernel::entities::Convention>(),
        structure: of.structure.clone(),
        application: of.name.clone(),
        post: of.posts[0].name.clone(),
        instalment: name::<conum_kernel::entities::Instalment>(),
        reason: reason.into(),
    })
}

/// One event of each kind, with the fact and the mail that it makes, and something that the letter says.
fn each(of: &Application) -> Vec<(Payload, &'static str, &'static str, &'static str)> {
    let (application, structure, post) = (of.name.clone(), of.structure.clone(), of.posts[0].name.clone());
    let convention = name::<conum_kernel::entities::Convention>();
    let completed = TrainingCompleted {
        training: name::<conum_kernel::entities::Training>(),
        application: application.clone(),
        hours: 105,
        completed_on: day(2021, 3, 1),
        ..TrainingCompleted::default()
    };
    let paid = InstalmentPaid {
        convention: convention.clone(),
        structure: structure.clone(),
        application: application.clone(),
        post: post.clone(),
        instalment: name::<conum_kernel::entities::Instalment>(),
        number: 2,
        amount_cents: 1_500_050,
        paid_on: day(2021, 7, 5),
    };
    let suspended = GrantSuspended {
        convention: convention.clone(),
        structure: structure.clone(),
        application: application.clone(),
        reason: "breach".into(),
    };
    let claim = ClaimRaised {
        claim: name::<conum_kernel::entities::Claim>(),
        convention: convention.clone(),
        structure: structure.clone(),
        application: application.clone(),
        post: post.clone(),
        amount_cents: 1_000_000,
    };
    let ending = GrantEnding {
        convention: convention.clone(),
        structure: structure.clone(),
        application: application.clone(),
        post,
        last_day: day(2023, 1, 3),
        months_left: 3,
    };
    let follow_up = FollowUpRequested {
        follow_up: name::<conum_kernel::entities::FollowUp>(),
        convention,
        structure,
        application,
        due_on: day(2021, 9, 30),
    };
    vec![
        (planned(of), "PLAN_TRAINING", "training_planned", "va du 1er février 2021 au 19 février 2021"),
        (Payload::TrainingCompleted(completed), "COMPLETE_TRAINING", "training_completed", "depuis le 1er mars 2021"),
        (signed(of, 0), "SIGN_CONVENTION", "convention_signed", "100\u{202f}000\u{a0}€ pour 2 postes"),
        (signed(of, 1), "SIGN_AMENDMENT", "amendment_signed", "L'avenant n° 1 à la convention"),
        (held(of, "documents_missing"), "HOLD_INSTALMENT", "instalment_held", "Il manque des pièces validées"),
        (
            Payload::InstalmentPaid(paid),
            "PAY_INSTALMENT",
            "instalment_paid",
            "Le versement n° 2 pour l'un des postes de Commune n° 1 est payé : 15\u{202f}000,50\u{a0}€, le 5 juillet 2021",
        ),
        (Payload::GrantSuspended(suspended), "SUSPEND_GRANT", "grant_suspended", "a suspendu les versements"),
        (Payload::ClaimRaised(claim), "RAISE_CLAIM", "claim_raised", "le remboursement de 10\u{202f}000\u{a0}€"),
        (
            Payload::GrantEnding(ending),
            "ANNOUNCE_GRANT_END",
            "grant_ending",
            "prend fin dans 3 mois : son dernier jour est le 3 janvier 2023",
        ),
        (
            Payload::FollowUpRequested(follow_up),
            "REQUEST_FOLLOW_UP",
            "follow_up_requested",
            "au plus tard le 30 septembre 2021",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_what_happens_to_training_and_money_is_mailed_and_noted_once_however_often_it_comes() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 2, &wave).await;
        for (payload, action, kind, says) in each(&application) {
            let mails = programme.mails(&application.name).await.len();
            let event = programme.event(payload);
            for _ in 0..3 {
                assert_eq!(programme.send(event.clone()).await, Outcome::Applied, "{kind}");
            }
            let history = history(&programme, &application.name).await;
            let facts: Vec<_> = history.iter().filter(|entry| entry.action == action).collect();
            assert_eq!((facts.len(), facts[0].to_state.as_str()), (1, "GRANTED"), "{action}");
            assert!(!facts[0].why.is_empty() && !facts[0].why.contains(' '), "{action}");
            assert_eq!(programme.mails(&application.name).await.len(), mails + 1, "{kind}");
            assert!(programme.mail_kinds(&application.name).await.contains(&kind.to_owned()), "{kind}");

            programme.scene.settle().await;
            let letter = programme.letter(says);
            assert!(letter.contains("Bonjour Ada Lovelace,") && !letter.contains("cand_"), "{letter}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t02_each_change_of_a_plan_is_a_letter_of_its_own() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 1, &wave).await;
        let Payload::TrainingPlanned(plan) = planned(&application) else { unreachable!() };
        let unplanned = plan.clone();
        programme.tell(Payload::TrainingPlanned(plan.clone())).await;
        let continuing = TrainingPlanned { starts_on: None, ends_on: None, ..plan.clone() };
        programme.tell(Payload::TrainingPlanned(continuing)).await;
        programme.tell(Payload::TrainingPlanned(TrainingPlanned { ends_on: plan.starts_on, ..plan })).await;
        let TrainingPlanned { training, application: of, .. } = unplanned;
        let unplanned = TrainingUnplanned { training, application: of, ..TrainingUnplanned::default() };
        programme.tell(Payload::TrainingUnplanned(unplanned)).await;
        programme.scene.settle().await;
        let kinds = programme.mail_kinds(&application.name).await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "training_planned").count(), 3);
        programme.letter("D'autres jours vous seront annoncés");
        programme.letter("Toute la formation est continue");
        programme.letter("a lieu le 1er février 2021");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_a_held_instalment_says_why_and_what_to_do_and_an_unknown_reason_is_refused() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let wave = programme.wave().await;
        let application = programme.granted(1, 1, &wave).await;
        for (reason, says) in [
            ("documents_missing", "Déposez dans votre espace celles qui manquent"),
            ("suspended", "dès que la suspension est levée"),
            ("no_contract", "Enregistrez le contrat signé"),
            ("report_late", "Transmettez-les depuis votre espace"),
            ("ending_unsettled", "Déposez les justificatifs"),
            ("no_bank_account", "Enregistrez vos coordonnées bancaires"),
            ("file_incomplete", "Complétez votre dossier"),
        ] {
            programme.tell(held(&application, reason)).await;
            programme.scene.settle().await;
            let letter = programme.letter(says);
            assert!(letter.contains("Un versement pour le poste de Commune n° 1 est arrivé à échéance"), "{letter}");
            assert_eq!(history(&programme, &application.name).await.last().unwrap().why, reason);
        }
        assert_eq!(programme.deliver(held(&application, "bored")).await, Outcome::Refused);
        let bad = GrantEnding { months_left: -1, ..GrantEnding::default() };
        assert_eq!(programme.deliver(Payload::GrantEnding(bad)).await, Outcome::Refused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_nobody_is_written_to_for_a_record_of_the_past_without_a_contact() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let profile = Structure {
            registration_number: siret(1),
            legal_name: "Structure 1".into(),
            kind: StructureKind::Public.into(),
            commune: crate::scene::COMMUNE.into(),
            ..Structure::default()
        };
        let line = RecordPastGrantRequest {
            profile: Some(profile),
            posts: 2,
            committee_date: day(2020, 11, 20),
            source_id: "file/1".into(),
            request_id: String::new(),
        };
        let application = programme.record(line).await.unwrap().application.unwrap();
        for (payload, action, ..) in each(&application) {
            programme.tell(payload).await;
            assert_eq!(history(&programme, &application.name).await.last().unwrap().action, action);
        }
        assert!(programme.mails(&application.name).await.is_empty());
    }
}
