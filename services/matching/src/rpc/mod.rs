//! The methods of `conum.matching.v1`, and matching's reaction to others' events.

pub mod convert;
pub mod inbox;
pub mod introductions;
pub mod recruitments;
pub mod studies;

use conum_kernel::{CandidateId, Error, StructureId};
use conum_service::{Call, Failure, Scope};

/// The structure or candidate that a list is narrowed to: what the request asks for, and no more than the caller owns.
pub(crate) fn narrowed(
    call: &Call,
    structure: &str,
    candidate: &str,
) -> Result<(Option<StructureId>, Option<CandidateId>), Failure> {
    let mut structure = (!structure.is_empty()).then(|| StructureId::parse_name("structure", structure)).transpose()?;
    let mut candidate = (!candidate.is_empty()).then(|| CandidateId::parse_name("candidate", candidate)).transpose()?;
    if call.scope == Scope::Any {
        return Ok((structure, candidate));
    }
    if let Some(own) = call.caller.owned_in("structures/") {
        let own = StructureId::parse_name("structure", own)?;
        if structure.is_some_and(|asked| asked != own) {
            return Err(Error::denied("NOT_YOURS").into());
        }
        structure = Some(own);
    } else if let Some(own) = call.caller.owned_in("candidates/") {
        let own = CandidateId::parse_name("candidate", own)?;
        if candidate.is_some_and(|asked| asked != own) {
            return Err(Error::denied("NOT_YOURS").into());
        }
        candidate = Some(own);
    } else {
        return Err(Error::denied("NOT_YOURS").into());
    }
    Ok((structure, candidate))
}
