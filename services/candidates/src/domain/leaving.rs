//! Leaving the programme by choice.
//!
//! What follows is matching's: it closes the introductions, and cancels a selection. Who is under contract cannot
//! leave: ending it early needs a reason and documents (M08). Where matching knows of a signature that this service had
//! not heard of, it refuses, and the person has not left.

use conum_kernel::{Error, Fact, Machine as _, Moment, RecruitmentId, Result, Rule};

use super::{
    Decision,
    candidate::{Action, Candidate},
    doubles::{self, Found},
    events::Event,
    mails::Mail,
    ties::{Stage, Ties},
};

/// Leaves the programme. Others that are flagged with this registration are to be told it
/// ([`super::doubles::other_ended`]).
///
/// # Errors
/// `WRONG_STATE`; `UNDER_CONTRACT` where a contract is signed and has not ended (M08).
pub fn leave(mut candidate: Candidate, ties: &Ties, at: Moment) -> Result<Decision> {
    let (state, fact) = candidate.step(Action::Leave, "")?;
    let contract = ties.contract(at.today).filter(|known| matches!(known.stage, Stage::Signed { .. }));
    if let Some(contract) = contract {
        return Err(Error::refused(
            Rule("M08"),
            "UNDER_CONTRACT",
            "a contract is signed: it is ended first, with a reason and its documents",
            "un contrat est signé : il faut d'abord y mettre fin, avec un motif et ses justificatifs",
        )
        .with("recruitment", contract.recruitment.name()));
    }
    candidate.state = state;
    candidate.last_contact_at = at.now;
    let id = candidate.id;
    Ok(Decision::of(candidate).fact(fact).event(Event::Left { candidate: id }).mail(Mail::Left { candidate: id }))
}

/// Takes back a leave that matching refused for a signed contract. Others that are flagged with this registration are to
/// be told it ([`doubles::other_came_back`]). Who is not away any more, by erasure or merge, stays so.
///
/// Who has registered anew meanwhile, under the same mail address, is registered once already: the refusal is noted, and
/// the two, which are flagged as doubles, are the agency's to merge (C08).
#[must_use]
pub fn reinstate(mut candidate: Candidate, found: &Found, recruitment: RecruitmentId) -> Decision {
    let Ok((state, fact)) = candidate.step(Action::Reinstate, recruitment.to_string()) else {
        return Decision::of(candidate);
    };
    let Ok(flagged) = doubles::flag_returned(&mut candidate, found) else {
        let fact = Fact::noted("LEAVE_REFUSED", candidate.state.name(), recruitment.to_string()).under(Rule("M08"));
        return Decision::of(candidate).fact(fact);
    };
    candidate.state = state;
    let (id, facts) = (candidate.id, candidate.facts());
    let mut decision = Decision::of(candidate).fact(fact);
    decision.facts.extend(flagged);
    // Corrections of who has left were told to nobody.
    decision.events.extend(facts.map(|facts| Event::Changed { candidate: id, facts }));
    decision.mail(Mail::LeaveRefused { candidate: id })
}

#[cfg(test)]
mod tests {
    use conum_kernel::{Ids, RecruitmentId};

    use super::super::{
        State,
        doubles::{Alike, PossibleDouble},
        examples::{self, ended, id, introduced, selected, signed, tied},
    };
    use super::*;

    fn contract() -> RecruitmentId {
        Ids::seeded(1).mint(examples::moment().now, "contract")
    }

    fn left() -> Candidate {
        leave(examples::candidate(), &Ties::default(), examples::moment()).unwrap().state
    }

    #[test]
    fn c07_a_candidate_leaves_while_introduced_or_selected_and_matching_is_told() {
        let ties = tied(&[introduced("mairie"), selected("mairie")]);
        let decision = leave(examples::candidate(), &ties, examples::moment()).unwrap();

        assert_eq!(decision.state.state, State::Left);
        assert!(!decision.state.eligible());
        assert_eq!(decision.events, [Event::Left { candidate: id("candidate") }]);
        assert_eq!((decision.facts[0].from, decision.facts[0].to), ("REGISTERED", "LEFT"));
        assert_eq!(decision.mails, [Mail::Left { candidate: id("candidate") }]);
    }

    #[test]
    fn m08_who_is_under_contract_cannot_leave_before_it_is_ended() {
        let contract = [selected("mairie"), signed("mairie", "2020-12-15", None)];
        let error = leave(examples::candidate(), &tied(&contract), examples::moment()).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("UNDER_CONTRACT", Some(Rule("M08"))));

        let over = [&contract[..], &[ended("mairie", "2020-12-31")]].concat();
        assert!(leave(examples::candidate(), &tied(&over), examples::moment()).is_ok());
    }

    #[test]
    fn nobody_leaves_twice() {
        let left = leave(examples::candidate(), &Ties::default(), examples::moment()).unwrap().state;
        assert_eq!(leave(left, &Ties::default(), examples::moment()).unwrap_err().reason(), "WRONG_STATE");
    }
    #[test]
    fn m08_a_leave_that_matching_refuses_is_taken_back_and_the_person_is_told() {
        let decision = reinstate(left(), &Found::default(), contract());

        assert_eq!(decision.state.state, State::Registered);
        assert!(matches!(decision.events.as_slice(), [Event::Changed { facts, .. }] if facts.eligible));
        assert_eq!(decision.mails, [Mail::LeaveRefused { candidate: id("candidate") }]);
        let fact = &decision.facts[0];
        assert_eq!((fact.action, fact.from, fact.to), ("REINSTATE", "LEFT", "REGISTERED"));
        assert_eq!(fact.why, contract().to_string());
        assert_eq!(reinstate(decision.state, &Found::default(), contract()).facts, [], "once");
    }

    #[test]
    fn c08_who_came_back_is_flagged_with_who_came_meanwhile() {
        let namesake = Alike { candidate: id("namesake"), state: State::Registered };
        let found = Found { same_person: vec![namesake], ..Found::default() };
        let back = reinstate(left(), &found, contract()).state;
        let holds = id("namesake") < id("candidate");
        assert_eq!(back.possible_doubles, [PossibleDouble { candidate: id("namesake"), holds }]);
    }

    #[test]
    fn c08_who_registered_anew_meanwhile_is_not_registered_twice() {
        let anew = Alike { candidate: id("anew"), state: State::Registered };
        let decision = reinstate(left(), &Found { same_mail: vec![anew], ..Found::default() }, contract());
        assert_eq!((decision.state.state, decision.facts[0].action), (State::Left, "LEAVE_REFUSED"));
        assert_eq!((decision.events, decision.mails), (vec![], vec![]));
    }
}
