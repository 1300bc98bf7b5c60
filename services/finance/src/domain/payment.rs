//! Payment orders (F03): one stands for an instalment at a time, and the bank settles it once.

use conum_kernel::{Error, Machine, PaymentFileId, PaymentOrderId, Result, Rule};

use super::{
    advance::advance,
    convention::Convention,
    decision::{Context, Decision, OrderChange, Told, Written as _},
    instalment::{self, Action as Step},
};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for a file.
    Ready,
    /// In a file; the bank has not answered.
    Sent,
    Paid,
    /// Refused by the bank; another order takes its place.
    Rejected,
    /// A hold came before a file.
    Withdrawn,
}

/// What may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Send,
    Settle,
    Reject,
    Withdraw,
}

impl Machine for State {
    type Action = Action;

    const TABLE: &'static [(Self, Action, Self)] = &[
        (Self::Ready, Action::Send, Self::Sent),
        (Self::Ready, Action::Withdraw, Self::Withdrawn),
        (Self::Sent, Action::Settle, Self::Paid),
        (Self::Sent, Action::Reject, Self::Rejected),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Sent => "SENT",
            Self::Paid => "PAID",
            Self::Rejected => "REJECTED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }

    fn action_name(action: Action) -> &'static str {
        match action {
            Action::Send => "SEND",
            Action::Settle => "SETTLE",
            Action::Reject => "REJECT",
            Action::Withdraw => "WITHDRAW",
        }
    }

    fn rule(_: Action) -> Rule {
        Rule("F03")
    }
}

impl State {
    /// As it is stored.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Sent => "sent",
            Self::Paid => "paid",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ready, Self::Sent, Self::Paid, Self::Rejected, Self::Withdrawn]
            .into_iter()
            .find(|state| state.text() == text)
    }
}

/// The bank's verdict on one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Paid,
    /// With the bank's code.
    Rejected(String),
    /// With the whole file, and the bank's code: it says nothing of the account that was to be paid.
    RejectedWithFile(String),
}

/// Codes of a bank for an account that cannot be paid: it is to be corrected before anything is sent again. AC02 is not
/// among them: it is said of the account that pays.
const ACCOUNT_CODES: [&str; 7] = ["AC01", "AC03", "AC04", "AC06", "AC07", "BE01", "RC01"];

/// Whether a bank's code says that the account is at fault.
#[must_use]
pub fn blames_account(code: &str) -> bool {
    ACCOUNT_CODES.contains(&code)
}

fn place(convention: &Convention, order: PaymentOrderId) -> Result<usize> {
    let found = convention.instalments.iter().position(|instalment| instalment.order == Some(order));
    found.ok_or_else(|| {
        let french = "cet ordre de paiement n'est plus en cours";
        Error::refused(Rule("F03"), "ORDER_NOT_STANDING", "this payment order stands no more", french)
    })
}

/// Puts orders of a convention into a file.
///
/// # Errors
/// `ORDER_NOT_STANDING`, `WRONG_STATE`.
pub fn send(convention: Convention, orders: &[PaymentOrderId], file: PaymentFileId) -> Result<Decision> {
    let mut decision = Decision::of(convention);
    for order in orders {
        let index = place(&decision.state, *order)?;
        instalment::step(&mut decision, index, Step::Send, &order.to_string())?;
        decision.order(OrderChange::Send { order: *order, file });
    }
    Ok(decision)
}

/// Records what the bank answered on orders of a convention. What was rejected is due again: held until the account is
/// corrected where it is at fault, released in a new order otherwise, or where it was changed since the file.
///
/// # Errors
/// `ORDER_NOT_STANDING`, `WRONG_STATE`.
pub fn answered(
    convention: Convention,
    verdicts: &[(PaymentOrderId, Verdict)],
    account_changed: bool,
    context: &Context<'_>,
) -> Result<Decision> {
    let mut decision = Decision::of(convention);
    for (order, verdict) in verdicts {
        let index = place(&decision.state, *order)?;
        match verdict {
            Verdict::Paid => {
                instalment::step(&mut decision, index, Step::Pay, &order.to_string())?;
                let paid = &mut decision.state.instalments[index];
                let paid_on = context.today();
                paid.paid_on = Some(paid_on);
                let (post, instalment, number, cents) = (paid.post, paid.id, paid.number, paid.amount);
                decision.order(OrderChange::Settle { order: *order });
                decision.tell(Told::Paid { post, instalment, number, cents, paid_on });
            }
            Verdict::Rejected(code) | Verdict::RejectedWithFile(code) => {
                instalment::step(&mut decision, index, Step::Reject, &format!("{order} {code}"))?;
                decision.state.instalments[index].order = None;
                decision.order(OrderChange::Reject { order: *order, reason: code.clone() });
                let named = matches!(verdict, Verdict::Rejected(_));
                if named && blames_account(code) && !account_changed {
                    decision.state.account = false;
                    for instalment in &mut decision.state.instalments {
                        instalment.told.retain(|reason| *reason != super::holds::HoldReason::NoBankAccount);
                    }
                }
            }
        }
    }
    advance(&mut decision, context)?;
    Ok(decision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{examples::Bench, holds::HoldReason, instalment::State as Instalment, ledger::Account};

    #[test]
    fn f03_an_instalment_is_sent_then_paid_and_never_twice() {
        let mut bench = Bench::payable(1, "2021-02-01");
        let order = bench.send(0, 1);
        assert_eq!(bench.state(0, 1), Instalment::Sent);
        let again = bench.apply(|c, _| send(c, &[order], bench_file())).unwrap_err();
        assert_eq!((again.reason(), again.rule()), ("WRONG_STATE", Some(Rule("F03"))));
        bench.answer(order, Verdict::Paid).unwrap();
        assert_eq!(
            (bench.state(0, 1), bench.balance(Account::Paid)),
            (Instalment::Paid, conum_kernel::Cents(1_000_000))
        );
        assert_eq!(bench.answer(order, Verdict::Paid).unwrap_err().reason(), "WRONG_STATE");
        assert_eq!(bench.count(|told| matches!(told, Told::Paid { .. })), 1);
    }

    fn bench_file() -> PaymentFileId {
        crate::domain::examples::id(99)
    }

    #[test]
    fn f03_what_the_bank_rejects_is_sent_again_after_its_correction() {
        let mut bench = Bench::payable(1, "2021-02-01");
        let order = bench.send(0, 1);
        bench.answer(order, Verdict::Rejected("AC04".into())).unwrap();
        assert_eq!(bench.held_for(0, 1), [HoldReason::NoBankAccount], "the account is at fault");
        bench.account();
        assert_eq!(bench.state(0, 1), Instalment::Due);
        let second = bench.send(0, 1);
        assert_ne!(second, order);
        bench.answer(second, Verdict::Rejected("MS03".into())).unwrap();
        assert_eq!(bench.state(0, 1), Instalment::Due, "the account is not at fault: a new order is ready");
        assert_eq!(bench.answer(order, Verdict::Paid).unwrap_err().reason(), "ORDER_NOT_STANDING");
        let third = bench.send(0, 1);
        bench.answer_after(third, Verdict::Rejected("AC04".into()), true).unwrap();
        assert_eq!(bench.state(0, 1), Instalment::Due, "the account was changed since the file");
        let fourth = bench.send(0, 1);
        bench.answer(fourth, Verdict::RejectedWithFile("AC01".into())).unwrap();
        assert_eq!(bench.state(0, 1), Instalment::Due, "the bank means the account that pays");
    }
}
