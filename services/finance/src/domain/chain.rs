//! Entries that cannot be changed unseen (F10): numbered and hash-chained for each convention, the heads sealed daily in a
//! chain of their own. [`check`] recomputes everything from the entries alone.

use std::collections::BTreeMap;

use conum_kernel::{Cents, ConventionId, PostId};
use jiff::{Timestamp, civil::Date};
use sha2::{Digest as _, Sha256};

use super::ledger::{Balances, Line, Posting, Side, balanced};

/// What a chain begins with.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub convention: ConventionId,
    /// From 1, without a gap.
    pub number: i64,
    pub at: Timestamp,
    pub kind: String,
    /// The rule's id.
    pub rule: String,
    /// The request id, the event's id or the timer's key.
    pub cause: String,
    pub lines: Vec<Line>,
    pub previous: String,
    /// SHA-256, lower-case hexadecimal.
    pub hash: String,
}

/// Where the chain of a convention stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub number: i64,
    pub hash: String,
}

impl Head {
    #[must_use]
    pub fn beginning() -> Self {
        Self { number: 0, hash: BEGINNING.into() }
    }
}

/// Feeds a hash so that no two sequences of parts give the same bytes: each part after its length.
fn feed(hash: &mut Sha256, part: &str) {
    hash.update((part.len() as u64).to_be_bytes());
    hash.update(part);
}

impl Entry {
    /// The next entry of a chain.
    #[must_use]
    pub fn next(head: &Head, convention: ConventionId, posting: &Posting, at: Timestamp, cause: &str) -> Self {
        let mut entry = Self {
            convention,
            number: head.number + 1,
            at,
            kind: posting.kind.into(),
            rule: posting.rule.0.into(),
            cause: cause.into(),
            lines: posting.lines.clone(),
            previous: head.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.computed();
        entry
    }

    /// The head that the chain has after it.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { number: self.number, hash: self.hash.clone() }
    }

    /// The hash of its content and of the entry before it: each part after its length, the lines in their order.
    #[must_use]
    pub fn computed(&self) -> String {
        let mut hash = Sha256::new();
        feed(&mut hash, &self.previous);
        feed(&mut hash, &self.convention.to_string());
        feed(&mut hash, &self.number.to_string());
        feed(&mut hash, &self.at.as_microsecond().to_string());
        for part in [&self.kind, &self.rule, &self.cause] {
            feed(&mut hash, part);
        }
        for line in &self.lines {
            feed(&mut hash, &line.post.to_string());
            feed(&mut hash, line.account.text());
            feed(&mut hash, if line.side == Side::Debit { "debit" } else { "credit" });
            feed(&mut hash, &line.cents.0.to_string());
        }
        hex::encode(hash.finalize())
    }
}

/// A convention's head in a seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub convention: ConventionId,
    pub number: i64,
    pub hash: String,
}

/// A day's seal on the heads that had moved since the seal before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// From 1, without a gap.
    pub number: i64,
    pub sealed_on: Date,
    /// How many heads it seals.
    pub heads: i64,
    /// SHA-256 over the heads, in the order of their conventions.
    pub digest: String,
    pub previous: String,
    pub hash: String,
}

impl Seal {
    /// The next seal. `heads` are in the order of their conventions.
    #[must_use]
    pub fn next(before: Option<&Self>, sealed_on: Date, heads: &[Sealed]) -> Self {
        let mut seal = Self {
            number: before.map_or(1, |seal| seal.number + 1),
            sealed_on,
            heads: i64::try_from(heads.len()).unwrap_or(i64::MAX),
            digest: digest(heads),
            previous: before.map_or_else(|| BEGINNING.into(), |seal| seal.hash.clone()),
            hash: String::new(),
        };
        seal.hash = seal.computed();
        seal
    }

    /// The hash of its content and of the seal before it.
    #[must_use]
    pub fn computed(&self) -> String {
        let mut hash = Sha256::new();
        let (number, day, heads) = (self.number.to_string(), self.sealed_on.to_string(), self.heads.to_string());
        for part in [&self.previous, &number, &day, &heads, &self.digest] {
            feed(&mut hash, part);
        }
        hex::encode(hash.finalize())
    }
}

/// The digest of heads.
#[must_use]
pub fn digest(heads: &[Sealed]) -> String {
    let mut hash = Sha256::new();
    for head in heads {
        feed(&mut hash, &head.convention.to_string());
        feed(&mut hash, &head.number.to_string());
        feed(&mut hash, &head.hash);
    }
    hex::encode(hash.finalize())
}

/// Something that is wrong with the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// UPPER_SNAKE_CASE.
    pub reason: &'static str,
    /// Where: ids and numbers.
    pub at: String,
}

pub(crate) fn finding(reason: &'static str, at: impl Into<String>) -> Finding {
    Finding { reason, at: at.into() }
}

/// Checks the entries of a convention, in the order of their numbers: chained, balanced, keeping F10 after each. Answers the
/// head and the balances that they come to.
#[must_use]
pub fn check(entries: &[Entry], findings: &mut Vec<Finding>) -> (Head, BTreeMap<PostId, Balances>) {
    let mut head = Head::beginning();
    let mut balances: BTreeMap<PostId, Balances> = BTreeMap::new();
    for entry in entries {
        let at = || format!("{} entry {}", entry.convention, entry.number);
        if entry.number != head.number + 1 {
            findings.push(finding("ENTRY_MISSING", at()));
        }
        if entry.previous != head.hash || entry.computed() != entry.hash {
            findings.push(finding("CHAIN_BROKEN", at()));
        }
        if !balanced(&entry.lines) {
            findings.push(finding("ENTRY_NOT_BALANCED", at()));
        }
        for line in &entry.lines {
            if balances.entry(line.post).or_default().add(line).is_err() {
                findings.push(finding("AMOUNT_OUT_OF_RANGE", at()));
            }
        }
        for broken in balances.values().flat_map(Balances::broken) {
            findings.push(finding(broken, at()));
        }
        head = entry.head();
    }
    (head, balances)
}

/// Checks the seals, in the order of their numbers, each with its heads; `hash_of` is what the entry of a head says now.
pub fn check_seals(
    seals: &[(Seal, Vec<Sealed>)],
    hash_of: impl Fn(&Sealed) -> Option<String>,
    findings: &mut Vec<Finding>,
) {
    let mut before: Option<&Seal> = None;
    for (seal, heads) in seals {
        let at = || format!("seal {}", seal.number);
        let previous = before.map_or(BEGINNING, |seal| seal.hash.as_str());
        let number = before.map_or(1, |seal| seal.number + 1);
        if seal.number != number || seal.previous != previous || seal.computed() != seal.hash {
            findings.push(finding("SEAL_BROKEN", at()));
        }
        if digest(heads) != seal.digest {
            findings.push(finding("SEALED_HEADS_CHANGED", at()));
        }
        for head in heads {
            if hash_of(head).as_ref() != Some(&head.hash) {
                findings.push(finding(
                    "SEALED_ENTRY_CHANGED",
                    format!("{} {} entry {}", at(), head.convention, head.number),
                ));
            }
        }
        before = Some(seal);
    }
}

/// Nothing at all, for a post that has no entry.
#[must_use]
pub fn is_blank(balances: &Balances) -> bool {
    balances.0.iter().all(|cents| *cents == Cents::ZERO)
}

#[cfg(test)]
mod tests {
    use conum_kernel::Rule;

    use super::*;
    use crate::domain::{
        examples::{date, id},
        ledger::Account,
    };

    fn entries() -> Vec<Entry> {
        let at = "2021-02-01T08:00:00Z".parse().unwrap();
        let mut head = Head::beginning();
        let moves =
            [(Account::ToCome, Account::Granted), (Account::Due, Account::ToCome), (Account::Held, Account::Due)];
        let entry = |(debit, credit): &(Account, Account)| {
            let posting = Posting::new("TEST", Rule("F10"), id(1), *debit, *credit, Cents(100));
            let entry = Entry::next(&head, id(7), &posting, at, "cause");
            head = entry.head();
            entry
        };
        moves.iter().map(entry).collect()
    }

    fn reasons(entries: &[Entry]) -> Vec<&'static str> {
        let mut findings = vec![];
        let _ = check(entries, &mut findings);
        findings.iter().map(|finding| finding.reason).collect()
    }

    #[test]
    fn f10_an_entry_that_was_edited_or_removed_breaks_its_chain() {
        let good = entries();
        assert!(reasons(&good).is_empty());
        let mut edited = good.clone();
        for line in &mut edited[1].lines {
            line.cents = Cents(99);
        }
        assert_eq!(reasons(&edited), ["CHAIN_BROKEN"; 1].into_iter().chain(["NEGATIVE_BALANCE"]).collect::<Vec<_>>());
        let mut removed = good.clone();
        removed.remove(1);
        assert!(reasons(&removed).contains(&"ENTRY_MISSING") && reasons(&removed).contains(&"CHAIN_BROKEN"));
        // Rehashed from the edit on: the chain holds, the seal does not.
        let mut rewritten = good.clone();
        rewritten[2].cause = "another".into();
        rewritten[2].hash = rewritten[2].computed();
        assert!(reasons(&rewritten).is_empty());
        let sealed =
            |entry: &Entry| Sealed { convention: entry.convention, number: entry.number, hash: entry.hash.clone() };
        let heads = vec![sealed(&good[2])];
        let seal = Seal::next(None, date("2021-02-02"), &heads);
        let second = Seal::next(Some(&seal), date("2021-02-03"), &heads);
        let check = |entries: &[Entry], seals: &[(Seal, Vec<Sealed>)]| {
            let mut findings = vec![];
            let hash_of = |head: &Sealed| entries.iter().find(|e| e.number == head.number).map(|e| e.hash.clone());
            check_seals(seals, hash_of, &mut findings);
            findings.iter().map(|finding| finding.reason).collect::<Vec<_>>()
        };
        let seals = [(seal.clone(), heads.clone()), (second.clone(), heads.clone())];
        assert!(check(&good, &seals).is_empty());
        assert_eq!(check(&rewritten, &seals[..1]), ["SEALED_ENTRY_CHANGED"]);
        assert_eq!(check(&good, &[(second, heads)]), ["SEAL_BROKEN"]);
    }
}
