//! What requests ask, read into the domain.

use conum_kernel::{Error, PostId, Result, Rule, parse_post_name};
use conum_proto::finance::v1 as proto;
use conum_service::wire;

use crate::domain::{
    claims::WaiverReason, convention::Breach, following::FollowUpKind, holds::AgencyReason, instalment, payment,
};

fn listed<T>(field: &str, rule: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| wire::unknown_value(field).with_rule(Rule(rule)))
}

/// A post of a convention, by its resource name.
///
/// # Errors
/// `INVALID_NAME` at `field`.
pub(crate) fn post(field: &str, name: &str) -> Result<PostId> {
    parse_post_name(field, name).map(|(_, post)| post)
}

pub(crate) fn breach(field: &str, value: i32) -> Result<Breach> {
    let breach = match proto::Breach::try_from(value) {
        Ok(proto::Breach::CommitmentsNotKept) => Some(Breach::CommitmentsNotKept),
        Ok(proto::Breach::ExpensesNotJustified) => Some(Breach::ExpensesNotJustified),
        Ok(proto::Breach::AdviserUsedElsewhere) => Some(Breach::AdviserUsedElsewhere),
        Ok(proto::Breach::GrantMisused) => Some(Breach::GrantMisused),
        _ => None,
    };
    listed(field, "F04", breach)
}

pub(crate) fn agency_reason(value: i32) -> Result<AgencyReason> {
    use proto::hold::Reason;
    let reason = match Reason::try_from(value) {
        Ok(Reason::CheckUnderWay) => Some(AgencyReason::CheckUnderWay),
        Ok(Reason::Litigation) => Some(AgencyReason::Litigation),
        Ok(Reason::StructureChanges) => Some(AgencyReason::StructureChanges),
        _ => None,
    };
    listed("reason", "F03", reason)
}

pub(crate) fn waiver_reason(value: i32) -> Result<WaiverReason> {
    let reason = match proto::WaiverReason::try_from(value) {
        Ok(proto::WaiverReason::ForceMajeure) => Some(WaiverReason::ForceMajeure),
        Ok(proto::WaiverReason::Insolvency) => Some(WaiverReason::Insolvency),
        Ok(proto::WaiverReason::CostAboveAmount) => Some(WaiverReason::CostAboveAmount),
        Ok(proto::WaiverReason::ClaimedByMistake) => Some(WaiverReason::ClaimedByMistake),
        _ => None,
    };
    listed("reason", "F04", reason)
}

pub(crate) fn follow_up_kind(value: i32) -> Result<FollowUpKind> {
    use proto::follow_up::Kind;
    let kind = match Kind::try_from(value) {
        Ok(Kind::Figures) => Some(FollowUpKind::Figures),
        Ok(Kind::Report) => Some(FollowUpKind::Report),
        Ok(Kind::ExpenseRecords) => Some(FollowUpKind::ExpenseRecords),
        _ => None,
    };
    listed("kind", "F09", kind)
}

/// Where other money comes from, as it is kept: `DETR`.
pub(crate) fn cofunding_source(value: i32) -> Result<&'static str> {
    use proto::cofunding::Source;
    let source = Source::try_from(value).ok().filter(|source| *source != Source::Unspecified);
    let name = source.map(|source| source.as_str_name().trim_start_matches("SOURCE_"));
    listed("cofunding.source", "F06", name)
}

/// A kind of aid, as the policy names it: `emplois_francs`.
pub(crate) fn aid_kind(value: i32) -> Result<String> {
    use proto::aid::Kind;
    let kind = Kind::try_from(value).ok().filter(|kind| *kind != Kind::Unspecified);
    let name = kind.map(|kind| kind.as_str_name().trim_start_matches("KIND_").to_lowercase());
    listed("aid.kind", "F05", name)
}

/// The state that a list of instalments is narrowed to; none for all.
pub(crate) fn instalment_state(value: i32) -> Result<Option<instalment::State>> {
    use proto::instalment::State;
    match State::try_from(value) {
        Ok(State::Unspecified) => Ok(None),
        Ok(state) => Ok(instalment::State::parse(&state.as_str_name().trim_start_matches("STATE_").to_lowercase())),
        Err(_) => Err(wire::unknown_value("state")),
    }
}

/// The state that a list of orders is narrowed to; none for all.
pub(crate) fn order_state(value: i32) -> Result<Option<payment::State>> {
    use proto::payment_order::State;
    match State::try_from(value) {
        Ok(State::Unspecified) => Ok(None),
        Ok(state) => Ok(payment::State::parse(&state.as_str_name().trim_start_matches("STATE_").to_lowercase())),
        Err(_) => Err(wire::unknown_value("state")),
    }
}

/// The number of an amendment or of a hold.
pub(crate) fn number(field: &str, value: i32) -> Result<u32> {
    u32::try_from(value).map_err(|_| {
        let french = "un numéro n'est pas négatif";
        Error::invalid(field, "NEGATIVE_NUMBER", "a number is not negative", french)
    })
}
