//! finance as a process of its own, killed (SIGKILL) again and again while it makes payment files and records what the bank
//! answers: what it has acknowledged is there once, and file, orders, instalments and ledger agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use conum_finance::commands::paying::digest;
use conum_kernel::{ApplicationId, Id, Ids, PostId, StructureId, WaveId, id::draw, post_name};
use conum_proto::{
    events::v1::{
        DeliverRequest, DossierCompleted, Event, GrantedPost, Outcome, PostsGranted, event::Payload,
        event_sink_service_client::EventSinkServiceClient,
    },
    finance::v1::{
        AuditLedgerRequest, BankAccountDetails, BankAnswer, ConfirmBankAccountRequest, CreatePaymentFileRequest,
        DownloadPaymentFileRequest, GetFinanceFiguresRequest, GetPaymentFileRequest, ListConventionsRequest,
        ListInstalmentsRequest, ListPaymentOrdersRequest, PaymentFile, PaymentOrder, ProposeBankAccountRequest,
        RecordBankAnswerRequest, SignConventionRequest, conventions_service_client::ConventionsServiceClient,
        instalment, ledger_service_client::LedgerServiceClient, payment_order::State,
        payments_service_client::PaymentsServiceClient,
    },
    operations::v1::{SetPolicyRequest, policies_service_client::PoliciesServiceClient},
};
use conum_service::{Caller, host, identity::Signer, status};
use conum_testkit::{bank::report, callers};
use conum_tests::processes::{PATIENCE, Processes};
use tokio::sync::watch;
use tonic::{Code, Request, Response, Status, transport::Channel};

const FINANCE: &str = "finance";
const MOMENTS: usize = 50;
/// A kill comes this many milliseconds after a call began, at most.
const LATEST: u64 = 60;
const CONVENTIONS: usize = 24;
/// All three of each convention are due at once.
const INSTALMENTS: usize = 3 * CONVENTIONS;

/// How far the run is: calls begun, answers received, kills survived.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    begun: usize,
    answered: usize,
    /// Calls that a kill has cut off.
    cut: usize,
    kills: usize,
}

/// A client of finance that does not give up.
#[derive(Clone)]
struct Client {
    channel: Channel,
    signer: Signer,
    progress: watch::Sender<Progress>,
}

impl Client {
    /// Sends a message, the same again where the process went away, until it is answered.
    async fn send<T: Clone, R>(
        &self,
        caller: &Caller,
        message: T,
        call: impl AsyncFn(Channel, Request<T>) -> Result<Response<R>, Status>,
    ) -> Result<R, Status> {
        let began = Instant::now();
        let mut cut = 0;
        self.progress.send_modify(|progress| progress.begun += 1);
        loop {
            let mut request = Request::new(message.clone());
            host::sign(&self.signer, &mut request, caller, FINANCE).await.unwrap();
            match call(self.channel.clone(), request).await {
                // A refusal of the service has a reason; what the connection says has none.
                Err(lost) if status::reason(&lost).is_none() || lost.code() == Code::Unavailable => {
                    assert!(began.elapsed() < PATIENCE, "never answered: {lost:?}");
                    cut = 1;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                answer => {
                    self.progress.send_modify(|progress| {
                        progress.answered += 1;
                        progress.cut += cut;
                    });
                    return answer.map(Response::into_inner);
                }
            }
        }
    }

    async fn create(&self, request_id: &str) -> Result<PaymentFile, Status> {
        let message = CreatePaymentFileRequest { request_id: request_id.into(), ..Default::default() };
        let call = async |channel, request| PaymentsServiceClient::new(channel).create_payment_file(request).await;
        self.send(&callers::agency(), message, call).await
    }

    async fn record(&self, said: &Said) -> BankAnswer {
        let message = RecordBankAnswerRequest { content: said.content.clone(), request_id: said.request_id.clone() };
        let call = async |channel, request| PaymentsServiceClient::new(channel).record_bank_answer(request).await;
        self.send(&callers::agency(), message, call).await.unwrap()
    }

    async fn orders(&self, payment_file: &str) -> Vec<PaymentOrder> {
        let (mut found, mut page_token) = (Vec::new(), String::new());
        loop {
            let payment_file = payment_file.to_owned();
            let message = ListPaymentOrdersRequest { payment_file, page_token, page_size: 1000, ..Default::default() };
            let call = async |channel, request| PaymentsServiceClient::new(channel).list_payment_orders(request).await;
            let page = self.send(&callers::agency(), message, call).await.unwrap();
            found.extend(page.payment_orders);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return found;
            }
        }
    }

    /// The bytes of a file have its digest and hold its orders.
    async fn check(&self, file: &PaymentFile, orders: &[PaymentOrder]) {
        let message = DownloadPaymentFileRequest { name: file.name.clone() };
        let call = async |channel, request| PaymentsServiceClient::new(channel).download_payment_file(request).await;
        let content = self.send(&callers::agency(), message, call).await.unwrap().content;
        assert_eq!(digest(&content), file.sha256);
        let text = String::from_utf8(content).unwrap();
        let ids = text.split("<EndToEndId>").skip(1).map(|rest| rest.split('<').next().unwrap());
        let written: BTreeSet<_> = ids.map(|id| format!("paymentOrders/pay_{id}")).collect();
        assert_eq!(written, orders.iter().map(|order| order.name.clone()).collect(), "{}", file.name);
        assert_eq!(usize::try_from(file.orders).unwrap(), orders.len());
        assert_eq!(file.total_cents, orders.iter().map(|order| order.amount_cents).sum::<i64>());
    }
}

fn id<T: conum_kernel::id::Entity>(key: &str) -> Id<T> {
    Ids::seeded(1).mint("2020-12-01T00:00:00Z".parse().unwrap(), key)
}

fn request_id(kind: char, number: usize) -> String {
    format!("9d3c1f00-0000-4000-800{kind}-{number:012}")
}

/// Conventions of structures whose accounts are known, signed by both: every instalment is due.
async fn seed(client: &Client) {
    for (key, value) in [("instalment-months", "0,0,0"), ("contract-needed-from", "4"), ("payment-file-orders", "3")] {
        let name = format!("services/finance/policies/{key}");
        let why = "a run at once".into();
        let message = SetPolicyRequest { name, value: value.into(), why, ..Default::default() };
        let call = async |channel, request| PoliciesServiceClient::new(channel).set_policy(request).await;
        client.send(&callers::agency(), message, call).await.unwrap();
    }
    for number in 0..CONVENTIONS {
        let key = format!("structure {number}");
        let (structure, application): (StructureId, ApplicationId) = (id(&key), id(&key));
        granted(client, structure, application, id(&key)).await;
        let (name, caller) = (format!("{}/bankAccount", structure.name()), callers::structure(&structure.name()));
        let iban = "DE89370400440532013000".into();
        let account = Some(BankAccountDetails { iban, bic: String::new(), holder: "Mairie".into() });
        let message = ProposeBankAccountRequest { name: name.clone(), account, ..Default::default() };
        let call = async |channel, request| PaymentsServiceClient::new(channel).propose_bank_account(request).await;
        client.send(&caller, message, call).await.unwrap();
        let message = ConfirmBankAccountRequest { name, ..Default::default() };
        let call = async |channel, request| PaymentsServiceClient::new(channel).confirm_bank_account(request).await;
        client.send(&callers::agency(), message, call).await.unwrap();
        let message = ListConventionsRequest { application: application.name(), ..Default::default() };
        let call = async |channel, request| ConventionsServiceClient::new(channel).list_conventions(request).await;
        let name = client.send(&callers::agency(), message, call).await.unwrap().conventions.remove(0).name;
        for signatory in [caller, callers::agency()] {
            let message = SignConventionRequest { name: name.clone(), ..Default::default() };
            let call = async |channel, request| ConventionsServiceClient::new(channel).sign_convention(request).await;
            client.send(&signatory, message, call).await.unwrap();
        }
    }
}

/// What applications tells: a post is granted, and the structure's documents are complete.
async fn granted(client: &Client, structure: StructureId, application: ApplicationId, post: PostId) {
    let (structure, subject, wave): (_, _, WaveId) = (structure.name(), application.name(), id("wave"));
    let posts = vec![GrantedPost { post: post_name(application, post), start_date: None, coordinator: false }];
    let granted = PostsGranted {
        application: subject.clone(),
        structure: structure.clone(),
        wave: wave.name(),
        posts,
        department: "69".into(),
        structure_kind: "public".into(),
        ready: true,
        ..PostsGranted::default()
    };
    let completed = DossierCompleted { application: subject.clone(), structure };
    let payloads = [Payload::PostsGranted(granted), Payload::DossierCompleted(completed)];
    let events = payloads.into_iter().zip(1..).map(|(payload, sequence)| Event {
        id: format!("{subject}#{sequence}"),
        source: "applications".into(),
        subject: subject.clone(),
        sequence,
        payload: Some(payload),
        ..Event::default()
    });
    let message = DeliverRequest { events: events.collect() };
    let call = async |channel, request| EventSinkServiceClient::new(channel).deliver(request).await;
    let receipts = client.send(&callers::service("applications"), message, call).await.unwrap().receipts;
    assert!(receipts.iter().all(|receipt| receipt.outcome() == Outcome::Applied), "{receipts:?}");
}

/// An answer of the bank: the code of each order's rejection, or nothing where it is paid.
#[derive(Debug)]
struct Said {
    request_id: String,
    content: Vec<u8>,
    verdicts: Vec<(String, &'static str)>,
}

/// What was acknowledged.
#[derive(Debug, Default)]
struct Journal {
    files: Vec<(String, PaymentFile)>,
    answers: Vec<(Said, BankAnswer)>,
    paid: usize,
}

/// Makes files and answers them, each in two parts, until nothing is left to pay. The bank pays as the kills go by, so that
/// there is something to do at each of them, and rejects the rest for reasons that are not the account's.
async fn run(client: Client) -> Journal {
    let mut journal = Journal::default();
    loop {
        let wanted = request_id('0', journal.files.len());
        let file = match client.create(&wanted).await {
            Ok(file) => file,
            Err(refused) => {
                assert_eq!(status::reason(&refused).unwrap(), "NOTHING_TO_PAY", "{refused:?}");
                return journal;
            }
        };
        let orders = client.orders(&file.name).await;
        client.check(&file, &orders).await;
        if let Some((wanted, known)) = journal.files.last() {
            assert_eq!(client.create(wanted).await.unwrap(), *known, "the same request has no second effect");
        }
        journal.files.push((wanted, file));
        let (first, rest) = orders.split_at(orders.len().div_ceil(2));
        for part in [first, rest].into_iter().filter(|part| !part.is_empty()) {
            let said = say(&mut journal, part, client.progress.borrow().kills);
            let answer = client.record(&said).await;
            if let Some((earlier, known)) = journal.answers.last() {
                assert_eq!(client.record(earlier).await, *known, "the same answer has no second effect");
            }
            journal.answers.push((said, answer));
        }
    }
}

fn say(journal: &mut Journal, orders: &[PaymentOrder], kills: usize) -> Said {
    let verdicts = orders.iter().map(|order| {
        let pays = journal.paid < INSTALMENTS * kills / MOMENTS;
        journal.paid += usize::from(pays);
        (order.name.clone(), if pays { "" } else { "MS03" })
    });
    let verdicts: Vec<_> = verdicts.collect();
    let lines =
        verdicts.iter().map(|(order, code)| (order.as_str(), if code.is_empty() { "ACSC" } else { "RJCT" }, *code));
    let content = report(&orders[0].payment_file, &lines.collect::<Vec<_>>());
    Said { request_id: request_id('1', journal.answers.len()), content, verdicts }
}

/// File, orders, instalments and ledger, one against the other and against what was acknowledged.
async fn agrees(client: &Client, journal: &Journal) {
    for (said, known) in &journal.answers {
        assert_eq!(client.record(said).await, *known);
    }
    let message = ListInstalmentsRequest { page_size: 1000, ..Default::default() };
    let call = async |channel, request| ConventionsServiceClient::new(channel).list_instalments(request).await;
    let instalments = client.send(&callers::agency(), message, call).await.unwrap().instalments;
    assert_eq!(instalments.len(), INSTALMENTS);
    let orders = client.orders("").await;
    for instalment in &instalments {
        assert_eq!(instalment.state(), instalment::State::Paid);
        let own = || orders.iter().filter(|order| order.instalment == instalment.name);
        let paid: Vec<_> = own().filter(|order| order.state() == State::Paid).collect();
        assert_eq!(paid.len(), 1, "{instalment:?}");
        assert_eq!(paid[0].amount_cents, instalment.amount_cents);
    }

    let mut answered: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (said, answer) in &journal.answers {
        for (order, code) in &said.verdicts {
            answered.entry(order).or_default().push(code);
        }
        let rejected = said.verdicts.iter().filter(|(_, code)| !code.is_empty()).count();
        let seen = [answer.paid, answer.rejected].map(|count| usize::try_from(count).unwrap());
        assert_eq!(seen, [said.verdicts.len() - rejected, rejected]);
    }
    let mut in_files: BTreeMap<&str, Vec<PaymentOrder>> = BTreeMap::new();
    for order in &orders {
        let settled: &[&str] = if order.state() == State::Paid { &[""] } else { &[&order.reject_reason] };
        assert_eq!(answered.remove(order.name.as_str()).unwrap(), settled, "{order:?}");
        in_files.entry(&order.payment_file).or_default().push(order.clone());
    }
    assert!(answered.is_empty(), "an answer on orders that nobody has: {answered:?}");
    for (_, file) in &journal.files {
        let call = async |channel, request| PaymentsServiceClient::new(channel).get_payment_file(request).await;
        let message = GetPaymentFileRequest { name: file.name.clone() };
        assert_eq!(client.send(&callers::agency(), message, call).await.unwrap(), *file);
        client.check(file, &in_files.remove(file.name.as_str()).unwrap()).await;
    }
    assert!(in_files.is_empty(), "a file that nobody was told of: {in_files:?}");
    books(client, &orders).await;
}

async fn books(client: &Client, orders: &[PaymentOrder]) {
    let call = async |channel, request| ConventionsServiceClient::new(channel).get_finance_figures(request).await;
    let seen = client.send(&callers::agency(), GetFinanceFiguresRequest {}, call).await.unwrap();
    let rejected = orders.iter().filter(|order| order.state() == State::Rejected).count();
    let counts = [seen.instalments_paid, seen.payments_rejected, seen.payments_doubled];
    assert_eq!(counts.map(|count| usize::try_from(count).unwrap()), [INSTALMENTS, rejected, 0]);
    assert_eq!((seen.granted_cents, seen.ledger_balanced), (seen.paid_cents, true));
    let call = async |channel, request| LedgerServiceClient::new(channel).audit_ledger(request).await;
    let audit = client.send(&callers::operator(), AuditLedgerRequest {}, call).await.unwrap();
    assert!(audit.balanced, "{:?}", audit.findings);
    // Of each post: its grant and three instalments that fall due; of each order: that it is sent, and what came of it.
    let entries = 4 * CONVENTIONS + 2 * orders.len();
    assert_eq!(usize::try_from(audit.entries).unwrap(), entries);
}

/// Waits until the run has come somewhere.
async fn until(progress: &mut watch::Receiver<Progress>, holds: impl FnMut(&Progress) -> bool) {
    let waited = tokio::time::timeout(PATIENCE, progress.wait_for(holds)).await;
    assert!(matches!(waited, Ok(Ok(_))), "the run has stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn finance_killed_at_fifty_moments_of_a_payment_run_agrees_with_itself() {
    let mut processes = Processes::alone(FINANCE);
    let (progress, mut seen) = watch::channel(Progress::default());
    let client = Client { channel: processes.channel(FINANCE), signer: processes.signer(), progress };
    seed(&client).await;
    let running = tokio::spawn(run(client.clone()));
    for moment in 0..MOMENTS {
        // It has come back since the last kill, and another call has begun.
        let answered = seen.borrow().answered;
        until(&mut seen, |progress| progress.answered > answered).await;
        let begun = seen.borrow().begun;
        until(&mut seen, |progress| progress.begun > begun).await;
        let drawn = draw("kills", &moment.to_string(), "delay");
        let delay = u64::from(u16::from_be_bytes([drawn[0], drawn[1]])) % (LATEST + 1);
        tokio::time::sleep(Duration::from_millis(delay)).await;
        processes.kill(FINANCE);
        client.progress.send_modify(|progress| progress.kills += 1);
    }
    let journal = tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap();
    let cut = seen.borrow().cut;
    assert!(cut > MOMENTS / 2, "most kills come while a call is under way: {cut}");
    agrees(&client, &journal).await;
}
