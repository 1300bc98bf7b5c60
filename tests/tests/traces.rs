//! One decline through the gateway gives one connected trace over gateway, matching and its database, linked to the
//! deliveries in every other service that it reaches. Spans are caught as a collector would, over OTLP.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use conum_service::Caller;
use conum_testkit::callers;
use conum_tests::{
    journey::{Answer, Api, application, candidate},
    processes::{PATIENCE, Processes, confirmation, persist, until},
};
use http::{Method, StatusCode};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as AnyValue, trace::v1::Span,
};
use prost::Message as _;
use serde_json::{Value, json};

/// The spans that arrived, each with the name of its service.
#[derive(Clone, Debug, Default)]
struct Trap(Arc<Mutex<Vec<(String, Span)>>>);

impl Trap {
    /// A collector on a free port; answers its address.
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/traces", post(take)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn spans(&self) -> Vec<(String, Span)> {
        self.0.lock().unwrap().clone()
    }
}

async fn take(State(trap): State<Trap>, body: Bytes) {
    for resource in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
        let attributes = resource.resource.unwrap().attributes;
        let name = attributes.iter().find(|attribute| attribute.key == "service.name").unwrap();
        let Some(AnyValue::StringValue(service)) = name.value.clone().unwrap().value else { continue };
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        trap.0.lock().unwrap().extend(spans.map(|span| (service.clone(), span)));
    }
}

fn ok(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

async fn send(api: &Api, caller: Option<&Caller>, path: &str, body: Value) -> Value {
    ok(&persist(api, caller, Method::POST, path, body).await)
}

/// A granted structure with three introductions; answers the name of one, and who may decline it.
async fn introduced(api: &Api) -> (String, Caller) {
    let agency = callers::agency();
    let policy = json!({ "value": "2099-12-31", "why": "A new season" });
    send(api, Some(&agency), "/v1/services/applications/policies/closing-date:set", policy).await;
    for letter in ["a", "b", "c", "d"] {
        send(api, None, "/v1/candidates", candidate(letter)).await;
    }
    let created = send(api, None, "/v1/applications", application("21690123100011", "c@lyon.example", 1)).await;
    let name = created["name"].as_str().unwrap();
    let structure = callers::structure(created["structure"].as_str().unwrap());
    let token = confirmation(api).await.unwrap();
    send(api, None, &format!("/v1/{name}:confirmAddress"), json!({ "token": token })).await;
    let opinion = json!({ "favourable": true });
    send(api, Some(&callers::prefect("69")), &format!("/v1/{name}:recordOpinion"), opinion).await;
    let wave = json!({ "committeeDate": { "year": 2026, "month": 1, "day": 5 } });
    let wave = send(api, Some(&agency), "/v1/waves", wave).await["name"].as_str().unwrap().to_owned();
    send(api, Some(&agency), &format!("/v1/{name}:grantPosts"), json!({ "wave": wave })).await;
    send(api, Some(&agency), &format!("/v1/{wave}:activate"), json!({})).await;
    let three = |seen: &Value| seen["introductions"].as_array().is_some_and(|list| list.len() == 3);
    let seen = until(api, &structure, "/v1/introductions?liveOnly=true", "three introductions", three).await;
    (seen["introductions"][0]["name"].as_str().unwrap().to_owned(), structure)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_is_one_trace_from_the_gateway_to_the_database_linked_to_its_deliveries() {
    let trap = Trap::default();
    let endpoint = trap.listen().await;
    let processes = Processes::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ]);
    let api = processes.api().await;
    let (introduction, structure) = introduced(&api).await;
    let path = format!("/v1/{introduction}:decline");
    send(&api, Some(&structure), &path, json!({})).await;

    let began = Instant::now();
    let mut missing = String::new();
    while began.elapsed() < PATIENCE {
        match connected(&trap.spans(), &path) {
            Ok(()) => return,
            Err(what) => missing = what,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{missing}\n{}", processes.logs());
}

/// Whether the spans hold the whole of the decline; otherwise what is missing.
fn connected(spans: &[(String, Span)], path: &str) -> Result<(), String> {
    let (_, root) = spans
        .iter()
        .find(|(service, span)| service == "gateway" && span.name.contains(path))
        .ok_or("no span of the gateway")?;
    let trace: Vec<_> = spans.iter().filter(|(_, span)| span.trace_id == root.trace_id).collect();
    let parents: HashMap<&[u8], &[u8]> =
        trace.iter().map(|(_, span)| (span.span_id.as_slice(), span.parent_span_id.as_slice())).collect();
    // Every span of the trace leads up to the gateway's.
    for (service, span) in &trace {
        let mut at = span.span_id.as_slice();
        while at != root.span_id.as_slice() {
            at = parents.get(at).copied().ok_or(format!("{service}'s {} hangs in the air", span.name))?;
        }
    }
    let method = "conum.matching.v1.IntroductionsService/DeclineIntroduction";
    let has = |named: &dyn Fn(&Span) -> bool| trace.iter().any(|(service, span)| service == "matching" && named(span));
    if !has(&|span| span.name == method) {
        return Err("no span of matching's method".into());
    }
    if !has(&|span| span.name.starts_with("sea_orm")) {
        let names: HashSet<_> = trace.iter().map(|(service, span)| format!("{service}/{}", span.name)).collect();
        return Err(format!("no span of matching's database among {names:?}"));
    }
    for service in ["applications", "candidates"] {
        let deliver = "conum.events.v1.EventSinkService/Deliver";
        let linked = spans.iter().any(|(of, span)| {
            of == service && span.name == deliver && span.links.iter().any(|link| link.trace_id == root.trace_id)
        });
        if !linked {
            return Err(format!("no delivery in {service} is linked to the decline"));
        }
    }
    Ok(())
}
