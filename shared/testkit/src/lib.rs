//! What tests need: a database per test on SQLite and PostgreSQL, services in one process on a clock that stands still,
//! and callers to act as.

pub mod bank;
pub mod callers;
pub mod letters;
pub mod postgres;

use std::{collections::BTreeMap, path::Path};

use conum_kernel::{Clock, Ids};
use conum_proto::operations::v1::{Policy, SetPolicyRequest, policies_service_client::PoliciesServiceClient};
use conum_service::{
    cluster::{Cluster, Options},
    lifecycle::{Drive, Service},
};
use tempfile::TempDir;
use tonic::Status;

/// The first moment of tests: a Tuesday of the first season, 9 o'clock in Paris.
pub const BEGINNING: &str = "2020-12-01T08:00:00Z";

/// A kind of database that a test runs on.
#[derive(Clone, Debug)]
pub enum Backend {
    Sqlite,
    /// A server that this process has started.
    Postgres(&'static postgres::Server),
}

/// The databases that this machine offers: SQLite always, PostgreSQL where its binaries are installed. With
/// `CONUM_REQUIRE_SERVERS=1` a missing one is a failure.
#[must_use]
pub fn backends() -> Vec<Backend> {
    let mut backends = vec![Backend::Sqlite];
    match postgres::server() {
        Some(server) => backends.push(Backend::Postgres(server)),
        None => eprintln!("skipped on PostgreSQL: no server binaries (initdb, postgres) on this machine"),
    }
    backends
}

/// Services in this process, in a folder of their own, on a clock that stands still; their tasks run when
/// [`Cluster::settle`] is called.
#[derive(Debug)]
pub struct Scene {
    pub cluster: Cluster,
    pub clock: Clock,
    pub folder: TempDir,
}

impl Scene {
    /// Starts services on a kind of database.
    ///
    /// # Panics
    /// Where one of them does not start.
    pub async fn start(services: &[Service], backend: &Backend) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Clock::manual(BEGINNING.parse().expect("an instant"));
        let cluster = Self::cluster(services, backend, folder.path(), &clock, Drive::ByHand).await;
        Self { cluster, clock, folder }
    }

    /// Starts services whose tasks run by themselves.
    ///
    /// # Panics
    /// Where one of them does not start.
    pub async fn start_live(services: &[Service], backend: &Backend) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Clock::system();
        let cluster = Self::cluster(services, backend, folder.path(), &clock, Drive::Itself).await;
        Self { cluster, clock, folder }
    }

    async fn cluster(services: &[Service], backend: &Backend, folder: &Path, clock: &Clock, drive: Drive) -> Cluster {
        let mut options = Options::in_folder(folder, clock.clone(), Ids::random(), drive);
        options.databases = databases(services, backend).await;
        Cluster::start(services, &options).await.expect("the services start")
    }

    /// Runs what is due in all services until nothing is left.
    ///
    /// # Panics
    /// Where a task fails.
    pub async fn settle(&self) {
        self.cluster.settle().await.expect("tasks run");
    }

    /// The agency changes a setting of a service, from today.
    ///
    /// # Errors
    /// The refusal.
    ///
    /// # Panics
    /// Where the service is not of the scene.
    pub async fn set_policy(&self, service: &str, key: &str, value: &str) -> Result<Policy, Status> {
        let message = SetPolicyRequest {
            name: format!("services/{service}/policies/{key}"),
            value: value.into(),
            why: "for a test".into(),
            ..SetPolicyRequest::default()
        };
        let request = self.cluster.signed(&callers::agency(), service, message).await.expect("a signed call");
        let channel = self.cluster.channel(service).expect("a service of the scene");
        PoliciesServiceClient::new(channel).set_policy(request).await.map(tonic::Response::into_inner)
    }

    /// Moves the clock by days, and runs what is due.
    ///
    /// # Panics
    /// Where a task fails.
    pub async fn days_pass(&self, days: i64) {
        self.clock.advance(jiff::SignedDuration::from_hours(24 * days));
        self.settle().await;
    }
}

async fn databases(services: &[Service], backend: &Backend) -> BTreeMap<String, String> {
    let mut databases = BTreeMap::new();
    if let Backend::Postgres(server) = backend {
        for service in services {
            databases.insert(service.name.to_owned(), server.database().await);
        }
    }
    databases
}
