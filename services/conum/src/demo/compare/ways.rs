//! The ways: for each structure, whose names it is given, in the order in which it turns to them.

use conum_engine::{Engine, Person, Reach, Vacancy};
use conum_geo::EARTH_RADIUS_M;

use super::scene::Scene;

/// A candidate whose name a structure is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Named {
    /// The position in the market.
    pub(crate) person: usize,
    /// Nothing where a place is not known.
    pub(crate) metres: Option<f64>,
}

/// The stable assignment: three live introductions of a structure, at most three of a candidate (M02).
#[must_use]
pub(crate) fn engine(scene: &Scene) -> Vec<Vec<Named>> {
    let engine = Engine::over(&scene.market);
    let mut names = vec![Vec::new(); scene.market.vacancies.len()];
    for pair in engine.assign(&engine.scarcity()).pairs {
        names[pair.structure].push(Named { person: pair.person, metres: pair.fit.distance });
    }
    names
}

/// Structures one after the other as they applied, each with the nearest of its possible candidates who have room left.
#[must_use]
pub(crate) fn nearest_first(scene: &Scene, possible: &[Vec<Named>]) -> Vec<Vec<Named>> {
    let vacancies = &scene.market.vacancies;
    let mut turns: Vec<usize> = (0..vacancies.len()).collect();
    turns.sort_unstable_by_key(|structure| (scene.applied[*structure], vacancies[*structure].id));
    let mut room: Vec<u32> = scene.market.people.iter().map(|person| person.room).collect();
    let mut names = vec![Vec::new(); vacancies.len()];
    for structure in turns {
        let free = possible[structure].iter().filter(|named| room[named.person] > 0);
        names[structure] = free.take(vacancies[structure].places as usize).copied().collect();
        for named in &names[structure] {
            room[named.person] -= 1;
        }
    }
    names
}

/// All possible candidates of each structure (M01), whoever else has their names: nearest, then earliest registered, then
/// id.
#[must_use]
pub(crate) fn lists(scene: &Scene) -> Vec<Vec<Named>> {
    scene.market.vacancies.iter().map(|vacancy| list(scene, vacancy)).collect()
}

fn list(scene: &Scene, vacancy: &Vacancy) -> Vec<Named> {
    let market = &scene.market;
    let ranked = |(number, person): (usize, &Person)| {
        let fit = market.fit(person, vacancy)?;
        // A cost is never negative, and such numbers order as their bits do.
        let rank = (market.cost(person, &fit).to_bits(), person.since, person.id);
        Some((rank, Named { person: number, metres: fit.distance }))
    };
    let people = market.people.iter().enumerate().filter(|(_, person)| !far_north_or_south(person, vacancy));
    let mut list: Vec<_> = people.filter_map(ranked).collect();
    list.sort_unstable_by_key(|(rank, _)| *rank);
    list.into_iter().map(|(_, named)| named).collect()
}

/// Whether the latitudes alone rule a pair out: it spares most of the exact distances.
fn far_north_or_south(person: &Person, vacancy: &Vacancy) -> bool {
    let (Reach::Within(reach), Some(home), Some(site)) = (person.reach, person.place, vacancy.place) else {
        return false;
    };
    // A metre more than the reach, for what is lost to rounding.
    let beyond = EARTH_RADIUS_M * (home.lat() - site.lat()).abs().to_radians() > reach + 1.0;
    beyond && person.commune != vacancy.commune && !person.wishes.contains(&vacancy.department)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::season::Scale;

    fn small() -> Scene {
        Scene::of_cast(1, &Scale::small())
    }

    #[test]
    fn m01_a_list_holds_whom_the_engine_finds_possible_and_nobody_else() {
        let scene = small();
        let lists = lists(&scene);
        let lengths: Vec<_> = lists.iter().map(Vec::len).collect();
        let scarcity: Vec<_> =
            Engine::over(&scene.market).scarcity().iter().map(|possible| *possible as usize).collect();
        assert_eq!(lengths, scarcity);
        for (list, vacancy) in lists.iter().zip(&scene.market.vacancies) {
            let mut listed: Vec<_> = list.iter().map(|named| named.person).collect();
            listed.sort_unstable();
            let fits = |number: &usize| scene.market.fit(&scene.market.people[*number], vacancy).is_some();
            let possible: Vec<_> = (0..scene.market.people.len()).filter(fits).collect();
            assert_eq!(listed, possible);
        }
    }

    #[test]
    fn m02_nobody_is_in_more_than_three_at_once_and_nobody_is_left_out_who_could_fill_a_place() {
        let scene = small();
        let possible = lists(&scene);
        for names in [engine(&scene), nearest_first(&scene, &possible)] {
            let mut room: Vec<u32> = scene.market.people.iter().map(|person| person.room).collect();
            for named in names.iter().flatten() {
                room[named.person] = room[named.person].checked_sub(1).unwrap();
            }
            for ((names, possible), vacancy) in names.iter().zip(&possible).zip(&scene.market.vacancies) {
                assert!(names.len() <= vacancy.places as usize);
                assert!(names.iter().all(|named| possible.contains(named)));
                let short = names.len() < vacancy.places as usize;
                let free = possible.iter().find(|named| room[named.person] > 0 && !names.contains(named));
                assert!(!short || free.is_none(), "{free:?}");
            }
        }
    }
}
