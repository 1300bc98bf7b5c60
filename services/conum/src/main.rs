//! `conum`: the one binary of `cargo run --release -- …`.
//!
//! `up` runs the platform on one machine, `demo` plays a season on it, `import` takes files into it, `match` assigns
//! what files hold; `doctor`, `migrate`, `openapi` and `token` serve whoever runs it.

mod demo;
mod doctor;
mod import;
mod migrate;
mod platform;
mod study;
mod token;
mod up;
mod voice;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use conum_kernel::Error;
use conum_service::telemetry::{self, Logs};

/// The platform of a national programme of digital advisers.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all services and the gateway in this process, on loopback.
    Up {
        /// Where keys, databases, mails and documents are kept.
        #[arg(long, default_value = "data")]
        data: PathBuf,
        /// A TOML file of settings.
        #[arg(long, env = "CONUM_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Play a season on real services, on a clock of its own.
    Demo(demo::Options),
    /// Import structures granted in the past, or candidates, from a CSV or JSON file.
    Import(import::Options),
    /// Check configuration, databases, migrations, clock, peers and pending events.
    Doctor {
        #[arg(long, default_value = "data")]
        data: PathBuf,
        #[arg(long, env = "CONUM_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Bring the tables of every service's database up to date.
    Migrate {
        #[arg(long, default_value = "data")]
        data: PathBuf,
        #[arg(long, env = "CONUM_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Assign structures and candidates of files, without a platform.
    Match(study::Options),
    /// Print the OpenAPI document of the gateway.
    Openapi,
    /// Make a token for development.
    Token(token::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let logs = if matches!(cli.command, Command::Up { .. }) { Logs::Json } else { Logs::Quiet };
    let telemetry = telemetry::start("conum", logs);
    let outcome = run(cli.command).await;
    drop(telemetry);
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            for violation in error.violations() {
                eprintln!("  {}: {}", violation.field, violation.english);
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Up { data, config } => up::run(&platform::config(data, config.as_ref())?).await,
        Command::Demo(options) => demo::run(options).await,
        Command::Import(options) => import::run(&options).await,
        Command::Doctor { data, config } => doctor::run(&platform::config(data, config.as_ref())?).await,
        Command::Migrate { data, config } => migrate::run(&platform::config(data, config.as_ref())?).await,
        Command::Match(options) => study::run(&options),
        Command::Openapi => {
            print!("{}", platform::openapi()?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Token(options) => token::run(&options),
    }
}
