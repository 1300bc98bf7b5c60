//! training: training organisations, their sessions, and the trainings of advisers. The only service that decides who
//! holds a seat, and who is trained.
//!
//! [`domain`] holds the rules.

pub mod domain;

/// The service's name.
pub const NAME: &str = "training";
