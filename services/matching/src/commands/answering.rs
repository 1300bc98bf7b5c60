//! Answers to introductions, and their other ends (M03).

use conum_kernel::{Fact, IntroductionId, Machine as _};
use conum_proto::events::v1::{IntroductionAnswered, IntroductionClosed, IntroductionReminded, event::Payload};
use conum_service::{Call, Failure, Tx, history, wire};

use super::{serving, tell};
use crate::{
    domain::{
        introduction::{self, Action, CloseReason, State},
        policies::Settings,
    },
    storage::{
        candidates,
        introductions::{self, Introduction},
        structures,
    },
};

/// Reads an introduction under its structure's lock.
///
/// # Errors
/// Not found.
pub async fn lock(tx: &Tx, id: IntroductionId) -> Result<Introduction, Failure> {
    let unknown = || conum_kernel::Error::not_found(&id.name());
    let seen = introductions::find(tx, id).await?.ok_or_else(unknown)?;
    structures::lock(tx, seen.structure).await?;
    introductions::find(tx, id).await?.ok_or_else(|| unknown().into())
}

/// Notes that the structure is interested.
///
/// # Errors
/// Those of the domain's `accept`.
pub async fn accept(tx: &Tx, call: &Call, mut introduction: Introduction) -> Result<Introduction, Failure> {
    let (state, Some(fact)) = introduction::accept(introduction.state)? else { return Ok(introduction) };
    introduction.state = state;
    introductions::update(tx, &introduction).await?;
    introduction.version += 1;
    history::append(tx, call, &introduction.id.name(), &[fact]).await?;
    answered(tx, call, &introduction, true).await?;
    Ok(introduction)
}

/// Declines, and brings the next candidate in the same transaction. `reason` is a listed one.
///
/// # Errors
/// Those of the domain's `decline`.
pub async fn decline(
    tx: &Tx,
    call: &Call,
    settings: &Settings,
    mut introduction: Introduction,
    reason: &str,
) -> Result<Introduction, Failure> {
    let (state, Some(fact)) = introduction::decline(introduction.state, reason)? else { return Ok(introduction) };
    introduction.state = state;
    end(tx, call, &mut introduction, fact).await?;
    answered(tx, call, &introduction, false).await?;
    replace(tx, call, settings, &introduction).await?;
    Ok(introduction)
}

async fn answered(tx: &Tx, call: &Call, introduction: &Introduction, interested: bool) -> Result<(), Failure> {
    let payload = IntroductionAnswered {
        introduction: introduction.id.name(),
        structure: introduction.structure.name(),
        application: introduction.application.name(),
        candidate: introduction.candidate.name(),
        interested,
    };
    tell(tx, call, &introduction.id.name(), Payload::IntroductionAnswered(payload)).await
}

/// Expires an introduction whose silence has lasted too long, and brings the next candidate.
///
/// # Errors
/// The database's.
pub async fn expire(tx: &Tx, call: &Call, settings: &Settings, mut introduction: Introduction) -> Result<(), Failure> {
    let (state, fact) = introduction.state.step(Action::Expire, "")?;
    introduction.state = state;
    end(tx, call, &mut introduction, fact).await?;
    closed(tx, call, &introduction, "expired").await?;
    replace(tx, call, settings, &introduction).await
}

/// Reminds the structure of an introduction.
///
/// # Errors
/// The database's.
pub async fn remind(tx: &Tx, call: &Call, mut introduction: Introduction) -> Result<(), Failure> {
    introduction.remind_at = None;
    introduction.reminded_at = Some(call.moment.now);
    introductions::update(tx, &introduction).await?;
    let name = introduction.id.name();
    history::append(tx, call, &name, &[Fact::noted("REMIND", introduction.state.name(), "")]).await?;
    let payload = IntroductionReminded {
        introduction: name.clone(),
        structure: introduction.structure.name(),
        application: introduction.application.name(),
        candidate: introduction.candidate.name(),
        expires_at: Some(wire::from_timestamp(introduction.expires_at)),
    };
    tell(tx, call, &name, Payload::IntroductionReminded(payload)).await
}

/// Closes a live introduction. Whoever closes it serves the structure and the candidate afterwards.
///
/// # Errors
/// The database's.
pub async fn close(tx: &Tx, call: &Call, mut introduction: Introduction, reason: CloseReason) -> Result<(), Failure> {
    let (state, fact) = introduction.state.step(Action::Close, reason.text())?;
    introduction.state = state;
    introduction.close_reason = Some(reason);
    end(tx, call, &mut introduction, fact).await?;
    closed(tx, call, &introduction, reason.text()).await
}

async fn closed(tx: &Tx, call: &Call, introduction: &Introduction, reason: &str) -> Result<(), Failure> {
    let payload = IntroductionClosed {
        introduction: introduction.id.name(),
        structure: introduction.structure.name(),
        application: introduction.application.name(),
        candidate: introduction.candidate.name(),
        reason: reason.into(),
    };
    tell(tx, call, &introduction.id.name(), Payload::IntroductionClosed(payload)).await
}

/// Writes the end of an introduction and frees the places that it held.
async fn end(tx: &Tx, call: &Call, introduction: &mut Introduction, fact: Fact) -> Result<(), Failure> {
    debug_assert!(!introduction.state.is_live());
    introduction.ended_at = Some(call.moment.now);
    introduction.remind_at = None;
    introductions::update(tx, introduction).await?;
    introduction.version += 1;
    candidates::free_place(tx, introduction.candidate).await?;
    history::append(tx, call, &introduction.id.name(), &[fact]).await
}

/// The place is free: the next candidate comes, and the person who was there goes to whoever waits.
async fn replace(tx: &Tx, call: &Call, settings: &Settings, ended: &Introduction) -> Result<(), Failure> {
    debug_assert_ne!(ended.state, State::Proposed);
    serving::structure(tx, call, settings, ended.structure, Some(ended.id)).await?;
    serving::candidate(tx, call, settings, ended.candidate).await
}
