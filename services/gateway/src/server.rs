//! The gateway's server: what answers which path, and what every request passes.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt as _,
};
use conum_kernel::{Clock, Error};
use conum_service::{
    config::Config,
    lifecycle,
    telemetry::{self, Logs},
};
use http::header;
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes as GrpcRoutes;
use tracing::Instrument as _;

use crate::{NAME, edge::Edge, grpc, pages, probes, proxy, rest};

/// How long a stopping gateway waits for what is under way.
const GRACE: Duration = Duration::from_secs(10);

/// A gateway that runs.
#[derive(Debug)]
pub struct Gateway {
    pub address: SocketAddr,
    stop: CancellationToken,
    server: tokio::task::JoinHandle<()>,
}

impl Gateway {
    /// Stops taking requests, and waits for what is under way, at most ten seconds.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ = tokio::time::timeout(GRACE, self.server).await;
    }
}

/// Starts the gateway on a listener.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn start(config: &Config, clock: &Clock, listener: TcpListener) -> Result<Gateway, Error> {
    let edge = Edge::new(config, clock)?;
    let address = listener.local_addr().map_err(Error::internal)?;
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let router = router(edge)?;
    // Small answers must not wait for the acknowledgement of earlier ones.
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let server = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "gateway failed");
        }
    });
    Ok(Gateway { address, stop, server })
}

fn router(edge: Edge) -> Result<Router, Error> {
    let own = Router::new()
        .route("/", get(pages::front::show))
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/openapi.json", get(openapi))
        .route("/introductions/{id}", get(pages::introduction::show).post(pages::introduction::answer))
        .route("/confirm/{id}", get(pages::confirmation::show).post(pages::confirmation::confirm))
        .fallback(call)
        .with_state(edge);
    // Reflection is the gateway's own: it covers the contracts of all services.
    let router = lifecycle::reflection(GrpcRoutes::default())?.into_axum_router().fallback_service(own);
    Ok(router.layer(middleware::from_fn(record)))
}

async fn call(State(edge): State<Edge>, request: Request) -> Response {
    if proxy::is_grpc(request.headers()) {
        grpc::handle(State(edge), request).await
    } else {
        rest::handle(State(edge), request).await
    }
}

async fn openapi(State(edge): State<Edge>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], edge.openapi())
}

/// A span under the caller's, and one wide log line. Outermost, so that refusals show.
async fn record(request: Request, next: Next) -> Response {
    let method = request.method().to_string();
    // Ids stand in paths; what follows `?` may hold a link's token and is never logged.
    let path = request.uri().path().to_owned();
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {path}"),
        otel.kind = "server",
        http.request.method = method,
        url.path = path,
        service = NAME,
        http.response.status_code = tracing::field::Empty,
    );
    telemetry::adopt(&span, request.headers());
    let began = Instant::now();
    let headers = request.headers().clone();
    let call = async move {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        tracing::Span::current().record("http.response.status_code", status);
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let trace_id = telemetry::trace_id();
        tracing::info!(target: "conum::call", service = NAME, method, path, status, micros, trace_id, "request");
        response
    };
    telemetry::traced(&headers, call).instrument(span).await
}

/// The `main` of a gateway that runs alone.
///
/// # Errors
/// Whatever keeps it from starting.
pub async fn main() -> Result<(), Error> {
    let telemetry = telemetry::start(NAME, Logs::Json);
    let outcome = run().await;
    drop(telemetry);
    outcome
}

async fn run() -> Result<(), Error> {
    let file = std::env::var_os("CONUM_CONFIG").map(PathBuf::from);
    let config = Config::load(NAME, file.as_ref())?;
    let gateway = start(&config, &Clock::system(), lifecycle::bind(config.listen).await?)?;
    println!("{NAME} http://{}", gateway.address);
    lifecycle::signal().await;
    gateway.stop().await;
    Ok(())
}
