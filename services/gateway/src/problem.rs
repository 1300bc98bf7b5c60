//! Errors for callers of REST: `application/problem+json` (RFC 9457), made of the status of a service or of what the
//! gateway itself refuses. Nothing in it quotes what the caller sent, but for the path.

use std::{collections::BTreeMap, time::Duration};

use axum::response::{IntoResponse, Response};
use conum_service::status::code_name;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, ErrorInfo, LocalizedMessage, StatusExt as _};

use crate::{
    routes::Miss,
    transcode::{Fault, Refusal},
};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error, as a caller of REST sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// `/errors/REASON`, or `about:blank` when there is no reason.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short, in English, the same for every problem of the type.
    pub title: String,
    /// The HTTP status.
    #[serde(serialize_with = "as_number")]
    pub status: StatusCode,
    /// What happened, in English.
    pub detail: String,
    /// What happened, in French, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_fr: Option<String>,
    /// The name of the gRPC code.
    pub code: &'static str,
    /// UPPER_SNAKE_CASE, stable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The rule of the programme that refuses the request, A09 for instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The wrong fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// Facts for machines, such as the name of the resource that exists already.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The trace of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// When to try again.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// The methods that the path takes.
    #[serde(skip)]
    pub allow: Option<HeaderValue>,
}

/// A wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Its path in the request message.
    pub field: String,
    /// The rule of the programme that it breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// UPPER_SNAKE_CASE, stable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is wrong, in English.
    pub description: String,
    /// What is wrong, in French.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description_fr: Option<String>,
}

impl Problem {
    /// A problem of the gateway itself. `reason` is UPPER_SNAKE_CASE.
    #[must_use]
    pub fn new(code: Code, reason: &str, english: impl Into<String>, french: impl Into<String>) -> Self {
        Self::blank(code).with_reason(reason).saying(english, Some(french.into()))
    }

    /// The status that a service answered. Its message is told only where the service gave it a reason, and never for
    /// an internal error: any other message was made by a library, which may quote what it read.
    #[must_use]
    pub fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let mut problem = Self::blank(status.code());
        problem.retry_after = details.retry_info().and_then(|retry| retry.retry_delay);
        let Some(info) = details.error_info().filter(|info| is_reason(&info.reason)) else { return problem };
        problem = problem.with_reason(&info.reason);
        if is_fault_of_ours(status.code()) {
            return problem;
        }
        problem = problem.saying(status.message(), french(details.localized_message()));
        problem.rule = info.metadata.get("rule").cloned();
        problem.metadata = facts(info);
        problem.violations = violations(&details, info);
        problem
    }

    /// Names the path of the request.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.instance = Some(path.into());
        self
    }

    /// Names the trace of the call.
    #[must_use]
    pub fn traced(mut self, trace_id: impl Into<String>) -> Self {
        self.trace_id = Some(trace_id.into());
        self
    }

    /// Answers another HTTP status than the code's.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The problem of a code of which nothing else is known.
    fn blank(code: Code) -> Self {
        let status = http_status(code);
        let (english, french) = plain(code);
        Self {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or("Client Closed Request").into(),
            status,
            detail: english.into(),
            message_fr: Some(french.into()),
            code: code_name(code),
            reason: None,
            rule: None,
            violations: Vec::new(),
            metadata: BTreeMap::new(),
            trace_id: None,
            instance: None,
            retry_after: None,
            allow: None,
        }
    }

    fn with_reason(mut self, reason: &str) -> Self {
        self.kind = format!("/errors/{reason}");
        self.title = title(reason);
        self.reason = Some(reason.to_owned());
        self
    }

    fn saying(mut self, english: impl Into<String>, french: Option<String>) -> Self {
        self.detail = english.into();
        self.message_fr = french;
        self
    }
}

impl From<&Status> for Problem {
    fn from(status: &Status) -> Self {
        Self::from_status(status)
    }
}

impl From<&Miss> for Problem {
    fn from(miss: &Miss) -> Self {
        let problem = match miss {
            Miss::NotFound => {
                Self::new(Code::NotFound, "NO_SUCH_PATH", "there is no such path", "ce chemin n'existe pas")
            }
            Miss::MethodNotAllowed(_) => Self::new(
                Code::Unimplemented,
                "METHOD_NOT_ALLOWED",
                "this path does not take this method",
                "ce chemin n'accepte pas cette méthode",
            )
            .with_status(StatusCode::METHOD_NOT_ALLOWED),
            Miss::Malformed => Self::new(
                Code::InvalidArgument,
                "MALFORMED_PATH",
                "the path is not valid percent-encoded UTF-8",
                "le chemin n'est pas de l'UTF-8 correctement échappé",
            ),
        };
        Self { allow: miss.allow(), ..problem }
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let invalid =
            |reason: &str, english: &str, french: &str| Self::new(Code::InvalidArgument, reason, english, french);
        match refusal {
            Refusal::BodyTooLarge => Self::new(
                Code::ResourceExhausted,
                "BODY_TOO_LARGE",
                "the body is larger than 1 MiB",
                "le corps de la requête dépasse 1 Mio",
            )
            .with_status(StatusCode::PAYLOAD_TOO_LARGE),
            Refusal::UnsupportedMediaType => invalid(
                "UNSUPPORTED_MEDIA_TYPE",
                "the body must be application/json in UTF-8",
                "le corps de la requête doit être de l'application/json en UTF-8",
            )
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE),
            Refusal::BodyBrokeOff => {
                invalid("BODY_BROKE_OFF", "the body broke off", "le corps de la requête s'est interrompu")
            }
            Refusal::MalformedJson { line, column } => invalid(
                "MALFORMED_JSON",
                &format!("the body is not JSON, see line {line}, column {column}"),
                &format!("le corps de la requête n'est pas du JSON, voir ligne {line}, colonne {column}"),
            ),
            Refusal::TooDeep => invalid(
                "BODY_TOO_DEEP",
                "the arrays and objects of the body are nested too deeply",
                "les tableaux et objets du corps de la requête sont trop imbriqués",
            ),
            Refusal::MalformedQuery => invalid(
                "MALFORMED_QUERY",
                "the query is not valid percent-encoded UTF-8",
                "les paramètres ne sont pas de l'UTF-8 correctement échappé",
            ),
            Refusal::Invalid(faults) => Self {
                violations: faults.iter().map(Violation::from).collect(),
                ..invalid(
                    "INVALID_REQUEST",
                    "fields of the request are wrong",
                    "des champs de la requête sont à corriger",
                )
            },
        }
    }
}

impl From<&Fault> for Violation {
    fn from(fault: &Fault) -> Self {
        Self {
            field: fault.field.clone(),
            rule: None,
            reason: Some(fault.kind.reason().to_owned()),
            description: fault.kind.english(),
            description_fr: Some(fault.kind.french()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, allow);
        }
        response
    }
}

/// The HTTP status of a gRPC code, as `google/rpc/code.proto` says.
#[must_use]
pub fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What a code means where nothing else may be told, in English and in French.
fn plain(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::Cancelled => ("the call was cancelled", "l'appel a été annulé"),
        Code::InvalidArgument | Code::OutOfRange => ("the request is wrong", "la requête est à corriger"),
        Code::FailedPrecondition => ("the present state refuses the request", "l'état actuel refuse la requête"),
        Code::Unauthenticated => ("the call carries no valid identity", "l'appel ne porte pas d'identité valable"),
        Code::PermissionDenied => {
            ("the caller's identity does not allow this call", "votre identité ne permet pas cette action")
        }
        Code::NotFound => ("what is named does not exist", "ce qui est nommé n'existe pas"),
        Code::AlreadyExists => ("what would be created exists", "ce qui serait créé existe déjà"),
        Code::Aborted => ("the state has changed meanwhile", "l'état a changé entre-temps"),
        Code::ResourceExhausted => ("too much at once", "trop de demandes à la fois"),
        Code::Unimplemented => ("the service does not offer this", "le service ne le propose pas"),
        Code::Unavailable => ("out of service for now", "service momentanément indisponible"),
        Code::DeadlineExceeded => ("the deadline has passed", "le délai est dépassé"),
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => ("internal error", "erreur interne"),
    }
}

fn is_fault_of_ours(code: Code) -> bool {
    matches!(code, Code::Unknown | Code::Internal | Code::DataLoss)
}

fn is_reason(reason: &str) -> bool {
    !reason.is_empty() && reason.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// NO_SUCH_PATH as "No such path".
fn title(reason: &str) -> String {
    let lower = reason.to_ascii_lowercase().replace('_', " ");
    let first = lower.get(..1).unwrap_or_default().to_ascii_uppercase();
    first + lower.get(1..).unwrap_or_default()
}

fn french(message: Option<&LocalizedMessage>) -> Option<String> {
    message.filter(|message| message.locale.starts_with("fr")).map(|message| message.message.clone())
}

/// The metadata of an error, less its rules, which have members of their own.
fn facts(info: &ErrorInfo) -> BTreeMap<String, String> {
    let facts = info.metadata.iter().filter(|(key, _)| *key != "rule" && !key.starts_with("violations."));
    facts.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The wrong fields. Their rules stand in the error's metadata, as `violations.0.rule`.
fn violations(details: &ErrorDetails, info: &ErrorInfo) -> Vec<Violation> {
    let violations = details.bad_request().map(|request| request.field_violations.as_slice()).unwrap_or_default();
    violations
        .iter()
        .enumerate()
        .map(|(index, violation)| Violation {
            field: violation.field.clone(),
            rule: info.metadata.get(&format!("violations.{index}.rule")).cloned(),
            reason: Some(violation.reason.clone()).filter(|reason| is_reason(reason)),
            description: violation.description.clone(),
            description_fr: french(violation.localized_message.as_ref()),
        })
        .collect()
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

/// The JSON Schema of a problem, for OpenAPI.
#[must_use]
pub fn schema() -> Value {
    json!({
        "type": "object",
        "description": "An error (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {
                "type": "string",
                "format": "uri-reference",
                "description": "/errors/REASON, or about:blank when there is no reason.",
            },
            "title": {"type": "string", "description": "Short, the same for every problem of the type."},
            "status": {"type": "integer", "format": "int32", "description": "The HTTP status."},
            "detail": {"type": "string", "description": "What happened, in English."},
            "message_fr": {"type": "string", "description": "What happened, in French."},
            "code": {"type": "string", "description": "The name of the gRPC code."},
            "reason": {"type": "string", "description": "UPPER_SNAKE_CASE, stable."},
            "rule": {"type": "string", "description": "The rule of the programme that refuses the request."},
            "violations": {
                "type": "array",
                "description": "The wrong fields.",
                "items": {
                    "type": "object",
                    "required": ["field", "description"],
                    "properties": {
                        "field": {"type": "string", "description": "The path of the field in the request message."},
                        "rule": {"type": "string", "description": "The rule of the programme that it breaks."},
                        "reason": {"type": "string", "description": "UPPER_SNAKE_CASE, stable."},
                        "description": {"type": "string", "description": "What is wrong, in English."},
                        "description_fr": {"type": "string", "description": "What is wrong, in French."},
                    },
                },
            },
            "metadata": {
                "type": "object",
                "description": "Facts for machines.",
                "additionalProperties": {"type": "string"},
            },
            "trace_id": {"type": "string", "description": "The trace of the call."},
            "instance": {"type": "string", "format": "uri-reference", "description": "The path of the request."},
        },
    })
}

#[cfg(test)]
mod tests;
