//! Which sessions a person can be enrolled in, and in which order (T05): what the person prefers, then what is near, then
//! on line; what is far comes last. No session on site is across the sea (C04).

use conum_geo::{Place, Territory, distance_m, resolve, territory_of};
use conum_kernel::{Error, Result, Rule, SessionId};
use jiff::civil::Date;

use super::{
    organisation::Organisation,
    preparing::{Mode, Preference},
    session::{Session, Site, State},
};

const T05: Rule = Rule("T05");
const C04: Rule = Rule("C04");

/// Where a person is: at home, and where the structure is.
#[derive(Clone, Debug, PartialEq)]
pub struct Whereabouts {
    /// Nothing where the person's place is not known any more.
    pub home: Option<Spot>,
    pub work: Spot,
}

/// A place with its department.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// INSEE code.
    pub department: String,
    pub place: Option<Place>,
}

impl Spot {
    /// The centre of a commune.
    #[must_use]
    pub fn of(department: &str, commune: &str) -> Self {
        let place = resolve(commune).commune().and_then(|commune| commune.place);
        Self { department: department.into(), place }
    }

    #[must_use]
    pub fn territory(&self) -> Option<Territory> {
        territory_of(&self.department)
    }
}

impl Whereabouts {
    /// The codes of the territories that need no crossing.
    #[must_use]
    pub fn territories(&self) -> Vec<&'static str> {
        let mut codes: Vec<_> = self.spots().filter_map(Spot::territory).map(Territory::code).collect();
        codes.dedup();
        codes
    }

    fn spots(&self) -> impl Iterator<Item = &Spot> {
        self.home.iter().chain([&self.work])
    }

    /// Where a session's distance is measured from: home, or the structure where home is across the sea.
    fn towards(&self, site: &Site) -> Option<&Spot> {
        self.spots().find(|spot| spot.territory().is_some() && spot.territory() == site.territory())
    }
}

/// Why a session stands where it does, in the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    Preferred,
    Near,
    OnLine,
    Far,
}

/// A session that a person can be enrolled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    pub session: Session,
    pub reason: Reason,
    /// Metres between the communes' centres; nothing on line, or where a centre is not known.
    pub distance_m: Option<u32>,
}

impl Ranked {
    /// What it is ranked by, as text that sorts the same.
    #[must_use]
    pub fn key(&self) -> String {
        let (reason, metres) = (self.reason as u8, self.distance_m.unwrap_or(u32::MAX));
        format!("{reason}/{metres:010}/{}/{}", self.session.starts_on, self.session.id)
    }
}

/// Whether a person can be enrolled in a session, and how far it is.
///
/// # Errors
/// `SESSION_CANCELLED`, `SESSION_PAST`, `REGISTRATION_CLOSED`, `SESSION_FULL`, `OTHER_SEA`, `NOT_IN_A_LOT`.
pub fn possible(
    session: &Session,
    organisation: &Organisation,
    whereabouts: &Whereabouts,
    today: Date,
) -> Result<Option<u32>> {
    let refused = |rule, reason, english: &'static str, french: &'static str| {
        Err(Error::refused(rule, reason, english, french).at("session"))
    };
    if session.state == State::Cancelled {
        return refused(T05, "SESSION_CANCELLED", "this session is cancelled", "cette session est annulée");
    }
    if session.starts_on <= today {
        return refused(T05, "SESSION_PAST", "this session has begun", "cette session a commencé");
    }
    if session.deadline < today {
        let english = "registration to this session is closed";
        return refused(T05, "REGISTRATION_CLOSED", english, "les inscriptions à cette session sont closes");
    }
    if session.taken >= session.capacity {
        return Err(full(session.id));
    }
    let distance = match &session.site {
        None => None,
        Some(site) => {
            let Some(from) = whereabouts.towards(site) else {
                let english = "this session is across the sea";
                return refused(C04, "OTHER_SEA", english, "cette session a lieu de l'autre côté de la mer");
            };
            from.place.zip(site.place()).map(|(from, to)| distance_m(from, to))
        }
    };
    let in_a_lot = match &session.site {
        Some(site) => organisation.trains_in(&site.department, session.starts_on),
        None => organisation.trains_on(session.starts_on),
    };
    if !in_a_lot {
        let english = "the organisation holds no lot there on the first day";
        return refused(T05, "NOT_IN_A_LOT", english, "l'organisme n'est titulaire d'aucun lot à cet endroit");
    }
    Ok(distance)
}

/// The refusal of a session without room.
#[must_use]
pub fn full(session: SessionId) -> Error {
    Error::refused(T05, "SESSION_FULL", "this session is full", "cette session est complète")
        .at("session")
        .with("session", session)
}

/// The sessions that a person can be enrolled in, best first; equal ones by first day and id. On line comes where nothing
/// near has room, or where it is preferred.
#[must_use]
pub fn rank<'a>(
    sessions: impl IntoIterator<Item = (Session, &'a Organisation)>,
    whereabouts: &Whereabouts,
    preference: Preference,
    near_km: u32,
    today: Date,
) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = Vec::new();
    for (session, organisation) in sessions {
        if let Ok(distance_m) = possible(&session, organisation, whereabouts, today) {
            let reason = reason(&session, preference, whereabouts, distance_m, near_km);
            ranked.push(Ranked { session, reason, distance_m });
        }
    }
    let on_site_near = |ranked: &Ranked| {
        let Some(site) = &ranked.session.site else { return false };
        is_near(site, whereabouts, ranked.distance_m, near_km)
    };
    if ranked.iter().any(on_site_near) {
        ranked.retain(|session| session.reason != Reason::OnLine);
    }
    ranked.sort_by_cached_key(Ranked::key);
    ranked
}

fn reason(
    session: &Session,
    preference: Preference,
    whereabouts: &Whereabouts,
    distance_m: Option<u32>,
    near_km: u32,
) -> Reason {
    let mode = if session.site.is_some() { Mode::OnSite } else { Mode::OnLine };
    let wanted = preference.organisation.is_none_or(|organisation| organisation == session.organisation)
        && preference.mode.is_none_or(|wanted| wanted == mode);
    // A preferred organisation or being on line is a choice; being on site is what is offered anyhow.
    let chosen = preference.organisation.is_some() || preference.mode == Some(Mode::OnLine);
    match &session.site {
        _ if wanted && chosen => Reason::Preferred,
        None => Reason::OnLine,
        Some(site) if is_near(site, whereabouts, distance_m, near_km) => Reason::Near,
        Some(_) => Reason::Far,
    }
}

/// Within the kilometres of the policy; where a centre is not known, in the same department.
fn is_near(site: &Site, whereabouts: &Whereabouts, distance_m: Option<u32>, near_km: u32) -> bool {
    match distance_m {
        Some(metres) => metres <= near_km.saturating_mul(1000),
        None => whereabouts.towards(site).is_some_and(|spot| spot.department == site.department),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::{date, id, on_line, organisation, session, whereabouts};

    fn refused(session: &Session, commune: &str, today: &str) -> (&'static str, Option<Rule>) {
        let organisation = organisation(&["69", "974"]);
        let error = possible(session, &organisation, &whereabouts(commune), date(today)).unwrap_err();
        assert_eq!(error.violations()[0].field, "session");
        (error.reason(), error.rule())
    }

    #[test]
    fn t05_a_session_that_is_full_past_closed_or_cancelled_is_refused() {
        let base = session("69123");
        let full = Session { taken: base.capacity, ..base.clone() };
        assert_eq!(refused(&full, "69266", "2021-02-01"), ("SESSION_FULL", Some(T05)));
        assert_eq!(refused(&base, "69266", "2021-03-08"), ("SESSION_PAST", Some(T05)));
        assert_eq!(refused(&base, "69266", "2021-03-02"), ("REGISTRATION_CLOSED", Some(T05)));
        let cancelled = Session { state: State::Cancelled, ..base };
        assert_eq!(refused(&cancelled, "69266", "2021-02-01"), ("SESSION_CANCELLED", Some(T05)));
    }

    #[test]
    fn t05_c04_a_session_across_the_sea_is_refused_and_one_on_line_is_not() {
        assert_eq!(refused(&session("97411"), "69266", "2021-02-01"), ("OTHER_SEA", Some(C04)));
        let on_line = possible(&on_line(), &organisation(&["974"]), &whereabouts("69266"), date("2021-02-01"));
        assert_eq!(on_line, Ok(None));
        // Somebody who is recruited across the sea trains where the structure is.
        let mut gone = whereabouts("69266");
        gone.work = Spot::of("974", "97411");
        let there = possible(&session("97411"), &organisation(&["974"]), &gone, date("2021-02-01"));
        assert_eq!(there, Ok(Some(0)));
    }

    #[test]
    fn t05_an_organisation_without_a_lot_there_any_more_is_refused() {
        let organisation = organisation(&["38"]);
        let error = possible(&session("69123"), &organisation, &whereabouts("69266"), date("2021-02-01"));
        assert_eq!(error.unwrap_err().reason(), "NOT_IN_A_LOT");
    }

    fn ranking(sessions: &[Session], preference: Preference) -> Vec<(SessionId, Reason)> {
        let organisation = organisation(&["69", "59", "974"]);
        let sessions = sessions.iter().map(|session| (session.clone(), &organisation));
        let ranked = rank(sessions, &whereabouts("69266"), preference, 100, date("2021-02-01"));
        ranked.into_iter().map(|ranked| (ranked.session.id, ranked.reason)).collect()
    }

    fn numbered(session: Session, number: usize) -> Session {
        Session { id: id(number), ..session }
    }

    #[test]
    fn t05_the_nearest_comes_first_and_on_line_only_where_nothing_near_has_room() {
        let (near, lille, on_line) =
            (numbered(session("69123"), 1), numbered(session("59350"), 2), numbered(on_line(), 3));
        let island = numbered(session("97411"), 4);
        let all = [lille.clone(), on_line.clone(), near.clone(), island];
        assert_eq!(ranking(&all, Preference::default()), [(near.id, Reason::Near), (lille.id, Reason::Far)]);
        let full = Session { taken: near.capacity, ..near };
        let expected = [(on_line.id, Reason::OnLine), (lille.id, Reason::Far)];
        assert_eq!(ranking(&[lille, on_line, full], Preference::default()), expected);
    }

    #[test]
    fn t05_what_the_person_prefers_comes_before_what_is_near() {
        let (near, on_line) = (numbered(session("69123"), 1), numbered(on_line(), 2));
        let preference = Preference { mode: Some(Mode::OnLine), organisation: None };
        let expected = [(on_line.id, Reason::Preferred), (near.id, Reason::Near)];
        assert_eq!(ranking(&[near.clone(), on_line], preference), expected);
        let other = Session { organisation: id(9), ..numbered(session("59350"), 3) };
        let preference = Preference { mode: None, organisation: Some(id(9)) };
        assert_eq!(ranking(&[near, other.clone()], preference)[0], (other.id, Reason::Preferred));
    }
}
