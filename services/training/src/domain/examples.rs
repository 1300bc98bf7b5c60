//! Values with sane defaults, for tests.

use conum_kernel::{Id, Ids, Moment, id::Entity};
use jiff::civil::Date;

use super::{
    Settings, Training,
    attendance::Done,
    beside::Sector,
    calendar::{PlannedDay, propose},
    choice::{Spot, Whereabouts},
    credit::Credit,
    opening::{self, Selection},
    organisation::{self, Contact, Declared, Lot, Organisation},
    plan::Plan,
    preparing::{Interview, Level, Need},
    session::{Session, Site, State as SessionState},
    training::{Seat, State},
};

pub(crate) const SETTINGS: Settings = Settings {
    retakes: 2,
    pix_after_hours: true,
    near_km: 100,
    private_in_months: true,
    vae_open: false,
    daily_hours: 7,
};

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// Noon of a day.
pub(crate) fn moment(day: &str) -> Moment {
    Moment::at(format!("{day}T11:00:00Z").parse().unwrap())
}

/// An id that follows from a number.
pub(crate) fn id<T: Entity>(number: usize) -> Id<T> {
    Ids::seeded(1).mint("2021-01-01T00:00:00Z".parse().unwrap(), &number.to_string())
}

/// An organisation as it is declared, with one lot in some departments.
pub(crate) fn declared(departments: &[&str]) -> Declared {
    Declared {
        display_name: "Formations du Rhône".into(),
        contact: Contact {
            full_name: "Camille Martin".into(),
            email: "camille@formation.example".into(),
            phone: String::new(),
        },
        lots: vec![Lot {
            number: "4".into(),
            departments: departments.iter().map(ToString::to_string).collect(),
            valid_from: date("2020-12-01"),
            valid_until: date("2024-11-30"),
        }],
        france_services: false,
    }
}

pub(crate) fn organisation(departments: &[&str]) -> Organisation {
    organisation::check(id(7), declared(departments)).unwrap()
}

/// A session on site from 8 March to 28 May 2021, with 12 seats.
pub(crate) fn session(commune: &str) -> Session {
    let commune = conum_geo::commune(commune).unwrap();
    Session {
        id: id(0),
        organisation: id(7),
        site: Some(Site { commune: commune.code.into(), department: commune.department.into() }),
        starts_on: date("2021-03-08"),
        ends_on: date("2021-05-28"),
        deadline: date("2021-03-01"),
        capacity: 12,
        taken: 0,
        state: SessionState::Open,
        cancel_reason: None,
    }
}

pub(crate) fn on_line() -> Session {
    Session { site: None, ..session("69123") }
}

/// Somebody who lives in a commune and is recruited there.
pub(crate) fn whereabouts(commune: &str) -> Whereabouts {
    let commune = conum_geo::commune(commune).unwrap();
    let spot = Spot::of(commune.department, commune.code);
    Whereabouts { home: Some(spot.clone()), work: spot }
}

pub(crate) fn selection() -> Selection {
    Selection {
        recruitment: id(2),
        candidate: id(3),
        structure: id(4),
        application: id(5),
        post: id(6),
        department: "69".into(),
        commune: "69123".into(),
        sector: Sector::Public,
    }
}

pub(crate) fn opened() -> Training {
    opening::open(id(1), selection(), Credit::default(), &[], moment("2021-02-01")).unwrap().state
}

pub(crate) fn interview() -> Interview {
    Interview {
        held_on: date("2021-02-01"),
        employer_consulted_on: date("2021-02-01"),
        level: Level::Intermediate,
        proposed: 105,
        needs: vec![Need::Teaching],
        organisation: Some(id(7)),
    }
}

/// Enrolled in [`session`] of Lyon, and interviewed.
pub(crate) fn interviewed() -> Training {
    let session = session("69123");
    let seat = Seat {
        session: session.id,
        organisation: session.organisation,
        department: session.site.map(|site| site.department),
        starts_on: session.starts_on,
        ends_on: session.ends_on,
    };
    Training { seat: Some(seat), interview: Some(interview()), ..opened() }
}

/// Hours on Lyon's working days from a day on, 7 on each.
pub(crate) fn days(from: &str, hours: u32) -> Vec<PlannedDay> {
    propose("69", date(from), date("2022-12-31"), hours, 7).unwrap()
}

/// Planned from 8 March 2021 on.
pub(crate) fn planned(hours: u32) -> Training {
    let training = interviewed();
    let session = training.seat.as_ref().map(|seat| seat.session);
    let plan = Plan {
        version: 1,
        hours,
        initial: days("2021-03-08", hours),
        continuing: vec![],
        session,
        settled_on: date("2021-02-20"),
        agreed_on: None,
    };
    Training { plan: Some(plan), plans: 1, state: State::Planned, ..training }
}

pub(crate) fn with_hours_done(hours: u32) -> Training {
    let mut training = planned(hours);
    for planned in days("2021-03-08", hours) {
        training.done.insert(planned.day, Done { hours: planned.hours, version: 1 });
    }
    training
}
