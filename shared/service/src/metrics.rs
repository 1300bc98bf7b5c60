//! What operators watch and are alerted of, sent by OTLP where the standard `OTEL_` variables ask for it. Without them
//! nothing is counted. `deploy/alerts` holds the alerts that rest on these.

use std::{sync::LazyLock, time::Duration};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram, Meter},
};
use tonic::Code;

use crate::{Host, access, events::relay, status, tasks::Task, telemetry};

/// How often a service says what waits.
const EVERY: Duration = Duration::from_secs(15);
/// Bounds of the durations of calls, in seconds: those of the OpenTelemetry conventions, and two for the least.
const SECONDS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0];

static METER: LazyLock<Meter> = LazyLock::new(|| global::meter("conum"));

static CALLS: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    let calls = METER.f64_histogram("rpc.server.call.duration").with_unit("s").with_boundaries(SECONDS.to_vec());
    calls.with_description("How long calls took").build()
});

static VIOLATIONS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    let violations = METER.u64_counter("conum.assignment.violations").with_unit("{violation}");
    violations.with_description("What the second look found wrong in an assignment: its groups were stopped").build()
});

static EVENTS: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    let events = METER.u64_gauge("conum.events.waiting").with_unit("{aggregate}");
    events.with_description("Aggregates with events that are not delivered, parked, or dead").build()
});

static MAILS: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    let mails = METER.u64_gauge("conum.mails.waiting").with_unit("{mail}");
    mails.with_description("Mails that are not sent").build()
});

/// A call that was answered, or whose answer has begun to come. A path that no contract has is not told: callers could make
/// up any number.
pub(crate) fn call(service: &'static str, path: &str, code: i32, took: Duration) {
    if !telemetry::is_measured() {
        return;
    }
    let known = access::methods().get_key_value(path).map(|(path, _)| path.trim_start_matches('/'));
    let of = [
        KeyValue::new("service", service),
        KeyValue::new("rpc.system.name", "grpc"),
        KeyValue::new("rpc.method", known.unwrap_or("_OTHER")),
        KeyValue::new("rpc.response.status_code", status::code_name(Code::from_i32(code))),
    ];
    CALLS.record(took.as_secs_f64(), &of);
}

/// Violations that the second look at an assignment found (M02). None is told as well, so that the first one is a rise.
pub fn violations(count: usize) {
    if !telemetry::is_measured() {
        return;
    }
    VIOLATIONS.add(u64::try_from(count).unwrap_or(u64::MAX), &[]);
}

/// Says again and again what waits in a service.
pub(crate) fn watch() -> Task {
    Task::new("watch", EVERY, |host: Host| async move {
        let backlog = relay::backlog(&host).await?;
        let count = |count: i64| u64::try_from(count).unwrap_or_default();
        for (state, waiting) in [("pending", backlog.pending), ("parked", backlog.parked), ("dead", backlog.dead)] {
            let of = [KeyValue::new("service", host.name()), KeyValue::new("state", state)];
            EVENTS.record(count(waiting), &of);
        }
        MAILS.record(count(backlog.mails), &[KeyValue::new("service", host.name())]);
        Ok(0)
    })
}
