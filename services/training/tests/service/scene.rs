//! A programme in small for training's tests: organisations with sessions, and people who are selected, told by events as
//! the other services would.

use conum_geo::commune;
use conum_kernel::{ApplicationId, CandidateId, Ids, PostId, RecruitmentId, StructureId, post_name};
use conum_proto::{
    events::v1::{
        CandidateFacts, CandidateRegistered, CandidateSelected, ContractEnded, ContractSigned, DeliverRequest, Event,
        GrantedPost, Outcome, PostsGranted, event::Payload, event_sink_service_client::EventSinkServiceClient,
    },
    google::r#type::Date,
    training::v1::{
        CreateOrganisationRequest, CreateSessionRequest, EnrolInSessionRequest, GetTrainingFiguresRequest,
        GetTrainingRequest, Interview, ListTrainingsRequest, Lot, Mode, Organisation, OrganisationContact, Plan,
        PlannedDay, RecordInterviewRequest, Session, SetTrainingPlanRequest, Training, TrainingFigures,
        interview::{Level, Need},
        organisations_service_client::OrganisationsServiceClient,
        trainings_service_client::TrainingsServiceClient,
    },
};
use conum_service::{Caller, events::subscriptions, sql, status};
use conum_testkit::{Backend, Scene, callers};
use conum_training::SERVICE;
use tonic::{Request, Status, transport::Channel};

pub(crate) const TRAINING: &str = "training";
pub(crate) const LYON: &str = "69123";
pub(crate) const VILLEURBANNE: &str = "69266";
/// Saint-Denis de La Réunion.
pub(crate) const SAINT_DENIS: &str = "97411";

pub(crate) struct Programme {
    pub(crate) scene: Scene,
    sequences: std::sync::Mutex<std::collections::HashMap<String, i64>>,
}

/// Somebody who is selected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selected {
    pub(crate) candidate: CandidateId,
    pub(crate) structure: StructureId,
    pub(crate) application: ApplicationId,
    pub(crate) post: PostId,
    pub(crate) recruitment: RecruitmentId,
}

impl Selected {
    /// The ids of somebody's first recruitment.
    pub(crate) fn named(name: &str) -> Self {
        Self::again(name, name)
    }

    /// The ids of a person's recruitment elsewhere.
    pub(crate) fn again(person: &str, elsewhere: &str) -> Self {
        Self {
            candidate: id(person),
            structure: id(elsewhere),
            application: id(elsewhere),
            post: id(elsewhere),
            recruitment: id(elsewhere),
        }
    }

    pub(crate) fn person(&self) -> Caller {
        callers::candidate(&self.candidate.name())
    }

    pub(crate) fn employer(&self) -> Caller {
        callers::structure(&self.structure.name())
    }

    pub(crate) fn granted(&self, code: &str) -> Payload {
        let commune = commune(code).unwrap();
        Payload::PostsGranted(PostsGranted {
            application: self.application.name(),
            structure: self.structure.name(),
            wave: "waves/none".into(),
            posts: vec![GrantedPost { post: self.post(), start_date: day(2021, 5, 3), coordinator: false }],
            commune: commune.code.into(),
            department: commune.department.into(),
            structure_kind: "public".into(),
            ready: true,
            ..PostsGranted::default()
        })
    }

    pub(crate) fn registered(&self, code: &str) -> Payload {
        let commune = commune(code).unwrap();
        let facts = CandidateFacts {
            commune: commune.code.into(),
            department: commune.department.into(),
            eligible: true,
            ..CandidateFacts::default()
        };
        Payload::CandidateRegistered(CandidateRegistered { candidate: self.candidate.name(), facts: Some(facts) })
    }

    pub(crate) fn selected(&self) -> Payload {
        Payload::CandidateSelected(CandidateSelected {
            recruitment: self.recruitment.name(),
            structure: self.structure.name(),
            application: self.application.name(),
            post: self.post(),
            candidate: self.candidate.name(),
        })
    }

    pub(crate) fn signed(&self, start: Option<Date>) -> Payload {
        Payload::ContractSigned(ContractSigned {
            recruitment: self.recruitment.name(),
            structure: self.structure.name(),
            application: self.application.name(),
            post: self.post(),
            candidate: self.candidate.name(),
            signed_on: day(2020, 12, 1),
            start_date: start,
            end_date: None,
        })
    }

    pub(crate) fn ended(&self, last_day: Option<Date>) -> Payload {
        Payload::ContractEnded(ContractEnded {
            recruitment: self.recruitment.name(),
            structure: self.structure.name(),
            application: self.application.name(),
            post: self.post(),
            candidate: self.candidate.name(),
            last_day,
            reason: "resignation".into(),
        })
    }

    fn post(&self) -> String {
        post_name(self.application, self.post)
    }
}

pub(crate) fn id<T: conum_kernel::id::Entity>(key: &str) -> conum_kernel::Id<T> {
    Ids::seeded(1).mint("2020-12-01T00:00:00Z".parse().unwrap(), key)
}

#[expect(clippy::unnecessary_wraps, reason = "every field of a message is optional")]
pub(crate) fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

/// The status, reason, rule and fields of a refusal.
pub(crate) fn refusal(status: &Status) -> (tonic::Code, String, String) {
    (status.code(), status::reason(status).unwrap_or_default(), status::rule(status).unwrap_or_default())
}

/// Whether a refusal names a field.
pub(crate) fn names(status: &Status, field: &str) -> bool {
    String::from_utf8_lossy(status.details()).contains(field)
}

/// An organisation with a lot in some departments.
pub(crate) fn declared(name: &str, departments: &[&str]) -> Organisation {
    Organisation {
        display_name: name.into(),
        contact: Some(OrganisationContact {
            full_name: "Camille Martin".into(),
            email: "camille@formation.example".into(),
            phone: String::new(),
        }),
        lots: vec![Lot {
            number: "4".into(),
            departments: departments.iter().map(ToString::to_string).collect(),
            valid_from: day(2020, 12, 1),
            valid_until: day(2024, 11, 30),
        }],
        ..Organisation::default()
    }
}

/// A session on site from 4 January to 26 March 2021.
pub(crate) fn on_site(organisation: &str, commune: &str, capacity: i32) -> Session {
    Session {
        organisation: organisation.into(),
        mode: Mode::OnSite.into(),
        commune: commune.into(),
        starts_on: day(2021, 1, 4),
        ends_on: day(2021, 3, 26),
        registration_deadline: day(2020, 12, 31),
        capacity,
        ..Session::default()
    }
}

pub(crate) fn interview() -> Interview {
    Interview {
        held_on: day(2020, 12, 1),
        employer_consulted_on: day(2020, 12, 1),
        level: Level::Beginner.into(),
        proposed_minutes: 105 * 60,
        needs: vec![Need::Teaching.into()],
        organisation: String::new(),
    }
}

pub(crate) fn hours(hours: i32) -> Plan {
    Plan { minutes: hours * 60, ..Plan::default() }
}

pub(crate) fn planned(date: Option<Date>, hours: i32) -> PlannedDay {
    PlannedDay { day: date, minutes: hours * 60 }
}

impl Programme {
    pub(crate) async fn start(backend: &Backend) -> Self {
        Self { scene: Scene::start(&[SERVICE], backend).await, sequences: std::sync::Mutex::default() }
    }

    pub(crate) fn organisations(&self) -> OrganisationsServiceClient<Channel> {
        OrganisationsServiceClient::new(self.scene.cluster.channel(TRAINING).unwrap())
    }

    pub(crate) fn trainings(&self) -> TrainingsServiceClient<Channel> {
        TrainingsServiceClient::new(self.scene.cluster.channel(TRAINING).unwrap())
    }

    pub(crate) async fn signed<T>(&self, caller: &Caller, message: T) -> Request<T> {
        self.scene.cluster.signed(caller, TRAINING, message).await.unwrap()
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

    pub(crate) async fn deliver(&self, event: Event) -> Outcome {
        let request = self.signed(&callers::service("matching"), DeliverRequest { events: vec![event] }).await;
        let mut sink = EventSinkServiceClient::new(self.scene.cluster.channel(TRAINING).unwrap());
        sink.deliver(request).await.unwrap().into_inner().receipts[0].outcome()
    }

    /// Delivers one event, which must have its effect.
    pub(crate) async fn tell(&self, source: &str, subject: String, payload: Payload) {
        let event = self.event(source, subject, payload);
        assert_eq!(self.deliver(event).await, Outcome::Applied);
    }

    /// Tells of a person of a commune who is selected by a structure of another.
    pub(crate) async fn select(&self, who: Selected, home: &str, work: &str) -> Training {
        self.tell("applications", who.application.name(), who.granted(work)).await;
        self.tell("candidates", who.candidate.name(), who.registered(home)).await;
        self.tell("matching", who.recruitment.name(), who.selected()).await;
        self.training(who).await
    }

    /// The training of a recruitment.
    pub(crate) async fn training(&self, who: Selected) -> Training {
        let message = ListTrainingsRequest { structure: who.structure.name(), ..Default::default() };
        let request = self.signed(&callers::agency(), message).await;
        let found = self.trainings().list_trainings(request).await.unwrap().into_inner().trainings;
        found.into_iter().find(|training| training.recruitment == who.recruitment.name()).unwrap()
    }

    pub(crate) async fn get(&self, caller: &Caller, name: &str) -> Result<Training, Status> {
        let request = self.signed(caller, GetTrainingRequest { name: name.into() }).await;
        self.trainings().get_training(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn organisation(&self, name: &str, departments: &[&str]) -> Result<Organisation, Status> {
        self.enter(declared(name, departments)).await
    }

    pub(crate) async fn enter(&self, organisation: Organisation) -> Result<Organisation, Status> {
        let message = CreateOrganisationRequest { organisation: Some(organisation), ..Default::default() };
        let request = self.signed(&callers::agency(), message).await;
        self.organisations().create_organisation(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn session(&self, session: Session) -> Result<Session, Status> {
        let caller = callers::organisation(&session.organisation);
        let message = CreateSessionRequest { session: Some(session), ..Default::default() };
        let request = self.signed(&caller, message).await;
        self.organisations().create_session(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn enrol(&self, caller: &Caller, training: &str, session: &str) -> Result<Training, Status> {
        let message = EnrolInSessionRequest { name: training.into(), session: session.into(), ..Default::default() };
        let request = self.signed(caller, message).await;
        self.trainings().enrol_in_session(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn interview(
        &self,
        caller: &Caller,
        training: &str,
        interview: Interview,
    ) -> Result<Training, Status> {
        let message =
            RecordInterviewRequest { name: training.into(), interview: Some(interview), ..Default::default() };
        let request = self.signed(caller, message).await;
        self.trainings().record_interview(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn plan(&self, caller: &Caller, training: &str, plan: Plan) -> Result<Training, Status> {
        let message = SetTrainingPlanRequest { name: training.into(), plan: Some(plan), ..Default::default() };
        let request = self.signed(caller, message).await;
        self.trainings().set_training_plan(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn figures(&self) -> TrainingFigures {
        let request = self.signed(&callers::operator(), GetTrainingFiguresRequest {}).await;
        self.trainings().get_training_figures(request).await.unwrap().into_inner()
    }

    /// The kinds of the events that were told of a training, in their order.
    pub(crate) async fn told(&self, training: &str) -> Vec<String> {
        let query = format!("SELECT kind FROM outbox WHERE aggregate = '{training}' ORDER BY sequence");
        self.column(&query, "kind").await
    }

    /// A column of a query on the service's own database.
    pub(crate) async fn column(&self, query: &str, name: &str) -> Vec<String> {
        let host = &self.scene.cluster.service(TRAINING).unwrap().host;
        let rows = sql::all(host.store().read(), query, []).await.unwrap();
        rows.iter().map(|row| row.try_get("", name).unwrap()).collect()
    }

    /// The agency changes a setting, from today.
    pub(crate) async fn set_policy(&self, key: &str, value: &str) {
        self.scene.set_policy(TRAINING, key, value).await.unwrap();
    }

    /// The mails in the folder.
    pub(crate) fn mails(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.scene.folder.path().join("mails")) else { return Vec::new() };
        folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

/// The 15 working days from 4 to 22 January 2021.
pub(crate) fn january() -> Vec<Option<Date>> {
    (4..=22).filter(|number| ![9, 10, 16, 17].contains(number)).map(|number| day(2021, 1, number)).collect()
}
