//! Telling the other services by events, and people by mail.

use conum_kernel::CandidateId;
use conum_proto::{
    events::v1::{
        CandidateChanged, CandidateErased, CandidateFacts, CandidateLeft, CandidateMerged, CandidateRegistered,
        event::Payload,
    },
    google::r#type::LatLng,
};
use conum_service::{Call, Failure, events, mail, sql::Script, wire};

use crate::{
    NAME,
    domain::{Event, Facts, Mail, Offer, Reach},
};

/// Adds the telling of the other services to a script.
pub fn others(script: &mut Script, call: &Call, event: Event) {
    let subject = event.subject();
    events::outbox::add(script, call, NAME, &subject.name(), payload(event));
}

fn payload(event: Event) -> Payload {
    let name = CandidateId::name;
    match event {
        Event::Registered { candidate, facts } => {
            Payload::CandidateRegistered(CandidateRegistered { candidate: name(candidate), facts: Some(wired(facts)) })
        }
        Event::Changed { candidate, facts } => {
            Payload::CandidateChanged(CandidateChanged { candidate: name(candidate), facts: Some(wired(facts)) })
        }
        Event::Merged { candidate, merged } => {
            Payload::CandidateMerged(CandidateMerged { candidate: name(candidate), merged: name(merged) })
        }
        Event::Left { candidate } => Payload::CandidateLeft(CandidateLeft { candidate: name(candidate) }),
        Event::Erased { candidate } => Payload::CandidateErased(CandidateErased { candidate: name(candidate) }),
    }
}

fn wired(facts: Facts) -> CandidateFacts {
    let (max_km, anywhere) = match facts.reach {
        Reach::Within { km } => (i32::try_from(km).unwrap_or(i32::MAX), false),
        Reach::Anywhere => (0, true),
    };
    let offer = |offer: &Offer| match offer {
        Offer::Experience => "experience".to_owned(),
        Offer::Qualification => "qualification".to_owned(),
        Offer::DrivingLicence => "driving_licence".to_owned(),
    };
    CandidateFacts {
        registered_at: Some(wire::from_timestamp(facts.registered_at)),
        commune: facts.commune,
        location: facts.location.map(|at| LatLng { latitude: at.latitude, longitude: at.longitude }),
        department: facts.department,
        max_km,
        anywhere,
        available_from: Some(wire::from_date(facts.available_from)),
        wished_departments: facts.wished_departments,
        wished_kinds: facts.wished_sectors.iter().map(|sector| sector.text().to_owned()).collect(),
        offers: facts.offers.iter().map(offer).collect(),
        eligible: facts.eligible,
        job_seeker_since: facts.job_seeker_since.map(wire::from_date),
    }
}

/// Adds the queueing of a mail to a person to a script. What is kept are the ids that it is about.
///
/// # Errors
/// Internal where it cannot be written.
pub fn person(script: &mut Script, call: &Call, letter: &Mail) -> Result<(), Failure> {
    let id = format!("{}-{}", letter.kind(), about(call, letter));
    mail::add(script, call, &id, letter.kind(), &letter.to().name(), letter)
}

/// What a mail of its kind is about, once and for all: the same again is the same mail.
fn about(call: &Call, letter: &Mail) -> String {
    match letter {
        Mail::Registered { candidate } => candidate.to_string(),
        Mail::Introduced { introduction, .. } | Mail::ClosedNotChosen { introduction, .. } => introduction.to_string(),
        Mail::Selected { recruitment, .. } | Mail::SelectionCancelled { recruitment, .. } => recruitment.to_string(),
        Mail::InactivityNotice { candidate, last_day } => format!("{candidate}-{last_day}"),
        Mail::TrainingOpened { training, .. }
        | Mail::Trained { training, .. }
        | Mail::TrainingStopped { training, .. } => training.to_string(),
        Mail::Examined { training, exam, .. } => {
            format!("{training}-{}-{}", exam.certification.text(), exam.attempt)
        }
        // Each change of a plan is an event of its own.
        Mail::TrainingPlanned { training, .. } | Mail::TrainingUnplanned { training, .. } => {
            format!("{training}-{}", call.uuid(letter.kind()))
        }
        // These may come again, each from a command or an event of its own.
        Mail::Merged { candidate } | Mail::Left { candidate } | Mail::LeaveRefused { candidate } => {
            format!("{candidate}-{}", call.uuid(letter.kind()))
        }
    }
}
