//! From when, how far, where and with what experience (C03, C04).
//!
//! What matching makes of it is matching's: that "anywhere" does not cross the sea, for one.

pub use conum_kernel::Sector;
use conum_kernel::{Rule, Violations};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::policies::Settings;

const C03: Rule = Rule("C03");
const C04: Rule = Rule("C04");

/// How far the person goes (C04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// One of the allowed distances.
    Within { km: u32 },
    /// Anywhere on this side of the sea.
    Anywhere,
}

/// A reach as a command asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedReach {
    /// 0 with anywhere.
    pub max_km: i32,
    pub anywhere: bool,
}

/// Wishes (C04).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    /// INSEE codes of departments or overseas collectivities, each once.
    pub departments: Vec<String>,
    /// Each once.
    pub sectors: Vec<Sector>,
}

/// Wishes as a command asks for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedWishes {
    pub departments: Vec<String>,
    /// None where it is none of the list.
    pub sectors: Vec<Option<Sector>>,
}

/// Experience and qualifications (C04).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Background {
    /// Experience of digital mediation.
    pub experience: bool,
    /// A diploma or a certificate of the field.
    pub qualification: bool,
    pub driving_licence: bool,
}

impl Wishes {
    /// The wishes of both, each once, these first (C08).
    #[must_use]
    pub fn united(mut self, other: &Self) -> Self {
        other.departments.iter().for_each(|department| add(&mut self.departments, department.clone()));
        other.sectors.iter().for_each(|sector| add(&mut self.sectors, *sector));
        self
    }
}

impl Background {
    /// What either has (C08).
    #[must_use]
    pub fn united(self, other: Self) -> Self {
        Self {
            experience: self.experience || other.experience,
            qualification: self.qualification || other.qualification,
            driving_licence: self.driving_licence || other.driving_licence,
        }
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Checks the day from which the person is available: compulsory (C03). It may have passed.
pub(super) fn available_from(violations: &mut Violations, given: Option<Date>) -> Option<Date> {
    if given.is_none() {
        violations.breaks(
            C03,
            "candidate.available_from",
            "AVAILABILITY_REQUIRED",
            "the day from which the person is available is compulsory; in training, it is the day it ends",
            "la date de disponibilité est obligatoire ; en formation, c'est la date de fin de la formation",
        );
    }
    given
}

/// Checks how far the person goes (C04).
pub(super) fn reach(violations: &mut Violations, given: Option<AskedReach>, settings: &Settings) -> Option<Reach> {
    const DISTANCE: &str = "candidate.reach.max_km";
    let Some(given) = given else {
        violations.missing("candidate.reach");
        return None;
    };
    match (given.anywhere, u32::try_from(given.max_km)) {
        (true, Ok(0)) => Some(Reach::Anywhere),
        (true, _) => {
            violations.breaks(
                C04,
                DISTANCE,
                "DISTANCE_WITH_ANYWHERE",
                "choose a distance or anywhere, not both",
                "choisissez une distance ou partout, pas les deux",
            );
            None
        }
        (false, Ok(km)) if settings.allowed_km.contains(&km) => Some(Reach::Within { km }),
        (false, _) => {
            let allowed = settings.allowed_km.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            violations.breaks(
                C04,
                DISTANCE,
                "DISTANCE_NOT_ALLOWED",
                format!("choose one of {allowed} km, or anywhere"),
                format!("choisissez parmi {allowed} km, ou partout"),
            );
            None
        }
    }
}

/// Checks the wishes (C04): departments that exist, kinds of structure of the list; each is kept once.
pub(super) fn wishes(violations: &mut Violations, given: AskedWishes, is_department: fn(&str) -> bool) -> Wishes {
    let mut wishes = Wishes::default();
    for (place, code) in given.departments.iter().enumerate() {
        let code = code.trim().to_uppercase();
        if is_department(&code) {
            add(&mut wishes.departments, code);
        } else {
            violations.breaks(
                C04,
                format!("candidate.wishes.departments[{place}]"),
                "UNKNOWN_DEPARTMENT",
                "no department or overseas collectivity has this code",
                "aucun département ni aucune collectivité d'outre-mer n'a ce code",
            );
        }
    }
    for (place, sector) in given.sectors.into_iter().enumerate() {
        match sector {
            Some(sector) => add(&mut wishes.sectors, sector),
            None => violations.breaks(
                C04,
                format!("candidate.wishes.sectors[{place}]"),
                "UNKNOWN_SECTOR",
                "a kind of structure is public or private",
                "un type de structure est public ou privé",
            ),
        }
    }
    wishes
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    fn reach_of(max_km: i32, anywhere: bool) -> Result<Reach, &'static str> {
        let mut violations = Violations::default();
        let reached = reach(&mut violations, Some(AskedReach { max_km, anywhere }), &examples::settings());
        reached.ok_or_else(|| {
            let error = violations.into_error();
            assert_eq!((error.rule(), error.violations()[0].field.as_str()), (Some(C04), "candidate.reach.max_km"));
            error.reason()
        })
    }

    #[test]
    fn c03_an_availability_date_is_compulsory() {
        let mut violations = Violations::default();
        assert_eq!(available_from(&mut violations, None), None);
        let error = violations.check().unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("AVAILABILITY_REQUIRED", Some(C03)));
    }

    #[test]
    fn c04_a_distance_is_one_of_the_allowed_ones_or_anywhere() {
        assert_eq!(reach_of(40, false), Ok(Reach::Within { km: 40 }));
        assert_eq!(reach_of(0, true), Ok(Reach::Anywhere));
        assert_eq!(reach_of(41, false), Err("DISTANCE_NOT_ALLOWED"));
        assert_eq!(reach_of(0, false), Err("DISTANCE_NOT_ALLOWED"));
        assert_eq!(reach_of(-5, false), Err("DISTANCE_NOT_ALLOWED"));
        assert_eq!(reach_of(40, true), Err("DISTANCE_WITH_ANYWHERE"));
    }

    #[test]
    fn c04_the_allowed_distances_are_a_setting() {
        let settings = Settings { allowed_km: vec![30], ..examples::settings() };
        let asked = AskedReach { max_km: 30, anywhere: false };
        assert_eq!(reach(&mut Violations::default(), Some(asked), &settings), Some(Reach::Within { km: 30 }));
    }

    #[test]
    fn c04_wished_departments_exist_and_are_kept_once() {
        let mut violations = Violations::default();
        let asked = AskedWishes {
            departments: ["69", "2a", "69", "00"].map(String::from).to_vec(),
            sectors: vec![Some(Sector::Private), Some(Sector::Private), None],
        };
        let wishes = wishes(&mut violations, asked, examples::is_department);

        assert_eq!(wishes.departments, ["69", "2A"]);
        assert_eq!(wishes.sectors, [Sector::Private]);
        let error = violations.check().unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["candidate.wishes.departments[3]", "candidate.wishes.sectors[2]"]);
    }
}
