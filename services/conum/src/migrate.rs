//! `migrate`: brings the tables of every service's database up to date, and nothing else.

use std::process::ExitCode;

use conum_kernel::Error;
use conum_service::{Store, config::Config};

use crate::platform::SERVICES;

/// Migrates.
///
/// # Errors
/// Internal where a migration fails.
pub(crate) async fn run(config: &Config) -> Result<ExitCode, Error> {
    std::fs::create_dir_all(&config.data).map_err(Error::internal)?;
    for service in SERVICES {
        Store::migrate(&config.database_url(service.name), service.tables).await?;
        println!("{:<13} up to date", service.name);
    }
    Ok(ExitCode::SUCCESS)
}
