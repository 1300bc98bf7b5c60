//! What a failing connection to a service means to a caller, without its inner message.

use std::error::Error;

use tonic::{Status, TimeoutExpired};

/// The status of an error of the transport.
pub(crate) fn status(error: &(dyn Error + 'static)) -> Status {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<TimeoutExpired>() {
            return deadline();
        }
        cause = error.source();
    }
    tracing::warn!(error = %chain(error), "a service cannot be reached");
    Status::unavailable("the service cannot be reached")
}

/// A status that a service sent stays as it is; one that the transport made of an error is told by its meaning.
pub(crate) fn tell(answer: Status) -> Status {
    match answer.source() {
        Some(error) => status(error),
        None => answer,
    }
}

/// The caller's deadline has passed.
pub(crate) fn deadline() -> Status {
    Status::deadline_exceeded("the deadline has passed")
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
