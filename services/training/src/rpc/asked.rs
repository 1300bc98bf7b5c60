//! Requests as the domain is given them. Every wrong field is named at once.

use conum_kernel::{Cents, Error, OrganisationId, Result, Rule, Violations};
use conum_proto::{google::r#type::Date as WireDate, training::v1 as proto};
use conum_service::wire;
use jiff::civil::Date;

use super::optional;
use crate::domain::{
    attendance::{AbsenceReason, DayHours},
    beside::Module,
    calendar::PlannedDay,
    exam::{Certification, Outcome},
    hours,
    organisation::{Contact, Declared, Lot, Organisation},
    plan,
    preparing::{Interview, Level, Mode, Need, Opinion, Preference},
    session::{self, Session},
};

fn unknown(rule: &'static str, field: &str) -> Error {
    let mut wrong = Violations::default();
    let french = "une valeur de la liste est attendue";
    wrong.breaks(Rule(rule), field, "UNKNOWN_VALUE", "a value of the list is expected", french);
    wrong.into_error()
}

fn day(field: &str, value: Option<&WireDate>) -> Result<Date> {
    wire::required_date(field, value)
}

/// An organisation as it is declared, with what a mask leaves of the one that is known.
///
/// # Errors
/// Names every field that is missing or no date.
pub fn organisation(asked: &proto::Organisation, known: Option<&Organisation>, paths: &[&str]) -> Result<Declared> {
    let mut wrong = Violations::default();
    let takes = |path: &str| known.is_none() || paths.contains(&path);
    let mut declared = known.map_or_else(Declared::default, |known| Declared {
        display_name: known.display_name.clone(),
        contact: known.contact.clone(),
        lots: known.lots.clone(),
        france_services: false,
    });
    if takes("display_name") {
        declared.display_name.clone_from(&asked.display_name);
    }
    if takes("contact") {
        let contact = asked.contact.clone().unwrap_or_default();
        declared.contact = Contact { full_name: contact.full_name, email: contact.email, phone: contact.phone };
    }
    if takes("france_services") {
        declared.france_services = asked.france_services;
    }
    if takes("lots") {
        let lots = asked.lots.iter().enumerate();
        declared.lots = lots.filter_map(|(index, asked)| lot(&mut wrong, index, asked)).collect();
    }
    wrong.check()?;
    Ok(declared)
}

fn lot(wrong: &mut Violations, index: usize, asked: &proto::Lot) -> Option<Lot> {
    let at = |field: &str| format!("organisation.lots[{index}].{field}");
    let from = wrong.take(day(&at("valid_from"), asked.valid_from.as_ref()));
    let until = wrong.take(day(&at("valid_until"), asked.valid_until.as_ref()));
    Some(Lot {
        number: asked.number.trim().to_owned(),
        departments: asked.departments.clone(),
        valid_from: from?,
        valid_until: until?,
    })
}

/// A session as it is declared, with what a mask leaves of the one that is known.
///
/// # Errors
/// Names every field that is missing, unknown or no date.
pub fn session(asked: &proto::Session, known: Option<&Session>, paths: &[&str]) -> Result<session::Declared> {
    let mut wrong = Violations::default();
    let takes = |path: &str| paths.contains(&path);
    let mut date = |path: &str, value: Option<&WireDate>, known: Option<Date>| match known {
        Some(known) if !takes(path) => Some(known),
        _ => wrong.take(day(&format!("session.{path}"), value)),
    };
    let starts_on = date("starts_on", asked.starts_on.as_ref(), known.map(|known| known.starts_on));
    let ends_on = date("ends_on", asked.ends_on.as_ref(), known.map(|known| known.ends_on));
    let deadline =
        date("registration_deadline", asked.registration_deadline.as_ref(), known.map(|known| known.deadline));
    let on_line = match known {
        Some(known) if !takes("mode") => Some(known.site.is_none()),
        _ => wrong
            .take(mode(asked.mode()).ok_or_else(|| unknown("T05", "session.mode")))
            .map(|mode| mode == Mode::OnLine),
    };
    let commune = match known {
        Some(known) if !takes("commune") => known.site.as_ref().map(|site| site.commune.clone()).unwrap_or_default(),
        _ => asked.commune.clone(),
    };
    let capacity = match known {
        Some(known) if !takes("capacity") => known.capacity,
        // What is negative is out of bounds as 0 is.
        _ => u32::try_from(asked.capacity).unwrap_or(0),
    };
    match (on_line, starts_on, ends_on, deadline) {
        (Some(on_line), Some(starts_on), Some(ends_on), Some(deadline)) => {
            Ok(session::Declared { on_line, commune, starts_on, ends_on, deadline, capacity })
        }
        _ => Err(wrong.into_error()),
    }
}

/// The listed reason of a cancellation.
///
/// # Errors
/// `UNKNOWN_VALUE`.
pub fn cancel_reason(reason: proto::session::CancelReason) -> Result<&'static str> {
    match reason {
        proto::session::CancelReason::Unspecified => Err(unknown("T05", "reason")),
        reason => Ok(reason.as_str_name().trim_start_matches("CANCEL_REASON_")),
    }
}

fn mode(mode: proto::Mode) -> Option<Mode> {
    match mode {
        proto::Mode::Unspecified => None,
        proto::Mode::OnSite => Some(Mode::OnSite),
        proto::Mode::OnLine => Some(Mode::OnLine),
    }
}

/// What a person prefers.
///
/// # Errors
/// `INVALID_NAME`.
pub fn preference(asked: Option<&proto::Preference>) -> Result<Preference> {
    let asked = asked.ok_or_else(|| wire::required("preference"))?;
    let organisation = optional("preference.organisation", &asked.organisation)?;
    Ok(Preference { mode: mode(asked.mode()), organisation })
}

/// An interview. `held_by` is the organisation that records it.
///
/// # Errors
/// Names every field that is missing, unknown or out of T01's bounds.
pub fn interview(asked: Option<&proto::Interview>, held_by: Option<OrganisationId>) -> Result<Interview> {
    use proto::interview::{Level as WireLevel, Need as WireNeed};
    let asked = asked.ok_or_else(|| wire::required("interview"))?;
    let mut wrong = Violations::default();
    let held_on = wrong.take(day("interview.held_on", asked.held_on.as_ref()));
    let consulted = wrong.take(day("interview.employer_consulted_on", asked.employer_consulted_on.as_ref()));
    let proposed = wrong.take(hours::of_training("interview.proposed_minutes", asked.proposed_minutes));
    let level = match asked.level() {
        WireLevel::Beginner => Some(Level::Beginner),
        WireLevel::Intermediate => Some(Level::Intermediate),
        WireLevel::Experienced => Some(Level::Experienced),
        WireLevel::Unspecified => wrong.take(Err(unknown("T01", "interview.level"))),
    };
    let mut needs = Vec::new();
    for (index, need) in asked.needs().enumerate() {
        let need = match need {
            WireNeed::DigitalSkills => Some(Need::DigitalSkills),
            WireNeed::Teaching => Some(Need::Teaching),
            WireNeed::WelcomingThePublic => Some(Need::WelcomingThePublic),
            WireNeed::OnlineProcedures => Some(Need::OnlineProcedures),
            WireNeed::DataProtection => Some(Need::DataProtection),
            WireNeed::AdaptedMaterial => Some(Need::AdaptedMaterial),
            WireNeed::Unspecified => wrong.take(Err(unknown("T01", &format!("interview.needs[{index}]")))),
        };
        needs.extend(need.filter(|need| !needs.contains(need)));
    }
    match (held_on, consulted, level, proposed) {
        (Some(held_on), Some(employer_consulted_on), Some(level), Some(proposed)) if wrong.is_empty() => {
            Ok(Interview { held_on, employer_consulted_on, level, proposed, needs, organisation: held_by })
        }
        _ => Err(wrong.into_error()),
    }
}

/// What the employer thinks.
///
/// # Errors
/// `UNKNOWN_VALUE`.
pub fn opinion(asked: Option<&proto::EmployerView>) -> Result<Opinion> {
    use proto::employer_view::Opinion as Wire;
    match asked.map(proto::EmployerView::opinion).unwrap_or_default() {
        Wire::Favourable => Ok(Opinion::Favourable),
        Wire::Unfavourable => Ok(Opinion::Unfavourable),
        Wire::Unspecified => Err(unknown("T01", "employer_view.opinion")),
    }
}

/// A plan.
///
/// # Errors
/// Names every field that is missing, no date, or breaks T01.
pub fn plan(asked: Option<&proto::Plan>) -> Result<plan::Asked> {
    let asked = asked.ok_or_else(|| wire::required("plan"))?;
    let mut wrong = Violations::default();
    let hours = wrong.take(hours::of_training("plan.minutes", asked.minutes));
    let initial = planned_days(&mut wrong, "plan.initial_days", &asked.initial_days);
    let continuing = planned_days(&mut wrong, "plan.continuing_days", &asked.continuing_days);
    match hours {
        Some(hours) if wrong.is_empty() => Ok(plan::Asked { hours, initial, continuing }),
        _ => Err(wrong.into_error()),
    }
}

/// The most days of a part of a plan.
const MOST_DAYS: usize = 500;

fn planned_days(wrong: &mut Violations, field: &str, asked: &[proto::PlannedDay]) -> Vec<PlannedDay> {
    if asked.len() > MOST_DAYS {
        wrong.add(field, "TOO_MANY", "at most 500 days", "au plus 500 jours");
        return Vec::new();
    }
    let read = |(index, asked): (usize, &proto::PlannedDay)| {
        let on = wrong.take(day(&format!("{field}[{index}].day"), asked.day.as_ref()));
        let hours = wrong.take(hours::whole(&format!("{field}[{index}].minutes"), asked.minutes));
        Some(PlannedDay { day: on?, hours: hours? })
    };
    asked.iter().enumerate().filter_map(read).collect()
}

/// Hours done on days. `field` is the path of the first one's parent: `hours[{}]`, or `hours`.
///
/// # Errors
/// Names every field that is missing, no date, or breaks T01.
pub fn day_hours(asked: &[proto::DayHours], field: impl Fn(usize) -> String) -> Result<Vec<DayHours>> {
    let mut wrong = Violations::default();
    let read = |(index, asked): (usize, &proto::DayHours)| {
        let at = field(index);
        let on = wrong.take(day(&format!("{at}.day"), asked.day.as_ref()));
        let hours = wrong.take(hours::whole(&format!("{at}.minutes"), asked.minutes));
        Some(DayHours { day: on?, hours: hours? })
    };
    let days = asked.iter().enumerate().filter_map(read).collect();
    wrong.check()?;
    Ok(days)
}

/// The listed reason of a correction.
///
/// # Errors
/// `UNKNOWN_VALUE`.
pub fn correction_reason(reason: proto::CorrectionReason) -> Result<&'static str> {
    match reason {
        proto::CorrectionReason::Unspecified => Err(unknown("T01", "reason")),
        reason => Ok(reason.as_str_name().trim_start_matches("CORRECTION_REASON_")),
    }
}

/// An absence.
///
/// # Errors
/// Names every field that is missing or unknown.
pub fn absence(asked: Option<&proto::Absence>) -> Result<(Date, AbsenceReason)> {
    use proto::absence::Reason;
    let asked = asked.ok_or_else(|| wire::required("absence"))?;
    let mut wrong = Violations::default();
    let on = wrong.take(day("absence.day", asked.day.as_ref()));
    let reason = match asked.reason() {
        Reason::Sickness => Some(AbsenceReason::Sickness),
        Reason::FamilyEvent => Some(AbsenceReason::FamilyEvent),
        Reason::NotFreedByEmployer => Some(AbsenceReason::NotFreedByEmployer),
        Reason::Transport => Some(AbsenceReason::Transport),
        Reason::Unjustified => Some(AbsenceReason::Unjustified),
        Reason::Unspecified => wrong.take(Err(unknown("T02", "absence.reason"))),
    };
    on.zip(reason).ok_or_else(|| wrong.into_error())
}

/// A certification.
///
/// # Errors
/// `UNKNOWN_VALUE`.
pub fn certification(asked: proto::Certification) -> Result<Certification> {
    match asked {
        proto::Certification::Ccp1 => Ok(Certification::Ccp1),
        proto::Certification::Pix => Ok(Certification::Pix),
        proto::Certification::Unspecified => Err(unknown("T03", "certification")),
    }
}

/// What came of an exam.
///
/// # Errors
/// `UNKNOWN_VALUE`.
pub fn outcome(asked: proto::exam::Outcome) -> Result<Outcome> {
    match asked {
        proto::exam::Outcome::Passed => Ok(Outcome::Passed),
        proto::exam::Outcome::Failed => Ok(Outcome::Failed),
        proto::exam::Outcome::NotTaken => Ok(Outcome::NotTaken),
        proto::exam::Outcome::Unspecified => Err(unknown("T03", "outcome")),
    }
}

/// An extra module.
///
/// # Errors
/// Names every field that is missing, no date, or no whole hours.
pub fn module(asked: Option<&proto::ExtraModule>) -> Result<Module> {
    let asked = asked.ok_or_else(|| wire::required("extra_module"))?;
    let mut wrong = Violations::default();
    let on = wrong.take(day("extra_module.day", asked.day.as_ref()));
    let hours = wrong.take(hours::whole("extra_module.minutes", asked.minutes));
    match (on, hours) {
        (Some(day), Some(hours)) => {
            Ok(Module { title: asked.title.clone(), day, hours, cost: Cents(asked.cost_cents) })
        }
        _ => Err(wrong.into_error()),
    }
}
