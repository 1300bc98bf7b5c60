//! A register in small for the tests of candidates: people who register through the running service, and what matching
//! and applications would tell of them.

use std::{collections::HashMap, fs, sync::Mutex};

use conum_candidates::SERVICE;
use conum_kernel::{ApplicationId, Ids, IntroductionId, PostId, RecruitmentId, StructureId, TrainingId, post_name};
use conum_proto::{
    candidates::v1::{
        Background, Candidate, CandidateCard, CandidateExport, CreateCandidateRequest, DismissDoubleRequest,
        EraseCandidateRequest, ExportCandidateRequest, GetCandidateCardRequest, GetCandidateRequest,
        LeaveProgrammeRequest, ListCandidateHistoryRequest, ListCandidatesRequest, ListCandidatesResponse,
        MergeCandidatesRequest, Reach, RecordPixResultRequest, SetPixConsentRequest, Situation, UpdateCandidateRequest,
        Wishes, candidates_service_client::CandidatesServiceClient, situation::Status as Occupation,
    },
    events::v1::{
        CandidateIntroduced, CandidateLeaveRefused, CandidateSelected, ContractSigned, DeliverRequest,
        DerogationDecided, Event, IntroductionClosed, Outcome, event::Payload,
        event_sink_service_client::EventSinkServiceClient,
    },
    google::r#type::Date,
};
use conum_service::{Caller, Host, events::subscriptions, sql};
use conum_testkit::{Backend, Scene, callers};
use prost::Message as _;
use tonic::{Request, Status, transport::Channel};

pub(crate) const CANDIDATES: &str = "candidates";

pub(crate) type Answer<T> = Result<T, Status>;

pub(crate) struct Register {
    pub(crate) scene: Scene,
    sequences: Mutex<HashMap<String, i64>>,
}

pub(crate) fn id<T: conum_kernel::id::Entity>(key: &str) -> conum_kernel::Id<T> {
    Ids::seeded(1).mint("2020-12-01T00:00:00Z".parse().unwrap(), key)
}

pub(crate) fn structure(key: &str) -> String {
    id::<conum_kernel::entities::Structure>(key).name()
}

pub(crate) fn introduction(key: &str) -> String {
    let introduction: IntroductionId = id(key);
    introduction.name()
}

pub(crate) fn recruitment(key: &str) -> String {
    let recruitment: RecruitmentId = id(key);
    recruitment.name()
}

pub(crate) fn training(key: &str) -> String {
    let training: TrainingId = id(key);
    training.name()
}

pub(crate) fn application(key: &str) -> String {
    let application: ApplicationId = id(key);
    application.name()
}

pub(crate) fn a_post() -> String {
    let (application, post): (ApplicationId, PostId) = (id("application"), id("post"));
    post_name(application, post)
}

pub(crate) fn day(year: i32, month: i32, day: i32) -> Date {
    Date { year, month, day }
}

/// Somebody of Lyon, as the form is filled in.
pub(crate) fn person(given: &str, family: &str, email: &str) -> Candidate {
    Candidate {
        given_name: given.into(),
        family_name: family.into(),
        birth_date: Some(day(1990, 5, 17)),
        email: email.into(),
        phone: "06 12 34 56 78".into(),
        commune: "69123".into(),
        reach: Some(Reach { max_km: 40, anywhere: false }),
        situation: Some(Situation { status: Occupation::JobSeeker.into(), ..Situation::default() }),
        available_from: Some(day(2021, 1, 4)),
        wishes: Some(Wishes { departments: vec!["69".into()], sectors: vec![] }),
        background: Some(Background { experience: true, ..Background::default() }),
        ..Candidate::default()
    }
}

pub(crate) fn rose() -> Candidate {
    person("Rose", "Dupont", "Rose.Dupont@exemple.fr")
}

pub(crate) fn own(candidate: &Candidate) -> Caller {
    callers::candidate(&candidate.name)
}

impl Register {
    pub(crate) async fn open(backend: &Backend) -> Self {
        Self { scene: Scene::start(&[SERVICE], backend).await, sequences: Mutex::default() }
    }

    pub(crate) fn client(&self) -> CandidatesServiceClient<Channel> {
        CandidatesServiceClient::new(self.scene.cluster.channel(CANDIDATES).unwrap())
    }

    pub(crate) fn host(&self) -> &Host {
        &self.scene.cluster.service(CANDIDATES).unwrap().host
    }

    pub(crate) async fn signed<T>(&self, caller: &Caller, message: T) -> Request<T> {
        self.scene.cluster.signed(caller, CANDIDATES, message).await.unwrap()
    }

    pub(crate) async fn create(&self, message: CreateCandidateRequest) -> Answer<Candidate> {
        let request = self.signed(&callers::anonymous(), message).await;
        self.client().create_candidate(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn try_register(&self, candidate: Candidate) -> Answer<Candidate> {
        self.create(CreateCandidateRequest { candidate: Some(candidate), ..Default::default() }).await
    }

    pub(crate) async fn register(&self, candidate: Candidate) -> Candidate {
        self.try_register(candidate).await.unwrap()
    }

    pub(crate) async fn get(&self, caller: &Caller, name: &str) -> Answer<Candidate> {
        let request = self.signed(caller, GetCandidateRequest { name: name.into() }).await;
        self.client().get_candidate(request).await.map(tonic::Response::into_inner)
    }

    /// A registration as the agency sees it.
    pub(crate) async fn seen(&self, name: &str) -> Candidate {
        self.get(&callers::agency(), name).await.unwrap()
    }

    pub(crate) async fn list(&self, message: ListCandidatesRequest) -> Answer<ListCandidatesResponse> {
        let request = self.signed(&callers::agency(), message).await;
        self.client().list_candidates(request).await.map(tonic::Response::into_inner)
    }

    /// Corrects some fields of a registration, at its etag.
    pub(crate) async fn update(&self, caller: &Caller, candidate: Candidate, paths: &[&str]) -> Answer<Candidate> {
        let paths = paths.iter().map(ToString::to_string).collect();
        let update_mask = Some(prost_types::FieldMask { paths });
        let message = UpdateCandidateRequest { candidate: Some(candidate), update_mask, ..Default::default() };
        let request = self.signed(caller, message).await;
        self.client().update_candidate(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn record_pix(&self, candidate: &Candidate, score: i32) -> Answer<Candidate> {
        let (name, passed_on) = (candidate.name.clone(), Some(day(2020, 11, 15)));
        let message = RecordPixResultRequest { name, score, passed_on, request_id: String::new() };
        let request = self.signed(&own(candidate), message).await;
        self.client().record_pix_result(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn consent(&self, candidate: &Candidate, consent: bool) -> Answer<Candidate> {
        let message = SetPixConsentRequest { name: candidate.name.clone(), consent, request_id: String::new() };
        let request = self.signed(&own(candidate), message).await;
        self.client().set_pix_consent(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn card(&self, caller: &Caller, candidate: &str) -> Answer<CandidateCard> {
        let request = self.signed(caller, GetCandidateCardRequest { name: format!("{candidate}/card") }).await;
        self.client().get_candidate_card(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn leave(&self, candidate: &Candidate) -> Answer<Candidate> {
        let message = LeaveProgrammeRequest { name: candidate.name.clone(), ..Default::default() };
        let request = self.signed(&own(candidate), message).await;
        self.client().leave_programme(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn merge(&self, name: &str, duplicate: &str) -> Answer<Candidate> {
        let message =
            MergeCandidatesRequest { name: name.into(), duplicate: duplicate.into(), request_id: String::new() };
        let request = self.signed(&callers::agency(), message).await;
        self.client().merge_candidates(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn dismiss(&self, name: &str, other: &str) -> Answer<Candidate> {
        let message = DismissDoubleRequest { name: name.into(), other: other.into(), request_id: String::new() };
        let request = self.signed(&callers::agency(), message).await;
        self.client().dismiss_double(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn erase(&self, caller: &Caller, name: &str) -> Answer<Candidate> {
        let message = EraseCandidateRequest { name: name.into(), request_id: String::new() };
        let request = self.signed(caller, message).await;
        self.client().erase_candidate(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn export(&self, caller: &Caller, name: &str) -> Answer<CandidateExport> {
        let request = self.signed(caller, ExportCandidateRequest { name: name.into() }).await;
        self.client().export_candidate(request).await.map(tonic::Response::into_inner)
    }

    /// The actions of a registration's history.
    pub(crate) async fn actions(&self, name: &str) -> Vec<String> {
        let message = ListCandidateHistoryRequest { parent: name.into(), ..Default::default() };
        let request = self.signed(&callers::agency(), message).await;
        let entries = self.client().list_candidate_history(request).await.unwrap().into_inner().entries;
        entries.into_iter().map(|entry| entry.action).collect()
    }

    /// Tells something as another service would, numbered on its subject; answers what became of it.
    pub(crate) async fn tell(&self, source: &str, subject: String, payload: Payload) -> Outcome {
        let sequence = {
            let mut sequences = self.sequences.lock().unwrap();
            let sequence = sequences.entry(subject.clone()).or_default();
            *sequence += 1;
            *sequence
        };
        self.deliver(source, subject, sequence, payload).await
    }

    /// Tells again what was told last on a subject: the same event, delivered twice.
    pub(crate) async fn again(&self, source: &str, subject: String, payload: Payload) {
        let sequence = self.sequences.lock().unwrap()[&subject];
        assert_eq!(self.deliver(source, subject, sequence, payload).await, Outcome::Applied);
    }

    async fn deliver(&self, source: &str, subject: String, sequence: i64, payload: Payload) -> Outcome {
        let event = Event {
            id: format!("{subject}#{sequence}#{}", subscriptions::kind(&payload)),
            source: source.into(),
            subject,
            sequence,
            payload: Some(payload),
            ..Event::default()
        };
        let request = self.signed(&callers::service(source), DeliverRequest { events: vec![event] }).await;
        let mut client = EventSinkServiceClient::new(self.scene.cluster.channel(CANDIDATES).unwrap());
        client.deliver(request).await.unwrap().into_inner().receipts[0].outcome()
    }

    async fn told(&self, subject: String, payload: Payload) {
        assert_eq!(self.tell("matching", subject, payload).await, Outcome::Applied);
    }

    /// matching introduces somebody to a structure.
    pub(crate) async fn introduced(&self, candidate: &str, by: &str) {
        let (introduction, structure) = (introduction(by), structure(by));
        let subject = introduction.clone();
        let (application, candidate) = (application(by), candidate.into());
        let event = CandidateIntroduced { introduction, structure, application, candidate, ..Default::default() };
        self.told(subject, Payload::CandidateIntroduced(event)).await;
    }

    pub(crate) async fn closed(&self, candidate: &str, by: &str, reason: &str) {
        let event = IntroductionClosed {
            introduction: introduction(by),
            structure: structure(by),
            application: application(by),
            candidate: candidate.into(),
            reason: reason.into(),
        };
        self.told(introduction(by), Payload::IntroductionClosed(event)).await;
    }

    pub(crate) async fn selected(&self, candidate: &str, by: &str) {
        let event = CandidateSelected {
            recruitment: recruitment(by),
            structure: structure(by),
            application: application(by),
            candidate: candidate.into(),
            ..Default::default()
        };
        self.told(recruitment(by), Payload::CandidateSelected(event)).await;
    }

    pub(crate) async fn signed_contract(&self, candidate: &str, by: &str) {
        let event = ContractSigned {
            recruitment: recruitment(by),
            structure: structure(by),
            application: application(by),
            candidate: candidate.into(),
            start_date: Some(day(2021, 1, 4)),
            end_date: Some(day(2023, 1, 3)),
            ..Default::default()
        };
        self.told(recruitment(by), Payload::ContractSigned(event)).await;
    }

    pub(crate) async fn leave_refused(&self, candidate: &str, by: &str) {
        let event = CandidateLeaveRefused { candidate: candidate.into(), recruitment: recruitment(by) };
        self.told(recruitment(by), Payload::CandidateLeaveRefused(event)).await;
    }

    pub(crate) async fn derogation_decided(&self, post: &str, accepted: bool, consolidates: bool) {
        let event = DerogationDecided { post: post.into(), accepted, consolidates, ..Default::default() };
        let outcome = self.tell("applications", post.to_owned(), Payload::DerogationDecided(event)).await;
        assert_eq!(outcome, Outcome::Applied);
    }

    /// The agency changes a setting, from today.
    pub(crate) async fn set_policy(&self, key: &str, value: &str) {
        self.scene.set_policy(CANDIDATES, key, value).await.unwrap();
    }

    /// What is told the others of a registration, oldest first.
    pub(crate) async fn outbox(&self, name: &str) -> Vec<Payload> {
        let query = "SELECT event FROM outbox WHERE aggregate = $1 ORDER BY sequence";
        let rows = sql::all(self.host().store().read(), query, [name.into()]).await.unwrap();
        let event = |row: &sea_orm::QueryResult| Event::decode(&*row.try_get::<Vec<u8>>("", "event").unwrap()).unwrap();
        rows.iter().filter_map(|row| event(row).payload).collect()
    }

    /// training tells something of the training for a structure.
    pub(crate) async fn trained(&self, by: &str, payload: Payload) {
        assert_eq!(self.tell("training", training(by), payload).await, Outcome::Applied);
    }

    /// The kinds of the mails to a registration that wait or have left, in their order.
    pub(crate) async fn mail_kinds(&self, name: &str) -> Vec<String> {
        let query = "SELECT kind FROM mails WHERE recipient = $1 ORDER BY kind";
        let rows = sql::all(self.host().store().read(), query, [name.into()]).await.unwrap();
        rows.iter().map(|row| row.try_get("", "kind").unwrap()).collect()
    }

    /// The subjects of the mails in the folder, with the files' names, in the order of these.
    pub(crate) fn mails(&self) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.scene.folder.path().join("mails")) else { return Vec::new() };
        let mut names: Vec<_> = folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Whether the table holds a word anywhere.
    pub(crate) async fn holds(&self, table: &str, column: &str, word: &str) -> bool {
        let query = format!("SELECT 1 AS found FROM {table} WHERE {column} LIKE $1");
        sql::one(self.host().store().read(), &query, [format!("%{word}%").into()]).await.unwrap().is_some()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let query = format!("SELECT count(*) AS n FROM {table}");
        sql::one(self.host().store().read(), &query, []).await.unwrap().unwrap().try_get("", "n").unwrap()
    }
}

/// The reason, and the rule, of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Answer<T>) -> (String, String) {
    let status = answer.unwrap_err();
    let of = |read: Option<String>| read.unwrap_or_default();
    (of(conum_service::status::reason(&status)), of(conum_service::status::rule(&status)))
}

/// An id as a structure's.
pub(crate) fn at(key: &str) -> Caller {
    let structure: StructureId = id(key);
    callers::structure(&structure.name())
}
