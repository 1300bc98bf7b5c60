//! Which mail goes to an application's contact: ids and facts only. The address is looked up and the text is rendered
//! when the mail is sent, so that no copy of either is kept.

use conum_kernel::{ApplicationId, IntroductionId, PostId, WaveId};
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
            | Self::Withdrawn { application }
            | Self::PostKept { application, .. }
            | Self::CandidateIntroduced { application, .. }
            | Self::IntroductionReminded { application, .. }
            | Self::CandidateGone { application, .. }
            | Self::CandidatesShort { application, .. }
            | Self::SignatureLate { application, .. } => *application,
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
            Self::Withdrawn { .. } => "withdrawn",
            Self::PostKept { .. } => "post_kept",
            Self::CandidateIntroduced { replacement: false, .. } => "candidate_introduced",
            Self::CandidateIntroduced { .. } => "candidate_replaced",
            Self::IntroductionReminded { .. } => "introduction_reminded",
            Self::CandidateGone { .. } => "candidate_gone",
            Self::CandidatesShort { .. } => "candidates_short",
            Self::SignatureLate { .. } => "signature_late",
        }
    }
}
