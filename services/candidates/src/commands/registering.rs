//! Registering and correcting: what they need is looked up here (C02, C08).

use conum_kernel::parse_post_name;
use conum_service::{Call, Failure, Tx};

use super::{carry_out, settings};
use crate::{
    domain::{
        Lookups, Register,
        correction::{self, Change},
        doubles::{self, Found},
        registration,
        situation::Declared,
    },
    storage::{self, candidates::Stored, derogations},
};

/// Registers somebody.
///
/// # Errors
/// Those of [`registration::register`].
pub async fn register(tx: &Tx, call: &Call, command: Register) -> Result<Stored, Failure> {
    let found = storage::doubles::find(tx, None, &command.keys()).await?;
    let lookups = lookups(tx, command.situation.as_ref(), found).await?;
    let settings = settings(tx, call).await?;
    let decision = registration::register(call.mint("candidate"), command, &lookups, &settings, call.moment)?;
    carry_out(tx, call, 0, decision).await
}

/// Corrects a locked registration.
///
/// # Errors
/// Those of [`correction::correct`].
pub async fn correct(tx: &Tx, call: &Call, stored: Stored, changes: Vec<Change>) -> Result<Stored, Failure> {
    let Stored { candidate, version } = stored;
    let keys = correction::keys_after(&candidate, &changes);
    let found = if keys == doubles::keys(&candidate) {
        Found::default()
    } else {
        storage::doubles::find(tx, Some(candidate.id), &keys).await?
    };
    let situation = changes.iter().find_map(|change| match change {
        Change::Situation(situation) => situation.as_ref(),
        _ => None,
    });
    let lookups = lookups(tx, situation, found).await?;
    let settings = settings(tx, call).await?;
    let decision = correction::correct(candidate, changes, &lookups, &settings, call.moment)?;
    carry_out(tx, call, version, decision).await
}

async fn lookups(tx: &Tx, situation: Option<&Declared>, found: Found) -> Result<Lookups, Failure> {
    let named = situation.map(|situation| situation.derogated_post.trim()).filter(|name| !name.is_empty());
    let derogation_granted = match named.map(|name| parse_post_name("derogated_post", name)) {
        Some(Ok((_, post))) => derogations::granted(tx, post).await?,
        // A name that is none is the domain's to refuse.
        _ => false,
    };
    Ok(Lookups { is_department: |code| conum_geo::department(code).is_some(), derogation_granted, found })
}
