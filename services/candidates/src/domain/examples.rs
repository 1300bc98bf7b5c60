//! Builders with sane defaults for the tests: Rose Dupont of Lyon, registered on 1 December 2020.

use conum_kernel::{CandidateId, Id, Ids, IntroductionId, Moment, RecruitmentId, StructureId, TrainingId, id::Entity};
use jiff::civil::Date;

use super::{
    Candidate, Location, Pix, Place, Reach, Sector, Settings, Situation, Ties, Wishes,
    candidate::{Person, State},
    doubles::{Found, PossibleDouble},
    identity::Commune,
    registration::{Lookups, Register},
    situation::{Declared, Status},
    told::{CloseReason, Told, tell},
    trainings::{News, Plan},
    wishes::{AskedReach, AskedWishes, Background},
};

pub(super) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// Nine in the morning in Paris on 1 December 2020.
pub(super) fn moment() -> Moment {
    Moment::at("2020-12-01T08:00:00Z".parse().unwrap())
}

/// Some time in the day.
pub(super) fn moment_on(day: &str) -> Moment {
    Moment::at(format!("{day}T10:00:00Z").parse().unwrap())
}

fn mint<T: Entity>(key: &str) -> Id<T> {
    Ids::seeded(2020).mint(moment().now, key)
}

pub(super) fn id(key: &str) -> CandidateId {
    mint(key)
}

pub(super) fn structure(key: &str) -> StructureId {
    mint(key)
}

/// The introduction to a structure.
pub(super) fn introduction(key: &str) -> IntroductionId {
    mint(key)
}

fn recruitment(key: &str) -> RecruitmentId {
    mint(key)
}

pub(super) fn settings() -> Settings {
    Settings::on(moment().today, |_| &[]).unwrap()
}

pub(super) fn is_department(code: &str) -> bool {
    matches!(code, "01" | "2A" | "38" | "69" | "974" | "988")
}

pub(super) fn lookups() -> Lookups {
    Lookups { is_department, derogation_granted: false, found: Found::default() }
}

pub(super) fn lyon() -> Place {
    Place {
        commune: "69123".into(),
        department: "69".into(),
        location: Some(Location { latitude: 45.758, longitude: 4.835 }),
    }
}

/// A situation with nothing but its status.
pub(super) fn situation(status: Status) -> Declared {
    Declared {
        status: Some(status),
        mediation_share_percent: 0,
        moves_to_full_time: false,
        derogated_post: String::new(),
        job_seeker_since: None,
    }
}

/// Rose's registration as she fills it in.
pub(super) fn register() -> Register {
    Register {
        given_name: "Rose".into(),
        family_name: "Dupont".into(),
        birth_date: Some(date("1990-05-17")),
        email: "Rose.Dupont@exemple.fr".into(),
        phone: "06 12 34 56 78".into(),
        commune: Commune::Found(lyon()),
        reach: Some(AskedReach { max_km: 40, anywhere: false }),
        situation: Some(situation(Status::JobSeeker)),
        available_from: Some(date("2021-01-04")),
        wishes: AskedWishes { departments: vec!["69".into()], sectors: vec![Some(Sector::Public)] },
        background: Background { experience: true, ..Background::default() },
    }
}

/// Rose, registered.
pub(super) fn candidate() -> Candidate {
    Candidate {
        id: id("candidate"),
        state: State::Registered,
        registered_at: moment().now,
        person: Some(Person {
            given_name: "Rose".into(),
            family_name: "Dupont".into(),
            birth_date: date("1990-05-17"),
            email: "Rose.Dupont@exemple.fr".into(),
            phone: "06 12 34 56 78".into(),
            home: lyon(),
            reach: Reach::Within { km: 40 },
            situation: Situation {
                status: Status::JobSeeker,
                mediation_share_percent: 0,
                moves_to_full_time: false,
                derogated_post: None,
                derogation_granted: false,
                job_seeker_since: None,
            },
            available_from: date("2021-01-04"),
            wishes: Wishes { departments: vec!["69".into()], sectors: vec![Sector::Public] },
            background: Background { experience: true, ..Background::default() },
            pix: None,
        }),
        possible_doubles: Vec::new(),
        distinct_from: Vec::new(),
        merged_into: None,
        absorbed: Vec::new(),
        last_contact_at: moment().now,
        noticed_at: None,
    }
}

/// Rose with a Pix result that she shares.
pub(super) fn candidate_with_pix() -> Candidate {
    let mut candidate = candidate();
    if let Some(person) = &mut candidate.person {
        person.pix = Some(Pix {
            score: 640,
            passed_on: date("2020-11-15"),
            consent: true,
            consent_changed_at: Some(moment().now),
        });
    }
    candidate
}

/// Rose, who registered again with another address and another wish.
pub(super) fn double() -> Candidate {
    let mut double = Candidate { id: id("double"), ..candidate() };
    if let Some(person) = &mut double.person {
        person.email = "rose.perso@exemple.fr".into();
        person.wishes = Wishes { departments: vec!["38".into()], sectors: vec![] };
    }
    double
}

/// Rose, held out of introductions by an earlier namesake.
pub(super) fn held_by(first: &str) -> Candidate {
    Candidate { possible_doubles: vec![PossibleDouble { candidate: id(first), holds: true }], ..candidate() }
}

/// Rose's ties after these were told, one a day from 3 January 2021.
pub(super) fn tied(told: &[Told]) -> Ties {
    (3..).zip(told).fold(Ties::default(), |ties, (day, told)| {
        tell(ties, &candidate(), *told, moment_on(&format!("2021-01-{day:02}")).now).state
    })
}

pub(super) fn introduced(by: &str) -> Told {
    Told::Introduced { introduction: introduction(by), structure: structure(by) }
}

pub(super) fn closed(by: &str, reason: CloseReason) -> Told {
    Told::Closed { introduction: introduction(by), structure: structure(by), reason }
}

pub(super) fn selected(by: &str) -> Told {
    Told::Selected { recruitment: recruitment(by), structure: structure(by) }
}

pub(super) fn signed(by: &str, start: &str, end: Option<&str>) -> Told {
    Told::Signed { recruitment: recruitment(by), structure: structure(by), start: date(start), end: end.map(date) }
}

pub(super) fn ended(by: &str, last_day: &str) -> Told {
    Told::Ended { recruitment: recruitment(by), structure: structure(by), last_day: date(last_day) }
}

pub(super) fn training(key: &str) -> TrainingId {
    mint(key)
}

/// What is told of the training for a structure.
pub(super) fn trained(by: &str, news: News) -> Told {
    Told::Training { training: training(by), news }
}

/// A plan of three weeks from a day.
pub(super) fn plan(first: &str, last: &str) -> Plan {
    Plan { organisation: None, in_session: true, hours: 105, days: Some((date(first), date(last))) }
}
