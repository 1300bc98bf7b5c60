//! Doubles (C08): what two registrations of one person have in common, what is refused, and what waits for the agency.
//!
//! The same mail address, whatever its case: refused, and the first registration is named. The same name (accents, case
//! and order aside) and birth date: it may be a namesake, so it is registered, flagged, and held out of introductions
//! until the agency merges the two or says that they are of different people. Who registered first is not held for who
//! came after, nor by who has left: that person may come back.
//!
//! Finding what has the same keys is storage's, and so is a unique index on the present mail key of those in state
//! registered, against two that register at once.
//! Merging is [`super::merge`]'s.

use conum_kernel::{CandidateId, Error, Fact, Machine as _, Result, Rule, text};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Decision,
    candidate::{Action, Candidate, State},
    events::telling_changes,
};

const C08: Rule = Rule("C08");

/// A registration that looks like the same person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PossibleDouble {
    pub candidate: CandidateId,
    /// Whether it keeps this one out of introductions.
    pub holds: bool,
}

/// The keys of a registration: what is the same where two are doubles. Personal, and to be erased with the person.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// The present one first.
    pub mails: Vec<String>,
    pub people: Vec<String>,
}

undisclosed!(Keys);

/// A registration that was found by its keys, registered or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    pub candidate: CandidateId,
    pub state: State,
}

/// What was found by the keys of a command, the registration itself aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub same_mail: Vec<Alike>,
    pub same_person: Vec<Alike>,
}

/// What became of a registration that others are flagged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Left,
    Erased,
    MergedInto(CandidateId),
}

/// The key of a mail address: its case aside.
#[must_use]
pub fn mail_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The key of a name and birth date: case, accents, punctuation and the order of the words aside, so that a given name
/// in the place of the family name is seen too.
#[must_use]
pub fn person_key(given_name: &str, family_name: &str, birth_date: Date) -> String {
    // An accent may also come as a character of its own after the letter.
    let whole: String =
        format!("{given_name} {family_name}").chars().filter(|c| !('\u{300}'..='\u{36F}').contains(c)).collect();
    let folded = text::folded(&whole);
    let mut words: Vec<_> = folded.split_whitespace().collect();
    words.sort_unstable();
    format!("{} {birth_date}", words.join(" "))
}

/// The keys by which a registration is found, those of the registrations that ended in it included.
#[must_use]
pub fn keys(candidate: &Candidate) -> Keys {
    let mut keys = Keys::default();
    let absorbed = candidate.absorbed.iter().map(|absorbed| &absorbed.person);
    for person in candidate.person.iter().chain(absorbed) {
        let mail = mail_key(&person.email);
        if !keys.mails.contains(&mail) {
            keys.mails.push(mail);
        }
        let person = person_key(&person.given_name, &person.family_name, person.birth_date);
        if !keys.people.contains(&person) {
            keys.people.push(person);
        }
    }
    keys
}

/// The refusal of a second registration with one mail address; it names the first.
#[must_use]
pub fn already_registered(first: CandidateId) -> Error {
    Error::already_exists(
        Some(C08),
        "ALREADY_REGISTERED",
        &first.name(),
        format!("this mail address is registered as {}", first.name()),
        format!("cette adresse électronique est déjà inscrite : {}", first.name()),
    )
    .at("candidate.email")
}

/// What a registration is flagged with, given what was found by its keys.
///
/// # Errors
/// `ALREADY_REGISTERED` where somebody registered has the same mail address.
pub(super) fn judged(own: CandidateId, found: &Found, distinct_from: &[CandidateId]) -> Result<Vec<PossibleDouble>> {
    let registered = |alike: &&Alike| alike.state == State::Registered && alike.candidate != own;
    if let Some(first) = found.same_mail.iter().filter(registered).map(|alike| alike.candidate).min() {
        return Err(already_registered(first));
    }
    let mut doubles: Vec<PossibleDouble> = Vec::new();
    for alike in found.same_mail.iter().chain(&found.same_person) {
        let known = doubles.iter().any(|double| double.candidate == alike.candidate);
        if !known && alike.candidate != own && !distinct_from.contains(&alike.candidate) {
            doubles.push(PossibleDouble { candidate: alike.candidate, holds: alike.state == State::Registered });
        }
    }
    Ok(doubles)
}

/// The fact that a registration was flagged with another.
pub(super) fn flagged(state: State, double: PossibleDouble) -> Fact {
    Fact::noted("POSSIBLE_DOUBLE", state.name(), double.candidate.to_string()).under(C08)
}

/// The agency says that two registrations are of different people. It is said of each of the two.
///
/// # Errors
/// `WRONG_STATE` where the registration was merged or erased.
pub fn distinguish(mut candidate: Candidate, other: CandidateId) -> Result<Decision> {
    let before = candidate.facts();
    let (_, fact) = candidate.step(Action::SettleDouble, other.to_string())?;
    let flagged = candidate.possible_doubles.iter().any(|double| double.candidate == other);
    let distinct = candidate.distinct_from.contains(&other);
    if distinct && !flagged {
        return Ok(Decision::of(candidate));
    }
    candidate.possible_doubles.retain(|double| double.candidate != other);
    if !distinct {
        candidate.distinct_from.push(other);
    }
    Ok(telling_changes(before.as_ref(), Decision::of(candidate).fact(fact)))
}

/// The registration that this one is flagged with has ended: it holds this one no longer. To be run on all that are
/// flagged with it or were said to be distinct from it, in the transaction of its end.
///
/// # Errors
/// `WRONG_STATE` where the registration was merged or erased.
pub fn other_ended(mut candidate: Candidate, other: CandidateId, end: End) -> Result<Decision> {
    let flagged = candidate.possible_doubles.iter().any(|double| double.candidate == other);
    if !flagged && !candidate.distinct_from.contains(&other) {
        return Ok(Decision::of(candidate));
    }
    let before = candidate.facts();
    let (_, fact) = candidate.step(Action::SettleDouble, other.to_string())?;
    match end {
        End::Left => {
            for double in candidate.possible_doubles.iter_mut().filter(|double| double.candidate == other) {
                double.holds = false;
            }
        }
        End::Erased => {
            candidate.possible_doubles.retain(|double| double.candidate != other);
            candidate.distinct_from.retain(|distinct| *distinct != other);
        }
        End::MergedInto(survivor) => renamed(&mut candidate, other, survivor),
    }
    Ok(telling_changes(before.as_ref(), Decision::of(candidate).fact(fact)))
}

/// The registration that this one is flagged with has come back after it had left: it holds this one again, where it is
/// the earlier of the two. To be run on all that are flagged with it, in the transaction of its return.
#[must_use]
pub fn other_came_back(mut candidate: Candidate, other: CandidateId) -> Decision {
    let before = candidate.facts();
    // Ids are in the order of registration.
    let holds = other < candidate.id;
    let flag = candidate.possible_doubles.iter_mut().find(|double| holds && double.candidate == other && !double.holds);
    let Some(flag) = flag else { return Decision::of(candidate) };
    flag.holds = true;
    let fact = flagged(candidate.state, *flag);
    telling_changes(before.as_ref(), Decision::of(candidate).fact(fact))
}

/// Flags a registration that comes back after it had left with what has the same keys meanwhile; it is held by earlier
/// ones only. Answers the facts.
///
/// # Errors
/// `ALREADY_REGISTERED` where somebody registered has the same mail address.
pub(super) fn flag_returned(candidate: &mut Candidate, found: &Found) -> Result<Vec<Fact>> {
    let mut facts = Vec::new();
    for double in judged(candidate.id, found, &candidate.distinct_from)? {
        if !candidate.possible_doubles.iter().any(|known| known.candidate == double.candidate) {
            let double = PossibleDouble { holds: double.holds && double.candidate < candidate.id, ..double };
            facts.push(flagged(State::Registered, double));
            candidate.possible_doubles.push(double);
        }
    }
    Ok(facts)
}

/// What was said of a registration now holds of the one that it ended in.
fn renamed(candidate: &mut Candidate, other: CandidateId, survivor: CandidateId) {
    for distinct in candidate.distinct_from.iter_mut().filter(|distinct| **distinct == other) {
        *distinct = survivor;
    }
    for double in candidate.possible_doubles.iter_mut().filter(|double| double.candidate == other) {
        double.candidate = survivor;
    }
    let own = candidate.id;
    let mut kept: Vec<PossibleDouble> = Vec::new();
    for double in std::mem::take(&mut candidate.possible_doubles) {
        let settled = double.candidate == own || candidate.distinct_from.contains(&double.candidate);
        match kept.iter_mut().find(|known| known.candidate == double.candidate) {
            _ if settled => {}
            Some(known) => known.holds |= double.holds,
            None => kept.push(double),
        }
    }
    candidate.possible_doubles = kept;
}

#[cfg(test)]
mod tests {
    use super::super::{
        Event, Hold,
        examples::{self, date, id},
    };
    use super::*;

    fn alike(key: &str, state: State) -> Alike {
        Alike { candidate: id(key), state }
    }

    fn told_eligible(decision: &Decision) -> Vec<bool> {
        decision
            .events
            .iter()
            .map(|event| match event {
                Event::Changed { facts, .. } => facts.eligible,
                other => panic!("unexpected {other:?}"),
            })
            .collect()
    }

    #[test]
    fn c08_the_case_of_a_mail_address_makes_no_difference() {
        assert_eq!(mail_key(" Rose.Dupont@Exemple.FR "), mail_key("rose.dupont@exemple.fr"));
    }

    #[test]
    fn c08_spellings_of_one_name_are_the_same_person_on_the_same_birth_date_only() {
        let born = date("1990-05-17");
        let key = person_key("Hélène", "LE GOFF", born);
        assert_eq!(key, person_key("helene", "Le-Goff", born));
        assert_eq!(key, person_key("Le Goff", "Hélène", born));
        assert_eq!(key, person_key("He\u{301}le\u{300}ne", "Le Goff", born));
        assert_ne!(key, person_key("Hélène", "Le Goff", date("1990-05-18")));
        assert_ne!(key, person_key("Hélène", "Le Gall", born));
    }

    #[test]
    fn c08_the_same_mail_is_refused_and_names_the_first() {
        let found = Found {
            same_mail: vec![alike("second", State::Registered), alike("first", State::Registered)],
            ..Found::default()
        };
        let error = judged(id("new"), &found, &[]).unwrap_err();

        let first = id("first").min(id("second")).name();
        assert_eq!((error.kind(), error.rule()), (conum_kernel::Kind::AlreadyExists, Some(C08)));
        assert_eq!(error.metadata(), [("existing", first)]);
    }

    #[test]
    fn c08_a_namesake_of_the_same_day_is_flagged_and_held() {
        let found = Found { same_person: vec![alike("first", State::Registered)], ..Found::default() };
        let doubles = judged(id("new"), &found, &[]).unwrap();
        assert_eq!(doubles, [PossibleDouble { candidate: id("first"), holds: true }]);
    }

    #[test]
    fn c08_who_left_may_come_back_and_is_flagged_for_the_agency_to_merge() {
        let left = alike("before", State::Left);
        let found = Found { same_mail: vec![left], same_person: vec![left] };
        let doubles = judged(id("new"), &found, &[]).unwrap();
        assert_eq!(doubles, [PossibleDouble { candidate: id("before"), holds: false }]);
    }

    #[test]
    fn c08_a_registration_is_no_double_of_itself_nor_of_who_was_said_to_be_somebody_else() {
        let found = Found {
            same_mail: vec![alike("own", State::Registered)],
            same_person: vec![alike("own", State::Registered), alike("namesake", State::Registered)],
        };
        assert_eq!(judged(id("own"), &found, &[id("namesake")]), Ok(vec![]));
    }

    #[test]
    fn c08_different_people_the_agency_says_and_the_second_is_introduced_at_last() {
        let held = examples::held_by("first");
        assert_eq!((held.holds(), held.eligible()), (vec![Hold::PossibleDouble], false));

        let decision = distinguish(held, id("first")).unwrap();

        assert_eq!(told_eligible(&decision), [true]);
        assert_eq!(decision.facts[0].action, "SETTLE_DOUBLE");
        assert!(decision.state.eligible());
        assert_eq!(distinguish(decision.state, id("first")).unwrap().facts, []);
    }

    #[test]
    fn c08_the_end_of_the_first_releases_the_second() {
        for (end, flagged) in [(End::Left, 1), (End::Erased, 0), (End::MergedInto(id("candidate")), 0)] {
            let decision = other_ended(examples::held_by("first"), id("first"), end).unwrap();
            assert_eq!(told_eligible(&decision), [true], "{end:?}");
            assert_eq!(decision.state.possible_doubles.len(), flagged, "{end:?}");
        }
    }

    #[test]
    fn c08_a_flag_follows_a_merge() {
        let mut held = examples::held_by("first");
        held.possible_doubles.push(PossibleDouble { candidate: id("third"), holds: false });

        let decision = other_ended(held, id("first"), End::MergedInto(id("third"))).unwrap();

        assert_eq!(decision.state.possible_doubles, [PossibleDouble { candidate: id("third"), holds: true }]);
        assert_eq!(decision.events, []);
    }

    #[test]
    fn c08_the_return_of_the_first_holds_the_second_again() {
        let (first, second) = (id("first").min(id("second")), id("first").max(id("second")));
        let flagged = |own, other| Candidate {
            id: own,
            possible_doubles: vec![PossibleDouble { candidate: other, holds: false }],
            ..examples::candidate()
        };
        assert_eq!(told_eligible(&other_came_back(flagged(second, first), first)), [false]);
        assert_eq!(other_came_back(flagged(first, second), second).facts, []);
        assert_eq!(other_came_back(flagged(second, first), id("stranger")).facts, []);
    }

    #[test]
    fn c08_what_ended_concerns_only_those_flagged_with_it() {
        let decision = other_ended(examples::candidate(), id("stranger"), End::Erased).unwrap();
        assert_eq!((decision.facts, decision.events), (vec![], vec![]));
    }
}
