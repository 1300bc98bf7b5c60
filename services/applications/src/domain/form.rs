//! What a structure says when it applies: itself, who answers for it, the missions, the commitments, what it looks for.
//! As received first, and as checked once it stands in an application; the posts are in `post`, the checks in
//! `form_checks`.

use std::fmt;

use conum_kernel::{Error, Result};
use serde::{Deserialize, Serialize};

/// All that an applicant may say and correct, its posts apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Form {
    pub profile: Profile,
    /// The person in charge of the recruitment (A07). Absent in a record of the past.
    pub contact: Option<Contact>,
    /// The adviser's future line manager (A14). Absent in a record of the past.
    pub line_manager: Option<LineManager>,
    /// The first is the first of the missions (A15).
    pub missions: Vec<Mission>,
    /// The activities take place where residents already go (A15).
    pub in_frequented_places: bool,
    /// What was ticked (A13).
    pub commitments: Vec<Commitment>,
    /// The wording that was ticked (A13); as received, empty stands for the one in force.
    pub commitments_version: String,
    pub needs: Vec<Need>,
    /// Somebody is already found (A11). Told as a fact; it changes no decision and stops no introduction.
    pub candidate_found: bool,
    /// As information (A18): no decision reads it.
    pub linked_programmes: Vec<LinkedProgramme>,
}

/// The structure (structure d'accueil), as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// SIRET, or RIDET in New Caledonia: digits only once checked (A05). `None` where a record of the past lacks it.
    pub registration_number: Option<String>,
    /// At most 200 characters. Empty where a record of the past lacks it.
    pub legal_name: String,
    pub kind: Option<StructureKind>,
    /// Where it is, already resolved from the commune's code.
    pub place: Option<Place>,
    /// At most 300 characters; may be empty.
    pub address: String,
}

impl Profile {
    /// INSEE code of its department, where its place is known.
    #[must_use]
    pub fn department(&self) -> Option<&str> {
        self.place.as_ref().map(|place| place.department.as_str())
    }
}

/// A place, resolved from the commune's code by the embedded tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// INSEE code of today's commune.
    pub commune: String,
    pub commune_name: String,
    /// INSEE code of the department or the overseas collectivity.
    pub department: String,
    /// What the structure gave, or the commune's centre; some communes overseas have none.
    pub location: Option<Location>,
}

/// Degrees, WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
}

/// What kind of structure: it decides the documents (A12) and who may ask a derogation (A09, A10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructureKind {
    /// Commune, intercommunality, department, region (collectivité).
    LocalAuthority,
    PublicBody,
    Association,
    Company,
    /// Public, and no more is known: in a record of the past only.
    Public,
    /// Private, and no more is known: in a record of the past only.
    Private,
}

impl StructureKind {
    #[must_use]
    pub fn is_public(self) -> bool {
        matches!(self, Self::LocalAuthority | Self::PublicBody | Self::Public)
    }

    /// Whether more is known than public or private.
    #[must_use]
    pub fn is_precise(self) -> bool {
        !matches!(self, Self::Public | Self::Private)
    }
}

/// The person whom the platform writes to about an application (A07). Written to no log: its `Debug` says nothing.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    pub given_name: String,
    pub family_name: String,
    /// Free: any function may represent the structure (A07).
    pub function: String,
    pub email: String,
    /// May be empty.
    pub phone: String,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact").finish_non_exhaustive()
    }
}

/// The adviser's future line manager (A14).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineManager {
    pub function: String,
    pub volunteer: bool,
}

/// What an adviser may be asked to do (A15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mission {
    /// Bringing people to digital autonomy: compulsory, and first.
    DigitalAutonomy,
    EverydayUses,
    OnlineProcedures,
    CriticalCitizenship,
    AgentsTraining,
    Outreach,
    CulturalAction,
    Games,
    LocalBusinesses,
    /// Refused: building public digital services is another programme's work.
    PublicServiceDevelopment,
}

impl Mission {
    /// Whether it is allowed beside the first mission only, never alone.
    #[must_use]
    pub fn is_speciality(self) -> bool {
        matches!(
            self,
            Self::AgentsTraining | Self::Outreach | Self::CulturalAction | Self::Games | Self::LocalBusinesses
        )
    }
}

/// What a structure commits to (A13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commitment {
    FreeForThePublic,
    FullTime,
    TimeForMeetingsAndTraining,
    StateDress,
    Equipment,
    SelectionInTime,
    FreeWithoutMembership,
}

impl Commitment {
    /// Every one is compulsory (A13).
    pub const ALL: [Self; 7] = [
        Self::FreeForThePublic,
        Self::FullTime,
        Self::TimeForMeetingsAndTraining,
        Self::StateDress,
        Self::Equipment,
        Self::SelectionInTime,
        Self::FreeWithoutMembership,
    ];

    /// What it says, in English and in French.
    #[must_use]
    pub fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::FreeForThePublic => ("activities free for the public", "activités gratuites pour le public"),
            Self::FullTime => ("a full-time adviser", "conseiller à temps plein"),
            Self::TimeForMeetingsAndTraining => (
                "time left for meetings and continuing training",
                "temps laissé aux rencontres et à la formation continue",
            ),
            Self::StateDress => ("the dress provided by the State", "port de la tenue fournie par l'État"),
            Self::Equipment => ("equipment provided to the adviser", "équipement fourni au conseiller"),
            Self::SelectionInTime => ("selection within the delay", "sélection dans le délai prévu"),
            Self::FreeWithoutMembership => {
                ("free without a membership too", "gratuité même là où une adhésion est demandée")
            }
        }
    }
}

/// A quality that a structure looks for in a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    pub kind: NeedKind,
    /// A candidate without it is never introduced.
    pub compulsory: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedKind {
    Experience,
    Qualification,
    DrivingLicence,
}

/// A link with another programme (A18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkedProgramme {
    ThirdPlace,
    Fibre,
    CulturalPlan,
    FranceServices,
    TerritorialHub,
}

/// A part of an application that a correction may change: a path of the update mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Profile,
    Contact,
    LineManager,
    Posts,
    Missions,
    InFrequentedPlaces,
    Commitments,
    Needs,
    CandidateFound,
    LinkedProgrammes,
}

impl Field {
    pub const ALL: [Self; 10] = [
        Self::Profile,
        Self::Contact,
        Self::LineManager,
        Self::Posts,
        Self::Missions,
        Self::InFrequentedPlaces,
        Self::Commitments,
        Self::Needs,
        Self::CandidateFound,
        Self::LinkedProgrammes,
    ];

    /// Its path in an update mask.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Contact => "contact",
            Self::LineManager => "line_manager",
            Self::Posts => "posts",
            Self::Missions => "missions",
            Self::InFrequentedPlaces => "in_frequented_places",
            Self::Commitments => "commitments",
            Self::Needs => "needs",
            Self::CandidateFound => "candidate_found",
            Self::LinkedProgrammes => "linked_programmes",
        }
    }

    /// Reads a path of an update mask.
    ///
    /// # Errors
    /// `INVALID_UPDATE_MASK` at `update_mask`.
    pub fn parse(path: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|field| field.path() == path).ok_or_else(|| {
            Error::invalid(
                "update_mask",
                "INVALID_UPDATE_MASK",
                "the mask names a field that cannot be corrected",
                "le masque nomme un champ qui ne se corrige pas",
            )
        })
    }
}

impl Form {
    /// This form with some fields taken from another.
    #[must_use]
    pub fn with(&self, fields: &[Field], from: &Self) -> Self {
        let mut form = self.clone();
        for field in fields {
            match field {
                Field::Profile => form.profile.clone_from(&from.profile),
                Field::Contact => form.contact.clone_from(&from.contact),
                Field::LineManager => form.line_manager.clone_from(&from.line_manager),
                Field::Missions => form.missions.clone_from(&from.missions),
                Field::InFrequentedPlaces => form.in_frequented_places = from.in_frequented_places,
                Field::Commitments => {
                    form.commitments.clone_from(&from.commitments);
                    form.commitments_version.clone_from(&from.commitments_version);
                }
                Field::Needs => form.needs.clone_from(&from.needs),
                Field::CandidateFound => form.candidate_found = from.candidate_found,
                Field::LinkedProgrammes => form.linked_programmes.clone_from(&from.linked_programmes),
                Field::Posts => {}
            }
        }
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples;

    #[test]
    fn a_mask_names_fields_that_may_be_corrected() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.path()), Ok(field));
        }
        assert_eq!(Field::parse("state").unwrap_err().reason(), "INVALID_UPDATE_MASK");
    }

    #[test]
    fn a_contact_is_never_printed() {
        let printed = format!("{:?}", examples::form());
        assert!(!printed.contains("Lovelace") && !printed.contains('@'), "{printed}");
    }
}
