//! What keeps an instalment that has come due from being paid (F03): all of it follows from facts, so that a hold ends
//! with its reason.

use conum_kernel::PostId;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{convention::Convention, instalment::Instalment, policies::Settings};

/// Why an instalment is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// A grant recorded from the past lacks what it needs.
    FileIncomplete,
    /// A supporting document is not validated (A12).
    DocumentsMissing,
    /// The structure has no confirmed bank account, or the bank refused it.
    NoBankAccount,
    /// The agency has suspended the payments (F04).
    Suspended,
    /// The agency holds it for a reason of its own.
    AgencyDecision,
    /// A follow-up is late (F09).
    ReportLate,
    /// No contract is signed on the post.
    NoContract,
    /// A contract ended early, and its end is not settled (F04).
    EndingUnsettled,
}

impl HoldReason {
    /// As it is stored and told.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::FileIncomplete => "file_incomplete",
            Self::DocumentsMissing => "documents_missing",
            Self::NoBankAccount => "no_bank_account",
            Self::Suspended => "suspended",
            Self::AgencyDecision => "agency_decision",
            Self::ReportLate => "report_late",
            Self::NoContract => "no_contract",
            Self::EndingUnsettled => "ending_unsettled",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_value(text.into()).ok()
    }
}

/// A hold that the agency has set by itself, with a listed reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgencyHold {
    /// From 1.
    pub number: u32,
    /// None for every post.
    pub post: Option<PostId>,
    pub reason: AgencyReason,
    pub set_on: Date,
    pub lifted_on: Option<Date>,
}

/// Why the agency holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AgencyReason {
    CheckUnderWay,
    Litigation,
    StructureChanges,
}

impl AgencyReason {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CheckUnderWay => "CHECK_UNDER_WAY",
            Self::Litigation => "LITIGATION",
            Self::StructureChanges => "STRUCTURE_CHANGES",
        }
    }
}

/// What holds an instalment on a day; nothing where it can be paid.
#[must_use]
pub fn of(convention: &Convention, instalment: &Instalment, settings: &Settings, today: Date) -> Vec<HoldReason> {
    let Some(post) = convention.post(instalment.post) else { return vec![HoldReason::FileIncomplete] };
    let own = |hold: &AgencyHold| hold.lifted_on.is_none() && hold.post.is_none_or(|held| held == post.id);
    let needs_contract = instalment.recruitment.is_none() && instalment.rank >= settings.contract_needed_from;
    let unsettled = post
        .contract(instalment.recruitment)
        .and_then(|contract| contract.ended.as_ref())
        .is_some_and(|ended| ended.settled.is_none());
    let reasons = [
        (!convention.ready, HoldReason::FileIncomplete),
        (!convention.documents, HoldReason::DocumentsMissing),
        (!convention.account, HoldReason::NoBankAccount),
        (convention.suspended.is_some(), HoldReason::Suspended),
        (convention.holds.iter().any(own), HoldReason::AgencyDecision),
        (convention.follow_ups.iter().any(|asked| asked.holds && asked.is_late(today)), HoldReason::ReportLate),
        (needs_contract && post.contracts.is_empty(), HoldReason::NoContract),
        (unsettled, HoldReason::EndingUnsettled),
    ];
    reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect()
}
