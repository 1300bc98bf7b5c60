//! The settings of finance: defaults of the rule book, each a policy with a date it applies from.

use conum_kernel::{
    Result, Rule,
    policy::{Policy, Shape, words},
};

use super::{account, amounts, refusals::breaks, schedule::Plan};

/// The table of amounts of F01, in cents: rows `kind:from=cents`, or `kind:department:from=cents` where it is raised.
pub const GRANTS: &str = "public:2020-11-01=5000000,private:2020-11-01=4000000";

/// The policies of the service.
pub const POLICIES: &[Policy] = &[
    Policy {
        key: "grants",
        rule: Rule("F01"),
        description: "The grant of a post: rows kind:from=cents, or kind:department:from=cents for public structures \
                      overseas; a convention keeps the amounts in force on its signature",
        default: GRANTS,
        shape: Shape::Table,
    },
    Policy {
        key: "instalment-shares",
        rule: Rule("F02"),
        description: "The three instalments of a post, in percent; the last takes the rest",
        default: "20,30,50",
        shape: Shape::Numbers,
    },
    Policy {
        key: "instalment-months",
        rule: Rule("F02"),
        description: "Months from the signature to each of the three instalments",
        default: "0,6,12",
        shape: Shape::Numbers,
    },
    Policy {
        key: "first-late-months",
        rule: Rule("F02"),
        description: "Months after the signature after which the first instalment is late",
        default: "1",
        shape: Shape::Number(0, 24),
    },
    Policy {
        key: "contract-needed-from",
        rule: Rule("F03"),
        description: "The first instalment that is held while no contract is signed on the post",
        default: "2",
        shape: Shape::Number(1, 4),
    },
    Policy {
        key: "grant-months",
        rule: Rule("F07"),
        description: "Months that a grant covers, from the first contract's start",
        default: "24",
        shape: Shape::Number(1, 120),
    },
    Policy {
        key: "ending-notices",
        rule: Rule("F07"),
        description: "Months before the end of a grant at which a notice is given",
        default: "6,3,1",
        shape: Shape::Numbers,
    },
    Policy {
        key: "aids-refused-to-private",
        rule: Rule("F05"),
        description: "Aids that a private employer cannot get for the same person beside the grant",
        default: "emplois_francs",
        shape: Shape::Words(&["emplois_francs", "hiring_aid", "disability_aid", "local_aid", "integration_aid"]),
    },
    Policy {
        key: "debtor-name",
        rule: Rule("F03"),
        description: "The account holder in whose name the paying agent pays",
        default: "AGENCE NATIONALE DE LA COHESION DES TERRITOIRES",
        shape: Shape::Words(&[]),
    },
    Policy {
        key: "debtor-iban",
        rule: Rule("F03"),
        description: "The account that payments are made from",
        default: "FR7610071750000000100000177",
        shape: Shape::Words(&[]),
    },
    Policy {
        key: "debtor-bic",
        rule: Rule("F03"),
        description: "The bank of the account that payments are made from",
        default: "TRPUFRP1",
        shape: Shape::Words(&[]),
    },
    Policy {
        key: "payment-file-orders",
        rule: Rule("F03"),
        description: "The most orders that one payment file gathers",
        default: "500",
        shape: Shape::Number(1, 1000),
    },
];

/// The values in force on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub grants: Vec<amounts::Amount>,
    pub plan: Plan,
    pub contract_needed_from: u32,
    pub grant_months: i32,
    pub ending_notices: Vec<i32>,
    pub aids_refused_to_private: Vec<String>,
}

/// Reads a list of whole numbers.
#[must_use]
pub fn numbers<T: std::str::FromStr>(value: &str) -> Vec<T> {
    words(value).filter_map(|word| word.parse().ok()).collect()
}

/// What is refused of a policy's new value, beside its shape.
///
/// # Errors
/// `INVALID_POLICY_VALUE`, or those of [`amounts::read`] and [`account::iban`], at `value`.
pub fn check(key: &str, value: &str) -> Result<()> {
    let fits = match key {
        "grants" => return amounts::read(value).map(|_| ()),
        "debtor-iban" => return account::iban("value", value).map(|_| ()),
        "debtor-bic" => return account::bic("value", value).map(|_| ()),
        "debtor-name" => !account::sepa_text(value, 70).is_empty(),
        "instalment-shares" => {
            let shares: Vec<i64> = numbers(value);
            shares.len() == 3
                && shares.iter().all(|share| (0..=100).contains(share))
                && shares.iter().sum::<i64>() == 100
        }
        "instalment-months" => {
            let months: Vec<i32> = numbers(value);
            months.len() == 3 && months.iter().all(|month| (0..=120).contains(month)) && months.is_sorted()
        }
        "ending-notices" => numbers::<i32>(value).iter().all(|month| (1..=24).contains(month)),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let rule = POLICIES.iter().find(|policy| policy.key == key).map_or(Rule("F02"), |policy| policy.rule);
    let french = "cette valeur ne convient pas à ce paramètre";
    Err(breaks(rule, "value", "INVALID_POLICY_VALUE", "this value does not fit the policy", french))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_has_its_shape_and_is_accepted() {
        for policy in POLICIES {
            assert_eq!(policy.check(policy.default), Ok(()), "{}", policy.key);
            assert_eq!(check(policy.key, policy.default), Ok(()), "{}", policy.key);
        }
    }

    #[test]
    fn f02_shares_that_do_not_add_up_are_refused() {
        for value in ["20,30,40", "50,50", "120,-40,20"] {
            let error = check("instalment-shares", value).unwrap_err();
            assert_eq!((error.reason(), error.rule()), ("INVALID_POLICY_VALUE", Some(Rule("F02"))));
        }
    }
}
