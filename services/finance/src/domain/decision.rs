//! What a decision on a convention brings about beside its new state: events, ledger postings, changes of payment
//! orders. Ids come from the caller, as the moment does.

use std::convert::Infallible;

use conum_kernel::{
    Cents, ClaimId, FollowUpId, Id, InstalmentId, Moment, PaymentFileId, PaymentOrderId, PostId, id::Entity,
};
use jiff::civil::Date;
use uuid::Uuid;

use super::{convention::Convention, holds::HoldReason, ledger::Posting, policies::Settings};

/// A decision on a convention.
pub type Decision = conum_kernel::Decision<Convention, Effect, Infallible>;

/// What a decision is taken with: the settings in force, the moment, and new ids by what they name.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub settings: &'a Settings,
    pub moment: Moment,
    pub mint: &'a (dyn Fn(&str) -> Uuid + Sync),
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("moment", &self.moment).finish_non_exhaustive()
    }
}

impl Context<'_> {
    /// A new id. `what` tells apart the things of one kind that one decision makes.
    #[must_use]
    pub fn id<T: Entity>(&self, what: &str) -> Id<T> {
        Id::from_uuid((self.mint)(&format!("{}/{what}", T::PREFIX)))
    }

    #[must_use]
    pub fn today(&self) -> Date {
        self.moment.today
    }
}

/// What a decision brings about, in its order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Told(Told),
    Posted(Posting),
    Order(OrderChange),
}

/// What the others are told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Signed { amendment: u32, posts: Vec<PostId>, granted: Cents, signed_on: Date },
    Held { post: PostId, instalment: InstalmentId, reason: HoldReason },
    Paid { post: PostId, instalment: InstalmentId, number: u32, cents: Cents, paid_on: Date },
    Suspended { reason: &'static str },
    Claimed { claim: ClaimId, post: PostId, cents: Cents },
    Ending { post: PostId, last_day: Date, months_left: i32 },
    FollowUp { follow_up: FollowUpId, due_on: Date },
}

/// What becomes of a payment order.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderChange {
    Release {
        order: PaymentOrderId,
        instalment: InstalmentId,
        cents: Cents,
    },
    Withdraw {
        order: PaymentOrderId,
    },
    Send {
        order: PaymentOrderId,
        file: PaymentFileId,
    },
    Settle {
        order: PaymentOrderId,
    },
    /// With the bank's code.
    Reject {
        order: PaymentOrderId,
        reason: String,
    },
}

/// A decision is written step by step: each adds its facts and effects to it.
pub(crate) trait Written {
    fn tell(&mut self, told: Told);
    fn post(&mut self, posting: Posting);
    fn order(&mut self, change: OrderChange);
}

impl Written for Decision {
    fn tell(&mut self, told: Told) {
        self.events.push(Effect::Told(told));
    }

    fn post(&mut self, posting: Posting) {
        self.events.push(Effect::Posted(posting));
    }

    fn order(&mut self, change: OrderChange) {
        self.events.push(Effect::Order(change));
    }
}
