//! `token`: an identity for development, signed with the key of a platform on this machine.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use conum_kernel::{Clock, Error};
use conum_proto::access::v1::Role;
use conum_service::{
    Caller,
    identity::{KeyPair, role_of},
    lifecycle::IDENTITY_KEY,
};

/// Whose token.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// structure, candidate, prefect, agency, operator or organisation; may be given several times.
    #[arg(long, required = true)]
    role: Vec<String>,
    /// A resource that is the caller's own: structures/…, candidates/…, departments/69; may be given several times.
    #[arg(long)]
    owns: Vec<String>,
    /// An id of the person.
    #[arg(long, default_value = "developer")]
    subject: String,
    /// How long it is valid.
    #[arg(long, default_value_t = 12)]
    hours: u32,
    /// The folder of the platform.
    #[arg(long, default_value = "data")]
    data: PathBuf,
}

/// Prints a token.
///
/// # Errors
/// Names the role that is none.
pub(crate) fn run(options: &Options) -> Result<ExitCode, Error> {
    let mut roles = Vec::new();
    for name in &options.role {
        let role = role_of(name).filter(|role| !matches!(role, Role::Service | Role::Link | Role::Public));
        let english = "the roles are structure, candidate, prefect, agency, operator and organisation";
        let french = "les rôles sont structure, candidate, prefect, agency, operator et organisation";
        roles.push(role.ok_or_else(|| Error::invalid("role", "UNKNOWN_VALUE", english, french))?);
    }
    if !options.data.join("keys").is_dir() {
        let folder = options.data.display();
        return Err(Error::precondition(
            "NO_PLATFORM",
            format!("{folder} holds no keys: start a platform there first, or name its folder with --data"),
            format!(
                "{folder} ne contient pas de clés : démarrez d'abord la plateforme, ou indiquez son dossier par --data"
            ),
        ));
    }
    let keys = KeyPair::open(&options.data.join("keys"), IDENTITY_KEY).map_err(Error::internal)?;
    let caller = Caller { subject: options.subject.clone(), roles, owned: options.owns.clone() };
    let signer = keys.signer(&Clock::system()).map_err(Error::internal)?;
    println!("{}", signer.sign(&caller, conum_gateway::NAME, i64::from(options.hours) * 3600)?);
    Ok(ExitCode::SUCCESS)
}
