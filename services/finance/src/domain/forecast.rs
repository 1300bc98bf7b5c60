//! What falls due, month by month (F11).

use std::collections::BTreeMap;

use conum_kernel::{Cents, Result};
use jiff::civil::Date;

use super::instalment::State;

/// What falls due in a month and is not paid yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Month {
    /// Its day has not come.
    pub to_come: Cents,
    /// Its day has come: due, held, or waiting for the bank.
    pub waiting: Cents,
    pub instalments: u32,
}

/// Sums by the first day of the month. Months that have passed show what is still waiting.
///
/// # Errors
/// Internal where amounts leave 64 bits.
pub fn by_month(instalments: impl IntoIterator<Item = (Date, State, Cents, u32)>) -> Result<BTreeMap<Date, Month>> {
    let mut months: BTreeMap<Date, Month> = BTreeMap::new();
    for (due_on, state, cents, count) in instalments {
        let month = months.entry(due_on.first_of_month()).or_default();
        match state {
            State::ToCome => month.to_come = month.to_come.plus(cents)?,
            State::Due | State::Held | State::Sent => month.waiting = month.waiting.plus(cents)?,
            State::Paid | State::Cancelled => continue,
        }
        month.instalments += count;
    }
    Ok(months)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::{Bench, date};

    #[test]
    fn f11_what_falls_due_is_told_month_by_month() {
        let mut bench = Bench::payable(2, "2021-02-15");
        bench.send(0, 1);
        let rows = bench.convention.instalments.iter().map(|i| (i.due_on, i.state, i.amount, 1));
        let months = by_month(rows).unwrap();
        let days: Vec<_> = months.keys().copied().collect();
        assert_eq!(days, [date("2021-02-01"), date("2021-08-01"), date("2022-02-01")]);
        assert_eq!(months[&date("2021-02-01")].waiting, Cents(2_000_000), "sent is not paid yet");
        assert_eq!(months[&date("2021-08-01")].to_come, Cents(3_000_000));
        assert_eq!(months[&date("2022-02-01")].instalments, 2);
    }
}
