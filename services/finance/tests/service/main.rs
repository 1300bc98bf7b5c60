//! finance as it runs: its methods, its reaction to others' events and its timers, on every database.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod conventions;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod payment_run;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod scene;
