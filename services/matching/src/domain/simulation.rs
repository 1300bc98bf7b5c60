//! What a wave would bring, on changed inputs or settings: the same engine, and nothing written.

use std::collections::{BTreeMap, HashMap, HashSet};

use conum_kernel::{CandidateId, StructureId};
use jiff::civil::Date;

use super::{
    assignment::{Available, Introduced, assign},
    candidate::{Candidate, Reach},
    order::{Called, Terms},
    serving::{Posts, Serve, serve},
    structure::{Seat, Structure},
    verification::{Live, verify},
};

/// A structure, what its posts ask for, and what it has.
#[derive(Clone, Debug)]
pub struct Demand {
    pub structure: Structure,
    pub posts: Posts,
    /// The earliest date of a free post.
    pub needed_by: Date,
    /// Live introductions.
    pub live: usize,
    pub called: Called,
}

/// Somebody who may be introduced.
#[derive(Clone, Debug)]
pub struct Supply {
    pub candidate: Candidate,
    /// Live introductions.
    pub live: usize,
}

/// What introductions would be decided by.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub live_per_structure: usize,
    pub live_per_candidate: usize,
    pub terms: Terms,
    /// Everybody goes at least so far, in km.
    pub least_km: u32,
    /// Nobody goes further, in km, whatever they said; a wish for the department still brings somebody from beyond.
    pub most_km: Option<u32>,
}

/// How far the introductions of a department's structures go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// With a vacant post.
    pub structures: usize,
    /// Introductions that they should have.
    pub wanted: usize,
    /// Those that they have, and would get.
    pub introductions: usize,
}

impl Coverage {
    /// The share of what is wanted that there is, 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        ratio(self.introductions, self.wanted)
    }
}

/// What a wave would bring.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Structures with a vacant post.
    pub structures: usize,
    /// Introductions that they should have, and have already.
    pub wanted: usize,
    pub live: usize,
    /// Those that the wave would bring.
    pub introductions: usize,
    /// Structures that would have all that they should, and none.
    pub full: usize,
    pub without: usize,
    /// People with room.
    pub candidates: usize,
    /// Those of them who would be introduced, and who would be left in no introduction at all.
    pub called: usize,
    pub left_out: usize,
    /// Metres between the two of the wave's introductions.
    pub mean_m: f64,
    pub median_m: u32,
    /// The share of wanted introductions over the worst-served tenth of departments, at least one; 0 to 1.
    pub worst_tenth: f64,
    pub departments: BTreeMap<String, Coverage>,
    /// What a second look finds wrong; always 0.
    pub violations: usize,
}

/// Plays one wave over everybody.
#[must_use]
pub fn simulate(demands: &[Demand], supply: &[Supply], introduced: &Introduced, scenario: Scenario) -> Outcome {
    let people: Vec<Available> = supply.iter().filter_map(|person| available(person, scenario)).collect();
    let (mut seats, mut outcome) = (Vec::new(), Outcome::default());
    let mut has: HashMap<StructureId, usize> = HashMap::new();
    for demand in demands.iter().filter(|demand| demand.posts.vacant > 0) {
        has.insert(demand.structure.id, demand.live);
        outcome.live += demand.live;
        if let Serve::Fill(places) = serve(demand.posts, demand.live, scenario.live_per_structure) {
            let Demand { structure, needed_by, called, .. } = demand.clone();
            seats.push(Seat { structure, needed_by, places, called });
        }
    }
    let proposals = assign(&seats, &people, introduced, scenario.terms);
    let live = Live {
        of_structures: demands.iter().map(|demand| (demand.structure.id, demand.live)).collect(),
        of_candidates: supply.iter().map(|person| (person.candidate.id, person.live)).collect(),
        per_structure: scenario.live_per_structure,
        per_candidate: scenario.live_per_candidate,
    };
    outcome.violations = verify(&seats, &people, introduced, scenario.terms, &live, &proposals).len();
    for proposal in &proposals {
        *has.entry(proposal.structure).or_default() += 1;
    }
    for demand in demands.iter().filter(|demand| demand.posts.vacant > 0) {
        // Who is selected for every vacant post waits for a signature, and lacks nothing.
        let waits = demand.posts.vacant > demand.posts.reserved;
        let wanted = if waits { scenario.live_per_structure.max(demand.live) } else { demand.live };
        let introductions = has.get(&demand.structure.id).copied().unwrap_or(0);
        let department = outcome.departments.entry(demand.structure.department.clone()).or_default();
        department.structures += 1;
        department.wanted += wanted;
        department.introductions += introductions;
        outcome.structures += 1;
        outcome.wanted += wanted;
        outcome.full += usize::from(introductions >= wanted);
        outcome.without += usize::from(introductions == 0);
    }
    let called: HashSet<CandidateId> = proposals.iter().map(|proposal| proposal.candidate).collect();
    let free = supply.iter().filter(|person| person.live == 0 && person.candidate.eligible);
    let mut metres: Vec<u32> = proposals.iter().filter_map(|proposal| proposal.reasons.distance_m).collect();
    metres.sort_unstable();
    Outcome {
        introductions: proposals.len(),
        candidates: people.len(),
        called: called.len(),
        left_out: free.filter(|person| !called.contains(&person.candidate.id)).count(),
        mean_m: if metres.is_empty() {
            0.0
        } else {
            mean(metres.iter().map(|metres| f64::from(*metres)), metres.len())
        },
        median_m: metres.len().checked_sub(1).map_or(0, |last| metres[last / 2].midpoint(metres[metres.len() / 2])),
        worst_tenth: worst_tenth(outcome.departments.values()),
        ..outcome
    }
}

fn available(person: &Supply, scenario: Scenario) -> Option<Available> {
    let room = scenario.live_per_candidate.saturating_sub(person.live);
    let mut candidate = person.candidate.clone();
    candidate.reach = match (candidate.reach, scenario.most_km) {
        (Reach::Within(km), most) => Reach::Within(km.max(scenario.least_km).min(most.unwrap_or(u32::MAX))),
        (Reach::Anywhere, Some(most)) => Reach::Within(most),
        (Reach::Anywhere, None) => Reach::Anywhere,
    };
    (room > 0 && candidate.eligible).then_some(Available { candidate, room })
}

fn worst_tenth<'a>(departments: impl Iterator<Item = &'a Coverage>) -> f64 {
    let mut shares: Vec<f64> = departments.filter(|coverage| coverage.wanted > 0).map(|c| c.share()).collect();
    shares.sort_unstable_by(f64::total_cmp);
    let worst = shares.len().div_ceil(10);
    // Where nobody wants anything, everybody has it, as in a share of it.
    if worst == 0 {
        return 1.0;
    }
    mean(shares.into_iter().take(worst), worst)
}

#[expect(clippy::cast_precision_loss, reason = "counts of people and structures")]
fn mean(values: impl Iterator<Item = f64>, count: usize) -> f64 {
    if count == 0 { 0.0 } else { values.sum::<f64>() / count as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of introductions")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examples::{candidate, date, numbered, seat},
        order::{Order, Reserve},
    };

    fn scenario() -> Scenario {
        let terms = Terms { order: Order::default(), reserve: Reserve::default(), today: date("2021-03-01") };
        Scenario { live_per_structure: 3, live_per_candidate: 3, terms, least_km: 0, most_km: None }
    }

    fn demand(code: &str, number: usize, posts: Posts, live: usize) -> Demand {
        let Seat { structure, needed_by, called, .. } = numbered(seat(code), number);
        Demand { structure, posts, needed_by, live, called }
    }

    const ONE: Posts = Posts { vacant: 1, reserved: 0 };

    fn supply() -> Vec<Supply> {
        let person = |number: usize, code: &str, km, live| Supply {
            candidate: candidate(code).within(km).numbered(number).build(),
            live,
        };
        vec![person(1, "69123", 5, 0), person(2, "69123", 5, 2), person(3, "38185", 5, 0), person(4, "38185", 5, 3)]
    }

    #[test]
    fn m02_a_wave_is_added_to_what_is_live() {
        let demands = [demand("69123", 1, ONE, 1), demand("38185", 2, ONE, 0)];
        let outcome = simulate(&demands, &supply(), &Introduced::new(), scenario());
        assert_eq!((outcome.wanted, outcome.live, outcome.introductions), (6, 1, 3));
        assert_eq!((outcome.full, outcome.without, outcome.violations), (1, 0, 0));
        assert_eq!((outcome.candidates, outcome.called, outcome.left_out), (3, 3, 0));
        assert_eq!(outcome.departments["38"], Coverage { structures: 1, wanted: 3, introductions: 1 });
        assert!((outcome.worst_tenth - 1.0 / 3.0).abs() < 1e-9, "the worse of the two departments");
        assert_eq!(outcome.median_m, 0);
    }

    #[test]
    fn m06_a_selection_for_every_post_asks_for_nobody() {
        let reserved = Posts { vacant: 1, reserved: 1 };
        let outcome = simulate(&[demand("69123", 1, reserved, 2)], &supply(), &Introduced::new(), scenario());
        assert_eq!((outcome.introductions, outcome.wanted, outcome.full), (0, 2, 1));
        let filled = Posts { vacant: 0, reserved: 0 };
        let outcome = simulate(&[demand("69123", 1, filled, 0)], &supply(), &Introduced::new(), scenario());
        assert_eq!((outcome.structures, outcome.without), (0, 0));
    }

    #[test]
    fn the_middle_of_an_even_number_lies_between_two_and_where_nothing_is_wanted_nobody_is_badly_served() {
        let demands = [demand("69123", 1, ONE, 1)];
        let supply = [("69123", 1), ("69266", 2)]
            .map(|(code, number)| Supply { candidate: candidate(code).within(10).numbered(number).build(), live: 0 });
        let outcome = simulate(&demands, &supply, &Introduced::new(), scenario());
        assert_eq!((outcome.introductions, f64::from(outcome.median_m)), (2, (outcome.mean_m).floor()));
        let nothing = simulate(&[], &supply, &Introduced::new(), scenario());
        assert_eq!(nothing.worst_tenth.total_cmp(&1.0), std::cmp::Ordering::Equal);
    }

    #[test]
    fn c04_a_greater_distance_brings_more_and_a_smaller_one_less() {
        // Villeurbanne, some kilometres from Lyon; Grenoble, some ninety.
        let demands = [demand("69266", 1, ONE, 0)];
        let introductions = |scenario| simulate(&demands, &supply(), &Introduced::new(), scenario).introductions;
        assert_eq!(introductions(scenario()), 2);
        assert_eq!(introductions(Scenario { least_km: 100, ..scenario() }), 3);
        assert_eq!(introductions(Scenario { most_km: Some(1), ..scenario() }), 0);
    }
}
