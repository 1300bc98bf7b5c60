//! Erasing a person (C07): everything personal goes, what others hold is told to go, and the id and its states stay.
//!
//! It is allowed in post too: what accounting law requires of a contract is kept by the services that own it, without
//! identity. Dropping the ties, the keys and the mails is done outside, in the same transaction; so is erasing the registrations that had ended in this one ([`Candidate::absorbed_ids`]), and telling
//! those that are flagged with it ([`super::doubles::other_ended`]).

use conum_kernel::Result;

use super::{
    Decision,
    candidate::{Action, Candidate, State},
    events::Event,
};

/// What brings an erasure about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The person, or the agency for it.
    Asked,
    /// The registration that this one ended in is erased.
    Survivor,
}

/// Erases a person. What is erased already stays so: an erasure may be replayed after a restore.
///
/// # Errors
/// `WRONG_STATE` where it was merged and the person asks: the registration that goes on, named by `merged_into`, is to
/// be erased.
pub fn erase(candidate: Candidate, cause: Cause) -> Result<Decision> {
    match cause {
        Cause::Asked => emptied(candidate, Action::Erase, "asked"),
        Cause::Survivor => emptied(candidate, Action::EraseWithSurvivor, "survivor erased"),
    }
}

/// Empties a registration of everything personal.
pub(super) fn emptied(candidate: Candidate, action: Action, why: &str) -> Result<Decision> {
    if candidate.state == State::Erased {
        return Ok(Decision::of(candidate));
    }
    let (state, fact) = candidate.step(action, why)?;
    // Written out, so that a new field is thought of here.
    let Candidate {
        id,
        state: _,
        registered_at,
        person: _,
        possible_doubles: _,
        distinct_from: _,
        merged_into,
        absorbed: _,
        last_contact_at,
        noticed_at: _,
    } = candidate;
    let erased = Candidate {
        id,
        state,
        registered_at,
        person: None,
        possible_doubles: Vec::new(),
        distinct_from: Vec::new(),
        merged_into,
        absorbed: Vec::new(),
        last_contact_at,
        noticed_at: None,
    };
    Ok(Decision::of(erased).fact(fact).event(Event::Erased { candidate: id }))
}

#[cfg(test)]
mod tests {
    use super::super::{
        doubles,
        examples::{self, id},
        merge,
        ties::Ties,
    };
    use super::*;

    #[test]
    fn c07_nothing_personal_is_left_and_the_others_are_told() {
        let decision = erase(examples::candidate_with_pix(), Cause::Asked).unwrap();

        assert_eq!(decision.state.state, State::Erased);
        assert_eq!(decision.events, [Event::Erased { candidate: id("candidate") }]);
        assert_eq!(decision.mails, []);
        assert_eq!(doubles::keys(&decision.state), doubles::Keys::default());
        assert_eq!(decision.state.facts(), None);
        let document = serde_json::to_string(&decision.state).unwrap();
        for personal in ["Rose", "Dupont", "exemple.fr", "1990", "06 12", "69123", "640"] {
            assert!(!document.contains(personal), "{personal} in {document}");
        }
    }

    #[test]
    fn c07_what_was_absorbed_from_a_double_goes_too() {
        let merged = merge::merge(
            (examples::candidate(), Ties::default()),
            (examples::double(), Ties::default()),
            examples::moment(),
        )
        .unwrap();
        let survivor = merged.survivor.state;
        assert_eq!(survivor.absorbed_ids().collect::<Vec<_>>(), [id("double")]);

        let erased = erase(survivor, Cause::Asked).unwrap().state;
        assert_eq!((erased.absorbed, erased.person), (vec![], None));

        let double = erase(merged.duplicate.state, Cause::Survivor).unwrap();
        assert_eq!(double.state.state, State::Erased);
        assert_eq!(double.events, [Event::Erased { candidate: id("double") }]);
    }

    #[test]
    fn c07_a_merged_registration_is_erased_with_the_one_it_ended_in() {
        let merged =
            Candidate { state: State::Merged, person: None, merged_into: Some(id("candidate")), ..examples::double() };
        let error = erase(merged, Cause::Asked).unwrap_err();
        assert_eq!(error.reason(), "WRONG_STATE");
        assert!(error.metadata().contains(&("merged_into", id("candidate").name())));
    }

    #[test]
    fn c07_an_erasure_may_be_replayed() {
        let erased = erase(examples::candidate(), Cause::Asked).unwrap().state;
        assert_eq!(erase(erased.clone(), Cause::Asked), Ok(Decision::of(erased)));
    }

    #[test]
    fn c07_who_left_can_be_erased() {
        let left = Candidate { state: State::Left, ..examples::candidate() };
        assert!(erase(left, Cause::Asked).is_ok());
    }
}
