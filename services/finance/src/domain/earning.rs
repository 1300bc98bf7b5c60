//! What a post has earned when its contract ends early (F04), and the months that a grant covers (F07).

use conum_kernel::{
    Cents, Error, Result,
    dates::{add_days, add_months, days_between},
};
use jiff::civil::Date;

/// The last day that a grant covers: the eve of the same day, some months after the first contract's start (F07).
#[must_use]
pub fn last_day(start: Date, months: i32) -> Date {
    add_days(add_months(start, months), -1)
}

/// grant x days in post (last day included) / days of the months from the contract's start, rounded down to the cent.
///
/// # Errors
/// Internal where the months have no day.
pub fn earned(grant: Cents, start: Date, ended_on: Date, months: i32) -> Result<Cents> {
    let whole = i128::from(days_between(start, add_months(start, months)));
    let served = i128::from(days_between(start, ended_on) + 1).clamp(0, whole);
    let cents =
        (i128::from(grant.0) * served).checked_div(whole).ok_or_else(|| Error::internal("a grant of no day"))?;
    i64::try_from(cents).map(Cents).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::date;

    #[test]
    fn f04_what_is_earned_counts_days_in_post_the_last_one_included_and_rounds_down() {
        let after = |last: &str| earned(Cents(5_000_000), date("2021-03-15"), date(last), 24).unwrap();
        // 730 days from 2021-03-15 to 2023-03-14.
        assert_eq!(after("2021-03-15"), Cents(6_849), "5,000,000 / 730 = 6,849.3");
        assert_eq!(after("2021-10-14"), Cents(5_000_000 * 214 / 730));
        assert_eq!(after("2023-03-14"), Cents(5_000_000));
        assert_eq!(after("2021-03-14"), Cents::ZERO);
        let leap = earned(Cents(5_000_000), date("2022-03-15"), date("2022-03-15"), 24).unwrap();
        assert_eq!(leap, Cents(5_000_000 / 731), "24 months with a 29 February have 731 days");
    }

    #[test]
    fn f07_a_grant_covers_24_months_to_the_eve_of_the_same_day() {
        assert_eq!(last_day(date("2021-03-15"), 24), date("2023-03-14"));
        assert_eq!(last_day(date("2021-03-01"), 24), date("2023-02-28"));
    }
}
