//! The rules of training (T01–T09), pure: no database, no clock, no chance.
//!
//! - [`organisation`] and [`session`]: who trains, where and when (T05); [`choice`]: which sessions a person can be
//!   enrolled in, best first (T05, C04).
//! - [`training`]: the training of one person for one recruitment, its states, and what is derived of it (T03);
//!   [`opening`]: how it begins and stops (M06, M08); [`credit`]: what a person brings from earlier ones.
//! - [`preparing`]: preference, seat, interview, the employer's view (T01, T05); [`plan`]: hours and days (T01, T02, T09).
//! - [`hours`] and [`attendance`]: whole hours, done day by day (T01); [`exam`]: CCP1 and Pix (T03, T07).
//! - [`beside`]: what counts in no hours (T04, T06, T07, T08).
//! - [`events`] and [`mails`]: what others are told; [`policies`]: the settings.

pub mod attendance;
pub mod beside;
pub mod calendar;
pub mod choice;
pub mod credit;
pub mod events;
pub mod exam;
pub mod hours;
pub mod mails;
pub mod opening;
pub mod organisation;
pub mod plan;
pub mod policies;
pub mod preparing;
pub mod session;
pub mod training;

#[cfg(test)]
pub(crate) mod examples;

pub use events::Event;
pub use mails::Mail;
pub use policies::Settings;
pub use training::Training;

/// What is decided on a training.
pub type Decision = conum_kernel::Decision<Training, Event, Mail>;
