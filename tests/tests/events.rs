//! Events between two services, on every database: order and one effect each, whatever is refused; dead letters that are
//! listed, hold back their own aggregate only, and are sent again.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use conum_kernel::Error;
use conum_proto::{
    events::v1::{
        DeliverRequest, Event, Outcome, PostReleaseRefused, event::Payload,
        event_sink_service_client::EventSinkServiceClient,
    },
    operations::v1::{
        GetEventLagRequest, ListDeadLettersRequest, RedriveDeadLetterRequest,
        dead_letters_service_client::DeadLettersServiceClient,
    },
};
use conum_service::{
    Call, Failure, Host, Reader, Tx,
    config::Config,
    events::{self, Applied, Subscriber},
    lifecycle::{Built, Service},
    requests,
    schema::Tables,
    sql,
};
use conum_testkit::{Backend, Scene, backends, callers};
use futures::future::BoxFuture;
use tokio::sync::Semaphore;

/// Whether the listener takes what is bad.
static MENDED: AtomicBool = AtomicBool::new(false);

/// Keeps what it hears.
struct Listener;

impl Subscriber for Listener {
    fn apply<'t>(&'t self, tx: &'t Tx, _: &'t Call, event: &'t Event) -> BoxFuture<'t, Result<Applied, Failure>> {
        Box::pin(async move {
            let insert = "INSERT INTO heard (subject, sequence) VALUES ($1, $2)";
            sql::execute(tx, insert, [event.subject.clone().into(), event.sequence.into()]).await?;
            if event.subject.ends_with("bad") && !MENDED.load(Ordering::SeqCst) {
                return Err(Error::internal("not today").into());
            }
            Ok(Applied::Done)
        })
    }
}

const HEARD: Tables = Tables {
    name: "m0002_heard",
    statements: &["CREATE TABLE heard (id SERIAL, subject text NOT NULL, sequence bigint NOT NULL)"],
};

/// What the listener has heard, in its order.
async fn heard(scene: &Scene) -> Vec<(String, i64)> {
    let store = scene.cluster.service("applications").unwrap().host.store().clone();
    numbered(store.read(), "SELECT subject, sequence FROM heard ORDER BY id").await
}

/// The subjects and numbers that a query finds.
async fn numbered(reader: &Reader, query: &str) -> Vec<(String, i64)> {
    let rows = sql::all(reader, query, []).await.unwrap();
    rows.iter().map(|row| (row.try_get("", "subject").unwrap(), row.try_get("", "sequence").unwrap())).collect()
}

fn listener(_: &Host, _: &Config) -> Result<Built, Error> {
    Ok(Built { subscriber: Some(Arc::new(Listener)), ..Built::default() })
}

fn teller(_: &Host, _: &Config) -> Result<Built, Error> {
    Ok(Built::default())
}

/// Two services under names that the subscriptions know: matching tells, applications listens.
const SERVICES: [Service; 2] = [
    Service { name: "matching", policies: &[], tables: &[], build: teller },
    Service { name: "applications", policies: &[], tables: &[HEARD], build: listener },
];

async fn tell(scene: &Scene, subject: &'static str, count: usize) {
    let host = scene.cluster.service("matching").unwrap().host.clone();
    let (clock, ids) = (host.clock().clone(), host.ids().clone());
    let told = host.store().write(move |tx| {
        let (clock, ids) = (clock.clone(), ids.clone());
        Box::pin(async move {
            for number in 0..count {
                let call = Call::internal("matching", format!("{subject}/{number}"), clock.moment(), &ids);
                let refused = PostReleaseRefused { post: subject.into(), ..PostReleaseRefused::default() };
                events::append(tx, &call, "matching", subject, Payload::PostReleaseRefused(refused)).await?;
            }
            Ok(())
        })
    });
    told.await.unwrap();
}

async fn play(backend: &Backend) {
    MENDED.store(false, Ordering::SeqCst);
    let scene = Scene::start(&SERVICES, backend).await;
    tell(&scene, "posts/good", 2).await;
    tell(&scene, "posts/bad", 3).await;
    tell(&scene, "posts/good", 1).await;
    // Each refusal makes the pause longer: let hours pass.
    for _ in 0..20 {
        scene.clock.advance(jiff::SignedDuration::from_mins(5));
        scene.settle().await;
    }
    let good = |to: i64| (1..=to).map(|sequence| ("posts/good".to_owned(), sequence)).collect::<Vec<_>>();
    assert_eq!(heard(&scene).await, good(3), "the bad aggregate holds back itself only");

    let mut client = DeadLettersServiceClient::new(scene.cluster.channel("matching").unwrap());
    let parent = "services/matching".to_owned();
    let list = ListDeadLettersRequest { parent, ..ListDeadLettersRequest::default() };
    let request = scene.cluster.signed(&callers::operator(), "matching", list).await.unwrap();
    let letters = client.list_dead_letters(request).await.unwrap().into_inner().dead_letters;
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((letter.aggregate.as_str(), letter.sequence, letter.attempts), ("posts/bad", 1, 8));
    assert_eq!((letter.subscriber.as_str(), letter.reason.as_str()), ("applications", "INTERNAL"));

    MENDED.store(true, Ordering::SeqCst);
    let redrive = RedriveDeadLetterRequest { name: letter.name.clone() };
    let request = scene.cluster.signed(&callers::operator(), "matching", redrive).await.unwrap();
    client.redrive_dead_letter(request).await.unwrap();
    scene.settle().await;
    let bad: Vec<_> = (1..=3).map(|sequence| ("posts/bad".to_owned(), sequence)).collect();
    assert_eq!(heard(&scene).await[3..], bad, "in order, each once");

    let lag = GetEventLagRequest { name: "services/matching/eventLag".into() };
    let request = scene.cluster.signed(&callers::operator(), "matching", lag).await.unwrap();
    let lag = client.get_event_lag(request).await.unwrap().into_inner();
    assert_eq!((lag.published, lag.pending, lag.dead_letters), (6, 0, 0));

    // What was delivered is forgotten, and what comes later is not told from the beginning; more than one delivery
    // carries comes in several.
    tell(&scene, "posts/good", 1).await;
    tell(&scene, "posts/long", 1200).await;
    scene.settle().await;
    let long = (1..=1200).map(|sequence| ("posts/long".to_owned(), sequence));
    let late: Vec<_> = std::iter::once(("posts/good".to_owned(), 4)).chain(long).collect();
    assert_eq!(heard(&scene).await[6..], late, "in order, each once");
    let reader = scene.cluster.service("matching").unwrap().host.store().read().clone();
    let left = sql::all(&reader, "SELECT subscriber FROM deliveries", []).await.unwrap();
    assert!(left.is_empty(), "nothing is kept of what was delivered");

    // What everybody has heard is forgotten after a month, and what somebody has not is kept.
    MENDED.store(false, Ordering::SeqCst);
    tell(&scene, "posts/bad", 1).await;
    scene.days_pass(31).await;
    tell(&scene, "posts/good", 1).await;
    scene.settle().await;
    let host = scene.cluster.service("matching").unwrap().host.clone();
    assert_eq!(requests::sweep(&host).await.unwrap(), 3 + 3 + 1 + 1200);
    let kept = numbered(&reader, "SELECT aggregate AS subject, sequence FROM outbox ORDER BY position").await;
    assert_eq!(kept, [("posts/bad".to_owned(), 4), ("posts/good".to_owned(), 5)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_event_becomes_a_dead_letter_that_holds_back_its_own_aggregate_and_can_be_redriven() {
    for backend in backends() {
        play(&backend).await;
    }
}

/// Hears of a thing, and of somebody who waits for it.
struct Waiting;

/// Whether the one who waits has looked for the thing, and may go on.
static LOOKED: Semaphore = Semaphore::const_new(0);
static GOES_ON: Semaphore = Semaphore::const_new(0);

impl Subscriber for Waiting {
    fn apply<'t>(&'t self, tx: &'t Tx, _: &'t Call, event: &'t Event) -> BoxFuture<'t, Result<Applied, Failure>> {
        Box::pin(async move {
            if event.subject == "things/waiter" {
                let known = sql::one(tx, "SELECT 1 AS found FROM heard WHERE subject = 'things/known'", []).await?;
                if known.is_none() {
                    LOOKED.add_permits(1);
                    GOES_ON.acquire().await.map_err(Error::internal)?.forget();
                    return Ok(Applied::WaitsFor("things/known".into()));
                }
            }
            let insert = "INSERT INTO heard (subject, sequence) VALUES ($1, $2)";
            sql::execute(tx, insert, [event.subject.clone().into(), event.sequence.into()]).await?;
            Ok(Applied::Done)
        })
    }
}

fn waiting(_: &Host, _: &Config) -> Result<Built, Error> {
    Ok(Built { subscriber: Some(Arc::new(Waiting)), ..Built::default() })
}

async fn deliver(scene: &Scene, subject: &str) -> Outcome {
    let refused = PostReleaseRefused { post: subject.into(), ..PostReleaseRefused::default() };
    let event = Event {
        id: subject.into(),
        source: "matching".into(),
        subject: subject.into(),
        sequence: 1,
        payload: Some(Payload::PostReleaseRefused(refused)),
        ..Event::default()
    };
    let request = DeliverRequest { events: vec![event] };
    let request = scene.cluster.signed(&callers::service("matching"), "applications", request).await.unwrap();
    let mut client = EventSinkServiceClient::new(scene.cluster.channel("applications").unwrap());
    client.deliver(request).await.unwrap().into_inner().receipts[0].outcome()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_what_comes_at_the_same_moment_is_not_forgotten() {
    const SERVICES: [Service; 1] = [Service { name: "applications", policies: &[], tables: &[HEARD], build: waiting }];
    // SQLite takes one delivery after the other.
    for backend in backends().iter().filter(|backend| matches!(backend, Backend::Postgres(_))) {
        let scene = Scene::start(&SERVICES, backend).await;
        let between = async {
            LOOKED.acquire().await.unwrap().forget();
            assert_eq!(deliver(&scene, "things/known").await, Outcome::Applied);
            GOES_ON.add_permits(1);
        };
        let (outcome, ()) = futures::join!(deliver(&scene, "things/waiter"), between);
        assert_eq!(outcome, Outcome::Applied);
        assert_eq!(heard(&scene).await, [("things/known".into(), 1), ("things/waiter".into(), 1)]);
    }
}
