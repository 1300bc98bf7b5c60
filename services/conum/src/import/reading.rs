//! Reading a file, CSV or JSON, record after record: once to know what it is and that it can be read to its end, before
//! anything is sent, and once to send it. It is never whole in memory.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
};

use conum_kernel::Error;
use csv::StringRecord;
use indicatif::ProgressBar;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::{self, Receiver};

use super::{
    cells::{Cells, Columns},
    json::{self, Objects},
};

/// How many records are read ahead of what is sent.
const AHEAD: usize = 256;

/// A record of a file.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its row in a spreadsheet, where the header is row 1; its place from 1 in a JSON file.
    pub(crate) line: u64,
    /// What it says, or why that cannot be read.
    pub(crate) cells: Result<Cells, String>,
}

/// A file that can be read to its end, and has the columns that it should.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    path: PathBuf,
    /// Bytes.
    pub(crate) size: u64,
    /// Lower-case hexadecimal: what the file is known by.
    pub(crate) sha256: String,
}

impl Source {
    /// Reads a file once.
    ///
    /// # Errors
    /// Where it cannot be read, or lacks a compulsory column, or has one that nothing knows.
    pub(crate) fn inspect(path: &Path, columns: &Columns) -> Result<Self, Error> {
        let mut hashed = Hashed { file: open(path)?, hash: Sha256::new(), size: 0 };
        let mut rows = Rows::new(path, &mut hashed)?;
        let mut found = BTreeSet::new();
        check_known(rows.header().iter().map(String::as_str), columns)?;
        found.extend(rows.header().iter().cloned());
        while let Some(row) = rows.next()? {
            let Ok(cells) = row.cells else { continue };
            check_known(cells.columns(), columns)?;
            for column in cells.columns() {
                if !found.contains(column) {
                    found.insert(column.to_owned());
                }
            }
        }
        let missing: Vec<_> = columns.compulsory.iter().filter(|column| !found.contains(**column)).copied().collect();
        if !missing.is_empty() {
            return Err(wrong("MISSING_COLUMN", format!("the file has no column {}", missing.join(", "))));
        }
        Ok(Self { path: path.to_owned(), size: hashed.size, sha256: hex::encode(hashed.hash.finalize()) })
    }

    /// The records of the file, read ahead on a thread of their own. The bar shows how much was read.
    pub(crate) fn stream(&self, bar: &ProgressBar) -> Receiver<Result<Row, Error>> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (path, bar) = (self.path.clone(), bar.clone());
        tokio::task::spawn_blocking(move || {
            let rows = open(&path).and_then(|file| Rows::new(&path, bar.wrap_read(file)));
            let mut rows = match rows {
                Ok(rows) => rows,
                Err(error) => return drop(sender.blocking_send(Err(error))),
            };
            loop {
                let row = rows.next();
                let last = row.is_err();
                let Some(row) = row.transpose() else { return };
                // Nobody listens any more where the import has stopped.
                if sender.blocking_send(row).is_err() || last {
                    return;
                }
            }
        });
        receiver
    }
}

fn open(path: &Path) -> Result<File, Error> {
    let unreadable = |why: String| wrong("UNREADABLE_FILE", format!("{}: {why}", path.display()));
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if is_file { Ok(file) } else { Err(unreadable("it is no file".into())) }
}

/// What is wrong with a file or a command, for the person who runs it.
pub(crate) fn wrong(reason: &'static str, message: String) -> Error {
    Error::precondition(reason, message.clone(), message)
}

fn check_known<'a>(found: impl Iterator<Item = &'a str>, columns: &Columns) -> Result<(), Error> {
    let mut unknown: Vec<_> = found.filter(|column| !columns.knows(column)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    unknown.sort_unstable();
    let known: Vec<_> = columns.all().collect();
    let (unknown, known) = (unknown.join(", "), known.join(", "));
    Err(wrong("UNKNOWN_COLUMN", format!("the file has a column that nothing knows: {unknown} (known: {known})")))
}

/// A file that is hashed while it is read.
struct Hashed {
    file: File,
    hash: Sha256,
    size: u64,
}

impl Read for Hashed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.hash.update(&into[..read]);
        self.size += read as u64;
        Ok(read)
    }
}

/// The records of a file.
struct Rows<R> {
    path: PathBuf,
    format: Format<R>,
}

enum Format<R> {
    Csv { reader: csv::Reader<BufReader<R>>, header: Vec<String>, record: StringRecord, row: u64 },
    Json { objects: Objects<BufReader<R>>, place: u64 },
}

impl<R: Read> Rows<R> {
    /// Tells CSV from JSON by how the file begins.
    fn new(path: &Path, reader: R) -> Result<Self, Error> {
        let unreadable = |why: &dyn std::fmt::Display| wrong("UNREADABLE_FILE", format!("{}: {why}", path.display()));
        let mut reader = BufReader::with_capacity(1 << 16, reader);
        if reader.fill_buf().map_err(|error| unreadable(&error))?.starts_with("\u{FEFF}".as_bytes()) {
            reader.consume(3);
        }
        let head = reader.fill_buf().map_err(|error| unreadable(&error))?;
        let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
        let path = path.to_owned();
        if matches!(first, Some(b'[' | b'{')) {
            return Ok(Self { path, format: Format::Json { objects: Objects::new(reader), place: 0 } });
        }
        let delimiter = delimiter(head);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(reader);
        let header = reader.headers().map_err(|error| unreadable(&said(&error, 1)))?;
        let header: Vec<_> = header.iter().map(|column| column.trim().to_owned()).collect();
        let twice = header.iter().enumerate().find(|(place, column)| header[..*place].contains(column));
        if let Some((_, column)) = twice {
            return Err(wrong("COLUMN_TWICE", format!("the file has the column {column} twice")));
        }
        Ok(Self { path, format: Format::Csv { reader, header, record: StringRecord::new(), row: 1 } })
    }

    /// The columns that a CSV file begins with.
    fn header(&self) -> &[String] {
        match &self.format {
            Format::Csv { header, .. } => header,
            Format::Json { .. } => &[],
        }
    }

    fn next(&mut self) -> Result<Option<Row>, Error> {
        let path = &self.path;
        let unreadable = |why: String| wrong("UNREADABLE_FILE", format!("{}: {why}", path.display()));
        match &mut self.format {
            Format::Csv { reader, header, record, row } => {
                *row += 1;
                let read = reader.read_record(record);
                if !read.map_err(|error| unreadable(said(&error, *row)))? {
                    return Ok(None);
                }
                let cells = if record.len() == header.len() {
                    Ok(header.iter().cloned().zip(record.iter().map(str::to_owned)).collect())
                } else {
                    Err("WRONG_NUMBER_OF_COLUMNS".to_owned())
                };
                Ok(Some(Row { line: *row, cells }))
            }
            Format::Json { objects, place } => {
                let Some(object) = objects.next().map_err(unreadable)? else { return Ok(None) };
                *place += 1;
                Ok(Some(Row { line: *place, cells: json::cells(&object) }))
            }
        }
    }
}

/// Spreadsheets of France write semicolons.
fn delimiter(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.split(|byte| *byte == delimiter).count();
    [b';', b'\t'].into_iter().find(|delimiter| count(*delimiter) > count(b',')).unwrap_or(b',')
}

/// What is wrong with a CSV file, without its content.
fn said(error: &csv::Error, row: u64) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => format!("row {row} is not UTF-8: save the file as UTF-8"),
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => format!("row {row} is no row of a CSV file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns = Columns { compulsory: &["a", "b"], optional: &["c"] };

    fn rows(text: &str) -> Vec<(u64, Result<String, String>)> {
        let mut rows = Rows::new(Path::new("f"), text.as_bytes()).unwrap();
        let mut found = Vec::new();
        while let Some(Row { line, cells }) = rows.next().unwrap() {
            found.push((line, cells.map(|cells| format!("{}|{}", cells.get("a"), cells.get("b")))));
        }
        found
    }

    fn inspected(text: &str) -> Result<Source, Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, text).unwrap();
        Source::inspect(&file, &COLUMNS)
    }

    #[test]
    fn csv_and_json_say_the_same_whatever_delimiter_and_mark_of_order() {
        let said = |lines: [u64; 2]| vec![(lines[0], Ok("1|x y".into())), (lines[1], Ok("2|".into()))];
        assert_eq!(rows("a,b\n1,x y\n2,\n"), said([2, 3]));
        assert_eq!(rows("\u{FEFF}a;b\r\n1;\"x y\"\r\n2;\r\n"), said([2, 3]));
        assert_eq!(rows(r#"[{"a": 1, "b": "x y"}, {"a": "2", "b": null}]"#), said([1, 2]));
        assert_eq!(rows("{\"a\": 1, \"b\": \" x y\"}\n{\"a\": 2}\n"), said([1, 2]));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_that_line_only_and_a_text_may_hold_line_breaks() {
        assert_eq!(
            rows("a,b\n1,\"x\ny\"\n1,2,3\n4,5\n"),
            [(2, Ok("1|x\ny".into())), (3, Err("WRONG_NUMBER_OF_COLUMNS".into())), (4, Ok("4|5".into()))]
        );
        assert_eq!(rows(r#"[{"a": 1,}, {"a": 2}]"#), [(1, Err("UNREADABLE".into())), (2, Ok("2|".into()))]);
    }

    #[test]
    fn columns_that_are_unknown_or_missing_or_there_twice_are_named() {
        for (text, reason, named) in [
            ("a,b,mail\n", "UNKNOWN_COLUMN", "mail"),
            (r#"[{"a": 1, "b": 2}, {"a": 1, "mail": null}]"#, "UNKNOWN_COLUMN", "mail"),
            ("a,c\n", "MISSING_COLUMN", "b"),
            (r#"[{"a": 1, "c": 2}]"#, "MISSING_COLUMN", "b"),
            ("a,b,b\n", "COLUMN_TWICE", "b"),
        ] {
            let error = inspected(text).unwrap_err();
            assert_eq!(error.reason(), reason, "{text}");
            assert!(error.english().contains(named), "{error}");
        }
        assert!(inspected("a,b,c\n").is_ok());
    }

    #[test]
    fn a_file_is_known_by_its_content_and_one_that_is_cut_off_is_refused() {
        let source = inspected("a,b\n").unwrap();
        assert_eq!((source.size, source.sha256), (4, hex::encode(Sha256::digest("a,b\n"))));
        assert_eq!(inspected(r#"[{"a": 1, "b": 2}"#).unwrap_err().reason(), "UNREADABLE_FILE");
        let missing = Source::inspect(Path::new("/nowhere/f.csv"), &COLUMNS).unwrap_err();
        assert!(missing.english().contains("/nowhere/f.csv"), "{missing}");
    }
}
