//! Territories the sea separates: nobody commutes from one to another, however short the distance.

use crate::department;

/// A part of France one can travel within without crossing the ocean.
///
/// Corsica is in [`Territory::Metropole`]: no sea rule holds inside metropolitan France. Islands of
/// one collectivity (Guadeloupe, Polynésie française…) are one territory too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Territory {
    /// Mainland and Corsica: departments 01 to 95, 2A and 2B.
    Metropole,
    /// Guadeloupe: department 971.
    Guadeloupe,
    /// Martinique: department 972.
    Martinique,
    /// Guyane: department 973.
    Guyane,
    /// La Réunion: department 974.
    Reunion,
    /// Saint-Pierre-et-Miquelon: department 975.
    SaintPierreEtMiquelon,
    /// Mayotte: department 976.
    Mayotte,
    /// Saint-Barthélemy: department 977.
    SaintBarthelemy,
    /// Saint-Martin (the French part of the island): department 978.
    SaintMartin,
    /// Terres australes et antarctiques françaises (TAAF): department 984.
    TerresAustralesEtAntarctiques,
    /// Wallis-et-Futuna: department 986.
    WallisEtFutuna,
    /// Polynésie française: department 987.
    PolynesieFrancaise,
    /// Nouvelle-Calédonie: department 988.
    NouvelleCaledonie,
    /// Île de Clipperton, which nobody inhabits: department 989.
    Clipperton,
}

impl Territory {
    /// Every territory, in the order of department codes.
    pub const ALL: [Self; 14] = [
        Self::Metropole,
        Self::Guadeloupe,
        Self::Martinique,
        Self::Guyane,
        Self::Reunion,
        Self::SaintPierreEtMiquelon,
        Self::Mayotte,
        Self::SaintBarthelemy,
        Self::SaintMartin,
        Self::TerresAustralesEtAntarctiques,
        Self::WallisEtFutuna,
        Self::PolynesieFrancaise,
        Self::NouvelleCaledonie,
        Self::Clipperton,
    ];

    /// A stable code to store and exchange: `"metropole"`, or the overseas department's code
    /// (`"974"`).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Metropole => "metropole",
            Self::Guadeloupe => "971",
            Self::Martinique => "972",
            Self::Guyane => "973",
            Self::Reunion => "974",
            Self::SaintPierreEtMiquelon => "975",
            Self::Mayotte => "976",
            Self::SaintBarthelemy => "977",
            Self::SaintMartin => "978",
            Self::TerresAustralesEtAntarctiques => "984",
            Self::WallisEtFutuna => "986",
            Self::PolynesieFrancaise => "987",
            Self::NouvelleCaledonie => "988",
            Self::Clipperton => "989",
        }
    }

    /// The territory with this exact [`code`](Self::code).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|territory| territory.code() == code)
    }

    /// French name, to show to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metropole => "France métropolitaine",
            Self::Guadeloupe => "Guadeloupe",
            Self::Martinique => "Martinique",
            Self::Guyane => "Guyane",
            Self::Reunion => "La Réunion",
            Self::SaintPierreEtMiquelon => "Saint-Pierre-et-Miquelon",
            Self::Mayotte => "Mayotte",
            Self::SaintBarthelemy => "Saint-Barthélemy",
            Self::SaintMartin => "Saint-Martin",
            Self::TerresAustralesEtAntarctiques => "Terres australes et antarctiques françaises",
            Self::WallisEtFutuna => "Wallis-et-Futuna",
            Self::PolynesieFrancaise => "Polynésie française",
            Self::NouvelleCaledonie => "Nouvelle-Calédonie",
            Self::Clipperton => "Île de Clipperton",
        }
    }
}

/// The territory of a department, from the department's exact code; `None` for an unknown code.
#[must_use]
pub fn territory_of(department_code: &str) -> Option<Territory> {
    let code = department(department_code)?.code;
    // Overseas codes have three characters, and each is a territory of its own.
    if code.len() == 2 { Some(Territory::Metropole) } else { Territory::from_code(code) }
}
