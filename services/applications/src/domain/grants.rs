//! Granting posts in a wave (A02, P03), under the cap (P01): 1 to the number asked for, each with its derogation accepted
//! (A09, A10), after the territory was consulted. A grant opens the file of documents (A12), sends the welcome kit, and
//! binds matching to nothing before the wave is activated. A structure may be granted posts in several waves.

use conum_kernel::{Error, Moment, PostId, Result, Rule, Violations, post_name};

use super::{
    CapOutcome, Event, Mail, Programme, Settings, Wave,
    application::{Action, Application},
    documents,
    examination::check_examinable,
    post::{DerogationState, Post, PostAction, PostState},
    post_checks, start_dates,
};

/// Which of the posts asked for are granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All that may be granted.
    All,
    /// So many, the earliest start date first, then by id.
    Earliest(u32),
    /// These.
    Posts(Vec<PostId>),
}

impl Selection {
    /// Reads the request: `posts`, or `count` of them, or all when there is neither.
    ///
    /// # Errors
    /// `INVALID_COUNT` at `count` where it is negative, or says another number than `posts`.
    pub fn requested(count: i32, posts: Vec<PostId>) -> Result<Self> {
        match (u32::try_from(count), posts.len()) {
            (Ok(0), 0) => Ok(Self::All),
            (Ok(count), 0) => Ok(Self::Earliest(count)),
            (Ok(count), listed) if count == 0 || usize::try_from(count) == Ok(listed) => Ok(Self::Posts(posts)),
            _ => Err(Error::invalid(
                "count",
                "INVALID_COUNT",
                "say how many posts, or which ones",
                "dites combien de postes, ou lesquels",
            )),
        }
    }
}

/// Grants posts of an application in a wave. The application and the programme's row are stored together.
///
/// # Errors
/// `WAVE_NOT_OPEN` (P03), `CAP_EXCEEDED` (P01), `ADDRESS_NOT_CONFIRMED` (A07), `OPINION_REQUIRED`, `WRONG_STATE`,
/// `COUNT_ABOVE_ASKED` or `POST_NOT_ASKED` (A02), `DEROGATION_PENDING` or `DEROGATION_REFUSED` (A09, A10).
pub fn grant(
    mut application: Application,
    programme: Programme,
    wave: &Wave,
    selection: &Selection,
    settings: &Settings,
    at: Moment,
) -> Result<CapOutcome> {
    check_examinable(&application)?;
    wave.check_open()?;
    check_consulted(&application, settings)?;
    let first_grant = application.counted_posts() == 0;
    let mut facts = vec![application.step(Action::Grant, wave.id.to_string())?];
    let chosen = choose(&application, selection)?;
    let count = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    let programme = programme.grant(count)?;

    for id in &chosen {
        let post = application.post_mut(*id)?;
        facts.push(post.step(PostAction::Grant)?);
        post.wave = Some(wave.id);
        post.granted_on = Some(at.today);
    }
    let dossier = if first_grant { documents::list_again(&mut application, settings) } else { None };
    facts.extend(start_dates::review(&mut application, settings));
    let granted = application.posts.iter().filter(|post| chosen.contains(&post.id));
    let mut events = vec![Event::granted(&application, wave.id, granted)];
    let mut mails = vec![
        Mail::PostsGranted { application: application.id, wave: wave.id, posts: count },
        Mail::WelcomeKit { application: application.id },
    ];
    if let Some((event, mail)) = dossier {
        events.push(event);
        mails.push(mail);
    }
    Ok(CapOutcome { state: (application, programme), facts, events, mails })
}

fn check_consulted(application: &Application, settings: &Settings) -> Result<()> {
    if settings.opinion_required && application.opinions.is_empty() {
        return Err(Error::refused(
            Rule("A02"),
            "OPINION_REQUIRED",
            "the territory is consulted before a grant: no opinion is recorded",
            "le territoire est consulté avant tout accord : aucun avis n'est enregistré",
        ));
    }
    Ok(())
}

fn choose(application: &Application, selection: &Selection) -> Result<Vec<PostId>> {
    let chosen: Vec<&Post> = match selection {
        Selection::All => earliest(application, None)?,
        Selection::Earliest(count) => earliest(application, usize::try_from(*count).ok())?,
        Selection::Posts(ids) => listed(application, ids)?,
    };
    for post in &chosen {
        check_derogation(post)?;
    }
    Ok(chosen.iter().map(|post| post.id).collect())
}

/// The earliest posts that are asked for; those whose derogation was refused are left aside.
fn earliest(application: &Application, count: Option<usize>) -> Result<Vec<&Post>> {
    let mut asked: Vec<_> = application
        .posts_in(PostState::Asked)
        .filter(|post| post.derogation_state() != Some(DerogationState::Refused))
        .collect();
    asked.sort_by_key(|post| (post.start_date(), post.id));
    let count = count.unwrap_or(asked.len());
    if count == 0 || count > asked.len() {
        return Err(Error::refused(
            Rule("A02"),
            "COUNT_ABOVE_ASKED",
            format!("1 to the number asked for is granted: {} can be", asked.len()),
            format!("on accorde de 1 poste au nombre demandé : {} peuvent l'être", asked.len()),
        )
        .with("asked", asked.len()));
    }
    asked.truncate(count);
    Ok(asked)
}

fn listed<'a>(application: &'a Application, ids: &[PostId]) -> Result<Vec<&'a Post>> {
    let mut violations = Violations::default();
    let mut posts: Vec<&Post> = Vec::with_capacity(ids.len());
    for (place, id) in ids.iter().enumerate() {
        match application.post(*id) {
            None => post_checks::unknown(format!("posts[{place}]"), &mut violations),
            Some(post) if !posts.iter().any(|known| known.id == post.id) => posts.push(post),
            Some(_) => {}
        }
    }
    violations.check()?;
    if let Some(post) = posts.iter().find(|post| post.state != PostState::Asked) {
        return Err(Error::refused(
            Rule("A02"),
            "POST_NOT_ASKED",
            "one of these posts is not, or no longer, asked for",
            "l'un de ces postes n'est pas, ou n'est plus, demandé",
        )
        .with("post", post_name(application.id, post.id)));
    }
    Ok(posts)
}

fn check_derogation(post: &Post) -> Result<()> {
    let Some(derogation) = &post.derogation else { return Ok(()) };
    let (reason, english, french) = match derogation.state {
        DerogationState::Accepted => return Ok(()),
        DerogationState::Asked => (
            "DEROGATION_PENDING",
            "the special examination of one of these posts is not decided",
            "l'examen particulier de l'un de ces postes n'est pas décidé",
        ),
        DerogationState::Refused => (
            "DEROGATION_REFUSED",
            "the derogation of one of these posts was refused",
            "la dérogation de l'un de ces postes a été refusée",
        ),
    };
    Err(Error::refused(derogation.rule(), reason, english, french).with("post", post.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        application::State,
        events::Sector,
        examples::{self, Story, date, moment, settings},
        form::StructureKind,
        waves,
    };

    const DAY: &str = "2021-03-10";

    fn grant_of(story: &Story, selection: &Selection) -> Result<CapOutcome> {
        let Story { application, programme, wave } = story.clone();
        grant(application, programme, &wave, selection, &settings(), moment(DAY))
    }

    fn states(application: &Application) -> Vec<PostState> {
        application.posts.iter().map(|post| post.state).collect()
    }

    #[test]
    fn a02_the_agency_grants_one_to_the_number_asked() {
        use PostState::{Asked, Granted};
        let story = examples::examined(3);
        let outcome = grant_of(&story, &Selection::Earliest(2)).unwrap();
        let (application, programme) = &outcome.state;
        assert_eq!(application.state, State::Granted);
        assert_eq!(states(application), [Granted, Granted, Asked]);
        assert_eq!(programme.granted, 2);
        assert_eq!(application.posts[0].granted_on, Some(date(DAY)));

        for wrong in [Selection::Earliest(0), Selection::Earliest(4)] {
            let error = grant_of(&story, &wrong).unwrap_err();
            assert_eq!((error.reason(), error.rule()), ("COUNT_ABOVE_ASKED", Some(Rule("A02"))));
        }
        assert_eq!(grant_of(&story, &Selection::All).unwrap().state.1.granted, 3);
    }

    #[test]
    fn a02_the_earliest_start_dates_are_granted_first_then_the_smallest_ids() {
        let mut story = examples::examined(3);
        let dates = ["2021-09-01", "2021-05-01", "2021-05-01"];
        for (post, day) in story.application.posts.iter_mut().zip(dates) {
            post.wished_start_date = Some(date(day));
        }
        let (application, _) = grant_of(&story, &Selection::Earliest(1)).unwrap().state;
        assert_eq!(states(&application), [PostState::Asked, PostState::Granted, PostState::Asked]);
        story.application.posts[2].settled_start_date = Some(date("2021-04-01"));
        let (application, _) = grant_of(&story, &Selection::Earliest(1)).unwrap().state;
        assert_eq!(states(&application), [PostState::Asked, PostState::Asked, PostState::Granted]);
    }

    #[test]
    fn a02_chosen_posts_are_granted_and_must_be_asked_for() {
        let story = examples::examined(2);
        let second = story.application.posts[1].id;
        let (application, programme) = grant_of(&story, &Selection::Posts(vec![second, second])).unwrap().state;
        assert_eq!(states(&application), [PostState::Asked, PostState::Granted]);
        assert_eq!(programme.granted, 1);

        let again = Story { application, programme, ..story.clone() };
        assert_eq!(grant_of(&again, &Selection::Posts(vec![second])).unwrap_err().reason(), "POST_NOT_ASKED");
        let error = grant_of(&story, &Selection::Posts(vec![second, examples::id(999)])).unwrap_err();
        assert_eq!(error.violations()[0].field, "posts[1]");
    }

    #[test]
    fn a02_the_request_says_how_many_or_which_ones() {
        let posts: Vec<PostId> = vec![examples::id(1), examples::id(2)];
        assert_eq!(Selection::requested(0, vec![]), Ok(Selection::All));
        assert_eq!(Selection::requested(2, vec![]), Ok(Selection::Earliest(2)));
        assert_eq!(Selection::requested(0, posts.clone()), Ok(Selection::Posts(posts.clone())));
        assert_eq!(Selection::requested(2, posts.clone()), Ok(Selection::Posts(posts.clone())));
        assert!(Selection::requested(-1, vec![]).is_err());
        assert!(Selection::requested(1, posts).is_err());
    }

    #[test]
    fn a02_no_grant_without_the_opinion_of_the_territory_unless_the_policy_says_so() {
        let story = examples::confirmed(1);
        let error = grant_of(&story, &Selection::All).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("OPINION_REQUIRED", Some(Rule("A02"))));
        let free = Settings { opinion_required: false, ..settings() };
        let Story { application, programme, wave } = story;
        assert!(grant(application, programme, &wave, &Selection::All, &free, moment(DAY)).is_ok());
    }

    #[test]
    fn a07_no_grant_before_the_address_is_confirmed() {
        let error = grant_of(&examples::submitted(1), &Selection::All).unwrap_err();
        assert_eq!(error.rule(), Some(Rule("A07")));
    }

    #[test]
    fn a02_a12_a17_a_grant_is_mailed_with_the_welcome_kit_and_opens_the_file_of_documents() {
        let outcome = grant_of(&examples::examined(2), &Selection::All).unwrap();
        let (application, _) = &outcome.state;
        assert!(matches!(outcome.mails[..], [Mail::PostsGranted { posts: 2, .. }, Mail::WelcomeKit { .. }]));
        assert!(!application.documents.is_empty());
    }

    #[test]
    fn p01_a_grant_above_what_remains_grants_nothing() {
        let mut story = examples::examined(3);
        story.programme = Programme { cap: 4000, granted: 3998 };
        let error = grant_of(&story, &Selection::All).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("CAP_EXCEEDED", Some(Rule("P01"))));
        assert_eq!(grant_of(&story, &Selection::Earliest(2)).unwrap().state.1.remaining(), 0);
    }

    #[test]
    fn p02_applications_in_hand_go_on_after_the_closing_date() {
        let Story { application, programme, wave } = examples::examined(1);
        assert!(grant(application, programme, &wave, &Selection::All, &settings(), moment("2022-03-01")).is_ok());
    }

    #[test]
    fn p03_a_structure_may_have_posts_in_several_waves_each_told_by_itself() {
        let story = examples::examined(2);
        let first = grant_of(&story, &Selection::Earliest(1)).unwrap();
        let (application, programme) = first.state;
        let later = Story { application, programme, wave: examples::wave(2) };
        let second = grant_of(&later, &Selection::All).unwrap();
        let posts = &second.state.0.posts;
        assert_eq!((posts[0].wave, posts[1].wave), (Some(story.wave.id), Some(later.wave.id)));
        let told = |events: &[Event]| match events {
            [Event::PostsGranted(told)] => (told.wave, told.posts.iter().map(|post| post.post).collect::<Vec<_>>()),
            other => panic!("{other:?}"),
        };
        assert_eq!(told(&first.events), (story.wave.id, vec![posts[0].id]));
        assert_eq!(told(&second.events), (later.wave.id, vec![posts[1].id]));
    }

    #[test]
    fn p03_private_structures_are_granted_in_waves_alike() {
        let mut story = examples::examined(1);
        story.application.form.profile.kind = Some(StructureKind::Association);
        let outcome = grant_of(&story, &Selection::All).unwrap();
        assert_eq!(outcome.state.0.posts[0].wave, Some(story.wave.id));
        assert!(matches!(&outcome.events[..], [Event::PostsGranted(told)] if told.sector == Some(Sector::Private)));
    }

    #[test]
    fn p03_nothing_is_granted_in_a_wave_that_was_activated() {
        let mut story = examples::examined(1);
        story.wave = waves::activate(story.wave, [], moment("2021-03-01")).unwrap().state;
        let error = grant_of(&story, &Selection::All).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("WAVE_NOT_OPEN", Some(Rule("P03"))));
    }

    #[test]
    fn a09_a10_a_post_is_granted_once_its_derogation_is_accepted() {
        for (state, reason) in
            [(DerogationState::Asked, "DEROGATION_PENDING"), (DerogationState::Refused, "DEROGATION_REFUSED")]
        {
            let mut story = examples::examined(1);
            story.application.posts[0].derogation = Some(examples::coordinator(state));
            let post = story.application.posts[0].id;
            let error = grant_of(&story, &Selection::Posts(vec![post])).unwrap_err();
            assert_eq!((error.reason(), error.rule()), (reason, Some(Rule("A10"))));
        }
        let mut story = examples::examined(1);
        story.application.posts[0].derogation = Some(examples::coordinator(DerogationState::Accepted));
        assert!(grant_of(&story, &Selection::All).is_ok());
    }

    #[test]
    fn a09_a_refused_derogation_does_not_hold_back_the_other_posts() {
        let mut story = examples::examined(2);
        story.application.posts[0].derogation = Some(examples::coordinator(DerogationState::Refused));
        let (application, programme) = grant_of(&story, &Selection::All).unwrap().state;
        assert_eq!(states(&application), [PostState::Asked, PostState::Granted]);
        assert_eq!(programme.granted, 1);
    }

    #[test]
    fn a01_nothing_is_granted_while_the_application_is_being_withdrawn() {
        let mut story = examples::granted(1);
        story.application = crate::domain::withdrawal::withdraw(story.application, "", moment(DAY)).unwrap().state;
        assert_eq!(grant_of(&story, &Selection::All).unwrap_err().reason(), "WITHDRAWAL_PENDING");
    }

    #[test]
    fn a11_a_found_candidate_is_told_as_a_fact_and_the_posts_are_served_like_others() {
        let mut story = examples::examined(1);
        story.application.form.candidate_found = true;
        let outcome = grant_of(&story, &Selection::All).unwrap();
        let [Event::PostsGranted(told)] = &outcome.events[..] else { panic!("{:?}", outcome.events) };
        assert!(told.candidate_found && told.ready && told.posts.len() == 1);
    }

    #[test]
    fn a12_posts_granted_again_after_all_came_back_tell_what_the_file_has_become() {
        let documents = |count: usize| {
            let mut story = examples::examined(1);
            let granted = grant_of(&story, &Selection::All).unwrap().state.0;
            story.application.posts[0].wave = Some(examples::wave(3).id);
            story.application.documents = granted.documents;
            let mut asked = story.application.documents.len();
            story.application.documents.retain(|_| {
                asked -= 1;
                asked >= count
            });
            for document in &mut story.application.documents {
                document.state = crate::domain::documents::DocumentState::Validated;
            }
            let outcome = grant_of(&story, &Selection::All).unwrap();
            outcome.events.into_iter().find(|event| !matches!(event, Event::PostsGranted(_)))
        };
        assert_eq!(documents(0), None, "it was complete and stays so");
        assert!(matches!(documents(1), Some(Event::DossierReopened { .. })));
    }
}
