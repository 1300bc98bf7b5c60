//! Unary `GetCandidate` a second and per CPU-second of the server, with the access check and the telemetry layers in place,
//! against a tonic server that does the same SELECT with plain sqlx and answers the same message, and against one that
//! answers a constant. Each server is pinned to the first core, the callers to the second.
//!
//! `cargo build --release --workspace --bins && cargo run --release -p conum-tests --example reads [SECONDS]`

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use conum_candidates::{
    domain::Candidate as Person,
    rpc::convert::{self, PixResults},
    storage::candidates::Stored,
};
use conum_kernel::Clock;
use conum_proto::{
    candidates::v1::{
        Background, Candidate, CreateCandidateRequest, GetCandidateRequest, Reach, Situation,
        candidates_service_client::CandidatesServiceClient, situation::Status as Occupation,
    },
    google::r#type::Date,
};
use conum_service::{
    identity::{KeyPair, Signer},
    lifecycle::{self, IDENTITY_KEY},
};
use conum_testkit::callers;
use sqlx::{Row as _, sqlite::SqlitePoolOptions};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, server::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

const PEOPLE: usize = 2000;
const CALLERS: usize = 32;

/// Serves `GetCandidate` alone: from the database of a URL with plain sqlx, or always the same.
mod peer {
    use super::*;
    use axum::{Router, body::Body, extract::State, routing::post};

    #[derive(Clone)]
    struct Peer(Option<sqlx::SqlitePool>);

    struct Method(Peer);

    impl tonic::server::UnaryService<GetCandidateRequest> for Method {
        type Response = Candidate;
        type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Candidate>, Status>> + Send>>;

        fn call(&mut self, request: Request<GetCandidateRequest>) -> Self::Future {
            let Peer(pool) = self.0.clone();
            Box::pin(async move {
                let name = request.into_inner().name;
                let Some(pool) = pool else { return Ok(Response::new(Candidate { name, ..Candidate::default() })) };
                let row = sqlx::query("SELECT version, document FROM candidates WHERE id = ?")
                    .bind(name.trim_start_matches("candidates/").to_owned())
                    .fetch_one(&pool)
                    .await
                    .map_err(|_| Status::not_found("not found"))?;
                let document: &str = row.get("document");
                let candidate: Person = serde_json::from_str(document).map_err(|_| Status::internal("internal"))?;
                let stored = Stored { candidate, version: row.get("version") };
                Ok(Response::new(convert::candidate(stored, PixResults::Hidden)))
            })
        }
    }

    async fn answer(State(peer): State<Peer>, request: http::Request<Body>) -> http::Response<tonic::body::Body> {
        Grpc::new(ProstCodec::default()).unary(Method(peer), request).await
    }

    pub(super) async fn serve(database: Option<PathBuf>) {
        let pool = match database {
            Some(file) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
                Some(SqlitePoolOptions::new().max_connections(4).connect_with(options).await.expect("a database"))
            }
            None => None,
        };
        let routes = Router::new()
            .route("/conum.candidates.v1.CandidatesService/GetCandidate", post(answer))
            .with_state(Peer(pool));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("peer http://{}", listener.local_addr().expect("an address"));
        let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
        tonic::transport::Server::builder()
            .add_routes(tonic::service::Routes::from(routes))
            .serve_with_incoming(incoming)
            .await
            .expect("served");
    }
}

fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A server, and where it listens.
fn started(command: &mut Command) -> (Child, String) {
    let mut child = command.spawn().expect("the server starts: build it first");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let url =
        lines.find_map(|line| line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned));
    std::thread::spawn(move || lines.for_each(drop));
    (child, url.expect("an address"))
}

/// The CPU seconds that a process has used.
fn cpu(process: &Child) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).expect("the process runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks: u32 = fields[11].parse::<u32>().expect("ticks") + fields[12].parse::<u32>().expect("ticks");
    f64::from(ticks) / 100.0
}

fn channel(url: &str) -> CandidatesServiceClient<Channel> {
    CandidatesServiceClient::new(lifecycle::channel(url).expect("a channel"))
}

async fn by<T>(signer: &Signer, message: T) -> Request<T> {
    let mut request = Request::new(message);
    conum_service::host::sign(signer, &mut request, &callers::agency(), "candidates").await.expect("signed");
    request
}

fn person(number: usize) -> Candidate {
    Candidate {
        given_name: format!("Rose{number}"),
        family_name: "Dupont".into(),
        birth_date: Some(Date { year: 1990, month: 1, day: 1 }),
        email: format!("rose{number}@exemple.fr"),
        phone: "06 12 34 56 78".into(),
        commune: "69123".into(),
        reach: Some(Reach { max_km: 40, anywhere: false }),
        situation: Some(Situation { status: Occupation::JobSeeker.into(), ..Situation::default() }),
        available_from: Some(Date { year: 2021, month: 2, day: 1 }),
        background: Some(Background { experience: true, ..Background::default() }),
        ..Candidate::default()
    }
}

/// Reads a second, and per CPU-second of the server.
async fn measure(server: &Child, url: &str, signer: &Signer, names: &[String], seconds: u64) -> (f64, f64) {
    let done = AtomicU64::new(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    let (began, used) = (Instant::now(), cpu(server));
    let caller = async |offset: usize| {
        let mut client = channel(url);
        for name in names.iter().cycle().skip(offset * 61) {
            if Instant::now() >= until {
                break;
            }
            let request = by(signer, GetCandidateRequest { name: name.clone() }).await;
            client.get_candidate(request).await.expect("a candidate");
            done.fetch_add(1, Ordering::Relaxed);
        }
    };
    futures::future::join_all((0..CALLERS).map(caller)).await;
    #[expect(clippy::cast_precision_loss, reason = "a count of a few seconds")]
    let done = done.load(Ordering::Relaxed) as f64;
    (done / began.elapsed().as_secs_f64(), done / (cpu(server) - used))
}

async fn load(seconds: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let this = std::env::current_exe().expect("this program");
    let settings = folder.path().join("candidates.toml");
    fs::write(&settings, format!("listen = \"127.0.0.1:0\"\ndata = {:?}\n", folder.path())).expect("settings");
    let (mut ours, url) = started(pinned(&this.with_file_name("../conum-candidates")).env("CONUM_CONFIG", &settings));
    let keys = KeyPair::open(&folder.path().join("keys"), IDENTITY_KEY).expect("keys");
    let signer = keys.signer(&Clock::system()).expect("a signer");
    let mut names = Vec::new();
    for number in 0..PEOPLE {
        let message = CreateCandidateRequest { candidate: Some(person(number)), ..CreateCandidateRequest::default() };
        let made = channel(&url).create_candidate(by(&signer, message).await).await.expect("registered").into_inner();
        names.push(made.name);
    }
    let database = folder.path().join("candidates.db");
    let (mut same, same_url) = started(pinned(&this).arg("--peer").arg(&database));
    let (mut echo, echo_url) = started(pinned(&this).arg("--peer"));
    let mut rates = Vec::new();
    for (server, url) in [(&ours, &url), (&same, &same_url), (&echo, &echo_url)] {
        // Long enough for what the registrations have left to tell to find nobody there, and to wait.
        measure(server, url, &signer, &names, 5).await;
        rates.push(measure(server, url, &signer, &names, seconds).await);
    }
    for server in [&mut ours, &mut same, &mut echo] {
        server.kill().expect("stopped");
        let _ = server.wait();
    }
    let [(ours, ours_cpu), (same, same_cpu), (echo, echo_cpu)] = rates[..] else { return };
    println!("GetCandidate {ours:.0}/s, {ours_cpu:.0} per CPU-second");
    println!("plain sqlx   {same:.0}/s, {same_cpu:.0} per CPU-second; ratio {:.2}", ours_cpu / same_cpu);
    println!("echo         {echo:.0}/s, {echo_cpu:.0} per CPU-second");
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    let peer = first.as_deref() == Some("--peer");
    // The callers stay on the second core; a server was pinned by whoever started it.
    if !peer {
        let _ = Command::new("taskset").args(["-cp", "1", &std::process::id().to_string()]).output();
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if peer {
        runtime.block_on(peer::serve(arguments.next().map(PathBuf::from)));
    } else {
        runtime.block_on(load(first.and_then(|seconds| seconds.parse().ok()).unwrap_or(5)));
    }
}
