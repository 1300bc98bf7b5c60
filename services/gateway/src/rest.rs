//! REST calls: found among the contracts' bindings, turned into gRPC, and their answers back into JSON.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use conum_kernel::Error;
use conum_service::{layers::grpc_timeout, status, telemetry};
use http::{StatusCode, header};
use tonic::{Code, Status, metadata::MetadataMap};

use crate::{
    NAME, case_file,
    edge::Edge,
    problem::Problem,
    routes::{Match, Miss},
    transcode::{self, Refusal},
};

/// How long a call may take where the caller does not say.
const DEADLINE: Duration = Duration::from_secs(20);

/// Answers one REST call.
pub async fn handle(State(edge): State<Edge>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    match answer(&edge, request).await {
        Ok(response) => response,
        Err(problem) => problem.at(&path).traced(telemetry::trace_id()).into_response(),
    }
}

async fn answer(edge: &Edge, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let found = edge.routes().find(&head.method, head.uri.path()).map_err(|miss: Miss| Problem::from(&miss))?;
    let service =
        Edge::service_of(found.binding.service(), named(&found)).ok_or_else(|| Problem::from(&Miss::NotFound))?;
    let caller = edge.caller(&head.headers).map_err(|error| problem(&error))?;
    let body = transcode::read_body(body).await.map_err(|refusal: Refusal| Problem::from(&refusal))?;
    let message = transcode::encode_request(&found, head.uri.query(), &head.headers, &body)
        .map_err(|refusal| Problem::from(&refusal))?;
    let headers = edge.identify(&caller, &service).await.map_err(|error| problem(&error))?;
    let deadline = head.headers.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(grpc_timeout);
    let path = found.binding.grpc_path.clone();
    let metadata = MetadataMap::from_headers(headers);
    let deadline = deadline.unwrap_or(DEADLINE).min(DEADLINE);
    let answer = if service == NAME {
        transcode::call(case_file::server(edge.clone()), path, message, metadata, deadline).await
    } else {
        let channel = edge.channel(&service).map_err(|error| problem(&error))?;
        transcode::call(channel, path, message, metadata, deadline).await
    };
    let json = answer
        .and_then(|answer| transcode::decode_response(found.binding, answer.into_inner()))
        .map_err(|status| Problem::from_status(&status))?;
    Response::builder()
        .status(StatusCode::OK)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from(json))
        .map_err(|_| Problem::from_status(&Status::new(Code::Internal, "")))
}

/// The service that a path names: `services/{service}/…`.
fn named<'a>(found: &'a Match<'_>) -> Option<&'a str> {
    let text = found.captures.iter().map(|capture| capture.text.as_str());
    text.filter_map(|text| text.strip_prefix("services/")).find_map(|rest| rest.split('/').next())
}

/// An error of the gateway, as a problem.
#[must_use]
pub fn problem(error: &Error) -> Problem {
    Problem::from_status(&status::of(error))
}
