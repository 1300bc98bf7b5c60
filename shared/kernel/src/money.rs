//! Money: whole euro cents, and arithmetic that never wraps.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// An amount in euro cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    pub const ZERO: Self = Self(0);

    /// # Errors
    /// An internal error where the sum leaves 64 bits.
    pub fn plus(self, other: Self) -> Result<Self> {
        self.0.checked_add(other.0).map(Self).ok_or_else(|| Error::internal("amount out of range"))
    }

    /// # Errors
    /// An internal error where the difference leaves 64 bits.
    pub fn minus(self, other: Self) -> Result<Self> {
        self.0.checked_sub(other.0).map(Self).ok_or_else(|| Error::internal("amount out of range"))
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02} EUR", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_euros_and_never_wrap() {
        assert_eq!(Cents(155_458).to_string(), "1554.58 EUR");
        assert_eq!(Cents(-5).to_string(), "-0.05 EUR");
        assert!(Cents(i64::MAX).plus(Cents(1)).is_err());
        assert!(Cents(i64::MIN).minus(Cents(1)).is_err());
    }
}
