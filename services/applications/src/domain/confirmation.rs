//! Confirming the contact's address through a mailed link (A07). The application keeps a hash of the link's token and
//! the last day on which it can be used; where the token comes from, and the link's form, are left to the caller.

use std::fmt;

use conum_kernel::{Error, Moment, Result, Rule, dates::add_days};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    Mail, Outcome, Settings,
    application::{Action, Application, State},
};

/// The secret of a mailed link. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// What the link carries.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> String {
        use fmt::Write as _;
        Sha256::digest(self.0.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A link that was mailed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// SHA-256, in lower-case hexadecimal.
    pub token_hash: String,
    /// The last day on which the link can be used.
    pub valid_until: Date,
}

impl Confirmation {
    /// A link mailed on a day.
    #[must_use]
    pub fn mailed(token: &Token, settings: &Settings, today: Date) -> Self {
        Self { token_hash: token.hash(), valid_until: add_days(today, settings.confirmation_days) }
    }
}

/// Confirms the address. Once more with the same link is harmless, even when it has lapsed meanwhile.
///
/// # Errors
/// `INVALID_TOKEN`, `TOKEN_EXPIRED`, or `WRONG_STATE` where the application has ended (A07).
pub fn confirm(mut application: Application, token: &Token, at: Moment) -> Result<Outcome> {
    let link = application.confirmation.as_ref().filter(|link| link.token_hash == token.hash());
    let Some(link) = link else {
        return Err(Error::refused(
            Rule("A07"),
            "INVALID_TOKEN",
            "this link is not the last one that was mailed",
            "ce lien n'est pas le dernier qui a été envoyé",
        ));
    };
    if application.address_confirmed_at.is_some() {
        return Ok(Outcome::of(application));
    }
    if at.today > link.valid_until {
        return Err(Error::refused(
            Rule("A07"),
            "TOKEN_EXPIRED",
            "this link can no longer be used: ask for another",
            "ce lien n'est plus valable : demandez-en un autre",
        ));
    }
    let fact = match application.state {
        // An address that changed while information was asked for is confirmed when the answer has come already.
        State::Confirmed
        | State::UnderExamination
        | State::InformationRequested
        | State::Granted
        | State::GivenBack => application.noted(Rule("A07"), "CONFIRM_ADDRESS", ""),
        _ => application.step(Action::ConfirmAddress, "")?,
    };
    application.address_confirmed_at = Some(at.now);
    Ok(Outcome::of(application).fact(fact))
}

/// Mails another link; the one before can no longer be used.
///
/// # Errors
/// `ALREADY_CONFIRMED` or `NO_CONTACT` (A07), `APPLICATION_ENDED` (A05).
pub fn resend(mut application: Application, token: Token, settings: &Settings, at: Moment) -> Result<Outcome> {
    application.check_goes_on()?;
    if application.address_confirmed_at.is_some() {
        return Err(Error::refused(
            Rule("A07"),
            "ALREADY_CONFIRMED",
            "the contact's address is confirmed",
            "l'adresse du contact est confirmée",
        ));
    }
    if application.form.contact.is_none() {
        return Err(Error::refused(
            Rule("A07"),
            "NO_CONTACT",
            "the application has no contact to write to",
            "la candidature n'a pas de contact à qui écrire",
        ));
    }
    application.confirmation = Some(Confirmation::mailed(&token, settings, at.today));
    let fact = application.noted(Rule("A07"), "RESEND_CONFIRMATION", "");
    let mail = Mail::ConfirmAddress { application: application.id, token };
    Ok(Outcome::of(application).fact(fact).mail(mail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::{self, moment, settings};

    #[test]
    fn a07_the_mailed_link_confirms_the_address() {
        let application = examples::submitted(1).application;
        let outcome = confirm(application, &examples::token(), moment("2021-01-05")).unwrap();
        assert_eq!(outcome.state.state, State::Confirmed);
        assert_eq!(outcome.facts[0].action, "CONFIRM_ADDRESS");
    }

    #[test]
    fn a07_an_address_that_changed_before_an_answer_is_confirmed_after_it() {
        let mut application = examples::confirmed(1).application;
        application.address_confirmed_at = None;
        application.confirmation = examples::submitted(1).application.confirmation;
        let outcome = confirm(application, &examples::token(), moment("2021-01-05")).unwrap();
        assert_eq!(outcome.state.state, State::Confirmed);
        assert!(outcome.state.address_confirmed_at.is_some());
    }

    #[test]
    fn a07_a_link_works_for_thirty_days_and_not_on_the_next() {
        let application = examples::submitted(1).application;
        assert_eq!(examples::APPLIED, "2021-01-04");
        assert!(confirm(application.clone(), &examples::token(), moment("2021-02-03")).is_ok());
        let error = confirm(application, &examples::token(), moment("2021-02-04")).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("TOKEN_EXPIRED", Some(Rule("A07"))));
    }

    #[test]
    fn a07_another_link_does_not_confirm() {
        let application = examples::submitted(1).application;
        let error = confirm(application, &Token::new("guessed"), moment("2021-01-05")).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("INVALID_TOKEN", Some(Rule("A07"))));
    }

    #[test]
    fn a07_confirming_again_is_harmless_even_once_the_link_has_lapsed() {
        let confirmed = examples::confirmed(1).application;
        let outcome = confirm(confirmed.clone(), &examples::token(), moment("2021-12-31")).unwrap();
        assert_eq!(outcome, Outcome::of(confirmed));
    }

    #[test]
    fn a07_a_link_that_is_mailed_again_replaces_the_one_before() {
        let application = examples::submitted(1).application;
        let second = Token::new("second");
        let resent = resend(application, second.clone(), &settings(), moment("2021-03-01")).unwrap();
        assert_eq!(resent.mails, [Mail::ConfirmAddress { application: resent.state.id, token: second.clone() }]);
        assert!(confirm(resent.state.clone(), &examples::token(), moment("2021-03-01")).is_err());
        let confirmed = confirm(resent.state, &second, moment("2021-03-31")).unwrap().state;
        assert_eq!(
            resend(confirmed, second, &settings(), moment("2021-03-31")).unwrap_err().reason(),
            "ALREADY_CONFIRMED"
        );
    }

    #[test]
    fn a07_the_token_is_kept_as_a_hash_and_never_printed() {
        let application = examples::submitted(1).application;
        let kept = serde_json::to_string(&application).unwrap();
        assert!(!kept.contains(examples::token().secret()), "{kept}");
        assert!(!format!("{:?}", examples::token()).contains(examples::token().secret()));
        assert_eq!(Token::new("abc").hash(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
