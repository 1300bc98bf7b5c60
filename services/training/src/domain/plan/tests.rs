//! Plans: their hours, their days, their versions.

use super::*;
use crate::domain::{
    attendance::Done,
    examples::{SETTINGS, date, days, interviewed, moment, planned},
    training::State,
};

fn asked(hours: u32) -> Asked {
    Asked { hours, initial: vec![], continuing: vec![] }
}

fn settled(training: Training, asked: Asked) -> Result<Decision> {
    settle_plan(training, asked, &SETTINGS, moment("2021-02-20"))
}

fn refused(asked: Asked) -> Vec<(String, &'static str)> {
    let error = settled(interviewed(), asked).unwrap_err();
    error.violations().iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
}

#[test]
fn t01_the_hours_rest_on_an_interview() {
    let without = Training { interview: None, ..interviewed() };
    let error = settled(without, asked(105)).unwrap_err();
    assert_eq!((error.reason(), error.rule()), ("INTERVIEW_REQUIRED", Some(T01)));
}

#[test]
fn t01_the_days_of_a_plan_give_its_hours() {
    let decision = settled(interviewed(), asked(105)).unwrap();
    let plan = decision.state.plan.unwrap();
    assert_eq!(plan.initial.len(), 15, "three weeks of 35 hours");
    assert_eq!(plan.initial_span(), Some((date("2021-03-08"), date("2021-03-26"))));
    assert_eq!(decision.state.state, State::Planned);
    let less = Asked { initial: days("2021-03-08", 70), ..asked(105) };
    assert_eq!(refused(less), [("plan.minutes".into(), "HOURS_DO_NOT_ADD_UP")]);
    assert_eq!(settled(interviewed(), asked(420)).unwrap_err().reason(), "SESSION_TOO_SHORT");
}

#[test]
fn t09_a_plan_that_overlaps_a_holiday_names_the_day() {
    let mut initial = days("2021-03-22", 105);
    // Monday of Easter.
    initial[2].day = date("2021-04-05");
    assert_eq!(refused(Asked { initial, ..asked(105) }), [("plan.initial_days[2].day".into(), "NOT_A_WORKING_DAY")]);
    // Good Friday is a working day in Lyon, and none in Strasbourg.
    let initial = days("2021-03-22", 105);
    assert!(initial.iter().any(|planned| planned.day == date("2021-04-02")));
    let mut elsewhere = interviewed();
    if let Some(seat) = &mut elsewhere.seat {
        seat.department = Some("67".into());
    }
    let error = settled(elsewhere, Asked { initial: initial.clone(), ..asked(105) }).unwrap_err();
    assert_eq!((error.reason(), error.rule()), ("NOT_A_WORKING_DAY", Some(T09)));
    assert!(settled(interviewed(), Asked { initial, ..asked(105) }).is_ok());
}

#[test]
fn t09_on_line_the_structures_holidays_are_free() {
    let mut on_line = interviewed();
    on_line.department = "67".into();
    if let Some(seat) = &mut on_line.seat {
        seat.department = None;
    }
    let error = settled(on_line, Asked { initial: days("2021-03-22", 105), ..asked(105) }).unwrap_err();
    assert_eq!(error.reason(), "NOT_A_WORKING_DAY");
}

#[test]
fn t09_a_day_is_no_longer_than_the_policy_and_comes_once() {
    let mut initial = days("2021-03-08", 105);
    initial[0].hours = 8;
    initial[1].hours = 6;
    initial[3].day = initial[2].day;
    let fields: Vec<_> = refused(Asked { initial, ..asked(105) }).into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(fields, ["DAY_TOO_LONG", "DAY_TWICE"]);
}

#[test]
fn t02_continuing_training_follows_the_initial_one() {
    let both = |continuing: &str| Asked {
        initial: days("2021-03-08", 98),
        continuing: vec![PlannedDay { day: date(continuing), hours: 7 }],
        hours: 105,
    };
    assert!(settled(interviewed(), both("2021-05-10")).is_ok());
    assert_eq!(refused(both("2021-03-25")), [("plan.continuing_days[0].day".into(), "CONTINUING_BEFORE_INITIAL")]);
    let none = Asked { continuing: days("2021-03-08", 105), ..asked(105) };
    assert_eq!(refused(none), [("plan.initial_days".into(), "INITIAL_TRAINING_REQUIRED")]);
}

#[test]
fn t02_the_employer_agrees_to_the_version_in_force_and_again_when_its_days_change() {
    let continuing = |day: &str| Asked {
        initial: days("2021-03-08", 98),
        continuing: vec![PlannedDay { day: date(day), hours: 7 }],
        hours: 105,
    };
    let first = settled(interviewed(), continuing("2021-05-10")).unwrap().state;
    assert!(first.plan.as_ref().unwrap().lacks_agreement());
    assert_eq!(agree(first.clone(), 2, moment("2021-02-21")).unwrap_err().reason(), "OTHER_VERSION");
    let agreed = agree(first, 1, moment("2021-02-21")).unwrap().state;
    assert!(!agreed.plan.as_ref().unwrap().lacks_agreement());
    let same = settled(agreed.clone(), continuing("2021-05-10")).unwrap().state;
    assert_eq!(same.plan.unwrap().agreed_on, Some(date("2021-02-21")));
    let other = settled(agreed, continuing("2021-05-11")).unwrap().state;
    assert!(other.plan.unwrap().lacks_agreement());
    assert_eq!(agree(planned(105), 1, moment("2021-02-21")).unwrap_err().reason(), "NO_CONTINUING_DAYS");
}

#[test]
fn t02_initial_training_that_outlasts_the_start_in_post_raises_a_warning() {
    let plan = planned(105).plan.unwrap();
    let (_, last) = plan.initial_span().unwrap();
    assert!(!ends_after_start_in_post(&plan, None));
    assert!(!ends_after_start_in_post(&plan, Some(last.tomorrow().unwrap())));
    assert!(ends_after_start_in_post(&plan, Some(last)));
}

#[test]
fn t01_a_change_is_a_version_and_keeps_the_days_that_have_hours() {
    let mut training = planned(105);
    training.done.insert(date("2021-03-08"), Done { hours: 7, version: 1 });
    let moved = Asked { initial: days("2021-03-09", 105), ..asked(105) };
    let error = settled(training.clone(), moved).unwrap_err();
    assert_eq!(error.reason(), "DAY_HAS_HOURS");
    let longer = settled(training, asked(140)).unwrap();
    assert_eq!(longer.state.plan.map(|plan| (plan.version, plan.hours)), Some((2, 140)));
}

#[test]
fn t05_days_of_initial_training_are_the_sessions() {
    let late = Asked { initial: days("2021-05-17", 105), ..asked(105) };
    let reasons: Vec<_> = refused(late).into_iter().map(|(_, reason)| reason).collect();
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| *reason == "DAY_OUT_OF_SESSION"));
    let seatless = Training { seat: None, ..interviewed() };
    assert_eq!(settled(seatless, asked(105)).unwrap_err().reason(), "NOT_ENROLLED");
}

#[test]
fn t03_hours_brought_from_an_earlier_training_need_no_day() {
    let mut training = interviewed();
    training.credit.hours = 35;
    let plan = settled(training.clone(), asked(105)).unwrap().state.plan.unwrap();
    assert_eq!(plan.initial.iter().map(|planned| planned.hours).sum::<u32>(), 70);
    training.credit.hours = 120;
    training.seat = None;
    let decision = settled(training, asked(105)).unwrap();
    assert!(decision.state.has_done_its_hours());
}
