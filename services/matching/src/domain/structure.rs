//! What matching knows of a structure that was granted posts.

use conum_geo::{Place, Territory};
use conum_kernel::{ApplicationId, StructureId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    candidate::{Quality, Sector},
    order::Called,
};

/// A structure, as its application was granted.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    pub id: StructureId,
    /// The application whose posts are served.
    pub application: ApplicationId,
    /// INSEE code.
    pub commune: String,
    pub place: Option<Place>,
    pub department: String,
    pub territory: Option<Territory>,
    pub sector: Sector,
    pub needs: Vec<Need>,
    /// The structure has found someone (A11): it is served all the same (M05).
    pub candidate_found: bool,
}

/// A quality that the structure looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    pub quality: Quality,
    /// A candidate without it is never introduced.
    pub compulsory: bool,
}

/// A structure that has places to fill, and the date by which it needs somebody: the earliest of its vacant posts'.
#[derive(Clone, Debug, PartialEq)]
pub struct Seat {
    pub structure: Structure,
    pub needed_by: Date,
    /// How many introductions it lacks.
    pub places: usize,
    /// The introductions that it has had.
    pub called: Called,
}
