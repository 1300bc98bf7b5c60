//! Distances between places, and boxes that must not lose a place that is near enough.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::f64::consts::{PI, TAU};

use conum_geo::{BoundingBox, EARTH_RADIUS_M, Place, commune, distance_m};
use proptest::prelude::*;

fn at(lat: f64, lon: f64) -> Place {
    Place::new(lat, lon).unwrap()
}

fn centre(code: &str) -> Place {
    commune(code).unwrap().place.unwrap()
}

#[test]
fn a_place_is_checked() {
    for (lat, lon) in [(90.0, 180.0), (-90.0, -180.0), (0.0, 0.0), (-0.0, -0.0)] {
        assert!(Place::new(lat, lon).is_ok(), "{lat} {lon}");
    }
    for (lat, lon) in [
        (90.000_001, 0.0),
        (-90.000_001, 0.0),
        (0.0, 180.000_001),
        (0.0, -180.000_001),
        (f64::NAN, 0.0),
        (0.0, f64::NAN),
        (f64::INFINITY, 0.0),
        (0.0, f64::NEG_INFINITY),
    ] {
        assert!(Place::new(lat, lon).is_err(), "{lat} {lon}");
    }
    let swapped = Place::new(120.0, 48.0).unwrap_err();
    assert_eq!(swapped.to_string(), "latitude 120 and longitude 48 are no place on Earth");
}

#[test]
fn paris_is_392_kilometres_from_lyon() {
    let metres = distance_m(centre("75056"), centre("69123"));
    assert!((391_000..=394_000).contains(&metres), "{metres}");
}

#[test]
fn paris_is_half_a_world_from_la_reunion() {
    let metres = distance_m(centre("75056"), centre("97411"));
    assert!((9_300_000..=9_450_000).contains(&metres), "{metres}");
}

#[test]
fn limits_of_distance() {
    let half_turn = 20_015_114;
    assert_eq!(distance_m(centre("75056"), centre("75056")), 0);
    assert_eq!(distance_m(at(90.0, 0.0), at(-90.0, 0.0)), half_turn);
    assert_eq!(distance_m(at(0.0, 0.0), at(0.0, 180.0)), half_turn);
    assert_eq!(distance_m(at(37.3, -12.1), at(-37.3, 167.9)), half_turn, "any antipodes");
    assert_eq!(distance_m(at(12.0, 180.0), at(12.0, -180.0)), 0, "the same meridian");
    assert_eq!(distance_m(at(90.0, 10.0), at(90.0, -100.0)), 0, "the same pole");
    assert_eq!(distance_m(at(0.0, 0.0), at(1.0, 0.0)), 111_195, "a degree of latitude");
}

#[test]
fn a_box_at_our_latitudes_is_not_much_larger_than_the_circle() {
    let paris = centre("75056");
    let around = BoundingBox::around(paris, 10.0);
    let (north, east) = (at(around.max_lat, paris.lon()), at(paris.lat(), around.max_lon));
    assert!((10_000..10_010).contains(&distance_m(paris, north)));
    assert!((10_000..10_010).contains(&distance_m(paris, east)));
    assert!(around.contains(paris));
    assert!(!around.contains(centre("69123")));
}

#[test]
fn a_place_too_far_by_less_than_the_rounding_is_in_the_box() {
    let (equator, north) = (at(0.0, 0.0), at((10_000.4 / EARTH_RADIUS_M).to_degrees(), 0.0));
    assert_eq!(distance_m(equator, north), 10_000);
    assert!(BoundingBox::around(equator, 10.0).contains(north));
}

#[test]
fn a_box_across_the_antimeridian_takes_all_longitudes() {
    let east_of_fiji = at(-17.0, 179.9);
    let around = BoundingBox::around(east_of_fiji, 50.0);
    assert!(around.contains(at(-17.0, -179.9)));
    assert!(around.min_lat > -18.0 && around.max_lat < -16.0, "latitudes still filter");
}

#[test]
fn a_box_over_a_pole_takes_all_longitudes() {
    let around = BoundingBox::around(at(89.9, 0.0), 50.0);
    assert!(around.contains(at(89.9, 180.0)) && around.contains(at(90.0, -77.0)));
    assert!(!around.contains(at(89.0, 0.0)));
}

#[test]
fn odd_radiuses_make_sound_boxes() {
    let paris = centre("75056");
    for km in [0.0, -5.0, f64::NAN] {
        let around = BoundingBox::around(paris, km);
        assert!(around.contains(paris), "{km}");
        assert!(!around.contains(at(paris.lat() + 0.01, paris.lon())), "{km}");
    }
    for km in [20_016.0, 1e9, f64::INFINITY] {
        let around = BoundingBox::around(paris, km);
        assert!(around.contains(at(-90.0, 180.0)) && around.contains(at(90.0, -180.0)), "{km}");
    }
}

prop_compose! {
    fn anywhere()(lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64) -> Place {
        at(lat, lon)
    }
}

prop_compose! {
    /// Mostly here and there, with the edges of the map visited often.
    fn anywhere_and_edges()(
        lat in prop_oneof![4 => -90.0..=90.0_f64, 1 => 89.0..=90.0_f64, 1 => -90.0..=-89.0_f64],
        lon in prop_oneof![4 => -180.0..=180.0_f64, 1 => 179.0..=180.0_f64, 1 => -180.0..=-179.0_f64],
    ) -> Place {
        at(lat, lon)
    }
}

/// Where one arrives from `start`, heading `bearing` (radians), after `metres`.
fn travel(start: Place, bearing: f64, metres: f64) -> Place {
    let (lat, lon, angle) = (start.lat().to_radians(), start.lon().to_radians(), metres / EARTH_RADIUS_M);
    let sine = lat.sin() * angle.cos() + lat.cos() * angle.sin() * bearing.cos();
    let end_lat = sine.clamp(-1.0, 1.0).asin();
    let turn = (bearing.sin() * angle.sin() * lat.cos()).atan2(angle.cos() - lat.sin() * end_lat.sin());
    let end_lon = (lon + turn + PI).rem_euclid(TAU) - PI;
    at(end_lat.to_degrees().clamp(-90.0, 90.0), end_lon.to_degrees().clamp(-180.0, 180.0))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..Default::default() })]

    #[test]
    fn going_is_as_long_as_coming_back(a in anywhere_and_edges(), b in anywhere_and_edges()) {
        prop_assert_eq!(distance_m(a, b), distance_m(b, a));
        prop_assert_eq!(distance_m(a, a), 0);
        prop_assert!(distance_m(a, b) <= 20_015_114);
    }

    #[test]
    fn a_detour_is_no_shortcut(a in anywhere(), b in anywhere(), c in anywhere()) {
        // Each distance is rounded, by half a metre at most.
        prop_assert!(distance_m(a, c) <= distance_m(a, b) + distance_m(b, c) + 2);
    }

    #[test]
    fn a_distance_is_that_travelled(a in anywhere(), bearing in 0.0..TAU, metres in 0.0..2e7_f64) {
        let measured = f64::from(distance_m(a, travel(a, bearing, metres)));
        prop_assert!((measured - metres).abs() < 2.0, "{measured} for {metres}");
    }

    /// Near its edge most of all: that is where a wrong box would lose a place.
    #[test]
    fn a_box_holds_all_that_is_within_the_distance(
        place in anywhere_and_edges(),
        km in prop_oneof![0.0..=1.0_f64, 0.0..=200.0_f64, 0.0..=20_100.0_f64],
        bearing in 0.0..TAU,
        portion in prop_oneof![0.0..=1.0_f64, 0.999..=1.0_f64],
    ) {
        let around = BoundingBox::around(place, km);
        prop_assert!(around.min_lat <= around.max_lat && around.min_lon <= around.max_lon);
        prop_assert!(around.min_lat >= -90.0 && around.max_lat <= 90.0);
        prop_assert!(around.min_lon >= -180.0 && around.max_lon <= 180.0);
        let other = travel(place, bearing, km * 1_000.0 * portion);
        if f64::from(distance_m(place, other)) <= km * 1_000.0 {
            prop_assert!(around.contains(other), "{around:?} loses {other:?}");
        }
    }
}
