//! One structure of the cast, from its application to its advisers in post.

use conum_kernel::{Error, dates::add_days};
use conum_proto::{
    applications::v1::{Application, ReturnPostsRequest, WithdrawApplicationRequest},
    matching::v1::{
        AcceptIntroductionRequest, CancelRecruitmentRequest, Contract, CreateRecruitmentRequest,
        DeclineIntroductionRequest, DeclineReason, EndContractRequest, Ending, Introduction, ListIntroductionsRequest,
        Recruitment, SignContractRequest, contract::Kind, ending::Reason, introduction::State,
        recruitment::CancelReason,
    },
};
use conum_service::{Caller, wire};
use jiff::civil::Date;

use super::{
    cast::RIVALS,
    chance::Chance,
    season::SEASON,
    voice::{Voice, is, structure, unexpected},
};

/// A post of a structure, as its recruiter sees it.
#[derive(Clone, Debug)]
struct Post {
    name: String,
    held: Held,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    Free,
    /// Selected; the contract is signed, or given up, on this day of the season.
    Selected {
        recruitment: String,
        decided_on: i64,
    },
    /// In post; leaves early on this day of the season, if at all.
    Signed {
        recruitment: String,
        leaves_on: Option<i64>,
    },
    GivenBack,
}

/// A structure that recruits.
#[derive(Clone, Debug)]
pub(crate) struct Recruiter {
    number: usize,
    key: String,
    caller: Caller,
    application: String,
    posts: Vec<Post>,
    /// Nothing is done before this day of the season.
    next_look: i64,
    /// How often somebody was selected who was taken already.
    pub(crate) second_selections_refused: u64,
    /// The posts whose contract ended early, until somebody takes note.
    pub(crate) ended: Vec<String>,
}

/// What a recruiter needs on a day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day<'a> {
    pub(crate) voice: &'a Voice,
    pub(crate) chance: &'a Chance,
    /// Days since the season began.
    pub(crate) number: i64,
    pub(crate) date: Date,
}

impl Recruiter {
    /// The recruiter of an application whose wave was activated.
    pub(crate) fn new(number: usize, application: &Application, activated_on: i64) -> Self {
        Self {
            number,
            key: format!("structure/{number}"),
            caller: structure(&application.structure),
            application: application.name.clone(),
            posts: Vec::new(),
            next_look: activated_on + 1,
            second_selections_refused: 0,
            ended: Vec::new(),
        }
    }

    /// Adds the posts of a wave.
    pub(crate) fn add_posts(&mut self, names: impl IntoIterator<Item = String>) {
        self.posts.extend(names.into_iter().map(|name| Post { name, held: Held::Free }));
    }

    pub(crate) fn application(&self) -> &str {
        &self.application
    }

    fn rival(&self) -> bool {
        self.number < RIVALS
    }

    fn request_id(&self, day: &Day<'_>, about: &str, purpose: &str) -> String {
        day.chance.request_id(&format!("{}/{about}/{}", self.key, day.number), purpose)
    }

    /// Does what the structure does on a day.
    pub(crate) async fn act(&mut self, day: Day<'_>) -> Result<(), Error> {
        self.end_contracts(day).await?;
        self.decide_selections(day).await?;
        let waiting = self.posts.iter().any(|post| post.held == Held::Free);
        if !waiting || day.number < self.next_look {
            return Ok(());
        }
        self.next_look = day.number + if day.number < SEASON { 2 } else { 14 };
        if self.give_up(day).await? {
            return Ok(());
        }
        let live = self.introductions(day).await?;
        for introduction in &live {
            self.answer(day, introduction).await?;
        }
        self.select(day, &live).await
    }

    async fn introductions(&self, day: Day<'_>) -> Result<Vec<Introduction>, Error> {
        let message = ListIntroductionsRequest { page_size: 100, live_only: true, ..Default::default() };
        let request = day.voice.by(&self.caller, message).await?;
        let answer = day.voice.introductions().list_introductions(request).await;
        Ok(answer.map_err(unexpected("ListIntroductions"))?.into_inner().introductions)
    }

    /// Days since an introduction came.
    fn age(day: Day<'_>, introduction: &Introduction) -> i64 {
        let came = introduction.introduced_at.as_ref().map_or(0, |at| at.seconds / 86_400);
        let today = jiff::civil::DateTime::from(day.date).to_zoned(jiff::tz::TimeZone::UTC);
        today.map_or(0, |now| now.timestamp().as_second() / 86_400 - came)
    }

    /// Answers an introduction, or leaves it: some never answer at all.
    async fn answer(&self, day: Day<'_>, introduction: &Introduction) -> Result<(), Error> {
        if introduction.state() != State::Proposed {
            return Ok(());
        }
        let pair = format!("{}/{}", self.key, introduction.candidate);
        let silent = !self.rival() && (day.chance.happens(25, &pair, "silent") || self.number % 12 == 7);
        let thinks = if self.rival() { 2 } else { day.chance.between(1, 9, &pair, "thinks") };
        if silent || Self::age(day, introduction) < thinks {
            return Ok(());
        }
        let declines = !self.rival() && (day.chance.happens(45, &pair, "declines") || self.number % 12 == 8);
        let request_id = self.request_id(&day, &introduction.name, "answer");
        let name = introduction.name.clone();
        let mut client = day.voice.introductions();
        let answer = if declines {
            let reasons = [DeclineReason::Profile, DeclineReason::Distance, DeclineReason::Availability];
            let reason = i32::from(*day.chance.one_of(&reasons, &pair, "reason"));
            let message = DeclineIntroductionRequest { name, reason, request_id, ..Default::default() };
            client.decline_introduction(day.voice.by(&self.caller, message).await?).await
        } else {
            let message = AcceptIntroductionRequest { name, request_id, ..Default::default() };
            client.accept_introduction(day.voice.by(&self.caller, message).await?).await
        };
        match answer {
            Ok(_) => Ok(()),
            // It ended meanwhile: somebody signed elsewhere.
            Err(refused) if is(&refused, &["INTRODUCTION_ENDED"]) => Ok(()),
            Err(refused) => Err(unexpected("answer")(refused)),
        }
    }

    /// Selects somebody interesting on the first free post. Who is taken already is refused; then the next is tried.
    async fn select(&mut self, day: Day<'_>, live: &[Introduction]) -> Result<(), Error> {
        let mut interesting: Vec<_> =
            live.iter().filter(|introduction| introduction.state() == State::Interested).collect();
        // Rivals want the same person; the others have their own taste.
        interesting.sort_by_key(|introduction| {
            let taste = if self.rival() { "rivals" } else { self.key.as_str() };
            day.chance.below(1_000_000, &format!("{taste}/{}", introduction.candidate), "taste")
        });
        for introduction in interesting {
            let meets = if self.rival() { 6 } else { day.chance.between(5, 20, &introduction.name, "meets") };
            if Self::age(day, introduction) < meets {
                continue;
            }
            let Some(index) = self.posts.iter().position(|post| post.held == Held::Free) else { return Ok(()) };
            let post = self.posts[index].name.clone();
            let recruitment = Recruitment { post, candidate: introduction.candidate.clone(), ..Recruitment::default() };
            let request_id = self.request_id(&day, &introduction.candidate, "select");
            let message = CreateRecruitmentRequest { recruitment: Some(recruitment), request_id };
            let request = day.voice.by(&self.caller, message).await?;
            match day.voice.recruitments().create_recruitment(request).await {
                Ok(answer) => {
                    let recruitment = answer.into_inner().name;
                    let decided_on = day.number + day.chance.between(3, 12, &recruitment, "decides");
                    self.posts[index].held = Held::Selected { recruitment, decided_on };
                }
                Err(refused) if is(&refused, &["ALREADY_SELECTED"]) => self.second_selections_refused += 1,
                Err(refused) if is(&refused, &["NOT_INTRODUCED", "NOT_REGISTERED"]) => {}
                Err(refused) => return Err(unexpected("CreateRecruitment")(refused)),
            }
        }
        Ok(())
    }

    /// Signs the contracts of selections that are ripe, or gives them up.
    async fn decide_selections(&mut self, day: Day<'_>) -> Result<(), Error> {
        for index in 0..self.posts.len() {
            let Held::Selected { recruitment, decided_on } = self.posts[index].held.clone() else { continue };
            if day.number < decided_on {
                continue;
            }
            let gives_up = !self.rival() && day.chance.happens(12, &recruitment, "gives up");
            self.posts[index].held = if gives_up {
                self.cancel(day, &recruitment).await?;
                Held::Free
            } else if self.sign(day, &recruitment).await? {
                let leaves = day.chance.happens(8, &recruitment, "leaves");
                let leaves_on = leaves.then(|| day.number + day.chance.between(120, 230, &recruitment, "leaves on"));
                Held::Signed { recruitment, leaves_on }
            } else {
                Held::Free
            };
        }
        Ok(())
    }

    async fn cancel(&self, day: Day<'_>, name: &str) -> Result<(), Error> {
        let message = CancelRecruitmentRequest {
            name: name.into(),
            reason: CancelReason::NoAgreement.into(),
            request_id: self.request_id(&day, name, "cancel"),
            ..Default::default()
        };
        let request = day.voice.by(&self.caller, message).await?;
        match day.voice.recruitments().cancel_recruitment(request).await {
            Ok(_) => Ok(()),
            // The candidate has left: the selection was cancelled already.
            Err(refused) if is(&refused, &["WRONG_STATE"]) => Ok(()),
            Err(refused) => Err(unexpected("CancelRecruitment")(refused)),
        }
    }

    /// Signs; answers false where the candidate has left meanwhile.
    async fn sign(&self, day: Day<'_>, name: &str) -> Result<bool, Error> {
        let start = add_days(day.date, i32::try_from(day.chance.between(7, 40, name, "starts")).unwrap_or(7));
        let end = add_days(conum_kernel::dates::add_months(start, 24), -1);
        let contract = Contract {
            kind: Kind::FixedTerm.into(),
            signed_on: Some(wire::from_date(day.date)),
            start_date: Some(wire::from_date(start)),
            end_date: Some(wire::from_date(end)),
            gross_monthly_cents: day.chance.between(170_000, 210_000, name, "pay"),
            full_time: true,
        };
        let request_id = self.request_id(&day, name, "sign");
        let message =
            SignContractRequest { name: name.into(), contract: Some(contract), request_id, ..Default::default() };
        let request = day.voice.by(&self.caller, message).await?;
        match day.voice.recruitments().sign_contract(request).await {
            Ok(_) => Ok(true),
            Err(refused) if is(&refused, &["WRONG_STATE"]) => Ok(false),
            Err(refused) => Err(unexpected("SignContract")(refused)),
        }
    }

    /// Ends the contracts of advisers who leave early.
    async fn end_contracts(&mut self, day: Day<'_>) -> Result<(), Error> {
        for index in 0..self.posts.len() {
            let Held::Signed { recruitment, leaves_on: Some(leaves_on) } = self.posts[index].held.clone() else {
                continue;
            };
            if day.number < leaves_on {
                continue;
            }
            let ending = Ending {
                reason: Reason::Resignation.into(),
                last_day: Some(wire::from_date(day.date)),
                document_sha256: vec!["0".repeat(64)],
            };
            let request_id = self.request_id(&day, &recruitment, "end");
            let message = EndContractRequest {
                name: recruitment.clone(),
                ending: Some(ending),
                request_id,
                ..Default::default()
            };
            let request = day.voice.by(&self.caller, message).await?;
            day.voice.recruitments().end_contract(request).await.map_err(unexpected("EndContract"))?;
            self.posts[index].held = Held::Free;
            self.ended.push(self.posts[index].name.clone());
        }
        Ok(())
    }

    /// A few give a post back, or withdraw altogether, while nobody is selected or signed.
    async fn give_up(&mut self, day: Day<'_>) -> Result<bool, Error> {
        let untouched = self.posts.iter().all(|post| post.held == Held::Free);
        if self.rival() || !untouched || !day.chance.happens(1, &format!("{}/{}", self.key, day.number), "gives up") {
            return Ok(false);
        }
        let request_id = self.request_id(&day, "", "give back");
        let mut client = day.voice.applications();
        if day.chance.happens(50, &self.key, "withdraws") {
            let message = WithdrawApplicationRequest {
                name: self.application.clone(),
                reason: "Projet abandonné".into(),
                request_id,
                ..Default::default()
            };
            let request = day.voice.by(&self.caller, message).await?;
            client.withdraw_application(request).await.map_err(unexpected("WithdrawApplication"))?;
        } else {
            let message = ReturnPostsRequest {
                name: self.application.clone(),
                posts: self.posts.iter().map(|post| post.name.clone()).collect(),
                reason: "Budget insuffisant".into(),
                request_id,
            };
            let request = day.voice.by(&self.caller, message).await?;
            client.return_posts(request).await.map_err(unexpected("ReturnPosts"))?;
        }
        for post in &mut self.posts {
            post.held = Held::GivenBack;
        }
        Ok(true)
    }
}
