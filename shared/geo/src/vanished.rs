//! What became of commune codes: in force, vanished into another commune, or never seen.
//!
//! Source: `data/vanished.txt` (npm `@etalab/decoupage-administratif` 6.0.0): merged communes, delegated
//! and associated communes, and codes lost to a change of department (Corsica in 1976, the departments
//! around Paris in 1968).

use std::sync::LazyLock;

use crate::{Commune, commune, table};

/// What a commune code means today.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved {
    /// The code is in force.
    Current(&'static Commune),
    /// The code was in force, and its land is in another commune now.
    Vanished {
        /// The code asked for.
        code: &'static str,
        /// The commune in force today, successors that vanished in turn having been followed.
        now: &'static Commune,
    },
    /// Neither in force nor known to have been.
    Unknown,
}

impl Resolved {
    /// The commune in force today, if any.
    #[must_use]
    pub const fn commune(self) -> Option<&'static Commune> {
        match self {
            Self::Current(commune) | Self::Vanished { now: commune, .. } => Some(commune),
            Self::Unknown => None,
        }
    }
}

/// Finds what an exact INSEE commune code means today.
///
/// Beware of files with postal codes where commune codes should be: many a postal code is also a
/// commune code, in force or vanished, of somewhere else. `"75001"`, Paris 1er by post, was until 1968
/// the INSEE code of Alfortville.
#[must_use]
pub fn resolve(code: &str) -> Resolved {
    if let Some(commune) = commune(code) {
        return Resolved::Current(commune);
    }
    let vanished = vanished();
    vanished
        .binary_search_by_key(&code, |(old, _)| old)
        .map_or(Resolved::Unknown, |at| Resolved::Vanished { code: vanished[at].0, now: vanished[at].1 })
}

/// Vanished codes, sorted, each with its commune of today: `data/rebuild.py` follows successors that
/// vanished in turn, so one step is enough here.
fn vanished() -> &'static [(&'static str, &'static Commune)] {
    static VANISHED: LazyLock<Vec<(&'static str, &'static Commune)>> = LazyLock::new(|| {
        let mut vanished: Vec<_> = table::rows(include_str!("../data/vanished.txt"))
            .filter_map(|row| row.split_once(' '))
            .filter_map(|(code, now)| Some((code, commune(now)?)))
            .collect();
        vanished.sort_unstable_by_key(|(code, _)| *code);
        vanished
    });
    &VANISHED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_leads_to_a_commune_in_force() {
        assert_eq!(vanished().len(), table::rows(include_str!("../data/vanished.txt")).count());
        assert!(vanished().windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(vanished().iter().all(|(code, _)| commune(code).is_none()));
    }
}
