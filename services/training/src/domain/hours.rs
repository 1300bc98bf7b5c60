//! Whole hours, and how many a training has (T01).

use conum_kernel::{Error, Result, Rule};

/// The least hours of a training: 3 weeks of 35.
pub const LEAST: u32 = 105;
/// The most.
pub const MOST: u32 = 420;

const T01: Rule = Rule("T01");

/// Whole hours from minutes.
///
/// # Errors
/// `NOT_WHOLE_HOURS` at `field`, with T01.
pub fn whole(field: &str, minutes: i32) -> Result<u32> {
    match u32::try_from(minutes) {
        Ok(minutes) if minutes % 60 == 0 => Ok(minutes / 60),
        _ => Err(broken(
            field,
            "NOT_WHOLE_HOURS",
            "whole hours are expected: a multiple of 60 minutes",
            "des heures entières sont attendues : un multiple de 60 minutes",
        )),
    }
}

/// The hours of a training, from minutes.
///
/// # Errors
/// `NOT_WHOLE_HOURS` or `HOURS_OUT_OF_BOUNDS` at `field`, with T01.
pub fn of_training(field: &str, minutes: i32) -> Result<u32> {
    let hours = whole(field, minutes)?;
    if (LEAST..=MOST).contains(&hours) {
        return Ok(hours);
    }
    let english = "a training has 105 to 420 hours";
    Err(broken(field, "HOURS_OUT_OF_BOUNDS", english, "une formation dure de 105 à 420 heures"))
}

/// The error of a field that breaks T01.
pub(crate) fn broken(field: &str, reason: &'static str, english: &'static str, french: &'static str) -> Error {
    let mut wrong = conum_kernel::Violations::default();
    wrong.breaks(T01, field, reason, english, french);
    wrong.into_error()
}

/// Hours as the wire writes them.
#[must_use]
pub fn minutes(hours: u32) -> i32 {
    i32::try_from(hours.saturating_mul(60)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(minutes: i32) -> &'static str {
        let error = of_training("plan.minutes", minutes).unwrap_err();
        assert_eq!((error.rule(), error.violations()[0].field.as_str()), (Some(T01), "plan.minutes"));
        error.reason()
    }

    #[test]
    fn t01_105_and_420_hours_are_both_included() {
        assert_eq!(of_training("f", 105 * 60), Ok(105));
        assert_eq!(of_training("f", 420 * 60), Ok(420));
    }

    #[test]
    fn t01_104_and_421_hours_are_refused() {
        assert_eq!(reason(104 * 60), "HOURS_OUT_OF_BOUNDS");
        assert_eq!(reason(421 * 60), "HOURS_OUT_OF_BOUNDS");
        assert_eq!(reason(0), "HOURS_OUT_OF_BOUNDS");
    }

    #[test]
    fn t01_half_hours_are_refused() {
        assert_eq!(reason(105 * 60 + 30), "NOT_WHOLE_HOURS");
        assert_eq!(reason(-60), "NOT_WHOLE_HOURS");
        assert_eq!(whole("f", 90).unwrap_err().reason(), "NOT_WHOLE_HOURS");
        assert_eq!(whole("f", 120), Ok(2));
    }
}
