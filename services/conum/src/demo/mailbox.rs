//! The demo's mailbox: reads the mails that were written, as the people of the cast would.

use std::{collections::HashMap, path::PathBuf};

use conum_kernel::Error;

/// The folder of the mails, and what was found in it.
#[derive(Debug)]
pub(crate) struct Mailbox {
    folder: PathBuf,
    seen: HashMap<String, String>,
    read: std::collections::HashSet<std::ffi::OsString>,
}

impl Mailbox {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, seen: HashMap::new(), read: std::collections::HashSet::new() }
    }

    /// The token of the link that confirms the address of an application, once its mail has come.
    ///
    /// # Errors
    /// Internal where the folder cannot be read.
    pub(crate) fn confirmation(&mut self, application: &str) -> Result<Option<String>, Error> {
        let link = format!("/confirm/{}?t=", application.trim_start_matches("applications/"));
        if !self.seen.contains_key(&link) {
            self.open_new()?;
        }
        Ok(self.seen.get(&link).cloned())
    }

    /// Opens the mails that have come since the last time.
    fn open_new(&mut self) -> Result<(), Error> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Ok(()) };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !name.to_string_lossy().ends_with(".eml") || !self.read.insert(name) {
                continue;
            }
            let text = unquoted(&std::fs::read_to_string(entry.path()).map_err(Error::internal)?);
            if let Some((before, rest)) = text.split_once("?t=")
                && let Some(start) = before.rfind("/confirm/")
            {
                let token: String =
                    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
                self.seen.insert(format!("{}?t=", &before[start..]), token);
            }
        }
        Ok(())
    }
}

/// The text of a quoted-printable part (RFC 2045): soft line breaks away, `=3D` and the like read.
fn unquoted(text: &str) -> String {
    text.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=").replace("=3F", "?").replace("=26", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_in_a_mail_whatever_its_line_breaks() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("m.eml"), "Subject: x\r\n\r\nhttp://h/confirm/app_1?t=3DAB=\r\nC-_d\r\n")
            .unwrap();
        let mut mailbox = Mailbox::new(folder.path().into());
        assert_eq!(mailbox.confirmation("applications/app_1").unwrap().as_deref(), Some("ABC-_d"));
        assert_eq!(mailbox.confirmation("applications/app_2").unwrap(), None);
    }
}
