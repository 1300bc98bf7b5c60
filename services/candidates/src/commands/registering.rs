//! Registering and correcting: what they need is looked up here (C02, C08).

use std::collections::HashMap;

use conum_kernel::{Error, parse_post_name};
use conum_proto::candidates::v1::CreateCandidateRequest;
use conum_service::{
    Call, Failure, Tx,
    requests::{self, Earlier, Record as _},
    sql::Script,
};
use uuid::Uuid;

use super::{carry_out, settings, write};
use crate::{
    domain::{
        Decision, Lookups, Register, Settings,
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
    let settings = settings(tx, call).await?;
    let decision = decide(tx, call, &settings, command).await?;
    carry_out(tx, call, 0, decision).await
}

async fn decide(tx: &Tx, call: &Call, settings: &Settings, command: Register) -> Result<Decision, Failure> {
    let found = storage::doubles::find(tx, None, &command.keys()).await?;
    let lookups = lookups(tx, command.situation.as_ref(), found).await?;
    Ok(registration::register(call.mint("candidate"), command, &lookups, settings, call.moment)?)
}

/// A line of an import: the request that it would be alone, for it may come that way as well, and what it asks.
#[derive(Clone, Debug)]
pub struct Line {
    pub request: CreateCandidateRequest,
    pub asked: Result<Register, Error>,
}

/// What became of a line: the registration, or why it was refused.
pub type Imported = Result<Stored, Error>;

/// Registers the people of a batch, one after the other: a line that is refused writes nothing and stops no other; one
/// that was registered before is answered as it stands.
///
/// # Errors
/// The database's: then the whole batch has not happened.
pub async fn import(tx: &Tx, call: &Call, batch: &[Line]) -> Result<Vec<Imported>, Failure> {
    let settings = settings(tx, call).await?;
    let ids: Vec<_> = batch.iter().filter_map(|line| Uuid::try_parse(&line.request.request_id).ok()).collect();
    let earlier = requests::earlier(tx, call, &ids).await?;
    let mut all = Vec::with_capacity(batch.len());
    for line in batch {
        let outcome = match call.part("request_id", &line.request.request_id) {
            Ok(call) => register_line(tx, &call, &settings, line, &earlier).await,
            Err(error) => Err(error.into()),
        };
        all.push(match outcome {
            Ok(stored) => Ok(stored),
            Err(Failure::Refused(error)) => Err(error),
            Err(failure) => return Err(failure),
        });
    }
    Ok(all)
}

async fn register_line(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    line: &Line,
    earlier: &HashMap<Uuid, Earlier>,
) -> Result<Stored, Failure> {
    if let Some(earlier) = call.request_id.and_then(|id| earlier.get(&id)) {
        return Stored::load(tx, earlier.of(&line.request)?).await;
    }
    let decision = decide(tx, call, settings, line.asked.clone()?).await?;
    let mut script = Script::default();
    let stored = write(&mut script, call, 0, decision)?;
    requests::remember(&mut script, call, &line.request, &stored);
    script.run(tx).await?;
    Ok(stored)
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
