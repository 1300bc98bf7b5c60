use std::collections::HashMap;

use http_body_util::BodyExt as _;
use tonic_types::{ErrorDetail, FieldViolation};

use super::*;
use crate::transcode::{Expected, FaultKind};

/// The status that a service gives for a refused rule.
fn refusal() -> Status {
    let metadata = HashMap::from([
        ("rule".to_owned(), "A09".to_owned()),
        ("violations.1.rule".to_owned(), "A05".to_owned()),
        ("existing".to_owned(), "applications/7".to_owned()),
    ]);
    let french = |text: &str| Some(LocalizedMessage { locale: "fr".into(), message: text.into() });
    let violation = |field: &str, reason: &str, localized_message| FieldViolation {
        field: field.into(),
        description: "no".into(),
        reason: reason.into(),
        localized_message,
    };
    let details: Vec<ErrorDetail> = vec![
        ErrorInfo { reason: "SAME_WORK".into(), domain: "applications.conum.example".into(), metadata }.into(),
        LocalizedMessage { locale: "fr-FR".into(), message: "refusé".into() }.into(),
        tonic_types::BadRequest {
            field_violations: vec![
                violation("posts[0]", "SAME_WORK", french("non")),
                violation("posts[1]", "TOO_LATE", None),
                violation("posts[2]", "", None),
            ],
        }
        .into(),
        tonic_types::RetryInfo { retry_delay: Some(Duration::from_millis(1500)) }.into(),
    ];
    Status::with_error_details_vec(Code::FailedPrecondition, "refused", details)
}

async fn answered(problem: Problem) -> (http::HeaderMap, Value) {
    let (head, body) = problem.into_response().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(head.status.as_u16(), body["status"]);
    assert_eq!(head.headers[header::CONTENT_TYPE], MEDIA_TYPE);
    (head.headers, body)
}

#[tokio::test]
async fn the_details_of_a_status_become_members() {
    let problem = Problem::from_status(&refusal()).at("/v1/applications/7:addPosts").traced("abc");
    let (headers, body) = answered(problem).await;
    assert_eq!(headers[header::RETRY_AFTER], "2");
    assert_eq!(
        body,
        json!({
            "type": "/errors/SAME_WORK",
            "title": "Same work",
            "status": 400,
            "detail": "refused",
            "message_fr": "refusé",
            "code": "FAILED_PRECONDITION",
            "reason": "SAME_WORK",
            "rule": "A09",
            "violations": [
                {"field": "posts[0]", "reason": "SAME_WORK", "description": "no", "description_fr": "non"},
                {"field": "posts[1]", "rule": "A05", "reason": "TOO_LATE", "description": "no"},
                {"field": "posts[2]", "description": "no"},
            ],
            "metadata": {"existing": "applications/7"},
            "trace_id": "abc",
            "instance": "/v1/applications/7:addPosts",
        })
    );
}

#[test]
fn every_code_has_its_http_status() {
    for (code, name, status) in [
        (Code::Cancelled, "CANCELLED", 499),
        (Code::Unknown, "UNKNOWN", 500),
        (Code::InvalidArgument, "INVALID_ARGUMENT", 400),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", 504),
        (Code::NotFound, "NOT_FOUND", 404),
        (Code::AlreadyExists, "ALREADY_EXISTS", 409),
        (Code::PermissionDenied, "PERMISSION_DENIED", 403),
        (Code::ResourceExhausted, "RESOURCE_EXHAUSTED", 429),
        (Code::FailedPrecondition, "FAILED_PRECONDITION", 400),
        (Code::Aborted, "ABORTED", 409),
        (Code::OutOfRange, "OUT_OF_RANGE", 400),
        (Code::Unimplemented, "UNIMPLEMENTED", 501),
        (Code::Internal, "INTERNAL", 500),
        (Code::Unavailable, "UNAVAILABLE", 503),
        (Code::DataLoss, "DATA_LOSS", 500),
        (Code::Unauthenticated, "UNAUTHENTICATED", 401),
    ] {
        let problem = Problem::from_status(&Status::new(code, "x"));
        assert_eq!((problem.code, problem.status.as_u16(), problem.kind.as_str()), (name, status, "about:blank"));
        assert!(!problem.title.is_empty() && problem.message_fr.is_some());
    }
}

#[test]
fn a_message_that_no_service_wrote_is_not_told() {
    let secret = "invalid value jean@example.org";
    let told = |status: &Status| format!("{:?}", Problem::from_status(status));
    for code in [Code::InvalidArgument, Code::Internal, Code::Unknown, Code::Unavailable] {
        assert!(!told(&Status::new(code, secret)).contains("jean"), "{code:?}");
    }
    let info: ErrorDetail =
        ErrorInfo { reason: "INTERNAL".into(), domain: "x".into(), metadata: HashMap::new() }.into();
    let ours = Status::with_error_details_vec(Code::Internal, secret, vec![info]);
    assert!(!told(&ours).contains("jean"));
    assert_eq!(Problem::from_status(&ours).reason.as_deref(), Some("INTERNAL"));
    let info: ErrorDetail =
        ErrorInfo { reason: "no <reason>".into(), domain: "x".into(), metadata: HashMap::new() }.into();
    let odd = Status::with_error_details_vec(Code::NotFound, secret, vec![info]);
    assert_eq!(Problem::from_status(&odd).kind, "about:blank");
}

#[test]
fn details_that_cannot_be_read_are_left_out() {
    let status = Status::with_details(Code::Aborted, "x", bytes::Bytes::from_static(b"\xFF\xFF"));
    assert_eq!(Problem::from_status(&status).kind, "about:blank");
}

#[tokio::test]
async fn a_caller_without_identity_learns_how_to_give_one() {
    let (headers, body) = answered(Problem::from(&Status::unauthenticated("x"))).await;
    assert_eq!(headers[header::WWW_AUTHENTICATE], "Bearer");
    assert_eq!(body["detail"], "the call carries no valid identity");
}

#[tokio::test]
async fn what_the_router_misses_is_a_problem() {
    let (_, body) = answered(Problem::from(&Miss::NotFound)).await;
    assert_eq!((&body["status"], &body["reason"]), (&json!(404), &json!("NO_SUCH_PATH")));
    let miss = Miss::MethodNotAllowed(vec![http::Method::GET, http::Method::HEAD]);
    let (headers, body) = answered(Problem::from(&miss)).await;
    assert_eq!(headers[header::ALLOW], "GET, HEAD");
    assert_eq!(body["status"], 405);
    let (_, body) = answered(Problem::from(&Miss::Malformed)).await;
    assert_eq!(body["status"], 400);
}

#[tokio::test]
async fn what_the_gateway_refuses_is_a_problem() {
    for (refusal, status, reason) in [
        (Refusal::BodyTooLarge, 413, "BODY_TOO_LARGE"),
        (Refusal::BodyBrokeOff, 400, "BODY_BROKE_OFF"),
        (Refusal::UnsupportedMediaType, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (Refusal::MalformedJson { line: 1, column: 2 }, 400, "MALFORMED_JSON"),
        (Refusal::TooDeep, 400, "BODY_TOO_DEEP"),
        (Refusal::MalformedQuery, 400, "MALFORMED_QUERY"),
    ] {
        let (_, body) = answered(Problem::from(&refusal)).await;
        assert_eq!((&body["status"], &body["reason"]), (&json!(status), &json!(reason)));
        assert!(body["message_fr"].is_string());
    }
    let field = "application.profile.kind".to_owned();
    let fault = Fault { field, kind: FaultKind::WrongType(Expected::EnumName) };
    let (_, body) = answered(Problem::from(&Refusal::Invalid(vec![fault]))).await;
    assert_eq!(
        body["violations"],
        json!([{
            "field": "application.profile.kind",
            "reason": "WRONG_TYPE",
            "description": "expected the name of a value",
            "description_fr": "il faut le nom d'une valeur",
        }])
    );
}

#[tokio::test]
async fn every_member_is_in_the_schema() {
    let schema = schema();
    let (_, body) = answered(Problem::from_status(&refusal()).at("/x").traced("abc")).await;
    for (member, _) in body.as_object().unwrap() {
        assert!(schema["properties"].get(member).is_some(), "{member}");
    }
    for required in schema["required"].as_array().unwrap() {
        assert!(body.get(required.as_str().unwrap()).is_some());
    }
}
