//! Each service and the gateway as a process of its own, with the settings of `deploy/local`.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use conum_kernel::Clock;
use conum_service::{
    Caller,
    config::local_url,
    identity::{KeyPair, Signer},
    lifecycle::{self, IDENTITY_KEY},
};
use http::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tonic::transport::Channel;

use crate::journey::{Answer, Api};

/// The services, in the order in which they are started.
pub const SERVICES: [&str; 5] = ["applications", "candidates", "matching", "training", "finance"];
const NAMES: [&str; 6] = ["applications", "candidates", "matching", "training", "finance", "gateway"];
/// How long anything may take to come about.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The platform, a process for each service and the gateway.
#[derive(Debug)]
pub struct Processes {
    folder: TempDir,
    ports: BTreeMap<&'static str, u16>,
    running: BTreeMap<&'static str, Child>,
    variables: Vec<(String, String)>,
}

/// A binary of this build.
fn binary(name: &str) -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned();
    let path = folder.join(name);
    if !path.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "--workspace", "--bins"]).status().unwrap();
        assert!(built.success(), "{name} is not built");
    }
    path
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Processes {
    /// Starts all of them, with variables beside their settings.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        Self::of(&NAMES, variables)
    }

    /// Starts one service, whose peers are down.
    pub fn alone(name: &'static str) -> Self {
        Self::of(&[name], &[])
    }

    fn of(names: &[&'static str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports: BTreeMap<_, _> = NAMES.into_iter().map(|name| (name, free_port())).collect();
        let mut processes = Self {
            folder,
            ports,
            running: BTreeMap::new(),
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        for name in names {
            processes.launch(name);
        }
        processes
    }

    /// The settings of `deploy/local`, with free ports and a folder of their own.
    fn settings(&self, name: &str) -> PathBuf {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/local").join(format!("{name}.toml"));
        let mut text = fs::read_to_string(example).unwrap();
        for (service, known) in conum_service::config::PORTS {
            text = text.replace(&format!("127.0.0.1:{known}"), &format!("127.0.0.1:{}", self.ports[service]));
        }
        let text = text.replace("\"data\"", &format!("\"{}\"", self.folder.path().display()));
        let file = self.folder.path().join(format!("{name}.toml"));
        fs::write(&file, text).unwrap();
        file
    }

    fn launch(&mut self, name: &'static str) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join(format!("{name}.log")));
        let child = Command::new(binary(&format!("conum-{name}")))
            .env("CONUM_CONFIG", self.settings(name))
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        self.running.insert(name, child);
    }

    /// Kills a process where it stands, and starts it again.
    pub fn kill(&mut self, name: &'static str) {
        let mut child = self.running.remove(name).unwrap();
        // SIGKILL: nothing of it runs any more.
        child.kill().unwrap();
        child.wait().unwrap();
        self.launch(name);
    }

    /// Waits until the keys are made and the platform is ready.
    pub async fn api(&self) -> Api {
        let began = Instant::now();
        while !self.folder.path().join("keys/identity.pub.pem").exists() {
            assert!(began.elapsed() < PATIENCE, "no keys");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let url = format!("http://127.0.0.1:{}", self.ports["gateway"]);
        Api::new(url, self.folder.path(), &Clock::system())
    }

    /// A channel to a service, which connects again after a loss.
    pub fn channel(&self, name: &str) -> Channel {
        lifecycle::channel(&local_url(self.ports[name])).unwrap()
    }

    /// Signs identities as a service or the gateway would.
    pub fn signer(&self) -> Signer {
        let keys = KeyPair::open(&self.folder.path().join("keys"), IDENTITY_KEY).unwrap();
        keys.signer(&Clock::system()).unwrap()
    }

    /// The last lines of each log that are not calls.
    pub fn logs(&self) -> String {
        let tail = |name: &str| {
            let text = fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default();
            let lines: Vec<_> = text.lines().filter(|line| !line.contains("\"call\"")).collect();
            format!("{name}: {}\n", lines[lines.len().saturating_sub(5)..].join("\n"))
        };
        self.running.keys().map(|name| tail(name)).collect()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sends a request until it is answered: what is down comes back, and a request id makes it safe.
pub async fn persist(api: &Api, caller: Option<&Caller>, method: Method, path: &str, body: Value) -> Answer {
    let began = Instant::now();
    loop {
        let bytes = if method == Method::GET { Bytes::new() } else { Bytes::from(body.to_string()) };
        let answer = api.try_send(caller, method.clone(), path, "application/json", bytes).await;
        let busy = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
        if let Some(answer) = answer
            && !busy.contains(&answer.status)
        {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "{method} {path} is never answered");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits for a condition on a list.
pub async fn until(api: &Api, caller: &Caller, path: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let seen = persist(api, Some(caller), Method::GET, path, Value::Null).await.json();
        if holds(&seen) {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "{what} never came: {seen}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The token of the mailed link, once the mail has come.
pub async fn confirmation(api: &Api) -> Result<String, String> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let found = api.letters().iter().find_map(|letter| {
            let (_, rest) = letter.split_once("/confirm/")?.1.split_once("?t=")?;
            Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect::<String>())
        });
        if let Some(token) = found {
            return Ok(token);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the confirmation mail never came".into())
}
