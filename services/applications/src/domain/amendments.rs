//! Posts added by amendment and posts given back (A19), online, until they are filled. Whether a post is filled is
//! known to matching alone: a granted post is asked back first, and returns to the cap once matching has released it
//! (`releases`). A post that was never granted is taken off at once.

use conum_kernel::{Error, Moment, PostId, Result, Rule, Violations, text};

use super::{
    Desk, Event, Outcome,
    application::{Action, Application},
    post::{MAX_POSTS, Post, PostAction, PostForm, PostState},
    post_checks,
};

/// Adds posts, while the desk is open (P02): asked for, and decided like the others.
///
/// # Errors
/// `DESK_CLOSED` (P02), `APPLICATION_ENDED` (A05), `WITHDRAWAL_PENDING` (A01), every wrong field at once (A08–A10).
pub fn add_posts(mut application: Application, posts: &[PostForm], desk: Desk, at: Moment) -> Result<Outcome> {
    application.check_goes_on()?;
    desk.check()?;
    let mut violations = Violations::default();
    if posts.is_empty() {
        violations.missing("posts");
    }
    let live = application.posts.iter().filter(|post| post.state.is_live()).count();
    if !posts.is_empty() {
        post_checks::count(live.saturating_add(posts.len()), "posts", &mut violations);
    }
    let kind = application.form.profile.kind;
    let mut added = Vec::new();
    for (place, post) in posts.iter().enumerate().take(MAX_POSTS) {
        let grounds = post_checks::check(post, kind, at.today, &format!("posts[{place}]"), &mut violations);
        added.push(Post::asked(post, grounds, at.today));
    }
    violations.check()?;
    let fact = application.step(Action::AddPosts, posts.len().to_string())?;
    application.posts.extend(added);
    Ok(Outcome::of(application).fact(fact))
}

/// Gives posts back, in part or whole: those that are named, or every granted one. What is asked for is taken off at
/// once; matching is asked to release what is granted.
///
/// # Errors
/// `POST_NOT_RETURNABLE` or `NO_POST_TO_RETURN` (A19), `LAST_POST` (A01) where the application would hold none and is to
/// be withdrawn instead, `WITHDRAWAL_PENDING` (A01), an unknown post.
pub fn return_posts(mut application: Application, posts: &[PostId], reason: &str) -> Result<Outcome> {
    application.check_goes_on()?;
    let reason = text::optional("reason", reason, 500)?;
    let posts = named_or_granted(&application, posts)?;
    let mut facts = Vec::new();
    let mut asked_back = Vec::new();
    for id in posts {
        let post = application.post_mut(id)?;
        if post.state == PostState::Granted {
            asked_back.push(id);
            facts.push(post.step(PostAction::AskReturn)?);
        } else {
            facts.push(post.step(PostAction::Remove)?);
        }
        post.return_reason.clone_from(&reason);
    }
    if !application.posts.iter().any(|post| post.state.is_live()) {
        return Err(Error::refused(
            Rule("A01"),
            "LAST_POST",
            "an application carries one post at least: withdraw it instead",
            "une candidature porte au moins un poste : retirez-la plutôt",
        ));
    }
    let mut outcome = Outcome { state: application, facts, events: Vec::new(), mails: Vec::new() };
    if !asked_back.is_empty() {
        let (application, structure) = (outcome.state.id, outcome.state.structure);
        outcome.events.push(Event::PostsReturned { application, structure, posts: asked_back });
    }
    Ok(outcome)
}

fn named_or_granted(application: &Application, named: &[PostId]) -> Result<Vec<PostId>> {
    if named.is_empty() {
        let granted: Vec<_> = application.posts_in(PostState::Granted).map(|post| post.id).collect();
        if granted.is_empty() {
            return Err(Error::refused(
                Rule("A19"),
                "NO_POST_TO_RETURN",
                "the application holds no granted post",
                "la candidature n'a aucun poste accordé",
            ));
        }
        return Ok(granted);
    }
    let mut violations = Violations::default();
    let mut posts = Vec::with_capacity(named.len());
    for (place, id) in named.iter().enumerate() {
        match application.post(*id) {
            None => post_checks::unknown(format!("posts[{place}]"), &mut violations),
            Some(post) if !matches!(post.state, PostState::Asked | PostState::Granted) => violations.breaks(
                Rule("A19"),
                format!("posts[{place}]"),
                "POST_NOT_RETURNABLE",
                "this post was given back, refused or taken off before",
                "ce poste a déjà été rendu, refusé ou retiré",
            ),
            Some(_) if posts.contains(id) => {}
            Some(_) => posts.push(*id),
        }
    }
    violations.check()?;
    Ok(posts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Mail, Programme,
        application::State,
        examples::{self, Story, date, moment, settings},
        grants::{self, Selection},
        programme::Closing,
        releases,
    };

    fn states(application: &Application) -> Vec<PostState> {
        application.posts.iter().map(|post| post.state).collect()
    }

    #[test]
    fn a19_posts_are_added_by_amendment_and_decided_like_the_others() {
        let Story { application, programme, .. } = examples::granted(1);
        let added = add_posts(application, &[examples::post(50)], Desk::Open, moment("2021-06-01")).unwrap().state;
        assert_eq!(states(&added), [PostState::Granted, PostState::Asked]);
        assert_eq!(added.posts[1].asked_on, date("2021-06-01"));
        let at = moment("2021-06-10");
        let (granted, programme) =
            grants::grant(added, programme, &examples::wave(2), &Selection::All, &settings(), at).unwrap().state;
        assert_eq!(states(&granted), [PostState::Granted, PostState::Granted]);
        assert_eq!(programme.granted, 2);
    }

    #[test]
    fn a19_an_added_post_is_checked_at_its_own_path() {
        let mut post = examples::post(50);
        post.counts_for_france_services = true;
        post.wished_start_date = None;
        let application = examples::granted(1).application;
        let error = add_posts(application.clone(), &[post], Desk::Open, moment("2021-06-01")).unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["posts[0].wished_start_date", "posts[0].counts_for_france_services"]);
        assert!(add_posts(application, &[], Desk::Open, moment("2021-06-01")).is_err());
    }

    #[test]
    fn a09_an_added_post_looks_at_the_day_of_its_amendment() {
        let mut post = examples::post(50);
        post.existing_contract = Some(examples::contract("2021-05-01", "2021-06-01"));
        let application = examples::granted(1).application;
        let on = |day| add_posts(application.clone(), std::slice::from_ref(&post), Desk::Open, moment(day));
        assert!(on("2021-05-31").is_ok());
        assert_eq!(on("2021-06-01").unwrap_err().rule(), Some(Rule("A09")));
    }

    #[test]
    fn p02_posts_are_added_while_the_desk_is_open() {
        let application = examples::granted(1).application;
        for closing in [Closing::DatePassed, Closing::CapReached] {
            let desk = Desk::Closed(closing);
            let error = add_posts(application.clone(), &[examples::post(50)], desk, moment("2021-06-01")).unwrap_err();
            assert_eq!(error.rule(), Some(Rule("P02")));
        }
    }

    #[test]
    fn a19_posts_are_given_back_in_part_and_matching_is_asked_to_release_them() {
        let application = examples::granted(2).application;
        let (id, structure, post) = (application.id, application.structure, application.posts[1].id);
        let outcome = return_posts(application, &[post], "Budget").unwrap();
        assert_eq!(states(&outcome.state), [PostState::Granted, PostState::ReturnAsked]);
        assert_eq!(outcome.events, [Event::PostsReturned { application: id, structure, posts: vec![post] }]);
        assert_eq!(outcome.state.counted_posts(), 2, "the cap moves when matching has released it");
        assert_eq!(return_posts(outcome.state, &[post], "").unwrap_err().violations()[0].reason, "POST_NOT_RETURNABLE");
    }

    #[test]
    fn a19_all_the_granted_posts_are_given_back_when_none_is_named() {
        let Story { application, mut programme, .. } = examples::granted(2);
        let mut application = return_posts(application, &[], "").unwrap().state;
        assert_eq!(states(&application), [PostState::ReturnAsked, PostState::ReturnAsked]);
        for post in application.posts.clone() {
            (application, programme) = releases::released(application, programme, post.id).unwrap().state;
        }
        assert_eq!(application.state, State::GivenBack);
        assert_eq!(programme.granted, 0, "given-back posts return to the cap at once");
        assert_eq!(return_posts(application, &[], "").unwrap_err().reason(), "NO_POST_TO_RETURN");
    }

    #[test]
    fn a19_a_post_that_was_never_granted_is_taken_off_at_once() {
        let application = examples::confirmed(2).application;
        let (first, second) = (application.posts[0].id, application.posts[1].id);
        let outcome = return_posts(application, &[first], "").unwrap();
        assert_eq!(states(&outcome.state), [PostState::Removed, PostState::Asked]);
        assert_eq!((outcome.events, outcome.mails), (Vec::<Event>::new(), Vec::<Mail>::new()));
        assert_eq!(return_posts(outcome.state, &[second], "").unwrap_err().reason(), "LAST_POST");
    }

    #[test]
    fn a19_posts_added_after_everything_was_given_back_open_the_application_again() {
        let Story { application, programme, .. } = examples::given_back(1);
        assert_eq!(application.state, State::GivenBack);
        let added = add_posts(application, &[examples::post(50)], Desk::Open, moment("2021-06-01")).unwrap().state;
        assert_eq!(added.state, State::UnderExamination);
        let at = moment("2021-06-10");
        let wave = examples::wave(2);
        let (granted, programme) =
            grants::grant(added, programme, &wave, &Selection::All, &settings(), at).unwrap().state;
        assert_eq!((granted.state, programme), (State::Granted, Programme { granted: 1, ..programme }));
    }
}
