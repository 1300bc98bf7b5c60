//! The cast as the engine sees it, on the first day on which everybody has come.
//!
//! All who apply are served: what is granted depends on opinions and committees, which only a season that is played has.

use conum_engine::{Market, Person, Reach, Rounding, Share, Vacancy, Weights};
use conum_geo::{Commune, Territory, commune, communes, departments};
use conum_kernel::dates::{add_days, days_between};
use conum_proto::{
    applications::v1::{Application, Need, StructureKind, need},
    candidates::v1::{Background, Candidate, SectorWish, Wishes},
};
use conum_service::wire;
use jiff::civil::Date;

use crate::demo::{
    cast::{self, Map},
    chance::Chance,
    season::{BEGINNING, LAST_REGISTRATION, Scale, day_of},
};

/// Live introductions of a structure, and of a candidate at most: M02's defaults.
const LIVE: u32 = 3;

/// A market, and what the engine needs not know of it.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) market: Market,
    /// The day on which each structure applied.
    pub(crate) applied: Vec<i64>,
    /// The names of departments, by their numbers in the market.
    pub(crate) departments: Vec<&'static str>,
}

impl Scene {
    /// Draws the cast of a season.
    #[must_use]
    pub(crate) fn of_cast(seed: u64, scale: &Scale) -> Self {
        let (map, chance, today) = (Map::new(), Chance::new(seed), scale.complete_on());
        let mut people = Vec::with_capacity(scale.candidates);
        for day in 0..=LAST_REGISTRATION {
            for number in people.len()..scale.registered_by(day) {
                people.push(person(&cast::candidate(&map, &chance, number, date(day)), number, day));
            }
        }
        let applied: Vec<_> = (0..scale.structures).map(|structure| scale.applies_on(&chance, structure)).collect();
        let vacancy = |(number, day): (usize, &i64)| {
            vacancy(&cast::application(&map, &chance, number, date(*day)), number, date(today))
        };
        let vacancies = applied.iter().enumerate().map(vacancy).collect();
        Self {
            market: market(people, vacancies, on_scale(today)),
            applied,
            departments: departments().iter().map(|department| department.name).collect(),
        }
    }

    /// The same structures with one candidate in so many.
    #[must_use]
    pub(crate) fn one_in(&self, among: u32) -> Self {
        let mut scene = self.clone();
        scene.market.people.retain(|person| person.id.is_multiple_of(among.into()));
        scene
    }
}

/// M01's default order: distance alone.
pub(crate) fn market(people: Vec<Person>, vacancies: Vec<Vacancy>, today: i32) -> Market {
    Market { people, vacancies, weights: Weights::DISTANCE, rounding: Rounding::Metre, share: Share::default(), today }
}

fn person(candidate: &Candidate, number: usize, registered: i64) -> Person {
    let home = commune(&candidate.commune);
    let reach = candidate.reach.unwrap_or_default();
    let no_wishes = Wishes::default();
    let wishes = candidate.wishes.as_ref().unwrap_or(&no_wishes);
    Person {
        place: home.and_then(|home| home.place),
        reach: if reach.anywhere { Reach::Anywhere } else { Reach::Within(f64::from(reach.max_km) * 1000.0) },
        region: home.map_or(0, region),
        commune: home.map_or(0, commune_number),
        wishes: wishes.departments.iter().map(|code| department_number(code)).collect(),
        kinds: wishes.sectors().fold(0, |kinds, sector| kinds | wished(sector)),
        offers: offers(candidate.background.as_ref()),
        available: wire::date("available_from", candidate.available_from.as_ref())
            .ok()
            .flatten()
            .map_or(0, |day| days_between(BEGINNING, day)),
        room: LIVE,
        member: false,
        since: registered,
        id: identity(number),
    }
}

fn vacancy(application: &Application, number: usize, today: Date) -> Vacancy {
    let profile = application.profile.clone().unwrap_or_default();
    let site = commune(&profile.commune);
    let dates = application
        .posts
        .iter()
        .filter_map(|post| wire::date("wished_start_date", post.wished_start_date.as_ref()).ok().flatten());
    let asked = |compulsory| application.needs.iter().filter(move |need| need.compulsory == compulsory);
    Vacancy {
        place: site.and_then(|site| site.place),
        region: site.map_or(0, region),
        commune: site.map_or(0, commune_number),
        department: site.map_or(0, |site| department_number(site.department)),
        kind: sector(profile.kind()),
        compulsory: qualities(asked(true)),
        liked: qualities(asked(false)),
        // M01: by the earliest post's date, or by today when that is past.
        needed_by: on_scale(day_of(dates.min().unwrap_or(today).max(today))),
        places: LIVE,
        introduced: Vec::new(),
        called: (0, 0),
        id: identity(number),
    }
}

const PUBLIC: u8 = 1;
const PRIVATE: u8 = 2;
const EXPERIENCE: u8 = 1;
const QUALIFICATION: u8 = 2;
const DRIVING_LICENCE: u8 = 4;

fn sector(kind: StructureKind) -> u8 {
    match kind {
        StructureKind::LocalAuthority | StructureKind::PublicBody | StructureKind::Public => PUBLIC,
        _ => PRIVATE,
    }
}

fn wished(sector: SectorWish) -> u8 {
    match sector {
        SectorWish::Unspecified => 0,
        SectorWish::Public => PUBLIC,
        SectorWish::Private => PRIVATE,
    }
}

fn qualities<'a>(needs: impl Iterator<Item = &'a Need>) -> u8 {
    let quality = |need: &Need| match need.kind() {
        need::Kind::Unspecified => 0,
        need::Kind::Experience => EXPERIENCE,
        need::Kind::Qualification => QUALIFICATION,
        need::Kind::DrivingLicence => DRIVING_LICENCE,
    };
    needs.fold(0, |set, need| set | quality(need))
}

fn offers(background: Option<&Background>) -> u8 {
    let Some(background) = background else { return 0 };
    let held = [
        (background.experience, EXPERIENCE),
        (background.qualification, QUALIFICATION),
        (background.driving_licence, DRIVING_LICENCE),
    ];
    held.into_iter().filter(|(held, _)| *held).fold(0, |set, (_, quality)| set | quality)
}

/// The side of the sea, from 1.
fn region(commune: &Commune) -> u16 {
    let territory = commune.territory();
    let place = Territory::ALL.iter().position(|known| Some(*known) == territory);
    place.map_or(0, |place| u16::try_from(place + 1).unwrap_or(u16::MAX))
}

/// The place in the table of communes, from 1.
fn commune_number(commune: &Commune) -> u32 {
    let place = communes().binary_search_by_key(&commune.code, |known| known.code);
    place.map_or(0, |place| u32::try_from(place + 1).unwrap_or(u32::MAX))
}

/// The place in the table of departments.
fn department_number(code: &str) -> u16 {
    let place = departments().binary_search_by_key(&code, |known| known.code);
    place.map_or(u16::MAX, |place| u16::try_from(place).unwrap_or(u16::MAX))
}

fn identity(number: usize) -> u128 {
    u128::try_from(number).unwrap_or(u128::MAX)
}

fn on_scale(day: i64) -> i32 {
    i32::try_from(day).unwrap_or(i32::MAX)
}

fn date(day: i64) -> Date {
    add_days(BEGINNING, on_scale(day))
}
