//! Who is possible for whom, and what each side compares by.

use conum_geo::{EARTH_RADIUS_M, Place, distance_m};

use crate::quota::Share;

/// How far somebody goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach {
    /// Metres, great-circle.
    Within(f64),
    /// Anywhere in the same region.
    Anywhere,
}

/// What a distance is before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Rounded to the metre.
    Metre,
    /// As it is computed.
    Exact,
}

/// Somebody who may be introduced. Sets are bits: the caller says what each bit is.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    pub place: Option<Place>,
    pub reach: Reach,
    /// What "anywhere" does not leave, and no distance crosses: a side of the sea.
    pub region: u16,
    /// Within one commune everything is at 0 m, wherever in it. 0 where it is not known.
    pub commune: u32,
    /// Departments that are wished: they are possible whatever the distance and the region.
    pub wishes: Vec<u16>,
    /// Kinds of structure that are wished.
    pub kinds: u8,
    pub offers: u8,
    /// The first day at work, on a scale of the caller's.
    pub available: i32,
    /// How many more introductions there is room for.
    pub room: u32,
    /// Of the group that a share of places is kept for.
    pub member: bool,
    /// What is first of two that are as good: an instant, say.
    pub since: i64,
    pub id: u128,
}

impl Person {
    /// Whether somebody lives in a commune that is known.
    pub(crate) fn lives_in(&self, commune: u32) -> bool {
        self.commune != 0 && self.commune == commune
    }
}

/// A structure that lacks introductions.
#[derive(Clone, Debug, PartialEq)]
pub struct Vacancy {
    pub place: Option<Place>,
    pub region: u16,
    pub commune: u32,
    pub department: u16,
    /// What kind of structure it is: one bit.
    pub kind: u8,
    /// What somebody must offer.
    pub compulsory: u8,
    /// What the structure would like somebody to offer.
    pub liked: u8,
    /// The last day on which somebody may be available.
    pub needed_by: i32,
    /// How many introductions it lacks.
    pub places: u32,
    /// People who were introduced before, as positions in the market's list, ascending.
    pub introduced: Vec<u32>,
    /// How many introductions it has had, and how many of those with members of the group: its order goes on from there.
    pub called: (u64, u64),
    pub id: u128,
}

/// What makes somebody worse in a structure's order, in metres of distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Each liked quality that is not offered.
    pub need: f64,
    /// Each of department and kind that is not wished.
    pub wish: f64,
    /// Each day from the market's first day to the person's first one.
    pub day: f64,
}

impl Weights {
    /// Distance alone.
    pub const DISTANCE: Self = Self { need: 0.0, wish: 0.0, day: 0.0 };
}

/// What is compared of a possible pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Metres between the two; nothing where a place is not known.
    pub distance: Option<f64>,
    pub department_wished: bool,
    pub kind_wished: bool,
    /// Liked qualities that are not offered.
    pub missing: u32,
}

/// Both sides of an assignment.
#[derive(Clone, Debug)]
pub struct Market {
    pub people: Vec<Person>,
    pub vacancies: Vec<Vacancy>,
    pub weights: Weights,
    pub rounding: Rounding,
    /// The least share of [`Person::member`] in every beginning of a structure's order.
    pub share: Share,
    /// The day that waiting is counted from.
    pub today: i32,
}

/// What an unknown distance counts as in a structure's order: further than anything on Earth.
const UNKNOWN_M: f64 = 30_000_000.0;

impl Market {
    /// Whether a pair is possible, and what is compared of it. Room and earlier introductions are no part of it.
    #[must_use]
    pub fn fit(&self, person: &Person, vacancy: &Vacancy) -> Option<Fit> {
        fit_at(self.distance(person, vacancy), person, vacancy)
    }

    /// Metres between the two.
    #[must_use]
    pub fn distance(&self, person: &Person, vacancy: &Vacancy) -> Option<f64> {
        let exact = || Some(arc(chord_squared(unit(person.place?), unit(vacancy.place?)).sqrt()));
        self.distance_or(person, vacancy, exact)
    }

    /// The same, given how the exact distance is found.
    pub(crate) fn distance_or(
        &self,
        person: &Person,
        vacancy: &Vacancy,
        exact: impl FnOnce() -> Option<f64>,
    ) -> Option<f64> {
        if person.lives_in(vacancy.commune) { Some(0.0) } else { self.line_or(person, vacancy, exact) }
    }

    /// Metres between the places of the two, whatever their communes are.
    pub(crate) fn line_or(
        &self,
        person: &Person,
        vacancy: &Vacancy,
        exact: impl FnOnce() -> Option<f64>,
    ) -> Option<f64> {
        match self.rounding {
            Rounding::Metre => Some(f64::from(distance_m(person.place?, vacancy.place?))),
            Rounding::Exact => exact(),
        }
    }

    /// What a structure's order compares, in metres; less is better.
    #[must_use]
    pub fn cost(&self, person: &Person, fit: &Fit) -> f64 {
        let wishes = f64::from(2 - u8::from(fit.department_wished) - u8::from(fit.kind_wished));
        fit.distance.unwrap_or(UNKNOWN_M)
            + self.weights.need * f64::from(fit.missing)
            + self.weights.wish * wishes
            + self.weights.day * f64::from((person.available - self.today).max(0))
    }
}

/// Whether a pair is possible at a distance, and what is compared of it.
pub(crate) fn fit_at(distance: Option<f64>, person: &Person, vacancy: &Vacancy) -> Option<Fit> {
    if vacancy.compulsory & !person.offers != 0 || person.available > vacancy.needed_by {
        return None;
    }
    let department_wished = person.wishes.contains(&vacancy.department);
    let near = || {
        person.region == vacancy.region
            && match (person.reach, distance) {
                (Reach::Anywhere, _) => true,
                (Reach::Within(reach), Some(metres)) => metres <= reach,
                (Reach::Within(_), None) => false,
            }
    };
    (department_wished || near()).then(|| Fit {
        distance,
        department_wished,
        kind_wished: person.kinds & vacancy.kind != 0,
        missing: (vacancy.liked & !person.offers).count_ones(),
    })
}

/// A fixed number of a pair, the same wherever and whenever it is computed: what decides between two that are as good for
/// everything else, without favouring the same one everywhere.
#[must_use]
pub fn tie_break(structure: u128, person: u128) -> u64 {
    // The finalizer of SplitMix64 (Steele, Lea, Flood 2014) over the four halves.
    let halves = [structure >> 64, structure, person >> 64, person];
    halves.into_iter().fold(0x9e37_79b9_7f4a_7c15, |state, half| {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let mut z = (state ^ (half as u64)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// A point of the unit sphere.
pub(crate) fn unit(place: Place) -> [f64; 3] {
    let (lat, lon) = (place.lat().to_radians(), place.lon().to_radians());
    [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
}

/// The same point in half the precision.
#[expect(clippy::cast_possible_truncation, reason = "what the index leaves open is decided exactly")]
pub(crate) fn rough(point: [f64; 3]) -> [f32; 3] {
    point.map(|value| value as f32)
}

/// The square of the straight line between two points in half the precision.
pub(crate) fn rough_chord_squared(a: [f32; 3], b: [f32; 3]) -> f32 {
    let across = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    across[0] * across[0] + across[1] * across[1] + across[2] * across[2]
}

/// The square of the straight line between two points of the unit sphere.
pub(crate) fn chord_squared(a: [f64; 3], b: [f64; 3]) -> f64 {
    let across = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    across[0] * across[0] + across[1] * across[1] + across[2] * across[2]
}

/// Metres along the sphere for a straight line through the unit sphere.
pub(crate) fn arc(chord: f64) -> f64 {
    2.0 * EARTH_RADIUS_M * (chord / 2.0).min(1.0).asin()
}

/// The straight line through the unit sphere for metres along it.
pub(crate) fn chord(metres: f64) -> f64 {
    2.0 * (metres / (2.0 * EARTH_RADIUS_M)).clamp(0.0, std::f64::consts::FRAC_PI_2).sin()
}
