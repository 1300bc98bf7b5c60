//! Grants of the past through the running service, on every database: recorded once, merged, completed.

use crate::scene::{Programme, day, siret};
use conum_proto::{
    applications::v1::{
        Application, ListWavesRequest, RecordPastGrantRequest, Structure, StructureKind, application::State,
        record_past_grant_response::Outcome, wave,
    },
    events::v1::event::Payload,
};
use conum_service::status;
use conum_testkit::{backends, callers};

fn line(source: &str, number: u32, posts: i32) -> RecordPastGrantRequest {
    let profile = Structure {
        registration_number: siret(number),
        legal_name: format!("Structure {number}"),
        kind: StructureKind::Public.into(),
        commune: crate::scene::COMMUNE.into(),
        ..Structure::default()
    };
    RecordPastGrantRequest {
        profile: Some(profile),
        posts,
        committee_date: day(2020, 11, 20),
        source_id: source.into(),
        request_id: String::new(),
    }
}

async fn waves(programme: &Programme) -> Vec<conum_proto::applications::v1::Wave> {
    let request = programme.signed(&callers::agency(), ListWavesRequest::default()).await;
    programme.waves().list_waves(request).await.unwrap().into_inner().waves
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_line_of_the_past_is_recorded_once_and_makes_its_wave() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let recorded = programme.record(line("file/1", 1, 2)).await.unwrap();
        assert_eq!((recorded.outcome(), recorded.warnings.len()), (Outcome::Created, 0));
        let application = recorded.application.unwrap();
        assert!(application.imported && application.missing.is_empty());
        assert_eq!((application.state(), application.posts.len()), (State::Granted, 2));
        for _ in 0..2 {
            let again = programme.record(line("file/1", 1, 2)).await.unwrap();
            assert_eq!(again.outcome(), Outcome::Unchanged);
            assert_eq!(again.application.unwrap().name, application.name);
        }
        assert_eq!(programme.programme().await.granted, 2);
        let waves = waves(&programme).await;
        assert_eq!((waves.len(), waves[0].state(), waves[0].imported), (1, wave::State::Decided, true));
        assert_eq!((waves[0].posts_granted, waves[0].applications), (2, 1));
        assert!(programme.mails(&application.name).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a04_a_record_of_the_past_is_the_agencys_to_correct_and_its_structure_asks() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let recorded = programme.record(line("file/1", 1, 1)).await.unwrap().application.unwrap();
        let mut other = recorded.clone();
        other.profile.as_mut().unwrap().kind = StructureKind::Private.into();
        let of_it = callers::structure(&recorded.structure);
        let refused = programme.update(&of_it, other.clone(), &["profile"]).await.unwrap_err();
        assert_eq!(status::reason(&refused).unwrap_or_default(), "CORRECTION_TO_BE_REQUESTED");
        let corrected = programme.update(&callers::agency(), other, &["profile"]).await.unwrap();
        assert_eq!(corrected.profile.unwrap().kind(), StructureKind::Private);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_lines_of_one_structure_at_the_same_moment_make_one_record() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let sources: Vec<_> = (0..6).map(|number| format!("file/{number}")).collect();
        let lines = sources.iter().map(|source| programme.record(line(source, 1, 1)));
        let answers: Vec<_> = futures::future::join_all(lines).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|answer| answer.outcome() == Outcome::Created).count(), 1);
        assert_eq!(answers.iter().filter(|answer| answer.outcome() == Outcome::Merged).count(), 5);
        let name = answers[0].application.as_ref().unwrap().name.clone();
        assert_eq!(programme.get(&name).await.posts.len(), 6);
        assert_eq!(waves(&programme).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_line_that_contradicts_or_names_a_vanished_commune_warns() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.record(line("file/1", 1, 1)).await.unwrap();
        let mut other = line("file/2", 1, 1);
        let profile = other.profile.as_mut().unwrap();
        // Taken in by 01033 long ago.
        (profile.commune, profile.kind) = ("01091".into(), StructureKind::Private.into());
        let merged = programme.record(other).await.unwrap();
        assert_eq!(merged.outcome(), Outcome::Merged);
        assert_eq!(merged.warnings, ["VANISHED_COMMUNE", "KIND_CONFLICT", "COMMUNE_CONFLICT"]);

        let mut unknown = line("file/3", 2, 1);
        unknown.profile.as_mut().unwrap().commune = "99999".into();
        let recorded = programme.record(unknown).await.unwrap();
        assert_eq!(recorded.warnings, ["UNKNOWN_COMMUNE"]);
        assert_eq!(recorded.application.unwrap().missing, ["profile.commune"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_record_that_lacks_something_is_skipped_then_served_once_it_is_complete() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let mut bare = line("file/1", 1, 2);
        bare.profile.as_mut().unwrap().kind = 0;
        let lacking = programme.record(bare).await.unwrap().application.unwrap();
        let ready = programme.record(line("file/2", 2, 1)).await.unwrap().application.unwrap();
        assert_eq!(lacking.missing, ["profile.kind"]);
        let wave = waves(&programme).await.remove(0);
        programme.activate(&wave.name).await.unwrap();
        let activated = |told: Vec<Payload>| -> Vec<Vec<String>> {
            let served = |payload| match payload {
                Payload::WaveActivated(told) => {
                    told.applications.into_iter().map(|served| served.application).collect()
                }
                other => panic!("{other:?}"),
            };
            told.into_iter().map(served).collect()
        };
        assert_eq!(activated(programme.told(&wave.name).await), [vec![ready.name.clone()]]);

        let mut complete = Application { name: lacking.name.clone(), ..Application::default() };
        let kind = StructureKind::Association.into();
        complete.profile = Some(Structure { kind, ..lacking.profile.clone().unwrap() });
        let completed = programme.update(&callers::agency(), complete, &["profile"]).await.unwrap();
        assert!(completed.missing.is_empty());
        assert_eq!(activated(programme.told(&wave.name).await), [vec![ready.name], vec![lacking.name.clone()]]);
        let told = programme.told(&lacking.name).await;
        let ready: Vec<_> = told
            .iter()
            .filter_map(|payload| match payload {
                Payload::PostsGranted(told) => Some((told.ready, told.structure_kind.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(ready, [(false, ""), (true, "private")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_another_line_that_completes_a_record_serves_the_posts_whose_wave_was_activated_without_them() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let mut bare = line("file/1", 1, 2);
        bare.profile.as_mut().unwrap().kind = 0;
        let lacking = programme.record(bare).await.unwrap().application.unwrap();
        let wave = waves(&programme).await.remove(0);
        programme.activate(&wave.name).await.unwrap();

        let mut later = line("file/2", 1, 1);
        later.committee_date = day(2020, 12, 2);
        let completed = programme.record(later).await.unwrap().application.unwrap();
        assert_eq!((&completed.name, completed.posts.len()), (&lacking.name, 3));
        assert!(completed.missing.is_empty());
        let told = programme.told(&wave.name).await;
        let Some(Payload::WaveActivated(served)) = told.last() else { panic!("{told:?}") };
        assert_eq!((told.len(), served.applications[0].posts.len()), (2, 2));
    }
}
