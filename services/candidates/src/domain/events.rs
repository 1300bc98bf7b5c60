//! What candidates tells the other services: ids and facts, nothing that says who somebody is.

use conum_kernel::CandidateId;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    Decision,
    candidate::{Candidate, State},
    identity::Location,
    wishes::{Reach, Sector},
};

/// An event of a registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A candidate registered.
    Registered { candidate: CandidateId, facts: Facts },
    /// What matching knows of a candidate changed.
    Changed { candidate: CandidateId, facts: Facts },
    /// Two registrations became one (C08): `candidate` goes on, `merged` ended in it.
    Merged { candidate: CandidateId, merged: CandidateId },
    /// A candidate left, and asks to be released from introductions and selection.
    Left { candidate: CandidateId },
    /// A candidate was erased (C07): drop what is held.
    Erased { candidate: CandidateId },
}

impl Event {
    /// The registration it speaks of.
    #[must_use]
    pub fn subject(&self) -> CandidateId {
        match self {
            Self::Registered { candidate, .. }
            | Self::Changed { candidate, .. }
            | Self::Merged { candidate, .. }
            | Self::Left { candidate }
            | Self::Erased { candidate } => *candidate,
        }
    }
}

/// What matching needs of a candidate, without identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub registered_at: Timestamp,
    /// INSEE code.
    pub commune: String,
    /// None where the commune's centre is not known.
    pub location: Option<Location>,
    /// INSEE code of the department, or of the overseas collectivity.
    pub department: String,
    pub reach: Reach,
    pub available_from: Date,
    pub wished_departments: Vec<String>,
    pub wished_sectors: Vec<Sector>,
    pub offers: Vec<Offer>,
    /// False while something keeps the person out of introductions (C02, C08).
    pub eligible: bool,
    /// Since when a job seeker has been one.
    pub job_seeker_since: Option<Date>,
}

/// What a candidate offers to the needs of structures (C04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    Experience,
    Qualification,
    DrivingLicence,
}

/// Tells matching where the facts that it knows changed. Matching serves registered candidates only.
pub(super) fn telling_changes(before: Option<&Facts>, decision: Decision) -> Decision {
    let candidate: &Candidate = &decision.state;
    match candidate.facts() {
        Some(facts) if candidate.state == State::Registered && Some(&facts) != before => {
            let event = Event::Changed { candidate: candidate.id, facts };
            decision.event(event)
        }
        _ => decision,
    }
}
