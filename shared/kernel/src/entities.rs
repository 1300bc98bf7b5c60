//! The things that services speak of to one another, and their ids.

use crate::{
    Error, Result,
    id::{Entity, Id, invalid_name},
};

/// Declares entities: marker, id type, prefix, collection.
macro_rules! entities {
    ($($(#[$doc:meta])* $marker:ident, $id:ident, $prefix:literal, $collection:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $marker;

            impl Entity for $marker {
                const PREFIX: &'static str = $prefix;
                const COLLECTION: &'static str = $collection;
            }

            $(#[$doc])*
            pub type $id = Id<$marker>;
        )*
    };
}

entities! {
    /// A host structure (structure d'accueil): one for each registration number.
    Structure, StructureId, "str", "structures";
    /// An application of a structure (manifestation d'intérêt).
    Application, ApplicationId, "app", "applications";
    /// A post of an application; its resource name is [`post_name`].
    Post, PostId, "post", "posts";
    /// A wave of the committee (comité de sélection).
    Wave, WaveId, "wave", "waves";
    /// A candidate, then an adviser (conseiller numérique).
    Candidate, CandidateId, "cand", "candidates";
    /// An introduction of a candidate to a structure (mise en relation).
    Introduction, IntroductionId, "intro", "introductions";
    /// A selection and its contract (recrutement).
    Recruitment, RecruitmentId, "rec", "recruitments";
    /// A training organisation of the framework agreement (organisme de formation).
    Organisation, OrganisationId, "org", "organisations";
    /// A session of a training organisation.
    Session, SessionId, "ses", "sessions";
    /// The training of one person for one recruitment (parcours de formation).
    Training, TrainingId, "trn", "trainings";
    /// A convention between the State and a structure, with its amendments (convention, avenants).
    Convention, ConventionId, "conv", "conventions";
    /// An instalment of the grant of a post (versement).
    Instalment, InstalmentId, "inst", "instalments";
    /// A payment order sent to the paying agent (ordre de paiement).
    PaymentOrder, PaymentOrderId, "pay", "paymentOrders";
    /// A file of payment orders (pain.001).
    PaymentFile, PaymentFileId, "file", "paymentFiles";
    /// What a structure has to pay back on a post (titre de reversement).
    Claim, ClaimId, "claim", "claims";
    /// A request for follow-up figures or a report (suivi).
    FollowUp, FollowUpId, "fol", "followUps";
}

/// The resource name of a post: `applications/{application}/posts/{post}`.
#[must_use]
pub fn post_name(application: ApplicationId, post: PostId) -> String {
    format!("{}/{}", application.name(), post.name())
}

/// Reads the resource name of a post.
///
/// # Errors
/// `INVALID_NAME` at `field`.
pub fn parse_post_name(field: &str, name: &str) -> Result<(ApplicationId, PostId)> {
    let parse = || -> Option<_> {
        let (application, post) = name.split_once("/posts/")?;
        Some((Id::parse_name(field, application).ok()?, post.parse().ok()?))
    };
    parse().ok_or_else(|| -> Error { invalid_name(field, "applications/{application}/posts/{post}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ids;

    #[test]
    fn a_post_is_named_under_its_application() {
        let at = "2021-01-01T00:00:00Z".parse().unwrap();
        let (application, post): (ApplicationId, PostId) = (Ids::random().mint(at, ""), Ids::random().mint(at, ""));
        assert_eq!(parse_post_name("name", &post_name(application, post)), Ok((application, post)));
        assert!(parse_post_name("name", &application.name()).is_err());
    }
}
