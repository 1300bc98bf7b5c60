//! The season, day by day: who registers, applies, decides, recruits and leaves. The clock moves from one day to the next
//! only when nothing is left to do; within a day, commands come one after the other in the order of their keys.

use std::collections::BTreeMap;

use conum_kernel::{
    Clock, Error,
    clock::start_of_day,
    dates::{add_days, days_between},
};
use conum_proto::{
    applications::v1::{
        ActivateWaveRequest, Application, ConfirmAddressRequest, CreateApplicationRequest, CreateWaveRequest,
        GrantPostsRequest, RecordOpinionRequest, RefuseApplicationRequest, Wave, application::State, post,
    },
    candidates::v1::{CreateCandidateRequest, LeaveProgrammeRequest},
};
use conum_service::{Caller, cluster::Cluster, wire};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::civil::Date;

use super::{
    cashier::Cashier,
    cast::{self, Map, RIVALS},
    chance::Chance,
    mailbox::Mailbox,
    recruiter::{Day, Recruiter},
    trainer::Trainers,
    treasurer::Treasurer,
    voice::{self, Voice, is, unexpected},
};

/// The first day of the season.
pub(crate) const BEGINNING: Date = Date::constant(2020, 12, 1);
/// How long people register, apply, recruit and leave, in days.
pub(crate) const SEASON: i64 = 395;
/// How many days are played: to the last instalment, thirty months in all.
pub(crate) const DAYS: i64 = 912;

/// The number of a day, from the first on.
#[must_use]
pub(crate) fn day_of(date: Date) -> i64 {
    days_between(BEGINNING, date).into()
}

/// How large the season is.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    pub(crate) structures: usize,
    pub(crate) candidates: usize,
    /// The days of the committees.
    pub(crate) committees: Vec<i64>,
    /// By this day everybody has applied.
    pub(crate) applied_by: i64,
    /// The seats of a training session on site.
    pub(crate) seats: i32,
}

impl Scale {
    /// For a laptop and a minute.
    pub(crate) fn small() -> Self {
        Self { structures: 150, candidates: 3_000, committees: vec![70, 100, 130], applied_by: 110, seats: 12 }
    }

    /// The programme as it was.
    pub(crate) fn national() -> Self {
        let committees = (0..8).map(|wave| 70 + 14 * wave).collect();
        Self { structures: 1_450, candidates: 40_000, committees, applied_by: 150, seats: 60 }
    }

    /// The day on which a structure applies.
    pub(crate) fn applies_on(&self, chance: &Chance, structure: usize) -> i64 {
        let last = if structure < RIVALS { 2 } else { self.applied_by };
        chance.between(1, last, &format!("structure/{structure}"), "applies")
    }

    /// How many candidates have registered at the end of a day: most on the first one, the others over the first half of
    /// the season.
    pub(crate) fn registered_by(&self, day: i64) -> usize {
        let first = self.candidates * FIRST_DAY / 100;
        let rest = i64::try_from(self.candidates - first).unwrap_or(0);
        first + usize::try_from((rest * day / LAST_REGISTRATION).min(rest)).unwrap_or(0)
    }

    /// The first day on which everybody has applied or registered.
    pub(crate) fn complete_on(&self) -> i64 {
        self.applied_by.max(LAST_REGISTRATION)
    }
}

/// Where a structure stands before it recruits.
#[derive(Clone, Debug)]
enum Stage {
    /// Applies on a day.
    Outside(i64),
    /// Waits for the mail with its link.
    Applied(String),
    /// The prefect gives an opinion on a day.
    Confirmed(String, i64),
    /// Waits for the committee.
    Examined(String, bool),
    /// Decided; recruits once its wave is activated.
    Decided,
}

/// A wave that is decided: the day of its activation, its name, its structures.
type Decided = (i64, String, Vec<(usize, Application)>);

/// A season that is played.
#[derive(Debug)]
pub(crate) struct Season<'a> {
    cluster: &'a Cluster,
    clock: &'a Clock,
    voice: Voice,
    chance: Chance,
    scale: Scale,
    map: Map,
    mailbox: Mailbox,
    stages: BTreeMap<usize, Stage>,
    recruiters: BTreeMap<usize, Recruiter>,
    treasurers: BTreeMap<usize, Treasurer>,
    cashier: Cashier,
    trainers: Trainers,
    /// Waves that are decided, with the day of their activation.
    decided: Vec<Decided>,
    /// Who registered, with the day on which they leave the programme, if they do.
    leavers: BTreeMap<i64, Vec<String>>,
    registered: usize,
    pub(crate) posts_asked: i64,
}

/// Which share of the candidates is there on the first day, in percent.
const FIRST_DAY: usize = 75;
/// The day of the last registration.
pub(crate) const LAST_REGISTRATION: i64 = SEASON / 2;
/// How many registrations are under way at once on the first day, when their order has no effect.
const AT_ONCE: usize = 16;

impl<'a> Season<'a> {
    pub(crate) fn new(
        cluster: &'a Cluster,
        clock: &'a Clock,
        voice: Voice,
        seed: u64,
        scale: Scale,
        mailbox: Mailbox,
    ) -> Self {
        let chance = Chance::new(seed);
        let stages = (0..scale.structures).map(|number| (number, Stage::Outside(scale.applies_on(&chance, number))));
        Self {
            stages: stages.collect(),
            cluster,
            clock,
            voice,
            chance,
            map: Map::new(),
            mailbox,
            recruiters: BTreeMap::new(),
            treasurers: BTreeMap::new(),
            cashier: Cashier::default(),
            trainers: Trainers::new(scale.seats),
            decided: Vec::new(),
            leavers: BTreeMap::new(),
            registered: 0,
            posts_asked: 0,
            scale,
        }
    }

    /// Plays the season; `progress` is told of each day.
    ///
    /// # Errors
    /// The first answer that the cast did not expect.
    pub(crate) async fn play(&mut self, progress: impl Fn(i64, Date)) -> Result<(), Error> {
        for number in 0..DAYS {
            let date = add_days(BEGINNING, i32::try_from(number).unwrap_or(0));
            // Nine in the morning in Paris, in winter.
            let morning = start_of_day(date).saturating_add(jiff::SignedDuration::from_hours(9));
            self.clock.set(morning.map_err(Error::internal)?);
            progress(number, date);
            self.cluster.settle().await?;
            self.candidates(number, date).await?;
            self.structures(number, date).await?;
            self.committee(number, date).await?;
            self.money_and_training(number, date).await?;
            self.cluster.settle().await?;
        }
        Ok(())
    }

    /// How often a second selection of one person was refused.
    pub(crate) fn second_selections_refused(&self) -> u64 {
        self.recruiters.values().map(|recruiter| recruiter.second_selections_refused).sum()
    }

    async fn candidates(&mut self, number: i64, date: Date) -> Result<(), Error> {
        let until = self.scale.registered_by(number);
        if number == 0 {
            // No structure is served yet: the order of registrations changes nothing.
            let names: Vec<(usize, Option<String>)> = stream::iter(0..until)
                .map(|candidate| self.register(candidate, date))
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            for (candidate, name) in names {
                self.registered(candidate, name);
            }
        } else {
            for candidate in self.registered..until {
                let (candidate, name) = self.register(candidate, date).await?;
                self.registered(candidate, name);
            }
        }
        for name in self.leavers.remove(&number).unwrap_or_default() {
            self.leave(&name).await?;
        }
        Ok(())
    }

    fn registered(&mut self, candidate: usize, name: Option<String>) {
        self.registered = self.registered.max(candidate + 1);
        let key = format!("candidate/{candidate}");
        if let Some(name) = name
            && candidate >= RIVALS
            && self.chance.happens(3, &key, "leaves")
        {
            let day = self.chance.between(80, SEASON - 1, &key, "leaves on");
            self.leavers.entry(day).or_default().push(name);
        }
    }

    async fn register(&self, candidate: usize, date: Date) -> Result<(usize, Option<String>), Error> {
        let person = cast::candidate(&self.map, &self.chance, candidate, date);
        let request_id = self.chance.request_id(&format!("candidate/{candidate}"), "register");
        let message = CreateCandidateRequest { candidate: Some(person), request_id, validate_only: false };
        let request = self.voice.by(&Caller::anonymous(), message).await?;
        let answer = self.voice.candidates().create_candidate(request).await;
        let answer = answer.map_err(unexpected("CreateCandidate"))?;
        Ok((candidate, Some(answer.into_inner().name)))
    }

    async fn leave(&self, name: &str) -> Result<(), Error> {
        let request_id = self.chance.request_id(name, "leave");
        let message = LeaveProgrammeRequest { name: name.into(), request_id, ..Default::default() };
        let request = self.voice.by(&voice::candidate(name), message).await?;
        match self.voice.candidates().leave_programme(request).await {
            Ok(_) => Ok(()),
            // In post by now: only the contract's end is a way out.
            Err(refused) if is(&refused, &["UNDER_CONTRACT", "CONTRACT_SIGNED", "EMPLOYED", "WRONG_STATE"]) => Ok(()),
            Err(refused) => Err(unexpected("LeaveProgramme")(refused)),
        }
    }

    async fn structures(&mut self, number: i64, date: Date) -> Result<(), Error> {
        for structure in 0..self.scale.structures {
            let Some(stage) = self.stages.get(&structure).cloned() else { continue };
            let next = match stage {
                Stage::Outside(day) if day <= number => Stage::Applied(self.apply(structure, date).await?),
                Stage::Applied(name) if self.confirm(structure, &name).await? => {
                    let wait = if structure < RIVALS { 5 } else { self.chance.between(3, 15, &name, "opinion") };
                    Stage::Confirmed(name, number + wait)
                }
                Stage::Confirmed(name, day) if day <= number => {
                    let favourable = structure < RIVALS || self.chance.happens(93, &name, "favourable");
                    self.opinion(&name, favourable).await?;
                    Stage::Examined(name, favourable)
                }
                other => other,
            };
            self.stages.insert(structure, next);
            if let Some(recruiter) = self.recruiters.get_mut(&structure) {
                recruiter.act(Day { voice: &self.voice, chance: &self.chance, number, date }).await?;
            }
        }
        Ok(())
    }

    /// What structures, the agency, the bank and the training organisations do, in this order.
    async fn money_and_training(&mut self, number: i64, date: Date) -> Result<(), Error> {
        let day = Day { voice: &self.voice, chance: &self.chance, number, date };
        for recruiter in self.recruiters.values_mut() {
            for post in std::mem::take(&mut recruiter.ended) {
                self.cashier.ended(recruiter.application(), &post, day);
            }
        }
        for treasurer in self.treasurers.values_mut() {
            treasurer.act(day).await?;
        }
        self.cashier.act(day, &mut self.treasurers).await?;
        self.trainers.act(day).await
    }

    async fn apply(&mut self, structure: usize, date: Date) -> Result<String, Error> {
        let application = cast::application(&self.map, &self.chance, structure, date);
        self.posts_asked += i64::try_from(application.posts.len()).unwrap_or(0);
        let request_id = self.chance.request_id(&format!("structure/{structure}"), "apply");
        let message = CreateApplicationRequest { application: Some(application), request_id, validate_only: false };
        let request = self.voice.by(&Caller::anonymous(), message).await?;
        let answer = self.voice.applications().create_application(request).await;
        Ok(answer.map_err(unexpected("CreateApplication"))?.into_inner().name)
    }

    /// Follows the link of the mail; answers whether the address is confirmed. A few never do.
    async fn confirm(&mut self, structure: usize, name: &str) -> Result<bool, Error> {
        if structure >= RIVALS && self.chance.happens(3, name, "never confirms") {
            return Ok(false);
        }
        let Some(token) = self.mailbox.confirmation(name)? else { return Ok(false) };
        let request_id = self.chance.request_id(name, "confirm");
        let message = ConfirmAddressRequest { name: name.into(), token, request_id };
        let request = self.voice.by(&Caller::anonymous(), message).await?;
        self.voice.applications().confirm_address(request).await.map_err(unexpected("ConfirmAddress"))?;
        Ok(true)
    }

    async fn opinion(&self, name: &str, favourable: bool) -> Result<(), Error> {
        let application = self.get(name).await?;
        let department = application.profile.map(|profile| profile.department).unwrap_or_default();
        let request_id = self.chance.request_id(name, "opinion");
        let comment = if favourable { "Projet cohérent avec le territoire." } else { "Territoire déjà bien doté." };
        let message = RecordOpinionRequest { name: name.into(), favourable, comment: comment.into(), request_id };
        let request = self.voice.by(&voice::prefect(&department), message).await?;
        self.voice.applications().record_opinion(request).await.map_err(unexpected("RecordOpinion"))?;
        Ok(())
    }

    async fn get(&self, name: &str) -> Result<Application, Error> {
        let message = conum_proto::applications::v1::GetApplicationRequest { name: name.into() };
        let request = self.voice.by(&voice::agency(), message).await?;
        let answer = self.voice.applications().get_application(request).await;
        Ok(answer.map_err(unexpected("GetApplication"))?.into_inner())
    }

    /// Holds the committee on its days, and activates its wave a week later.
    async fn committee(&mut self, number: i64, date: Date) -> Result<(), Error> {
        if self.scale.committees.contains(&number) {
            let wave = self.wave(number, date).await?;
            let mut granted = Vec::new();
            for structure in 0..self.scale.structures {
                let Some(Stage::Examined(name, favourable)) = self.stages.get(&structure).cloned() else { continue };
                self.stages.insert(structure, Stage::Decided);
                if !favourable {
                    self.refuse(&name).await?;
                } else if let Some(application) = self.grant(structure, &name, &wave).await? {
                    granted.push((structure, application));
                }
            }
            self.decided.push((number + 7, wave, granted));
        }
        let due: Vec<_> = self.decided.extract_if(.., |(day, ..)| *day <= number).collect();
        for (_, wave, granted) in due {
            self.activate(&wave).await?;
            for (structure, application) in granted {
                let mut recruiter = Recruiter::new(structure, &application, number);
                let of_wave = application.posts.iter().filter(|post| post.state() == post::State::Granted);
                recruiter.add_posts(of_wave.map(|post| post.name.clone()));
                self.recruiters.insert(structure, recruiter);
                let day = Day { voice: &self.voice, chance: &self.chance, number, date };
                let treasurer = Treasurer::new(structure, &application.name, &application.structure, number, day);
                self.treasurers.insert(structure, treasurer);
            }
        }
        Ok(())
    }

    async fn wave(&self, number: i64, date: Date) -> Result<String, Error> {
        let wave = Wave { committee_date: Some(wire::from_date(date)), ..Wave::default() };
        let request_id = self.chance.request_id(&number.to_string(), "wave");
        let message = CreateWaveRequest { wave: Some(wave), request_id };
        let request = self.voice.by(&voice::agency(), message).await?;
        Ok(self.voice.waves().create_wave(request).await.map_err(unexpected("CreateWave"))?.into_inner().name)
    }

    async fn refuse(&self, name: &str) -> Result<(), Error> {
        let message = RefuseApplicationRequest {
            name: name.into(),
            reason: "Avis territorial défavorable".into(),
            request_id: self.chance.request_id(name, "refuse"),
            ..Default::default()
        };
        let request = self.voice.by(&voice::agency(), message).await?;
        self.voice.applications().refuse_application(request).await.map_err(unexpected("RefuseApplication"))?;
        Ok(())
    }

    /// Grants what was asked for, or a little less. Nothing where the cap leaves no room.
    async fn grant(&self, structure: usize, name: &str, wave: &str) -> Result<Option<Application>, Error> {
        let asked = i64::try_from(self.get(name).await?.posts.len()).unwrap_or(1);
        let less = i64::from(asked > 1 && self.chance.happens(30, &format!("structure/{structure}"), "less"));
        let message = GrantPostsRequest {
            name: name.into(),
            wave: wave.into(),
            count: i32::try_from(asked - less).unwrap_or(1),
            request_id: self.chance.request_id(name, "grant"),
            ..Default::default()
        };
        let request = self.voice.by(&voice::agency(), message).await?;
        match self.voice.applications().grant_posts(request).await {
            Ok(answer) => {
                let application = answer.into_inner();
                debug_assert_eq!(application.state(), State::Granted);
                Ok(Some(application))
            }
            Err(refused) if is(&refused, &["CAP_REACHED", "ABOVE_CAP", "CAP_EXCEEDED"]) => Ok(None),
            Err(refused) => Err(unexpected("GrantPosts")(refused)),
        }
    }

    async fn activate(&self, wave: &str) -> Result<(), Error> {
        let request_id = self.chance.request_id(wave, "activate");
        let request = self.voice.by(&voice::agency(), ActivateWaveRequest { name: wave.into(), request_id }).await?;
        self.voice.waves().activate_wave(request).await.map_err(unexpected("ActivateWave"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_registers_once_and_by_the_last_day() {
        for scale in [Scale::small(), Scale::national()] {
            assert_eq!(scale.registered_by(0), scale.candidates * FIRST_DAY / 100);
            assert!((1..=LAST_REGISTRATION).all(|day| scale.registered_by(day) >= scale.registered_by(day - 1)));
            assert!(scale.registered_by(LAST_REGISTRATION - 1) < scale.candidates);
            assert_eq!(scale.registered_by(LAST_REGISTRATION), scale.candidates);
            assert_eq!(scale.registered_by(LAST_REGISTRATION + 1), scale.candidates);
        }
    }
}
