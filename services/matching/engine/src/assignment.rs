//! The assignment of a market: its index, both sides' orders, the pairs and what they rest on.

use std::collections::HashMap;

use crate::{
    acceptance::{Pair, Sides, accept_in},
    choices::{Choice, Choices},
    market::{
        Fit, Market, Reach, Vacancy, arc, chord, chord_squared, fit_at, rough, rough_chord_squared, tie_break, unit,
    },
    quota::Reordered,
    scarcity::{self, Asks},
    tree::{Answer, Columns, Node, Summary, Tree},
};

/// How far a straight line of the index may be from the true one, through the unit sphere: within it, the exact distance
/// decides. Rounding two points and computing with them errs by less than 3e-7, rounding to the metre by 1e-7; this is
/// some 6 metres.
pub(crate) const SLACK: f32 = 1e-6;
/// How many a leaf holds where they are looked at one by one.
const FEW: usize = 24;
/// How many where they are counted in one go.
const MANY: usize = 64;
/// More than the square of any straight line through the unit sphere.
const BEYOND: f32 = 5.0;

/// The squares of straight lines that decide whether a person reaches a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Below, it is reached.
    pub(crate) sure: f32,
    /// Above, it is not.
    pub(crate) never: f32,
}

impl Limits {
    fn of(reach: Reach) -> Self {
        match reach {
            Reach::Anywhere => Self { sure: BEYOND, never: BEYOND },
            Reach::Within(metres) => {
                #[expect(clippy::cast_possible_truncation, reason = "the slack is greater")]
                let line = chord(metres) as f32;
                // Nothing is below the square of nothing: where the slack is all there is, the exact distance decides.
                let sure = if line > SLACK { (line - SLACK).powi(2) } else { -1.0 };
                Self { sure, never: (line + SLACK).powi(2) }
            }
        }
    }
}

/// What is known of all people of a node.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    pub(crate) limits: Limits,
    pub(crate) regions: (u16, u16),
    pub(crate) all_offer: u8,
    pub(crate) some_offer: u8,
    pub(crate) available: (i32, i32),
    /// Whether some are of the group that a share is kept for, and whether some are not.
    pub(crate) groups: Groups,
}

/// Of the group that a share is kept for, and not of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Groups {
    pub(crate) members: bool,
    pub(crate) others: bool,
}

impl Groups {
    pub(crate) const BOTH: Self = Self { members: true, others: true };

    pub(crate) fn of(member: bool) -> Self {
        Self { members: member, others: !member }
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.members && other.members || self.others && other.others
    }
}

impl Summary for Crowd {
    fn with(&mut self, other: &Self) {
        self.limits.sure = self.limits.sure.min(other.limits.sure);
        self.limits.never = self.limits.never.max(other.limits.never);
        self.regions = (self.regions.0.min(other.regions.0), self.regions.1.max(other.regions.1));
        self.all_offer &= other.all_offer;
        self.some_offer |= other.some_offer;
        self.available = (self.available.0.min(other.available.0), self.available.1.max(other.available.1));
        self.groups.members |= other.groups.members;
        self.groups.others |= other.groups.others;
    }
}

impl Crowd {
    /// Whether none of them is possible at this square of the straight line or more.
    pub(crate) fn excludes(&self, vacancy: &Vacancy, least: f32) -> bool {
        least > self.limits.never
            || vacancy.compulsory & !self.some_offer != 0
            || self.available.0 > vacancy.needed_by
            || !(self.regions.0..=self.regions.1).contains(&vacancy.region)
    }
}

/// What is known of all vacancies of a node.
#[derive(Clone, Debug)]
struct Places {
    regions: (u16, u16),
    compulsory: u8,
    needed_by: i32,
    scarcity: (u32, u32),
}

impl Summary for Places {
    fn with(&mut self, other: &Self) {
        self.regions = (self.regions.0.min(other.regions.0), self.regions.1.max(other.regions.1));
        self.compulsory |= other.compulsory;
        self.needed_by = self.needed_by.min(other.needed_by);
        self.scarcity = (self.scarcity.0.min(other.scarcity.0), self.scarcity.1.max(other.scarcity.1));
    }
}

/// The index of a market.
#[derive(Debug)]
pub struct Engine<'m> {
    pub(crate) market: &'m Market,
    /// Everybody with room whose place is known, by place: for who is nearest.
    pub(crate) nearest: Tree<Crowd>,
    /// The same by place and reach: for how many reach somewhere.
    pub(crate) reaching: Tree<Crowd>,
    /// The points of that one, for its leaves.
    pub(crate) columns: Columns<Limits>,
    /// Where people live, on the unit sphere.
    homes: Vec<Option<[f64; 3]>>,
    /// Where vacancies are.
    pub(crate) sites: Vec<Option<[f64; 3]>>,
    /// Those whose place is known.
    pub(crate) vacancies: Tree<Asks>,
    /// Who comes first of two that are as good: by [`Person::since`], then id.
    pub(crate) turns: Vec<u32>,
    /// Those with room whose place is not known.
    unplaced: Vec<u32>,
    /// Those with room who wish a department.
    wishing: HashMap<u16, Vec<u32>>,
    /// Those with room who live in a commune: the tree knows only how far their place is.
    inhabitants: HashMap<u32, Vec<u32>>,
}

/// A pair of the assignment, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Assigned {
    /// The vacancy's position in the market.
    pub structure: usize,
    /// The person's.
    pub person: usize,
    pub fit: Fit,
    /// The place of the person in the structure's order, from 1.
    pub choice: u32,
    /// Of how many possible people.
    pub of: u32,
    /// The place of the structure in the person's order, from 1.
    pub preference: u32,
}

/// What came of a market.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// By structure, then in the structure's order.
    pub pairs: Vec<Assigned>,
}

#[expect(clippy::cast_possible_truncation, reason = "a market holds fewer than 2^32 people and vacancies")]
pub(crate) fn number(place: usize) -> u32 {
    place as u32
}

impl<'m> Engine<'m> {
    /// Builds the index.
    #[must_use]
    pub fn over(market: &'m Market) -> Self {
        let people = &market.people;
        let homes: Vec<_> = people.iter().map(|person| person.place.map(unit)).collect();
        let sites: Vec<_> = market.vacancies.iter().map(|vacancy| vacancy.place.map(unit)).collect();
        let vacancies = market.vacancies.iter().enumerate().filter_map(|(place, vacancy)| {
            let [x, y, z] = sites[place].map(rough)?;
            Some((number(place), [x, y, z, 0.0], Asks::of(vacancy)))
        });
        let vacancies = Tree::over(vacancies.collect(), FEW);
        let mut order: Vec<_> =
            people.iter().enumerate().map(|(place, person)| (person.since, person.id, place)).collect();
        order.sort_unstable();
        let mut turns = vec![0; people.len()];
        for (turn, (.., person)) in order.into_iter().enumerate() {
            turns[person] = number(turn);
        }
        let (mut placed, mut unplaced) = (Vec::new(), Vec::new());
        let (mut wishing, mut inhabitants) = (HashMap::<u16, Vec<u32>>::new(), HashMap::<u32, Vec<u32>>::new());
        for (place, person) in people.iter().enumerate().filter(|(_, person)| person.room > 0) {
            let crowd = Crowd {
                limits: Limits::of(person.reach),
                regions: (person.region, person.region),
                all_offer: person.offers,
                some_offer: person.offers,
                available: (person.available, person.available),
                groups: Groups::of(person.member),
            };
            match homes[place].map(rough) {
                // Those who go as far are beside each other, so that whole regions can be answered for.
                Some([x, y, z]) => {
                    placed.push((number(place), [x, y, z, crowd.limits.never.sqrt()], crowd));
                    if person.commune != 0 {
                        inhabitants.entry(person.commune).or_default().push(number(place));
                    }
                }
                None => unplaced.push(number(place)),
            }
            for department in &person.wishes {
                wishing.entry(*department).or_default().push(number(place));
            }
        }
        let by_place = placed.iter().map(|(person, [x, y, z, _], crowd)| (*person, [*x, *y, *z, 0.0], crowd.clone()));
        let (nearest, reaching) = (Tree::over(by_place.collect(), FEW), Tree::over(placed, MANY));
        let columns = Columns::of(&reaching, |crowd| crowd.limits);
        Self { market, nearest, reaching, columns, homes, sites, vacancies, turns, unplaced, wishing, inhabitants }
    }

    /// Metres between a person and a vacancy.
    fn distance(&self, person: usize, vacancy: usize) -> Option<f64> {
        let straight = || Some(arc(chord_squared(self.homes[person]?, self.sites[vacancy]?).sqrt()));
        self.market.distance_or(&self.market.people[person], &self.market.vacancies[vacancy], straight)
    }

    /// Whether a pair is possible, and what is compared of it.
    pub(crate) fn fit(&self, person: usize, vacancy: usize) -> Option<Fit> {
        let distance = self.distance(person, vacancy);
        fit_at(distance, &self.market.people[person], &self.market.vacancies[vacancy])
    }

    /// Those whom the tree does not find for a vacancy: who have no known place, live in its commune, or wish the department
    /// from beyond their reach; everybody, where the vacancy has no known place. They may be possible or not; each comes
    /// once.
    pub(crate) fn off_the_map(&self, number: usize) -> Vec<u32> {
        let vacancy = &self.market.vacancies[number];
        if vacancy.place.is_none() {
            return self.nearest.items.iter().chain(&self.unplaced).copied().collect();
        }
        let elsewhere = |person: &&u32| {
            let person = **person as usize;
            let lives_there = self.market.people[person].lives_in(vacancy.commune);
            self.homes[person].is_some() && !lives_there && !self.reaches(person, number)
        };
        let wishing = self.wishing.get(&vacancy.department).into_iter().flatten().filter(elsewhere);
        self.unplaced.iter().chain(self.inhabitants_of(vacancy)).chain(wishing).copied().collect()
    }

    /// Those with room who live in a vacancy's commune, at a known place.
    fn inhabitants_of(&self, vacancy: &Vacancy) -> &[u32] {
        self.inhabitants.get(&vacancy.commune).map_or(&[], Vec::as_slice)
    }

    /// Whether somebody reaches the place of a vacancy, whatever is wished and whatever the communes are: what the tree
    /// answers for.
    pub(crate) fn reaches(&self, person: usize, vacancy: usize) -> bool {
        let (facts, wanted) = (&self.market.people[person], &self.market.vacancies[vacancy]);
        let straight = || Some(arc(chord_squared(self.homes[person]?, self.sites[vacancy]?).sqrt()));
        facts.region == wanted.region
            && match facts.reach {
                Reach::Anywhere => true,
                Reach::Within(reach) => {
                    self.market.line_or(facts, wanted, straight).is_some_and(|metres| metres <= reach)
                }
            }
    }

    /// The same of the person at a place of a tree's order, where nothing else stands in the way either; answers the
    /// square of the straight line between the two, which mostly decides.
    pub(crate) fn near(
        &self,
        tree: &Tree<Crowd>,
        place: usize,
        vacancy: usize,
        asks: &Asks,
        from: [f32; 3],
    ) -> Option<f32> {
        let ([x, y, z, _], crowd) = &tree.points[place];
        let straight = rough_chord_squared([*x, *y, *z], from);
        let near = match asks.answer(crowd, (straight, straight)) {
            Answer::All => true,
            Answer::None => false,
            Answer::Some => self.reaches(tree.items[place] as usize, vacancy),
        };
        near.then_some(straight)
    }

    /// How many people with room are possible for a vacancy and were not introduced to it, given how many the tree finds.
    pub(crate) fn corrected(&self, vacancy: usize, on_the_map: usize) -> u32 {
        let (market, facts) = (self.market, &self.market.vacancies[vacancy]);
        let fits = |person: &&u32| self.fit(**person as usize, vacancy).is_some();
        let others = self.off_the_map(vacancy).iter().filter(fits).count();
        let with_room = |person: &&u32| market.people[**person as usize].room > 0;
        let before = facts.introduced.iter().filter(with_room).filter(fits).count();
        // Inhabitants whose place is within their reach were counted by the tree as well.
        let inhabitants = if facts.place.is_some() { self.inhabitants_of(facts) } else { &[] };
        let twice = inhabitants.iter().filter(|person| self.reaches(**person as usize, vacancy)).filter(fits).count();
        number((on_the_map + others).saturating_sub(twice + before))
    }

    /// How many people are possible for each vacancy: what makes a structure scarce.
    #[must_use]
    pub fn scarcity(&self) -> Vec<u32> {
        scarcity::counts(self)
    }

    /// Assigns everybody, given how many people are possible for each vacancy.
    #[must_use]
    pub fn assign(&self, scarcity: &[u32]) -> Assignment {
        let market = self.market;
        let places: Vec<u32> = market.vacancies.iter().map(|vacancy| vacancy.places).collect();
        let room: Vec<u32> = market.people.iter().map(|person| person.room).collect();
        let begun = market.vacancies.iter().map(|_| None).collect();
        let mut orders = Orders { engine: self, scarcity, begun };
        // Neighbours one after the other: they look at the same parts of the index.
        let neighbours = self.vacancies.items.iter().map(|vacancy| *vacancy as usize);
        let elsewhere = (0..places.len()).filter(|vacancy| self.sites[*vacancy].is_none());
        let pairs = accept_in(neighbours.chain(elsewhere).collect(), &places, &room, &mut orders);
        let others = Others::of(self, scarcity);
        let assigned = |pair: Pair| {
            let fit = self.fit(pair.person, pair.structure)?;
            let key = orders.key(pair.person, pair.structure);
            Some(Assigned {
                structure: pair.structure,
                person: pair.person,
                fit,
                choice: pair.choice,
                of: scarcity[pair.structure],
                preference: 1 + others.better(&orders, pair.person, key),
            })
        };
        Assignment { pairs: pairs.into_iter().filter_map(assigned).collect() }
    }
}

/// What a person compares structures by: wishes that are not met, possible people, metres, the tie-break, the position.
type Key = (u8, u32, u64, u64, usize);

/// Both sides' orders.
struct Orders<'e> {
    engine: &'e Engine<'e>,
    scarcity: &'e [u32],
    /// Each structure's, from the first question on.
    begun: Vec<Option<Begun<'e>>>,
}

/// A structure's order, as far as it was asked for.
enum Begun<'e> {
    Plain(Choices<'e>),
    WithShare(Box<Reordered<Choices<'e>, Better>>),
}

type Better = fn(&Choice, &Choice) -> bool;

impl<'e> Begun<'e> {
    fn of(engine: &'e Engine<'e>, structure: usize) -> Self {
        let Market { share, vacancies, .. } = engine.market;
        if share.percent == 0 {
            return Self::Plain(Choices::among(engine, structure, Groups::BOTH));
        }
        let [members, others] = [true, false].map(|member| Choices::among(engine, structure, Groups::of(member)));
        let better: Better = |one, other| one < other;
        Self::WithShare(Box::new(Reordered::after(vacancies[structure].called, members, others, *share, better)))
    }
}

impl Sides for Orders<'_> {
    type Key = Key;

    fn next(&mut self, structure: usize) -> Option<usize> {
        let engine = self.engine;
        let choice = match self.begun[structure].get_or_insert_with(|| Begun::of(engine, structure)) {
            Begun::Plain(choices) => choices.next(),
            Begun::WithShare(choices) => choices.next(),
        };
        choice.map(|choice| choice.person as usize)
    }

    fn key(&self, person: usize, structure: usize) -> Key {
        let market = self.engine.market;
        let (facts, vacancy) = (&market.people[person], &market.vacancies[structure]);
        let wished = u8::from(facts.wishes.contains(&vacancy.department)) + u8::from(facts.kinds & vacancy.kind != 0);
        let metres = self.engine.distance(person, structure).unwrap_or(f64::INFINITY).to_bits();
        (2 - wished, self.scarcity[structure], metres, tie_break(vacancy.id, facts.id), structure)
    }
}

/// All vacancies, for the question how many a person would rather have.
struct Others<'e> {
    engine: &'e Engine<'e>,
    tree: Tree<Places>,
    columns: Columns<u32>,
    unplaced: Vec<usize>,
    /// The others in each commune: the tree knows only how far their place is.
    in_commune: HashMap<u32, Vec<usize>>,
    /// For each person, the vacancies that it was introduced to.
    introduced: HashMap<u32, Vec<usize>>,
}

impl<'e> Others<'e> {
    fn of(engine: &'e Engine<'e>, scarcity: &'e [u32]) -> Self {
        let (mut placed, mut unplaced) = (Vec::new(), Vec::new());
        let (mut in_commune, mut introduced) = <(HashMap<_, Vec<_>>, HashMap<u32, Vec<_>>)>::default();
        let most = f64::from(scarcity.iter().copied().max().unwrap_or(0).max(1));
        for (place, vacancy) in engine.market.vacancies.iter().enumerate() {
            for person in &vacancy.introduced {
                introduced.entry(*person).or_default().push(place);
            }
            let summary = Places {
                regions: (vacancy.region, vacancy.region),
                compulsory: vacancy.compulsory,
                needed_by: vacancy.needed_by,
                scarcity: (scarcity[place], scarcity[place]),
            };
            match engine.sites[place].map(rough) {
                // Those who are as scarce are beside each other, on a scale of some hundred kilometres.
                Some([x, y, z]) => {
                    #[expect(clippy::cast_possible_truncation, reason = "only where the tree is cut follows from it")]
                    let measure = (f64::from(scarcity[place]) / most / 10.0) as f32;
                    placed.push((number(place), [x, y, z, measure], summary));
                    in_commune.entry(vacancy.commune).or_default().push(place);
                }
                None => unplaced.push(place),
            }
        }
        let tree = Tree::over(placed, MANY);
        let columns = Columns::of(&tree, |places| places.scarcity.0);
        Self { engine, tree, columns, unplaced, in_commune, introduced }
    }

    /// How many possible structures a person would rather have than the one with this key.
    fn better(&self, orders: &Orders<'_>, person: usize, key: Key) -> u32 {
        let market = self.engine.market;
        let facts = &market.people[person];
        let rather = |structure: usize| {
            let fits = || self.engine.fit(person, structure).is_some();
            orders.key(person, structure) < key && fits()
        };
        let introduced = self.introduced.get(&number(person)).into_iter().flatten();
        let before = introduced.filter(|structure| rather(**structure)).count();
        let Some(from) = self.engine.homes[person].map(rough).filter(|_| facts.wishes.is_empty() && facts.kinds == 0)
        else {
            let all = (0..market.vacancies.len()).filter(|structure| rather(*structure)).count();
            return number(all - before);
        };
        let limits = Limits::of(facts.reach);
        let open_to_all = |places: &Places| {
            places.regions == (facts.region, facts.region)
                && places.compulsory & !facts.offers == 0
                && places.needed_by >= facts.available
        };
        let answer = |places: &Places, (least, greatest): (f32, f32)| {
            if least > limits.never
                || places.scarcity.0 > key.1
                || !(places.regions.0..=places.regions.1).contains(&facts.region)
            {
                return Answer::None;
            }
            let all = greatest < limits.sure && places.scarcity.1 < key.1 && open_to_all(places);
            if all { Answer::All } else { Answer::Some }
        };
        let of_node = |node: &Node<Places>| answer(&node.summary, node.area.distances(from));
        let of_item = |place: usize| {
            let ([x, y, z, _], places) = &self.tree.points[place];
            let straight = rough_chord_squared([*x, *y, *z], from);
            match answer(places, (straight, straight)) {
                Answer::All => true,
                Answer::None => false,
                Answer::Some => rather(self.tree.items[place] as usize),
            }
        };
        let decide = |line: f32, scarcity: u32| {
            let sure = u32::from(line < limits.sure) & u32::from(scarcity < key.1);
            (sure, u32::from(line <= limits.never) & u32::from(scarcity <= key.1))
        };
        let of_leaf = |leaf: &Node<Places>| {
            if open_to_all(&leaf.summary) {
                return self.columns.count(leaf, from, decide, |place| rather(self.tree.items[place] as usize));
            }
            leaf.places().filter(|place| of_item(*place)).count()
        };
        let unplaced = self.unplaced.iter().filter(|structure| rather(**structure)).count();
        // The tree leaves out what is too far to reach, of the person's own commune too.
        let neighbours = self.in_commune.get(&facts.commune).filter(|_| facts.commune != 0).into_iter().flatten();
        let too_far = |structure: &&usize| {
            let site = self.engine.sites[**structure].map(rough);
            site.is_some_and(|site| rough_chord_squared(from, site) > limits.never)
        };
        let neighbours = neighbours.filter(too_far).filter(|structure| rather(**structure)).count();
        number(self.tree.count(of_node, of_leaf) + unplaced + neighbours - before)
    }
}
