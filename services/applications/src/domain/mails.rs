//! Which mail goes to an application's contact: ids and facts only. The address is looked up and the text is rendered
//! when the mail is sent, so that no copy of either is kept.

use conum_kernel::{ApplicationId, PostId, WaveId};
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
            | Self::PostKept { application, .. } => *application,
        }
    }
}
