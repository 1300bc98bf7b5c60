//! The sector of a structure.

use serde::{Deserialize, Serialize};

/// Public or private: what a person may wish for (C04), and what is funded how long (T04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sector {
    Public,
    Private,
}

impl Sector {
    /// As events write it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Public, Self::Private].into_iter().find(|sector| sector.text() == text)
    }

    /// As events write it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_is_read_as_it_is_written() {
        for sector in [Sector::Public, Sector::Private] {
            assert_eq!(Sector::parse(sector.text()), Some(sector));
            assert_eq!(serde_json::to_value(sector).unwrap(), sector.text());
        }
        assert_eq!(Sector::parse("PUBLIC"), None);
    }
}
