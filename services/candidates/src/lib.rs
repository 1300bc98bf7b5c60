//! Candidates: people, their wishes, their consents and their rights over their data.

pub mod domain;
