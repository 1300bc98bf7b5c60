//! A programme in small for the tests of applications: structures that apply, a prefect, the agency, and matching's
//! answers told as matching would.

use std::sync::Mutex;

use conum_applications::SERVICE;
use conum_kernel::{Ids, clock::Moment};
use conum_proto::{
    applications::v1::{
        ActivateWaveRequest, Application, Commitment, ConfirmAddressRequest, ConfirmAddressResponse, Contact,
        CreateApplicationRequest, CreateWaveRequest, GetApplicationRequest, GetProgrammeRequest, GrantPostsRequest,
        LineManager, ListApplicationsRequest, Mission, Post, Programme as ProgrammeRow, RecordOpinionRequest,
        RecordPastGrantRequest, RecordPastGrantResponse, ReturnPostsRequest, Structure, StructureKind,
        UpdateApplicationRequest, Wave, applications_service_client::ApplicationsServiceClient,
        waves_service_client::WavesServiceClient,
    },
    events::v1::{
        DeliverRequest, Event, Outcome, PostReleaseRefused, PostReleased, event::Payload,
        event_sink_service_client::EventSinkServiceClient,
    },
    google::r#type::Date,
};
use conum_service::{Caller, Host, events::subscriptions, sql};
use conum_testkit::{Backend, Scene, callers};
use prost::Message as _;
use tonic::{Status, transport::Channel};

pub(crate) const APPLICATIONS: &str = "applications";
/// Vénissieux.
pub(crate) const COMMUNE: &str = "69259";
pub(crate) const DEPARTMENT: &str = "69";

pub(crate) struct Programme {
    pub(crate) scene: Scene,
    sequence: Mutex<i64>,
}

pub(crate) type Answer<T> = Result<T, Status>;

#[expect(clippy::unnecessary_wraps, reason = "as messages hold a day")]
pub(crate) fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

/// A SIRET with its key.
pub(crate) fn siret(number: u32) -> String {
    let head = format!("2{number:012}");
    let doubled = |digit: u32| digit / 5 + digit * 2 % 10;
    let sum: u32 = head
        .bytes()
        .rev()
        .map(|byte| u32::from(byte - b'0'))
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { doubled(digit) } else { digit })
        .sum();
    format!("{head}{}", (10 - sum % 10) % 10)
}

pub(crate) fn post() -> Post {
    Post { wished_start_date: day(2021, 2, 1), ..Post::default() }
}

/// What the structure of a number says when it applies for some posts.
pub(crate) fn form(number: u32, posts: usize) -> Application {
    Application {
        profile: Some(Structure {
            registration_number: siret(number),
            legal_name: format!("Commune n° {number}"),
            kind: StructureKind::LocalAuthority.into(),
            commune: COMMUNE.into(),
            address: "1 place de la Mairie".into(),
            ..Structure::default()
        }),
        contact: Some(Contact {
            given_name: "Ada".into(),
            family_name: "Lovelace".into(),
            function: "Directrice".into(),
            email: format!("ada{number}@exemple.fr"),
            phone: String::new(),
        }),
        line_manager: Some(LineManager { function: "Responsable de la médiathèque".into(), volunteer: false }),
        posts: (0..posts).map(|_| post()).collect(),
        missions: vec![Mission::DigitalAutonomy.into(), Mission::OnlineProcedures.into()],
        in_frequented_places: true,
        commitments: (1..=7).filter(|number| Commitment::try_from(*number).is_ok()).collect(),
        ..Application::default()
    }
}

/// A mail that waits or has left: its kind and facts.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) kind: String,
    pub(crate) facts: serde_json::Value,
}

impl Programme {
    pub(crate) async fn start(backend: &Backend) -> Self {
        Self { scene: Scene::start(&[SERVICE], backend).await, sequence: Mutex::default() }
    }

    fn channel(&self) -> Channel {
        self.scene.cluster.channel(APPLICATIONS).unwrap()
    }

    pub(crate) fn host(&self) -> &Host {
        &self.scene.cluster.service(APPLICATIONS).unwrap().host
    }

    pub(crate) fn applications(&self) -> ApplicationsServiceClient<Channel> {
        ApplicationsServiceClient::new(self.channel())
    }

    pub(crate) fn waves(&self) -> WavesServiceClient<Channel> {
        WavesServiceClient::new(self.channel())
    }

    pub(crate) async fn signed<T>(&self, caller: &Caller, message: T) -> tonic::Request<T> {
        self.scene.cluster.signed(caller, APPLICATIONS, message).await.unwrap()
    }

    /// An id for a request that is sent again.
    pub(crate) fn request_id(key: &str) -> String {
        let moment = Moment::at("2020-12-01T00:00:00Z".parse().unwrap());
        Ids::seeded(1).uuid(moment.now, key, "request").to_string()
    }

    pub(crate) async fn apply(&self, application: Application, request_id: &str) -> Answer<Application> {
        // Ids follow the clock: who applies later comes later.
        self.scene.clock.advance(jiff::SignedDuration::from_millis(1));
        let message = CreateApplicationRequest {
            application: Some(application),
            request_id: request_id.into(),
            validate_only: false,
        };
        let request = self.signed(&callers::anonymous(), message).await;
        Ok(self.applications().create_application(request).await?.into_inner())
    }

    /// The token of the last confirmation link that waits to be mailed.
    pub(crate) async fn token(&self, application: &Application) -> String {
        let mails = self.mails(&application.name).await;
        let token = mails.iter().rev().find_map(|mail| mail.facts["token"].as_str());
        token.expect("a confirmation waits").to_owned()
    }

    pub(crate) async fn confirm(&self, application: &Application, token: &str) -> Answer<ConfirmAddressResponse> {
        let message =
            ConfirmAddressRequest { name: application.name.clone(), token: token.into(), ..Default::default() };
        let request = self.signed(&callers::anonymous(), message).await;
        Ok(self.applications().confirm_address(request).await?.into_inner())
    }

    pub(crate) async fn opinion(&self, application: &Application) -> Answer<Application> {
        let message = RecordOpinionRequest { name: application.name.clone(), favourable: true, ..Default::default() };
        let request = self.signed(&callers::prefect(DEPARTMENT), message).await;
        Ok(self.applications().record_opinion(request).await?.into_inner())
    }

    /// A structure that applied, confirmed its address and has an opinion.
    pub(crate) async fn examined(&self, number: u32, posts: usize) -> Application {
        let application = self.apply(form(number, posts), "").await.unwrap();
        self.confirm(&application, &self.token(&application).await).await.unwrap();
        self.opinion(&application).await.unwrap()
    }

    pub(crate) async fn wave(&self) -> Wave {
        let wave = Wave { committee_date: day(2020, 12, 8), ..Wave::default() };
        let message = CreateWaveRequest { wave: Some(wave), request_id: String::new() };
        let request = self.signed(&callers::agency(), message).await;
        self.waves().create_wave(request).await.unwrap().into_inner()
    }

    pub(crate) async fn activate(&self, wave: &str) -> Answer<Wave> {
        let message = ActivateWaveRequest { name: wave.into(), request_id: String::new() };
        let request = self.signed(&callers::agency(), message).await;
        Ok(self.waves().activate_wave(request).await?.into_inner())
    }

    pub(crate) async fn grant(&self, application: &str, wave: &Wave, count: i32) -> Answer<Application> {
        let message =
            GrantPostsRequest { name: application.into(), wave: wave.name.clone(), count, ..Default::default() };
        let request = self.signed(&callers::agency(), message).await;
        Ok(self.applications().grant_posts(request).await?.into_inner())
    }

    pub(crate) async fn granted(&self, number: u32, posts: usize, wave: &Wave) -> Application {
        let application = self.examined(number, posts).await;
        self.grant(&application.name, wave, 0).await.unwrap()
    }

    pub(crate) async fn get(&self, name: &str) -> Application {
        self.get_as(&callers::agency(), name).await.unwrap()
    }

    pub(crate) async fn get_as(&self, caller: &Caller, name: &str) -> Answer<Application> {
        let request = self.signed(caller, GetApplicationRequest { name: name.into() }).await;
        Ok(self.applications().get_application(request).await?.into_inner())
    }

    pub(crate) async fn list(&self, caller: &Caller, message: ListApplicationsRequest) -> Answer<Vec<Application>> {
        let request = self.signed(caller, message).await;
        Ok(self.applications().list_applications(request).await?.into_inner().applications)
    }

    pub(crate) async fn update(
        &self,
        caller: &Caller,
        application: Application,
        paths: &[&str],
    ) -> Answer<Application> {
        let paths = paths.iter().map(ToString::to_string).collect();
        let message = UpdateApplicationRequest {
            application: Some(application),
            update_mask: Some(prost_types::FieldMask { paths }),
            ..Default::default()
        };
        let request = self.signed(caller, message).await;
        Ok(self.applications().update_application(request).await?.into_inner())
    }

    pub(crate) async fn give_back(&self, application: &Application, posts: &[&str]) -> Answer<Application> {
        let message = ReturnPostsRequest {
            name: application.name.clone(),
            posts: posts.iter().map(ToString::to_string).collect(),
            ..Default::default()
        };
        let request = self.signed(&callers::structure(&application.structure), message).await;
        Ok(self.applications().return_posts(request).await?.into_inner())
    }

    pub(crate) async fn record(&self, line: RecordPastGrantRequest) -> Answer<RecordPastGrantResponse> {
        let request = self.signed(&callers::agency(), line).await;
        Ok(self.applications().record_past_grant(request).await?.into_inner())
    }

    pub(crate) async fn programme(&self) -> ProgrammeRow {
        let request = self.signed(&callers::anonymous(), GetProgrammeRequest::default()).await;
        self.waves().get_programme(request).await.unwrap().into_inner()
    }

    /// Sets a policy, from today.
    pub(crate) async fn set_policy(&self, key: &str, value: &str) -> Answer<()> {
        self.set_policy_from(key, value, None).await
    }

    pub(crate) async fn set_policy_from(&self, key: &str, value: &str, applies_from: Option<Date>) -> Answer<()> {
        use conum_proto::operations::v1::{SetPolicyRequest, policies_service_client::PoliciesServiceClient};
        let message = SetPolicyRequest {
            name: format!("services/applications/policies/{key}"),
            value: value.into(),
            applies_from,
            why: "essai".into(),
            ..Default::default()
        };
        let request = self.signed(&callers::agency(), message).await;
        PoliciesServiceClient::new(self.channel()).set_policy(request).await.map(|_| ())
    }

    /// Tells what another service would, on a subject of its own; it must have its effect.
    pub(crate) async fn tell(&self, payload: Payload) {
        assert_eq!(self.deliver(payload).await, Outcome::Applied);
    }

    pub(crate) async fn deliver(&self, payload: Payload) -> Outcome {
        self.send(self.event(payload)).await
    }

    /// An event on a subject of its own.
    pub(crate) fn event(&self, payload: Payload) -> Event {
        let number = {
            let mut sequence = self.sequence.lock().unwrap();
            *sequence += 1;
            *sequence
        };
        Event {
            id: format!("event {number} {}", subscriptions::kind(&payload)),
            source: "matching".into(),
            subject: format!("told/{number}"),
            sequence: 1,
            payload: Some(payload),
            ..Event::default()
        }
    }

    pub(crate) async fn send(&self, event: Event) -> Outcome {
        let request = self.signed(&callers::service("matching"), DeliverRequest { events: vec![event] }).await;
        let answer = EventSinkServiceClient::new(self.channel()).deliver(request).await.unwrap();
        answer.into_inner().receipts[0].outcome()
    }

    pub(crate) fn released(application: &Application, post: &str) -> Payload {
        let (structure, application) = (application.structure.clone(), application.name.clone());
        Payload::PostReleased(PostReleased { application, structure, post: post.into() })
    }

    pub(crate) fn kept(application: &Application, post: &str) -> Payload {
        let (structure, application) = (application.structure.clone(), application.name.clone());
        Payload::PostReleaseRefused(PostReleaseRefused { application, structure, post: post.into() })
    }

    /// What was told on a subject, in its order.
    pub(crate) async fn told(&self, subject: &str) -> Vec<Payload> {
        let query = "SELECT event FROM outbox WHERE aggregate = $1 ORDER BY sequence";
        let rows = sql::all(self.host().store().read(), query, [subject.into()]).await.unwrap();
        let event = |bytes: Vec<u8>| Event::decode(bytes.as_slice()).unwrap().payload.unwrap();
        rows.iter().map(|row| event(row.try_get("", "event").unwrap())).collect()
    }

    /// The mails of an application, sent or not, oldest first.
    pub(crate) async fn mails(&self, recipient: &str) -> Vec<Queued> {
        let query = "SELECT kind, facts FROM mails WHERE recipient = $1 ORDER BY queued_at, id";
        let rows = sql::all(self.host().store().read(), query, [recipient.into()]).await.unwrap();
        rows.iter()
            .map(|row| Queued {
                kind: row.try_get("", "kind").unwrap(),
                facts: serde_json::from_str(&row.try_get::<String>("", "facts").unwrap()).unwrap(),
            })
            .collect()
    }

    pub(crate) async fn mail_kinds(&self, recipient: &str) -> Vec<String> {
        let mut kinds: Vec<_> = self.mails(recipient).await.into_iter().map(|mail| mail.kind).collect();
        kinds.sort();
        kinds
    }

    /// The mails that have left.
    pub(crate) fn letters(&self) -> Vec<String> {
        self.scene.letters()
    }

    /// The letter that has left and says something.
    pub(crate) fn letter(&self, says: &str) -> String {
        self.scene.letter(says)
    }
}
