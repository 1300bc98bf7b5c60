//! Partners of shared posts (A06): named after the application, they neither employ nor are paid, and hold no
//! application for the same post. The platform cannot tell one post of two applications from another, so a structure
//! with an active application of its own is refused as a partner.

use conum_kernel::{ApplicationId, Error, Result, Rule, Violations, text};
use serde::{Deserialize, Serialize};

use super::{Outcome, application::Application, registration_number};

/// The contract's own limit of partners of one application.
const MAX_PARTNERS: usize = 500;

/// A partner of shared posts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Digits only.
    pub registration_number: String,
    /// At most 200 characters.
    pub legal_name: String,
}

/// Adds a partner. `active` is the partner's own active application, where it has one. The lead structure stays the one
/// that applies, employs and is paid.
///
/// # Errors
/// Wrong fields; `PARTNER_IS_LEAD`, `PARTNER_KNOWN` or `PARTNER_HAS_APPLICATION` (A06), `APPLICATION_ENDED` (A05).
pub fn add(mut application: Application, partner: &Partner, active: Option<ApplicationId>) -> Result<Outcome> {
    application.check_goes_on()?;
    let mut violations = Violations::default();
    let department = application.form.profile.department();
    let number_at = "partner.registration_number";
    let number = violations.take(registration_number::check(number_at, &partner.registration_number, department));
    let legal_name = violations.take(text::required("partner.legal_name", &partner.legal_name, 200));
    if number.is_some() && number == application.form.profile.registration_number {
        violations.breaks(
            Rule("A06"),
            number_at,
            "PARTNER_IS_LEAD",
            "the lead structure is no partner of itself",
            "la structure porteuse n'est pas son propre partenaire",
        );
    }
    if application.partners.iter().any(|known| Some(&known.registration_number) == number.as_ref()) {
        violations.breaks(
            Rule("A06"),
            number_at,
            "PARTNER_KNOWN",
            "this structure is a partner already",
            "cette structure est déjà partenaire",
        );
    }
    if application.partners.len() >= MAX_PARTNERS {
        violations.add("partner", "TOO_MANY", "too many partners", "trop de partenaires");
    }
    let (Some(registration_number), Some(legal_name)) = (number, legal_name) else {
        return Err(violations.into_error());
    };
    violations.check()?;
    if let Some(other) = active {
        return Err(Error::refused(
            Rule("A06"),
            "PARTNER_HAS_APPLICATION",
            "a partner of shared posts holds no application of its own: the lead structure alone applies",
            "un partenaire de postes mutualisés n'a pas de candidature à lui : seule la structure porteuse candidate",
        )
        .with("existing", other.name()));
    }
    application.partners.push(Partner { registration_number, legal_name });
    let fact = application.noted(Rule("A06"), "ADD_PARTNER", "");
    Ok(Outcome::of(application).fact(fact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples;

    fn partner(number: &str) -> Partner {
        Partner { registration_number: number.into(), legal_name: "Commune voisine".into() }
    }

    #[test]
    fn a06_partners_are_added_later_by_name_and_number_and_the_lead_keeps_its_posts() {
        for story in [examples::submitted(1), examples::granted(1)] {
            let before = story.application;
            let after = add(before.clone(), &partner("226 900 017 00014"), None).unwrap().state;
            assert_eq!(after.partners, [partner("22690001700014")]);
            assert_eq!((after.structure, after.posts), (before.structure, before.posts));
        }
    }

    #[test]
    fn a06_a_partner_holds_no_application_of_its_own() {
        let application = examples::granted(1).application;
        let other: ApplicationId = examples::id(98);
        let error = add(application, &partner("22690001700014"), Some(other)).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("PARTNER_HAS_APPLICATION", Some(Rule("A06"))));
        assert_eq!(error.metadata(), [("existing", other.name())]);
    }

    #[test]
    fn a06_the_lead_is_no_partner_and_a_partner_is_named_once() {
        let application = examples::granted(1).application;
        let lead = application.form.profile.registration_number.clone().unwrap();
        assert_eq!(add(application.clone(), &partner(&lead), None).unwrap_err().reason(), "PARTNER_IS_LEAD");
        let application = add(application, &partner("22690001700014"), None).unwrap().state;
        let again = add(application, &partner("22690001700014"), None).unwrap_err();
        assert_eq!(again.reason(), "PARTNER_KNOWN");
    }

    #[test]
    fn a06_every_wrong_field_of_a_partner_is_named() {
        let wrong = Partner { registration_number: "1".into(), legal_name: " ".into() };
        let error = add(examples::granted(1).application, &wrong, None).unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["partner.registration_number", "partner.legal_name"]);
    }
}
