//! Boxes of latitude and longitude around a place, for a database to discard what is too far before
//! exact distances are computed.

use std::f64::consts::PI;

use crate::{EARTH_RADIUS_M, Place};

/// A range of latitudes and a range of longitudes, in degrees, bounds included.
///
/// `min_lon <= max_lon` always holds, so `lon BETWEEN min_lon AND max_lon` is a sound filter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox {
    /// Southern bound, −90 at least.
    pub min_lat: f64,
    /// Northern bound, 90 at most.
    pub max_lat: f64,
    /// Western bound, −180 at least.
    pub min_lon: f64,
    /// Eastern bound, 180 at most.
    pub max_lon: f64,
}

impl BoundingBox {
    /// A box that contains every place within `km` kilometres of `place` by
    /// [`distance_m`](crate::distance_m), and some others: only a superset is promised.
    ///
    /// A box that reaches a pole or the antimeridian takes all longitudes, for one range has to be
    /// enough. A `km` that is negative or not a number counts as 0.
    #[must_use]
    pub fn around(place: Place, km: f64) -> Self {
        // One more metre: distances are rounded, so a place half a metre too far still counts as near.
        let metres = km.max(0.0) * 1_000.0 + 1.0;
        let angle = (metres / EARTH_RADIUS_M).min(PI);
        let min_lat = place.lat() - angle.to_degrees();
        let max_lat = place.lat() + angle.to_degrees();

        let (min_lon, max_lon) = if min_lat <= -90.0 || max_lat >= 90.0 {
            (-180.0, 180.0)
        } else {
            // The easternmost point of the circle is not at the latitude of its centre but nearer to
            // the pole, where meridians are closer together: hence the sine, and not angle / cos(lat).
            let sine = angle.sin() / place.lat().to_radians().cos();
            let reach = sine.min(1.0).asin().to_degrees();
            let (west, east) = (place.lon() - reach, place.lon() + reach);
            // At ±180 too: both are the same meridian.
            if west <= -180.0 || east >= 180.0 { (-180.0, 180.0) } else { (west, east) }
        };
        Self { min_lat: min_lat.max(-90.0), max_lat: max_lat.min(90.0), min_lon, max_lon }
    }

    /// Whether the place is inside the box.
    #[must_use]
    pub fn contains(&self, place: Place) -> bool {
        (self.min_lat..=self.max_lat).contains(&place.lat()) && (self.min_lon..=self.max_lon).contains(&place.lon())
    }
}
