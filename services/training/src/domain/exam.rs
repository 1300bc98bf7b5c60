//! CCP1 and Pix: registration, result, retakes (T03). No exam comes before its hours, but CCP1 by validation of
//! experience (T07).

use conum_kernel::{Error, Moment, Result, Rule};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Decision, Event, Settings, Training,
    training::{Action, settle},
};

const T03: Rule = Rule("T03");

/// The two certifications, both compulsory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certification {
    Ccp1,
    Pix,
}

impl Certification {
    /// As events write it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Ccp1 => "ccp1",
            Self::Pix => "pix",
        }
    }
}

/// What came of an exam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Failed,
    /// It did not take place for the person: no attempt.
    NotTaken,
}

/// An exam.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exam {
    pub certification: Certification,
    /// From 1; one that was not taken leaves its number to the next.
    pub attempt: u32,
    pub planned_on: Date,
    /// Nothing until the result is recorded.
    pub outcome: Option<Outcome>,
    pub taken_on: Option<Date>,
}

/// The day on which an exam was passed.
#[must_use]
pub fn passed_on(exams: &[Exam], certification: Certification) -> Option<Date> {
    let passed = |exam: &&Exam| exam.certification == certification && exam.outcome == Some(Outcome::Passed);
    exams.iter().find(passed).and_then(|exam| exam.taken_on)
}

/// How often an exam was taken.
#[must_use]
pub fn attempts(exams: &[Exam], certification: Certification) -> u32 {
    let taken = |exam: &&Exam| {
        exam.certification == certification && matches!(exam.outcome, Some(Outcome::Passed | Outcome::Failed))
    };
    u32::try_from(exams.iter().filter(taken).count()).unwrap_or(u32::MAX)
}

/// How often an exam was failed, of both certifications.
#[must_use]
pub fn failed(exams: &[Exam]) -> usize {
    exams.iter().filter(|exam| exam.outcome == Some(Outcome::Failed)).count()
}

/// How often an exam can still be taken: once, and the retakes. 0 once it is passed.
#[must_use]
pub fn attempts_left(training: &Training, certification: Certification, settings: &Settings) -> u32 {
    if training.passed_on(certification).is_some() {
        return 0;
    }
    settings.retakes.saturating_add(1).saturating_sub(attempts(&training.exams, certification))
}

/// Registers the person for an exam on a day, which comes after the plan's last one where hours are still to do.
///
/// # Errors
/// `WRONG_STATE`, `ALREADY_CERTIFIED`, `EXAM_PENDING`, `NO_RETAKE_LEFT`, `HOURS_NOT_DONE`.
pub fn register(
    mut training: Training,
    certification: Certification,
    planned_on: Date,
    settings: &Settings,
) -> Result<Decision> {
    let fact = training.step(Action::RegisterExam, certification.text())?;
    if training.passed_on(certification).is_some() {
        let french = "cette certification est déjà obtenue";
        let error = Error::refused(T03, "ALREADY_CERTIFIED", "this certification is obtained already", french);
        return Err(error.at("certification"));
    }
    if pending(&training.exams, certification).is_some() {
        let french = "un examen est déjà prévu : son résultat d'abord";
        let english = "an exam is registered already: its result first";
        return Err(Error::refused(T03, "EXAM_PENDING", english, french).at("certification"));
    }
    if attempts_left(&training, certification, settings) == 0 {
        let french = "cet examen ne peut plus être repassé";
        let english = "this exam cannot be taken again any more";
        return Err(Error::refused(T03, "NO_RETAKE_LEFT", english, french).at("certification"));
    }
    let last_day = training.plan.as_ref().and_then(super::plan::Plan::last_day);
    let after_hours = training.has_done_its_hours() || last_day.is_some_and(|last| planned_on > last);
    if comes_after_hours(&training, certification, settings) && !after_hours {
        return Err(hours_not_done("planned_on"));
    }
    let attempt = attempts(&training.exams, certification).saturating_add(1);
    training.exams.push(Exam { certification, attempt, planned_on, outcome: None, taken_on: None });
    Ok(Decision::of(training).fact(fact))
}

/// Records the result of the exam that is registered. `taken_on` is compulsory for one that was taken.
///
/// # Errors
/// `WRONG_STATE`, `NO_EXAM_REGISTERED`, `REQUIRED`, `IN_THE_FUTURE`, `HOURS_NOT_DONE`.
pub fn record_result(
    mut training: Training,
    certification: Certification,
    outcome: Outcome,
    taken_on: Option<Date>,
    settings: &Settings,
    moment: Moment,
) -> Result<Decision> {
    let why = match outcome {
        Outcome::Passed => "PASSED",
        Outcome::Failed => "FAILED",
        Outcome::NotTaken => "NOT_TAKEN",
    };
    let fact = training.step(Action::RecordExamResult, format!("{} {why}", certification.text()))?;
    let Some(index) = pending(&training.exams, certification) else {
        let french = "aucun examen n'est prévu";
        return Err(Error::refused(T03, "NO_EXAM_REGISTERED", "no exam is registered", french).at("certification"));
    };
    if outcome == Outcome::NotTaken {
        training.exams[index].outcome = Some(outcome);
        return Ok(Decision::of(training).fact(fact));
    }
    let on = taken_on.ok_or_else(|| {
        Error::invalid("taken_on", "REQUIRED", "this field is required", "ce champ est obligatoire").with_rule(T03)
    })?;
    if on > moment.today {
        let french = "ce jour n'est pas encore venu";
        return Err(Error::invalid("taken_on", "IN_THE_FUTURE", "this day has not come yet", french).with_rule(T03));
    }
    if comes_after_hours(&training, certification, settings) && !hours_done_by(&training, on) {
        return Err(hours_not_done("taken_on"));
    }
    let attempt = training.exams[index].attempt;
    training.exams[index].outcome = Some(outcome);
    training.exams[index].taken_on = Some(on);
    let attempts_left = attempts_left(&training, certification, settings);
    let passed = outcome == Outcome::Passed;
    let event = Event::Certified { certification, passed, attempt, attempts_left, on };
    settle(Decision::of(training).fact(fact).event(event), moment)
}

/// The exam that waits for its result.
fn pending(exams: &[Exam], certification: Certification) -> Option<usize> {
    exams.iter().position(|exam| exam.certification == certification && exam.outcome.is_none())
}

/// Whether an exam comes after the hours: CCP1 unless experience is validated (T07), Pix by policy.
fn comes_after_hours(training: &Training, certification: Certification, settings: &Settings) -> bool {
    match certification {
        Certification::Ccp1 => training.vae_opened_on.is_none(),
        Certification::Pix => settings.pix_after_hours,
    }
}

/// The hours are done, on days that come no later than the exam's.
fn hours_done_by(training: &Training, day: Date) -> bool {
    training.has_done_its_hours() && training.done.iter().all(|(done_on, done)| done.hours == 0 || *done_on <= day)
}

fn hours_not_done(field: &str) -> Error {
    let english = "an exam comes after the hours of the training";
    let french = "un examen a lieu après les heures de la formation";
    Error::refused(T03, "HOURS_NOT_DONE", english, french).at(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examples::{SETTINGS, date, moment, opened, planned, with_hours_done},
        training::State,
    };

    const CCP1: Certification = Certification::Ccp1;
    const PIX: Certification = Certification::Pix;

    fn taken(training: Training, certification: Certification, outcome: Outcome) -> Result<Decision> {
        let day = date("2021-04-06");
        let registered = register(training, certification, day, &SETTINGS)?.state;
        record_result(registered, certification, outcome, Some(day), &SETTINGS, moment("2021-04-07"))
    }

    #[test]
    fn t03_an_exam_before_its_hours_is_refused() {
        let last = planned(105).plan.unwrap().last_day().unwrap();
        for certification in [CCP1, PIX] {
            let error = register(planned(105), certification, last, &SETTINGS).unwrap_err();
            assert_eq!((error.reason(), error.rule()), ("HOURS_NOT_DONE", Some(T03)));
            assert_eq!(error.violations()[0].field, "planned_on");
            // Registered for a day after the plan's last one, and taken before the hours are done.
            let error = taken(planned(105), certification, Outcome::Passed).unwrap_err();
            assert_eq!((error.reason(), error.violations()[0].field.as_str()), ("HOURS_NOT_DONE", "taken_on"));
        }
        assert!(taken(with_hours_done(105), CCP1, Outcome::Passed).is_ok());
        let early = Settings { pix_after_hours: false, ..SETTINGS };
        assert!(register(opened(), PIX, date("2021-03-01"), &early).is_ok(), "by policy");
    }

    #[test]
    fn t03_a_failed_exam_is_taken_again_twice_and_no_more() {
        let mut training = with_hours_done(105);
        for left in [2, 1, 0] {
            let decision = taken(training, CCP1, Outcome::Failed).unwrap();
            let [Event::Certified { attempt, attempts_left, passed, .. }] = decision.events[..] else { panic!() };
            assert_eq!((attempt, attempts_left, passed), (3 - left, left, false));
            training = decision.state;
        }
        assert_eq!(failed(&training.exams), 3);
        assert_eq!(register(training, CCP1, date("2021-04-06"), &SETTINGS).unwrap_err().reason(), "NO_RETAKE_LEFT");
    }

    #[test]
    fn t03_an_exam_that_was_not_taken_is_no_attempt() {
        let training = with_hours_done(105);
        let decision = taken(training, PIX, Outcome::NotTaken).unwrap();
        assert!(decision.events.is_empty());
        assert_eq!(attempts_left(&decision.state, PIX, &SETTINGS), 3);
        assert!(taken(decision.state, PIX, Outcome::Passed).is_ok());
    }

    #[test]
    fn t03_one_exam_at_a_time_and_none_once_it_is_passed() {
        let registered = register(with_hours_done(105), CCP1, date("2021-04-06"), &SETTINGS).unwrap().state;
        let reason = |training| register(training, CCP1, date("2021-04-07"), &SETTINGS).unwrap_err().reason();
        assert_eq!(reason(registered), "EXAM_PENDING");
        let passed = taken(with_hours_done(105), CCP1, Outcome::Passed).unwrap().state;
        assert_eq!(reason(passed), "ALREADY_CERTIFIED");
        let none = record_result(planned(105), CCP1, Outcome::Passed, None, &SETTINGS, moment("2021-04-07"));
        assert_eq!(none.unwrap_err().reason(), "NO_EXAM_REGISTERED");
    }

    #[test]
    fn t03_both_certifications_make_somebody_trained() {
        let one = taken(with_hours_done(105), CCP1, Outcome::Passed).unwrap();
        assert_eq!(one.state.state, State::Planned);
        let both = taken(one.state, PIX, Outcome::Passed).unwrap();
        assert_eq!(both.state.state, State::Completed);
        assert_eq!(both.events[1], Event::Completed { hours: 105, on: date("2021-04-06") });
    }

    #[test]
    fn t07_validation_of_experience_lifts_the_hours_before_ccp1_alone() {
        let mut training = opened();
        training.vae_opened_on = Some(date("2021-02-01"));
        assert!(taken(training.clone(), CCP1, Outcome::Passed).is_ok());
        assert_eq!(taken(training, PIX, Outcome::Passed).unwrap_err().reason(), "HOURS_NOT_DONE");
    }
}
