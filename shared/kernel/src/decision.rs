//! What a domain function answers: the new state, the facts for its history, what others are told, and which mails go.

use crate::Fact;

/// The outcome of a command on a record `S`, telling events `E` and causing mails `M`.
///
/// Whoever runs the command stores all of it in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<S, E, M> {
    pub state: S,
    pub facts: Vec<Fact>,
    pub events: Vec<E>,
    pub mails: Vec<M>,
}

impl<S, E, M> Decision<S, E, M> {
    /// A state that nothing has happened to yet.
    pub fn of(state: S) -> Self {
        Self { state, facts: Vec::new(), events: Vec::new(), mails: Vec::new() }
    }

    #[must_use]
    pub fn fact(mut self, fact: Fact) -> Self {
        self.facts.push(fact);
        self
    }

    #[must_use]
    pub fn event(mut self, event: E) -> Self {
        self.events.push(event);
        self
    }

    #[must_use]
    pub fn mail(mut self, mail: M) -> Self {
        self.mails.push(mail);
        self
    }
}
