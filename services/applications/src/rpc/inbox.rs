//! What applications does when the others tell something: posts come back to the cap, and structures are written to.

use conum_kernel::{ApplicationId, Error, Fact, IntroductionId, Machine as _, Rule, parse_post_name};
use conum_proto::events::v1::{ContractSigned, Event, event::Payload};
use conum_service::{
    Call, Failure, Tx,
    events::{Applied, Subscriber},
    history, wire,
};
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::told::{note, told};
use crate::{
    commands::{granting, queue},
    domain::{Mail, mails::Gone},
    storage::applications,
};

/// The reaction of applications to events.
#[derive(Debug)]
pub struct Reactions;

impl Subscriber for Reactions {
    fn apply<'t>(&'t self, tx: &'t Tx, call: &'t Call, event: &'t Event) -> BoxFuture<'t, Result<Applied, Failure>> {
        Box::pin(async move {
            if let Some(payload) = &event.payload {
                apply(tx, call, payload).await?;
            }
            Ok(Applied::Done)
        })
    }
}

async fn apply(tx: &Tx, call: &Call, payload: &Payload) -> Result<(), Failure> {
    match payload {
        Payload::PostReleased(event) => {
            let (application, post) = parse_post_name("post", &event.post)?;
            granting::released(tx, call, application, post).await
        }
        Payload::PostReleaseRefused(event) => {
            let (application, post) = parse_post_name("post", &event.post)?;
            granting::release_refused(tx, call, application, post).await
        }
        Payload::ContractSigned(event) => signed(tx, call, event).await,
        _ => {
            if let Some(mail) = mail(payload)? {
                queue(tx, call, &mail).await?;
            }
            match told(payload)? {
                Some(told) => note(tx, call, told).await,
                None => Ok(()),
            }
        }
    }
}

/// The mail that an event of matching causes, where it causes one.
fn mail(payload: &Payload) -> Result<Option<Mail>, Error> {
    let application = |name: &str| ApplicationId::parse_name("application", name);
    let introduction = |name: &str| IntroductionId::parse_name("introduction", name);
    Ok(match payload {
        Payload::CandidateIntroduced(event) => Some(Mail::CandidateIntroduced {
            application: application(&event.application)?,
            introduction: introduction(&event.introduction)?,
            replacement: !event.replaces.is_empty(),
            distance_m: u32::try_from(event.distance_m).ok(),
            expires_at: instant(event.expires_at.as_ref())?,
        }),
        Payload::IntroductionReminded(event) => Some(Mail::IntroductionReminded {
            application: application(&event.application)?,
            introduction: introduction(&event.introduction)?,
            expires_at: instant(event.expires_at.as_ref())?,
        }),
        Payload::IntroductionClosed(event) => match Gone::of_closure(&event.reason) {
            Some(reason) => Some(Mail::CandidateGone {
                application: application(&event.application)?,
                introduction: introduction(&event.introduction)?,
                reason,
            }),
            None => None,
        },
        Payload::CandidatesShort(event) => Some(Mail::CandidatesShort {
            application: application(&event.application)?,
            live: u32::try_from(event.live).unwrap_or(0),
        }),
        Payload::SignatureLate(event) => Some(Mail::SignatureLate {
            application: application(&event.application)?,
            launched_on: wire::date("launched_on", event.launched_on.as_ref())?,
        }),
        _ => None,
    })
}

fn instant(at: Option<&prost_types::Timestamp>) -> Result<Timestamp, Error> {
    wire::timestamp("expires_at", at.ok_or_else(|| wire::required("expires_at"))?)
}

/// The history of an application says when a contract was signed on one of its posts; who was recruited stays with
/// matching.
async fn signed(tx: &Tx, call: &Call, event: &ContractSigned) -> Result<(), Failure> {
    let (id, post) = parse_post_name("post", &event.post)?;
    let found = applications::find(tx, id).await?.ok_or_else(|| Error::not_found(&id.name()))?;
    let fact = Fact::noted("SIGN_CONTRACT", found.application.state.name(), post.to_string()).under(Rule("M07"));
    history::append(tx, call, &id.name(), &[fact]).await
}
