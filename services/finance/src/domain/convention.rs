//! What is known of a convention: its parts (the convention itself, then amendments), its posts, and the facts that its
//! payments depend on.

use conum_kernel::{
    ApplicationId, CandidateId, Cents, ConventionId, Error, PostId, RecruitmentId, Result, Rule, StructureId, WaveId,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    amounts::Kind,
    claims::Claim,
    following::{Aid, Cofunding, FollowUp, Vouchers},
    holds::AgencyHold,
    instalment::Instalment,
};

/// A convention between the State and a structure, with all that hangs on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convention {
    pub id: ConventionId,
    pub structure: StructureId,
    pub application: ApplicationId,
    /// INSEE code; empty while a record of the past lacks it.
    pub department: String,
    /// None while a record of the past lacks it.
    pub kind: Option<Kind>,
    /// False while a grant recorded from the past lacks what it needs.
    pub ready: bool,
    /// Every supporting document is validated (A12).
    pub documents: bool,
    /// A confirmed bank account that the bank has not refused is known.
    pub account: bool,
    pub suspended: Option<Breach>,
    /// The convention itself, then its amendments, by number.
    pub parts: Vec<Part>,
    pub posts: Vec<Post>,
    pub holds: Vec<AgencyHold>,
    pub follow_ups: Vec<FollowUp>,
    pub cofunding: Vec<Cofunding>,
    pub aids: Vec<Aid>,
    pub vouchers: Vec<Vouchers>,
    /// Kept as rows of their own.
    #[serde(skip)]
    pub instalments: Vec<Instalment>,
    /// Kept as rows of their own.
    #[serde(skip)]
    pub claims: Vec<Claim>,
    #[serde(skip)]
    pub version: i64,
}

/// The convention itself or an amendment: what both sides sign (F02).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub posts: Vec<PostId>,
    /// The day of the last grant in it: nothing is signed before.
    pub granted_on: Date,
    pub by_structure: Option<Date>,
    pub by_agency: Option<Date>,
    /// The later of the two: instalments count from it.
    pub signed_on: Option<Date>,
    /// The sum of its posts' grants once it is signed.
    pub granted: Cents,
}

/// A granted post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Post {
    pub id: PostId,
    pub wave: WaveId,
    pub coordinator: bool,
    /// The part that holds it.
    pub part: u32,
    /// The ceiling of what the State gives (F01); nothing until its part is signed.
    pub grant: Cents,
    pub given_back: bool,
    /// Cancelled money that was granted again to replacements.
    pub reinstated: Cents,
    /// In the order of their signatures.
    pub contracts: Vec<Contract>,
    /// Months before the end that a notice was given for (F07).
    pub noticed: Vec<i32>,
}

/// A contract signed on a post (M07), as finance needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    pub recruitment: RecruitmentId,
    pub candidate: CandidateId,
    pub signed_on: Date,
    pub start: Date,
    pub ended: Option<Ended>,
    /// What a replacement was given of its predecessor's grant; the first contract needs none.
    pub funding: Option<Funding>,
}

/// The end of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    pub last_day: Date,
    /// matching's listed reason, lower case.
    pub reason: String,
    pub settled: Option<Settled>,
}

/// What the settling of an end came to (F04).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    pub earned: Cents,
    /// Unpaid money that was cancelled.
    pub freed: Cents,
    pub claim: Option<conum_kernel::ClaimId>,
    pub claimed: Cents,
}

/// What a replacement was given (F07).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funding {
    /// It starts after the months that the grant covers.
    None,
    /// In cents: what its predecessor did not keep.
    Of(Cents),
}

/// Why payments are suspended (F04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Breach {
    CommitmentsNotKept,
    ExpensesNotJustified,
    AdviserUsedElsewhere,
    GrantMisused,
}

impl Breach {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CommitmentsNotKept => "COMMITMENTS_NOT_KEPT",
            Self::ExpensesNotJustified => "EXPENSES_NOT_JUSTIFIED",
            Self::AdviserUsedElsewhere => "ADVISER_USED_ELSEWHERE",
            Self::GrantMisused => "GRANT_MISUSED",
        }
    }
}

impl Convention {
    /// Whether the convention is signed by both sides: the first part of it that has posts still, or a later one where all
    /// posts of the earlier ones were given back.
    #[must_use]
    pub fn in_force(&self) -> bool {
        self.parts.iter().any(|part| part.signed_on.is_some())
    }

    /// The state's name, for facts.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match (self.in_force(), self.suspended) {
            (false, _) => "DRAFT",
            (true, None) => "IN_FORCE",
            (true, Some(_)) => "SUSPENDED",
        }
    }

    /// The place of a post in the list.
    ///
    /// # Errors
    /// Not found.
    pub fn post_index(&self, id: PostId) -> Result<usize> {
        self.posts.iter().position(|post| post.id == id).ok_or_else(|| Error::not_found(&id.name()))
    }

    #[must_use]
    pub fn post(&self, id: PostId) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id)
    }

    /// What was paid on a post, gross of claims.
    ///
    /// # Errors
    /// Internal where amounts leave 64 bits.
    pub fn paid(&self, post: PostId) -> Result<Cents> {
        use super::instalment::State;
        total(self.instalments.iter().filter(|i| i.post == post && i.state == State::Paid).map(|i| i.amount))
    }

    /// What was claimed back on a post.
    ///
    /// # Errors
    /// Internal where amounts leave 64 bits.
    pub fn claimed(&self, post: PostId) -> Result<Cents> {
        total(self.claims.iter().filter(|claim| claim.post == post).map(|claim| claim.amount))
    }

    /// Refuses what only a convention in force allows.
    ///
    /// # Errors
    /// `NOT_IN_FORCE`.
    pub fn require_in_force(&self, rule: Rule) -> Result<()> {
        if self.in_force() {
            return Ok(());
        }
        let french = "la convention n'est pas encore signée par les deux parties";
        Err(Error::refused(rule, "NOT_IN_FORCE", "the convention is not signed by both sides yet", french))
    }
}

impl Post {
    /// The state's name, for facts.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match (self.given_back, self.grant > Cents::ZERO) {
            (true, _) => "GIVEN_BACK",
            (false, true) => "GRANTED",
            (false, false) => "DRAFT",
        }
    }

    /// The contract that an instalment or a claim belongs to: the one it names, or the first.
    #[must_use]
    pub fn contract(&self, recruitment: Option<RecruitmentId>) -> Option<&Contract> {
        match recruitment {
            None => self.contracts.first(),
            Some(id) => self.contracts.iter().find(|contract| contract.recruitment == id),
        }
    }
}

/// A sum of amounts.
///
/// # Errors
/// Internal where it leaves 64 bits.
pub fn total(amounts: impl IntoIterator<Item = Cents>) -> Result<Cents> {
    amounts.into_iter().try_fold(Cents::ZERO, Cents::plus)
}
