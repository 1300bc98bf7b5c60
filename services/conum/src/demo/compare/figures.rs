//! What comes of a way, measured alike for all.
//!
//! Somebody whose name n structures have answers as many of them as there is room for (M02: three); which ones is as
//! likely as any other. A structure goes down its names in order, until as many have answered as it is to have. Where
//! nobody is named beyond that, everybody answers, and figures are counts; elsewhere they are what is to be expected.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{scene::Scene, ways::Named};
use crate::demo::report::grouped;

/// The figures of one way. An introduction counts where it can be answered, up to what its structure is to have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) introductions: f64,
    /// Structures that have all they are to have.
    pub(crate) structures_full: f64,
    pub(crate) structures_with_none: f64,
    /// The share of the introductions wanted in a department that can be answered, averaged over the worst tenth of the
    /// departments that have structures (rounded up; each way has its own worst). From 0 to 1.
    pub(crate) worst_tenth_of_departments: f64,
    /// The department with the least share, the first by name of several.
    pub(crate) worst_department: Option<Department>,
    /// Over the introductions whose distance is known.
    pub(crate) mean_km: Option<f64>,
    pub(crate) median_km: Option<f64>,
    /// Candidates whose name at least one structure has.
    pub(crate) candidates_named: usize,
    /// Names given to structures, in all.
    pub(crate) names: u64,
    /// To a structure, on average.
    pub(crate) names_per_structure: f64,
    /// Of these, the ones beyond what the candidates have room for: n - 3 for somebody named n times.
    pub(crate) unanswerable: u64,
    /// The structures that have the name of one candidate, at most.
    pub(crate) most_named: u32,
    /// How many names a structure goes through on average, until it has all or its names are at their end.
    pub(crate) names_tried: f64,
    /// Structures whose first three are the very first three of another one.
    pub(crate) structures_with_the_same_first: usize,
}

/// A department, and the share of the introductions wanted there that can be answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Department {
    pub(crate) name: &'static str,
    pub(crate) share: f64,
}

impl Figures {
    /// Measures the names that structures are given.
    #[must_use]
    pub(crate) fn of(scene: &Scene, names: &[Vec<Named>]) -> Self {
        let (people, vacancies) = (&scene.market.people, &scene.market.vacancies);
        let mut times = vec![0_u32; people.len()];
        for name in names.iter().flatten() {
            times[name.person] += 1;
        }
        let chance = |person: usize| (f64::from(people[person].room) / f64::from(times[person])).min(1.0);
        let answers: Vec<_> =
            names.iter().zip(vacancies).map(|(names, vacancy)| Answers::of(names, vacancy.places, chance)).collect();
        let sum = |figure: fn(&Answers) -> f64| rounded(answers.iter().map(figure).sum());
        let departments = departments(scene, &answers);
        let worst = &departments[..departments.len().div_ceil(10)];
        let metres: Vec<_> = answers.iter().flat_map(|answers| answers.metres.iter().copied()).collect();
        let beyond = |(times, room): (&u32, u32)| u64::from(times.saturating_sub(room));
        Self {
            introductions: sum(|answers| answers.answered),
            structures_full: sum(|answers| answers.full),
            structures_with_none: sum(|answers| answers.none),
            worst_tenth_of_departments: mean(worst.iter().map(|department| (department.share, 1.0)))
                .map_or(1.0, rounded),
            worst_department: worst.first().cloned(),
            mean_km: mean(metres.iter().copied()).map(km),
            median_km: median(metres).map(km),
            candidates_named: times.iter().filter(|times| **times > 0).count(),
            names_per_structure: mean(names.iter().map(|names| (f64::from(count(names)), 1.0))).map_or(0.0, rounded),
            names: times.iter().copied().map(u64::from).sum(),
            unanswerable: times.iter().zip(people.iter().map(|person| person.room)).map(beyond).sum(),
            most_named: times.iter().copied().max().unwrap_or(0),
            names_tried: mean(answers.iter().map(|answers| (answers.tried, 1.0))).map_or(0.0, rounded),
            structures_with_the_same_first: with_the_same_first(scene, names),
        }
    }

    /// The lines of a table.
    pub(crate) fn rows(&self) -> Vec<(String, String)> {
        let worst = self.worst_department.as_ref();
        let rows = [
            ("Introductions that can be answered", whole(self.introductions)),
            ("Structures that have three", whole(self.structures_full)),
            ("  that have none", whole(self.structures_with_none)),
            ("  whose first three are another's too", grouped(&self.structures_with_the_same_first.to_string())),
            ("Served in the worst tenth of departments", percent(self.worst_tenth_of_departments)),
            ("  in the worst one", worst.map_or_else(|| "-".into(), |worst| percent(worst.share))),
            ("Mean distance", distance(self.mean_km)),
            ("  median", distance(self.median_km)),
            ("Candidates whose name is given", grouped(&self.candidates_named.to_string())),
            ("  structures that have one name, at most", grouped(&self.most_named.to_string())),
            ("Names given in all", grouped(&self.names.to_string())),
            ("  to a structure, on average", whole(self.names_per_structure)),
            ("  that nobody can answer", grouped(&self.unanswerable.to_string())),
            ("  that a structure goes through", format!("{:.1}", self.names_tried)),
        ];
        rows.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// The main ones of them, for one candidate in so many.
    pub(crate) fn short_rows(&self, among: u32) -> Vec<(String, String)> {
        let kilometres = format!("{}, {}", distance(self.mean_km), distance(self.median_km));
        vec![
            (format!("One in {among}: introductions that can be answered"), whole(self.introductions)),
            (
                "  structures that have three, none".into(),
                format!("{}, {}", whole(self.structures_full), whole(self.structures_with_none)),
            ),
            ("  served in the worst tenth of departments".into(), percent(self.worst_tenth_of_departments)),
            ("  mean distance, median".into(), kilometres),
        ]
    }
}

/// What a structure may expect of its names.
struct Answers {
    answered: f64,
    /// How likely it has all it is to have.
    full: f64,
    /// How likely it has none.
    none: f64,
    tried: f64,
    /// Distances, with how likely each introduction is.
    metres: Vec<(f64, f64)>,
}

impl Answers {
    fn of(names: &[Named], places: u32, chance: impl Fn(usize) -> f64) -> Self {
        // How likely so many have answered so far, for all numbers that leave a place open.
        let mut so_far = vec![0.0; places as usize];
        if let Some(nobody) = so_far.first_mut() {
            *nobody = 1.0;
        }
        let mut answers = Self { answered: 0.0, full: 0.0, none: 0.0, tried: 0.0, metres: Vec::new() };
        for name in names {
            let open: f64 = so_far.iter().sum();
            if open <= 0.0 {
                break;
            }
            let chance = chance(name.person);
            answers.tried += open;
            answers.answered += open * chance;
            answers.metres.extend(name.metres.map(|metres| (metres, open * chance)));
            let mut arrives = 0.0;
            for likely in &mut so_far {
                let leaves = *likely * chance;
                *likely += arrives - leaves;
                arrives = leaves;
            }
            answers.full += arrives;
        }
        answers.none = so_far.first().copied().unwrap_or(0.0);
        answers
    }
}

/// Departments that have structures, by share, then name.
fn departments(scene: &Scene, answers: &[Answers]) -> Vec<Department> {
    let mut sums: BTreeMap<&'static str, (f64, u32)> = BTreeMap::new();
    for (vacancy, answers) in scene.market.vacancies.iter().zip(answers) {
        let name = scene.departments.get(usize::from(vacancy.department)).copied().unwrap_or_default();
        let (answered, wanted) = sums.entry(name).or_default();
        *answered += answers.answered;
        *wanted += vacancy.places;
    }
    let share = |(name, (answered, wanted)): (&'static str, (f64, u32))| {
        (wanted > 0).then(|| Department { name, share: rounded(answered / f64::from(wanted)) })
    };
    let mut departments: Vec<_> = sums.into_iter().filter_map(share).collect();
    departments.sort_by(|a, b| a.share.total_cmp(&b.share));
    departments
}

fn with_the_same_first(scene: &Scene, names: &[Vec<Named>]) -> usize {
    let mut times: HashMap<Vec<usize>, usize> = HashMap::new();
    for (names, vacancy) in names.iter().zip(&scene.market.vacancies) {
        let mut first: Vec<_> = names.iter().take(vacancy.places as usize).map(|name| name.person).collect();
        if !first.is_empty() {
            first.sort_unstable();
            *times.entry(first).or_default() += 1;
        }
    }
    times.into_values().filter(|times| *times > 1).sum()
}

/// The mean of values with weights.
fn mean(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (sum, weights) =
        values.fold((0.0, 0.0), |(sum, weights), (value, weight)| (sum + value * weight, weights + weight));
    (weights > 0.0).then(|| sum / weights)
}

/// The median of values with weights.
fn median(mut values: Vec<(f64, f64)>) -> Option<f64> {
    values.retain(|(_, weight)| *weight > 0.0);
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let half = values.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    for (place, (value, weight)) in values.iter().enumerate() {
        below += weight;
        if below > half {
            return Some(*value);
        }
        if below >= half {
            // Half of them are up to here, and half are after.
            let next = values.get(place + 1).map_or(*value, |(next, _)| *next);
            return Some(f64::midpoint(*value, next));
        }
    }
    values.last().map(|(value, _)| *value)
}

fn count<T>(of: &[T]) -> u32 {
    u32::try_from(of.len()).unwrap_or(u32::MAX)
}

/// Kilometres, to the metre.
fn km(metres: f64) -> f64 {
    rounded(metres / 1000.0)
}

/// To a thousandth: what is lost in sums of chances is far below.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn whole(value: f64) -> String {
    grouped(&format!("{value:.0}"))
}

fn distance(km: Option<f64>) -> String {
    km.map_or_else(|| "-".into(), |km| format!("{km:.1} km"))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn what_a_structure_may_expect_is_what_all_outcomes_come_to() {
        let chances = [0.5, 1.0, 0.25, 0.6, 0.1];
        let names: Vec<_> = (0..5_u32).map(|n| Named { person: n as usize, metres: Some(f64::from(n)) }).collect();
        for places in 0..=5 {
            let answers = Answers::of(&names, places, |person| chances[person]);
            let (mut answered, mut full, mut none, mut tried) = (0.0, 0.0, 0.0, 0.0);
            for outcome in 0..32_u32 {
                let yes = |n: usize| outcome >> n & 1 == 1;
                let likely: f64 =
                    chances.iter().enumerate().map(|(n, chance)| if yes(n) { *chance } else { 1.0 - chance }).product();
                let (mut have, mut looked) = (0, 0);
                for n in 0..5 {
                    if have < places {
                        looked += 1;
                        have += u32::from(yes(n));
                    }
                }
                answered += likely * f64::from(have);
                tried += likely * f64::from(looked);
                full += if places > 0 && have == places { likely } else { 0.0 };
                none += if places > 0 && have == 0 { likely } else { 0.0 };
            }
            assert!(close(answers.answered, answered) && close(answers.tried, tried), "{places} places");
            assert!(close(answers.full, full) && close(answers.none, none), "{places} places");
            assert!(close(answers.metres.iter().map(|(_, likely)| likely).sum(), answered), "{places} places");
        }
    }

    #[test]
    fn a_median_is_between_the_two_in_the_middle_and_heeds_weights() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![(3.0, 1.0), (1.0, 1.0), (2.0, 1.0)]), Some(2.0));
        assert_eq!(median(vec![(4.0, 1.0), (1.0, 1.0), (2.0, 1.0), (9.0, 1.0)]), Some(3.0));
        assert_eq!(median(vec![(1.0, 0.2), (2.0, 0.2), (9.0, 0.7)]), Some(9.0));
    }
}
