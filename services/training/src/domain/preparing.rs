//! What comes before a plan: what the person prefers, a seat in a session, the interview, and what the employer thinks
//! (T01, T05).

use conum_kernel::{Error, Moment, OrganisationId, Result, Rule, Violations};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Decision, Event, Mail, Training,
    choice::{self, Whereabouts},
    organisation::Organisation,
    session::Session,
    training::{Action, Seat},
};

const T01: Rule = Rule("T01");
const T05: Rule = Rule("T05");

/// On site or on line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    OnSite,
    OnLine,
}

/// What a person prefers among sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    pub mode: Option<Mode>,
    pub organisation: Option<OrganisationId>,
}

/// How far somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Beginner,
    Intermediate,
    Experienced,
}

/// What somebody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    DigitalSkills,
    Teaching,
    WelcomingThePublic,
    OnlineProcedures,
    DataProtection,
    AdaptedMaterial,
}

/// The interview that the hours rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interview {
    pub held_on: Date,
    /// When the organisation consulted the employer.
    pub employer_consulted_on: Date,
    pub level: Level,
    /// Whole hours, 105 to 420.
    pub proposed: u32,
    pub needs: Vec<Need>,
    /// Who held it; nothing where the agency recorded it.
    pub organisation: Option<OrganisationId>,
}

/// What the employer thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    Favourable,
    Unfavourable,
}

/// What the employer thinks, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmployerView {
    pub opinion: Opinion,
    pub given_on: Date,
}

/// Says what the person prefers.
///
/// # Errors
/// `WRONG_STATE`.
pub fn prefer(mut training: Training, preference: Preference) -> Result<Decision> {
    let fact = training.step(Action::Prefer, "")?;
    training.preference = preference;
    Ok(Decision::of(training).fact(fact))
}

/// Takes a seat in a session. That the seat is there is a constraint of the database too.
///
/// # Errors
/// `WRONG_STATE`, `ALREADY_ENROLLED`, or those of [`choice::possible`].
pub fn enrol(
    mut training: Training,
    session: &Session,
    organisation: &Organisation,
    whereabouts: &Whereabouts,
    moment: Moment,
) -> Result<Decision> {
    let fact = training.step(Action::Enrol, session.id.to_string())?;
    if training.seat.is_some() {
        let french = "une place est déjà prise dans une session : rendez-la d'abord";
        return Err(Error::refused(
            T05,
            "ALREADY_ENROLLED",
            "a seat is held in a session already: give it back first",
            french,
        )
        .at("session"));
    }
    choice::possible(session, organisation, whereabouts, moment.today)?;
    training.seat = Some(Seat {
        session: session.id,
        organisation: session.organisation,
        department: session.site.as_ref().map(|site| site.department.clone()),
        starts_on: session.starts_on,
        ends_on: session.ends_on,
    });
    let mail = Mail::SeatTaken { organisation: session.organisation, training: training.id, session: session.id };
    Ok(Decision::of(training).fact(fact).mail(mail))
}

/// Gives a seat back before its session begins; a plan that rests on it falls.
///
/// # Errors
/// `WRONG_STATE`, `NOT_ENROLLED`, `SESSION_BEGUN`.
pub fn leave(mut training: Training, moment: Moment) -> Result<Decision> {
    let Some(seat) = training.seat.clone() else {
        training.step(Action::LeaveSession, "")?;
        let french = "aucune place n'est prise dans une session";
        return Err(Error::refused(T05, "NOT_ENROLLED", "no seat is held in a session", french).at("name"));
    };
    let fact = training.step(Action::LeaveSession, seat.session.to_string())?;
    if seat.starts_on <= moment.today {
        let french = "cette session a commencé";
        return Err(Error::refused(T05, "SESSION_BEGUN", "this session has begun", french).at("name"));
    }
    let decision = free_seat(Decision::of(training).fact(fact), moment);
    unplan(decision)
}

/// Loses the seat of a session that is cancelled.
///
/// # Errors
/// Never where the table is whole.
pub fn lose_seat(training: Training) -> Result<Decision> {
    let fact = conum_kernel::Fact::noted(
        "LOSE_SEAT",
        conum_kernel::Machine::name(training.state),
        training.seat.as_ref().map(|seat| seat.session.to_string()).unwrap_or_default(),
    )
    .under(T05);
    let mut decision = Decision::of(training).fact(fact);
    decision.state.seat = None;
    unplan(decision)
}

/// Drops the plan in force, if any, and tells it: it rested on a seat. What is complete rests on nothing any more.
fn unplan(mut decision: Decision) -> Result<Decision> {
    if !decision.state.state.is_open() || decision.state.plan.take().is_none() {
        return Ok(decision);
    }
    let fact = decision.state.step(Action::Unplan, "")?;
    Ok(decision.fact(fact).event(Event::Unplanned))
}

/// Frees the seat in a session to come. One in a session that has begun stays taken.
pub(crate) fn free_seat(mut decision: Decision, moment: Moment) -> Decision {
    let training = &mut decision.state;
    let Some(seat) = training.seat.take_if(|seat| seat.starts_on > moment.today) else { return decision };
    let mail = Mail::SeatFreed { organisation: seat.organisation, training: training.id, session: seat.session };
    decision.mail(mail)
}

/// Records the interview. Until a plan is settled it can be recorded again.
///
/// # Errors
/// `WRONG_STATE`; `IN_THE_FUTURE` for a day to come.
pub fn record_interview(mut training: Training, interview: Interview, moment: Moment) -> Result<Decision> {
    let fact = training.step(Action::RecordInterview, "")?;
    let mut wrong = Violations::default();
    let days = [("held_on", interview.held_on), ("employer_consulted_on", interview.employer_consulted_on)];
    for (field, _) in days.into_iter().filter(|(_, day)| *day > moment.today) {
        let french = "ce jour n'est pas encore venu";
        wrong.breaks(T01, format!("interview.{field}"), "IN_THE_FUTURE", "this day has not come yet", french);
    }
    wrong.check()?;
    training.interview = Some(interview);
    Ok(Decision::of(training).fact(fact))
}

/// Records what the employer thinks. It is kept, and decides nothing.
///
/// # Errors
/// `WRONG_STATE`.
pub fn record_view(mut training: Training, opinion: Opinion, moment: Moment) -> Result<Decision> {
    let why = match opinion {
        Opinion::Favourable => "FAVOURABLE",
        Opinion::Unfavourable => "UNFAVOURABLE",
    };
    let fact = training.step(Action::RecordEmployerView, why)?;
    training.employer_view = Some(EmployerView { opinion, given_on: moment.today });
    Ok(Decision::of(training).fact(fact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examples::{id, interview, moment, opened, organisation, planned, session, whereabouts},
        training::State,
    };

    fn enrolled() -> Training {
        let taken =
            enrol(opened(), &session("69123"), &organisation(&["69"]), &whereabouts("69266"), moment("2021-02-01"));
        taken.unwrap().state
    }

    #[test]
    fn t05_one_seat_at_a_time() {
        let again =
            enrol(enrolled(), &session("69123"), &organisation(&["69"]), &whereabouts("69266"), moment("2021-02-01"));
        assert_eq!(again.unwrap_err().reason(), "ALREADY_ENROLLED");
        assert_eq!(leave(opened(), moment("2021-02-01")).unwrap_err().reason(), "NOT_ENROLLED");
    }

    #[test]
    fn t05_a_seat_is_given_back_until_its_session_begins_and_the_plan_falls_with_it() {
        let left = leave(planned(105), moment("2021-03-07")).unwrap();
        assert_eq!((left.state.seat, left.state.plan, left.state.state), (None, None, State::Opened));
        assert_eq!((left.events, left.mails.len()), (vec![Event::Unplanned], 1));
        let lost = lose_seat(planned(105)).unwrap();
        assert_eq!((lost.events, lost.state.state), (vec![Event::Unplanned], State::Opened));
        assert_eq!(leave(planned(105), moment("2021-03-08")).unwrap_err().reason(), "SESSION_BEGUN");
    }

    #[test]
    fn t05_a_session_to_come_can_be_cancelled_for_who_has_completed_the_training_already() {
        let mut done = planned(105);
        done.state = State::Completed;
        let lost = lose_seat(done.clone()).unwrap();
        assert_eq!((lost.state.seat, lost.state.plan, lost.state.state), (None, done.plan, State::Completed));
    }

    #[test]
    fn t01_an_interview_is_held_and_the_employer_consulted_before_it_is_recorded() {
        let refused = record_interview(opened(), interview(), moment("2021-01-01")).unwrap_err();
        assert_eq!((refused.reason(), refused.rule()), ("IN_THE_FUTURE", Some(T01)));
        assert_eq!(refused.violations().len(), 2);
        let recorded = record_interview(opened(), interview(), moment("2021-02-01")).unwrap();
        assert_eq!(recorded.state.interview, Some(interview()));
    }

    #[test]
    fn t01_an_unfavourable_view_is_kept_and_stops_nothing() {
        let viewed = record_view(planned(105), Opinion::Unfavourable, moment("2021-02-20")).unwrap();
        assert_eq!(viewed.state.employer_view.map(|view| view.opinion), Some(Opinion::Unfavourable));
        assert_eq!(viewed.state.state, State::Planned);
    }

    #[test]
    fn t05_a_preference_is_said_before_the_plan() {
        let preference = Preference { mode: Some(Mode::OnLine), organisation: Some(id(7)) };
        assert_eq!(prefer(opened(), preference).unwrap().state.preference, preference);
        assert_eq!(prefer(planned(105), preference).unwrap_err().rule(), Some(T05));
    }
}
