//! Contracts on a post, as matching tells them (M07, M08): they may be told in any order.

use conum_kernel::{CandidateId, Cents, Fact, PostId, RecruitmentId, Result, Rule};
use jiff::civil::Date;

use super::{
    advance::advance,
    convention::{Contract, Convention, Ended, Settled},
    decision::{Context, Decision},
};

/// A contract that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    pub post: PostId,
    pub recruitment: RecruitmentId,
    pub candidate: CandidateId,
    pub signed_on: Date,
    pub start: Date,
}

/// The reason of an end that is none: the fixed term came.
pub const TERM: &str = "term";

/// Records a contract (F03: the second and third instalments wait for it; F07: another one after it is a replacement).
///
/// # Errors
/// Not found where the post is none of the convention's.
pub fn signed(convention: Convention, contract: Signed, context: &Context<'_>) -> Result<Decision> {
    let index = convention.post_index(contract.post)?;
    let mut decision = Decision::of(convention);
    let post = &mut decision.state.posts[index];
    if post.contract(Some(contract.recruitment)).is_none() {
        // Told in any order: before those that start later, never before one that has ended or was funded.
        let later = |known: &Contract| {
            known.ended.is_none()
                && known.funding.is_none()
                && (known.start, known.signed_on) > (contract.start, contract.signed_on)
        };
        let at = post.contracts.iter().position(later).unwrap_or(post.contracts.len());
        let contract = Contract {
            recruitment: contract.recruitment,
            candidate: contract.candidate,
            signed_on: contract.signed_on,
            start: contract.start,
            ended: None,
            funding: None,
        };
        let fact =
            Fact::noted("CONTRACT_SIGNED", post.state_name(), contract.recruitment.to_string()).under(Rule("F07"));
        post.contracts.insert(at, contract);
        decision.facts.push(fact);
    }
    advance(&mut decision, context)?;
    Ok(decision)
}

/// Records the end of a contract. An early one holds what is unpaid until it is settled (F04); where the term came,
/// everything is kept.
///
/// # Errors
/// Not found where the post is none of the convention's.
pub fn ended(
    convention: Convention,
    post: PostId,
    recruitment: RecruitmentId,
    (last_day, reason): (Date, &str),
    context: &Context<'_>,
) -> Result<Decision> {
    let index = convention.post_index(post)?;
    let mut decision = Decision::of(convention);
    let post = &mut decision.state.posts[index];
    let (state, grant) = (post.state_name(), post.grant);
    let open =
        post.contracts.iter_mut().find(|contract| contract.recruitment == recruitment && contract.ended.is_none());
    if let Some(contract) = open {
        let kept = Settled { earned: grant, freed: Cents::ZERO, claim: None, claimed: Cents::ZERO };
        let settled = (reason == TERM).then_some(kept);
        contract.ended = Some(Ended { last_day, reason: reason.to_owned(), settled });
        let rule = Rule(if reason == TERM { "F07" } else { "F04" });
        decision.facts.push(Fact::noted("CONTRACT_ENDED", state, format!("{recruitment} {reason}")).under(rule));
    }
    advance(&mut decision, context)?;
    Ok(decision)
}

#[cfg(test)]
mod tests {
    use crate::domain::{examples::Bench, holds::HoldReason, instalment::State};

    #[test]
    fn f04_an_early_end_holds_what_is_unpaid_until_it_is_settled() {
        let mut bench = Bench::payable(1, "2021-02-01");
        bench.contract(0, "one", "2021-03-01");
        bench.on("2021-09-01");
        bench.advance();
        assert_eq!(bench.state(0, 2), State::Due);
        bench.end(0, "one", "2021-08-31", "resignation");
        assert_eq!(bench.held_for(0, 1), [HoldReason::EndingUnsettled]);
        assert_eq!(bench.held_for(0, 2), [HoldReason::EndingUnsettled]);
    }

    #[test]
    fn f04_a_fixed_term_that_came_is_no_early_end() {
        let mut bench = Bench::payable(1, "2021-02-01");
        bench.contract(0, "one", "2021-03-01");
        bench.on("2023-03-01");
        bench.end(0, "one", "2023-02-28", "term");
        assert_eq!(bench.state(0, 3), State::Due);
    }
}
