//! The rules of introductions and recruitments (M01–M10, C04, C06), pure: no database, no clock, no chance.
//!
//! - [`candidate`] and [`structure`]: what matching knows of both sides.
//! - [`eligibility`]: whether a pair is possible, and why (M01).
//! - [`assignment`]: who is introduced to whom.
//! - [`introduction`]: the life of one introduction (M03).
//! - [`serving`]: how many places a structure has to fill, and when all of them close (M02).
//! - [`recruitment`]: selection and its end (M06, M08); [`contract`]: what a contract must be (M07).
//! - [`states`]: what is derived of posts and people (M10); [`training`]: when an initial training runs.
//! - [`policies`]: the settings.

pub mod assignment;
pub mod candidate;
pub mod contract;
pub mod eligibility;
pub mod introduction;
pub mod order;
pub mod policies;
pub mod recruitment;
pub mod serving;
pub mod shortage;
pub mod simulation;
pub mod states;
pub mod structure;
pub mod training;
pub mod verification;

#[cfg(test)]
pub(crate) mod examples;
