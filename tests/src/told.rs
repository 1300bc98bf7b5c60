//! matching alone, filled by what the other services would tell it.

use conum_geo::{Commune, Place};
use conum_kernel::{
    ApplicationId, CandidateId, Id, Ids, StructureId, WaveId,
    entities::{Post, Wave},
    id::Entity,
    post_name,
};
use conum_proto::{
    events::v1::{
        CandidateFacts, CandidateRegistered, DeliverRequest, Event, GrantedPost, PostsGranted, WaveActivated,
        WaveApplication, event::Payload, event_sink_service_client::EventSinkServiceClient,
    },
    google::r#type::{Date, LatLng},
};
use conum_service::cluster::Cluster;
use conum_testkit::callers;

/// How many events a delivery has.
const BATCH: usize = 500;

/// The id that a key names.
#[must_use]
pub fn id<T: Entity>(key: &str) -> Id<T> {
    Ids::seeded(1).mint(conum_testkit::BEGINNING.parse().expect("an instant"), key)
}

/// A place as the contracts tell it.
#[must_use]
pub fn location(place: Place) -> LatLng {
    LatLng { latitude: place.lat(), longitude: place.lon() }
}

fn event(subject: String, payload: Payload) -> Event {
    Event {
        id: subject.clone(),
        source: "load".into(),
        subject,
        sequence: 1,
        payload: Some(payload),
        ..Event::default()
    }
}

/// Somebody has registered, who goes anywhere where no distance is the limit.
#[must_use]
pub fn registered(key: &str, commune: &Commune, max_km: Option<i32>) -> Event {
    let candidate: CandidateId = id(key);
    let facts = CandidateFacts {
        registered_at: Some(prost_types::Timestamp { seconds: 1_606_000_000, nanos: 0 }),
        commune: commune.code.into(),
        location: commune.place.map(location),
        department: commune.department.into(),
        max_km: max_km.unwrap_or_default(),
        anywhere: max_km.is_none(),
        available_from: Some(Date { year: 2020, month: 12, day: 1 }),
        eligible: true,
        ..CandidateFacts::default()
    };
    let payload = CandidateRegistered { candidate: candidate.name(), facts: Some(facts) };
    event(candidate.name(), Payload::CandidateRegistered(payload))
}

/// A structure whose posts were granted.
#[derive(Clone, Debug)]
pub struct Granted {
    pub structure: StructureId,
    /// What tells of it.
    pub event: Event,
    /// What a wave serves of it.
    pub served: WaveApplication,
}

/// A structure was granted so many posts.
#[must_use]
pub fn granted(key: &str, commune: &Commune, place: Option<Place>, posts: u16) -> Granted {
    let (structure, application): (StructureId, ApplicationId) = (id(key), id(key));
    let names: Vec<_> = (0..posts).map(|post| post_name(application, id::<Post>(&format!("{key}/{post}")))).collect();
    let start_date = Some(Date { year: 2021, month: 3, day: 1 });
    let post = |post: &String| GrantedPost { post: post.clone(), start_date, coordinator: false };
    let payload = PostsGranted {
        application: application.name(),
        structure: structure.name(),
        wave: id::<Wave>("wave").name(),
        posts: names.iter().map(post).collect(),
        commune: commune.code.into(),
        location: place.map(location),
        department: commune.department.into(),
        structure_kind: "public".into(),
        ready: true,
        ..PostsGranted::default()
    };
    let event = event(application.name(), Payload::PostsGranted(payload));
    Granted { structure, event, served: WaveApplication { application: application.name(), posts: names } }
}

/// Tells matching of people and of grants, then of the wave that serves them.
///
/// # Panics
/// Where matching does not take it.
pub async fn wave(cluster: &Cluster, people: Vec<Event>, grants: &[Granted]) {
    deliver(cluster, people).await;
    deliver(cluster, grants.iter().map(|granted| granted.event.clone()).collect()).await;
    let wave: WaveId = id("wave");
    let applications = grants.iter().map(|granted| granted.served.clone()).collect();
    let activated = WaveActivated { wave: wave.name(), number: 1, applications, ..WaveActivated::default() };
    deliver(cluster, vec![event(wave.name(), Payload::WaveActivated(activated))]).await;
}

async fn deliver(cluster: &Cluster, events: Vec<Event>) {
    for batch in events.chunks(BATCH) {
        let message = DeliverRequest { events: batch.to_vec() };
        let request = cluster.signed(&callers::service("load"), "matching", message).await.expect("signed");
        EventSinkServiceClient::new(cluster.channel("matching").expect("a channel"))
            .deliver(request)
            .await
            .expect("taken");
    }
}
