//! What is mended of a line about a structure, and warned of: codes without their zero, communes that vanished or are not
//! said, departments and coordinates that contradict them.

use conum_applications::domain::registration_number;
use conum_geo::{Commune, Place, Resolved, communes_by_postal_code, distance_m, resolve};
use conum_kernel::Violations;
use conum_proto::{applications::v1::StructureKind, google::r#type::LatLng};

use super::cells;

/// The name is not known: it is left empty.
pub(super) const NAME_MISSING: &str = "NAME_MISSING";
/// The commune is not known, and the postal code does not tell it.
pub(super) const MISSING_COMMUNE: &str = "MISSING_COMMUNE";
/// The commune is not said: it is the only one of the postal code.
pub(super) const COMMUNE_FROM_POSTAL_CODE: &str = "COMMUNE_FROM_POSTAL_CODE";
/// The code of the commune is that of one that is part of another today.
pub(super) const VANISHED_COMMUNE: &str = "VANISHED_COMMUNE";
/// The department is not the commune's, which stands.
pub(super) const DEPARTMENT_CONTRADICTS_COMMUNE: &str = "DEPARTMENT_CONTRADICTS_COMMUNE";
/// A code came as a number, without the zero at its head: it has it again.
pub(super) const LOST_ZERO_MENDED: &str = "LOST_ZERO_MENDED";
/// The commune's centre stands for the coordinates.
pub(super) const MISSING_COORDINATES: &str = "MISSING_COORDINATES";
/// The coordinates are far from the commune, whose centre stands for them.
pub(super) const COORDINATES_CONTRADICT_COMMUNE: &str = "COORDINATES_CONTRADICT_COMMUNE";

/// No place of a commune is farther from its centre, in metres: those of Guyane are that large.
const FAR_M: u32 = 100_000;

/// What a line says, in the words of the platform.
#[derive(Clone, Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) source_id: String,
    pub(super) registration_number: &'a str,
    pub(super) legal_name: &'a str,
    /// None where it is none of the profile's.
    pub(super) kind: Option<StructureKind>,
    /// INSEE code.
    pub(super) commune: &'a str,
    pub(super) postal_code: &'a str,
    pub(super) department: &'a str,
    pub(super) address: &'a str,
    pub(super) posts: &'a str,
    pub(super) committee_date: &'a str,
    pub(super) latitude: &'a str,
    pub(super) longitude: &'a str,
}

/// What there is to warn of, each once.
#[derive(Debug, Default)]
pub(super) struct Warnings(pub(super) Vec<&'static str>);

impl Warnings {
    pub(super) fn add(&mut self, warning: &'static str) {
        if !self.0.contains(&warning) {
            self.0.push(warning);
        }
    }
}

/// A code that is said, with the zero that it lost.
pub(super) fn code(text: &str, digits: usize) -> Option<String> {
    let said = Some(cells::known(text)).filter(|code| !code.is_empty())?;
    Some(cells::with_lost_zero(said, digits).unwrap_or_else(|| said.to_owned()))
}

/// The commune of a line today, after its code or else its postal code.
pub(super) fn commune(said: &Said<'_>, warnings: &mut Warnings) -> Option<&'static Commune> {
    for (text, digits) in [(said.commune, 5), (said.postal_code, 5), (said.department, 2)] {
        if cells::with_lost_zero(text, digits).is_some() && !cells::known(text).is_empty() {
            warnings.add(LOST_ZERO_MENDED);
        }
    }
    let commune = match code(said.commune, 5) {
        Some(code) => {
            let resolved = resolve(&code);
            if matches!(resolved, Resolved::Vanished { .. }) {
                warnings.add(VANISHED_COMMUNE);
            }
            resolved.commune()
        }
        None => only_commune(said.postal_code, warnings),
    };
    if let (Some(commune), Some(department)) = (commune, code(said.department, 2))
        && !department.eq_ignore_ascii_case(commune.department)
    {
        warnings.add(DEPARTMENT_CONTRADICTS_COMMUNE);
    }
    commune
}

/// The commune of a postal code, where it is the only one.
fn only_commune(postal_code: &str, warnings: &mut Warnings) -> Option<&'static Commune> {
    let found = code(postal_code, 5).map(|code| communes_by_postal_code(&code));
    if let Some([only]) = found {
        warnings.add(COMMUNE_FROM_POSTAL_CODE);
        return Some(*only);
    }
    warnings.add(MISSING_COMMUNE);
    None
}

/// A SIRET or RIDET: a line without one names no structure, and cannot be told from another's.
pub(super) fn number(text: &str, commune: Option<&Commune>, wrong: &mut Violations, warnings: &mut Warnings) -> String {
    const FIELD: &str = "registration_number";
    let said = cells::known(text);
    if said.is_empty() {
        wrong.missing(FIELD);
        return String::new();
    }
    let department = commune.map(|commune| commune.department);
    if let Some(mended) = cells::with_lost_zero(said, 14)
        && let Ok(number) = registration_number::check(FIELD, &mended, department)
    {
        warnings.add(LOST_ZERO_MENDED);
        return number;
    }
    wrong.take(registration_number::check(FIELD, said, department)).unwrap_or_default()
}

/// The coordinates, where they are some and near the commune: else the platform takes the commune's centre.
pub(super) fn location(said: &Said<'_>, commune: Option<&Commune>, warnings: &mut Warnings) -> Option<LatLng> {
    let degrees = (cells::degrees(said.latitude), cells::degrees(said.longitude));
    let place =
        if let (Some(latitude), Some(longitude)) = degrees { Place::new(latitude, longitude).ok() } else { None };
    let Some(place) = place else {
        warnings.add(MISSING_COORDINATES);
        return None;
    };
    if let Some(centre) = commune.and_then(|commune| commune.place)
        && distance_m(centre, place) > FAR_M
    {
        warnings.add(COORDINATES_CONTRADICT_COMMUNE);
        return None;
    }
    Some(LatLng { latitude: place.lat(), longitude: place.lon() })
}

/// A text without control characters.
pub(super) fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
