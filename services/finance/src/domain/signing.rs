//! From granted posts to a convention in force (F02): a draft, the signatures of both sides, amendments for posts that
//! are granted later.

use conum_kernel::{ApplicationId, Cents, ConventionId, Error, Fact, PostId, Result, Rule, StructureId, WaveId};
use jiff::civil::Date;

use super::{
    advance::advance,
    amounts::{self, Kind},
    convention::{Convention, Part, Post},
    decision::{Context, Decision, Told, Written as _},
    instalment::{Instalment, State},
    ledger::{Account, Posting},
    refusals::breaks,
    schedule::{self, Share},
};

const F02: Rule = Rule("F02");

/// Posts that were granted, as applications tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    pub structure: StructureId,
    pub application: ApplicationId,
    pub department: String,
    pub kind: Option<Kind>,
    pub ready: bool,
    pub wave: WaveId,
    pub posts: Vec<PostId>,
    pub coordinators: Vec<PostId>,
    pub granted_on: Date,
}

/// Which side signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Structure,
    Agency,
}

impl Side {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Structure => "STRUCTURE",
            Self::Agency => "AGENCY",
        }
    }
}

/// Takes granted posts into the draft: a new convention, or an amendment of one that somebody has signed. The same grant
/// again brings its facts up to date.
///
/// # Errors
/// Internal where the ledger refuses.
pub fn grant(known: Option<Convention>, id: ConventionId, grant: &Grant, context: &Context<'_>) -> Result<Decision> {
    let created = known.is_none();
    let convention = known.unwrap_or_else(|| empty(id, grant));
    let mut decision = Decision::of(convention);
    if created {
        decision.facts.push(Fact {
            action: "DRAFT",
            from: "",
            to: "DRAFT",
            why: grant.application.to_string(),
            rule: Some(F02),
        });
    }
    let convention = &mut decision.state;
    convention.ready = grant.ready;
    convention.department.clone_from(&grant.department);
    convention.kind = grant.kind.or(convention.kind);
    for id in &grant.posts {
        match convention.posts.iter().position(|post| post.id == *id) {
            None => {
                let part = draft(convention, *id, grant.granted_on);
                let coordinator = grant.coordinators.contains(id);
                convention.posts.push(blank(*id, grant.wave, part, coordinator));
            }
            // Given back, then granted afresh in another wave.
            Some(index) if convention.posts[index].given_back && convention.posts[index].wave != grant.wave => {
                let part = draft(convention, *id, grant.granted_on);
                let post = &mut convention.posts[index];
                *post = Post { reinstated: post.reinstated, ..blank(*id, grant.wave, part, post.coordinator) };
            }
            Some(_) => continue,
        }
        decision.facts.push(Fact { action: "GRANT", from: "", to: "DRAFT", why: id.to_string(), rule: Some(F02) });
    }
    advance(&mut decision, context)?;
    Ok(decision)
}

fn empty(id: ConventionId, grant: &Grant) -> Convention {
    Convention {
        id,
        structure: grant.structure,
        application: grant.application,
        department: String::new(),
        kind: None,
        ready: false,
        documents: false,
        account: false,
        suspended: None,
        parts: vec![],
        posts: vec![],
        holds: vec![],
        follow_ups: vec![],
        cofunding: vec![],
        aids: vec![],
        vouchers: vec![],
        instalments: vec![],
        claims: vec![],
        version: 0,
    }
}

fn blank(id: PostId, wave: WaveId, part: u32, coordinator: bool) -> Post {
    Post {
        id,
        wave,
        coordinator,
        part,
        grant: Cents::ZERO,
        given_back: false,
        reinstated: Cents::ZERO,
        contracts: vec![],
        noticed: vec![],
    }
}

/// Puts a post into the part that nobody has signed yet, and answers its number.
fn draft(convention: &mut Convention, post: PostId, granted_on: Date) -> u32 {
    let open = convention.parts.last_mut().filter(|part| part.by_structure.is_none() && part.by_agency.is_none());
    if let Some(part) = open {
        part.posts.push(post);
        part.granted_on = part.granted_on.max(granted_on);
    } else {
        convention.parts.push(Part {
            posts: vec![post],
            granted_on,
            by_structure: None,
            by_agency: None,
            signed_on: None,
            granted: Cents::ZERO,
        });
    }
    u32::try_from(convention.parts.len() - 1).unwrap_or(u32::MAX)
}

/// Signs the convention, or an amendment, for one side. With the second signature its posts are granted the amounts in
/// force that day, and their instalments count from it.
///
/// # Errors
/// `UNKNOWN_AMENDMENT`, `NOTHING_TO_SIGN`, `PREVIOUS_NOT_SIGNED`, `ALREADY_SIGNED`, `SIGNED_BEFORE_GRANT`,
/// `SIGNED_IN_THE_FUTURE`, `FILE_INCOMPLETE`, `NO_AMOUNT`.
pub fn sign(
    convention: Convention,
    side: Side,
    number: u32,
    signed_on: Date,
    context: &Context<'_>,
) -> Result<Decision> {
    let index = usize::try_from(number).unwrap_or(usize::MAX);
    let Some(part) = convention.parts.get(index) else {
        let french = "cette convention n'a pas cet avenant";
        return Err(breaks(F02, "amendment", "UNKNOWN_AMENDMENT", "there is no such amendment", french));
    };
    check(&convention, index, part, side, signed_on, context.today())?;
    let mut decision = Decision::of(convention);
    let state = decision.state.state_name();
    let fact = Fact::noted("SIGN", state, format!("{} amendment {number} {signed_on}", side.name())).under(F02);
    decision.facts.push(fact);
    let part = &mut decision.state.parts[index];
    match side {
        Side::Structure => part.by_structure = Some(signed_on),
        Side::Agency => part.by_agency = Some(signed_on),
    }
    if let (Some(one), Some(other)) = (part.by_structure, part.by_agency) {
        enter_into_force(&mut decision, index, number, one.max(other), context)?;
    }
    advance(&mut decision, context)?;
    Ok(decision)
}

fn check(convention: &Convention, index: usize, part: &Part, side: Side, signed_on: Date, today: Date) -> Result<()> {
    let refused = |reason, english: &'static str, french: &'static str| Error::refused(F02, reason, english, french);
    if part.posts.is_empty() {
        let french = "tous les postes ont été rendus : il n'y a rien à signer";
        return Err(refused("NOTHING_TO_SIGN", "its posts were given back: nothing is left to sign", french));
    }
    if convention.parts[..index].iter().any(|before| before.signed_on.is_none() && !before.posts.is_empty()) {
        let french = "la convention et les avenants précédents sont signés d'abord";
        return Err(refused("PREVIOUS_NOT_SIGNED", "what comes before it is signed first", french).at("amendment"));
    }
    let signed = match side {
        Side::Structure => part.by_structure,
        Side::Agency => part.by_agency,
    };
    if signed.is_some() {
        return Err(refused("ALREADY_SIGNED", "this side has signed", "cette partie a déjà signé"));
    }
    if signed_on < part.granted_on {
        let french = "une convention ne peut être signée avant l'attribution des postes";
        return Err(refused("SIGNED_BEFORE_GRANT", "a convention is signed after the grant", french).at("signed_on"));
    }
    if signed_on > today {
        let french = "la date de signature est dans le futur";
        return Err(refused("SIGNED_IN_THE_FUTURE", "the signature lies in the future", french).at("signed_on"));
    }
    if convention.kind.is_none() {
        let french = "le dossier repris du passé est incomplet";
        return Err(refused("FILE_INCOMPLETE", "the record from the past lacks the kind of structure", french));
    }
    Ok(())
}

fn enter_into_force(
    decision: &mut Decision,
    index: usize,
    number: u32,
    signed_on: Date,
    context: &Context<'_>,
) -> Result<()> {
    let convention = &mut decision.state;
    let kind = convention.kind.ok_or_else(|| Error::internal("signed without a kind"))?;
    let amount = amounts::in_force(&context.settings.grants, kind, &convention.department, signed_on)?;
    let posts = convention.parts[index].posts.clone();
    let mut granted = Cents::ZERO;
    for id in &posts {
        let place = decision.state.post_index(*id)?;
        decision.state.posts[place].grant = amount;
        granted = granted.plus(amount)?;
        decision.post(Posting::new("GRANT", Rule("F01"), *id, Account::ToCome, Account::Granted, amount));
        let shares = schedule::shares(amount, &context.settings.plan, signed_on)?;
        for share in shares {
            let number = next_number(&decision.state, *id);
            decision.state.instalments.push(Instalment {
                id: context.id(&format!("{id}/{number}")),
                number,
                ..instalment(*id, &share)
            });
        }
    }
    let from = decision.state.state_name();
    let part = &mut decision.state.parts[index];
    part.signed_on = Some(signed_on);
    part.granted = granted;
    let to = decision.state.state_name();
    let fact = Fact { action: "ENTER_INTO_FORCE", from, to, why: format!("amendment {number}"), rule: Some(F02) };
    decision.facts.push(fact);
    decision.tell(Told::Signed { amendment: number, posts, granted, signed_on });
    Ok(())
}

/// The number of a post's next instalment.
pub(crate) fn next_number(convention: &Convention, post: PostId) -> u32 {
    convention.instalments.iter().filter(|i| i.post == post).map(|i| i.number).max().unwrap_or(0) + 1
}

/// An instalment to come, without a number.
pub(crate) fn instalment(post: PostId, share: &Share) -> Instalment {
    Instalment {
        id: conum_kernel::Id::from_uuid(uuid::Uuid::nil()),
        post,
        number: 0,
        rank: share.rank,
        recruitment: None,
        amount: share.cents,
        cancelled: Cents::ZERO,
        due_on: share.due_on,
        late_after: share.late_after,
        state: State::ToCome,
        order: None,
        told: vec![],
        held_for: vec![],
        paid_on: None,
        set_off: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::{Bench, date};

    #[test]
    fn f02_a_convention_is_in_force_when_both_sides_have_signed_and_counts_from_the_later_day() {
        let mut bench = Bench::granted(1);
        bench.on("2021-02-10");
        bench.apply(|c, x| sign(c, Side::Structure, 0, date("2021-02-01"), x)).unwrap();
        assert!(!bench.convention.in_force());
        bench.apply(|c, x| sign(c, Side::Agency, 0, date("2021-02-10"), x)).unwrap();
        assert!(bench.convention.in_force());
        let days: Vec<_> = bench.convention.instalments.iter().map(|i| i.due_on).collect();
        assert_eq!(days, [date("2021-02-10"), date("2021-08-10"), date("2022-02-10")]);
        assert_eq!(bench.balance(Account::Granted), Cents(5_000_000));
        let again = bench.apply(|c, x| sign(c, Side::Agency, 0, date("2021-02-10"), x)).unwrap_err();
        assert_eq!((again.reason(), again.rule()), ("ALREADY_SIGNED", Some(F02)));
    }

    #[test]
    fn f02_a_convention_signed_before_the_grant_or_in_the_future_is_refused() {
        let mut bench = Bench::granted(1);
        let mut signed = |day: &str| bench.apply(|c, x| sign(c, Side::Agency, 0, date(day), x)).unwrap_err();
        let error = signed("2020-11-30");
        assert_eq!((error.reason(), error.rule()), ("SIGNED_BEFORE_GRANT", Some(F02)));
        assert_eq!(error.violations()[0].field, "signed_on");
        assert_eq!(signed("2099-01-01").reason(), "SIGNED_IN_THE_FUTURE");
    }

    #[test]
    fn f02_posts_granted_later_come_by_amendment_and_count_from_its_own_signature() {
        let mut bench = Bench::signed(1, "2021-02-01");
        bench.grant_more(2);
        assert_eq!(bench.convention.parts.len(), 2);
        bench.on("2021-05-05");
        bench.sign_both(1, "2021-05-05");
        let later: Vec<_> =
            bench.convention.instalments.iter().filter(|i| i.post != bench.post(0)).map(|i| i.due_on).collect();
        assert_eq!(later[..3], [date("2021-05-05"), date("2021-11-05"), date("2022-05-05")]);
        assert_eq!(bench.balance(Account::Granted), Cents(15_000_000));
    }

    #[test]
    fn f02_an_amendment_waits_for_the_convention() {
        let mut bench = Bench::granted(1);
        bench.apply(|c, x| sign(c, Side::Structure, 0, date("2020-12-01"), x)).unwrap();
        bench.grant_more(1);
        assert_eq!(bench.convention.parts.len(), 2, "what somebody has signed takes no more posts");
        let error = bench.apply(|c, x| sign(c, Side::Agency, 1, date("2020-12-01"), x)).unwrap_err();
        assert_eq!(error.reason(), "PREVIOUS_NOT_SIGNED");
    }

    #[test]
    fn f02_a_convention_whose_first_posts_were_given_back_is_in_force_by_its_amendment() {
        let mut bench = Bench::granted(1);
        bench.apply(|c, x| sign(c, Side::Structure, 0, date("2020-12-01"), x)).unwrap();
        bench.grant_more(1);
        bench.give_back(0);
        assert!(!bench.convention.in_force());
        bench.sign_both(1, "2020-12-01");
        assert!(bench.convention.in_force());
    }

    #[test]
    fn f03_a_code_for_the_account_that_pays_blames_nobody_who_is_paid() {
        assert!(!crate::domain::payment::blames_account("AC02"));
        assert!(crate::domain::payment::blames_account("AC03"));
    }

    #[test]
    fn f01_a_coordinators_post_has_the_same_ceiling_and_a_convention_keeps_its_amounts() {
        let mut bench = Bench::granted(2);
        bench.convention.posts[0].coordinator = true;
        bench.sign_both(0, "2020-12-01");
        assert_eq!(bench.convention.posts[0].grant, bench.convention.posts[1].grant);
        bench.settings.grants = amounts::read("public:2020-11-01=1").unwrap();
        bench.on("2021-06-01");
        bench.advance();
        assert_eq!(bench.convention.posts[0].grant, Cents(5_000_000));
    }
}
