//! `demo`: plays a season on real services talking gRPC, on a clock that moves only when nothing is left to do.
//!
//! Everything goes through the gateway and the contracts; nothing writes to a database behind a service's back. Every
//! draw and id comes from hash(seed, key, purpose), so the same seed gives the same figures.

mod cashier;
mod cast;
mod chance;
mod compare;
mod mailbox;
mod recruiter;
mod report;
mod season;
mod trainer;
mod treasurer;
mod voice;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, time::Instant};

use clap::{Args, ValueEnum};
use conum_kernel::{Clock, Error, Ids, clock::start_of_day};
use conum_service::{
    cluster::Options as ClusterOptions,
    config::{Config, local_url},
    lifecycle::{self, Drive},
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::platform::Platform;
use mailbox::Mailbox;
use report::Report;
use season::{BEGINNING, DAYS, Scale, Season};
use voice::Voice;

/// What is played.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How large the season is.
    #[arg(long, value_enum, default_value_t = Size::Small)]
    scale: Size,
    /// The same seed gives the same figures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder for what the season leaves; it must be empty or not exist. A temporary one when left out.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Stop at the end of the season instead of staying up to look at.
    #[arg(long)]
    exit: bool,
    /// End with one line of JSON.
    #[arg(long)]
    json: bool,
    /// Play nothing: introduce the whole cast at once, in three ways, and set what comes of it side by side.
    #[arg(long, conflicts_with = "data")]
    compare: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Size {
    /// 150 structures, 3,000 candidates, three waves.
    Small,
    /// 1,450 applications, 40,000 candidates, eight waves.
    National,
}

impl Size {
    fn scale(self) -> Scale {
        match self {
            Self::Small => Scale::small(),
            Self::National => Scale::national(),
        }
    }
}

/// Plays a season.
///
/// # Errors
/// The first answer that the cast did not expect.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Error> {
    let began = Instant::now();
    if options.compare {
        let report = compare::Report::of_cast(options.seed, &options.scale.scale());
        eprintln!("{}\nCompared in {:.1} s.", report.text(), began.elapsed().as_secs_f64());
        if options.json {
            println!("{}", serde_json::to_string(&report).map_err(Error::internal)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (folder, temporary) = folder(&options)?;
    let morning = start_of_day(BEGINNING);
    let clock = Clock::manual(morning);
    let config = Config { data: folder.clone(), ..Config::local("") };
    let cluster = ClusterOptions {
        config: config.clone(),
        clock: clock.clone(),
        ids: Ids::seeded(options.seed),
        drive: Drive::ByHand,
        free_ports: true,
        databases: BTreeMap::new(),
    };
    let platform = Platform::start(&cluster).await?;
    eprintln!("{}data          {}\n", platform.addresses(), folder.display());
    let url = local_url(platform.gateway.address.port());
    let voice = Voice::new(&url, &config.keys(), &clock)?;

    let bar = bar();
    let mailbox = Mailbox::new(folder.join("mails"));
    let mut season =
        Season::new(&platform.cluster, &clock, voice.clone(), options.seed, options.scale.scale(), mailbox);
    season
        .play(|day, date| {
            bar.set_position(day.unsigned_abs());
            bar.set_message(date.to_string());
        })
        .await?;
    bar.finish_and_clear();
    let mut report = Report::read(&voice, season.posts_asked).await?;
    report.seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    eprintln!("{}", report.table(season.second_selections_refused()));
    eprintln!("Played in {:.1} s.", report.seconds);
    if options.json {
        println!("{}", serde_json::to_string(&report).map_err(Error::internal)?);
    }
    if !options.exit {
        eprintln!("\nThe platform stays up to look at, on the season's last day:\n{}", platform.addresses());
        eprintln!("A token of the agency for its clock:\n{}\n", voice.token(&voice::agency()).await?);
        eprintln!("Ctrl-C ends it.");
        lifecycle::signal().await;
    }
    platform.stop().await;
    drop(temporary);
    Ok(ExitCode::SUCCESS)
}

/// A fresh folder: what is there is never written over.
fn folder(options: &Options) -> Result<(PathBuf, Option<tempfile::TempDir>), Error> {
    let Some(folder) = &options.data else {
        let temporary = tempfile::Builder::new().prefix("conum-demo-").tempdir().map_err(Error::internal)?;
        return Ok((temporary.path().to_owned(), Some(temporary)));
    };
    std::fs::create_dir_all(folder).map_err(Error::internal)?;
    let mut entries = std::fs::read_dir(folder).map_err(Error::internal)?;
    if entries.next().is_some() {
        let message = format!("{} is not empty: the demo writes over nothing", folder.display());
        return Err(Error::precondition("NOT_EMPTY", message.clone(), message));
    }
    Ok((folder.clone(), None))
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(DAYS.unsigned_abs());
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} days, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
