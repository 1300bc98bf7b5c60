//! Correcting a registration, field by field (C07): each change is held to the rules of a registration, and matching is
//! told where the facts that it knows changed.
//!
//! Two things differ from a registration. The age is that on the day of registration (C01). A situation that C02
//! refuses is recorded, since it is true, and keeps the person out of introductions.
//!
//! Pix results are [`super::pix`]'s. A correction counts as hearing of the person, also where it changes nothing.

use conum_kernel::{Fact, Moment, Result, Violations, clock::paris_date, text};
use jiff::civil::Date;

use super::{
    Decision,
    candidate::{Action, Candidate, Person, State},
    doubles::{self, Keys},
    events::telling_changes,
    identity::{self, Commune},
    policies::Settings,
    registration::Lookups,
    situation,
    wishes::{self, AskedReach, AskedWishes, Background},
};

/// One field of the update mask, with what it is set to.
#[derive(Clone, PartialEq)]
pub enum Change {
    GivenName(String),
    FamilyName(String),
    BirthDate(Option<Date>),
    Email(String),
    Phone(String),
    Commune(Commune),
    Reach(Option<AskedReach>),
    Situation(Option<situation::Declared>),
    AvailableFrom(Option<Date>),
    Wishes(AskedWishes),
    Background(Background),
}

undisclosed!(Change);

/// The keys by which the doubles of a corrected registration are to be looked up (C08).
#[must_use]
pub fn keys_after(candidate: &Candidate, changes: &[Change]) -> Keys {
    let Some(person) = &candidate.person else { return Keys::default() };
    let (mut given, mut family) = (person.given_name.as_str(), person.family_name.as_str());
    let (mut birth_date, mut email) = (person.birth_date, person.email.as_str());
    for change in changes {
        match change {
            Change::GivenName(name) => given = name,
            Change::FamilyName(name) => family = name,
            Change::BirthDate(Some(date)) => birth_date = *date,
            Change::Email(address) => email = address,
            _ => {}
        }
    }
    Keys { mails: vec![doubles::mail_key(email)], people: vec![doubles::person_key(given, family, birth_date)] }
}

/// Corrects a registration.
///
/// A correction can flag a double, and never clears a flag: that is the agency's.
///
/// # Errors
/// `WRONG_STATE` (C07); all wrong fields at once, with C01 to C04; else `ALREADY_REGISTERED` (C08).
pub fn correct(
    mut candidate: Candidate,
    changes: Vec<Change>,
    lookups: &Lookups,
    settings: &Settings,
    at: Moment,
) -> Result<Decision> {
    candidate.step(Action::Correct, "")?;
    let before = candidate.facts();
    let old = candidate.person()?.clone();
    let mut person = old.clone();
    let mut wrong = Violations::default();
    let days = Days { registered_on: paris_date(candidate.registered_at), today: at.today };
    for change in changes {
        apply(&mut person, change, &mut wrong, lookups, settings, days);
    }
    wrong.check()?;

    let corrected = corrected_fields(&old, &person);
    let why = if corrected.is_empty() { "unchanged".to_owned() } else { corrected.join(",") };
    let (_, fact) = candidate.step(Action::Correct, why)?;
    let flagged = newly_flagged(&mut candidate, &old, &person, lookups)?;
    candidate.person = Some(person);
    candidate.last_contact_at = at.now;
    let mut decision = Decision::of(candidate).fact(fact);
    decision.facts.extend(flagged);
    Ok(telling_changes(before.as_ref(), decision))
}

/// The two days that a birth date is judged by.
#[derive(Clone, Copy)]
struct Days {
    registered_on: Date,
    today: Date,
}

fn apply(
    person: &mut Person,
    change: Change,
    wrong: &mut Violations,
    lookups: &Lookups,
    settings: &Settings,
    days: Days,
) {
    match change {
        Change::GivenName(given) => {
            set(&mut person.given_name, identity::name(wrong, "candidate.given_name", &given));
        }
        Change::FamilyName(given) => {
            set(&mut person.family_name, identity::name(wrong, "candidate.family_name", &given));
        }
        Change::BirthDate(given) => {
            set(&mut person.birth_date, identity::birth_date(wrong, given, days.registered_on, days.today, settings));
        }
        Change::Email(given) => set(&mut person.email, wrong.take(text::email("candidate.email", &given))),
        Change::Phone(given) => set(&mut person.phone, wrong.take(text::phone("candidate.phone", &given))),
        Change::Commune(given) => set(&mut person.home, identity::home(wrong, given)),
        Change::Reach(given) => set(&mut person.reach, wishes::reach(wrong, given, settings)),
        Change::Situation(given) => {
            let declared = situation::declared(wrong, given, lookups.derogation_granted, days.today);
            set(&mut person.situation, declared);
        }
        Change::AvailableFrom(given) => set(&mut person.available_from, wishes::available_from(wrong, given)),
        Change::Wishes(given) => person.wishes = wishes::wishes(wrong, given, lookups.is_department),
        Change::Background(given) => person.background = given,
    }
}

/// Sets a field to what was accepted.
fn set<T>(field: &mut T, accepted: Option<T>) {
    if let Some(value) = accepted {
        *field = value;
    }
}

/// The names of the fields that differ; their values are nobody's business.
fn corrected_fields(old: &Person, new: &Person) -> Vec<&'static str> {
    [
        ("given_name", old.given_name != new.given_name),
        ("family_name", old.family_name != new.family_name),
        ("birth_date", old.birth_date != new.birth_date),
        ("email", old.email != new.email),
        ("phone", old.phone != new.phone),
        ("commune", old.home != new.home),
        ("reach", old.reach != new.reach),
        ("situation", old.situation != new.situation),
        ("available_from", old.available_from != new.available_from),
        ("wishes", old.wishes != new.wishes),
        ("background", old.background != new.background),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

/// Flags the doubles that a new mail address, name or birth date brings to light (C08).
fn newly_flagged(candidate: &mut Candidate, old: &Person, new: &Person, lookups: &Lookups) -> Result<Vec<Fact>> {
    let key = |person: &Person| {
        let name = doubles::person_key(&person.given_name, &person.family_name, person.birth_date);
        (doubles::mail_key(&person.email), name)
    };
    // Who has left is served by nobody and holds nobody: its doubles are judged when it comes back.
    if key(old) == key(new) || candidate.state != State::Registered {
        return Ok(Vec::new());
    }
    let mut facts = Vec::new();
    for double in doubles::judged(candidate.id, &lookups.found, &candidate.distinct_from)? {
        if let Some(known) = candidate.possible_doubles.iter_mut().find(|known| known.candidate == double.candidate) {
            known.holds |= double.holds;
        } else {
            facts.push(doubles::flagged(candidate.state, double));
            candidate.possible_doubles.push(double);
        }
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use conum_kernel::{Kind, Rule};

    use super::super::{
        Event, Hold,
        doubles::{Alike, Found},
        examples::{self, date, id},
        situation::Status,
        wishes::Reach,
    };
    use super::*;

    fn corrected(candidate: Candidate, changes: Vec<Change>) -> Result<Decision> {
        let later = examples::moment_on("2021-03-01");
        correct(candidate, changes, &examples::lookups(), &examples::settings(), later)
    }

    fn told(decision: &Decision) -> &super::super::Facts {
        match decision.events.as_slice() {
            [Event::Changed { facts, .. }] => facts,
            other => panic!("one change was expected, not {other:?}"),
        }
    }

    #[test]
    fn c07_a_correction_of_the_name_is_recorded_and_told_to_nobody() {
        let decision =
            corrected(examples::candidate(), vec![Change::GivenName(" Rosa ".into()), Change::Phone(String::new())])
                .unwrap();

        let person = decision.state.person().unwrap();
        assert_eq!((person.given_name.as_str(), person.phone.as_str()), ("Rosa", ""));
        assert_eq!(decision.events, []);
        assert_eq!((decision.facts[0].action, decision.facts[0].why.as_str()), ("CORRECT", "given_name,phone"));
    }

    #[test]
    fn c04_a_new_distance_is_told_to_matching() {
        let decision =
            corrected(examples::candidate(), vec![Change::Reach(Some(AskedReach { max_km: 0, anywhere: true }))])
                .unwrap();
        assert_eq!(told(&decision).reach, Reach::Anywhere);
    }

    #[test]
    fn c04_a_distance_chosen_before_the_setting_changed_stands_until_it_is_corrected() {
        let settings = Settings { allowed_km: vec![5], ..examples::settings() };
        let change = vec![Change::GivenName("Rosa".into())];
        let decision =
            correct(examples::candidate(), change, &examples::lookups(), &settings, examples::moment()).unwrap();
        assert_eq!(decision.state.person().unwrap().reach, Reach::Within { km: 40 });
    }

    #[test]
    fn c07_wrong_fields_come_back_at_once_and_nothing_changes() {
        let error = corrected(
            examples::candidate(),
            vec![Change::Email("nowhere".into()), Change::AvailableFrom(None), Change::GivenName("Rosa".into())],
        )
        .unwrap_err();
        assert_eq!((error.kind(), error.violations().len()), (Kind::InvalidArgument, 2));
    }

    #[test]
    fn c01_a_corrected_birth_date_is_judged_on_the_day_of_registration() {
        // Sixteen by now, fifteen on the day of registration (2020-12-01).
        let error = corrected(examples::candidate(), vec![Change::BirthDate(Some(date("2004-12-02")))]).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("TOO_YOUNG", Some(Rule("C01"))));
        assert!(corrected(examples::candidate(), vec![Change::BirthDate(Some(date("1955-12-02")))]).is_ok());
    }

    #[test]
    fn c02_a_candidate_who_retires_is_held_out_of_introductions_and_comes_back_with_the_situation() {
        let retired = vec![Change::Situation(Some(examples::situation(Status::Retired)))];
        let decision = corrected(examples::candidate(), retired).unwrap();
        assert!(!told(&decision).eligible);
        assert_eq!(decision.state.holds(), [Hold::Situation]);

        let seeking = vec![Change::Situation(Some(examples::situation(Status::JobSeeker)))];
        assert!(told(&corrected(decision.state, seeking).unwrap()).eligible);
    }

    #[test]
    fn c08_a_mail_address_that_somebody_else_has_is_refused() {
        let taken = Alike { candidate: id("other"), state: State::Registered };
        let lookups = Lookups { found: Found { same_mail: vec![taken], ..Found::default() }, ..examples::lookups() };
        let change = vec![Change::Email("other@exemple.fr".into())];
        let error =
            correct(examples::candidate(), change, &lookups, &examples::settings(), examples::moment()).unwrap_err();
        assert_eq!((error.kind(), error.rule()), (Kind::AlreadyExists, Some(Rule("C08"))));
    }

    #[test]
    fn c08_a_correction_flags_a_double_and_never_clears_it() {
        let namesake = Alike { candidate: id("first"), state: State::Registered };
        let lookups =
            Lookups { found: Found { same_person: vec![namesake], ..Found::default() }, ..examples::lookups() };
        let rename = vec![Change::FamilyName("Martin".into())];
        let decision =
            correct(examples::candidate(), rename, &lookups, &examples::settings(), examples::moment()).unwrap();
        assert!(!told(&decision).eligible);
        assert_eq!(decision.facts[1].action, "POSSIBLE_DOUBLE");

        let back = corrected(decision.state, vec![Change::FamilyName("Dupont".into())]).unwrap();
        assert!(!back.state.eligible());
    }

    #[test]
    fn c08_a_correction_is_looked_up_by_the_keys_it_leads_to() {
        let changes = vec![Change::FamilyName("Martin".into()), Change::Email("R.Martin@exemple.fr".into())];
        let looked_up = keys_after(&examples::candidate(), &changes);
        let decision = corrected(examples::candidate(), changes).unwrap();
        assert_eq!(looked_up, doubles::keys(&decision.state));
    }

    #[test]
    fn c07_who_left_may_still_correct_and_matching_is_not_told() {
        let left = Candidate { state: State::Left, ..examples::candidate() };
        let decision = corrected(left, vec![Change::Reach(Some(AskedReach { max_km: 5, anywhere: false }))]).unwrap();
        assert_eq!(decision.events, []);
    }

    #[test]
    fn c07_a_correction_that_changes_nothing_still_says_that_the_person_is_there() {
        let decision = corrected(examples::candidate(), vec![Change::GivenName("Rose".into())]).unwrap();
        assert_eq!(decision.facts[0].why, "unchanged");
        assert_eq!(decision.state.last_contact_at, examples::moment_on("2021-03-01").now);
        assert_eq!(decision.events, []);
    }
}
