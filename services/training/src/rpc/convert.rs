//! Records as the contract writes them.

use conum_kernel::{Id, post_name};
use conum_proto::training::v1 as proto;
use conum_service::{history, wire};

use crate::{
    domain::{
        Settings,
        attendance::AbsenceReason,
        beside::{Module, within_funded_months},
        calendar::PlannedDay,
        choice::{Ranked, Reason},
        credit::Credit,
        exam::{Certification, Exam, Outcome, attempts_left},
        hours::minutes,
        organisation::Organisation,
        plan::{Plan, ends_after_start_in_post},
        preparing::{EmployerView, Interview, Level, Mode, Need, Opinion, Preference},
        session::State as SessionState,
        training::{State, StopReason, Training},
    },
    storage::{organisations, sessions, trainings},
};

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// An organisation.
#[must_use]
pub fn organisation(stored: organisations::Stored) -> proto::Organisation {
    let Organisation { id, display_name, contact, lots } = stored.organisation;
    let lots = lots.into_iter().map(|lot| proto::Lot {
        number: lot.number,
        departments: lot.departments,
        valid_from: Some(wire::from_date(lot.valid_from)),
        valid_until: Some(wire::from_date(lot.valid_until)),
    });
    proto::Organisation {
        name: id.name(),
        display_name,
        contact: Some(proto::OrganisationContact {
            full_name: contact.full_name,
            email: contact.email,
            phone: contact.phone,
        }),
        lots: lots.collect(),
        france_services: false,
        etag: stored.version.to_string(),
    }
}

/// A session.
#[must_use]
pub fn session(stored: sessions::Stored) -> proto::Session {
    use proto::session::{CancelReason, State as WireState};
    let session = stored.session;
    let mode = if session.site.is_some() { proto::Mode::OnSite } else { proto::Mode::OnLine };
    let (commune, department) = session.site.map(|site| (site.commune, site.department)).unwrap_or_default();
    let state = match session.state {
        SessionState::Open => WireState::Open,
        SessionState::Cancelled => WireState::Cancelled,
    };
    let reason = session.cancel_reason.map(|reason| format!("CANCEL_REASON_{reason}"));
    proto::Session {
        name: session.id.name(),
        organisation: session.organisation.name(),
        mode: mode.into(),
        commune,
        department,
        starts_on: Some(wire::from_date(session.starts_on)),
        ends_on: Some(wire::from_date(session.ends_on)),
        registration_deadline: Some(wire::from_date(session.deadline)),
        capacity: number(session.capacity),
        seats_taken: number(session.taken),
        state: state.into(),
        cancel_reason: reason.and_then(|reason| CancelReason::from_str_name(&reason)).unwrap_or_default().into(),
        etag: stored.version.to_string(),
    }
}

/// A session that a person can be enrolled in. `version` is its session's.
#[must_use]
pub fn eligible(ranked: Ranked, version: i64, organisation_display_name: String) -> proto::EligibleSession {
    use proto::eligible_session::Reason as WireReason;
    let reason = match ranked.reason {
        Reason::Preferred => WireReason::Preferred,
        Reason::Near => WireReason::Near,
        Reason::OnLine => WireReason::OnLine,
        Reason::Far => WireReason::Far,
    };
    proto::EligibleSession {
        seats_left: number(ranked.session.capacity.saturating_sub(ranked.session.taken)),
        reason: reason.into(),
        distance_m: ranked.distance_m.map_or(-1, i64::from),
        organisation_display_name,
        session: Some(session(sessions::Stored { session: ranked.session, version })),
    }
}

/// A training, under the settings of the day.
#[must_use]
pub fn training(stored: trainings::Stored, settings: &Settings) -> proto::Training {
    let training = stored.training;
    let start = training.contract.map(|contract| contract.start);
    let absences = training.absences.iter().map(|(day, reason)| proto::Absence {
        day: Some(wire::from_date(*day)),
        reason: absence_reason(*reason).into(),
    });
    proto::Training {
        name: training.id.name(),
        candidate: training.candidate.name(),
        recruitment: training.recruitment.name(),
        structure: training.structure.name(),
        application: training.application.name(),
        post: post_name(training.application, training.post),
        state: state(training.state).into(),
        opened_on: Some(wire::from_date(training.opened_on)),
        preference: Some(preference(training.preference)),
        session: training.seat.as_ref().map(|seat| seat.session.name()).unwrap_or_default(),
        organisation: training.seat.as_ref().map(|seat| seat.organisation.name()).unwrap_or_default(),
        employer_view: training.employer_view.map(employer_view),
        plan: training.plan.as_ref().map(|settled| plan(settled, start)),
        absences: absences.collect(),
        exams: training.exams.iter().map(exam).collect(),
        vae_opened_on: training.vae_opened_on.map(wire::from_date),
        aidants_connect_on: training.aidants_connect_on.map(wire::from_date),
        start_in_post: start.map(wire::from_date),
        credit: Some(credit(training.credit)),
        completed_on: training.completed_on.map(wire::from_date),
        stop_reason: stop_reason(training.stop_reason).into(),
        within_funded_months: within_funded_months(training.sector, settings),
        etag: stored.version.to_string(),
        department: training.department,
        interview: training.interview.map(interview),
        extra_modules: training.modules.into_iter().map(module).collect(),
    }
}

fn state(state: State) -> proto::training::State {
    use proto::training::State as Wire;
    match state {
        State::Opened => Wire::Opened,
        State::Planned => Wire::Planned,
        State::Completed => Wire::Completed,
        State::Stopped => Wire::Stopped,
    }
}

fn stop_reason(reason: Option<StopReason>) -> proto::training::StopReason {
    use proto::training::StopReason as Wire;
    match reason {
        None => Wire::Unspecified,
        Some(StopReason::SelectionCancelled) => Wire::SelectionCancelled,
        Some(StopReason::ContractEnded) => Wire::ContractEnded,
        Some(StopReason::Erased) => Wire::Erased,
    }
}

fn preference(preference: Preference) -> proto::Preference {
    let mode = match preference.mode {
        None => proto::Mode::Unspecified,
        Some(Mode::OnSite) => proto::Mode::OnSite,
        Some(Mode::OnLine) => proto::Mode::OnLine,
    };
    proto::Preference { mode: mode.into(), organisation: preference.organisation.map(Id::name).unwrap_or_default() }
}

fn interview(interview: Interview) -> proto::Interview {
    use proto::interview::{Level as WireLevel, Need as WireNeed};
    let level = match interview.level {
        Level::Beginner => WireLevel::Beginner,
        Level::Intermediate => WireLevel::Intermediate,
        Level::Experienced => WireLevel::Experienced,
    };
    let need = |need: Need| match need {
        Need::DigitalSkills => WireNeed::DigitalSkills,
        Need::Teaching => WireNeed::Teaching,
        Need::WelcomingThePublic => WireNeed::WelcomingThePublic,
        Need::OnlineProcedures => WireNeed::OnlineProcedures,
        Need::DataProtection => WireNeed::DataProtection,
        Need::AdaptedMaterial => WireNeed::AdaptedMaterial,
    };
    proto::Interview {
        held_on: Some(wire::from_date(interview.held_on)),
        employer_consulted_on: Some(wire::from_date(interview.employer_consulted_on)),
        level: level.into(),
        proposed_minutes: minutes(interview.proposed),
        needs: interview.needs.into_iter().map(|listed| need(listed).into()).collect(),
        organisation: interview.organisation.map(Id::name).unwrap_or_default(),
    }
}

fn employer_view(view: EmployerView) -> proto::EmployerView {
    use proto::employer_view::Opinion as Wire;
    let opinion = match view.opinion {
        Opinion::Favourable => Wire::Favourable,
        Opinion::Unfavourable => Wire::Unfavourable,
    };
    proto::EmployerView { opinion: opinion.into(), given_on: Some(wire::from_date(view.given_on)) }
}

/// A version of a plan. The State pays for every hour of it (T04).
#[must_use]
pub fn plan(plan: &Plan, start_in_post: Option<jiff::civil::Date>) -> proto::Plan {
    let days = |days: &[PlannedDay]| {
        let day = |planned: &PlannedDay| proto::PlannedDay {
            day: Some(wire::from_date(planned.day)),
            minutes: minutes(planned.hours),
        };
        days.iter().map(day).collect()
    };
    proto::Plan {
        minutes: minutes(plan.hours),
        initial_days: days(&plan.initial),
        continuing_days: days(&plan.continuing),
        version: number(plan.version),
        settled_on: Some(wire::from_date(plan.settled_on)),
        agreed_on: plan.agreed_on.map(wire::from_date),
        ends_after_start_in_post: ends_after_start_in_post(plan, start_in_post),
        payer: proto::Payer::State.into(),
        session: plan.session.map(Id::name).unwrap_or_default(),
    }
}

fn absence_reason(reason: AbsenceReason) -> proto::absence::Reason {
    use proto::absence::Reason as Wire;
    match reason {
        AbsenceReason::Sickness => Wire::Sickness,
        AbsenceReason::FamilyEvent => Wire::FamilyEvent,
        AbsenceReason::NotFreedByEmployer => Wire::NotFreedByEmployer,
        AbsenceReason::Transport => Wire::Transport,
        AbsenceReason::Unjustified => Wire::Unjustified,
    }
}

fn exam(exam: &Exam) -> proto::Exam {
    use proto::exam::Outcome as Wire;
    let certification = match exam.certification {
        Certification::Ccp1 => proto::Certification::Ccp1,
        Certification::Pix => proto::Certification::Pix,
    };
    let outcome = match exam.outcome {
        None => Wire::Unspecified,
        Some(Outcome::Passed) => Wire::Passed,
        Some(Outcome::Failed) => Wire::Failed,
        Some(Outcome::NotTaken) => Wire::NotTaken,
    };
    proto::Exam {
        certification: certification.into(),
        attempt: number(exam.attempt),
        planned_on: Some(wire::from_date(exam.planned_on)),
        outcome: outcome.into(),
        taken_on: exam.taken_on.map(wire::from_date),
    }
}

/// The structure pays for it (T04).
fn module(module: Module) -> proto::ExtraModule {
    proto::ExtraModule {
        title: module.title,
        day: Some(wire::from_date(module.day)),
        minutes: minutes(module.hours),
        cost_cents: module.cost.0,
        payer: proto::Payer::Structure.into(),
    }
}

fn credit(credit: Credit) -> proto::Credit {
    proto::Credit {
        minutes: minutes(credit.hours),
        ccp1_on: credit.ccp1_on.map(wire::from_date),
        pix_on: credit.pix_on.map(wire::from_date),
        completed_in: credit.completed_in.map(Id::name).unwrap_or_default(),
    }
}

/// Where a training stands on a day.
#[must_use]
pub fn progress(training: &Training, settings: &Settings, today: jiff::civil::Date) -> proto::TrainingProgress {
    let left = |certification| number(attempts_left(training, certification, settings));
    proto::TrainingProgress {
        name: format!("{}/progress", training.id.name()),
        minutes_planned: training.plan.as_ref().map_or(0, |plan| minutes(plan.hours)),
        minutes_done: minutes(training.hours_done()),
        hours_done: training.has_done_its_hours(),
        ccp1_passed: training.passed_on(Certification::Ccp1).is_some(),
        pix_certified: training.passed_on(Certification::Pix).is_some(),
        trained: training.trained_on().is_some(),
        ccp1_attempts_left: left(Certification::Ccp1),
        pix_attempts_left: left(Certification::Pix),
        runs_today: training.runs_on(today),
    }
}

/// What was recorded of a day; `counts` where nothing supersedes it.
#[must_use]
pub fn entry(entry: &trainings::Entry, counts: bool) -> proto::HoursEntry {
    let reason = proto::CorrectionReason::from_str_name(&format!("CORRECTION_REASON_{}", entry.reason));
    proto::HoursEntry {
        day: Some(wire::from_date(entry.day)),
        minutes: minutes(entry.done.hours),
        version: number(entry.done.version),
        reason: reason.unwrap_or_default().into(),
        counts,
        recorded_at: Some(wire::from_timestamp(entry.at)),
    }
}

/// A fact of a history.
#[must_use]
pub fn history(entry: history::Entry) -> proto::TrainingHistoryEntry {
    proto::TrainingHistoryEntry {
        at: Some(wire::from_timestamp(entry.at)),
        actor: entry.actor,
        action: entry.action,
        from_state: entry.from,
        to_state: entry.to,
        why: entry.why,
    }
}
