//! From the domain to the contract: what callers are shown.

use conum_kernel::Id;
use conum_proto::{candidates::v1 as proto, google::r#type::LatLng};
use conum_service::{history::Entry, status, wire};

use crate::{
    commands::registering::Imported,
    domain::{
        Background, Hold, Person, Pix, Reach, Sector, Situation, State, Wishes,
        candidate::Absorbed,
        card::Card,
        situation::Status,
        ties::{KnownIntroduction, KnownRecruitment, Stage},
        trainings::KnownTraining,
    },
    storage::candidates::Stored,
};

/// Whether a Pix result is shown: to the person itself and in exports (C05).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixResults {
    Shown,
    Hidden,
}

/// A registration on the wire.
#[must_use]
pub fn candidate(stored: Stored, pix: PixResults) -> proto::Candidate {
    let Stored { candidate, version } = stored;
    let holds = candidate.holds().into_iter().map(|hold| match hold {
        Hold::PossibleDouble => "POSSIBLE_DOUBLE".to_owned(),
        Hold::Situation => "SITUATION".to_owned(),
    });
    let mut shown = proto::Candidate {
        name: candidate.id.name(),
        state: state(candidate.state).into(),
        registered_at: Some(wire::from_timestamp(candidate.registered_at)),
        merged_into: candidate.merged_into.map(Id::name).unwrap_or_default(),
        possible_doubles: candidate.possible_doubles.iter().map(|double| double.candidate.name()).collect(),
        etag: version.to_string(),
        holds: holds.collect(),
        ..proto::Candidate::default()
    };
    if let Some(person) = candidate.person {
        show(&mut shown, person, pix);
    }
    shown
}

/// What became of a line of an import.
#[must_use]
pub fn imported(line: i64, outcome: Imported) -> proto::ImportedLine {
    match outcome {
        Ok(Stored { candidate, .. }) => proto::ImportedLine {
            line,
            candidate: candidate.id.name(),
            registered_at: Some(wire::from_timestamp(candidate.registered_at)),
            possible_double: !candidate.possible_doubles.is_empty(),
            refusal: None,
        },
        Err(error) => {
            proto::ImportedLine { line, refusal: Some(status::message(&error)), ..proto::ImportedLine::default() }
        }
    }
}

fn show(shown: &mut proto::Candidate, person: Person, pix: PixResults) {
    shown.given_name = person.given_name;
    shown.family_name = person.family_name;
    shown.birth_date = Some(wire::from_date(person.birth_date));
    shown.email = person.email;
    shown.phone = person.phone;
    shown.commune = person.home.commune;
    shown.location = person.home.location.map(|at| LatLng { latitude: at.latitude, longitude: at.longitude });
    shown.reach = Some(reach(person.reach));
    shown.situation = Some(situation(&person.situation));
    shown.available_from = Some(wire::from_date(person.available_from));
    shown.wishes = Some(wishes(person.wishes));
    shown.background = Some(background(person.background));
    shown.pix = person.pix.as_ref().filter(|_| pix == PixResults::Shown).map(result);
}

fn state(state: State) -> proto::candidate::State {
    use proto::candidate::State as Wire;
    match state {
        State::Registered => Wire::Registered,
        State::Left => Wire::Left,
        State::Merged => Wire::Merged,
        State::Erased => Wire::Erased,
    }
}

fn reach(reach: Reach) -> proto::Reach {
    match reach {
        Reach::Within { km } => proto::Reach { max_km: i32::try_from(km).unwrap_or(i32::MAX), anywhere: false },
        Reach::Anywhere => proto::Reach { max_km: 0, anywhere: true },
    }
}

fn situation(situation: &Situation) -> proto::Situation {
    use proto::situation::Status as Wire;
    let status = match situation.status {
        Status::JobSeeker => Wire::JobSeeker,
        Status::Employed => Wire::Employed,
        Status::CivilServant => Wire::CivilServant,
        Status::Student => Wire::Student,
        Status::InTraining => Wire::InTraining,
        Status::SelfEmployed => Wire::SelfEmployed,
        Status::Retired => Wire::Retired,
    };
    let post = situation.derogated_post.map(|(application, post)| conum_kernel::post_name(application, post));
    proto::Situation {
        status: status.into(),
        mediation_share_percent: situation.mediation_share_percent.into(),
        moves_to_full_time: situation.moves_to_full_time,
        derogated_post: post.unwrap_or_default(),
        job_seeker_since: situation.job_seeker_since.map(wire::from_date),
    }
}

fn wishes(wishes: Wishes) -> proto::Wishes {
    let sector = |sector: &Sector| match sector {
        Sector::Public => proto::SectorWish::Public.into(),
        Sector::Private => proto::SectorWish::Private.into(),
    };
    proto::Wishes { sectors: wishes.sectors.iter().map(sector).collect(), departments: wishes.departments }
}

fn background(background: Background) -> proto::Background {
    proto::Background {
        experience: background.experience,
        qualification: background.qualification,
        driving_licence: background.driving_licence,
    }
}

fn result(pix: &Pix) -> proto::Pix {
    proto::Pix {
        score: pix.score.into(),
        passed_on: Some(wire::from_date(pix.passed_on)),
        consent: pix.consent,
        consent_changed_at: pix.consent_changed_at.map(wire::from_timestamp),
    }
}

/// A card on the wire, under the name that it was asked by.
#[must_use]
pub fn card(name: String, card: Card) -> proto::CandidateCard {
    let commune = conum_geo::resolve(&card.commune).commune();
    proto::CandidateCard {
        name,
        given_name: card.given_name,
        family_name: card.family_name,
        email: card.email,
        phone: card.phone,
        commune_name: commune.map(|commune| commune.name.to_owned()).unwrap_or_default(),
        available_from: Some(wire::from_date(card.available_from)),
        background: Some(background(card.background)),
        pix: card
            .pix
            .map(|pix| proto::PixResult { score: pix.score.into(), passed_on: Some(wire::from_date(pix.passed_on)) }),
    }
}

/// A fact of a history on the wire.
#[must_use]
pub fn entry(entry: Entry) -> proto::CandidateHistoryEntry {
    proto::CandidateHistoryEntry {
        at: Some(wire::from_timestamp(entry.at)),
        actor: entry.actor,
        action: entry.action,
        from_state: entry.from,
        to_state: entry.to,
        why: entry.why,
    }
}

/// A recruitment that concerns a person, on the wire.
#[must_use]
pub fn recruitment(known: &KnownRecruitment) -> proto::KnownRecruitment {
    let (stage, start, last_day) = match known.stage {
        Stage::Selected => ("SELECTED", None, None),
        Stage::Cancelled => ("CANCELLED", None, None),
        Stage::Signed { start, end } => ("SIGNED", Some(start), end),
        Stage::Ended { last_day } => ("ENDED", None, Some(last_day)),
    };
    proto::KnownRecruitment {
        recruitment: known.recruitment.name(),
        structure: known.structure.name(),
        stage: stage.into(),
        start_date: start.map(wire::from_date),
        last_day: last_day.map(wire::from_date),
    }
}

/// A training that concerns a person, on the wire.
#[must_use]
pub fn training(known: &KnownTraining) -> proto::KnownTraining {
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let days = known.plan.and_then(|plan| plan.days);
    let exams = known.exams.iter().map(|exam| proto::KnownExam {
        certification: exam.certification.text().into(),
        attempt: number(exam.attempt),
        passed: exam.passed,
    });
    proto::KnownTraining {
        training: known.training.name(),
        organisation: known.plan.and_then(|plan| plan.organisation).map(Id::name).unwrap_or_default(),
        state: known.state.name().into(),
        hours: known.plan.map(|plan| number(plan.hours)).unwrap_or_default(),
        first_day: days.map(|(first, _)| wire::from_date(first)),
        last_day: days.map(|(_, last)| wire::from_date(last)),
        exams: exams.collect(),
    }
}

/// A registration that ended in another one.
#[must_use]
pub fn absorbed(absorbed: Absorbed) -> proto::AbsorbedRegistration {
    let mut shown = proto::Candidate {
        name: absorbed.candidate.name(),
        state: state(State::Merged).into(),
        registered_at: Some(wire::from_timestamp(absorbed.registered_at)),
        ..proto::Candidate::default()
    };
    show(&mut shown, absorbed.person, PixResults::Shown);
    proto::AbsorbedRegistration { candidate: Some(shown), merged_at: Some(wire::from_timestamp(absorbed.merged_at)) }
}

/// An introduction that concerns a person, on the wire.
#[must_use]
pub fn introduction(known: &KnownIntroduction) -> proto::KnownIntroduction {
    proto::KnownIntroduction {
        introduction: known.introduction.name(),
        structure: known.structure.name(),
        live: known.live,
    }
}
