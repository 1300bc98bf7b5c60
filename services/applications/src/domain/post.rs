//! A post (poste) of an application: what it is, its states and their table, and the special examination it may need
//! (A09, A10). What is done with posts stands in `grants`, `amendments`, `releases` and `start_dates`.

use conum_kernel::{Fact, Machine, PostId, Result, Rule, WaveId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The contract's own limit of posts in one application. It is no ceiling of the programme: there is none (A03).
pub const MAX_POSTS: usize = 500;

/// A post: one adviser for two years.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Post {
    pub id: PostId,
    pub state: PostState,
    /// The day on which it was asked for: what A09 looks at.
    pub asked_on: Date,
    /// `None` where a record of the past does not say it.
    pub wished_start_date: Option<Date>,
    /// Settled at the latest after the grant (A05).
    pub settled_start_date: Option<Date>,
    /// A coordinator's, by derogation (A10).
    pub coordinator: bool,
    pub existing_contract: Option<ExistingContract>,
    /// The special examination, where the post needs one.
    pub derogation: Option<Derogation>,
    /// Once granted, and for good (P03).
    pub wave: Option<WaveId>,
    pub granted_on: Option<Date>,
    /// Why it was given back, at most 500 characters; may be empty.
    pub return_reason: String,
}

/// A post as an applicant describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PostForm {
    /// The post that is meant, or the new id of a new one.
    pub id: PostId,
    /// Whether the request named the post: then it must exist.
    pub named: bool,
    pub wished_start_date: Option<Date>,
    pub coordinator: bool,
    /// Counted among the two full-time equivalents of a France Services house: refused (A08).
    pub counts_for_france_services: bool,
    pub existing_contract: Option<ExistingContract>,
}

/// The contract of somebody who already does this work for the structure (A09).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExistingContract {
    /// `None` while it is not signed.
    pub signed_on: Option<Date>,
    pub start_date: Option<Date>,
    pub situation: Option<Situation>,
    /// The person moves to full time on this work.
    pub moves_to_full_time: bool,
}

impl ExistingContract {
    /// Whether it is signed and has started on or before a day (A09).
    #[must_use]
    pub fn has_started(&self, day: Date) -> bool {
        let come = |date: Option<Date>| date.is_some_and(|date| date <= day);
        come(self.signed_on) && come(self.start_date)
    }
}

/// What lets a local authority ask to consolidate a post (A09).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Situation {
    PartTime,
    Ending,
    Experimental,
}

/// The special examination of a post. It stands for all its grounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Derogation {
    pub state: DerogationState,
    pub grounds: Vec<Ground>,
    /// The agency's, once decided.
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DerogationState {
    Asked,
    Accepted,
    Refused,
}

/// Why a post needs a special examination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// An existing post is consolidated (A09).
    Consolidation,
    /// A coordinator is asked for (A10).
    Coordinator,
}

impl Ground {
    #[must_use]
    pub fn rule(self) -> Rule {
        match self {
            Self::Consolidation => Rule("A09"),
            Self::Coordinator => Rule("A10"),
        }
    }
}

impl Derogation {
    /// A special examination that nobody has decided yet.
    #[must_use]
    pub fn asked(grounds: Vec<Ground>) -> Self {
        Self { state: DerogationState::Asked, grounds, reason: String::new() }
    }

    /// The rule of its first ground.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.grounds.first().map_or(Rule("A09"), |ground| ground.rule())
    }

    /// Whether an existing post is consolidated by it (A09).
    #[must_use]
    pub fn consolidates(&self) -> bool {
        self.grounds.contains(&Ground::Consolidation)
    }
}

/// Where a post stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostState {
    Asked,
    Granted,
    /// Given back or withdrawn; matching has not released it yet.
    ReturnAsked,
    Returned,
    Refused,
    /// Taken off the application before a decision.
    Removed,
}

/// What may happen to a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostAction {
    Grant,
    Refuse,
    Remove,
    AskReturn,
    Release,
    RefuseRelease,
}

impl Machine for PostState {
    type Action = PostAction;

    const TABLE: &'static [(Self, PostAction, Self)] = &[
        (Self::Asked, PostAction::Grant, Self::Granted),
        (Self::Asked, PostAction::Refuse, Self::Refused),
        (Self::Asked, PostAction::Remove, Self::Removed),
        (Self::Granted, PostAction::AskReturn, Self::ReturnAsked),
        (Self::ReturnAsked, PostAction::Release, Self::Returned),
        (Self::ReturnAsked, PostAction::RefuseRelease, Self::Granted),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Asked => "ASKED",
            Self::Granted => "GRANTED",
            Self::ReturnAsked => "RETURN_ASKED",
            Self::Returned => "RETURNED",
            Self::Refused => "REFUSED",
            Self::Removed => "REMOVED",
        }
    }

    fn action_name(action: PostAction) -> &'static str {
        match action {
            PostAction::Grant => "GRANT_POST",
            PostAction::Refuse => "REFUSE_POST",
            PostAction::Remove => "REMOVE_POST",
            PostAction::AskReturn => "ASK_POST_RETURN",
            PostAction::Release => "RELEASE_POST",
            PostAction::RefuseRelease => "REFUSE_POST_RELEASE",
        }
    }

    fn rule(action: PostAction) -> Rule {
        match action {
            PostAction::Grant | PostAction::Refuse => Rule("A02"),
            _ => Rule("A19"),
        }
    }
}

impl PostState {
    /// Whether it counts under the cap (P01): granted, and not released yet.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Granted | Self::ReturnAsked)
    }

    /// Whether the structure still asks for it or holds it.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Asked) || self.counts()
    }
}

impl Post {
    /// A post that is asked for. `grounds` come from the checks; none means no special examination.
    #[must_use]
    pub fn asked(form: &PostForm, grounds: Vec<Ground>, asked_on: Date) -> Self {
        Self {
            id: form.id,
            state: PostState::Asked,
            asked_on,
            wished_start_date: form.wished_start_date,
            settled_start_date: None,
            coordinator: form.coordinator,
            existing_contract: form.existing_contract,
            derogation: (!grounds.is_empty()).then(|| Derogation::asked(grounds)),
            wave: None,
            granted_on: None,
            return_reason: String::new(),
        }
    }

    /// What was said of it.
    #[must_use]
    pub fn as_form(&self) -> PostForm {
        PostForm {
            id: self.id,
            named: true,
            wished_start_date: self.wished_start_date,
            coordinator: self.coordinator,
            counts_for_france_services: false,
            existing_contract: self.existing_contract,
        }
    }

    /// Whether a form says of it what it says.
    #[must_use]
    pub fn says(&self, form: &PostForm) -> bool {
        self.as_form() == PostForm { named: true, ..form.clone() }
    }

    /// Takes over what is said of it now. A special examination that was decided stands as long as what it was decided
    /// on.
    pub(super) fn correct(&mut self, form: &PostForm, grounds: Vec<Ground>) {
        let same = self.coordinator == form.coordinator && self.existing_contract == form.existing_contract;
        let known = self.derogation.as_ref().map(|derogation| derogation.grounds.as_slice()).unwrap_or_default();
        if !same || known != grounds {
            self.derogation = (!grounds.is_empty()).then(|| Derogation::asked(grounds));
        }
        self.wished_start_date = form.wished_start_date;
        self.coordinator = form.coordinator;
        self.existing_contract = form.existing_contract;
    }

    /// The date from which the structure can welcome the adviser: settled, else wished (A05, A16).
    #[must_use]
    pub fn start_date(&self) -> Option<Date> {
        self.settled_start_date.or(self.wished_start_date)
    }

    /// The state of its special examination, where it has one.
    #[must_use]
    pub fn derogation_state(&self) -> Option<DerogationState> {
        self.derogation.as_ref().map(|derogation| derogation.state)
    }

    /// Takes an action of the table. The fact's `why` is the post's id.
    ///
    /// # Errors
    /// `WRONG_STATE`.
    pub(super) fn step(&mut self, action: PostAction) -> Result<Fact> {
        let (state, fact) = self.state.step(action, self.id.to_string())?;
        self.state = state;
        Ok(fact)
    }
}
