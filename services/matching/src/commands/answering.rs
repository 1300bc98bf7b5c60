//! Answers to introductions, and their other ends (M03).

use conum_kernel::{Fact, IntroductionId, Machine as _, Rule};
use conum_proto::events::v1::{IntroductionAnswered, IntroductionClosed, IntroductionReminded, event::Payload};
use conum_service::{Call, Failure, Tx, history, sql::Script, wire};

use super::{
    serving::{self, Freed},
    tell, told,
};
use crate::{
    domain::{
        introduction::{self, Action, CloseReason},
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
    structures::lock_of(tx, id).await?;
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
    let mut script = Script::default();
    history::add(&mut script, call, &introduction.id.name(), &[fact]);
    told(&mut script, call, &introduction.id.name(), answered(&introduction, true));
    script.run(tx).await?;
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
    let told = answered(&introduction, false);
    let mut freed = Freed::default();
    end(tx, call, &mut introduction, fact, told, &mut freed).await?;
    serving::serve(tx, call, settings, freed).await?;
    Ok(introduction)
}

fn answered(introduction: &Introduction, interested: bool) -> Payload {
    Payload::IntroductionAnswered(IntroductionAnswered {
        introduction: introduction.id.name(),
        structure: introduction.structure.name(),
        application: introduction.application.name(),
        candidate: introduction.candidate.name(),
        interested,
    })
}

/// Expires an introduction whose silence has lasted too long. Whoever expires it serves what is freed afterwards.
///
/// # Errors
/// The database's.
pub async fn expire(tx: &Tx, call: &Call, mut introduction: Introduction, freed: &mut Freed) -> Result<(), Failure> {
    let (state, fact) = introduction.state.step(Action::Expire, "")?;
    introduction.state = state;
    let told = closed(&introduction, "expired");
    end(tx, call, &mut introduction, fact, told, freed).await
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
    history::append(tx, call, &name, &[Fact::noted("REMIND", introduction.state.name(), "").under(Rule("M03"))])
        .await?;
    let payload = IntroductionReminded {
        introduction: name.clone(),
        structure: introduction.structure.name(),
        application: introduction.application.name(),
        candidate: introduction.candidate.name(),
        expires_at: Some(wire::from_timestamp(introduction.expires_at)),
    };
    tell(tx, call, &name, Payload::IntroductionReminded(payload)).await
}

/// Closes a live introduction. Whoever closes it serves what is freed afterwards.
///
/// # Errors
/// The database's.
pub async fn close(
    tx: &Tx,
    call: &Call,
    mut introduction: Introduction,
    reason: CloseReason,
    freed: &mut Freed,
) -> Result<(), Failure> {
    let (state, fact) = introduction.state.step(Action::Close, reason.text())?;
    introduction.state = state;
    introduction.close_reason = Some(reason);
    let told = closed(&introduction, reason.text());
    end(tx, call, &mut introduction, fact, told, freed).await
}

fn closed(introduction: &Introduction, reason: &str) -> Payload {
    Payload::IntroductionClosed(IntroductionClosed {
        introduction: introduction.id.name(),
        structure: introduction.structure.name(),
        application: introduction.application.name(),
        candidate: introduction.candidate.name(),
        reason: reason.into(),
    })
}

/// Writes the end of an introduction, which frees the places that it held, and tells of it.
async fn end(
    tx: &Tx,
    call: &Call,
    introduction: &mut Introduction,
    fact: Fact,
    payload: Payload,
    freed: &mut Freed,
) -> Result<(), Failure> {
    debug_assert!(!introduction.state.is_live());
    freed.introduction(introduction);
    introduction.ended_at = Some(call.moment.now);
    introduction.remind_at = None;
    candidates::hold(tx, introduction.candidate).await?;
    introductions::update(tx, introduction).await?;
    introduction.version += 1;
    let name = introduction.id.name();
    let mut script = Script::default();
    history::add(&mut script, call, &name, &[fact]);
    told(&mut script, call, &name, payload);
    Ok(script.run(tx).await?)
}
