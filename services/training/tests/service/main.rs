//! training as it runs: its methods and its reaction to others' events, on every database.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod organisations;
#[cfg(test)]
mod people;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod seats;
#[cfg(test)]
mod trainings;
