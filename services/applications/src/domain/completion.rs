//! Completing a record of the past: the agency fills in what the source lacked. Once nothing is missing matching is told
//! again, and posts whose wave was activated meanwhile are served at once (P03).

use conum_kernel::{Error, Moment, Result, Rule, clock::paris_date};

use super::{
    Event, Settings, Wave,
    application::Application,
    changes::{Change, Corrected, Inputs, apply},
    form_checks::Standard,
    waves,
};

/// Completes or corrects a record of the past, at any time.
///
/// # Errors
/// `NOT_A_RECORD_OF_THE_PAST` (A04), and what is wrong in what is filled in. A registration number that another active
/// application holds is refused with its name (A05).
pub fn complete(
    application: Application,
    change: &Change,
    inputs: &Inputs,
    settings: &Settings,
    at: Moment,
) -> Result<Corrected> {
    application.check_goes_on()?;
    if !application.is_imported() {
        return Err(Error::refused(
            Rule("A04"),
            "NOT_A_RECORD_OF_THE_PAST",
            "only a record of the past is completed",
            "seule une reprise du passé se complète",
        ));
    }
    apply(application, change, Standard::Past, inputs, settings, at)
}

/// What is told once nothing is missing any more, whoever filled it in: the activation of each wave of its posts that
/// was activated without them (P03).
pub(super) fn served_late(before: &Application, after: &Application, waves: &[Wave]) -> Vec<Event> {
    if before.missing().is_empty() || !after.missing().is_empty() {
        return Vec::new();
    }
    let late = waves.iter().filter_map(|wave| {
        let (activated_at, served) = (wave.activated_at?, waves::served(after, wave.id)?);
        let activated_on = paris_date(activated_at);
        Some(Event::WaveActivated { wave: wave.id, number: wave.number, activated_on, applications: vec![served] })
    });
    late.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Programme, corrections,
        events::Sector,
        examples::{self, date, id, moment, settings},
        form::{Field, Form, StructureKind},
        past,
    };

    fn wave() -> Wave {
        waves::of_the_past(id(900), 1, date("2021-03-24")).state
    }

    fn incomplete() -> Application {
        let mut line = examples::past_line(1, 2);
        line.profile.registration_number = None;
        line.profile.place = None;
        let programme = Programme { cap: 4000, granted: 0 };
        past::record(None, programme, &wave(), line, &settings(), moment("2021-06-01")).unwrap().outcome.state.0
    }

    fn filled_in(edit: impl FnOnce(&mut Form)) -> Change {
        let mut form = Form { profile: examples::form().profile, ..Form::default() };
        form.profile.kind = Some(StructureKind::Public);
        edit(&mut form);
        Change { form, posts: Vec::new(), fields: vec![Field::Profile] }
    }

    fn complete_with(application: Application, change: &Change, waves: &[Wave]) -> Result<Corrected> {
        let inputs = Inputs { waves: waves.to_vec(), ..examples::inputs() };
        complete(application, change, &inputs, &settings(), moment("2021-07-01"))
    }

    #[test]
    fn p03_a_wave_skips_a_record_that_lacks_something_and_its_completion_serves_it() {
        let application = incomplete();
        let activated = waves::activate(wave(), [&application], moment("2021-06-15")).unwrap();
        assert!(
            matches!(&activated.events[..], [Event::WaveActivated { applications, .. }] if applications.is_empty())
        );

        let completed = complete_with(application, &filled_in(|_| {}), &[activated.state]).unwrap().outcome;
        assert_eq!(completed.state.missing(), [""; 0]);
        let [Event::PostsGranted(told), Event::WaveActivated { activated_on, applications, .. }] =
            &completed.events[..]
        else {
            panic!("{:?}", completed.events)
        };
        assert!(told.ready && told.sector == Some(Sector::Public));
        assert_eq!(*activated_on, date("2021-06-15"));
        assert_eq!(applications[0].posts.len(), 2);
    }

    #[test]
    fn p03_a_completion_before_the_activation_waits_for_it() {
        let completed = complete_with(incomplete(), &filled_in(|_| {}), &[wave()]).unwrap().outcome;
        assert!(matches!(&completed.events[..], [Event::PostsGranted(told)] if told.ready));
    }

    #[test]
    fn a_record_may_be_completed_in_several_steps_and_forgets_nothing() {
        let place_only = filled_in(|form| {
            form.profile.registration_number = None;
            form.profile.legal_name.clear();
            form.profile.kind = None;
        });
        let half = complete_with(incomplete(), &place_only, &[]).unwrap().outcome.state;
        assert_eq!(half.missing(), ["profile.registration_number"]);
        assert_eq!(half.form.profile.kind, Some(StructureKind::Public));
        assert_eq!(half.structure, incomplete().structure);
    }

    #[test]
    fn a05_a_number_that_another_application_holds_is_refused_with_its_name() {
        let inputs = Inputs { active: Some(id(55)), ..examples::inputs() };
        let change = filled_in(|_| {});
        let error = complete(incomplete(), &change, &inputs, &settings(), moment("2021-07-01")).unwrap_err();
        assert_eq!(error.reason(), "APPLICATION_EXISTS");
    }

    #[test]
    fn a04_an_application_of_the_platform_is_corrected_not_completed() {
        let error = complete_with(examples::granted(1).application, &filled_in(|_| {}), &[]).unwrap_err();
        assert_eq!(error.reason(), "NOT_A_RECORD_OF_THE_PAST");
        assert!(!corrections::is_open(&incomplete(), &settings()), "its structure asks for corrections");
    }

    #[test]
    fn p03_a_correction_of_its_structure_that_is_accepted_serves_the_record_too() {
        let application = incomplete();
        let activated = waves::activate(wave(), [&application], moment("2021-06-15")).unwrap().state;
        let inputs = Inputs { waves: vec![activated], ..examples::inputs() };
        let at = moment("2021-07-01");
        let asked = corrections::request(application, filled_in(|_| {}), &inputs, &settings(), at).unwrap().state;
        let answer = corrections::Answer { correction: 1, accepted: true, reason: String::new() };
        let outcome = corrections::decide(asked, &answer, &inputs, &settings(), at).unwrap().outcome;
        assert!(
            matches!(&outcome.events[..], [Event::PostsGranted(told), Event::WaveActivated { .. }] if told.ready),
            "{:?}",
            outcome.events
        );
    }

    #[test]
    fn p03_another_line_of_its_structure_that_says_what_was_missing_serves_the_record_too() {
        let mut application = incomplete();
        application.form.profile.registration_number = examples::form().profile.registration_number;
        let first = waves::activate(wave(), [&application], moment("2021-06-15")).unwrap().state;
        let second = waves::of_the_past(id(901), 2, date("2021-04-14")).state;
        let programme = Programme { cap: 4000, granted: 2 };
        let known = past::Known { application, waves: vec![first.clone()] };
        let line = examples::past_line(2, 1);
        let recorded = past::record(Some(known), programme, &second, line, &settings(), moment("2021-07-01")).unwrap();
        let outcome = recorded.outcome;
        let told: Vec<_> = outcome
            .events
            .iter()
            .map(|event| match event {
                Event::PostsGranted(told) => (told.wave, told.ready, told.posts.len()),
                Event::WaveActivated { wave, applications, .. } => (*wave, true, applications[0].posts.len()),
                other => panic!("{other:?}"),
            })
            .collect();
        let (first, second) = (first.id, second.id);
        assert_eq!(told, [(first, true, 2), (second, true, 1), (first, true, 2)], "the second wave is not activated");
    }
}
