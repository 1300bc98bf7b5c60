//! Journeys across services: the platform in one process or in several, and its users as callers of the gateway.
//!
//! The tests themselves are in `tests/`; [`journey`], [`lyon`] and [`processes`] are what they speak with.

pub mod journey;
pub mod lyon;
pub mod processes;
