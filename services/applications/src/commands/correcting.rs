//! Correcting applications, and completing records of the past (A04).

use conum_service::{Call, Failure, Scope, Tx};

use super::{
    applying::{number, token},
    desk, settings, store,
};
use crate::{
    domain::{
        Application, Settings, Wave,
        changes::{Change, Corrected, Inputs},
        completion, corrections,
        form::Field,
    },
    storage::{
        applications::{self, Stored},
        structures, versions, waves,
    },
};

/// Corrects an application, or completes a record of the past.
///
/// # Errors
/// Those of the domain's `correct` and `complete`.
pub async fn correct(tx: &Tx, call: &Call, before: Stored, change: &Change) -> Result<Stored, Failure> {
    let settings = settings(tx, call).await?;
    let inputs = inputs(tx, call, &before.application, change, &settings).await?;
    let application = before.application.clone();
    // What is known of the past is the agency's to fill in; its structure asks for corrections.
    let corrected = if application.is_imported() && call.scope == Scope::Any {
        completion::complete(application, change, &inputs, &settings, call.moment)?
    } else {
        corrections::correct(application, change, &inputs, &settings, call.moment)?
    };
    keep(tx, call, before, corrected).await
}

/// Asks for a correction after the first opinion.
///
/// # Errors
/// Those of the domain's `request`.
pub async fn request(tx: &Tx, call: &Call, before: Stored, change: Change) -> Result<Stored, Failure> {
    let settings = settings(tx, call).await?;
    let inputs = inputs(tx, call, &before.application, &change, &settings).await?;
    let outcome = corrections::request(before.application.clone(), change, &inputs, &settings, call.moment)?;
    store(tx, call, before, outcome).await
}

/// Accepts or refuses a correction.
///
/// # Errors
/// Those of the domain's `decide`.
pub async fn decide(tx: &Tx, call: &Call, before: Stored, answer: &corrections::Answer) -> Result<Stored, Failure> {
    let settings = settings(tx, call).await?;
    let application = before.application.clone();
    let asked = application.corrections.iter().find(|correction| correction.number == answer.correction);
    let change = asked.map_or_else(nothing, |correction| correction.change.clone());
    let inputs = inputs(tx, call, &application, &change, &settings).await?;
    let corrected = corrections::decide(application, answer, &inputs, &settings, call.moment)?;
    keep(tx, call, before, corrected).await
}

fn nothing() -> Change {
    Change { form: crate::domain::form::Form::default(), posts: Vec::new(), fields: Vec::new() }
}

/// Stores a correction with the version that it replaces.
async fn keep(tx: &Tx, call: &Call, before: Stored, corrected: Corrected) -> Result<Stored, Failure> {
    if let Some(version) = &corrected.replaced {
        versions::insert(tx, version).await?;
    }
    store(tx, call, before, corrected.outcome).await
}

/// What a change needs beside what it says: the structure of the number that it proposes, and who else holds it (A05).
async fn inputs(
    tx: &Tx,
    call: &Call,
    application: &Application,
    change: &Change,
    settings: &Settings,
) -> Result<Inputs, Failure> {
    let (mut structure, mut active) = (application.structure, None);
    let proposed = number(&change.form).filter(|_| change.fields.contains(&Field::Profile));
    if let Some(number) = proposed
        && application.form.profile.registration_number.as_ref() != Some(&number)
    {
        // Who was granted posts keeps its structure: the number is given to no other one.
        if !application.was_ever_granted() {
            structure = structures::of_number(tx, call, &number).await?;
        }
        active = applications::active_of(tx, &number).await?.filter(|other| *other != application.id);
    }
    let desk = desk(tx, call, settings).await?;
    let waves = if application.is_imported() { waves_of(tx, application).await? } else { Vec::new() };
    Ok(Inputs { actor: call.actor().to_owned(), structure, active, token: token(call), desk, waves })
}

/// The waves of an application's posts, read under its lock: whoever activates one of them waits for it, or came first.
pub(super) async fn waves_of(tx: &Tx, application: &Application) -> Result<Vec<Wave>, Failure> {
    let mut ids: Vec<_> = application.posts.iter().filter_map(|post| post.wave).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(waves::find(tx, id).await?.map(|stored| stored.wave));
    }
    Ok(found)
}
