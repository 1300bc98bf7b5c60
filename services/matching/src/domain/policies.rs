//! The settings of matching: defaults of the rule book, each a policy with a date it applies from.

use conum_kernel::{
    Rule,
    policy::{Policy, Shape},
};

use jiff::civil::Date;

use super::{
    contract::MinimumWage,
    order::{Order, Reserve, Terms},
};

/// The minimum wages of M07, gross, a month, in cents. `976` is Mayotte; `general` is everywhere else.
pub const MINIMUM_WAGES: &str = "general:2021-01-01=155458,general:2021-10-01=158947,general:2022-01-01=160312,\
    general:2022-05-01=164558,976:2021-01-01=117390,976:2021-10-01=119968,976:2022-01-01=121030";

/// The policies of the service.
pub const POLICIES: &[Policy] = &[
    Policy {
        key: "live-per-structure",
        rule: Rule("M02"),
        description: "Live introductions of a structure with vacant posts",
        default: "3",
        shape: Shape::Number(1, 20),
    },
    Policy {
        key: "live-per-candidate",
        rule: Rule("M02"),
        description: "Live introductions that a candidate may have at a time",
        default: "3",
        shape: Shape::Number(1, 20),
    },
    Policy {
        key: "reminder-days",
        rule: Rule("M03"),
        description: "Days of silence before the structure is reminded",
        default: "7",
        shape: Shape::Number(1, 365),
    },
    Policy {
        key: "expiry-days",
        rule: Rule("M03"),
        description: "Days of silence before an introduction expires",
        default: "21",
        shape: Shape::Number(1, 365),
    },
    Policy {
        key: "order-need-metres",
        rule: Rule("M01"),
        description: "What a need that is not compulsory and not met weighs in a structure's order, in metres of distance",
        default: "0",
        shape: Shape::Number(0, 1_000_000),
    },
    Policy {
        key: "order-wish-metres",
        rule: Rule("M01"),
        description: "What a department or a sector that the candidate does not wish weighs in a structure's order, in \
                      metres of distance",
        default: "0",
        shape: Shape::Number(0, 1_000_000),
    },
    Policy {
        key: "order-day-metres",
        rule: Rule("M01"),
        description: "What each day until the candidate is available weighs in a structure's order, in metres of distance",
        default: "0",
        shape: Shape::Number(0, 100_000),
    },
    Policy {
        key: "reserved-share-percent",
        rule: Rule("M01"),
        description: "Of a structure's introductions, the share kept for people who have been looking for a job for long",
        default: "0",
        shape: Shape::Number(0, 100),
    },
    Policy {
        key: "reserved-share-months",
        rule: Rule("M01"),
        description: "How long a job seeker has been one to count for the share that is kept, in months",
        default: "12",
        shape: Shape::Number(1, 120),
    },
    Policy {
        key: "shortest-contract-months",
        rule: Rule("M07"),
        description: "The shortest fixed term or project contract, in months",
        default: "24",
        shape: Shape::Number(1, 120),
    },
    Policy {
        key: "signature-days",
        rule: Rule("M07"),
        description: "Days from the launch of a recruitment to its signature; later raises a notice",
        default: "15",
        shape: Shape::Number(1, 365),
    },
    Policy {
        key: "minimum-wages",
        rule: Rule("M07"),
        description: "Minimum wages: rows territory:date=cents, gross, a month",
        default: MINIMUM_WAGES,
        shape: Shape::Table,
    },
];

/// The values in force on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub live_per_structure: usize,
    pub live_per_candidate: usize,
    pub reminder_days: i32,
    pub expiry_days: i32,
    pub order: Order,
    pub reserve: Reserve,
    pub shortest_contract_months: i32,
    pub signature_days: i32,
    pub minimum_wages: Vec<MinimumWage>,
}

impl Settings {
    /// What introductions are decided by on a day.
    #[must_use]
    pub fn terms(&self, today: Date) -> Terms {
        Terms { order: self.order, reserve: self.reserve, today }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_has_its_shape() {
        for policy in POLICIES {
            assert_eq!(policy.check(policy.default), Ok(()), "{}", policy.key);
        }
    }
}
