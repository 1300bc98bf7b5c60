//! `demo --compare`: the whole cast introduced once, in three ways, and what comes of each side by side.
//!
//! Nothing is played and nothing is written. A [`Scene`] is the cast as the engine sees it; [`ways`] gives each structure
//! names of possible candidates, each way in its manner; [`figures`] measures all ways by one and the same rule.

mod figures;
mod scene;
mod ways;

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;

use self::{figures::Figures, scene::Scene};
use super::{report::grouped, season::Scale};

/// How few candidates are left for the second table: one in so many.
const FEWER: [u32; 3] = [10, 20, 40];

/// The whole cast, and the same structures with fewer of its candidates: where there are plenty, any way finds some.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    whole: Comparison,
    fewer_candidates: Vec<Comparison>,
}

/// Three ways to introduce the same candidates to the same structures.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Comparison {
    structures: usize,
    candidates: usize,
    /// Pairs that M01 allows.
    possible_pairs: usize,
    /// Introductions that structures are to have: three each (M02).
    wanted: u64,
    /// Of these, the most that any way could give: what is possible for a structure, up to what it is to have.
    within_reach: u64,
    engine: Figures,
    nearest_first: Figures,
    lists: Figures,
}

impl Report {
    /// Compares the ways on the cast of a season.
    #[must_use]
    pub(crate) fn of_cast(seed: u64, scale: &Scale) -> Self {
        let scene = Scene::of_cast(seed, scale);
        let fewer_candidates = FEWER.iter().map(|among| Comparison::of(&scene.one_in(*among))).collect();
        Self { whole: Comparison::of(&scene), fewer_candidates }
    }

    /// Tables that a person likes to read, and what is to be known to read them.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let mut whole = table("Everybody introduced once");
        self.whole.add_to(&mut whole, Figures::rows);
        let mut fewer = table("With fewer candidates");
        for (among, comparison) in FEWER.iter().zip(&self.fewer_candidates) {
            comparison.add_to(&mut fewer, |figures| figures.short_rows(*among));
        }
        let number = |number: &dyn std::fmt::Display| grouped(&number.to_string());
        let Comparison { structures, candidates, possible_pairs, wanted, within_reach, .. } = &self.whole;
        format!(
            "{whole}\n{fewer}\n\
             {} structures, {} candidates, {} possible pairs; {} introductions wanted, {} possible at most.\n\
             This engine: stable; a candidate goes where a wish is met, then where fewest others are possible.\n\
             Nearest first: in the order of applications, each structure takes the three nearest who have room.\n\
             Lists: each structure has all its possible candidates, and asks them nearest first until three answer.\n\
             Somebody on n lists answers three, whichever; these figures are what is to be expected.\n\
             Distances are between the centres of communes: 0 km within one.",
            number(structures),
            number(candidates),
            number(possible_pairs),
            number(wanted),
            number(within_reach),
        )
    }
}

impl Comparison {
    /// Compares the ways on a scene.
    #[must_use]
    fn of(scene: &Scene) -> Self {
        let possible = ways::lists(scene);
        let vacancies = &scene.market.vacancies;
        let places = || vacancies.iter().map(|vacancy| u64::from(vacancy.places));
        let within_reach = |(places, names): (u64, &Vec<_>)| places.min(u64::try_from(names.len()).unwrap_or(u64::MAX));
        Self {
            structures: vacancies.len(),
            candidates: scene.market.people.len(),
            possible_pairs: possible.iter().map(Vec::len).sum(),
            wanted: places().sum(),
            within_reach: places().zip(&possible).map(within_reach).sum(),
            engine: Figures::of(scene, &ways::engine(scene)),
            nearest_first: Figures::of(scene, &ways::nearest_first(scene, &possible)),
            lists: Figures::of(scene, &possible),
        }
    }

    /// Adds rows to a table, with the ways side by side.
    fn add_to(&self, table: &mut Table, rows: impl Fn(&Figures) -> Vec<(String, String)>) {
        let [engine, nearest_first, lists] = [&self.engine, &self.nearest_first, &self.lists].map(rows);
        for (((name, engine), (_, nearest_first)), (_, lists)) in engine.into_iter().zip(nearest_first).zip(lists) {
            table.add_row([name, engine, nearest_first, lists]);
        }
    }
}

fn table(title: &str) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([title, "This engine", "Nearest first", "Lists"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use conum_engine::{Person, Reach, Vacancy};
    use conum_geo::Place;

    use super::{scene::market, ways::Named, *};

    /// Somebody on a meridian, at so many kilometres and going as far, with room for one.
    fn person(km: f64, reach_km: f64, id: u128) -> Person {
        Person {
            place: Some(at(km)),
            reach: Reach::Within(reach_km * 1000.0),
            region: 1,
            commune: 0,
            wishes: Vec::new(),
            kinds: 0,
            offers: 0,
            available: 0,
            room: 1,
            member: false,
            since: 0,
            id,
        }
    }

    fn vacancy(km: f64, department: u16, id: u128) -> Vacancy {
        Vacancy {
            place: Some(at(km)),
            region: 1,
            commune: 0,
            department,
            kind: 1,
            compulsory: 0,
            liked: 0,
            needed_by: 0,
            places: 3,
            introduced: Vec::new(),
            called: (0, 0),
            id,
        }
    }

    fn at(km: f64) -> Place {
        Place::new(45.0 + km / 111.195, 4.0).unwrap()
    }

    fn scene(people: Vec<Person>, vacancies: Vec<Vacancy>) -> Scene {
        let applied = (0..).take(vacancies.len()).collect();
        Scene { market: market(people, vacancies, 0), applied, departments: vec!["Town", "Country"] }
    }

    /// A town that applied first, with three people on its way to a village and three beyond; the village, with the first
    /// three alone.
    fn town_and_village() -> Scene {
        let between = (1..=3).map(|id| person(5.0, 15.0, id));
        let beyond = (4..=6).map(|id| person(-10.0, 15.0, id));
        scene(between.chain(beyond).collect(), vec![vacancy(0.0, 0, 1), vacancy(20.0, 1, 2)])
    }

    fn people(names: &[Named]) -> Vec<usize> {
        let mut people: Vec<_> = names.iter().map(|named| named.person).collect();
        people.sort_unstable();
        people
    }

    fn same(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn m02_nearest_first_leaves_a_thin_structure_empty_and_the_engine_does_not() {
        let scene = town_and_village();
        let nearest = ways::nearest_first(&scene, &ways::lists(&scene));
        assert_eq!((people(&nearest[0]), people(&nearest[1])), (vec![0, 1, 2], vec![]));
        let stable = ways::engine(&scene);
        assert_eq!((people(&stable[0]), people(&stable[1])), (vec![3, 4, 5], vec![0, 1, 2]));

        let comparison = Comparison::of(&scene);
        let (engine, nearest) = (&comparison.engine, &comparison.nearest_first);
        assert!(same(engine.introductions, 6.0) && same(engine.structures_full, 2.0));
        assert!(same(nearest.introductions, 3.0) && same(nearest.structures_with_none, 1.0));
        assert!(same(engine.worst_tenth_of_departments, 1.0) && same(nearest.worst_tenth_of_departments, 0.0));
        assert_eq!(nearest.worst_department.as_ref().unwrap().name, "Country");
        assert_eq!(
            (engine.median_km, engine.mean_km),
            (Some(12.5), Some(12.5)),
            "what serving all costs in kilometres"
        );
        assert_eq!(nearest.median_km, Some(5.0));
        assert_eq!((engine.candidates_named, nearest.candidates_named), (6, 3));
    }

    #[test]
    fn m02_lists_count_what_nobody_can_answer() {
        let vacancies = (1..=5).map(|id| vacancy(0.0, 0, id)).collect();
        let people = vec![Person { room: 3, ..person(1.0, 5.0, 1) }, Person { room: 3, ..person(40.0, 5.0, 2) }];
        let comparison = Comparison::of(&scene(people, vacancies));
        let lists = &comparison.lists;
        assert_eq!((lists.names, lists.unanswerable, lists.most_named, lists.candidates_named), (5, 2, 5, 1));
        assert!(same(lists.introductions, 3.0) && same(lists.structures_with_none, 2.0));
        assert_eq!(lists.structures_with_the_same_first, 5, "all turn to the same person");
        for other in [&comparison.engine, &comparison.nearest_first] {
            assert_eq!((other.names, other.unanswerable, other.most_named), (3, 0, 3));
            assert!(same(other.introductions, 3.0) && same(other.structures_with_none, 2.0));
        }
    }

    #[test]
    fn m02_what_no_way_can_give_is_told_apart() {
        let comparison =
            Comparison::of(&scene(vec![person(0.0, 5.0, 1)], vec![vacancy(0.0, 0, 1), vacancy(90.0, 1, 2)]));
        assert_eq!((comparison.wanted, comparison.within_reach), (6, 1));
        assert_eq!(comparison.possible_pairs, 1);
    }

    #[test]
    fn figures_do_not_depend_on_the_order_of_the_input() {
        let scene = Scene::of_cast(3, &Scale::small());
        let mut turned = scene.clone();
        turned.market.people.reverse();
        turned.market.vacancies.reverse();
        turned.applied.reverse();
        assert_eq!(Comparison::of(&scene), Comparison::of(&turned));
    }

    #[test]
    fn the_same_seed_gives_the_same_figures_and_another_does_not() {
        let of = |seed| Report::of_cast(seed, &Scale::small());
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn m02_on_the_small_cast_no_way_gives_more_than_is_possible_and_only_lists_go_beyond_three() {
        let report = Report::of_cast(1, &Scale::small());
        assert_eq!((report.whole.structures, report.whole.candidates, report.whole.wanted), (150, 3000, 450));
        for comparison in report.fewer_candidates.iter().chain([&report.whole]) {
            let most = u32::try_from(comparison.within_reach).map(f64::from).unwrap();
            for way in [&comparison.engine, &comparison.nearest_first, &comparison.lists] {
                assert!(way.introductions <= most, "{way:?}");
                assert!(way.structures_full + way.structures_with_none <= 150.0, "{way:?}");
            }
            for way in [&comparison.engine, &comparison.nearest_first] {
                assert!(way.unanswerable == 0 && way.most_named <= 3, "{way:?}");
            }
            assert_eq!(usize::try_from(comparison.lists.names).unwrap(), comparison.possible_pairs);
            assert!(comparison.lists.unanswerable > 0 && comparison.lists.most_named > 3);
        }
    }

    #[test]
    fn where_candidates_are_few_the_engine_leaves_fewer_structures_of_the_small_cast_with_none() {
        let report = Report::of_cast(1, &Scale::small());
        let candidates: Vec<_> = report.fewer_candidates.iter().map(|comparison| comparison.candidates).collect();
        assert_eq!(candidates, [300, 150, 75]);
        for comparison in &report.fewer_candidates {
            let (engine, nearest) = (&comparison.engine, &comparison.nearest_first);
            assert!(engine.structures_with_none <= nearest.structures_with_none, "{comparison:?}");
        }
    }
}
