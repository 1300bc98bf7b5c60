//! How a training begins and stops: selections open it, and what ends a recruitment stops it (M06, M08). What is done
//! stays recorded.

use std::collections::BTreeMap;

use conum_kernel::{
    ApplicationId, CandidateId, Fact, Machine as _, Moment, OrganisationId, PostId, RecruitmentId, Result, Rule,
    StructureId, TrainingId,
};
use jiff::civil::Date;

use super::{
    Decision, Event, Mail, Training,
    beside::Sector,
    credit::Credit,
    preparing::{self, Preference},
    training::{Action, Contract, State, StopReason},
};

/// A selection, and where its structure is.
#[derive(Clone, Debug)]
pub struct Selection {
    pub recruitment: RecruitmentId,
    pub candidate: CandidateId,
    pub structure: StructureId,
    pub application: ApplicationId,
    pub post: PostId,
    /// INSEE codes.
    pub department: String,
    pub commune: String,
    pub sector: Sector,
}

/// Opens a training, and puts the organisations of the department in touch (M06). Somebody who was trained already is
/// trained at once: no organisation is asked.
///
/// # Errors
/// Never where the table is whole.
pub fn open(
    id: TrainingId,
    selection: Selection,
    credit: Credit,
    organisations: &[OrganisationId],
    moment: Moment,
) -> Result<Decision> {
    let training = Training {
        id,
        recruitment: selection.recruitment,
        candidate: selection.candidate,
        structure: selection.structure,
        application: selection.application,
        post: selection.post,
        department: selection.department,
        commune: selection.commune,
        sector: selection.sector,
        state: State::Opened,
        opened_on: moment.today,
        preference: Preference::default(),
        seat: None,
        interview: None,
        employer_view: None,
        plan: None,
        plans: 0,
        done: BTreeMap::new(),
        absences: BTreeMap::new(),
        exams: Vec::new(),
        modules: Vec::new(),
        vae_opened_on: None,
        aidants_connect_on: None,
        contract: None,
        credit,
        completed_on: None,
        stop_reason: None,
    };
    let why = credit.completed_in.map(|earlier| earlier.to_string()).unwrap_or_default();
    let fact = Fact { action: "OPEN", from: "", to: State::Opened.name(), why, rule: Some(Rule("M06")) };
    let decision = super::training::settle(Decision::of(training).fact(fact).event(Event::Opened), moment)?;
    if decision.state.state == State::Completed {
        return Ok(decision);
    }
    let mails = organisations.iter().map(|organisation| Mail::Opened { organisation: *organisation, training: id });
    Ok(mails.fold(decision, Decision::mail))
}

/// Notes the start in post (T02).
#[must_use]
pub fn contract_signed(mut training: Training, start: Date) -> Decision {
    training.contract = Some(Contract { start, ended: None });
    let fact = Fact::noted("CONTRACT_SIGNED", training.state.name(), start.to_string()).under(Rule("T02"));
    Decision::of(training).fact(fact)
}

/// Notes the end of the contract; a training that runs stops.
///
/// # Errors
/// Never where the table is whole.
pub fn contract_ended(mut training: Training, last_day: Date, moment: Moment) -> Result<Decision> {
    if let Some(contract) = &mut training.contract {
        contract.ended = Some(last_day);
    }
    let fact = Fact::noted("CONTRACT_ENDED", training.state.name(), last_day.to_string()).under(Rule("M08"));
    let mut decision = stop(training, StopReason::ContractEnded, moment)?;
    decision.facts.insert(0, fact);
    Ok(decision)
}

/// Stops a training that runs, and frees a seat in a session to come. One that is completed or stopped stays as it is.
///
/// # Errors
/// Never where the table is whole.
pub fn stop(mut training: Training, reason: StopReason, moment: Moment) -> Result<Decision> {
    if !training.state.is_open() {
        return Ok(Decision::of(training));
    }
    let fact = training.step(Action::Stop, reason.text())?;
    training.stop_reason = Some(reason);
    Ok(preparing::free_seat(Decision::of(training).fact(fact).event(Event::Stopped(reason)), moment))
}

/// Drops what concerns the person (C07): interview, absences, preference. What was done and certified stays, under the
/// id alone.
///
/// # Errors
/// Never where the table is whole.
pub fn erase(training: Training, moment: Moment) -> Result<Decision> {
    let mut decision = stop(training, StopReason::Erased, moment)?;
    let training = &mut decision.state;
    training.interview = None;
    training.absences.clear();
    training.preference = Preference::default();
    let fact = Fact::noted("ERASE", training.state.name(), "").under(Rule("C07"));
    Ok(decision.fact(fact))
}

/// Takes a training to the registration that goes on (C08), with what the person brings from all others.
///
/// # Errors
/// Never where the table is whole.
pub fn unite(mut training: Training, kept: CandidateId, credit: Credit, moment: Moment) -> Result<Decision> {
    let from = training.candidate;
    training.candidate = kept;
    let fact = Fact::noted("MERGE", training.state.name(), from.to_string()).under(Rule("C08"));
    let decision = if training.state.is_open() {
        training.credit = credit;
        super::training::settle(Decision::of(training).fact(fact), moment)?
    } else {
        Decision::of(training).fact(fact)
    };
    Ok(decision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        attendance::Done,
        examples::{date, id, moment, opened, planned, selection},
    };

    #[test]
    fn m06_a_selection_opens_a_training_and_puts_the_organisations_in_touch() {
        let decision = open(id(1), selection(), Credit::default(), &[id(7), id(8)], moment("2021-02-01")).unwrap();
        assert_eq!(decision.state.state, State::Opened);
        assert_eq!(decision.events, [Event::Opened]);
        assert_eq!(decision.mails.len(), 2);
    }

    #[test]
    fn t03_somebody_trained_before_is_trained_again_at_once() {
        let credit = Credit {
            hours: 140,
            ccp1_on: Some(date("2021-06-01")),
            pix_on: Some(date("2021-06-02")),
            completed_in: Some(id(9)),
        };
        let decision = open(id(1), selection(), credit, &[id(7)], moment("2022-02-01")).unwrap();
        assert_eq!(decision.state.state, State::Completed);
        assert_eq!(decision.events, [Event::Opened, Event::Completed { hours: 140, on: date("2021-06-02") }]);
        assert!(decision.mails.is_empty());
    }

    #[test]
    fn m08_the_end_of_a_contract_stops_what_runs_and_keeps_what_is_done() {
        let mut training = planned(105);
        training.contract = Some(Contract { start: date("2021-05-01"), ended: None });
        training.done.insert(date("2021-03-08"), Done { hours: 7, version: 1 });
        let decision = contract_ended(training, date("2021-06-30"), moment("2021-07-01")).unwrap();
        assert_eq!(decision.state.state, State::Stopped);
        assert_eq!(decision.events, [Event::Stopped(StopReason::ContractEnded)]);
        assert_eq!(decision.state.hours_done(), 7);
        assert!(decision.state.seat.is_some(), "the session has begun");
    }

    #[test]
    fn m06_a_cancelled_selection_frees_a_seat_to_come() {
        let training = planned(105);
        let seat = training.seat.clone().unwrap();
        let decision = stop(training, StopReason::SelectionCancelled, moment("2021-02-15")).unwrap();
        assert_eq!(decision.state.seat, None);
        let (organisation, session) = (seat.organisation, seat.session);
        assert_eq!(decision.mails, [Mail::SeatFreed { organisation, training: decision.state.id, session }]);
        let again = stop(decision.state, StopReason::ContractEnded, moment("2021-02-16")).unwrap();
        assert!(again.facts.is_empty() && again.events.is_empty());
    }

    #[test]
    fn c07_an_erasure_drops_what_concerns_the_person_and_keeps_facts() {
        let mut training = planned(105);
        training.done.insert(date("2021-03-08"), Done { hours: 7, version: 1 });
        let decision = erase(training, moment("2021-03-09")).unwrap();
        assert_eq!(decision.state.interview, None);
        assert_eq!(decision.state.hours_done(), 7);
        assert_eq!(decision.events, [Event::Stopped(StopReason::Erased)]);
    }

    #[test]
    fn c08_a_merge_takes_a_training_to_the_registration_that_goes_on() {
        let credit = Credit { ccp1_on: Some(date("2021-01-05")), ..Credit::default() };
        let decision = unite(opened(), id(5), credit, moment("2021-02-01")).unwrap();
        assert_eq!((decision.state.candidate, decision.state.credit), (id(5), credit));
    }
}
