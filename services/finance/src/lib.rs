//! finance: conventions, instalments, payments, claims and the ledger. The only service that decides what money moves.
//!
//! [`domain`] holds the rules, [`storage`] the tables, [`commands`] what a decision writes, [`rpc`] the methods and the
//! reaction to events, [`iso20022`] what is exchanged with the bank, [`tasks`] the timers.

pub mod domain;
pub mod iso20022;
pub mod storage;
