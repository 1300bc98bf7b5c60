//! Pix results (C05): they belong to the candidate, who records them, and consents or not that structures see them.
//!
//! No event, mail or history holds a value; who may see it, and when, is [`super::card`]'s.

use conum_kernel::{Error, Moment, Result, Rule, Violations};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    Decision,
    candidate::{Action, Candidate},
};

const C05: Rule = Rule("C05");

/// The highest score of Pix, in pix.
pub const HIGHEST_SCORE: u16 = 1024;

/// A Pix result, with the consent to show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pix {
    /// 0 to 1024 pix.
    pub score: u16,
    pub passed_on: Date,
    /// Structures see the result only while this is true.
    pub consent: bool,
    /// When consent was last given or withdrawn; none before the first time.
    pub consent_changed_at: Option<Timestamp>,
}

undisclosed!(Pix);

/// Records a Pix result. Nobody sees it before consent, also where consent stood for an earlier one.
///
/// # Errors
/// `WRONG_STATE`, `SCORE_OUT_OF_RANGE`, `PASSED_IN_THE_FUTURE` (C05), `REQUIRED`.
pub fn record(mut candidate: Candidate, score: i32, passed_on: Option<Date>, at: Moment) -> Result<Decision> {
    let (_, fact) = candidate.step(Action::RecordPix, "")?;
    let (score, passed_on) = checked(score, passed_on, at)?;
    candidate.last_contact_at = at.now;
    if let Some(person) = &mut candidate.person {
        let same = person.pix.as_ref().is_some_and(|pix| (pix.score, pix.passed_on) == (score, passed_on));
        if !same {
            let consent_changed_at = person.pix.as_ref().and_then(|earlier| {
                // Replacing a result that was shown ends its consent.
                if earlier.consent { Some(at.now) } else { earlier.consent_changed_at }
            });
            person.pix = Some(Pix { score, passed_on, consent: false, consent_changed_at });
        }
    }
    Ok(Decision::of(candidate).fact(fact))
}

fn checked(score: i32, passed_on: Option<Date>, at: Moment) -> Result<(u16, Date)> {
    let mut wrong = Violations::default();
    let score = u16::try_from(score).ok().filter(|score| *score <= HIGHEST_SCORE);
    if score.is_none() {
        wrong.breaks(
            C05,
            "score",
            "SCORE_OUT_OF_RANGE",
            format!("a Pix score is from 0 to {HIGHEST_SCORE}"),
            format!("un score Pix va de 0 à {HIGHEST_SCORE}"),
        );
    }
    match passed_on {
        None => wrong.missing("passed_on"),
        Some(day) if day > at.today => wrong.breaks(
            C05,
            "passed_on",
            "PASSED_IN_THE_FUTURE",
            "the day of the result is in the future",
            "la date du résultat est dans le futur",
        ),
        Some(_) => {}
    }
    match (score, passed_on) {
        (Some(score), Some(day)) if wrong.is_empty() => Ok((score, day)),
        _ => Err(wrong.into_error()),
    }
}

/// Gives or withdraws the consent to show the Pix result, with effect at once.
///
/// # Errors
/// `WRONG_STATE`, `NO_PIX_RESULT` where there is nothing to consent to (C05).
pub fn set_consent(mut candidate: Candidate, consent: bool, at: Moment) -> Result<Decision> {
    let action = if consent { Action::GiveConsent } else { Action::WithdrawConsent };
    let (_, fact) = candidate.step(action, "")?;
    let Some(pix) = candidate.person.as_mut().and_then(|person| person.pix.as_mut()) else {
        if consent {
            return Err(Error::refused(
                C05,
                "NO_PIX_RESULT",
                "there is no Pix result to consent to: record it first",
                "il n'y a pas de résultat Pix à partager : enregistrez-le d'abord",
            ));
        }
        return Ok(Decision::of(candidate));
    };
    if pix.consent == consent {
        return Ok(Decision::of(candidate));
    }
    pix.consent = consent;
    pix.consent_changed_at = Some(at.now);
    candidate.last_contact_at = at.now;
    Ok(Decision::of(candidate).fact(fact))
}

#[cfg(test)]
mod tests {
    use super::super::{
        State,
        examples::{self, date},
    };
    use super::*;

    fn pix_of(decision: &Decision) -> &Pix {
        decision.state.person().unwrap().pix.as_ref().unwrap()
    }

    fn refusal(score: i32, passed_on: Option<&str>) -> Vec<(String, &'static str)> {
        let error = record(examples::candidate(), score, passed_on.map(date), examples::moment()).unwrap_err();
        error.violations().iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
    }

    #[test]
    fn c05_a_recorded_result_is_not_shared_before_consent() {
        let decision = record(examples::candidate(), 512, Some(date("2020-11-01")), examples::moment()).unwrap();
        assert!(!pix_of(&decision).consent);
    }

    #[test]
    fn c05_nothing_told_or_kept_in_the_history_holds_a_value() {
        let decision = record(examples::candidate(), 777, Some(date("2020-11-01")), examples::moment()).unwrap();
        assert_eq!((decision.events, decision.mails), (vec![], vec![]));
        assert_eq!((decision.facts[0].action, decision.facts[0].why.as_str()), ("RECORD_PIX", ""));
    }

    #[test]
    fn c05_a_score_is_from_0_to_1024_and_a_result_is_of_today_at_the_latest() {
        for score in [0, 1024] {
            assert!(record(examples::candidate(), score, Some(date("2020-12-01")), examples::moment()).is_ok());
        }
        assert_eq!(refusal(1025, Some("2020-12-01")), [("score".into(), "SCORE_OUT_OF_RANGE")]);
        assert_eq!(
            refusal(-1, Some("2020-12-02")),
            [("score".into(), "SCORE_OUT_OF_RANGE"), ("passed_on".into(), "PASSED_IN_THE_FUTURE")]
        );
        assert_eq!(refusal(1, None), [("passed_on".into(), "REQUIRED")]);
    }

    #[test]
    fn c05_a_new_result_needs_a_new_consent_and_the_same_one_again_does_not() {
        let shared = examples::candidate_with_pix();
        let known = shared.person().unwrap().pix.clone().unwrap();

        let again = record(shared.clone(), known.score.into(), Some(known.passed_on), examples::moment()).unwrap();
        assert!(pix_of(&again).consent);

        let better = record(shared, 900, Some(date("2020-12-01")), examples::moment()).unwrap();
        assert!(!pix_of(&better).consent);
    }

    #[test]
    fn c05_consent_is_given_and_withdrawn_and_each_is_a_fact() {
        let shared = examples::candidate_with_pix();
        let withdrawn = set_consent(shared, false, examples::moment()).unwrap();
        assert_eq!((pix_of(&withdrawn).consent, withdrawn.facts[0].action), (false, "WITHDRAW_CONSENT"));

        let given = set_consent(withdrawn.state, true, examples::moment()).unwrap();
        assert_eq!((pix_of(&given).consent, given.facts[0].action), (true, "GIVE_CONSENT"));
    }

    #[test]
    fn c05_there_is_nothing_to_consent_to_without_a_result() {
        let error = set_consent(examples::candidate(), true, examples::moment()).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("NO_PIX_RESULT", Some(C05)));
        assert_eq!(set_consent(examples::candidate(), false, examples::moment()).unwrap().facts, []);
    }

    #[test]
    fn c05_who_left_can_still_withdraw_consent_and_not_give_it() {
        let left = Candidate { state: State::Left, ..examples::candidate_with_pix() };
        assert!(set_consent(left.clone(), true, examples::moment()).is_err());
        assert!(!pix_of(&set_consent(left, false, examples::moment()).unwrap()).consent);
    }
}
