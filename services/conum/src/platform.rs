//! The platform in one process: every service on its own port and database, and the gateway before them.

use std::{fmt::Write as _, net::SocketAddr, path::PathBuf};

use conum_gateway::{Gateway, routes::Routes};
use conum_kernel::{Clock, Error};
use conum_service::{
    access,
    cluster::{Cluster, Options},
    config::{Config, local_url},
    lifecycle::{self, Service},
};
use tokio::net::TcpListener;

/// The services, in the order in which they are started.
pub(crate) const SERVICES: [Service; 5] = [
    conum_applications::SERVICE,
    conum_candidates::SERVICE,
    conum_matching::SERVICE,
    conum_training::SERVICE,
    conum_finance::SERVICE,
];

/// The settings of a platform on one machine.
///
/// # Errors
/// Names the key that is wrong.
pub(crate) fn config(data: PathBuf, file: Option<&PathBuf>) -> Result<Config, Error> {
    let config = Config::load(conum_gateway::NAME, file)?;
    // The flag has a default; a setting of the folder in the file or a variable stands unless the flag differs from it.
    let data = if data.as_os_str() == "data" { config.data.clone() } else { data };
    Ok(Config { data, ..config })
}

/// A platform that runs.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) cluster: Cluster,
    pub(crate) gateway: Gateway,
}

impl Platform {
    /// Starts all services, then the gateway.
    ///
    /// # Errors
    /// Whatever keeps one of them from starting.
    pub(crate) async fn start(options: &Options) -> Result<Self, Error> {
        let port = if options.free_ports { 0 } else { options.config.listen.port() };
        let listener = lifecycle::bind(SocketAddr::new(options.config.listen.ip(), port)).await?;
        let address = listener.local_addr().map_err(Error::internal)?;
        // Mailed links lead to the gateway, wherever it has found a port.
        let public_url = if options.free_ports { local_url(address.port()) } else { options.config.public_url.clone() };
        let options = Options { config: Config { public_url, ..options.config.clone() }, ..options.clone() };
        Self::behind(listener, &options).await
    }

    /// Starts all services, then the gateway on a listener. Mailed links lead to the public URL of the settings.
    ///
    /// # Errors
    /// Whatever keeps one of them from starting.
    pub(crate) async fn behind(listener: TcpListener, options: &Options) -> Result<Self, Error> {
        let cluster = Cluster::start(&SERVICES, options).await?;
        let config = Config { peers: cluster.peers().clone(), ..options.config.clone() };
        let gateway = conum_gateway::start(&config, &options.clock, listener)?;
        Ok(Self { cluster, gateway })
    }

    /// A line for each address.
    #[must_use]
    pub(crate) fn addresses(&self) -> String {
        let mut lines = format!("gateway       {}\n", local_url(self.gateway.address.port()));
        for service in self.cluster.services() {
            let _ = writeln!(lines, "{:<13} {}", service.name, local_url(service.address.port()));
        }
        lines
    }

    /// Stops the gateway, then the services.
    pub(crate) async fn stop(self) {
        self.gateway.stop().await;
        self.cluster.stop().await;
    }
}

/// The OpenAPI document of the gateway.
///
/// # Errors
/// Names the annotation that is wrong.
pub(crate) fn openapi() -> Result<String, Error> {
    let routes = Routes::build(access::pool()).map_err(Error::internal)?;
    let document = conum_gateway::openapi::document(access::pool(), &routes, env!("CARGO_PKG_VERSION"));
    serde_json::to_string_pretty(&document).map(|json| json + "\n").map_err(Error::internal)
}

/// A clock that follows the system's.
#[must_use]
pub(crate) fn clock() -> Clock {
    Clock::system()
}
