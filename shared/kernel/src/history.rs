//! State machines with a declared table, and the facts that a record's history keeps.

use crate::{Error, Rule};

/// One fact of a record's history: what happened, from which state to which, and why. Who and when are added where it
/// is stored. `why` is a listed reason or an id, never free text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// UPPER_SNAKE_CASE.
    pub action: &'static str,
    /// Empty for the first.
    pub from: &'static str,
    pub to: &'static str,
    pub why: String,
}

impl Fact {
    /// A fact that changes no state.
    #[must_use]
    pub fn noted(action: &'static str, state: &'static str, why: impl Into<String>) -> Self {
        Self { action, from: state, to: state, why: why.into() }
    }
}

/// A state machine: its table is the whole of what may happen.
pub trait Machine: Copy + PartialEq + 'static {
    /// What may happen to it.
    type Action: Copy + PartialEq + 'static;

    /// From, action, to. An action that stands in several rows of one state is a mistake.
    const TABLE: &'static [(Self, Self::Action, Self)];

    /// The state's name, UPPER_SNAKE_CASE.
    fn name(self) -> &'static str;

    /// The action's name, UPPER_SNAKE_CASE.
    fn action_name(action: Self::Action) -> &'static str;

    /// The rule behind an impossible action.
    fn rule(action: Self::Action) -> Rule;

    /// The state that an action leads to, and the fact that it makes.
    ///
    /// # Errors
    /// `WRONG_STATE`, with the rule of the action, where the table has no such row.
    fn step(self, action: Self::Action, why: impl Into<String>) -> Result<(Self, Fact), Error> {
        match Self::TABLE.iter().find(|(from, with, _)| *from == self && *with == action) {
            Some((_, _, to)) => {
                Ok((*to, Fact { action: Self::action_name(action), from: self.name(), to: to.name(), why: why.into() }))
            }
            None => Err(Error::refused(
                Self::rule(action),
                "WRONG_STATE",
                format!("{} is not possible in state {}", Self::action_name(action), self.name()),
                format!("l'action {} n'est pas possible dans l'état {}", Self::action_name(action), self.name()),
            )
            .with("state", self.name())),
        }
    }

    /// Whether the table allows an action.
    fn allows(self, action: Self::Action) -> bool {
        Self::TABLE.iter().any(|(from, with, _)| *from == self && *with == action)
    }
}
