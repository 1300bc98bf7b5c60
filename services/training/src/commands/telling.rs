//! What others are told of a training, and the mails to organisations.

use conum_kernel::{Id, post_name};
use conum_proto::events::v1::{
    CertificationRecorded, TrainingCompleted, TrainingOpened, TrainingPlanned, TrainingStopped, TrainingUnplanned,
    event::Payload,
};
use conum_service::{Call, Failure, Tx, events, mail, wire};

use crate::{
    NAME,
    domain::{Event, Mail, Training, plan::Plan},
};

/// Tells the other services.
///
/// # Errors
/// The database's.
pub async fn others(tx: &Tx, call: &Call, training: &Training, event: Event) -> Result<(), Failure> {
    let payload = payload(training, event);
    events::append(tx, call, NAME, &training.id.name(), payload).await
}

fn payload(of: &Training, event: Event) -> Payload {
    let (training, candidate, recruitment) = (of.id.name(), of.candidate.name(), of.recruitment.name());
    let (structure, application) = (of.structure.name(), of.application.name());
    let post = post_name(of.application, of.post);
    match event {
        Event::Opened => {
            Payload::TrainingOpened(TrainingOpened { training, candidate, recruitment, structure, application, post })
        }
        Event::Planned(plan) => {
            let span = Plan::initial_span(&plan);
            Payload::TrainingPlanned(TrainingPlanned {
                training,
                candidate,
                recruitment,
                structure,
                application,
                post,
                organisation: of.seat.as_ref().map(|seat| seat.organisation.name()).unwrap_or_default(),
                session: plan.session.map(Id::name).unwrap_or_default(),
                hours: number(plan.hours),
                starts_on: span.map(|(first, _)| wire::from_date(first)),
                ends_on: span.map(|(_, last)| wire::from_date(last)),
            })
        }
        Event::Unplanned => Payload::TrainingUnplanned(TrainingUnplanned {
            training,
            candidate,
            recruitment,
            structure,
            application,
            post,
        }),
        Event::Completed { hours, on } => Payload::TrainingCompleted(TrainingCompleted {
            training,
            candidate,
            recruitment,
            structure,
            application,
            post,
            hours: number(hours),
            completed_on: Some(wire::from_date(on)),
        }),
        Event::Certified { certification, passed, attempt, attempts_left, on } => {
            Payload::CertificationRecorded(CertificationRecorded {
                training,
                candidate,
                structure,
                application,
                certification: certification.text().into(),
                passed,
                attempt: number(attempt),
                attempts_left: number(attempts_left),
                taken_on: Some(wire::from_date(on)),
            })
        }
        Event::Stopped(reason) => Payload::TrainingStopped(TrainingStopped {
            training,
            candidate,
            recruitment,
            structure,
            application,
            post,
            reason: reason.text().into(),
        }),
    }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Queues a mail to the contact of an organisation.
///
/// # Errors
/// The database's.
pub async fn organisation(tx: &Tx, call: &Call, about: &Mail) -> Result<(), Failure> {
    let recipient = about.to().name();
    let id = call.uuid(&format!("{}/{recipient}", about.kind())).to_string();
    mail::queue(tx, call, &id, about.kind(), &recipient, about).await
}
