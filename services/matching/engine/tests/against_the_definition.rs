//! The engine against what it is defined as, computed the long way: every pair looked at.

#![expect(clippy::unwrap_used, reason = "a test panics where something is wrong")]

use std::collections::HashSet;

use conum_engine::{
    Assigned, Assignment, Engine, Fit, Lists, Market, Person, Reach, Rounding, Share, Vacancy, Weights, accept,
    tie_break,
};
use conum_geo::Place;
use proptest::prelude::*;

fn engine(market: &Market) -> (Vec<u32>, Assignment) {
    let engine = Engine::over(market);
    let scarcity = engine.scarcity();
    let assignment = engine.assign(&scarcity);
    (scarcity, assignment)
}

/// Whether a pair is possible, by the definition.
fn fit(market: &Market, structure: usize, person: usize) -> Option<Fit> {
    let vacancy = &market.vacancies[structure];
    let new = !vacancy.introduced.contains(&u32::try_from(person).unwrap());
    let facts = &market.people[person];
    if new && facts.room > 0 { market.fit(facts, vacancy) } else { None }
}

/// A structure's order, by the definition.
fn order(market: &Market, structure: usize) -> Vec<usize> {
    let mut order: Vec<(f64, i64, u128, usize)> = (0..market.people.len())
        .filter_map(|person| {
            let facts = &market.people[person];
            let fit = fit(market, structure, person)?;
            Some((market.cost(facts, &fit), facts.since, facts.id, person))
        })
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let order = order.into_iter().map(|(.., person)| person).enumerate();
    let (members, others): (Vec<_>, Vec<_>) = order.partition(|(_, person)| market.people[*person].member);
    let (mut members, mut others) = (members.into_iter().peekable(), others.into_iter().peekable());
    let mut kept = Vec::new();
    let mut so_far = 0;
    loop {
        let due = so_far < market.share.of(kept.len() as u64 + 1);
        let of_members = match (members.peek(), others.peek()) {
            (Some(member), Some(other)) => due || member.0 < other.0,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return kept,
        };
        so_far += u64::from(of_members);
        let next = if of_members { members.next() } else { others.next() };
        kept.extend(next.map(|(_, person)| person));
    }
}

/// What a person compares, by the definition; less is better.
fn view(market: &Market, scarcity: &[u32], person: usize, structure: usize) -> (usize, u32, u64, u64) {
    let (facts, vacancy) = (&market.people[person], &market.vacancies[structure]);
    let fit = market.fit(facts, vacancy).unwrap();
    let unmet = 2 - usize::from(fit.department_wished) - usize::from(fit.kind_wished);
    let metres = fit.distance.unwrap_or(f64::INFINITY);
    (unmet, scarcity[structure], metres.to_bits(), tie_break(vacancy.id, facts.id))
}

fn check(market: &Market) -> Result<(), TestCaseError> {
    let (scarcity, assignment) = engine(market);
    let orders: Vec<Vec<usize>> = (0..market.vacancies.len()).map(|structure| order(market, structure)).collect();
    for (structure, order) in orders.iter().enumerate() {
        prop_assert_eq!(scarcity[structure] as usize, order.len(), "scarcity of {}", structure);
    }
    let pairs: HashSet<(usize, usize)> = assignment.pairs.iter().map(|pair| (pair.structure, pair.person)).collect();
    prop_assert_eq!(pairs.len(), assignment.pairs.len(), "no pair twice");
    let of = |structure: usize| assignment.pairs.iter().filter(move |pair| pair.structure == structure);
    let on = |person: usize| assignment.pairs.iter().filter(move |pair| pair.person == person);
    for Assigned { structure, person, choice, of, preference, .. } in assignment.pairs.iter().cloned() {
        prop_assert_eq!(orders[structure][choice as usize - 1], person, "the choice");
        prop_assert_eq!(of, scarcity[structure]);
        let key = view(market, &scarcity, person, structure);
        let better = (0..market.vacancies.len())
            .filter(|other| fit(market, *other, person).is_some() && view(market, &scarcity, person, *other) < key);
        prop_assert_eq!(preference as usize, better.count() + 1, "the preference");
    }
    for (structure, order) in orders.iter().enumerate() {
        prop_assert!(of(structure).count() <= market.vacancies[structure].places as usize);
        for (place, person) in order.iter().enumerate() {
            prop_assert!(on(*person).count() <= market.people[*person].room as usize);
            if pairs.contains(&(structure, *person)) {
                continue;
            }
            let wanted = of(structure).count() < market.vacancies[structure].places as usize
                || of(structure).any(|pair| pair.choice as usize - 1 > place);
            let wants = on(*person).count() < market.people[*person].room as usize
                || on(*person).any(|pair| {
                    view(market, &scarcity, *person, pair.structure) > view(market, &scarcity, *person, structure)
                });
            prop_assert!(!(wanted && wants), "{} and {} would rather have each other", structure, person);
        }
    }
    Ok(())
}

/// A commune and its centre: a few dozen within some fifty kilometres, so that many are as far; now and then one whose
/// centre is not known, or a place that is in no commune.
fn place() -> impl Strategy<Value = (u32, Option<Place>)> {
    let known = (0_u8..8, 0_u8..8, any::<bool>()).prop_map(|(y, x, named)| {
        let commune = if named { 1 + u32::from(y) * 8 + u32::from(x) } else { 0 };
        (commune, Place::new(45.0 + f64::from(y) / 16.0, 4.0 + f64::from(x) / 16.0).ok())
    });
    prop_oneof![1 => (100_u32..102).prop_map(|commune| (commune, None)), 20 => known]
}

fn person() -> impl Strategy<Value = Person> {
    let reach = prop_oneof![
        1 => Just(Reach::Anywhere),
        6 => (0_u32..40).prop_map(|km| Reach::Within(f64::from(km) * 1000.0)),
    ];
    let wishes = prop::collection::vec(0_u16..4, 0..2);
    let facts = (place(), reach, 0_u16..2, wishes, 0_u8..4);
    let more = (0_u8..8, 0_i32..4, 0_u32..4, any::<bool>(), 0_i64..3, 1_u128..1000);
    (facts, more).prop_map(|(((commune, place), reach, region, wishes, kinds), more)| {
        let (offers, available, room, member, since, id) = more;
        // Most wish nothing.
        let wishes = if since == 0 { wishes } else { vec![] };
        let kinds = if since == 0 { kinds } else { 0 };
        Person { place, reach, region, commune, wishes, kinds, offers, available, room, member, since, id }
    })
}

fn vacancy() -> impl Strategy<Value = Vacancy> {
    let facts = (place(), 0_u16..2, 0_u16..4, 0_u8..2, prop_oneof![3 => Just(0_u8), 1 => 0_u8..8], 0_u8..8);
    let more = (0_i32..4, 0_u32..4, prop::collection::btree_set(0_u32..20, 0..3), 1_u128..1000);
    // Mostly at the centre of its commune.
    let aside = prop_oneof![2 => Just((0, 0)), 1 => (-4_i8..5, -4_i8..5)];
    (facts, more, aside).prop_map(|(((commune, place), region, department, kind, compulsory, liked), more, aside)| {
        let (needed_by, places, introduced, id) = more;
        let aside = |at: Place| {
            let (north, east) = (f64::from(aside.0) / 20.0, f64::from(aside.1) / 20.0);
            Place::new(at.lat() + north, at.lon() + east).unwrap()
        };
        let place = place.map(aside);
        let introduced = introduced.into_iter().collect();
        let kind = 1 << kind;
        Vacancy {
            place,
            region,
            commune,
            department,
            kind,
            compulsory,
            liked,
            needed_by,
            places,
            introduced,
            called: (0, 0),
            id,
        }
    })
}

fn market() -> impl Strategy<Value = Market> {
    let weights = prop_oneof![Just(Weights::DISTANCE), Just(Weights { need: 10_000.0, wish: 5_000.0, day: 100.0 }),];
    let share = prop_oneof![3 => Just(0_u32), 1 => 0_u32..=100].prop_map(|percent| Share { percent });
    let rounding = prop_oneof![Just(Rounding::Metre), Just(Rounding::Exact)];
    let sides = (prop::collection::vec(person(), 0..40), prop::collection::vec(vacancy(), 0..12));
    (sides, weights, share, rounding).prop_map(|((mut people, mut vacancies), weights, share, rounding)| {
        // Ids are distinct; introductions name somebody.
        for (number, person) in people.iter_mut().enumerate() {
            person.id = person.id * 100 + number as u128;
        }
        for (number, vacancy) in vacancies.iter_mut().enumerate() {
            vacancy.id = vacancy.id * 100 + number as u128;
            vacancy.introduced.retain(|person| (*person as usize) < people.len());
        }
        Market { people, vacancies, weights, rounding, share, today: 1 }
    })
}

/// The same market in another order, with the same ids.
fn turned(market: &Market) -> Market {
    let mut turned = market.clone();
    turned.people.reverse();
    turned.vacancies.reverse();
    let last = u32::try_from(market.people.len()).unwrap();
    for vacancy in &mut turned.vacancies {
        vacancy.introduced = vacancy.introduced.iter().rev().map(|person| last - 1 - person).collect();
    }
    turned
}

/// Pairs by ids.
fn named(market: &Market, assignment: &Assignment) -> Vec<(u128, u128, u32, u32)> {
    let mut named: Vec<_> = assignment
        .pairs
        .iter()
        .map(|pair| {
            let ids = (market.vacancies[pair.structure].id, market.people[pair.person].id);
            (ids.0, ids.1, pair.choice, pair.preference)
        })
        .collect();
    named.sort_unstable();
    named
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn m02_every_assignment_is_stable_and_says_what_it_rests_on(market in market()) {
        check(&market)?;
    }

    #[test]
    fn m02_the_order_of_the_input_does_not_matter(market in market()) {
        let turned = turned(&market);
        prop_assert_eq!(named(&market, &engine(&market).1), named(&turned, &engine(&turned).1));
    }
}

#[test]
fn m02_among_thousands_the_index_finds_what_looking_at_everybody_finds() {
    // A number that any two runs agree on, without a generator to depend on.
    let mut state = 20_211_123_u64;
    let mut next = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 33).unwrap() % below
    };
    let mut somewhere = || {
        let (lat, lon) = (42.0 + f64::from(next(9000)) / 1000.0, -4.0 + f64::from(next(12_000)) / 1000.0);
        (Place::new(lat, lon).ok(), next(7), next(2))
    };
    let reaches = [5.0, 10.0, 15.0, 20.0, 40.0, 100.0, 2000.0];
    let people = (0..4000).map(|number| {
        let (place, reach, kinds) = somewhere();
        let reach = Reach::Within(reaches[usize::try_from(reach).unwrap()] * 1000.0);
        let kinds = u8::try_from(kinds).unwrap();
        let (wishes, offers, available, room) = (vec![], 0, 0, 3);
        let (region, commune, member, since) = (0, 0, false, 0);
        Person { place, reach, region, commune, wishes, kinds, offers, available, room, member, since, id: number }
    });
    let people = people.collect();
    let vacancies = (0..120).map(|number| {
        let (region, commune, department, kind, compulsory, liked, needed_by) = (0, 0, 0, 1, 0, 0, 0);
        let (place, places, introduced, id) = (somewhere().0, 3, vec![], number);
        Vacancy {
            place,
            region,
            commune,
            department,
            kind,
            compulsory,
            liked,
            needed_by,
            places,
            introduced,
            called: (0, 0),
            id,
        }
    });
    let vacancies = vacancies.collect();
    let share = Share { percent: 0 };
    let market = Market { people, vacancies, weights: Weights::DISTANCE, rounding: Rounding::Exact, share, today: 0 };
    check(&market).unwrap();
}

#[test]
fn lists_count_where_both_sides_name_each_other() {
    let structures = [vec![0, 1, 0, 7], vec![1]];
    let people = [vec![0], vec![0, 1]];
    let mut lists = Lists::new(&structures, &people);
    assert_eq!(lists.possible(), 3);
    let pairs = accept(&[2, 1], &[1, 1], &mut lists);
    assert_eq!(pairs.iter().map(|pair| (pair.structure, pair.person)).collect::<Vec<_>>(), [(0, 0), (0, 1)]);
}
