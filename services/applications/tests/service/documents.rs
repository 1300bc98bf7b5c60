//! Supporting documents through the running service, on every database (A12).

use std::path::{Path, PathBuf};

use conum_proto::{
    applications::v1::{
        Application, DocumentHeader, DownloadDocumentRequest, ReviewDocumentRequest, SupportingDocument,
        UploadDocumentRequest, documents_service_client::DocumentsServiceClient, download_document_response,
        supporting_document::State, upload_document_request::Part,
    },
    events::v1::event::Payload,
};
use conum_service::{Caller, status};
use conum_testkit::{backends, callers};
use sha2::{Digest as _, Sha256};
use tonic::{Code, Status, transport::Channel};

use crate::scene::{APPLICATIONS, Answer, Programme};

/// A PDF as far as its first bytes tell, of many pieces.
fn pdf(mark: u8) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    bytes.resize(150_000, mark);
    bytes
}

fn header(name: &str, bytes: &[u8]) -> DocumentHeader {
    DocumentHeader {
        name: name.into(),
        media_type: "application/pdf".into(),
        size: i64::try_from(bytes.len()).unwrap(),
        sha256: hex::encode(Sha256::digest(bytes)),
        request_id: String::new(),
    }
}

fn client(programme: &Programme) -> DocumentsServiceClient<Channel> {
    DocumentsServiceClient::new(programme.scene.cluster.channel(APPLICATIONS).unwrap())
}

async fn upload(
    programme: &Programme,
    caller: &Caller,
    header: DocumentHeader,
    bytes: &[u8],
) -> Answer<SupportingDocument> {
    let part = |part| UploadDocumentRequest { part: Some(part) };
    let mut parts = vec![part(Part::Header(header))];
    parts.extend(bytes.chunks(40_000).map(|chunk| part(Part::Chunk(chunk.to_vec()))));
    let request = programme.signed(caller, futures::stream::iter(parts)).await;
    Ok(client(programme).upload_document(request).await?.into_inner())
}

async fn review(programme: &Programme, name: &str, valid: bool) -> Answer<SupportingDocument> {
    let reason = if valid { "" } else { "Illisible" }.to_owned();
    let message = ReviewDocumentRequest { name: name.into(), valid, reason, request_id: String::new() };
    let request = programme.signed(&callers::agency(), message).await;
    Ok(client(programme).review_document(request).await?.into_inner())
}

async fn download(programme: &Programme, caller: &Caller, name: &str) -> Answer<(SupportingDocument, Vec<u8>)> {
    let request = programme.signed(caller, DownloadDocumentRequest { name: name.into() }).await;
    let mut parts = client(programme).download_document(request).await?.into_inner();
    let (mut document, mut bytes) = (SupportingDocument::default(), Vec::new());
    while let Some(message) = parts.message().await? {
        match message.part.expect("a part") {
            download_document_response::Part::Document(first) => document = first,
            download_document_response::Part::Chunk(chunk) => {
                assert!(chunk.len() <= 64 * 1024);
                bytes.extend(chunk);
            }
        }
    }
    Ok((document, bytes))
}

/// The files that are kept.
fn kept(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| if entry.path().is_dir() { kept(&entry.path()) } else { vec![entry.path()] })
        .collect()
}

fn reason(status: &Status) -> (String, String) {
    (status::reason(status).unwrap_or_default(), status::rule(status).unwrap_or_default())
}

async fn granted(programme: &Programme) -> Application {
    let wave = programme.wave().await;
    programme.granted(1, 1, &wave).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_documents_are_handed_in_reviewed_and_complete_the_file() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let application = granted(&programme).await;
        let own = callers::structure(&application.structure);
        let names: Vec<_> = application.documents.iter().map(|document| document.name.clone()).collect();
        for (place, name) in names.iter().enumerate() {
            let bytes = pdf(u8::try_from(place).unwrap());
            let uploaded = upload(&programme, &own, header(name, &bytes), &bytes).await.unwrap();
            assert_eq!((uploaded.state(), uploaded.size), (State::Uploaded, 150_000));
            let (document, sent_back) = download(&programme, &own, name).await.unwrap();
            assert_eq!((document, sent_back == bytes), (uploaded, true));
        }
        let rejected = review(&programme, &names[0], false).await.unwrap();
        assert_eq!((rejected.state(), rejected.reason.as_str()), (State::Rejected, "Illisible"));
        programme.scene.settle().await;
        programme.letter("Le motif : Illisible");
        let better = pdf(b'x');
        upload(&programme, &own, header(&names[0], &better), &better).await.unwrap();
        let files = kept(&programme.scene.folder.path().join("documents"));
        assert_eq!(files.len(), names.len(), "what was replaced is gone: {files:?}");
        for name in &names {
            review(&programme, name, true).await.unwrap();
        }
        let told = programme.told(&application.name).await;
        assert!(matches!(told.last(), Some(Payload::DossierCompleted(_))));
        let late = upload(&programme, &own, header(&names[0], &better), &better).await.unwrap_err();
        assert_eq!(reason(&late), ("WRONG_STATE".into(), "A12".into()));
        assert_eq!(download(&programme, &own, &names[0]).await.unwrap().1, better, "what is validated stays");
        programme.scene.settle().await;
        programme.letter("Toutes les pièces du dossier");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_bytes_that_are_not_what_was_said_are_refused_and_nothing_is_left() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let application = granted(&programme).await;
        let own = callers::structure(&application.structure);
        let name = application.documents[0].name.as_str();
        let bytes = pdf(b'a');
        let said = header(name, &bytes);
        let program = [b"MZ".as_slice(), &bytes].concat();
        let cases = [
            (DocumentHeader { sha256: "0".repeat(64), ..said.clone() }, bytes.clone(), "HASH_MISMATCH"),
            (DocumentHeader { size: 10, ..said.clone() }, bytes.clone(), "SIZE_MISMATCH"),
            (DocumentHeader { size: 200_000, ..said.clone() }, bytes.clone(), "SIZE_MISMATCH"),
            (DocumentHeader { size: 11 << 20, ..said.clone() }, bytes.clone(), "INVALID_SIZE"),
            (DocumentHeader { media_type: "image/png".into(), ..said.clone() }, bytes.clone(), "TYPE_MISMATCH"),
            (
                DocumentHeader { media_type: "text/html".into(), ..said.clone() },
                bytes.clone(),
                "UNSUPPORTED_MEDIA_TYPE",
            ),
            (header(name, &program), program, "TYPE_MISMATCH"),
        ];
        for (header, bytes, expected) in cases {
            let refused = upload(&programme, &own, header, &bytes).await.unwrap_err();
            assert_eq!(reason(&refused), (expected.into(), "A12".into()));
        }
        let stranger = callers::structure("structures/str_00000000000000000000000000000000");
        let refused = upload(&programme, &stranger, said.clone(), &bytes).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert_eq!(download(&programme, &own, name).await.unwrap_err().code(), Code::NotFound);
        assert!(kept(&programme.scene.folder.path().join("documents")).is_empty());
        assert_eq!(programme.get(&application.name).await.documents[0].state(), State::Expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_bytes_that_have_changed_on_their_shelf_are_not_sent_as_if_they_had_not() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let application = granted(&programme).await;
        let own = callers::structure(&application.structure);
        let name = application.documents[0].name.as_str();
        let bytes = pdf(b'a');
        upload(&programme, &own, header(name, &bytes), &bytes).await.unwrap();
        let files = kept(&programme.scene.folder.path().join("documents"));
        std::fs::write(&files[0], pdf(b'b')).unwrap();
        assert_eq!(download(&programme, &own, name).await.unwrap_err().code(), Code::Internal);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_an_upload_that_comes_again_after_its_review_has_the_same_answer() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let application = granted(&programme).await;
        let own = callers::structure(&application.structure);
        let (name, bytes) = (application.documents[0].name.as_str(), pdf(b'a'));
        let first = DocumentHeader { request_id: Programme::request_id("upload"), ..header(name, &bytes) };
        upload(&programme, &own, first.clone(), &bytes).await.unwrap();
        review(&programme, name, true).await.unwrap();
        let again = upload(&programme, &own, first, &bytes).await.unwrap();
        assert_eq!(again.state(), State::Validated);
        let refused = upload(&programme, &own, header(name, &bytes), &bytes).await.unwrap_err();
        assert_eq!(reason(&refused).0, "WRONG_STATE");
        let (_, kept) = download(&programme, &own, name).await.unwrap();
        assert!(kept == bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_uploads_of_one_document_at_the_same_moment_leave_one_whole() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let application = granted(&programme).await;
        let own = callers::structure(&application.structure);
        let name = application.documents[0].name.as_str();
        let versions: Vec<_> = (0..6).map(|number| pdf(b'a' + number % 3)).collect();
        let uploads = versions.iter().map(|bytes| upload(&programme, &own, header(name, bytes), bytes));
        let answers = futures::future::join_all(uploads).await;
        assert!(answers.iter().any(Result::is_ok));
        for refused in answers.into_iter().filter_map(Result::err) {
            assert_eq!(refused.code(), Code::Unavailable, "the bytes were taken away meanwhile: to be sent again");
        }
        let (document, bytes) = download(&programme, &own, name).await.unwrap();
        assert_eq!(hex::encode(Sha256::digest(&bytes)), document.sha256);
    }
}
