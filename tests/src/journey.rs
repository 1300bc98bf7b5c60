//! The platform in one process behind its gateway, and callers who speak REST to it.

use std::path::Path;

use bytes::Bytes;
use conum_kernel::{Clock, Ids};
use conum_service::{
    Caller,
    cluster::{Cluster, Options},
    config::{Config, local_url},
    identity::{KeyPair, Signer},
    lifecycle::{self, Drive, IDENTITY_KEY, Service},
};
use conum_testkit::letters::readable;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The services of the platform.
pub const SERVICES: [Service; 5] = [
    conum_applications::SERVICE,
    conum_candidates::SERVICE,
    conum_matching::SERVICE,
    conum_training::SERVICE,
    conum_finance::SERVICE,
];

/// A platform whose clock stands still until it is moved, and whose tasks run when [`Journey::settle`] is called.
#[derive(Debug)]
pub struct Journey {
    pub cluster: Cluster,
    pub gateway: conum_gateway::Gateway,
    pub clock: Clock,
    pub folder: TempDir,
    api: Api,
}

impl std::ops::Deref for Journey {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

/// A gateway, and the keys to sign in with.
#[derive(Clone, Debug)]
pub struct Api {
    url: String,
    signer: Signer,
    mails: std::path::PathBuf,
}

/// The answer to a REST call.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The body of a call that must have gone well.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()
    }

    /// The reason and the rule of a refusal.
    #[track_caller]
    pub fn refusal(&self) -> (String, String) {
        assert!(!self.status.is_success(), "not refused: {}", self.text);
        let problem = self.json();
        let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        (text("reason"), text("rule"))
    }

    /// The fields that a refusal names.
    pub fn fields(&self) -> Vec<String> {
        let problem = self.json();
        let violations = problem["violations"].as_array().cloned().unwrap_or_default();
        violations.iter().filter_map(|violation| violation["field"].as_str().map(str::to_owned)).collect()
    }
}

impl Journey {
    /// Starts the platform on SQLite.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clock = Clock::manual(conum_testkit::BEGINNING.parse().expect("an instant"));
        Self::start_in(folder, clock, Drive::ByHand).await
    }

    /// Starts the platform in a folder.
    pub async fn start_in(folder: TempDir, clock: Clock, drive: Drive) -> Self {
        let listener = lifecycle::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let mut options = Options::in_folder(folder.path(), clock.clone(), Ids::random(), drive);
        options.config.public_url = local_url(port);
        let cluster = Cluster::start(&SERVICES, &options).await.expect("the services start");
        let config = Config { peers: cluster.peers().clone(), ..options.config };
        let gateway = conum_gateway::start(&config, &clock, listener).expect("the gateway starts");
        let api = Api::new(local_url(port), folder.path(), &clock);
        Self { cluster, gateway, clock, folder, api }
    }

    /// Runs what is due in all services until nothing is left.
    pub async fn settle(&self) {
        self.cluster.settle().await.expect("tasks run");
    }

    /// Moves the clock by days, and runs what is due.
    pub async fn days_pass(&self, days: i64) {
        self.clock.advance(jiff::SignedDuration::from_hours(24 * days));
        self.settle().await;
    }
}

impl Api {
    /// The gateway at a URL, of a platform whose keys and mails are in a folder.
    pub fn new(url: String, folder: &Path, clock: &Clock) -> Self {
        let keys = KeyPair::open(&folder.join("keys"), IDENTITY_KEY).expect("keys");
        Self { url, signer: keys.signer(clock).expect("a signer"), mails: folder.join("mails") }
    }

    /// Every mail that was written, readable.
    pub fn letters(&self) -> Vec<String> {
        let mut files: Vec<_> = std::fs::read_dir(&self.mails)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        files.retain(|path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        files.iter().map(|path| readable(path)).collect()
    }

    /// The first link in a mail whose address begins with `path`, after the gateway's own address.
    pub fn link(&self, path: &str) -> Option<String> {
        let start = format!("{}{path}", self.url(""));
        self.letters().iter().find_map(|letter| {
            let at = letter.find(&start)?;
            let rest = &letter[at + self.url("").len()..];
            Some(rest.split(|c: char| c.is_whitespace() || c == '"' || c == '<').next().unwrap_or_default().to_owned())
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Calls the gateway. `caller` signs in, if anybody.
    pub async fn call(&self, caller: Option<&Caller>, method: Method, path: &str, body: Option<Value>) -> Answer {
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.send(caller, method, path, "application/json", bytes).await
    }

    /// Sends a body of any kind to a gateway that answers.
    pub async fn send(
        &self,
        caller: Option<&Caller>,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Answer {
        self.try_send(caller, method, path, content_type, body).await.expect("an answer")
    }

    /// Sends a body of any kind; nothing comes back where the gateway does not answer.
    pub async fn try_send(
        &self,
        caller: Option<&Caller>,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(self.url(path)).header("content-type", content_type);
        if let Some(caller) = caller {
            let token = self.signer.sign(caller, conum_gateway::NAME, 3600).expect("a token");
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request.body(Full::new(body)).expect("a request")).await.ok()?;
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.ok()?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Some(Answer { status: head.status, headers: head.headers, text })
    }

    pub async fn get(&self, caller: &Caller, path: &str) -> Answer {
        self.call(Some(caller), Method::GET, path, None).await
    }

    pub async fn post(&self, caller: &Caller, path: &str, body: Value) -> Answer {
        self.call(Some(caller), Method::POST, path, Some(body)).await
    }

    /// Posts without signing in.
    pub async fn post_openly(&self, path: &str, body: Value) -> Answer {
        self.call(None, Method::POST, path, Some(body)).await
    }

    /// Posts a form of a page.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let body = Bytes::from(form.join("&"));
        self.send(None, Method::POST, path, "application/x-www-form-urlencoded", body).await
    }
}

/// A day on the wire.
pub fn day(text: &str) -> Value {
    let parts: Vec<i64> = text.split('-').map(|part| part.parse().expect("a date")).collect();
    json!({ "year": parts[0], "month": parts[1], "day": parts[2] })
}

/// An application that meets every rule, of a commune of Lyon.
pub fn application(siret: &str, email: &str, posts: usize) -> Value {
    json!({
        "profile": {
            "registrationNumber": siret, "legalName": "Commune de Lyon", "kind": "STRUCTURE_KIND_LOCAL_AUTHORITY",
            "commune": "69123", "address": "1 place de la Comédie"
        },
        "contact": {
            "givenName": "Camille", "familyName": "Garnier", "function": "DRH", "email": email
        },
        "lineManager": { "function": "Directrice" },
        "posts": vec![json!({ "wishedStartDate": day("2021-03-01") }); posts],
        "missions": ["MISSION_DIGITAL_AUTONOMY"],
        "inFrequentedPlaces": true,
        "commitments": [
            "COMMITMENT_FREE_FOR_THE_PUBLIC", "COMMITMENT_FULL_TIME", "COMMITMENT_TIME_FOR_MEETINGS_AND_TRAINING",
            "COMMITMENT_STATE_DRESS", "COMMITMENT_EQUIPMENT", "COMMITMENT_SELECTION_IN_TIME",
            "COMMITMENT_FREE_WITHOUT_MEMBERSHIP"
        ]
    })
}

/// A candidate of Villeurbanne, next to Lyon, who goes 20 km. Each letter is another person.
pub fn candidate(letter: &str) -> Value {
    json!({
        "givenName": "Amina", "familyName": format!("Diallo {letter}"), "birthDate": day("1990-05-17"),
        "email": format!("amina.{letter}@exemple.example"), "commune": "69266", "reach": { "maxKm": 20 },
        "situation": { "status": "STATUS_JOB_SEEKER" }, "availableFrom": day("2021-01-01"),
        "background": { "experience": true }
    })
}
