//! Events between services: a transactional outbox, a relay that keeps each aggregate's order, an inbox that has each
//! effect once, dead letters.
//!
//! - [`outbox`]: written in the transaction of the fact.
//! - [`relay`]: sends; leases aggregates, not rows, so that order holds with many replicas.
//! - [`inbox`]: receives; each event and its effect in one transaction.
//! - [`subscriptions`]: who listens to what.

pub mod inbox;
pub mod outbox;
pub mod relay;
pub mod subscriptions;

pub use inbox::{Applied, Subscriber};
pub use outbox::{append, forget};
