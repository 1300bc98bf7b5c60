//! What a structure's order compares, and the share of introductions kept for people who come from long unemployment.
//! Both are policies: until another order is set, it is M01's, the nearest first.

use conum_engine::{Share, Weights};
use conum_kernel::dates::{add_days, add_months, days_between};
use jiff::civil::Date;

use super::{candidate::Candidate, eligibility::Reasons};

/// What makes somebody worse in a structure's order, in metres of distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Each need that is not compulsory and not met.
    pub need_m: u32,
    /// Each of department and sector that the person does not wish.
    pub wish_m: u32,
    /// Each day until the person is available.
    pub day_m: u32,
}

/// What an unknown distance counts as, in metres: further than anything on Earth.
const UNKNOWN_M: u32 = 30_000_000;

impl Order {
    /// What is compared of a possible pair, in metres; less is better.
    #[must_use]
    pub fn cost(self, reasons: &Reasons, today: Date) -> u64 {
        let times = |metres: u32, count: usize| u64::from(metres) * u64::try_from(count).unwrap_or(u64::MAX);
        let unwished = [reasons.department_wished, reasons.sector_wished].into_iter().filter(|wished| !wished).count();
        let days = usize::try_from(days_between(today, reasons.available_from)).unwrap_or(0);
        u64::from(reasons.distance_m.unwrap_or(UNKNOWN_M))
            + times(self.need_m, reasons.needs_not_met.len())
            + times(self.wish_m, unwished)
            + times(self.day_m, days)
    }

    pub(super) fn weights(self) -> Weights {
        Weights { need: self.need_m.into(), wish: self.wish_m.into(), day: self.day_m.into() }
    }
}

/// The share of introductions that is kept for people who have been looking for a job for long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserve {
    /// Per cent, 0 to 100.
    pub percent: u32,
    /// How long is long.
    pub months: i32,
}

/// Whom a structure was ever introduced to, and how many of them its reserve counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Called {
    pub all: u64,
    pub reserved: u64,
}

impl Reserve {
    pub(super) fn share(self) -> Share {
        Share { percent: self.percent }
    }

    /// Whether the next introduction of a structure is for one of the group, as long as one is possible: of the first k
    /// introductions, `ceil(q k)` are.
    #[must_use]
    pub fn is_due(self, called: Called) -> bool {
        called.reserved < self.share().of(called.all + 1)
    }

    /// The latest day since which somebody has been looking for a job for long. Months that clip bring several days to
    /// the same one: the last of those.
    #[must_use]
    pub fn latest(self, today: Date) -> Date {
        let mut latest = add_months(today, -self.months);
        while self.is_long(add_days(latest, 1), today) {
            latest = add_days(latest, 1);
        }
        latest
    }

    fn is_long(self, since: Date, today: Date) -> bool {
        add_months(since, self.months) <= today
    }

    /// Whether somebody is of the group.
    #[must_use]
    pub fn counts(self, candidate: &Candidate, today: Date) -> bool {
        candidate.job_seeker_since.is_some_and(|since| self.is_long(since, today))
    }
}

/// What introductions are decided by on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub order: Order,
    pub reserve: Reserve,
    pub today: Date,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        candidate::Quality,
        eligibility::possible,
        examples::{candidate, date, need, seat},
    };

    #[test]
    fn m01_an_order_weighs_needs_wishes_and_days_against_distance() {
        let seat = need(seat("69266"), Quality::Experience, false);
        let today = date("2021-03-01");
        let reasons = possible(&candidate("69266").available("2021-03-11").build(), &seat, today).unwrap();
        let order = Order { need_m: 20_000, wish_m: 5_000, day_m: 100 };
        assert_eq!(order.cost(&reasons, today), 20_000 + 2 * 5_000 + 10 * 100);
        assert_eq!(Order::default().cost(&reasons, today), 0);
        let wished = possible(&candidate("69266").wishes("69").build(), &seat, today).unwrap();
        assert_eq!(order.cost(&wished, today), 25_000, "who is available already is not better for it");
    }

    #[test]
    fn m01_of_a_fifth_the_first_the_sixth_and_the_eleventh_are_kept() {
        let reserve = Reserve { percent: 20, months: 12 };
        let mut called = Called::default();
        let mut kept = Vec::new();
        while called.all < 12 {
            if reserve.is_due(called) {
                kept.push(called.all + 1);
                called.reserved += 1;
            }
            called.all += 1;
        }
        assert_eq!(kept, [1, 6, 11]);
        assert!(!Reserve::default().is_due(Called::default()));
    }

    #[test]
    fn m01_long_is_counted_in_months_up_to_the_day() {
        let reserve = Reserve { percent: 20, months: 12 };
        let since = |day: &str| {
            let mut person = candidate("69266").build();
            person.job_seeker_since = Some(date(day));
            reserve.counts(&person, date("2021-03-01"))
        };
        assert!(since("2020-03-01"));
        assert!(!since("2020-03-02"));
        assert!(!reserve.counts(&candidate("69266").build(), date("2021-03-01")));
    }

    #[test]
    fn m01_months_that_clip_are_long_from_the_day_that_they_end_on() {
        for (months, today, latest) in [
            (12, "2021-02-28", "2020-02-29"),
            (12, "2021-02-27", "2020-02-27"),
            (6, "2021-02-28", "2020-08-31"),
            (6, "2021-04-30", "2020-10-31"),
            (6, "2021-03-31", "2020-09-30"),
            (1, "2021-03-01", "2021-02-01"),
        ] {
            let (reserve, today, latest) = (Reserve { percent: 20, months }, date(today), date(latest));
            assert_eq!(reserve.latest(today), latest);
            let mut person = candidate("69266").build();
            for (since, is_long) in [(latest, true), (add_days(latest, 1), false)] {
                person.job_seeker_since = Some(since);
                assert_eq!(reserve.counts(&person, today), is_long, "{since} on {today}");
            }
        }
    }
}
