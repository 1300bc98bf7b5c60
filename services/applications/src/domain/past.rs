//! Recording a grant of the past, from a file that comes as it is: exempt from P02, A02, A07 and A13, counted under the
//! cap (P01). What the source does not say stays open, and keeps the record out of its wave until it is completed
//! (`completion`). Lines of one structure make one record; each post keeps its own wave. Finding the record of a line, by
//! its source or its registration number, is the storage's part; resolving the place is the caller's.

use conum_kernel::{ApplicationId, Fact, Machine as _, Moment, PostId, Result, Rule, StructureId, Violations, text};

use super::{
    CapOutcome, Event, Programme, Settings, Wave,
    application::{Action, Application, Provenance, State},
    completion, documents,
    form::{Field, Form, Profile},
    form_checks::{self, Standard},
    post::{Post, PostState},
    post_checks, registration_number,
};

/// The kind that a line says contradicts the record's, which stands.
pub const KIND_CONFLICT: &str = "KIND_CONFLICT";
/// The commune that a line says is not the record's, which stands.
pub const COMMUNE_CONFLICT: &str = "COMMUNE_CONFLICT";
/// The registration number of a line is none: it stays open.
pub const INVALID_REGISTRATION_NUMBER: &str = "INVALID_REGISTRATION_NUMBER";

/// A line of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordPastGrant {
    /// New ids, for a structure that has no record yet.
    pub application: ApplicationId,
    pub structure: StructureId,
    /// A new id for each granted post.
    pub posts: Vec<PostId>,
    /// As the source says it; the place where its commune could be resolved.
    pub profile: Profile,
    /// Names the source line: recorded once, whatever is sent again.
    pub source_id: String,
    /// What resolving the place found: `VANISHED_COMMUNE` and the like.
    pub warnings: Vec<String>,
}

/// The record that a line belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    pub application: Application,
    /// Those of its posts, some of which may be activated already.
    pub waves: Vec<Wave>,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Created,
    /// The posts were added to the structure's record.
    Merged,
    /// This source line was recorded before.
    Unchanged,
}

/// A recorded line.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub outcome: CapOutcome,
    pub found: Found,
    /// Of this line, UPPER_SNAKE_CASE; the application keeps them too.
    pub warnings: Vec<String>,
}

/// Records a line of the past. `existing` is the record that holds its source line, else the active application of its
/// registration number.
///
/// # Errors
/// `CAP_EXCEEDED` (P01), `WAVE_ACTIVATED` (P03), `WITHDRAWAL_PENDING` (A01), every wrong field at once.
pub fn record(
    existing: Option<Known>,
    programme: Programme,
    wave: &Wave,
    command: RecordPastGrant,
    settings: &Settings,
    at: Moment,
) -> Result<Recorded> {
    let (profile, mut warnings) = readable(&command)?;
    let why = wave.id.to_string();
    let before = existing.clone();
    let (mut application, fact, found) = match existing {
        Some(Known { application, .. }) if application.sources.contains(&command.source_id) => {
            let outcome = CapOutcome::of((application, programme));
            return Ok(Recorded { outcome, found: Found::Unchanged, warnings: Vec::new() });
        }
        Some(Known { application, .. }) => {
            application.check_goes_on()?;
            let mut application = merged(application, profile, &mut warnings);
            let fact = application.step(Action::RecordPastGrant, why)?;
            (application, fact, Found::Merged)
        }
        None => {
            let fact =
                Fact { action: "RECORD_PAST_GRANT", from: "", to: State::Granted.name(), why, rule: Some(Rule("P03")) };
            (created(&command, profile, at), fact, Found::Created)
        }
    };
    wave.check_not_activated()?;
    let mut violations = Violations::default();
    let live = application.posts.iter().filter(|post| post.state.is_live()).count();
    post_checks::count(live.saturating_add(command.posts.len()), "posts", &mut violations);
    violations.check()?;
    let programme = programme.grant(u32::try_from(command.posts.len()).unwrap_or(u32::MAX))?;

    let mut facts = vec![fact];
    for id in &command.posts {
        facts.push(Fact {
            action: "GRANT_POST",
            from: "",
            to: PostState::Granted.name(),
            why: id.to_string(),
            rule: Some(Rule("P03")),
        });
        application.posts.push(of_the_past(*id, wave));
    }
    for warning in &warnings {
        application.warn(warning);
    }
    application.sources.push(command.source_id);
    let dossier = documents::list_again(&mut application, settings);
    let mut events = match &before {
        Some(Known { application: known, waves }) if known.form != application.form => {
            let mut events = Event::granted_again(&application);
            events.extend(completion::served_late(known, &application, waves));
            events
        }
        _ => {
            let granted = application.posts.iter().filter(|post| command.posts.contains(&post.id));
            vec![Event::granted(&application, wave.id, granted)]
        }
    };
    let (event, mail) = dossier.unzip();
    events.extend(event);
    let mails = mail.into_iter().collect();
    let outcome = CapOutcome { state: (application, programme), facts, events, mails };
    Ok(Recorded { outcome, found, warnings })
}

/// What the line says, in one spelling, without what is no answer.
fn readable(command: &RecordPastGrant) -> Result<(Profile, Vec<String>)> {
    let mut violations = Violations::default();
    let mut warnings = command.warnings.clone();
    violations.take(text::required("source_id", &command.source_id, 200));
    post_checks::count(command.posts.len(), "posts", &mut violations);
    let mut said = command.profile.clone();
    said.legal_name = known(&said.legal_name).unwrap_or_default();
    said.address = known(&said.address).unwrap_or_default();
    let department = said.department();
    said.registration_number = said.registration_number.as_deref().and_then(known).and_then(|number| {
        let checked = registration_number::check("profile.registration_number", &number, department);
        if checked.is_err() {
            warnings.push(INVALID_REGISTRATION_NUMBER.to_owned());
        }
        checked.ok()
    });
    let form = Form { profile: said, ..Form::default() };
    let form = form_checks::check(&form, &[Field::Profile], Standard::Past, "", "", &mut violations);
    violations.check()?;
    Ok((form.profile, warnings))
}

/// A source writes "null" or "0" where it knows nothing.
fn known(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text != "0" && !text.eq_ignore_ascii_case("null")).then(|| text.to_owned())
}

fn created(command: &RecordPastGrant, profile: Profile, at: Moment) -> Application {
    let form = Form { profile, ..Form::default() };
    Application {
        provenance: Provenance::Imported,
        ..Application::new(command.application, command.structure, State::Granted, form, at)
    }
}

/// The record stands as it is; a line fills in what a record of the past did not know.
fn merged(mut application: Application, line: Profile, warnings: &mut Vec<String>) -> Application {
    let imported = application.is_imported();
    let profile = &mut application.form.profile;
    if let (Some(first), Some(said)) = (profile.kind, line.kind)
        && first.is_public() != said.is_public()
    {
        warnings.push(KIND_CONFLICT.to_owned());
    }
    if let (Some(first), Some(said)) = (&profile.place, &line.place)
        && first.commune != said.commune
    {
        warnings.push(COMMUNE_CONFLICT.to_owned());
    }
    if imported {
        profile.kind = profile.kind.or(line.kind);
        profile.place = profile.place.take().or(line.place);
        profile.registration_number = profile.registration_number.take().or(line.registration_number);
        if profile.legal_name.is_empty() {
            profile.legal_name = line.legal_name;
        }
    }
    application
}

/// A post of the past: granted by the committee of its wave, from a date that nobody said.
fn of_the_past(id: PostId, wave: &Wave) -> Post {
    Post {
        id,
        state: PostState::Granted,
        asked_on: wave.committee_date,
        wished_start_date: None,
        settled_start_date: None,
        coordinator: false,
        existing_contract: None,
        derogation: None,
        wave: Some(wave.id),
        granted_on: Some(wave.committee_date),
        return_reason: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use conum_kernel::Rule;

    use super::*;
    use crate::domain::{
        examples::{self, date, id, moment, settings},
        form::StructureKind,
        waves,
    };

    const AT: &str = "2021-11-23";

    fn wave(day: &str) -> Wave {
        let number = if day == "2021-03-24" { 1 } else { 2 };
        waves::of_the_past(id(900 + number), u32::try_from(number).unwrap(), date(day)).state
    }

    fn record_in(
        existing: Option<Application>,
        programme: Programme,
        day: &str,
        line: RecordPastGrant,
    ) -> Result<Recorded> {
        let known = existing.map(|application| Known { application, waves: Vec::new() });
        record(known, programme, &wave(day), line, &settings(), moment(AT))
    }

    fn line(source: u128, posts: u128) -> RecordPastGrant {
        examples::past_line(source, posts)
    }

    const CAP: Programme = Programme { cap: 4000, granted: 0 };

    #[test]
    fn p01_p03_a_grant_of_the_past_counts_under_the_cap_and_keeps_its_wave() {
        let recorded = record_in(None, CAP, "2021-03-24", line(1, 3)).unwrap();
        let (application, programme) = &recorded.outcome.state;
        assert_eq!((recorded.found, programme.granted), (Found::Created, 3));
        assert_eq!((application.state, application.provenance), (State::Granted, Provenance::Imported));
        assert!(application.posts.iter().all(|post| post.granted_on == Some(date("2021-03-24"))));
        assert_eq!(application.missing(), [""; 0]);
        assert!(!application.documents.is_empty());
        assert_eq!(recorded.outcome.mails, []);

        let full = Programme { cap: 4000, granted: 3998 };
        let error = record_in(None, full, "2021-03-24", line(1, 3)).unwrap_err();
        assert_eq!(error.rule(), Some(Rule("P01")));
    }

    #[test]
    fn p02_a02_a07_a13_a_grant_of_the_past_is_exempt() {
        let recorded = record(None, CAP, &wave("2021-03-24"), line(1, 1), &settings(), moment("2023-01-01")).unwrap();
        let application = recorded.outcome.state.0;
        assert!(application.opinions.is_empty() && application.form.commitments.is_empty());
        assert!(application.form.contact.is_none() && application.address_confirmed_at.is_none());
    }

    #[test]
    fn the_same_source_line_again_changes_nothing() {
        let first = record_in(None, CAP, "2021-03-24", line(1, 3)).unwrap();
        let (application, programme) = first.outcome.state;
        let again = record_in(Some(application.clone()), programme, "2021-03-24", line(1, 3)).unwrap();
        assert_eq!(again.found, Found::Unchanged);
        assert_eq!(again.outcome, CapOutcome::of((application, programme)));
    }

    #[test]
    fn p03_lines_of_one_structure_make_one_record_whose_posts_keep_their_waves() {
        let (application, programme) = record_in(None, CAP, "2021-03-24", line(1, 4)).unwrap().outcome.state;
        let second = record_in(Some(application), programme, "2021-04-14", line(2, 2)).unwrap();
        let (application, programme) = &second.outcome.state;
        assert_eq!((second.found, programme.granted), (Found::Merged, 6));
        let in_wave = |day| application.posts.iter().filter(|post| post.wave == Some(wave(day).id)).count();
        assert_eq!((in_wave("2021-03-24"), in_wave("2021-04-14")), (4, 2));
        assert!(matches!(&second.outcome.events[..], [Event::PostsGranted(told)] if told.posts.len() == 2));
    }

    #[test]
    fn the_kind_of_the_first_line_stands_and_a_contradiction_is_a_warning() {
        let (application, programme) = record_in(None, CAP, "2021-03-24", line(1, 1)).unwrap().outcome.state;
        let mut other = line(2, 1);
        other.profile.kind = Some(StructureKind::Private);
        let merged = record_in(Some(application), programme, "2021-03-24", other).unwrap();
        assert_eq!(merged.warnings, [KIND_CONFLICT]);
        assert_eq!(merged.outcome.state.0.warnings, [KIND_CONFLICT]);
        assert_eq!(merged.outcome.state.0.form.profile.kind, Some(StructureKind::Public));
    }

    #[test]
    fn what_the_source_does_not_know_stays_open_and_is_not_ready() {
        let mut dirty = line(1, 1);
        dirty.profile.registration_number = Some("null".into());
        dirty.profile.legal_name = "0".into();
        dirty.profile.place = None;
        let recorded = record_in(None, CAP, "2021-03-24", dirty).unwrap();
        let application = &recorded.outcome.state.0;
        assert_eq!(application.missing(), ["profile.registration_number", "profile.legal_name", "profile.commune"]);
        assert!(matches!(&recorded.outcome.events[..], [Event::PostsGranted(told)] if !told.ready));
        assert_eq!(recorded.warnings, [""; 0]);
    }

    #[test]
    fn a_registration_number_with_a_wrong_key_stays_open_with_a_warning() {
        let mut wrong = line(1, 1);
        wrong.profile.registration_number = Some("34416574200013".into());
        wrong.warnings = vec!["VANISHED_COMMUNE".into()];
        let recorded = record_in(None, CAP, "2021-03-24", wrong).unwrap();
        assert_eq!(recorded.warnings, ["VANISHED_COMMUNE", INVALID_REGISTRATION_NUMBER]);
        assert_eq!(recorded.outcome.state.0.missing(), ["profile.registration_number"]);
    }

    #[test]
    fn p03_a_wave_that_was_activated_lists_no_further_line() {
        let activated = waves::activate(wave("2021-03-24"), [], moment(AT)).unwrap().state;
        let error = record(None, CAP, &activated, line(1, 1), &settings(), moment(AT)).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("WAVE_ACTIVATED", Some(Rule("P03"))));
    }

    #[test]
    fn a_line_without_posts_or_source_is_refused() {
        let mut empty = line(1, 0);
        empty.source_id.clear();
        let error = record_in(None, CAP, "2021-03-24", empty).unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["source_id", "posts"]);
    }

    #[test]
    fn a_line_of_a_structure_that_applied_grants_beside_what_it_asks_for() {
        let story = examples::confirmed(2);
        let recorded = record_in(Some(story.application.clone()), CAP, "2021-03-24", line(1, 1)).unwrap();
        let (application, _) = &recorded.outcome.state;
        assert_eq!(application.state, State::Granted);
        assert_eq!(application.form, story.application.form, "what a structure said of itself stands");
        assert_eq!(application.counted_posts(), 1);
    }
}
