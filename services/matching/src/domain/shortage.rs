//! Why a structure lacks introductions: how many people are near, and what excluded each group of them (M04).

use std::collections::BTreeMap;

use super::{
    candidate::{Candidate, Quality},
    eligibility::{Exclusion, possible},
    order::Terms,
    structure::Seat,
};

/// Somebody near, and what has happened to it.
#[derive(Clone, Debug)]
pub struct Near {
    pub candidate: Candidate,
    /// Live introductions.
    pub live: usize,
    /// A selection or a contract holds the person.
    pub taken: bool,
    /// Introduced to this structure, now or before.
    pub introduced: bool,
}

/// What keeps somebody who is near from being introduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// Introduced to this structure, now or before: never twice (M03).
    AlreadyIntroduced,
    /// Selected or in post (M01, M06).
    Taken,
    /// Something keeps the person out of introductions (C02, C08).
    HeldOut,
    /// Beyond the distance that the person goes, or across the sea (C04).
    OutOfReach,
    /// A compulsory need is not met (M01).
    NeedNotMet(Quality),
    /// Available after the post's date (M01).
    NotAvailable,
    /// In as many introductions as a person may be (M02).
    NoRoom,
}

/// What came of everybody near.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shortage {
    pub near: usize,
    /// Those who could be introduced today.
    pub possible: usize,
    /// Each person who is near and not possible once: by the first obstacle of the list.
    pub obstacles: BTreeMap<Obstacle, usize>,
}

/// Explains what the people near a structure lack. `limit` is M02's number of live introductions of a person.
#[must_use]
pub fn explain(seat: &Seat, people: &[Near], limit: usize, terms: Terms) -> Shortage {
    let mut shortage = Shortage { near: people.len(), ..Shortage::default() };
    for near in people {
        match obstacle(seat, near, limit, terms) {
            Some(obstacle) => *shortage.obstacles.entry(obstacle).or_default() += 1,
            None => shortage.possible += 1,
        }
    }
    shortage
}

fn obstacle(seat: &Seat, near: &Near, limit: usize, terms: Terms) -> Option<Obstacle> {
    if near.introduced {
        return Some(Obstacle::AlreadyIntroduced);
    }
    if near.taken {
        return Some(Obstacle::Taken);
    }
    match possible(&near.candidate, seat, terms.today) {
        Err(Exclusion::NotEligible) => Some(Obstacle::HeldOut),
        Err(Exclusion::TooFar | Exclusion::AcrossTheSea) => Some(Obstacle::OutOfReach),
        Err(Exclusion::NeedNotMet(quality)) => Some(Obstacle::NeedNotMet(quality)),
        Err(Exclusion::NotAvailable) => Some(Obstacle::NotAvailable),
        Ok(_) => (near.live >= limit).then_some(Obstacle::NoRoom),
    }
}

impl Shortage {
    /// The same in a sentence, in French.
    #[must_use]
    pub fn sentence(&self, km: u32) -> String {
        let mut parts = vec![format!(
            "{} personne{} à moins de {km} km, sans limite de distance ou souhaitant ce département",
            self.near,
            plural(self.near)
        )];
        parts.push(match self.possible {
            0 => "aucune ne peut être présentée aujourd'hui".to_owned(),
            possible => format!("{possible} pouvant être présentée{} aujourd'hui", plural(possible)),
        });
        let obstacles = self.obstacles.iter().map(|(obstacle, count)| format!("{count} {}", obstacle.french(*count)));
        parts.extend(obstacles);
        parts.join(" ; ")
    }
}

impl Obstacle {
    fn french(self, count: usize) -> String {
        let s = plural(count);
        match self {
            Self::AlreadyIntroduced => format!("déjà présentée{s} à cette structure"),
            Self::Taken => format!("sélectionnée{s} ou en poste"),
            Self::HeldOut => "dont l'inscription est suspendue".into(),
            Self::OutOfReach => "pour qui c'est trop loin".into(),
            Self::NeedNotMet(quality) => format!("sans un besoin obligatoire ({})", quality.french()),
            Self::NotAvailable => format!("disponible{s} trop tard"),
            Self::NoRoom => format!("déjà présentée{s} à autant de structures que possible"),
        }
    }
}

fn plural(count: usize) -> &'static str {
    if count > 1 { "s" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examples::{candidate, date, need, seat},
        order::{Order, Reserve},
    };

    #[test]
    fn m04_each_person_near_is_counted_once_with_what_excludes_it_first() {
        let terms = Terms { order: Order::default(), reserve: Reserve::default(), today: date("2021-03-01") };
        let seat = need(seat("69123"), Quality::DrivingLicence, true);
        let able = || candidate("69266").offers(Quality::DrivingLicence);
        let near = |candidate: Candidate| Near { candidate, live: 0, taken: false, introduced: false };
        let mut held = able().build();
        held.eligible = false;
        let people = [
            near(able().build()),
            near(candidate("69266").build()),
            near(candidate("38185").within(5).offers(Quality::DrivingLicence).build()),
            near(able().available("2021-06-01").build()),
            near(held),
            Near { live: 3, ..near(able().build()) },
            Near { taken: true, ..near(able().build()) },
            Near { introduced: true, taken: true, ..near(able().build()) },
        ];
        let shortage = explain(&seat, &people, 3, terms);
        assert_eq!((shortage.near, shortage.possible), (8, 1));
        let obstacles = [
            Obstacle::AlreadyIntroduced,
            Obstacle::Taken,
            Obstacle::HeldOut,
            Obstacle::OutOfReach,
            Obstacle::NeedNotMet(Quality::DrivingLicence),
            Obstacle::NotAvailable,
            Obstacle::NoRoom,
        ];
        assert_eq!(shortage.obstacles, obstacles.into_iter().map(|obstacle| (obstacle, 1)).collect());
        let sentence = shortage.sentence(100);
        for part in ["8 personnes à moins de 100 km", "permis de conduire", "1 disponible trop tard"] {
            assert!(sentence.contains(part), "{sentence}");
        }
    }
}
