//! Deciding the special examination of a post: one that consolidates an existing post (A09), or a coordinator's (A10).
//! A post whose derogation is not accepted is not granted; it stays asked for, so that it can be corrected into an
//! ordinary one.

use conum_kernel::{Error, PostId, Result, Rule, text};

use super::{
    Event, Mail, Outcome,
    application::Application,
    examination::check_examinable,
    post::{DerogationState, PostState},
};

/// The agency's answer to a derogation that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecideDerogation {
    pub post: PostId,
    pub accepted: bool,
    /// At most 2,000 characters.
    pub reason: String,
}

/// Decides the derogation of a post that is still asked for. Deciding again replaces the first decision.
///
/// # Errors
/// `NOT_FOUND`, `NO_DEROGATION_ASKED` (A09), `POST_DECIDED` (A02), `ADDRESS_NOT_CONFIRMED` (A07), `REQUIRED` at
/// `reason`.
pub fn decide(mut application: Application, command: &DecideDerogation) -> Result<Outcome> {
    check_examinable(&application)?;
    let reason = text::required("reason", &command.reason, 2000)?;
    let post = application.post_mut(command.post)?;
    if post.state != PostState::Asked {
        return Err(Error::refused(
            Rule("A02"),
            "POST_DECIDED",
            "this post is no longer asked for",
            "ce poste n'est plus demandé",
        ));
    }
    let Some(derogation) = post.derogation.as_mut() else {
        return Err(Error::refused(
            Rule("A09"),
            "NO_DEROGATION_ASKED",
            "this post needs no special examination",
            "ce poste ne demande pas d'examen particulier",
        ));
    };
    let (state, action) = if command.accepted {
        (DerogationState::Accepted, "ACCEPT_DEROGATION")
    } else {
        (DerogationState::Refused, "REFUSE_DEROGATION")
    };
    derogation.state = state;
    derogation.reason = reason;
    let rule = derogation.rule();
    let consolidates = derogation.consolidates();
    let fact = application.noted(rule, action, command.post.to_string());
    let (post, accepted) = (command.post, command.accepted);
    let mail = Mail::DerogationDecided { application: application.id, post, accepted };
    let (id, structure) = (application.id, application.structure);
    let event = Event::DerogationDecided { application: id, structure, post, accepted, consolidates };
    Ok(Outcome::of(application).fact(fact).event(event).mail(mail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples;

    fn command(application: &Application, accepted: bool) -> DecideDerogation {
        DecideDerogation { post: application.posts[0].id, accepted, reason: "Examinée en comité".into() }
    }

    fn asking() -> Application {
        let mut application = examples::examined(1).application;
        application.posts[0].derogation = Some(examples::coordinator(DerogationState::Asked));
        application
    }

    #[test]
    fn a09_a10_a_derogation_is_decided_with_a_reason_and_mailed() {
        for accepted in [true, false] {
            let application = asking();
            let outcome = decide(application.clone(), &command(&application, accepted)).unwrap();
            let expected = if accepted { DerogationState::Accepted } else { DerogationState::Refused };
            assert_eq!(outcome.state.posts[0].derogation_state(), Some(expected));
            assert!(matches!(outcome.mails[..], [Mail::DerogationDecided { accepted: told, .. }] if told == accepted));
            assert!(
                matches!(outcome.events[..], [Event::DerogationDecided { accepted: told, .. }] if told == accepted)
            );
        }
        let application = asking();
        let silent = DecideDerogation { reason: String::new(), ..command(&application, true) };
        assert_eq!(decide(application, &silent).unwrap_err().violations()[0].field, "reason");
    }

    #[test]
    fn a09_a_coordinator_with_a_contract_to_come_consolidates_nothing() {
        let mut application = asking();
        application.posts[0].existing_contract = Some(examples::contract("2021-05-01", "2021-06-01"));
        let command = command(&application, true);
        let outcome = decide(application, &command).unwrap();
        assert!(matches!(outcome.events[..], [Event::DerogationDecided { accepted: true, consolidates: false, .. }]));
    }

    #[test]
    fn a09_an_ordinary_post_has_no_derogation_to_decide() {
        let application = examples::examined(1).application;
        let command = command(&application, true);
        assert_eq!(decide(application, &command).unwrap_err().reason(), "NO_DEROGATION_ASKED");
    }

    #[test]
    fn a07_a_derogation_is_examined_after_the_address_is_confirmed() {
        let application = examples::submitted(1).application;
        let command = command(&application, true);
        assert_eq!(decide(application, &command).unwrap_err().reason(), "ADDRESS_NOT_CONFIRMED");
    }
}
