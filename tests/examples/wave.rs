//! One national wave: the seconds from its activation until all introductions, their events and their mails are written,
//! against five times the engine's own seconds on an equal market and what plain rusqlite takes to insert the same rows;
//! and how long structures that read meanwhile wait for an answer.
//!
//! `cargo run --release -p conum-tests --example wave STRUCTURES.csv CANDIDATES.csv`
//!
//! The columns are `id,lat,lon,posts` and `id,lat,lon,max_km`; more than 100 km is anywhere. applications, candidates and
//! matching run in this process as they do anywhere, each on its SQLite file, their tasks by themselves. Nothing is told to
//! them but what an import would tell, each line in the commune nearest to it: people are registered through
//! `ImportCandidates`, structures are recorded through `RecordPastGrant` and get a contact to write to. Events then bring
//! both to matching, and the wave is activated once nothing is left to tell or to send. Whoever reads has a thread and a
//! connection of its own, asks on time whether the last answer has come or not, and counts the waiting from then.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use conum_engine::{Engine, Market, Person, Reach, Rounding, Share, Vacancy, Weights};
use conum_geo::Territory;
use conum_kernel::{Clock, Ids, dates::days_between};
use conum_matching::{
    domain::{assignment::Available, candidate},
    storage::{candidates, structures},
};
use conum_proto::{
    applications::v1::{
        ActivateWaveRequest, Application, Contact, RecordPastGrantRequest, Structure, StructureKind,
        UpdateApplicationRequest, applications_service_client::ApplicationsServiceClient,
        waves_service_client::WavesServiceClient,
    },
    candidates::v1::{
        Candidate, ImportCandidatesRequest, ImportedCandidate, Reach as HowFar, Situation,
        candidates_service_client::CandidatesServiceClient, situation::Status,
    },
    google::r#type::Date,
    matching::v1::{GetPostRequest, recruitments_service_client::RecruitmentsServiceClient},
};
use conum_service::{
    cluster::{Cluster, Options},
    host,
    identity::{KeyPair, Signer},
    lifecycle::{self, Drive, IDENTITY_KEY},
};
use conum_testkit::callers;
use conum_tests::{
    bare::{self, BATCH},
    latency::Latency,
    nation::{Home, Nation, Site},
    told,
};
use futures::{StreamExt as _, stream};
use rusqlite::{Connection, OpenFlags};
use uuid::Builder;

/// The services that a wave goes through, by their names.
const SERVICES: [&str; 3] = ["applications", "candidates", "matching"];
/// Introductions of a structure, and of a candidate at most: the policies' defaults.
const EACH: u32 = 3;
/// The pause between two reads that are asked.
const PACE: Duration = Duration::from_millis(2);
/// How long it is read before the wave.
const CALM: Duration = Duration::from_secs(5);
/// The pause between two looks at what is written: a look takes the processor from what is measured.
const LOOK: Duration = Duration::from_millis(20);
/// How long the writing of anything may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Registers everybody, in the batches of an import.
async fn register(cluster: &Cluster, homes: &[Home]) {
    let person = |number: usize, home: &Home| Candidate {
        given_name: format!("Rose{number}"),
        family_name: "Dupont".into(),
        birth_date: Some(Date { year: 1990, month: 1, day: 1 }),
        email: format!("rose{number}@exemple.fr"),
        commune: home.commune.code.into(),
        reach: Some(HowFar { max_km: home.max_km.unwrap_or_default(), anywhere: home.max_km.is_none() }),
        situation: Some(Situation { status: Status::JobSeeker.into(), ..Situation::default() }),
        available_from: Some(Date { year: 2021, month: 2, day: 1 }),
        ..Candidate::default()
    };
    let line = |number: usize, home: &Home| ImportedCandidate {
        line: i64::try_from(number).expect("a small number"),
        candidate: Some(person(number, home)),
        request_id: Builder::from_random_bytes((number as u128).to_be_bytes()).into_uuid().to_string(),
    };
    let lines: Vec<_> = homes.iter().enumerate().map(|(number, home)| line(number, home)).collect();
    let batches: Vec<_> =
        lines.chunks(BATCH).map(|lines| ImportCandidatesRequest { candidates: lines.to_vec() }).collect();
    let request = cluster.signed(&callers::agency(), "candidates", stream::iter(batches)).await.expect("signed");
    let mut client = CandidatesServiceClient::new(cluster.channel("candidates").expect("a channel"));
    let mut answers = client.import_candidates(request).await.expect("answers").into_inner();
    while let Some(answer) = answers.next().await {
        for line in answer.expect("an answer").lines {
            assert!(line.refusal.is_none(), "{:?}", line.refusal);
        }
    }
}

/// The wave of the structures, and their posts, by name.
async fn grant(cluster: &Cluster, sites: &[Site]) -> (String, Vec<String>) {
    let mut client = ApplicationsServiceClient::new(cluster.channel("applications").expect("a channel"));
    let (mut wave, mut posts) = (String::new(), Vec::new());
    for (number, site) in sites.iter().enumerate() {
        let profile = Structure {
            registration_number: siret(number),
            legal_name: format!("Commune {number}"),
            kind: StructureKind::LocalAuthority.into(),
            commune: site.commune.code.into(),
            location: Some(told::location(site.place)),
            ..Structure::default()
        };
        let message = RecordPastGrantRequest {
            profile: Some(profile),
            posts: site.posts.into(),
            committee_date: Some(Date { year: 2021, month: 3, day: 24 }),
            source_id: format!("structures/{number}"),
            ..RecordPastGrantRequest::default()
        };
        let request = cluster.signed(&callers::agency(), "applications", message).await.expect("signed");
        let recorded = client.record_past_grant(request).await.expect("recorded").into_inner();
        let Application { name, posts: granted, missing, .. } = recorded.application.expect("an application");
        assert!(missing.is_empty(), "{missing:?}");
        wave.clone_from(&granted[0].wave);
        posts.extend(granted.into_iter().map(|post| post.name));
        let contact = Contact {
            given_name: "Camille".into(),
            family_name: "Garnier".into(),
            function: "DRH".into(),
            email: format!("camille{number}@exemple.fr"),
            ..Contact::default()
        };
        let completed = Application { name, contact: Some(contact), ..Application::default() };
        let message = UpdateApplicationRequest {
            application: Some(completed),
            update_mask: Some(prost_types::FieldMask { paths: vec!["contact".into()] }),
            ..UpdateApplicationRequest::default()
        };
        let request = cluster.signed(&callers::agency(), "applications", message).await.expect("signed");
        client.update_application(request).await.expect("completed");
    }
    (wave, posts)
}

/// The registration number of a structure, with its key (Luhn's).
fn siret(number: usize) -> String {
    let digits = format!("2{number:012}");
    let weighed = digits.bytes().rev().zip([2, 1].into_iter().cycle());
    let sum: u32 = weighed.map(|(digit, weight)| u32::from(digit - b'0') * weight).map(|sum| sum / 10 + sum % 10).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

async fn activate(cluster: &Cluster, wave: &str) {
    let message = ActivateWaveRequest { name: wave.into(), ..ActivateWaveRequest::default() };
    let request = cluster.signed(&callers::agency(), "applications", message).await.expect("signed");
    let mut client = WavesServiceClient::new(cluster.channel("applications").expect("a channel"));
    client.activate_wave(request).await.expect("activated");
}

/// What the engine is given of what matching knows, once the posts are active.
async fn market(cluster: &Cluster) -> Market {
    let reader = cluster.service("matching").expect("it runs").host.store().read();
    let people = candidates::with_room(reader, EACH as usize).await.expect("people");
    let known = structures::all(reader).await.expect("structures");
    let today = Clock::system().today();
    let mut communes: HashMap<String, u32> = HashMap::new();
    let mut commune = |code: &str| {
        let next = u32::try_from(communes.len()).expect("a small number") + 1;
        *communes.entry(code.to_owned()).or_insert(next)
    };
    let region = |territory: Option<Territory>| {
        let place = Territory::ALL.iter().position(|known| Some(*known) == territory);
        place.map_or(0, |place| u16::try_from(place).expect("a small number") + 1)
    };
    let person = |Available { candidate, room }: &Available| Person {
        place: candidate.place,
        reach: match candidate.reach {
            candidate::Reach::Within(km) => Reach::Within(f64::from(km) * 1000.0),
            candidate::Reach::Anywhere => Reach::Anywhere,
        },
        region: region(candidate.territory),
        commune: commune(&candidate.commune),
        wishes: Vec::new(),
        kinds: 0,
        offers: 0,
        available: days_between(today, candidate.available_from),
        room: u32::try_from(*room).expect("a small number"),
        member: false,
        since: candidate.registered_at.as_microsecond(),
        id: candidate.id.uuid().as_u128(),
    };
    let people = people.iter().map(person).collect();
    let vacancy = |(structures::Stored { structure, .. }, _): &(structures::Stored, Vec<structures::Post>)| Vacancy {
        place: structure.place,
        region: region(structure.territory),
        commune: commune(&structure.commune),
        department: 0,
        kind: 1,
        compulsory: 0,
        liked: 0,
        needed_by: 0,
        places: EACH,
        introduced: Vec::new(),
        called: (0, 0),
        id: structure.id.uuid().as_u128(),
    };
    let vacancies = known.iter().map(vacancy).collect();
    let (weights, share) = (Weights::DISTANCE, Share::default());
    Market { people, vacancies, weights, rounding: Rounding::Metre, share, today: 0 }
}

/// The best of five runs of the engine, in seconds, and how many introductions it finds.
fn engine(market: &Market) -> (f64, usize) {
    let run = |_| {
        let began = Instant::now();
        let engine = Engine::over(market);
        let pairs = engine.assign(&engine.scarcity()).pairs.len();
        (began.elapsed().as_secs_f64(), pairs)
    };
    (0..5).map(run).min_by(|(one, _), (other, _)| one.total_cmp(other)).expect("five runs")
}

/// The databases, as somebody sees them who looks from outside.
struct Databases(Vec<Connection>);

impl Databases {
    fn open(folder: &Path) -> Self {
        let open = |name| Connection::open_with_flags(file(folder, name), OpenFlags::SQLITE_OPEN_READ_ONLY);
        Self(SERVICES.iter().map(|name| open(name).expect("a database")).collect())
    }

    fn none(&self, query: &str) -> bool {
        self.0.iter().all(|database| {
            let asked = database.prepare_cached(&format!("SELECT NOT EXISTS ({query})"));
            asked.expect("a query").query_row([], |row| row.get(0)).expect("an answer")
        })
    }

    /// Nothing is left to tell a service that runs.
    fn told(&self) -> bool {
        self.none(
            "SELECT 1 FROM deliveries WHERE subscriber IN ('applications', 'candidates', 'matching')
               AND delivered < last AND dead IS NULL",
        )
    }

    /// Nothing is left to send.
    fn sent(&self) -> bool {
        self.none("SELECT 1 FROM mails WHERE sent_at IS NULL")
    }

    /// How many rows matching has that a query counts.
    fn matching(&self, query: &str) -> usize {
        let mut asked = self.0[2].prepare_cached(query).expect("a query");
        let count: i64 = asked.query_row([], |row| row.get(0)).expect("a count");
        usize::try_from(count).expect("a count")
    }
}

fn file(folder: &Path, service: &str) -> PathBuf {
    folder.join(format!("{service}.db"))
}

/// Waits for something; answers when it was there.
async fn until(what: &str, mut there: impl FnMut() -> bool) -> Instant {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(LOOK).await;
    }
    Instant::now()
}

/// A copy of a database before the wave.
struct Before {
    database: PathBuf,
    copy: PathBuf,
}

impl Before {
    fn of(folder: &Path, service: &str) -> Self {
        let (database, copy) = (file(folder, service), folder.join(format!("{service}-before.db")));
        let source = Connection::open(&database).expect("a database");
        source.execute("VACUUM INTO ?", [copy.to_str().expect("a path")]).expect("a copy");
        Self { database, copy }
    }

    /// Inserts the rows that the wave has made into the copy; answers how many they are, and the seconds that took.
    fn insert_again(&self) -> (usize, f64) {
        let source = Connection::open(&self.database).expect("a database");
        source.execute("ATTACH ? AS before", [self.copy.to_str().expect("a path")]).expect("a copy");
        let tables: Vec<_> = bare::tables(&source).iter().map(|name| bare::new_rows(&source, name)).collect();
        let rows = tables.iter().map(|table| table.rows.len()).sum::<usize>();
        source.execute("DETACH before", []).expect("nobody reads it");
        let mut target = bare::open(&self.copy);
        target.pragma_update(None, "cache_size", -16384).expect("as much memory as a service takes");
        (rows, bare::insert(&mut target, &tables, rows.div_ceil(BATCH)))
    }
}

/// Somebody who reads posts one after the other, on time.
struct Reader {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<Vec<(Instant, Duration)>>,
}

impl Reader {
    fn start(url: String, signer: Signer, posts: Vec<String>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        Self { stop, thread: thread::spawn(move || read(&url, &signer, &posts, &stopped)) }
    }

    /// When each read was due, and how long it then took.
    fn stop(self) -> Vec<(Instant, Duration)> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("it has read")
    }
}

fn read(url: &str, signer: &Signer, posts: &[String], stop: &AtomicBool) -> Vec<(Instant, Duration)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut client =
        runtime.block_on(async { RecruitmentsServiceClient::new(lifecycle::channel(url).expect("a URL")) });
    let mut read = Vec::new();
    let mut due = Instant::now();
    for name in posts.iter().cycle().step_by(61).take_while(|_| !stop.load(Ordering::Relaxed)) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        runtime.block_on(async {
            let mut request = tonic::Request::new(GetPostRequest { name: name.clone() });
            host::sign(signer, &mut request, &callers::agency(), "matching").await.expect("signed");
            client.get_post(request).await.expect("a post");
        });
        read.push((due, due.elapsed()));
        due += PACE;
    }
    read
}

#[tokio::main]
async fn main() {
    let nation = Nation::of_arguments();
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options::in_folder(folder.path(), Clock::system(), Ids::random(), Drive::Itself);
    let services = [conum_applications::SERVICE, conum_candidates::SERVICE, conum_matching::SERVICE];
    let cluster = Cluster::start(&services, &options).await.expect("the services start");
    let databases = Databases::open(folder.path());
    let began = Instant::now();
    register(&cluster, &nation.homes).await;
    let (wave, posts) = grant(&cluster, &nation.sites).await;
    let filled = until("setting up", || databases.told() && databases.sent()).await;
    println!(
        "{} structures, {} people: set up in {:.0} s",
        nation.sites.len(),
        nation.homes.len(),
        (filled - began).as_secs_f64()
    );
    let before = SERVICES.map(|service| Before::of(folder.path(), service));
    let (engine, introductions) = engine(&market(&cluster).await);

    let keys = KeyPair::open(&options.config.keys(), IDENTITY_KEY).expect("keys");
    let signer = keys.signer(&options.clock).expect("a signer");
    let reader = Reader::start(cluster.peers()["matching"].clone(), signer, posts);
    tokio::time::sleep(CALM).await;
    let activated = Instant::now();
    activate(&cluster, &wave).await;
    let count = "SELECT count(*) FROM introductions";
    let introduced = until("introductions", || databases.matching(count) >= introductions).await;
    let count = "SELECT count(*) FROM outbox WHERE kind = 'CandidateIntroduced'";
    let noted = until("events", || databases.matching(count) >= introductions).await;
    let queued = until("queued mails", || databases.told()).await;
    let sent = until("sent mails", || databases.sent()).await;
    let reads = reader.stop();
    assert_eq!(databases.matching("SELECT count(*) FROM introductions"), introductions, "the engine's own");

    let latency = |from: Instant, to: Instant| {
        Latency::of(reads.iter().filter(|(due, _)| *due >= from && *due < to).map(|(_, took)| *took).collect())
    };
    // The first read opens the connection.
    let calm = latency(reads[1].0, activated);
    let during = latency(activated, sent);
    let inserted = before.iter().map(Before::insert_again);
    let (rows, bare) = inserted.fold((0, 0.0), |(rows, seconds), (more, took)| (rows + more, seconds + took));
    let seconds = |moment: Instant| (moment - activated).as_secs_f64();
    let ratio = |moment: Instant| seconds(moment) / (5.0 * engine + bare);
    println!("{introductions} introductions, {rows} rows in all; engine {engine:.3} s, bare insert {bare:.3} s");
    println!("written after        seconds  of 5 engines and a bare insert");
    for (what, moment) in
        [("introductions", introduced), ("events", noted), ("mails queued", queued), ("mails sent", sent)]
    {
        println!("{what:<20} {:>7.2}  {:.2}", seconds(moment), ratio(moment));
    }
    println!("GetPost before the wave: {calm}");
    println!("GetPost until all introductions are written: {}", latency(activated, introduced));
    println!("GetPost until all mails are sent: {during}; p99 {:.1} times", during.p99.div_duration_f64(calm.p99));
    cluster.stop().await;
}
