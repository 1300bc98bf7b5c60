//! What matching knows of a candidate: place, wishes and eligibility under the id, without identity.

use conum_geo::{Place, Territory};
use conum_kernel::CandidateId;
pub use conum_kernel::Sector;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// A candidate, as the person's own service tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub id: CandidateId,
    pub registered_at: Timestamp,
    /// INSEE code.
    pub commune: String,
    pub place: Option<Place>,
    /// INSEE code of the department or overseas collectivity.
    pub department: String,
    pub territory: Option<Territory>,
    pub reach: Reach,
    pub available_from: Date,
    /// Departments that make a pair possible whatever the distance (C04).
    pub wished_departments: Vec<String>,
    /// Sectors that the person prefers.
    pub wished_sectors: Vec<Sector>,
    pub offers: Vec<Quality>,
    /// False while something keeps the person out of introductions (C02, C08).
    pub eligible: bool,
    /// Since when a job seeker has been one.
    pub job_seeker_since: Option<Date>,
}

/// How far a candidate goes (C04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Kilometres, great-circle, between the communes' centres.
    Within(u32),
    /// Anywhere on this side of the sea.
    Anywhere,
}

/// What a structure may need and a candidate may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Experience of digital mediation.
    Experience,
    /// A diploma or a certificate of the field.
    Qualification,
    DrivingLicence,
}

impl Quality {
    /// As events write it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "experience" => Some(Self::Experience),
            "qualification" => Some(Self::Qualification),
            "driving_licence" => Some(Self::DrivingLicence),
            _ => None,
        }
    }

    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Experience => "experience",
            Self::Qualification => "qualification",
            Self::DrivingLicence => "driving_licence",
        }
    }

    /// In French, for people.
    #[must_use]
    pub fn french(self) -> &'static str {
        match self {
            Self::Experience => "expérience de la médiation numérique",
            Self::Qualification => "qualification",
            Self::DrivingLicence => "permis de conduire",
        }
    }
}
