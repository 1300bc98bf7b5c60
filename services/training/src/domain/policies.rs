//! The settings of training: defaults of the rule book, each a policy with a date it applies from.

use conum_kernel::{
    Rule,
    policy::{Policy, Shape},
};

/// The policies of the service.
pub const POLICIES: &[Policy] = &[
    Policy {
        key: "exam-retakes",
        rule: Rule("T03"),
        description: "How often a failed exam can be taken again",
        default: "2",
        shape: Shape::Number(0, 20),
    },
    Policy {
        key: "pix-after-hours",
        rule: Rule("T03"),
        description: "Whether the Pix exam, too, comes after the hours",
        default: "true",
        shape: Shape::Flag,
    },
    Policy {
        key: "near-km",
        rule: Rule("T05"),
        description: "Up to how many kilometres a session is near; further ones come after the sessions on line",
        default: "100",
        shape: Shape::Number(1, 1000),
    },
    Policy {
        key: "private-training-in-months",
        rule: Rule("T06"),
        description: "Whether a private structure's training time is part of the 24 months, as a public one's is",
        default: "true",
        shape: Shape::Flag,
    },
    Policy {
        key: "vae-open",
        rule: Rule("T07"),
        description: "Whether validation of experience is open as a path to CCP1",
        default: "false",
        shape: Shape::Flag,
    },
    Policy {
        key: "daily-hours",
        rule: Rule("T09"),
        description: "The most hours of training on a day",
        default: "7",
        shape: Shape::Number(1, 10),
    },
];

/// The values in force on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How often a failed exam can be taken again.
    pub retakes: u32,
    pub pix_after_hours: bool,
    pub near_km: u32,
    pub private_in_months: bool,
    pub vae_open: bool,
    /// Hours.
    pub daily_hours: u32,
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
