//! `import`: takes a file of structures granted in the past, or of candidates, into a platform, and says of each line what
//! became of it. The same file again changes nothing; an import that was cut off is done again, and goes on.
//!
//! Everything goes through the gateway and the contracts. The file is read twice: once to see that it can be read to its
//! end and has the columns that it should ([`reading`]), then to send its lines ([`structures`], [`candidates`]).

mod calls;
mod candidates;
mod cells;
mod journal;
mod json;
mod mending;
mod profile_cnfs_2021;
mod reading;
mod report;
mod structures;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, net::Ipv4Addr, path::PathBuf, process::ExitCode, time::Instant};

use clap::{Args, ValueEnum};
use conum_kernel::{Error, Ids};
use conum_service::{
    cluster::Options as ClusterOptions,
    config::{Config, local_url},
    lifecycle::{self, Drive, IDENTITY_KEY},
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    platform::{self, Platform},
    voice::Voice,
};
use calls::{Asking, Batches};
use candidates::Candidates;
use journal::Journal;
use profile_cnfs_2021::CNFS_2021;
use reading::{Source, wrong};
use report::{Report, Summary};

/// What is imported, and where.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// What the lines of the file are.
    #[arg(value_enum)]
    what: What,
    /// A CSV file with a header, a JSON array of objects, or one JSON object a line; UTF-8.
    file: PathBuf,
    /// How the file names its columns; plain English names when left out. For structures only.
    #[arg(long, value_enum)]
    profile: Option<Profile>,
    /// A CSV file to write what became of each line.
    #[arg(long)]
    report: Option<PathBuf>,
    /// The folder of the platform: its keys, and where it is not running, its databases.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// A TOML file of settings.
    #[arg(long, env = "CONUM_CONFIG")]
    config: Option<PathBuf>,
    /// The URL of the gateway of a platform that runs. A platform is started for the time of the import when left out.
    #[arg(long)]
    gateway: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Structures that were granted posts in the past.
    Structures,
    /// People who want to become digital advisers.
    Candidates,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// The published file of the structures granted in spring 2021.
    #[value(name = "cnfs-2021")]
    Cnfs2021,
}

/// Imports a file, and prints what became of its lines. The exit code is 0 once the file was read to its end.
///
/// # Errors
/// Where the file cannot be read or has wrong columns; where the platform fails.
pub(crate) async fn run(options: &Options) -> Result<ExitCode, Error> {
    let began = Instant::now();
    let summary = import(options).await?;
    println!("{summary}");
    if let Some(report) = &options.report {
        println!("What became of each line: {}", report.display());
    }
    println!("Imported in {:.1} s.", began.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

async fn import(options: &Options) -> Result<Summary, Error> {
    let profile = match (options.what, options.profile) {
        (What::Candidates, Some(_)) => {
            return Err(wrong("UNKNOWN_PROFILE", "a file of candidates has no profile".into()));
        }
        (_, Some(Profile::Cnfs2021)) => CNFS_2021,
        (_, None) => structures::PLAIN,
    };
    let columns = if options.what == What::Structures { profile.columns } else { candidates::COLUMNS };
    let file = options.file.clone();
    let inspect = tokio::task::spawn_blocking(move || Source::inspect(&file, &columns));
    let source = inspect.await.map_err(Error::internal)??;
    if let Some(report) = options.report.as_ref().and_then(|report| report.canonicalize().ok())
        && options.file.canonicalize().is_ok_and(|file| file == report)
    {
        return Err(wrong("UNWRITABLE_REPORT", "the report would take the place of the file".into()));
    }
    let mut report = Report::begin(options.report.as_deref())?;

    let config = platform::config(options.data.clone(), options.config.as_ref())?;
    let began = platform::clock().now();
    let (voice, platform) = reached(&config, options.gateway.as_deref()).await?;
    let bar = bar(source.size);
    let asking = Asking { voice, file: source.sha256.clone() };
    let rows = source.stream(&bar);
    let outcome = match options.what {
        What::Structures => structures::import(&asking, &profile, rows, &mut report).await,
        What::Candidates => match Journal::open(&config.data.join("imports"), &source.sha256) {
            Ok(journal) => {
                let stream = Batches::default();
                Candidates { asking: &asking, journal, stream, began }.import(rows, &mut report).await
            }
            Err(error) => Err(error),
        },
    };
    bar.finish_and_clear();
    if let Some(platform) = platform {
        platform.stop().await;
    }
    outcome.map(|()| report.summary)
}

/// A voice that the platform hears, and the platform where it was started for it.
async fn reached(config: &Config, gateway: Option<&str>) -> Result<(Voice, Option<Platform>), Error> {
    let clock = platform::clock();
    if let Some(url) = gateway {
        // Keys that were made here would be nobody's.
        if !config.keys().join(format!("{IDENTITY_KEY}.key.pem")).exists() {
            return Err(wrong("NO_KEYS", format!("the keys of the platform are not in {}", config.keys().display())));
        }
        return Ok((Voice::new(url, &config.keys(), &clock)?, None));
    }
    let options = ClusterOptions {
        config: config.clone(),
        clock: clock.clone(),
        ids: Ids::random(),
        drive: Drive::Itself,
        free_ports: true,
        databases: BTreeMap::new(),
    };
    let listener = lifecycle::bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let platform = Platform::behind(listener, &options).await?;
    let url = local_url(platform.gateway.address.port());
    Ok((Voice::new(&url, &config.keys(), &clock)?, Some(platform)))
}

fn bar(size: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("[{bar:40}] {bytes}/{total_bytes}, {elapsed}");
    ProgressBar::new(size).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
