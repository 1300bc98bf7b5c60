//! Whether a pair is possible, and why (M01, C04).
//!
//! Left to others: that a pair is introduced once (M03), that a candidate has room (M02), is not selected and not in
//! post. They follow from what has happened, not from the two profiles.

use conum_geo::distance_m;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    candidate::{Candidate, Quality, Reach},
    structure::{Need, Seat, Structure},
};

/// Why a pair is possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasons {
    /// Metres between the two communes' centres; nothing where a centre is not known.
    pub distance_m: Option<u32>,
    pub department_wished: bool,
    pub sector_wished: bool,
    pub needs_met: Vec<Quality>,
    pub needs_not_met: Vec<Quality>,
    pub available_from: Date,
    /// The date that availability was compared with.
    pub needed_by: Date,
    /// The place of the candidate in the structure's order, from 1; nothing where it was not counted.
    #[serde(default)]
    pub choice: Option<u32>,
    /// Of how many possible people with room.
    #[serde(default)]
    pub choices: Option<u32>,
    /// The place of the structure in the candidate's order, from 1.
    #[serde(default)]
    pub preference: Option<u32>,
}

/// What makes a pair impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Something keeps the person out of introductions (C02, C08).
    NotEligible,
    /// Beyond the person's distance, and no wish names the department.
    TooFar,
    /// Across the sea, and no wish names the department (C04).
    AcrossTheSea,
    /// A compulsory need is not met.
    NeedNotMet(Quality),
    /// Available after the post's date, or after today when that is past.
    NotAvailable,
}

/// Whether a candidate can be introduced to a structure today, and why.
///
/// # Errors
/// The first thing that makes it impossible, in the order of [`Exclusion`]: who is too far would not come whatever the
/// structure asks for.
pub fn possible(candidate: &Candidate, seat: &Seat, today: Date) -> Result<Reasons, Exclusion> {
    let structure = &seat.structure;
    if !candidate.eligible {
        return Err(Exclusion::NotEligible);
    }
    let distance = distance(candidate, structure);
    let department_wished = candidate.wished_departments.contains(&structure.department);
    if !department_wished {
        within_reach(candidate, structure, distance)?;
    }
    let (met, not_met): (Vec<Need>, Vec<Need>) =
        structure.needs.iter().copied().partition(|need: &Need| candidate.offers.contains(&need.quality));
    if let Some(need) = not_met.iter().find(|need| need.compulsory) {
        return Err(Exclusion::NeedNotMet(need.quality));
    }
    if candidate.available_from > seat.needed_by.max(today) {
        return Err(Exclusion::NotAvailable);
    }
    Ok(Reasons {
        distance_m: distance,
        department_wished,
        sector_wished: candidate.wished_sectors.contains(&structure.sector),
        needs_met: met.iter().map(|need| need.quality).collect(),
        needs_not_met: not_met.iter().map(|need| need.quality).collect(),
        available_from: candidate.available_from,
        needed_by: seat.needed_by,
        choice: None,
        choices: None,
        preference: None,
    })
}

/// Metres between the communes' centres: none within one commune.
#[must_use]
pub fn distance(candidate: &Candidate, structure: &Structure) -> Option<u32> {
    if candidate.commune == structure.commune {
        return Some(0);
    }
    Some(distance_m(candidate.place?, structure.place?))
}

fn within_reach(candidate: &Candidate, structure: &Structure, distance: Option<u32>) -> Result<(), Exclusion> {
    if candidate.territory != structure.territory {
        return Err(Exclusion::AcrossTheSea);
    }
    match (candidate.reach, distance) {
        (Reach::Anywhere, _) => Ok(()),
        (Reach::Within(km), Some(metres)) if metres <= km.saturating_mul(1000) => Ok(()),
        (Reach::Within(_), _) => Err(Exclusion::TooFar),
    }
}

impl Reasons {
    /// The same without the places in both orders.
    #[must_use]
    pub fn unranked(&self) -> Self {
        Self { choice: None, choices: None, preference: None, ..self.clone() }
    }

    /// The same in a sentence, in French.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut parts = vec![match self.distance_m {
            Some(0) => "habite la même commune".to_owned(),
            Some(metres) => format!("habite à {}", kilometres(metres)),
            None => "distance inconnue".to_owned(),
        }];
        if self.department_wished {
            parts.push("souhaite ce département".into());
        }
        if self.sector_wished {
            parts.push("souhaite ce type de structure".into());
        }
        let names = |qualities: &[Quality]| qualities.iter().map(|q| q.french()).collect::<Vec<_>>().join(", ");
        if !self.needs_met.is_empty() {
            parts.push(format!("répond à vos besoins ({})", names(&self.needs_met)));
        }
        if !self.needs_not_met.is_empty() {
            parts.push(format!("ne répond pas à un souhait ({})", names(&self.needs_not_met)));
        }
        let day = self.available_from;
        parts.push(format!("disponible à partir du {:02}/{:02}/{}", day.day(), day.month(), day.year()));
        match (self.choice, self.choices) {
            (Some(choice), Some(choices)) => parts.push(format!("{} sur {choices} pour la structure", ordinal(choice))),
            (Some(choice), None) => {
                parts.push(format!("{} des personnes encore possibles pour la structure", ordinal(choice)));
            }
            (None, _) => {}
        }
        if let Some(preference) = self.preference {
            let place = feminine_ordinal(preference);
            parts.push(format!("la structure est {place} pour cette personne parmi celles de la vague"));
        }
        parts.join(" ; ")
    }
}

/// A distance as people say it: to 100 m below 10 km, to the kilometre beyond.
fn kilometres(metres: u32) -> String {
    let tenths = (metres.saturating_add(50) / 100).max(1);
    if tenths < 100 {
        return format!("{},{} km", tenths / 10, tenths % 10);
    }
    match metres.saturating_add(500) / 1000 {
        km @ 1000.. => format!("{}\u{202f}{:03} km", km / 1000, km % 1000),
        km => format!("{km} km"),
    }
}

fn ordinal(place: u32) -> String {
    if place == 1 { "1er".into() } else { format!("{place}e") }
}

fn feminine_ordinal(place: u32) -> String {
    if place == 1 { "1re".into() } else { format!("{place}e") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        candidate::Sector,
        examples::{candidate, date, need, seat},
    };

    const TODAY: &str = "2021-03-01";

    fn check(candidate: &Candidate, seat: &Seat) -> Result<Reasons, Exclusion> {
        possible(candidate, seat, date(TODAY))
    }

    #[test]
    fn m01_distance_decides_up_to_the_metre() {
        // Lyon and Villeurbanne are about 4 km apart.
        let seat = seat("69266");
        let near = candidate("69123").within(5).build();
        let reasons = check(&near, &seat).unwrap();
        let metres = reasons.distance_m.unwrap();
        assert!((2_000..5_000).contains(&metres), "{metres}");
        assert_eq!(check(&candidate("69123").within(metres / 1000).build(), &seat), Err(Exclusion::TooFar));
    }

    #[test]
    fn m01_a_wish_for_the_department_makes_a_far_pair_possible() {
        let seat = seat("69266");
        let far = candidate("59350").within(5);
        assert_eq!(check(&far.clone().build(), &seat), Err(Exclusion::TooFar));
        let reasons = check(&far.wishes("69").build(), &seat).unwrap();
        assert!(reasons.department_wished);
        assert!(reasons.distance_m.unwrap() > 500_000);
    }

    #[test]
    fn c04_anywhere_never_crosses_the_sea_unless_a_wish_names_the_department() {
        let reunion = seat("97411");
        let anywhere = candidate("69123").anywhere();
        assert_eq!(check(&anywhere.clone().build(), &reunion), Err(Exclusion::AcrossTheSea));
        assert!(check(&anywhere.clone().wishes("974").build(), &reunion).is_ok());
        assert!(check(&anywhere.build(), &seat("2A004")).is_ok(), "Corsica is on this side");
    }

    #[test]
    fn m01_a_compulsory_need_excludes_and_a_wish_of_the_structure_does_not() {
        let bare = candidate("69123").build();
        let skilled = candidate("69123").offers(Quality::Experience).build();
        let compulsory = need(seat("69266"), Quality::Experience, true);
        assert_eq!(check(&bare, &compulsory), Err(Exclusion::NeedNotMet(Quality::Experience)));
        assert_eq!(check(&skilled, &compulsory).unwrap().needs_met, [Quality::Experience]);
        let wished = need(seat("69266"), Quality::Experience, false);
        assert_eq!(check(&bare, &wished).unwrap().needs_not_met, [Quality::Experience]);
    }

    #[test]
    fn m04_who_is_too_far_is_so_whatever_the_structure_asks_for() {
        let mut seat = need(seat("69266"), Quality::Experience, true);
        seat.needed_by = date("2021-01-01");
        let far = candidate("59350").within(5).available("2021-09-01").build();
        assert_eq!(check(&far, &seat), Err(Exclusion::TooFar));
    }

    #[test]
    fn m01_available_by_the_posts_date_or_by_today_when_that_is_past() {
        let mut seat = seat("69266");
        seat.needed_by = date("2021-04-01");
        let on = |day: &str| candidate("69123").available(day).build();
        assert!(check(&on("2021-04-01"), &seat).is_ok());
        assert_eq!(check(&on("2021-04-02"), &seat), Err(Exclusion::NotAvailable));
        seat.needed_by = date("2021-01-01");
        assert!(check(&on(TODAY), &seat).is_ok());
        assert_eq!(check(&on("2021-03-02"), &seat), Err(Exclusion::NotAvailable));
    }

    #[test]
    fn c02_somebody_held_out_is_introduced_to_nobody() {
        let mut held = candidate("69123").build();
        held.eligible = false;
        assert_eq!(check(&held, &seat("69266")), Err(Exclusion::NotEligible));
    }

    #[test]
    fn m01_each_introduction_says_why() {
        let reasons = check(&candidate("69123").wishes("69").prefers(Sector::Public).build(), &seat("69266")).unwrap();
        let sentence = reasons.sentence();
        for part in
            ["km", "souhaite ce département", "souhaite ce type de structure", "disponible à partir du 01/01/2021"]
        {
            assert!(sentence.contains(part), "{sentence}");
        }
        for (metres, said) in [
            (0, "la même commune"),
            (20, "à 0,1 km"),
            (8_898, "à 8,9 km"),
            (9_960, "à 10 km"),
            (19_960, "à 20 km"),
            (1_008_700, "à 1\u{202f}009 km"),
        ] {
            let sentence = Reasons { distance_m: Some(metres), ..reasons.clone() }.sentence();
            assert!(sentence.starts_with(&format!("habite {said} ; ")), "{sentence}");
        }
        let ranked = Reasons { choice: Some(3), choices: Some(45), preference: Some(1), ..reasons };
        let sentence = ranked.sentence();
        assert!(
            sentence.ends_with(
                "3e sur 45 pour la structure ; la structure est 1re pour cette personne parmi celles de la vague"
            ),
            "{sentence}"
        );
    }
}
