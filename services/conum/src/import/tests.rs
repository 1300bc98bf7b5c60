//! Imports as stories: on a platform of their own, from files as dirty as real ones.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use conum_proto::{
    applications::v1::{GetApplicationRequest, GetProgrammeRequest, StructureKind},
    candidates::v1::{ListCandidatesRequest, UpdateCandidateRequest},
};
use conum_service::Caller;
use prost_types::FieldMask;
use tempfile::TempDir;

use super::{
    report::Verdict::{Accepted, Merged, Rejected, Unchanged},
    *,
};

/// A folder with a data folder in it.
struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn options(&self, what: What, file: &Path) -> Options {
        Options {
            what,
            file: file.to_owned(),
            profile: None,
            report: Some(self.path("report.csv")),
            data: self.path("data"),
            config: None,
            gateway: None,
        }
    }

    fn written(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// The report, as (source id, verdict, reasons).
    fn report(&self) -> Vec<(String, String, String)> {
        let mut reader = csv::Reader::from_path(self.path("report.csv")).unwrap();
        let text = |record: &csv::StringRecord, column: usize| record[column].to_owned();
        reader.records().map(Result::unwrap).map(|line| (text(&line, 1), text(&line, 2), text(&line, 4))).collect()
    }

    fn targets(&self) -> Vec<String> {
        let mut reader = csv::Reader::from_path(self.path("report.csv")).unwrap();
        reader.records().map(|record| record.unwrap()[3].to_owned()).collect()
    }

    /// A platform on the data folder, to look at what an import left.
    async fn platform(&self) -> (Voice, Platform) {
        let config = Config { data: self.path("data"), ..Config::local("") };
        let (voice, platform) = reached(&config, None).await.unwrap();
        (voice, platform.unwrap())
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn agency() -> Caller {
    Caller { subject: "agency".into(), roles: vec![conum_proto::access::v1::Role::Agency], owned: vec![] }
}

fn counts(summary: &Summary) -> [u64; 4] {
    [Accepted, Merged, Unchanged, Rejected].map(|verdict| summary.count(verdict))
}

fn entries(of: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    of.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
}

/// Lines of candidates who differ in everything.
fn candidates(numbers: std::ops::Range<u32>) -> String {
    let header = "source_id,given_name,family_name,birth_date,email,commune,max_km,status,available_from\n";
    let line = |number| {
        format!("s/{number},Rose{number},Dupont,1990-01-01,rose{number}@exemple.fr,69123,40,job_seeker,2021-02-01\n")
    };
    header.to_owned() + &numbers.map(line).collect::<String>()
}

async fn registered(voice: &Voice) -> usize {
    let request = voice.by(&agency(), ListCandidatesRequest { page_size: 1000, ..Default::default() }).await.unwrap();
    voice.candidates().list_candidates(request).await.unwrap().into_inner().candidates.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_the_published_columns_are_taken_as_dirty_as_they_come_and_again_they_change_nothing() {
    let scene = Scene::new();
    let options = Options {
        profile: Some(Profile::Cnfs2021),
        ..scene.options(What::Structures, &fixture("structures-dirty.json"))
    };
    assert_eq!(counts(&import(&options).await.unwrap()), [6, 2, 0, 4]);
    let report = scene.report();
    assert_eq!(
        report,
        entries(&[
            ("cnfs-2021/1", "accepted", "LOST_ZERO_MENDED"),
            ("cnfs-2021/2", "rejected", "registration_number:REQUIRED"),
            ("cnfs-2021/3", "rejected", "registration_number:INVALID_SIRET_KEY"),
            ("cnfs-2021/4", "accepted", "NAME_MISSING"),
            ("cnfs-2021/5", "accepted", "DEPARTMENT_CONTRADICTS_COMMUNE"),
            ("cnfs-2021/6", "accepted", "VANISHED_COMMUNE"),
            ("cnfs-2021/7", "accepted", "MISSING_COORDINATES"),
            ("cnfs-2021/8", "accepted", "COORDINATES_CONTRADICT_COMMUNE"),
            ("cnfs-2021/9", "merged", "LOST_ZERO_MENDED"),
            ("cnfs-2021/10", "merged", "LOST_ZERO_MENDED;KIND_CONFLICT"),
            ("cnfs-2021/11", "rejected", "kind:UNKNOWN_VALUE;posts:INVALID_COUNT;committee_date:INVALID_DATE"),
            ("", "rejected", "nb_cnfs:UNREADABLE"),
        ])
    );
    let targets = scene.targets();
    assert_eq!((&targets[8], &targets[9]), (&targets[0], &targets[0]));

    assert_eq!(counts(&import(&options).await.unwrap()), [0, 0, 8, 4]);
    assert_eq!(scene.targets(), targets);

    let (voice, platform) = scene.platform().await;
    let request = voice.by(&agency(), GetProgrammeRequest {}).await.unwrap();
    assert_eq!(voice.waves().get_programme(request).await.unwrap().into_inner().granted, 10);
    let request = voice.by(&agency(), GetApplicationRequest { name: targets[0].clone() }).await.unwrap();
    let application = voice.applications().get_application(request).await.unwrap().into_inner();
    let profile = application.profile.unwrap();
    assert_eq!((application.posts.len(), profile.kind()), (4, StructureKind::Public));
    let request = voice.by(&agency(), GetApplicationRequest { name: targets[7].clone() }).await.unwrap();
    let far = voice.applications().get_application(request).await.unwrap().into_inner().profile.unwrap();
    assert!(far.location.unwrap().latitude < 6.0, "the commune's centre, in Guyane");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn structures_come_in_csv_under_plain_names_as_well() {
    let scene = Scene::new();
    let siret = siret(1);
    let text = format!(
        "source_id;registration_number;legal_name;kind;commune;posts;committee_date;latitude;longitude\n\
         a/1;{} {};Mairie;local_authority;01053;2;19/05/2021;46,205;5,2255\n\
         a/2;{siret};Mairie;association;1053;1;2021-05-19;;\n\
         a/3;{siret};Mairie\n",
        &siret[..9],
        &siret[9..],
    );
    let file = scene.written("structures.csv", &text);
    assert_eq!(counts(&import(&scene.options(What::Structures, &file)).await.unwrap()), [1, 1, 0, 1]);
    assert_eq!(
        scene.report(),
        entries(&[
            ("a/1", "accepted", ""),
            ("a/2", "merged", "LOST_ZERO_MENDED;MISSING_COORDINATES;KIND_CONFLICT"),
            ("", "rejected", "WRONG_NUMBER_OF_COLUMNS"),
        ])
    );
}

/// A SIRET that nobody has.
fn siret(number: u32) -> String {
    (0..10)
        .flat_map(|a| (0..10).map(move |b| format!("9{number:07}{a}0001{b}")))
        .find(|digits| conum_applications::domain::registration_number::check("f", digits, None).is_ok())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn c08_candidates_are_registered_once_and_a_double_names_the_first() {
    let scene = Scene::new();
    let options = scene.options(What::Candidates, &fixture("candidates-dirty.csv"));
    assert_eq!(counts(&import(&options).await.unwrap()), [4, 0, 0, 4]);
    let expected = |first: &str| {
        entries(&[
            ("s/1", first, ""),
            ("s/2", first, "LOST_ZERO_MENDED"),
            ("s/3", "rejected", "email:ALREADY_REGISTERED"),
            ("s/4", first, if first == "accepted" { "POSSIBLE_DOUBLE" } else { "" }),
            ("s/5", first, "VANISHED_COMMUNE"),
            ("s/6", "rejected", "birth_date:INVALID_DATE;max_km:INVALID_DISTANCE"),
            ("s/7", "rejected", "email:INVALID_EMAIL;commune:UNKNOWN_COMMUNE;status:RETIRED"),
            ("", "rejected", "WRONG_NUMBER_OF_COLUMNS"),
        ])
    };
    assert_eq!(scene.report(), expected("accepted"));
    let targets = scene.targets();
    assert_eq!(targets[2], targets[0], "the double names the first");
    assert!(!fs::read_to_string(scene.path("report.csv")).unwrap().contains("exemple"), "no value is in the report");

    assert_eq!(counts(&import(&options).await.unwrap()), [0, 0, 4, 4]);
    assert_eq!((scene.report(), scene.targets()), (expected("unchanged"), targets.clone()));

    // Another file with the same lines: their source ids tell that they are known.
    let again = fs::read_to_string(fixture("candidates-dirty.csv")).unwrap() + "\n";
    let again = scene.written("again.csv", &again.replace("s/1,Rose", "s/1,Rosa"));
    assert_eq!(counts(&import(&scene.options(What::Candidates, &again)).await.unwrap()), [0, 0, 4, 4]);
    assert_eq!(scene.targets(), targets);
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_a_line_whose_candidate_has_changed_since_is_not_registered_again() {
    let scene = Scene::new();
    let file = scene.written("candidates.csv", &candidates(0..2));
    let options = scene.options(What::Candidates, &file);
    import(&options).await.unwrap();
    let targets = scene.targets();
    let (voice, platform) = scene.platform().await;
    let mut candidate = conum_proto::candidates::v1::Candidate { name: targets[0].clone(), ..Default::default() };
    candidate.email = "autre@exemple.fr".into();
    let update_mask = Some(FieldMask { paths: vec!["email".into()] });
    let message = UpdateCandidateRequest { candidate: Some(candidate), update_mask, ..Default::default() };
    voice.candidates().update_candidate(voice.by(&agency(), message).await.unwrap()).await.unwrap();
    platform.stop().await;
    assert_eq!(counts(&import(&options).await.unwrap()), [0, 0, 2, 0]);
    assert_eq!(scene.targets(), targets);
}

/// Runs an import until some lines are there, and cuts it off in the middle of whatever it does.
async fn cut_off(options: &Options, until: impl Fn() -> bool) {
    let enough = async {
        while !until() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        outcome = import(options) => panic!("it came to its end: {outcome:?}"),
        () = enough => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_candidates_that_was_cut_off_goes_on_and_nobody_is_registered_twice() {
    let scene = Scene::new();
    let file = scene.written("candidates.csv", &candidates(0..600));
    let (voice, platform) = scene.platform().await;
    let gateway = Some(local_url(platform.gateway.address.port()));
    let options = Options { gateway, ..scene.options(What::Candidates, &file) };
    let lines = || fs::read_to_string(scene.path("report.csv")).unwrap_or_default().lines().count();
    cut_off(&options, || lines() > 1).await;

    let summary = import(&options).await.unwrap();
    assert!(summary.count(Unchanged) >= 256, "{summary:?}");
    assert_eq!((summary.count(Accepted) + summary.count(Unchanged), registered(&voice).await), (600, 600));

    // Without its journal it still goes on: the platform answers what it answered then.
    fs::remove_dir_all(scene.path("data").join("imports")).unwrap();
    assert_eq!(counts(&import(&options).await.unwrap()), [0, 0, 600, 0]);
    assert_eq!(registered(&voice).await, 600);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_structures_that_was_cut_off_goes_on_through_the_gateway_of_a_platform() {
    let scene = Scene::new();
    let line = |number: u32| {
        serde_json::json!({
            "source_id": format!("b/{number}"), "registration_number": siret(number / 2), "legal_name": "Mairie",
            "kind": "public", "commune": "69123", "posts": 1, "committee_date": "2021-05-19",
            "latitude": 45.75, "longitude": 4.85,
        })
    };
    let text: String = (0..60).map(|number| line(number).to_string() + "\n").collect();
    let file = scene.written("structures.jsonl", &text);
    let (voice, platform) = scene.platform().await;
    let gateway = Some(local_url(platform.gateway.address.port()));
    let options = Options { gateway, ..scene.options(What::Structures, &file) };
    let lines = || fs::read_to_string(scene.path("report.csv")).unwrap_or_default().lines().count();
    cut_off(&options, || lines() > 11).await;

    let summary = import(&options).await.unwrap();
    assert!(summary.count(Unchanged) >= 11, "{summary:?}");
    assert_eq!(summary.verdicts.values().sum::<u64>(), 60);
    assert_eq!(counts(&import(&options).await.unwrap()), [0, 0, 60, 0]);
    let request = voice.by(&agency(), GetProgrammeRequest {}).await.unwrap();
    assert_eq!(voice.waves().get_programme(request).await.unwrap().into_inner().granted, 60);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_or_a_command_that_is_wrong_is_an_error_before_anything_is_sent() {
    let scene = Scene::new();
    let odd = scene.written("odd.csv", "source_id,given_name,courriel\n");
    let short = scene.written("short.csv", "source_id,given_name\n");
    let cut = scene.written("cut.json", "[{\"source_id\": 1},");
    for (file, reason, named) in [
        (scene.path("nowhere.csv"), "UNREADABLE_FILE", "nowhere.csv"),
        (scene.0.path().to_owned(), "UNREADABLE_FILE", "no file"),
        (odd, "UNKNOWN_COLUMN", "courriel"),
        (short, "MISSING_COLUMN", "family_name"),
        (cut, "UNREADABLE_FILE", "line 1"),
    ] {
        let error = import(&scene.options(What::Candidates, &file)).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(error.english().contains(named), "{error}");
    }
    let file = scene.written("candidates.csv", &candidates(0..1));
    let profiled = Options { profile: Some(Profile::Cnfs2021), ..scene.options(What::Candidates, &file) };
    assert_eq!(import(&profiled).await.unwrap_err().reason(), "UNKNOWN_PROFILE");
    let onto_itself = Options { report: Some(file.clone()), ..scene.options(What::Candidates, &file) };
    assert_eq!(import(&onto_itself).await.unwrap_err().reason(), "UNWRITABLE_REPORT");
    assert_eq!(fs::read_to_string(&file).unwrap(), candidates(0..1));
    let strange = Options { gateway: Some("http://127.0.0.1:9".into()), ..scene.options(What::Candidates, &file) };
    assert_eq!(import(&strange).await.unwrap_err().reason(), "NO_KEYS");
    assert!(!scene.path("data").exists());
}
