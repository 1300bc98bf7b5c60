//! Merging two registrations of one person (C08): nothing is lost from either.
//!
//! What becomes of each thing:
//! - identity, place, reach, situation, availability: those of the registration that goes on, which the agency chose;
//!   a telephone number it lacks comes from the double.
//! - wishes and background: united.
//! - Pix: the more recent result, with its own consent.
//! - date of registration: the earliest. Last heard of: the latest.
//! - the double as it was is kept whole in [`Absorbed`], with the Pix result that does not go on: the person's export
//!   shows it, doubles are still found by it, and erasure takes it too.
//! - introductions and recruitments: united here, and in matching, which closes what is beyond its limit.
//! - history: each registration keeps its own, outside.
//!
//! Two registrations that are both selected or under contract are not merged: one employer at a time (C06).

use conum_kernel::{CandidateId, Error, Moment, Result, Rule};

use super::{
    Decision,
    candidate::{Absorbed, Action, Candidate, Person},
    doubles::PossibleDouble,
    events::{Event, telling_changes},
    mails::Mail,
    ties::Ties,
};

/// What a merge decides: on both registrations, stored together, and the ties of the one that goes on. Those of the
/// double end with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    pub survivor: Decision,
    pub duplicate: Decision,
    pub ties: Ties,
}

/// Merges a double into the registration that goes on. Others that are flagged with the double are to be told it
/// ([`super::doubles::other_ended`]).
///
/// # Errors
/// `SAME_REGISTRATION` at `duplicate`; `WRONG_STATE` (C08); `BOTH_ENGAGED` (C06).
pub fn merge(survivor: (Candidate, Ties), duplicate: (Candidate, Ties), at: Moment) -> Result<Merged> {
    let ((mut survivor, ties), (mut duplicate, other_ties)) = (survivor, duplicate);
    if survivor.id == duplicate.id {
        return Err(Error::invalid(
            "duplicate",
            "SAME_REGISTRATION",
            "a registration is not merged into itself",
            "une inscription ne se fusionne pas avec elle-même",
        )
        .with_rule(Rule("C08")));
    }
    let (_, absorbs) = survivor.step(Action::Absorb, duplicate.id.to_string())?;
    let (ended, ends) = duplicate.step(Action::EndInMerge, survivor.id.to_string())?;
    if ties.engaged(at.today) && other_ties.engaged(at.today) {
        return Err(Error::refused(
            Rule("C06"),
            "BOTH_ENGAGED",
            "both are selected or under contract: one of the two recruitments is cancelled or ended first",
            "les deux sont retenues ou sous contrat : l'un des deux recrutements doit d'abord être annulé ou rompu",
        ));
    }

    let before = survivor.facts();
    absorb(&mut survivor, &mut duplicate, at);
    duplicate.state = ended;
    duplicate.merged_into = Some(survivor.id);

    let (candidate, merged) = (survivor.id, duplicate.id);
    // What the survivor has become comes first: matching holds the other's introductions against it.
    let survivor = telling_changes(before.as_ref(), Decision::of(survivor).fact(absorbs));
    Ok(Merged {
        survivor: survivor.event(Event::Merged { candidate, merged }).mail(Mail::Merged { candidate }),
        duplicate: Decision::of(duplicate).fact(ends),
        ties: ties.united(other_ties),
    })
}

/// Moves everything from the double to the registration that goes on.
fn absorb(survivor: &mut Candidate, duplicate: &mut Candidate, at: Moment) {
    if let (Some(kept), Some(mut ended)) = (&mut survivor.person, duplicate.person.take()) {
        unite(kept, &mut ended);
        let (candidate, registered_at) = (duplicate.id, duplicate.registered_at);
        survivor.absorbed.push(Absorbed { candidate, registered_at, merged_at: at.now, person: ended });
    }
    survivor.absorbed.append(&mut duplicate.absorbed);
    survivor.registered_at = survivor.registered_at.min(duplicate.registered_at);
    survivor.last_contact_at = survivor.last_contact_at.max(duplicate.last_contact_at);

    for distinct in std::mem::take(&mut duplicate.distinct_from) {
        if distinct != survivor.id && !survivor.distinct_from.contains(&distinct) {
            survivor.distinct_from.push(distinct);
        }
    }
    survivor.distinct_from.retain(|distinct| *distinct != duplicate.id);
    survivor.possible_doubles = united_doubles(survivor, std::mem::take(&mut duplicate.possible_doubles), duplicate.id);
}

/// The wishes, background, telephone and Pix of both; the Pix result that does not go on stays with the double.
fn unite(kept: &mut Person, ended: &mut Person) {
    kept.wishes = std::mem::take(&mut kept.wishes).united(&ended.wishes);
    kept.background = kept.background.united(ended.background);
    if kept.phone.is_empty() {
        kept.phone.clone_from(&ended.phone);
    }
    let day = |person: &Person| person.pix.as_ref().map(|pix| pix.passed_on);
    if day(ended) > day(kept) {
        std::mem::swap(&mut kept.pix, &mut ended.pix);
    }
}

/// What either is flagged with, but for the two themselves and those that either was said to be distinct from. A flag that comes from the double holds only where it is of
/// an earlier registration: who registered first is not held for who came after.
fn united_doubles(survivor: &Candidate, inherited: Vec<PossibleDouble>, duplicate: CandidateId) -> Vec<PossibleDouble> {
    let themselves = [survivor.id, duplicate];
    let settled = |other: CandidateId| themselves.contains(&other) || survivor.distinct_from.contains(&other);
    let own = survivor.possible_doubles.iter().copied();
    let mut doubles: Vec<_> = own.filter(|double| !settled(double.candidate)).collect();
    for double in inherited {
        if !settled(double.candidate) && !doubles.iter().any(|known| known.candidate == double.candidate) {
            // Ids are in the order of registration.
            doubles.push(PossibleDouble { holds: double.holds && double.candidate < survivor.id, ..double });
        }
    }
    doubles
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::super::{
        Background, Sector, State, Wishes,
        doubles::{self, End},
        examples::{self, id, introduced, selected, signed, tied},
        pix::Pix,
    };
    use super::*;

    fn merged(survivor: Candidate, duplicate: Candidate) -> Merged {
        merge((survivor, Ties::default()), (duplicate, Ties::default()), examples::moment()).unwrap()
    }

    #[test]
    fn c08_the_double_ends_in_the_other_and_both_histories_and_matching_are_told() {
        let merged = merged(examples::candidate(), examples::double());

        let (survivor, duplicate) = (&merged.survivor, &merged.duplicate);
        assert_eq!((duplicate.state.state, duplicate.state.merged_into), (State::Merged, Some(id("candidate"))));
        assert_eq!(duplicate.state.person, None);
        assert!(matches!(&survivor.events[0], Event::Changed { facts, .. } if facts.wished_departments.len() == 2));
        assert_eq!(survivor.events[1], Event::Merged { candidate: id("candidate"), merged: id("double") });
        assert_eq!(survivor.facts[0].why, id("double").to_string());
        assert_eq!(duplicate.facts[0].why, id("candidate").to_string());
    }

    #[test]
    fn c08_the_more_recent_pix_goes_on_with_its_own_consent_and_the_other_is_kept() {
        let pix =
            |day: &str, consent| Pix { score: 640, passed_on: examples::date(day), consent, consent_changed_at: None };
        let with = |mut candidate: Candidate, pix| {
            candidate.person.as_mut().unwrap().pix = Some(pix);
            candidate
        };
        let (old, new) = (pix("2020-03-01", true), pix("2020-11-01", false));

        for (survivors, doubles) in [(&old, &new), (&new, &old)] {
            let survivor =
                merged(with(examples::candidate(), survivors.clone()), with(examples::double(), doubles.clone()))
                    .survivor
                    .state;
            assert_eq!(survivor.person().unwrap().pix, Some(new.clone()));
            assert_eq!(survivor.absorbed[0].person.pix, Some(old.clone()));
        }
    }

    #[test]
    fn c08_the_merge_releases_the_second_registration_that_was_held() {
        let held = examples::held_by("double");
        let merged = merged(held, examples::double());
        assert!(merged.survivor.state.eligible());
        assert_eq!(merged.survivor.state.possible_doubles, []);
    }

    #[test]
    fn c08_who_registered_first_is_not_held_for_who_the_double_was_flagged_with_after() {
        let mut double = examples::double();
        double.possible_doubles =
            ["earlier", "candidate", "later"].map(|key| PossibleDouble { candidate: id(key), holds: true }).to_vec();
        let doubles = merged(examples::candidate(), double).survivor.state.possible_doubles;
        assert_eq!(
            doubles,
            ["earlier", "later"].map(|key| PossibleDouble { candidate: id(key), holds: id(key) < id("candidate") })
        );
    }

    #[test]
    fn c08_the_same_mail_as_a_merged_double_is_still_caught() {
        let survivor = merged(examples::candidate(), examples::double()).survivor.state;
        assert_eq!(doubles::keys(&survivor).mails, ["rose.dupont@exemple.fr", "rose.perso@exemple.fr"]);
    }

    #[test]
    fn c08_a_registration_that_left_can_be_merged_into_the_one_that_came_back() {
        let left = Candidate { state: State::Left, ..examples::double() };
        assert_eq!(merged(examples::candidate(), left).duplicate.state.state, State::Merged);
    }

    #[test]
    fn c08_a_merged_registration_is_not_merged_again_and_says_where_it_went() {
        let merged = merged(examples::candidate(), examples::double());
        let (ended, ties) = (merged.duplicate.state, Ties::default());
        let error = merge((merged.survivor.state, ties.clone()), (ended, ties), examples::moment()).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("WRONG_STATE", Some(Rule("C08"))));
        assert!(error.metadata().contains(&("merged_into", id("candidate").name())));
    }

    #[test]
    fn c08_a_registration_is_not_merged_into_itself() {
        let one = (examples::candidate(), Ties::default());
        assert_eq!(merge(one.clone(), one, examples::moment()).unwrap_err().reason(), "SAME_REGISTRATION");
    }

    #[test]
    fn c06_two_registrations_with_an_employer_each_are_not_merged() {
        let chosen = (examples::candidate(), tied(&[selected("mairie")]));
        let employed = (examples::double(), tied(&[signed("maison", "2021-01-01", None)]));
        let error = merge(chosen, employed.clone(), examples::moment()).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("BOTH_ENGAGED", Some(Rule("C06"))));

        let introduced = (examples::candidate(), tied(&[introduced("mairie")]));
        let ties = merge(introduced, employed, examples::moment()).unwrap().ties;
        assert_eq!((ties.introductions.len(), ties.recruitments.len()), (1, 1));
    }

    #[test]
    fn c08_the_flags_of_others_follow_the_merge() {
        let third = examples::held_by("double");
        let decision = doubles::other_ended(third, id("double"), End::MergedInto(id("survivor"))).unwrap();
        assert_eq!(decision.state.possible_doubles[0].candidate, id("survivor"));
    }

    fn some_pix() -> impl Strategy<Value = Option<Pix>> {
        prop::option::of((0_u16..=1024, 0_i32..60, any::<bool>()).prop_map(|(score, day, consent)| Pix {
            score,
            passed_on: conum_kernel::dates::add_days(examples::date("2020-10-01"), day),
            consent,
            consent_changed_at: None,
        }))
    }

    prop_compose! {
        /// A registration of which anything may be said.
        fn any_candidate(key: &'static str)(
            words in ("[A-Z][a-z]{2,8}", "[A-Z][a-z]{2,8}", "[a-z]{3,8}"),
            phone in prop::sample::select(vec!["", "0612345678", "0498765432"]),
            departments in prop::sample::subsequence(vec!["01", "2A", "38", "69", "974"], 0..=5),
            sectors in prop::sample::subsequence(vec![Sector::Public, Sector::Private], 0..=2),
            has in any::<[bool; 3]>(),
            pix in some_pix(),
            hours in prop::array::uniform2(0_i64..10_000),
        ) -> Candidate {
            let mut candidate = Candidate { id: id(key), ..examples::candidate() };
            candidate.registered_at += SignedDuration::from_hours(hours[0]);
            candidate.last_contact_at = candidate.registered_at + SignedDuration::from_hours(hours[1]);
            if let Some(person) = &mut candidate.person {
                (person.given_name, person.family_name) = (words.0, words.1);
                person.email = format!("{}@exemple.fr", words.2);
                person.phone = phone.into();
                let departments = departments.into_iter().map(String::from).collect();
                person.wishes = Wishes { departments, sectors };
                let [experience, qualification, driving_licence] = has;
                person.background = Background { experience, qualification, driving_licence };
                person.pix = pix;
            }
            candidate
        }
    }

    proptest! {
        #[test]
        fn c08_a_merge_loses_nothing_of_either(one in any_candidate("one"), other in any_candidate("other")) {
            let survivor = merged(one.clone(), other.clone()).survivor.state;
            let now = survivor.person().unwrap();
            let was = &survivor.absorbed[0].person;
            let (one_person, other_person) = (one.person().unwrap(), other.person().unwrap());

            // Who they said they were, and how to reach them.
            prop_assert_eq!((&now.given_name, &now.email), (&one_person.given_name, &one_person.email));
            prop_assert_eq!((&was.given_name, &was.family_name), (&other_person.given_name, &other_person.family_name));
            prop_assert_eq!((&was.email, &was.phone), (&other_person.email, &other_person.phone));
            for person in [one_person, other_person] {
                prop_assert!(now.phone == person.phone || was.phone == person.phone || person.phone.is_empty());
                prop_assert!(person.wishes.departments.iter().all(|code| now.wishes.departments.contains(code)));
                prop_assert!(person.wishes.sectors.iter().all(|sector| now.wishes.sectors.contains(sector)));
                prop_assert_eq!(now.background.united(person.background), now.background);
                prop_assert!(person.pix.is_none() || now.pix == person.pix || was.pix == person.pix);
            }
            // The more recent result, as it was recorded and consented to.
            let days = |person: &Person| person.pix.as_ref().map(|pix| pix.passed_on);
            prop_assert_eq!(days(now), days(one_person).max(days(other_person)));
            // When.
            prop_assert_eq!(survivor.registered_at, one.registered_at.min(other.registered_at));
            prop_assert_eq!(survivor.absorbed[0].registered_at, other.registered_at);
            prop_assert_eq!(survivor.last_contact_at, one.last_contact_at.max(other.last_contact_at));
            // By what they are found.
            let keys = doubles::keys(&survivor);
            for before in [doubles::keys(&one), doubles::keys(&other)] {
                prop_assert!(before.mails.iter().all(|key| keys.mails.contains(key)));
                prop_assert!(before.people.iter().all(|key| keys.people.contains(key)));
            }
        }
    }
}
