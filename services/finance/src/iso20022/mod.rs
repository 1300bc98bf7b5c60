//! ISO 20022 messages: what goes to the paying agent, and what the bank answers.

pub mod credit_transfer;
pub mod status_report;
