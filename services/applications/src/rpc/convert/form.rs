//! What applicants say, from the wire. Texts, numbers and rules are left to the domain: here is only what the contract's
//! shape lets somebody say wrongly.

use conum_geo::{Resolved, resolve};
use conum_kernel::{ApplicationId, Error, PostId, Result, Violations, id::invalid_name, parse_post_name};
use conum_proto::{applications::v1 as proto, google::r#type::LatLng};
use conum_service::{Call, wire};

use super::lists::Twin;
use crate::domain::{
    form::{Contact, Field, Form, LineManager, Location, Need, NeedKind, Place, Profile, StructureKind},
    partners::Partner,
    post::{ExistingContract, MAX_POSTS, PostForm, Situation},
};

/// The warning that a line of the past names a commune whose code vanished.
pub const VANISHED_COMMUNE: &str = "VANISHED_COMMUNE";
/// The warning that a line of the past names a commune that never was: it stays open.
pub const UNKNOWN_COMMUNE: &str = "UNKNOWN_COMMUNE";

/// The fields that a message sets: what a correction without a mask changes.
#[must_use]
pub fn set(message: &proto::Application) -> Vec<Field> {
    let is_set = |field: &Field| match field {
        Field::Profile => message.profile.is_some(),
        Field::Contact => message.contact.is_some(),
        Field::LineManager => message.line_manager.is_some(),
        Field::Posts => !message.posts.is_empty(),
        Field::Missions => !message.missions.is_empty(),
        Field::InFrequentedPlaces => message.in_frequented_places,
        Field::Commitments => !message.commitments.is_empty(),
        Field::Needs => !message.needs.is_empty(),
        Field::CandidateFound => message.candidate_found,
        Field::LinkedProgrammes => !message.linked_programmes.is_empty(),
    };
    Field::ALL.into_iter().filter(is_set).collect()
}

/// The fields of an update mask; those that the message sets where there is none.
///
/// # Errors
/// `UNKNOWN_FIELD` at `update_mask`.
pub fn masked(mask: Option<&prost_types::FieldMask>, message: &proto::Application) -> Result<Vec<Field>> {
    if mask.is_none_or(|mask| mask.paths.is_empty()) {
        return Ok(set(message));
    }
    wire::mask(mask, &Field::ALL.map(Field::path))?.into_iter().map(Field::parse).collect()
}

/// Some fields of a form.
///
/// # Errors
/// Every value of a list that the contract does not have, and a commune that is none.
pub fn form(message: &proto::Application, fields: &[Field]) -> Result<Form> {
    let mut form = Form::default();
    let mut wrong = Violations::default();
    for field in fields {
        let at = format!("application.{}", field.path());
        match field {
            Field::Profile => {
                form.profile =
                    message.profile.as_ref().map(|profile| self::profile(&at, profile, &mut wrong)).unwrap_or_default();
            }
            Field::Contact => form.contact = message.contact.as_ref().map(contact),
            Field::LineManager => form.line_manager = message.line_manager.as_ref().map(line_manager),
            Field::Missions => form.missions = values(&at, &message.missions, &mut wrong),
            Field::InFrequentedPlaces => form.in_frequented_places = message.in_frequented_places,
            Field::Commitments => {
                form.commitments = values(&at, &message.commitments, &mut wrong);
                form.commitments_version.clone_from(&message.commitments_version);
            }
            Field::Needs => form.needs = needs(&at, &message.needs, &mut wrong),
            Field::CandidateFound => form.candidate_found = message.candidate_found,
            Field::LinkedProgrammes => form.linked_programmes = values(&at, &message.linked_programmes, &mut wrong),
            Field::Posts => {}
        }
    }
    wrong.check()?;
    Ok(form)
}

fn values<T: Twin>(at: &str, numbers: &[i32], wrong: &mut Violations) -> Vec<T> {
    let read = |(place, number): (usize, &i32)| wrong.take(T::required(&format!("{at}[{place}]"), *number));
    numbers.iter().enumerate().filter_map(read).collect()
}

fn needs(at: &str, needs: &[proto::Need], wrong: &mut Violations) -> Vec<Need> {
    let read = |(place, need): (usize, &proto::Need)| {
        let kind = wrong.take(NeedKind::required(&format!("{at}[{place}].kind"), need.kind))?;
        Some(Need { kind, compulsory: need.compulsory })
    };
    needs.iter().enumerate().filter_map(read).collect()
}

fn contact(contact: &proto::Contact) -> Contact {
    Contact {
        given_name: contact.given_name.clone(),
        family_name: contact.family_name.clone(),
        function: contact.function.clone(),
        email: contact.email.clone(),
        phone: contact.phone.clone(),
    }
}

fn line_manager(manager: &proto::LineManager) -> LineManager {
    LineManager { function: manager.function.clone(), volunteer: manager.volunteer }
}

fn profile(at: &str, structure: &proto::Structure, wrong: &mut Violations) -> Profile {
    let kind = wrong.take(StructureKind::optional(&format!("{at}.kind"), structure.kind)).flatten();
    let (place, found) = place(&structure.commune, structure.location.as_ref());
    if found == Some(UNKNOWN_COMMUNE) {
        wrong.add(
            format!("{at}.commune"),
            UNKNOWN_COMMUNE,
            "no commune has or had this INSEE code; a postal code is something else",
            "aucune commune ne porte ni n'a porté ce code INSEE ; un code postal est autre chose",
        );
    }
    said(structure, kind, place)
}

fn said(structure: &proto::Structure, kind: Option<StructureKind>, place: Option<Place>) -> Profile {
    let number = structure.registration_number.trim();
    Profile {
        registration_number: (!number.is_empty()).then(|| number.to_owned()),
        legal_name: structure.legal_name.clone(),
        kind,
        place,
        address: structure.address.clone(),
    }
}

/// The place of a commune's code, where it is or was one, and what there is to say of the code.
fn place(code: &str, location: Option<&LatLng>) -> (Option<Place>, Option<&'static str>) {
    let code = code.trim();
    let resolved = resolve(code);
    let Some(commune) = resolved.commune() else {
        return (None, (!code.is_empty()).then_some(UNKNOWN_COMMUNE));
    };
    let given = location.map(|at| Location { latitude: at.latitude, longitude: at.longitude });
    let centre = || commune.place.map(|place| Location { latitude: place.lat(), longitude: place.lon() });
    let place = Place {
        commune: commune.code.to_owned(),
        commune_name: commune.name.to_owned(),
        department: commune.department.to_owned(),
        location: given.or_else(centre),
    };
    (Some(place), matches!(resolved, Resolved::Vanished { .. }).then_some(VANISHED_COMMUNE))
}

/// A structure as a file of the past says it, with what there is to warn of: a commune that cannot be resolved stays
/// open.
///
/// # Errors
/// `UNKNOWN_VALUE` at `profile.kind`.
pub fn past_profile(structure: &proto::Structure) -> Result<(Profile, Vec<String>)> {
    let kind = StructureKind::optional("profile.kind", structure.kind)?;
    // A source writes "null" or "0" where it knows nothing.
    let code = Some(structure.commune.trim()).filter(|code| !matches!(*code, "0" | "null" | "NULL"));
    let (place, found) = place(code.unwrap_or_default(), structure.location.as_ref());
    Ok((said(structure, kind, place), found.into_iter().map(str::to_owned).collect()))
}

/// Posts that are asked for. Those with a name are posts of `of`; the others are new.
///
/// # Errors
/// Every name, date and value that cannot be read.
pub fn posts(at: &str, posts: &[proto::Post], call: &Call, of: Option<ApplicationId>) -> Result<Vec<PostForm>> {
    let mut wrong = Violations::default();
    let mut forms = Vec::with_capacity(posts.len().min(MAX_POSTS + 1));
    // One more than the limit is enough for the domain to refuse them.
    for (place, post) in posts.iter().enumerate().take(MAX_POSTS + 1) {
        let at = format!("{at}[{place}]");
        let known = of.filter(|_| !post.name.is_empty());
        let id = match known {
            Some(of) => wrong.take(post_of(&format!("{at}.name"), &post.name, of)),
            None => Some(call.mint(&format!("post/{place}"))),
        };
        let date = wire::date(&format!("{at}.wished_start_date"), post.wished_start_date.as_ref());
        let wished_start_date = wrong.take(date).flatten();
        let contract = post.existing_contract.as_ref();
        let existing_contract =
            contract.and_then(|contract| existing(&format!("{at}.existing_contract"), contract, &mut wrong));
        forms.extend(id.map(|id| PostForm {
            id,
            named: known.is_some(),
            wished_start_date,
            coordinator: post.coordinator,
            counts_for_france_services: post.counts_for_france_services,
            existing_contract,
        }));
    }
    wrong.check()?;
    Ok(forms)
}

/// The post of a resource name, of an application.
///
/// # Errors
/// `INVALID_NAME` at `field`.
pub fn post_of(field: &str, name: &str, application: ApplicationId) -> Result<PostId> {
    let (of, post) = parse_post_name(field, name)?;
    let pattern = || format!("{}/posts/{{post}}", application.name());
    if of == application { Ok(post) } else { Err(invalid_name(field, &pattern())) }
}

fn existing(at: &str, contract: &proto::ExistingContract, wrong: &mut Violations) -> Option<ExistingContract> {
    let mut day = |field: &str, date: Option<&conum_proto::google::r#type::Date>| {
        wrong.take(wire::date(&format!("{at}.{field}"), date)).flatten()
    };
    let signed_on = day("signed_on", contract.signed_on.as_ref());
    let start_date = day("start_date", contract.start_date.as_ref());
    let situation = wrong.take(Situation::optional(&format!("{at}.situation"), contract.situation))?;
    Some(ExistingContract { signed_on, start_date, situation, moves_to_full_time: contract.moves_to_full_time })
}

/// A partner of shared posts.
///
/// # Errors
/// `REQUIRED` at `partner`.
pub fn partner(partner: Option<&proto::Partner>) -> Result<Partner, Error> {
    let partner = partner.ok_or_else(|| wire::required("partner"))?;
    Ok(Partner { registration_number: partner.registration_number.clone(), legal_name: partner.legal_name.clone() })
}
