//! The methods of `conum.candidates.v1`, and candidates' reaction to others' events.

pub mod asked;
pub mod candidates;
pub mod convert;
pub mod inbox;
pub mod reading;
