//! From settings to a running server, and back down: migrate, serve, run the tasks; on a signal stop taking calls,
//! finish what is under way, and stop hard after a while. A second signal stops at once.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use conum_kernel::{Clock, Error, Ids, policy::Policy};
use conum_proto::{
    DESCRIPTORS,
    events::v1::event_sink_service_server::EventSinkServiceServer,
    operations::v1::{
        case_service_server::CaseServiceServer, dead_letters_service_server::DeadLettersServiceServer,
        policies_service_server::PoliciesServiceServer,
    },
};
use tokio::net::TcpListener;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tonic::{
    service::Routes,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use tonic_health::ServingStatus;

use crate::{
    Failure, Host, Store,
    cases::Cases,
    config::Config,
    events::{Subscriber, inbox::Inbox, relay::Relay},
    history::Case,
    host::Parts,
    identity::{self, KeyPair, LIFETIME},
    layers::Gate,
    links::LinkSigner,
    mail::{Letters, Mailer, Post},
    metrics,
    operations::Operations,
    policies::Guard,
    requests,
    schema::Tables,
    tasks::{self, Task},
    telemetry::{self, Logs},
};

/// The name of the key pair that identities are signed with.
pub const IDENTITY_KEY: &str = "identity";
/// The name of the key pair that mailed links are signed with.
pub const LINKS_KEY: &str = "links";
/// How long a stopping server waits for what is under way.
const GRACE: Duration = Duration::from_secs(10);

/// A service: what it gives, so that the rest can be done for it.
#[derive(Clone, Copy)]
pub struct Service {
    /// `matching`.
    pub name: &'static str,
    pub policies: &'static [Policy],
    /// The migrations of its own tables, in the order in which they came to be.
    pub tables: &'static [Tables],
    /// Its methods and tasks.
    pub build: fn(&Host, &Config) -> Result<Built, Error>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a service is made of.
#[derive(Default)]
pub struct Built {
    pub routes: Routes,
    /// Its reaction to others' events.
    pub subscriber: Option<Arc<dyn Subscriber>>,
    /// Its letters.
    pub letters: Option<Arc<dyn Letters>>,
    /// Its timers.
    pub timers: Vec<Task>,
    /// What it refuses of its policies' new values, beside their shape.
    pub guard: Option<Guard>,
    /// Which rows of its history belong to an application.
    pub case: Option<Case>,
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Built").field("timers", &self.timers).finish_non_exhaustive()
    }
}

/// Who drives a service's tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// They run by themselves.
    Itself,
    /// Whoever holds the [`Running`] calls [`Running::drain`].
    ByHand,
}

/// A service that runs, until it is dropped.
#[derive(Debug)]
pub struct Running {
    pub name: &'static str,
    pub address: SocketAddr,
    pub host: Host,
    tasks: Vec<Task>,
    stop: DropGuard,
    tracker: TaskTracker,
}

impl Running {
    /// Runs the tasks until none has anything left to do.
    ///
    /// # Errors
    /// The first failure.
    pub async fn drain(&self) -> Result<usize, Failure> {
        tasks::drain(&self.host, &self.tasks).await
    }

    /// Stops taking calls, and waits for what is under way, at most ten seconds.
    pub async fn stop(self) {
        drop(self.stop);
        self.tracker.close();
        let _ = tokio::time::timeout(GRACE, self.tracker.wait()).await;
    }
}

/// Starts a service: opens and migrates its database, then serves on the listener.
///
/// # Errors
/// Whatever keeps it from starting.
pub async fn start(
    service: &Service,
    config: &Config,
    clock: Clock,
    ids: Ids,
    listener: TcpListener,
    drive: Drive,
) -> Result<Running, Error> {
    std::fs::create_dir_all(&config.data).map_err(Error::internal)?;
    let keys = KeyPair::open(&config.keys(), IDENTITY_KEY).map_err(Error::internal)?;
    let links = KeyPair::open(&config.keys(), LINKS_KEY).map_err(Error::internal)?;
    let verifier = identity::verifier(&[keys.public_pem()], service.name, LIFETIME, &clock).map_err(Error::internal)?;
    let url = config.database_url(service.name);
    Store::migrate(&url, service.tables).await?;
    let host = Host::new(Parts {
        name: service.name,
        store: Store::open(&url).await?,
        signer: keys.signer(&clock).map_err(Error::internal)?,
        links: LinkSigner::from_pem(links.private_pem())?,
        clock,
        ids,
        policies: service.policies,
        public_url: config.public_url.trim_end_matches('/').to_owned(),
    });
    let built = (service.build)(&host, config)?;
    let tasks = tasks(&built, config, service.name)?;
    let gate = Gate::new(service.name, verifier, config.concurrency);
    let routes = routes(&host, built).await?;
    let routes = Routes::from(gate.around(routes.into_axum_router()));

    let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
    let address = listener.local_addr().map_err(Error::internal)?;
    serve(routes, listener, &tracker, &stop);
    if drive == Drive::Itself {
        let watched = telemetry::is_measured().then(metrics::watch);
        let all: Vec<_> = tasks.iter().cloned().chain([sweeper()]).chain(watched).collect();
        tasks::spawn(&host, &all, &tracker, &stop)?;
    }
    Ok(Running { name: service.name, address, host, tasks, stop: stop.drop_guard(), tracker })
}

/// Listens on an address.
///
/// # Errors
/// Says which address is taken.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!("cannot listen on {address}: {error}");
        Error::precondition("CONFIGURATION", message.clone(), message)
    })
}

fn serve(routes: Routes, listener: TcpListener, tracker: &TaskTracker, stop: &CancellationToken) {
    // Small answers must not wait for the acknowledgement of earlier ones.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let stopped = stop.clone().cancelled_owned();
    tracker.spawn(async move {
        let server = Server::builder().max_concurrent_streams(Some(1024)).add_routes(routes);
        if let Err(error) = server.serve_with_incoming_shutdown(incoming, stopped).await {
            tracing::error!(%error, "server failed");
        }
    });
}

/// Adds reflection over all contracts, in both versions that clients speak.
///
/// # Errors
/// Internal where the descriptors cannot be read.
pub fn reflection(routes: Routes) -> Result<Routes, Error> {
    let builder = || tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(DESCRIPTORS);
    let (v1, v1alpha) = (builder().build_v1(), builder().build_v1alpha());
    Ok(routes.add_service(v1.map_err(Error::internal)?).add_service(v1alpha.map_err(Error::internal)?))
}

/// The service's own methods, and those that every service has.
async fn routes(host: &Host, built: Built) -> Result<Routes, Error> {
    let (reporter, health) = tonic_health::server::health_reporter();
    // The database is migrated by now: the service is ready, whatever its peers do.
    reporter.set_service_status("", ServingStatus::Serving).await;
    reporter.set_service_status(host.name(), ServingStatus::Serving).await;
    let operations = Operations::new(host.clone(), built.guard);
    let mut routes = reflection(built.routes)?
        .add_service(health)
        .add_service(PoliciesServiceServer::new(operations.clone()))
        .add_service(DeadLettersServiceServer::new(operations))
        .add_service(CaseServiceServer::new(Cases::new(host.clone(), built.case)));
    if let Some(subscriber) = built.subscriber {
        let inbox = EventSinkServiceServer::new(Inbox::new(host.clone(), subscriber));
        routes = routes.add_service(inbox.max_decoding_message_size(64 << 20));
    }
    Ok(routes)
}

/// What the service does by itself: its timers first, then what they have to tell.
fn tasks(built: &Built, config: &Config, name: &'static str) -> Result<Vec<Task>, Error> {
    let mut tasks = built.timers.clone();
    tasks.extend(Relay::to(&peers(config, name)?).map(|relay| {
        let step = move |host| {
            let relay = relay.clone();
            async move { relay.step(&host).await }
        };
        Task::new("relay", Duration::from_secs(1), step).after_writes()
    }));
    if let Some(letters) = &built.letters {
        let post = match &config.smtp_url {
            Some(url) => Post::smtp(url)?,
            None => Post::Folder(config.data.join("mails")),
        };
        let mailer = Mailer::new(letters.clone(), post, &config.mail_from)?;
        let step = move |host| {
            let mailer = mailer.clone();
            async move { mailer.step(&host).await }
        };
        tasks.push(Task::new("mailer", Duration::from_secs(1), step).after_writes());
    }
    Ok(tasks)
}

/// Channels to the other services. They connect when they are first used, and again after a loss.
///
/// # Errors
/// Names a URL that is none.
pub fn peers(config: &Config, own: &str) -> Result<Vec<(String, Channel)>, Error> {
    let peers = config.peers.iter().filter(|(name, _)| *name != own);
    peers.map(|(name, url)| Ok((name.clone(), channel(url)?))).collect()
}

/// A channel to a URL, which connects when it is first used.
///
/// # Errors
/// Names a URL that is none.
pub fn channel(url: &str) -> Result<Channel, Error> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|_| {
        let message = format!("configuration: {url} is no URL of a service");
        Error::precondition("CONFIGURATION", message.clone(), message)
    })?;
    Ok(endpoint.connect_timeout(Duration::from_secs(2)).tcp_nodelay(true).connect_lazy())
}

/// Forgets old answers and delivered events, once an hour; part of a process, not of the demo's clock.
fn sweeper() -> Task {
    Task::new("sweep", Duration::from_hours(1), |host| async move { requests::sweep(&host).await })
}

/// Waits for SIGINT or SIGTERM. A second one ends the process at once.
pub async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    tokio::spawn(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        std::process::exit(130);
    });
}

/// The `main` of a service that runs alone: settings from the file that `CONUM_CONFIG` names and from variables.
///
/// # Errors
/// Whatever keeps it from starting.
pub async fn main(service: Service) -> Result<(), Error> {
    let telemetry = telemetry::start(service.name, Logs::Json);
    let outcome = run(service).await;
    drop(telemetry);
    outcome
}

async fn run(service: Service) -> Result<(), Error> {
    let file = std::env::var_os("CONUM_CONFIG").map(PathBuf::from);
    let config = Config::load(service.name, file.as_ref())?;
    let listener = bind(config.listen).await?;
    let running = start(&service, &config, Clock::system(), Ids::random(), listener, Drive::Itself).await?;
    println!("{} http://{}", running.name, running.address);
    signal().await;
    running.stop().await;
    Ok(())
}

/// The exit code of a process, with the error on standard error.
#[must_use]
pub fn exit(outcome: Result<(), Error>) -> std::process::ExitCode {
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
