//! The rules of the grant's money (F01–F11), pure: no database, no clock, no chance.
//!
//! - [`convention`]: what is known of a structure's convention: its parts, posts, instalments and claims.
//! - [`amounts`] and [`schedule`]: how much, and when (F01, F02).
//! - [`signing`]: from granted posts to a convention in force, and its amendments (F02).
//! - [`instalment`] and [`holds`]: the life of an instalment, and what keeps it from being paid (F03).
//! - [`advance`]: what the calendar and the facts bring about; every command ends with it.
//! - [`contracts`], [`earning`] and [`endings`]: contracts on a post, what was earned, replacements (F04, F07).
//! - [`claims`]: what is to be paid back (F04). [`following`]: follow-ups, co-funding, aids, vouchers (F05, F06, F08, F09).
//! - [`account`], [`payment`] and [`answers`]: bank accounts, payment orders, and what the bank answers (F03).
//! - [`ledger`] and [`chain`]: double entry, and entries that cannot be changed unseen (F10).
//! - [`forecast`]: what falls due, month by month (F11). [`policies`]: the settings.

pub mod account;
pub mod advance;
pub mod amounts;
pub mod answers;
pub mod chain;
pub mod claims;
pub mod contracts;
pub mod convention;
pub mod decision;
pub mod earning;
pub mod endings;
pub mod following;
pub mod forecast;
pub mod holds;
pub mod instalment;
pub mod ledger;
pub mod payment;
pub mod policies;
pub(crate) mod refusals;
pub mod schedule;
pub mod signing;

#[cfg(test)]
pub(crate) mod examples;
#[cfg(test)]
mod seasons;
