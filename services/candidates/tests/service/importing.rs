//! The stream of batches that an import is, on every database (C08).

use conum_proto::{
    candidates::v1::{Candidate, ImportCandidatesRequest, ImportedCandidate, ImportedLine},
    google::r#type::Date,
};
use conum_service::status;
use conum_testkit::{backends, callers};
use futures::stream;
use tonic::{Code, Status};
use uuid::Uuid;

use super::scene::{Register, person, rose};

fn line(number: u32, candidate: Candidate) -> ImportedCandidate {
    let request_id = Uuid::from_u128(u128::from(number)).to_string();
    ImportedCandidate { line: number.into(), candidate: Some(candidate), request_id }
}

async fn import(register: &Register, batches: Vec<Vec<ImportedCandidate>>) -> Result<Vec<ImportedLine>, Status> {
    let batches = batches.into_iter().map(|candidates| ImportCandidatesRequest { candidates });
    let request = register.signed(&callers::agency(), stream::iter(batches.collect::<Vec<_>>())).await;
    let mut answers = register.client().import_candidates(request).await?.into_inner();
    let mut lines = Vec::new();
    while let Some(answer) = answers.message().await? {
        lines.extend(answer.lines);
    }
    Ok(lines)
}

fn refusals(lines: &[ImportedLine]) -> Vec<Option<String>> {
    lines.iter().map(|line| line.refusal.as_ref().and_then(|refusal| status::reason(&status::read(refusal)))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_refused_stops_no_other_and_the_same_batch_again_changes_nothing() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let child = Candidate { birth_date: Some(Date { year: 2015, month: 1, day: 1 }), ..person("A", "B", "a@b.fr") };
        let batch = || {
            vec![
                line(2, rose()),
                line(3, child.clone()),
                line(4, Candidate { given_name: "Anne".into(), ..rose() }),
                line(5, person("Paul", "Durand", "paul@exemple.fr")),
                line(6, person("Paul", "Durand", "paul2@exemple.fr")),
            ]
        };
        let first = import(&register, vec![batch()]).await.unwrap();
        assert_eq!(first.iter().map(|line| line.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        let code = |reason: &str| Some(reason.to_owned());
        assert_eq!(refusals(&first), [None, code("TOO_YOUNG"), code("ALREADY_REGISTERED"), None, None]);
        assert!(!first[3].possible_double && first[4].possible_double);
        assert_eq!(register.count("candidates").await, 3);
        assert_eq!(register.outbox(&first[0].candidate).await.len(), 1);
        assert_eq!(register.actions(&first[0].candidate).await, ["REGISTER"]);

        let again = import(&register, vec![batch(), vec![]]).await.unwrap();
        let names = |lines: &[ImportedLine]| lines.iter().map(|line| line.candidate.clone()).collect::<Vec<_>>();
        assert_eq!((names(&again), refusals(&again)), (names(&first), refusals(&first)));
        assert_eq!(register.count("candidates").await, 3);

        let other = import(&register, vec![vec![line(2, person("Zoé", "Petit", "zoe@exemple.fr"))]]).await.unwrap();
        assert_eq!(refusals(&other), [code("REQUEST_ID_REUSED")]);
        register.scene.settle().await;
        assert_eq!(register.mails().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_five_hundred_lines_and_every_line_a_request_id() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let nameless = ImportedCandidate { request_id: "x".into(), ..line(2, rose()) };
        assert_eq!(
            refusals(&import(&register, vec![vec![nameless]]).await.unwrap()),
            [Some("INVALID_REQUEST_ID".into())]
        );
        let long = (0..501).map(|number| line(number, rose())).collect();
        let refused = import(&register, vec![long]).await.unwrap_err();
        assert_eq!((refused.code(), status::reason(&refused).as_deref()), (Code::InvalidArgument, Some("TOO_MANY")));
        assert_eq!(register.count("candidates").await, 0);
    }
}
