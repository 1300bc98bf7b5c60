//! A season's payment run under load, on every database (F03): files are asked for and the bank answers from many tasks at
//! once, again and again, while the clock moves; each instalment is paid exactly once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use conum_kernel::id::draw;
use conum_proto::finance::v1::{
    BankAccountDetails, BankAnswer, ConfirmBankAccountRequest, CreatePaymentFileRequest, Instalment,
    ListInstalmentsRequest, ListPaymentOrdersRequest, PaymentFile, PaymentOrder, ProposeBankAccountRequest,
    RecordBankAnswerRequest, instalment,
};
use conum_service::Caller;
use conum_testkit::{Backend, backends, callers};
use tonic::{Code, Status};

use crate::{
    agreement::agrees,
    ledger::audit,
    scene::{Granted, Programme, granted, reason, report},
};

/// Calls that ask for a file or tell an answer.
const CALLS: usize = 10_000;
/// How many of them are under way at once.
const AT_ONCE: usize = 200;
/// Structures with a post each, whose three instalments fall due during the run.
pub(crate) const STRUCTURES: usize = 34;
/// The clock moves by this much, each time that this many calls were made.
const MOVES: (i64, usize) = (50, 1_000);
/// How often the bank rejects orders of one instalment at most.
const REJECTIONS: usize = 2;
const ACCOUNTS: [&str; 2] = ["DE89370400440532013000", "FR1420041010050500013M02606"];

/// A number below `bound`, the same in every run.
fn chance(key: &str, purpose: &str, bound: usize) -> usize {
    let drawn = draw("payment run", key, purpose);
    usize::from(u16::from_be_bytes([drawn[0], drawn[1]])) % bound
}

/// A file of the bank, with the orders that it speaks of and what it says of each.
#[derive(Debug)]
pub(crate) struct Report {
    content: Vec<u8>,
    pub(crate) verdicts: Vec<(PaymentOrder, &'static str)>,
}

/// What the bank has said, and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Bank {
    pub(crate) files: BTreeMap<String, PaymentFile>,
    pub(crate) reports: Vec<Arc<Report>>,
    /// How many orders of an instalment it has seen.
    seen: HashMap<String, usize>,
    /// What was acknowledged, by the answer's name, with the place of its report.
    pub(crate) recorded: HashMap<String, (BankAnswer, usize)>,
    repeated: usize,
    /// How often it was told that it has answered before, and the places of those reports.
    refused: usize,
    split: BTreeSet<usize>,
}

pub(crate) struct Run {
    pub(crate) programme: Programme,
    structures: Vec<Granted>,
    pub(crate) bank: Mutex<Bank>,
    calls: AtomicUsize,
}

impl Run {
    async fn start(backend: &Backend) -> Self {
        let programme = Programme::start(backend).await;
        programme.scene.set_policy("finance", "payment-file-orders", "7").await.unwrap();
        let names: Vec<String> = (0..STRUCTURES).map(|n| format!("structure-{n}")).collect();
        let structures: Vec<_> = names.iter().map(|name| granted(name, "public", 1)).collect();
        for (number, structure) in structures.iter().enumerate() {
            programme.payable(structure).await;
            programme.contract(structure, 0, &names[number], "2021-01-04").await;
            if number % 12 == 11 {
                programme.scene.days_pass(20).await;
            }
        }
        Self { programme, structures, bank: Mutex::default(), calls: AtomicUsize::new(0) }
    }

    /// Makes a call until it is answered: its identity may have expired under way, as the clock moves.
    async fn persist<T, R>(
        &self,
        caller: &Caller,
        message: T,
        send: impl AsyncFn(tonic::Request<T>) -> Result<tonic::Response<R>, Status>,
    ) -> Result<R, Status>
    where
        T: Clone,
    {
        loop {
            match send(self.programme.signed(caller, message.clone()).await).await {
                Err(status) if matches!(status.code(), Code::Unauthenticated | Code::Aborted) => {}
                answer => return answer.map(tonic::Response::into_inner),
            }
        }
    }

    /// Calls until all calls are made.
    async fn work(&self) {
        loop {
            let number = self.calls.fetch_add(1, Ordering::Relaxed);
            if number >= CALLS {
                return;
            }
            if number % MOVES.1 == MOVES.1 - 1 {
                self.programme.scene.days_pass(MOVES.0).await;
            }
            let key = number.to_string();
            let reports = self.bank.lock().unwrap().reports.len();
            if reports == 0 || chance(&key, "what", 4) == 0 {
                // Two calls in a row ask with one request id.
                let request_id = format!("9d3c1f00-0000-4000-8000-{:012}", number / 8);
                self.release(&request_id).await;
            } else {
                // Half of them tell the latest news.
                let recent = if chance(&key, "age", 2) == 0 { reports.min(10) } else { reports };
                self.tell(reports - 1 - chance(&key, "which", recent)).await;
            }
        }
    }

    async fn release(&self, request_id: &str) -> bool {
        let message = CreatePaymentFileRequest { request_id: request_id.into(), ..Default::default() };
        let send = async |request| self.programme.payments().create_payment_file(request).await;
        match self.persist(&callers::agency(), message, send).await {
            Ok(file) => {
                let known = self.bank.lock().unwrap().files.insert(file.name.clone(), file.clone());
                match known {
                    Some(known) => assert_eq!(known, file),
                    None => self.sent(&file).await,
                }
                true
            }
            Err(refused) => {
                assert_eq!(reason(&refused), ("NOTHING_TO_PAY".into(), "F03".into()), "{refused:?}");
                false
            }
        }
    }

    /// The bank makes up its mind about a file: pending at first, then in two parts, or whole in other words; and once it
    /// contradicts itself.
    async fn sent(&self, file: &PaymentFile) {
        let message =
            ListPaymentOrdersRequest { payment_file: file.name.clone(), page_size: 1000, ..Default::default() };
        let send = async |request| self.programme.payments().list_payment_orders(request).await;
        let orders = self.persist(&callers::agency(), message, send).await.unwrap().payment_orders;
        assert_eq!(orders.len(), usize::try_from(file.orders).unwrap());
        let mut bank = self.bank.lock().unwrap();
        let verdicts: Vec<_> = orders
            .iter()
            .map(|order| {
                let seen = bank.seen.entry(order.instalment.clone()).or_default();
                *seen += 1;
                let rejects = *seen <= REJECTIONS && chance(&order.name, "rejects", 3) == 0;
                let account = chance(&order.name, "account", 3) == 0;
                (
                    order.clone(),
                    if !rejects {
                        ""
                    } else if account {
                        "AC04"
                    } else {
                        "MS03"
                    },
                )
            })
            .collect();
        let (first, second) = verdicts.split_at(verdicts.len().div_ceil(2));
        let contradicted = (bank.seen[&first[0].0.instalment] <= REJECTIONS).then(|| (first[0].0.clone(), "MS03"));
        let parts = [first.to_vec(), second.to_vec(), contradicted.into_iter().collect(), verdicts.clone()];
        let pending: Vec<_> = verdicts.iter().map(|(order, _)| (order.name.as_str(), "PDNG", "")).collect();
        let pending = Report { content: report(&file.name, &pending), verdicts: Vec::new() };
        let said = parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(|verdicts| Report { content: content(&verdicts), verdicts });
        bank.reports.extend([pending].into_iter().chain(said).map(Arc::new));
    }

    /// The bank says something, perhaps not for the first time.
    async fn tell(&self, place: usize) {
        let report = self.bank.lock().unwrap().reports[place].clone();
        let message = RecordBankAnswerRequest { content: report.content.clone(), ..Default::default() };
        let send = async |request| self.programme.payments().record_bank_answer(request).await;
        match self.persist(&callers::agency(), message, send).await {
            Ok(answer) => {
                let known = {
                    let mut bank = self.bank.lock().unwrap();
                    let known = bank.recorded.insert(answer.name.clone(), (answer.clone(), place));
                    bank.repeated += usize::from(known.is_some());
                    known
                };
                let rejected = report.verdicts.iter().filter(|(_, code)| !code.is_empty()).count();
                let paid = report.verdicts.len() - rejected;
                assert_eq!((answer.paid, answer.rejected), (paid.try_into().unwrap(), rejected.try_into().unwrap()));
                match known {
                    Some((known, _)) => assert_eq!(known, answer, "the same bytes have one effect"),
                    None => self.mend(&report).await,
                }
            }
            Err(refused) => {
                assert_eq!(reason(&refused), ("SETTLED_ORDER".into(), "F03".into()), "{refused:?}");
                self.split(place, &report);
            }
        }
    }

    /// A report that was refused whole for one order that is settled is said again order by order.
    fn split(&self, place: usize, report: &Report) {
        let mut bank = self.bank.lock().unwrap();
        bank.refused += 1;
        if report.verdicts.len() > 1 && bank.split.insert(place) {
            let single = report.verdicts.iter().map(|verdict| {
                let content = content(std::slice::from_ref(verdict));
                Arc::new(Report { content, verdicts: vec![verdict.clone()] })
            });
            bank.reports.extend(single);
        }
    }

    /// Structures whose account the bank has refused propose another one, which the agency confirms.
    async fn mend(&self, report: &Report) {
        for (order, _) in report.verdicts.iter().filter(|(_, code)| *code == "AC04") {
            let structure = self.structures.iter().find(|one| one.structure.name() == order.structure).unwrap();
            let iban = ACCOUNTS[chance(&order.name, "iban", 2)];
            let details = BankAccountDetails { iban: iban.into(), bic: String::new(), holder: "Mairie".into() };
            let propose =
                ProposeBankAccountRequest { name: structure.account(), account: Some(details), ..Default::default() };
            let send = async |request| self.programme.payments().propose_bank_account(request).await;
            self.persist(&structure.caller(), propose, send).await.unwrap();
            let confirm = ConfirmBankAccountRequest { name: structure.account(), ..Default::default() };
            let send = async |request| self.programme.payments().confirm_bank_account(request).await;
            let confirmed = self.persist(&callers::agency(), confirm, send).await;
            // Another task may have confirmed for an order of the same structure.
            assert!(confirmed.as_ref().err().is_none_or(|status| reason(status).0 == "NO_PROPOSAL"), "{confirmed:?}");
        }
    }

    /// What is left is sent, and the bank says all that it has to say.
    async fn finish(&self) {
        let mut told = 0;
        for round in 0..50 {
            self.programme.scene.days_pass(10).await;
            let mut files = 0;
            while self.release(&format!("9d3c1f00-0000-4000-9000-{:012}", round * 1000 + files)).await {
                files += 1;
            }
            let reports = self.bank.lock().unwrap().reports.len();
            for place in told..reports {
                self.tell(place).await;
            }
            told = reports;
            if self.instalments().await.iter().all(|instalment| instalment.state() == instalment::State::Paid) {
                return;
            }
        }
        panic!("never done: {:?}", self.programme.figures().await);
    }

    pub(crate) async fn instalments(&self) -> Vec<Instalment> {
        let message = ListInstalmentsRequest { page_size: 1000, ..Default::default() };
        let send = async |request| self.programme.conventions().list_instalments(request).await;
        self.persist(&callers::agency(), message, send).await.unwrap().instalments
    }
}

/// The bytes of a report on orders of one file: each is paid, or rejected with a code.
fn content(verdicts: &[(PaymentOrder, &'static str)]) -> Vec<u8> {
    let line = |(order, code): &'_ (PaymentOrder, &'static str)| {
        (order.name.clone(), if code.is_empty() { "ACSC" } else { "RJCT" }, *code)
    };
    let lines: Vec<_> = verdicts.iter().map(line).collect();
    let lines: Vec<_> = lines.iter().map(|(order, status, code)| (order.as_str(), *status, *code)).collect();
    report(&verdicts[0].0.payment_file, &lines)
}

/// 10,000 calls that ask for files and tell answers, 200 under way at once; beside them those that read the orders of a
/// file and replace refused accounts.
#[tokio::test(flavor = "multi_thread")]
async fn f03_ten_thousand_concurrent_and_repeated_releases_and_bank_answers_pay_each_instalment_once() {
    for backend in backends() {
        let run = Run::start(&backend).await;
        futures::future::join_all((0..AT_ONCE).map(|_| run.work())).await;
        let paid_under_way = run.programme.figures().await.instalments_paid;
        run.finish().await;
        agrees(&run).await;

        let seen = run.programme.figures().await;
        let structures = i64::try_from(STRUCTURES).unwrap();
        assert_eq!(seen.instalments_paid, 3 * structures);
        assert_eq!((seen.paid_cents, seen.granted_cents), (5_000_000 * structures, seen.paid_cents));
        let audit = audit(&run.programme).await;
        assert!(audit.balanced, "{:?}", audit.findings);

        let bank = run.bank.lock().unwrap();
        assert!(2 * paid_under_way > 3 * structures, "most of it happens under load: {paid_under_way}");
        assert!(bank.files.len() > 15 && seen.payments_rejected > 10 && bank.repeated > 1_000 && bank.refused > 100);
    }
}
