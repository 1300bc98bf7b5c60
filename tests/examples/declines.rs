//! Durable declines a second at 64 callers, each with its stored replacement, against bare durable inserts one by one on
//! the same disk, in one run.
//!
//! `cargo run --release -p conum-tests --example declines [SECONDS]`

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use conum_geo::{Commune, communes};
use conum_kernel::{Clock, Ids, StructureId};
use conum_proto::matching::v1::{
    DeclineIntroductionRequest, ListIntroductionsRequest, introductions_service_client::IntroductionsServiceClient,
};
use conum_service::{
    cluster::{Cluster, Options},
    lifecycle::Drive,
};
use conum_testkit::callers;
use conum_tests::told;
use jiff::SignedDuration;
use sqlx::{
    ConnectOptions as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// How many structures decline at once.
const CALLERS: usize = 64;
/// How many structures there are: each declines a few times, as in a season.
const STRUCTURES: usize = 1024;
/// How many people live around each.
const PEOPLE: usize = 40;

/// Structures that decline whoever comes, one after the other, until the time is up.
async fn decline(cluster: &Cluster, structures: Vec<StructureId>, until: Instant, done: &AtomicU64) {
    let mut client = IntroductionsServiceClient::new(cluster.channel("matching").expect("a channel"));
    let clock = cluster.service("matching").expect("it runs").host.clock();
    for structure in structures.into_iter().cycle().take_while(|_| Instant::now() < until) {
        let caller = callers::structure(&structure.name());
        let message = ListIntroductionsRequest { live_only: true, ..ListIntroductionsRequest::default() };
        let request = cluster.signed(&caller, "matching", message).await.expect("signed");
        let live = client.list_introductions(request).await.expect("a list").into_inner().introductions;
        for introduction in live {
            let message = DeclineIntroductionRequest { name: introduction.name, ..Default::default() };
            let request = cluster.signed(&caller, "matching", message).await.expect("signed");
            client.decline_introduction(request).await.expect("declined");
            // Time goes on, and with it the ids: in an index they stand beside those of the same moment.
            clock.advance(SignedDuration::from_millis(1));
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Bare durable inserts, one by one: what plain sqlx does on this disk, in the same file mode.
async fn bare_inserts(file: &Path, seconds: u64) -> f64 {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await.expect("a database");
    sqlx::query("CREATE TABLE bare (id integer PRIMARY KEY, text text)")
        .execute(&mut connection)
        .await
        .expect("a table");
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::from_secs(seconds) {
        let insert = sqlx::query("INSERT INTO bare (text) VALUES ('declined')");
        insert.execute(&mut connection).await.expect("inserted");
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5);
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::manual(conum_testkit::BEGINNING.parse().expect("an instant"));
    let options = Options::in_folder(folder.path(), clock, Ids::random(), Drive::ByHand);
    let cluster = Cluster::start(&[conum_matching::SERVICE], &options).await.expect("matching starts");

    let mut towns: Vec<_> = communes().iter().filter(|commune| commune.place.is_some()).collect();
    towns.sort_by_key(|commune| std::cmp::Reverse(commune.population));
    towns.truncate(STRUCTURES);
    let around = |town: &&'static Commune| {
        let town = *town;
        (0..PEOPLE).map(move |number| told::registered(&format!("{}/{number}", town.code), town, Some(5)))
    };
    let people = towns.iter().flat_map(around).collect();
    let grants: Vec<_> = towns.iter().map(|town| told::granted(town.code, town, town.place, 1)).collect();
    told::wave(&cluster, people, &grants).await;

    let done = AtomicU64::new(0);
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let of = |caller: usize| grants.iter().skip(caller).step_by(CALLERS).map(|granted| granted.structure).collect();
    futures::future::join_all((0..CALLERS).map(|caller| decline(&cluster, of(caller), until, &done))).await;
    #[expect(clippy::cast_precision_loss, reason = "a count of a few seconds")]
    let declines = done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    let bare = bare_inserts(&folder.path().join("bare.db"), 3).await;
    println!("declines {declines:.0}/s at {CALLERS} callers; bare inserts {bare:.0}/s; ratio {:.2}", declines / bare);
}
