//! What training tells the other services of a training: ids and facts, no score, nothing that says who somebody is.

use jiff::civil::Date;

use super::{exam::Certification, plan::Plan, training::StopReason};

/// An event of a training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Opened by a selection (M06).
    Opened,
    /// Its plan was settled, or changed (T01, T02).
    Planned(Plan),
    /// Its plan fell with the seat that it rested on (T05).
    Unplanned,
    /// The person is trained (T03).
    Completed {
        hours: u32,
        on: Date,
    },
    /// The result of an exam was recorded (T03).
    Certified {
        certification: Certification,
        passed: bool,
        attempt: u32,
        attempts_left: u32,
        on: Date,
    },
    Stopped(StopReason),
}
