//! Granting posts under the cap, waves, and posts that come back (P01, P03, A19).

use conum_kernel::{ApplicationId, Error, PostId, WaveId, policy::Dated};
use conum_service::{Call, Failure, Tx};
use futures::future::BoxFuture;
use jiff::civil::Date;

use super::{record, settings, store, store_with_cap};
use crate::{
    domain::{
        Programme, Settings,
        grants::{self, Selection},
        policies::CAP,
        releases, waves as wave_rules,
    },
    storage::{
        applications::{self, Stored},
        programme,
        waves::{self, Stored as StoredWave},
    },
};

/// Opens a wave.
///
/// # Errors
/// Those of the domain's `open`.
pub async fn open_wave(tx: &Tx, call: &Call, committee_date: Option<Date>) -> Result<StoredWave, Failure> {
    let number = waves::next_number(tx).await?;
    let outcome = wave_rules::open(call.mint("wave"), number, committee_date)?;
    let stored = waves::insert(tx, outcome.state).await?;
    record(tx, call, &stored.wave.id.name(), &outcome.facts, outcome.events, outcome.mails).await?;
    Ok(stored)
}

/// Activates a wave, once (P03).
///
/// # Errors
/// Those of the domain's `activate`.
pub async fn activate_wave(tx: &Tx, call: &Call, id: WaveId) -> Result<StoredWave, Failure> {
    let before = waves::lock(tx, id).await?;
    let applications = applications::lock_of_wave(tx, id).await?;
    let served = applications.iter().map(|stored| &stored.application);
    let outcome = wave_rules::activate(before.wave.clone(), served, call.moment)?;
    let stored = waves::update(tx, before, outcome.state).await?;
    record(tx, call, &id.name(), &outcome.facts, outcome.events, outcome.mails).await?;
    Ok(stored)
}

/// Refuses a cap below what is granted (P01).
#[must_use]
pub fn guard_cap<'t>(tx: &'t Tx, _: &'t Call, key: &'t str, value: &'t Dated) -> BoxFuture<'t, Result<(), Failure>> {
    Box::pin(async move {
        if key == CAP.key {
            let cap = value.value.parse().map_err(Error::internal)?;
            programme::hold(tx).await?;
            programme::find(tx, 0).await?.with_cap(cap)?;
        }
        Ok(())
    })
}

/// Posts to be granted.
#[derive(Clone, Debug)]
pub struct Grant {
    pub application: ApplicationId,
    pub wave: WaveId,
    pub selection: Selection,
    /// The etag that the caller has seen, or "".
    pub etag: String,
}

/// Locks the programme's row, then reads the settings: whoever changes the cap meanwhile comes before or after.
///
/// # Errors
/// The database's.
pub(super) async fn under_cap(tx: &Tx, call: &Call) -> Result<(Settings, Programme), Failure> {
    programme::hold(tx).await?;
    let settings = settings(tx, call).await?;
    let programme = programme::find(tx, settings.cap).await?;
    Ok((settings, programme))
}

/// Grants posts in a wave, under the cap (P01): two grants at the same moment come one after the other.
///
/// # Errors
/// Those of the domain's `grant`.
pub async fn grant(tx: &Tx, call: &Call, command: &Grant) -> Result<Stored, Failure> {
    let (settings, programme) = under_cap(tx, call).await?;
    let wave = waves::lock(tx, command.wave).await?.wave;
    let before = applications::lock(tx, command.application).await?;
    conum_service::wire::fresh(&command.application.name(), &command.etag, before.version)?;
    let application = before.application.clone();
    let outcome = grants::grant(application, programme, &wave, &command.selection, &settings, call.moment)?;
    store_with_cap(tx, call, Some(before), outcome).await
}

/// matching has released a post: it returns to the cap.
///
/// # Errors
/// Those of the domain's `released`.
pub async fn released(tx: &Tx, call: &Call, application: ApplicationId, post: PostId) -> Result<(), Failure> {
    let (_, programme) = under_cap(tx, call).await?;
    let before = applications::lock(tx, application).await?;
    let outcome = releases::released(before.application.clone(), programme, post)?;
    store_with_cap(tx, call, Some(before), outcome).await?;
    Ok(())
}

/// matching has refused to release a post: a contract is signed on it.
///
/// # Errors
/// Those of the domain's `release_refused`.
pub async fn release_refused(tx: &Tx, call: &Call, application: ApplicationId, post: PostId) -> Result<(), Failure> {
    // Events that come together may release another post next: the programme's row is always locked first.
    programme::hold(tx).await?;
    let before = applications::lock(tx, application).await?;
    let outcome = releases::release_refused(before.application.clone(), post)?;
    store(tx, call, before, outcome).await?;
    Ok(())
}
