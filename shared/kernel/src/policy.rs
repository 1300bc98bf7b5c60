//! Policies: the programme's settings, each with the date it applies from. The rule book marks them with **D**.
//!
//! A service declares its policies in a table; what the agency changes is kept beside, with who, when and why. A domain
//! function is given the values it needs, never the settings themselves.

use jiff::civil::Date;

use crate::{Error, Result, Rule};

/// A policy that a service declares.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The last segment of its resource name, kebab-case: `cap`.
    pub key: &'static str,
    pub rule: Rule,
    /// What it governs, and in which unit.
    pub description: &'static str,
    /// In force until something else was set.
    pub default: &'static str,
    pub shape: Shape,
}

/// What a policy's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A whole number between the two, included.
    Number(i64, i64),
    /// YYYY-MM-DD.
    Date,
    /// true or false.
    Flag,
    /// Words with commas between; from the list, unless it is empty.
    Words(&'static [&'static str]),
    /// Whole numbers with commas between.
    Numbers,
    /// Rows `key=number` with commas between.
    Table,
}

/// A value with the day it applies from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    pub value: String,
    pub applies_from: Date,
}

impl Policy {
    /// Checks a value against the policy's shape.
    ///
    /// # Errors
    /// `INVALID_POLICY_VALUE` at `value`.
    pub fn check(&self, value: &str) -> Result<()> {
        let fits = match self.shape {
            Shape::Number(least, most) => value.parse().is_ok_and(|number: i64| (least..=most).contains(&number)),
            Shape::Date => value.parse::<Date>().is_ok(),
            Shape::Flag => matches!(value, "true" | "false"),
            Shape::Words(known) => {
                words(value).all(|word| !word.is_empty() && (known.is_empty() || known.contains(&word)))
            }
            Shape::Numbers => words(value).all(|word| word.parse::<i64>().is_ok()),
            Shape::Table => {
                value.is_empty()
                    || words(value).all(|row| row.split_once('=').is_some_and(|(_, n)| n.parse::<i64>().is_ok()))
            }
        };
        if fits {
            return Ok(());
        }
        Err(Error::invalid(
            "value",
            "INVALID_POLICY_VALUE",
            format!("expected {}", self.shape.english()),
            "la valeur n'a pas la forme attendue pour ce paramètre",
        )
        .with_rule(self.rule))
    }

    /// The value in force on a day: of the changes that apply by then, the latest date; of one date, the last recorded.
    /// `changes` are in the order in which they were recorded.
    #[must_use]
    pub fn on<'a>(&'a self, day: Date, changes: &'a [Dated]) -> &'a str {
        changes
            .iter()
            .filter(|change| change.applies_from <= day)
            .max_by_key(|change| change.applies_from)
            .map_or(self.default, |change| &change.value)
    }
}

impl Shape {
    fn english(self) -> String {
        match self {
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::Date => "a date YYYY-MM-DD".into(),
            Self::Flag => "true or false".into(),
            Self::Words([]) => "words with commas between".into(),
            Self::Words(known) => format!("words of {} with commas between", known.join(", ")),
            Self::Numbers => "whole numbers with commas between".into(),
            Self::Table => "rows key=number with commas between".into(),
        }
    }
}

/// The words of a list.
pub fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Policy =
        Policy { key: "cap", rule: Rule("P01"), description: "", default: "4000", shape: Shape::Number(0, 100_000) };

    fn dated(value: &str, from: &str) -> Dated {
        Dated { value: value.into(), applies_from: from.parse().unwrap() }
    }

    #[test]
    fn the_latest_date_that_has_come_is_in_force_and_of_one_date_the_last_recorded() {
        let changes = [dated("4500", "2021-06-01"), dated("4200", "2021-03-01"), dated("4300", "2021-03-01")];
        assert_eq!(CAP.on("2021-02-28".parse().unwrap(), &changes), "4000");
        assert_eq!(CAP.on("2021-03-01".parse().unwrap(), &changes), "4300");
        assert_eq!(CAP.on("2021-06-01".parse().unwrap(), &changes), "4500");
    }

    #[test]
    fn a_value_of_another_shape_is_refused_with_the_rule() {
        assert!(CAP.check("4500").is_ok());
        let error = CAP.check("-1").unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("INVALID_POLICY_VALUE", Some(Rule("P01"))));
    }
}
