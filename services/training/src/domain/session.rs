//! Sessions of training organisations: where, when, how many seats (T05).

use conum_geo::{Place, Territory, resolve, territory_of};
use conum_kernel::{Error, Fact, Machine, Moment, OrganisationId, Result, Rule, SessionId, Violations};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::organisation::Organisation;

const T05: Rule = Rule("T05");
/// The most seats of one session.
pub const MOST_SEATS: u32 = 500;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub organisation: OrganisationId,
    /// Where it takes place; nothing for a session on line.
    pub site: Option<Site>,
    pub starts_on: Date,
    /// The last day.
    pub ends_on: Date,
    /// Until when, that day included, a seat can be taken.
    pub deadline: Date,
    pub capacity: u32,
    pub taken: u32,
    pub state: State,
    /// UPPER_SNAKE_CASE, from the contract's list.
    pub cancel_reason: Option<String>,
}

/// The commune of a session on site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// INSEE codes.
    pub commune: String,
    pub department: String,
}

impl Site {
    #[must_use]
    pub fn territory(&self) -> Option<Territory> {
        territory_of(&self.department)
    }

    #[must_use]
    pub fn place(&self) -> Option<Place> {
        resolve(&self.commune).commune().and_then(|commune| commune.place)
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Open,
    Cancelled,
}

/// What may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Change,
    Cancel,
}

impl Machine for State {
    type Action = Action;

    const TABLE: &'static [(Self, Action, Self)] =
        &[(Self::Open, Action::Change, Self::Open), (Self::Open, Action::Cancel, Self::Cancelled)];

    fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Cancelled => "CANCELLED",
        }
    }

    fn action_name(action: Action) -> &'static str {
        match action {
            Action::Change => "CHANGE",
            Action::Cancel => "CANCEL",
        }
    }

    fn rule(_: Action) -> Rule {
        T05
    }
}

/// What is said of a session, not checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub on_line: bool,
    /// INSEE code, of today or of the past; empty on line.
    pub commune: String,
    pub starts_on: Date,
    pub ends_on: Date,
    pub deadline: Date,
    pub capacity: u32,
}

/// Opens a session.
///
/// # Errors
/// Every wrong field at once: `UNKNOWN_COMMUNE`, `COMMUNE_ON_LINE`, `SESSION_PAST`, `ENDS_BEFORE_START`,
/// `DEADLINE_AFTER_START`, `CAPACITY_OUT_OF_BOUNDS`, `NOT_IN_A_LOT`.
pub fn open(
    id: SessionId,
    organisation: &Organisation,
    declared: &Declared,
    moment: Moment,
) -> Result<(Session, Fact)> {
    let mut wrong = Violations::default();
    if declared.starts_on <= moment.today {
        let french = "la session doit commencer après aujourd'hui";
        wrong.breaks(T05, "session.starts_on", "SESSION_PAST", "a session begins after today", french);
    }
    let site = check(&mut wrong, organisation, declared);
    wrong.check()?;
    let session = Session {
        id,
        organisation: organisation.id,
        site,
        starts_on: declared.starts_on,
        ends_on: declared.ends_on,
        deadline: declared.deadline,
        capacity: declared.capacity,
        taken: 0,
        state: State::Open,
        cancel_reason: None,
    };
    Ok((session, Fact { action: "OPEN", from: "", to: State::Open.name(), why: String::new(), rule: Some(T05) }))
}

/// Changes an open session. Where seats are taken, place and days stay.
///
/// # Errors
/// `WRONG_STATE`, `SEATS_TAKEN`, `CAPACITY_BELOW_SEATS`, or those of [`open`].
pub fn change(
    session: &Session,
    organisation: &Organisation,
    declared: &Declared,
    moment: Moment,
) -> Result<(Session, Fact)> {
    let (_, fact) = session.state.step(Action::Change, "")?;
    let mut wrong = Violations::default();
    if session.starts_on != declared.starts_on && declared.starts_on <= moment.today {
        let french = "la session doit commencer après aujourd'hui";
        wrong.breaks(T05, "session.starts_on", "SESSION_PAST", "a session begins after today", french);
    }
    if declared.capacity < session.taken {
        let french = "il y a déjà plus de places prises";
        wrong.breaks(T05, "session.capacity", "CAPACITY_BELOW_SEATS", "more seats are taken already", french);
    }
    let site = check(&mut wrong, organisation, declared);
    let moved = site != session.site || (declared.starts_on, declared.ends_on) != (session.starts_on, session.ends_on);
    if moved && session.taken > 0 {
        return Err(Error::refused(
            T05,
            "SEATS_TAKEN",
            "place and days of a session stay while seats are taken",
            "le lieu et les dates d'une session restent fixes dès qu'une place est prise",
        )
        .at("session"));
    }
    wrong.check()?;
    let changed = Session {
        site,
        starts_on: declared.starts_on,
        ends_on: declared.ends_on,
        deadline: declared.deadline,
        capacity: declared.capacity,
        ..session.clone()
    };
    Ok((changed, fact))
}

/// Checks what is said of a session, and finds its place.
fn check(wrong: &mut Violations, organisation: &Organisation, declared: &Declared) -> Option<Site> {
    let site = resolve(&declared.commune)
        .commune()
        .map(|commune| Site { commune: commune.code.into(), department: commune.department.into() });
    if declared.on_line && !declared.commune.is_empty() {
        let french = "une session en ligne n'a pas de commune";
        wrong.breaks(T05, "session.commune", "COMMUNE_ON_LINE", "a session on line has no commune", french);
    }
    if !declared.on_line && site.is_none() {
        let french = "un code INSEE de commune est attendu";
        wrong.add("session.commune", "UNKNOWN_COMMUNE", "the INSEE code of a commune is expected", french);
    }
    if declared.ends_on < declared.starts_on {
        let french = "la session prend fin avant de commencer";
        wrong.breaks(T05, "session.ends_on", "ENDS_BEFORE_START", "the session ends before it begins", french);
    }
    if declared.deadline > declared.starts_on {
        wrong.breaks(
            T05,
            "session.registration_deadline",
            "DEADLINE_AFTER_START",
            "the deadline comes after the first day",
            "la date limite d'inscription est postérieure au premier jour",
        );
    }
    if !(1..=MOST_SEATS).contains(&declared.capacity) {
        let french = "une session a de 1 à 500 places";
        wrong.breaks(T05, "session.capacity", "CAPACITY_OUT_OF_BOUNDS", "a session has 1 to 500 seats", french);
    }
    let site = site.filter(|_| !declared.on_line);
    let in_a_lot = match &site {
        Some(site) => organisation.trains_in(&site.department, declared.starts_on),
        None => organisation.trains_on(declared.starts_on),
    };
    if !in_a_lot {
        wrong.breaks(
            T05,
            "session.organisation",
            "NOT_IN_A_LOT",
            "the organisation holds no lot there on the first day",
            "l'organisme n'est titulaire d'aucun lot à cet endroit le premier jour",
        );
    }
    site
}

/// Cancels a session that has not begun. `reason` is a listed one.
///
/// # Errors
/// `WRONG_STATE`, `SESSION_BEGUN`.
pub fn cancel(session: &Session, reason: &str, moment: Moment) -> Result<(Session, Fact)> {
    let (state, fact) = session.state.step(Action::Cancel, reason)?;
    if session.starts_on <= moment.today {
        let french = "cette session a commencé";
        return Err(Error::refused(T05, "SESSION_BEGUN", "this session has begun", french).at("name"));
    }
    Ok((Session { state, cancel_reason: Some(reason.to_owned()), taken: 0, ..session.clone() }, fact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::{date, id, moment, organisation, session};

    fn said() -> Declared {
        Declared {
            on_line: false,
            commune: "69123".into(),
            starts_on: date("2021-03-08"),
            ends_on: date("2021-05-28"),
            deadline: date("2021-03-01"),
            capacity: 12,
        }
    }

    fn reasons(declared: &Declared) -> Vec<&'static str> {
        let error = open(id(1), &organisation(&["69"]), declared, moment("2021-02-01")).unwrap_err();
        error.violations().iter().map(|violation| violation.reason).collect()
    }

    #[test]
    fn t05_a_session_has_a_place_or_is_on_line() {
        assert_eq!(reasons(&Declared { commune: "00000".into(), ..said() }), ["UNKNOWN_COMMUNE"]);
        assert_eq!(reasons(&Declared { on_line: true, ..said() }), ["COMMUNE_ON_LINE"]);
        let on_line = Declared { on_line: true, commune: String::new(), ..said() };
        let (opened, _) = open(id(1), &organisation(&["69"]), &on_line, moment("2021-02-01")).unwrap();
        assert_eq!(opened.site, None);
    }

    #[test]
    fn t05_a_session_has_days_to_come_a_deadline_before_them_and_seats() {
        let odd = Declared {
            starts_on: date("2021-02-01"),
            ends_on: date("2021-01-31"),
            deadline: date("2021-02-02"),
            capacity: 0,
            ..said()
        };
        let expected = ["SESSION_PAST", "ENDS_BEFORE_START", "DEADLINE_AFTER_START", "CAPACITY_OUT_OF_BOUNDS"];
        assert_eq!(reasons(&odd), expected);
    }

    #[test]
    fn t05_a_session_is_in_a_lot_of_its_organisation() {
        assert_eq!(reasons(&Declared { commune: "38185".into(), ..said() }), ["NOT_IN_A_LOT"]);
        let late = Declared { starts_on: date("2031-03-10"), ends_on: date("2031-04-10"), ..said() };
        assert_eq!(reasons(&late), ["NOT_IN_A_LOT"]);
    }

    #[test]
    fn t05_place_and_days_stay_while_seats_are_taken() {
        let taken = Session { taken: 2, ..session("69123") };
        let organisation = organisation(&["69"]);
        let reason = |declared: &Declared| {
            change(&taken, &organisation, declared, moment("2021-02-01")).map(|_| ()).map_err(|error| error.reason())
        };
        assert_eq!(reason(&said()), Ok(()));
        assert_eq!(reason(&Declared { commune: "69266".into(), ..said() }), Err("SEATS_TAKEN"));
        assert_eq!(reason(&Declared { capacity: 1, ..said() }), Err("CAPACITY_BELOW_SEATS"));
    }

    #[test]
    fn t05_a_session_that_has_begun_is_not_cancelled() {
        let session = session("69123");
        assert_eq!(cancel(&session, "X", moment("2021-03-08")).unwrap_err().reason(), "SESSION_BEGUN");
        let (cancelled, _) = cancel(&session, "X", moment("2021-03-07")).unwrap();
        assert_eq!(cancel(&cancelled, "X", moment("2021-03-07")).unwrap_err().reason(), "WRONG_STATE");
    }
}
