//! Places on Earth and the great-circle distance between two of them.

use std::{error::Error, fmt};

/// Mean radius of the Earth, in metres (IUGG R1): the sphere that distances are measured on.
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A point on Earth in decimal degrees (WGS 84): always finite and in range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    lat: f64,
    lon: f64,
}

impl Place {
    /// A place from its latitude (−90 to 90, north positive) and longitude (−180 to 180, east
    /// positive), in degrees.
    pub fn new(lat: f64, lon: f64) -> Result<Self, InvalidPlace> {
        // NaN and the infinities are in no range.
        if (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon) {
            Ok(Self { lat, lon })
        } else {
            Err(InvalidPlace { lat, lon })
        }
    }

    /// Latitude in degrees, north positive.
    #[must_use]
    pub const fn lat(self) -> f64 {
        self.lat
    }

    /// Longitude in degrees, east positive.
    #[must_use]
    pub const fn lon(self) -> f64 {
        self.lon
    }
}

/// Coordinates that are no place on Earth, as they were given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InvalidPlace {
    /// Latitude given, in degrees.
    pub lat: f64,
    /// Longitude given, in degrees.
    pub lon: f64,
}

impl fmt::Display for InvalidPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "latitude {} and longitude {} are no place on Earth", self.lat, self.lon)
    }
}

impl Error for InvalidPlace {}

/// Great-circle distance in metres (haversine formula), rounded to the metre.
///
/// Swapping the arguments gives the very same number. The sphere differs from the real Earth by up to
/// 0.5 % of the distance.
#[must_use]
pub fn distance_m(a: Place, b: Place) -> u32 {
    // Absolute differences and products whose order does not matter: what makes it symmetric exactly.
    let half_lat = (a.lat - b.lat).abs().to_radians() / 2.0;
    let half_lon = (a.lon - b.lon).abs().to_radians() / 2.0;
    let cosines = a.lat.to_radians().cos() * b.lat.to_radians().cos();
    let haversine = half_lat.sin().powi(2) + cosines * half_lon.sin().powi(2);
    // Rounding can lift the haversine of antipodes above 1, where the arcsine does not exist.
    let angle = 2.0 * haversine.min(1.0).sqrt().asin();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "half the Earth's circumference is 20,015,114 m at most, and no angle is negative"
    )]
    let metres = (angle * EARTH_RADIUS_M).round() as u32;
    metres
}
