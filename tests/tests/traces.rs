//! One decline through the gateway gives one connected trace over gateway, matching and its database, linked to the
//! deliveries in every other service that it reaches; and each service measures what operators are alerted of. Both are
//! caught as a collector would, over OTLP.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use conum_service::Caller;
use conum_testkit::callers;
use conum_tests::{
    journey::{Answer, Api, application, candidate},
    processes::{PATIENCE, Processes, SERVICES, confirmation, persist, until},
};
use http::{Method, StatusCode};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value as AnyValue},
    metrics::v1::{Metric, metric::Data, number_data_point::Value as Number},
    resource::v1::Resource,
    trace::v1::Span,
};
use prost::Message as _;
use serde_json::{Value, json};

/// What has arrived, each with the name of its service.
#[derive(Clone, Debug, Default)]
struct Trap {
    spans: Arc<Mutex<Vec<(String, Span)>>>,
    metrics: Arc<Mutex<Vec<(String, Metric)>>>,
}

impl Trap {
    /// A collector on a free port; answers its address.
    async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/v1/traces", post(take_spans))
            .route("/v1/metrics", post(take_metrics))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn spans(&self) -> Vec<(String, Span)> {
        self.spans.lock().unwrap().clone()
    }

    fn metrics(&self) -> Vec<(String, Metric)> {
        self.metrics.lock().unwrap().clone()
    }
}

/// The service that something comes from.
fn sender(resource: Option<Resource>) -> String {
    attribute(&resource.unwrap().attributes, "service.name").unwrap()
}

async fn take_metrics(State(trap): State<Trap>, body: Bytes) {
    for resource in ExportMetricsServiceRequest::decode(body).unwrap().resource_metrics {
        let service = sender(resource.resource);
        let metrics = resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
        trap.metrics.lock().unwrap().extend(metrics.map(|metric| (service.clone(), metric)));
    }
}

async fn take_spans(State(trap): State<Trap>, body: Bytes) {
    for resource in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
        let service = sender(resource.resource);
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        trap.spans.lock().unwrap().extend(spans.map(|span| (service.clone(), span)));
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
            Ok(()) => {
                // What tasks look up by themselves makes no traces of its own.
                let alone = |span: &Span| span.name.starts_with("sea_orm") && span.parent_span_id.is_empty();
                assert!(!trap.spans().iter().any(|(_, span)| alone(span)));
                return;
            }
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

#[tokio::test(flavor = "multi_thread")]
async fn each_service_measures_its_calls_and_what_waits_in_it() {
    let trap = Trap::default();
    let endpoint = trap.listen().await;
    let processes = Processes::start(&[
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &format!("{endpoint}/v1/metrics")),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
    ]);
    let api = processes.api().await;
    introduced(&api).await;
    let began = Instant::now();
    let mut missing = String::new();
    while began.elapsed() < PATIENCE {
        match measured(&trap.metrics()) {
            Ok(()) => {
                assert_eq!(trap.spans(), [], "traces were not asked for");
                assert_eq!(watched().difference(&known(&trap.metrics())).collect::<Vec<_>>(), Vec::<&String>::new());
                return;
            }
            Err(what) => missing = what,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{missing}\n{}", processes.logs());
}

/// The metrics that the alerts name.
fn watched() -> BTreeSet<String> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/alerts/conum.rules.yaml");
    let rules = std::fs::read_to_string(rules).unwrap();
    let words = rules.lines().filter(|line| !line.contains("summary:")).flat_map(|line| {
        line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').map(str::to_owned)
    });
    words.filter(|word| word.starts_with("conum_") || word.starts_with("rpc_server_")).collect()
}

/// The metrics that have arrived, as Prometheus names them.
fn known(metrics: &[(String, Metric)]) -> BTreeSet<String> {
    let names = metrics.iter().flat_map(|(_, metric)| {
        let unit = if metric.unit == "s" { "_seconds" } else { "" };
        let name = format!("{}{unit}", metric.name.replace('.', "_"));
        match metric.data.as_ref().unwrap() {
            Data::Sum(_) => vec![format!("{name}_total")],
            Data::Histogram(_) => ["bucket", "count", "sum"].map(|part| format!("{name}_{part}")).to_vec(),
            _ => vec![name],
        }
    });
    names.collect()
}

/// Whether all is measured that alerts rest on; otherwise what is missing.
fn measured(metrics: &[(String, Metric)]) -> Result<(), String> {
    for service in SERVICES {
        let of = |name: &str| metrics.iter().rev().find(|(from, metric)| from == service && metric.name == name);
        let data = |name: &str| of(name).and_then(|(_, metric)| metric.data.clone());
        let Some(Data::Gauge(events)) = data("conum.events.waiting") else {
            return Err(format!("{service} does not say what waits"));
        };
        let states: BTreeSet<_> =
            events.data_points.iter().filter_map(|point| attribute(&point.attributes, "state")).collect();
        assert_eq!(states.into_iter().collect::<Vec<_>>(), ["dead", "parked", "pending"]);
        let Some(Data::Gauge(_)) = data("conum.mails.waiting") else {
            return Err(format!("{service} does not say which mails wait"));
        };
    }
    let of_matching = |name: &str| {
        metrics.iter().rev().find(|(from, metric)| from == "matching" && metric.name == name).map(|(_, metric)| metric)
    };
    let Some(Data::Sum(violations)) = of_matching("conum.assignment.violations").and_then(|metric| metric.data.clone())
    else {
        return Err("matching does not say what was wrong".into());
    };
    assert_eq!(violations.data_points[0].value, Some(Number::AsInt(0)), "it is there before the first one");
    let Some(Data::Histogram(calls)) = of_matching("rpc.server.call.duration").and_then(|metric| metric.data.clone())
    else {
        return Err("matching measures no call".into());
    };
    let list = "conum.matching.v1.IntroductionsService/ListIntroductions";
    let listed = calls.data_points.iter().map(|point| &point.attributes).any(|of| {
        attribute(of, "rpc.method").as_deref() == Some(list)
            && attribute(of, "rpc.response.status_code").as_deref() == Some("OK")
    });
    if listed { Ok(()) } else { Err("matching does not measure the call that lists introductions".into()) }
}

/// A text that a figure is told apart by.
fn attribute(of: &[KeyValue], key: &str) -> Option<String> {
    let attribute = of.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.clone()? {
        AnyValue::StringValue(text) => Some(text),
        _ => None,
    }
}
