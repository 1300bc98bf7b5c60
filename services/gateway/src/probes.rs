//! Whether the gateway lives, and whether the platform behind it is ready.

use std::time::Duration;

use axum::{Json, extract::State, response::IntoResponse};
use http::StatusCode;
use serde_json::{Map, Value, json};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::edge::Edge;

/// How long a service may take to say that it is well.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process lives.
pub async fn healthz() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

/// Every service behind the gateway serves: 200; otherwise 503, with each service's state.
pub async fn readyz(State(edge): State<Edge>) -> impl IntoResponse {
    let checks = edge.services().map(|(name, channel)| async move {
        let mut client = HealthClient::new(channel.clone());
        let check = tokio::time::timeout(PATIENCE, client.check(HealthCheckRequest { service: String::new() })).await;
        let serving = matches!(&check, Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving);
        (name.clone(), serving)
    });
    let states = futures::future::join_all(checks).await;
    let ready = states.iter().all(|(_, serving)| *serving);
    let services: Map<String, Value> = states
        .into_iter()
        .map(|(name, serving)| (name, Value::from(if serving { "serving" } else { "not serving" })))
        .collect();
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({ "status": if ready { "ready" } else { "not ready" }, "services": services })))
}
