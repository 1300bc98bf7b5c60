//! Between the domain and the contract.

use conum_geo::{Place, resolve, territory_of};
use conum_kernel::{ApplicationId, CandidateId, Cents, Error, Id, Result, StructureId};
use conum_proto::{
    events::v1::{CandidateFacts, PostsGranted},
    google::r#type::LatLng,
    matching::v1 as proto,
};
use conum_service::wire;

use crate::{
    domain::{
        candidate::{Candidate, Quality, Reach, Sector},
        contract::{Contract, ContractKind},
        eligibility::Reasons,
        introduction::{CloseReason, State as IntroductionState},
        recruitment::{Ending, State as RecruitmentState},
        states,
        structure::{Need, Structure},
    },
    storage::{
        introductions::Introduction,
        notices::{Kind as NoticeKind, Notice},
        recruitments::Recruitment,
        structures::Post,
    },
};

impl From<Introduction> for proto::Introduction {
    fn from(introduction: Introduction) -> Self {
        use proto::introduction::{CloseReason as WireReason, State};
        let state = match introduction.state {
            IntroductionState::Proposed => State::Proposed,
            IntroductionState::Interested => State::Interested,
            IntroductionState::Declined => State::Declined,
            IntroductionState::Expired => State::Expired,
            IntroductionState::Closed => State::Closed,
        };
        let close_reason = match introduction.close_reason {
            None => WireReason::Unspecified,
            Some(CloseReason::Recruited) => WireReason::Recruited,
            Some(CloseReason::CandidateRecruited) => WireReason::CandidateRecruited,
            Some(CloseReason::PostsFilled) => WireReason::PostsFilled,
            Some(CloseReason::Withdrawn) => WireReason::Withdrawn,
            Some(CloseReason::CandidateLeft) => WireReason::CandidateLeft,
            Some(CloseReason::CandidateIneligible) => WireReason::CandidateIneligible,
            Some(CloseReason::Merged) => WireReason::Merged,
        };
        Self {
            name: introduction.id.name(),
            structure: introduction.structure.name(),
            application: introduction.application.name(),
            candidate: introduction.candidate.name(),
            state: state.into(),
            close_reason: close_reason.into(),
            reasons: Some(introduction.reasons.into()),
            introduced_at: Some(wire::from_timestamp(introduction.introduced_at)),
            reminded_at: introduction.reminded_at.map(wire::from_timestamp),
            expires_at: Some(wire::from_timestamp(introduction.expires_at)),
            ended_at: introduction.ended_at.map(wire::from_timestamp),
            replaces: introduction.replaces.map(Id::name).unwrap_or_default(),
            etag: introduction.version.to_string(),
        }
    }
}

impl From<Reasons> for proto::Reasons {
    fn from(reasons: Reasons) -> Self {
        let words = |qualities: &[Quality]| qualities.iter().map(|quality| quality.text().to_owned()).collect();
        Self {
            distance_m: reasons.distance_m.map_or(-1, i64::from),
            department_wished: reasons.department_wished,
            sector_wished: reasons.sector_wished,
            needs_met: words(&reasons.needs_met),
            needs_not_met: words(&reasons.needs_not_met),
            available_from: Some(wire::from_date(reasons.available_from)),
            needed_by: Some(wire::from_date(reasons.needed_by)),
            choice: rank(reasons.choice),
            choices: rank(reasons.choices),
            preference: rank(reasons.preference),
            sentence: reasons.sentence(),
        }
    }
}

/// A rank on the wire: 0 where it was not counted.
fn rank(rank: Option<u32>) -> i32 {
    rank.map_or(0, |rank| i32::try_from(rank).unwrap_or(i32::MAX))
}

impl From<Recruitment> for proto::Recruitment {
    fn from(recruitment: Recruitment) -> Self {
        use proto::recruitment::{CancelReason, State};
        let state = match recruitment.state {
            RecruitmentState::Selected => State::Selected,
            RecruitmentState::Cancelled => State::Cancelled,
            RecruitmentState::Signed => State::Signed,
            RecruitmentState::Ended => State::Ended,
        };
        let cancel_reason = recruitment.cancel_reason.as_deref().and_then(CancelReason::from_str_name);
        Self {
            name: recruitment.id.name(),
            structure: recruitment.structure.name(),
            application: recruitment.application.name(),
            post: conum_kernel::post_name(recruitment.application, recruitment.post),
            candidate: recruitment.candidate.name(),
            state: state.into(),
            selected_at: Some(wire::from_timestamp(recruitment.selected_at)),
            contract: recruitment.contract.map(Into::into),
            ending: recruitment.ending.map(Into::into),
            cancel_reason: cancel_reason.unwrap_or_default().into(),
            etag: recruitment.version.to_string(),
        }
    }
}

impl From<Contract> for proto::Contract {
    fn from(contract: Contract) -> Self {
        use proto::contract::Kind;
        let kind = match contract.kind {
            ContractKind::Permanent => Kind::Permanent,
            ContractKind::FixedTerm => Kind::FixedTerm,
            ContractKind::Project => Kind::Project,
        };
        Self {
            kind: kind.into(),
            signed_on: Some(wire::from_date(contract.signed_on)),
            start_date: Some(wire::from_date(contract.start_date)),
            end_date: contract.end_date.map(wire::from_date),
            gross_monthly_cents: contract.gross_monthly.0,
            full_time: contract.full_time,
        }
    }
}

impl From<Ending> for proto::Ending {
    fn from(ending: Ending) -> Self {
        let reason = proto::ending::Reason::from_str_name(&format!("REASON_{}", ending.reason));
        Self {
            reason: reason.unwrap_or_default().into(),
            last_day: Some(wire::from_date(ending.last_day)),
            document_sha256: ending.documents,
        }
    }
}

/// A contract from the wire.
///
/// # Errors
/// Names every field that is missing or unknown.
pub fn contract(contract: Option<&proto::Contract>) -> Result<Contract> {
    use proto::contract::Kind;
    let contract = contract.ok_or_else(|| wire::required("contract"))?;
    let mut wrong = conum_kernel::Violations::default();
    let kind = match contract.kind() {
        Kind::Permanent => Some(ContractKind::Permanent),
        Kind::FixedTerm => Some(ContractKind::FixedTerm),
        Kind::Project => Some(ContractKind::Project),
        Kind::Unspecified => wrong.take(Err(wire::unknown_value("contract.kind"))),
    };
    let signed_on = wrong.take(wire::required_date("contract.signed_on", contract.signed_on.as_ref()));
    let start_date = wrong.take(wire::required_date("contract.start_date", contract.start_date.as_ref()));
    let end_date = wrong.take(wire::date("contract.end_date", contract.end_date.as_ref()));
    match (kind, signed_on, start_date, end_date) {
        (Some(kind), Some(signed_on), Some(start_date), Some(end_date)) => Ok(Contract {
            kind,
            signed_on,
            start_date,
            end_date,
            gross_monthly: Cents(contract.gross_monthly_cents),
            full_time: contract.full_time,
        }),
        _ => Err(wrong.into_error()),
    }
}

/// An early end from the wire.
///
/// # Errors
/// Names the field that is missing or unknown.
pub fn ending(ending: Option<&proto::Ending>) -> Result<Ending> {
    use proto::ending::Reason;
    let ending = ending.ok_or_else(|| wire::required("ending"))?;
    if ending.reason() == Reason::Unspecified {
        return Err(wire::unknown_value("ending.reason").with_rule(conum_kernel::Rule("M08")));
    }
    Ok(Ending {
        reason: ending.reason().as_str_name().trim_start_matches("REASON_").to_owned(),
        last_day: wire::required_date("ending.last_day", ending.last_day.as_ref())?,
        documents: ending.document_sha256.clone(),
    })
}

/// A post on the wire.
#[must_use]
pub fn post(post: &Post) -> proto::Post {
    use proto::post::State;
    let state = match states::post(post.given_back, post.holder.map(|(_, state)| state)) {
        states::Post::Vacant => State::Vacant,
        states::Post::Filled => State::Filled,
        states::Post::GivenBack => State::GivenBack,
    };
    proto::Post {
        name: conum_kernel::post_name(post.application, post.id),
        structure: post.structure.name(),
        wave: post.wave.name(),
        state: state.into(),
        recruitment: post.holder.map(|(id, _)| id.name()).unwrap_or_default(),
        start_date: Some(wire::from_date(post.start_date)),
        active: post.active,
    }
}

/// A person's state on the wire.
#[must_use]
pub fn adviser(state: states::Adviser) -> proto::adviser::State {
    use proto::adviser::State;
    match state {
        states::Adviser::Free => State::Free,
        states::Adviser::Introduced => State::Introduced,
        states::Adviser::Selected => State::Selected,
        states::Adviser::Signed => State::Signed,
        states::Adviser::InTraining => State::InTraining,
        states::Adviser::InPost => State::InPost,
        states::Adviser::Ended => State::Ended,
        states::Adviser::Gone => State::Gone,
    }
}

/// A notice on the wire. Ids of stored records are names there.
#[must_use]
pub fn notice(notice: &Notice) -> proto::Notice {
    use proto::notice::Kind;
    let kind = match notice.kind {
        NoticeKind::CandidatesShort => Kind::CandidatesShort,
        NoticeKind::SignatureLate => Kind::SignatureLate,
        NoticeKind::AssignmentStopped => Kind::AssignmentStopped,
    };
    proto::Notice {
        name: format!("notices/{}", notice.id),
        structure: format!("structures/{}", notice.structure),
        application: format!("applications/{}", notice.application),
        kind: kind.into(),
        at: Some(wire::from_timestamp(notice.at)),
        live: notice.live,
    }
}

/// A place as events tell it; the commune's centre where they do not.
fn place(location: Option<&LatLng>, commune: &str) -> Option<Place> {
    location
        .and_then(|at| Place::new(at.latitude, at.longitude).ok())
        .or_else(|| resolve(commune).commune().and_then(|commune| commune.place))
}

/// A candidate from an event.
///
/// # Errors
/// Names what cannot be read.
pub fn candidate(name: &str, facts: Option<&CandidateFacts>) -> Result<Candidate> {
    let facts = facts.ok_or_else(|| wire::required("facts"))?;
    let registered_at = facts.registered_at.as_ref().ok_or_else(|| wire::required("facts.registered_at"))?;
    let reach =
        if facts.anywhere { Reach::Anywhere } else { Reach::Within(u32::try_from(facts.max_km).unwrap_or_default()) };
    Ok(Candidate {
        id: CandidateId::parse_name("candidate", name)?,
        registered_at: wire::timestamp("facts.registered_at", registered_at)?,
        commune: facts.commune.clone(),
        place: place(facts.location.as_ref(), &facts.commune),
        department: facts.department.clone(),
        territory: territory_of(&facts.department),
        reach,
        available_from: wire::required_date("facts.available_from", facts.available_from.as_ref())?,
        wished_departments: facts.wished_departments.clone(),
        wished_sectors: facts.wished_kinds.iter().filter_map(|kind| Sector::parse(kind)).collect(),
        offers: facts.offers.iter().filter_map(|offer| Quality::parse(offer)).collect(),
        eligible: facts.eligible,
        job_seeker_since: wire::date("facts.job_seeker_since", facts.job_seeker_since.as_ref())?,
    })
}

/// A structure from an event.
///
/// # Errors
/// Names what cannot be read.
pub fn structure(granted: &PostsGranted) -> Result<Structure> {
    let sector = match Sector::parse(&granted.structure_kind) {
        Some(sector) => sector,
        // A record of the past that lacks it is served once it is told again, complete.
        None if !granted.ready => Sector::Public,
        None => return Err(Error::internal("unknown sector")),
    };
    let needs = granted
        .needs
        .iter()
        .filter_map(|need| Quality::parse(&need.need).map(|quality| Need { quality, compulsory: need.compulsory }));
    Ok(Structure {
        id: StructureId::parse_name("structure", &granted.structure)?,
        application: ApplicationId::parse_name("application", &granted.application)?,
        commune: granted.commune.clone(),
        place: place(granted.location.as_ref(), &granted.commune),
        department: granted.department.clone(),
        territory: territory_of(&granted.department),
        sector,
        needs: needs.collect(),
        candidate_found: granted.candidate_found,
    })
}
