//! What is recorded beside the grant and changes nothing of it: follow-ups (F09), co-funding (F06), other aids (F05),
//! Pass numérique vouchers (F08).

use conum_kernel::{Cents, Error, Fact, FollowUpId, PostId, RecruitmentId, Result, Rule, Violations};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    advance::advance,
    amounts::{Kind, MOST},
    claims::is_sha256,
    convention::{Breach, Convention},
    decision::{Context, Decision, Told, Written as _},
    holds::{AgencyHold, AgencyReason},
    refusals::breaks,
};

/// How many of a kind one convention may record.
const MANY: usize = 500;

/// A request for follow-up figures, a report or expense records, with a date (F09, F04).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    pub id: FollowUpId,
    pub kind: FollowUpKind,
    pub asked_on: Date,
    pub due_on: Date,
    /// Whether a late one holds instalments.
    pub holds: bool,
    pub submitted: Option<Submitted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FollowUpKind {
    Figures,
    Report,
    ExpenseRecords,
}

/// What a structure has handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    pub on: Date,
    /// People helped, and activities held.
    pub people: i64,
    pub activities: i64,
    /// SHA-256 of the report or the records.
    pub sha256: String,
}

impl FollowUp {
    /// Its day has ended, and nothing was handed in.
    #[must_use]
    pub fn is_late(&self, today: Date) -> bool {
        self.submitted.is_none() && today > self.due_on
    }
}

/// Money from elsewhere for the same posts (F06).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cofunding {
    /// UPPER_SNAKE_CASE, from the contract's list.
    pub source: String,
    pub amount: Cents,
    pub recorded_on: Date,
}

/// Another aid for the person on a post (F05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aid {
    pub post: PostId,
    pub recruitment: RecruitmentId,
    /// Lower case, from the contract's list.
    pub kind: String,
    pub declared_on: Date,
}

/// Pass numérique vouchers that were cashed for the structure: its money, not the grant's (F08).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouchers {
    pub amount: Cents,
    pub cashed_on: Date,
}

fn noted(convention: Convention, rule: Rule, action: &'static str, why: String) -> Decision {
    let state = convention.state_name();
    Decision::of(convention).fact(Fact::noted(action, state, why).under(rule))
}

fn room(rule: Rule, count: usize) -> Result<()> {
    if count < MANY {
        return Ok(());
    }
    Err(Error::exhausted("TOO_MANY", "at most 500 are recorded", "au plus 500 sont enregistrés").with_rule(rule))
}

fn amount_fits(rule: Rule, field: &str, amount: Cents) -> Result<()> {
    if amount > Cents::ZERO && amount <= MOST {
        return Ok(());
    }
    let french = "un montant de 1 centime à 1 000 000 euros est attendu";
    let english = "an amount of 1 cent to 1,000,000 euros is expected";
    Err(breaks(rule, field, "INVALID_AMOUNT", english, french))
}

/// Asks a structure for a follow-up by a day.
///
/// # Errors
/// `NOT_IN_FORCE`, `DATE_IN_THE_PAST`, `TOO_MANY`.
pub fn request(
    convention: Convention,
    kind: FollowUpKind,
    due_on: Date,
    holds: bool,
    context: &Context<'_>,
) -> Result<Decision> {
    const F09: Rule = Rule("F09");
    convention.require_in_force(F09)?;
    room(F09, convention.follow_ups.len())?;
    if due_on < context.today() {
        let french = "la date demandée est passée";
        return Err(breaks(F09, "due_on", "DATE_IN_THE_PAST", "the day is past", french));
    }
    let id: FollowUpId = context.id("follow-up");
    let mut decision = noted(convention, F09, "REQUEST_FOLLOW_UP", id.to_string());
    let asked_on = context.today();
    decision.state.follow_ups.push(FollowUp { id, kind, asked_on, due_on, holds, submitted: None });
    decision.tell(Told::FollowUp { follow_up: id, due_on });
    advance(&mut decision, context)?;
    Ok(decision)
}

/// Hands in a follow-up. What it held is released.
///
/// # Errors
/// Not found; `ALREADY_SUBMITTED`; `NEGATIVE_FIGURE`; `NOT_A_SHA256`.
pub fn submit(convention: Convention, id: FollowUpId, submitted: Submitted, context: &Context<'_>) -> Result<Decision> {
    const F09: Rule = Rule("F09");
    let index = convention.follow_ups.iter().position(|asked| asked.id == id);
    let index = index.ok_or_else(|| Error::not_found(&id.name()))?;
    let asked = &convention.follow_ups[index];
    if asked.submitted.is_some() {
        return Err(Error::refused(F09, "ALREADY_SUBMITTED", "it was handed in", "ce suivi est déjà remis"));
    }
    let mut wrong = Violations::default();
    for (field, figure) in [("people", submitted.people), ("activities", submitted.activities)] {
        if figure < 0 {
            wrong.breaks(F09, field, "NEGATIVE_FIGURE", "a figure is not negative", "un chiffre n'est pas négatif");
        }
    }
    let needed = asked.kind != FollowUpKind::Figures || !submitted.sha256.is_empty();
    if needed && !is_sha256(&submitted.sha256) {
        let french = "une empreinte SHA-256 en hexadécimal est attendue";
        wrong.breaks(F09, "report_sha256", "NOT_A_SHA256", "a SHA-256 in lower-case hexadecimal is expected", french);
    }
    wrong.check()?;
    let mut decision = noted(convention, F09, "SUBMIT_FOLLOW_UP", id.to_string());
    decision.state.follow_ups[index].submitted = Some(submitted);
    advance(&mut decision, context)?;
    Ok(decision)
}

/// Records other money for the posts (F06): the grant stays what it is.
///
/// # Errors
/// `INVALID_AMOUNT`, `TOO_MANY`.
pub fn cofund(convention: Convention, source: &str, amount: Cents, context: &Context<'_>) -> Result<Decision> {
    const F06: Rule = Rule("F06");
    amount_fits(F06, "cofunding.amount_cents", amount)?;
    room(F06, convention.cofunding.len())?;
    let mut decision = noted(convention, F06, "RECORD_COFUNDING", source.to_owned());
    decision.state.cofunding.push(Cofunding { source: source.to_owned(), amount, recorded_on: context.today() });
    Ok(decision)
}

/// Records vouchers that were cashed for the structure, apart from the grant (F08).
///
/// # Errors
/// `INVALID_AMOUNT`, `CASHED_IN_THE_FUTURE`, `TOO_MANY`.
pub fn vouchers(convention: Convention, amount: Cents, cashed_on: Date, context: &Context<'_>) -> Result<Decision> {
    const F08: Rule = Rule("F08");
    amount_fits(F08, "vouchers.amount_cents", amount)?;
    room(F08, convention.vouchers.len())?;
    if cashed_on > context.today() {
        let french = "la date d'encaissement est dans le futur";
        let field = "vouchers.cashed_on";
        return Err(breaks(F08, field, "CASHED_IN_THE_FUTURE", "the day lies in the future", french));
    }
    let mut decision = noted(convention, F08, "RECORD_VOUCHERS", String::new());
    decision.state.vouchers.push(Vouchers { amount, cashed_on });
    Ok(decision)
}

/// Declares another aid for the person in post (F05). What is recorded can be added to the grant.
///
/// # Errors
/// Not found; `NOBODY_IN_POST`; `AID_CANNOT_BE_ADDED`; `TOO_MANY`.
pub fn declare_aid(convention: Convention, post: PostId, kind: &str, context: &Context<'_>) -> Result<Decision> {
    const F05: Rule = Rule("F05");
    let place = convention.post_index(post)?;
    room(F05, convention.aids.len())?;
    let current = convention.posts[place].contracts.iter().rev().find(|contract| contract.ended.is_none());
    let Some(recruitment) = current.map(|contract| contract.recruitment) else {
        let french = "personne n'est recruté sur ce poste";
        return Err(Error::refused(F05, "NOBODY_IN_POST", "nobody is recruited on this post", french).at("aid.post"));
    };
    let refused = context.settings.aids_refused_to_private.iter().any(|aid| aid == kind);
    if refused && convention.kind == Some(Kind::Private) {
        let french = "un employeur privé ne cumule pas cette aide avec la subvention pour la même personne";
        let english = "a private employer cannot get this aid beside the grant for the same person";
        return Err(Error::refused(F05, "AID_CANNOT_BE_ADDED", english, french).at("aid.kind"));
    }
    let mut decision = noted(convention, F05, "DECLARE_AID", format!("{post} {kind}"));
    let aid = Aid { post, recruitment, kind: kind.to_owned(), declared_on: context.today() };
    decision.state.aids.push(aid);
    Ok(decision)
}

/// Suspends the payments for a listed breach (F04).
///
/// # Errors
/// `NOT_IN_FORCE`, `ALREADY_SUSPENDED`.
pub fn suspend(convention: Convention, breach: Breach, context: &Context<'_>) -> Result<Decision> {
    const F04: Rule = Rule("F04");
    convention.require_in_force(F04)?;
    if convention.suspended.is_some() {
        let french = "les versements sont déjà suspendus";
        return Err(Error::refused(F04, "ALREADY_SUSPENDED", "the payments are suspended", french));
    }
    let mut decision = Decision::of(convention);
    decision.state.suspended = Some(breach);
    let fact =
        Fact { action: "SUSPEND", from: "IN_FORCE", to: "SUSPENDED", why: breach.name().into(), rule: Some(F04) };
    decision.facts.push(fact);
    decision.tell(Told::Suspended { reason: breach.name() });
    advance(&mut decision, context)?;
    Ok(decision)
}

/// Lifts a suspension.
///
/// # Errors
/// `NOT_SUSPENDED`.
pub fn resume(convention: Convention, context: &Context<'_>) -> Result<Decision> {
    if convention.suspended.is_none() {
        let french = "les versements ne sont pas suspendus";
        return Err(Error::refused(Rule("F04"), "NOT_SUSPENDED", "the payments are not suspended", french));
    }
    let mut decision = Decision::of(convention);
    decision.state.suspended = None;
    decision.facts.push(Fact {
        action: "LIFT_SUSPENSION",
        from: "SUSPENDED",
        to: "IN_FORCE",
        why: String::new(),
        rule: Some(Rule("F04")),
    });
    advance(&mut decision, context)?;
    Ok(decision)
}

/// Holds the instalments of a post, or of all, for a reason of the agency's own (F03).
///
/// # Errors
/// Not found; `TOO_MANY`.
pub fn hold(
    convention: Convention,
    post: Option<PostId>,
    reason: AgencyReason,
    context: &Context<'_>,
) -> Result<Decision> {
    room(Rule("F03"), convention.holds.len())?;
    if let Some(post) = post {
        convention.post_index(post)?;
    }
    let number = u32::try_from(convention.holds.len() + 1).unwrap_or(u32::MAX);
    let mut decision = noted(convention, Rule("F03"), "ADD_HOLD", format!("{number} {}", reason.name()));
    decision.state.holds.push(AgencyHold { number, post, reason, set_on: context.today(), lifted_on: None });
    advance(&mut decision, context)?;
    Ok(decision)
}

/// Lifts a hold of the agency's own.
///
/// # Errors
/// `NO_SUCH_HOLD`.
pub fn lift(convention: Convention, number: u32, context: &Context<'_>) -> Result<Decision> {
    let mut decision = noted(convention, Rule("F03"), "LIFT_HOLD", number.to_string());
    let found = decision.state.holds.iter_mut().find(|hold| hold.number == number && hold.lifted_on.is_none());
    let Some(hold) = found else {
        let french = "cette retenue n'existe pas ou est déjà levée";
        return Err(
            Error::refused(Rule("F03"), "NO_SUCH_HOLD", "there is no such hold, or it is lifted", french).at("hold")
        );
    };
    hold.lifted_on = Some(context.today());
    advance(&mut decision, context)?;
    Ok(decision)
}
