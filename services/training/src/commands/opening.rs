//! How trainings begin and stop, as matching tells it (M06, M07, M08).

use conum_kernel::{ApplicationId, CandidateId, PostId, RecruitmentId, StructureId};
use conum_service::{Call, Failure, Tx, events::Applied};
use jiff::civil::Date;

use super::{Before, carry_out, lock};
use crate::{
    domain::{
        Decision, Training, credit,
        opening::{self, Selection},
        training::StopReason,
    },
    storage::{grants, organisations, people, trainings},
};

/// Who was selected, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Selected {
    pub recruitment: RecruitmentId,
    pub candidate: CandidateId,
    pub structure: StructureId,
    pub application: ApplicationId,
    pub post: PostId,
}

/// Opens the training of a selection, once the person and the grant are known. What was opened already stays as it is.
///
/// # Errors
/// The database's.
pub async fn open(tx: &Tx, call: &Call, selected: Selected) -> Result<Applied, Failure> {
    let Some(person) = people::lock_survivor(tx, selected.candidate).await? else {
        return Ok(Applied::WaitsFor(selected.candidate.name()));
    };
    let Some(grant) = grants::find(tx, selected.application).await? else {
        return Ok(Applied::WaitsFor(selected.application.name()));
    };
    if trainings::of_recruitment(tx, selected.recruitment).await?.is_some() {
        return Ok(Applied::Done);
    }
    let credit = credit::from(&trainings::of_candidate(tx, person.id).await?);
    let organisations = organisations::in_department(tx, &grant.department, call.moment.today).await?;
    let selection = Selection {
        recruitment: selected.recruitment,
        candidate: person.id,
        structure: selected.structure,
        application: selected.application,
        post: selected.post,
        department: grant.department,
        commune: grant.commune,
        sector: grant.sector,
    };
    let decision = opening::open(call.mint("training"), selection, credit, &organisations, call.moment)?;
    carry_out(tx, call, Before::default(), decision).await?;
    Ok(Applied::Done)
}

/// Stops the training of a selection that was cancelled.
///
/// # Errors
/// The database's.
pub async fn cancelled(tx: &Tx, call: &Call, recruitment: RecruitmentId) -> Result<(), Failure> {
    decide(tx, call, recruitment, |training| opening::stop(training, StopReason::SelectionCancelled, call.moment)).await
}

/// Notes the start in post. A selection that was told before anybody listened is opened by its contract.
///
/// # Errors
/// The database's.
pub async fn signed(tx: &Tx, call: &Call, selected: Selected, start: Date) -> Result<Applied, Failure> {
    if let waits @ Applied::WaitsFor(_) = open(tx, call, selected).await? {
        return Ok(waits);
    }
    decide(tx, call, selected.recruitment, |training| Ok(opening::contract_signed(training, start))).await?;
    Ok(Applied::Done)
}

/// Notes the end of a contract, and stops a training that runs.
///
/// # Errors
/// The database's.
pub async fn ended(tx: &Tx, call: &Call, recruitment: RecruitmentId, last_day: Date) -> Result<(), Failure> {
    decide(tx, call, recruitment, |training| opening::contract_ended(training, last_day, call.moment)).await
}

/// Decides on the training of a recruitment, if there is one.
async fn decide(
    tx: &Tx,
    call: &Call,
    recruitment: RecruitmentId,
    decide: impl FnOnce(Training) -> conum_kernel::Result<Decision> + Send,
) -> Result<(), Failure> {
    let Some(id) = trainings::of_recruitment(tx, recruitment).await? else {
        tracing::warn!(recruitment = recruitment.name(), "an event speaks of a selection that was never told");
        return Ok(());
    };
    let stored = lock(tx, id).await?;
    let before = Before::from(&stored);
    carry_out(tx, call, before, decide(stored.training)?).await?;
    Ok(())
}
