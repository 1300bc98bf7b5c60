//! What matching answers about posts that were given back or withdrawn: released, and the cap moves back in the same
//! decision (A19, P01), or refused because a contract is signed (A01, M06). The last release decides what becomes of the
//! application: withdrawn where that was asked for, back in examination where posts are still asked for, else given back.

use conum_kernel::{Fact, PostId, Result, Rule};

use super::{
    CapOutcome, Mail, Outcome, Programme,
    application::{Action, Application, State},
    post::{PostAction, PostState},
};

/// matching has released a post. Told again of a post that is back, it changes nothing.
///
/// # Errors
/// `NOT_FOUND`, `WRONG_STATE` (A19) where nobody asked for the release.
pub fn released(mut application: Application, programme: Programme, post: PostId) -> Result<CapOutcome> {
    let returned = application.post_mut(post)?;
    if returned.state == PostState::Returned {
        return Ok(CapOutcome::of((application, programme)));
    }
    let mut facts = vec![returned.step(PostAction::Release)?];
    let programme = programme.release()?;
    let mut mails = Vec::new();
    if application.state == State::Granted && application.counted_posts() == 0 {
        conclude(&mut application, &mut facts, &mut mails)?;
    }
    Ok(CapOutcome { state: (application, programme), facts, events: Vec::new(), mails })
}

/// The last granted post is back.
fn conclude(application: &mut Application, facts: &mut Vec<Fact>, mails: &mut Vec<Mail>) -> Result<()> {
    if application.withdrawal_pending() {
        facts.extend(remove_asked(application)?);
        facts.push(application.step(Action::Withdraw, "")?);
        mails.push(Mail::Withdrawn { application: application.id });
    } else if application.has_post_in(PostState::Asked) {
        facts.push(application.step(Action::ResumeExamination, "")?);
    } else {
        facts.push(application.step(Action::GiveBack, "")?);
    }
    Ok(())
}

/// Takes off what was asked for and never granted.
pub(super) fn remove_asked(application: &mut Application) -> Result<Vec<Fact>> {
    application
        .posts
        .iter_mut()
        .filter(|post| post.state == PostState::Asked)
        .map(|post| post.step(PostAction::Remove))
        .collect()
}

/// matching has refused to release a post: a contract is signed on it. The post stays granted, and a withdrawal that was
/// asked for lapses; the posts that matching has released meanwhile stay given back.
///
/// # Errors
/// `NOT_FOUND`, `WRONG_STATE` (A19) where nobody asked for the release.
pub fn release_refused(mut application: Application, post: PostId) -> Result<Outcome> {
    let kept = application.post_mut(post)?;
    if kept.state == PostState::Granted {
        return Ok(Outcome::of(application));
    }
    let mut facts = vec![kept.step(PostAction::RefuseRelease)?];
    kept.return_reason.clear();
    if application.withdrawal_pending() {
        application.withdrawal = None;
        facts.push(application.noted(Rule("A01"), "LAPSE_WITHDRAWAL", "CONTRACT_SIGNED"));
    }
    let mail = Mail::PostKept { application: application.id, post };
    Ok(Outcome { state: application, facts, events: Vec::new(), mails: vec![mail] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Desk, amendments,
        examples::{self, Story, date, moment, settings},
        withdrawal::withdraw,
    };

    fn returning(posts: usize) -> Story {
        let mut story = examples::granted(posts);
        story.application = amendments::return_posts(story.application, &[], "").unwrap().state;
        story
    }

    #[test]
    fn a19_a_released_post_returns_to_the_cap_in_the_same_decision() {
        let Story { application, programme, .. } = returning(2);
        let post = application.posts[0].id;
        let outcome = released(application, programme, post).unwrap();
        let (application, after) = &outcome.state;
        assert_eq!(application.posts[0].state, PostState::Returned);
        assert_eq!(after.granted, programme.granted - 1);
        assert_eq!(application.state, State::Granted, "another one is still held");
        assert_eq!(outcome.facts[0].why, post.to_string());

        let (application, programme) = outcome.state;
        let again = released(application.clone(), programme, post).unwrap();
        assert_eq!(again, CapOutcome::of((application, programme)), "told twice, it moves the cap once");
    }

    #[test]
    fn p02_a_released_post_opens_the_desk_until_the_closing_date() {
        let mut story = returning(1);
        story.programme.cap = 1;
        assert!(!story.programme.desk(settings().closing_date, date("2021-12-31")).is_open());
        let post = story.application.posts[0].id;
        let (_, programme) = released(story.application, story.programme, post).unwrap().state;
        assert!(programme.desk(settings().closing_date, date("2022-01-31")).is_open());
        assert!(!programme.desk(settings().closing_date, date("2022-02-01")).is_open());
    }

    #[test]
    fn a19_a_post_with_a_signed_contract_is_kept() {
        let Story { application, .. } = returning(1);
        let (id, post) = (application.id, application.posts[0].id);
        let outcome = release_refused(application, post).unwrap();
        assert_eq!(outcome.state.posts[0].state, PostState::Granted);
        assert_eq!(outcome.facts[0].action, "REFUSE_POST_RELEASE");
        assert_eq!(outcome.mails, [Mail::PostKept { application: id, post }]);
        assert_eq!(release_refused(outcome.state.clone(), post).unwrap(), Outcome::of(outcome.state));
    }

    #[test]
    fn a19_nothing_is_released_that_nobody_gave_back() {
        let Story { application, programme, .. } = examples::granted(1);
        let post = application.posts[0].id;
        assert_eq!(released(application, programme, post).unwrap_err().reason(), "WRONG_STATE");
    }

    #[test]
    fn a19_what_is_still_asked_for_goes_back_to_the_examination() {
        let Story { application, programme, .. } = examples::granted(1);
        let post = application.posts[0].id;
        let at = moment("2021-06-01");
        let application = amendments::add_posts(application, &[examples::post(50)], Desk::Open, at).unwrap().state;
        let application = amendments::return_posts(application, &[post], "").unwrap().state;
        let (application, _) = released(application, programme, post).unwrap().state;
        assert_eq!(application.state, State::UnderExamination);
    }

    #[test]
    fn a01_the_application_is_withdrawn_when_the_last_post_is_released() {
        let Story { application, mut programme, .. } = examples::granted(2);
        let mut application = withdraw(application, "", moment("2021-06-01")).unwrap().state;
        let posts: Vec<_> = application.posts.iter().map(|post| post.id).collect();
        (application, programme) = released(application, programme, posts[0]).unwrap().state;
        assert_eq!(application.state, State::Granted);
        let last = released(application, programme, posts[1]).unwrap();
        assert_eq!(last.state.0.state, State::Withdrawn);
        assert_eq!(last.state.1.granted, 0);
        assert!(matches!(last.mails[..], [Mail::Withdrawn { .. }]));
    }

    #[test]
    fn a01_a_signed_contract_ends_the_withdrawal_whatever_the_order_of_the_answers() {
        for refused_first in [true, false] {
            let Story { application, mut programme, .. } = examples::granted(2);
            let mut application = withdraw(application, "", moment("2021-06-01")).unwrap().state;
            let posts: Vec<_> = application.posts.iter().map(|post| post.id).collect();
            if refused_first {
                application = release_refused(application, posts[0]).unwrap().state;
            }
            (application, programme) = released(application, programme, posts[1]).unwrap().state;
            if !refused_first {
                application = release_refused(application, posts[0]).unwrap().state;
            }
            assert_eq!(application.state, State::Granted);
            assert!(!application.withdrawal_pending());
            assert_eq!(programme.granted, 1);
            assert_eq!(application.counted_posts(), 1);
        }
    }
}
