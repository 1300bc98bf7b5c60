//! Correcting an application (A04): by the structure itself until the first opinion, after that by a request that the
//! agency accepts or refuses. Every version is kept: each correction hands the one before to the storage. A record of
//! the past is completed by the agency, in `completion`; what a change does stands in `changes`.

use conum_kernel::{Error, Moment, Result, Rule, text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Mail, Outcome, Settings,
    application::{Application, State},
    changes::{Change, Corrected, Inputs, apply},
    form::{Field, Form},
    form_checks::Standard,
    policies::SelfCorrection,
    post::{Post, PostForm, PostState},
};

/// A correction that the structure asks for after the first opinion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// From 1, within its application.
    pub number: u32,
    pub change: Change,
    /// What the application said then of the same fields; `None` in a correction kept before this was.
    #[serde(default)]
    pub replaces: Option<Change>,
    pub state: CorrectionState,
    /// The agency's, at most 2,000 characters; may be empty once accepted.
    pub reason: String,
    pub asked_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionState {
    Asked,
    Accepted,
    Refused,
}

/// Whether the structure corrects by itself: until the first opinion, or the decision where the policy says so.
#[must_use]
pub fn is_open(application: &Application, settings: &Settings) -> bool {
    let undecided = !application.was_ever_granted()
        && matches!(
            application.state,
            State::Submitted | State::Confirmed | State::UnderExamination | State::InformationRequested
        );
    undecided
        && match settings.self_correction {
            SelfCorrection::UntilOpinion => application.opinions.is_empty(),
            SelfCorrection::UntilDecision => true,
        }
}

/// Corrects an application at once.
///
/// # Errors
/// `CORRECTION_TO_BE_REQUESTED` (A04) after the first opinion, and every wrong field at once.
pub fn correct(
    application: Application,
    change: &Change,
    inputs: &Inputs,
    settings: &Settings,
    at: Moment,
) -> Result<Corrected> {
    application.check_goes_on()?;
    if !is_open(&application, settings) {
        return Err(Error::refused(
            Rule("A04"),
            "CORRECTION_TO_BE_REQUESTED",
            "the examination has begun: ask for the correction, and the agency decides",
            "l'examen a commencé : demandez la correction, l'agence en décidera",
        ));
    }
    apply(application, change, Standard::Application, inputs, settings, at)
}

/// Asks for a correction. It is checked at once, and changes nothing before it is accepted.
///
/// # Errors
/// `CORRECTION_NOT_NEEDED` (A04) while the structure corrects by itself, and every wrong field at once.
pub fn request(
    mut application: Application,
    change: Change,
    inputs: &Inputs,
    settings: &Settings,
    at: Moment,
) -> Result<Outcome> {
    application.check_goes_on()?;
    if is_open(&application, settings) {
        return Err(Error::refused(
            Rule("A04"),
            "CORRECTION_NOT_NEEDED",
            "the application can still be corrected directly",
            "la candidature peut encore être corrigée directement",
        ));
    }
    apply(application.clone(), &change, standard_of(&application), inputs, settings, at)?;
    let number = application.corrections.last().map_or(1, |last| last.number + 1);
    let replaces = Some(Change {
        form: Form::default().with(&change.fields, &application.form),
        posts: application.posts_in(PostState::Asked).map(Post::as_form).collect(),
        fields: change.fields.clone(),
    });
    application.corrections.push(Correction {
        number,
        change,
        replaces,
        state: CorrectionState::Asked,
        reason: String::new(),
        asked_at: at.now,
    });
    let fact = application.noted(Rule("A04"), "REQUEST_CORRECTION", number.to_string());
    Ok(Outcome::of(application).fact(fact))
}

/// The agency's answer to a correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub correction: u32,
    pub accepted: bool,
    /// At most 2,000 characters; compulsory for a refusal.
    pub reason: String,
}

/// Accepts or refuses a correction that was asked for.
///
/// # Errors
/// `NOT_FOUND`, `CORRECTION_DECIDED` (A04), `REQUIRED` at `reason` for a refusal, `CORRECTION_OUTDATED` (A04) where
/// something that it corrects was corrected meanwhile; and what [`correct`] says where the application has changed so
/// much that the correction is no longer right. Posts that were added meanwhile stay.
pub fn decide(
    mut application: Application,
    answer: &Answer,
    inputs: &Inputs,
    settings: &Settings,
    at: Moment,
) -> Result<Corrected> {
    application.check_goes_on()?;
    let Answer { correction: number, accepted, .. } = *answer;
    let reason = if accepted { text::optional } else { text::required }("reason", &answer.reason, 2000)?;
    let name = format!("{}/corrections/{number}", application.id.name());
    let asked = application
        .corrections
        .iter_mut()
        .find(|correction| correction.number == number)
        .ok_or_else(|| Error::not_found(&name))?;
    if asked.state != CorrectionState::Asked {
        return Err(Error::refused(
            Rule("A04"),
            "CORRECTION_DECIDED",
            "this correction was decided before",
            "cette correction a déjà été décidée",
        ));
    }
    let (state, action) = if accepted {
        (CorrectionState::Accepted, "ACCEPT_CORRECTION")
    } else {
        (CorrectionState::Refused, "REFUSE_CORRECTION")
    };
    asked.state = state;
    asked.reason = reason;
    let (mut change, replaces) = (asked.change.clone(), asked.replaces.clone());
    let mut corrected = if accepted {
        if let Some(replaces) = &replaces {
            check_not_outdated(&application, &change, replaces)?;
            keep_added_posts(&application, &mut change, replaces);
        }
        let standard = standard_of(&application);
        apply(application, &change, standard, inputs, settings, at)?
    } else {
        Corrected::unchanged(application)
    };
    let outcome = &mut corrected.outcome;
    outcome.facts.push(outcome.state.noted(Rule("A04"), action, number.to_string()));
    outcome.mails.push(Mail::CorrectionDecided { application: outcome.state.id, correction: number, accepted });
    Ok(corrected)
}

/// What was corrected meanwhile is not corrected back.
fn check_not_outdated(application: &Application, change: &Change, replaces: &Change) -> Result<()> {
    let form = &application.form;
    let outdated = change.fields.iter().find(|field| match field {
        Field::Posts => application.posts_in(PostState::Asked).any(|post| {
            let form_of = |forms: &[PostForm]| forms.iter().find(|form| form.id == post.id).map(|form| post.says(form));
            // A post that is left out is taken off.
            form_of(&replaces.posts) == Some(false) && form_of(&change.posts) != Some(true)
        }),
        field => {
            let says = |said: &Form| form.with(&[**field], said) == *form;
            !says(&replaces.form) && !says(&change.form)
        }
    });
    let Some(field) = outdated else { return Ok(()) };
    Err(Error::refused(
        Rule("A04"),
        "CORRECTION_OUTDATED",
        format!("{} was corrected after this was asked for: refuse it, and let it be asked again", field.path()),
        format!("{} a été corrigé depuis cette demande : refusez-la, elle pourra être refaite", field.path()),
    )
    .with("field", field.path()))
}

/// A list of posts leaves out those that it could not know.
fn keep_added_posts(application: &Application, change: &mut Change, replaces: &Change) {
    for post in application.posts_in(PostState::Asked) {
        let known = |forms: &[PostForm]| forms.iter().any(|form| form.id == post.id);
        if !known(&replaces.posts) && !known(&change.posts) {
            change.posts.push(post.as_form());
        }
    }
}

fn standard_of(application: &Application) -> Standard {
    if application.is_imported() { Standard::Past } else { Standard::Application }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Desk, Event,
        examples::{self, date, id, moment, settings},
        form::{Field, Form, NeedKind, StructureKind},
        post::{DerogationState, PostForm, PostState},
        programme::Closing,
    };

    fn change(fields: &[Field], edit: impl FnOnce(&mut Form)) -> Change {
        let mut form = examples::form();
        edit(&mut form);
        Change { form, posts: Vec::new(), fields: fields.to_vec() }
    }

    fn renamed(name: &str) -> Change {
        change(&[Field::Profile], |form| form.profile.legal_name = name.into())
    }

    fn correct_at(application: Application, change: &Change) -> Result<Corrected> {
        correct(application, change, &examples::inputs(), &settings(), moment("2021-01-20"))
    }

    fn request_at(application: Application, change: Change) -> Result<Outcome> {
        request(application, change, &examples::inputs(), &settings(), moment("2021-02-20"))
    }

    fn answer(application: Application, accepted: bool) -> Result<Corrected> {
        let answer = Answer { correction: 1, accepted, reason: "Motif".into() };
        decide(application, &answer, &examples::inputs(), &settings(), moment("2021-02-21"))
    }

    fn posts_of(application: &Application) -> Vec<PostForm> {
        application.posts.iter().map(|post| PostForm { named: true, ..post.as_form() }).collect()
    }

    #[test]
    fn a04_a_structure_corrects_by_itself_until_the_first_opinion_and_each_version_is_kept() {
        let confirmed = examples::confirmed(1).application;
        let corrected = correct_at(confirmed.clone(), &renamed("Nouveau nom")).unwrap();
        assert_eq!(corrected.outcome.state.form.profile.legal_name, "Nouveau nom");
        assert_eq!(corrected.outcome.state.version, 2);
        let replaced = corrected.replaced.unwrap();
        assert_eq!((replaced.number, replaced.application), (1, confirmed));
    }

    #[test]
    fn a04_after_the_first_opinion_a_correction_is_a_request() {
        let examined = examples::examined(1).application;
        let error = correct_at(examined.clone(), &renamed("Nouveau nom")).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("CORRECTION_TO_BE_REQUESTED", Some(Rule("A04"))));

        let asked = request_at(examined.clone(), renamed("Nouveau nom")).unwrap().state;
        assert_eq!(asked.form, examined.form, "nothing changes before the agency accepts");

        let refused = answer(asked.clone(), false).unwrap();
        assert_eq!(refused.outcome.state.form, examined.form);
        assert_eq!(refused.replaced, None);

        let accepted = answer(asked.clone(), true).unwrap();
        assert_eq!(accepted.outcome.state.form.profile.legal_name, "Nouveau nom");
        assert_eq!(accepted.replaced.unwrap().number, 1);
        assert!(matches!(accepted.outcome.mails[..], [Mail::CorrectionDecided { accepted: true, .. }]));
        assert_eq!(answer(accepted.outcome.state, false).unwrap_err().reason(), "CORRECTION_DECIDED");
    }

    #[test]
    fn a04_the_policy_may_leave_corrections_open_until_the_decision() {
        let late = Settings { self_correction: SelfCorrection::UntilDecision, ..settings() };
        let at = moment("2021-02-20");
        let corrected = |application| correct(application, &renamed("Nouveau"), &examples::inputs(), &late, at);
        assert!(corrected(examples::examined(1).application).is_ok());
        assert!(corrected(examples::granted(1).application).is_err());
    }

    #[test]
    fn a04_a_request_is_not_needed_before_the_first_opinion_and_a_refusal_has_its_reason() {
        let error = request_at(examples::confirmed(1).application, renamed("Nouveau")).unwrap_err();
        assert_eq!(error.reason(), "CORRECTION_NOT_NEEDED");
        let asked = request_at(examples::examined(1).application, renamed("Nouveau")).unwrap().state;
        let silent = Answer { correction: 1, accepted: false, reason: String::new() };
        let error = decide(asked, &silent, &examples::inputs(), &settings(), moment("2021-02-21")).unwrap_err();
        assert_eq!(error.violations()[0].field, "reason");
    }

    #[test]
    fn a_correction_is_checked_like_an_application_and_only_where_it_changes_something() {
        let confirmed = examples::confirmed(1).application;
        let wrong = change(&[Field::LineManager], |form| {
            form.line_manager.as_mut().unwrap().volunteer = true;
            form.missions.clear();
        });
        let error = correct_at(confirmed.clone(), &wrong).unwrap_err();
        assert_eq!(error.violations().len(), 1, "the missions are not in the mask");
        assert_eq!(error.rule(), Some(Rule("A14")));

        let same = correct_at(confirmed.clone(), &change(&Field::ALL[..3], |_| {})).unwrap();
        assert_eq!(same, Corrected::unchanged(confirmed));
    }

    #[test]
    fn a07_another_address_is_confirmed_again_before_the_examination() {
        let confirmed = examples::confirmed(1).application;
        let moved = change(&[Field::Contact], |form| form.contact.as_mut().unwrap().email = "autre@exemple.fr".into());
        let outcome = correct_at(confirmed, &moved).unwrap().outcome;
        assert_eq!(outcome.state.state, State::Submitted);
        assert_eq!(outcome.state.address_confirmed_at, None);
        assert!(matches!(outcome.mails[..], [Mail::ConfirmAddress { .. }]));
    }

    #[test]
    fn a05_a_corrected_number_belongs_to_no_other_application_and_is_settled_by_a_grant() {
        let other = change(&[Field::Profile], |form| {
            form.profile.registration_number = Some("22690001700014".into());
        });
        let mut inputs = examples::inputs();
        inputs.structure = id(77);
        let at = moment("2021-02-20");
        let corrected = correct(examples::confirmed(1).application, &other, &inputs, &settings(), at).unwrap();
        assert_eq!(corrected.outcome.state.structure, inputs.structure);

        inputs.active = Some(id(78));
        let error = correct(examples::confirmed(1).application, &other, &inputs, &settings(), at).unwrap_err();
        assert_eq!(error.reason(), "APPLICATION_EXISTS");

        let error = request_at(examples::granted(1).application, other).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("REGISTRATION_NUMBER_SETTLED", Some(Rule("A05"))));
    }

    #[test]
    fn a04_posts_are_changed_added_and_taken_off() {
        let confirmed = examples::confirmed(2).application;
        let mut change = change(&[Field::Posts], |_| {});
        change.posts = posts_of(&confirmed);
        change.posts[0].wished_start_date = Some(date("2021-12-01"));
        change.posts[1] = examples::post(50);
        let outcome = correct_at(confirmed.clone(), &change).unwrap().outcome;
        let states: Vec<_> = outcome.state.posts.iter().map(|post| post.state).collect();
        assert_eq!(states, [PostState::Asked, PostState::Removed, PostState::Asked]);
        assert_eq!(outcome.state.posts[0].wished_start_date, Some(date("2021-12-01")));

        change.posts.clear();
        assert_eq!(correct_at(confirmed, &change).unwrap_err().rule(), Some(Rule("A05")));
    }

    #[test]
    fn p02_a_correction_adds_no_post_once_the_desk_is_closed_and_applications_in_hand_go_on() {
        let confirmed = examples::confirmed(1).application;
        let closed = Inputs { desk: Desk::Closed(Closing::DatePassed), ..examples::inputs() };
        let at = moment("2022-02-01");
        let mut change = change(&[Field::Posts], |_| {});
        change.posts = posts_of(&confirmed);
        change.posts[0].wished_start_date = Some(date("2022-12-01"));
        assert!(correct(confirmed.clone(), &change, &closed, &settings(), at).is_ok());
        change.posts.push(examples::post(50));
        let error = correct(confirmed, &change, &closed, &settings(), at).unwrap_err();
        assert_eq!(error.rule(), Some(Rule("P02")));
    }

    #[test]
    fn a09_a_correction_looks_at_the_day_of_the_application() {
        let confirmed = examples::confirmed(1).application;
        let mut change = change(&[Field::Posts], |_| {});
        change.posts = posts_of(&confirmed);
        let day_after = examples::contract("2021-01-05", "2021-01-05");
        change.posts[0].existing_contract = Some(day_after);
        assert!(correct_at(confirmed.clone(), &change).is_ok(), "it had not started when the structure applied");
        change.posts[0].existing_contract = Some(examples::contract(examples::APPLIED, examples::APPLIED));
        assert_eq!(correct_at(confirmed, &change).unwrap_err().rule(), Some(Rule("A09")));
    }

    #[test]
    fn a10_a_structure_that_turns_out_to_be_no_local_authority_loses_its_coordinator() {
        let mut confirmed = examples::confirmed(1).application;
        confirmed.posts[0].coordinator = true;
        confirmed.posts[0].derogation = Some(examples::coordinator(DerogationState::Accepted));
        let still = correct_at(confirmed.clone(), &renamed("Nouveau")).unwrap().outcome.state;
        assert_eq!(still.posts[0].derogation_state(), Some(DerogationState::Accepted));
        let association = change(&[Field::Profile], |form| form.profile.kind = Some(StructureKind::Association));
        assert_eq!(correct_at(confirmed, &association).unwrap_err().rule(), Some(Rule("A10")));
    }

    #[test]
    fn what_matching_holds_is_told_again_when_a_correction_changes_it() {
        let needs = change(&[Field::Needs], |form| {
            form.needs = vec![crate::domain::form::Need { kind: NeedKind::DrivingLicence, compulsory: true }];
        });
        let asked = request_at(examples::granted(2).application, needs).unwrap().state;
        let events = answer(asked, true).unwrap().outcome.events;
        assert!(matches!(&events[..], [Event::PostsGranted(told)] if told.posts.len() == 2 && told.needs.len() == 1));
    }

    #[test]
    fn a19_what_is_told_again_is_told_of_posts_that_are_asked_back_as_well() {
        let needs = change(&[Field::Needs], |form| {
            form.needs = vec![crate::domain::form::Need { kind: NeedKind::DrivingLicence, compulsory: true }];
        });
        let mut asked = request_at(examples::granted(1).application, needs).unwrap().state;
        asked.posts[0].state = PostState::ReturnAsked;
        let events = answer(asked, true).unwrap().outcome.events;
        assert!(matches!(&events[..], [Event::PostsGranted(told)] if told.posts.len() == 1), "{events:?}");
    }

    #[test]
    fn a10_whoever_relied_on_a_derogation_is_told_that_it_has_fallen() {
        let mut examined = examples::examined(1).application;
        examined.posts[0].coordinator = true;
        examined.posts[0].derogation = Some(examples::coordinator(DerogationState::Accepted));
        let mut plain = change(&[Field::Posts], |_| {});
        plain.posts = posts_of(&examined);
        let asked = request_at(examined, plain.clone()).unwrap().state;
        assert_eq!(answer(asked.clone(), true).unwrap().outcome.events, [], "nothing has changed");

        plain.posts[0].coordinator = false;
        let mut other = asked;
        other.corrections[0].change = plain;
        let events = answer(other, true).unwrap().outcome.events;
        assert!(matches!(events[..], [Event::DerogationDecided { accepted: false, .. }]), "{events:?}");
    }

    #[test]
    fn a04_a_correction_does_not_take_off_a_post_that_was_corrected_since() {
        let examined = examples::examined(2).application;
        let mut fewer = change(&[Field::Posts], |_| {});
        fewer.posts = posts_of(&examined)[..1].to_vec();
        let mut asked = request_at(examined, fewer).unwrap().state;
        asked.posts[1].wished_start_date = Some(date("2021-12-01"));
        assert_eq!(answer(asked, true).unwrap_err().reason(), "CORRECTION_OUTDATED");
    }

    #[test]
    fn a04_an_answer_that_comes_late_keeps_the_posts_that_were_added_meanwhile() {
        let examined = examples::examined(2).application;
        let mut fewer = change(&[Field::Posts], |_| {});
        fewer.posts = posts_of(&examined)[..1].to_vec();
        let asked = request_at(examined, fewer).unwrap().state;
        let at = moment("2021-02-20");
        let asked = crate::domain::amendments::add_posts(asked, &[examples::post(50)], Desk::Open, at).unwrap().state;
        let accepted = answer(asked, true).unwrap().outcome.state;
        let states: Vec<_> = accepted.posts.iter().map(|post| post.state).collect();
        assert_eq!(states, [PostState::Asked, PostState::Removed, PostState::Asked]);
    }

    #[test]
    fn a04_of_two_corrections_of_one_field_the_second_does_not_correct_the_first_back() {
        let (first, other) =
            (renamed("Premier nom"), change(&[Field::Profile], |form| form.profile.address = "Ici".into()));
        let examined = examples::examined(1).application;
        let asked = request_at(request_at(examined, first).unwrap().state, other).unwrap().state;
        let decided = |application, correction, accepted| {
            let answer = Answer { correction, accepted, reason: "Motif".into() };
            decide(application, &answer, &examples::inputs(), &settings(), moment("2021-02-21"))
        };
        let accepted = decided(asked.clone(), 1, true).unwrap().outcome.state;
        let error = decided(accepted.clone(), 2, true).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("CORRECTION_OUTDATED", Some(Rule("A04"))));
        assert!(decided(accepted, 2, false).is_ok());

        let refused = decided(asked, 1, false).unwrap().outcome.state;
        let accepted = decided(refused, 2, true).unwrap().outcome.state;
        assert_eq!(accepted.form.profile.address, "Ici");
    }

    #[test]
    fn a04_of_two_corrections_of_one_post_the_second_does_not_correct_the_first_back() {
        let examined = examples::examined(2).application;
        let on = |posts: &[(usize, &str)]| {
            let mut change = change(&[Field::Posts], |_| {});
            change.posts = posts_of(&examined);
            for (post, day) in posts {
                change.posts[*post].wished_start_date = Some(date(day));
            }
            change
        };
        let mut asked = examined.clone();
        for correction in
            [on(&[(0, "2021-12-01")]), on(&[(1, "2021-12-02")]), on(&[(0, "2021-12-01"), (1, "2021-12-03")])]
        {
            asked = request_at(asked, correction).unwrap().state;
        }
        let decided = |application, correction| {
            let answer = Answer { correction, accepted: true, reason: String::new() };
            decide(application, &answer, &examples::inputs(), &settings(), moment("2021-02-21"))
        };
        let accepted = decided(asked, 1).unwrap().outcome.state;
        assert_eq!(decided(accepted.clone(), 2).unwrap_err().reason(), "CORRECTION_OUTDATED");
        let accepted = decided(accepted, 3).unwrap().outcome.state;
        assert_eq!(
            accepted.posts[1].wished_start_date,
            Some(date("2021-12-03")),
            "it says of the first post what is so"
        );
    }

    #[test]
    fn a12_another_kind_of_structure_opens_the_file_again_and_finance_is_told() {
        let mut granted = examples::granted(1).application;
        for document in &mut granted.documents {
            document.state = crate::domain::documents::DocumentState::Validated;
        }
        let association = change(&[Field::Profile], |form| form.profile.kind = Some(StructureKind::Association));
        let back = change(&[Field::Profile], |_| {});
        let asked = request_at(granted, association).unwrap().state;
        let opened = answer(asked, true).unwrap().outcome;
        assert!(
            opened.events.iter().any(|event| matches!(event, Event::DossierReopened { .. })),
            "{:?}",
            opened.events
        );
        assert!(opened.mails.iter().any(|mail| matches!(mail, Mail::DossierReopened { .. })));

        let asked = request_at(opened.state, back).unwrap().state;
        let answer = Answer { correction: 2, accepted: true, reason: String::new() };
        let closed = decide(asked, &answer, &examples::inputs(), &settings(), moment("2021-02-21")).unwrap().outcome;
        assert!(
            closed.events.iter().any(|event| matches!(event, Event::DossierCompleted { .. })),
            "{:?}",
            closed.events
        );
    }
}
