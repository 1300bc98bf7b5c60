//! Ids: a UUIDv7 with a typed prefix, `app_0176…`, and the resource names that hold them, `applications/app_0176…`.

use std::{fmt, marker::PhantomData, str::FromStr, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use crate::{Error, Result};

/// What an id names.
pub trait Entity: 'static {
    /// The prefix of the id: `app`.
    const PREFIX: &'static str;
    /// The collection of the resource name: `applications`.
    const COLLECTION: &'static str;
}

/// The id of a `T`.
pub struct Id<T>(Uuid, PhantomData<fn() -> T>);

impl<T: Entity> Id<T> {
    /// An id from its UUID.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// The resource name: `applications/app_0176…`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{}/{self}", T::COLLECTION)
    }

    /// Reads a resource name.
    ///
    /// # Errors
    /// `INVALID_NAME` at `field`.
    pub fn parse_name(field: &str, name: &str) -> Result<Self> {
        name.strip_prefix(T::COLLECTION)
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| invalid_name(field, &format!("{}/{{id}}", T::COLLECTION)))
    }
}

/// The error of a resource name that is none. `pattern` says what is expected.
#[must_use]
pub fn invalid_name(field: &str, pattern: &str) -> Error {
    Error::invalid(
        field,
        "INVALID_NAME",
        format!("a resource name {pattern} is expected"),
        format!("un nom de ressource {pattern} est attendu"),
    )
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> std::hash::Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<T: Entity> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", T::PREFIX, self.0.simple())
    }
}

impl<T: Entity> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct NotAnId;

impl<T: Entity> FromStr for Id<T> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let hex = text.strip_prefix(T::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(NotAnId)?;
        // Only the form that `Display` writes: one record, one name.
        if hex.len() != 32 || hex.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(NotAnId);
        }
        Uuid::try_parse(hex).map(Self::from_uuid).map_err(|_| NotAnId)
    }
}

impl<T: Entity> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: Entity> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Where ids come from. Cloning shares it.
///
/// In production an id is a UUIDv7 of the clock's time and the system's randomness. The demo draws its ids from
/// hash(seed, key, purpose), so that the same seed gives the same ids whatever runs beside; `key` must then name the
/// thing for good: the request id of the command that makes it, or the ids it is made of.
#[derive(Clone, Debug)]
pub struct Ids(Source);

#[derive(Clone, Debug)]
enum Source {
    Random,
    Seeded(Arc<str>),
}

impl Ids {
    /// Ids that cannot be foretold.
    #[must_use]
    pub fn random() -> Self {
        Self(Source::Random)
    }

    /// Ids that follow from the seed and their keys.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(seed.to_string().into()))
    }

    /// A new UUIDv7. `key` and `purpose` decide it where ids are seeded.
    #[must_use]
    pub fn uuid(&self, at: Timestamp, key: &str, purpose: &str) -> Uuid {
        let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or(0);
        let mut random = [0_u8; 10];
        match &self.0 {
            Source::Random => {
                // A machine without randomness must not hand out ids.
                if getrandom::fill(&mut random).is_err() {
                    std::process::abort();
                }
            }
            Source::Seeded(seed) => random.copy_from_slice(&draw(seed, key, purpose)[..10]),
        }
        Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    }

    /// A new id of a `T`.
    #[must_use]
    pub fn mint<T: Entity>(&self, at: Timestamp, key: &str) -> Id<T> {
        Id::from_uuid(self.uuid(at, key, T::PREFIX))
    }
}

/// A number below `bound` from the system's randomness: for jitter, never for anything that is kept.
#[must_use]
pub fn jitter(bound: u64) -> u64 {
    let mut bytes = [0_u8; 8];
    // Without randomness there is no jitter, and nothing else is lost.
    let _ = getrandom::fill(&mut bytes);
    u64::from_ne_bytes(bytes) % bound.max(1)
}

/// hash(seed, key, purpose): the only source of chance where a run must be repeatable.
#[must_use]
pub fn draw(seed: &str, key: &str, purpose: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [seed, key, purpose] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Application;
    impl Entity for Application {
        const PREFIX: &'static str = "app";
        const COLLECTION: &'static str = "applications";
    }

    #[test]
    fn an_id_reads_back_and_only_in_the_form_it_was_written() {
        let at = "2021-01-01T00:00:00Z".parse().unwrap();
        let id: Id<Application> = Ids::random().mint(at, "");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(Id::parse_name("name", &id.name()), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<Id<Application>>().is_err());
        assert!(Id::<Application>::parse_name("name", "candidates/x").is_err());
    }

    #[test]
    fn seeded_ids_follow_from_seed_key_and_purpose_and_sort_by_time() {
        let at = "2021-01-01T00:00:00Z".parse().unwrap();
        let later = "2021-01-02T00:00:00Z".parse().unwrap();
        let ids = Ids::seeded(7);
        let first: Id<Application> = ids.mint(at, "a");
        assert_eq!(first, Ids::seeded(7).mint(at, "a"));
        assert_ne!(first, ids.mint(at, "b"));
        assert_ne!(first, Ids::seeded(8).mint(at, "a"));
        assert!(first < ids.mint(later, "a"));
    }
}
