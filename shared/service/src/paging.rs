//! Pages of a list (AIP-158): keyset-paged, with opaque tokens that belong to one list and its filters.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use conum_kernel::{Error, Result};
use sha2::{Digest as _, Sha256};

/// The most that one page holds.
pub const MOST: i32 = 1000;

/// Which page of a list is asked for.
#[derive(Clone, Debug)]
pub struct Page {
    /// How many rows.
    pub size: u64,
    /// The key of the last row of the page before; empty at the beginning.
    pub after: String,
    list: String,
}

impl Page {
    /// Reads a page request. `list` names the list and its filters: a token of another list is refused.
    ///
    /// # Errors
    /// `INVALID_PAGE_SIZE` or `INVALID_PAGE_TOKEN`.
    pub fn read(list: &str, size: i32, default: i32, token: &str) -> Result<Self> {
        if size < 0 {
            return Err(Error::invalid(
                "page_size",
                "INVALID_PAGE_SIZE",
                "a page size is not negative",
                "une taille de page n'est pas négative",
            ));
        }
        let size = if size == 0 { default } else { size.min(MOST) };
        let list = digest(list);
        let after = if token.is_empty() { String::new() } else { Self::key(&list, token)? };
        Ok(Self { size: u64::try_from(size).unwrap_or(1), after, list })
    }

    fn key(list: &str, token: &str) -> Result<String> {
        URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix(list).and_then(|rest| rest.strip_prefix('/')).map(str::to_owned))
            .ok_or_else(|| {
                Error::invalid(
                    "page_token",
                    "INVALID_PAGE_TOKEN",
                    "this token does not belong to this list",
                    "ce jeton n'appartient pas à cette liste",
                )
            })
    }

    /// How many rows to read: one more than the page, to know whether another follows.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.size + 1
    }

    /// Cuts the rows to the page, and gives the token of the next one, or "".
    #[must_use]
    pub fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, String) {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        if rows.len() <= size {
            return (rows, String::new());
        }
        rows.truncate(size);
        let token = rows.last().map(|last| encode(&self.list, &key(last)));
        (rows, token.unwrap_or_default())
    }

    /// The token of a page of a list that begins after a key.
    #[must_use]
    pub fn token(list: &str, after: &str) -> String {
        encode(&digest(list), after)
    }
}

fn encode(list: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}/{key}"))
}

fn digest(list: &str) -> String {
    hex::encode(&Sha256::digest(list)[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_the_next_page_of_its_own_list() {
        let first = Page::read("candidates?department=69", 2, 50, "").unwrap();
        let (rows, token) = first.cut(vec![1, 2, 3], ToString::to_string);
        assert_eq!(rows, [1, 2]);
        assert_eq!(Page::read("candidates?department=69", 2, 50, &token).unwrap().after, "2");
        assert_eq!(Page::token("candidates?department=69", "2"), token);
        let other = Page::read("candidates?department=01", 2, 50, &token).unwrap_err();
        assert_eq!(other.reason(), "INVALID_PAGE_TOKEN");
        assert_eq!(first.cut(vec![1, 2], ToString::to_string), (vec![1, 2], String::new()));
        assert!(Page::read("x", -1, 50, "").is_err());
    }
}
