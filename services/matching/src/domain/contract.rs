//! What a contract must be (M07): full time, permanent or 24 months at least, paid at least the minimum wage in force
//! on its start date.

use conum_kernel::{
    Cents, Result, Rule, Violations,
    dates::{add_days, add_months},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A contract of employment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    pub kind: ContractKind,
    pub signed_on: Date,
    pub start_date: Date,
    /// The last day; none for a permanent contract.
    pub end_date: Option<Date>,
    /// Gross, a month.
    pub gross_monthly: Cents,
    pub full_time: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    Permanent,
    FixedTerm,
    /// Contrat de projet.
    Project,
}

/// A row of the table of minimum wages: gross, a month, full time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinimumWage {
    /// A territory's code, or `general` for those without rows of their own.
    pub territory: String,
    pub from: Date,
    pub cents: Cents,
}

/// Reads the table's policy: rows `territory:YYYY-MM-DD=cents`.
#[must_use]
pub fn minimum_wages(policy: &str) -> Vec<MinimumWage> {
    conum_kernel::policy::words(policy)
        .filter_map(|row| {
            let (key, cents) = row.split_once('=')?;
            let (territory, from) = key.split_once(':')?;
            Some(MinimumWage {
                territory: territory.into(),
                from: from.parse().ok()?,
                cents: Cents(cents.parse().ok()?),
            })
        })
        .collect()
}

/// The minimum wage of a territory on a day: the last row by then; before the first, the first.
#[must_use]
pub fn minimum_wage_on(table: &[MinimumWage], territory: &str, day: Date) -> Option<Cents> {
    let of = |code: &str| {
        let rows = || table.iter().filter(|row| row.territory == code);
        let in_force = rows().filter(|row| row.from <= day).max_by_key(|row| row.from);
        in_force.or_else(|| rows().min_by_key(|row| row.from)).map(|row| row.cents)
    };
    of(territory).or_else(|| of("general"))
}

/// What a contract is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub minimum_wages: &'a [MinimumWage],
    /// The territory's code.
    pub territory: &'a str,
    /// The shortest fixed term, in months.
    pub shortest_months: i32,
    pub today: Date,
}

/// Checks a contract. Every wrong field is named at once.
///
/// # Errors
/// `PART_TIME`, `TOO_SHORT`, `END_DATE_OF_PERMANENT`, `BELOW_MINIMUM_WAGE`, `SIGNED_IN_THE_FUTURE`, `REQUIRED`.
pub fn check(contract: &Contract, terms: Terms<'_>) -> Result<()> {
    const M07: Rule = Rule("M07");
    let mut wrong = Violations::default();
    if !contract.full_time {
        wrong.breaks(M07, "contract.full_time", "PART_TIME", "only full time is possible", "le temps plein est exigé");
    }
    if contract.signed_on > terms.today {
        wrong.breaks(
            M07,
            "contract.signed_on",
            "SIGNED_IN_THE_FUTURE",
            "the signature lies in the future",
            "la date de signature est dans le futur",
        );
    }
    match (contract.kind, contract.end_date) {
        (ContractKind::Permanent, None) => {}
        (ContractKind::Permanent, Some(_)) => wrong.breaks(
            M07,
            "contract.end_date",
            "END_DATE_OF_PERMANENT",
            "a permanent contract has no end date",
            "un contrat à durée indéterminée n'a pas de date de fin",
        ),
        (_, None) => wrong.missing("contract.end_date"),
        (_, Some(end)) => {
            let shortest = add_days(add_months(contract.start_date, terms.shortest_months), -1);
            if end < shortest {
                wrong.breaks(
                    M07,
                    "contract.end_date",
                    "TOO_SHORT",
                    format!("a fixed term lasts {} months or more", terms.shortest_months),
                    format!("une durée d'au moins {} mois est exigée", terms.shortest_months),
                );
            }
        }
    }
    if let Some(minimum) = minimum_wage_on(terms.minimum_wages, terms.territory, contract.start_date)
        && contract.gross_monthly < minimum
    {
        wrong.breaks(
            M07,
            "contract.gross_monthly_cents",
            "BELOW_MINIMUM_WAGE",
            format!("the minimum wage on the start date is {minimum}"),
            format!("le salaire minimum à la date de début est de {minimum}"),
        );
    }
    wrong.check()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{examples::date, policies::MINIMUM_WAGES};

    fn contract() -> Contract {
        Contract {
            kind: ContractKind::FixedTerm,
            signed_on: date("2021-03-01"),
            start_date: date("2021-03-15"),
            end_date: Some(date("2023-03-14")),
            gross_monthly: Cents(155_458),
            full_time: true,
        }
    }

    fn reasons(contract: &Contract, territory: &str) -> Vec<&'static str> {
        let table = minimum_wages(MINIMUM_WAGES);
        let terms = Terms { minimum_wages: &table, territory, shortest_months: 24, today: date("2021-03-01") };
        match check(contract, terms) {
            Ok(()) => vec![],
            Err(error) => {
                assert_eq!(error.rule(), Some(Rule("M07")));
                error.violations().iter().map(|violation| violation.reason).collect()
            }
        }
    }

    #[test]
    fn m07_twenty_four_months_to_the_eve_of_the_same_day_are_enough() {
        assert_eq!(reasons(&contract(), "metropole"), [""; 0]);
        let short = Contract { end_date: Some(date("2023-03-13")), ..contract() };
        assert_eq!(reasons(&short, "metropole"), ["TOO_SHORT"]);
        let permanent = Contract { kind: ContractKind::Permanent, end_date: None, ..contract() };
        assert_eq!(reasons(&permanent, "metropole"), [""; 0]);
    }

    #[test]
    fn m07_part_time_is_refused() {
        assert_eq!(reasons(&Contract { full_time: false, ..contract() }, "metropole"), ["PART_TIME"]);
    }

    #[test]
    fn m07_pay_is_at_least_the_minimum_wage_on_the_start_date() {
        let pay = |start: &str, cents| Contract {
            start_date: date(start),
            end_date: Some(date("2030-01-01")),
            gross_monthly: Cents(cents),
            ..contract()
        };
        for (start, territory, minimum) in [
            ("2021-09-30", "metropole", 155_458),
            ("2021-10-01", "metropole", 158_947),
            ("2021-12-31", "974", 158_947),
            ("2022-01-01", "metropole", 160_312),
            ("2022-05-01", "metropole", 164_558),
            ("2021-01-01", "976", 117_390),
            ("2021-10-01", "976", 119_968),
            ("2022-01-01", "976", 121_030),
        ] {
            assert_eq!(reasons(&pay(start, minimum), territory), [""; 0], "{start} {territory}");
            assert_eq!(reasons(&pay(start, minimum - 1), territory), ["BELOW_MINIMUM_WAGE"], "{start} {territory}");
        }
    }

    #[test]
    fn m07_every_wrong_field_is_named_at_once() {
        let wrong = Contract {
            kind: ContractKind::Permanent,
            signed_on: date("2021-03-02"),
            gross_monthly: Cents(0),
            full_time: false,
            ..contract()
        };
        assert_eq!(
            reasons(&wrong, "metropole"),
            ["PART_TIME", "SIGNED_IN_THE_FUTURE", "END_DATE_OF_PERMANENT", "BELOW_MINIMUM_WAGE"]
        );
    }
}
