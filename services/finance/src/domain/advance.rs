//! What the calendar and the facts bring about: instalments fall due, are held or released; notices are given; posts that
//! were given back are cleared; replacements are funded. Every command ends with it, and a timer calls it on the day that
//! [`wakes_on`] names: it does nothing where nothing has come.

use conum_kernel::{
    Error, Fact, Result, Rule,
    dates::{add_days, add_months},
};
use jiff::civil::Date;

use super::{
    convention::{Convention, Post},
    decision::{Context, Decision, OrderChange, Told, Written as _},
    earning, endings, holds,
    instalment::{self, Action, State},
    policies::Settings,
};

/// Brings a convention up to date.
///
/// # Errors
/// Internal where the ledger refuses.
pub fn advance(decision: &mut Decision, context: &Context<'_>) -> Result<()> {
    endings::clear_given_back(decision, context)?;
    endings::fund_replacements(decision, context)?;
    for index in 0..decision.state.instalments.len() {
        instalment_on(decision, index, context)?;
    }
    notices(decision, context);
    Ok(())
}

/// A decision that does nothing but advance.
///
/// # Errors
/// Those of [`advance`].
pub fn on(convention: Convention, context: &Context<'_>) -> Result<Decision> {
    let mut decision = Decision::of(convention);
    advance(&mut decision, context)?;
    Ok(decision)
}

fn instalment_on(decision: &mut Decision, index: usize, context: &Context<'_>) -> Result<()> {
    let today = context.today();
    if decision.state.instalments[index].state == State::ToCome && decision.state.instalments[index].due_on <= today {
        instalment::step(decision, index, Action::FallDue, "")?;
    }
    if !matches!(decision.state.instalments[index].state, State::Due | State::Held) {
        decision.state.instalments[index].held_for.clear();
        return Ok(());
    }
    let reasons = holds::of(&decision.state, &decision.state.instalments[index], context.settings, today);
    match (decision.state.instalments[index].state, reasons.first()) {
        (State::Due, Some(reason)) => instalment::step(decision, index, Action::Hold, reason.text())?,
        (State::Held, None) => instalment::step(decision, index, Action::Lift, "")?,
        _ => {}
    }
    for reason in &reasons {
        if !decision.state.instalments[index].told.contains(reason) {
            let held = &mut decision.state.instalments[index];
            held.told.push(*reason);
            let told = Told::Held { post: held.post, instalment: held.id, reason: *reason };
            decision.tell(told);
        }
    }
    let current = &mut decision.state.instalments[index];
    current.held_for = reasons;
    if current.state == State::Due && current.order.is_none() {
        let order = context.id(&current.id.to_string());
        current.order = Some(order);
        let change = OrderChange::Release { order, instalment: current.id, cents: current.amount };
        decision.order(change);
    }
    Ok(())
}

/// The last day that a post's grant covers, once somebody has started on it (F07).
#[must_use]
pub fn covered_until(post: &Post, settings: &Settings) -> Option<Date> {
    post.contracts.first().map(|contract| earning::last_day(contract.start, settings.grant_months))
}

/// Notices before the end of a grant (F07): of several that have come at once, the last.
fn notices(decision: &mut Decision, context: &Context<'_>) {
    let today = context.today();
    for index in 0..decision.state.posts.len() {
        let post = &decision.state.posts[index];
        let Some(last_day) = noticed_until(post, context.settings) else { continue };
        let has_come = |months: &i32| !post.noticed.contains(months) && add_months(last_day, -*months) <= today;
        let come: Vec<i32> = context.settings.ending_notices.iter().copied().filter(has_come).collect();
        let Some(months_left) = come.iter().copied().min() else { continue };
        let id = post.id;
        let fact =
            Fact::noted("NOTICE_OF_END", post.state_name(), format!("{id} {months_left} months")).under(Rule("F07"));
        decision.state.posts[index].noticed.extend(come);
        if today <= last_day {
            decision.facts.push(fact);
            decision.tell(Told::Ending { post: id, last_day, months_left });
        }
    }
}

fn noticed_until(post: &Post, settings: &Settings) -> Option<Date> {
    let live = !post.given_back && post.grant > conum_kernel::Cents::ZERO;
    covered_until(post, settings).filter(|_| live)
}

/// The next day on which the calendar brings something about; none where only facts do.
#[must_use]
pub fn wakes_on(convention: &Convention, settings: &Settings, today: Date) -> Option<Date> {
    let to_come = convention.instalments.iter().filter(|i| i.state == State::ToCome).map(|i| i.due_on);
    let reports = convention.follow_ups.iter().filter(|asked| asked.holds && asked.submitted.is_none());
    let late = reports.map(|asked| add_days(asked.due_on, 1));
    let notices = convention.posts.iter().flat_map(|post| {
        let last_day = noticed_until(post, settings);
        let months = settings.ending_notices.iter().filter(|months| !post.noticed.contains(months));
        months.filter_map(move |months| last_day.map(|day| add_months(day, -*months)))
    });
    to_come.chain(late).chain(notices).filter(|day| *day > today).min()
}

/// The error of a record that is not as its own rules left it.
pub(crate) fn inconsistent(what: &str) -> Error {
    Error::internal(format!("a convention is inconsistent: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examples::{Bench, date},
        holds::HoldReason,
        ledger::Account,
    };

    #[test]
    fn f03_an_instalment_is_released_when_it_is_due_and_nothing_holds_it() {
        let mut bench = Bench::signed(1, "2021-02-01");
        assert_eq!(bench.state(0, 1), State::Held);
        assert_eq!(bench.held_for(0, 1), [HoldReason::DocumentsMissing, HoldReason::NoBankAccount]);
        bench.documents();
        assert_eq!(bench.held_for(0, 1), [HoldReason::NoBankAccount]);
        bench.account();
        assert_eq!(bench.state(0, 1), State::Due);
        assert!(bench.instalment(0, 1).order.is_some(), "a payment order is ready");
        assert_eq!(bench.state(0, 2), State::ToCome);
    }

    #[test]
    fn f03_each_reason_of_a_hold_is_told_once_when_the_day_has_come() {
        let mut bench = Bench::signed(1, "2021-02-01");
        assert_eq!(bench.count(|told| matches!(told, Told::Held { .. })), 2);
        bench.advance();
        bench.on("2021-03-01");
        bench.advance();
        assert_eq!(bench.count(|told| matches!(told, Told::Held { .. })), 2, "not again");
    }

    #[test]
    fn f03_the_second_and_third_wait_for_a_contract_and_the_first_does_not() {
        let mut bench = Bench::payable(1, "2021-02-01");
        assert_eq!(bench.state(0, 1), State::Due);
        bench.on("2022-02-01");
        bench.advance();
        assert_eq!(bench.held_for(0, 2), [HoldReason::NoContract]);
        assert_eq!(bench.held_for(0, 3), [HoldReason::NoContract]);
        bench.contract(0, "one", "2021-03-01");
        assert_eq!((bench.state(0, 2), bench.state(0, 3)), (State::Due, State::Due));
    }

    #[test]
    fn f03_a_hold_that_comes_after_the_release_withdraws_the_order() {
        let mut bench = Bench::payable(1, "2021-02-01");
        let order = bench.instalment(0, 1).order.unwrap();
        bench.suspend();
        assert_eq!(bench.held_for(0, 1), [HoldReason::Suspended]);
        assert!(bench.orders().contains(&OrderChange::Withdraw { order }));
        bench.lift_suspension();
        assert_ne!(bench.instalment(0, 1).order, None);
        assert_ne!(bench.instalment(0, 1).order, Some(order), "a new order");
        assert_eq!(bench.balance(Account::Due), bench.instalment(0, 1).amount);
    }

    #[test]
    fn f07_notices_are_given_6_3_and_1_months_before_the_end_of_the_grant() {
        let mut bench = Bench::payable(1, "2021-02-01");
        bench.contract(0, "one", "2021-03-15");
        let mut seen = vec![];
        while let Some(day) = wakes_on(&bench.convention, &bench.settings, bench.today()) {
            bench.on(&day.to_string());
            bench.advance();
            for told in bench.take_told() {
                if let Told::Ending { last_day, months_left, .. } = told {
                    assert_eq!(last_day, date("2023-03-14"));
                    seen.push((day, months_left));
                }
            }
        }
        assert_eq!(seen, [(date("2022-09-14"), 6), (date("2022-12-14"), 3), (date("2023-02-14"), 1)]);
    }

    #[test]
    fn the_calendar_wakes_for_the_next_instalment_and_for_nothing_that_has_come() {
        let bench = Bench::payable(1, "2021-02-01");
        assert_eq!(wakes_on(&bench.convention, &bench.settings, date("2021-02-01")), Some(date("2021-08-01")));
        assert_eq!(wakes_on(&bench.convention, &bench.settings, date("2022-02-01")), None);
    }
}
