//! Hours done, day by day (T01), and absences. Nothing is edited: a correction supersedes, and both are kept.

use conum_kernel::{Moment, Result, Rule, Violations};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Decision, Settings, Training,
    hours::MOST,
    training::{Action, settle},
};

const T01: Rule = Rule("T01");
const T02: Rule = Rule("T02");
/// The most days of one batch.
pub const MOST_DAYS: usize = 100;

/// What counts of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Whole hours.
    pub hours: u32,
    /// From 1; how often the day was recorded or corrected.
    pub version: u32,
}

/// Whole hours of a day, as they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayHours {
    pub day: Date,
    pub hours: u32,
}

/// Why somebody did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceReason {
    Sickness,
    FamilyEvent,
    /// The employer did not free the adviser (T02).
    NotFreedByEmployer,
    Transport,
    Unjustified,
}

/// Records hours done on days of the plan: all of them, or none.
///
/// # Errors
/// `WRONG_STATE`, or every wrong field at once: `ALREADY_RECORDED`, `NOT_IN_THE_PLAN`, `IN_THE_FUTURE`,
/// `CALENDAR_NOT_AGREED`, `ABSENT`, `DAY_TOO_LONG`, `HOURS_OUT_OF_BOUNDS`.
pub fn record(mut training: Training, days: &[DayHours], settings: &Settings, moment: Moment) -> Result<Decision> {
    let fact = training.step(Action::RecordHours, "")?;
    let mut wrong = Violations::default();
    if days.is_empty() {
        wrong.missing("hours");
    }
    if days.len() > MOST_DAYS {
        wrong.add("hours", "TOO_MANY", "at most 100 days", "au plus 100 jours");
    }
    for (index, told) in days.iter().enumerate() {
        let field = format!("hours[{index}]");
        check(&mut wrong, &training, &field, *told, settings, moment);
        if training.done.contains_key(&told.day) {
            let french = "des heures sont déjà enregistrées ce jour : corrigez-les";
            let english = "hours are recorded on this day already: correct them";
            wrong.breaks(T01, format!("{field}.day"), "ALREADY_RECORDED", english, french);
        }
        if told.hours == 0 {
            let french = "au moins une heure";
            wrong.breaks(T01, format!("{field}.minutes"), "NO_HOURS", "one hour at least", french);
        }
        training.done.entry(told.day).or_insert(Done { hours: told.hours, version: 1 });
    }
    check_total(&mut wrong, &training);
    wrong.check()?;
    settle(Decision::of(training).fact(fact), moment)
}

/// Corrects the hours of a day that was recorded. `reason` is a listed one.
///
/// # Errors
/// `WRONG_STATE`, `NOT_RECORDED`, or those of [`record`].
pub fn correct(
    mut training: Training,
    told: DayHours,
    reason: &str,
    settings: &Settings,
    moment: Moment,
) -> Result<Decision> {
    let fact = training.step(Action::CorrectHours, reason)?;
    let mut wrong = Violations::default();
    check(&mut wrong, &training, "hours", told, settings, moment);
    if let Some(done) = training.done.get_mut(&told.day) {
        *done = Done { hours: told.hours, version: done.version.saturating_add(1) };
    } else {
        let french = "aucune heure n'est enregistrée ce jour";
        wrong.breaks(T01, "hours.day", "NOT_RECORDED", "no hours are recorded on this day", french);
    }
    check_total(&mut wrong, &training);
    wrong.check()?;
    settle(Decision::of(training).fact(fact), moment)
}

/// Checks a day and its hours against the plan.
fn check(
    wrong: &mut Violations,
    training: &Training,
    field: &str,
    told: DayHours,
    settings: &Settings,
    moment: Moment,
) {
    let day = format!("{field}.day");
    match training.plan.as_ref().and_then(|plan| plan.on(told.day).map(|(_, continuing)| (plan, continuing))) {
        None => {
            wrong.breaks(T01, &*day, "NOT_IN_THE_PLAN", "this day is not in the plan", "ce jour n'est pas au plan");
        }
        Some((plan, true)) if plan.lacks_agreement() => {
            let french = "l'employeur n'a pas encore accepté le calendrier de formation continue";
            let english = "the employer has not agreed to the continuing days yet";
            wrong.breaks(T02, &*day, "CALENDAR_NOT_AGREED", english, french);
        }
        Some(_) => {}
    }
    if told.day > moment.today {
        let french = "ce jour n'est pas encore venu";
        wrong.breaks(T01, &*day, "IN_THE_FUTURE", "this day has not come yet", french);
    }
    if training.absences.contains_key(&told.day) && told.hours > 0 {
        let french = "une absence est enregistrée ce jour";
        wrong.breaks(T01, day, "ABSENT", "an absence is recorded on this day", french);
    }
    if told.hours > settings.daily_hours {
        let most = settings.daily_hours;
        let french = format!("au plus {most} heures par jour");
        wrong.breaks(
            Rule("T09"),
            format!("{field}.minutes"),
            "DAY_TOO_LONG",
            format!("at most {most} hours a day"),
            french,
        );
    }
}

/// No training is longer than T01 allows.
fn check_total(wrong: &mut Violations, training: &Training) {
    if wrong.is_empty() && training.hours_done() > MOST {
        let french = "une formation dure au plus 420 heures";
        wrong.breaks(T01, "hours", "HOURS_OUT_OF_BOUNDS", "a training has 420 hours at most", french);
    }
}

/// Records that the person did not come on a day of the plan.
///
/// # Errors
/// `WRONG_STATE`, or every wrong field at once: `NOT_IN_THE_PLAN`, `IN_THE_FUTURE`, `DAY_HAS_HOURS`.
pub fn record_absence(mut training: Training, day: Date, reason: AbsenceReason, moment: Moment) -> Result<Decision> {
    // The reason may be the person's health: the history keeps the day alone.
    let fact = training.step(Action::RecordAbsence, day.to_string())?;
    let mut wrong = Violations::default();
    let at = "absence.day";
    if training.plan.as_ref().and_then(|plan| plan.on(day)).is_none() {
        wrong.breaks(T02, at, "NOT_IN_THE_PLAN", "this day is not in the plan", "ce jour n'est pas au plan");
    }
    if day > moment.today {
        let french = "ce jour n'est pas encore venu";
        wrong.breaks(T02, at, "IN_THE_FUTURE", "this day has not come yet", french);
    }
    if training.done.get(&day).is_some_and(|done| done.hours > 0) {
        let french = "des heures sont faites ce jour";
        wrong.breaks(T02, at, "DAY_HAS_HOURS", "hours are done on this day", french);
    }
    wrong.check()?;
    if training.absences.insert(day, reason) == Some(reason) {
        return Ok(Decision::of(training));
    }
    Ok(Decision::of(training).fact(fact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        calendar::PlannedDay,
        examples::{SETTINGS, date, moment, planned},
    };

    fn told(day: &str, hours: u32) -> DayHours {
        DayHours { day: date(day), hours }
    }

    fn recorded(days: &[DayHours]) -> Result<Training> {
        record(planned(105), days, &SETTINGS, moment("2021-03-10")).map(|decision| decision.state)
    }

    fn refused(day: DayHours) -> (String, &'static str) {
        let error = recorded(&[told("2021-03-08", 7), day]).unwrap_err();
        (error.violations()[0].field.clone(), error.reason())
    }

    #[test]
    fn t01_hours_are_done_on_days_of_the_plan_that_have_come() {
        assert_eq!(recorded(&[told("2021-03-08", 7), told("2021-03-09", 6)]).unwrap().hours_done(), 13);
        assert_eq!(refused(told("2021-03-06", 7)), ("hours[1].day".into(), "NOT_IN_THE_PLAN"));
        assert_eq!(refused(told("2021-03-11", 7)), ("hours[1].day".into(), "IN_THE_FUTURE"));
        assert_eq!(refused(told("2021-03-08", 7)), ("hours[1].day".into(), "ALREADY_RECORDED"));
        assert_eq!(refused(told("2021-03-09", 0)), ("hours[1].minutes".into(), "NO_HOURS"));
    }

    #[test]
    fn t09_a_day_has_no_more_hours_than_the_policy() {
        assert_eq!(refused(told("2021-03-09", 8)), ("hours[1].minutes".into(), "DAY_TOO_LONG"));
    }

    #[test]
    fn t01_a_correction_supersedes_and_is_counted() {
        let training = recorded(&[told("2021-03-08", 7)]).unwrap();
        let correct = |training, told| correct(training, told, "TYPING_ERROR", &SETTINGS, moment("2021-03-10"));
        let corrected = correct(training.clone(), told("2021-03-08", 4)).unwrap();
        assert_eq!(corrected.state.done[&date("2021-03-08")], Done { hours: 4, version: 2 });
        assert_eq!(corrected.facts[0].why, "TYPING_ERROR");
        assert_eq!(correct(training, told("2021-03-09", 4)).unwrap_err().reason(), "NOT_RECORDED");
    }

    #[test]
    fn t02_continuing_hours_wait_for_the_employers_agreement() {
        let mut training = planned(105);
        let plan = training.plan.as_mut().unwrap();
        plan.continuing = vec![PlannedDay { day: date("2021-05-10"), hours: 7 }];
        let try_on = |training: Training| {
            record(training, &[told("2021-05-10", 7)], &SETTINGS, moment("2021-05-10")).map_err(|error| error.reason())
        };
        assert_eq!(try_on(training.clone()).unwrap_err(), "CALENDAR_NOT_AGREED");
        training.plan.as_mut().unwrap().agreed_on = Some(date("2021-04-01"));
        assert!(try_on(training).is_ok());
    }

    #[test]
    fn t01_nobody_is_trained_for_more_than_420_hours() {
        let mut training = planned(105);
        training.credit.hours = 415;
        let error = record(training, &[told("2021-03-08", 7)], &SETTINGS, moment("2021-03-10")).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("HOURS_OUT_OF_BOUNDS", Some(T01)));
    }

    #[test]
    fn t02_an_absence_is_on_a_day_of_the_plan_without_hours() {
        let absent = |training, day| {
            record_absence(training, date(day), AbsenceReason::NotFreedByEmployer, moment("2021-03-10"))
        };
        let training = absent(recorded(&[told("2021-03-08", 7)]).unwrap(), "2021-03-09").unwrap().state;
        assert_eq!(absent(training.clone(), "2021-03-08").unwrap_err().reason(), "DAY_HAS_HOURS");
        assert_eq!(absent(training.clone(), "2021-03-06").unwrap_err().rule(), Some(T02));
        let hours = record(training, &[told("2021-03-09", 7)], &SETTINGS, moment("2021-03-10"));
        assert_eq!(hours.unwrap_err().reason(), "ABSENT");
    }
}
