//! What finance does when the others tell something. Events of different aggregates come in any order: what names
//! something that is not known yet waits for it.

use conum_kernel::{
    ApplicationId, CandidateId, ConventionId, PostId, RecruitmentId, StructureId, WaveId, clock::paris_date,
    parse_post_name,
};
use conum_proto::events::v1::{ContractEnded, ContractSigned, Event, PostReleased, PostsGranted, event::Payload};
use conum_service::{
    Call, Failure, Tx,
    events::{Applied, Subscriber},
    wire,
};
use futures::future::BoxFuture;
use jiff::civil::Date;

use crate::{
    commands::{decide, granting},
    domain::{
        advance,
        amounts::Kind,
        contracts::{self, Signed},
        convention::Convention,
        endings,
        signing::Grant,
    },
    storage::conventions,
};

/// finance's reaction to events.
#[derive(Debug)]
pub struct Reactions;

impl Subscriber for Reactions {
    fn apply<'t>(&'t self, tx: &'t Tx, call: &'t Call, event: &'t Event) -> BoxFuture<'t, Result<Applied, Failure>> {
        Box::pin(async move {
            match &event.payload {
                Some(Payload::PostsGranted(granted)) => {
                    let told_on = event.time.as_ref().map(|at| wire::timestamp("time", at)).transpose()?;
                    posts_granted(tx, call, granted, told_on.map_or(call.moment.today, paris_date)).await
                }
                Some(Payload::DossierCompleted(completed)) => documents(tx, call, &completed.application, true).await,
                Some(Payload::DossierReopened(reopened)) => documents(tx, call, &reopened.application, false).await,
                Some(Payload::PostReleased(released)) => post_released(tx, call, released).await,
                Some(Payload::ContractSigned(signed)) => contract_signed(tx, call, signed).await,
                Some(Payload::ContractEnded(ended)) => contract_ended(tx, call, ended).await,
                _ => Ok(Applied::Done),
            }
        })
    }
}

async fn posts_granted(tx: &Tx, call: &Call, event: &PostsGranted, granted_on: Date) -> Result<Applied, Failure> {
    let application = ApplicationId::parse_name("application", &event.application)?;
    let wave = WaveId::parse_name("wave", &event.wave)?;
    let (mut posts, mut coordinators) = (Vec::new(), Vec::new());
    for granted in &event.posts {
        let (_, post) = parse_post_name("post", &granted.post)?;
        posts.push(post);
        if granted.coordinator {
            coordinators.push(post);
        }
    }
    if let Some(id) = conventions::of_application(tx, application).await?
        && let Some(known) = conventions::find(tx, id).await?
    {
        // Granted afresh in another wave: that it was given back before is on its way.
        let held = |id: &&PostId| known.post(**id).is_some_and(|post| post.wave != wave && !post.given_back);
        if let Some(post) = posts.iter().find(held) {
            return Ok(Applied::WaitsFor(conum_kernel::post_name(application, *post)));
        }
    }
    let grant = Grant {
        structure: StructureId::parse_name("structure", &event.structure)?,
        application,
        department: event.department.clone(),
        kind: Kind::parse(&event.structure_kind),
        ready: event.ready,
        wave,
        posts,
        coordinators,
        granted_on,
    };
    granting::grant(tx, call, &grant).await?;
    Ok(Applied::Done)
}

/// The convention of a post, once it is known to hold the post; what to wait for otherwise.
async fn holding(tx: &Tx, name: &str) -> Result<Result<(ConventionId, PostId), Applied>, Failure> {
    let (application, post) = parse_post_name("post", name)?;
    let id = conventions::of_application(tx, application).await?;
    if let Some(id) = id
        && conventions::find(tx, id).await?.is_some_and(|convention| convention.post(post).is_some())
    {
        return Ok(Ok((id, post)));
    }
    Ok(Err(Applied::WaitsFor(application.name())))
}

/// Whether every supporting document is validated (A12).
async fn documents(tx: &Tx, call: &Call, application: &str, complete: bool) -> Result<Applied, Failure> {
    let application = ApplicationId::parse_name("application", application)?;
    let Some(id) = conventions::of_application(tx, application).await? else {
        return Ok(Applied::WaitsFor(application.name()));
    };
    decide(tx, call, id, |convention, context| advance::on(Convention { documents: complete, ..convention }, context))
        .await?;
    Ok(Applied::Done)
}

async fn post_released(tx: &Tx, call: &Call, event: &PostReleased) -> Result<Applied, Failure> {
    let (id, post) = match holding(tx, &event.post).await? {
        Ok(found) => found,
        Err(waits) => return Ok(waits),
    };
    decide(tx, call, id, |convention, context| endings::give_back(convention, post, context)).await?;
    Ok(Applied::Done)
}

async fn contract_signed(tx: &Tx, call: &Call, event: &ContractSigned) -> Result<Applied, Failure> {
    let (id, post) = match holding(tx, &event.post).await? {
        Ok(found) => found,
        Err(waits) => return Ok(waits),
    };
    let contract = Signed {
        post,
        recruitment: RecruitmentId::parse_name("recruitment", &event.recruitment)?,
        candidate: CandidateId::parse_name("candidate", &event.candidate)?,
        signed_on: wire::required_date("signed_on", event.signed_on.as_ref())?,
        start: wire::required_date("start_date", event.start_date.as_ref())?,
    };
    decide(tx, call, id, |convention, context| contracts::signed(convention, contract, context)).await?;
    Ok(Applied::Done)
}

async fn contract_ended(tx: &Tx, call: &Call, event: &ContractEnded) -> Result<Applied, Failure> {
    let (id, post) = match holding(tx, &event.post).await? {
        Ok(found) => found,
        Err(waits) => return Ok(waits),
    };
    let recruitment = RecruitmentId::parse_name("recruitment", &event.recruitment)?;
    let last_day = wire::required_date("last_day", event.last_day.as_ref())?;
    let end = (last_day, event.reason.as_str());
    decide(tx, call, id, |convention, context| contracts::ended(convention, post, recruitment, end, context)).await?;
    Ok(Applied::Done)
}
