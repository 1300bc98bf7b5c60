//! A share of places that is kept for a group: the reordering of Parcoursup (annexe on its algorithms, section 4).

use std::collections::VecDeque;

/// The least share of a group in every beginning of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Share {
    /// Per cent, 0 to 100.
    pub percent: u32,
}

impl Share {
    /// How many of the first `length` belong to the group at least, where there are so many: `ceil(q · length)`.
    #[must_use]
    pub fn of(self, length: u64) -> u64 {
        (length * u64::from(self.percent)).div_ceil(100)
    }
}

/// An order in which every beginning of length k holds at least `ceil(q k)` of a group, or none of the group is left. A
/// member is never overtaken by somebody who is none, and as few as can be change their order.
///
/// ```
/// use conum_engine::{Reordered, Share};
///
/// let order = ["a", "b", "C", "d", "E"].into_iter();
/// let member = |name: &&str| name.chars().all(char::is_uppercase);
/// let order: Vec<_> = Reordered::new(order, Share { percent: 50 }, member).collect();
/// assert_eq!(order, ["C", "a", "E", "b", "d"]);
/// ```
#[derive(Clone, Debug)]
pub struct Reordered<I: Iterator, F> {
    order: I,
    share: Share,
    is_member: F,
    /// Those who were overtaken, in their order.
    overtaken: VecDeque<I::Item>,
    length: u64,
    members: u64,
}

impl<I: Iterator, F: Fn(&I::Item) -> bool> Reordered<I, F> {
    pub fn new(order: I, share: Share, is_member: F) -> Self {
        Self::after((0, 0), order, share, is_member)
    }

    /// The same for what comes after a beginning of a length, with so many of the group.
    pub fn after((length, members): (u64, u64), order: I, share: Share, is_member: F) -> Self {
        Self { order, share, is_member, overtaken: VecDeque::new(), length, members }
    }

    fn next_member(&mut self) -> Option<I::Item> {
        loop {
            let next = self.order.next()?;
            if (self.is_member)(&next) {
                return Some(next);
            }
            self.overtaken.push_back(next);
        }
    }
}

impl<I: Iterator, F: Fn(&I::Item) -> bool> Iterator for Reordered<I, F> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let due = self.members < self.share.of(self.length + 1);
        let member = if due { self.next_member() } else { None };
        let next = member.or_else(|| self.overtaken.pop_front()).or_else(|| self.order.next())?;
        self.length += 1;
        self.members += u64::from((self.is_member)(&next));
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The inversions between an order and the natural one.
    fn inversions(order: &[usize]) -> usize {
        (0..order.len()).map(|i| order[i + 1..].iter().filter(|later| **later < order[i]).count()).sum()
    }

    fn keeps(order: &[usize], members: &[bool], share: Share) -> bool {
        let all = members.iter().filter(|member| **member).count() as u64;
        (1..=order.len()).all(|k| {
            let held = order[..k].iter().filter(|person| members[**person]).count() as u64;
            held >= share.of(k as u64) || held == all
        })
    }

    proptest! {
        #[test]
        fn every_beginning_holds_its_share_and_no_member_is_overtaken(
            members in prop::collection::vec(any::<bool>(), 0..40), percent in 0_u32..=100,
        ) {
            let share = Share { percent };
            let order: Vec<usize> = Reordered::new(0..members.len(), share, |person| members[*person]).collect();
            prop_assert_eq!(order.iter().collect::<std::collections::HashSet<_>>().len(), members.len());
            prop_assert!(keeps(&order, &members, share));
            for (place, person) in order.iter().enumerate() {
                let overtook = order[..place].iter().filter(|before| *before > person);
                prop_assert!(overtook.clone().all(|before| members[*before] && !members[*person]));
            }
        }

        #[test]
        fn an_order_goes_on_after_a_beginning_as_if_it_had_never_stopped(
            members in prop::collection::vec(any::<bool>(), 0..40), percent in 0_u32..=100, cut in 0_usize..40,
        ) {
            let share = Share { percent };
            let whole: Vec<usize> = Reordered::new(0..members.len(), share, |person| members[*person]).collect();
            let (begun, _) = whole.split_at(cut.min(whole.len()));
            let called = (begun.len() as u64, begun.iter().filter(|person| members[**person]).count() as u64);
            let left = (0..members.len()).filter(|person| !begun.contains(person));
            let rest = Reordered::after(called, left, share, |person| members[*person]);
            prop_assert_eq!(begun.iter().copied().chain(rest).collect::<Vec<_>>(), whole);
        }

        #[test]
        fn no_order_that_keeps_the_share_changes_less(
            members in prop::collection::vec(any::<bool>(), 0..6), percent in 0_u32..=100,
        ) {
            let share = Share { percent };
            let order: Vec<usize> = Reordered::new(0..members.len(), share, |person| members[*person]).collect();
            let mut all = vec![vec![]];
            for person in 0..members.len() {
                all = all.into_iter().flat_map(|order: Vec<usize>| (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, person);
                    longer
                })).collect();
            }
            let fewest = all.iter().filter(|order| keeps(order, &members, share)).map(|order| inversions(order)).min();
            prop_assert_eq!(Some(inversions(&order)), fewest);
        }
    }
}
