//! What became of each line: a file for machines, a table for people. Codes and names of columns only: what a line says
//! stays out.

use std::{collections::BTreeMap, fmt, fs::File, path::Path};

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use conum_kernel::Error;

use super::reading::wrong;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It made a record.
    Accepted,
    /// It was added to the record of another line.
    Merged,
    /// It was imported before.
    Unchanged,
    Rejected,
}

impl Verdict {
    const ALL: [Self; 4] = [Self::Accepted, Self::Merged, Self::Unchanged, Self::Rejected];
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Merged => "merged",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
        })
    }
}

/// A line, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) line: u64,
    pub(crate) source_id: String,
    pub(crate) verdict: Verdict,
    /// The record that it made, was added to, or is a double of.
    pub(crate) target: String,
    /// Codes; `column:CODE` where a column is to blame.
    pub(crate) reasons: Vec<String>,
}

impl Entry {
    /// A line of which nothing became.
    pub(crate) fn of(line: u64) -> Self {
        Self { line, source_id: String::new(), verdict: Verdict::Rejected, target: String::new(), reasons: Vec::new() }
    }

    pub(crate) fn rejected(self, reasons: Vec<String>) -> Self {
        Self { verdict: Verdict::Rejected, reasons, ..self }
    }
}

/// Keeps count, and writes the file where one is wanted.
#[derive(Debug)]
pub(crate) struct Report {
    file: Option<csv::Writer<File>>,
    pub(crate) summary: Summary,
}

impl Report {
    /// Begins a report.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub(crate) fn begin(path: Option<&Path>) -> Result<Self, Error> {
        let make = |path: &Path| {
            let mut writer = csv::Writer::from_path(path)?;
            writer.write_record(["line", "source_id", "verdict", "target", "reasons"])?;
            Ok::<_, csv::Error>(writer)
        };
        let unwritable = |error| wrong("UNWRITABLE_REPORT", format!("the report cannot be written: {error}"));
        let file = path.map(make).transpose().map_err(unwritable)?;
        Ok(Self { file, summary: Summary::default() })
    }

    /// Notes what became of a line.
    ///
    /// # Errors
    /// Internal where the file cannot be written.
    pub(crate) fn add(&mut self, entry: &Entry) -> Result<(), Error> {
        *self.summary.verdicts.entry(entry.verdict).or_default() += 1;
        for reason in &entry.reasons {
            *self.summary.reasons.entry(reason.clone()).or_default() += 1;
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let line = entry.line.to_string();
        let verdict = entry.verdict.to_string();
        let reasons = entry.reasons.join(";");
        file.write_record([&line, &entry.source_id, &verdict, &entry.target, &reasons]).map_err(Error::internal)
    }

    /// Hands what was noted to the system.
    ///
    /// # Errors
    /// Internal where the file cannot be written.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.file.as_mut().map_or(Ok(()), |file| file.flush().map_err(Error::internal))
    }
}

/// How many lines became what, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) verdicts: BTreeMap<Verdict, u64>,
    pub(crate) reasons: BTreeMap<String, u64>,
}

impl Summary {
    /// How many lines became this.
    #[must_use]
    pub(crate) fn count(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_header(["verdict", "lines"]);
        for verdict in Verdict::ALL {
            table.add_row([verdict.to_string(), self.count(verdict).to_string()]);
        }
        table.add_row(["all".to_owned(), self.verdicts.values().sum::<u64>().to_string()]);
        write!(f, "{}", right(table))?;
        if self.reasons.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_header(["reason", "lines"]);
        for (reason, count) in &self.reasons {
            table.add_row([reason.clone(), count.to_string()]);
        }
        write!(f, "\n{}", right(table))
    }
}

fn right(mut table: Table) -> Table {
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_line_for_each_line_and_counts_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let mut report = Report::begin(Some(&path)).unwrap();
        let entry = Entry {
            source_id: "a,1".into(),
            verdict: Verdict::Merged,
            target: "applications/x".into(),
            reasons: vec!["KIND_CONFLICT".into(), "MISSING_COORDINATES".into()],
            ..Entry::of(2)
        };
        report.add(&entry).unwrap();
        report.add(&Entry::of(3).rejected(vec!["kind:UNKNOWN_VALUE".into()])).unwrap();
        report.flush().unwrap();
        let written = "line,source_id,verdict,target,reasons\n\
                       2,\"a,1\",merged,applications/x,KIND_CONFLICT;MISSING_COORDINATES\n\
                       3,,rejected,,kind:UNKNOWN_VALUE\n";
        assert_eq!(std::fs::read_to_string(path).unwrap(), written);
        assert_eq!((report.summary.count(Verdict::Merged), report.summary.count(Verdict::Accepted)), (1, 0));
        assert!(report.summary.to_string().contains("kind:UNKNOWN_VALUE"));
    }
}
