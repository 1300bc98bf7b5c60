//! Sharing posts out between departments (A03): what two methods propose, next to each other, for a committee that stays
//! free. It informs and writes nothing, and no department gets more than is asked for there. Fractions are compared by
//! cross-multiplication: the same counts give the same proposal everywhere.

use std::cmp::{Ordering, Reverse};

use conum_kernel::{Result, Rule, Violations};
use jiff::civil::Date;

use super::{
    Application, Programme, Wave,
    equity::DepartmentCount,
    examination::check_examinable,
    post::{DerogationState, PostState},
};

/// Posts for inhabitants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    pub posts: u64,
    pub population: u64,
}

/// What the methods propose for a department. `count.asked` is the most that it can get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartmentAllocation {
    pub count: DepartmentCount,
    pub proportional: u32,
    pub max_min: u32,
}

/// How far apart the departments with a known population stand after a proposal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread {
    pub lowest: Rate,
    pub highest: Rate,
    pub below_mean: usize,
    /// The Gini coefficient of posts between inhabitants: 0 is even.
    pub gini: f64,
}

/// Two proposals next to each other.
#[derive(Clone, Debug)]
pub struct Allocation {
    /// By code; those without a known population last.
    pub departments: Vec<DepartmentAllocation>,
    pub proportional: Spread,
    pub max_min: Spread,
    /// Of all departments with a known population, the same by both methods.
    pub mean: Rate,
    /// Posts that nobody asks for.
    pub left_over: u32,
    /// Posts that go to another department by the one than by the other.
    pub moved: u32,
}

/// How many posts a committee shares out: 1 to what remains under the cap.
///
/// # Errors
/// `INVALID_COUNT` (A03) or `CAP_EXCEEDED` (P01) at `posts`.
pub fn requested(posts: i32, programme: Programme) -> Result<u32> {
    let Some(posts) = u32::try_from(posts).ok().filter(|posts| *posts > 0) else {
        let mut violations = Violations::default();
        violations.breaks(
            Rule("A03"),
            "posts",
            "INVALID_COUNT",
            "say how many posts to share out, from 1",
            "dites combien de postes répartir, à partir de 1",
        );
        return Err(violations.into_error());
    };
    programme.grant(posts).map_err(|error| error.at("posts"))?;
    Ok(posts)
}

/// The day on or before which a post is asked for that the committee of a wave has before it.
///
/// # Errors
/// `WAVE_NOT_OPEN` (P03) at `wave`.
pub fn last_day(wave: &Wave) -> Result<Date> {
    wave.check_open().map_err(|error| error.at("wave"))?;
    Ok(wave.committee_date)
}

/// How many posts of an application wait for a decision, of those asked for on or before a day where it is given.
#[must_use]
pub fn awaiting(application: &Application, last_day: Option<Date>) -> usize {
    if check_examinable(application).is_err() {
        return 0;
    }
    application
        .posts_in(PostState::Asked)
        .filter(|post| post.derogation_state() != Some(DerogationState::Refused))
        .filter(|post| last_day.is_none_or(|day| post.asked_on <= day))
        .count()
}

/// Shares posts out by both methods. Departments without a known population are served in the end, the one that holds
/// the fewest posts first.
#[must_use]
pub fn propose(posts: u32, mut counts: Vec<DepartmentCount>) -> Allocation {
    counts
        .sort_by(|one, other| (one.population == 0, &one.department).cmp(&(other.population == 0, &other.department)));
    let (known, unknown) = counts.split_at(counts.partition_point(|count| count.population > 0));
    let rest = unserved(posts, known);
    let in_the_end = max_min(rest, unknown);
    let proportional = [proportional(posts - rest, known), in_the_end.clone()].concat();
    let max_min = [max_min(posts - rest, known), in_the_end].concat();

    let mean = Rate {
        posts: known.iter().map(|count| u64::from(count.granted)).sum::<u64>() + u64::from(posts - rest),
        population: known.iter().map(|count| u64::from(count.population)).sum(),
    };
    Allocation {
        proportional: Spread::of(&after(known, &proportional), mean),
        max_min: Spread::of(&after(known, &max_min), mean),
        mean,
        left_over: unserved(rest, unknown),
        moved: proportional.iter().zip(&max_min).map(|(one, other)| one.saturating_sub(*other)).sum(),
        departments: counts
            .into_iter()
            .zip(proportional.into_iter().zip(max_min))
            .map(|(count, (proportional, max_min))| DepartmentAllocation { count, proportional, max_min })
            .collect(),
    }
}

/// What is left of some posts where each department gets all that it asks for.
fn unserved(posts: u32, counts: &[DepartmentCount]) -> u32 {
    counts.iter().fold(posts, |left, count| left.saturating_sub(count.asked))
}

/// Proportional to population, by largest remainder (Hamilton). Who asks for no more than its exact share gets all that
/// it asks for, and the others share what is left in the same way; so none of them asks for less than its share rounded
/// up. No more than is asked for in all is shared out.
fn proportional(posts: u32, counts: &[DepartmentCount]) -> Vec<u32> {
    let people = |open: &[usize]| open.iter().map(|at| u128::from(counts[*at].population)).sum::<u128>();
    let mut proposed = vec![0; counts.len()];
    let mut left = posts;
    let mut open: Vec<usize> = (0..counts.len()).collect();
    loop {
        let all = people(&open);
        let has_enough = |at: &usize| u128::from(counts[*at].asked) * all <= share(left, &counts[*at]);
        let (served, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(has_enough);
        open = rest;
        if served.is_empty() {
            break;
        }
        for at in served {
            proposed[at] = counts[at].asked;
            left -= counts[at].asked;
        }
    }

    let all = people(&open).max(1);
    let shared = left;
    for at in &open {
        proposed[*at] = u32::try_from(share(shared, &counts[*at]) / all).unwrap_or(u32::MAX);
        left -= proposed[*at];
    }
    open.sort_by_key(|at| Reverse(share(shared, &counts[*at]) % all));
    for at in open.into_iter().zip(0..left).map(|(at, _)| at) {
        proposed[at] += 1;
    }
    proposed
}

/// The share of a department in some posts, as a numerator over the inhabitants of all that share.
fn share(posts: u32, count: &DepartmentCount) -> u128 {
    u128::from(posts) * u128::from(count.population)
}

/// Max-min: one post after the other to the lowest rate among those that still ask; of two that are even, to the one
/// that the post raises least, then by code. Where no population is known, the fewest posts are the lowest rate.
fn max_min(posts: u32, counts: &[DepartmentCount]) -> Vec<u32> {
    let mut proposed = vec![0; counts.len()];
    for _ in 0..posts {
        let next = (0..counts.len()).filter(|at| proposed[*at] < counts[*at].asked).min_by(|one, other| {
            let rate = |at: &usize| Rate::after(&counts[*at], proposed[*at]);
            rate(one).compare(rate(other)).then_with(|| counts[*other].population.cmp(&counts[*one].population))
        });
        let Some(next) = next else { break };
        proposed[next] += 1;
    }
    proposed
}

fn after(counts: &[DepartmentCount], proposed: &[u32]) -> Vec<Rate> {
    counts.iter().zip(proposed).map(|(count, proposed)| Rate::after(count, *proposed)).collect()
}

impl Rate {
    fn after(count: &DepartmentCount, proposed: u32) -> Self {
        let posts = u64::from(count.granted) + u64::from(proposed);
        Self { posts, population: u64::from(count.population).max(1) }
    }

    fn compare(self, other: Self) -> Ordering {
        self.times(other).cmp(&other.times(self))
    }

    /// Its posts, as a numerator over the product of both populations.
    fn times(self, other: Self) -> u128 {
        u128::from(self.posts) * u128::from(other.population)
    }

    /// Posts for 100,000 inhabitants, to be shown; 0 where nobody lives.
    #[must_use]
    pub fn per_100k(self) -> f64 {
        shown(u128::from(self.posts) * 100_000, u128::from(self.population))
    }
}

impl DepartmentAllocation {
    /// The rate once some posts more are granted; `None` where the population is not known.
    #[must_use]
    pub fn rate(&self, proposed: u32) -> Option<Rate> {
        (self.count.population > 0).then(|| Rate::after(&self.count, proposed))
    }
}

impl Spread {
    fn of(rates: &[Rate], mean: Rate) -> Self {
        let by_rate = |one: &&Rate, other: &&Rate| one.compare(**other);
        let pairs = rates.iter().enumerate().flat_map(|(at, one)| rates[..at].iter().map(move |other| (one, other)));
        let apart: u128 = pairs.map(|(one, other)| one.times(*other).abs_diff(other.times(*one))).sum();
        Self {
            lowest: rates.iter().min_by(by_rate).copied().unwrap_or_default(),
            highest: rates.iter().max_by(by_rate).copied().unwrap_or_default(),
            below_mean: rates.iter().filter(|rate| rate.compare(mean).is_lt()).count(),
            gini: shown(apart, mean.times(mean)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a fraction that is shown, and that nothing is decided by")]
fn shown(part: u128, whole: u128) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        Desk, amendments,
        examples::{self, Story, date, moment},
        waves, withdrawal,
    };

    fn count(department: &str, population: u32, granted: u32, asked: u32) -> DepartmentCount {
        DepartmentCount { department: department.into(), name: String::new(), population, granted, asked }
    }

    fn by_population(allocation: &Allocation) -> Vec<u32> {
        allocation.departments.iter().map(|row| row.proportional).collect()
    }

    fn by_max_min(allocation: &Allocation) -> Vec<u32> {
        allocation.departments.iter().map(|row| row.max_min).collect()
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn a03_posts_go_by_population_and_the_largest_remainders_are_rounded_up() {
        // Exact shares of 10 posts: 4.7, 3.1, 1.6, 0.6.
        let counts =
            vec![count("01", 470, 9, 99), count("02", 310, 0, 99), count("03", 160, 0, 99), count("04", 60, 0, 99)];
        assert_eq!(by_population(&propose(10, counts)), [5, 3, 2, 0]);
        let even = vec![count("02", 100, 0, 9), count("01", 100, 0, 9), count("03", 100, 0, 9)];
        assert_eq!(by_population(&propose(4, even)), [2, 1, 1], "ties by code");
    }

    #[test]
    fn a03_what_a_department_does_not_ask_for_is_shared_by_the_others() {
        let counts = vec![count("01", 600, 0, 2), count("02", 200, 0, 3), count("03", 200, 0, 20)];
        let allocation = propose(12, counts);
        // 7.2, 2.4 and 2.4; then 5 and 5 of the ten that are left; then all of the seven.
        assert_eq!(by_population(&allocation), [2, 3, 7]);
        assert_eq!((allocation.left_over, allocation.moved), (0, 0));
    }

    #[test]
    fn a03_max_min_serves_the_lowest_rate_first_and_counts_what_is_granted() {
        let counts = vec![count("01", 100, 3, 9), count("02", 100, 0, 9), count("03", 200, 1, 9)];
        let allocation = propose(4, counts);
        assert_eq!(by_max_min(&allocation), [0, 2, 2]);
        assert_eq!(by_population(&allocation), [1, 1, 2]);
        assert_eq!(allocation.moved, 1);
        assert_eq!(by_max_min(&propose(1, vec![count("01", 100, 0, 1), count("02", 200, 0, 1)])), [0, 1]);
        assert_eq!(by_max_min(&propose(1, vec![count("02", 100, 0, 1), count("01", 100, 0, 1)])), [1, 0], "by code");
    }

    #[test]
    fn a03_a_department_without_a_known_population_is_served_in_the_end() {
        let counts = || vec![count("989", 0, 0, 4), count("48", 100, 0, 3), count("984", 0, 1, 4)];
        let allocation = propose(3, counts());
        let codes: Vec<_> = allocation.departments.iter().map(|row| row.count.department.as_str()).collect();
        assert_eq!(codes, ["48", "984", "989"]);
        assert_eq!(by_population(&allocation), [3, 0, 0]);
        assert!(allocation.departments[1].rate(0).is_none());
        let more = propose(6, counts());
        assert_eq!((by_population(&more), by_max_min(&more)), (vec![3, 1, 2], vec![3, 1, 2]));
        assert!(close(more.mean.per_100k(), 3000.0), "of those whose population is known");
    }

    #[test]
    fn a03_posts_that_nobody_asks_for_are_left_over() {
        let allocation = propose(9, vec![count("01", 100, 0, 2), count("984", 0, 0, 3)]);
        assert_eq!((by_population(&allocation), by_max_min(&allocation)), (vec![2, 3], vec![2, 3]));
        assert_eq!(allocation.left_over, 4);
        let nobody = propose(9, Vec::new());
        assert_eq!((nobody.left_over, nobody.moved, nobody.departments.len()), (9, 0, 0));
        assert!(close(nobody.mean.per_100k(), 0.0) && close(nobody.max_min.gini, 0.0));
    }

    #[test]
    fn a03_the_spread_tells_how_far_apart_the_departments_stand() {
        let counts = vec![count("01", 100_000, 4, 4), count("02", 100_000, 0, 4), count("03", 200_000, 0, 0)];
        let Allocation { proportional, max_min, mean, .. } = propose(4, counts);
        assert!(close(mean.per_100k(), 2.0));
        // 6, 2 and 0 against 4, 4 and 0 for 100,000 inhabitants.
        assert!(close(proportional.lowest.per_100k(), 0.0) && close(proportional.highest.per_100k(), 6.0));
        assert_eq!((proportional.below_mean, max_min.below_mean), (1, 1), "the mean itself is not below it");
        assert!(close(max_min.highest.per_100k(), 4.0));
        assert!(close(proportional.gini, 0.625) && close(max_min.gini, 0.5));
        let even = propose(6, vec![count("01", 100_000, 0, 9), count("02", 200_000, 0, 9)]);
        assert!(close(even.proportional.gini, 0.0) && close(even.max_min.gini, 0.0));
    }

    #[test]
    fn a03_posts_to_share_out_are_counted_from_one() {
        let programme = Programme { cap: 4000, granted: 3990 };
        assert_eq!(requested(10, programme), Ok(10));
        for posts in [0, -1, i32::MIN] {
            let error = requested(posts, programme).unwrap_err();
            assert_eq!((error.reason(), error.rule()), ("INVALID_COUNT", Some(Rule("A03"))));
            assert_eq!(error.violations()[0].field, "posts");
            assert!(error.violations()[0].french.contains("combien de postes"));
        }
    }

    #[test]
    fn p01_more_than_what_remains_is_not_shared_out() {
        let error = requested(11, Programme { cap: 4000, granted: 3990 }).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("CAP_EXCEEDED", Some(Rule("P01"))));
        assert_eq!(error.violations()[0].field, "posts");
    }

    #[test]
    fn a03_an_application_waits_with_what_can_still_be_granted() {
        assert_eq!(awaiting(&examples::submitted(2).application, None), 0, "A07");
        assert_eq!(awaiting(&examples::confirmed(2).application, None), 2);
        let mut application = examples::examined(3).application;
        application.posts[0].derogation = Some(examples::coordinator(DerogationState::Asked));
        application.posts[1].derogation = Some(examples::coordinator(DerogationState::Refused));
        assert_eq!(awaiting(&application, None), 2);
    }

    #[test]
    fn a03_posts_added_to_a_granted_application_wait_until_it_is_withdrawn() {
        let Story { mut application, .. } = examples::granted(2);
        assert_eq!(awaiting(&application, None), 0);
        let added = [examples::post(9)];
        application = amendments::add_posts(application, &added, Desk::Open, moment("2021-03-20")).unwrap().state;
        assert_eq!(awaiting(&application, None), 1);
        application = withdrawal::withdraw(application, "", moment("2021-03-21")).unwrap().state;
        assert_eq!(awaiting(&application, None), 0, "A01");
    }

    #[test]
    fn p03_an_open_wave_has_before_it_what_was_asked_for_by_its_day() {
        let Story { application, wave, .. } = examples::examined(2);
        assert_eq!(last_day(&wave), Ok(date("2021-03-10")));
        assert_eq!(awaiting(&application, Some(date(examples::APPLIED))), 2);
        assert_eq!(awaiting(&application, Some(date("2021-01-03"))), 0);
        let activated = waves::activate(wave, [], moment("2021-03-11")).unwrap().state;
        let error = last_day(&activated).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("WAVE_NOT_OPEN", Some(Rule("P03"))));
        assert_eq!(error.violations()[0].field, "wave");
    }

    /// Departments of every size, some without a population, in the order of their codes.
    fn departments(most: usize) -> impl Strategy<Value = Vec<DepartmentCount>> {
        let population = prop_oneof![1 => Just(0), 6 => 1_u32..40, 3 => 1_u32..3_000_000];
        prop::collection::vec((population, 0_u32..12, 0_u32..12), 0..most).prop_map(|rows| {
            let count = |(at, (population, granted, asked))| count(&format!("{at:02}"), population, granted, asked);
            rows.into_iter().enumerate().map(count).collect()
        })
    }

    fn known(allocation: &Allocation) -> Vec<&DepartmentAllocation> {
        allocation.departments.iter().filter(|row| row.count.population > 0).collect()
    }

    fn lowest(counts: &[DepartmentCount], proposed: &[u32]) -> Rate {
        after(counts, proposed).into_iter().min_by(|one, other| one.compare(*other)).unwrap_or_default()
    }

    /// Every way to share some posts out, as far as they are asked for.
    fn every_way(posts: u32, counts: &[DepartmentCount]) -> Vec<Vec<u32>> {
        let Some((first, others)) = counts.split_first() else { return vec![Vec::new()] };
        let with = |own: u32| every_way(posts - own, others).into_iter().map(move |rest| [vec![own], rest].concat());
        (0..=posts.min(first.asked)).flat_map(with).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a03_all_that_can_be_is_shared_out_and_nobody_gets_more_than_it_asks(
            posts in 0_u32..200,
            counts in departments(20),
        ) {
            let asked: u32 = counts.iter().map(|count| count.asked).sum();
            let allocation = propose(posts, counts);
            for proposed in [by_population(&allocation), by_max_min(&allocation)] {
                prop_assert_eq!(proposed.iter().sum::<u32>(), posts.min(asked));
                prop_assert_eq!(allocation.left_over, posts - posts.min(asked));
                prop_assert!(allocation.departments.iter().zip(&proposed).all(|(row, own)| *own <= row.count.asked));
                let unknown: u32 = allocation.departments.iter().zip(&proposed)
                    .filter(|(row, _)| row.count.population == 0).map(|(_, own)| own).sum();
                let all_served = known(&allocation).iter().zip(&proposed).all(|(row, own)| *own == row.count.asked);
                prop_assert!(unknown == 0 || all_served);
            }
            for spread in [allocation.proportional, allocation.max_min] {
                prop_assert!((0.0..=1.0).contains(&spread.gini));
                prop_assert!(spread.lowest.compare(allocation.mean).is_le());
                prop_assert!(spread.highest.compare(allocation.mean).is_ge());
            }
        }

        #[test]
        fn a03_where_nobody_is_held_back_each_gets_its_exact_share_rounded_down_or_up(
            posts in 0_u32..200,
            counts in departments(20),
        ) {
            let counts: Vec<_> = counts.into_iter().map(|count| DepartmentCount { asked: 200, ..count }).collect();
            let allocation = propose(posts, counts);
            let rows = known(&allocation);
            let people: u64 = rows.iter().map(|row| u64::from(row.count.population)).sum();
            for row in rows {
                let share = u64::from(posts) * u64::from(row.count.population);
                let own = u64::from(row.proportional);
                prop_assert!(own == share / people || own == share.div_ceil(people));
            }
        }

        #[test]
        fn a03_by_population_who_asks_for_more_is_behind_another_by_no_more_than_a_rounding(
            posts in 0_u32..200,
            counts in departments(20),
        ) {
            let allocation = propose(posts, counts);
            let rows = known(&allocation);
            for behind in rows.iter().filter(|row| row.proportional < row.count.asked) {
                for ahead in &rows {
                    let rounded = |own: u32, row: &DepartmentAllocation| {
                        Rate { posts: own.into(), population: row.count.population.into() }
                    };
                    let up = rounded(behind.proportional + 1, behind);
                    let down = rounded(ahead.proportional.saturating_sub(1), ahead);
                    prop_assert!(down.compare(up).is_lt(), "{} to {}", ahead.count.department, behind.count.department);
                }
            }
        }

        #[test]
        fn a03_no_post_of_max_min_can_be_moved_so_that_the_lower_of_the_two_rates_rises(
            posts in 0_u32..200,
            counts in departments(20),
        ) {
            let allocation = propose(posts, counts);
            let rows = known(&allocation);
            for from in rows.iter().filter(|row| row.max_min > 0) {
                for to in rows.iter().filter(|row| row.max_min < row.count.asked) {
                    let lower = |given: u32, kept: u32| {
                        let (to, from) = (Rate::after(&to.count, given), Rate::after(&from.count, kept));
                        if to.compare(from).is_lt() { to } else { from }
                    };
                    let (now, moved) = (lower(to.max_min, from.max_min), lower(to.max_min + 1, from.max_min - 1));
                    prop_assert!(
                        from.count.department == to.count.department || moved.compare(now).is_le(),
                        "{} to {}", from.count.department, to.count.department
                    );
                }
            }
        }

        #[test]
        fn a03_no_other_way_has_a_higher_lowest_rate_than_max_min(
            posts in 0_u32..12,
            counts in departments(5),
        ) {
            let counts: Vec<_> = counts.into_iter().filter(|count| count.population > 0).collect();
            let best = lowest(&counts, &max_min(posts, &counts));
            for way in every_way(posts, &counts) {
                prop_assert!(lowest(&counts, &way).compare(best).is_le(), "{:?}", way);
            }
        }

        #[test]
        fn a03_the_order_of_the_departments_changes_nothing(
            posts in 0_u32..200,
            (counts, shuffled) in
                departments(20).prop_flat_map(|counts| (Just(counts.clone()), Just(counts).prop_shuffle())),
        ) {
            let (one, other) = (propose(posts, counts), propose(posts, shuffled));
            prop_assert_eq!(one.departments, other.departments);
            prop_assert_eq!((one.left_over, one.moved), (other.left_over, other.moved));
        }

        #[test]
        fn a03_the_largest_counts_do_not_overflow(
            counts in prop::collection::vec((u32::MAX - 9..=u32::MAX, 0..=u32::MAX), 1..20),
            posts in 1_u32..50,
        ) {
            let count = |(at, (population, granted)): (usize, (u32, u32))| {
                count(&format!("{at:02}"), population, granted, u32::MAX)
            };
            let allocation = propose(posts, counts.into_iter().enumerate().map(count).collect());
            prop_assert_eq!(by_population(&allocation).iter().sum::<u32>(), posts);
            prop_assert_eq!(by_max_min(&allocation).iter().sum::<u32>(), posts);
        }
    }
}
