//! Training organisations of the framework agreement: their lots, and whom to write to (T05).

use conum_geo::department;
use conum_kernel::{Fact, OrganisationId, Result, Rule, Violations, text};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

const T05: Rule = Rule("T05");

/// A training organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    pub id: OrganisationId,
    pub display_name: String,
    pub contact: Contact,
    pub lots: Vec<Lot>,
}

/// Somebody of its staff: personal data that lives here only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub full_name: String,
    pub email: String,
    pub phone: String,
}

/// A lot of the framework agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    pub number: String,
    /// INSEE codes.
    pub departments: Vec<String>,
    pub valid_from: Date,
    /// The last day.
    pub valid_until: Date,
}

/// What is said of an organisation, not checked yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    pub display_name: String,
    pub contact: Contact,
    pub lots: Vec<Lot>,
    pub france_services: bool,
}

impl Organisation {
    /// What two spellings of its name have in common: an organisation is entered once.
    #[must_use]
    pub fn key(&self) -> String {
        text::folded(&self.display_name)
    }

    /// Whether a lot holds in a department on a day.
    #[must_use]
    pub fn trains_in(&self, department: &str, day: Date) -> bool {
        self.lots.iter().any(|lot| lot.holds_on(day) && lot.departments.iter().any(|code| code == department))
    }

    /// Whether any lot holds on a day.
    #[must_use]
    pub fn trains_on(&self, day: Date) -> bool {
        self.lots.iter().any(|lot| lot.holds_on(day))
    }
}

impl Lot {
    fn holds_on(&self, day: Date) -> bool {
        (self.valid_from..=self.valid_until).contains(&day)
    }
}

/// Enters an organisation, or what it has become.
///
/// # Errors
/// Every wrong field at once: `FRANCE_SERVICES_HOUSE`, `LOT_REQUIRED`, `UNKNOWN_DEPARTMENT`, `VALIDITY_ENDS_FIRST`,
/// `LOT_TWICE`, and those of texts and addresses.
pub fn check(id: OrganisationId, declared: Declared) -> Result<Organisation> {
    let mut wrong = Violations::default();
    let at = |field: &str| format!("organisation.{field}");
    let display_name = wrong.take(text::required(&at("display_name"), &declared.display_name, 200));
    let full_name = wrong.take(text::required(&at("contact.full_name"), &declared.contact.full_name, 200));
    let email = wrong.take(text::email(&at("contact.email"), &declared.contact.email));
    let phone = wrong.take(text::phone(&at("contact.phone"), &declared.contact.phone));
    if declared.france_services {
        wrong.breaks(
            T05,
            at("france_services"),
            "FRANCE_SERVICES_HOUSE",
            "a France Services house is no training organisation",
            "une maison France Services n'est pas un organisme de formation",
        );
    }
    check_lots(&mut wrong, &declared.lots);
    match (display_name, full_name, email, phone) {
        (Some(display_name), Some(full_name), Some(email), Some(phone)) if wrong.is_empty() => {
            let contact = Contact { full_name, email, phone };
            Ok(Organisation { id, display_name, contact, lots: declared.lots })
        }
        _ => Err(wrong.into_error()),
    }
}

fn check_lots(wrong: &mut Violations, lots: &[Lot]) {
    if lots.is_empty() {
        let french = "un organisme est titulaire d'au moins un lot du marché";
        wrong.breaks(
            T05,
            "organisation.lots",
            "LOT_REQUIRED",
            "an organisation holds a lot of the agreement at least",
            french,
        );
    }
    for (index, lot) in lots.iter().enumerate() {
        let at = |field: &str| format!("organisation.lots[{index}].{field}");
        wrong.take(text::required(&at("number"), &lot.number, 50));
        if lots[..index].iter().any(|other| other.number == lot.number) {
            wrong.breaks(T05, at("number"), "LOT_TWICE", "this lot is there already", "ce lot figure déjà");
        }
        if lot.departments.is_empty() {
            wrong.missing(at("departments"));
        }
        for code in lot.departments.iter().filter(|code| department(code).is_none()) {
            let french = format!("{code} n'est pas un code de département");
            wrong.breaks(
                T05,
                at("departments"),
                "UNKNOWN_DEPARTMENT",
                format!("{code} is no code of a department"),
                french,
            );
        }
        if lot.valid_until < lot.valid_from {
            wrong.breaks(
                T05,
                at("valid_until"),
                "VALIDITY_ENDS_FIRST",
                "the validity ends before it begins",
                "la validité prend fin avant de commencer",
            );
        }
    }
}

/// The fact of an organisation that was entered.
#[must_use]
pub fn entered() -> Fact {
    Fact { action: "ENTER", from: "", to: "LISTED", why: String::new(), rule: Some(T05) }
}

/// The fact of an organisation that was changed.
#[must_use]
pub fn changed() -> Fact {
    Fact::noted("CHANGE", "LISTED", "").under(T05)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::{date, declared, id};

    fn refused(declared: Declared) -> Vec<(String, &'static str)> {
        let error = check(id(1), declared).unwrap_err();
        error.violations().iter().map(|violation| (violation.field.clone(), violation.reason)).collect()
    }

    #[test]
    fn t05_a_france_services_house_is_no_training_organisation() {
        let house = Declared { france_services: true, ..declared(&["69"]) };
        let error = check(id(1), house).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("FRANCE_SERVICES_HOUSE", Some(T05)));
    }

    #[test]
    fn t05_a_lot_names_departments_and_its_days() {
        assert_eq!(refused(Declared { lots: vec![], ..declared(&[]) }), [("organisation.lots".into(), "LOT_REQUIRED")]);
        let mut odd = declared(&["69", "20"]);
        odd.lots[0].valid_until = date("2020-01-01");
        odd.display_name = String::new();
        let fields: Vec<_> = refused(odd).into_iter().map(|(_, reason)| reason).collect();
        assert_eq!(fields, ["REQUIRED", "UNKNOWN_DEPARTMENT", "VALIDITY_ENDS_FIRST"]);
    }

    #[test]
    fn t05_an_organisation_trains_where_and_while_its_lot_holds() {
        let organisation = check(id(1), declared(&["69", "974"])).unwrap();
        let (first, last) = (organisation.lots[0].valid_from, organisation.lots[0].valid_until);
        assert!(organisation.trains_in("974", first) && organisation.trains_in("69", last));
        assert!(!organisation.trains_in("38", first));
        assert!(!organisation.trains_in("69", last.tomorrow().unwrap()));
        assert!(!organisation.trains_on(first.yesterday().unwrap()));
    }
}
