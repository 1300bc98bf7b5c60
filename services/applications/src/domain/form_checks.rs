//! The checks of a form (A05, A07, A13, A14, A15): every wrong field is noted at once, and what comes out is in one
//! spelling. The posts are checked in `post_checks`.

use conum_kernel::{Rule, Violations, text};

use super::{
    form::{Commitment, Contact, Field, Form, LineManager, LinkedProgramme, Mission, Need, Profile},
    registration_number,
};

/// How much a form must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standard {
    /// An application: all that is compulsory.
    Application,
    /// A record of the past: what is said must be right, and the rest may stay open.
    Past,
}

/// Checks some fields of a form, noting what is wrong under `path` (`application.`, say). `wording` is the version of the
/// commitments in force (A13). Comes out with those fields trimmed and in one spelling, the others as they were.
pub(super) fn check(
    form: &Form,
    fields: &[Field],
    standard: Standard,
    wording: &str,
    path: &str,
    violations: &mut Violations,
) -> Form {
    let mut checked = form.clone();
    for field in fields {
        let at = format!("{path}{}", field.path());
        match field {
            Field::Profile => checked.profile = profile(&form.profile, standard, &at, violations),
            Field::Contact => {
                checked.contact = given(form.contact.as_ref(), standard, Rule("A07"), &at, violations)
                    .map(|contact| self::contact(contact, &at, violations));
            }
            Field::LineManager => {
                checked.line_manager = given(form.line_manager.as_ref(), standard, Rule("A14"), &at, violations)
                    .map(|manager| line_manager(manager, &at, violations));
            }
            Field::Missions => checked.missions = missions(&form.missions, &at, violations),
            Field::InFrequentedPlaces => in_frequented_places(form.in_frequented_places, &at, violations),
            Field::Commitments => {
                checked.commitments = commitments(&form.commitments, &at, violations);
                checked.commitments_version = accepted_wording(&form.commitments_version, wording, path, violations);
            }
            Field::Needs => needs(&form.needs, &at, violations),
            Field::LinkedProgrammes => checked.linked_programmes = linked_programmes(&form.linked_programmes),
            // A11: what is said of a found candidate is taken as it is. The posts have their own checks.
            Field::CandidateFound | Field::Posts => {}
        }
    }
    checked
}

fn given<'a, T>(
    value: Option<&'a T>,
    standard: Standard,
    rule: Rule,
    at: &str,
    violations: &mut Violations,
) -> Option<&'a T> {
    if value.is_none() && standard == Standard::Application {
        required(rule, at, violations);
    }
    value
}

/// Notes a compulsory field that a rule asks for.
pub(super) fn required(rule: Rule, at: &str, violations: &mut Violations) {
    violations.breaks(rule, at, "REQUIRED", "this field is required", "ce champ est obligatoire");
}

fn profile(profile: &Profile, standard: Standard, at: &str, violations: &mut Violations) -> Profile {
    let full = standard == Standard::Application;
    let number_at = format!("{at}.registration_number");
    let department = profile.department();
    let number = profile.registration_number.as_deref().filter(|text| !text.trim().is_empty());
    if number.is_none() && full {
        required(Rule("A05"), &number_at, violations);
    }
    let registration_number =
        number.and_then(|text| violations.take(registration_number::check(&number_at, text, department)));
    let name_at = format!("{at}.legal_name");
    let name = if full { text::required } else { text::optional };
    let legal_name = violations.take(name(&name_at, &profile.legal_name, 200)).unwrap_or_default();
    match profile.kind {
        None if full => violations.missing(format!("{at}.kind")),
        Some(kind) if full && !kind.is_precise() => violations.add(
            format!("{at}.kind"),
            "KIND_TOO_VAGUE",
            "say which kind of public or private structure it is",
            "précisez de quelle sorte de structure publique ou privée il s'agit",
        ),
        _ => {}
    }
    if profile.place.is_none() && full {
        violations.missing(format!("{at}.commune"));
    }
    if let Some(location) = profile.place.as_ref().and_then(|place| place.location)
        && !((-90.0..=90.0).contains(&location.latitude) && (-180.0..=180.0).contains(&location.longitude))
    {
        violations.add(
            format!("{at}.location"),
            "INVALID_LOCATION",
            "degrees of latitude (-90 to 90) and longitude (-180 to 180) are expected",
            "des degrés de latitude (-90 à 90) et de longitude (-180 à 180) sont attendus",
        );
    }
    let address = violations.take(text::optional(&format!("{at}.address"), &profile.address, 300)).unwrap_or_default();
    Profile { registration_number, legal_name, kind: profile.kind, place: profile.place.clone(), address }
}

/// A07: any function will do, and none is checked against a list.
fn contact(contact: &Contact, at: &str, violations: &mut Violations) -> Contact {
    let mut part = |field: &str, text: &str| {
        violations.take(text::required(&format!("{at}.{field}"), text, 100)).unwrap_or_default()
    };
    let given_name = part("given_name", &contact.given_name);
    let family_name = part("family_name", &contact.family_name);
    let function = part("function", &contact.function);
    let email = violations.take(text::email(&format!("{at}.email"), &contact.email)).unwrap_or_default();
    let phone = violations.take(text::phone(&format!("{at}.phone"), &contact.phone)).unwrap_or_default();
    Contact { given_name, family_name, function, email, phone }
}

fn line_manager(manager: &LineManager, at: &str, violations: &mut Violations) -> LineManager {
    let function =
        violations.take(text::required(&format!("{at}.function"), &manager.function, 100)).unwrap_or_default();
    if manager.volunteer {
        violations.breaks(
            Rule("A14"),
            format!("{at}.volunteer"),
            "VOLUNTEER_LINE_MANAGER",
            "the adviser's line manager must be a professional: a volunteer is refused",
            "le responsable hiérarchique du conseiller doit être un professionnel : un bénévole est refusé",
        );
    }
    LineManager { function, volunteer: manager.volunteer }
}

/// A15. The first mission is compulsory, stands first, and may stand alone: it is the whole of the work. A list that is
/// nothing but one speciality is refused as such.
fn missions(missions: &[Mission], at: &str, violations: &mut Violations) -> Vec<Mission> {
    let missions = distinct(missions);
    match missions.as_slice() {
        [] => broken_mission(
            violations,
            at,
            "REQUIRED",
            "at least the mission of digital autonomy is expected",
            "au moins la mission d'autonomie numérique est attendue",
        ),
        [only] if only.is_speciality() => broken_mission(
            violations,
            at,
            "SINGLE_SPECIALITY",
            "one single speciality is refused: an adviser brings people to digital autonomy first",
            "une spécialité unique est refusée : un conseiller mène d'abord les habitants vers l'autonomie numérique",
        ),
        list if !list.contains(&Mission::DigitalAutonomy) => broken_mission(
            violations,
            at,
            "DIGITAL_AUTONOMY_REQUIRED",
            "bringing people to digital autonomy is compulsory",
            "mener les habitants vers l'autonomie numérique est obligatoire",
        ),
        [first, ..] if *first != Mission::DigitalAutonomy => broken_mission(
            violations,
            at,
            "DIGITAL_AUTONOMY_NOT_FIRST",
            "bringing people to digital autonomy is the first of the missions: put it first",
            "mener les habitants vers l'autonomie numérique est la première des missions : placez-la en tête",
        ),
        _ => {}
    }
    if missions.contains(&Mission::PublicServiceDevelopment) {
        broken_mission(
            violations,
            at,
            "PUBLIC_SERVICE_DEVELOPMENT",
            "building public digital services is not an adviser's work",
            "la création de services publics numériques ne relève pas d'un conseiller",
        );
    }
    missions
}

fn broken_mission(
    violations: &mut Violations,
    at: &str,
    reason: &'static str,
    english: &'static str,
    french: &'static str,
) {
    violations.breaks(Rule("A15"), at, reason, english, french);
}

fn in_frequented_places(frequented: bool, at: &str, violations: &mut Violations) {
    if !frequented {
        violations.breaks(
            Rule("A15"),
            at,
            "NOT_IN_FREQUENTED_PLACES",
            "the activities must take place where residents already go",
            "les activités doivent avoir lieu là où les habitants passent déjà",
        );
    }
}

/// A13: every one that is not ticked is named.
fn commitments(ticked: &[Commitment], at: &str, violations: &mut Violations) -> Vec<Commitment> {
    for commitment in Commitment::ALL {
        if !ticked.contains(&commitment) {
            let (english, french) = commitment.wording();
            violations.breaks(
                Rule("A13"),
                at,
                "COMMITMENT_MISSING",
                format!("this commitment is compulsory: {english}"),
                format!("cet engagement est obligatoire : {french}"),
            );
        }
    }
    Commitment::ALL.into_iter().filter(|commitment| ticked.contains(commitment)).collect()
}

/// A13: the wording that was accepted; left out, the one in force.
fn accepted_wording(accepted: &str, in_force: &str, path: &str, violations: &mut Violations) -> String {
    let accepted = accepted.trim();
    if !accepted.is_empty() && accepted != in_force {
        violations.breaks(
            Rule("A13"),
            format!("{path}commitments_version"),
            "WORDING_NOT_IN_FORCE",
            format!("the commitments in force are those of version {in_force}"),
            format!("les engagements en vigueur sont ceux de la version {in_force}"),
        );
    }
    in_force.to_owned()
}

fn needs(needs: &[Need], at: &str, violations: &mut Violations) {
    for (place, need) in needs.iter().enumerate() {
        if needs[..place].iter().any(|earlier| earlier.kind == need.kind) {
            violations.add(
                format!("{at}[{place}]"),
                "DUPLICATE",
                "this need is named twice",
                "ce besoin est indiqué deux fois",
            );
        }
    }
}

/// A18: information only, so nothing is refused.
fn linked_programmes(programmes: &[LinkedProgramme]) -> Vec<LinkedProgramme> {
    distinct(programmes)
}

fn distinct<T: Copy + PartialEq>(values: &[T]) -> Vec<T> {
    let mut distinct = Vec::with_capacity(values.len().min(16));
    for value in values {
        if !distinct.contains(value) {
            distinct.push(*value);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use conum_kernel::Violation;

    use super::*;
    use crate::domain::{
        examples,
        form::{NeedKind, StructureKind},
    };

    fn violations(change: impl FnOnce(&mut Form)) -> Vec<Violation> {
        let mut form = examples::form();
        change(&mut form);
        let mut violations = Violations::default();
        check(&form, &Field::ALL, Standard::Application, "2020-11", "application.", &mut violations);
        violations.check().map_or_else(|error| error.violations().to_vec(), |()| Vec::new())
    }

    #[track_caller]
    fn assert_breaks(change: impl FnOnce(&mut Form), field: &str, reason: &str, rule: Option<&'static str>) {
        let found = violations(change);
        assert!(
            found.iter().any(|v| v.field == field && v.reason == reason && v.rule == rule.map(Rule)),
            "{field} {reason} expected in {found:?}"
        );
    }

    #[test]
    fn a_form_that_says_all_is_accepted() {
        assert_eq!(violations(|_| {}), []);
    }

    #[test]
    fn every_wrong_field_is_named_at_once_and_without_its_value() {
        let found = violations(|form| {
            form.profile.registration_number = Some("21010053300013".into());
            form.profile.kind = None;
            form.profile.place = None;
            form.contact.as_mut().unwrap().email = "secret".into();
            form.line_manager = None;
        });
        let fields: Vec<_> = found.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "application.profile.registration_number",
                "application.profile.kind",
                "application.profile.commune",
                "application.contact.email",
                "application.line_manager",
            ]
        );
        assert!(!found.iter().any(|v| v.english.contains("secret") || v.french.contains("secret")));
    }

    #[test]
    fn a07_a_contact_is_compulsory_and_any_function_represents_the_structure() {
        assert_breaks(|form| form.contact = None, "application.contact", "REQUIRED", Some("A07"));
        for function in ["Présidente", "Stagiaire", "Chargé de mission numérique"] {
            assert_eq!(violations(|form| form.contact.as_mut().unwrap().function = function.into()), []);
        }
    }

    #[test]
    fn a13_each_of_the_seven_commitments_is_compulsory() {
        for commitment in Commitment::ALL {
            assert_breaks(
                |form| form.commitments.retain(|ticked| *ticked != commitment),
                "application.commitments",
                "COMMITMENT_MISSING",
                Some("A13"),
            );
        }
        assert_eq!(violations(|form| form.commitments.clear()).len(), 7);
    }

    #[test]
    fn a13_a_wording_that_is_not_in_force_is_refused() {
        assert_breaks(
            |form| form.commitments_version = "2019-01".into(),
            "application.commitments_version",
            "WORDING_NOT_IN_FORCE",
            Some("A13"),
        );
        assert_eq!(violations(|form| form.commitments_version = "2020-11".into()), []);
    }

    #[test]
    fn a14_a_volunteer_line_manager_is_refused() {
        assert_breaks(
            |form| form.line_manager.as_mut().unwrap().volunteer = true,
            "application.line_manager.volunteer",
            "VOLUNTEER_LINE_MANAGER",
            Some("A14"),
        );
    }

    #[test]
    fn a15_digital_autonomy_is_compulsory_first_and_enough() {
        use Mission::{CulturalAction, DigitalAutonomy, EverydayUses, Games, LocalBusinesses, Outreach};
        let at = "application.missions";
        for (missions, reason) in [
            (vec![], "REQUIRED"),
            (vec![EverydayUses], "DIGITAL_AUTONOMY_REQUIRED"),
            (vec![LocalBusinesses, Games], "DIGITAL_AUTONOMY_REQUIRED"),
            (vec![Outreach, DigitalAutonomy], "DIGITAL_AUTONOMY_NOT_FIRST"),
        ] {
            assert_breaks(|form| form.missions = missions, at, reason, Some("A15"));
        }
        assert_eq!(violations(|form| form.missions = vec![DigitalAutonomy]), []);
        assert_eq!(violations(|form| form.missions = vec![DigitalAutonomy, Outreach, CulturalAction, Games]), []);
    }

    #[test]
    fn a15_one_single_speciality_is_refused() {
        for only in [Mission::LocalBusinesses, Mission::Games, Mission::AgentsTraining] {
            assert_breaks(
                |form| form.missions = vec![only, only],
                "application.missions",
                "SINGLE_SPECIALITY",
                Some("A15"),
            );
        }
    }

    #[test]
    fn a15_building_public_services_is_refused_even_beside_the_rest() {
        assert_breaks(
            |form| form.missions.push(Mission::PublicServiceDevelopment),
            "application.missions",
            "PUBLIC_SERVICE_DEVELOPMENT",
            Some("A15"),
        );
    }

    #[test]
    fn a15_activities_take_place_where_residents_go() {
        assert_breaks(
            |form| form.in_frequented_places = false,
            "application.in_frequented_places",
            "NOT_IN_FREQUENTED_PLACES",
            Some("A15"),
        );
    }

    #[test]
    fn a18_links_with_other_programmes_are_kept_and_never_refused() {
        for programmes in [vec![], vec![LinkedProgramme::Fibre, LinkedProgramme::FranceServices]] {
            assert_eq!(violations(|form| form.linked_programmes = programmes), []);
        }
    }

    #[test]
    fn an_application_says_precisely_what_kind_of_structure_it_is() {
        let vague = |form: &mut Form| form.profile.kind = Some(StructureKind::Public);
        assert_breaks(vague, "application.profile.kind", "KIND_TOO_VAGUE", None);
    }

    #[test]
    fn a_need_is_named_once() {
        let need = Need { kind: NeedKind::Experience, compulsory: false };
        assert_breaks(|form| form.needs = vec![need, need], "application.needs[1]", "DUPLICATE", None);
    }
}
