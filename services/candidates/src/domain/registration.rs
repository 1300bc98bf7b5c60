//! Registering (C01 to C04, C08): everything that is wrong comes back at once, each at its field of the request.
//!
//! The rules of each field are with their topic; a lookup that needs a table or another service is given as an input.

use conum_kernel::{CandidateId, Fact, Machine as _, Moment, Result, Violations, text};
use jiff::civil::Date;

use super::{
    Decision,
    candidate::{Candidate, Person, State},
    doubles::{self, Found, Keys},
    events::Event,
    identity::{self, Commune},
    mails::Mail,
    policies::Settings,
    situation,
    wishes::{self, AskedReach, AskedWishes, Background},
};

/// A registration as it was filled in.
#[derive(Clone, PartialEq)]
pub struct Register {
    pub given_name: String,
    pub family_name: String,
    pub birth_date: Option<Date>,
    pub email: String,
    pub phone: String,
    pub commune: Commune,
    pub reach: Option<AskedReach>,
    pub situation: Option<situation::Declared>,
    pub available_from: Option<Date>,
    pub wishes: AskedWishes,
    pub background: Background,
}

undisclosed!(Register);

impl Register {
    /// The keys by which its doubles are to be looked up (C08).
    #[must_use]
    pub fn keys(&self) -> Keys {
        let person = |birth_date| doubles::person_key(&self.given_name, &self.family_name, birth_date);
        Keys { mails: vec![doubles::mail_key(&self.email)], people: self.birth_date.map(person).into_iter().collect() }
    }
}

/// What was looked up for a command.
#[derive(Clone, Debug)]
pub struct Lookups {
    /// Whether a department or an overseas collectivity has this INSEE code (C04).
    pub is_department: fn(&str) -> bool,
    /// Whether A09's derogation was granted for the post that the situation names (C02).
    pub derogation_granted: bool,
    /// What has the same keys (C08).
    pub found: Found,
}

/// Registers a candidate under a new id.
///
/// # Errors
/// All wrong fields at once, with C01 to C04; else `ALREADY_REGISTERED` (C08).
pub fn register(
    id: CandidateId,
    command: Register,
    lookups: &Lookups,
    settings: &Settings,
    at: Moment,
) -> Result<Decision> {
    let person = checked(command, lookups, settings, at)?;
    let possible_doubles = doubles::judged(id, &lookups.found, &[])?;
    let candidate = Candidate {
        id,
        state: State::Registered,
        registered_at: at.now,
        person: Some(person),
        possible_doubles,
        distinct_from: Vec::new(),
        merged_into: None,
        absorbed: Vec::new(),
        last_contact_at: at.now,
        noticed_at: None,
    };
    let facts = candidate.facts();
    let mut decision = Decision::of(candidate).fact(Fact {
        action: "REGISTER",
        from: "",
        to: State::Registered.name(),
        why: String::new(),
        rule: None,
    });
    decision
        .facts
        .extend(decision.state.possible_doubles.iter().map(|double| doubles::flagged(State::Registered, *double)));
    decision.events.extend(facts.map(|facts| Event::Registered { candidate: id, facts }));
    Ok(decision.mail(Mail::Registered { candidate: id }))
}

/// The person, or everything that is wrong.
fn checked(command: Register, lookups: &Lookups, settings: &Settings, at: Moment) -> Result<Person> {
    let mut wrong = Violations::default();
    let given_name = identity::name(&mut wrong, "candidate.given_name", &command.given_name);
    let family_name = identity::name(&mut wrong, "candidate.family_name", &command.family_name);
    let birth_date = identity::birth_date(&mut wrong, command.birth_date, at.today, at.today, settings);
    let email = wrong.take(text::email("candidate.email", &command.email));
    let phone = wrong.take(text::phone("candidate.phone", &command.phone));
    let home = identity::home(&mut wrong, command.commune);
    let reach = wishes::reach(&mut wrong, command.reach, settings);
    let situation = situation::declared(&mut wrong, command.situation, lookups.derogation_granted, at.today);
    if let Some(refusal) = situation.as_ref().and_then(situation::Situation::refusal) {
        situation::refuse(&mut wrong, refusal);
    }
    let available_from = wishes::available_from(&mut wrong, command.available_from);
    let wishes = wishes::wishes(&mut wrong, command.wishes, lookups.is_department);
    let complete = || {
        Some(Person {
            given_name: given_name?,
            family_name: family_name?,
            birth_date: birth_date?,
            email: email?,
            phone: phone?,
            home: home?,
            reach: reach?,
            situation: situation?,
            available_from: available_from?,
            wishes,
            background: command.background,
            pix: None,
        })
    };
    match complete() {
        Some(person) if wrong.is_empty() => Ok(person),
        _ => Err(wrong.into_error()),
    }
}

#[cfg(test)]
mod tests {
    use conum_kernel::{Kind, Rule};

    use super::super::{
        doubles::Alike,
        examples::{self, date, id},
        situation::Status,
        wishes::{Reach, Sector},
    };
    use super::*;

    fn registered(command: Register) -> Result<Decision> {
        register(id("new"), command, &examples::lookups(), &examples::settings(), examples::moment())
    }

    fn refusal(command: Register) -> (String, &'static str, Option<Rule>) {
        let error = registered(command).unwrap_err();
        assert_eq!((error.kind(), error.violations().len()), (Kind::InvalidArgument, 1), "{error}");
        (error.violations()[0].field.clone(), error.reason(), error.rule())
    }

    #[test]
    fn a_registration_is_told_to_matching_without_identity_and_confirmed_by_mail() {
        let decision = registered(examples::register()).unwrap();

        let [Event::Registered { candidate, facts }] = decision.events.as_slice() else { panic!("one event") };
        assert_eq!(*candidate, id("new"));
        assert_eq!((facts.commune.as_str(), facts.department.as_str()), ("69123", "69"));
        assert_eq!((facts.reach, facts.eligible), (Reach::Within { km: 40 }, true));
        assert_eq!(facts.wished_sectors, [Sector::Public]);
        assert_eq!(decision.mails, [Mail::Registered { candidate: id("new") }]);
        assert_eq!((decision.facts[0].action, decision.facts[0].to), ("REGISTER", "REGISTERED"));
        let told = serde_json::to_string(&decision.events).unwrap();
        for personal in ["Rose", "Dupont", "exemple.fr", "1990"] {
            assert!(!told.contains(personal), "{personal}");
        }
    }

    #[test]
    fn all_that_is_wrong_comes_back_at_once() {
        let error = registered(Register {
            given_name: String::new(),
            family_name: "x".repeat(101),
            birth_date: Some(date("2010-01-01")),
            email: "no address".into(),
            phone: "call me".into(),
            commune: Commune::Missing,
            reach: Some(AskedReach { max_km: 7, anywhere: false }),
            situation: None,
            available_from: None,
            wishes: AskedWishes { departments: vec!["00".into()], sectors: vec![] },
            background: Background::default(),
        })
        .unwrap_err();

        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "candidate.given_name",
                "candidate.family_name",
                "candidate.birth_date",
                "candidate.email",
                "candidate.phone",
                "candidate.commune",
                "candidate.reach.max_km",
                "candidate.situation",
                "candidate.available_from",
                "candidate.wishes.departments[0]",
            ]
        );
    }

    #[test]
    fn c01_a_person_of_fifteen_is_refused() {
        let young = Register { birth_date: Some(date("2005-01-01")), ..examples::register() };
        assert_eq!(refusal(young), ("candidate.birth_date".into(), "TOO_YOUNG", Some(Rule("C01"))));
    }

    #[test]
    fn c01_the_day_of_registration_is_a_day_in_paris() {
        // 23:30 in London on 30 November: 1 December in Paris, the sixteenth birthday.
        let at = Moment::at("2020-11-30T23:30:00Z".parse().unwrap());
        let command = Register { birth_date: Some(date("2004-12-01")), ..examples::register() };
        assert!(register(id("new"), command, &examples::lookups(), &examples::settings(), at).is_ok());
    }

    #[test]
    fn c02_a_retired_person_cannot_register() {
        let retired = Register { situation: Some(examples::situation(Status::Retired)), ..examples::register() };
        assert_eq!(refusal(retired), ("candidate.situation.status".into(), "RETIRED", Some(Rule("C02"))));
    }

    #[test]
    fn c02_who_already_does_this_work_cannot_register_without_the_derogation() {
        let declared = situation::Declared { mediation_share_percent: 51, ..examples::situation(Status::CivilServant) };
        let (field, reason, rule) = refusal(Register { situation: Some(declared), ..examples::register() });
        assert_eq!(field, "candidate.situation.mediation_share_percent");
        assert_eq!((reason, rule), ("ALREADY_AN_ADVISER", Some(Rule("C02"))));
    }

    #[test]
    fn c03_someone_in_training_registers_with_the_day_it_ends() {
        let decision = registered(Register {
            situation: Some(examples::situation(Status::InTraining)),
            available_from: Some(date("2021-06-30")),
            ..examples::register()
        })
        .unwrap();
        assert_eq!(decision.state.person().unwrap().available_from, date("2021-06-30"));
    }

    #[test]
    fn c03_without_an_availability_date_nobody_registers() {
        let vague = Register { available_from: None, ..examples::register() };
        assert_eq!(refusal(vague), ("candidate.available_from".into(), "AVAILABILITY_REQUIRED", Some(Rule("C03"))));
    }

    #[test]
    fn c04_a_distance_outside_the_list_is_refused() {
        let far = Register { reach: Some(AskedReach { max_km: 500, anywhere: false }), ..examples::register() };
        assert_eq!(refusal(far), ("candidate.reach.max_km".into(), "DISTANCE_NOT_ALLOWED", Some(Rule("C04"))));
    }

    #[test]
    fn c06_who_is_registered_and_in_post_does_not_register_a_second_time() {
        // One person, one registration, one employer: an employed candidate is a registered one like the others.
        let first = Alike { candidate: id("employed"), state: State::Registered };
        let lookups = Lookups { found: Found { same_mail: vec![first], ..Found::default() }, ..examples::lookups() };
        let error =
            register(id("new"), examples::register(), &lookups, &examples::settings(), examples::moment()).unwrap_err();
        assert_eq!(error.reason(), "ALREADY_REGISTERED");
    }

    #[test]
    fn c08_a_namesake_born_on_the_same_day_is_registered_flagged_and_not_introduced() {
        let first = Alike { candidate: id("first"), state: State::Registered };
        let lookups = Lookups { found: Found { same_person: vec![first], ..Found::default() }, ..examples::lookups() };
        let decision =
            register(id("new"), examples::register(), &lookups, &examples::settings(), examples::moment()).unwrap();

        let [Event::Registered { facts, .. }] = decision.events.as_slice() else { panic!("one event") };
        assert!(!facts.eligible);
        assert_eq!(decision.state.possible_doubles[0].candidate, id("first"));
        assert_eq!(
            (decision.facts[1].action, decision.facts[1].why.clone()),
            ("POSSIBLE_DOUBLE", id("first").to_string())
        );
    }

    #[test]
    fn c08_a_registration_is_looked_up_by_the_keys_it_is_found_by() {
        let command = examples::register();
        let keys = command.keys();
        assert_eq!(keys, doubles::keys(&registered(command).unwrap().state));
    }
}
