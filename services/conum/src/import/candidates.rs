//! Candidates of a file: a stream of batches, each answered once it is durable. Lines that look like one person go in
//! batches of their own, in their order, for the first of them is the one that is registered (C08).

use std::collections::{HashMap, HashSet};

use conum_candidates::domain::doubles::{mail_key, person_key};
use conum_geo::{Resolved, resolve};
use conum_kernel::{Error, Violations};
use conum_proto::candidates::v1::{
    Background, Candidate, GetCandidateRequest, ImportedCandidate, ImportedLine, Reach, Situation, Wishes,
    situation::Status,
};
use conum_service::{status, wire};
use futures::{
    future::ready,
    stream::{self, StreamExt as _, TryStreamExt as _},
};
use jiff::{Timestamp, civil::Date};
use tokio::sync::mpsc::Receiver;

use super::{
    calls::{self, Answer, Asking, Batches},
    cells::{self, Cells, Columns},
    journal::Journal,
    mending::{LOST_ZERO_MENDED, VANISHED_COMMUNE},
    reading::Row,
    report::{Entry, Report, Verdict},
};

/// Somebody has the same name and birth date: the agency says whether it is one person (C08).
const POSSIBLE_DOUBLE: &str = "POSSIBLE_DOUBLE";

/// How many calls are under way at once.
const AT_ONCE: usize = 32;
/// How many lines are a batch: one transaction of the platform's, answered once it is durable.
const BATCH: usize = 500;

/// The columns of a file of candidates.
pub(crate) const COLUMNS: Columns = Columns {
    compulsory: &[
        "source_id",
        "given_name",
        "family_name",
        "birth_date",
        "email",
        "commune",
        "max_km",
        "status",
        "available_from",
    ],
    optional: &["phone", "wished_departments", "experience", "qualification", "driving_licence"],
};

/// An import of candidates.
#[derive(Debug)]
pub(crate) struct Candidates<'a> {
    pub(crate) asking: &'a Asking,
    pub(crate) journal: Journal,
    pub(crate) stream: Batches,
    /// When this import began: who was registered before, was imported before.
    pub(crate) began: Timestamp,
}

/// A line, as it is sent.
#[derive(Debug)]
struct Line {
    number: u64,
    source_id: String,
    /// By what its doubles are found.
    keys: Vec<String>,
    /// The call and what there is to warn of, or all that is wrong.
    read: Result<(Candidate, Vec<&'static str>), Vec<String>>,
}

impl Candidates<'_> {
    /// Registers the candidates of a file.
    ///
    /// # Errors
    /// Where the file or the platform fails: who was registered stays so, and the import can be done again.
    pub(crate) async fn import(
        &mut self,
        mut rows: Receiver<Result<Row, Error>>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut batch: Vec<Line> = Vec::new();
        let mut keys = HashSet::new();
        while let Some(row) = rows.recv().await {
            let line = Line::of(row?);
            if batch.len() == BATCH || line.keys.iter().any(|key| keys.contains(key)) {
                self.send(std::mem::take(&mut batch), report).await?;
                keys.clear();
            }
            keys.extend(line.keys.iter().cloned());
            batch.push(line);
        }
        self.send(batch, report).await
    }

    /// Sends lines that are of different people, and notes what became of them in their order.
    async fn send(&mut self, batch: Vec<Line>, report: &mut Report) -> Result<(), Error> {
        let known = self.known(&batch).await?;
        let mut entries = Vec::with_capacity(batch.len());
        let mut asked = Vec::new();
        for line in batch {
            let entry = Entry { source_id: line.source_id, ..Entry::of(line.number) };
            match line.read {
                Err(reasons) => entries.push(entry.rejected(reasons)),
                Ok((candidate, warnings)) => {
                    let reasons: Vec<_> = warnings.into_iter().map(str::to_owned).collect();
                    if let Some(target) = known.get(&line.number).cloned() {
                        entries.push(Entry { verdict: Verdict::Unchanged, target, reasons, ..entry });
                    } else {
                        asked.push(self.asked(line.number, candidate));
                        entries.push(Entry { reasons, ..entry });
                    }
                }
            }
        }
        for answer in self.stream.ask(self.asking, asked).await? {
            let line = u64::try_from(answer.line).unwrap_or_default();
            let Some(entry) = entries.iter_mut().find(|entry| entry.line == line) else {
                return Err(Error::internal("an answer to a line that was not asked"));
            };
            *entry = self.answered(entry.clone(), answer);
        }
        for entry in &entries {
            let of_this_line = matches!(entry.verdict, Verdict::Accepted | Verdict::Unchanged);
            if of_this_line && self.journal.candidate(entry.line) != Some(&entry.target) {
                self.journal.note(entry.line, &entry.source_id, &entry.target)?;
            }
            report.add(entry)?;
        }
        self.journal.flush()?;
        report.flush()
    }

    fn asked(&self, line: u64, candidate: Candidate) -> ImportedCandidate {
        let request_id = self.asking.request_id("candidates", line);
        ImportedCandidate { line: i64::try_from(line).unwrap_or(i64::MAX), candidate: Some(candidate), request_id }
    }

    fn answered(&self, entry: Entry, answer: ImportedLine) -> Entry {
        let Some(refusal) = &answer.refusal else { return self.registered(entry, answer) };
        let refusal = calls::refusal(&status::read(refusal));
        match refusal.existing {
            Some(existing) if self.journal.came_of(&existing, &entry.source_id) => {
                Entry { verdict: Verdict::Unchanged, target: existing, ..entry }
            }
            existing => Entry { target: existing.unwrap_or_default(), ..entry.rejected(refusal.reasons) },
        }
    }

    fn registered(&self, mut entry: Entry, answer: ImportedLine) -> Entry {
        if answer.possible_double {
            entry.reasons.push(POSSIBLE_DOUBLE.into());
        }
        // An earlier import was cut off before it noted this line: the answer is that of the request then.
        let at = answer.registered_at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok());
        let verdict = if at.is_some_and(|at| at < self.began) { Verdict::Unchanged } else { Verdict::Accepted };
        Entry { verdict, target: answer.candidate, ..entry }
    }

    /// The lines of a batch whose candidates were imported before, and are there.
    async fn known(&self, batch: &[Line]) -> Result<HashMap<u64, String>, Error> {
        let noted: Vec<_> =
            batch.iter().filter_map(|line| Some((line.number, self.journal.candidate(line.number)?))).collect();
        let seen = stream::iter(noted).map(async |(line, name)| Ok((line, name, self.exists(line, name).await?)));
        let there = seen.buffered(AT_ONCE).try_filter(|(_, _, exists)| ready(*exists));
        there.map_ok(|(line, name, _)| (line, name.to_owned())).try_collect().await
    }

    /// Whether the platform has a candidate: a database may have been put back to an earlier day.
    async fn exists(&self, line: u64, name: &str) -> Result<bool, Error> {
        let mut client = self.asking.voice.candidates();
        let message = GetCandidateRequest { name: name.to_owned() };
        let answer = self.asking.ask(line, message, async |message| client.get_candidate(message).await).await?;
        Ok(matches!(answer, Answer::Done(_)))
    }
}

impl Line {
    fn of(row: Row) -> Self {
        let number = row.line;
        match row.cells {
            Ok(cells) => {
                let read = candidate(&cells);
                let keys = read.as_ref().map(|(candidate, _)| keys(candidate, &cells)).unwrap_or_default();
                Self { number, source_id: cells.get("source_id").to_owned(), keys, read }
            }
            Err(reason) => Self { number, source_id: String::new(), keys: Vec::new(), read: Err(vec![reason]) },
        }
    }
}

/// By what the doubles of a candidate are found.
fn keys(candidate: &Candidate, cells: &Cells) -> Vec<String> {
    let person =
        |birth_date: Date| format!("person {}", person_key(&candidate.given_name, &candidate.family_name, birth_date));
    let mut keys = vec![format!("mail {}", mail_key(&candidate.email))];
    keys.extend(cells::date(cells.get("birth_date")).map(person));
    keys
}

/// The candidate of a line, with what there is to warn of; or all that cannot be read of it, as `column:REASON`. Whether
/// the programme welcomes the person is the platform's to say.
fn candidate(cells: &Cells) -> Result<(Candidate, Vec<&'static str>), Vec<String>> {
    let (mut wrong, mut mended) = (Violations::default(), false);
    if cells.get("source_id").is_empty() {
        wrong.missing("source_id");
    }
    let mut day = |column: &str| {
        let text = cells.get(column);
        let date = cells::date(text);
        if date.is_none() && !text.is_empty() {
            wrong.add(column, "INVALID_DATE", "a day is expected", "un jour est attendu");
        }
        date.map(wire::from_date)
    };
    let (birth_date, available_from) = (day("birth_date"), day("available_from"));
    let mut yes = |column: &str| {
        cells::yes(cells.get(column)).unwrap_or_else(|| {
            wrong.add(column, "INVALID_ANSWER", "yes or no is expected", "oui ou non est attendu");
            false
        })
    };
    let background = Background {
        experience: yes("experience"),
        qualification: yes("qualification"),
        driving_licence: yes("driving_licence"),
    };
    let reach = reach(cells.get("max_km"), &mut wrong);
    let status = status(cells.get("status"), &mut wrong);
    let mut whole = |code: &str, digits: usize| {
        let with_zero = cells::with_lost_zero(code, digits);
        mended |= with_zero.is_some();
        with_zero.unwrap_or_else(|| code.to_owned())
    };
    let commune = whole(cells.get("commune"), 5);
    let wished = cells.get("wished_departments").split([',', ';', ' ']).filter(|code| !code.is_empty());
    let departments = wished.map(|code| whole(code, 2)).collect();
    wrong.check().map_err(|error| calls::violated(&error))?;
    let vanished = matches!(resolve(&commune), Resolved::Vanished { .. });
    let warnings = [(mended, LOST_ZERO_MENDED), (vanished, VANISHED_COMMUNE)];
    let candidate = Candidate {
        given_name: cells.get("given_name").to_owned(),
        family_name: cells.get("family_name").to_owned(),
        birth_date,
        email: cells.get("email").to_owned(),
        phone: cells.get("phone").to_owned(),
        commune,
        reach,
        situation: Some(Situation { status: status.into(), ..Situation::default() }),
        available_from,
        wishes: Some(Wishes { departments, sectors: Vec::new() }),
        background: Some(background),
        ..Candidate::default()
    };
    Ok((candidate, warnings.into_iter().filter_map(|(there, warning)| there.then_some(warning)).collect()))
}

fn reach(text: &str, wrong: &mut Violations) -> Option<Reach> {
    if text.is_empty() {
        return None;
    }
    if text.eq_ignore_ascii_case("anywhere") {
        return Some(Reach { max_km: 0, anywhere: true });
    }
    let max_km = text.parse().ok();
    if max_km.is_none() {
        wrong.add("max_km", "INVALID_DISTANCE", "a number of km is expected", "un nombre de km est attendu");
    }
    Some(Reach { max_km: max_km.unwrap_or_default(), anywhere: false })
}

/// `job_seeker`, `employed`, `civil_servant`, `student`, `in_training`, `self_employed` or `retired`.
fn status(text: &str, wrong: &mut Violations) -> Status {
    let name = format!("STATUS_{}", text.to_uppercase().replace([' ', '-'], "_"));
    let status = Status::from_str_name(&name).unwrap_or_default();
    if status == Status::Unspecified && !text.is_empty() {
        wrong.take::<()>(Err(wire::unknown_value("status")));
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(changes: &[(&str, &str)]) -> Cells {
        let plain = [
            ("source_id", "s/1"),
            ("given_name", "Rose"),
            ("family_name", "Dupont"),
            ("birth_date", "09/05/1995"),
            ("email", "rose@exemple.fr"),
            ("commune", "69123"),
            ("max_km", "40"),
            ("status", "job_seeker"),
            ("available_from", "2021-02-01"),
        ];
        plain.iter().chain(changes).map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_line_becomes_a_candidate() {
        let extra = [
            ("wished_departments", "1, 69 2A"),
            ("driving_licence", "oui"),
            ("max_km", "Anywhere"),
            ("commune", "1053"),
        ];
        let (candidate, warnings) = candidate(&cells(&extra)).unwrap();
        assert_eq!(candidate.birth_date, Some(wire::from_date(jiff::civil::date(1995, 5, 9))));
        assert_eq!(candidate.reach, Some(Reach { max_km: 0, anywhere: true }));
        assert_eq!(candidate.wishes.unwrap().departments, ["01", "69", "2A"]);
        assert!(candidate.background.unwrap().driving_licence);
        assert_eq!((candidate.commune.as_str(), warnings), ("01053", vec![LOST_ZERO_MENDED]));
    }

    #[test]
    fn what_cannot_be_read_comes_at_once_and_without_its_value() {
        let wrong = [
            ("source_id", ""),
            ("birth_date", "9 mai"),
            ("experience", "un peu"),
            ("max_km", "loin"),
            ("status", "artiste"),
        ];
        let reasons = [
            "source_id:REQUIRED",
            "birth_date:INVALID_DATE",
            "experience:INVALID_ANSWER",
            "max_km:INVALID_DISTANCE",
            "status:UNKNOWN_VALUE",
        ];
        assert_eq!(candidate(&cells(&wrong)).unwrap_err(), reasons);
    }

    #[test]
    fn what_is_left_out_is_left_to_the_platform_to_refuse() {
        let left_out = [("birth_date", ""), ("max_km", ""), ("status", ""), ("commune", "")];
        let (candidate, _) = candidate(&cells(&left_out)).unwrap();
        assert_eq!((candidate.birth_date, candidate.reach), (None, None));
    }

    #[test]
    fn c08_two_lines_of_one_person_have_a_key_in_common() {
        let keys = |changes: &[(&str, &str)]| Line::of(Row { line: 2, cells: Ok(cells(changes)) }).keys;
        let first = keys(&[]);
        assert!(keys(&[("email", "ROSE@exemple.fr"), ("given_name", "Anne")]).iter().any(|key| first.contains(key)));
        assert!(keys(&[("email", "r@exemple.fr"), ("given_name", "rosé")]).iter().any(|key| first.contains(key)));
        assert!(!keys(&[("email", "r@exemple.fr"), ("given_name", "Anne")]).iter().any(|key| first.contains(key)));
    }
}
