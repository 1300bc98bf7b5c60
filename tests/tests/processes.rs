//! Each service and the gateway as a process of its own, with the settings of `deploy/local`: a journey during which each
//! is killed (SIGKILL) in turn. Every acknowledged write is found, and every effect exactly once.

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
use conum_service::Caller;
use conum_tests::journey::{Answer, Api, application, callers, candidate};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

const SERVICES: [&str; 3] = ["applications", "candidates", "matching"];
/// How long anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);

struct Processes {
    folder: TempDir,
    ports: BTreeMap<&'static str, u16>,
    running: BTreeMap<&'static str, Child>,
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
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = SERVICES.into_iter().chain(["gateway"]);
        let ports: BTreeMap<_, _> = names.map(|name| (name, free_port())).collect();
        let mut processes = Self { folder, ports, running: BTreeMap::new() };
        for name in SERVICES.into_iter().chain(["gateway"]) {
            processes.launch(name);
        }
        processes
    }

    /// The settings of `deploy/local`, with free ports and a folder of their own.
    fn settings(&self, name: &str) -> PathBuf {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/local").join(format!("{name}.toml"));
        let mut text = fs::read_to_string(example).unwrap();
        for (service, known) in [("gateway", 8080), ("applications", 50051), ("candidates", 50052), ("matching", 50053)]
        {
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
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        self.running.insert(name, child);
    }

    /// Kills a process where it stands, and starts it again.
    fn kill(&mut self, name: &'static str) {
        let mut child = self.running.remove(name).unwrap();
        // SIGKILL: nothing of it runs any more.
        child.kill().unwrap();
        child.wait().unwrap();
        self.launch(name);
    }

    /// Waits until the keys are made and the platform is ready.
    async fn api(&self) -> Api {
        let began = Instant::now();
        while !self.folder.path().join("keys/identity.pub.pem").exists() {
            assert!(began.elapsed() < PATIENCE, "no keys");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let url = format!("http://127.0.0.1:{}", self.ports["gateway"]);
        Api::new(url, self.folder.path(), &Clock::system())
    }

    fn logs(&self) -> String {
        let tail = |name: &str| {
            let text = fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default();
            let lines: Vec<_> = text.lines().filter(|line| !line.contains("\"call\"")).collect();
            format!("{name}: {}\n", lines[lines.len().saturating_sub(5)..].join("\n"))
        };
        SERVICES.into_iter().chain(["gateway"]).map(tail).collect()
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
async fn persist(api: &Api, caller: Option<&Caller>, method: Method, path: &str, body: Value) -> Answer {
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
async fn until(api: &Api, caller: &Caller, path: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
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

fn id(number: u32) -> String {
    format!("9d3c1f00-0000-4000-8000-{number:012}")
}

fn count(value: &Value, list: &str) -> usize {
    value[list].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_process_is_killed_during_a_journey_and_every_effect_is_there_once() {
    let mut processes = Processes::start();
    let api = processes.api().await;
    let agency = callers::agency();
    let outcome = journey(&mut processes, &api, &agency).await;
    assert!(outcome.is_ok(), "{outcome:?}\n{}", processes.logs());
}

async fn journey(processes: &mut Processes, api: &Api, agency: &Caller) -> Result<(), String> {
    let ok = |answer: Answer| if answer.status == StatusCode::OK { Ok(answer.json()) } else { Err(answer.text) };
    // The desk of 2021 is closed: the agency opens it again.
    let policy = json!({ "value": "2099-12-31", "why": "A new season", "requestId": id(1) });
    let path = "/v1/services/applications/policies/closing-date:set";
    ok(persist(api, Some(agency), Method::POST, path, policy).await)?;

    for (number, letter) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        if number == 2 {
            processes.kill("candidates");
        }
        if number == 4 {
            processes.kill("gateway");
        }
        let path = format!("/v1/candidates?requestId={}", id(10 + u32::try_from(number).unwrap()));
        ok(persist(api, None, Method::POST, &path, candidate(letter)).await)?;
    }
    let path = format!("/v1/applications?requestId={}", id(20));
    let form = application("21690123100011", "camille@lyon.example", 1);
    let created = ok(persist(api, None, Method::POST, &path, form).await)?;
    processes.kill("applications");
    let application = created["name"].as_str().unwrap().to_owned();
    let structure = callers::structure(created["structure"].as_str().unwrap());

    let token = confirmation(api).await?;
    let confirm = json!({ "token": token, "requestId": id(21) });
    ok(persist(api, None, Method::POST, &format!("/v1/{application}:confirmAddress"), confirm).await)?;
    let opinion = json!({ "favourable": true, "requestId": id(22) });
    let path = format!("/v1/{application}:recordOpinion");
    ok(persist(api, Some(&callers::prefect("69")), Method::POST, &path, opinion).await)?;
    let path = format!("/v1/waves?requestId={}", id(23));
    let wave = json!({ "committeeDate": { "year": 2026, "month": 1, "day": 5 } });
    let wave = ok(persist(api, Some(agency), Method::POST, &path, wave).await)?["name"].as_str().unwrap().to_owned();
    let grant = json!({ "wave": wave, "requestId": id(24) });
    ok(persist(api, Some(agency), Method::POST, &format!("/v1/{application}:grantPosts"), grant).await)?;
    let activate = json!({ "requestId": id(25) });
    ok(persist(api, Some(agency), Method::POST, &format!("/v1/{wave}:activate"), activate).await)?;
    processes.kill("applications");

    let live = "/v1/introductions?liveOnly=true";
    let introduced =
        until(api, &structure, live, "three introductions", |seen| count(seen, "introductions") == 3).await;
    let first = introduced["introductions"][0]["name"].as_str().unwrap().to_owned();
    let decline = json!({ "requestId": id(26) });
    ok(persist(api, Some(&structure), Method::POST, &format!("/v1/{first}:decline"), decline.clone()).await)?;
    processes.kill("matching");
    ok(persist(api, Some(&structure), Method::POST, &format!("/v1/{first}:decline"), decline).await)?;
    processes.kill("candidates");

    let all =
        until(api, &structure, "/v1/introductions", "four introductions", |seen| count(seen, "introductions") >= 4)
            .await;
    assert_eq!(count(&all, "introductions"), 4, "{all}");
    let people = ok(persist(api, Some(agency), Method::GET, "/v1/candidates", Value::Null).await)?;
    assert_eq!(count(&people, "candidates"), 5, "{people}");
    for service in SERVICES {
        let path = format!("/v1/services/{service}/eventLag");
        let quiet = |seen: &Value| {
            ["pending", "parked", "deadLetters", "mailsPending"].iter().all(|key| seen.get(key).is_none())
        };
        until(api, agency, &path, &format!("{service} quiet"), quiet).await;
    }
    let began = Instant::now();
    let letters = || api.letters().iter().filter(|letter| letter.contains("/introductions/")).count();
    while letters() < 4 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(letters(), 4, "one mail an introduction");
    Ok(())
}

/// The token of the mailed link, once the mail has come.
async fn confirmation(api: &Api) -> Result<String, String> {
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
