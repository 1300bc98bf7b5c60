//! Deferred acceptance, with structures proposing: many to many, responsive orders.

/// The orders of both sides. Numbers are positions in the caller's lists.
pub trait Sides {
    /// What a person compares structures by: less is better. Two structures never compare as equal.
    type Key: Ord + Copy;

    /// The next person that a structure would have, from its first choice on; nothing when its list is at its end.
    fn next(&mut self, structure: usize) -> Option<usize>;

    /// How a person sees a structure that asks.
    fn key(&self, person: usize, structure: usize) -> Self::Key;
}

/// A structure and a person who have each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub structure: usize,
    pub person: usize,
    /// The place of the person in the structure's order, from 1.
    pub choice: u32,
}

/// One structure that a person holds for now.
struct Held<K> {
    key: K,
    structure: usize,
    choice: u32,
}

/// Assigns `places` of each structure to people with `room` for so many each. Answers the pairs by structure, then in the
/// structure's order.
///
/// Each structure asks one after the other from its first choice on; a person holds the best of who has asked so far, up to
/// the room there is, and lets the others go on. Who asks first makes no difference.
pub fn accept<S: Sides>(places: &[u32], room: &[u32], sides: &mut S) -> Vec<Pair> {
    accept_in((0..places.len()).collect(), places, room, sides)
}

/// The same, with the structures asking in an order: it makes a difference to nothing but the time.
pub(crate) fn accept_in<S: Sides>(mut waiting: Vec<usize>, places: &[u32], room: &[u32], sides: &mut S) -> Vec<Pair> {
    let mut held: Vec<Vec<Held<S::Key>>> = room.iter().map(|_| Vec::new()).collect();
    let mut lacks = places.to_vec();
    let mut asked = vec![0_u32; places.len()];
    while let Some(structure) = waiting.pop() {
        while lacks[structure] > 0 {
            let Some(person) = sides.next(structure) else { break };
            asked[structure] += 1;
            let offer = Held { key: sides.key(person, structure), structure, choice: asked[structure] };
            let holds = &mut held[person];
            if holds.len() < room[person] as usize {
                holds.push(offer);
                lacks[structure] -= 1;
                continue;
            }
            let worst = holds.iter_mut().max_by_key(|held| held.key);
            if let Some(worst) = worst.filter(|worst| offer.key < worst.key) {
                let left = std::mem::replace(worst, offer).structure;
                lacks[structure] -= 1;
                lacks[left] += 1;
                waiting.push(left);
            }
        }
    }
    let pair = |person, held: &Held<_>| Pair { structure: held.structure, person, choice: held.choice };
    let mut pairs: Vec<Pair> =
        held.iter().enumerate().flat_map(|(person, held)| held.iter().map(move |held| pair(person, held))).collect();
    pairs.sort_unstable_by_key(|pair| (pair.structure, pair.choice));
    pairs
}
