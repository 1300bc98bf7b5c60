//! What the others are told, on the wire.

use conum_kernel::{ApplicationId, PostId, post_name};
use conum_proto::events::v1::{self as proto, event::Payload};
use conum_service::wire;

use super::{application::location, count};
use crate::domain::{
    Event,
    events::{PostsGranted, Sector},
    form::NeedKind,
};

/// An event of the domain.
#[must_use]
pub fn payload(event: Event) -> Payload {
    match event {
        Event::ApplicationSubmitted { application, structure, department, posts } => {
            Payload::ApplicationSubmitted(proto::ApplicationSubmitted {
                application: application.name(),
                structure: structure.name(),
                department,
                posts: count(posts),
            })
        }
        Event::PostsGranted(event) => Payload::PostsGranted(granted(*event)),
        Event::PostsReturned { application, structure, posts } => Payload::PostsReturned(proto::PostsReturned {
            application: application.name(),
            structure: structure.name(),
            posts: names(application, &posts),
        }),
        Event::WaveActivated { wave, number, activated_on, applications } => {
            Payload::WaveActivated(proto::WaveActivated {
                wave: wave.name(),
                number: count(number),
                activated_on: Some(wire::from_date(activated_on)),
                applications: applications
                    .into_iter()
                    .map(|served| proto::WaveApplication {
                        application: served.application.name(),
                        posts: names(served.application, &served.posts),
                    })
                    .collect(),
            })
        }
        Event::DossierCompleted { application, structure } => Payload::DossierCompleted(proto::DossierCompleted {
            application: application.name(),
            structure: structure.name(),
        }),
        Event::DossierReopened { application, structure } => Payload::DossierReopened(proto::DossierReopened {
            application: application.name(),
            structure: structure.name(),
        }),
        Event::ApplicationWithdrawn { application, structure, posts } => {
            Payload::ApplicationWithdrawn(proto::ApplicationWithdrawn {
                application: application.name(),
                structure: structure.name(),
                posts: names(application, &posts),
            })
        }
        Event::PostDateSettled { application, post, start_date } => Payload::PostDateSettled(proto::PostDateSettled {
            application: application.name(),
            post: post_name(application, post),
            start_date: Some(wire::from_date(start_date)),
        }),
        Event::DerogationDecided { application, structure, post, accepted, consolidates } => {
            Payload::DerogationDecided(proto::DerogationDecided {
                application: application.name(),
                structure: structure.name(),
                post: post_name(application, post),
                accepted,
                consolidates,
            })
        }
    }
}

fn names(application: ApplicationId, posts: &[PostId]) -> Vec<String> {
    posts.iter().map(|post| post_name(application, *post)).collect()
}

fn granted(event: PostsGranted) -> proto::PostsGranted {
    let need = |need: &crate::domain::form::Need| {
        let kind = match need.kind {
            NeedKind::Experience => "experience",
            NeedKind::Qualification => "qualification",
            NeedKind::DrivingLicence => "driving_licence",
        };
        proto::EventNeed { need: kind.to_owned(), compulsory: need.compulsory }
    };
    let sector = event.sector.map(Sector::text);
    proto::PostsGranted {
        application: event.application.name(),
        structure: event.structure.name(),
        wave: event.wave.name(),
        posts: event
            .posts
            .iter()
            .map(|granted| proto::GrantedPost {
                post: post_name(event.application, granted.post),
                start_date: Some(wire::from_date(granted.start_date)),
                coordinator: granted.coordinator,
            })
            .collect(),
        commune: event.commune.unwrap_or_default(),
        location: event.location.map(location),
        department: event.department.unwrap_or_default(),
        structure_kind: sector.unwrap_or_default().to_owned(),
        needs: event.needs.iter().map(need).collect(),
        candidate_found: event.candidate_found,
        ready: event.ready,
    }
}
