//! The training of one person for one recruitment: its states, and what is derived of it and never set (T03).

use std::collections::BTreeMap;

use conum_kernel::{
    ApplicationId, CandidateId, Fact, Machine, Moment, OrganisationId, PostId, RecruitmentId, Result, Rule, SessionId,
    StructureId, TrainingId,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Decision, Event,
    attendance::{AbsenceReason, Done},
    beside::{Module, Sector},
    credit::Credit,
    exam::{self, Certification, Exam},
    plan::Plan,
    preparing::{EmployerView, Interview, Preference, free_seat},
};

/// A training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    pub id: TrainingId,
    pub recruitment: RecruitmentId,
    pub candidate: CandidateId,
    pub structure: StructureId,
    pub application: ApplicationId,
    pub post: PostId,
    /// INSEE codes of the structure's department and commune.
    pub department: String,
    pub commune: String,
    pub sector: Sector,
    pub state: State,
    pub opened_on: Date,
    pub preference: Preference,
    pub seat: Option<Seat>,
    pub interview: Option<Interview>,
    pub employer_view: Option<EmployerView>,
    pub plan: Option<Plan>,
    /// How many versions of the plan there were.
    pub plans: u32,
    /// What counts of the hours recorded, by day.
    pub done: BTreeMap<Date, Done>,
    pub absences: BTreeMap<Date, AbsenceReason>,
    pub exams: Vec<Exam>,
    pub modules: Vec<Module>,
    pub vae_opened_on: Option<Date>,
    pub aidants_connect_on: Option<Date>,
    pub contract: Option<Contract>,
    pub credit: Credit,
    pub completed_on: Option<Date>,
    pub stop_reason: Option<StopReason>,
}

/// A seat that is held in a session. Days and place of a session stay while seats are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub session: SessionId,
    pub organisation: OrganisationId,
    /// INSEE code of the session's department; nothing on line.
    pub department: Option<String>,
    pub starts_on: Date,
    pub ends_on: Date,
}

/// What is known of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// The first day in post.
    pub start: Date,
    /// The last day in post, once it is told.
    pub ended: Option<Date>,
}

/// Why a training stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    SelectionCancelled,
    ContractEnded,
    Erased,
}

impl StopReason {
    /// As events write it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::SelectionCancelled => "selection_cancelled",
            Self::ContractEnded => "contract_ended",
            Self::Erased => "erased",
        }
    }
}

/// Where a training stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Opened,
    Planned,
    Completed,
    Stopped,
}

/// What may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Prefer,
    Enrol,
    LeaveSession,
    RecordInterview,
    RecordEmployerView,
    Plan,
    /// The session that the plan rests on is given back.
    Unplan,
    AgreeCalendar,
    RecordHours,
    CorrectHours,
    RecordAbsence,
    RegisterExam,
    RecordExamResult,
    RecordExtraModule,
    OpenVae,
    MarkAidantsConnect,
    Complete,
    Stop,
}

impl State {
    /// Neither completed nor stopped.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Opened | Self::Planned)
    }

    /// Reads what [`name`](Machine::name) writes.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Opened, Self::Planned, Self::Completed, Self::Stopped].into_iter().find(|state| state.name() == name)
    }
}

impl Machine for State {
    type Action = Action;

    const TABLE: &'static [(Self, Action, Self)] = &[
        (Self::Opened, Action::Prefer, Self::Opened),
        (Self::Opened, Action::Enrol, Self::Opened),
        (Self::Opened, Action::LeaveSession, Self::Opened),
        (Self::Opened, Action::RecordInterview, Self::Opened),
        (Self::Opened, Action::RecordEmployerView, Self::Opened),
        (Self::Opened, Action::Plan, Self::Planned),
        (Self::Opened, Action::RegisterExam, Self::Opened),
        (Self::Opened, Action::RecordExamResult, Self::Opened),
        (Self::Opened, Action::RecordExtraModule, Self::Opened),
        (Self::Opened, Action::OpenVae, Self::Opened),
        (Self::Opened, Action::MarkAidantsConnect, Self::Opened),
        (Self::Opened, Action::Complete, Self::Completed),
        (Self::Opened, Action::Stop, Self::Stopped),
        (Self::Planned, Action::LeaveSession, Self::Planned),
        (Self::Planned, Action::RecordEmployerView, Self::Planned),
        (Self::Planned, Action::Plan, Self::Planned),
        (Self::Planned, Action::Unplan, Self::Opened),
        (Self::Planned, Action::AgreeCalendar, Self::Planned),
        (Self::Planned, Action::RecordHours, Self::Planned),
        (Self::Planned, Action::CorrectHours, Self::Planned),
        (Self::Planned, Action::RecordAbsence, Self::Planned),
        (Self::Planned, Action::RegisterExam, Self::Planned),
        (Self::Planned, Action::RecordExamResult, Self::Planned),
        (Self::Planned, Action::RecordExtraModule, Self::Planned),
        (Self::Planned, Action::OpenVae, Self::Planned),
        (Self::Planned, Action::MarkAidantsConnect, Self::Planned),
        (Self::Planned, Action::Complete, Self::Completed),
        (Self::Planned, Action::Stop, Self::Stopped),
        (Self::Completed, Action::RecordExtraModule, Self::Completed),
        (Self::Completed, Action::MarkAidantsConnect, Self::Completed),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Opened => "OPENED",
            Self::Planned => "PLANNED",
            Self::Completed => "COMPLETED",
            Self::Stopped => "STOPPED",
        }
    }

    fn action_name(action: Action) -> &'static str {
        match action {
            Action::Prefer => "PREFER",
            Action::Enrol => "ENROL",
            Action::LeaveSession => "LEAVE_SESSION",
            Action::RecordInterview => "RECORD_INTERVIEW",
            Action::RecordEmployerView => "RECORD_EMPLOYER_VIEW",
            Action::Plan => "PLAN",
            Action::Unplan => "UNPLAN",
            Action::AgreeCalendar => "AGREE_CALENDAR",
            Action::RecordHours => "RECORD_HOURS",
            Action::CorrectHours => "CORRECT_HOURS",
            Action::RecordAbsence => "RECORD_ABSENCE",
            Action::RegisterExam => "REGISTER_EXAM",
            Action::RecordExamResult => "RECORD_EXAM_RESULT",
            Action::RecordExtraModule => "RECORD_EXTRA_MODULE",
            Action::OpenVae => "OPEN_VAE",
            Action::MarkAidantsConnect => "MARK_AIDANTS_CONNECT",
            Action::Complete => "COMPLETE",
            Action::Stop => "STOP",
        }
    }

    fn rule(action: Action) -> Rule {
        match action {
            Action::Prefer | Action::Enrol | Action::LeaveSession => Rule("T05"),
            Action::RecordInterview
            | Action::RecordEmployerView
            | Action::Plan
            | Action::Unplan
            | Action::RecordHours
            | Action::CorrectHours => Rule("T01"),
            Action::AgreeCalendar | Action::RecordAbsence => Rule("T02"),
            Action::RegisterExam | Action::RecordExamResult | Action::Complete => Rule("T03"),
            Action::RecordExtraModule => Rule("T04"),
            Action::OpenVae => Rule("T07"),
            Action::MarkAidantsConnect => Rule("T08"),
            Action::Stop => Rule("M08"),
        }
    }
}

impl Training {
    /// Takes an action, and notes it.
    pub(crate) fn step(&mut self, action: Action, why: impl Into<String>) -> Result<Fact> {
        let (state, fact) = self.state.step(action, why)?;
        self.state = state;
        Ok(fact)
    }

    /// Whole hours done, those brought from earlier trainings included; extra modules never count (T04).
    #[must_use]
    pub fn hours_done(&self) -> u32 {
        self.done.values().fold(self.credit.hours, |sum, done| sum.saturating_add(done.hours))
    }

    /// All the hours of its plan are done.
    #[must_use]
    pub fn has_done_its_hours(&self) -> bool {
        self.credit.completed_in.is_some() || self.plan.as_ref().is_some_and(|plan| self.hours_done() >= plan.hours)
    }

    /// The day on which an exam was passed, here or before.
    #[must_use]
    pub fn passed_on(&self, certification: Certification) -> Option<Date> {
        exam::passed_on(&self.exams, certification).or(match certification {
            Certification::Ccp1 => self.credit.ccp1_on,
            Certification::Pix => self.credit.pix_on,
        })
    }

    /// Trained: hours done, CCP1 passed and Pix certified (T03). The day on which the last of the three came.
    #[must_use]
    pub fn trained_on(&self) -> Option<Date> {
        if !self.has_done_its_hours() {
            return None;
        }
        let ccp1 = self.passed_on(Certification::Ccp1)?;
        let pix = self.passed_on(Certification::Pix)?;
        let last_hours = self.done.iter().rev().find(|(_, done)| done.hours > 0).map(|(day, _)| *day);
        last_hours.into_iter().chain([ccp1, pix]).max()
    }

    /// A session of initial training runs on a day (M10).
    #[must_use]
    pub fn runs_on(&self, day: Date) -> bool {
        let span = self.plan.as_ref().and_then(Plan::initial_span);
        self.state == State::Planned && span.is_some_and(|(first, last)| (first..=last).contains(&day))
    }
}

/// Completes a training whose three conditions hold by now, and tells it once (T03). A seat in a session to come goes to
/// somebody else (T05).
///
/// # Errors
/// Never where the table is whole.
pub(crate) fn settle(mut decision: Decision, moment: Moment) -> Result<Decision> {
    let training = &mut decision.state;
    let Some(on) = training.trained_on().filter(|_| training.state.is_open()) else { return Ok(decision) };
    let fact = training.step(Action::Complete, "")?;
    training.completed_on = Some(on);
    let hours = training.hours_done();
    Ok(free_seat(decision.fact(fact).event(Event::Completed { hours, on }), moment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        exam::Outcome,
        examples::{date, moment, planned},
    };

    fn passed(certification: Certification, on: &str) -> Exam {
        Exam {
            certification,
            attempt: 1,
            planned_on: date(on),
            outcome: Some(Outcome::Passed),
            taken_on: Some(date(on)),
        }
    }

    #[test]
    fn t03_trained_is_hours_and_ccp1_and_pix_and_nothing_less() {
        let mut training = planned(105);
        let days: Vec<_> = training.plan.as_ref().unwrap().initial.clone();
        training.exams = vec![passed(Certification::Ccp1, "2021-06-01"), passed(Certification::Pix, "2021-06-02")];
        assert_eq!(training.trained_on(), None, "no hours");
        for planned in &days[1..] {
            training.done.insert(planned.day, Done { hours: planned.hours, version: 1 });
        }
        assert_eq!(training.trained_on(), None, "one day is missing");
        training.done.insert(days[0].day, Done { hours: days[0].hours, version: 1 });
        assert_eq!(training.trained_on(), Some(date("2021-06-02")));
        let without = |certification: Certification| {
            let mut less = training.clone();
            less.exams.retain(|exam| exam.certification != certification);
            less.trained_on()
        };
        assert_eq!(without(Certification::Ccp1), None);
        assert_eq!(without(Certification::Pix), None);
    }

    #[test]
    fn t03_it_is_told_once() {
        let mut training = planned(105);
        for planned in training.plan.clone().unwrap().initial {
            training.done.insert(planned.day, Done { hours: planned.hours, version: 1 });
        }
        training.exams = vec![passed(Certification::Ccp1, "2021-06-01"), passed(Certification::Pix, "2021-06-02")];
        let first = settle(Decision::of(training), moment("2021-06-02")).unwrap();
        assert_eq!(first.events, [Event::Completed { hours: 105, on: date("2021-06-02") }]);
        assert_eq!(first.state.state, State::Completed);
        assert!(first.state.seat.is_some() && first.mails.is_empty(), "the session has been held");
        assert!(settle(Decision::of(first.state), moment("2021-06-02")).unwrap().events.is_empty());
    }

    #[test]
    fn t05_who_is_trained_before_the_session_leaves_the_seat_to_somebody_else() {
        let mut training = planned(105);
        training.credit.hours = 105;
        training.exams = vec![passed(Certification::Ccp1, "2021-02-01"), passed(Certification::Pix, "2021-02-02")];
        let settled = settle(Decision::of(training), moment("2021-02-20")).unwrap();
        assert_eq!((settled.state.state, settled.state.seat), (State::Completed, None));
        assert!(matches!(settled.mails[..], [super::super::Mail::SeatFreed { .. }]));
    }
}
