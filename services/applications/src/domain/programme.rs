//! The programme's row: the cap and what is granted of it (P01), and whether the desk is open (P02). One row for the
//! whole nation, locked by whoever moves it; when the cap of the policies changes is left to the storage.

use conum_kernel::{Error, Result, Rule};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Posts that may be granted in all, and posts that are. A grant counts from the decision, filled or not (P01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programme {
    pub cap: u32,
    pub granted: u32,
}

/// The desk (guichet), which takes applications and posts added to them (P02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    Open,
    /// Closed, for the reason that comes first.
    Closed(Closing),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The closing date has passed: for good.
    DatePassed,
    /// Nothing remains under the cap: posts given back open it again.
    CapReached,
}

impl Programme {
    /// Posts that may still be granted.
    #[must_use]
    pub fn remaining(self) -> u32 {
        self.cap.saturating_sub(self.granted)
    }

    /// The row once `posts` more are granted.
    ///
    /// # Errors
    /// `CAP_EXCEEDED` (P01), with what remains: a grant above it is refused whole.
    pub fn grant(self, posts: u32) -> Result<Self> {
        if posts > self.remaining() {
            return Err(Error::refused(
                Rule("P01"),
                "CAP_EXCEEDED",
                format!("{posts} posts are asked of a cap that leaves {}: nothing is granted", self.remaining()),
                format!(
                    "{posts} postes sont demandés et le plafond en laisse {} : rien n'est accordé",
                    self.remaining()
                ),
            )
            .with("remaining", self.remaining())
            .with("cap", self.cap));
        }
        Ok(Self { granted: self.granted + posts, ..self })
    }

    /// The row once a granted post is released: it returns to the cap at once (A19).
    ///
    /// # Errors
    /// An internal error where nothing is granted.
    pub fn release(self) -> Result<Self> {
        let granted =
            self.granted.checked_sub(1).ok_or_else(|| Error::internal("a release where nothing is granted"))?;
        Ok(Self { granted, ..self })
    }

    /// The row under another cap (P01): raised, or lowered as far as what is granted.
    ///
    /// # Errors
    /// `CAP_BELOW_GRANTED` at `value` (P01).
    pub fn with_cap(self, cap: u32) -> Result<Self> {
        if cap < self.granted {
            return Err(Error::refused(
                Rule("P01"),
                "CAP_BELOW_GRANTED",
                format!("{} posts are granted: the cap cannot be lower", self.granted),
                format!("{} postes sont accordés : le plafond ne peut être plus bas", self.granted),
            )
            .at("value")
            .with("granted", self.granted));
        }
        Ok(Self { cap, ..self })
    }

    /// Whether the desk is open on a day: until `closing_date`, included, and while something remains (P02).
    #[must_use]
    pub fn desk(self, closing_date: Date, today: Date) -> Desk {
        if today > closing_date {
            Desk::Closed(Closing::DatePassed)
        } else if self.remaining() == 0 {
            Desk::Closed(Closing::CapReached)
        } else {
            Desk::Open
        }
    }
}

impl Desk {
    #[must_use]
    pub fn is_open(self) -> bool {
        self == Self::Open
    }

    /// # Errors
    /// `DESK_CLOSED` (P02), with the cause.
    pub fn check(self) -> Result<()> {
        let (cause, english, french) = match self {
            Self::Open => return Ok(()),
            Self::Closed(Closing::DatePassed) => (
                "DATE_PASSED",
                "the desk is closed: its closing date has passed",
                "le guichet est fermé : sa date de clôture est passée",
            ),
            Self::Closed(Closing::CapReached) => (
                "CAP_REACHED",
                "the desk is closed: every post is granted; posts given back open it again",
                "le guichet est fermé : tous les postes sont accordés ; des postes rendus le rouvriraient",
            ),
        };
        Err(Error::refused(Rule("P02"), "DESK_CLOSED", english, french).with("cause", cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::date;

    #[test]
    fn p01_a_grant_above_what_remains_is_refused_whole() {
        let programme = Programme { cap: 4000, granted: 3998 };
        assert_eq!(programme.grant(2), Ok(Programme { cap: 4000, granted: 4000 }));
        let error = programme.grant(3).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("CAP_EXCEEDED", Some(Rule("P01"))));
        assert!(error.metadata().contains(&("remaining", "2".into())));
        assert!(programme.grant(u32::MAX).is_err());
    }

    #[test]
    fn p01_the_cap_can_be_raised_and_never_falls_below_what_is_granted() {
        let full = Programme { cap: 4000, granted: 4000 };
        assert_eq!(full.with_cap(4200).unwrap().remaining(), 200);
        assert_eq!(full.with_cap(4000), Ok(full));
        assert_eq!(full.with_cap(3999).unwrap_err().reason(), "CAP_BELOW_GRANTED");
    }

    #[test]
    fn p02_the_desk_is_open_until_the_closing_date_included() {
        let programme = Programme { cap: 4000, granted: 0 };
        let desk = |day| programme.desk(date("2022-01-31"), date(day));
        assert!(desk("2022-01-30").is_open());
        assert!(desk("2022-01-31").is_open());
        assert_eq!(desk("2022-02-01"), Desk::Closed(Closing::DatePassed));
        let error = desk("2022-02-01").check().unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("DESK_CLOSED", Some(Rule("P02"))));
    }

    #[test]
    fn p02_posts_given_back_open_the_desk_again_until_that_date() {
        let full = Programme { cap: 4000, granted: 4000 };
        assert_eq!(full.desk(date("2022-01-31"), date("2022-01-31")), Desk::Closed(Closing::CapReached));
        let given_back = full.release().unwrap();
        assert!(given_back.desk(date("2022-01-31"), date("2022-01-31")).is_open());
        assert!(!given_back.desk(date("2022-01-31"), date("2022-02-01")).is_open());
    }
}
