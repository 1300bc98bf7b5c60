//! How long a structure of a national wave waits for a decline with its stored replacement, one caller at a time, beside
//! bare durable inserts with plain rusqlite on the same disk, in one run.
//!
//! `cargo run --release -p conum-tests --example decline_latency STRUCTURES.csv CANDIDATES.csv [DECLINES]`
//!
//! The columns are those of `wave`. matching alone is told of both by events; its tasks do not run meanwhile.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use conum_kernel::{Clock, Ids, StructureId};
use conum_proto::matching::v1::{
    DeclineIntroductionRequest, Introduction, ListIntroductionsRequest,
    introductions_service_client::IntroductionsServiceClient,
};
use conum_service::{
    cluster::{Cluster, Options},
    lifecycle::Drive,
};
use conum_testkit::callers;
use conum_tests::{bare, latency::Latency, nation::Nation, told};
use tonic::transport::Channel;

/// A structure's live introductions.
async fn live(
    cluster: &Cluster,
    client: &mut IntroductionsServiceClient<Channel>,
    structure: StructureId,
) -> Vec<Introduction> {
    let message = ListIntroductionsRequest { live_only: true, ..ListIntroductionsRequest::default() };
    let caller = callers::structure(&structure.name());
    let request = cluster.signed(&caller, "matching", message).await.expect("signed");
    client.list_introductions(request).await.expect("a list").into_inner().introductions
}

/// Every structure in turn declines somebody, so many times in all; answers how long each decline took, and how many were
/// replaced.
async fn decline(cluster: &Cluster, structures: &[StructureId], most: usize) -> (Vec<Duration>, usize) {
    let mut client = IntroductionsServiceClient::new(cluster.channel("matching").expect("a channel"));
    let (mut took, mut replaced) = (Vec::new(), 0);
    for structure in structures.iter().cycle().take(most) {
        let Some(introduction) = live(cluster, &mut client, *structure).await.pop() else { continue };
        let message = DeclineIntroductionRequest { name: introduction.name.clone(), ..Default::default() };
        let caller = callers::structure(&structure.name());
        let request = cluster.signed(&caller, "matching", message).await.expect("signed");
        let began = Instant::now();
        client.decline_introduction(request).await.expect("declined");
        took.push(began.elapsed());
        let now = live(cluster, &mut client, *structure).await;
        replaced += usize::from(now.iter().any(|other| other.replaces == introduction.name));
    }
    (took, replaced)
}

/// How long each of some bare durable inserts took.
fn bare_inserts(file: &Path, most: usize) -> Vec<Duration> {
    let connection = bare::open(file);
    connection.execute_batch("CREATE TABLE bare (id integer PRIMARY KEY, text text)").expect("a table");
    let insert = |_| {
        let began = Instant::now();
        connection.execute("INSERT INTO bare (text) VALUES ('declined')", []).expect("inserted");
        began.elapsed()
    };
    (0..most).map(insert).collect()
}

#[tokio::main]
async fn main() {
    let nation = Nation::of_arguments();
    let most = std::env::args().nth(3).and_then(|text| text.parse().ok()).unwrap_or(2000);
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::manual(conum_testkit::BEGINNING.parse().expect("an instant"));
    let options = Options::in_folder(folder.path(), clock, Ids::random(), Drive::ByHand);
    let cluster = Cluster::start(&[conum_matching::SERVICE], &options).await.expect("matching starts");
    let homes = nation.homes.iter().enumerate();
    let people = homes.map(|(number, home)| told::registered(&number.to_string(), home.commune, home.max_km));
    let sites = nation.sites.iter().enumerate();
    let grants: Vec<_> = sites
        .map(|(number, site)| told::granted(&format!("structure/{number}"), site.commune, Some(site.place), site.posts))
        .collect();
    told::wave(&cluster, people.collect(), &grants).await;

    let structures: Vec<_> = grants.iter().map(|granted| granted.structure).collect();
    let (took, replaced) = decline(&cluster, &structures, most).await;
    assert_eq!(took.len(), most, "every structure has somebody to decline");
    let declines = Latency::of(took);
    let bare = Latency::of(bare_inserts(&folder.path().join("bare.db"), most));
    println!("{} structures, {} people", nation.sites.len(), nation.homes.len());
    println!("decline {declines}; {replaced} replaced");
    println!("bare insert {bare}");
    println!("p99 decline to bare insert {:.1}", declines.p99.div_duration_f64(bare.p99));
}
