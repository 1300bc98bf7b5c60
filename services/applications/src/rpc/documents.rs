//! `DocumentsService`: the supporting documents of a grant (A12), received and sent as streams.

use bytes::Bytes;
use conum_kernel::{ApplicationId, Error};
use conum_proto::applications::v1::{
    DocumentHeader, DownloadDocumentRequest, DownloadDocumentResponse, ReviewDocumentRequest, SupportingDocument,
    UploadDocumentRequest, documents_service_server::DocumentsService, download_document_response,
    upload_document_request,
};
use conum_service::{Call, Failure, Host, wire};
use futures::{StreamExt as _, TryStreamExt as _, future::ready, stream::BoxStream};
use sha2::{Digest as _, Sha256};
use tonic::{Request, Response, Status, Streaming};

use super::{
    Own,
    asked::{self, changed},
    convert,
};
use crate::{
    commands::{applying::decide, store},
    domain::documents::{self, DocumentKind, Upload},
    storage::{
        applications::{self, Stored},
        files::{Files, Incoming},
    },
};

/// The most bytes that one message brings.
const CHUNK_IN: usize = 1024 * 1024;
/// The most bytes that one message takes away.
const CHUNK_OUT: usize = 64 * 1024;

/// The rpc of supporting documents.
#[derive(Clone, Debug)]
pub struct Documents {
    host: Host,
    files: Files,
}

impl Documents {
    #[must_use]
    pub fn new(host: Host, files: Files) -> Self {
        Self { host, files }
    }

    /// An application whose documents the caller may see.
    async fn seen(&self, call: &Call, id: ApplicationId) -> Result<Stored, Failure> {
        let found = applications::find(self.host.store().read(), id).await?;
        let found = found.ok_or_else(|| Error::not_found(&id.name()))?;
        Own::Structure.require(call, &found.application)?;
        Ok(found)
    }

    /// Receives the bytes that a header announces, and puts them in their place.
    async fn receive(
        &self,
        call: &Call,
        header: &DocumentHeader,
        parts: Streaming<UploadDocumentRequest>,
    ) -> Result<(), Status> {
        let (id, kind) = asked::document(&header.name).map_err(Failure::from)?;
        let upload = said(call, header);
        // What the row would refuse is refused before a byte comes: by the command, which remembers the answer to a
        // request that comes again.
        let application = self.seen(call, id).await?.application;
        if documents::upload(application, kind, upload.clone()).is_err() {
            return Ok(());
        }
        let mut incoming = self.files.receive(upload).await.map_err(Failure::from)?;
        match take(&mut incoming, parts).await {
            Ok(()) => Ok(incoming.place(id, kind).await.map_err(Failure::from)?),
            Err(status) => {
                incoming.abort().await;
                Err(status)
            }
        }
    }

    /// Takes bytes away that the record does not name: those of an upload that was refused in the end, or replaced. Under
    /// the record's lock, so that nobody names them meanwhile.
    async fn forget(&self, id: ApplicationId, kind: DocumentKind, sha256: String) -> Result<(), Failure> {
        let files = self.files.clone();
        self.host
            .store()
            .write(move |tx| {
                let (files, sha256) = (files.clone(), sha256.clone());
                Box::pin(async move {
                    let stored = applications::lock(tx, id).await?;
                    if held(&stored, kind).is_none_or(|upload| upload.sha256 != sha256) {
                        files.remove(id, kind, &sha256).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Names bytes that are in their place: the last step of an upload.
    async fn record(&self, call: &Call, header: &DocumentHeader) -> Result<Stored, Failure> {
        let files = self.files.clone();
        self.host
            .command(call, header.clone(), move |tx, call, header| {
                let files = files.clone();
                Box::pin(async move {
                    let (id, kind) = asked::document(&header.name)?;
                    let before = applications::lock(tx, id).await?;
                    Own::Structure.require(&call, &before.application)?;
                    let outcome = documents::upload(before.application.clone(), kind, said(&call, &header))?;
                    if !files.hold(id, kind, &header.sha256).await? {
                        return Err(Error::unavailable("the bytes were taken away meanwhile").into());
                    }
                    store(tx, &call, before, outcome).await
                })
            })
            .await
    }
}

/// What was handed in of a kind.
fn held(stored: &Stored, kind: DocumentKind) -> Option<&Upload> {
    let document = stored.application.documents.iter().find(|document| document.kind == kind);
    document.and_then(|document| document.upload.as_ref())
}

/// What a header says.
fn said(call: &Call, header: &DocumentHeader) -> Upload {
    let size = u64::try_from(header.size).unwrap_or(0);
    documents::handed_in(&header.media_type, size, &header.sha256, call.moment)
}

/// Takes the bytes of a stream.
async fn take(incoming: &mut Incoming, mut parts: Streaming<UploadDocumentRequest>) -> Result<(), Status> {
    while let Some(message) = parts.message().await? {
        match message.part {
            Some(upload_document_request::Part::Chunk(chunk)) if chunk.len() <= CHUNK_IN => {
                incoming.write(&Bytes::from(chunk)).await.map_err(Failure::from)?;
            }
            Some(upload_document_request::Part::Chunk(_)) => {
                let (english, french) = ("at most 1 MiB at a time", "au plus 1 Mio à la fois");
                return Err(Failure::from(Error::invalid("chunk", "TOO_LARGE", english, french)).into());
            }
            _ => return Err(Failure::from(wire::required("chunk")).into()),
        }
    }
    Ok(())
}

/// A document on the wire.
fn answer(stored: &Stored, kind: DocumentKind) -> Result<SupportingDocument, Failure> {
    let application = &stored.application;
    let document = application.documents.iter().find(|document| document.kind == kind);
    let document = document.ok_or_else(|| Error::not_found(&application.id.name()))?;
    Ok(convert::application::document(application.id, document))
}

#[tonic::async_trait]
impl DocumentsService for Documents {
    async fn upload_document(
        &self,
        mut request: Request<Streaming<UploadDocumentRequest>>,
    ) -> Result<Response<SupportingDocument>, Status> {
        let first = request.get_mut().message().await?.and_then(|message| message.part);
        let Some(upload_document_request::Part::Header(header)) = first else {
            return Err(Failure::from(wire::required("header")).into());
        };
        let call = self.host.call(&request, &header.request_id)?;
        let (id, kind) = asked::document(&header.name).map_err(Failure::from)?;
        let before = applications::find(self.host.store().read(), id).await?;
        let replaced = before.as_ref().and_then(|stored| held(stored, kind)).map(|upload| upload.sha256.clone());
        self.receive(&call, &header, request.into_inner()).await?;
        let recorded = self.record(&call, &header).await;
        for sha256 in replaced.into_iter().chain([header.sha256]) {
            self.forget(id, kind, sha256).await?;
        }
        Ok(Response::new(answer(&recorded?, kind)?))
    }

    type DownloadDocumentStream = BoxStream<'static, Result<DownloadDocumentResponse, Status>>;

    async fn download_document(
        &self,
        request: Request<DownloadDocumentRequest>,
    ) -> Result<Response<Self::DownloadDocumentStream>, Status> {
        let call = self.host.call(&request, "")?;
        let name = request.into_inner().name;
        let (id, kind) = asked::document(&name).map_err(Failure::from)?;
        let stored = self.seen(&call, id).await?;
        let upload = held(&stored, kind).ok_or_else(|| Failure::from(Error::not_found(&name)))?;
        let bytes = self.files.read(id, kind, &upload.sha256).await.map_err(Failure::from)?;
        let part = |part| DownloadDocumentResponse { part: Some(part) };
        let first = part(download_document_response::Part::Document(answer(&stored, kind)?));
        let pieces = checked(bytes, upload.sha256.clone())
            .map_ok(move |piece| part(download_document_response::Part::Chunk(piece.to_vec())))
            .map_err(|error| Status::from(Failure::from(error)));
        let first: Result<_, Status> = Ok(first);
        Ok(Response::new(futures::stream::once(ready(first)).chain(pieces).boxed()))
    }

    async fn review_document(
        &self,
        request: Request<ReviewDocumentRequest>,
    ) -> Result<Response<SupportingDocument>, Status> {
        let call = self.host.call(&request, &request.get_ref().request_id)?;
        let (_, kind) = asked::document(&request.get_ref().name).map_err(Failure::from)?;
        let reviewed = self
            .host
            .command(&call, request.into_inner(), |tx, call, asked| {
                changed(tx, call, asked, |tx, call, before, asked| {
                    Box::pin(decide(tx, call, before, move |application, _| {
                        let (_, kind) = asked::document(&asked.name)?;
                        if asked.valid {
                            documents::validate(application, kind)
                        } else {
                            documents::reject(application, kind, &asked.reason)
                        }
                    }))
                })
            })
            .await?;
        Ok(Response::new(answer(&reviewed, kind)?))
    }
}

/// The bytes in small pieces; an error at the end where they are not what was kept.
fn checked(
    bytes: BoxStream<'static, Result<Bytes, Error>>,
    sha256: String,
) -> BoxStream<'static, Result<Bytes, Error>> {
    let pieces =
        bytes.map_ok(|bytes| futures::stream::iter(split(bytes).into_iter().map(Ok::<_, Error>))).try_flatten();
    let state = (pieces.boxed(), Some(Sha256::new()));
    futures::stream::try_unfold(state, move |(mut pieces, hash)| {
        let sha256 = sha256.clone();
        async move {
            let Some(mut hash) = hash else { return Ok(None) };
            if let Some(piece) = pieces.try_next().await? {
                hash.update(&piece);
                return Ok(Some((piece, (pieces, Some(hash)))));
            }
            if hex::encode(hash.finalize()) == sha256 {
                return Ok(None);
            }
            Err(Error::internal("the bytes of a document are not those that were kept"))
        }
    })
    .boxed()
}

fn split(mut bytes: Bytes) -> Vec<Bytes> {
    let mut pieces = Vec::with_capacity(bytes.len() / CHUNK_OUT + 1);
    while bytes.len() > CHUNK_OUT {
        pieces.push(bytes.split_to(CHUNK_OUT));
    }
    pieces.push(bytes);
    pieces
}
