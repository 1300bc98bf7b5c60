//! The mails that go to candidates: what happened and the ids it is about. Who it goes to and how it reads is found at
//! sending, from the registration as it is then.
//!
//! Structures' mails, reminders among them, are the applications service's.

use conum_kernel::{CandidateId, IntroductionId, RecruitmentId, StructureId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A mail to a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mail {
    /// The registration was received.
    Registered { candidate: CandidateId },
    /// Introduced to a structure (M02).
    Introduced { candidate: CandidateId, introduction: IntroductionId, structure: StructureId },
    /// An introduction ended without the person being chosen (M02, M03).
    ClosedNotChosen { candidate: CandidateId, introduction: IntroductionId, structure: StructureId },
    /// Selected by a structure (M06).
    Selected { candidate: CandidateId, recruitment: RecruitmentId, structure: StructureId },
    /// The selection was cancelled before the signature: the person is free again (M06).
    SelectionCancelled { candidate: CandidateId, recruitment: RecruitmentId, structure: StructureId },
    /// Two registrations of the person became one (C08).
    Merged { candidate: CandidateId },
    /// The person has left the programme.
    Left { candidate: CandidateId },
    /// The person has not left: a contract is signed, and is ended first (M08).
    LeaveRefused { candidate: CandidateId },
    /// The file has been inactive, and is anonymised after `last_day` unless the person is heard of (C07).
    InactivityNotice { candidate: CandidateId, last_day: Date },
}

impl Mail {
    /// Whom it goes to.
    #[must_use]
    pub fn to(&self) -> CandidateId {
        match self {
            Self::Registered { candidate }
            | Self::Introduced { candidate, .. }
            | Self::ClosedNotChosen { candidate, .. }
            | Self::Selected { candidate, .. }
            | Self::SelectionCancelled { candidate, .. }
            | Self::Merged { candidate }
            | Self::Left { candidate }
            | Self::LeaveRefused { candidate }
            | Self::InactivityNotice { candidate, .. } => *candidate,
        }
    }

    /// Its kind, kebab-case: what an export says of it (C07), and the name of its template.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "registered",
            Self::Introduced { .. } => "introduced",
            Self::ClosedNotChosen { .. } => "closed-not-chosen",
            Self::Selected { .. } => "selected",
            Self::SelectionCancelled { .. } => "selection-cancelled",
            Self::Merged { .. } => "merged",
            Self::Left { .. } => "left",
            Self::LeaveRefused { .. } => "leave-refused",
            Self::InactivityNotice { .. } => "inactivity-notice",
        }
    }
}
