//! What a structure has to pay back (F04): claimed, repaid in parts, waived with a reason. Never more than was paid.

use conum_kernel::{Cents, ClaimId, Error, Fact, PostId, RecruitmentId, Result, Rule};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    advance::advance,
    convention::{Breach, Convention, total},
    decision::{Context, Decision, Told, Written as _},
    ledger::{Account, Posting},
    refusals::breaks,
};

const F04: Rule = Rule("F04");

/// Why money is claimed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimReason {
    /// More was paid than earned when the contract ended early.
    EndedEarly,
    /// The post was given back unfilled.
    GivenBack,
    /// The agency's reasoned decision after a breach.
    Breach(Breach),
}

impl ClaimReason {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EndedEarly => "ENDED_EARLY",
            Self::GivenBack => "GIVEN_BACK",
            Self::Breach(breach) => breach.name(),
        }
    }
}

/// Why a claim is waived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WaiverReason {
    ForceMajeure,
    Insolvency,
    CostAboveAmount,
    ClaimedByMistake,
}

impl WaiverReason {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ForceMajeure => "FORCE_MAJEURE",
            Self::Insolvency => "INSOLVENCY",
            Self::CostAboveAmount => "COST_ABOVE_AMOUNT",
            Self::ClaimedByMistake => "CLAIMED_BY_MISTAKE",
        }
    }
}

/// A claim on a post.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    pub id: ClaimId,
    pub post: PostId,
    /// The replacement's recruitment whose money it claims; none for the first contract's.
    pub recruitment: Option<RecruitmentId>,
    pub reason: ClaimReason,
    pub amount: Cents,
    /// Paid back to the State.
    pub repaid: Cents,
    /// Set off against what a replacement was granted.
    pub set_off: Cents,
    pub waived: Cents,
    pub waiver: Option<WaiverReason>,
    /// SHA-256 of the agency's decision.
    pub decision: Option<String>,
    pub raised_on: Date,
}

impl Claim {
    /// What is still to be paid back.
    ///
    /// # Errors
    /// Internal where amounts leave 64 bits.
    pub fn outstanding(&self) -> Result<Cents> {
        self.amount.minus(self.repaid)?.minus(self.set_off)?.minus(self.waived)
    }
}

/// Opens a claim that was checked.
pub(crate) fn open(
    decision: &mut Decision,
    post: PostId,
    recruitment: Option<RecruitmentId>,
    reason: ClaimReason,
    amount: Cents,
    context: &Context<'_>,
) -> ClaimId {
    let id: ClaimId = context.id(&format!("{post}/{}", decision.state.claims.len()));
    decision.state.claims.push(Claim {
        id,
        post,
        recruitment,
        reason,
        amount,
        repaid: Cents::ZERO,
        set_off: Cents::ZERO,
        waived: Cents::ZERO,
        waiver: None,
        decision: None,
        raised_on: context.today(),
    });
    decision.facts.push(Fact {
        action: "CLAIM",
        from: "",
        to: "OUTSTANDING",
        why: format!("{id} {}", reason.name()),
        rule: Some(F04),
    });
    decision.post(Posting::new("CLAIM", F04, post, Account::Outstanding, Account::Claimed, amount));
    decision.tell(Told::Claimed { claim: id, post, cents: amount });
    id
}

/// Claims in part or whole after a breach, by a reasoned decision.
///
/// # Errors
/// Not found; `INVALID_AMOUNT`; `NOT_A_SHA256`; `CLAIM_ABOVE_PAID`, less what was claimed before.
pub fn raise(
    convention: Convention,
    post: PostId,
    breach: Breach,
    (amount, document): (Cents, &str),
    context: &Context<'_>,
) -> Result<Decision> {
    let place = convention.post_index(post)?;
    require_amount("claim.amount_cents", amount)?;
    if !is_sha256(document) {
        let french = "une décision motivée est attendue : son empreinte SHA-256 en hexadécimal";
        let english = "a reasoned decision is expected: its SHA-256 in lower-case hexadecimal";
        return Err(breaks(F04, "claim.decision_sha256", "NOT_A_SHA256", english, french));
    }
    let claimable = convention.paid(post)?.minus(convention.claimed(post)?)?;
    if amount > claimable {
        let french = "le montant réclamé dépasse ce qui a été versé et n'est pas déjà réclamé";
        let english = "the amount exceeds what was paid and is not claimed yet";
        return Err(Error::refused(F04, "CLAIM_ABOVE_PAID", english, french)
            .at("claim.amount_cents")
            .with("claimable_cents", claimable.0));
    }
    let current = convention.posts[place].contracts.iter().skip(1).rev().find(|contract| contract.funding.is_some());
    let tag = current.map(|contract| contract.recruitment);
    let mut decision = Decision::of(convention);
    open(&mut decision, post, tag, ClaimReason::Breach(breach), amount, context);
    if let Some(claim) = decision.state.claims.last_mut() {
        claim.decision = Some(document.to_owned());
    }
    Ok(decision)
}

/// Records what a structure has paid back.
///
/// # Errors
/// Not found; `INVALID_AMOUNT`; `ABOVE_OUTSTANDING`.
pub fn repay(convention: Convention, claim: ClaimId, amount: Cents, context: &Context<'_>) -> Result<Decision> {
    settle(convention, claim, amount, "REPAY", context, |claim| {
        claim.repaid = claim.repaid.plus(amount)?;
        Ok((Account::Repaid, ""))
    })
}

/// Waives a claim in part or whole, for a listed reason.
///
/// # Errors
/// Not found; `INVALID_AMOUNT`; `ABOVE_OUTSTANDING`.
pub fn waive(
    convention: Convention,
    claim: ClaimId,
    amount: Cents,
    reason: WaiverReason,
    context: &Context<'_>,
) -> Result<Decision> {
    settle(convention, claim, amount, "WAIVE", context, |claim| {
        claim.waived = claim.waived.plus(amount)?;
        claim.waiver = Some(reason);
        Ok((Account::Waived, reason.name()))
    })
}

fn settle(
    convention: Convention,
    id: ClaimId,
    amount: Cents,
    action: &'static str,
    context: &Context<'_>,
    change: impl FnOnce(&mut Claim) -> Result<(Account, &'static str)>,
) -> Result<Decision> {
    require_amount("amount_cents", amount)?;
    let mut decision = Decision::of(convention);
    let found = decision.state.claims.iter_mut().find(|claim| claim.id == id);
    let claim = found.ok_or_else(|| Error::not_found(&id.name()))?;
    let outstanding = claim.outstanding()?;
    if amount > outstanding {
        let french = "le montant dépasse ce qui reste à rembourser";
        return Err(Error::refused(F04, "ABOVE_OUTSTANDING", "the amount exceeds what is outstanding", french)
            .at("amount_cents")
            .with("outstanding_cents", outstanding.0));
    }
    let (account, why) = change(claim)?;
    let (post, settled) = (claim.post, claim.outstanding()? == Cents::ZERO);
    let to = if settled { "SETTLED" } else { "OUTSTANDING" };
    decision.facts.push(Fact {
        action,
        from: "OUTSTANDING",
        to,
        why: format!("{id} {why}").trim_end().to_owned(),
        rule: Some(F04),
    });
    decision.post(Posting::new(action, F04, post, account, Account::Outstanding, amount));
    advance(&mut decision, context)?;
    Ok(decision)
}

/// Settles what is outstanding on a claim with what a replacement is granted (F07).
pub(crate) fn set_off(decision: &mut Decision, index: usize, amount: Cents) -> Result<()> {
    let claim = &mut decision.state.claims[index];
    claim.set_off = claim.set_off.plus(amount)?;
    let (id, post) = (claim.id, claim.post);
    decision.facts.push(Fact {
        action: "SET_OFF",
        from: "OUTSTANDING",
        to: "SETTLED",
        why: id.to_string(),
        rule: Some(Rule("F07")),
    });
    decision.post(Posting::new("SET_OFF", Rule("F07"), post, Account::Repaid, Account::Outstanding, amount));
    Ok(())
}

/// What is outstanding in all.
///
/// # Errors
/// Internal where amounts leave 64 bits.
pub fn outstanding(claims: &[Claim]) -> Result<Cents> {
    let amounts: Result<Vec<Cents>> = claims.iter().map(Claim::outstanding).collect();
    total(amounts?)
}

/// Refuses an amount that is not at least a cent.
pub(crate) fn require_amount(field: &str, amount: Cents) -> Result<()> {
    if amount > Cents::ZERO {
        return Ok(());
    }
    let french = "un montant d'au moins un centime est attendu";
    Err(breaks(F04, field, "INVALID_AMOUNT", "an amount of at least a cent is expected", french))
}

/// Whether a text is a SHA-256 in lower-case hexadecimal.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
