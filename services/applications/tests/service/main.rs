//! applications as a running service, on every database: one process, so that the tests share a server.

// Said once more, so that clippy knows all of it for tests.
#[cfg(test)]
mod applying;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod granting;
#[cfg(test)]
mod meetings;
#[cfg(test)]
mod past;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod telling;
