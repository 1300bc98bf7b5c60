//! Posts that are granted, activated, dated and given back, as applications tells it (P03, A01, A05, A19).

use std::collections::BTreeSet;

use conum_kernel::{Fact, PostId, Rule};
use conum_proto::events::v1::{PostReleaseRefused, PostReleased, event::Payload};
use conum_service::{Call, Failure, Tx, history, sql::Script};

use super::{
    recruiting,
    serving::{self, Freed},
    tell,
};
use crate::{
    domain::{policies::Settings, recruitment::State},
    storage::{
        recruitments,
        structures::{self, Post},
    },
};

const A19: Rule = Rule("A19");

/// Gives posts back where no contract is signed on them, and answers for each. A selection on one is cancelled.
///
/// # Errors
/// The database's.
pub async fn release(tx: &Tx, call: &Call, settings: &Settings, posts: Vec<Post>) -> Result<(), Failure> {
    let mut freed = Freed::default();
    for seen in posts {
        structures::lock(tx, seen.structure).await?;
        // Whoever was selected meanwhile is seen under the lock.
        let Some(post) = structures::find_post(tx, seen.id).await? else { continue };
        if let Some((recruitment, state)) = post.holder {
            if state == State::Signed {
                refuse(tx, call, &post).await?;
                continue;
            }
            if let Some(recruitment) = recruitments::find(tx, recruitment).await? {
                recruiting::release(tx, call, recruitment, "CANCEL_REASON_POST_GIVEN_BACK", &mut freed).await?;
            }
        }
        if !post.given_back {
            structures::give_back(tx, post.id).await?;
            structures::forget_launch_without_posts(tx, post.structure).await?;
            let from = if post.active { "VACANT" } else { "GRANTED" };
            let fact = Fact { action: "RELEASE", from, to: "GIVEN_BACK", why: String::new(), rule: Some(A19) };
            history::append(tx, call, &name(&post), &[fact]).await?;
        }
        let payload =
            PostReleased { application: post.application.name(), structure: post.structure.name(), post: name(&post) };
        tell(tx, call, &name(&post), Payload::PostReleased(payload)).await?;
        freed.structure(post.structure);
    }
    serving::serve(tx, call, settings, freed).await
}

async fn refuse(tx: &Tx, call: &Call, post: &Post) -> Result<(), Failure> {
    let fact = Fact { action: "REFUSE_RELEASE", from: "FILLED", to: "FILLED", why: String::new(), rule: Some(A19) };
    history::append(tx, call, &name(post), &[fact]).await?;
    let payload =
        PostReleaseRefused { application: post.application.name(), structure: post.structure.name(), post: name(post) };
    tell(tx, call, &name(post), Payload::PostReleaseRefused(payload)).await
}

fn name(post: &Post) -> String {
    conum_kernel::post_name(post.application, post.id)
}

/// Activates the posts of a wave, then serves their structures all at once.
///
/// # Errors
/// The database's.
pub async fn activate(tx: &Tx, call: &Call, settings: &Settings, posts: &[PostId]) -> Result<(), Failure> {
    let mut served = BTreeSet::new();
    for id in posts {
        if let Some(post) = structures::find_post(tx, *id).await?
            && !post.active
            && !post.given_back
        {
            structures::activate(tx, *id).await?;
            let fact = Fact {
                action: "ACTIVATE",
                from: "GRANTED",
                to: "VACANT",
                why: post.wave.to_string(),
                rule: Some(Rule("P03")),
            };
            history::append(tx, call, &name(&post), &[fact]).await?;
            served.insert(post.structure);
        }
    }
    serving::wave(tx, call, settings, &served).await?;
    let mut script = Script::default();
    for structure in served {
        structures::launch_found(&mut script, structure, call.moment.today);
    }
    Ok(script.run(tx).await?)
}
