//! Working days of a territory, and calendars proposed on them (T09).

use conum_geo::holidays::{is_working_day, zone_of_department};
use conum_kernel::dates::add_days;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

/// A day of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDay {
    pub day: Date,
    /// Whole hours.
    pub hours: u32,
}

/// Whether people work on a day in a department: no week-end, no public holiday of its own. Where no public holiday is
/// known (TAAF, Clipperton), week-ends alone are free.
#[must_use]
pub fn works(department: &str, day: Date) -> bool {
    match zone_of_department(department) {
        Some(zone) => is_working_day(zone, day),
        None => is_weekday(day),
    }
}

fn is_weekday(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Puts hours on the working days from one day to another, `daily` on each and the rest on the last; nothing where they
/// do not fit.
#[must_use]
pub fn propose(department: &str, from: Date, until: Date, hours: u32, daily: u32) -> Option<Vec<PlannedDay>> {
    let mut days = Vec::new();
    let (mut left, mut day) = (hours, from);
    while left > 0 {
        if day > until || daily == 0 {
            return None;
        }
        if works(department, day) {
            let hours = left.min(daily);
            days.push(PlannedDay { day, hours });
            left -= hours;
        }
        day = add_days(day, 1);
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::examples::date;

    #[test]
    fn t09_no_week_end_and_no_public_holiday_of_the_territory() {
        assert!(works("69", date("2021-03-08")));
        assert!(!works("69", date("2021-03-06")), "a Saturday");
        assert!(!works("69", date("2021-04-05")), "Monday of Easter");
        // Good Friday is Alsace's and Moselle's, 20 December La Réunion's, 27 May Guadeloupe's.
        assert!(works("69", date("2021-04-02")) && !works("67", date("2021-04-02")));
        assert!(works("69", date("2021-12-20")) && !works("974", date("2021-12-20")));
        assert!(works("972", date("2021-05-27")) && !works("971", date("2021-05-27")));
    }

    #[test]
    fn t09_a_proposed_calendar_steps_over_holidays() {
        let days = propose("69", date("2021-04-01"), date("2021-04-30"), 21, 7).unwrap();
        let days: Vec<_> = days.iter().map(|planned| planned.day.to_string()).collect();
        assert_eq!(days, ["2021-04-01", "2021-04-02", "2021-04-06"]);
        assert_eq!(propose("69", date("2021-04-01"), date("2021-04-05"), 21, 7), None);
    }

    proptest! {
        #[test]
        fn t09_a_proposed_calendar_adds_up_on_working_days_alone(
            hours in 1_u32..=420,
            daily in 1_u32..=10,
            offset in 0_i32..2000,
            department in prop::sample::select(vec!["69", "67", "974", "971", "988", "984"]),
        ) {
            let from = add_days(date("2020-01-01"), offset);
            let days = propose(department, from, add_days(from, 2000), hours, daily).unwrap();
            prop_assert_eq!(days.iter().map(|planned| planned.hours).sum::<u32>(), hours);
            prop_assert!(days.iter().all(|planned| works(department, planned.day) && planned.hours <= daily));
            prop_assert!(days.windows(2).all(|pair| pair[0].day < pair[1].day));
        }
    }
}
