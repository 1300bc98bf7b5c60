//! Journeys across services: the platform in one process or in several, and its users as callers of the gateway.
//!
//! The tests themselves are in `tests/`; [`journey`], [`lyon`] and [`processes`] are what they speak with. [`nation`],
//! [`told`], [`bare`] and [`latency`] are what the programs in `examples/` measure with.

pub mod bare;
pub mod journey;
pub mod latency;
pub mod lyon;
pub mod nation;
pub mod processes;
pub mod told;
