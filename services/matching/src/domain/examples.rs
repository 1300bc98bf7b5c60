//! Builders with sane defaults, for tests.

use conum_geo::{commune, territory_of};
use conum_kernel::{Id, Ids, id::Entity};
use jiff::civil::Date;

use super::{
    candidate::{Candidate, Quality, Reach, Sector},
    order::Called,
    structure::{Need, Seat, Structure},
};

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// An id that follows from a number.
pub(crate) fn id<T: Entity>(number: usize) -> Id<T> {
    Ids::seeded(1).mint("2021-01-01T00:00:00Z".parse().unwrap(), &number.to_string())
}

#[derive(Clone)]
pub(crate) struct CandidateBuilder(Candidate);

/// A candidate in a commune, who goes 20 km and is available.
pub(crate) fn candidate(code: &str) -> CandidateBuilder {
    let commune = commune(code).unwrap();
    CandidateBuilder(Candidate {
        id: id(0),
        registered_at: "2020-12-01T00:00:00Z".parse().unwrap(),
        commune: commune.code.into(),
        place: commune.place,
        department: commune.department.into(),
        territory: territory_of(commune.department),
        reach: Reach::Within(20),
        available_from: date("2021-01-01"),
        wished_departments: vec![],
        wished_sectors: vec![],
        offers: vec![],
        eligible: true,
        job_seeker_since: None,
    })
}

impl CandidateBuilder {
    pub(crate) fn numbered(mut self, number: usize) -> Self {
        self.0.id = id(number);
        self
    }

    pub(crate) fn within(mut self, km: u32) -> Self {
        self.0.reach = Reach::Within(km);
        self
    }

    pub(crate) fn anywhere(mut self) -> Self {
        self.0.reach = Reach::Anywhere;
        self
    }

    pub(crate) fn wishes(mut self, department: &str) -> Self {
        self.0.wished_departments.push(department.into());
        self
    }

    pub(crate) fn prefers(mut self, sector: Sector) -> Self {
        self.0.wished_sectors.push(sector);
        self
    }

    pub(crate) fn offers(mut self, quality: Quality) -> Self {
        self.0.offers.push(quality);
        self
    }

    pub(crate) fn available(mut self, day: &str) -> Self {
        self.0.available_from = date(day);
        self
    }

    pub(crate) fn job_seeker_since(mut self, day: &str) -> Self {
        self.0.job_seeker_since = Some(date(day));
        self
    }

    pub(crate) fn registered(mut self, at: &str) -> Self {
        self.0.registered_at = at.parse().unwrap();
        self
    }

    pub(crate) fn build(self) -> Candidate {
        self.0
    }
}

/// A public structure in a commune, with three places to fill by 1 April 2021.
pub(crate) fn seat(code: &str) -> Seat {
    let commune = commune(code).unwrap();
    Seat {
        structure: Structure {
            id: id(0),
            application: id(0),
            commune: commune.code.into(),
            place: commune.place,
            department: commune.department.into(),
            territory: territory_of(commune.department),
            sector: Sector::Public,
            needs: vec![],
            candidate_found: false,
        },
        needed_by: date("2021-04-01"),
        places: 3,
        called: Called::default(),
    }
}

pub(crate) fn numbered(mut seat: Seat, number: usize) -> Seat {
    seat.structure.id = id(number);
    seat
}

pub(crate) fn need(mut seat: Seat, quality: Quality, compulsory: bool) -> Seat {
    seat.structure.needs.push(Need { quality, compulsory });
    seat
}
