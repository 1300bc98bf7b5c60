//! The mails that have left, as somebody would read them.

use std::path::Path;

use crate::Scene;

impl Scene {
    /// The mails that have left, headers and parts, in no order.
    #[must_use]
    pub fn letters(&self) -> Vec<String> {
        let Ok(files) = std::fs::read_dir(self.folder.path().join("mails")) else { return Vec::new() };
        files.flatten().map(|file| readable(&file.path())).collect()
    }

    /// The letter that has left and says something.
    ///
    /// # Panics
    /// Where none says it.
    #[expect(clippy::must_use_candidate, reason = "that there is one is often all that a test asks")]
    pub fn letter(&self, says: &str) -> String {
        self.letters().into_iter().find(|letter| letter.contains(says)).unwrap_or_else(|| panic!("none says {says}"))
    }
}

/// A mail of a folder, its quoted-printable parts (RFC 2045) read back.
///
/// # Panics
/// Where the file cannot be read.
#[must_use]
pub fn readable(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a mail");
    let joined = text.replace("=\r\n", "").replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.filter(|_| *first == b'=').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
