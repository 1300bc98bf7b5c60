//! Withdrawing an application (A01): at any time until a contract is signed.
//!
//! While nothing is granted it is withdrawn at once. With granted posts, only matching knows whether a contract is
//! signed: the application stays `Granted` with its withdrawal pending, its granted posts are asked back, and nothing
//! else is done with it meanwhile. When the last post is released it is withdrawn, and what was only asked for is taken
//! off; where a contract turns out to be signed, the withdrawal lapses and the application goes on with the posts that
//! are kept (`releases`).

use conum_kernel::{Moment, Result, text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Event, Mail, Outcome,
    application::{Action, Application},
    post::{PostAction, PostState},
    releases::remove_asked,
};

/// A withdrawal, asked for or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// At most 500 characters; may be empty.
    pub reason: String,
    pub asked_at: Timestamp,
}

/// Withdraws an application, or asks matching to release its posts first.
///
/// # Errors
/// `WITHDRAWAL_PENDING` (A01), `APPLICATION_ENDED` (A05), a reason that is too long.
pub fn withdraw(mut application: Application, reason: &str, at: Moment) -> Result<Outcome> {
    application.check_goes_on()?;
    let reason = text::optional("reason", reason, 500)?;
    application.withdrawal = Some(Withdrawal { reason, asked_at: at.now });
    if application.counted_posts() == 0 {
        let mut facts = remove_asked(&mut application)?;
        facts.push(application.step(Action::Withdraw, "")?);
        let mail = Mail::Withdrawn { application: application.id };
        return Ok(Outcome { state: application, facts, events: Vec::new(), mails: vec![mail] });
    }

    let mut facts = vec![application.step(Action::AskWithdrawal, "")?];
    let mut asked_back = Vec::new();
    for post in application.posts.iter_mut().filter(|post| post.state == PostState::Granted) {
        facts.push(post.step(PostAction::AskReturn)?);
        asked_back.push(post.id);
    }
    let mut events = Vec::new();
    if !asked_back.is_empty() {
        let (application, structure) = (application.id, application.structure);
        events.push(Event::ApplicationWithdrawn { application, structure, posts: asked_back });
    }
    Ok(Outcome { state: application, facts, events, mails: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Desk, amendments,
        application::State,
        examples::{self, moment, settings},
        start_dates,
    };

    fn withdraw_at(application: Application) -> Result<Outcome> {
        withdraw(application, "Projet abandonné", moment("2021-06-01"))
    }

    #[test]
    fn a01_an_application_is_withdrawn_at_once_while_nothing_is_granted() {
        for story in [examples::submitted(2), examples::confirmed(2), examples::examined(2), examples::given_back(1)] {
            let outcome = withdraw_at(story.application).unwrap();
            assert_eq!(outcome.state.state, State::Withdrawn);
            assert_eq!(outcome.state.decision_reason(), "Projet abandonné");
            assert_eq!(outcome.events, [], "matching holds nothing of it");
            assert!(!outcome.state.is_active(), "the structure may apply again");
            assert!(!outcome.state.has_post_in(PostState::Asked));
        }
    }

    #[test]
    fn a01_granted_posts_are_released_by_matching_before_the_withdrawal() {
        let application = examples::granted(2).application;
        let posts: Vec<_> = application.posts.iter().map(|post| post.id).collect();
        let (id, structure) = (application.id, application.structure);
        let outcome = withdraw_at(application).unwrap();
        assert_eq!(outcome.state.state, State::Granted);
        assert!(outcome.state.withdrawal_pending());
        assert_eq!(outcome.events, [Event::ApplicationWithdrawn { application: id, structure, posts }]);
        assert_eq!(outcome.mails, []);
    }

    #[test]
    fn a01_nothing_else_is_done_while_the_withdrawal_is_pending() {
        let pending = withdraw_at(examples::granted(1).application).unwrap().state;
        let post = pending.posts[0].id;
        let at = moment("2021-06-02");
        for error in [
            withdraw_at(pending.clone()).unwrap_err(),
            amendments::add_posts(pending.clone(), &[examples::post(50)], Desk::Open, at).unwrap_err(),
            amendments::return_posts(pending.clone(), &[post], "").unwrap_err(),
            start_dates::settle(pending, post, at.today, &settings()).unwrap_err(),
        ] {
            assert_eq!(error.reason(), "WITHDRAWAL_PENDING");
        }
    }

    #[test]
    fn a01_a_post_that_is_already_asked_back_is_not_asked_back_twice() {
        let application = examples::granted(2).application;
        let (first, second) = (application.posts[0].id, application.posts[1].id);
        let application = amendments::return_posts(application, &[first], "").unwrap().state;
        let outcome = withdraw_at(application).unwrap();
        assert!(matches!(&outcome.events[..], [Event::ApplicationWithdrawn { posts, .. }] if *posts == [second]));
    }

    #[test]
    fn a01_what_has_ended_is_not_withdrawn() {
        let withdrawn = withdraw_at(examples::submitted(1).application).unwrap().state;
        assert_eq!(withdraw_at(withdrawn).unwrap_err().reason(), "APPLICATION_ENDED");
    }
}
