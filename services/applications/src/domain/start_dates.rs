//! The dates from which a structure welcomes its advisers: wished at application, settled at the latest after the grant
//! (A05), with a warning to the agency when even the earliest lies far away (A16).

use conum_kernel::{Error, Fact, PostId, Result, Rule, dates::add_months};
use jiff::civil::Date;

use super::{
    Event, Outcome, Settings,
    application::Application,
    post::{Post, PostState},
};

/// The warning of A16.
pub const START_DATE_FAR: &str = "START_DATE_FAR";

/// Settles or changes the start date of a post that is asked for or granted. matching is told of a granted one.
///
/// # Errors
/// `NOT_FOUND`, `POST_NOT_HELD` (A05).
pub fn settle(mut application: Application, post: PostId, date: Date, settings: &Settings) -> Result<Outcome> {
    application.check_goes_on()?;
    let settled = application.post_mut(post)?;
    let granted = match settled.state {
        PostState::Asked => false,
        PostState::Granted => true,
        _ => {
            return Err(Error::refused(
                Rule("A05"),
                "POST_NOT_HELD",
                "the date of this post can no longer be settled",
                "la date de ce poste ne peut plus être fixée",
            ));
        }
    };
    if settled.settled_start_date == Some(date) {
        return Ok(Outcome::of(application));
    }
    settled.settled_start_date = Some(date);
    let mut facts = vec![application.noted(Rule("A05"), "SETTLE_START_DATE", post.to_string())];
    facts.extend(review(&mut application, settings));
    let events = if granted {
        vec![Event::PostDateSettled { application: application.id, post, start_date: date }]
    } else {
        Vec::new()
    };
    Ok(Outcome { state: application, facts, events, mails: Vec::new() })
}

/// Raises A16's warning, or takes it back: it stands while every granted post starts more than the policy's months after
/// its grant, so that the earliest does.
pub(super) fn review(application: &mut Application, settings: &Settings) -> Option<Fact> {
    let months = settings.start_date_warning_months;
    let starts_far = |post: &Post| {
        post.start_date().zip(post.granted_on).is_some_and(|(start, granted)| start > add_months(granted, months))
    };
    let far = application.has_post_in(PostState::Granted) && application.posts_in(PostState::Granted).all(starts_far);
    let warned = application.warnings.iter().any(|warning| warning == START_DATE_FAR);
    match (far, warned) {
        (true, false) => {
            application.warn(START_DATE_FAR);
            Some(application.noted(Rule("A16"), "WARN", START_DATE_FAR))
        }
        (false, true) => {
            application.clear_warning(START_DATE_FAR);
            Some(application.noted(Rule("A16"), "CLEAR_WARNING", START_DATE_FAR))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examples::{self, date, moment, settings},
        grants::{self, Selection},
    };

    /// Posts with these wished dates, granted on 2021-03-10.
    fn granted(dates: &[&str]) -> Application {
        let mut story = examples::examined(dates.len());
        for (post, day) in story.application.posts.iter_mut().zip(dates) {
            post.wished_start_date = Some(date(day));
        }
        let at = moment("2021-03-10");
        grants::grant(story.application, story.programme, &story.wave, &Selection::All, &settings(), at)
            .unwrap()
            .state
            .0
    }

    #[test]
    fn a16_an_earliest_start_more_than_three_months_after_the_grant_raises_a_warning() {
        assert!(granted(&["2021-06-10"]).warnings.is_empty(), "three months to the day");
        assert_eq!(granted(&["2021-06-11"]).warnings, [START_DATE_FAR]);
        assert!(granted(&["2021-06-11", "2021-05-01"]).warnings.is_empty(), "only the earliest counts");
    }

    #[test]
    fn a16_a_date_settled_nearer_takes_the_warning_back() {
        let application = granted(&["2021-09-01"]);
        let post = application.posts[0].id;
        let outcome = settle(application, post, date("2021-06-10"), &settings()).unwrap();
        assert!(outcome.state.warnings.is_empty());
        assert!(outcome.facts.iter().any(|fact| fact.action == "CLEAR_WARNING"));
        let further = settle(outcome.state, post, date("2021-06-11"), &settings()).unwrap().state;
        assert_eq!(further.warnings, [START_DATE_FAR]);
    }

    #[test]
    fn a05_dates_are_settled_after_the_grant_and_matching_is_told() {
        let application = granted(&["2021-04-01"]);
        let (id, post) = (application.id, application.posts[0].id);
        let outcome = settle(application, post, date("2021-05-03"), &settings()).unwrap();
        assert_eq!(outcome.state.posts[0].start_date(), Some(date("2021-05-03")));
        let start_date = date("2021-05-03");
        assert_eq!(outcome.events, [Event::PostDateSettled { application: id, post, start_date }]);
        let again = settle(outcome.state.clone(), post, start_date, &settings()).unwrap();
        assert_eq!(again, Outcome::of(outcome.state), "the same date again changes nothing");
    }

    #[test]
    fn a05_a_date_settled_before_the_grant_is_told_with_it() {
        let application = examples::examined(1).application;
        let post = application.posts[0].id;
        let outcome = settle(application, post, date("2021-05-03"), &settings()).unwrap();
        assert_eq!(outcome.events, []);
        assert_eq!(outcome.state.posts[0].start_date(), Some(date("2021-05-03")));
    }

    #[test]
    fn a05_a_post_given_back_has_no_date_to_settle() {
        let mut application = granted(&["2021-04-01"]);
        application.posts[0].state = PostState::ReturnAsked;
        let post = application.posts[0].id;
        assert_eq!(settle(application, post, date("2021-05-03"), &settings()).unwrap_err().reason(), "POST_NOT_HELD");
        let unknown = settle(granted(&["2021-04-01"]), examples::id(999), date("2021-05-03"), &settings());
        assert_eq!(unknown.unwrap_err().reason(), "NOT_FOUND");
    }
}
