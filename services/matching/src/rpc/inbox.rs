//! What matching does when the others tell something. Its read models are filled here and nowhere else.

use conum_kernel::{ApplicationId, CandidateId, PostId, RecruitmentId, WaveId, parse_post_name};
use conum_proto::events::v1::{
    Event, PostDateSettled, PostsGranted, TrainingCompleted, TrainingPlanned, WaveActivated, event::Payload,
};
use conum_service::{
    Call, Failure, Tx,
    events::{Applied, Subscriber},
    wire,
};
use futures::future::BoxFuture;

use super::convert;
use crate::{
    commands::{
        people, posts,
        serving::{self, Freed},
        settings,
    },
    domain::{policies::Settings, training::InitialTraining},
    storage::{
        candidates,
        structures::{self, Post},
        trainings,
    },
};

/// matching's reaction to events.
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
    let settings = settings(tx, call).await?;
    match payload {
        Payload::PostsGranted(event) => granted(tx, call, &settings, event).await,
        Payload::WaveActivated(event) => {
            let posts = match known_posts(tx, event).await? {
                Ok(posts) => posts,
                Err(waits) => return Ok(waits),
            };
            posts::activate(tx, call, &settings, &posts).await?;
            Ok(Applied::Done)
        }
        Payload::PostsReturned(event) => release(tx, call, &event.application, &event.posts).await,
        Payload::ApplicationWithdrawn(event) => release(tx, call, &event.application, &event.posts).await,
        Payload::PostDateSettled(event) => date_settled(tx, call, &settings, event).await,
        Payload::CandidateRegistered(event) => {
            let candidate = convert::candidate(&event.candidate, event.facts.as_ref())?;
            people::changed(tx, call, &settings, &candidate).await?;
            Ok(Applied::Done)
        }
        Payload::CandidateChanged(event) => {
            let candidate = convert::candidate(&event.candidate, event.facts.as_ref())?;
            people::changed(tx, call, &settings, &candidate).await?;
            Ok(Applied::Done)
        }
        Payload::CandidateMerged(event) => {
            let kept = CandidateId::parse_name("candidate", &event.candidate)?;
            let merged = CandidateId::parse_name("merged", &event.merged)?;
            for id in [kept, merged] {
                if candidates::lock(tx, id).await?.is_none() {
                    return Ok(Applied::WaitsFor(id.name()));
                }
            }
            people::merged(tx, call, &settings, kept, merged).await?;
            Ok(Applied::Done)
        }
        Payload::CandidateLeft(event) => {
            people::left(tx, call, &settings, CandidateId::parse_name("candidate", &event.candidate)?).await?;
            Ok(Applied::Done)
        }
        Payload::CandidateErased(event) => {
            people::erased(tx, call, &settings, CandidateId::parse_name("candidate", &event.candidate)?).await?;
            Ok(Applied::Done)
        }
        Payload::TrainingPlanned(event) => planned(tx, event).await,
        Payload::TrainingCompleted(event) => completed(tx, event).await,
        Payload::TrainingUnplanned(event) => no_days(tx, &event.recruitment).await,
        Payload::TrainingStopped(event) => no_days(tx, &event.recruitment).await,
        _ => Ok(Applied::Done),
    }
}

async fn granted(tx: &Tx, call: &Call, settings: &Settings, event: &PostsGranted) -> Result<Applied, Failure> {
    let structure = convert::structure(event)?;
    structures::upsert(tx, &structure, event.ready).await?;
    let wave = WaveId::parse_name("wave", &event.wave)?;
    for granted in &event.posts {
        let (application, id) = parse_post_name("post", &granted.post)?;
        let post = Post {
            id,
            application,
            structure: structure.id,
            wave,
            start_date: wire::required_date("start_date", granted.start_date.as_ref())?,
            coordinator: granted.coordinator,
            active: false,
            given_back: false,
            holder: None,
        };
        structures::add_post(tx, &post).await?;
    }
    // What is told again may make other people possible.
    let mut freed = Freed::default();
    freed.structure(structure.id);
    serving::serve(tx, call, settings, freed).await?;
    Ok(Applied::Done)
}

/// The posts of a wave, once all of them are known, and what is to be known of their structures.
async fn known_posts(tx: &Tx, event: &WaveActivated) -> Result<Result<Vec<PostId>, Applied>, Failure> {
    let mut posts = Vec::new();
    for application in &event.applications {
        for name in &application.posts {
            let (_, post) = parse_post_name("post", name)?;
            let is_ready = match structures::find_post(tx, post).await? {
                Some(post) => structures::find(tx, post.structure).await?.is_some_and(|known| known.ready),
                None => false,
            };
            if !is_ready {
                return Ok(Err(Applied::WaitsFor(application.application.clone())));
            }
            posts.push(post);
        }
    }
    Ok(Ok(posts))
}

async fn release(tx: &Tx, call: &Call, application: &str, names: &[String]) -> Result<Applied, Failure> {
    let application = ApplicationId::parse_name("application", application)?;
    let known = structures::posts_of_application(tx, application).await?;
    let mut posts = Vec::new();
    for name in names {
        let (_, id) = parse_post_name("post", name)?;
        let Some(post) = known.iter().find(|post| post.id == id) else {
            return Ok(Applied::WaitsFor(application.name()));
        };
        posts.push(post.clone());
    }
    let settings = settings(tx, call).await?;
    posts::release(tx, call, &settings, posts).await?;
    Ok(Applied::Done)
}

async fn date_settled(tx: &Tx, call: &Call, settings: &Settings, event: &PostDateSettled) -> Result<Applied, Failure> {
    let (application, post) = parse_post_name("post", &event.post)?;
    let day = wire::required_date("start_date", event.start_date.as_ref())?;
    let Some(found) = structures::find_post(tx, post).await? else {
        return Ok(Applied::WaitsFor(application.name()));
    };
    structures::lock(tx, found.structure).await?;
    structures::settle_date(tx, post, day).await?;
    // A later date makes more people possible.
    let mut freed = Freed::default();
    freed.structure(found.structure);
    serving::serve(tx, call, settings, freed).await?;
    Ok(Applied::Done)
}

/// A recruitment is matching's own: what training tells of one never comes before it.
async fn planned(tx: &Tx, event: &TrainingPlanned) -> Result<Applied, Failure> {
    let recruitment = RecruitmentId::parse_name("recruitment", &event.recruitment)?;
    let first_day = wire::date("starts_on", event.starts_on.as_ref())?;
    let last_day = wire::date("ends_on", event.ends_on.as_ref())?;
    match first_day.zip(last_day) {
        Some((first_day, last_day)) => {
            trainings::write(tx, recruitment, InitialTraining { first_day, last_day }).await?;
        }
        // All of it is continuing training.
        None => trainings::delete(tx, recruitment).await?,
    }
    Ok(Applied::Done)
}

/// No day of a training is known any more (M10).
async fn no_days(tx: &Tx, recruitment: &str) -> Result<Applied, Failure> {
    trainings::delete(tx, RecruitmentId::parse_name("recruitment", recruitment)?).await?;
    Ok(Applied::Done)
}

async fn completed(tx: &Tx, event: &TrainingCompleted) -> Result<Applied, Failure> {
    let recruitment = RecruitmentId::parse_name("recruitment", &event.recruitment)?;
    let on = wire::required_date("completed_on", event.completed_on.as_ref())?;
    if let Some(training) = trainings::find(tx, recruitment).await? {
        trainings::write(tx, recruitment, training.completed(on)).await?;
    }
    Ok(Applied::Done)
}
