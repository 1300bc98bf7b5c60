//! Journeys across services: the platform in one process, and its users as callers of the gateway.
//!
//! The tests themselves are in `tests/`: [`journey`] is what they speak with.

pub mod journey;
