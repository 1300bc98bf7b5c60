//! What matching counts of a season. The highest numbers of live introductions are recomputed from the history of every
//! introduction, not from counters: they would show a counter that lies.

use std::collections::{HashMap, HashSet};

use conum_proto::matching::v1::MatchingFigures;
use conum_service::Failure;
use jiff::Timestamp;
use sea_orm::ConnectionTrait;

use crate::{
    domain::{introduction::State, recruitment},
    storage::{introductions, recruitments},
};

/// Counts the season so far.
///
/// # Errors
/// The database's.
pub async fn count<C: ConnectionTrait>(connection: &C) -> Result<MatchingFigures, Failure> {
    let spans = introductions::spans(connection).await?;
    let signed = recruitments::signed(connection).await?;
    let of = |state| i64::try_from(spans.iter().filter(|span| span.state == state).count()).unwrap_or(i64::MAX);
    let mut pairs = HashSet::new();
    let repeated = spans.iter().filter(|span| !pairs.insert((span.structure.clone(), span.candidate.clone()))).count();
    let mut metres: Vec<i64> = spans.iter().filter_map(|span| span.distance_m.map(i64::from)).collect();
    let mut days: Vec<i64> = signed.iter().filter_map(|(_, days)| days.map(i64::from)).collect();
    let filled = signed.iter().filter(|(state, _)| *state == recruitment::State::Signed).count();
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(MatchingFigures {
        name: "matchingFigures".into(),
        introductions: number(spans.len()),
        declined: of(State::Declined),
        expired: of(State::Expired),
        replaced: number(spans.iter().filter(|span| span.replaces).count()),
        max_live_per_structure: highest(spans.iter().map(|span| (&span.structure, span.from, span.to))),
        max_live_per_candidate: highest(spans.iter().map(|span| (&span.candidate, span.from, span.to))),
        repeated_pairs: number(repeated),
        posts_filled: number(filled),
        median_km: median(&mut metres) / 1000.0,
        days_to_fill_median: median(&mut days),
        contracts_ended_early: number(signed.len() - filled),
    })
}

/// The highest number of spans of one party that were live at one moment. A place freed and taken at the same moment is
/// one place.
fn highest<'a>(spans: impl Iterator<Item = (&'a String, Timestamp, Option<Timestamp>)>) -> i32 {
    let mut moments: HashMap<&String, Vec<(Timestamp, i32)>> = HashMap::new();
    for (party, from, to) in spans {
        let moments = moments.entry(party).or_default();
        moments.push((from, 1));
        if let Some(to) = to {
            moments.push((to, -1));
        }
    }
    let highest_of = |moments: &mut Vec<(Timestamp, i32)>| {
        moments.sort_unstable();
        let (mut live, mut highest) = (0, 0);
        for (_, step) in moments {
            live += *step;
            highest = highest.max(live);
        }
        highest
    };
    moments.values_mut().map(highest_of).max().unwrap_or(0)
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

    #[test]
    fn m02_the_highest_number_of_live_introductions_is_recounted_from_the_history() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let (a, b) = ("a".to_owned(), "b".to_owned());
        let spans = [(&a, at(0), Some(at(10))), (&a, at(5), Some(at(10))), (&a, at(10), None), (&b, at(0), None)];
        assert_eq!(highest(spans.into_iter()), 2);
    }

    #[test]
    fn a_median_is_the_lower_middle() {
        assert!((median(&mut [5, 1, 3]) - 3.0).abs() < f64::EPSILON);
        assert!((median(&mut [4, 1]) - 1.0).abs() < f64::EPSILON);
        assert!(median(&mut []).abs() < f64::EPSILON);
    }
}
