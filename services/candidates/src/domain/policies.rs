//! The programme's settings that candidates go by, each with the rule it belongs to.
//!
//! The agency's changes are kept outside; a command is given the [`Settings`] in force on its day.

use std::str::FromStr;

use conum_kernel::{
    Error, Result, Rule,
    policy::{Dated, Policy, Shape, words},
};
use jiff::civil::Date;

/// C01.
pub const MINIMUM_AGE: Policy = Policy {
    key: "minimum-age",
    rule: Rule("C01"),
    description: "least age on the day of registration, in years, included",
    default: "16",
    shape: Shape::Number(0, 120),
};

/// C01.
pub const MAXIMUM_AGE: Policy = Policy {
    key: "maximum-age",
    rule: Rule("C01"),
    description: "greatest age on the day of registration, in years, included: until the eve of the next birthday",
    default: "64",
    shape: Shape::Number(0, 120),
};

/// C04.
pub const ALLOWED_DISTANCES: Policy = Policy {
    key: "allowed-distances",
    rule: Rule("C04"),
    description: "greatest distances that a candidate may choose from, in km, beside anywhere",
    default: "5,10,15,20,40,100",
    shape: Shape::Numbers,
};

/// C07.
pub const INACTIVITY_MONTHS: Policy = Policy {
    key: "inactivity-months",
    rule: Rule("C07"),
    description: "months without activity after which a file is anonymised",
    default: "24",
    shape: Shape::Number(1, 120),
};

/// C07.
pub const INACTIVITY_NOTICE_DAYS: Policy = Policy {
    key: "inactivity-notice-days",
    rule: Rule("C07"),
    description: "days between the notice to the person and the anonymisation of an inactive file",
    default: "30",
    shape: Shape::Number(1, 365),
};

/// All of them.
pub const POLICIES: &[Policy] =
    &[MINIMUM_AGE, MAXIMUM_AGE, ALLOWED_DISTANCES, INACTIVITY_MONTHS, INACTIVITY_NOTICE_DAYS];

/// The values in force on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Years, included (C01).
    pub minimum_age: i16,
    /// Years, included (C01).
    pub maximum_age: i16,
    /// Km (C04).
    pub allowed_km: Vec<u32>,
    /// C07.
    pub inactivity_months: i32,
    /// C07.
    pub inactivity_notice_days: i32,
}

impl Settings {
    /// The values in force on a day. `changes` gives, for a policy's key, what the agency recorded, in that order.
    ///
    /// # Errors
    /// An internal error where a recorded value is not of its policy's shape.
    pub fn on<'a>(day: Date, changes: impl Fn(&str) -> &'a [Dated]) -> Result<Self> {
        let text = |policy: &Policy| policy.on(day, changes(policy.key)).to_owned();
        Ok(Self {
            minimum_age: number(&MINIMUM_AGE, &text(&MINIMUM_AGE))?,
            maximum_age: number(&MAXIMUM_AGE, &text(&MAXIMUM_AGE))?,
            // A distance of nothing, or below, can be chosen by nobody.
            allowed_km: words(&text(&ALLOWED_DISTANCES))
                .filter_map(|km| km.parse().ok())
                .filter(|km| *km > 0)
                .collect(),
            inactivity_months: number(&INACTIVITY_MONTHS, &text(&INACTIVITY_MONTHS))?,
            inactivity_notice_days: number(&INACTIVITY_NOTICE_DAYS, &text(&INACTIVITY_NOTICE_DAYS))?,
        })
    }
}

fn number<N: FromStr>(policy: &Policy, value: &str) -> Result<N> {
    value.parse().map_err(|_| Error::internal(format!("the value of {} is not of its shape", policy.key)))
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    #[test]
    fn each_policy_has_a_default_of_its_shape() {
        for policy in POLICIES {
            assert!(policy.check(policy.default).is_ok(), "{}", policy.key);
        }
    }

    #[test]
    fn the_settings_are_those_in_force_on_the_day() {
        let lowered = [Dated { value: "18".into(), applies_from: examples::date("2021-06-01") }];
        let changes = |key: &str| if key == "minimum-age" { lowered.as_slice() } else { &[] };

        assert_eq!(Settings::on(examples::date("2021-05-31"), changes).unwrap().minimum_age, 16);
        assert_eq!(Settings::on(examples::date("2021-06-01"), changes).unwrap().minimum_age, 18);
    }

    #[test]
    fn c04_the_distances_are_5_10_15_20_40_and_100_km_by_default() {
        assert_eq!(examples::settings().allowed_km, [5, 10, 15, 20, 40, 100]);
    }
}
