//! Calls to the platform for a line: sent again where it is out of service for a moment, and its refusals read as codes.

use std::time::Duration;

use conum_kernel::{Error, id::draw};
use conum_proto::{
    access::v1::Role,
    candidates::v1::{ImportCandidatesRequest, ImportCandidatesResponse, ImportedCandidate, ImportedLine},
};
use conum_service::{Caller, status};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::pb;
use uuid::Builder;

use super::reading::wrong;
use crate::voice::Voice;

/// How often a call is sent before the import stops.
const TRIES: u32 = 6;
/// How long the first pause is; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(200);

/// What an import asks with.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) voice: Voice,
    /// The SHA-256 of the file.
    pub(crate) file: String,
}

/// An answer to a line.
#[derive(Clone, Debug)]
pub(crate) enum Answer<T> {
    Done(T),
    Refused(Refusal),
}

/// Why a line was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Codes; `column:CODE` where a column is to blame.
    pub(crate) reasons: Vec<String>,
    /// What the line is a double of.
    pub(crate) existing: Option<String>,
}

impl Asking {
    /// The request id of a line: the same line of the same file is the same request.
    pub(crate) fn request_id(&self, what: &str, line: u64) -> String {
        let bytes = draw(&self.file, &line.to_string(), &format!("import {what}"));
        let (first, _) = bytes.split_first_chunk::<16>().map_or(([0; 16], &[][..]), |(first, rest)| (*first, rest));
        Builder::from_random_bytes(first).into_uuid().to_string()
    }

    /// Asks for a line, in the name of the agency.
    ///
    /// # Errors
    /// Where the platform stays out of service, or does not let the agency in: the import stops there.
    pub(crate) async fn ask<T: Clone, R>(
        &self,
        line: u64,
        message: T,
        mut call: impl AsyncFnMut(Request<T>) -> Result<Response<R>, Status>,
    ) -> Result<Answer<R>, Error> {
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let request = self.voice.by(&agency(), message.clone()).await?;
            match call(request).await {
                Ok(answer) => return Ok(Answer::Done(answer.into_inner())),
                Err(refused) if is_about_the_line(refused.code()) => return Ok(Answer::Refused(refusal(&refused))),
                Err(refused) if passes(refused.code()) && tries < TRIES => {
                    tokio::time::sleep(pause).await;
                    (pause, tries) = (pause * 2, tries + 1);
                }
                Err(refused) => return Err(stopped(line, &refused)),
            }
        }
    }
}

/// The stream that batches of candidates go through: opened when it is first used, and again after a loss.
#[derive(Debug, Default)]
pub(crate) struct Batches(Option<Open>);

#[derive(Debug)]
struct Open {
    batches: mpsc::Sender<ImportCandidatesRequest>,
    answers: Streaming<ImportCandidatesResponse>,
}

impl Batches {
    /// Sends a batch, and waits for what became of it. One that was not answered is sent again, which changes nothing
    /// where it was heard the first time.
    ///
    /// # Errors
    /// Where the platform stays out of service, or does not let the agency in: the import stops there.
    pub(crate) async fn ask(
        &mut self,
        asking: &Asking,
        candidates: Vec<ImportedCandidate>,
    ) -> Result<Vec<ImportedLine>, Error> {
        let Some(first) = candidates.first().map(|line| line.line) else { return Ok(Vec::new()) };
        let batch = ImportCandidatesRequest { candidates };
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            match self.send(asking, batch.clone()).await? {
                Ok(lines) => return Ok(lines),
                Err(refused) if passes(refused.code()) && tries < TRIES => {
                    self.0 = None;
                    tokio::time::sleep(pause).await;
                    (pause, tries) = (pause * 2, tries + 1);
                }
                Err(refused) => return Err(stopped(u64::try_from(first).unwrap_or_default(), &refused)),
            }
        }
    }

    async fn send(
        &mut self,
        asking: &Asking,
        batch: ImportCandidatesRequest,
    ) -> Result<Result<Vec<ImportedLine>, Status>, Error> {
        if self.0.is_none() {
            let (batches, queue) = mpsc::channel(1);
            let request = asking.voice.by(&agency(), ReceiverStream::new(queue)).await?;
            match asking.voice.candidates().import_candidates(request).await {
                Ok(answers) => self.0 = Some(Open { batches, answers: answers.into_inner() }),
                Err(refused) => return Ok(Err(refused)),
            }
        }
        let Some(open) = &mut self.0 else { return Err(Error::internal("the stream is not open")) };
        let lost = || Status::unavailable("the stream was lost");
        if open.batches.send(batch).await.is_err() {
            return Ok(Err(lost()));
        }
        Ok(open.answers.message().await.and_then(|answer| answer.ok_or_else(lost)).map(|answer| answer.lines))
    }
}

fn agency() -> Caller {
    Caller { subject: "import".into(), roles: vec![Role::Agency], owned: Vec::new() }
}

/// Whether the line is to blame, and another may do better.
fn is_about_the_line(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument | Code::FailedPrecondition | Code::AlreadyExists | Code::NotFound | Code::OutOfRange
    )
}

/// Whether the same call may do better in a moment.
fn passes(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Aborted | Code::Cancelled
    )
}

fn stopped(line: u64, refused: &Status) -> Error {
    let reason = status::reason(refused).unwrap_or_default();
    let code = refused.code();
    let message =
        format!("line {line}: the platform answers {code:?} {reason}; import the file again to go on from there");
    wrong("IMPORT_STOPPED", message)
}

/// Why a line was refused, as codes.
pub(crate) fn refusal(refused: &Status) -> Refusal {
    let info = status::info(refused).unwrap_or_default();
    let mut reasons: Vec<_> =
        violations(refused).into_iter().map(|violation| blamed(&violation.field, &violation.reason)).collect();
    if reasons.is_empty() {
        reasons.push(if info.reason.is_empty() { format!("{:?}", refused.code()) } else { info.reason });
    }
    Refusal { reasons, existing: info.metadata.get("existing").cloned() }
}

fn violations(refused: &Status) -> Vec<pb::bad_request::FieldViolation> {
    let Ok(decoded) = pb::Status::decode(refused.details()) else { return Vec::new() };
    let bad = decoded.details.into_iter().find(|any| any.type_url.ends_with("google.rpc.BadRequest"));
    let bad = bad.and_then(|any| pb::BadRequest::decode(any.value.as_slice()).ok());
    bad.map(|bad| bad.field_violations).unwrap_or_default()
}

/// The wrong columns of an error.
pub(crate) fn violated(error: &Error) -> Vec<String> {
    error.violations().iter().map(|violation| blamed(&violation.field, violation.reason)).collect()
}

/// `column:REASON`, for a field of a request.
fn blamed(field: &str, reason: &str) -> String {
    let last = field.rsplit('.').next().unwrap_or(field);
    let column = match last.split('[').next().unwrap_or(last) {
        "reach" => "max_km",
        "situation" => "status",
        "departments" => "wished_departments",
        column => column,
    };
    format!("{column}:{reason}")
}

#[cfg(test)]
mod tests {
    use conum_kernel::{Rule, Violations};

    use super::*;

    #[test]
    fn a_refusal_is_read_as_columns_and_codes_and_names_what_exists() {
        let mut violations = Violations::default();
        violations.breaks(Rule("C01"), "candidate.birth_date", "TOO_YOUNG", "under 16", "moins de 16 ans");
        violations.add("candidate.wishes.departments[1]", "UNKNOWN_DEPARTMENT", "no", "non");
        let refused = refusal(&status::of(&violations.into_error()));
        assert_eq!(refused.reasons, ["birth_date:TOO_YOUNG", "wished_departments:UNKNOWN_DEPARTMENT"]);
        let double = Error::already_exists(Some(Rule("C08")), "ALREADY_REGISTERED", "candidates/c", "no", "non");
        let refused = refusal(&status::of(&double));
        assert_eq!(
            (refused.reasons, refused.existing),
            (vec!["ALREADY_REGISTERED".into()], Some("candidates/c".into()))
        );
    }
}
