//! `match`: the assignment on files, without a platform, for studies and for whoever checks it from outside.

use std::{
    collections::{HashMap, HashSet},
    fmt::Display,
    fs::File,
    marker::PhantomData,
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
    time::Instant,
};

use clap::{Args, ValueEnum};
use conum_engine::{Engine, Lists, Market, Person, Reach, Rounding, Share, Vacancy, Weights, accept};
use conum_geo::Place;
use conum_kernel::{Error, Violations};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// What is assigned, and how.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Structures, as CSV: id, lat, lon (degrees), posts.
    #[arg(long, requires = "candidates", required_unless_present = "preferences")]
    structures: Option<PathBuf>,
    /// Candidates, as CSV: id, lat, lon (degrees), max_km.
    #[arg(long, requires = "structures")]
    candidates: Option<PathBuf>,
    /// Both sides' orders, as JSON: {"structures": {id: {"capacity": n, "order": [ids]}}, "candidates": {…}}.
    #[arg(long, conflicts_with_all = ["structures", "candidates"])]
    preferences: Option<PathBuf>,
    /// Introductions of a structure that has posts.
    #[arg(long, default_value_t = 3)]
    per_structure: u32,
    /// Introductions of a candidate at most.
    #[arg(long, default_value_t = 3)]
    per_candidate: u32,
    /// What a structure compares.
    #[arg(long, value_enum, default_value_t = Order::Distance)]
    weights: Order,
    /// Where the pairs are written, as CSV: structure, candidate, km.
    #[arg(long)]
    out: PathBuf,
    /// Print figures as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// What a structure compares: such files say nothing but distances.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    Distance,
}

/// A line of a file.
trait Line: DeserializeOwned {
    /// What its header names; other columns are left aside.
    const COLUMNS: &'static [&'static str];
}

impl Line for StructureRow {
    const COLUMNS: &'static [&'static str] = &["id", "lat", "lon", "posts"];
}

impl Line for CandidateRow {
    const COLUMNS: &'static [&'static str] = &["id", "lat", "lon", "max_km"];
}

#[derive(Debug, Deserialize)]
struct StructureRow {
    id: String,
    #[serde(deserialize_with = "trimmed")]
    lat: f64,
    #[serde(deserialize_with = "trimmed")]
    lon: f64,
    #[serde(deserialize_with = "trimmed")]
    posts: u32,
}

#[derive(Debug, Deserialize)]
struct CandidateRow {
    id: String,
    #[serde(deserialize_with = "trimmed")]
    lat: f64,
    #[serde(deserialize_with = "trimmed")]
    lon: f64,
    #[serde(deserialize_with = "trimmed")]
    max_km: f64,
}

/// A number that may have spaces around it. An id is what it is.
fn trimmed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.trim().parse().map_err(serde::de::Error::custom)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preferences {
    structures: Named<serde_json::Value>,
    candidates: Named<serde_json::Value>,
}

/// The entries of an object as they stand in the file, so that a name that comes twice is seen.
#[derive(Debug)]
struct Named<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    capacity: u32,
    order: Vec<String>,
}

/// A pair by its names.
struct Introduced {
    structure: String,
    candidate: String,
    km: Option<f64>,
}

/// What came of it, and what it took.
#[derive(Default)]
struct Study {
    pairs: Vec<Introduced>,
    possible: u64,
    index: f64,
    preferences: f64,
    assignment: f64,
}

/// Assigns what the files hold.
///
/// # Errors
/// Where a file cannot be read; names the line, or the name, that is wrong.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let study = match (&options.structures, &options.candidates, &options.preferences) {
        (Some(structures), Some(candidates), _) => by_distance(options, structures, candidates)?,
        (.., Some(preferences)) => by_lists(preferences)?,
        _ => return Err(refused("files", "give --structures and --candidates, or --preferences")),
    };
    write(&options.out, &study.pairs)?;
    let known: Vec<f64> = study.pairs.iter().filter_map(|pair| pair.km).collect();
    #[expect(clippy::cast_precision_loss, reason = "a count of pairs")]
    let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
    if options.json {
        let figures = json!({
            "pairs": study.pairs.len(),
            "possible_pairs": study.possible,
            "mean_km": mean,
            "seconds_index": study.index,
            "seconds_preferences": study.preferences,
            "seconds_assignment": study.assignment,
            "seconds_total": study.index + study.preferences + study.assignment,
            "peak_bytes": peak_bytes(),
        });
        println!("{figures}");
    } else {
        let seconds = study.index + study.preferences + study.assignment;
        let mean = mean.map(|km| format!(", {km:.2} km on average")).unwrap_or_default();
        println!("{} pairs of {} possible{mean}, in {seconds:.3} s", study.pairs.len(), study.possible);
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a step; answers the seconds that it took.
fn timed<T>(step: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let done = step();
    (done, began.elapsed().as_secs_f64())
}

fn by_distance(options: &Options, structures: &Path, candidates: &Path) -> Result<Study, Error> {
    let structures: Vec<(u64, StructureRow)> = rows(structures)?;
    let candidates: Vec<(u64, CandidateRow)> = rows(candidates)?;
    let began = Instant::now();
    distinct("structures", structures.iter().map(|(line, row)| (*line, row.id.as_str())))?;
    distinct("candidates", candidates.iter().map(|(line, row)| (*line, row.id.as_str())))?;
    let turns = turns(candidates.iter().map(|(_, row)| row.id.as_str()));
    let weights = match options.weights {
        Order::Distance => Weights::DISTANCE,
    };
    let mut market = Market {
        people: Vec::with_capacity(candidates.len()),
        vacancies: Vec::with_capacity(structures.len()),
        weights,
        rounding: Rounding::Exact,
        share: Share::default(),
        today: 0,
    };
    for ((line, row), turn) in candidates.iter().zip(turns) {
        if row.max_km.is_nan() || row.max_km < 0.0 {
            return Err(at("candidates", *line, "max_km is a number of kilometres from 0 on"));
        }
        market.people.push(Person {
            place: Some(located("candidates", *line, row.lat, row.lon)?),
            reach: Reach::Within(row.max_km * 1000.0),
            region: 0,
            commune: 0,
            wishes: Vec::new(),
            kinds: 0,
            offers: 0,
            available: 0,
            room: options.per_candidate,
            member: false,
            since: turn,
            id: identity(&row.id),
        });
    }
    for (line, row) in &structures {
        market.vacancies.push(Vacancy {
            place: Some(located("structures", *line, row.lat, row.lon)?),
            region: 0,
            commune: 0,
            department: 0,
            kind: 0,
            compulsory: 0,
            liked: 0,
            needed_by: 0,
            places: if row.posts > 0 { options.per_structure } else { 0 },
            introduced: Vec::new(),
            called: (0, 0),
            id: identity(&row.id),
        });
    }
    let prepared = began.elapsed().as_secs_f64();
    let (engine, index) = timed(|| Engine::over(&market));
    let (scarcity, counted) = timed(|| engine.scarcity());
    let preferences = prepared + counted;
    let (assigned, assignment) = timed(|| engine.assign(&scarcity));
    let pairs = assigned.pairs.iter().map(|pair| Introduced {
        structure: structures[pair.structure].1.id.clone(),
        candidate: candidates[pair.person].1.id.clone(),
        km: pair.fit.distance.map(|metres| metres / 1000.0),
    });
    let with_posts = scarcity.iter().zip(&structures).filter(|(_, (_, row))| row.posts > 0);
    let possible = with_posts.map(|(possible, _)| u64::from(*possible)).sum();
    Ok(Study { pairs: pairs.collect(), possible, index, preferences, assignment })
}

fn by_lists(file: &Path) -> Result<Study, Error> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    // Some editors begin a file with a mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let read: Preferences = serde_json::from_str(text).map_err(|error| unreadable(file, &error))?;
    let structures = wanted("structures", read.structures)?;
    let candidates = wanted("candidates", read.candidates)?;
    let ((structure_orders, candidate_orders), index) = {
        let (numbers, seconds) = timed(|| (numbered(&structures), numbered(&candidates)));
        let orders = (orders("structures", &structures, &numbers.1)?, orders("candidates", &candidates, &numbers.0)?);
        (orders, seconds)
    };
    let (mut lists, preferences) = timed(|| Lists::new(&structure_orders, &candidate_orders));
    let possible = u64::try_from(lists.possible()).unwrap_or(u64::MAX);
    let capacity = |side: &[(String, Wanted)]| side.iter().map(|(_, wanted)| wanted.capacity).collect::<Vec<_>>();
    let (pairs, assignment) = timed(|| accept(&capacity(&structures), &capacity(&candidates), &mut lists));
    let pairs = pairs.iter().map(|pair| Introduced {
        structure: structures[pair.structure].0.clone(),
        candidate: candidates[pair.person].0.clone(),
        km: None,
    });
    Ok(Study { pairs: pairs.collect(), possible, index, preferences, assignment })
}

fn wanted(side: &str, read: Named<serde_json::Value>) -> Result<Vec<(String, Wanted)>, Error> {
    let mut seen = HashSet::new();
    if let Some((id, _)) = read.0.iter().find(|(id, _)| !seen.insert(id.as_str())) {
        return Err(refused(&format!("{side}.{id}"), "the name comes twice"));
    }
    let one = |(id, value): (String, serde_json::Value)| {
        let wanted = serde_json::from_value(value);
        wanted.map(|wanted| (id.clone(), wanted)).map_err(|error| refused(&format!("{side}.{id}"), &error.to_string()))
    };
    read.0.into_iter().map(one).collect()
}

fn numbered(side: &[(String, Wanted)]) -> HashMap<&str, usize> {
    side.iter().enumerate().map(|(number, (id, _))| (id.as_str(), number)).collect()
}

fn orders(side: &str, of: &[(String, Wanted)], others: &HashMap<&str, usize>) -> Result<Vec<Vec<usize>>, Error> {
    let mut violations = Violations::default();
    let mut orders = Vec::with_capacity(of.len());
    for (id, wanted) in of {
        let mut order = Vec::with_capacity(wanted.order.len());
        for name in &wanted.order {
            match others.get(name.as_str()) {
                Some(number) => order.push(*number),
                None => violations.add(
                    format!("{side}.{id}.order"),
                    "UNKNOWN_NAME",
                    format!("{name} is not on the other side"),
                    format!("{name} n'est pas de l'autre côté"),
                ),
            }
        }
        orders.push(order);
    }
    violations.check().map(|()| orders)
}

/// The lines of a file, each with its number in it.
fn rows<T: Line>(file: &Path) -> Result<Vec<(u64, T)>, Error> {
    let unreadable = |error: csv::Error| unreadable(file, &error);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_path(file).map_err(unreadable)?;
    let header = reader.headers().map_err(unreadable)?.clone();
    let missing: Vec<_> =
        T::COLUMNS.iter().copied().filter(|column| !header.iter().any(|name| name == *column)).collect();
    if !missing.is_empty() {
        let problem =
            format!("line 1: the columns {} are expected; missing: {}", T::COLUMNS.join(", "), missing.join(", "));
        return Err(refused(&file.display().to_string(), &problem));
    }
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        record.deserialize(Some(&header)).map(|row| (line, row))
    };
    reader.into_records().map(row).collect::<Result<_, _>>().map_err(unreadable)
}

fn distinct<'a>(side: &str, ids: impl Iterator<Item = (u64, &'a str)>) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for (line, id) in ids {
        if !seen.insert(id) {
            return Err(at(side, line, &format!("id {id} comes twice")));
        }
    }
    Ok(())
}

fn located(side: &str, line: u64, lat: f64, lon: f64) -> Result<Place, Error> {
    Place::new(lat, lon).map_err(|error| at(side, line, &error.to_string()))
}

/// Who comes first of two that are as near: by id (M01). Such files do not say when somebody registered.
fn turns<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<i64> {
    let mut order: Vec<_> = ids.enumerate().map(|(place, id)| (id, place)).collect();
    order.sort_unstable();
    let mut turns = vec![0; order.len()];
    for (turn, (_, place)) in (0..).zip(order) {
        turns[place] = turn;
    }
    turns
}

/// A name as the tie-break takes it.
fn identity(name: &str) -> u128 {
    let digest: [u8; 32] = Sha256::digest(name).into();
    digest.iter().take(16).fold(0, |identity, byte| identity << 8 | u128::from(*byte))
}

/// What is wrong at a line of a file.
fn at(side: &str, line: u64, problem: &str) -> Error {
    refused(side, &format!("line {line}: {problem}"))
}

fn refused(field: &str, problem: &str) -> Error {
    Error::invalid(field, "INVALID_FILE", problem.to_owned(), format!("fichier refusé : {problem}"))
}

fn unreadable(file: &Path, error: &dyn std::fmt::Display) -> Error {
    refused(&file.display().to_string(), &error.to_string())
}

fn write(file: &Path, pairs: &[Introduced]) -> Result<(), Error> {
    let write = || -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_writer(File::create(file)?);
        writer.write_record(["structure", "candidate", "km"])?;
        for pair in pairs {
            let km = pair.km.map(|km| format!("{km:.6}")).unwrap_or_default();
            writer.write_record([&pair.structure, &pair.candidate, &km])?;
        }
        Ok(writer.flush()?)
    };
    write().map_err(|error| unreadable(file, &error))
}

/// The most memory that the process has held, where the system tells it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(folder: &Path, structures: &str, candidates: &str) -> Options {
        let (of, with) = (folder.join("structures.csv"), folder.join("candidates.csv"));
        std::fs::write(&of, format!("id,lat,lon,posts\n{structures}")).unwrap();
        std::fs::write(&with, format!("id,lat,lon,max_km\n{candidates}")).unwrap();
        Options {
            structures: Some(of),
            candidates: Some(with),
            preferences: None,
            per_structure: 3,
            per_candidate: 3,
            weights: Order::Distance,
            out: folder.join("pairs.csv"),
            json: false,
        }
    }

    fn said(outcome: Result<ExitCode, Error>) -> String {
        let error = outcome.unwrap_err();
        error.violations().iter().map(|violation| format!("{}: {}", violation.field, violation.english)).collect()
    }

    #[test]
    fn m02_three_for_each_structure_that_has_posts_the_nearest_first() {
        let folder = tempfile::tempdir().unwrap();
        let candidates = "far,45.4,4,100\nnear,45.001,4,5\nnot,45.4,4,5\nhere,45,4,0\nthird,45.2,4,40\n";
        run(&options(folder.path(), "town,45,4,2\nnone,45,4,0\n", candidates)).unwrap();
        let pairs = std::fs::read_to_string(folder.path().join("pairs.csv")).unwrap();
        let pairs: Vec<_> = pairs.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
        assert_eq!(pairs, ["structure,candidate", "town,here", "town,near", "town,third"]);
    }

    #[test]
    fn what_is_wrong_in_a_file_is_named_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let run = |structures, candidates| said(run(&options(folder.path(), structures, candidates)));
        assert_eq!(run("a,45,4,1\na,46,4,1\n", ""), "structures: line 3: id a comes twice");
        assert!(run("a,95,4,1\n", "").starts_with("structures: line 2: latitude 95"));
        assert!(run("", "a,45,4,-1\n").starts_with("candidates: line 2: max_km"));
        assert!(run("a,45,4,some\n", "").contains("line: 2"));
        let broken = "\"of two\nlines\",45,4,1\na,45,4,1\na,46,4,1\n";
        assert_eq!(run(broken, ""), "structures: line 5: id a comes twice");
        let given = options(folder.path(), "", "");
        std::fs::write(given.candidates.as_ref().unwrap(), "id, lat,lon\n").unwrap();
        assert!(
            said(super::run(&given))
                .ends_with("line 1: the columns id, lat, lon, max_km are expected; missing: max_km")
        );
        std::fs::write(given.structures.as_ref().unwrap(), "").unwrap();
        assert!(said(super::run(&given)).contains("missing: id, lat, lon, posts"));
    }

    #[test]
    fn m01_of_two_at_one_place_the_first_by_id_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for ids in [["a", "b"], ["b", "a"], ["a", " a"]] {
            let candidates = ids.map(|id| format!("{id}, 45.1, 4, 40\n")).concat();
            let options = Options { per_structure: 1, ..options(folder.path(), "town,45,4,1\n", &candidates) };
            run(&options).unwrap();
            let pairs = std::fs::read_to_string(folder.path().join("pairs.csv")).unwrap();
            let first = ids.into_iter().min().unwrap();
            assert!(pairs.contains(&format!("town,{first},")), "an id is what it is: {pairs}");
        }
    }

    #[test]
    fn lists_are_taken_as_they_are_and_an_unknown_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("preferences.json");
        let lists = |order| {
            let lists = json!({
                "structures": { "a": { "capacity": 1, "order": [order] } },
                "candidates": { "b": { "capacity": 1, "order": ["a"] } },
            });
            std::fs::write(&file, lists.to_string()).unwrap();
            let options = Options { preferences: Some(file.clone()), ..options(folder.path(), "", "") };
            super::run(&Options { structures: None, candidates: None, ..options })
        };
        lists("b").unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("pairs.csv")).unwrap(), "structure,candidate,km\na,b,\n");
        assert_eq!(said(lists("z")), "structures.a.order: z is not on the other side");
        let twice = r#"{"structures":{"a":{"capacity":1,"order":[]},"a":{"capacity":2,"order":[]}},"candidates":{}}"#;
        std::fs::write(&file, format!("\u{feff}{twice}")).unwrap();
        let given = Options { preferences: Some(file), ..options(folder.path(), "", "") };
        let given = Options { structures: None, candidates: None, ..given };
        assert_eq!(said(super::run(&given)), "structures.a: the name comes twice");
    }
}
