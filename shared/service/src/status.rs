//! The one place that turns the platform's error into `google.rpc.Status`, and back at a caller.

use conum_kernel::{Error, Kind};
use conum_proto::google::rpc as proto;
use prost::Message as _;
use prost_types::Any;
use tonic::{Code, Status};
use tonic_types::pb;

/// The domain of our reasons in `ErrorInfo`.
pub const DOMAIN: &str = "conum";

/// The name of a gRPC code: FAILED_PRECONDITION.
#[must_use]
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The status of an error, with `ErrorInfo`, `BadRequest`, `LocalizedMessage` and `RetryInfo`. Its context is logged
/// and does not leave.
#[must_use]
pub fn of(error: &Error) -> Status {
    read(&message(error))
}

/// The same as a message, for an answer that holds several.
#[must_use]
pub fn message(error: &Error) -> proto::Status {
    if let Some(context) = error.context() {
        tracing::warn!(reason = error.reason(), context, "call failed");
    }
    let mut info = pb::ErrorInfo { reason: error.reason().into(), domain: DOMAIN.into(), ..Default::default() };
    if let Some(rule) = error.rule() {
        info.metadata.insert("rule".into(), rule.0.into());
    }
    for (key, value) in error.metadata() {
        info.metadata.insert((*key).into(), value.clone());
    }
    let mut details = vec![any("ErrorInfo", &info)];
    if !error.violations().is_empty() {
        for (index, violation) in error.violations().iter().enumerate() {
            if let Some(rule) = violation.rule {
                info.metadata.insert(format!("violations.{index}.rule"), rule.0.into());
            }
        }
        details[0] = any("ErrorInfo", &info);
        details.push(any("BadRequest", &bad_request(error)));
    }
    details.push(any("LocalizedMessage", &french(error.french())));
    if let Some(after) = error.retry() {
        let retry_delay = prost_types::Duration::try_from(after).ok();
        details.push(any("RetryInfo", &pb::RetryInfo { retry_delay }));
    }
    proto::Status { code: code(error.kind()) as i32, message: error.english().into(), details }
}

/// The status that a message holds.
#[must_use]
pub fn read(message: &proto::Status) -> Status {
    Status::with_details(Code::from_i32(message.code), &message.message, message.encode_to_vec().into())
}

fn bad_request(error: &Error) -> pb::BadRequest {
    let field_violations = error
        .violations()
        .iter()
        .map(|violation| pb::bad_request::FieldViolation {
            field: violation.field.clone(),
            description: violation.english.to_string(),
            reason: violation.reason.into(),
            localized_message: Some(french(&violation.french)),
        })
        .collect();
    pb::BadRequest { field_violations }
}

fn french(message: &str) -> pb::LocalizedMessage {
    pb::LocalizedMessage { locale: "fr".into(), message: message.into() }
}

fn any(name: &str, message: &impl prost::Message) -> Any {
    Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value: message.encode_to_vec() }
}

fn code(kind: Kind) -> Code {
    match kind {
        Kind::InvalidArgument => Code::InvalidArgument,
        Kind::FailedPrecondition => Code::FailedPrecondition,
        Kind::NotFound => Code::NotFound,
        Kind::AlreadyExists => Code::AlreadyExists,
        Kind::PermissionDenied => Code::PermissionDenied,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::Aborted => Code::Aborted,
        Kind::ResourceExhausted => Code::ResourceExhausted,
        Kind::Unavailable => Code::Unavailable,
        Kind::DeadlineExceeded => Code::DeadlineExceeded,
        Kind::Unimplemented => Code::Unimplemented,
        Kind::Internal => Code::Internal,
    }
}

/// The reason of a status, where it carries one.
#[must_use]
pub fn reason(status: &Status) -> Option<String> {
    info(status).map(|info| info.reason)
}

/// The rule of a status, where it carries one.
#[must_use]
pub fn rule(status: &Status) -> Option<String> {
    info(status).and_then(|mut info| info.metadata.remove("rule"))
}

/// The `ErrorInfo` of a status.
#[must_use]
pub fn info(status: &Status) -> Option<pb::ErrorInfo> {
    let decoded = pb::Status::decode(status.details()).ok()?;
    let any = decoded.details.into_iter().find(|any| any.type_url.ends_with("google.rpc.ErrorInfo"))?;
    pb::ErrorInfo::decode(any.value.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use conum_kernel::{Rule, Violations};

    use super::*;

    #[test]
    fn a_status_carries_reason_rule_fields_and_french_and_never_the_context() {
        let mut violations = Violations::default();
        violations.breaks(Rule("C01"), "candidate.birth_date", "TOO_YOUNG", "under 16", "moins de 16 ans");
        let status = of(&violations.into_error().because("secret"));
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!((reason(&status).as_deref(), rule(&status).as_deref()), (Some("TOO_YOUNG"), Some("C01")));
        assert!(!format!("{status:?}").contains("secret"));
        assert!(String::from_utf8_lossy(status.details()).contains("moins de 16 ans"));
    }
}
