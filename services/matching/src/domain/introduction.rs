//! The life of one introduction (M03): answered, expired, or closed by something else. Its end is for good: the same
//! pair is never introduced twice.

use conum_kernel::{Error, Fact, Machine, Moment, Result, Rule, clock::start_of_day, dates::add_days};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an introduction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Live, unanswered.
    Proposed,
    /// Live, the structure is interested.
    Interested,
    Declined,
    Expired,
    Closed,
}

/// What may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Accept,
    Decline,
    Expire,
    Close,
}

/// Why it was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// By this structure.
    Recruited,
    /// By another structure (C06).
    CandidateRecruited,
    /// No vacant post is left (M02).
    PostsFilled,
    /// The application was withdrawn, or its posts given back.
    Withdrawn,
    CandidateLeft,
    /// What the candidate changed makes the pair impossible.
    CandidateIneligible,
    /// Two registrations became one (C08).
    Merged,
}

impl CloseReason {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Recruited => "recruited",
            Self::CandidateRecruited => "candidate_recruited",
            Self::PostsFilled => "posts_filled",
            Self::Withdrawn => "withdrawn",
            Self::CandidateLeft => "candidate_left",
            Self::CandidateIneligible => "candidate_ineligible",
            Self::Merged => "merged",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_value(text.into()).ok()
    }
}

impl State {
    /// Live introductions count against the limits of both sides (M02).
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Proposed | Self::Interested)
    }

    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Interested => "interested",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_value(text.into()).ok()
    }
}

impl Machine for State {
    type Action = Action;

    const TABLE: &'static [(Self, Action, Self)] = &[
        (Self::Proposed, Action::Accept, Self::Interested),
        (Self::Proposed, Action::Decline, Self::Declined),
        (Self::Proposed, Action::Expire, Self::Expired),
        (Self::Proposed, Action::Close, Self::Closed),
        (Self::Interested, Action::Decline, Self::Declined),
        (Self::Interested, Action::Close, Self::Closed),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::Interested => "INTERESTED",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
            Self::Closed => "CLOSED",
        }
    }

    fn action_name(action: Action) -> &'static str {
        match action {
            Action::Accept => "ACCEPT",
            Action::Decline => "DECLINE",
            Action::Expire => "EXPIRE",
            Action::Close => "CLOSE",
        }
    }

    fn rule(_: Action) -> Rule {
        Rule("M03")
    }
}

/// Says that the structure is interested. Saying it again changes nothing.
///
/// # Errors
/// `INTRODUCTION_ENDED` where it is not live any more.
pub fn accept(state: State) -> Result<(State, Option<Fact>)> {
    if state == State::Interested {
        return Ok((state, None));
    }
    ended(state)?;
    state.step(Action::Accept, "").map(|(state, fact)| (state, Some(fact)))
}

/// Declines. `reason` is a listed one. Declining again changes nothing.
///
/// # Errors
/// `INTRODUCTION_ENDED` where it ended otherwise.
pub fn decline(state: State, reason: &str) -> Result<(State, Option<Fact>)> {
    if state == State::Declined {
        return Ok((state, None));
    }
    ended(state)?;
    state.step(Action::Decline, reason).map(|(state, fact)| (state, Some(fact)))
}

fn ended(state: State) -> Result<()> {
    if state.is_live() {
        return Ok(());
    }
    Err(Error::refused(
        Rule("M03"),
        "INTRODUCTION_ENDED",
        "this introduction has ended",
        "cette mise en relation est terminée",
    )
    .with("state", state.name()))
}

/// When a delay of some days from a moment has run out: n days from d end with d + n.
#[must_use]
pub fn end_of_delay(from: Moment, days: i32) -> Timestamp {
    start_of_day(add_days(from.today, days.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::at(text.parse().unwrap())
    }

    #[test]
    fn m03_silence_ends_with_the_last_day_of_the_delay() {
        let introduced = moment("2021-03-01T15:00:00Z");
        // 21 days from 1 March end with 22 March: it expires when the 23rd begins in Paris.
        assert_eq!(end_of_delay(introduced, 21).to_string(), "2021-03-22T23:00:00Z");
    }

    #[test]
    fn m03_an_answer_can_be_repeated_and_not_reversed_once_declined() {
        assert_eq!(accept(State::Interested).unwrap(), (State::Interested, None));
        assert_eq!(decline(State::Declined, "").unwrap(), (State::Declined, None));
        assert_eq!(decline(State::Interested, "").unwrap().0, State::Declined);
        for ended in [State::Declined, State::Expired, State::Closed] {
            assert_eq!(accept(ended).unwrap_err().reason(), "INTRODUCTION_ENDED");
        }
        assert_eq!(decline(State::Expired, "").unwrap_err().rule(), Some(Rule("M03")));
    }

    #[test]
    fn m03_silence_expires_and_interest_does_not() {
        assert!(State::Proposed.allows(Action::Expire));
        assert!(!State::Interested.allows(Action::Expire));
    }
}
