//! What the other services are told: ids and facts, never a name, an address or a free text. How they are numbered,
//! stored and delivered is left to the outbox.

pub use conum_kernel::Sector;
use conum_kernel::{ApplicationId, PostId, StructureId, WaveId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    application::Application,
    form::{Location, Need},
    post::Post,
};

/// An event of the contract, with typed ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Received; its address is not confirmed yet.
    ApplicationSubmitted {
        application: ApplicationId,
        structure: StructureId,
        department: String,
        posts: u32,
    },
    PostsGranted(Box<PostsGranted>),
    /// matching is asked to release these posts (A19).
    PostsReturned {
        application: ApplicationId,
        structure: StructureId,
        posts: Vec<PostId>,
    },
    WaveActivated {
        wave: WaveId,
        number: u32,
        activated_on: Date,
        applications: Vec<WaveApplication>,
    },
    DossierCompleted {
        application: ApplicationId,
        structure: StructureId,
    },
    /// Another kind of structure asks for documents that are not validated yet (A12): no money leaves until then.
    DossierReopened {
        application: ApplicationId,
        structure: StructureId,
    },
    /// matching is asked to release these posts (A01).
    ApplicationWithdrawn {
        application: ApplicationId,
        structure: StructureId,
        posts: Vec<PostId>,
    },
    PostDateSettled {
        application: ApplicationId,
        post: PostId,
        start_date: Date,
    },
    /// The special examination of a post was decided (A09, A10).
    DerogationDecided {
        application: ApplicationId,
        structure: StructureId,
        post: PostId,
        accepted: bool,
        /// It is for somebody who already does this work (A09), and not for a coordinator alone.
        consolidates: bool,
    },
}

/// Posts granted in one wave (P03), with all that matching needs to serve them. Told again, with the same posts, when
/// what it says has changed: matching then takes the new facts over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PostsGranted {
    pub application: ApplicationId,
    pub structure: StructureId,
    pub wave: WaveId,
    pub posts: Vec<GrantedPost>,
    /// INSEE code; `None` in a record of the past that lacks it.
    pub commune: Option<String>,
    pub department: Option<String>,
    pub location: Option<Location>,
    /// `None` in a record of the past that lacks it.
    pub sector: Option<Sector>,
    pub needs: Vec<Need>,
    /// A11: introductions are made all the same.
    pub candidate_found: bool,
    /// False while a record of the past lacks what activation needs.
    pub ready: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedPost {
    pub post: PostId,
    /// Where a record of the past gives none, the day of the grant: from then on.
    pub start_date: Date,
    /// By derogation (A10); the ceiling of money is the same.
    pub coordinator: bool,
}

/// The posts of one application in a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveApplication {
    pub application: ApplicationId,
    pub posts: Vec<PostId>,
}

impl Event {
    /// The resource that it speaks of, whose events are numbered: the wave for `WaveActivated`, else the application.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::WaveActivated { wave, .. } => wave.name(),
            Self::PostsGranted(granted) => granted.application.name(),
            Self::ApplicationSubmitted { application, .. }
            | Self::PostsReturned { application, .. }
            | Self::DossierCompleted { application, .. }
            | Self::DossierReopened { application, .. }
            | Self::ApplicationWithdrawn { application, .. }
            | Self::PostDateSettled { application, .. }
            | Self::DerogationDecided { application, .. } => application.name(),
        }
    }

    /// The grant of some posts of an application in a wave.
    pub(super) fn granted<'a>(
        application: &Application,
        wave: WaveId,
        posts: impl IntoIterator<Item = &'a Post>,
    ) -> Self {
        let profile = &application.form.profile;
        let place = profile.place.as_ref();
        Self::PostsGranted(Box::new(PostsGranted {
            application: application.id,
            structure: application.structure,
            wave,
            posts: posts
                .into_iter()
                .filter_map(|post| {
                    let start_date = post.start_date().or(post.granted_on)?;
                    Some(GrantedPost { post: post.id, start_date, coordinator: post.coordinator })
                })
                .collect(),
            commune: place.map(|place| place.commune.clone()),
            department: place.map(|place| place.department.clone()),
            location: place.and_then(|place| place.location),
            sector: profile.kind.map(|kind| if kind.is_public() { Sector::Public } else { Sector::Private }),
            needs: application.form.needs.clone(),
            candidate_found: application.form.candidate_found,
            ready: application.missing().is_empty(),
        }))
    }

    /// All that is granted of an application, told again: one event for each of its waves.
    pub(super) fn granted_again(application: &Application) -> Vec<Self> {
        // A post that is asked back may stay: what is told of it is told then, too.
        let held = || application.posts.iter().filter(|post| post.state.counts());
        let mut waves: Vec<_> = held().filter_map(|post| post.wave).collect();
        waves.sort_unstable();
        waves.dedup();
        waves
            .into_iter()
            .map(|wave| {
                let posts = held().filter(|post| post.wave == Some(wave));
                Self::granted(application, wave, posts)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Desk, amendments,
        examples::{self, Story, moment, settings},
        grants::{self, Selection},
        submission, withdrawal,
    };

    #[test]
    fn events_hold_ids_and_facts_and_no_word_of_the_structure() {
        let Story { application, .. } = examples::granted(1);
        let submitted = submission::submit(examples::submit(1), Desk::Open, &settings(), moment(examples::APPLIED));
        let withdrawn = withdrawal::withdraw(application.clone(), "Projet abandonné", moment("2021-06-01"));
        let mut events = Event::granted_again(&application);
        events.extend(submitted.unwrap().events);
        events.extend(withdrawn.unwrap().events);
        assert_eq!(events.len(), 3);
        for event in events {
            let told = serde_json::to_string(&event).unwrap();
            for word in ["exemple", "Ada", "Mairie", "Vénissieux", "Projet", "21690259300013"] {
                assert!(!told.contains(word), "{told}");
            }
            assert_eq!(event.subject(), application.id.name());
            assert_eq!(serde_json::from_str::<Event>(&told).unwrap(), event);
        }
    }

    #[test]
    fn p03_what_is_granted_is_told_again_wave_by_wave() {
        let Story { application, programme, .. } = examples::granted(2);
        let at = moment("2021-06-01");
        let application = amendments::add_posts(application, &[examples::post(50)], Desk::Open, at).unwrap().state;
        let wave = examples::wave(2);
        let granted = grants::grant(application, programme, &wave, &Selection::All, &settings(), at).unwrap();
        let told: Vec<_> = Event::granted_again(&granted.state.0)
            .into_iter()
            .map(|event| match event {
                Event::PostsGranted(told) => (told.wave, told.posts.len()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [(examples::wave(1).id, 2), (wave.id, 1)]);
    }
}
