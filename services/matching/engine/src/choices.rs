//! A structure's order, found as far as it is asked for: the nearest parts of the index first, and of each its best.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    assignment::{Engine, MARGIN_M},
    market::{Vacancy, arc, chord_squared, unit},
};

/// What waits to be looked at, in the order of the least cost that it can have. Of a part of the index and a person with
/// the same cost, the part comes first: it may hold somebody who is first of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    /// The bits of a cost, which order as the cost does: it is never negative.
    cost: u64,
    is_person: bool,
    /// Who comes first of two that are as good.
    turn: u32,
    number: u32,
}

/// The people possible for one vacancy, best first.
#[derive(Debug)]
pub(crate) struct Choices<'e> {
    engine: &'e Engine<'e>,
    vacancy: &'e Vacancy,
    from: Option<[f64; 3]>,
    waiting: BinaryHeap<Reverse<Waiting>>,
}

impl<'e> Choices<'e> {
    pub(crate) fn new(engine: &'e Engine<'e>, vacancy: &'e Vacancy) -> Self {
        let mut choices = Self { engine, vacancy, from: vacancy.place.map(unit), waiting: BinaryHeap::new() };
        for person in engine.off_the_map(vacancy) {
            choices.consider(person);
        }
        if choices.from.is_some() && !engine.tree.nodes.is_empty() {
            choices.open(0);
        }
        choices
    }

    /// Adds a part of the index, unless nobody in it can be possible.
    fn open(&mut self, number: u32) {
        let (node, Some(from)) = (&self.engine.tree.nodes[number as usize], self.from) else { return };
        let (least, _) = node.area.distances(from);
        if node.summary.excludes(self.vacancy, least) {
            return;
        }
        let cost = (arc(least.sqrt()) - MARGIN_M).max(0.0).to_bits();
        self.waiting.push(Reverse(Waiting { cost, is_person: false, turn: 0, number }));
    }

    /// Adds somebody, where the pair is possible and new.
    fn consider(&mut self, number: u32) {
        let (market, person) = (self.engine.market, &self.engine.market.people[number as usize]);
        let Some(fit) = market.fit(person, self.vacancy) else { return };
        if self.vacancy.introduced.binary_search(&number).is_err() {
            let cost = market.cost(person, &fit).to_bits();
            let turn = self.engine.turns[number as usize];
            self.waiting.push(Reverse(Waiting { cost, is_person: true, turn, number }));
        }
    }
}

impl Iterator for Choices<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let Reverse(next) = self.waiting.pop()?;
            if next.is_person {
                return Some(next.number as usize);
            }
            let tree = &self.engine.tree;
            if let Some([first, second]) = tree.children(next.number) {
                self.open(first);
                self.open(second);
                continue;
            }
            let node = &tree.nodes[next.number as usize];
            for place in node.start as usize..node.end as usize {
                let point = tree.points[place];
                let from = self.from.unwrap_or_default();
                let straight = chord_squared([point[0], point[1], point[2]], from);
                // Who wishes the department from beyond is there already.
                if self.engine.is_near(tree.items[place], self.vacancy, straight) {
                    self.consider(tree.items[place]);
                }
            }
        }
    }
}
