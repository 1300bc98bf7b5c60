//! Calls to the platform for a line: sent again where it is out of service for a moment, and its refusals read as codes.

use std::time::Duration;

use conum_kernel::{Error, id::draw};
use conum_proto::access::v1::Role;
use conum_service::{Caller, status};
use prost::Message as _;
use tonic::{Code, Request, Response, Status};
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
        let caller = Caller { subject: "import".into(), roles: vec![Role::Agency], owned: Vec::new() };
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let request = self.voice.by(&caller, message.clone()).await?;
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

fn refusal(refused: &Status) -> Refusal {
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
