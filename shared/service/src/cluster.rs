//! Several services in one process, each on its own port and database: what `conum up`, the demo and journeys run on.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use conum_kernel::{Clock, Error, Ids};
use tonic::{Request, transport::Channel};

use crate::{
    Failure,
    config::{Config, local_url},
    host,
    identity::{Caller, KeyPair, Signer},
    lifecycle::{self, Drive, IDENTITY_KEY, Running, Service},
};

/// How a cluster is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The settings that the services share; each gets its own port and database.
    pub config: Config,
    pub clock: Clock,
    pub ids: Ids,
    pub drive: Drive,
    /// Take free ports instead of the known ones.
    pub free_ports: bool,
    /// The database of a service, where it is not a SQLite file in the data folder.
    pub databases: BTreeMap<String, String>,
}

impl Options {
    /// Everything under a folder, on free ports.
    #[must_use]
    pub fn in_folder(folder: &Path, clock: Clock, ids: Ids, drive: Drive) -> Self {
        let config = Config { data: folder.to_owned(), ..Config::local("") };
        Self { config, clock, ids, drive, free_ports: true, databases: BTreeMap::new() }
    }
}

/// Services that run in this process.
#[derive(Debug)]
pub struct Cluster {
    services: Vec<Running>,
    signer: Signer,
    channels: BTreeMap<String, Channel>,
    peers: BTreeMap<String, String>,
}

impl Cluster {
    /// Starts services.
    ///
    /// # Errors
    /// Whatever keeps one of them from starting.
    pub async fn start(services: &[Service], options: &Options) -> Result<Self, Error> {
        let mut listeners = Vec::new();
        let mut peers = BTreeMap::new();
        for service in services {
            let port = if options.free_ports { 0 } else { Config::local(service.name).listen.port() };
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let listener = lifecycle::bind(address).await?;
            let port = listener.local_addr().map_err(Error::internal)?.port();
            peers.insert(service.name.to_owned(), local_url(port));
            listeners.push(listener);
        }
        std::fs::create_dir_all(&options.config.data).map_err(Error::internal)?;
        let keys = KeyPair::open(&options.config.keys(), IDENTITY_KEY).map_err(Error::internal)?;
        let mut running = Vec::new();
        for (service, listener) in services.iter().zip(listeners) {
            let database_url = options.databases.get(service.name).cloned();
            let config = Config { peers: peers.clone(), database_url, ..options.config.clone() };
            let (clock, ids) = (options.clock.clone(), options.ids.clone());
            running.push(lifecycle::start(service, &config, clock, ids, listener, options.drive).await?);
        }
        let channels: Result<_, Error> =
            peers.iter().map(|(name, url)| Ok((name.clone(), lifecycle::channel(url)?))).collect();
        Ok(Self {
            services: running,
            signer: keys.signer(&options.clock).map_err(Error::internal)?,
            channels: channels?,
            peers,
        })
    }

    /// The services that run.
    #[must_use]
    pub fn services(&self) -> &[Running] {
        &self.services
    }

    /// A service by its name.
    ///
    /// # Errors
    /// Not found.
    pub fn service(&self, name: &str) -> Result<&Running, Error> {
        self.services.iter().find(|service| service.name == name).ok_or_else(|| Error::not_found(name))
    }

    /// Where each service is.
    #[must_use]
    pub fn peers(&self) -> &BTreeMap<String, String> {
        &self.peers
    }

    /// A channel to a service.
    ///
    /// # Errors
    /// Not found.
    pub fn channel(&self, name: &str) -> Result<Channel, Error> {
        self.channels.get(name).cloned().ok_or_else(|| Error::not_found(name))
    }

    /// A message to a service, signed by a caller.
    ///
    /// # Errors
    /// Internal where signing fails.
    pub async fn signed<T>(&self, caller: &Caller, audience: &str, message: T) -> Result<Request<T>, Error> {
        let mut request = Request::new(message);
        host::sign(&self.signer, &mut request, caller, audience).await?;
        Ok(request)
    }

    /// Runs the tasks of all services until none has anything left to do: outboxes, inboxes, mails and timers are idle.
    ///
    /// # Errors
    /// The first failure.
    pub async fn settle(&self) -> Result<(), Failure> {
        loop {
            let mut done = 0;
            for service in &self.services {
                done += service.drain().await?;
            }
            if done == 0 {
                return Ok(());
            }
        }
    }

    /// Stops all services.
    pub async fn stop(self) {
        for service in self.services {
            service.stop().await;
        }
    }
}
