//! Examining an application (A02): opinions of the territory, what the agency asks for and the answers, and the refusal.
//! Nothing is examined before the contact's address is confirmed (A07). Grants are in `grants`, the special examination
//! of a post in `derogations`. Who may speak for which department is left to access control.

use conum_kernel::{Error, Moment, Result, Rule, text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Mail, Outcome,
    application::{Action, Application},
    post::{PostAction, PostState},
};

/// An opinion of the territory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    pub favourable: bool,
    /// At most 2,000 characters; may be empty.
    pub comment: String,
    /// The application's department.
    pub department: String,
    pub at: Timestamp,
    /// The subject of the identity that gave it.
    pub actor: String,
}

/// What the agency asked for, and the structure's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// At most 2,000 characters.
    pub question: String,
    pub asked_at: Timestamp,
    /// At most 2,000 characters; `None` until it is answered.
    pub answer: Option<String>,
    pub answered_at: Option<Timestamp>,
}

/// An opinion to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordOpinion {
    pub favourable: bool,
    pub comment: String,
    pub actor: String,
}

/// Refuses what comes before the address is confirmed (A07), or while the application ends. A record of the past is
/// exempt from the confirmation.
pub(super) fn check_examinable(application: &Application) -> Result<()> {
    application.check_goes_on()?;
    if application.is_imported() {
        return Ok(());
    }
    if application.address_confirmed_at.is_none() {
        return Err(Error::refused(
            Rule("A07"),
            "ADDRESS_NOT_CONFIRMED",
            "the application is examined once the contact's address is confirmed",
            "la candidature est examinée une fois l'adresse du contact confirmée",
        ));
    }
    Ok(())
}

/// Records an opinion. The first one ends the corrections that the structure makes by itself (A04).
///
/// # Errors
/// `ADDRESS_NOT_CONFIRMED` (A07), `WRONG_STATE` (A02), a comment that is too long.
pub fn record_opinion(mut application: Application, command: RecordOpinion, at: Moment) -> Result<Outcome> {
    check_examinable(&application)?;
    let comment = text::optional("comment", &command.comment, 2000)?;
    let why = if command.favourable { "FAVOURABLE" } else { "UNFAVOURABLE" };
    let fact = application.step(Action::RecordOpinion, why)?;
    let department = application.form.profile.department().unwrap_or_default().to_owned();
    application.opinions.push(Opinion {
        favourable: command.favourable,
        comment,
        department,
        at: at.now,
        actor: command.actor,
    });
    Ok(Outcome::of(application).fact(fact))
}

/// Asks the structure for more. Asking again replaces what was not answered.
///
/// # Errors
/// `ADDRESS_NOT_CONFIRMED` (A07), `WRONG_STATE` (A02), `REQUIRED` or `TOO_LONG` at `question`.
pub fn request_information(mut application: Application, question: &str, at: Moment) -> Result<Outcome> {
    check_examinable(&application)?;
    let question = text::required("question", question, 2000)?;
    let fact = application.step(Action::RequestInformation, "")?;
    application.inquiries.push(Inquiry { question, asked_at: at.now, answer: None, answered_at: None });
    let mail = Mail::MoreInformation { application: application.id };
    Ok(Outcome::of(application).fact(fact).mail(mail))
}

/// Answers what was asked for: the examination goes on where it stood.
///
/// # Errors
/// `WRONG_STATE` (A02), `REQUIRED` or `TOO_LONG` at `answer`.
pub fn provide_information(mut application: Application, answer: &str, at: Moment) -> Result<Outcome> {
    application.check_goes_on()?;
    let answer = text::required("answer", answer, 2000)?;
    let before_opinion = application.opinions.is_empty();
    let action = if before_opinion { Action::AnswerBeforeOpinion } else { Action::AnswerAfterOpinion };
    let fact = application.step(action, "")?;
    if let Some(inquiry) = application.inquiries.last_mut() {
        inquiry.answer = Some(answer);
        inquiry.answered_at = Some(at.now);
    }
    Ok(Outcome::of(application).fact(fact))
}

/// Refuses an application, with a reason: each post that is asked for with it. The structure may apply again (A05).
///
/// # Errors
/// `ADDRESS_NOT_CONFIRMED` (A07), `WRONG_STATE` (A02) once posts are granted, `REQUIRED` or `TOO_LONG` at `reason`.
pub fn refuse(mut application: Application, reason: &str) -> Result<Outcome> {
    check_examinable(&application)?;
    let reason = text::required("reason", reason, 2000)?;
    let mut facts = vec![application.step(Action::Refuse, "")?];
    application.refusal_reason = reason;
    for post in application.posts.iter_mut().filter(|post| post.state == PostState::Asked) {
        facts.push(post.step(PostAction::Refuse)?);
    }
    let mail = Mail::Refused { application: application.id };
    Ok(Outcome { state: application, facts, events: Vec::new(), mails: vec![mail] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        application::State,
        examples::{self, moment},
    };

    fn opinion() -> RecordOpinion {
        RecordOpinion { favourable: true, comment: String::new(), actor: "prefect-69".into() }
    }

    #[test]
    fn a02_the_prefect_gives_an_opinion_and_the_examination_begins() {
        let confirmed = examples::confirmed(1).application;
        let outcome = record_opinion(confirmed, opinion(), moment("2021-01-20")).unwrap();
        assert_eq!(outcome.state.state, State::UnderExamination);
        assert_eq!(outcome.state.opinions[0].department, "69");
        assert_eq!(outcome.facts[0].why, "FAVOURABLE");
    }

    #[test]
    fn a02_asking_for_more_mails_the_structure_and_its_answer_resumes_the_examination() {
        let at = moment("2021-01-25");
        for (application, resumed) in [
            (examples::confirmed(1).application, State::Confirmed),
            (examples::examined(1).application, State::UnderExamination),
        ] {
            let asked = request_information(application, "Quel lieu ?", at).unwrap();
            assert_eq!(asked.state.state, State::InformationRequested);
            assert_eq!(asked.state.decision_reason(), "Quel lieu ?");
            assert_eq!(asked.mails, [Mail::MoreInformation { application: asked.state.id }]);

            let answered = provide_information(asked.state, "La médiathèque", at).unwrap().state;
            assert_eq!(answered.state, resumed);
            assert_eq!(answered.inquiries[0].answer.as_deref(), Some("La médiathèque"));
        }
    }

    #[test]
    fn a02_an_opinion_given_while_information_is_awaited_counts_once_it_came() {
        let at = moment("2021-01-25");
        let asked = request_information(examples::confirmed(1).application, "Quel lieu ?", at).unwrap().state;
        let with_opinion = record_opinion(asked, opinion(), at).unwrap().state;
        assert_eq!(with_opinion.state, State::InformationRequested);
        assert_eq!(provide_information(with_opinion, "Ici", at).unwrap().state.state, State::UnderExamination);
    }

    #[test]
    fn a02_a_refusal_has_a_reason_and_is_mailed() {
        let examined = examples::examined(2).application;
        assert_eq!(refuse(examined.clone(), "  ").unwrap_err().violations()[0].field, "reason");
        let outcome = refuse(examined, "Hors du périmètre").unwrap();
        assert_eq!(outcome.state.state, State::Refused);
        assert_eq!(outcome.state.decision_reason(), "Hors du périmètre");
        assert!(outcome.state.posts.iter().all(|post| post.state == PostState::Refused));
        assert_eq!(outcome.mails, [Mail::Refused { application: outcome.state.id }]);
        assert!(outcome.facts.iter().all(|fact| !fact.why.contains("périmètre")), "history holds no free text");
        assert!(!outcome.state.is_active());
    }

    #[test]
    fn a02_a_granted_application_is_not_refused_and_a_refused_one_is_over() {
        assert_eq!(refuse(examples::granted(1).application, "Non").unwrap_err().reason(), "WRONG_STATE");
        let refused = refuse(examples::examined(1).application, "Non").unwrap().state;
        let error = record_opinion(refused, opinion(), moment("2021-02-01")).unwrap_err();
        assert_eq!(error.reason(), "APPLICATION_ENDED");
    }

    #[test]
    fn a07_nothing_is_examined_before_the_address_is_confirmed() {
        let submitted = examples::submitted(1).application;
        let at = moment("2021-01-20");
        for error in [
            record_opinion(submitted.clone(), opinion(), at).unwrap_err(),
            request_information(submitted.clone(), "Quoi ?", at).unwrap_err(),
            refuse(submitted, "Non").unwrap_err(),
        ] {
            assert_eq!((error.reason(), error.rule()), ("ADDRESS_NOT_CONFIRMED", Some(Rule("A07"))));
        }
    }
}
