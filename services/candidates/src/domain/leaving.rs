//! Leaving the programme by choice.
//!
//! What follows is matching's: it closes the introductions, and cancels a selection. Who is under contract cannot
//! leave: ending it early needs a reason and documents (M08).

use conum_kernel::{Error, Moment, Result, Rule};

use super::{
    Decision,
    candidate::{Action, Candidate},
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

#[cfg(test)]
mod tests {
    use super::super::{
        State,
        examples::{self, ended, id, introduced, selected, signed, tied},
    };
    use super::*;

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
}
