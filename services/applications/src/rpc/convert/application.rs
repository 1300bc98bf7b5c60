//! Applications on the wire.

use conum_kernel::{ApplicationId, post_name};
use conum_proto::{applications::v1 as proto, google::r#type::LatLng};
use conum_service::{history::Entry, wire};

use super::{count, lists::Twin as _};
use crate::{
    domain::{
        Application, Post,
        changes::{Change, Version},
        corrections::Correction,
        documents::Document,
        examination::{Inquiry, Opinion},
        form::{Contact, Field, Form, Location, Profile},
        partners::Partner,
        post::{ExistingContract, PostForm},
    },
    storage::applications::Stored,
};

impl From<Stored> for proto::Application {
    fn from(stored: Stored) -> Self {
        Self { etag: stored.version.to_string(), ..application(&stored.application) }
    }
}

/// An application, without an etag.
#[must_use]
pub fn application(application: &Application) -> proto::Application {
    let id = application.id;
    proto::Application {
        name: id.name(),
        structure: application.structure.name(),
        posts: application.posts.iter().map(|post| self::post(id, post)).collect(),
        partners: application.partners.iter().map(partner).collect(),
        state: application.state.to_wire(),
        submitted_at: Some(wire::from_timestamp(application.submitted_at)),
        address_confirmed_at: application.address_confirmed_at.map(wire::from_timestamp),
        opinions: application.opinions.iter().map(opinion).collect(),
        documents: application.documents.iter().map(|document| self::document(id, document)).collect(),
        corrections: application.corrections.iter().map(|correction| self::correction(id, correction)).collect(),
        missing: application.missing().into_iter().map(str::to_owned).collect(),
        imported: application.is_imported(),
        warnings: application.warnings.clone(),
        decision_reason: application.decision_reason().to_owned(),
        commitments_at: application.commitments_at.map(wire::from_timestamp),
        inquiries: application.inquiries.iter().map(inquiry).collect(),
        ..said(&application.form, &Field::ALL)
    }
}

/// What a form says in some fields; the posts are not in it.
fn said(form: &Form, fields: &[Field]) -> proto::Application {
    let mut message = proto::Application::default();
    for field in fields {
        match field {
            Field::Profile => message.profile = Some(profile(&form.profile)),
            Field::Contact => message.contact = form.contact.as_ref().map(contact),
            Field::LineManager => {
                message.line_manager = form.line_manager.as_ref().map(|manager| proto::LineManager {
                    function: manager.function.clone(),
                    volunteer: manager.volunteer,
                });
            }
            Field::Missions => message.missions = form.missions.iter().map(|mission| mission.to_wire()).collect(),
            Field::InFrequentedPlaces => message.in_frequented_places = form.in_frequented_places,
            Field::Commitments => {
                message.commitments = form.commitments.iter().map(|commitment| commitment.to_wire()).collect();
                message.commitments_version.clone_from(&form.commitments_version);
            }
            Field::Needs => {
                let need = |need: &crate::domain::form::Need| proto::Need {
                    kind: need.kind.to_wire(),
                    compulsory: need.compulsory,
                };
                message.needs = form.needs.iter().map(need).collect();
            }
            Field::CandidateFound => message.candidate_found = form.candidate_found,
            Field::LinkedProgrammes => {
                message.linked_programmes = form.linked_programmes.iter().map(|link| link.to_wire()).collect();
            }
            Field::Posts => {}
        }
    }
    message
}

fn profile(profile: &Profile) -> proto::Structure {
    let place = profile.place.as_ref();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    proto::Structure {
        registration_number: text(profile.registration_number.as_ref()),
        legal_name: profile.legal_name.clone(),
        kind: profile.kind.map_or(0, super::lists::Twin::to_wire),
        commune: text(place.map(|place| &place.commune)),
        address: profile.address.clone(),
        location: place.and_then(|place| place.location).map(location),
        department: text(place.map(|place| &place.department)),
        commune_name: text(place.map(|place| &place.commune_name)),
    }
}

/// A location on the wire.
#[must_use]
pub fn location(location: Location) -> LatLng {
    LatLng { latitude: location.latitude, longitude: location.longitude }
}

fn contact(contact: &Contact) -> proto::Contact {
    proto::Contact {
        given_name: contact.given_name.clone(),
        family_name: contact.family_name.clone(),
        function: contact.function.clone(),
        email: contact.email.clone(),
        phone: contact.phone.clone(),
    }
}

fn post(application: ApplicationId, post: &Post) -> proto::Post {
    proto::Post {
        derogation: post.derogation.as_ref().map(|derogation| proto::Derogation {
            state: derogation.state.to_wire(),
            reason: derogation.reason.clone(),
        }),
        state: post.state.to_wire(),
        wave: post.wave.map(conum_kernel::Id::name).unwrap_or_default(),
        granted_on: post.granted_on.map(wire::from_date),
        settled_start_date: post.settled_start_date.map(wire::from_date),
        return_reason: post.return_reason.clone(),
        ..post_form(application, &post.as_form())
    }
}

fn post_form(application: ApplicationId, post: &PostForm) -> proto::Post {
    proto::Post {
        name: if post.named { post_name(application, post.id) } else { String::new() },
        wished_start_date: post.wished_start_date.map(wire::from_date),
        coordinator: post.coordinator,
        counts_for_france_services: post.counts_for_france_services,
        existing_contract: post.existing_contract.as_ref().map(existing_contract),
        ..proto::Post::default()
    }
}

fn existing_contract(contract: &ExistingContract) -> proto::ExistingContract {
    proto::ExistingContract {
        signed_on: contract.signed_on.map(wire::from_date),
        start_date: contract.start_date.map(wire::from_date),
        situation: contract.situation.map_or(0, super::lists::Twin::to_wire),
        moves_to_full_time: contract.moves_to_full_time,
    }
}

fn partner(partner: &Partner) -> proto::Partner {
    proto::Partner { registration_number: partner.registration_number.clone(), legal_name: partner.legal_name.clone() }
}

fn opinion(opinion: &Opinion) -> proto::Opinion {
    proto::Opinion {
        favourable: opinion.favourable,
        comment: opinion.comment.clone(),
        department: opinion.department.clone(),
        at: Some(wire::from_timestamp(opinion.at)),
        actor: opinion.actor.clone(),
    }
}

fn inquiry(inquiry: &Inquiry) -> proto::Inquiry {
    proto::Inquiry {
        question: inquiry.question.clone(),
        asked_at: Some(wire::from_timestamp(inquiry.asked_at)),
        answer: inquiry.answer.clone().unwrap_or_default(),
        answered_at: inquiry.answered_at.map(wire::from_timestamp),
    }
}

fn correction(application: ApplicationId, correction: &Correction) -> proto::Correction {
    let Change { form, posts, fields } = &correction.change;
    let proposed = proto::Application {
        name: application.name(),
        posts: posts.iter().map(|post| post_form(application, post)).collect(),
        ..said(form, fields)
    };
    proto::Correction {
        name: format!("{}/corrections/{}", application.name(), correction.number),
        proposed: Some(proposed),
        state: correction.state.to_wire(),
        reason: correction.reason.clone(),
        asked_at: Some(wire::from_timestamp(correction.asked_at)),
    }
}

/// A supporting document.
#[must_use]
pub fn document(application: ApplicationId, document: &Document) -> proto::SupportingDocument {
    let upload = document.upload.as_ref();
    proto::SupportingDocument {
        name: format!("{}/documents/{}", application.name(), document.kind.key()),
        kind: document.kind.key().to_owned(),
        state: document.state.to_wire(),
        media_type: upload.map(|upload| upload.media_type.clone()).unwrap_or_default(),
        size: upload.map_or(0, |upload| i64::try_from(upload.size).unwrap_or(i64::MAX)),
        sha256: upload.map(|upload| upload.sha256.clone()).unwrap_or_default(),
        uploaded_at: upload.map(|upload| wire::from_timestamp(upload.at)),
        reason: document.reason.clone(),
    }
}

impl From<Version> for proto::ApplicationVersion {
    fn from(version: Version) -> Self {
        Self {
            name: format!("{}/versions/{}", version.application.id.name(), version.number),
            version: count(version.number),
            application: Some(application(&version.application)),
            at: Some(wire::from_timestamp(version.at)),
            actor: version.actor,
        }
    }
}

/// A fact of a history.
#[must_use]
pub fn history(entry: Entry) -> proto::HistoryEntry {
    proto::HistoryEntry {
        at: Some(wire::from_timestamp(entry.at)),
        actor: entry.actor,
        action: entry.action,
        from_state: entry.from,
        to_state: entry.to,
        why: entry.why,
    }
}
