//! Which mail goes to an application's contact: ids and facts only. The address is looked up and the text is rendered
//! when the mail is sent, so that no copy of either is kept.

use conum_kernel::{ApplicationId, Cents, IntroductionId, PostId, WaveId};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::confirmation::Token;

/// A mail to the contact of an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Mail {
    /// The link that confirms the address (A07). The token is the one secret that a mail holds: nothing else keeps it.
    ConfirmAddress { application: ApplicationId, token: Token },
    /// The agency asks for more (A02): the question is read from the application.
    MoreInformation { application: ApplicationId },
    /// Posts were granted (A02, P03).
    PostsGranted { application: ApplicationId, wave: WaveId, posts: u32 },
    /// The steps, what stays the employer's own, and the documents that are asked for (A02, A12, A17).
    WelcomeKit { application: ApplicationId },
    /// The application was refused (A02): the reason is read from it.
    Refused { application: ApplicationId },
    /// A special examination was decided (A09, A10).
    DerogationDecided { application: ApplicationId, post: PostId, accepted: bool },
    /// A correction was accepted or refused (A04).
    CorrectionDecided { application: ApplicationId, correction: u32, accepted: bool },
    /// A supporting document was rejected: another is expected (A12).
    DocumentRejected { application: ApplicationId, document: super::documents::DocumentKind },
    /// Every supporting document is validated (A12).
    DossierCompleted { application: ApplicationId },
    /// The file was complete, and asks for documents again (A12).
    DossierReopened { application: ApplicationId },
    /// The application is withdrawn (A01).
    Withdrawn { application: ApplicationId },
    /// A contract is signed on the post: it could not be given back (A01, A19).
    PostKept { application: ApplicationId, post: PostId },
    /// A candidate is introduced (M02), or comes in the place of another one (M03): known by the distance alone.
    CandidateIntroduced {
        application: ApplicationId,
        introduction: IntroductionId,
        replacement: bool,
        /// Metres between the two communes, where both places are known.
        distance_m: Option<u32>,
        expires_at: Timestamp,
    },
    /// An introduction has been unanswered for some time (M03).
    IntroductionReminded { application: ApplicationId, introduction: IntroductionId, expires_at: Timestamp },
    /// The candidate of an introduction is no longer there to meet (M06).
    CandidateGone { application: ApplicationId, introduction: IntroductionId, reason: Gone },
    /// No possible candidate is left around (M04).
    CandidatesShort { application: ApplicationId, live: u32 },
    /// No contract was signed within the indicative delay (M07).
    SignatureLate { application: ApplicationId, launched_on: Option<Date> },
    /// The plan of a training was settled, or changed (T01, T02): whole hours, and the first and the last day of the
    /// initial training, where it has some.
    TrainingPlanned { application: ApplicationId, hours: u32, days: Option<(Date, Date)> },
    /// The days that were told no longer stand (T05).
    TrainingUnplanned { application: ApplicationId },
    /// Somebody who was selected is trained (T03).
    TrainingCompleted { application: ApplicationId, on: Date },
    /// The convention was signed, or an amendment of a number (F02).
    ConventionSigned { application: ApplicationId, amendment: u32, posts: u32, granted: Cents, signed_on: Date },
    /// An instalment came due and is held (F03).
    InstalmentHeld { application: ApplicationId, post: PostId, reason: Held },
    /// An instalment was paid (F03).
    InstalmentPaid { application: ApplicationId, post: PostId, number: u32, amount: Cents, paid_on: Date },
    /// The payments were suspended (F04).
    GrantSuspended { application: ApplicationId },
    /// Money is claimed back (F04).
    ClaimRaised { application: ApplicationId, post: PostId, amount: Cents },
    /// The grant of a post ends in some months (F07).
    GrantEnding { application: ApplicationId, post: PostId, last_day: Date, months_left: u32 },
    /// Follow-up figures or a report are asked for (F09).
    FollowUpRequested { application: ApplicationId, due_on: Date },
}

/// Why an instalment is held (F03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    DocumentsMissing,
    Suspended,
    /// On the post.
    NoContract,
    /// Follow-up that was asked for (F09).
    ReportLate,
    /// The reason and the documents of an early end are not accepted yet (F04).
    EndingUnsettled,
    NoBankAccount,
    FileIncomplete,
    /// For a listed reason of its own.
    AgencyDecision,
}

impl Held {
    /// The reason of a word of the contract.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "documents_missing" => Self::DocumentsMissing,
            "suspended" => Self::Suspended,
            "no_contract" => Self::NoContract,
            "report_late" => Self::ReportLate,
            "ending_unsettled" => Self::EndingUnsettled,
            "no_bank_account" => Self::NoBankAccount,
            "file_incomplete" => Self::FileIncomplete,
            "agency_decision" => Self::AgencyDecision,
            _ => return None,
        })
    }
}

/// Why a candidate is no longer there to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// By another structure.
    Recruited,
    /// From the programme.
    Left,
    /// May not be introduced any more, for whatever reason.
    Ineligible,
}

impl Gone {
    /// The reasons of matching that are told to the structure; it knows the others, or has brought them about.
    #[must_use]
    pub fn of_closure(reason: &str) -> Option<Self> {
        match reason {
            "candidate_recruited" => Some(Self::Recruited),
            "candidate_left" => Some(Self::Left),
            "candidate_ineligible" => Some(Self::Ineligible),
            _ => None,
        }
    }
}

impl Mail {
    /// The application whose contact it goes to.
    #[must_use]
    pub fn application(&self) -> ApplicationId {
        match self {
            Self::ConfirmAddress { application, .. }
            | Self::MoreInformation { application }
            | Self::PostsGranted { application, .. }
            | Self::WelcomeKit { application }
            | Self::Refused { application }
            | Self::DerogationDecided { application, .. }
            | Self::CorrectionDecided { application, .. }
            | Self::DocumentRejected { application, .. }
            | Self::DossierCompleted { application }
            | Self::DossierReopened { application }
            | Self::Withdrawn { application }
            | Self::PostKept { application, .. }
            | Self::CandidateIntroduced { application, .. }
            | Self::IntroductionReminded { application, .. }
            | Self::CandidateGone { application, .. }
            | Self::CandidatesShort { application, .. }
            | Self::SignatureLate { application, .. }
            | Self::TrainingPlanned { application, .. }
            | Self::TrainingUnplanned { application }
            | Self::TrainingCompleted { application, .. }
            | Self::ConventionSigned { application, .. }
            | Self::InstalmentHeld { application, .. }
            | Self::InstalmentPaid { application, .. }
            | Self::GrantSuspended { application }
            | Self::ClaimRaised { application, .. }
            | Self::GrantEnding { application, .. }
            | Self::FollowUpRequested { application, .. } => *application,
        }
    }

    /// The kind that it is queued and counted under, snake_case.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ConfirmAddress { .. } => "confirm_address",
            Self::MoreInformation { .. } => "more_information",
            Self::PostsGranted { .. } => "posts_granted",
            Self::WelcomeKit { .. } => "welcome_kit",
            Self::Refused { .. } => "refused",
            Self::DerogationDecided { .. } => "derogation_decided",
            Self::CorrectionDecided { .. } => "correction_decided",
            Self::DocumentRejected { .. } => "document_rejected",
            Self::DossierCompleted { .. } => "dossier_completed",
            Self::DossierReopened { .. } => "dossier_reopened",
            Self::Withdrawn { .. } => "withdrawn",
            Self::PostKept { .. } => "post_kept",
            Self::CandidateIntroduced { replacement: false, .. } => "candidate_introduced",
            Self::CandidateIntroduced { .. } => "candidate_replaced",
            Self::IntroductionReminded { .. } => "introduction_reminded",
            Self::CandidateGone { .. } => "candidate_gone",
            Self::CandidatesShort { .. } => "candidates_short",
            Self::SignatureLate { .. } => "signature_late",
            Self::TrainingPlanned { .. } => "training_planned",
            Self::TrainingUnplanned { .. } => "training_unplanned",
            Self::TrainingCompleted { .. } => "training_completed",
            Self::ConventionSigned { amendment: 0, .. } => "convention_signed",
            Self::ConventionSigned { .. } => "amendment_signed",
            Self::InstalmentHeld { .. } => "instalment_held",
            Self::InstalmentPaid { .. } => "instalment_paid",
            Self::GrantSuspended { .. } => "grant_suspended",
            Self::ClaimRaised { .. } => "claim_raised",
            Self::GrantEnding { .. } => "grant_ending",
            Self::FollowUpRequested { .. } => "follow_up_requested",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f03_each_word_of_the_contract_is_a_reason_to_hold_an_instalment() {
        for word in [
            "documents_missing",
            "suspended",
            "no_contract",
            "report_late",
            "ending_unsettled",
            "no_bank_account",
            "file_incomplete",
            "agency_decision",
        ] {
            let reason = Held::of(word).unwrap();
            assert_eq!(serde_json::to_value(reason).unwrap(), word);
        }
        assert_eq!(Held::of("bored"), None);
    }

    #[test]
    fn a_mail_reads_back_as_it_was_queued() {
        let application = conum_kernel::Ids::seeded(1).mint("2021-01-01T00:00:00Z".parse().unwrap(), "application");
        let (first, last) = (Date::constant(2021, 2, 1), Date::constant(2021, 2, 19));
        for mail in [
            Mail::TrainingPlanned { application, hours: 105, days: Some((first, last)) },
            Mail::TrainingPlanned { application, hours: 105, days: None },
            Mail::ConventionSigned { application, amendment: 2, posts: 1, granted: Cents(5_000_000), signed_on: last },
        ] {
            let queued = serde_json::to_value(&mail).unwrap();
            assert_eq!(serde_json::from_value::<Mail>(queued).unwrap(), mail);
        }
    }
}
