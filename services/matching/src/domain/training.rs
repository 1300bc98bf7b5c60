//! When the initial training of a recruitment runs, as training tells it: what the state of a person needs (M10, T02).

use jiff::civil::Date;

/// The days of an initial training, from the first to the last, both included. It holds none once it ended before it
/// began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitialTraining {
    pub first_day: Date,
    pub last_day: Date,
}

impl InitialTraining {
    /// Whether it runs on a day.
    #[must_use]
    pub fn runs(self, day: Date) -> bool {
        self.first_day <= day && day <= self.last_day
    }

    /// The same, of somebody who is trained from a day on: it lasts no longer.
    #[must_use]
    pub fn completed(self, on: Date) -> Self {
        Self { last_day: self.last_day.min(on), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::date;

    const TRAINING: InitialTraining =
        InitialTraining { first_day: Date::constant(2021, 2, 1), last_day: Date::constant(2021, 2, 19) };

    #[test]
    fn m10_an_initial_training_runs_from_its_first_to_its_last_day_included() {
        for (day, runs) in [("2021-01-31", false), ("2021-02-01", true), ("2021-02-19", true), ("2021-02-20", false)] {
            assert_eq!(TRAINING.runs(date(day)), runs, "{day}");
        }
    }

    #[test]
    fn m10_who_is_trained_before_the_last_day_is_in_training_no_longer() {
        let completed = TRAINING.completed(date("2021-02-10"));
        assert!(completed.runs(date("2021-02-10")) && !completed.runs(date("2021-02-11")));
        assert_eq!(TRAINING.completed(date("2021-03-05")), TRAINING);
        assert!(!TRAINING.completed(date("2021-01-10")).runs(date("2021-01-10")), "before it began");
    }
}
