//! Orders that are written down.

use std::collections::HashMap;

use crate::Sides;

/// Both sides' lists of preferences, best first. A pair counts where each names the other.
#[derive(Clone, Debug)]
pub struct Lists {
    /// For each structure, whom it names, and how far it has asked.
    structures: Vec<(Vec<usize>, usize)>,
    /// For each person, the place of each structure that it names.
    people: Vec<HashMap<usize, usize>>,
}

impl Lists {
    /// The lists of both sides: positions in the other side's list. A name that comes twice counts where it comes first.
    #[must_use]
    pub fn new(structures: &[Vec<usize>], people: &[Vec<usize>]) -> Self {
        let places = |order: &Vec<usize>| {
            let mut places = HashMap::with_capacity(order.len());
            for (place, name) in order.iter().enumerate() {
                places.entry(*name).or_insert(place);
            }
            places
        };
        let people: Vec<HashMap<usize, usize>> = people.iter().map(places).collect();
        let mutual = |(structure, order): (usize, &Vec<usize>)| {
            let mut seen = std::collections::HashSet::new();
            let named = |person: &usize| people.get(*person).is_some_and(|places| places.contains_key(&structure));
            (order.iter().copied().filter(|person| named(person) && seen.insert(*person)).collect(), 0)
        };
        let structures = structures.iter().enumerate().map(mutual).collect();
        Self { structures, people }
    }

    /// How many pairs name each other.
    #[must_use]
    pub fn possible(&self) -> usize {
        self.structures.iter().map(|(order, _)| order.len()).sum()
    }
}

impl Sides for Lists {
    type Key = usize;

    fn next(&mut self, structure: usize) -> Option<usize> {
        let (order, asked) = self.structures.get_mut(structure)?;
        let person = order.get(*asked).copied()?;
        *asked += 1;
        Some(person)
    }

    fn key(&self, person: usize, structure: usize) -> usize {
        self.people.get(person).and_then(|places| places.get(&structure)).copied().unwrap_or(usize::MAX)
    }
}
