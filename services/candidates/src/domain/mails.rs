//! The mails that go to candidates: what happened and the ids it is about. Who it goes to and how it reads is found at
//! sending, from the registration as it is then.
//!
//! Structures' mails, reminders among them, are the applications service's.

use conum_kernel::{CandidateId, IntroductionId, RecruitmentId, StructureId, TrainingId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::trainings::{Exam, Plan, StopReason};

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
    /// A training was opened: a session is to be chosen, and an organisation will write (M06, T05).
    TrainingOpened { candidate: CandidateId, training: TrainingId },
    /// The plan of the training was settled, or changed (T01, T02).
    TrainingPlanned { candidate: CandidateId, training: TrainingId, plan: Plan },
    /// The plan of the training fell with its seat: another is to be settled (T05).
    TrainingUnplanned { candidate: CandidateId, training: TrainingId },
    /// The result of an exam, without a score (T03).
    Examined { candidate: CandidateId, training: TrainingId, exam: Exam, attempts_left: u32, on: Date },
    /// The hours are done, and both certifications passed (T03).
    Trained { candidate: CandidateId, training: TrainingId, hours: u32, on: Date },
    /// The training stopped before its end.
    TrainingStopped { candidate: CandidateId, training: TrainingId, reason: StopReason },
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
            | Self::TrainingOpened { candidate, .. }
            | Self::TrainingPlanned { candidate, .. }
            | Self::TrainingUnplanned { candidate, .. }
            | Self::Examined { candidate, .. }
            | Self::Trained { candidate, .. }
            | Self::TrainingStopped { candidate, .. }
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
            Self::TrainingOpened { .. } => "training-opened",
            Self::TrainingPlanned { .. } => "training-planned",
            Self::TrainingUnplanned { .. } => "training-unplanned",
            Self::Examined { .. } => "examined",
            Self::Trained { .. } => "trained",
            Self::TrainingStopped { .. } => "training-stopped",
            Self::Merged { .. } => "merged",
            Self::Left { .. } => "left",
            Self::LeaveRefused { .. } => "leave-refused",
            Self::InactivityNotice { .. } => "inactivity-notice",
        }
    }
}
