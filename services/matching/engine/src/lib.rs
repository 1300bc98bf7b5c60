//! Who is introduced to whom.
//!
//! Structures with vacant posts lack a few introductions each; people have room for a few each. Both sides have an order.
//! The engine finds an assignment that is *stable* given both orders: there is no structure and no person, possible for
//! each other and not introduced, who would both rather have each other than somebody they have. It is the one of all
//! stable assignments that structures like best, whatever the order of the input (Gale and Shapley 1962, Roth 1984).
//!
//! It is pure: no clock, no chance, no storage. What is possible and what is better is said by a [`Market`]; the general
//! part ([`accept`]) knows nothing of places and needs, and takes lists of preferences as well.
//!
//! ```
//! use conum_engine::{Lists, accept};
//!
//! // Two structures that want the same person first; the person prefers the second.
//! let mut lists = Lists::new(&[vec![0, 1], vec![0]], &[vec![1, 0], vec![0]]);
//! let pairs = accept(&[1, 1], &[1, 1], &mut lists);
//! assert_eq!(pairs.iter().map(|pair| (pair.structure, pair.person)).collect::<Vec<_>>(), [(0, 1), (1, 0)]);
//! ```

mod acceptance;
mod assignment;
mod choices;
mod lists;
mod market;
mod quota;
mod scarcity;
mod tree;

pub use acceptance::{Pair, Sides, accept};
pub use assignment::{Assigned, Assignment, Engine};
pub use lists::Lists;
pub use market::{Fit, Market, Person, Reach, Rounding, Vacancy, Weights, tie_break};
pub use quota::{Reordered, Share};
