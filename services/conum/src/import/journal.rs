//! What earlier imports of candidates came to: `imports/{sha256}.csv` in the data folder, one for each file. It remembers
//! for good what the platform forgets: after a day, which request made a candidate; and once somebody has a new address,
//! has left or is erased, that the line was imported. It holds lines, source ids and names of resources.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use conum_kernel::Error;

/// The journal of a file, beside those of others.
#[derive(Debug)]
pub(crate) struct Journal {
    file: csv::Writer<File>,
    /// The candidates of this file's lines.
    lines: HashMap<u64, String>,
    /// The source ids of the candidates of all files.
    sources: HashMap<String, String>,
}

impl Journal {
    /// Opens the journal of a file, and reads those of all.
    ///
    /// # Errors
    /// Internal where the folder cannot be read or written.
    pub(crate) fn open(folder: &Path, sha256: &str) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(Error::internal)?;
        let own = folder.join(format!("{sha256}.csv"));
        let (mut lines, mut sources) = (HashMap::new(), HashMap::new());
        for entry in fs::read_dir(folder).map_err(Error::internal)? {
            let path = entry.map_err(Error::internal)?.path();
            if path.extension().is_none_or(|extension| extension != "csv") {
                continue;
            }
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_path(&path)
                .map_err(Error::internal)?;
            // A line that was cut off names a candidate that the platform does not know, or nothing.
            for record in reader.records().filter_map(Result::ok) {
                let (Some(line), Some(source_id), Some(candidate)) = (record.get(0), record.get(1), record.get(2))
                else {
                    continue;
                };
                if path == own
                    && let Ok(line) = line.parse()
                {
                    lines.insert(line, candidate.to_owned());
                }
                sources.insert(candidate.to_owned(), source_id.to_owned());
            }
        }
        let file = appended(&own).map_err(Error::internal)?;
        Ok(Self { file: csv::WriterBuilder::new().flexible(true).from_writer(file), lines, sources })
    }

    /// The candidate that a line of this file became.
    pub(crate) fn candidate(&self, line: u64) -> Option<&str> {
        self.lines.get(&line).map(String::as_str)
    }

    /// Whether a candidate came of a line with this source id, of whatever file.
    pub(crate) fn came_of(&self, candidate: &str, source_id: &str) -> bool {
        self.sources.get(candidate).is_some_and(|known| known == source_id)
    }

    /// Notes the candidate that a line became.
    ///
    /// # Errors
    /// Internal where it cannot be written.
    pub(crate) fn note(&mut self, line: u64, source_id: &str, candidate: &str) -> Result<(), Error> {
        self.file.write_record([&line.to_string(), source_id, candidate]).map_err(Error::internal)?;
        self.lines.insert(line, candidate.to_owned());
        self.sources.insert(candidate.to_owned(), source_id.to_owned());
        Ok(())
    }

    /// Makes durable what was noted.
    ///
    /// # Errors
    /// Internal where it cannot be written.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.file.flush().map_err(Error::internal)?;
        self.file.get_ref().sync_data().map_err(Error::internal)
    }
}

/// A file to append lines to, whole lines even where the last one was cut off.
fn appended(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_read_back_and_goes_on_after_a_line_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "aa").unwrap();
        journal.note(2, "s/1", "candidates/cand_1").unwrap();
        journal.flush().unwrap();
        drop(journal);
        let path = folder.path().join("aa.csv");
        fs::write(&path, fs::read_to_string(&path).unwrap() + "3,s/2,cand").unwrap();
        Journal::open(folder.path(), "aa").unwrap().note(3, "s/2", "candidates/cand_2").unwrap();

        let journal = Journal::open(folder.path(), "aa").unwrap();
        assert_eq!(
            (journal.candidate(2), journal.candidate(3)),
            (Some("candidates/cand_1"), Some("candidates/cand_2"))
        );
        let other = Journal::open(folder.path(), "bb").unwrap();
        assert_eq!(other.candidate(2), None);
        assert!(other.came_of("candidates/cand_1", "s/1") && !other.came_of("candidates/cand_1", "s/2"));
    }
}
