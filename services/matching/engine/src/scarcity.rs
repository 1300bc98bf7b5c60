//! How many people are possible for each vacancy. Neighbours are counted together, for as long as what decides is the same
//! for all of them.

use crate::{
    assignment::{Crowd, Engine, Limits},
    market::Vacancy,
    tree::{Answer, Node, Summary},
};

/// What the vacancies of a node ask for.
#[derive(Clone, Debug)]
pub(crate) struct Asks {
    regions: (u16, u16),
    all_ask: u8,
    some_ask: u8,
    needed_by: (i32, i32),
}

impl Asks {
    pub(crate) fn of(vacancy: &Vacancy) -> Self {
        Self {
            regions: (vacancy.region, vacancy.region),
            all_ask: vacancy.compulsory,
            some_ask: vacancy.compulsory,
            needed_by: (vacancy.needed_by, vacancy.needed_by),
        }
    }

    /// What some people are to these vacancies, at squares of straight lines between the least and the greatest. Where
    /// they are the same, only the exact distance is left to decide.
    pub(crate) fn answer(&self, crowd: &Crowd, (least, greatest): (f32, f32)) -> Answer {
        let none = least > crowd.limits.never
            || self.all_ask & !crowd.some_offer != 0
            || crowd.available.0 > self.needed_by.1
            || crowd.regions.0 > self.regions.1
            || self.regions.0 > crowd.regions.1;
        if none {
            return Answer::None;
        }
        let all = greatest < crowd.limits.sure && self.are_met_by(crowd);
        if all { Answer::All } else { Answer::Some }
    }

    /// Whether nothing but the distance is left to decide.
    fn are_met_by(&self, crowd: &Crowd) -> bool {
        self.some_ask & !crowd.all_offer == 0
            && crowd.available.1 <= self.needed_by.0
            && crowd.regions == self.regions
            && crowd.regions.0 == crowd.regions.1
    }
}

impl Summary for Asks {
    fn with(&mut self, other: &Self) {
        self.regions = (self.regions.0.min(other.regions.0), self.regions.1.max(other.regions.1));
        self.all_ask &= other.all_ask;
        self.some_ask |= other.some_ask;
        self.needed_by = (self.needed_by.0.min(other.needed_by.0), self.needed_by.1.max(other.needed_by.1));
    }
}

/// Counts for every vacancy of a market.
pub(crate) fn counts(engine: &Engine<'_>) -> Vec<u32> {
    let mut counts = Counts { engine, possible: vec![0; engine.market.vacancies.len()] };
    if !engine.vacancies.nodes.is_empty() && !engine.reaching.nodes.is_empty() {
        counts.count(0, &[0], 0);
    }
    counts.possible.into_iter().enumerate().map(|(vacancy, count)| engine.corrected(vacancy, count)).collect()
}

struct Counts<'e> {
    engine: &'e Engine<'e>,
    possible: Vec<usize>,
}

impl Counts<'_> {
    /// Counts for the vacancies of a node, for each of which `sure` people are possible already, and those of `open`
    /// are to be looked at.
    fn count(&mut self, node: u32, open: &[u32], mut sure: usize) {
        let people = &self.engine.reaching;
        let vacancies = &self.engine.vacancies.nodes[node as usize];
        let mut undecided = Vec::with_capacity(open.len());
        let mut work = open.to_vec();
        while let Some(crowd) = work.pop() {
            let part = &people.nodes[crowd as usize];
            match vacancies.summary.answer(&part.summary, vacancies.area.between(&part.area)) {
                Answer::None => {}
                Answer::All => sure += (part.end - part.start) as usize,
                Answer::Some => match people.children(crowd) {
                    Some(children) if part.area.size() >= vacancies.area.size() => work.extend(children),
                    _ => undecided.push(crowd),
                },
            }
        }
        if let Some([first, second]) = self.engine.vacancies.children(node) {
            self.count(first, &undecided, sure);
            self.count(second, &undecided, sure);
            return;
        }
        for place in vacancies.start as usize..vacancies.end as usize {
            let ([x, y, z, _], asks) = &self.engine.vacancies.points[place];
            let (from, vacancy) = ([*x, *y, *z], self.engine.vacancies.items[place] as usize);
            let count = people.count_in(
                undecided.clone(),
                |part| asks.answer(&part.summary, part.area.distances(from)),
                |leaf| self.count_in_leaf(leaf, vacancy, asks, from),
            );
            self.possible[vacancy] = sure + count;
        }
    }

    /// Counts the people of a leaf, all at once where lines decide.
    fn count_in_leaf(&self, leaf: &Node<Crowd>, vacancy: usize, asks: &Asks, from: [f32; 3]) -> usize {
        let people = &self.engine.reaching;
        if asks.are_met_by(&leaf.summary) {
            let decide = |line, limits: Limits| (u32::from(line < limits.sure), u32::from(line <= limits.never));
            let exactly = |place: usize| self.engine.reaches(people.items[place] as usize, vacancy);
            return self.engine.columns.count(leaf, from, decide, exactly);
        }
        leaf.places().filter(|place| self.engine.near(people, *place, vacancy, asks, from).is_some()).count()
    }
}
