//! French public holidays and working days, zone by zone.
//!
//! The same answers as the PyPI package `jours-feries-france` 0.7.0 (Etalab, MIT), which the tests hold
//! a table of. The Labour Code's eleven days (art. L3133-1), the two more of Alsace-Moselle and the
//! abolition of slavery overseas are all it knows: days that an overseas assembly or a custom adds
//! (24 September in Nouvelle-Calédonie, Good Friday in the Antilles…) are not here.

use jiff::civil::{Date, Weekday};

use crate::{Territory, territory_of};

/// A part of France with public holidays of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Zone {
    /// Metropolitan France without Alsace and Moselle.
    Metropole,
    /// Departments 57, 67 and 68, under the ordinance of 16 August 1892. It grants Good Friday only
    /// where there is a Protestant church; here the whole zone has it.
    AlsaceMoselle,
    /// Guadeloupe: department 971.
    Guadeloupe,
    /// Guyane: department 973.
    Guyane,
    /// Martinique: department 972.
    Martinique,
    /// Mayotte: department 976.
    Mayotte,
    /// Nouvelle-Calédonie: department 988.
    NouvelleCaledonie,
    /// La Réunion: department 974.
    Reunion,
    /// Polynésie française: department 987.
    PolynesieFrancaise,
    /// Saint-Barthélemy: department 977.
    SaintBarthelemy,
    /// Saint-Martin (the French part of the island): department 978.
    SaintMartin,
    /// Wallis-et-Futuna: department 986.
    WallisEtFutuna,
    /// Saint-Pierre-et-Miquelon: department 975.
    SaintPierreEtMiquelon,
}

impl Zone {
    /// Every zone.
    pub const ALL: [Self; 13] = [
        Self::Metropole,
        Self::AlsaceMoselle,
        Self::Guadeloupe,
        Self::Guyane,
        Self::Martinique,
        Self::Mayotte,
        Self::NouvelleCaledonie,
        Self::Reunion,
        Self::PolynesieFrancaise,
        Self::SaintBarthelemy,
        Self::SaintMartin,
        Self::WallisEtFutuna,
        Self::SaintPierreEtMiquelon,
    ];

    /// A stable code to store and exchange: `"metropole"`, `"alsace-moselle"`, `"la-reunion"`…, those
    /// of the public holidays interface of api.gouv.fr.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Metropole => "metropole",
            Self::AlsaceMoselle => "alsace-moselle",
            Self::Guadeloupe => "guadeloupe",
            Self::Guyane => "guyane",
            Self::Martinique => "martinique",
            Self::Mayotte => "mayotte",
            Self::NouvelleCaledonie => "nouvelle-caledonie",
            Self::Reunion => "la-reunion",
            Self::PolynesieFrancaise => "polynesie-francaise",
            Self::SaintBarthelemy => "saint-barthelemy",
            Self::SaintMartin => "saint-martin",
            Self::WallisEtFutuna => "wallis-et-futuna",
            Self::SaintPierreEtMiquelon => "saint-pierre-et-miquelon",
        }
    }

    /// The zone with this exact [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|zone| zone.code() == code)
    }

    /// Month and day on which the zone celebrates the abolition of slavery.
    const fn abolition_of_slavery(self, year: i16) -> Option<(i8, i8)> {
        match self {
            Self::Mayotte => Some((4, 27)),
            Self::Martinique => Some((5, 22)),
            Self::Guadeloupe => Some((5, 27)),
            // Saint-Martin kept Guadeloupe's day until it chose its own.
            Self::SaintMartin => Some((5, if year < 2018 { 27 } else { 28 })),
            Self::Guyane => Some((6, 10)),
            Self::SaintBarthelemy => Some((10, 9)),
            Self::Reunion => Some((12, 20)),
            Self::Metropole
            | Self::AlsaceMoselle
            | Self::NouvelleCaledonie
            | Self::PolynesieFrancaise
            | Self::WallisEtFutuna
            | Self::SaintPierreEtMiquelon => None,
        }
    }
}

/// The holiday zone of a department, from its exact code; `None` for an unknown code and for TAAF
/// (984) and Clipperton (989), where no rule is known.
#[must_use]
pub fn zone_of_department(department_code: &str) -> Option<Zone> {
    match territory_of(department_code)? {
        Territory::Metropole if matches!(department_code, "57" | "67" | "68") => Some(Zone::AlsaceMoselle),
        Territory::Metropole => Some(Zone::Metropole),
        Territory::Guadeloupe => Some(Zone::Guadeloupe),
        Territory::Martinique => Some(Zone::Martinique),
        Territory::Guyane => Some(Zone::Guyane),
        Territory::Reunion => Some(Zone::Reunion),
        Territory::SaintPierreEtMiquelon => Some(Zone::SaintPierreEtMiquelon),
        Territory::Mayotte => Some(Zone::Mayotte),
        Territory::SaintBarthelemy => Some(Zone::SaintBarthelemy),
        Territory::SaintMartin => Some(Zone::SaintMartin),
        Territory::WallisEtFutuna => Some(Zone::WallisEtFutuna),
        Territory::PolynesieFrancaise => Some(Zone::PolynesieFrancaise),
        Territory::NouvelleCaledonie => Some(Zone::NouvelleCaledonie),
        Territory::TerresAustralesEtAntarctiques | Territory::Clipperton => None,
    }
}

/// The public holidays of a year with their French names, in order of date.
///
/// Two holidays can fall on the same date (1 May and Ascension in 2008): both are listed. The rules are
/// those in force since 1982, when 8 May came back; no holiday is known for earlier years.
#[must_use]
pub fn public_holidays(zone: Zone, year: i16) -> Vec<(Date, &'static str)> {
    if year < 1982 {
        return Vec::new();
    }
    let fixed = |month, day| Date::new(year, month, day).ok();
    let easter = easter(year);
    let after_easter = |days: i32| easter?.checked_add(jiff::Span::new().days(days)).ok();
    let in_alsace_moselle = |date: Option<Date>| date.filter(|_| zone == Zone::AlsaceMoselle);

    let holidays = [
        (fixed(1, 1), "1er janvier"),
        (fixed(5, 1), "1er mai"),
        (fixed(5, 8), "8 mai"),
        (fixed(7, 14), "14 juillet"),
        (fixed(8, 15), "Assomption"),
        (fixed(11, 1), "Toussaint"),
        (fixed(11, 11), "11 novembre"),
        (fixed(12, 25), "Jour de Noël"),
        (after_easter(1), "Lundi de Pâques"),
        (after_easter(39), "Ascension"),
        (after_easter(50), "Lundi de Pentecôte"),
        (in_alsace_moselle(after_easter(-2)), "Vendredi saint"),
        (in_alsace_moselle(fixed(12, 26)), "2ème jour de Noël"),
        (zone.abolition_of_slavery(year).and_then(|(month, day)| fixed(month, day)), "Abolition de l'esclavage"),
    ];
    let mut holidays: Vec<_> = holidays.into_iter().filter_map(|(date, name)| Some((date?, name))).collect();
    holidays.sort_by_key(|(date, _)| *date);
    holidays
}

/// Whether the date is a public holiday in the zone.
#[must_use]
pub fn is_public_holiday(zone: Zone, date: Date) -> bool {
    public_holidays(zone, date.year()).iter().any(|(holiday, _)| *holiday == date)
}

/// Whether the date is neither in a week-end nor a public holiday in the zone.
///
/// Every public holiday counts, Monday of Pentecost included, although some employers have people work
/// that day for the "journée de solidarité".
#[must_use]
pub fn is_working_day(zone: Zone, date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_public_holiday(zone, date)
}

/// Easter Sunday of a year of the Gregorian calendar: the "anonymous" algorithm that Meeus gives in
/// *Astronomical Algorithms*, chapter 8, and his names for the intermediate numbers.
#[expect(clippy::many_single_char_names, reason = "the algorithm is published with these names")]
fn easter(year: i16) -> Option<Date> {
    let a = year % 19;
    let b = year / 100;
    let c = year % 100;
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    Date::new(year, i8::try_from(n / 31).ok()?, i8::try_from(n % 31 + 1).ok()?).ok()
}
