//! The clock that is given to everything that needs the time, so that tests and the demo can move it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// The programme's time zone: its calendar days are days in Paris.
pub const TIME_ZONE: &str = "Europe/Paris";

/// Where the time comes from. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Microseconds since the Unix epoch.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until it is [set](Self::set) or [advanced](Self::advance).
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(at.as_microsecond()))))
    }

    /// The time, to the microsecond: what databases keep, so that nothing changes by being stored.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let microseconds = match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
            Source::System => Timestamp::now().as_microsecond(),
            Source::Manual(at) => at.load(Ordering::SeqCst),
        };
        Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
    }

    /// Now, with its day.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment::at(self.now())
    }

    /// Today in Paris.
    #[must_use]
    pub fn today(&self) -> Date {
        paris_date(self.now())
    }

    /// Moves a manual clock to an instant. Does nothing to the system's.
    pub fn set(&self, to: Timestamp) {
        if let Source::Manual(at) = &self.0 {
            at.store(to.as_microsecond(), Ordering::SeqCst);
        }
    }

    /// Moves a manual clock forward. Does nothing to the system's.
    pub fn advance(&self, by: SignedDuration) {
        if let Source::Manual(at) = &self.0 {
            at.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

/// An instant and its calendar day in Paris: what a domain function is given for "now".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub now: Timestamp,
    pub today: Date,
}

impl Moment {
    /// The moment of an instant.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now, today: paris_date(now) }
    }
}

/// The calendar day of an instant in Paris.
#[must_use]
pub fn paris_date(at: Timestamp) -> Date {
    at.to_zoned(paris()).date()
}

/// The instant at which a calendar day begins in Paris.
#[must_use]
pub fn start_of_day(day: Date) -> Timestamp {
    day.to_zoned(paris()).map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

fn paris() -> TimeZone {
    // The zone's table is bundled with the binary: it is always found.
    TimeZone::get(TIME_ZONE).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_paris_summer_and_winter() {
        let winter: Timestamp = "2020-12-31T23:30:00Z".parse().unwrap();
        assert_eq!(paris_date(winter), Date::constant(2021, 1, 1));
        assert_eq!(start_of_day(Date::constant(2021, 7, 1)).to_string(), "2021-06-30T22:00:00Z");
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual("2020-12-01T08:00:00Z".parse().unwrap());
        let other = clock.clone();
        other.advance(SignedDuration::from_hours(24));
        assert_eq!(clock.now().to_string(), "2020-12-02T08:00:00Z");
    }
}
