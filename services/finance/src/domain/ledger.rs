//! The double-entry ledger (F10). Every change of money is an entry whose debits equal its credits; for each post,
//! granted = to come + due + held + sent + paid + cancelled, claimed = outstanding + repaid + waived, claimed <= paid.

use conum_kernel::{Cents, Error, PostId, Result, Rule};
use serde::{Deserialize, Serialize};

/// An account of the ledger, kept for each post. The grant and the claims are what the others stand against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Credited with what signed conventions grant.
    Granted,
    ToCome,
    Due,
    Held,
    Sent,
    /// Gross of claims.
    Paid,
    Cancelled,
    /// Credited with what is claimed back.
    Claimed,
    Outstanding,
    Repaid,
    Waived,
}

/// Every account, in the order of [`Balances`].
pub const ACCOUNTS: [Account; 11] = [
    Account::Granted,
    Account::ToCome,
    Account::Due,
    Account::Held,
    Account::Sent,
    Account::Paid,
    Account::Cancelled,
    Account::Claimed,
    Account::Outstanding,
    Account::Repaid,
    Account::Waived,
];

impl Account {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::ToCome => "to_come",
            Self::Due => "due",
            Self::Held => "held",
            Self::Sent => "sent",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Claimed => "claimed",
            Self::Outstanding => "outstanding",
            Self::Repaid => "repaid",
            Self::Waived => "waived",
        }
    }

    /// Whether its balance is what was credited rather than what was debited.
    #[must_use]
    pub fn is_credit(self) -> bool {
        matches!(self, Self::Granted | Self::Claimed)
    }

    fn place(self) -> usize {
        ACCOUNTS.iter().position(|account| *account == self).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Debit,
    Credit,
}

/// A line of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub post: PostId,
    pub account: Account,
    pub side: Side,
    /// More than 0.
    pub cents: Cents,
}

/// An entry to be: what happened, by which rule, and its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// UPPER_SNAKE_CASE.
    pub kind: &'static str,
    pub rule: Rule,
    pub lines: Vec<Line>,
}

impl Posting {
    /// Debits one account of a post and credits another.
    #[must_use]
    pub fn new(kind: &'static str, rule: Rule, post: PostId, debit: Account, credit: Account, cents: Cents) -> Self {
        let line = |account, side| Line { post, account, side, cents };
        Self { kind, rule, lines: vec![line(debit, Side::Debit), line(credit, Side::Credit)] }
    }
}

/// The balances of a post, of a convention, or of the whole: one for each account, in the order of [`ACCOUNTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balances(pub [Cents; 11]);

impl Balances {
    #[must_use]
    pub fn of(&self, account: Account) -> Cents {
        self.0.get(account.place()).copied().unwrap_or_default()
    }

    /// Adds a line, whatever it leads to.
    ///
    /// # Errors
    /// Internal where a balance leaves 64 bits.
    pub fn add(&mut self, line: &Line) -> Result<()> {
        let Some(balance) = self.0.get_mut(line.account.place()) else { return Ok(()) };
        let raises = (line.side == Side::Credit) == line.account.is_credit();
        *balance = if raises { balance.plus(line.cents)? } else { balance.minus(line.cents)? };
        Ok(())
    }

    /// Adds the balances of another post.
    ///
    /// # Errors
    /// Internal where a balance leaves 64 bits.
    pub fn plus(mut self, other: &Self) -> Result<Self> {
        for (balance, more) in self.0.iter_mut().zip(other.0) {
            *balance = balance.plus(more)?;
        }
        Ok(self)
    }

    /// What F10 asks of the balances, by what breaks it.
    #[must_use]
    pub fn broken(&self) -> Vec<&'static str> {
        use Account::{Cancelled, Claimed, Due, Granted, Held, Outstanding, Paid, Repaid, Sent, ToCome, Waived};
        let sum = |accounts: &[Account]| accounts.iter().map(|account| i128::from(self.of(*account).0)).sum::<i128>();
        let mut broken = Vec::new();
        if self.0.iter().any(|balance| *balance < Cents::ZERO) {
            broken.push("NEGATIVE_BALANCE");
        }
        if sum(&[Granted]) != sum(&[ToCome, Due, Held, Sent, Paid, Cancelled]) {
            broken.push("GRANTED_IS_NOT_ITS_PARTS");
        }
        if sum(&[Claimed]) != sum(&[Outstanding, Repaid, Waived]) {
            broken.push("CLAIMED_IS_NOT_ITS_PARTS");
        }
        if self.of(Claimed) > self.of(Paid) {
            broken.push("CLAIMED_ABOVE_PAID");
        }
        broken
    }
}

/// Whether the debits of lines equal their credits, and each is of at least a cent.
#[must_use]
pub fn balanced(lines: &[Line]) -> bool {
    let sum = |side| lines.iter().filter(|line| line.side == side).map(|line| i128::from(line.cents.0)).sum::<i128>();
    !lines.is_empty() && lines.iter().all(|line| line.cents > Cents::ZERO) && sum(Side::Debit) == sum(Side::Credit)
}

/// Posts an entry's lines of one post to its balances, and refuses what F10 forbids: nothing of it is written then.
///
/// # Errors
/// Internal, naming what is broken: a fault of ours, never of a caller.
pub fn post(balances: &mut Balances, posting: &Posting) -> Result<()> {
    if !balanced(&posting.lines) {
        return Err(Error::internal(format!("{} is not balanced", posting.kind)).with_rule(Rule("F10")));
    }
    let mut after = *balances;
    for line in &posting.lines {
        after.add(line)?;
    }
    let broken = after.broken();
    if broken.is_empty() {
        *balances = after;
        return Ok(());
    }
    Err(Error::internal(format!("{} breaks the ledger: {}", posting.kind, broken.join(", "))).with_rule(Rule("F10")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::id;

    fn posting(debit: Account, credit: Account, cents: i64) -> Posting {
        Posting::new("TEST", Rule("F10"), id(1), debit, credit, Cents(cents))
    }

    fn granted(cents: i64) -> Balances {
        let mut balances = Balances::default();
        post(&mut balances, &posting(Account::ToCome, Account::Granted, cents)).unwrap();
        balances
    }

    #[test]
    fn f10_debits_equal_credits_and_every_line_is_of_a_cent_at_least() {
        let mut balances = Balances::default();
        let mut lame = posting(Account::ToCome, Account::Granted, 5);
        lame.lines.truncate(1);
        assert!(post(&mut balances, &lame).unwrap_err().context().unwrap().contains("not balanced"));
        assert!(post(&mut balances, &posting(Account::ToCome, Account::Granted, 0)).is_err());
        assert!(post(&mut balances, &posting(Account::ToCome, Account::Granted, -1)).is_err());
        assert_eq!(balances, Balances::default());
    }

    #[test]
    fn f10_no_more_leaves_an_account_than_came_into_it() {
        let mut balances = granted(100);
        assert!(post(&mut balances, &posting(Account::Paid, Account::Sent, 1)).is_err());
        assert!(post(&mut balances, &posting(Account::Due, Account::ToCome, 101)).is_err());
        assert_eq!(balances, granted(100), "a refused posting changes nothing");
        post(&mut balances, &posting(Account::Due, Account::ToCome, 100)).unwrap();
        assert_eq!((balances.of(Account::Due), balances.of(Account::ToCome)), (Cents(100), Cents::ZERO));
    }

    #[test]
    fn f10_no_more_is_claimed_than_was_paid() {
        let mut balances = granted(100);
        let claim = posting(Account::Outstanding, Account::Claimed, 1);
        assert!(post(&mut balances, &claim).unwrap_err().context().unwrap().contains("CLAIMED_ABOVE_PAID"));
        post(&mut balances, &posting(Account::Paid, Account::ToCome, 1)).unwrap();
        post(&mut balances, &claim).unwrap();
        assert!(post(&mut balances, &claim).is_err());
    }

    #[test]
    fn f10_money_never_crosses_from_the_grant_to_the_claims() {
        let mut balances = granted(100);
        post(&mut balances, &posting(Account::Paid, Account::ToCome, 100)).unwrap();
        assert!(post(&mut balances, &posting(Account::Repaid, Account::Paid, 100)).is_err());
    }
}
