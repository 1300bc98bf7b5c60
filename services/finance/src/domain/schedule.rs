//! The three instalments of a post, and their days (F02): cents are rounded down and the last takes the rest, so that
//! they always add up to the grant; months are added from the signature and clip to the last day of the month.

use conum_kernel::{Cents, Error, Result, dates::add_months};
use jiff::civil::Date;

/// How a grant is cut, as the policies say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Percent; they add up to 100.
    pub shares: Vec<i64>,
    /// Months after the signature, for each.
    pub months: Vec<i32>,
    /// Months after which the first one is late.
    pub first_late_months: i32,
}

/// An instalment to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its place among the instalments of a signature, from 1.
    pub rank: u32,
    pub cents: Cents,
    pub due_on: Date,
    /// It is late after this day; the first one only.
    pub late_after: Option<Date>,
}

/// The instalments of an amount, from the day of a signature. One that would be of no cent is none.
///
/// # Errors
/// Internal where the policies do not fit together.
pub fn shares(amount: Cents, plan: &Plan, signed_on: Date) -> Result<Vec<Share>> {
    if plan.shares.len() != plan.months.len() || plan.shares.iter().sum::<i64>() != 100 {
        return Err(Error::internal("the shares of the instalments do not fit together"));
    }
    let mut left = amount;
    let mut shares = Vec::new();
    for (index, (percent, months)) in plan.shares.iter().zip(&plan.months).enumerate() {
        let last = index + 1 == plan.shares.len();
        let cents = if last { left } else { part(amount, *percent)? };
        left = left.minus(cents)?;
        if cents > Cents::ZERO {
            let late_after = (index == 0).then(|| add_months(signed_on, plan.first_late_months));
            let rank = u32::try_from(index + 1).unwrap_or(u32::MAX);
            shares.push(Share { rank, cents, due_on: add_months(signed_on, *months), late_after });
        }
    }
    Ok(shares)
}

fn part(amount: Cents, percent: i64) -> Result<Cents> {
    let cents = i128::from(amount.0) * i128::from(percent) / 100;
    i64::try_from(cents).map(Cents).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::examples::{date, settings};

    fn cut(cents: i64, signed_on: &str) -> Vec<Share> {
        shares(Cents(cents), &settings().plan, date(signed_on)).unwrap()
    }

    fn cents(cents: i64) -> Vec<i64> {
        cut(cents, "2021-01-15").iter().map(|share| share.cents.0).collect()
    }

    #[test]
    fn f02_a_grant_is_paid_at_20_30_and_50_percent() {
        assert_eq!(cents(5_000_000), [1_000_000, 1_500_000, 2_500_000]);
        assert_eq!(cents(4_000_000), [800_000, 1_200_000, 2_000_000]);
        assert_eq!(cents(5_480_501), [1_096_100, 1_644_150, 2_740_251], "the last takes the rest");
        assert_eq!(cents(1), [1], "an instalment of no cent is none");
    }

    #[test]
    fn f02_a_convention_signed_on_31_august_is_due_at_the_end_of_february() {
        let days = |signed_on| cut(5_000_000, signed_on).iter().map(|share| share.due_on).collect::<Vec<_>>();
        assert_eq!(days("2021-08-31"), [date("2021-08-31"), date("2022-02-28"), date("2022-08-31")]);
        assert_eq!(days("2023-08-31")[1], date("2024-02-29"));
        assert_eq!(cut(5_000_000, "2021-01-31")[0].late_after, Some(date("2021-02-28")), "the next month's last day");
        assert_eq!(cut(5_000_000, "2021-01-31")[1].late_after, None);
    }

    proptest! {
        #[test]
        fn f02_instalments_of_1_cent_to_a_million_euros_always_add_up(amount in 1_i64..=100_000_000) {
            let cut = cut(amount, "2021-01-15");
            prop_assert_eq!(cut.iter().map(|share| share.cents.0).sum::<i64>(), amount);
            prop_assert!(cut.iter().all(|share| share.cents.0 > 0));
        }
    }
}
