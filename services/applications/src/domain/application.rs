//! The application (manifestation d'intérêt): its record, its states and their table. What moves it from one state to
//! another stands in the file of each topic.
//!
//! Three readings of the rules that the table carries:
//! - A withdrawal of an application that holds granted posts is only asked for: the state stays `Granted` until matching
//!   has released every post, and the withdrawal lapses where a contract is signed (A01; see `withdrawal`).
//! - Once every granted post was given back, what is still asked for goes back to the examination; where nothing is,
//!   the application is `GivenBack`. It is then still the structure's one application (A05): posts added to it by
//!   amendment (A19) open it again.
//! - What is granted is never refused as a whole; posts asked for beside it may stay asked for (A02, P03).

use conum_kernel::{ApplicationId, Error, Fact, Machine, Moment, PostId, Result, Rule, StructureId, post_name};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    confirmation::Confirmation,
    corrections::Correction,
    documents::Document,
    examination::{Inquiry, Opinion},
    form::Form,
    partners::Partner,
    post::{Post, PostState},
    withdrawal::Withdrawal,
};

/// An application: one per structure, carrying all its posts (A05). Kept as one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Application {
    pub id: ApplicationId,
    /// The same for every application of one registration number.
    pub structure: StructureId,
    pub state: State,
    pub provenance: Provenance,
    /// From 1; each correction makes the next (A04).
    pub version: u32,
    pub form: Form,
    pub posts: Vec<Post>,
    pub submitted_at: Timestamp,
    /// The mailed link that is awaited (A07).
    pub confirmation: Option<Confirmation>,
    pub address_confirmed_at: Option<Timestamp>,
    /// When the commitments were ticked (A13).
    pub commitments_at: Option<Timestamp>,
    pub partners: Vec<Partner>,
    pub opinions: Vec<Opinion>,
    /// What the agency asked for, and the answers (A02).
    pub inquiries: Vec<Inquiry>,
    pub corrections: Vec<Correction>,
    /// The file that the first grant opens (A12).
    pub documents: Vec<Document>,
    /// The agency's reason, at most 2,000 characters; empty unless refused.
    pub refusal_reason: String,
    pub withdrawal: Option<Withdrawal>,
    /// Warnings to the agency, UPPER_SNAKE_CASE.
    pub warnings: Vec<String>,
    /// The source lines of a record of the past: each counts once.
    pub sources: Vec<String>,
}

/// Where a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    Platform,
    /// A grant of the past, recorded from a file.
    Imported,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Received; the contact's address is not confirmed (A07).
    Submitted,
    Confirmed,
    UnderExamination,
    InformationRequested,
    /// At least one post is granted.
    Granted,
    Refused,
    Withdrawn,
    /// Every granted post was given back, and nothing more is asked for.
    GivenBack,
}

/// What may happen to an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ConfirmAddress,
    /// The contact's address was corrected: the new one is to be confirmed (A07).
    ChangeAddress,
    RecordOpinion,
    RequestInformation,
    /// The answer came before any opinion.
    AnswerBeforeOpinion,
    AnswerAfterOpinion,
    Grant,
    RecordPastGrant,
    Refuse,
    AddPosts,
    /// The last granted post was released, and others are still asked for.
    ResumeExamination,
    /// The last granted post was released.
    GiveBack,
    /// With granted posts: matching is asked to release them first.
    AskWithdrawal,
    Withdraw,
}

impl Machine for State {
    type Action = Action;

    const TABLE: &'static [(Self, Action, Self)] = &[
        (Self::Submitted, Action::ConfirmAddress, Self::Confirmed),
        (Self::Submitted, Action::ChangeAddress, Self::Submitted),
        (Self::Confirmed, Action::ChangeAddress, Self::Submitted),
        (Self::UnderExamination, Action::ChangeAddress, Self::UnderExamination),
        (Self::InformationRequested, Action::ChangeAddress, Self::InformationRequested),
        (Self::Granted, Action::ChangeAddress, Self::Granted),
        (Self::GivenBack, Action::ChangeAddress, Self::GivenBack),
        (Self::Confirmed, Action::RecordOpinion, Self::UnderExamination),
        (Self::UnderExamination, Action::RecordOpinion, Self::UnderExamination),
        (Self::InformationRequested, Action::RecordOpinion, Self::InformationRequested),
        (Self::Granted, Action::RecordOpinion, Self::Granted),
        (Self::Confirmed, Action::RequestInformation, Self::InformationRequested),
        (Self::UnderExamination, Action::RequestInformation, Self::InformationRequested),
        (Self::InformationRequested, Action::RequestInformation, Self::InformationRequested),
        (Self::InformationRequested, Action::AnswerBeforeOpinion, Self::Confirmed),
        (Self::InformationRequested, Action::AnswerAfterOpinion, Self::UnderExamination),
        (Self::Confirmed, Action::Grant, Self::Granted),
        (Self::UnderExamination, Action::Grant, Self::Granted),
        (Self::Granted, Action::Grant, Self::Granted),
        (Self::Submitted, Action::RecordPastGrant, Self::Granted),
        (Self::Confirmed, Action::RecordPastGrant, Self::Granted),
        (Self::UnderExamination, Action::RecordPastGrant, Self::Granted),
        (Self::InformationRequested, Action::RecordPastGrant, Self::Granted),
        (Self::Granted, Action::RecordPastGrant, Self::Granted),
        (Self::GivenBack, Action::RecordPastGrant, Self::Granted),
        (Self::Confirmed, Action::Refuse, Self::Refused),
        (Self::UnderExamination, Action::Refuse, Self::Refused),
        (Self::InformationRequested, Action::Refuse, Self::Refused),
        (Self::Submitted, Action::AddPosts, Self::Submitted),
        (Self::Confirmed, Action::AddPosts, Self::Confirmed),
        (Self::UnderExamination, Action::AddPosts, Self::UnderExamination),
        (Self::InformationRequested, Action::AddPosts, Self::InformationRequested),
        (Self::Granted, Action::AddPosts, Self::Granted),
        (Self::GivenBack, Action::AddPosts, Self::UnderExamination),
        (Self::Granted, Action::ResumeExamination, Self::UnderExamination),
        (Self::Granted, Action::GiveBack, Self::GivenBack),
        (Self::Granted, Action::AskWithdrawal, Self::Granted),
        (Self::Submitted, Action::Withdraw, Self::Withdrawn),
        (Self::Confirmed, Action::Withdraw, Self::Withdrawn),
        (Self::UnderExamination, Action::Withdraw, Self::Withdrawn),
        (Self::InformationRequested, Action::Withdraw, Self::Withdrawn),
        (Self::Granted, Action::Withdraw, Self::Withdrawn),
        (Self::GivenBack, Action::Withdraw, Self::Withdrawn),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Confirmed => "CONFIRMED",
            Self::UnderExamination => "UNDER_EXAMINATION",
            Self::InformationRequested => "INFORMATION_REQUESTED",
            Self::Granted => "GRANTED",
            Self::Refused => "REFUSED",
            Self::Withdrawn => "WITHDRAWN",
            Self::GivenBack => "GIVEN_BACK",
        }
    }

    fn action_name(action: Action) -> &'static str {
        match action {
            Action::ConfirmAddress => "CONFIRM_ADDRESS",
            Action::ChangeAddress => "CHANGE_ADDRESS",
            Action::RecordOpinion => "RECORD_OPINION",
            Action::RequestInformation => "REQUEST_INFORMATION",
            Action::AnswerBeforeOpinion | Action::AnswerAfterOpinion => "PROVIDE_INFORMATION",
            Action::Grant => "GRANT",
            Action::RecordPastGrant => "RECORD_PAST_GRANT",
            Action::Refuse => "REFUSE",
            Action::AddPosts => "ADD_POSTS",
            Action::ResumeExamination => "RESUME_EXAMINATION",
            Action::GiveBack => "GIVE_BACK",
            Action::AskWithdrawal => "ASK_WITHDRAWAL",
            Action::Withdraw => "WITHDRAW",
        }
    }

    fn rule(action: Action) -> Rule {
        match action {
            Action::ConfirmAddress | Action::ChangeAddress => Rule("A07"),
            Action::RecordPastGrant => Rule("P03"),
            Action::AddPosts | Action::ResumeExamination | Action::GiveBack => Rule("A19"),
            Action::AskWithdrawal | Action::Withdraw => Rule("A01"),
            _ => Rule("A02"),
        }
    }
}

impl State {
    /// Whether it is its structure's one application (A05). After a refusal or a withdrawal the structure may apply
    /// again.
    #[must_use]
    pub fn is_active(self) -> bool {
        !matches!(self, Self::Refused | Self::Withdrawn)
    }
}

impl Application {
    /// A record at its beginning, with no post yet.
    pub(super) fn new(id: ApplicationId, structure: StructureId, state: State, form: Form, at: Moment) -> Self {
        Self {
            id,
            structure,
            state,
            provenance: Provenance::Platform,
            version: 1,
            form,
            posts: Vec::new(),
            submitted_at: at.now,
            confirmation: None,
            address_confirmed_at: None,
            commitments_at: None,
            partners: Vec::new(),
            opinions: Vec::new(),
            inquiries: Vec::new(),
            corrections: Vec::new(),
            documents: Vec::new(),
            refusal_reason: String::new(),
            withdrawal: None,
            warnings: Vec::new(),
            sources: Vec::new(),
        }
    }

    /// See [`State::is_active`].
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state.is_active()
    }

    #[must_use]
    pub fn is_imported(&self) -> bool {
        self.provenance == Provenance::Imported
    }

    #[must_use]
    pub fn post(&self, id: PostId) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id)
    }

    pub fn posts_in(&self, state: PostState) -> impl Iterator<Item = &Post> {
        self.posts.iter().filter(move |post| post.state == state)
    }

    pub(super) fn has_post_in(&self, state: PostState) -> bool {
        self.posts_in(state).next().is_some()
    }

    /// How many of its posts count under the cap (P01).
    #[must_use]
    pub fn counted_posts(&self) -> usize {
        self.posts.iter().filter(|post| post.state.counts()).count()
    }

    /// Whether a post was ever granted to it: matching then knows its structure.
    #[must_use]
    pub fn was_ever_granted(&self) -> bool {
        self.posts.iter().any(|post| post.wave.is_some())
    }

    /// Whether it waits for matching to release its posts before it is withdrawn (A01).
    #[must_use]
    pub fn withdrawal_pending(&self) -> bool {
        self.withdrawal.is_some() && self.state != State::Withdrawn
    }

    /// What its structure is told of the last decision: the reason of a refusal or a withdrawal, or what is asked for.
    #[must_use]
    pub fn decision_reason(&self) -> &str {
        match self.state {
            State::Refused => &self.refusal_reason,
            State::Withdrawn => self.withdrawal.as_ref().map_or("", |withdrawal| &withdrawal.reason),
            State::InformationRequested => self.inquiries.last().map_or("", |inquiry| &inquiry.question),
            _ => "",
        }
    }

    /// What a record of the past still lacks before its wave can be activated for it, as paths. Always empty for an
    /// application made on the platform.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let profile = &self.form.profile;
        [
            (profile.registration_number.is_none(), "profile.registration_number"),
            (profile.legal_name.is_empty(), "profile.legal_name"),
            (profile.kind.is_none(), "profile.kind"),
            (profile.place.is_none(), "profile.commune"),
        ]
        .into_iter()
        .filter_map(|(lacks, path)| (self.is_imported() && lacks).then_some(path))
        .collect()
    }

    /// Takes an action of the table.
    ///
    /// # Errors
    /// `WRONG_STATE`.
    pub(super) fn step(&mut self, action: Action, why: impl Into<String>) -> Result<Fact> {
        let (state, fact) = self.state.step(action, why)?;
        self.state = state;
        Ok(fact)
    }

    /// A fact that changes no state, and the rule behind it.
    pub(super) fn noted(&self, rule: Rule, action: &'static str, why: impl Into<String>) -> Fact {
        Fact::noted(action, self.state.name(), why).under(rule)
    }

    pub(super) fn post_mut(&mut self, id: PostId) -> Result<&mut Post> {
        let name = post_name(self.id, id);
        self.posts.iter_mut().find(|post| post.id == id).ok_or_else(|| Error::not_found(&name))
    }

    pub(super) fn warn(&mut self, warning: &str) {
        if !self.warnings.iter().any(|known| known == warning) {
            self.warnings.push(warning.to_owned());
        }
    }

    pub(super) fn clear_warning(&mut self, warning: &str) {
        self.warnings.retain(|known| known != warning);
    }

    /// Refuses what makes no sense while the application is being withdrawn (A01), or once it has ended.
    pub(super) fn check_goes_on(&self) -> Result<()> {
        if self.withdrawal_pending() {
            return Err(Error::refused(
                Rule("A01"),
                "WITHDRAWAL_PENDING",
                "the application is being withdrawn: wait until its posts are released",
                "la candidature est en cours de retrait : attendez que ses postes soient libérés",
            ));
        }
        if !self.is_active() {
            return Err(Error::refused(
                Rule("A05"),
                "APPLICATION_ENDED",
                "the application was refused or withdrawn: the structure may apply again",
                "la candidature a été refusée ou retirée : la structure peut en déposer une autre",
            )
            .with("state", self.state.name()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples;

    #[test]
    fn a05_only_a_refusal_or_a_withdrawal_lets_a_structure_apply_again() {
        let ended = [State::Refused, State::Withdrawn];
        for (from, _, to) in State::TABLE {
            assert!(from.is_active(), "nothing happens to an application that has ended");
            assert_eq!(to.is_active(), !ended.contains(to));
        }
    }

    #[test]
    fn a02_a_granted_application_is_not_refused_as_a_whole() {
        let error = State::Granted.step(Action::Refuse, "").unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("WRONG_STATE", Some(Rule("A02"))));
    }

    #[test]
    fn no_action_stands_twice_in_a_state_of_the_tables() {
        for (place, (from, action, _)) in State::TABLE.iter().enumerate() {
            assert!(!State::TABLE[..place].iter().any(|(f, a, _)| f == from && a == action), "{from:?} {action:?}");
        }
        for (place, (from, action, _)) in PostState::TABLE.iter().enumerate() {
            assert!(!PostState::TABLE[..place].iter().any(|(f, a, _)| f == from && a == action), "{from:?} {action:?}");
        }
    }

    #[test]
    fn an_application_reads_back_as_it_was_kept() {
        let application = examples::granted(2).application;
        let kept = serde_json::to_string(&application).unwrap();
        assert!(kept.contains(r#""state":"granted""#), "{kept}");
        assert_eq!(serde_json::from_str::<Application>(&kept).unwrap(), application);
    }
}
