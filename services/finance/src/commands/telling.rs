//! What the others are told. It all speaks of the convention, whose events are numbered.

use conum_kernel::post_name;
use conum_proto::events::v1::{
    ClaimRaised, ConventionSigned, FollowUpRequested, GrantEnding, GrantSuspended, InstalmentHeld, InstalmentPaid,
    event::Payload,
};
use conum_service::{Call, Failure, Tx, events, wire};

use crate::{
    NAME,
    domain::{convention::Convention, decision::Told},
};

/// Tells the others.
///
/// # Errors
/// The database's.
pub(crate) async fn tell(tx: &Tx, call: &Call, of: &Convention, told: Told) -> Result<(), Failure> {
    events::append(tx, call, NAME, &of.id.name(), payload(of, told)).await
}

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn payload(of: &Convention, told: Told) -> Payload {
    let (convention, structure, application) = (of.id.name(), of.structure.name(), of.application.name());
    let name = |post| post_name(of.application, post);
    match told {
        Told::Signed { amendment, posts, granted, signed_on } => Payload::ConventionSigned(ConventionSigned {
            convention,
            structure,
            application,
            amendment: number(amendment),
            posts: posts.into_iter().map(name).collect(),
            granted_cents: granted.0,
            signed_on: Some(wire::from_date(signed_on)),
        }),
        Told::Held { post, instalment, reason } => Payload::InstalmentHeld(InstalmentHeld {
            convention,
            structure,
            application,
            post: name(post),
            instalment: instalment.name(),
            reason: reason.text().into(),
        }),
        Told::Paid { post, instalment, number: nth, cents, paid_on } => Payload::InstalmentPaid(InstalmentPaid {
            convention,
            structure,
            application,
            post: name(post),
            instalment: instalment.name(),
            number: number(nth),
            amount_cents: cents.0,
            paid_on: Some(wire::from_date(paid_on)),
        }),
        Told::Suspended { reason } => Payload::GrantSuspended(GrantSuspended {
            convention,
            structure,
            application,
            reason: reason.to_lowercase(),
        }),
        Told::Claimed { claim, post, cents } => Payload::ClaimRaised(ClaimRaised {
            claim: claim.name(),
            convention,
            structure,
            application,
            post: name(post),
            amount_cents: cents.0,
        }),
        Told::Ending { post, last_day, months_left } => Payload::GrantEnding(GrantEnding {
            convention,
            structure,
            application,
            post: name(post),
            last_day: Some(wire::from_date(last_day)),
            months_left,
        }),
        Told::FollowUp { follow_up, due_on } => Payload::FollowUpRequested(FollowUpRequested {
            follow_up: follow_up.name(),
            convention,
            structure,
            application,
            due_on: Some(wire::from_date(due_on)),
        }),
    }
}
