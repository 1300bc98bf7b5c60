//! The commands on trainings: read what is asked, lock, decide, write.

use conum_kernel::{CandidateId, Error, OrganisationId, Result, SessionId, TrainingId};
use conum_proto::training::v1::{
    AgreeCalendarRequest, CorrectHoursRequest, EnrolInSessionRequest, LeaveSessionRequest, MarkAidantsConnectRequest,
    OpenVaePathRequest, RecordAbsenceRequest, RecordEmployerViewRequest, RecordExamResultRequest,
    RecordExtraModuleRequest, RecordHoursRequest, RecordInterviewRequest, RegisterExamRequest, SetTrainingPlanRequest,
    SetTrainingPreferenceRequest,
};
use conum_service::{Call, Failure, Scope, Tx, wire};
use futures::future::BoxFuture;

use super::{asked, reading::require_party};
use crate::{
    commands::{Before, carry_out, lock, seats, settings},
    domain::{Decision, Settings, Training, attendance, attendance::DayHours, beside, exam, plan, preparing},
    storage::{
        organisations, people,
        trainings::{self, Entry, Stored},
    },
};

/// What a command makes of a training.
pub(crate) type Outcome<'t> = BoxFuture<'t, Result<Stored, Failure>>;

/// The organisation that the caller acts for.
fn acting_for(call: &Call) -> Result<Option<OrganisationId>> {
    let own = call.caller.owned_in("organisations/").filter(|_| call.scope == Scope::Own);
    own.map(|own| OrganisationId::parse_name("organisation", own)).transpose()
}

/// Decides on a training of the caller's under its locks, and writes it.
async fn decide(
    tx: &Tx,
    call: &Call,
    name: &str,
    etag: &str,
    decide: impl FnOnce(Training, &Settings) -> Result<Decision> + Send,
) -> Result<Stored, Failure> {
    let stored = lock(tx, TrainingId::parse_name("name", name)?).await?;
    require_party(tx, call, &stored.training).await?;
    wire::fresh(name, etag, stored.version)?;
    let settings = settings(tx, call).await?;
    let before = Before::from(&stored);
    carry_out(tx, call, before, decide(stored.training, &settings)?).await
}

pub(crate) fn prefer(tx: &Tx, call: Call, asked: SetTrainingPreferenceRequest) -> Outcome<'_> {
    Box::pin(async move {
        let preference = asked::preference(asked.preference.as_ref())?;
        if let Some(organisation) = preference.organisation
            && organisations::find(tx, organisation).await?.is_none()
        {
            let english = "this organisation is not on the list";
            let french = "cet organisme n'est pas sur la liste";
            let error = Error::invalid("preference.organisation", "UNKNOWN_ORGANISATION", english, french);
            return Err(error.with_rule(conum_kernel::Rule("T05")).into());
        }
        decide(tx, &call, &asked.name, "", |training, _| preparing::prefer(training, preference)).await
    })
}

pub(crate) fn enrol(tx: &Tx, call: Call, asked: EnrolInSessionRequest) -> Outcome<'_> {
    Box::pin(async move {
        let session = SessionId::parse_name("session", &asked.session)?;
        let (session, stored) = seats::lock_both(tx, session, TrainingId::parse_name("name", &asked.name)?).await?;
        require_party(tx, &call, &stored.training).await?;
        if acting_for(&call)?.is_some_and(|own| own != session.session.organisation) {
            return Err(Error::denied("NOT_YOURS").into());
        }
        wire::fresh(&asked.name, &asked.etag, stored.version)?;
        seats::enrol(tx, &call, stored, &session).await
    })
}

pub(crate) fn leave(tx: &Tx, call: Call, asked: LeaveSessionRequest) -> Outcome<'_> {
    Box::pin(async move {
        decide(tx, &call, &asked.name, &asked.etag, |training, _| preparing::leave(training, call.moment)).await
    })
}

pub(crate) fn record_interview(tx: &Tx, call: Call, asked: RecordInterviewRequest) -> Outcome<'_> {
    Box::pin(async move {
        let interview = asked::interview(asked.interview.as_ref(), acting_for(&call)?)?;
        let record = |training, _: &Settings| preparing::record_interview(training, interview, call.moment);
        decide(tx, &call, &asked.name, &asked.etag, record).await
    })
}

pub(crate) fn record_view(tx: &Tx, call: Call, asked: RecordEmployerViewRequest) -> Outcome<'_> {
    Box::pin(async move {
        let opinion = asked::opinion(asked.employer_view.as_ref())?;
        decide(tx, &call, &asked.name, "", |training, _| preparing::record_view(training, opinion, call.moment)).await
    })
}

pub(crate) fn set_plan(tx: &Tx, call: Call, asked: SetTrainingPlanRequest) -> Outcome<'_> {
    Box::pin(async move {
        let wanted = asked::plan(asked.plan.as_ref())?;
        let settle = |training, settings: &Settings| plan::settle_plan(training, wanted, settings, call.moment);
        let stored = decide(tx, &call, &asked.name, &asked.etag, settle).await?;
        if let Some(plan) = &stored.training.plan {
            trainings::keep_plan(tx, stored.training.id, plan).await?;
        }
        Ok(stored)
    })
}

pub(crate) fn agree_calendar(tx: &Tx, call: Call, asked: AgreeCalendarRequest) -> Outcome<'_> {
    Box::pin(async move {
        // What is negative is no version, as 0 is.
        let version = u32::try_from(asked.plan_version).unwrap_or(0);
        decide(tx, &call, &asked.name, "", |training, _| plan::agree(training, version, call.moment)).await
    })
}

/// Keeps what was recorded of days, as it counts by now.
async fn keep_hours(tx: &Tx, call: &Call, stored: &Stored, days: &[DayHours], reason: &str) -> Result<(), Failure> {
    for told in days {
        if let Some(done) = stored.training.done.get(&told.day) {
            let entry = Entry { day: told.day, done: *done, reason: reason.to_owned(), at: call.moment.now };
            trainings::keep_hours(tx, stored.training.id, &entry).await?;
        }
    }
    Ok(())
}

pub(crate) fn record_hours(tx: &Tx, call: Call, asked: RecordHoursRequest) -> Outcome<'_> {
    Box::pin(async move {
        let days = asked::day_hours(&asked.hours, |index| format!("hours[{index}]"))?;
        let record = |training, settings: &Settings| attendance::record(training, &days, settings, call.moment);
        let stored = decide(tx, &call, &asked.name, "", record).await?;
        keep_hours(tx, &call, &stored, &days, "").await?;
        Ok(stored)
    })
}

pub(crate) fn correct_hours(tx: &Tx, call: Call, asked: CorrectHoursRequest) -> Outcome<'_> {
    Box::pin(async move {
        let reason = asked::correction_reason(asked.reason())?;
        let told = asked.hours.ok_or_else(|| wire::required("hours"))?;
        let days = asked::day_hours(&[told], |_| "hours".to_owned())?;
        let told = *days.first().ok_or_else(|| wire::required("hours"))?;
        let correct =
            |training, settings: &Settings| attendance::correct(training, told, reason, settings, call.moment);
        let stored = decide(tx, &call, &asked.name, &asked.etag, correct).await?;
        keep_hours(tx, &call, &stored, &days, reason).await?;
        Ok(stored)
    })
}

pub(crate) fn record_absence(tx: &Tx, call: Call, asked: RecordAbsenceRequest) -> Outcome<'_> {
    Box::pin(async move {
        let (day, reason) = asked::absence(asked.absence.as_ref())?;
        let record = |training, _: &Settings| attendance::record_absence(training, day, reason, call.moment);
        decide(tx, &call, &asked.name, "", record).await
    })
}

pub(crate) fn register_exam(tx: &Tx, call: Call, asked: RegisterExamRequest) -> Outcome<'_> {
    Box::pin(async move {
        let certification = asked::certification(asked.certification())?;
        let planned_on = wire::required_date("planned_on", asked.planned_on.as_ref())?;
        let register = |training, settings: &Settings| exam::register(training, certification, planned_on, settings);
        decide(tx, &call, &asked.name, "", register).await
    })
}

pub(crate) fn record_exam_result(tx: &Tx, call: Call, asked: RecordExamResultRequest) -> Outcome<'_> {
    Box::pin(async move {
        let certification = asked::certification(asked.certification())?;
        let outcome = asked::outcome(asked.outcome())?;
        let taken_on = wire::date("taken_on", asked.taken_on.as_ref())?;
        let record = |training, settings: &Settings| {
            exam::record_result(training, certification, outcome, taken_on, settings, call.moment)
        };
        decide(tx, &call, &asked.name, &asked.etag, record).await
    })
}

pub(crate) fn record_module(tx: &Tx, call: Call, asked: RecordExtraModuleRequest) -> Outcome<'_> {
    Box::pin(async move {
        let module = asked::module(asked.extra_module.as_ref())?;
        decide(tx, &call, &asked.name, "", |training, _| beside::record_module(training, &module)).await
    })
}

pub(crate) fn open_vae(tx: &Tx, call: Call, asked: OpenVaePathRequest) -> Outcome<'_> {
    Box::pin(async move {
        let id = TrainingId::parse_name("name", &asked.name)?;
        let seen = trainings::find(tx, id).await?.ok_or_else(|| Error::not_found(&asked.name))?;
        let registered = is_registered(tx, seen.training.candidate).await?;
        let open = |training, settings: &Settings| beside::open_vae(training, registered, settings, call.moment);
        decide(tx, &call, &asked.name, "", open).await
    })
}

async fn is_registered(tx: &Tx, candidate: CandidateId) -> Result<bool, Failure> {
    Ok(people::find(tx, candidate).await?.is_some_and(|person| !person.gone))
}

pub(crate) fn mark_aidants_connect(tx: &Tx, call: Call, asked: MarkAidantsConnectRequest) -> Outcome<'_> {
    Box::pin(async move {
        let mark = |training, _: &Settings| beside::mark_aidants_connect(training, call.moment);
        decide(tx, &call, &asked.name, "", mark).await
    })
}
