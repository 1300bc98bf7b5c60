use proptest::prelude::*;

use super::*;
use crate::domain::{
    assignment::assign,
    candidate::{Quality, Sector},
    examples::{candidate, date, need, numbered, seat},
    order::{Called, Order, Reserve},
};

const COMMUNES: [&str; 8] = ["69123", "69266", "69029", "38185", "97411", "2A004", "59350", "69149"];

fn terms() -> Terms {
    Terms { order: Order::default(), reserve: Reserve::default(), today: date("2021-03-01") }
}

#[derive(Clone, Debug)]
struct Wave {
    seats: Vec<Seat>,
    people: Vec<Available>,
    introduced: Introduced,
    terms: Terms,
}

impl Wave {
    fn proposals(&self) -> Vec<Proposal> {
        assign(&self.seats, &self.people, &self.introduced, self.terms)
    }

    fn violations(&self, proposals: &[Proposal]) -> Vec<Violation> {
        self.violations_beside(&Live { per_structure: 3, per_candidate: 3, ..Live::default() }, proposals)
    }

    fn violations_beside(&self, live: &Live, proposals: &[Proposal]) -> Vec<Violation> {
        verify(&self.seats, &self.people, &self.introduced, self.terms, live, proposals)
    }

    fn wrongs(&self, proposals: &[Proposal]) -> Vec<Wrong> {
        self.violations(proposals).into_iter().map(|violation| violation.wrong).collect()
    }
}

fn person() -> impl Strategy<Value = Available> {
    let reach = prop_oneof![Just(None), Just(Some(5)), Just(Some(20)), Just(Some(100))];
    let wishes = prop::option::of(prop::sample::select(vec!["69", "38", "974"]));
    let facts = (any::<bool>(), any::<bool>(), any::<bool>(), 0_i8..40);
    (0..COMMUNES.len(), reach, 0_usize..4, wishes, facts).prop_map(|(commune, reach, room, wish, facts)| {
        let (public, skilled, seeks, days) = facts;
        let mut person = candidate(COMMUNES[commune]).within(0).build();
        person.reach = reach.map_or(Reach::Anywhere, Reach::Within);
        person.wished_departments.extend(wish.map(str::to_owned));
        person.wished_sectors.extend(public.then_some(Sector::Public));
        person.offers.extend(skilled.then_some(Quality::Experience));
        person.job_seeker_since = seeks.then(|| date("2019-01-01"));
        person.available_from = date("2021-02-25").checked_add(jiff::Span::new().days(days)).unwrap();
        Available { candidate: person, room }
    })
}

fn place() -> impl Strategy<Value = Seat> {
    let asks = prop_oneof![Just(None), Just(Some(false)), Just(Some(true))];
    // Some are in their commune, and not at its centre.
    let aside = prop_oneof![2 => Just(0_i8), 1 => -3_i8..4];
    (0..COMMUNES.len(), 0_usize..4, asks, 0_u64..5, aside).prop_map(|(commune, places, asks, all, aside)| {
        let mut seat = seat(COMMUNES[commune]);
        if let Some(compulsory) = asks {
            seat = need(seat, Quality::Experience, compulsory);
        }
        let centre = seat.structure.place.unwrap();
        seat.structure.place = Place::new(centre.lat() + f64::from(aside) / 30.0, centre.lon()).ok();
        seat.needed_by = date("2021-03-15");
        Seat { places, called: Called { all, reserved: all / 2 }, ..seat }
    })
}

fn wave() -> impl Strategy<Value = Wave> {
    let order = prop_oneof![Just(Order::default()), Just(Order { need_m: 20_000, wish_m: 5_000, day_m: 100 })];
    let percent = prop_oneof![Just(0_u32), Just(30), Just(100)];
    let before = prop::collection::vec((0_usize..6, 0_usize..14), 0..6);
    (prop::collection::vec(place(), 1..6), prop::collection::vec(person(), 1..14), before, order, percent).prop_map(
        |(seats, people, before, order, percent)| {
            let seats: Vec<_> = seats.into_iter().enumerate().map(|(number, seat)| numbered(seat, number)).collect();
            let people: Vec<_> = people
                .into_iter()
                .enumerate()
                .map(|(number, mut person)| {
                    person.candidate.id = crate::domain::examples::id(number);
                    person
                })
                .collect();
            let pair = |(seat, person): (usize, usize)| {
                Some((seats.get(seat)?.structure.id, people.get(person)?.candidate.id))
            };
            let introduced = before.into_iter().filter_map(pair).collect();
            let terms = Terms { order, reserve: Reserve { percent, months: 12 }, ..terms() };
            Wave { seats, people, introduced, terms }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 50_000, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn m02_what_the_engine_proposes_stands(wave in wave()) {
        prop_assert_eq!(wave.violations(&wave.proposals()), vec![]);
    }

    #[test]
    fn m02_a_proposal_that_is_missing_is_seen(wave in wave(), which in any::<prop::sample::Index>()) {
        let mut proposals = wave.proposals();
        prop_assume!(!proposals.is_empty());
        let Proposal { structure, candidate, .. } = proposals.remove(which.index(proposals.len()));
        let missing = Violation { wrong: Wrong::LeftShort, structure, candidate };
        prop_assert!(wave.violations(&proposals).contains(&missing));
    }

    #[test]
    fn m01_somebody_who_is_better_for_both_is_seen(wave in wave(), which in any::<prop::sample::Index>()) {
        let mut proposals = wave.proposals();
        prop_assume!(!proposals.is_empty());
        // The pair makes way for one that is no worse for anybody else: nobody's place is taken.
        let gone = proposals.remove(which.index(proposals.len()));
        let seat = wave.seats.iter().find(|seat| seat.structure.id == gone.structure).unwrap();
        let free = |id| {
            let taken = proposals.iter().filter(|proposal| proposal.candidate == id).count();
            wave.people.iter().any(|person| person.candidate.id == id && taken < person.room)
        };
        let other = wave.people.iter().find_map(|person| {
            let id = person.candidate.id;
            let known = proposals.iter().any(|proposal| proposal.structure == gone.structure && proposal.candidate == id);
            let before = wave.introduced.contains(&(gone.structure, id));
            let reasons = crate::domain::eligibility::possible(&person.candidate, seat, wave.terms.today).ok()?;
            (id != gone.candidate && !known && !before && free(id)).then_some((id, reasons))
        });
        prop_assume!(other.is_some());
        let (candidate, reasons) = other.unwrap();
        proposals.push(Proposal { candidate, reasons, ..gone });
        let wrongs = wave.wrongs(&proposals);
        prop_assert!(wrongs.contains(&Wrong::Blocking), "{wrongs:?}");
    }

    #[test]
    fn c04_somebody_who_is_not_possible_is_seen(wave in wave(), seat in any::<prop::sample::Index>()) {
        let seat = &wave.seats[seat.index(wave.seats.len())];
        let outside = |person: &&Available| {
            crate::domain::eligibility::possible(&person.candidate, seat, wave.terms.today).is_err()
        };
        let person = wave.people.iter().find(outside);
        prop_assume!(person.is_some());
        let mut proposals = wave.proposals();
        let reasons = crate::domain::eligibility::possible(&candidate("69123").build(), &super::super::examples::seat("69123"), wave.terms.today).unwrap();
        let (structure, candidate) = (seat.structure.id, person.unwrap().candidate.id);
        proposals.push(Proposal { structure, candidate, reserved: false, reasons });
        let violations = wave.violations(&proposals);
        let impossible = Violation { wrong: Wrong::Impossible, structure, candidate };
        prop_assert!(violations.contains(&impossible));
    }

    #[test]
    fn m01_every_reason_is_looked_at(wave in wave(), which in any::<prop::sample::Index>(), what in 0..9) {
        let mut proposals = wave.proposals();
        prop_assume!(!proposals.is_empty());
        let place = which.index(proposals.len());
        let proposal = &mut proposals[place];
        let reasons = &mut proposal.reasons;
        let field = match what {
            0 => { reasons.distance_m = Some(reasons.distance_m.unwrap_or(0) + 1); "distance_m" }
            1 => { reasons.department_wished = !reasons.department_wished; "department_wished" }
            2 => { reasons.sector_wished = !reasons.sector_wished; "sector_wished" }
            3 => { reasons.needs_met.push(Quality::DrivingLicence); "needs_met" }
            4 => { reasons.needs_not_met.push(Quality::DrivingLicence); "needs_not_met" }
            5 => { reasons.available_from = date("2021-12-31"); "available_from" }
            6 => { reasons.choice = reasons.choice.map(|place| place + 1); "choice" }
            7 => { reasons.preference = Some(100); "preference" }
            _ => { proposal.reserved = !proposal.reserved; "reserved" }
        };
        prop_assert_eq!(wave.wrongs(&proposals), vec![Wrong::Reason(field)]);
    }
}

fn lyon_and_grenoble() -> Wave {
    let people = [("69123", 1), ("69123", 2), ("38185", 3), ("38185", 4)];
    let people =
        people.map(|(code, number)| Available { candidate: candidate(code).numbered(number).build(), room: 1 });
    let seats = [("69123", 1), ("38185", 2)].map(|(code, number)| Seat { places: 2, ..numbered(seat(code), number) });
    Wave { seats: seats.into(), people: people.into(), introduced: Introduced::new(), terms: terms() }
}

#[test]
fn m03_a_pair_that_comes_twice_or_was_introduced_is_seen() {
    let mut wave = lyon_and_grenoble();
    let mut proposals = wave.proposals();
    proposals.push(proposals[0].clone());
    let wrongs = wave.wrongs(&proposals);
    assert!(wrongs.contains(&Wrong::Twice) && wrongs.contains(&Wrong::AboveRoom), "{wrongs:?}");
    proposals.pop();
    wave.introduced.insert((proposals[0].structure, proposals[0].candidate));
    assert!(wave.wrongs(&proposals).contains(&Wrong::Twice));
}

#[test]
fn m02_more_than_may_be_live_is_seen_whatever_places_and_room_were_told() {
    let wave = lyon_and_grenoble();
    let proposals = wave.proposals();
    let (structure, candidate) = (proposals[0].structure, proposals[0].candidate);
    let beside = |live: &Live| wave.violations_beside(live, &proposals).into_iter().map(|found| found.wrong).collect();
    let limits = Live { per_structure: 3, per_candidate: 3, ..Live::default() };
    let full = Live { of_structures: HashMap::from([(structure, 3)]), ..limits.clone() };
    let wrongs: Vec<_> = beside(&full);
    assert!(wrongs.contains(&Wrong::AbovePlaces) && !wrongs.contains(&Wrong::AboveRoom), "{wrongs:?}");
    let full = Live { of_candidates: HashMap::from([(candidate, 3)]), ..limits };
    let wrongs: Vec<_> = beside(&full);
    assert!(wrongs.contains(&Wrong::AboveRoom) && !wrongs.contains(&Wrong::AbovePlaces), "{wrongs:?}");
}

#[test]
fn m02_more_than_the_places_and_who_is_not_of_the_wave_are_seen() {
    let mut wave = lyon_and_grenoble();
    let proposals = wave.proposals();
    wave.seats[0].places = 1;
    assert!(wave.wrongs(&proposals).contains(&Wrong::AbovePlaces));
    wave.seats.remove(0);
    assert!(wave.wrongs(&proposals).contains(&Wrong::Unknown));
}

#[test]
fn m02_a_violation_stops_the_group_that_it_touches_and_no_other() {
    let wave = lyon_and_grenoble();
    let proposals = wave.proposals();
    assert_eq!(proposals.len(), 4);
    let (lyon, grenoble) = (wave.seats[0].structure.id, wave.seats[1].structure.id);
    let wrong = Violation { wrong: Wrong::Blocking, structure: lyon, candidate: wave.people[0].candidate.id };
    let (goes_on, stopped) = sound(proposals.clone(), &[wrong]);
    assert_eq!(stopped, [lyon]);
    assert!(goes_on.len() == 2 && goes_on.iter().all(|proposal| proposal.structure == grenoble));
    // Somebody proposed to both makes one group of them.
    let mut connected = proposals;
    connected.push(Proposal { structure: grenoble, ..connected[0].clone() });
    let (goes_on, stopped) = sound(connected, &[wrong]);
    assert!(goes_on.is_empty());
    assert_eq!(stopped.len(), 2);
}

#[test]
fn the_other_side_of_the_world_is_near_across_the_date_line() {
    let at = |lat, lon| {
        let mut person = candidate("69123").within(30).build();
        person.place = Place::new(lat, lon).ok();
        Available { candidate: person, room: 1 }
    };
    let mut nowhere = at(0.0, 0.0);
    nowhere.candidate.place = None;
    let map = Map::of(&[at(-14.2, 179.95), at(-14.2, -179.95), at(-14.2, 178.0), nowhere]);
    let near = map.around(Place::new(-14.2, -179.99).ok());
    let mut near: Vec<_> = near.into_iter().flatten().map(|near| near.person).collect();
    near.sort_unstable();
    assert_eq!(near, [0, 1, 3]);
}
