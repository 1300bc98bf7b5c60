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
    /// The rule behind it, where the rule book names one.
    pub rule: Option<Rule>,
}

impl Fact {
    /// A fact that changes no state, and that no rule stands behind yet.
    #[must_use]
    pub fn noted(action: &'static str, state: &'static str, why: impl Into<String>) -> Self {
        Self { action, from: state, to: state, why: why.into(), rule: None }
    }

    /// The same fact under a rule.
    #[must_use]
    pub fn under(self, rule: Rule) -> Self {
        Self { rule: Some(rule), ..self }
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

    /// The rule behind an action: of the fact that it makes, and of its refusal where it is impossible.
    fn rule(action: Self::Action) -> Rule;

    /// The state that an action leads to, and the fact that it makes.
    ///
    /// # Errors
    /// `WRONG_STATE`, with the rule of the action, where the table has no such row.
    fn step(self, action: Self::Action, why: impl Into<String>) -> Result<(Self, Fact), Error> {
        match Self::TABLE.iter().find(|(from, with, _)| *from == self && *with == action) {
            Some((_, _, to)) => {
                let (action, rule) = (Self::action_name(action), Some(Self::rule(action)));
                Ok((*to, Fact { action, from: self.name(), to: to.name(), why: why.into(), rule }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Lamp(bool);

    impl Machine for Lamp {
        type Action = ();

        const TABLE: &'static [(Self, (), Self)] = &[(Self(false), (), Self(true))];

        fn name(self) -> &'static str {
            if self.0 { "LIT" } else { "DARK" }
        }

        fn action_name((): ()) -> &'static str {
            "LIGHT"
        }

        fn rule((): ()) -> Rule {
            Rule("X01")
        }
    }

    #[test]
    fn a_step_names_its_rule_and_a_note_the_one_it_is_put_under() {
        let (state, fact) = Lamp(false).step((), "").unwrap();
        assert_eq!((state, fact.rule), (Lamp(true), Some(Rule("X01"))));
        assert_eq!(Lamp(true).step((), "").unwrap_err().rule(), Some(Rule("X01")));
        let noted = Fact::noted("DUST", "LIT", "");
        assert_eq!((noted.rule, noted.under(Rule("X02")).rule), (None, Some(Rule("X02"))));
    }
}
