//! Who is introduced to whom: a pure function from places to fill and people with room to proposals.
//!
//! A structure's order is M01's default: nearest, then earliest registered, then id. A person's is: the most wishes met,
//! then the structure with the fewest possible people, then the nearest, then a fixed number of the pair. The engine's
//! assignment is stable for both: no structure and candidate who are not introduced would both have been better off with
//! each other. It does not depend on the order of the input.

use std::collections::{HashMap, HashSet};

use conum_engine::{Assigned, Engine, Market, Person, Reach as Radius, Rounding, Vacancy};
use conum_kernel::{CandidateId, StructureId, dates::days_between};
use jiff::civil::Date;

use super::{
    candidate::{Candidate, Quality, Reach, Sector},
    eligibility::{Reasons, possible},
    order::Terms,
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
    /// The structure's reserve counts the person.
    pub reserved: bool,
    pub reasons: Reasons,
}

/// Introduces people to the places of all seats. Pairs that were introduced before are not proposed again.
#[must_use]
pub fn assign(seats: &[Seat], people: &[Available], introduced: &Introduced, terms: Terms) -> Vec<Proposal> {
    let market = market(seats, people, introduced, terms);
    let engine = Engine::over(&market);
    let assignment = engine.assign(&engine.scarcity());
    let proposal = |pair: Assigned| proposal(seats, people, terms, &pair, Some((pair.of, pair.preference)));
    assignment.pairs.into_iter().filter_map(proposal).collect()
}

/// The same between waves, from the beginnings of the structures' orders. How many people are possible in all is not known
/// there, and counts for nothing; nor is what place a structure has in somebody's order, where others are not looked at.
#[must_use]
pub fn replace(seats: &[Seat], people: &[Available], introduced: &Introduced, terms: Terms) -> Vec<Proposal> {
    let market = market(seats, people, introduced, terms);
    let assignment = Engine::over(&market).assign(&vec![0; seats.len()]);
    let proposal = |pair: Assigned| proposal(seats, people, terms, &pair, None);
    assignment.pairs.into_iter().filter_map(proposal).collect()
}

fn proposal(
    seats: &[Seat],
    people: &[Available],
    terms: Terms,
    pair: &Assigned,
    counted: Option<(u32, u32)>,
) -> Option<Proposal> {
    let (seat, candidate) = (&seats[pair.structure], &people[pair.person].candidate);
    let reasons = possible(candidate, seat, terms.today).ok()?;
    let (choices, preference) = counted.unzip();
    let reasons = Reasons { choice: Some(pair.choice), choices, preference, ..reasons };
    let reserved = terms.reserve.counts(candidate, terms.today);
    Some(Proposal { structure: seat.structure.id, candidate: candidate.id, reserved, reasons })
}

/// Numbers for names, in the order of their coming, from 1.
#[derive(Debug, Default)]
struct Numbers<'a>(HashMap<&'a str, u32>);

impl<'a> Numbers<'a> {
    fn of(&mut self, name: &'a str) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1);
        *self.0.entry(name).or_insert(next)
    }

    /// The same for departments and territories, which are some hundred.
    fn short(&mut self, name: &'a str) -> u16 {
        u16::try_from(self.of(name)).unwrap_or(u16::MAX)
    }
}

fn market(seats: &[Seat], people: &[Available], introduced: &Introduced, terms: Terms) -> Market {
    let Terms { order, reserve, today } = terms;
    let (mut communes, mut departments, mut territories) = <(Numbers<'_>, Numbers<'_>, Numbers<'_>)>::default();
    let day = |date: Date| days_between(today, date);
    let place: HashMap<CandidateId, u32> =
        people.iter().zip(0..).map(|(person, place)| (person.candidate.id, place)).collect();
    let mut before: HashMap<StructureId, Vec<u32>> = HashMap::new();
    for (structure, candidate) in introduced {
        if let Some(place) = place.get(candidate) {
            before.entry(*structure).or_default().push(*place);
        }
    }
    let people = people.iter().map(|Available { candidate, room }| Person {
        place: candidate.place,
        reach: match candidate.reach {
            Reach::Within(km) => Radius::Within(f64::from(km) * 1000.0),
            Reach::Anywhere => Radius::Anywhere,
        },
        region: candidate.territory.map_or(0, |territory| territories.short(territory.code())),
        commune: communes.of(&candidate.commune),
        wishes: candidate.wished_departments.iter().map(|department| departments.short(department)).collect(),
        kinds: candidate.wished_sectors.iter().fold(0, |kinds, sector| kinds | kind(*sector)),
        offers: qualities(candidate.offers.iter().copied()),
        available: day(candidate.available_from),
        room: if candidate.eligible { u32::try_from(*room).unwrap_or(u32::MAX) } else { 0 },
        member: reserve.counts(candidate, today),
        since: candidate.registered_at.as_microsecond(),
        id: candidate.id.uuid().as_u128(),
    });
    let people = people.collect();
    let vacancies = seats.iter().map(|seat| {
        let (structure, needs) = (&seat.structure, &seat.structure.needs);
        let asked = |compulsory| needs.iter().filter(move |need| need.compulsory == compulsory);
        let mut introduced = before.remove(&structure.id).unwrap_or_default();
        introduced.sort_unstable();
        Vacancy {
            place: structure.place,
            region: structure.territory.map_or(0, |territory| territories.short(territory.code())),
            commune: communes.of(&structure.commune),
            department: departments.short(&structure.department),
            kind: kind(structure.sector),
            compulsory: qualities(asked(true).map(|need| need.quality)),
            liked: qualities(asked(false).map(|need| need.quality)),
            needed_by: day(seat.needed_by.max(today)),
            places: u32::try_from(seat.places).unwrap_or(u32::MAX),
            introduced,
            called: (seat.called.all, seat.called.reserved),
            id: structure.id.uuid().as_u128(),
        }
    });
    let vacancies = vacancies.collect();
    Market { people, vacancies, weights: order.weights(), rounding: Rounding::Metre, share: reserve.share(), today: 0 }
}

fn kind(sector: Sector) -> u8 {
    match sector {
        Sector::Public => 1,
        Sector::Private => 2,
    }
}

fn qualities(qualities: impl Iterator<Item = Quality>) -> u8 {
    let bit = |quality| match quality {
        Quality::Experience => 1,
        Quality::Qualification => 2,
        Quality::DrivingLicence => 4,
    };
    qualities.fold(0, |set, quality| set | bit(quality))
}

/// The first of some people in a structure's order, each once, and what was compared of them, in metres. Where they hold
/// the first of all that are possible, it is how the structure's order begins.
#[must_use]
pub fn first<'a>(
    seat: &Seat,
    people: impl IntoIterator<Item = &'a Available>,
    terms: Terms,
    count: usize,
) -> Vec<(u64, &'a Available)> {
    let compared = |person: &'a Available| {
        let reasons = possible(&person.candidate, seat, terms.today).ok()?;
        Some((Rank::of(&person.candidate, &reasons, terms), person))
    };
    let mut order: Vec<_> = people.into_iter().filter_map(compared).collect();
    order.sort_unstable_by_key(|(rank, _)| *rank);
    order.dedup_by_key(|(rank, _)| rank.id);
    order.into_iter().take(count).map(|(rank, person)| (rank.cost, person)).collect()
}

/// A structure's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Metres.
    cost: u64,
    registered: jiff::Timestamp,
    id: CandidateId,
}

impl Rank {
    fn of(candidate: &Candidate, reasons: &Reasons, terms: Terms) -> Self {
        let cost = terms.order.cost(reasons, terms.today);
        Self { cost, registered: candidate.registered_at, id: candidate.id }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        candidate::Quality,
        examples::{candidate, date, need, numbered, seat},
        order::{Called, Order, Reserve},
    };

    fn today() -> Date {
        date("2021-03-01")
    }

    /// M01's own order, and no share.
    fn terms() -> Terms {
        Terms { order: Order::default(), reserve: Reserve::default(), today: today() }
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
            terms(),
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
        let proposals = assign(&seats, &people, &HashSet::new(), terms());
        assert_eq!(proposals.len(), 4);
        let distinct: HashSet<_> = proposals.iter().map(|proposal| proposal.candidate).collect();
        assert_eq!(distinct.len(), 4);
    }

    #[test]
    fn m03_a_pair_that_was_introduced_is_not_proposed_again() {
        let person = candidate("69123").build();
        let seat = seat("69266");
        let introduced = HashSet::from([(seat.structure.id, person.id)]);
        assert!(assign(&[seat], &[with_room(person)], &introduced, terms()).is_empty());
    }

    #[test]
    fn m02_somebody_between_two_goes_to_the_structure_that_has_fewest_people() {
        // One place each; Lyon has somebody else, Villeurbanne has not.
        let shared = Available { candidate: candidate("69266").numbered(1).build(), room: 1 };
        let other = Available { candidate: candidate("69123").within(0).numbered(2).build(), room: 1 };
        let one = |code: &str, number| Seat { places: 1, ..numbered(seat(code), number) };
        let (lyon, villeurbanne) = (one("69123", 1), one("69266", 2));
        let proposals = assign(&[lyon.clone(), villeurbanne.clone()], &[shared, other], &HashSet::new(), terms());
        assert_eq!(proposals.len(), 2);
        let of = |seat: &Seat| proposals.iter().find(|p| p.structure == seat.structure.id).map(|p| p.candidate);
        assert_eq!(of(&villeurbanne), Some(candidate("69266").numbered(1).build().id));
        assert_eq!(of(&lyon), Some(candidate("69123").numbered(2).build().id));
    }

    #[test]
    fn c04_a_freed_person_goes_where_a_wish_names_the_department_before_what_is_near() {
        let person = Available { candidate: candidate("69123").wishes("38").build(), room: 1 };
        let seats = [numbered(seat("69266"), 1), numbered(seat("38185"), 2)];
        let proposals = replace(&seats, &[person], &HashSet::new(), terms());
        assert_eq!(proposals.len(), 1);
        assert_eq!(proposals[0].structure, seats[1].structure.id);
        let Reasons { department_wished, choices, preference, .. } = proposals[0].reasons;
        assert!(department_wished);
        assert_eq!((choices, preference), (None, None), "neither is known of a part of the orders");
    }

    #[test]
    fn m02_two_who_are_freed_at_once_do_not_pass_each_other_over() {
        let far = Available { candidate: candidate("69266").numbered(1).build(), room: 3 };
        let near = Available { candidate: candidate("69123").numbered(2).build(), room: 3 };
        let lyon = Seat { places: 1, ..seat("69123") };
        let proposals = replace(&[lyon], &[far, near.clone()], &HashSet::new(), terms());
        assert_eq!(proposals.iter().map(|p| p.candidate).collect::<Vec<_>>(), [near.candidate.id]);
    }

    #[test]
    fn m01_a_met_need_or_a_wish_outweighs_distance_as_far_as_its_weight_says() {
        let near = candidate("69266").numbered(1).build();
        let skilled = candidate("69123").offers(Quality::Experience).numbered(2).build();
        let seat = Seat { places: 1, ..need(seat("69266"), Quality::Experience, false) };
        let chosen = |need_m| {
            let terms = Terms { order: Order { need_m, ..Order::default() }, ..terms() };
            let people = [with_room(near.clone()), with_room(skilled.clone())];
            let first = first(&seat, &people, terms, 1)[0].1.candidate.id;
            let assigned = assign(std::slice::from_ref(&seat), &people, &HashSet::new(), terms);
            assert_eq!(assigned.iter().map(|proposal| proposal.candidate).collect::<Vec<_>>(), [first]);
            first
        };
        assert_eq!(chosen(0), near.id);
        assert_eq!(chosen(1_000), near.id, "Villeurbanne is more than a kilometre away");
        assert_eq!(chosen(20_000), skilled.id);
    }

    #[test]
    fn m01_a_share_is_called_from_the_group_and_counts_who_was_called_before() {
        let near = with_room(candidate("69266").numbered(1).build());
        let seeker = with_room(candidate("69123").job_seeker_since("2019-01-01").numbered(2).build());
        let reserve = Reserve { percent: 20, months: 12 };
        let first = |called| {
            let seat = Seat { places: 1, called, ..seat("69266") };
            let people = [near.clone(), seeker.clone()];
            assign(&[seat], &people, &HashSet::new(), Terms { reserve, ..terms() }).pop().unwrap()
        };
        let called = first(Called::default());
        assert!(called.reserved);
        assert_eq!((called.candidate, called.reasons.choice), (seeker.candidate.id, Some(1)));
        assert_eq!(first(Called { all: 1, reserved: 1 }).candidate, near.candidate.id);
        assert_eq!(first(Called { all: 5, reserved: 1 }).candidate, seeker.candidate.id);
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
        fn m01_the_engine_finds_possible_whom_the_rules_find_possible((seats, people) in scene()) {
            let market = market(&seats, &people, &HashSet::new(), terms());
            for (seat, count) in seats.iter().zip(Engine::over(&market).scarcity()) {
                let possible = |person: &&Available| person.room > 0 && possible(&person.candidate, seat, today()).is_ok();
                prop_assert_eq!(count as usize, people.iter().filter(possible).count());
            }
        }

        #[test]
        fn nobody_is_short_while_a_possible_person_with_room_remains((seats, people) in scene()) {
            let proposals = assign(&seats, &people, &HashSet::new(), terms());
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
            let mut before = assign(&seats, &people, &HashSet::new(), terms());
            seats.reverse();
            people.reverse();
            let mut after = assign(&seats, &people, &HashSet::new(), terms());
            let key = |p: &Proposal| (p.structure, p.candidate);
            before.sort_by_key(key);
            after.sort_by_key(key);
            prop_assert_eq!(before, after);
        }
    }
}
