//! What candidates does when the others tell something: what ties people to structures is filled here and nowhere else.
//!
//! What names a registration that was merged is told of the one that goes on (C08).

use conum_kernel::{
    ApplicationId, CandidateId, Error, IntroductionId, OrganisationId, RecruitmentId, StructureId, TrainingId,
    parse_post_name,
};
use conum_proto::events::v1::{Event, event::Payload};
use conum_service::{
    Call, Failure, Tx,
    events::{Applied, Subscriber},
    history,
    sql::Script,
    wire,
};
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::{
    commands::{ending, telling},
    domain::{
        self, Told,
        told::CloseReason,
        trainings::{Certification, Exam, News, Plan, StopReason},
    },
    storage::{
        candidates::{self, Stored},
        derogations, ties,
    },
};

/// candidates' reaction to events.
#[derive(Debug)]
pub struct Reactions;

impl Subscriber for Reactions {
    fn apply<'t>(&'t self, tx: &'t Tx, call: &'t Call, event: &'t Event) -> BoxFuture<'t, Result<Applied, Failure>> {
        Box::pin(async move {
            if let Some(payload) = &event.payload {
                let at = event.time.as_ref().map(|at| wire::timestamp("time", at)).transpose()?;
                apply(tx, call, payload, at.unwrap_or(call.moment.now)).await?;
            }
            // A person is known here before anybody else hears of it: nothing is worth waiting for.
            Ok(Applied::Done)
        })
    }
}

async fn apply(tx: &Tx, call: &Call, payload: &Payload, at: Timestamp) -> Result<(), Failure> {
    let introduction = |name: &str| IntroductionId::parse_name("introduction", name);
    let recruitment = |name: &str| RecruitmentId::parse_name("recruitment", name);
    let structure = |name: &str| StructureId::parse_name("structure", name);
    let (candidate, told) = match payload {
        Payload::CandidateIntroduced(event) => {
            let introduction = introduction(&event.introduction)?;
            (&event.candidate, Told::Introduced { introduction, structure: structure(&event.structure)? })
        }
        Payload::IntroductionAnswered(event) => {
            let (introduction, structure) = (introduction(&event.introduction)?, structure(&event.structure)?);
            (&event.candidate, Told::Answered { introduction, structure, interested: event.interested })
        }
        Payload::IntroductionClosed(event) => {
            let (introduction, structure) = (introduction(&event.introduction)?, structure(&event.structure)?);
            let reason = CloseReason::of(&event.reason).ok_or_else(|| wire::unknown_value("reason"))?;
            (&event.candidate, Told::Closed { introduction, structure, reason })
        }
        Payload::CandidateSelected(event) => {
            let recruitment = recruitment(&event.recruitment)?;
            (&event.candidate, Told::Selected { recruitment, structure: structure(&event.structure)? })
        }
        Payload::SelectionCancelled(event) => {
            let recruitment = recruitment(&event.recruitment)?;
            (&event.candidate, Told::SelectionCancelled { recruitment, structure: structure(&event.structure)? })
        }
        Payload::ContractSigned(event) => {
            let (recruitment, structure) = (recruitment(&event.recruitment)?, structure(&event.structure)?);
            let start = wire::required_date("start_date", event.start_date.as_ref())?;
            let end = wire::date("end_date", event.end_date.as_ref())?;
            (&event.candidate, Told::Signed { recruitment, structure, start, end })
        }
        Payload::ContractEnded(event) => {
            let (recruitment, structure) = (recruitment(&event.recruitment)?, structure(&event.structure)?);
            let last_day = wire::required_date("last_day", event.last_day.as_ref())?;
            (&event.candidate, Told::Ended { recruitment, structure, last_day })
        }
        Payload::CandidateLeaveRefused(event) => {
            let Some(stored) = of(tx, &event.candidate).await? else { return Ok(()) };
            return ending::reinstate(tx, call, stored, recruitment(&event.recruitment)?).await;
        }
        Payload::DerogationDecided(event) => {
            let (_, post) = parse_post_name("post", &event.post)?;
            return derogations::decide(tx, post, event.accepted && event.consolidates).await;
        }
        _ => match training(payload)? {
            Some((candidate, told)) => (candidate, told),
            None => return Ok(()),
        },
    };
    match of(tx, candidate).await? {
        Some(stored) => {
            if tell(tx, call, &stored, told, at).await? {
                note_case(tx, &stored, payload).await?;
            }
            Ok(())
        }
        None => Ok(()),
    }
}

/// What training tells, and of whom.
fn training(payload: &Payload) -> Result<Option<(&String, Told)>, Error> {
    let (candidate, training, news) = match payload {
        Payload::TrainingOpened(event) => (&event.candidate, &event.training, News::Opened),
        Payload::TrainingPlanned(event) => {
            let first = wire::date("starts_on", event.starts_on.as_ref())?;
            let last = wire::date("ends_on", event.ends_on.as_ref())?;
            let organisation = Some(&event.organisation).filter(|name| !name.is_empty());
            let plan = Plan {
                organisation: organisation.map(|name| OrganisationId::parse_name("organisation", name)).transpose()?,
                in_session: !event.session.is_empty(),
                hours: count("hours", event.hours)?,
                days: first.zip(last),
            };
            (&event.candidate, &event.training, News::Planned(plan))
        }
        Payload::TrainingUnplanned(event) => (&event.candidate, &event.training, News::Unplanned),
        Payload::CertificationRecorded(event) => {
            let exam = Exam {
                certification: Certification::of(&event.certification)
                    .ok_or_else(|| wire::unknown_value("certification"))?,
                attempt: count("attempt", event.attempt)?,
                passed: event.passed,
            };
            let attempts_left = count("attempts_left", event.attempts_left)?;
            let on = wire::required_date("taken_on", event.taken_on.as_ref())?;
            (&event.candidate, &event.training, News::Examined { exam, attempts_left, on })
        }
        Payload::TrainingCompleted(event) => {
            let hours = count("hours", event.hours)?;
            let on = wire::required_date("completed_on", event.completed_on.as_ref())?;
            (&event.candidate, &event.training, News::Completed { hours, on })
        }
        Payload::TrainingStopped(event) => {
            let reason = StopReason::of(&event.reason).ok_or_else(|| wire::unknown_value("reason"))?;
            (&event.candidate, &event.training, News::Stopped(reason))
        }
        _ => return Ok(None),
    };
    Ok(Some((candidate, Told::Training { training: TrainingId::parse_name("training", training)?, news })))
}

fn count(field: &str, number: i32) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| wire::unknown_value(field))
}

/// Notes which application it is that an event tells a person's history of.
async fn note_case(tx: &Tx, stored: &Stored, payload: &Payload) -> Result<(), Failure> {
    let Some((reference, application)) = case_of(payload).filter(|(_, application)| !application.is_empty()) else {
        return Ok(());
    };
    let application = ApplicationId::parse_name("application", application)?;
    let (_, reference) = reference.split_once('/').unwrap_or_default();
    ties::note_case(tx, stored.candidate.id, reference, application).await
}

/// The introduction, recruitment or training that an event tells of, and the application that it is for.
fn case_of(payload: &Payload) -> Option<(&str, &str)> {
    Some(match payload {
        Payload::CandidateIntroduced(event) => (&event.introduction, &event.application),
        Payload::IntroductionAnswered(event) => (&event.introduction, &event.application),
        Payload::IntroductionClosed(event) => (&event.introduction, &event.application),
        Payload::CandidateSelected(event) => (&event.recruitment, &event.application),
        Payload::SelectionCancelled(event) => (&event.recruitment, &event.application),
        Payload::ContractSigned(event) => (&event.recruitment, &event.application),
        Payload::ContractEnded(event) => (&event.recruitment, &event.application),
        Payload::TrainingOpened(event) => (&event.training, &event.application),
        Payload::TrainingPlanned(event) => (&event.training, &event.application),
        Payload::TrainingUnplanned(event) => (&event.training, &event.application),
        Payload::CertificationRecorded(event) => (&event.training, &event.application),
        Payload::TrainingCompleted(event) => (&event.training, &event.application),
        Payload::TrainingStopped(event) => (&event.training, &event.application),
        _ => return None,
    })
}

/// The locked registration that an event speaks of.
async fn of(tx: &Tx, name: &str) -> Result<Option<Stored>, Failure> {
    let id = CandidateId::parse_name("candidate", name)?;
    let found = candidates::lock_survivor(tx, id).await?;
    if found.is_none() {
        tracing::warn!(candidate = name, "an event speaks of a registration that never was");
    }
    Ok(found)
}

/// Records what was told. False where it says nothing new.
async fn tell(tx: &Tx, call: &Call, stored: &Stored, told: Told, at: Timestamp) -> Result<bool, Failure> {
    let candidate = &stored.candidate;
    let decision = domain::tell(ties::of(tx, candidate.id).await?, candidate, told, at);
    if decision.facts.is_empty() {
        return Ok(false);
    }
    ties::write(tx, candidate.id, &decision.state).await?;
    candidates::update_activity(tx, candidate, &decision.state).await?;
    let mut script = Script::default();
    history::add(&mut script, call, &candidate.id.name(), &decision.facts);
    for mail in &decision.mails {
        telling::person(&mut script, call, mail)?;
    }
    script.run(tx).await?;
    Ok(true)
}
