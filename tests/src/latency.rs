//! How long calls take.

use std::{fmt, time::Duration};

/// The middle of many durations, and what one in a hundred exceeds.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    pub calls: usize,
    pub p50: Duration,
    pub p99: Duration,
}

impl Latency {
    /// Of at least one call.
    #[must_use]
    pub fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let calls = durations.len();
        let percentile = |percent: usize| durations[(calls * percent).div_ceil(100).max(1) - 1];
        Self { calls, p50: percentile(50), p99: percentile(99) }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let (p50, p99) = (milliseconds(self.p50), milliseconds(self.p99));
        write!(f, "p50 {p50:.2} ms, p99 {p99:.2} ms of {} calls", self.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_least_duration_that_so_many_do_not_exceed() {
        let of = |most: u64| Latency::of((1..=most).rev().map(Duration::from_millis).collect());
        assert_eq!((of(100).p50, of(100).p99), (Duration::from_millis(50), Duration::from_millis(99)));
        assert_eq!((of(1).p50, of(1).p99), (Duration::from_millis(1), Duration::from_millis(1)));
    }
}
