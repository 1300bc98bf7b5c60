//! A share of places that is kept for a group: the reordering of Parcoursup (annexe on its algorithms, section 4).

use std::{fmt, iter::Peekable};

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
/// The members and the others come each in their order; of the first of both, the better one is next where no member is
/// due.
///
/// ```
/// use conum_engine::{Reordered, Share};
///
/// let order = Reordered::after((0, 0), "CE".chars(), "abd".chars(), Share { percent: 50 }, |one, other| {
///     one.to_ascii_lowercase() < other.to_ascii_lowercase()
/// });
/// assert_eq!(order.collect::<String>(), "CaEbd");
/// ```
pub struct Reordered<I: Iterator, F> {
    members: Peekable<I>,
    others: Peekable<I>,
    share: Share,
    is_better: F,
    length: u64,
    so_far: u64,
}

impl<I: Iterator, F> fmt::Debug for Reordered<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { share, length, so_far, .. } = self;
        f.debug_struct("Reordered")
            .field("share", share)
            .field("length", length)
            .field("so_far", so_far)
            .finish_non_exhaustive()
    }
}

impl<I: Iterator, F: Fn(&I::Item, &I::Item) -> bool> Reordered<I, F> {
    /// What comes after a beginning of a length, with so many of the group.
    pub fn after((length, so_far): (u64, u64), members: I, others: I, share: Share, is_better: F) -> Self {
        Self { members: members.peekable(), others: others.peekable(), share, is_better, length, so_far }
    }
}

impl<I: Iterator, F: Fn(&I::Item, &I::Item) -> bool> Iterator for Reordered<I, F> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let due = self.so_far < self.share.of(self.length + 1);
        let of_members = match (self.members.peek(), self.others.peek()) {
            (Some(member), Some(other)) => due || (self.is_better)(member, other),
            (member, _) => member.is_some(),
        };
        let next = if of_members { self.members.next() } else { self.others.next() }?;
        self.length += 1;
        self.so_far += u64::from(of_members);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The people of a list of which each is a member or not, after a beginning.
    fn reordered(called: (u64, u64), people: &[usize], members: &[bool], share: Share) -> Vec<usize> {
        let (of_group, others): (Vec<_>, Vec<_>) = people.iter().copied().partition(|person| members[*person]);
        Reordered::after(called, of_group.into_iter(), others.into_iter(), share, |one, other| one < other).collect()
    }

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
            let order = reordered((0, 0), &(0..members.len()).collect::<Vec<_>>(), &members, share);
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
            let whole = reordered((0, 0), &(0..members.len()).collect::<Vec<_>>(), &members, share);
            let (begun, _) = whole.split_at(cut.min(whole.len()));
            let called = (begun.len() as u64, begun.iter().filter(|person| members[**person]).count() as u64);
            let left: Vec<_> = (0..members.len()).filter(|person| !begun.contains(person)).collect();
            let rest = reordered(called, &left, &members, share);
            prop_assert_eq!(begun.iter().copied().chain(rest).collect::<Vec<_>>(), whole);
        }

        #[test]
        fn no_order_that_keeps_the_share_changes_less(
            members in prop::collection::vec(any::<bool>(), 0..6), percent in 0_u32..=100,
        ) {
            let share = Share { percent };
            let order = reordered((0, 0), &(0..members.len()).collect::<Vec<_>>(), &members, share);
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
