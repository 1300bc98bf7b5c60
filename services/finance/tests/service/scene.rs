//! A programme in small for finance's tests: structures whose posts were granted, told by events as the other services
//! would, and a bank that answers.

use std::{collections::HashMap, sync::Mutex};

use conum_finance::SERVICE;
use conum_kernel::{ApplicationId, CandidateId, Id, Ids, PostId, RecruitmentId, StructureId, WaveId, post_name};
use conum_proto::{
    events::v1::{
        ContractEnded, ContractSigned, DeliverRequest, DossierCompleted, DossierReopened, Event, GrantedPost, Outcome,
        PostReleased, PostsGranted, event::Payload, event_sink_service_client::EventSinkServiceClient,
    },
    finance::v1::{
        BankAccount, BankAccountDetails, BankAnswer, Claim, ConfirmBankAccountRequest, Convention,
        CreatePaymentFileRequest, DownloadPaymentFileRequest, FinanceFigures, GetFinanceFiguresRequest, Instalment,
        ListClaimsRequest, ListConventionsRequest, ListInstalmentsRequest, ListPaymentOrdersRequest, PaymentFile,
        PaymentOrder, ProposeBankAccountRequest, RecordBankAnswerRequest, SettleEndingRequest, SignConventionRequest,
        claims_service_client::ClaimsServiceClient, conventions_service_client::ConventionsServiceClient,
        ledger_service_client::LedgerServiceClient, payments_service_client::PaymentsServiceClient,
    },
    google::r#type::Date,
};
use conum_service::{Caller, events::subscriptions, status};
pub(crate) use conum_testkit::bank::report;
use conum_testkit::{Backend, Scene, callers};
use tonic::{Status, transport::Channel};

const FINANCE: &str = "finance";
pub(crate) const IBAN: &str = "FR14 2004 1010 0505 0001 3M02 606";

pub(crate) struct Programme {
    pub(crate) scene: Scene,
    sequences: Mutex<HashMap<String, i64>>,
}

/// A structure with its posts.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    pub(crate) structure: StructureId,
    pub(crate) application: ApplicationId,
    pub(crate) posts: Vec<PostId>,
    pub(crate) kind: &'static str,
}

impl Granted {
    pub(crate) fn caller(&self) -> Caller {
        callers::structure(&self.structure.name())
    }

    pub(crate) fn post(&self, number: usize) -> String {
        post_name(self.application, self.posts[number])
    }

    pub(crate) fn account(&self) -> String {
        format!("{}/bankAccount", self.structure.name())
    }
}

pub(crate) fn id<T: conum_kernel::id::Entity>(key: &str) -> Id<T> {
    Ids::seeded(1).mint("2020-12-01T00:00:00Z".parse().unwrap(), key)
}

pub(crate) fn granted(name: &str, kind: &'static str, posts: usize) -> Granted {
    let posts = (0..posts).map(|n| id(&format!("{name}/{n}"))).collect();
    Granted { structure: id(name), application: id(name), posts, kind }
}

#[expect(clippy::unnecessary_wraps, reason = "every field of a message is optional")]
pub(crate) fn day(text: &str) -> Option<Date> {
    let date: jiff::civil::Date = text.parse().unwrap();
    Some(conum_service::wire::from_date(date))
}

/// The reason and the rule of a refusal.
pub(crate) fn reason(status: &Status) -> (String, String) {
    (status::reason(status).unwrap_or_default(), status::rule(status).unwrap_or_default())
}

impl Programme {
    pub(crate) async fn start(backend: &Backend) -> Self {
        Self { scene: Scene::start(&[SERVICE], backend).await, sequences: Mutex::default() }
    }

    fn channel(&self) -> Channel {
        self.scene.cluster.channel(FINANCE).unwrap()
    }

    pub(crate) fn conventions(&self) -> ConventionsServiceClient<Channel> {
        ConventionsServiceClient::new(self.channel())
    }

    pub(crate) fn payments(&self) -> PaymentsServiceClient<Channel> {
        PaymentsServiceClient::new(self.channel())
    }

    pub(crate) fn claims_service(&self) -> ClaimsServiceClient<Channel> {
        ClaimsServiceClient::new(self.channel())
    }

    pub(crate) fn ledger(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::new(self.channel())
    }

    pub(crate) async fn signed<T>(&self, caller: &Caller, message: T) -> tonic::Request<T> {
        self.scene.cluster.signed(caller, FINANCE, message).await.unwrap()
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

    pub(crate) fn granted_payload(granted: &Granted) -> PostsGranted {
        let wave: WaveId = id("wave");
        PostsGranted {
            application: granted.application.name(),
            structure: granted.structure.name(),
            wave: wave.name(),
            posts: (0..granted.posts.len())
                .map(|n| GrantedPost { post: granted.post(n), start_date: day("2021-03-01"), coordinator: false })
                .collect(),
            department: "69".into(),
            structure_kind: granted.kind.into(),
            ready: true,
            ..PostsGranted::default()
        }
    }

    pub(crate) async fn grant(&self, granted: &Granted) {
        let payload = Payload::PostsGranted(Self::granted_payload(granted));
        self.tell("applications", granted.application.name(), payload).await;
    }

    pub(crate) async fn documents(&self, granted: &Granted) {
        let (application, structure) = (granted.application.name(), granted.structure.name());
        let payload = Payload::DossierCompleted(DossierCompleted { application, structure });
        self.tell("applications", granted.application.name(), payload).await;
    }

    pub(crate) async fn documents_again(&self, granted: &Granted) {
        let (application, structure) = (granted.application.name(), granted.structure.name());
        let payload = Payload::DossierReopened(DossierReopened { application, structure });
        self.tell("applications", granted.application.name(), payload).await;
    }

    pub(crate) async fn release(&self, granted: &Granted, number: usize) {
        let (application, structure) = (granted.application.name(), granted.structure.name());
        let payload = Payload::PostReleased(PostReleased { application, structure, post: granted.post(number) });
        self.tell("matching", granted.post(number), payload).await;
    }

    pub(crate) fn contract_payload(granted: &Granted, number: usize, name: &str, start: &str) -> (String, Payload) {
        let (recruitment, candidate): (RecruitmentId, CandidateId) = (id(name), id(name));
        let signed = ContractSigned {
            recruitment: recruitment.name(),
            structure: granted.structure.name(),
            application: granted.application.name(),
            post: granted.post(number),
            candidate: candidate.name(),
            signed_on: day(start),
            start_date: day(start),
            end_date: None,
        };
        (recruitment.name(), Payload::ContractSigned(signed))
    }

    pub(crate) async fn contract(&self, granted: &Granted, number: usize, name: &str, start: &str) {
        let (subject, payload) = Self::contract_payload(granted, number, name, start);
        self.tell("matching", subject, payload).await;
    }

    pub(crate) async fn end(&self, granted: &Granted, number: usize, name: &str, last_day: &str) {
        let (recruitment, candidate): (RecruitmentId, CandidateId) = (id(name), id(name));
        let ended = ContractEnded {
            recruitment: recruitment.name(),
            structure: granted.structure.name(),
            application: granted.application.name(),
            post: granted.post(number),
            candidate: candidate.name(),
            last_day: day(last_day),
            reason: "resignation".into(),
        };
        self.tell("matching", recruitment.name(), Payload::ContractEnded(ended)).await;
    }

    pub(crate) async fn convention(&self, granted: &Granted) -> Convention {
        let message = ListConventionsRequest { application: granted.application.name(), ..Default::default() };
        let request = self.signed(&callers::agency(), message).await;
        self.conventions().list_conventions(request).await.unwrap().into_inner().conventions.remove(0)
    }

    pub(crate) async fn sign(&self, caller: &Caller, granted: &Granted, amendment: i32) -> Result<Convention, Status> {
        let name = self.convention(granted).await.name;
        let request = self.signed(caller, SignConventionRequest { name, amendment, ..Default::default() }).await;
        self.conventions().sign_convention(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn sign_both(&self, granted: &Granted, amendment: i32) {
        self.sign(&granted.caller(), granted, amendment).await.unwrap();
        self.sign(&callers::agency(), granted, amendment).await.unwrap();
    }

    pub(crate) async fn propose(&self, caller: &Caller, granted: &Granted, iban: &str) -> Result<BankAccount, Status> {
        let account = BankAccountDetails { iban: iban.into(), bic: String::new(), holder: "Mairie de Lyon".into() };
        let message =
            ProposeBankAccountRequest { name: granted.account(), account: Some(account), ..Default::default() };
        let request = self.signed(caller, message).await;
        self.payments().propose_bank_account(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn confirm(&self, caller: &Caller, granted: &Granted) -> Result<BankAccount, Status> {
        let message = ConfirmBankAccountRequest { name: granted.account(), ..Default::default() };
        let request = self.signed(caller, message).await;
        self.payments().confirm_bank_account(request).await.map(tonic::Response::into_inner)
    }

    /// Proposed by the structure, confirmed by the agency.
    pub(crate) async fn account(&self, granted: &Granted) {
        self.propose(&granted.caller(), granted, IBAN).await.unwrap();
        self.confirm(&callers::agency(), granted).await.unwrap();
    }

    /// Granted, signed, its documents validated, its account known.
    pub(crate) async fn payable(&self, granted: &Granted) {
        self.grant(granted).await;
        self.documents(granted).await;
        self.account(granted).await;
        self.sign_both(granted, 0).await;
    }

    pub(crate) async fn instalments(&self, granted: &Granted) -> Vec<Instalment> {
        let request = self.signed(&granted.caller(), ListInstalmentsRequest::default()).await;
        let mut found = self.conventions().list_instalments(request).await.unwrap().into_inner().instalments;
        found.sort_by_key(|instalment| (instalment.post.clone(), instalment.number));
        found
    }

    pub(crate) async fn create_file(&self) -> Result<PaymentFile, Status> {
        let request = self.signed(&callers::agency(), CreatePaymentFileRequest::default()).await;
        self.payments().create_payment_file(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn orders(&self, file: &str) -> Vec<PaymentOrder> {
        let message = ListPaymentOrdersRequest { payment_file: file.into(), page_size: 1000, ..Default::default() };
        let request = self.signed(&callers::agency(), message).await;
        self.payments().list_payment_orders(request).await.unwrap().into_inner().payment_orders
    }

    pub(crate) async fn download(&self, file: &str) -> Vec<u8> {
        let request = self.signed(&callers::agency(), DownloadPaymentFileRequest { name: file.into() }).await;
        self.payments().download_payment_file(request).await.unwrap().into_inner().content
    }

    pub(crate) async fn answer(&self, content: Vec<u8>) -> Result<BankAnswer, Status> {
        let message = RecordBankAnswerRequest { content, ..Default::default() };
        let request = self.signed(&callers::agency(), message).await;
        self.payments().record_bank_answer(request).await.map(tonic::Response::into_inner)
    }

    /// Puts what is ready into a file, and the bank pays all of it.
    pub(crate) async fn pay(&self) {
        let file = self.create_file().await.unwrap();
        let orders = self.orders(&file.name).await;
        let lines: Vec<_> = orders.iter().map(|order| (order.name.as_str(), "ACSC", "")).collect();
        self.answer(report(&file.name, &lines)).await.unwrap();
    }

    pub(crate) async fn settle(&self, granted: &Granted, number: usize) -> Result<Convention, Status> {
        let message = SettleEndingRequest {
            name: self.convention(granted).await.name,
            post: granted.post(number),
            ..Default::default()
        };
        let request = self.signed(&callers::agency(), message).await;
        self.conventions().settle_ending(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn claims(&self, granted: &Granted) -> Vec<Claim> {
        let request = self.signed(&granted.caller(), ListClaimsRequest::default()).await;
        self.claims_service().list_claims(request).await.unwrap().into_inner().claims
    }

    /// The figures, whose sums are those of F10.
    pub(crate) async fn figures(&self) -> FinanceFigures {
        let request = self.signed(&callers::agency(), GetFinanceFiguresRequest {}).await;
        let seen = self.conventions().get_finance_figures(request).await.unwrap().into_inner();
        let parts = [
            seen.to_come_cents,
            seen.due_cents,
            seen.held_cents,
            seen.sent_cents,
            seen.paid_cents,
            seen.cancelled_cents,
        ];
        assert_eq!(seen.granted_cents, parts.iter().sum::<i64>());
        assert_eq!(seen.claimed_cents, seen.outstanding_cents + seen.repaid_cents + seen.waived_cents);
        assert!(seen.ledger_balanced, "{seen:?}");
        assert_eq!(seen.payments_doubled, 0);
        seen
    }
}
