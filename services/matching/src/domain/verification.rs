//! A second look at a wave's proposals before they are written, apart from what made them: the definition of a good
//! assignment, read off pair by pair. It shares no code with the engine, nor with the rules that the engine is fed by.
//!
//! A violation stops the group that it touches, connected through the wave's own proposals; the rest goes on.

use std::collections::{HashMap, HashSet};

use conum_geo::{EARTH_RADIUS_M, Place, Territory, distance_m};
use conum_kernel::{CandidateId, StructureId};
use jiff::{Timestamp, civil::Date};

use super::{
    assignment::{Available, Introduced, Proposal},
    candidate::{Candidate, Quality, Reach},
    order::Terms,
    structure::Seat,
};

/// What is wrong with a proposal, or with one that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// A structure or a candidate that was not to be served.
    Unknown,
    /// The pair comes twice, or was introduced before (M03).
    Twice,
    /// The rules make the pair impossible (M01, C04).
    Impossible,
    /// More introductions than the structure has places (M02).
    AbovePlaces,
    /// More introductions than the candidate has room for (M02).
    AboveRoom,
    /// A reason that is told is not so.
    Reason(&'static str),
    /// The structure is short, and this possible candidate has room (M02).
    LeftShort,
    /// Both would rather have each other than somebody they have.
    Blocking,
}

/// What is wrong, and whom it touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Violation {
    pub wrong: Wrong,
    pub structure: StructureId,
    pub candidate: CandidateId,
}

/// What is compared of a possible pair.
#[derive(Clone, Copy, Debug)]
struct Pair {
    /// Metres.
    distance: Option<u32>,
    department: bool,
    sector: bool,
    missing: u64,
}

/// What is read of a structure's order.
#[derive(Default)]
struct Order {
    /// How many people are possible.
    possible: usize,
    /// The first of them: all who are no worse than somebody whom it has, and perhaps some more.
    first: Vec<(StructureKey, usize, Pair)>,
    /// Those who are proposed to a structure, this one or another.
    of_proposed: Vec<(usize, Pair)>,
}

/// What is looked at of somebody first, in one place of memory.
struct Near {
    person: usize,
    point: Option<[f64; 3]>,
    /// The square of a straight line below which a place is within reach.
    sure: f64,
    /// Above, it is not.
    never: f64,
    offers: u8,
    available: Date,
    territory: Option<Territory>,
    /// With room, and not held out.
    open: bool,
}

impl Near {
    fn of(person: usize, Available { candidate, room }: &Available) -> Self {
        // No line is longer than 2.
        let (sure, never) = reach_m(candidate).map_or((5.0, 5.0), |reach| {
            let least = straight((reach - MARGIN_M).max(0.0));
            (least * least, straight(reach + MARGIN_M).powi(2))
        });
        Self {
            person,
            point: candidate.place.map(point),
            sure,
            never,
            offers: bits(candidate.offers.iter().copied()),
            available: candidate.available_from,
            territory: candidate.territory,
            open: candidate.eligible && *room > 0,
        }
    }
}

/// What a structure asks of everybody.
struct Asked {
    point: Option<[f64; 3]>,
    compulsory: u8,
    needed_by: Date,
    territory: Option<Territory>,
}

impl Asked {
    fn of(Seat { structure, needed_by, .. }: &Seat, today: Date) -> Self {
        let compulsory = structure.needs.iter().filter(|need| need.compulsory).map(|need| need.quality);
        Self {
            point: structure.place.map(point),
            compulsory: bits(compulsory),
            needed_by: (*needed_by).max(today),
            territory: structure.territory,
        }
    }

    /// Whether all but the distance makes a pair possible.
    fn are_met_by(&self, near: &Near) -> bool {
        let offered = self.compulsory & !near.offers == 0;
        near.open && offered && near.available <= self.needed_by && near.territory == self.territory
    }
}

fn bits(qualities: impl Iterator<Item = Quality>) -> u8 {
    qualities.fold(0, |bits, quality| bits | 1 << quality as u8)
}

/// A structure's order: cost in metres, then who registered first, then the id.
type StructureKey = (u64, Timestamp, CandidateId);
/// A person's order, but for the tie-break: of two that are equal here neither is better.
type PersonKey = (u8, usize, u32);

/// What is live of both sides before a wave, and how much may be (M02). It is counted apart from the places and the room that
/// the assignment was told.
#[derive(Clone, Debug, Default)]
pub struct Live {
    pub of_structures: HashMap<StructureId, usize>,
    pub of_candidates: HashMap<CandidateId, usize>,
    pub per_structure: usize,
    pub per_candidate: usize,
}

/// Everything that is wrong with proposals, in no order.
#[must_use]
pub fn verify(
    seats: &[Seat],
    people: &[Available],
    introduced: &Introduced,
    terms: Terms,
    live: &Live,
    proposals: &[Proposal],
) -> Vec<Violation> {
    let mut verification = Verification::new(seats, people, introduced, terms);
    verification.take(proposals, live);
    verification.look_at_pairs();
    verification.violations
}

struct Verification<'a> {
    seats: &'a [Seat],
    people: &'a [Available],
    introduced: &'a Introduced,
    terms: Terms,
    map: Map,
    /// Who wishes a department.
    wishing: HashMap<&'a str, Vec<usize>>,
    /// Who lives in a commune.
    inhabitants: HashMap<&'a str, Vec<usize>>,
    /// Whom each structure was introduced to before.
    before: HashMap<StructureId, HashSet<CandidateId>>,
    /// The structure that each person was last looked at for.
    seen: Vec<usize>,
    /// Whether each person is proposed to somebody.
    proposed: Vec<bool>,
    /// For each structure, its proposals by candidate.
    of_seat: Vec<HashMap<usize, &'a Proposal>>,
    /// For each candidate, the structures proposed.
    of_person: HashMap<usize, Vec<usize>>,
    violations: Vec<Violation>,
}

impl<'a> Verification<'a> {
    fn new(seats: &'a [Seat], people: &'a [Available], introduced: &'a Introduced, terms: Terms) -> Self {
        let (mut wishing, mut inhabitants) = <(HashMap<_, Vec<_>>, HashMap<_, Vec<_>>)>::default();
        let mut before: HashMap<_, HashSet<_>> = HashMap::new();
        for (structure, candidate) in introduced {
            before.entry(*structure).or_default().insert(*candidate);
        }
        for (number, person) in people.iter().enumerate() {
            inhabitants.entry(person.candidate.commune.as_str()).or_default().push(number);
            for department in &person.candidate.wished_departments {
                wishing.entry(department.as_str()).or_default().push(number);
            }
        }
        Self {
            seats,
            people,
            introduced,
            terms,
            map: Map::of(people),
            wishing,
            inhabitants,
            before,
            seen: vec![usize::MAX; people.len()],
            proposed: vec![false; people.len()],
            of_seat: vec![HashMap::new(); seats.len()],
            of_person: HashMap::new(),
            violations: Vec::new(),
        }
    }

    fn note(&mut self, wrong: Wrong, seat: usize, person: usize) {
        let (structure, candidate) = (self.seats[seat].structure.id, self.people[person].candidate.id);
        self.violations.push(Violation { wrong, structure, candidate });
    }

    /// Takes the proposals, and notes what is wrong with each by itself.
    fn take(&mut self, proposals: &'a [Proposal], live: &Live) {
        let seat_of: HashMap<_, _> = self.seats.iter().zip(0..).map(|(seat, n)| (seat.structure.id, n)).collect();
        let person_of: HashMap<_, _> =
            self.people.iter().zip(0..).map(|(person, n)| (person.candidate.id, n)).collect();
        for proposal in proposals {
            let known = seat_of.get(&proposal.structure).copied().zip(person_of.get(&proposal.candidate).copied());
            let Some((seat, person)): Option<(usize, usize)> = known else {
                let Proposal { structure, candidate, .. } = *proposal;
                self.violations.push(Violation { wrong: Wrong::Unknown, structure, candidate });
                continue;
            };
            let before = self.introduced.contains(&(proposal.structure, proposal.candidate));
            if self.of_seat[seat].insert(person, proposal).is_some() || before {
                self.note(Wrong::Twice, seat, person);
            }
            self.of_person.entry(person).or_default().push(seat);
            self.proposed[person] = true;
            let (called, asked) = (self.of_seat[seat].len(), self.of_person[&person].len());
            let of_structure = live.of_structures.get(&proposal.structure).copied().unwrap_or(0);
            if called > self.seats[seat].places || of_structure + called > live.per_structure {
                self.note(Wrong::AbovePlaces, seat, person);
            }
            let of_candidate = live.of_candidates.get(&proposal.candidate).copied().unwrap_or(0);
            if asked > self.people[person].room || of_candidate + asked > live.per_candidate {
                self.note(Wrong::AboveRoom, seat, person);
            }
            match self.possible(seat, person) {
                Some(pair) => self.check_reasons(seat, person, proposal, pair),
                None => self.note(Wrong::Impossible, seat, person),
            }
        }
    }

    fn check_reasons(&mut self, seat: usize, person: usize, proposal: &Proposal, pair: Pair) {
        let (structure, facts) = (&self.seats[seat], &self.people[person].candidate);
        let told = &proposal.reasons;
        let needs = &structure.structure.needs;
        let met = needs.iter().filter(|need| facts.offers.contains(&need.quality)).map(|need| need.quality);
        let not_met = needs.iter().filter(|need| !facts.offers.contains(&need.quality)).map(|need| need.quality);
        let so = [
            ("distance_m", told.distance_m == pair.distance),
            ("department_wished", told.department_wished == pair.department),
            ("sector_wished", told.sector_wished == pair.sector),
            ("needs_met", told.needs_met.iter().copied().eq(met)),
            ("needs_not_met", told.needs_not_met.iter().copied().eq(not_met)),
            ("available_from", told.available_from == facts.available_from),
            ("needed_by", told.needed_by == structure.needed_by),
            ("reserved", proposal.reserved == self.in_reserve(facts)),
        ];
        for (reason, _) in so.into_iter().filter(|(_, so)| !so) {
            self.note(Wrong::Reason(reason), seat, person);
        }
    }

    fn in_reserve(&self, candidate: &Candidate) -> bool {
        let months = jiff::Span::new().months(self.terms.reserve.months);
        let long_ago = |since: Date| since.checked_add(months).is_ok_and(|passed| passed <= self.terms.today);
        candidate.job_seeker_since.is_some_and(long_ago)
    }

    /// What is compared of a pair, where the rules make it possible (M01, C04).
    fn possible(&self, seat: usize, person: usize) -> Option<Pair> {
        let (Seat { structure, needed_by, .. }, candidate) = (&self.seats[seat], &self.people[person].candidate);
        let lacks = |compulsory: bool| {
            let asked = structure.needs.iter().filter(move |need| need.compulsory == compulsory);
            asked.filter(|need| !candidate.offers.contains(&need.quality)).count()
        };
        let late = candidate.available_from > *needed_by && candidate.available_from > self.terms.today;
        if !candidate.eligible || late || lacks(true) > 0 {
            return None;
        }
        let department = candidate.wished_departments.contains(&structure.department);
        let distance = || match (candidate.place, structure.place) {
            _ if candidate.commune == structure.commune => Some(0),
            (Some(home), Some(site)) => Some(distance_m(home, site)),
            _ => None,
        };
        let same_side = candidate.territory == structure.territory;
        let distance = if department || same_side { distance() } else { return None };
        let near = match candidate.reach {
            Reach::Anywhere => true,
            Reach::Within(km) => distance.is_some_and(|metres| metres <= km.saturating_mul(1000)),
        };
        (department || same_side && near).then(|| Pair {
            distance,
            department,
            sector: candidate.wished_sectors.contains(&structure.sector),
            missing: u64::try_from(lacks(false)).unwrap_or(u64::MAX),
        })
    }

    fn cost(&self, pair: Pair, candidate: &Candidate) -> u64 {
        let order = self.terms.order;
        let unwished = u64::from(!pair.department) + u64::from(!pair.sector);
        let waiting = (candidate.available_from - self.terms.today).get_days();
        u64::from(pair.distance.unwrap_or(30_000_000))
            + u64::from(order.need_m) * pair.missing
            + u64::from(order.wish_m) * unwished
            + u64::from(order.day_m) * u64::try_from(waiting).unwrap_or(0)
    }

    /// What is wrong between everybody: who is short, who would rather have each other, which ranks are not so.
    fn look_at_pairs(&mut self) {
        let mut scarcity = Vec::with_capacity(self.seats.len());
        // Whom a structure would rather have, and all structures that are possible for those who are proposed.
        let mut wanted: Vec<(usize, usize, Pair)> = Vec::new();
        let mut possible_for: HashMap<usize, Vec<(usize, Pair)>> = HashMap::new();
        for seat in 0..self.seats.len() {
            let order = self.order_of(seat);
            scarcity.push(order.possible);
            for (person, pair) in order.of_proposed {
                possible_for.entry(person).or_default().push((seat, pair));
            }
            let last = order.first.iter().rposition(|(_, person, _)| self.of_seat[seat].contains_key(person));
            let end = if self.is_short(seat) { order.first.len() } else { last.map_or(0, |last| last + 1) };
            for (place, (_, person, pair)) in order.first.into_iter().enumerate().take(end) {
                match self.of_seat[seat].get(&person).copied() {
                    Some(proposal) => self.check_choice(seat, person, proposal, place + 1, order.possible),
                    None => wanted.push((seat, person, pair)),
                }
            }
        }
        let key = |seat: usize, pair: Pair| -> PersonKey {
            let unwished = 2 - u8::from(pair.department) - u8::from(pair.sector);
            (unwished, scarcity[seat], pair.distance.unwrap_or(u32::MAX))
        };
        let mut found = Vec::new();
        for (seat, person, pair) in wanted {
            let has = self.of_person.get(&person).map_or(&[][..], Vec::as_slice);
            if has.len() < self.people[person].room {
                found.push((if self.is_short(seat) { Wrong::LeftShort } else { Wrong::Blocking }, seat, person));
                continue;
            }
            let theirs = possible_for.get(&person).into_iter().flatten().filter(|(seat, _)| has.contains(seat));
            let worst = theirs.map(|(seat, pair)| key(*seat, *pair)).max();
            if worst.is_some_and(|worst| key(seat, pair) < worst) {
                found.push((Wrong::Blocking, seat, person));
            }
        }
        for (person, seats) in &possible_for {
            for (seat, pair) in seats {
                let Some(proposal) = self.of_seat[*seat].get(person) else { continue };
                let own = key(*seat, *pair);
                let better = seats.iter().filter(|(seat, pair)| key(*seat, *pair) < own).count();
                let as_good = seats.iter().filter(|(seat, pair)| key(*seat, *pair) == own).count();
                let told = proposal.reasons.preference.map_or(0, |place| usize::try_from(place).unwrap_or(0));
                if !(better + 1..=better + as_good).contains(&told) {
                    found.push((Wrong::Reason("preference"), *seat, *person));
                }
            }
        }
        for (wrong, seat, person) in found {
            self.note(wrong, seat, person);
        }
    }

    fn is_short(&self, seat: usize) -> bool {
        self.of_seat[seat].len() < self.seats[seat].places
    }

    fn check_choice(&mut self, seat: usize, person: usize, proposal: &Proposal, place: usize, of: usize) {
        let told = |rank: Option<u32>| rank.and_then(|rank| usize::try_from(rank).ok());
        if told(proposal.reasons.choice) != Some(place) {
            self.note(Wrong::Reason("choice"), seat, person);
        }
        if told(proposal.reasons.choices) != Some(of) {
            self.note(Wrong::Reason("choices"), seat, person);
        }
    }

    /// A structure's order: people possible for it who have room and were not introduced to it, with the share kept.
    fn order_of(&mut self, seat: usize) -> Order {
        let structure = &self.seats[seat].structure;
        let before = self.before.remove(&structure.id).unwrap_or_default();
        let mut order = Order::default();
        // Those of the department and the commune, whatever the distance, then those whom the map brings near.
        let wishing = self.wishing.get(structure.department.as_str()).into_iter().flatten();
        let inhabitants = self.inhabitants.get(structure.commune.as_str()).into_iter().flatten();
        let mut close: Vec<usize> = wishing.chain(inhabitants).copied().collect();
        for person in &close {
            self.seen[*person] = seat;
        }
        close.sort_unstable();
        close.dedup();
        let asked = Asked::of(&self.seats[seat], self.terms.today);
        let beyond = self.beyond(seat);
        for near in self.map.around(structure.place).into_iter().flatten() {
            let line = near.point.zip(asked.point).map(|(home, site)| apart(home, site));
            if line.is_some_and(|line| line > near.never) || self.seen[near.person] == seat {
                continue;
            }
            let far = line.is_some_and(|line| line < near.sure && line > beyond);
            if far && before.is_empty() && !self.proposed[near.person] {
                order.possible += usize::from(asked.are_met_by(near));
            } else {
                close.push(near.person);
            }
        }
        for person in close {
            let Available { candidate, room } = &self.people[person];
            if *room == 0 || before.contains(&candidate.id) {
                continue;
            }
            if let Some(pair) = self.possible(seat, person) {
                order.possible += 1;
                order.first.push(((self.cost(pair, candidate), candidate.registered_at, candidate.id), person, pair));
                if self.proposed[person] {
                    order.of_proposed.push((person, pair));
                }
            }
        }
        order.first.sort_unstable_by_key(|(key, ..)| *key);
        order.first = self.with_share(seat, order.first);
        order
    }

    /// The square of the straight line beyond which nobody is better than whom a structure has: its order weighs distance
    /// and more. Everybody counts where it is short, or where a share is kept.
    fn beyond(&self, seat: usize) -> f64 {
        if self.is_short(seat) || self.terms.reserve.percent > 0 {
            return f64::INFINITY;
        }
        let has = self.of_seat[seat].keys();
        let costs =
            has.filter_map(|person| Some(self.cost(self.possible(seat, *person)?, &self.people[*person].candidate)));
        let worst = u32::try_from(costs.max().unwrap_or(0)).unwrap_or(u32::MAX);
        straight(f64::from(worst) + MARGIN_M).powi(2)
    }

    /// Every beginning of length k, with those called before, holds at least `ceil(q k)` of the group, or none is left.
    fn with_share(&self, seat: usize, order: Vec<(StructureKey, usize, Pair)>) -> Vec<(StructureKey, usize, Pair)> {
        let percent = u64::from(self.terms.reserve.percent);
        if percent == 0 {
            return order;
        }
        let mut called = self.seats[seat].called;
        let member = |(_, person, _): &(StructureKey, usize, Pair)| self.in_reserve(&self.people[*person].candidate);
        let (group, others): (Vec<_>, Vec<_>) = order.into_iter().partition(member);
        let (mut group, mut others) = (group.into_iter().peekable(), others.into_iter().peekable());
        let mut kept = Vec::new();
        loop {
            called.all += 1;
            let due = called.reserved * 100 < percent * called.all;
            let of_group = match (group.peek(), others.peek()) {
                (Some(_), None) => true,
                (Some(first), Some(other)) => due || first.0 < other.0,
                (None, Some(_)) => false,
                (None, None) => return kept,
            };
            called.reserved += u64::from(of_group);
            kept.extend(if of_group { group.next() } else { others.next() });
        }
    }
}

/// How far somebody goes, in metres; nothing for anywhere.
fn reach_m(candidate: &Candidate) -> Option<f64> {
    match candidate.reach {
        Reach::Anywhere => None,
        Reach::Within(km) => Some(f64::from(km) * 1000.0),
    }
}

/// Where people live, in squares of a fifth of a degree.
struct Map {
    squares: HashMap<(i32, i32), Vec<Near>>,
    /// Those who go anywhere, or whose place is not known.
    anywhere: Vec<Near>,
    /// The furthest that somebody goes, in metres.
    furthest: f64,
}

/// Squares in a degree, and around the world.
const SQUARES: f64 = 5.0;
const AROUND: i32 = 1800;
/// More than the error of a straight line, in metres.
const MARGIN_M: f64 = 5.0;

impl Map {
    fn of(people: &[Available]) -> Self {
        let mut map = Self { squares: HashMap::new(), anywhere: Vec::new(), furthest: 0.0 };
        for (number, person) in people.iter().enumerate() {
            let near = Near::of(number, person);
            match (person.candidate.place, reach_m(&person.candidate)) {
                (Some(place), Some(reach)) => {
                    map.furthest = map.furthest.max(reach);
                    map.squares.entry(square(place)).or_default().push(near);
                }
                _ => map.anywhere.push(near),
            }
        }
        map
    }

    /// Everybody who may reach a place, by squares, and some who do not: all of them, where it is not known.
    fn around(&self, place: Option<Place>) -> Vec<&Vec<Near>> {
        let mut near = vec![&self.anywhere];
        let Some(place) = place else {
            near.extend(self.squares.values());
            return near;
        };
        let (row, column) = square(place);
        let degrees = (self.furthest + MARGIN_M) / EARTH_RADIUS_M * 180.0 / std::f64::consts::PI;
        let rows = whole(degrees * SQUARES) + 1;
        // Degrees of longitude are shortest where the furthest person may live.
        let shortest = (place.lat().abs() + degrees).min(89.0).to_radians().cos();
        let columns = (whole(degrees / shortest * SQUARES) + 1).min(AROUND / 2 - 1);
        // Around the world, the last column is left out of the short way: all are looked at.
        let far = columns == AROUND / 2 - 1;
        if far || i64::from(rows) * i64::from(columns) * 4 > i64::try_from(self.squares.len()).unwrap_or(i64::MAX) {
            let close = |at: &(i32, i32)| (at.0 - row).abs() <= rows && (far || across(at.1, column) <= columns);
            near.extend(self.squares.iter().filter(|(at, _)| close(at)).map(|(_, people)| people));
            return near;
        }
        for row in row - rows..=row + rows {
            let of_row = (column - columns..=column + columns).map(|column| (row, column.rem_euclid(AROUND)));
            near.extend(of_row.filter_map(|at| self.squares.get(&at)));
        }
        near
    }
}

/// Columns from one to the other, the short way round.
fn across(one: i32, other: i32) -> i32 {
    let apart = (one - other).rem_euclid(AROUND);
    apart.min(AROUND - apart)
}

fn square(place: Place) -> (i32, i32) {
    (whole(place.lat() * SQUARES), whole(place.lon() * SQUARES).rem_euclid(AROUND))
}

#[expect(clippy::cast_possible_truncation, reason = "some squares around the world")]
fn whole(degrees: f64) -> i32 {
    degrees.floor() as i32
}

fn point(place: Place) -> [f64; 3] {
    let (lat, lon) = (place.lat().to_radians(), place.lon().to_radians());
    [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
}

/// The square of the straight line between two points.
fn apart(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The straight line through a sphere of radius 1 for metres along the Earth.
fn straight(metres: f64) -> f64 {
    2.0 * (metres / EARTH_RADIUS_M / 2.0).min(std::f64::consts::FRAC_PI_2).sin()
}

/// Takes out the groups that violations touch. Who is in a group with somebody: whom a proposal connects with them, at
/// any remove. Answers what goes on, and the structures that are stopped, in order.
#[must_use]
pub fn sound(proposals: Vec<Proposal>, violations: &[Violation]) -> (Vec<Proposal>, Vec<StructureId>) {
    if violations.is_empty() {
        return (proposals, Vec::new());
    }
    let mut of_structure: HashMap<StructureId, Vec<CandidateId>> = HashMap::new();
    let mut of_candidate: HashMap<CandidateId, Vec<StructureId>> = HashMap::new();
    for Proposal { structure, candidate, .. } in &proposals {
        of_structure.entry(*structure).or_default().push(*candidate);
        of_candidate.entry(*candidate).or_default().push(*structure);
    }
    let mut stopped = std::collections::BTreeSet::new();
    let mut candidates: HashSet<CandidateId> = violations.iter().map(|violation| violation.candidate).collect();
    let mut new: Vec<StructureId> = violations.iter().map(|violation| violation.structure).collect();
    new.extend(candidates.iter().flat_map(|candidate| of_candidate.get(candidate).into_iter().flatten().copied()));
    while let Some(structure) = new.pop() {
        if !stopped.insert(structure) {
            continue;
        }
        for candidate in of_structure.get(&structure).into_iter().flatten() {
            if candidates.insert(*candidate) {
                new.extend(of_candidate.get(candidate).into_iter().flatten().copied());
            }
        }
    }
    let goes_on = proposals.into_iter().filter(|proposal| !stopped.contains(&proposal.structure)).collect();
    (goes_on, stopped.into_iter().collect())
}

#[cfg(test)]
mod tests;
