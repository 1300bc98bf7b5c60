//! The mails to training organisations: what happened and the ids it is about. Whom it goes to is read at sending; the
//! person is named by no more than the training.

use conum_kernel::{OrganisationId, SessionId, TrainingId};
use serde::{Deserialize, Serialize};

/// A mail to the contact of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mail {
    /// A training was opened in its territory (M06).
    Opened {
        organisation: OrganisationId,
        training: TrainingId,
    },
    SeatTaken {
        organisation: OrganisationId,
        training: TrainingId,
        session: SessionId,
    },
    SeatFreed {
        organisation: OrganisationId,
        training: TrainingId,
        session: SessionId,
    },
}

impl Mail {
    /// Whom it goes to.
    #[must_use]
    pub fn to(&self) -> OrganisationId {
        match self {
            Self::Opened { organisation, .. }
            | Self::SeatTaken { organisation, .. }
            | Self::SeatFreed { organisation, .. } => *organisation,
        }
    }

    /// Its kind, kebab-case.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "training-opened",
            Self::SeatTaken { .. } => "seat-taken",
            Self::SeatFreed { .. } => "seat-freed",
        }
    }
}
