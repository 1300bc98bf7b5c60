//! candidates as a running service, on every database.

// Said once more, so that clippy knows all of it for tests.
#[cfg(test)]
mod cases;
#[cfg(test)]
mod importing;
#[cfg(test)]
mod registering;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod ties;
#[cfg(test)]
mod trainings;
