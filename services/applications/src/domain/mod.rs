//! The rules of applications, posts, waves and the cap (P01–P03, A01–A19), and nothing else: no clock, no chance, no
//! storage, no transport.
//!
//! Each topic is a file. Its functions take the state, a command, the programme's [`Settings`] where a rule leaves a
//! choice, and the [`conum_kernel::Moment`]; they answer with a [`Decision`]: the new state, the facts of its history,
//! the [`Event`]s that the other services are told and the [`Mail`]s that go to the structure. New ids and the state of
//! other records (the wave, the desk, another application of the same structure) come in as plain values: reading them
//! under the right locks is the storage's part.

pub mod allocation;
pub mod amendments;
pub mod application;
pub mod changes;
pub mod completion;
pub mod confirmation;
pub mod corrections;
pub mod derogations;
pub mod documents;
pub mod equity;
pub mod events;
pub mod examination;
pub mod form;
mod form_checks;
pub mod grants;
pub mod kit;
pub mod mails;
pub mod partners;
pub mod past;
pub mod policies;
pub mod post;
mod post_checks;
pub mod programme;
pub mod registration_number;
pub mod releases;
pub mod start_dates;
pub mod submission;
pub mod waves;
pub mod withdrawal;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod sequences;

use conum_kernel::Decision;

pub use application::{Application, Provenance, State};
pub use events::Event;
pub use mails::Mail;
pub use policies::{POLICIES, Settings};
pub use post::{Post, PostState};
pub use programme::{Desk, Programme};
pub use waves::{Wave, WaveState};

/// What a command on an application answers.
pub type Outcome = Decision<Application, Event, Mail>;

/// What a command that moves the cap answers: both are stored in one transaction (P01).
pub type CapOutcome = Decision<(Application, Programme), Event, Mail>;
