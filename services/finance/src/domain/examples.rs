//! A bench for tests: one convention on a clock, whose every decision is posted to a ledger as storage would.

use std::{cell::Cell, collections::BTreeMap};

use conum_kernel::{
    Cents, Id, Ids, Moment, PaymentFileId, PaymentOrderId, PostId, RecruitmentId, Result, clock::start_of_day,
    id::Entity,
};
use jiff::civil::Date;

use super::{
    advance,
    amounts::Kind,
    chain::{self, Entry, Head},
    contracts::{self, Signed},
    convention::{Breach, Convention},
    decision::{Context, Decision, Effect, OrderChange, Told},
    endings, following,
    holds::HoldReason,
    instalment::{Instalment, State},
    ledger::{self, Account, Balances},
    payment::{self, Verdict},
    policies::{GRANTS, Settings},
    schedule::Plan,
    signing::{self, Grant, Side},
};

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// An id that follows from a number.
pub(crate) fn id<T: Entity>(number: usize) -> Id<T> {
    named(&number.to_string())
}

/// An id that follows from a name.
pub(crate) fn named<T: Entity>(name: &str) -> Id<T> {
    Ids::seeded(1).mint("2021-01-01T00:00:00Z".parse().unwrap(), name)
}

pub(crate) fn settings() -> Settings {
    Settings {
        grants: super::amounts::read(GRANTS).unwrap(),
        plan: Plan { shares: vec![20, 30, 50], months: vec![0, 6, 12], first_late_months: 1 },
        contract_needed_from: 2,
        grant_months: 24,
        ending_notices: vec![6, 3, 1],
        aids_refused_to_private: vec!["emplois_francs".into()],
    }
}

pub(crate) struct Bench {
    pub(crate) convention: Convention,
    pub(crate) settings: Settings,
    moment: Moment,
    minted: Cell<u64>,
    balances: BTreeMap<PostId, Balances>,
    pub(crate) entries: Vec<Entry>,
    told: Vec<Told>,
    orders: Vec<OrderChange>,
}

impl Bench {
    /// A public structure that was granted posts on 2020-12-01.
    pub(crate) fn granted(posts: usize) -> Self {
        Self::of(Kind::Public, posts)
    }

    pub(crate) fn of(kind: Kind, posts: usize) -> Self {
        let settings = settings();
        let moment = Moment::at(start_of_day(date("2020-12-01")));
        let grant = grant(kind, 0, posts, moment.today);
        let mint = |what: &str| Ids::seeded(2).uuid(moment.now, what, "");
        let context = Context { settings: &settings, moment, mint: &mint };
        let decision = signing::grant(None, id(1), &grant, &context).unwrap();
        let convention = decision.state;
        Self {
            convention,
            settings,
            moment,
            minted: Cell::new(0),
            balances: BTreeMap::new(),
            entries: vec![],
            told: vec![],
            orders: vec![],
        }
    }

    /// Signed by both sides on a day, on which the bench stands.
    pub(crate) fn signed(posts: usize, day: &str) -> Self {
        let mut bench = Self::granted(posts);
        bench.on(day);
        bench.sign_both(0, day);
        bench
    }

    /// Signed, its documents validated, its account known.
    pub(crate) fn payable(posts: usize, day: &str) -> Self {
        let mut bench = Self::signed(posts, day);
        bench.documents();
        bench.account();
        bench
    }

    pub(crate) fn on(&mut self, day: &str) {
        self.moment = Moment::at(start_of_day(date(day)));
    }

    pub(crate) fn today(&self) -> Date {
        self.moment.today
    }

    /// Takes a decision and posts it: whatever F10 forbids fails here.
    pub(crate) fn apply(&mut self, decide: impl FnOnce(Convention, &Context<'_>) -> Result<Decision>) -> Result<()> {
        let minted = self.minted.get() + 1;
        self.minted.set(minted);
        let now = self.moment.now;
        let mint = |what: &str| Ids::seeded(minted).uuid(now, what, "");
        let context = Context { settings: &self.settings, moment: self.moment, mint: &mint };
        let decision = decide(self.convention.clone(), &context)?;
        self.convention = decision.state;
        for effect in decision.events {
            match effect {
                Effect::Posted(posting) => {
                    let balances = self.balances.entry(posting.lines[0].post).or_default();
                    ledger::post(balances, &posting).unwrap();
                    let head = self.entries.last().map_or_else(Head::beginning, Entry::head);
                    self.entries.push(Entry::next(&head, self.convention.id, &posting, now, "bench"));
                }
                Effect::Told(told) => self.told.push(told),
                Effect::Order(change) => self.orders.push(change),
            }
        }
        self.check();
        Ok(())
    }

    /// The rows agree with the ledger, and the ledger with itself.
    pub(crate) fn check(&self) {
        for post in &self.convention.posts {
            let balances = self.balances.get(&post.id).copied().unwrap_or_default();
            assert!(balances.broken().is_empty());
            let own = || self.convention.instalments.iter().filter(|i| i.post == post.id);
            for state in [State::ToCome, State::Due, State::Held, State::Sent, State::Paid] {
                let sum: i64 = own().filter(|i| i.state == state).map(|i| i.amount.0).sum();
                assert_eq!(balances.of(state.account()), Cents(sum), "{state:?}");
            }
            let cancelled: i64 = own().map(|i| i.cancelled.0).sum();
            assert_eq!(balances.of(Account::Cancelled), Cents(cancelled - post.reinstated.0));
            let net = balances.of(Account::Granted).0 - balances.of(Account::Repaid).0;
            let signed = self.convention.parts.iter().filter(|p| p.signed_on.is_some() && p.posts.contains(&post.id));
            let ceiling: i64 = signed.map(|_| 5_000_000).sum();
            assert!(net <= ceiling, "granted {net} beyond the ceiling {ceiling}");
        }
        let mut findings = vec![];
        let (_, balances) = chain::check(&self.entries, &mut findings);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(balances, self.balances);
    }

    pub(crate) fn balance(&self, account: Account) -> Cents {
        Cents(self.balances.values().map(|balances| balances.of(account).0).sum())
    }

    pub(crate) fn post(&self, number: usize) -> PostId {
        self.convention.posts[number].id
    }

    pub(crate) fn instalment(&self, post: usize, number: u32) -> &Instalment {
        let post = self.post(post);
        self.convention.instalments.iter().find(|i| i.post == post && i.number == number).unwrap()
    }

    pub(crate) fn state(&self, post: usize, number: u32) -> State {
        self.instalment(post, number).state
    }

    pub(crate) fn held_for(&self, post: usize, number: u32) -> Vec<HoldReason> {
        self.instalment(post, number).held_for.clone()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Told) -> bool) -> usize {
        self.told.iter().filter(|told| wanted(told)).count()
    }

    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    pub(crate) fn orders(&self) -> &[OrderChange] {
        &self.orders
    }

    pub(crate) fn advance(&mut self) {
        self.apply(advance::on).unwrap();
    }

    pub(crate) fn grant_more(&mut self, posts: usize) {
        let known = self.convention.posts.len();
        let grant = grant(Kind::Public, known, posts, self.today());
        self.apply(|c, x| signing::grant(Some(c), id(1), &grant, x)).unwrap();
    }

    pub(crate) fn sign_both(&mut self, part: u32, day: &str) {
        for side in [Side::Structure, Side::Agency] {
            self.apply(|c, x| signing::sign(c, side, part, date(day), x)).unwrap();
        }
    }

    pub(crate) fn documents(&mut self) {
        self.apply(|c, x| advance::on(Convention { documents: true, ..c }, x)).unwrap();
    }

    pub(crate) fn account(&mut self) {
        self.apply(|c, x| advance::on(Convention { account: true, ..c }, x)).unwrap();
    }

    pub(crate) fn suspend(&mut self) {
        self.apply(|c, x| following::suspend(c, Breach::GrantMisused, x)).unwrap();
    }

    pub(crate) fn lift_suspension(&mut self) {
        self.apply(following::resume).unwrap();
    }

    /// A contract on a post, signed on the bench's day.
    pub(crate) fn contract(&mut self, post: usize, name: &str, start: &str) {
        let (post, signed_on) = (self.post(post), self.today());
        let recruitment: RecruitmentId = named(name);
        let contract = Signed { post, recruitment, candidate: named(name), signed_on, start: date(start) };
        self.apply(|c, x| contracts::signed(c, contract, x)).unwrap();
    }

    pub(crate) fn end(&mut self, post: usize, name: &str, last_day: &str, reason: &str) {
        let post = self.post(post);
        self.apply(|c, x| contracts::ended(c, post, named(name), (date(last_day), reason), x)).unwrap();
    }

    pub(crate) fn settle(&mut self, post: usize) -> Result<()> {
        let post = self.post(post);
        self.apply(|c, x| endings::settle(c, post, x))
    }

    pub(crate) fn give_back(&mut self, post: usize) {
        let post = self.post(post);
        self.apply(|c, x| endings::give_back(c, post, x)).unwrap();
    }

    /// Puts the order of an instalment into a file.
    pub(crate) fn send(&mut self, post: usize, number: u32) -> PaymentOrderId {
        let order = self.instalment(post, number).order.unwrap();
        let file: PaymentFileId = id(99);
        self.apply(|c, _| payment::send(c, &[order], file)).unwrap();
        order
    }

    pub(crate) fn answer(&mut self, order: PaymentOrderId, verdict: Verdict) -> Result<()> {
        self.answer_after(order, verdict, false)
    }

    pub(crate) fn answer_after(
        &mut self,
        order: PaymentOrderId,
        verdict: Verdict,
        account_changed: bool,
    ) -> Result<()> {
        self.apply(|c, x| payment::answered(c, &[(order, verdict)], account_changed, x))
    }

    /// Sends an instalment, and the bank pays it.
    pub(crate) fn pay(&mut self, post: usize, number: u32) {
        let order = self.send(post, number);
        self.answer(order, Verdict::Paid).unwrap();
    }
}

fn grant(kind: Kind, from: usize, posts: usize, granted_on: Date) -> Grant {
    Grant {
        structure: id(1),
        application: id(1),
        department: "69".into(),
        kind: Some(kind),
        ready: true,
        wave: id(from),
        posts: (from..from + posts).map(|n| named(&format!("post {n}"))).collect(),
        coordinators: vec![],
        granted_on,
    }
}
