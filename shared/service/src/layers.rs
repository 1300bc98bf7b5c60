//! What every call passes before it reaches a method, outermost first:
//!
//! 1. [`record`]: a span under the caller's, and one wide log line. Outermost, so that refusals of the others show.
//! 2. [`shed`]: bounded concurrency. Above the deadline, because a call that is turned away must not wait.
//! 3. [`deadline`]: the caller's deadline stops the work below.
//! 4. [`access`]: who calls, and whether the method allows it. Innermost: it hands the method its caller.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use conum_kernel::Error;
use http::{HeaderMap, header::AUTHORIZATION};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::{
    access,
    identity::{Caller, Verifier},
    metrics, status, telemetry,
};

/// The deadline of a call that brings none.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
/// Methods that say nothing of themselves in the contracts: health and reflection, open to anyone.
const OPEN: [&str; 2] = ["/grpc.health.v1.", "/grpc.reflection."];

/// What the layers of one server share.
#[derive(Clone, Debug)]
pub struct Gate {
    service: &'static str,
    verifier: Verifier,
    in_flight: Arc<AtomicUsize>,
    /// How many calls may be under way.
    limit: usize,
}

impl Gate {
    #[must_use]
    pub fn new(service: &'static str, verifier: Verifier, limit: usize) -> Self {
        Self { service, verifier, in_flight: Arc::default(), limit }
    }

    /// Puts the layers around methods.
    pub fn around(self, methods: Router) -> Router {
        // The last added is the outermost.
        methods
            .layer(middleware::from_fn_with_state(self.clone(), access))
            .layer(middleware::from_fn(deadline))
            .layer(middleware::from_fn_with_state(self.clone(), shed))
            .layer(middleware::from_fn_with_state(self, record))
    }
}

async fn record(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let method = request.uri().path().trim_start_matches('/').to_owned();
    if OPEN.iter().any(|open| request.uri().path().starts_with(open)) {
        return next.run(request).await;
    }
    let span = tracing::info_span!(
        "call",
        otel.name = method,
        otel.kind = "server",
        rpc.system.name = "grpc",
        rpc.method = method,
        service = gate.service,
        rpc.response.status_code = tracing::field::Empty,
    );
    telemetry::adopt(&span, request.headers());
    let (began, path) = (Instant::now(), request.uri().path().to_owned());
    let headers = request.headers().clone();
    let call = async move {
        let response = next.run(request).await;
        let code = grpc_code(response.headers());
        tracing::Span::current().record("rpc.response.status_code", code);
        let took = began.elapsed();
        metrics::call(gate.service, &path, code, took);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            target: "conum::call",
            service = gate.service,
            method,
            code,
            micros,
            in_flight = gate.in_flight.load(Ordering::Relaxed),
            trace_id = telemetry::trace_id(),
            "call"
        );
        response
    };
    telemetry::traced(&headers, call).instrument(span).await
}

/// The code of a response: refusals carry it in their headers, anything else in trailers that are not read here.
fn grpc_code(headers: &HeaderMap) -> i32 {
    headers.get("grpc-status").and_then(|value| value.to_str().ok()).and_then(|code| code.parse().ok()).unwrap_or(0)
}

async fn shed(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let _place = Place(gate.in_flight.clone());
    if gate.in_flight.fetch_add(1, Ordering::Relaxed) >= gate.limit {
        let error = Error::exhausted("OVERLOADED", "too many calls at once", "trop d'appels à la fois");
        return refuse(&error.retry_after(Duration::from_secs(1)));
    }
    next.run(request).await
}

/// One call under way.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn deadline(request: Request, next: Next) -> Response {
    let limit = request.headers().get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(grpc_timeout);
    match tokio::time::timeout(limit.unwrap_or(DEFAULT_DEADLINE), next.run(request)).await {
        Ok(response) => response,
        Err(_) => refuse(&Error::deadline()),
    }
}

/// Reads a `grpc-timeout`: at most eight digits and a unit.
#[must_use]
pub fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

async fn access(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if OPEN.iter().any(|open| path.starts_with(open)) {
        return next.run(request).await;
    }
    let Some(method) = access::methods().get(path) else {
        // The router answers UNIMPLEMENTED to what no contract has.
        return next.run(request).await;
    };
    let decided = caller(&gate.verifier, request.headers()).and_then(|caller| Ok((method.decide(&caller)?, caller)));
    match decided {
        Ok((scope, caller)) => {
            request.extensions_mut().insert(scope);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => refuse(&error),
    }
}

/// Who the `authorization` header speaks for.
///
/// # Errors
/// Unauthenticated where it is there and not good.
pub fn caller(verifier: &Verifier, headers: &HeaderMap) -> Result<Caller, Error> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(Caller::anonymous()) };
    let token = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
    verifier.verify(token.ok_or_else(|| Error::unauthenticated("INVALID_TOKEN"))?)
}

fn refuse(error: &Error) -> Response {
    status::of(error).into_http()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grpc_timeout_has_at_most_eight_digits_and_a_unit() {
        assert_eq!(grpc_timeout("100m"), Some(Duration::from_millis(100)));
        assert_eq!(grpc_timeout("2S"), Some(Duration::from_secs(2)));
        for bad in ["", "S", "123456789S", "10", "10x", "-1S", "1é"] {
            assert_eq!(grpc_timeout(bad), None, "{bad}");
        }
    }
}
