//! What counts in no hours: modules that the structure pays (T04), the funded months (T06), validation of experience
//! (T07), Aidants Connect (T08).

pub use conum_kernel::Sector;
use conum_kernel::{Cents, Error, Moment, Result, Rule, Violations, text};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Decision, Settings, Training, training::Action};

const T04: Rule = Rule("T04");
const T07: Rule = Rule("T07");
const T08: Rule = Rule("T08");

/// A module beside the training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    pub title: String,
    pub day: Date,
    /// Whole hours, which count nowhere.
    pub hours: u32,
    /// Borne by the structure.
    pub cost: Cents,
}

/// Whether training time is part of the 24 months that are funded (T06): of a public structure always, of a private one
/// by policy.
#[must_use]
pub fn within_funded_months(sector: Sector, settings: &Settings) -> bool {
    sector == Sector::Public || settings.private_in_months
}

/// Records a module that the structure pays. Its hours never count (T04).
///
/// # Errors
/// `WRONG_STATE`, or every wrong field at once: those of texts, `NO_HOURS`, `NEGATIVE_COST`.
pub fn record_module(mut training: Training, module: &Module) -> Result<Decision> {
    let fact = training.step(Action::RecordExtraModule, module.day.to_string())?;
    let mut wrong = Violations::default();
    let title = wrong.take(text::required("extra_module.title", &module.title, 200));
    if module.hours == 0 {
        let french = "au moins une heure";
        wrong.breaks(T04, "extra_module.minutes", "NO_HOURS", "one hour at least", french);
    }
    if module.cost < Cents::ZERO {
        let french = "un coût n'est pas négatif";
        wrong.breaks(T04, "extra_module.cost_cents", "NEGATIVE_COST", "a cost is not negative", french);
    }
    wrong.check()?;
    training.modules.push(Module { title: title.unwrap_or_default(), ..*module });
    Ok(Decision::of(training).fact(fact))
}

/// Opens the path to CCP1 by validation of experience, which the agency must have opened. Opening it again changes
/// nothing.
///
/// # Errors
/// `WRONG_STATE`, `VAE_NOT_OPEN`, `NOT_REGISTERED`.
pub fn open_vae(mut training: Training, registered: bool, settings: &Settings, moment: Moment) -> Result<Decision> {
    let fact = training.step(Action::OpenVae, "")?;
    if !settings.vae_open {
        let french = "la validation des acquis n'est pas ouverte";
        return Err(Error::refused(T07, "VAE_NOT_OPEN", "validation of experience is not open", french).at("name"));
    }
    if !registered {
        let french = "l'inscription sur la plateforme vient d'abord";
        return Err(
            Error::refused(T07, "NOT_REGISTERED", "registration on the platform comes first", french).at("name")
        );
    }
    if training.vae_opened_on.is_some() {
        return Ok(Decision::of(training));
    }
    training.vae_opened_on = Some(moment.today);
    Ok(Decision::of(training).fact(fact))
}

/// Marks an adviser in post as accredited for Aidants Connect. Marking again changes nothing.
///
/// # Errors
/// `WRONG_STATE`, `NOT_IN_POST`.
pub fn mark_aidants_connect(mut training: Training, moment: Moment) -> Result<Decision> {
    let fact = training.step(Action::MarkAidantsConnect, "")?;
    let in_post = training.contract.is_some_and(|contract| {
        contract.start <= moment.today && contract.ended.is_none_or(|last_day| moment.today <= last_day)
    });
    if !in_post {
        let french = "l'habilitation suit la prise de poste";
        return Err(Error::refused(T08, "NOT_IN_POST", "accreditation follows the start in post", french).at("name"));
    }
    if training.aidants_connect_on.is_some() {
        return Ok(Decision::of(training));
    }
    training.aidants_connect_on = Some(moment.today);
    Ok(Decision::of(training).fact(fact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examples::{SETTINGS, date, moment, opened, planned, with_hours_done},
        training::Contract,
    };

    fn module(hours: u32, cost: i64) -> Module {
        Module { title: "Accessibilité".into(), day: date("2021-04-12"), hours, cost: Cents(cost) }
    }

    #[test]
    fn t04_an_extra_module_never_counts_in_the_hours() {
        let before = planned(105);
        let after = record_module(before.clone(), &module(35, 120_000)).unwrap().state;
        assert_eq!(after.hours_done(), before.hours_done());
        assert_eq!(after.modules, [module(35, 120_000)]);
        assert!(!after.has_done_its_hours());
    }

    #[test]
    fn t04_an_extra_module_has_hours_and_no_negative_cost() {
        let error = record_module(planned(105), &Module { title: " ".into(), ..module(0, -1) }).unwrap_err();
        let reasons: Vec<_> = error.violations().iter().map(|violation| violation.reason).collect();
        assert_eq!(reasons, ["REQUIRED", "NO_HOURS", "NEGATIVE_COST"]);
    }

    #[test]
    fn t06_training_is_part_of_the_funded_months_of_both_kinds() {
        assert!(within_funded_months(Sector::Public, &SETTINGS) && within_funded_months(Sector::Private, &SETTINGS));
        let other = Settings { private_in_months: false, ..SETTINGS };
        assert!(within_funded_months(Sector::Public, &other) && !within_funded_months(Sector::Private, &other));
    }

    #[test]
    fn t07_validation_of_experience_is_off_until_opened_and_for_the_registered() {
        let open = Settings { vae_open: true, ..SETTINGS };
        let try_on = |registered, settings: &Settings| {
            open_vae(opened(), registered, settings, moment("2021-02-01")).map_err(|error| error.reason())
        };
        assert_eq!(try_on(true, &SETTINGS).unwrap_err(), "VAE_NOT_OPEN");
        assert_eq!(try_on(false, &open).unwrap_err(), "NOT_REGISTERED");
        assert_eq!(try_on(true, &open).unwrap().state.vae_opened_on, Some(date("2021-02-01")));
    }

    #[test]
    fn t08_aidants_connect_is_marked_in_post_alone() {
        let with = |start: &str, ended: Option<&str>| {
            let mut training = with_hours_done(105);
            training.contract = Some(Contract { start: date(start), ended: ended.map(date) });
            mark_aidants_connect(training, moment("2021-05-03")).map_err(|error| error.reason())
        };
        assert_eq!(mark_aidants_connect(opened(), moment("2021-05-03")).unwrap_err().rule(), Some(T08));
        assert_eq!(with("2021-05-04", None).unwrap_err(), "NOT_IN_POST");
        assert_eq!(with("2021-03-01", Some("2021-05-02")).unwrap_err(), "NOT_IN_POST");
        assert_eq!(with("2021-05-03", None).unwrap().state.aidants_connect_on, Some(date("2021-05-03")));
    }
}
