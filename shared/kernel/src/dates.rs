//! Arithmetic on calendar days, as the rule book words it: n days from d end with d + n, and adding months clips to
//! the last day of the month.

use jiff::{ToSpan as _, civil::Date};

/// The day n days after. Saturates at the calendar's end.
#[must_use]
pub fn add_days(day: Date, days: i32) -> Date {
    day.saturating_add(days.days())
}

/// The same day n months after, clipped to the last day of that month.
#[must_use]
pub fn add_months(day: Date, months: i32) -> Date {
    day.saturating_add(months.months())
}

/// Days from one day to another; negative when the second comes before.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

/// Age in whole years on a day. Somebody born on 29 February has a birthday on 1 March in common years.
#[must_use]
pub fn age_on(birth: Date, day: Date) -> i16 {
    let had_birthday = (day.month(), day.day()) >= (birth.month(), birth.day());
    day.year() - birth.year() - i16::from(!had_birthday)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn months_clip_to_the_last_day() {
        assert_eq!(add_months(date("2021-08-31"), 6), date("2022-02-28"));
        assert_eq!(add_months(date("2023-08-31"), 6), date("2024-02-29"));
        assert_eq!(add_months(date("2021-03-31"), -1), date("2021-02-28"));
    }

    #[test]
    fn days_end_with_d_plus_n() {
        assert_eq!(add_days(date("2021-02-25"), 7), date("2021-03-04"));
        assert_eq!(days_between(date("2021-02-25"), date("2021-03-04")), 7);
        assert_eq!(days_between(date("2021-03-04"), date("2020-03-04")), -365);
    }

    #[test]
    fn a_birthday_on_29_february_falls_on_1_march_in_common_years() {
        let birth = date("2004-02-29");
        assert_eq!(age_on(birth, date("2020-02-28")), 15);
        assert_eq!(age_on(birth, date("2020-02-29")), 16);
        assert_eq!(age_on(birth, date("2021-02-28")), 16);
        assert_eq!(age_on(birth, date("2021-03-01")), 17);
    }
}
