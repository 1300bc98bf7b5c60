//! Early ends, posts given back, and replacements (F04, F07).
//!
//! A replacement gets what its predecessor did not keep: what the settling cancelled is granted again out of the cancelled
//! money; what it claimed and the structure has paid back is granted anew; what the structure still owes is granted anew
//! and set off against the claim at once, so that no money moves. On every post, granted - repaid never exceeds the
//! ceiling of F01, and no cent is claimed twice.

use conum_kernel::{Cents, ClaimId, Error, Fact, PostId, RecruitmentId, Result, Rule, dates::days_between};

use super::{
    advance::{advance, covered_until, inconsistent},
    claims::{self, ClaimReason},
    convention::{Contract, Convention, Funding, Settled, total},
    decision::{Context, Decision, Written as _},
    earning,
    instalment::{self, Action, Instalment, State},
    ledger::{Account, Posting},
    schedule::{self, Share},
    signing,
};

const F04: Rule = Rule("F04");
const F07: Rule = Rule("F07");

/// Settles the early end of a post's contract, its reason and documents being accepted: what was not earned is cancelled
/// or claimed; what was earned and is unpaid stays payable by its calendar.
///
/// # Errors
/// Not found; `NO_ENDING`; `NOT_IN_FORCE`; `PAYMENT_UNDER_WAY` while the bank has not answered.
pub fn settle(convention: Convention, post: PostId, context: &Context<'_>) -> Result<Decision> {
    let place = convention.post_index(post)?;
    let waiting = |contract: &Contract| contract.ended.as_ref().is_some_and(|ended| ended.settled.is_none());
    let Some(at) = convention.posts[place].contracts.iter().position(waiting) else {
        let french = "aucune rupture de contrat n'attend sur ce poste";
        return Err(Error::refused(F04, "NO_ENDING", "no early end waits on this post", french).at("post"));
    };
    if convention.posts[place].grant == Cents::ZERO {
        let french = "la convention ou l'avenant de ce poste n'est pas signé";
        return Err(Error::refused(F04, "NOT_IN_FORCE", "the post's convention is not signed yet", french));
    }
    let contract = convention.posts[place].contracts[at].clone();
    let tag = (at > 0).then_some(contract.recruitment);
    let own = |i: &Instalment| i.post == post && i.recruitment == tag;
    if convention.instalments.iter().any(|i| own(i) && i.state == State::Sent) {
        let french = "un versement est en cours à la banque : la rupture se règle après sa réponse";
        return Err(
            Error::refused(F04, "PAYMENT_UNDER_WAY", "a payment waits for the bank's answer", french).at("post")
        );
    }
    let earned = earned_by(&convention, place, at, context)?;
    let of = |wanted: fn(State) -> bool| {
        total(convention.instalments.iter().filter(|i| own(i) && wanted(i.state)).map(|i| i.amount))
    };
    let (paid, unpaid) = (of(|state| state == State::Paid)?, of(State::is_unpaid)?);
    let before = total(convention.claims.iter().filter(|c| c.post == post && c.recruitment == tag).map(|c| c.amount))?;
    let kept = positive(earned.minus(paid)?);
    let freed = positive(unpaid.minus(kept)?);
    let claimable = convention.paid(post)?.minus(convention.claimed(post)?)?;
    let claimed = positive(paid.minus(before)?.minus(earned)?).min(positive(claimable));

    let mut decision = Decision::of(convention);
    cancel_last(&mut decision, post, tag, freed, "not_earned")?;
    let claim = raise(&mut decision, post, tag, ClaimReason::EndedEarly, claimed, context);
    if let Some(ended) = &mut decision.state.posts[place].contracts[at].ended {
        ended.settled = Some(Settled { earned, freed, claim, claimed });
    }
    let fact = Fact::noted("SETTLE_ENDING", decision.state.posts[place].state_name(), contract.recruitment.to_string())
        .under(F04);
    decision.facts.push(fact);
    advance(&mut decision, context)?;
    Ok(decision)
}

/// What a contract has earned of what it was granted.
fn earned_by(convention: &Convention, place: usize, at: usize, context: &Context<'_>) -> Result<Cents> {
    let post = &convention.posts[place];
    let contract = &post.contracts[at];
    let available = match (at, contract.funding) {
        (0, _) => post.grant,
        (_, Some(Funding::Of(cents))) => cents,
        _ => Cents::ZERO,
    };
    let ended = contract.ended.as_ref().ok_or_else(|| inconsistent("settled without an end"))?;
    if covered_until(post, context.settings).is_some_and(|covered| ended.last_day >= covered) {
        return Ok(available);
    }
    let earned = earning::earned(post.grant, contract.start, ended.last_day, context.settings.grant_months)?;
    Ok(earned.min(available))
}

fn positive(cents: Cents) -> Cents {
    cents.max(Cents::ZERO)
}

/// Cancels an amount of what is unpaid for a contract, from the last instalment on.
fn cancel_last(
    decision: &mut Decision,
    post: PostId,
    tag: Option<RecruitmentId>,
    cents: Cents,
    why: &str,
) -> Result<()> {
    let mut left = cents;
    for index in (0..decision.state.instalments.len()).rev() {
        let found = &decision.state.instalments[index];
        if found.post == post && found.recruitment == tag && found.state.is_unpaid() && left > Cents::ZERO {
            let cut = left.min(found.amount);
            instalment::cut(decision, index, cut, why)?;
            left = left.minus(cut)?;
        }
    }
    Ok(())
}

fn raise(
    decision: &mut Decision,
    post: PostId,
    tag: Option<RecruitmentId>,
    reason: ClaimReason,
    cents: Cents,
    context: &Context<'_>,
) -> Option<ClaimId> {
    (cents > Cents::ZERO).then(|| claims::open(decision, post, tag, reason, cents, context))
}

/// A post that was given back (A19): matching releases none while a contract is signed on it.
///
/// # Errors
/// Not found where the post is none of the convention's.
pub fn give_back(convention: Convention, post: PostId, context: &Context<'_>) -> Result<Decision> {
    let place = convention.post_index(post)?;
    let mut decision = Decision::of(convention);
    let given = &mut decision.state.posts[place];
    if given.given_back {
        return Ok(decision);
    }
    let (from, number) = (given.state_name(), usize::try_from(given.part).unwrap_or(usize::MAX));
    given.given_back = true;
    let fact = Fact { action: "GIVE_BACK", from, to: given.state_name(), why: post.to_string(), rule: Some(F04) };
    decision.facts.push(fact);
    if let Some(part) = decision.state.parts.get_mut(number).filter(|part| part.signed_on.is_none()) {
        // What was half signed is signed again without it.
        part.posts.retain(|id| *id != post);
        (part.by_structure, part.by_agency) = (None, None);
    }
    advance(&mut decision, context)?;
    Ok(decision)
}

/// A post given back unfilled: what is unpaid is cancelled, and all that was paid on it is claimed (F04). What the bank
/// has not answered for yet is claimed once it is paid.
pub(crate) fn clear_given_back(decision: &mut Decision, context: &Context<'_>) -> Result<()> {
    for place in 0..decision.state.posts.len() {
        let post = &decision.state.posts[place];
        if !post.given_back || !post.contracts.is_empty() {
            continue;
        }
        let id = post.id;
        let unpaid = |i: &Instalment| i.post == id && i.state.is_unpaid();
        for index in (0..decision.state.instalments.len()).rev() {
            if unpaid(&decision.state.instalments[index]) {
                instalment::step(decision, index, Action::Cancel, "given_back")?;
            }
        }
        let owed = decision.state.paid(id)?.minus(decision.state.claimed(id)?)?;
        raise(decision, id, None, ClaimReason::GivenBack, owed, context);
    }
    Ok(())
}

/// Funds the replacements whose predecessor's end is settled (F07).
pub(crate) fn fund_replacements(decision: &mut Decision, context: &Context<'_>) -> Result<()> {
    for place in 0..decision.state.posts.len() {
        for at in 1..decision.state.posts[place].contracts.len() {
            let post = &decision.state.posts[place];
            if post.given_back || post.grant == Cents::ZERO || post.contracts[at].funding.is_some() {
                continue;
            }
            let Some(settled) = post.contracts[at - 1].ended.as_ref().and_then(|ended| ended.settled.clone()) else {
                break;
            };
            let covered = covered_until(post, context.settings).ok_or_else(|| inconsistent("no contract"))?;
            let (id, recruitment) = (post.id, post.contracts[at].recruitment);
            let funding = if days_between(covered, post.contracts[at].start) > 0 {
                Funding::None
            } else {
                Funding::Of(fund(decision, place, at, &settled, context)?)
            };
            decision.state.posts[place].contracts[at].funding = Some(funding);
            let action = if funding == Funding::None { "NOT_FUNDED" } else { "FUND_REPLACEMENT" };
            let state = decision.state.posts[place].state_name();
            decision.facts.push(Fact::noted(action, state, format!("{id} {recruitment}")).under(F07));
        }
    }
    Ok(())
}

/// Grants a replacement what its predecessor did not keep, and answers how much that is.
fn fund(decision: &mut Decision, place: usize, at: usize, settled: &Settled, context: &Context<'_>) -> Result<Cents> {
    let post = &decision.state.posts[place];
    let (id, contract) = (post.id, post.contracts[at].clone());
    let covered = covered_until(post, context.settings).ok_or_else(|| inconsistent("no contract"))?;
    let claim = decision.state.claims.iter().position(|claim| Some(claim.id) == settled.claim);
    let (owed, repaid) = match claim.map(|index| &decision.state.claims[index]) {
        Some(claim) => (claim.outstanding()?, claim.repaid),
        None => (Cents::ZERO, Cents::ZERO),
    };
    if settled.freed > Cents::ZERO {
        let posting = Posting::new("REINSTATE", F07, id, Account::ToCome, Account::Cancelled, settled.freed);
        decision.post(posting);
        let post = &mut decision.state.posts[place];
        post.reinstated = post.reinstated.plus(settled.freed)?;
    }
    let anew = owed.plus(repaid)?;
    if anew > Cents::ZERO {
        decision.post(Posting::new("GRANT_ANEW", F07, id, Account::ToCome, Account::Granted, anew));
    }
    let add = |decision: &mut Decision, instalment: Instalment| {
        let number = signing::next_number(&decision.state, id);
        let recruitment = Some(contract.recruitment);
        let new = context.id(&format!("{id}/{number}"));
        decision.state.instalments.push(Instalment { id: new, number, recruitment, ..instalment });
        decision.state.instalments.len() - 1
    };
    if let Some(claim) = claim.filter(|_| owed > Cents::ZERO) {
        let index = add(decision, signing::instalment(id, &at_once(owed, context)));
        instalment::step(decision, index, Action::SetOff, "")?;
        decision.state.instalments[index].set_off = true;
        decision.state.instalments[index].paid_on = Some(context.today());
        claims::set_off(decision, claim, owed)?;
    }
    for share in schedule::shares(settled.freed.plus(repaid)?, &context.settings.plan, contract.signed_on)? {
        let share = Share { due_on: share.due_on.min(covered), ..share };
        add(decision, signing::instalment(id, &share));
    }
    settled.freed.plus(anew)
}

/// What is set off is due the day it is granted.
fn at_once(cents: Cents, context: &Context<'_>) -> Share {
    Share { rank: 1, cents, due_on: context.today(), late_after: None }
}
