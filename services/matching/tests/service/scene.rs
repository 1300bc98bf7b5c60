//! A programme in small for matching's tests: structures granted in a wave and people around them, told by events as the
//! other services would.

use conum_geo::commune;
use conum_kernel::{ApplicationId, CandidateId, Ids, PostId, StructureId, WaveId, post_name};
use conum_matching::SERVICE;
use conum_proto::{
    events::v1::{
        CandidateFacts, CandidateRegistered, DeliverRequest, Event, GrantedPost, Outcome, PostsGranted, WaveActivated,
        WaveApplication, event::Payload, event_sink_service_client::EventSinkServiceClient,
    },
    google::r#type::{Date, LatLng},
    matching::v1::{
        AcceptIntroductionRequest, CancelRecruitmentRequest, Contract, CreateRecruitmentRequest,
        DeclineIntroductionRequest, EndContractRequest, GetAdviserRequest, GetMatchingFiguresRequest, Introduction,
        ListIntroductionsRequest, ListNoticesRequest, MatchingFigures, Notice, Post, Recruitment, SignContractRequest,
        adviser, contract::Kind, introductions_service_client::IntroductionsServiceClient, recruitment::CancelReason,
        recruitments_service_client::RecruitmentsServiceClient,
    },
};
use conum_service::{Caller, events::subscriptions};
use conum_testkit::{Backend, Scene, callers};
use tonic::{Status, transport::Channel};

pub(crate) const MATCHING: &str = "matching";

pub(crate) struct Programme {
    pub(crate) scene: Scene,
    sequences: std::sync::Mutex<std::collections::HashMap<String, i64>>,
}

/// A structure with its posts.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    pub(crate) structure: StructureId,
    pub(crate) application: ApplicationId,
    pub(crate) wave: WaveId,
    pub(crate) posts: Vec<PostId>,
    pub(crate) commune: &'static str,
}

impl Granted {
    pub(crate) fn caller(&self) -> Caller {
        callers::structure(&self.structure.name())
    }

    pub(crate) fn post(&self, number: usize) -> String {
        post_name(self.application, self.posts[number])
    }
}

pub(crate) fn id<T: conum_kernel::id::Entity>(key: &str) -> conum_kernel::Id<T> {
    Ids::seeded(1).mint("2020-12-01T00:00:00Z".parse().unwrap(), key)
}

pub(crate) fn granted(name: &str, commune: &'static str, posts: usize) -> Granted {
    Granted {
        structure: id(name),
        application: id(name),
        wave: id("wave"),
        posts: (0..posts).map(|n| id(&format!("{name}/{n}"))).collect(),
        commune,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every field of a message is optional")]
pub(crate) fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

pub(crate) fn contract() -> Contract {
    Contract {
        kind: Kind::FixedTerm.into(),
        signed_on: day(2020, 12, 1),
        start_date: day(2021, 1, 4),
        end_date: day(2023, 1, 3),
        gross_monthly_cents: 160_000,
        full_time: true,
    }
}

impl Programme {
    pub(crate) async fn start(backend: &Backend) -> Self {
        Self { scene: Scene::start(&[SERVICE], backend).await, sequences: std::sync::Mutex::default() }
    }

    fn channel(&self) -> Channel {
        self.scene.cluster.channel(MATCHING).unwrap()
    }

    pub(crate) fn introductions(&self) -> IntroductionsServiceClient<Channel> {
        IntroductionsServiceClient::new(self.channel())
    }

    pub(crate) fn recruitments(&self) -> RecruitmentsServiceClient<Channel> {
        RecruitmentsServiceClient::new(self.channel())
    }

    pub(crate) async fn signed<T>(&self, caller: &Caller, message: T) -> tonic::Request<T> {
        self.scene.cluster.signed(caller, MATCHING, message).await.unwrap()
    }

    /// An event as another service would tell it, numbered on its subject.
    pub(crate) fn event(&self, source: &str, subject: String, payload: Payload) -> Event {
        let mut sequences = self.sequences.lock().unwrap();
        let sequence = sequences.entry(subject.clone()).or_default();
        *sequence += 1;
        Event {
            id: format!("{subject}#{sequence}#{}", subscriptions::kind(&payload)),
            source: source.into(),
            subject,
            sequence: *sequence,
            payload: Some(payload),
            ..Event::default()
        }
    }

    pub(crate) async fn deliver(&self, events: Vec<Event>) -> Vec<Outcome> {
        let request = self.signed(&callers::service("applications"), DeliverRequest { events }).await;
        let receipts =
            EventSinkServiceClient::new(self.channel()).deliver(request).await.unwrap().into_inner().receipts;
        receipts.iter().map(conum_proto::events::v1::Receipt::outcome).collect()
    }

    /// Delivers one event, which must have its effect.
    pub(crate) async fn tell(&self, source: &str, subject: String, payload: Payload) {
        let event = self.event(source, subject, payload);
        assert_eq!(self.deliver(vec![event]).await, [Outcome::Applied]);
    }

    pub(crate) fn granted_payload(granted: &Granted) -> Payload {
        let commune = commune(granted.commune).unwrap();
        let place = commune.place.unwrap();
        Payload::PostsGranted(PostsGranted {
            application: granted.application.name(),
            structure: granted.structure.name(),
            wave: granted.wave.name(),
            posts: (0..granted.posts.len())
                .map(|n| GrantedPost { post: granted.post(n), start_date: day(2021, 3, 1), coordinator: false })
                .collect(),
            commune: commune.code.into(),
            location: Some(LatLng { latitude: place.lat(), longitude: place.lon() }),
            department: commune.department.into(),
            structure_kind: "public".into(),
            needs: vec![],
            candidate_found: false,
            ready: true,
        })
    }

    pub(crate) fn activated_payload(granted: &[&Granted]) -> Payload {
        Payload::WaveActivated(WaveActivated {
            wave: granted[0].wave.name(),
            number: 1,
            activated_on: day(2020, 12, 1),
            applications: granted
                .iter()
                .map(|granted| WaveApplication {
                    application: granted.application.name(),
                    posts: (0..granted.posts.len()).map(|n| granted.post(n)).collect(),
                })
                .collect(),
        })
    }

    pub(crate) async fn grant(&self, granted: &Granted) {
        self.tell("applications", granted.application.name(), Self::granted_payload(granted)).await;
    }

    pub(crate) async fn activate(&self, granted: &[&Granted]) {
        self.tell("applications", granted[0].wave.name(), Self::activated_payload(granted)).await;
    }

    pub(crate) fn facts(code: &str) -> CandidateFacts {
        let commune = commune(code).unwrap();
        let place = commune.place.unwrap();
        CandidateFacts {
            registered_at: Some(prost_types::Timestamp { seconds: 1_606_000_000, nanos: 0 }),
            commune: commune.code.into(),
            location: Some(LatLng { latitude: place.lat(), longitude: place.lon() }),
            department: commune.department.into(),
            max_km: 20,
            available_from: day(2021, 1, 1),
            eligible: true,
            ..CandidateFacts::default()
        }
    }

    /// A candidate in a commune, who goes 20 km.
    pub(crate) async fn register(&self, name: &str, code: &str) -> CandidateId {
        self.register_as(name, Self::facts(code)).await
    }

    pub(crate) async fn register_as(&self, name: &str, facts: CandidateFacts) -> CandidateId {
        let candidate: CandidateId = id(name);
        let payload = CandidateRegistered { candidate: candidate.name(), facts: Some(facts) };
        self.tell("candidates", candidate.name(), Payload::CandidateRegistered(payload)).await;
        candidate
    }

    pub(crate) async fn list(&self, caller: &Caller, live_only: bool) -> Vec<Introduction> {
        let message = ListIntroductionsRequest { page_size: 1000, live_only, ..Default::default() };
        let request = self.signed(caller, message).await;
        self.introductions().list_introductions(request).await.unwrap().into_inner().introductions
    }

    /// The live introductions of a structure.
    pub(crate) async fn live(&self, granted: &Granted) -> Vec<Introduction> {
        self.list(&granted.caller(), true).await
    }

    pub(crate) async fn decline(&self, caller: &Caller, name: &str, request_id: &str) -> Result<Introduction, Status> {
        let message =
            DeclineIntroductionRequest { name: name.into(), request_id: request_id.into(), ..Default::default() };
        let request = self.signed(caller, message).await;
        self.introductions().decline_introduction(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn accept(&self, caller: &Caller, name: &str) -> Result<Introduction, Status> {
        let request = self.signed(caller, AcceptIntroductionRequest { name: name.into(), ..Default::default() }).await;
        self.introductions().accept_introduction(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn select(&self, granted: &Granted, post: usize, candidate: &str) -> Result<Recruitment, Status> {
        let recruitment =
            Recruitment { post: granted.post(post), candidate: candidate.into(), ..Recruitment::default() };
        let message = CreateRecruitmentRequest { recruitment: Some(recruitment), request_id: String::new() };
        let request = self.signed(&granted.caller(), message).await;
        self.recruitments().create_recruitment(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn sign(&self, granted: &Granted, name: &str, contract: Contract) -> Result<Recruitment, Status> {
        let message = SignContractRequest { name: name.into(), contract: Some(contract), ..Default::default() };
        let request = self.signed(&granted.caller(), message).await;
        self.recruitments().sign_contract(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn cancel(&self, caller: &Caller, name: &str) -> Result<Recruitment, Status> {
        let reason = CancelReason::NoAgreement.into();
        let message = CancelRecruitmentRequest { name: name.into(), reason, ..Default::default() };
        let request = self.signed(caller, message).await;
        self.recruitments().cancel_recruitment(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn end(&self, granted: &Granted, message: EndContractRequest) -> Result<Recruitment, Status> {
        let request = self.signed(&granted.caller(), message).await;
        self.recruitments().end_contract(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn post(&self, granted: &Granted, number: usize) -> Post {
        let message = conum_proto::matching::v1::GetPostRequest { name: granted.post(number) };
        let request = self.signed(&granted.caller(), message).await;
        self.recruitments().get_post(request).await.unwrap().into_inner()
    }

    /// The derived state of somebody (M10).
    pub(crate) async fn adviser_state(&self, candidate: &str) -> adviser::State {
        let name = candidate.replace("candidates/", "advisers/");
        let request = self.signed(&callers::candidate(candidate), GetAdviserRequest { name }).await;
        self.recruitments().get_adviser(request).await.unwrap().into_inner().state()
    }

    pub(crate) async fn notices(&self, granted: &Granted) -> Vec<Notice> {
        let request = self.signed(&granted.caller(), ListNoticesRequest::default()).await;
        self.recruitments().list_notices(request).await.unwrap().into_inner().notices
    }

    pub(crate) async fn figures(&self) -> MatchingFigures {
        let request = self.signed(&callers::agency(), GetMatchingFiguresRequest {}).await;
        self.recruitments().get_matching_figures(request).await.unwrap().into_inner()
    }
}
