//! The configuration of a process: defaults, then a TOML file, then `CONUM_` variables, then flags. A key that nothing
//! knows is an error that names it. Everything is read before a port is bound.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use conum_kernel::Error;
use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

/// The settings of one service, or of the gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `sqlite://…` or `postgres://…`; a SQLite file in the data folder when left out.
    pub database_url: Option<String>,
    /// Where keys, SQLite files, mails and documents are kept.
    pub data: PathBuf,
    /// Where the keys are; `keys` in the data folder when left out. Services share it, or get copies of its files.
    pub keys: Option<PathBuf>,
    /// Where the other services are: name to URL.
    pub peers: BTreeMap<String, String>,
    /// Where people reach the gateway.
    pub public_url: String,
    /// An SMTP server, as `smtp://host:25` or `smtps://user:password@host`; `.eml` files in the data folder without it.
    pub smtp_url: Option<String>,
    /// Where supporting documents are kept: `s3://bucket`, or `s3://bucket/folder`, with the `AWS_` variables that such
    /// stores are told by (`AWS_ENDPOINT`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, …); a folder of the data folder without it.
    pub documents_url: Option<String>,
    /// What mails are from.
    pub mail_from: String,
    /// How many calls may be under way at once.
    pub concurrency: usize,
}

/// The ports of a platform on one machine, by service.
pub const PORTS: [(&str, u16); 6] = [
    ("gateway", 8080),
    ("applications", 50051),
    ("candidates", 50052),
    ("matching", 50053),
    ("training", 50054),
    ("finance", 50055),
];

/// The URL of a service of a platform on one machine.
#[must_use]
pub fn local_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

impl Config {
    /// The settings of a service that stands on one machine with the others.
    #[must_use]
    pub fn local(service: &str) -> Self {
        let port = |name: &str| PORTS.iter().find(|(known, _)| *known == name).map_or(0, |(_, port)| *port);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], port(service))),
            database_url: None,
            data: PathBuf::from("data"),
            keys: None,
            peers: PORTS[1..].iter().map(|(name, port)| ((*name).to_owned(), local_url(*port))).collect(),
            public_url: local_url(port("gateway")),
            smtp_url: None,
            documents_url: None,
            mail_from: "Conseiller numérique <ne-pas-repondre@conum.example>".into(),
            concurrency: 512,
        }
    }

    /// Reads the settings of a service: a TOML file where one is named, then variables `CONUM_…` such as
    /// `CONUM_DATABASE_URL` or `CONUM_PEERS__MATCHING`.
    ///
    /// # Errors
    /// Names the key that is wrong or unknown.
    pub fn load(service: &str, file: Option<&PathBuf>) -> Result<Self, Error> {
        let mut figment = Figment::from(Serialized::defaults(Self::local(service)));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        // Settings of the tests and of the command line, not of a service.
        let env = Env::prefixed("CONUM_").split("__").ignore(&["require_servers", "config"]);
        figment.merge(env).extract().map_err(|error| {
            let message = format!("configuration: {error}");
            Error::precondition("CONFIGURATION", message.clone(), message)
        })
    }

    /// The folder of the keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.keys.clone().unwrap_or_else(|| self.data.join("keys"))
    }

    /// The URL of the service's database.
    #[must_use]
    pub fn database_url(&self, service: &str) -> String {
        let default = || crate::sqlite::url(&self.data.join(format!("{service}.db")));
        self.database_url.clone().unwrap_or_else(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_nothing_knows_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("conum.toml");
        std::fs::write(&file, "public_url = \"https://conum.example\"\n").unwrap();
        assert_eq!(Config::load("matching", Some(&file)).unwrap().public_url, "https://conum.example");
        std::fs::write(&file, "public_ulr = \"https://conum.example\"\n").unwrap();
        let error = Config::load("matching", Some(&file)).unwrap_err();
        assert!(error.english().contains("public_ulr"), "{error}");
    }
}
