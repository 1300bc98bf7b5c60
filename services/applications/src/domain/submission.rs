//! Applying (A01, A05): the one way in. Every check of what an application says is made here at once; whether the
//! structure has another application is known to the storage, which holds that uniqueness too.

use conum_kernel::{ApplicationId, Error, Fact, Machine as _, Moment, Result, Rule, StructureId, Violations};

use super::{
    Desk, Event, Mail, Outcome, Settings,
    application::{Application, State},
    confirmation::{Confirmation, Token},
    form::{Field, Form},
    form_checks::{self, Standard},
    post::{MAX_POSTS, Post, PostForm},
    post_checks,
};

/// The warning to the agency that another application names the structure as a partner of its shared posts (A06).
pub const PARTNER_OF_ANOTHER: &str = "PARTNER_OF_ANOTHER";

/// An application to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    /// A new id.
    pub application: ApplicationId,
    /// The structure of the registration number, or a new id.
    pub structure: StructureId,
    pub form: Form,
    /// With new ids.
    pub posts: Vec<PostForm>,
    /// The secret of the link to be mailed (A07).
    pub token: Token,
    /// The structure's active application, where it has one (A05).
    pub active: Option<ApplicationId>,
    /// An active application that names the structure as a partner (A06).
    pub partner_of: Option<ApplicationId>,
}

/// Makes an application: it binds nobody, and needs nobody's approval (A01).
///
/// # Errors
/// `DESK_CLOSED` (P02), every wrong field at once (A05–A10, A13–A16), `APPLICATION_EXISTS` (A05).
pub fn submit(command: Submit, desk: Desk, settings: &Settings, at: Moment) -> Result<Outcome> {
    desk.check()?;
    let mut violations = Violations::default();
    let form = form_checks::check(
        &command.form,
        &Field::ALL,
        Standard::Application,
        &settings.commitments_version,
        "application.",
        &mut violations,
    );
    let posts = asked(&command.posts, &form, at, &mut violations);
    violations.check()?;
    if let Some(first) = command.active {
        return Err(second_application(first));
    }

    let mut application = Application {
        posts,
        confirmation: Some(Confirmation::mailed(&command.token, settings, at.today)),
        commitments_at: Some(at.now),
        ..Application::new(command.application, command.structure, State::Submitted, form, at)
    };
    if command.partner_of.is_some() {
        application.warn(PARTNER_OF_ANOTHER);
    }
    let event = Event::ApplicationSubmitted {
        application: application.id,
        structure: application.structure,
        department: application.form.profile.department().unwrap_or_default().to_owned(),
        posts: u32::try_from(application.posts.len()).unwrap_or(u32::MAX),
    };
    let mail = Mail::ConfirmAddress { application: application.id, token: command.token };
    let fact =
        Fact { action: "SUBMIT", from: "", to: application.state.name(), why: String::new(), rule: Some(Rule("A01")) };
    Ok(Outcome::of(application).fact(fact).event(event).mail(mail))
}

fn asked(posts: &[PostForm], form: &Form, at: Moment, violations: &mut Violations) -> Vec<Post> {
    post_checks::count(posts.len(), "application.posts", violations);
    posts
        .iter()
        .take(MAX_POSTS)
        .enumerate()
        .map(|(place, post)| {
            let path = format!("application.posts[{place}]");
            let grounds = post_checks::check(post, form.profile.kind, at.today, &path, violations);
            Post::asked(post, grounds, at.today)
        })
        .collect()
}

/// The refusal of a second application of one structure: it names the first (A05).
#[must_use]
pub fn second_application(first: ApplicationId) -> Error {
    Error::already_exists(
        Some(Rule("A05")),
        "APPLICATION_EXISTS",
        &first.name(),
        format!("the structure has an application, {}: add its posts to it", first.name()),
        format!("la structure a déjà une candidature, {} : ajoutez-y ses postes", first.name()),
    )
}

#[cfg(test)]
mod tests {
    use conum_kernel::Kind;

    use super::*;
    use crate::domain::{
        Programme,
        examples::{self, date, id, moment, settings},
        form::LinkedProgramme,
        post::{Ground, PostState},
        programme::Closing,
    };

    fn submit_changed(change: impl FnOnce(&mut Submit)) -> Result<Outcome> {
        let mut command = examples::submit(2);
        change(&mut command);
        submit(command, Desk::Open, &settings(), moment(examples::APPLIED))
    }

    #[test]
    fn a01_applying_binds_nobody_and_needs_no_approval() {
        let outcome = submit_changed(|_| {}).unwrap();
        let application = &outcome.state;
        assert_eq!(application.state, State::Submitted);
        assert!(application.posts.iter().all(|post| post.state == PostState::Asked));
        assert_eq!(application.counted_posts(), 0);
        assert!(
            matches!(&outcome.events[..], [Event::ApplicationSubmitted { posts: 2, department, .. }] if department == "69")
        );
    }

    #[test]
    fn a03_no_ceiling_on_the_posts_asked_for_but_the_contracts() {
        let asking = |posts| submit(examples::submit(posts), Desk::Open, &settings(), moment(examples::APPLIED));
        assert_eq!(asking(500).unwrap().state.posts.len(), 500);
        assert_eq!(asking(501).unwrap_err().violations()[0].reason, "TOO_MANY");
    }

    #[test]
    fn a05_one_application_carries_all_the_posts_each_with_its_date() {
        let outcome = submit_changed(|command| {
            command.posts[0].wished_start_date = Some(date("2021-03-01"));
            command.posts[1].wished_start_date = Some(date("2021-09-01"));
        });
        let dates: Vec<_> = outcome.unwrap().state.posts.iter().map(Post::start_date).collect();
        assert_eq!(dates, [Some(date("2021-03-01")), Some(date("2021-09-01"))]);

        let error = submit_changed(|command| command.posts.clear()).unwrap_err();
        assert_eq!(error.violations()[0].field, "application.posts");
    }

    #[test]
    fn a05_a_second_application_is_refused_and_names_the_first() {
        let first: ApplicationId = id(99);
        let error = submit_changed(|command| command.active = Some(first)).unwrap_err();
        assert_eq!((error.kind(), error.rule()), (Kind::AlreadyExists, Some(Rule("A05"))));
        assert_eq!(error.metadata(), [("existing", first.name())]);
    }

    #[test]
    fn a05_a07_a_form_and_its_posts_are_refused_with_all_their_wrong_fields_at_once() {
        let error = submit_changed(|command| {
            command.form.profile.registration_number = Some("123".into());
            command.form.contact = None;
            command.form.missions.clear();
            command.posts[1].counts_for_france_services = true;
        })
        .unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "application.profile.registration_number",
                "application.contact",
                "application.missions",
                "application.posts[1].counts_for_france_services",
            ]
        );
    }

    #[test]
    fn a06_a_partner_may_apply_for_its_own_posts_and_the_agency_is_warned() {
        let outcome = submit_changed(|command| command.partner_of = Some(id(98))).unwrap();
        assert_eq!(outcome.state.warnings, [PARTNER_OF_ANOTHER]);
    }

    #[test]
    fn a07_the_contact_receives_a_link() {
        let outcome = submit_changed(|_| {}).unwrap();
        assert_eq!(outcome.mails, [Mail::ConfirmAddress { application: outcome.state.id, token: examples::token() }]);
        assert_eq!(outcome.state.address_confirmed_at, None);
    }

    #[test]
    fn a10_a_coordinators_post_goes_to_a_special_examination() {
        let application = submit_changed(|command| command.posts[1].coordinator = true).unwrap().state;
        assert_eq!(application.posts[0].derogation, None);
        assert_eq!(application.posts[1].derogation.as_ref().unwrap().grounds, [Ground::Coordinator]);
    }

    #[test]
    fn a11_a_found_candidate_changes_nothing_else() {
        let with = submit_changed(|command| command.form.candidate_found = true).unwrap();
        let mut without = submit_changed(|command| command.form.candidate_found = false).unwrap();
        assert!(with.state.form.candidate_found);
        without.state.form.candidate_found = true;
        assert_eq!(with, without);
    }

    #[test]
    fn a13_commitments_are_kept_with_their_date_and_wording() {
        let application = submit_changed(|command| command.form.commitments_version.clear()).unwrap().state;
        assert_eq!(application.form.commitments_version, settings().commitments_version);
        assert_eq!(application.commitments_at, Some(moment(examples::APPLIED).now));
        assert_eq!(application.form.commitments.len(), 7);
    }

    #[test]
    fn a18_links_with_other_programmes_change_no_decision() {
        let with = submit_changed(|command| command.form.linked_programmes = vec![LinkedProgramme::Fibre]).unwrap();
        let mut without = submit_changed(|_| {}).unwrap();
        without.state.form.linked_programmes = vec![LinkedProgramme::Fibre];
        assert_eq!(with, without);
    }

    #[test]
    fn p02_an_application_after_the_desk_closed_is_refused() {
        let on = |day: &str, granted| {
            let desk = Programme { cap: 10, granted }.desk(settings().closing_date, date(day));
            submit(examples::submit(1), desk, &settings(), moment(day))
        };
        assert!(on("2022-01-31", 9).is_ok());
        for error in [on("2022-02-01", 0).unwrap_err(), on("2021-06-01", 10).unwrap_err()] {
            assert_eq!((error.reason(), error.rule()), ("DESK_CLOSED", Some(Rule("P02"))));
        }
        assert!(Desk::Closed(Closing::CapReached).check().is_err());
    }
}
