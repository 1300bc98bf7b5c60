//! The life of an instalment (F03), and the one way in which its money moves: a step of the table is a posting from the
//! account of the old state to that of the new one.

use conum_kernel::{Cents, Fact, InstalmentId, Machine, PaymentOrderId, PostId, RecruitmentId, Result, Rule};
use jiff::civil::Date;

use super::{
    decision::{Decision, OrderChange, Written as _},
    holds::HoldReason,
    ledger::{Account, Posting},
};

/// Where an instalment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    ToCome,
    /// Payable: a payment order is ready for it.
    Due,
    Held,
    /// In a payment file; the bank has not answered.
    Sent,
    Paid,
    Cancelled,
}

/// What may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    FallDue,
    Hold,
    Lift,
    Send,
    Pay,
    Reject,
    Cancel,
    /// Paid by setting off what the structure owes on the post.
    SetOff,
}

impl Machine for State {
    type Action = Action;

    const TABLE: &'static [(Self, Action, Self)] = &[
        (Self::ToCome, Action::FallDue, Self::Due),
        (Self::Due, Action::Hold, Self::Held),
        (Self::Held, Action::Lift, Self::Due),
        (Self::Due, Action::Send, Self::Sent),
        (Self::Sent, Action::Pay, Self::Paid),
        (Self::Sent, Action::Reject, Self::Due),
        (Self::ToCome, Action::Cancel, Self::Cancelled),
        (Self::Due, Action::Cancel, Self::Cancelled),
        (Self::Held, Action::Cancel, Self::Cancelled),
        (Self::ToCome, Action::SetOff, Self::Paid),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ToCome => "TO_COME",
            Self::Due => "DUE",
            Self::Held => "HELD",
            Self::Sent => "SENT",
            Self::Paid => "PAID",
            Self::Cancelled => "CANCELLED",
        }
    }

    fn action_name(action: Action) -> &'static str {
        match action {
            Action::FallDue => "FALL_DUE",
            Action::Hold => "HOLD",
            Action::Lift => "LIFT",
            Action::Send => "SEND",
            Action::Pay => "PAY",
            Action::Reject => "REJECT",
            Action::Cancel => "CANCEL",
            Action::SetOff => "SET_OFF",
        }
    }

    fn rule(action: Action) -> Rule {
        match action {
            Action::FallDue => Rule("F02"),
            Action::Cancel => Rule("F04"),
            Action::SetOff => Rule("F07"),
            Action::Hold | Action::Lift | Action::Send | Action::Pay | Action::Reject => Rule("F03"),
        }
    }
}

impl State {
    /// The account that its money is on.
    #[must_use]
    pub fn account(self) -> Account {
        match self {
            Self::ToCome => Account::ToCome,
            Self::Due => Account::Due,
            Self::Held => Account::Held,
            Self::Sent => Account::Sent,
            Self::Paid => Account::Paid,
            Self::Cancelled => Account::Cancelled,
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn text(self) -> &'static str {
        self.account().text()
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::ToCome, Self::Due, Self::Held, Self::Sent, Self::Paid, Self::Cancelled]
            .into_iter()
            .find(|state| state.text() == text)
    }

    /// Neither paid, nor under way to the bank, nor cancelled.
    #[must_use]
    pub fn is_unpaid(self) -> bool {
        matches!(self, Self::ToCome | Self::Due | Self::Held)
    }
}

/// An instalment of the grant of a post.
#[derive(Clone, Debug, PartialEq)]
pub struct Instalment {
    pub id: InstalmentId,
    pub post: PostId,
    /// 1, 2, 3; then those of a replacement.
    pub number: u32,
    /// Its place among those of its signature: 1, 2, 3.
    pub rank: u32,
    /// The replacement's recruitment that it was granted for; none for those of the signature.
    pub recruitment: Option<RecruitmentId>,
    /// What is left of it: a part may have been cancelled.
    pub amount: Cents,
    pub cancelled: Cents,
    pub due_on: Date,
    pub late_after: Option<Date>,
    pub state: State,
    /// The order that stands for it.
    pub order: Option<PaymentOrderId>,
    /// What it is held for, and the others were told.
    pub told: Vec<HoldReason>,
    /// What holds it now.
    pub held_for: Vec<HoldReason>,
    pub paid_on: Option<Date>,
    /// Paid by setting off a claim: no money moved.
    pub set_off: bool,
}

/// Takes a step of the table with an instalment, and posts it.
///
/// # Errors
/// `WRONG_STATE` where the table has no such step.
pub(crate) fn step(decision: &mut Decision, index: usize, action: Action, why: &str) -> Result<()> {
    let Some(instalment) = decision.state.instalments.get_mut(index) else { return Ok(()) };
    let (to, fact) = instalment.state.step(action, format!("{} {why}", instalment.id).trim_end())?;
    let (from, post, cents) = (instalment.state, instalment.post, instalment.amount);
    instalment.state = to;
    if to == State::Cancelled {
        instalment.cancelled = instalment.cancelled.plus(cents)?;
        instalment.amount = Cents::ZERO;
    }
    let withdrawn = if matches!(action, Action::Hold | Action::Cancel) { instalment.order.take() } else { None };
    decision.facts.push(fact);
    let (kind, rule) = (State::action_name(action), State::rule(action));
    decision.post(Posting::new(kind, rule, post, to.account(), from.account(), cents));
    if let Some(order) = withdrawn {
        decision.order(OrderChange::Withdraw { order });
    }
    Ok(())
}

/// Cancels a part of an unpaid instalment, or all of it.
///
/// # Errors
/// `WRONG_STATE` where it is no longer unpaid.
pub(crate) fn cut(decision: &mut Decision, index: usize, cents: Cents, why: &str) -> Result<()> {
    let Some(instalment) = decision.state.instalments.get_mut(index) else { return Ok(()) };
    if cents >= instalment.amount {
        return step(decision, index, Action::Cancel, why);
    }
    instalment.state.step(Action::Cancel, why)?;
    instalment.amount = instalment.amount.minus(cents)?;
    instalment.cancelled = instalment.cancelled.plus(cents)?;
    let (state, post, withdrawn) = (instalment.state, instalment.post, instalment.order.take());
    let fact = Fact::noted("CUT", state.name(), format!("{} {why}", instalment.id)).under(Rule("F04"));
    decision.facts.push(fact);
    decision.post(Posting::new("CUT", Rule("F04"), post, Account::Cancelled, state.account(), cents));
    if let Some(order) = withdrawn {
        decision.order(OrderChange::Withdraw { order });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f03_an_instalment_is_paid_once_and_only_after_it_was_sent() {
        for state in [State::ToCome, State::Due, State::Held, State::Paid, State::Cancelled] {
            let error = state.step(Action::Pay, "").unwrap_err();
            assert_eq!((error.reason(), error.rule()), ("WRONG_STATE", Some(Rule("F03"))));
        }
        assert_eq!(State::Sent.step(Action::Pay, "").unwrap().0, State::Paid);
        assert_eq!(State::Sent.step(Action::Reject, "").unwrap().0, State::Due, "to be sent again");
    }

    #[test]
    fn f04_what_is_sent_or_paid_cannot_be_cancelled() {
        for state in [State::Sent, State::Paid, State::Cancelled] {
            assert_eq!(state.step(Action::Cancel, "").unwrap_err().rule(), Some(Rule("F04")));
        }
    }
}
