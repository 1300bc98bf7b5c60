//! A structure's order, found as far as it is asked for: the nearest parts of the index first, and of each its best.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    assignment::{Engine, Groups, SLACK},
    market::{Vacancy, arc, rough},
    scarcity::Asks,
};

/// What waits to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A part of the index.
    Part,
    /// Somebody whose distance is known.
    Near,
    /// Somebody whose cost is known.
    Person,
}

/// In the order of the least cost that it can have. What is less known comes first of two with the same: it may hold
/// somebody who is first of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    /// The bits of a cost, which order as the cost does: it is never negative.
    cost: u64,
    kind: Kind,
    /// Who comes first of two that are as good.
    turn: u32,
    number: u32,
}

/// The people possible for one vacancy, best first.
#[derive(Debug)]
pub(crate) struct Choices<'e> {
    engine: &'e Engine<'e>,
    /// Its position in the market.
    number: usize,
    vacancy: &'e Vacancy,
    /// Where it is.
    from: Option<[f32; 3]>,
    /// Among whom.
    groups: Groups,
    waiting: BinaryHeap<Reverse<Waiting>>,
}

/// Somebody, and what its place follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Choice {
    cost: u64,
    turn: u32,
    pub(crate) person: u32,
}

impl<'e> Choices<'e> {
    pub(crate) fn among(engine: &'e Engine<'e>, number: usize, groups: Groups) -> Self {
        let vacancy = &engine.market.vacancies[number];
        let mut choices =
            Self { engine, number, vacancy, from: engine.sites[number].map(rough), groups, waiting: BinaryHeap::new() };
        for person in engine.off_the_map(number) {
            choices.consider(person);
        }
        if !engine.nearest.nodes.is_empty() {
            choices.open(0);
        }
        choices
    }

    /// Adds a part of the index, unless nobody in it can be possible.
    fn open(&mut self, number: u32) {
        let (node, Some(from)) = (&self.engine.nearest.nodes[number as usize], self.from) else {
            return;
        };
        let (least, _) = node.area.distances(from);
        if !node.summary.groups.meets(self.groups) || node.summary.excludes(self.vacancy, least) {
            return;
        }
        self.wait(Kind::Part, least, number);
    }

    /// Adds what is at least as far as the square of a straight line says.
    fn wait(&mut self, kind: Kind, straight: f32, number: u32) {
        let cost = arc(f64::from((straight.sqrt() - SLACK).max(0.0))).to_bits();
        self.waiting.push(Reverse(Waiting { cost, kind, turn: 0, number }));
    }

    /// Adds the parts of a part, or the people in it.
    fn look_into(&mut self, part: u32) {
        let (tree, Some(from)) = (&self.engine.nearest, self.from) else { return };
        if let Some([first, second]) = tree.children(part) {
            self.open(first);
            self.open(second);
            return;
        }
        let (node, asks) = (&tree.nodes[part as usize], Asks::of(self.vacancy));
        for place in node.start as usize..node.end as usize {
            // Who wishes the department from beyond is there already.
            if let Some(straight) = self.engine.near(tree, place, self.number, &asks, from) {
                self.wait(Kind::Near, straight, tree.items[place]);
            }
        }
    }

    /// Adds somebody, where the pair is possible and new.
    fn consider(&mut self, number: u32) {
        let (market, person) = (self.engine.market, &self.engine.market.people[number as usize]);
        if !Groups::of(person.member).meets(self.groups) {
            return;
        }
        let Some(fit) = self.engine.fit(number as usize, self.number) else { return };
        if self.vacancy.introduced.binary_search(&number).is_err() {
            let cost = market.cost(person, &fit).to_bits();
            let turn = self.engine.turns[number as usize];
            self.waiting.push(Reverse(Waiting { cost, kind: Kind::Person, turn, number }));
        }
    }
}

impl Iterator for Choices<'_> {
    type Item = Choice;

    fn next(&mut self) -> Option<Choice> {
        loop {
            let Reverse(next) = self.waiting.pop()?;
            match next.kind {
                Kind::Person => return Some(Choice { cost: next.cost, turn: next.turn, person: next.number }),
                // Who lives in the commune is there already.
                Kind::Near if self.engine.market.people[next.number as usize].lives_in(self.vacancy.commune) => {}
                Kind::Near => self.consider(next.number),
                Kind::Part => self.look_into(next.number),
            }
        }
    }
}
