//! Why a structure is short (M04), and what a wave would bring with other settings: told, and nothing written.

use conum_kernel::{StructureId, WaveId};
use conum_proto::{
    events::v1::{PostsGranted, event::Payload},
    matching::v1::{
        ExplainShortageRequest, ShortageExplanation, SimulateWaveRequest, SimulateWaveResponse, SupposedSettings,
        SupposedStructure, shortage_explanation::obstacle::Kind, studies_service_client::StudiesServiceClient,
    },
};
use conum_service::Caller;
use conum_testkit::{backends, callers};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::scene::{MATCHING, Programme, day, granted, id};

const LYON: &str = "69123";
const VILLEURBANNE: &str = "69266";
const GRENOBLE: &str = "38185";

impl Programme {
    async fn explain(&self, caller: &Caller, structure: &str) -> Result<ShortageExplanation, Status> {
        let request = self.signed(caller, ExplainShortageRequest { structure: structure.into() }).await;
        let channel = self.scene.cluster.channel(MATCHING).unwrap();
        StudiesServiceClient::new(channel).explain_shortage(request).await.map(tonic::Response::into_inner)
    }

    async fn simulate(&self, message: SimulateWaveRequest) -> Result<SimulateWaveResponse, Status> {
        let request = self.signed(&callers::agency(), message).await;
        let channel = self.scene.cluster.channel(MATCHING).unwrap();
        StudiesServiceClient::new(channel).simulate_wave(request).await.map(tonic::Response::into_inner)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_a_shortage_says_how_many_are_near_and_what_excludes_them() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let (lyon, other) = (granted("lyon", LYON, 1), granted("other", GRENOBLE, 1));
        for structure in [&lyon, &other] {
            programme.grant(structure).await;
        }
        programme.register("able", VILLEURBANNE).await;
        programme.register("far", GRENOBLE).await;
        let late = conum_proto::events::v1::CandidateFacts {
            available_from: day(2021, 6, 1),
            wished_departments: vec!["69".into()],
            ..Programme::facts(GRENOBLE)
        };
        programme.register_as("late", late).await;
        programme.activate(&[&lyon, &other]).await;
        let explained = programme.explain(&lyon.caller(), &lyon.structure.name()).await.unwrap();
        assert_eq!((explained.lacking, explained.live, explained.near, explained.possible), (2, 1, 3, 0));
        let obstacles: Vec<_> = explained.obstacles.iter().map(|found| (found.kind(), found.candidates)).collect();
        assert_eq!(obstacles, [(Kind::AlreadyIntroduced, 1), (Kind::OutOfReach, 1), (Kind::NotAvailable, 1)]);
        assert!(explained.sentence.contains("aucune ne peut être présentée"), "{}", explained.sentence);
        let refused = programme.explain(&other.caller(), &lyon.structure.name()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let unknown: StructureId = id("unknown");
        let refused = programme.explain(&callers::agency(), &unknown.name()).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_where_no_post_is_to_be_filled_nobody_is_said_to_be_too_late_for_it() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let lyon = granted("lyon", LYON, 1);
        programme.grant(&lyon).await;
        let able = programme.register("able", VILLEURBANNE).await;
        let facts = conum_proto::events::v1::CandidateFacts {
            available_from: day(2021, 3, 1),
            ..Programme::facts(VILLEURBANNE)
        };
        programme.register_as("in time", facts).await;
        programme.activate(&[&lyon]).await;
        programme.select(&lyon, 0, &able.name()).await.unwrap();
        let explained = programme.explain(&lyon.caller(), &lyon.structure.name()).await.unwrap();
        assert_eq!((explained.lacking, explained.obstacles.len()), (0, 0));
        assert!(explained.sentence.starts_with("aucun poste à pourvoir"), "{}", explained.sentence);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m02_a_simulation_plays_a_wave_that_is_not_activated_and_writes_nothing() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let (lyon, grenoble) = (granted("lyon", LYON, 1), granted("grenoble", GRENOBLE, 1));
        let grenoble = crate::scene::Granted { wave: id("second wave"), ..grenoble };
        for structure in [&lyon, &grenoble] {
            programme.grant(structure).await;
        }
        for name in ["a", "b", "c", "d"] {
            programme.register(name, VILLEURBANNE).await;
        }
        programme.activate(&[&lyon]).await;
        let settings = SupposedSettings { live_per_structure: Some(4), least_km: Some(100), ..Default::default() };
        let supposed = SupposedStructure {
            commune: "69029".into(),
            sector: "private".into(),
            needed_by: day(2021, 3, 1),
            ..Default::default()
        };
        let answer = programme
            .simulate(SimulateWaveRequest {
                waves: vec![grenoble.wave.name()],
                structures: vec![supposed],
                settings: Some(settings),
            })
            .await
            .unwrap();
        let (today, simulated) = (answer.today.unwrap(), answer.simulated.unwrap());
        assert_eq!((today.structures, today.wanted, today.live, today.introductions), (1, 3, 3, 0));
        // Lyon lacks one, Grenoble and Bron four each, of four people with room for eight more.
        assert_eq!((simulated.structures, simulated.wanted, simulated.live, simulated.introductions), (3, 12, 3, 9));
        assert_eq!((simulated.structures_full, simulated.candidates_left_out), (3, 0));
        let departments: Vec<_> = answer.departments.iter().map(|line| line.department.as_str()).collect();
        assert_eq!(departments, ["38", "69"]);
        assert!(answer.departments[0].today.is_none());
        assert_eq!(answer.departments[1].simulated.unwrap().introductions, 8);
        assert!(programme.live(&grenoble).await.is_empty(), "nothing was written");
        assert_eq!(programme.live(&lyon).await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_supposed_wave_serves_those_alone_whom_it_would() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.register("person", VILLEURBANNE).await;
        let lyon = granted("lyon", LYON, 1);
        for (ready, structures) in [(false, 0), (true, 1)] {
            let Payload::PostsGranted(told) = Programme::granted_payload(&lyon) else { unreachable!() };
            let told = Payload::PostsGranted(PostsGranted { ready, ..told });
            programme.tell("applications", lyon.application.name(), told).await;
            let asked = SimulateWaveRequest { waves: vec![lyon.wave.name()], ..Default::default() };
            let simulated = programme.simulate(asked).await.unwrap().simulated.unwrap();
            assert_eq!((simulated.structures, simulated.introductions), (structures, structures), "ready: {ready}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m01_a_simulation_names_every_field_that_is_wrong() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let settings = SupposedSettings {
            live_per_structure: Some(0),
            reserved_share_percent: Some(101),
            most_km: Some(-1),
            ..Default::default()
        };
        let supposed = SupposedStructure {
            commune: "99999".into(),
            sector: "other".into(),
            compulsory_needs: vec!["charm".into()],
            ..Default::default()
        };
        let refused = programme
            .simulate(SimulateWaveRequest {
                waves: vec!["7".into()],
                structures: vec![supposed],
                settings: Some(settings),
            })
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        let fields: Vec<_> = refused
            .get_error_details()
            .bad_request()
            .unwrap()
            .field_violations
            .iter()
            .map(|v| v.field.clone())
            .collect();
        let expected = [
            "waves",
            "structures[0].commune",
            "structures[0].sector",
            "structures[0].compulsory_needs",
            "settings.live_per_structure",
            "settings.most_km",
            "settings.reserved_share_percent",
        ];
        assert_eq!(fields, expected);
        let none: WaveId = id("none");
        let unknown = SimulateWaveRequest { waves: vec![none.name()], ..Default::default() };
        assert_eq!(programme.simulate(unknown).await.unwrap_err().code(), Code::NotFound);
    }
}
