//! Rows a second of `conum import candidates`, against rusqlite writing the same rows, indexes and batches in the same file
//! mode, in one run. The platform is pinned to the first core; who imports, to the second.
//!
//! `cargo build --release && cargo run --release -p conum-tests --example imports [ROWS]`

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use conum_geo::communes;
use conum_tests::bare::{self, BATCH};
use rusqlite::Connection;

const FIRST: &str = "0";
const SECOND: &str = "1";

fn pinned(core: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}

/// The most memory that a process had, in kB.
fn peak(process: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// A file of people who differ in everything, spread over the communes.
fn write_file(path: &Path, rows: usize) {
    let towns: Vec<_> = communes().iter().filter(|commune| commune.place.is_some()).collect();
    let mut text =
        "source_id,given_name,family_name,birth_date,email,commune,max_km,status,available_from\n".to_owned();
    for number in 0..rows {
        let town = towns[number * 7919 % towns.len()].code;
        let _ = writeln!(
            text,
            "s/{number},Rose{number},Dupont,1990-01-01,rose{number}@exemple.fr,{town},40,job_seeker,2021-02-01"
        );
    }
    fs::write(path, text).expect("the file is written");
}

/// Writes every row of a database of candidates into an empty one of the same shape; answers the seconds that took.
fn rewrite(from: &Path, to: &Path) -> f64 {
    let source = Connection::open(from).expect("the database is there");
    let mut target = bare::open(to);
    for (_, sql) in bare::shape(&source) {
        target.execute_batch(&sql).expect("the same shape");
    }
    let tables: Vec<_> = bare::tables(&source).iter().map(|name| bare::rows(&source, name)).collect();
    let people = tables.iter().find(|table| table.name == "candidates").map_or(0, |table| table.rows.len());
    bare::insert(&mut target, &tables, people.div_ceil(BATCH))
}

fn main() {
    let rows: usize = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("a folder");
    let (file, data) = (folder.path().join("people.csv"), folder.path().join("data"));
    write_file(&file, rows);
    let conum = std::env::current_exe().expect("this program").with_file_name("../conum");

    let mut platform = pinned(FIRST, &conum)
        .args(["up", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the platform starts: build it first");
    let lines = BufReader::new(platform.stdout.take().expect("its output")).lines();
    let gateway = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("gateway").map(|url| url.trim().to_owned()))
        .expect("the gateway's address");

    let began = Instant::now();
    let done = pinned(SECOND, &conum)
        .args(["import", "candidates"])
        .arg(&file)
        .args(["--gateway", &gateway, "--data"])
        .arg(&data)
        .output()
        .expect("the import runs");
    let seconds = began.elapsed().as_secs_f64();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let memory = peak(&platform) / 1024;
    platform.kill().expect("stopped");
    let _ = platform.wait();

    let bare = rewrite(&data.join("candidates.db"), &folder.path().join("bare.db"));
    #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
    let (ours, theirs) = (rows as f64 / seconds, rows as f64 / bare);
    println!(
        "{rows} rows: import {ours:.0}/s, most memory of the platform {memory} MB; rusqlite {theirs:.0}/s; ratio {:.2}",
        ours / theirs
    );
}
