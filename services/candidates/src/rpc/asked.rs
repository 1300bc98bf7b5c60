//! From the contract to the domain: what callers ask for. What is wrong with it is the domain's to say, except a day
//! that no calendar has.

use conum_geo::resolve;
use conum_kernel::{Result, Violations};
use conum_proto::candidates::v1 as proto;
use conum_service::wire;

use crate::{
    commands::registering::Line,
    domain::{
        Background, Location, Place, Register, Sector, State,
        correction::Change,
        identity::Commune,
        situation::{Declared, Status},
        wishes::{AskedReach, AskedWishes},
    },
};

/// What a correction may change.
const FIELDS: &[&str] = &[
    "given_name",
    "family_name",
    "birth_date",
    "email",
    "phone",
    "commune",
    "reach",
    "situation",
    "available_from",
    "wishes",
    "background",
];

/// A registration as it was filled in.
///
/// # Errors
/// `INVALID_DATE`.
pub fn register(asked: proto::Candidate) -> Result<Register> {
    let mut wrong = Violations::default();
    let birth_date = wrong.take(wire::date("candidate.birth_date", asked.birth_date.as_ref()));
    let available_from = wrong.take(wire::date("candidate.available_from", asked.available_from.as_ref()));
    let situation = asked.situation.map(situation).map(|given| wrong.take(given));
    wrong.check()?;
    Ok(Register {
        birth_date: birth_date.flatten(),
        available_from: available_from.flatten(),
        commune: commune(&asked.commune),
        reach: asked.reach.map(reach),
        situation: situation.flatten(),
        wishes: asked.wishes.map(wishes).unwrap_or_default(),
        background: asked.background.map(background).unwrap_or_default(),
        given_name: asked.given_name,
        family_name: asked.family_name,
        email: asked.email,
        phone: asked.phone,
    })
}

/// A line of an import.
#[must_use]
pub fn line(line: proto::ImportedCandidate) -> Line {
    let asked = line.candidate.clone().ok_or_else(|| wire::required("candidate")).and_then(register);
    let request =
        proto::CreateCandidateRequest { candidate: line.candidate, request_id: line.request_id, validate_only: false };
    Line { request, asked }
}

/// What a correction changes: the fields of its mask; without one, those that are set.
///
/// # Errors
/// `UNKNOWN_FIELD` at `update_mask`; `INVALID_DATE`.
pub fn changes(asked: &proto::Candidate, mask: Option<&prost_types::FieldMask>) -> Result<Vec<Change>> {
    let masked = mask.is_some_and(|mask| !mask.paths.is_empty());
    let mut wrong = Violations::default();
    let mut changes = Vec::new();
    for field in wire::mask(mask, FIELDS)? {
        if masked || is_set(asked, field) {
            changes.extend(wrong.take(change(asked, field)).flatten());
        }
    }
    wrong.check()?;
    Ok(changes)
}

fn is_set(asked: &proto::Candidate, field: &str) -> bool {
    match field {
        "given_name" => !asked.given_name.is_empty(),
        "family_name" => !asked.family_name.is_empty(),
        "birth_date" => asked.birth_date.is_some(),
        "email" => !asked.email.is_empty(),
        "phone" => !asked.phone.is_empty(),
        "commune" => !asked.commune.is_empty(),
        "reach" => asked.reach.is_some(),
        "situation" => asked.situation.is_some(),
        "available_from" => asked.available_from.is_some(),
        "wishes" => asked.wishes.is_some(),
        "background" => asked.background.is_some(),
        _ => false,
    }
}

fn change(asked: &proto::Candidate, field: &str) -> Result<Option<Change>> {
    Ok(Some(match field {
        "given_name" => Change::GivenName(asked.given_name.clone()),
        "family_name" => Change::FamilyName(asked.family_name.clone()),
        "birth_date" => Change::BirthDate(wire::date("candidate.birth_date", asked.birth_date.as_ref())?),
        "email" => Change::Email(asked.email.clone()),
        "phone" => Change::Phone(asked.phone.clone()),
        "commune" => Change::Commune(commune(&asked.commune)),
        "reach" => Change::Reach(asked.reach.map(reach)),
        "situation" => Change::Situation(asked.situation.clone().map(situation).transpose()?),
        "available_from" => {
            Change::AvailableFrom(wire::date("candidate.available_from", asked.available_from.as_ref())?)
        }
        "wishes" => Change::Wishes(asked.wishes.clone().map(wishes).unwrap_or_default()),
        "background" => Change::Background(asked.background.map(background).unwrap_or_default()),
        _ => return Ok(None),
    }))
}

/// The commune of an INSEE code; today's, where the code has vanished.
fn commune(code: &str) -> Commune {
    match code.trim() {
        "" => Commune::Missing,
        code => resolve(code).commune().map_or(Commune::Unknown, |commune| {
            let location = commune.place.map(|at| Location { latitude: at.lat(), longitude: at.lon() });
            Commune::Found(Place { commune: commune.code.into(), department: commune.department.into(), location })
        }),
    }
}

fn reach(asked: proto::Reach) -> AskedReach {
    AskedReach { max_km: asked.max_km, anywhere: asked.anywhere }
}

fn situation(asked: proto::Situation) -> Result<Declared> {
    use proto::situation::Status as Wire;
    let status = match asked.status() {
        Wire::Unspecified => None,
        Wire::JobSeeker => Some(Status::JobSeeker),
        Wire::Employed => Some(Status::Employed),
        Wire::CivilServant => Some(Status::CivilServant),
        Wire::Student => Some(Status::Student),
        Wire::InTraining => Some(Status::InTraining),
        Wire::SelfEmployed => Some(Status::SelfEmployed),
        Wire::Retired => Some(Status::Retired),
    };
    Ok(Declared {
        status,
        mediation_share_percent: asked.mediation_share_percent,
        moves_to_full_time: asked.moves_to_full_time,
        derogated_post: asked.derogated_post,
        job_seeker_since: wire::date("candidate.situation.job_seeker_since", asked.job_seeker_since.as_ref())?,
    })
}

fn wishes(asked: proto::Wishes) -> AskedWishes {
    let sector = |sector| match sector {
        proto::SectorWish::Unspecified => None,
        proto::SectorWish::Public => Some(Sector::Public),
        proto::SectorWish::Private => Some(Sector::Private),
    };
    let sectors = asked.sectors.iter().map(|word| proto::SectorWish::try_from(*word).ok().and_then(sector)).collect();
    AskedWishes { departments: asked.departments, sectors }
}

fn background(asked: proto::Background) -> Background {
    Background {
        experience: asked.experience,
        qualification: asked.qualification,
        driving_licence: asked.driving_licence,
    }
}

/// The state that a list is narrowed to.
///
/// # Errors
/// `UNKNOWN_VALUE` at `state`.
pub fn state(asked: i32) -> Result<Option<State>> {
    use proto::candidate::State as Wire;
    Ok(match Wire::try_from(asked).map_err(|_| wire::unknown_value("state"))? {
        Wire::Unspecified => None,
        Wire::Registered => Some(State::Registered),
        Wire::Left => Some(State::Left),
        Wire::Merged => Some(State::Merged),
        Wire::Erased => Some(State::Erased),
    })
}
