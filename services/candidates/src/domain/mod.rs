//! What the programme asks of candidates, rules C01 to C08: pure functions from a record and a command to a decision.
//!
//! Each file carries out one topic and says what it leaves to others. Nothing here reads a clock, draws an id, or knows
//! a database; places, departments and derogations are looked up outside and given.
//!
//! Everything personal sits in [`Person`], which erasure drops whole. The types that hold some of it print nothing of
//! it when debugged, so that no log can.

/// Prints the type's name and nothing of its content: it is personal.
macro_rules! undisclosed {
    ($($type:ident),+ $(,)?) => {
        $(
            impl std::fmt::Debug for $type {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct(stringify!($type)).finish_non_exhaustive()
                }
            }
        )+
    };
}

pub mod candidate;
pub mod card;
pub mod correction;
pub mod doubles;
pub mod erasure;
pub mod events;
pub mod export;
pub mod identity;
pub mod inactivity;
pub mod leaving;
pub mod mails;
pub mod merge;
pub mod pix;
pub mod policies;
pub mod registration;
pub mod situation;
pub mod ties;
pub mod told;
pub mod trainings;
pub mod wishes;

#[cfg(test)]
mod examples;

pub use candidate::{Candidate, Hold, Person, State};
pub use events::{Event, Facts, Offer};
pub use identity::{Location, Place};
pub use mails::Mail;
pub use pix::Pix;
pub use policies::{POLICIES, Settings};
pub use registration::{Lookups, Register, register};
pub use situation::Situation;
pub use ties::Ties;
pub use told::{Told, tell};
pub use wishes::{Background, Reach, Sector, Wishes};

/// What a command on a registration decides.
pub type Decision = conum_kernel::Decision<Candidate, Event, Mail>;
