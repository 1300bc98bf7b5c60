//! `up`: the whole platform in this process, until a signal.

use std::{collections::BTreeMap, process::ExitCode};

use conum_kernel::{Error, Ids};
use conum_service::{
    cluster::Options,
    config::Config,
    lifecycle::{self, Drive},
};

use crate::platform::{Platform, clock};

/// Runs the platform.
///
/// # Errors
/// Whatever keeps it from starting.
pub(crate) async fn run(config: &Config) -> Result<ExitCode, Error> {
    let options = Options {
        config: config.clone(),
        clock: clock(),
        ids: Ids::random(),
        drive: Drive::Itself,
        free_ports: config.listen.port() == 0,
        databases: BTreeMap::new(),
    };
    let platform = Platform::start(&options).await?;
    print!("{}", platform.addresses());
    println!("data          {}", config.data.display());
    lifecycle::signal().await;
    platform.stop().await;
    Ok(ExitCode::SUCCESS)
}
