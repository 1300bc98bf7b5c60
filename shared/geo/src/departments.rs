//! The departments, overseas ones and overseas collectivities included, and the search for one by a
//! name typed by hand.
//!
//! Source: `data/departments.txt` (names and codes from npm `@etalab/decoupage-administratif` 6.0.0,
//! population and place derived from the communes by `data/rebuild.py`).

use std::sync::LazyLock;

use crate::{Place, table};

/// A department, or an overseas collectivity that stands for one in addresses and INSEE codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Department {
    /// `"01"` to `"95"` with `"2A"` and `"2B"` for Corsica, then `"971"` to `"989"`.
    pub code: &'static str,
    /// Official name: `"Côtes-d'Armor"`.
    pub name: &'static str,
    /// INSEE region code: `"53"`; overseas collectivities have their own code here.
    pub region: &'static str,
    /// Name of the region: `"Bretagne"`.
    pub region_name: &'static str,
    /// Inhabitants at the last census: the sum over its communes.
    pub population: u32,
    /// Where its inhabitants are on average (mean of the communes' centres weighted by population):
    /// what to measure from when only the department is known. Unknown in the overseas collectivities,
    /// whose communes have no centre in the source.
    pub place: Option<Place>,
}

/// Every department and overseas collectivity, sorted by code.
#[must_use]
pub fn departments() -> &'static [Department] {
    static DEPARTMENTS: LazyLock<Vec<Department>> = LazyLock::new(|| {
        let mut departments: Vec<Department> =
            table::rows(include_str!("../data/departments.txt")).filter_map(read).collect();
        departments.sort_unstable_by_key(|department| department.code);
        departments
    });
    &DEPARTMENTS
}

/// The department with this exact code: `"01"`, not `"1"`; `"2A"`, not `"20"` nor `"2a"`.
#[must_use]
pub fn department(code: &str) -> Option<&'static Department> {
    let all = departments();
    all.binary_search_by_key(&code, |department| department.code).ok().map(|at| &all[at])
}

/// The department a hand-typed name means, whatever its case, accents, hyphens, apostrophes, leading
/// article, and with "St" for "Saint": `"cotes d armor"`, `"REUNION"`, `"Seine St Denis"`.
///
/// No guess beyond that: a misspelt name finds nothing.
#[must_use]
pub fn find_department_by_name(name: &str) -> Option<&'static Department> {
    static BY_NAME: LazyLock<Vec<(String, &'static Department)>> =
        LazyLock::new(|| departments().iter().map(|department| (plain(department.name), department)).collect());
    let wanted = plain(name);
    BY_NAME.iter().find(|(known, _)| *known == wanted).map(|(_, department)| *department)
}

fn read(row: &'static str) -> Option<Department> {
    let mut fields = row.split(';');
    Some(Department {
        code: fields.next()?,
        name: fields.next()?,
        region: fields.next()?,
        region_name: fields.next()?,
        population: fields.next()?.parse().ok()?,
        place: table::place(fields.next()?, fields.next()?),
    })
}

/// What is left of a name once the ways of typing it are set aside: lower-case words without accents,
/// one space between them.
fn plain(name: &str) -> String {
    let mut letters = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'à' | 'â' | 'ä' => letters.push('a'),
            'ç' => letters.push('c'),
            'é' | 'è' | 'ê' | 'ë' => letters.push('e'),
            'î' | 'ï' => letters.push('i'),
            'ô' | 'ö' => letters.push('o'),
            'ù' | 'û' | 'ü' => letters.push('u'),
            'ÿ' => letters.push('y'),
            'œ' => letters.push_str("oe"),
            'æ' => letters.push_str("ae"),
            // Some systems write "é" as "e" followed by a combining accent.
            '\u{300}'..='\u{36F}' => {}
            letter if letter.is_alphanumeric() => letters.push(letter),
            _ => letters.push(' '),
        }
    }
    let mut words: Vec<&str> = letters.split_ascii_whitespace().collect();
    if words.len() > 1 && matches!(words[0], "l" | "la" | "le" | "les") {
        words.remove(0);
    }
    for word in &mut words {
        match *word {
            "st" => *word = "saint",
            "ste" => *word = "sainte",
            _ => {}
        }
    }
    words.join(" ")
}
