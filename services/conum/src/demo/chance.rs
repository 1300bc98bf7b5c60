//! Chance that can be repeated: every draw is hash(seed, key, purpose), never the next of a shared stream, so that what
//! one actor does cannot change another's luck.

use conum_kernel::id::draw;
use uuid::{Builder, Uuid};

/// Where the demo's chance comes from.
#[derive(Clone, Debug)]
pub(crate) struct Chance(String);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.to_string())
    }

    fn number(&self, key: &str, purpose: &str) -> u64 {
        let bytes = draw(&self.0, key, purpose);
        let (first, _) = bytes.split_first_chunk::<8>().map_or(([0; 8], &[][..]), |(first, rest)| (*first, rest));
        u64::from_be_bytes(first)
    }

    /// A number below `bound`.
    pub(crate) fn below(&self, bound: u64, key: &str, purpose: &str) -> u64 {
        self.number(key, purpose) % bound.max(1)
    }

    /// A number from `least` to `most`, both included.
    pub(crate) fn between(&self, least: i64, most: i64, key: &str, purpose: &str) -> i64 {
        let width = u64::try_from(most - least).unwrap_or(0) + 1;
        least + i64::try_from(self.below(width, key, purpose)).unwrap_or(0)
    }

    /// True `percent` times in a hundred.
    pub(crate) fn happens(&self, percent: u64, key: &str, purpose: &str) -> bool {
        self.below(100, key, purpose) < percent
    }

    /// One of some.
    pub(crate) fn one_of<'a, T>(&self, of: &'a [T], key: &str, purpose: &str) -> &'a T {
        let index = usize::try_from(self.below(of.len() as u64, key, purpose)).unwrap_or(0);
        &of[index]
    }

    /// A request id.
    pub(crate) fn request_id(&self, key: &str, purpose: &str) -> String {
        let bytes = draw(&self.0, key, purpose);
        let (first, _) = bytes.split_first_chunk::<16>().map_or(([0; 16], &[][..]), |(first, rest)| (*first, rest));
        let id: Uuid = Builder::from_random_bytes(first).into_uuid();
        id.to_string()
    }
}
