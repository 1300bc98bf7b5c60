//! What the methods that change a convention ask of the domain: one function for each request.

use conum_kernel::{Cents, FollowUpId, Result};
use conum_proto::finance::v1::{
    AddHoldRequest, DeclareAidRequest, LiftHoldRequest, RecordCofundingRequest, RecordVouchersRequest,
    RequestFollowUpRequest, ResumeConventionRequest, SettleEndingRequest, SignConventionRequest, SubmitFollowUpRequest,
    SuspendConventionRequest,
};
use conum_service::{Call, Scope, wire};

use super::reading;
use crate::domain::{
    convention::Convention,
    decision::{Context, Decision},
    endings,
    following::{self, Submitted},
    signing::{self, Side},
};

/// A request that changes a convention.
pub(crate) trait Change: prost::Message + Clone + 'static {
    /// The convention's resource name.
    fn name(&self) -> &str;
    /// The version that the caller has read, where the request has one.
    fn etag(&self) -> Option<&str> {
        None
    }
    fn request_id(&self) -> &str;
    fn validate_only(&self) -> bool {
        false
    }

    /// The domain's decision.
    fn decide(&self, convention: Convention, call: &Call, context: &Context<'_>) -> Result<Decision>;
}

/// The fields that every request has, and those that it may have.
macro_rules! fields {
    ($($field:ident: $type:ty),*) => {
        fn name(&self) -> &str {
            &self.name
        }
        fn request_id(&self) -> &str {
            &self.request_id
        }
        $(fn $field(&self) -> $type { fields!(@get self, $field) })*
    };
    (@get $self:ident, etag) => { Some(&$self.etag) };
    (@get $self:ident, validate_only) => { $self.validate_only };
}

impl Change for SignConventionRequest {
    fields!(etag: Option<&str>, validate_only: bool);

    fn decide(&self, convention: Convention, call: &Call, context: &Context<'_>) -> Result<Decision> {
        // The agency acts on every convention, a structure on its own: the caller is the side that signs.
        let side = if call.scope == Scope::Any { Side::Agency } else { Side::Structure };
        let number = reading::number("amendment", self.amendment)?;
        let signed_on = wire::date("signed_on", self.signed_on.as_ref())?.unwrap_or(context.today());
        signing::sign(convention, side, number, signed_on, context)
    }
}

impl Change for SuspendConventionRequest {
    fields!(etag: Option<&str>);

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        following::suspend(convention, reading::breach("reason", self.reason)?, context)
    }
}

impl Change for ResumeConventionRequest {
    fields!(etag: Option<&str>);

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        following::resume(convention, context)
    }
}

impl Change for SettleEndingRequest {
    fields!(etag: Option<&str>, validate_only: bool);

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        endings::settle(convention, reading::post("post", &self.post)?, context)
    }
}

impl Change for AddHoldRequest {
    fields!(etag: Option<&str>);

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        let post = (!self.post.is_empty()).then(|| reading::post("post", &self.post)).transpose()?;
        following::hold(convention, post, reading::agency_reason(self.reason)?, context)
    }
}

impl Change for LiftHoldRequest {
    fields!(etag: Option<&str>);

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        following::lift(convention, reading::number("hold", self.hold)?, context)
    }
}

impl Change for RecordCofundingRequest {
    fields!();

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        let money = self.cofunding.as_ref().ok_or_else(|| wire::required("cofunding"))?;
        let source = reading::cofunding_source(money.source)?;
        following::cofund(convention, source, Cents(money.amount_cents), context)
    }
}

impl Change for DeclareAidRequest {
    fields!(validate_only: bool);

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        let aid = self.aid.as_ref().ok_or_else(|| wire::required("aid"))?;
        let (post, kind) = (reading::post("aid.post", &aid.post)?, reading::aid_kind(aid.kind)?);
        following::declare_aid(convention, post, &kind, context)
    }
}

impl Change for RecordVouchersRequest {
    fields!();

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        let vouchers = self.vouchers.as_ref().ok_or_else(|| wire::required("vouchers"))?;
        let cashed_on = wire::required_date("vouchers.cashed_on", vouchers.cashed_on.as_ref())?;
        following::vouchers(convention, Cents(vouchers.amount_cents), cashed_on, context)
    }
}

impl Change for RequestFollowUpRequest {
    fields!();

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        let kind = reading::follow_up_kind(self.kind)?;
        let due_on = wire::required_date("due_on", self.due_on.as_ref())?;
        following::request(convention, kind, due_on, self.holds, context)
    }
}

impl Change for SubmitFollowUpRequest {
    fields!();

    fn decide(&self, convention: Convention, _: &Call, context: &Context<'_>) -> Result<Decision> {
        let id = FollowUpId::parse_name("follow_up", &self.follow_up)?;
        let submitted = Submitted {
            on: context.today(),
            people: self.people,
            activities: self.activities,
            sha256: self.report_sha256.clone(),
        };
        following::submit(convention, id, submitted, context)
    }
}
