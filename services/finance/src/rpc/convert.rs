//! From the domain to the contract.

use conum_kernel::{ApplicationId, Id, PostId, post_name};
use conum_proto::finance::v1 as proto;
use conum_service::wire;
use jiff::civil::Date;

use crate::{
    domain::{
        account::{BankAccount, masked},
        advance::covered_until,
        amounts::Kind,
        claims::ClaimReason,
        convention::{Breach, Contract, Convention, Funding, Post},
        following::{Aid, FollowUp},
        holds::AgencyHold,
        instalment,
        policies::Settings,
    },
    storage::{accounts, answers::Answer, claims, files::File, instalments, orders::Order},
};

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The value of a contract's enum by its name, as the domain writes it.
fn breach(breach: Breach) -> proto::Breach {
    proto::Breach::from_str_name(&format!("BREACH_{}", breach.name())).unwrap_or_default()
}

/// A convention on the wire, on a day.
#[must_use]
pub fn convention(convention: &Convention, settings: &Settings, today: Date) -> proto::Convention {
    use proto::convention::State;
    let state = match (convention.in_force(), convention.suspended) {
        (false, _) => State::Draft,
        (true, None) => State::InForce,
        (true, Some(_)) => State::Suspended,
    };
    let kind = match convention.kind {
        Some(Kind::Public) => "public",
        Some(Kind::Private) => "private",
        None => "",
    };
    let application = convention.application;
    let name = |post: PostId| post_name(application, post);
    proto::Convention {
        name: convention.id.name(),
        structure: convention.structure.name(),
        application: application.name(),
        department: convention.department.clone(),
        structure_kind: kind.into(),
        state: state.into(),
        suspended_for: convention.suspended.map(breach).unwrap_or_default().into(),
        documents_complete: convention.documents,
        account_usable: convention.account,
        amendments: (0..)
            .zip(&convention.parts)
            .map(|(number, part)| proto::Amendment {
                number,
                posts: part.posts.iter().copied().map(name).collect(),
                granted_on: Some(wire::from_date(part.granted_on)),
                signed_by_structure_on: part.by_structure.map(wire::from_date),
                signed_by_agency_on: part.by_agency.map(wire::from_date),
                signed_on: part.signed_on.map(wire::from_date),
                granted_cents: part.granted.0,
            })
            .collect(),
        posts: convention.posts.iter().map(|post| granted_post(application, post, settings)).collect(),
        holds: convention.holds.iter().map(|hold| agency_hold(application, hold)).collect(),
        follow_ups: convention.follow_ups.iter().map(|asked| follow_up(asked, today)).collect(),
        cofunding: convention
            .cofunding
            .iter()
            .map(|money| proto::Cofunding {
                source: proto::cofunding::Source::from_str_name(&format!("SOURCE_{}", money.source))
                    .unwrap_or_default()
                    .into(),
                amount_cents: money.amount.0,
                recorded_on: Some(wire::from_date(money.recorded_on)),
            })
            .collect(),
        aids: convention.aids.iter().map(|declared| aid(application, declared)).collect(),
        vouchers: convention
            .vouchers
            .iter()
            .map(|cashed| proto::Vouchers {
                amount_cents: cashed.amount.0,
                cashed_on: Some(wire::from_date(cashed.cashed_on)),
            })
            .collect(),
        etag: convention.version.to_string(),
    }
}

fn granted_post(application: ApplicationId, post: &Post, settings: &Settings) -> proto::GrantedPost {
    proto::GrantedPost {
        post: post_name(application, post.id),
        amendment: number(post.part),
        coordinator: post.coordinator,
        grant_cents: post.grant.0,
        given_back: post.given_back,
        contracts: (0..).zip(&post.contracts).map(|(at, signed)| contract(at, signed)).collect(),
        covered_until: covered_until(post, settings).map(wire::from_date),
    }
}

fn contract(at: usize, contract: &Contract) -> proto::PostContract {
    let ended = contract.ended.as_ref();
    let settled = ended.and_then(|ended| ended.settled.as_ref());
    let funding = match contract.funding {
        Some(Funding::Of(cents)) => cents.0,
        _ => 0,
    };
    proto::PostContract {
        recruitment: contract.recruitment.name(),
        signed_on: Some(wire::from_date(contract.signed_on)),
        start_date: Some(wire::from_date(contract.start)),
        last_day: ended.map(|ended| wire::from_date(ended.last_day)),
        end_reason: ended.map(|ended| ended.reason.clone()).unwrap_or_default(),
        settled: settled.is_some(),
        earned_cents: settled.map_or(0, |settled| settled.earned.0),
        freed_cents: settled.map_or(0, |settled| settled.freed.0),
        claimed_cents: settled.map_or(0, |settled| settled.claimed.0),
        funded: at == 0 || matches!(contract.funding, Some(Funding::Of(_))),
        funding_cents: funding,
    }
}

fn agency_hold(application: ApplicationId, hold: &AgencyHold) -> proto::Hold {
    let reason = proto::hold::Reason::from_str_name(&format!("REASON_{}", hold.reason.name()));
    proto::Hold {
        number: number(hold.number),
        post: hold.post.map(|post| post_name(application, post)).unwrap_or_default(),
        reason: reason.unwrap_or_default().into(),
        set_on: Some(wire::from_date(hold.set_on)),
        lifted_on: hold.lifted_on.map(wire::from_date),
    }
}

fn follow_up(asked: &FollowUp, today: Date) -> proto::FollowUp {
    use crate::domain::following::FollowUpKind;
    use proto::follow_up::Kind;
    let kind = match asked.kind {
        FollowUpKind::Figures => Kind::Figures,
        FollowUpKind::Report => Kind::Report,
        FollowUpKind::ExpenseRecords => Kind::ExpenseRecords,
    };
    let submitted = asked.submitted.as_ref();
    proto::FollowUp {
        name: asked.id.name(),
        kind: kind.into(),
        asked_on: Some(wire::from_date(asked.asked_on)),
        due_on: Some(wire::from_date(asked.due_on)),
        holds: asked.holds,
        late: asked.is_late(today),
        submitted_on: submitted.map(|submitted| wire::from_date(submitted.on)),
        people: submitted.map_or(0, |submitted| submitted.people),
        activities: submitted.map_or(0, |submitted| submitted.activities),
        report_sha256: submitted.map(|submitted| submitted.sha256.clone()).unwrap_or_default(),
    }
}

fn aid(application: ApplicationId, aid: &Aid) -> proto::Aid {
    let kind = proto::aid::Kind::from_str_name(&format!("KIND_{}", aid.kind.to_uppercase()));
    proto::Aid {
        post: post_name(application, aid.post),
        kind: kind.unwrap_or_default().into(),
        recruitment: aid.recruitment.name(),
        declared_on: Some(wire::from_date(aid.declared_on)),
    }
}

/// An instalment on the wire, on a day.
#[must_use]
pub fn instalment(listed: &instalments::Listed, today: Date) -> proto::Instalment {
    use proto::instalment::State;
    let own = &listed.instalment;
    let state = match own.state {
        instalment::State::ToCome => State::ToCome,
        instalment::State::Due => State::Due,
        instalment::State::Held => State::Held,
        instalment::State::Sent => State::Sent,
        instalment::State::Paid => State::Paid,
        instalment::State::Cancelled => State::Cancelled,
    };
    let open = !matches!(own.state, instalment::State::Paid | instalment::State::Cancelled);
    proto::Instalment {
        name: own.id.name(),
        convention: listed.convention.name(),
        structure: listed.structure.name(),
        application: listed.application.name(),
        post: post_name(listed.application, own.post),
        number: number(own.number),
        amount_cents: own.amount.0,
        cancelled_cents: own.cancelled.0,
        due_on: Some(wire::from_date(own.due_on)),
        late_after: own.late_after.map(wire::from_date),
        late: open && own.late_after.is_some_and(|day| today > day),
        state: state.into(),
        held_for: own.held_for.iter().map(|reason| reason.text().to_owned()).collect(),
        payment_order: own.order.map(Id::name).unwrap_or_default(),
        paid_on: own.paid_on.map(wire::from_date),
        set_off: own.set_off,
        recruitment: own.recruitment.map(Id::name).unwrap_or_default(),
    }
}

impl From<BankAccount> for proto::BankAccount {
    fn from(account: BankAccount) -> Self {
        use proto::bank_account::State;
        let state = match (&account.current, account.usable) {
            (None, _) => State::None,
            (Some(_), true) => State::Confirmed,
            (Some(_), false) => State::RefusedByBank,
        };
        let current = account.current.as_ref();
        let proposed = account.proposal.as_ref();
        Self {
            name: accounts::name(account.structure),
            masked_iban: current.map(|details| masked(&details.iban)).unwrap_or_default(),
            bic: current.map(|details| details.bic.clone()).unwrap_or_default(),
            holder: current.map(|details| details.holder.clone()).unwrap_or_default(),
            state: state.into(),
            change_proposed: proposed.is_some(),
            proposed_masked_iban: proposed.map(|proposal| masked(&proposal.details.iban)).unwrap_or_default(),
            etag: account.version.to_string(),
        }
    }
}

impl From<Order> for proto::PaymentOrder {
    fn from(order: Order) -> Self {
        use conum_kernel::Machine as _;
        let state = proto::payment_order::State::from_str_name(&format!("STATE_{}", order.state.name()));
        Self {
            name: order.id.name(),
            convention: order.convention.name(),
            structure: order.structure.name(),
            instalment: order.instalment.name(),
            amount_cents: order.amount.0,
            state: state.unwrap_or_default().into(),
            payment_file: order.file.map(Id::name).unwrap_or_default(),
            reject_reason: order.reason.unwrap_or_default(),
            released_at: Some(wire::from_timestamp(order.released_at)),
            answered_at: order.answered_at.map(wire::from_timestamp),
        }
    }
}

impl From<File> for proto::PaymentFile {
    fn from(file: File) -> Self {
        Self {
            name: file.id.name(),
            create_time: Some(wire::from_timestamp(file.created_at)),
            execution_on: Some(wire::from_date(file.execution_on)),
            orders: file.orders,
            total_cents: file.total.0,
            sha256: file.sha256,
        }
    }
}

impl From<Answer> for proto::BankAnswer {
    fn from(answer: Answer) -> Self {
        Self {
            name: crate::storage::answers::name(&answer.digest),
            payment_file: answer.file.name(),
            paid: answer.paid,
            rejected: answer.rejected,
            recorded_at: Some(wire::from_timestamp(answer.recorded_at)),
        }
    }
}

impl TryFrom<claims::Listed> for proto::Claim {
    type Error = conum_kernel::Error;

    fn try_from(listed: claims::Listed) -> Result<Self, conum_kernel::Error> {
        let claim = listed.claim;
        let outstanding = claim.outstanding()?;
        let rests_on = match claim.reason {
            ClaimReason::Breach(reason) => breach(reason),
            ClaimReason::EndedEarly | ClaimReason::GivenBack => proto::Breach::Unspecified,
        };
        let waiver = claim.waiver.map(|reason| format!("WAIVER_REASON_{}", reason.name()));
        let waiver = waiver.and_then(|name| proto::WaiverReason::from_str_name(&name));
        Ok(Self {
            name: claim.id.name(),
            convention: listed.convention.name(),
            structure: listed.structure.name(),
            post: post_name(listed.application, claim.post),
            reason: claim.reason.name().into(),
            breach: rests_on.into(),
            decision_sha256: claim.decision.unwrap_or_default(),
            amount_cents: claim.amount.0,
            repaid_cents: claim.repaid.0,
            set_off_cents: claim.set_off.0,
            waived_cents: claim.waived.0,
            outstanding_cents: outstanding.0,
            waiver_reason: waiver.unwrap_or_default().into(),
            raised_on: Some(wire::from_date(claim.raised_on)),
        })
    }
}
