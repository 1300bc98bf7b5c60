//! The plan of a training: how many hours, and on which days (T01, T02, T09). Each change is a version.

use std::collections::BTreeSet;

use conum_kernel::{Error, Moment, Result, Rule, SessionId, Violations};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Decision, Event, Settings, Training,
    calendar::{PlannedDay, propose, works},
    training::{Action, Seat, settle},
};

const T01: Rule = Rule("T01");
const T02: Rule = Rule("T02");
const T05: Rule = Rule("T05");
const T09: Rule = Rule("T09");

/// A version of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// From 1.
    pub version: u32,
    /// Whole hours, 105 to 420, those brought from earlier trainings included.
    pub hours: u32,
    /// Initial training, in the order of days.
    pub initial: Vec<PlannedDay>,
    /// Continuing training, in the order of days.
    pub continuing: Vec<PlannedDay>,
    pub session: Option<SessionId>,
    pub settled_on: Date,
    /// When the employer agreed to the continuing days.
    pub agreed_on: Option<Date>,
}

/// What is asked of a plan. Hours are whole and within their bounds already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub hours: u32,
    /// Left empty: proposed on the session's working days.
    pub initial: Vec<PlannedDay>,
    pub continuing: Vec<PlannedDay>,
}

impl Plan {
    /// The first and the last day of the initial training.
    #[must_use]
    pub fn initial_span(&self) -> Option<(Date, Date)> {
        Some((self.initial.first()?.day, self.initial.last()?.day))
    }

    /// A day of the plan: its hours, and whether it is continuing training.
    #[must_use]
    pub fn on(&self, day: Date) -> Option<(u32, bool)> {
        let find = |days: &[PlannedDay]| days.iter().find(|planned| planned.day == day).map(|planned| planned.hours);
        find(&self.initial).map(|hours| (hours, false)).or_else(|| find(&self.continuing).map(|hours| (hours, true)))
    }

    /// The last day of all.
    #[must_use]
    pub fn last_day(&self) -> Option<Date> {
        self.initial.iter().chain(&self.continuing).map(|planned| planned.day).max()
    }

    /// The continuing days still need the employer's agreement (T02).
    #[must_use]
    pub fn lacks_agreement(&self) -> bool {
        !self.continuing.is_empty() && self.agreed_on.is_none()
    }
}

/// Settles the plan, or a new version of it. An agreement of the employer stands while the continuing days stay.
///
/// # Errors
/// `WRONG_STATE`, `INTERVIEW_REQUIRED`, or every wrong field at once: see [`check`].
pub fn settle_plan(mut training: Training, asked: Asked, settings: &Settings, moment: Moment) -> Result<Decision> {
    let version = training.plans.saturating_add(1);
    let fact = training.step(Action::Plan, version.to_string())?;
    if training.interview.is_none() {
        return Err(Error::refused(
            T01,
            "INTERVIEW_REQUIRED",
            "the hours are set after an interview with the candidate",
            "les heures sont fixées après un entretien avec le candidat",
        )
        .at("plan"));
    }
    let initial = initial_days(&training, &asked, settings)?;
    let asked = Asked { initial, ..asked };
    check(&training, &asked, settings)?;
    let Asked { hours, mut initial, mut continuing } = asked;
    initial.sort_unstable_by_key(|planned| planned.day);
    continuing.sort_unstable_by_key(|planned| planned.day);
    let agreed_on = training.plan.as_ref().filter(|plan| plan.continuing == continuing).and_then(|plan| plan.agreed_on);
    let session = training.seat.as_ref().map(|seat| seat.session);
    let plan = Plan { version, hours, initial, continuing, session, settled_on: moment.today, agreed_on };
    training.plan = Some(plan.clone());
    training.plans = version;
    settle(Decision::of(training).fact(fact).event(Event::Planned(plan)), moment)
}

/// The initial days: those asked for, or the session's working days from its first on.
fn initial_days(training: &Training, asked: &Asked, settings: &Settings) -> Result<Vec<PlannedDay>> {
    let continuing = asked.continuing.iter().fold(0_u32, |sum, planned| sum.saturating_add(planned.hours));
    let left = asked.hours.saturating_sub(training.credit.hours).saturating_sub(continuing);
    if !asked.initial.is_empty() || left == 0 {
        return Ok(asked.initial.clone());
    }
    let seat = training.seat.as_ref().ok_or_else(not_enrolled)?;
    let department = initial_department(training, seat);
    propose(department, seat.starts_on, seat.ends_on, left, settings.daily_hours).ok_or_else(|| {
        Error::refused(
            T01,
            "SESSION_TOO_SHORT",
            "the session's working days do not hold the hours",
            "les jours ouvrés de la session ne suffisent pas pour ces heures",
        )
        .at("plan.minutes")
    })
}

fn not_enrolled() -> Error {
    let french = "prenez d'abord une place dans une session";
    Error::refused(T05, "NOT_ENROLLED", "take a seat in a session first", french).at("plan.initial_days")
}

/// Where the initial training takes place; on line, where the structure is.
fn initial_department<'a>(training: &'a Training, seat: &'a Seat) -> &'a str {
    seat.department.as_deref().unwrap_or(&training.department)
}

/// Checks the days of a plan.
///
/// # Errors
/// Every wrong field at once: `NOT_A_WORKING_DAY`, `DAY_TOO_LONG`, `DAY_TWICE`, `DAY_OUT_OF_SESSION`,
/// `CONTINUING_BEFORE_INITIAL`, `INITIAL_TRAINING_REQUIRED`, `HOURS_DO_NOT_ADD_UP`, `DAY_HAS_HOURS`; `NOT_ENROLLED`.
fn check(training: &Training, asked: &Asked, settings: &Settings) -> Result<()> {
    let mut wrong = Violations::default();
    if !asked.initial.is_empty() {
        let seat = training.seat.as_ref().ok_or_else(not_enrolled)?;
        let department = initial_department(training, seat);
        check_days(&mut wrong, "plan.initial_days", &asked.initial, department, settings);
        for (index, planned) in asked.initial.iter().enumerate() {
            if !(seat.starts_on..=seat.ends_on).contains(&planned.day) {
                let (field, french) = (format!("plan.initial_days[{index}].day"), "ce jour n'est pas de la session");
                wrong.breaks(T05, field, "DAY_OUT_OF_SESSION", "this day is not within the session", french);
            }
        }
    } else if training.credit.hours == 0 {
        let french = "la formation initiale précède la prise de poste";
        let english = "initial training comes before the start in post";
        wrong.breaks(T02, "plan.initial_days", "INITIAL_TRAINING_REQUIRED", english, french);
    }
    check_days(&mut wrong, "plan.continuing_days", &asked.continuing, &training.department, settings);
    let last_initial = asked.initial.iter().map(|planned| planned.day).max();
    for (index, planned) in asked.continuing.iter().enumerate() {
        if last_initial.is_some_and(|last| planned.day <= last) {
            let field = format!("plan.continuing_days[{index}].day");
            let french = "la formation continue suit la formation initiale";
            let english = "continuing training comes after the initial one";
            wrong.breaks(T02, field, "CONTINUING_BEFORE_INITIAL", english, french);
        }
    }
    check_sum(&mut wrong, training, asked);
    wrong.check()
}

/// Working days of a department, each once and none too long.
fn check_days(wrong: &mut Violations, field: &str, days: &[PlannedDay], department: &str, settings: &Settings) {
    let mut seen = BTreeSet::new();
    for (index, planned) in days.iter().enumerate() {
        let at = |part: &str| format!("{field}[{index}].{part}");
        if !works(department, planned.day) {
            let french = "ce jour est un week-end ou un jour férié du territoire";
            let english = "this day is in a week-end or a public holiday of the territory";
            wrong.breaks(T09, at("day"), "NOT_A_WORKING_DAY", english, french);
        }
        if !seen.insert(planned.day) {
            wrong.breaks(T09, at("day"), "DAY_TWICE", "this day is there already", "ce jour figure déjà");
        }
        if !(1..=settings.daily_hours).contains(&planned.hours) {
            let most = settings.daily_hours;
            wrong.breaks(
                T09,
                at("minutes"),
                "DAY_TOO_LONG",
                format!("a day has 1 to {most} hours"),
                format!("une journée compte de 1 à {most} heures"),
            );
        }
    }
}

/// The days give the hours, and hours that are done stay within the plan.
fn check_sum(wrong: &mut Violations, training: &Training, asked: &Asked) {
    let days = || asked.initial.iter().chain(&asked.continuing);
    let sum = days().fold(training.credit.hours, |sum, planned| sum.saturating_add(planned.hours));
    // What was brought may be more than the plan asks for; then no day is needed.
    let brought_enough = training.credit.hours >= asked.hours && days().next().is_none();
    if sum != asked.hours && !brought_enough {
        let french = "les jours ne donnent pas ce nombre d'heures";
        wrong.breaks(T01, "plan.minutes", "HOURS_DO_NOT_ADD_UP", "the days do not give these hours", french);
    }
    let done = training.done.iter().filter(|(_, done)| done.hours > 0).map(|(day, _)| day);
    for day in done.filter(|day| !days().any(|planned| planned.day == **day)) {
        let french = format!("des heures sont faites le {day} : ce jour reste au plan");
        wrong.breaks(
            T01,
            "plan.initial_days",
            "DAY_HAS_HOURS",
            format!("hours are done on {day}: it stays in the plan"),
            french,
        );
    }
}

/// Agrees to the continuing days of the version in force: the employer commits to free the adviser (T02).
///
/// # Errors
/// `WRONG_STATE`, `OTHER_VERSION`, `NO_CONTINUING_DAYS`.
pub fn agree(mut training: Training, version: u32, moment: Moment) -> Result<Decision> {
    let fact = training.step(Action::AgreeCalendar, version.to_string())?;
    let Some(plan) = training.plan.as_mut().filter(|plan| plan.version == version) else {
        return Err(Error::refused(
            T02,
            "OTHER_VERSION",
            "another version of the plan is in force",
            "une autre version du plan est en vigueur",
        )
        .at("plan_version"));
    };
    if plan.continuing.is_empty() {
        let french = "ce plan ne comporte pas de formation continue";
        return Err(Error::refused(T02, "NO_CONTINUING_DAYS", "this plan has no continuing training", french)
            .at("plan_version"));
    }
    if plan.agreed_on.is_some() {
        return Ok(Decision::of(training));
    }
    plan.agreed_on = Some(moment.today);
    Ok(Decision::of(training).fact(fact))
}

/// Whether initial training does not end before the start in post: a warning, no refusal (T02).
#[must_use]
pub fn ends_after_start_in_post(plan: &Plan, start: Option<Date>) -> bool {
    plan.initial_span().zip(start).is_some_and(|((_, last), start)| last >= start)
}

#[cfg(test)]
mod tests;
