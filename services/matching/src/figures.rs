//! What matching counts of a season. The highest numbers of live introductions are recomputed from the history of every
//! introduction, not from counters: they would show a counter that lies.

use std::collections::{HashMap, HashSet};

use conum_proto::matching::v1::MatchingFigures;
use conum_service::Failure;
use sea_orm::ConnectionTrait;

use crate::{
    domain::introduction::State,
    storage::{
        introductions::{self, Step},
        recruitments,
    },
};

/// Counts the season so far.
///
/// # Errors
/// The database's.
pub async fn count<C: ConnectionTrait>(connection: &C) -> Result<MatchingFigures, Failure> {
    let spans = introductions::counted(connection).await?;
    let steps = introductions::steps(connection).await?;
    let signed = recruitments::signed(connection).await?;
    let of = |state| i64::try_from(spans.iter().filter(|span| span.state == state).count()).unwrap_or(i64::MAX);
    let mut pairs = HashSet::new();
    let repeated = spans.iter().filter(|span| !pairs.insert((span.structure.clone(), span.candidate.clone()))).count();
    let mut metres: Vec<i64> = spans.iter().filter_map(|span| span.distance_m.map(i64::from)).collect();
    let mut days: Vec<i64> = signed.iter().filter_map(|(_, days)| days.map(i64::from)).collect();
    let ended_early = signed.iter().filter(|(early, _)| *early).count();
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(MatchingFigures {
        name: "matchingFigures".into(),
        introductions: number(spans.len()),
        declined: of(State::Declined),
        expired: of(State::Expired),
        replaced: number(spans.iter().filter(|span| span.replaces).count()),
        max_live_per_structure: highest(steps.iter().map(|step| (step.structure.as_str(), step.live))),
        max_live_per_candidate: highest(candidate_steps(&steps).into_iter()),
        repeated_pairs: number(repeated),
        posts_filled: number(signed.len() - ended_early),
        median_km: median(&mut metres) / 1000.0,
        days_to_fill_median: median(&mut days),
        contracts_ended_early: number(ended_early),
    })
}

/// The highest number of introductions of one party that were live at one moment, in the order of what happened: a
/// party's place that is freed and taken again in one transaction is one place.
fn highest<'a>(steps: impl Iterator<Item = (&'a str, i32)>) -> i32 {
    let mut live: HashMap<&str, i32> = HashMap::new();
    let mut highest = 0;
    for (party, step) in steps {
        let count = live.entry(party).or_default();
        *count += step;
        highest = highest.max(*count);
    }
    highest
}

/// What happened to the places of candidates: a merge moves an introduction from one registration to the other.
fn candidate_steps(steps: &[Step]) -> Vec<(&str, i32)> {
    let mut holders: HashMap<&str, &str> = HashMap::new();
    for step in steps.iter().rev() {
        // The first registration is the one that the earliest move names.
        let holder = step.moved_from.as_deref().unwrap_or(&step.candidate);
        let known = holders.entry(&step.introduction).or_insert(holder);
        if step.moved_from.is_some() {
            *known = holder;
        }
    }
    let mut places = Vec::with_capacity(steps.len());
    for step in steps {
        let holder = holders.get(step.introduction.as_str()).copied().unwrap_or(&step.candidate);
        if step.moved_from.is_some() {
            places.push((holder, -1));
            places.push((step.candidate.as_str(), 1));
            holders.insert(&step.introduction, &step.candidate);
        } else {
            places.push((holder, step.live));
        }
    }
    places
}

/// The median; the lower middle one of an even number; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "metres and days are far below 2^52")]
fn median(values: &mut [i64]) -> f64 {
    values.sort_unstable();
    values.len().checked_sub(1).map_or(0.0, |last| values[last / 2] as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(introduction: &str, candidate: &str, live: i32, moved_from: Option<&str>) -> Step {
        Step {
            introduction: introduction.into(),
            structure: "s".into(),
            candidate: candidate.into(),
            live,
            moved_from: moved_from.map(Into::into),
        }
    }

    #[test]
    fn m02_the_highest_number_of_live_introductions_is_recounted_from_the_history() {
        assert_eq!(highest([("a", 1), ("a", 1), ("a", -1), ("a", 1), ("b", 1)].into_iter()), 2);
    }

    #[test]
    fn c08_a_merge_moves_an_introduction_from_one_registration_to_the_other() {
        let steps = [
            step("1", "kept", 1, None),
            step("2", "kept", 1, None),
            step("1", "kept", -1, None),
            step("2", "kept", 0, Some("merged")),
        ];
        let places = candidate_steps(&steps);
        assert_eq!(places, [("kept", 1), ("merged", 1), ("kept", -1), ("merged", -1), ("kept", 1)]);
    }

    #[test]
    fn a_median_is_the_lower_middle() {
        assert!((median(&mut [5, 1, 3]) - 3.0).abs() < f64::EPSILON);
        assert!((median(&mut [4, 1]) - 1.0).abs() < f64::EPSILON);
        assert!(median(&mut []).abs() < f64::EPSILON);
    }
}
