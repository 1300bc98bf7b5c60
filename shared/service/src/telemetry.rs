//! Traces, metrics, logs and their context: W3C trace context in and out, OTLP where the standard `OTEL_` variables ask
//! for it, JSON log lines with trace ids.

use std::{env, sync::OnceLock};

use conum_kernel::id::jitter;
use http::HeaderMap;
use opentelemetry::{
    Context, KeyValue, global,
    propagation::{Extractor, Injector, TextMapPropagator as _},
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_sdk::{
    Resource,
    metrics::{SdkMeterProvider, periodic_reader_with_async_runtime::PeriodicReader},
    propagation::TraceContextPropagator,
    runtime,
    trace::{SdkTracerProvider, span_processor_with_async_runtime::BatchSpanProcessor},
};
use tracing::{Metadata, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, LevelFilter, dynamic_filter_fn, filter_fn},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Keeps the exporter alive; what it holds is sent when this is dropped.
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
    meters: Option<SdkMeterProvider>,
}

static MEASURED: OnceLock<()> = OnceLock::new();

/// Whether metrics leave this process.
pub(crate) fn is_measured() -> bool {
    MEASURED.get().is_some()
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logs {
    /// One JSON object a line, on standard error.
    Json,
    /// Only warnings, as text: for commands that a person runs.
    Quiet,
}

/// Starts telemetry for a process. Traces and metrics leave it only where `OTEL_EXPORTER_OTLP_ENDPOINT` or the variable of
/// one of them (`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`) is set; `RUST_LOG` filters
/// the log.
#[must_use]
pub fn start(service: &'static str, logs: Logs) -> Telemetry {
    let provider = exporter_wanted("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").then(|| provider(service)).flatten();
    let meters = exporter_wanted("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").then(|| meters(service)).flatten();
    let traces =
        provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("conum"))
                .with_location(false)
                .with_threads(false)
                .with_filter(EnvFilter::new("info,conum=debug,sea_orm=info,h2=off,hyper=off,tonic=off,tower=off").and(
                    dynamic_filter_fn(|metadata, context| !is_query(metadata) || context.lookup_current().is_some()),
                ))
        });
    let default = if logs == Logs::Json { "info,sqlx=warn" } else { "warn,sqlx=error" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let (json, text) = match logs {
        Logs::Json => {
            let layer = tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .with_writer(std::io::stderr)
                // The hint leaves the level to the other filter: without one, spans of every level would be looked at.
                .with_filter(filter.and(filter_fn(is_line).with_max_level_hint(LevelFilter::TRACE)));
            (Some(layer), None)
        }
        Logs::Quiet => {
            let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(filter);
            (None, Some(layer))
        }
    };
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(traces).with(json).with(text).try_init();
    Telemetry { provider, meters }
}

/// Whether something is a span of the database. Outside of a call or a delivery it belongs to a task that looks whether
/// anything is due, some times a second: traces of those alone would bury the others.
fn is_query(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && (metadata.target().starts_with("sea_orm") || metadata.name() == "sqlite")
}

/// Log lines name no spans: where nothing is exported, none is made.
fn is_line(metadata: &Metadata<'_>) -> bool {
    metadata.is_event()
}

impl Telemetry {
    /// Sends what is held.
    pub fn flush(&self) {
        if let Some(provider) = &self.provider {
            let _ = provider.force_flush();
        }
        if let Some(meters) = &self.meters {
            let _ = meters.force_flush();
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take() {
            let _ = provider.shutdown();
        }
        if let Some(meters) = self.meters.take() {
            let _ = meters.shutdown();
        }
    }
}

/// Whether there is somewhere to export to: the endpoint of all, or of one kind by its variable.
fn exporter_wanted(own: &str) -> bool {
    let off = env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value == "true");
    let set = |name| env::var(name).is_ok_and(|value: String| !value.is_empty());
    !off && (set("OTEL_EXPORTER_OTLP_ENDPOINT") || set(own))
}

fn provider(service: &'static str) -> Option<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build().ok()?;
    // The exporter's HTTP client lives on tokio: so does what feeds it.
    let processor = BatchSpanProcessor::builder(exporter, runtime::Tokio).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).with_resource(resource(service)).build();
    global::set_tracer_provider(provider.clone());
    Some(provider)
}

fn meters(service: &'static str) -> Option<SdkMeterProvider> {
    let exporter = opentelemetry_otlp::MetricExporter::builder().with_http().build().ok()?;
    let reader = PeriodicReader::builder(exporter, runtime::Tokio).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).with_resource(resource(service)).build();
    global::set_meter_provider(meters.clone());
    MEASURED.get_or_init(|| ());
    Some(meters)
}

/// Who sends what leaves.
fn resource(service: &'static str) -> Resource {
    // `Resource::builder` reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES; the name is ours only without them.
    let mut resource = Resource::builder();
    if env::var("OTEL_SERVICE_NAME").is_err() {
        resource = resource.with_service_name(service);
    }
    resource.with_attribute(KeyValue::new("service.namespace", "conum")).build()
}

tokio::task_local! {
    /// The `traceparent` of a call where nothing is exported: the caller's, or a fresh one. Logs and errors name its
    /// trace all the same, and events carry it.
    static CARRIED: String;
}

/// Runs a call under a trace: the current span's where traces are exported, otherwise the one that the headers name, or
/// a fresh one.
pub async fn traced<F: Future>(headers: &HeaderMap, call: F) -> F::Output {
    let named = || {
        let parent = headers.get("traceparent")?.to_str().ok()?;
        context(parent).map(|_| parent.to_owned())
    };
    let carried = if spanned().is_empty() { named().unwrap_or_else(fresh) } else { String::new() };
    carry(carried, call).await
}

/// Runs part of a call elsewhere under the same trace.
pub async fn carry<F: Future>(traceparent: String, part: F) -> F::Output {
    CARRIED.scope(traceparent, part).await
}

/// A trace of its own, not sampled.
fn fresh() -> String {
    let (high, low, span) = (jitter(u64::MAX), jitter(u64::MAX), jitter(u64::MAX));
    format!("00-{high:016x}{low:016x}-{span:016x}-00")
}

/// The `traceparent` of the current call, or "" outside of one.
#[must_use]
pub fn traceparent() -> String {
    let spanned = spanned();
    if spanned.is_empty() { CARRIED.try_with(Clone::clone).unwrap_or_default() } else { spanned }
}

/// The `traceparent` of the current span, or "" where nothing is exported.
fn spanned() -> String {
    let mut carrier = Carrier(String::new());
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.0
}

/// The trace id of the current call, or "" outside of one.
#[must_use]
pub fn trace_id() -> String {
    traceparent().split('-').nth(1).unwrap_or_default().to_owned()
}

/// Makes a span the child of the caller's, as its headers say.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    if let Some(parent) = headers.get("traceparent").and_then(|value| value.to_str().ok())
        && let Some(context) = context(parent)
    {
        let _ = span.set_parent(context);
    }
}

/// Links a span to others, by their `traceparent`.
pub fn link<'a>(span: &Span, traceparents: impl Iterator<Item = &'a str>) {
    let mut seen = Vec::new();
    for parent in traceparents {
        if !parent.is_empty() && !seen.contains(&parent) && seen.len() < 64 {
            seen.push(parent);
            if let Some(context) = context(parent) {
                span.add_link(context.span().span_context().clone());
            }
        }
    }
}

/// Adds the current trace context to outgoing headers.
pub fn inject(headers: &mut HeaderMap) {
    let traceparent = traceparent();
    if let Ok(value) = traceparent.parse()
        && !traceparent.is_empty()
    {
        headers.insert("traceparent", value);
    }
}

fn context(traceparent: &str) -> Option<Context> {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Carrier(traceparent.into()));
    context.span().span_context().is_valid().then_some(context)
}

struct Carrier(String);

impl Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        if key == "traceparent" {
            self.0 = value;
        }
    }
}
