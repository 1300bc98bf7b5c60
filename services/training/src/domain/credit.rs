//! What somebody brings from earlier trainings. Hours and certifications follow the person: whoever was trained is
//! trained for the next recruitment, and whoever was stopped goes on from there.

use conum_kernel::TrainingId;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{exam::Certification, training::Training};

/// What earlier trainings give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Whole hours.
    pub hours: u32,
    pub ccp1_on: Option<Date>,
    pub pix_on: Option<Date>,
    /// The training in which the person was trained.
    pub completed_in: Option<TrainingId>,
}

/// What the earlier trainings of a person give, in the order of their opening. Each includes what it was given itself, so
/// that the one that brings most counts, and none is counted twice.
#[must_use]
pub fn from(earlier: &[Training]) -> Credit {
    let passed = |certification| earlier.iter().filter_map(|training| training.passed_on(certification)).min();
    let completed = earlier.iter().find(|training| training.completed_on.is_some());
    let hours = match completed {
        Some(training) => training.hours_done(),
        None => earlier.iter().map(own_hours).sum(),
    };
    Credit {
        hours: hours.min(super::hours::MOST),
        ccp1_on: passed(Certification::Ccp1),
        pix_on: passed(Certification::Pix),
        completed_in: completed.map(|training| training.credit.completed_in.unwrap_or(training.id)),
    }
}

/// The hours that were done in a training itself.
fn own_hours(training: &Training) -> u32 {
    training.hours_done().saturating_sub(training.credit.hours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        attendance::Done,
        examples::{date, planned},
    };

    #[test]
    fn t03_hours_of_stopped_trainings_follow_the_person_and_count_once() {
        let mut first = planned(105);
        first.done.insert(date("2021-03-08"), Done { hours: 7, version: 1 });
        let mut second = planned(105);
        second.credit = from(std::slice::from_ref(&first));
        assert_eq!(second.credit.hours, 7);
        second.done.insert(date("2021-09-06"), Done { hours: 6, version: 1 });
        assert_eq!(from(&[first, second]).hours, 13);
    }

    #[test]
    fn t03_whoever_was_trained_is_trained_for_good() {
        let mut first = planned(105);
        first.done.insert(date("2021-03-08"), Done { hours: 105, version: 1 });
        first.completed_on = Some(date("2021-06-02"));
        let credit = from(std::slice::from_ref(&first));
        assert_eq!((credit.hours, credit.completed_in), (105, Some(first.id)));
        assert_eq!(from(&[]), Credit::default());
    }
}
