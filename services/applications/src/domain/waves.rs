//! Waves (P03): a numbered, dated session of the committee, whose posts are granted while it is open and served once it
//! is activated, once. Which posts it lists is written on the posts; its number comes from the storage.

use conum_kernel::{Decision, Error, Fact, Machine, Moment, Result, Rule, WaveId};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{Event, Mail, application::Application, events::WaveApplication, post::PostState};

/// A wave of the committee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    pub id: WaveId,
    /// From 1, in the order of creation.
    pub number: u32,
    pub committee_date: Date,
    pub state: WaveState,
    /// Made for grants of the past.
    pub imported: bool,
    pub activated_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveState {
    /// Posts may be granted in it.
    Open,
    /// Decided in the past, and not activated: lines of the past may still be recorded in it.
    Decided,
    Activated,
}

/// What may happen to a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaveAction {
    Activate,
}

impl Machine for WaveState {
    type Action = WaveAction;

    const TABLE: &'static [(Self, WaveAction, Self)] =
        &[(Self::Open, WaveAction::Activate, Self::Activated), (Self::Decided, WaveAction::Activate, Self::Activated)];

    fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Decided => "DECIDED",
            Self::Activated => "ACTIVATED",
        }
    }

    fn action_name(_: WaveAction) -> &'static str {
        "ACTIVATE_WAVE"
    }

    fn rule(_: WaveAction) -> Rule {
        Rule("P03")
    }
}

/// What a command on a wave answers.
pub type WaveOutcome = Decision<Wave, Event, Mail>;

/// Opens a wave. `number` is the next one.
///
/// # Errors
/// `REQUIRED` at `wave.committee_date`.
pub fn open(id: WaveId, number: u32, committee_date: Option<Date>) -> Result<WaveOutcome> {
    let Some(committee_date) = committee_date else {
        return Err(Error::invalid(
            "wave.committee_date",
            "REQUIRED",
            "a wave is the session of a day",
            "une vague est la séance d'un jour",
        ));
    };
    Ok(created(Wave { id, number, committee_date, state: WaveState::Open, imported: false, activated_at: None }))
}

/// The wave of a day of the past, made for the first grant that is recorded of it.
#[must_use]
pub fn of_the_past(id: WaveId, number: u32, committee_date: Date) -> WaveOutcome {
    created(Wave { id, number, committee_date, state: WaveState::Decided, imported: true, activated_at: None })
}

fn created(wave: Wave) -> WaveOutcome {
    let fact =
        Fact { action: "CREATE_WAVE", from: "", to: wave.state.name(), why: String::new(), rule: Some(Rule("P03")) };
    WaveOutcome::of(wave).fact(fact)
}

/// Activates a wave, once. `applications` are those with a post in it; a record of the past that lacks something is
/// skipped, and served when it is completed (`completion`).
///
/// # Errors
/// `WRONG_STATE` (P03) the second time.
pub fn activate<'a>(
    mut wave: Wave,
    applications: impl IntoIterator<Item = &'a Application>,
    at: Moment,
) -> Result<WaveOutcome> {
    let (state, fact) = wave.state.step(WaveAction::Activate, wave.number.to_string())?;
    wave.state = state;
    wave.activated_at = Some(at.now);
    let applications = applications.into_iter().filter_map(|application| served(application, wave.id)).collect();
    let event = Event::WaveActivated { wave: wave.id, number: wave.number, activated_on: at.today, applications };
    Ok(WaveOutcome::of(wave).fact(fact).event(event))
}

/// The posts of an application that a wave serves: those it holds, if it lacks nothing.
pub(super) fn served(application: &Application, wave: WaveId) -> Option<WaveApplication> {
    if !application.missing().is_empty() {
        return None;
    }
    let posts: Vec<_> =
        application.posts_in(PostState::Granted).filter(|post| post.wave == Some(wave)).map(|post| post.id).collect();
    (!posts.is_empty()).then_some(WaveApplication { application: application.id, posts })
}

impl Wave {
    /// # Errors
    /// `WAVE_NOT_OPEN` (P03).
    pub(super) fn check_open(&self) -> Result<()> {
        if self.state == WaveState::Open {
            return Ok(());
        }
        Err(Error::refused(
            Rule("P03"),
            "WAVE_NOT_OPEN",
            "posts are granted in an open wave: open another",
            "les postes s'accordent dans une vague ouverte : ouvrez-en une autre",
        )
        .with("state", self.state.name()))
    }

    /// # Errors
    /// `WAVE_ACTIVATED` (P03).
    pub(super) fn check_not_activated(&self) -> Result<()> {
        if self.state != WaveState::Activated {
            return Ok(());
        }
        Err(Error::refused(
            Rule("P03"),
            "WAVE_ACTIVATED",
            "this wave was activated: it lists no further post",
            "cette vague est activée : aucun poste ne s'y ajoute",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        amendments,
        examples::{self, Story, date, moment},
    };

    #[test]
    fn p03_a_wave_is_numbered_and_dated() {
        let wave = open(examples::id(1), 7, Some(date("2021-03-10"))).unwrap().state;
        assert_eq!((wave.number, wave.committee_date, wave.state), (7, date("2021-03-10"), WaveState::Open));
        let error = open(examples::id(1), 7, None).unwrap_err();
        assert_eq!(error.violations()[0].field, "wave.committee_date");
    }

    #[test]
    fn p03_a_wave_lists_the_posts_it_grants_and_is_activated_once() {
        let Story { application, wave, .. } = examples::granted(2);
        let elsewhere = examples::granted_in(examples::wave(2), 1).application;
        let outcome = activate(wave, [&application, &elsewhere], moment("2021-03-15")).unwrap();
        assert_eq!(outcome.state.state, WaveState::Activated);
        let posts = application.posts.iter().map(|post| post.id).collect();
        let expected = Event::WaveActivated {
            wave: outcome.state.id,
            number: 1,
            activated_on: date("2021-03-15"),
            applications: vec![WaveApplication { application: application.id, posts }],
        };
        assert_eq!(outcome.events, [expected]);
        let error = activate(outcome.state, [&application], moment("2021-03-16")).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("WRONG_STATE", Some(Rule("P03"))));
    }

    #[test]
    fn p03_posts_given_back_are_not_served() {
        let Story { application, wave, .. } = examples::granted(2);
        let given_back = application.posts[0].id;
        let application = amendments::return_posts(application, &[given_back], "").unwrap().state;
        let served = served(&application, wave.id).unwrap();
        assert_eq!(served.posts, [application.posts[1].id]);
    }

    #[test]
    fn p03_a_wave_of_the_past_is_activated_like_another() {
        let wave = of_the_past(examples::id(3), 1, date("2021-03-24")).state;
        assert_eq!((wave.state, wave.imported), (WaveState::Decided, true));
        assert!(activate(wave, [], moment("2021-04-01")).is_ok());
    }
}
