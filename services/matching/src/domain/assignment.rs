//! Who is introduced to whom: a pure function from places to fill and people with room to proposals.
//!
//! The order is M01's default: nearest, then earliest registered, then id. It is the same order for both sides, so
//! taking the possible pairs from the best on is stable: no structure and candidate who are not introduced would both
//! have been better off with each other. The result does not depend on the order of the input.

use std::collections::{BTreeMap, HashMap, HashSet};

use conum_geo::BoundingBox;
use conum_kernel::{CandidateId, StructureId};
use jiff::civil::Date;

use super::{
    candidate::{Candidate, Reach},
    eligibility::{Reasons, possible},
    structure::Seat,
};

/// A candidate with room for more introductions.
#[derive(Clone, Debug)]
pub struct Available {
    pub candidate: Candidate,
    /// How many more introductions the person may have.
    pub room: usize,
}

/// The pairs that were ever introduced (M03).
pub type Introduced = HashSet<(StructureId, CandidateId)>;

/// A candidate to introduce to a structure, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub structure: StructureId,
    pub candidate: CandidateId,
    pub reasons: Reasons,
}

/// Introduces people to the places of all seats. Pairs that were introduced before are not proposed again.
#[must_use]
pub fn assign(seats: &[Seat], people: &[Available], introduced: &Introduced, today: Date) -> Vec<Proposal> {
    let index = Index::over(people);
    let mut pairs: Vec<(Rank, usize, usize, Reasons)> = Vec::new();
    for (seat_number, seat) in seats.iter().enumerate() {
        for person in index.near(seat) {
            let candidate = &people[person].candidate;
            if introduced.contains(&(seat.structure.id, candidate.id)) {
                continue;
            }
            if let Ok(reasons) = possible(candidate, seat, today) {
                pairs.push((Rank::of(candidate, &reasons), seat_number, person, reasons));
            }
        }
    }
    pairs.sort_unstable_by_key(|(rank, seat, ..)| (*rank, seats[*seat].structure.id));
    let mut places: Vec<usize> = seats.iter().map(|seat| seat.places).collect();
    let mut room: Vec<usize> = people.iter().map(|person| person.room).collect();
    let mut proposals = Vec::new();
    for (_, seat, person, reasons) in pairs {
        if places[seat] > 0 && room[person] > 0 {
            places[seat] -= 1;
            room[person] -= 1;
            let (structure, candidate) = (seats[seat].structure.id, people[person].candidate.id);
            proposals.push(Proposal { structure, candidate, reasons });
        }
    }
    proposals
}

/// The best of some candidates for one place, if any is possible.
#[must_use]
pub fn best<'a>(
    seat: &Seat,
    people: impl IntoIterator<Item = &'a Candidate>,
    today: Date,
) -> Option<(&'a Candidate, Reasons)> {
    people
        .into_iter()
        .filter_map(|candidate| possible(candidate, seat, today).ok().map(|reasons| (candidate, reasons)))
        .min_by_key(|(candidate, reasons)| Rank::of(candidate, reasons))
}

/// The seat that a candidate who has become free goes to, of those that wait: the nearest, then the smallest id.
#[must_use]
pub fn best_seat<'a>(
    candidate: &Candidate,
    seats: impl IntoIterator<Item = &'a Seat>,
    today: Date,
) -> Option<(&'a Seat, Reasons)> {
    seats
        .into_iter()
        .filter_map(|seat| possible(candidate, seat, today).ok().map(|reasons| (seat, reasons)))
        .min_by_key(|(seat, reasons)| (reasons.distance_m.unwrap_or(u32::MAX), seat.structure.id))
}

/// M01's default order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Metres; an unknown distance comes last.
    distance: u32,
    registered: jiff::Timestamp,
    id: CandidateId,
}

impl Rank {
    fn of(candidate: &Candidate, reasons: &Reasons) -> Self {
        let distance = reasons.distance_m.unwrap_or(u32::MAX);
        Self { distance, registered: candidate.registered_at, id: candidate.id }
    }
}

/// People by where they may work: a superset of the possible ones is found without looking at everybody.
struct Index {
    /// Those within a distance, by latitude in hundredths of a degree, for each reach in km.
    within: BTreeMap<u32, BTreeMap<i32, Vec<usize>>>,
    anywhere: Vec<usize>,
    wishes: HashMap<String, Vec<usize>>,
    /// Those whose commune has no known centre, by commune.
    without_place: HashMap<String, Vec<usize>>,
    places: Vec<Option<conum_geo::Place>>,
}

impl Index {
    fn over(people: &[Available]) -> Self {
        let mut index = Self {
            within: BTreeMap::new(),
            anywhere: Vec::new(),
            wishes: HashMap::new(),
            without_place: HashMap::new(),
            places: people.iter().map(|person| person.candidate.place).collect(),
        };
        for (number, Available { candidate, room }) in people.iter().enumerate() {
            if *room == 0 || !candidate.eligible {
                continue;
            }
            for department in &candidate.wished_departments {
                index.wishes.entry(department.clone()).or_default().push(number);
            }
            match (candidate.reach, candidate.place) {
                (Reach::Anywhere, _) => index.anywhere.push(number),
                (Reach::Within(km), Some(place)) => {
                    index.within.entry(km).or_default().entry(band(place.lat())).or_default().push(number);
                }
                (Reach::Within(_), None) => {
                    index.without_place.entry(candidate.commune.clone()).or_default().push(number);
                }
            }
        }
        index
    }

    /// Everybody who may be possible for a seat, each once.
    fn near(&self, seat: &Seat) -> Vec<usize> {
        let mut found = self.anywhere.clone();
        if let Some(place) = seat.structure.place {
            for (km, bands) in &self.within {
                let area = BoundingBox::around(place, f64::from(*km));
                let rows = bands.range(band(area.min_lat)..=band(area.max_lat)).flat_map(|(_, people)| people);
                found.extend(rows.filter(|person| self.places[**person].is_some_and(|at| area.contains(at))));
            }
        }
        found.extend(self.wishes.get(&seat.structure.department).into_iter().flatten());
        found.extend(self.without_place.get(&seat.structure.commune).into_iter().flatten());
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a latitude is within 90 degrees")]
fn band(latitude: f64) -> i32 {
    (latitude * 100.0).floor() as i32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::examples::{candidate, date, numbered, seat};

    fn today() -> Date {
        date("2021-03-01")
    }

    fn with_room(candidate: Candidate) -> Available {
        Available { candidate, room: 3 }
    }

    #[test]
    fn m01_the_nearest_comes_first_then_the_earliest_registered_then_the_id() {
        let people: Vec<_> = [
            candidate("69123").numbered(1).registered("2020-12-02T00:00:00Z").build(),
            candidate("69123").numbered(2).registered("2020-12-01T00:00:00Z").build(),
            candidate("69266").numbered(3).build(),
        ]
        .into();
        let ranked: Vec<_> = assign(
            &[seat("69266")],
            &people.iter().cloned().map(with_room).collect::<Vec<_>>(),
            &HashSet::new(),
            today(),
        )
        .into_iter()
        .map(|proposal| proposal.candidate)
        .collect();
        assert_eq!(ranked, [people[2].id, people[1].id, people[0].id]);
    }

    #[test]
    fn m02_two_neighbours_do_not_share_three_people_while_others_wait() {
        // Four people with room for one introduction each, two structures side by side.
        let people: Vec<_> =
            (0..4).map(|n| Available { candidate: candidate("69123").numbered(n).build(), room: 1 }).collect();
        let seats = [numbered(seat("69266"), 1), numbered(seat("69123"), 2)];
        let proposals = assign(&seats, &people, &HashSet::new(), today());
        assert_eq!(proposals.len(), 4);
        let distinct: HashSet<_> = proposals.iter().map(|proposal| proposal.candidate).collect();
        assert_eq!(distinct.len(), 4);
    }

    #[test]
    fn m03_a_pair_that_was_introduced_is_not_proposed_again() {
        let person = candidate("69123").build();
        let seat = seat("69266");
        let introduced = HashSet::from([(seat.structure.id, person.id)]);
        assert!(assign(&[seat], &[with_room(person)], &introduced, today()).is_empty());
    }

    const COMMUNES: [&str; 8] = ["69123", "69266", "69029", "38185", "97411", "2A004", "59350", "69149"];

    fn scene() -> impl Strategy<Value = (Vec<Seat>, Vec<Available>)> {
        let person = (0..COMMUNES.len(), prop_oneof![Just(None), (1_u32..120).prop_map(Some)], 0_usize..4);
        let place = (0..COMMUNES.len(), 0_usize..4);
        (prop::collection::vec(place, 0..6), prop::collection::vec(person, 0..12)).prop_map(|(places, people)| {
            let seats = places
                .into_iter()
                .enumerate()
                .map(|(number, (commune, places))| Seat { places, ..numbered(seat(COMMUNES[commune]), number) });
            let people = people.into_iter().enumerate().map(|(number, (commune, km, room))| {
                let builder = candidate(COMMUNES[commune]).numbered(number);
                let builder = if let Some(km) = km { builder.within(km) } else { builder.anywhere() };
                Available { candidate: builder.build(), room }
            });
            (seats.collect(), people.collect())
        })
    }

    proptest! {
        #[test]
        fn nobody_is_short_while_a_possible_person_with_room_remains((seats, people) in scene()) {
            let proposals = assign(&seats, &people, &HashSet::new(), today());
            let of = |id: StructureId| proposals.iter().filter(|p| p.structure == id).count();
            let on = |id: CandidateId| proposals.iter().filter(|p| p.candidate == id).count();
            for seat in &seats {
                prop_assert!(of(seat.structure.id) <= seat.places);
                for person in &people {
                    prop_assert!(on(person.candidate.id) <= person.room);
                    let together = proposals.iter().any(|p| p.structure == seat.structure.id && p.candidate == person.candidate.id);
                    let short = of(seat.structure.id) < seat.places;
                    let free = on(person.candidate.id) < person.room;
                    prop_assert!(!(short && free && !together && possible(&person.candidate, seat, today()).is_ok()));
                }
            }
        }

        #[test]
        fn the_order_of_the_input_does_not_matter((mut seats, mut people) in scene()) {
            let mut before = assign(&seats, &people, &HashSet::new(), today());
            seats.reverse();
            people.reverse();
            let mut after = assign(&seats, &people, &HashSet::new(), today());
            let key = |p: &Proposal| (p.structure, p.candidate);
            before.sort_by_key(key);
            after.sort_by_key(key);
            prop_assert_eq!(before, after);
        }
    }
}
