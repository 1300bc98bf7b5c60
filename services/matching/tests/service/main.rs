//! matching as it runs: its methods, its reaction to others' events and its timers, on every database.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod introductions;
#[cfg(test)]
mod online;
#[cfg(test)]
mod order;
#[cfg(test)]
mod recruitments;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod studies;
#[cfg(test)]
mod trainings;
