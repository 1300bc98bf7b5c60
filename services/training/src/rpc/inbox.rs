//! What training does when the others tell something. Its read models are filled here and nowhere else.

use conum_kernel::{ApplicationId, CandidateId, RecruitmentId, Result, StructureId, parse_post_name};
use conum_proto::events::v1::{CandidateFacts, Event, PostsGranted, event::Payload};
use conum_service::{
    Call, Failure, Tx,
    events::{Applied, Subscriber},
    wire,
};
use futures::future::BoxFuture;

use crate::{
    commands::{
        opening::{self, Selected},
        people,
    },
    domain::beside::Sector,
    storage::{
        grants::{self, Grant},
        people as people_store,
    },
};

/// training's reaction to events.
#[derive(Debug)]
pub struct Reactions;

impl Subscriber for Reactions {
    fn apply<'t>(&'t self, tx: &'t Tx, call: &'t Call, event: &'t Event) -> BoxFuture<'t, Result<Applied, Failure>> {
        Box::pin(async move {
            match &event.payload {
                Some(payload) => apply(tx, call, payload).await,
                None => Ok(Applied::Done),
            }
        })
    }
}

async fn apply(tx: &Tx, call: &Call, payload: &Payload) -> Result<Applied, Failure> {
    let recruitment = |name: &str| RecruitmentId::parse_name("recruitment", name);
    let candidate = |name: &str| CandidateId::parse_name("candidate", name);
    match payload {
        Payload::PostsGranted(event) => granted(tx, event).await?,
        Payload::CandidateRegistered(event) => person(tx, &event.candidate, event.facts.as_ref()).await?,
        Payload::CandidateChanged(event) => person(tx, &event.candidate, event.facts.as_ref()).await?,
        Payload::CandidateMerged(event) => {
            let merged = CandidateId::parse_name("merged", &event.merged)?;
            return people::merged(tx, call, candidate(&event.candidate)?, merged).await;
        }
        Payload::CandidateErased(event) => people::erased(tx, call, candidate(&event.candidate)?).await?,
        Payload::CandidateSelected(event) => {
            let parties = (&*event.structure, &*event.post);
            let selected = selected(&event.recruitment, &event.candidate, parties)?;
            return opening::open(tx, call, selected).await;
        }
        Payload::SelectionCancelled(event) => {
            opening::cancelled(tx, call, recruitment(&event.recruitment)?).await?;
        }
        Payload::ContractSigned(event) => {
            let parties = (&*event.structure, &*event.post);
            let selected = selected(&event.recruitment, &event.candidate, parties)?;
            let start = wire::required_date("start_date", event.start_date.as_ref())?;
            return opening::signed(tx, call, selected, start).await;
        }
        Payload::ContractEnded(event) => {
            let last_day = wire::required_date("last_day", event.last_day.as_ref())?;
            opening::ended(tx, call, recruitment(&event.recruitment)?, last_day).await?;
        }
        _ => {}
    }
    Ok(Applied::Done)
}

/// The ids of a selection. `parties` are its structure and its post.
fn selected(recruitment: &str, candidate: &str, parties: (&str, &str)) -> Result<Selected> {
    let (application, post) = parse_post_name("post", parties.1)?;
    Ok(Selected {
        recruitment: RecruitmentId::parse_name("recruitment", recruitment)?,
        candidate: CandidateId::parse_name("candidate", candidate)?,
        structure: StructureId::parse_name("structure", parties.0)?,
        application,
        post,
    })
}

async fn granted(tx: &Tx, event: &PostsGranted) -> Result<(), Failure> {
    // A record of the past that is not complete is told again before anybody is selected on it.
    let Some(sector) = Sector::parse(&event.structure_kind).filter(|_| !event.department.is_empty()) else {
        return Ok(());
    };
    let grant = Grant {
        application: ApplicationId::parse_name("application", &event.application)?,
        structure: StructureId::parse_name("structure", &event.structure)?,
        sector,
        department: event.department.clone(),
        commune: event.commune.clone(),
    };
    grants::upsert(tx, &grant).await
}

async fn person(tx: &Tx, name: &str, facts: Option<&CandidateFacts>) -> Result<(), Failure> {
    let facts = facts.ok_or_else(|| wire::required("facts"))?;
    let id = CandidateId::parse_name("candidate", name)?;
    people_store::upsert(tx, id, &facts.department, &facts.commune).await
}
