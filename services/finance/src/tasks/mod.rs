//! The timers of finance: what the calendar brings about for each convention, and the daily seal. Each takes what is due in
//! the order of its day and id, a few at a time, and is safe on every replica.

use std::time::Duration;

use conum_service::{Failure, Host, tasks::Task};

use crate::{
    commands::{decide, sealing},
    domain::advance,
    storage::{conventions, seals},
};

/// How many conventions one transaction takes.
const BATCH: u64 = 50;

/// The timers.
#[must_use]
pub fn timers() -> Vec<Task> {
    let minute = Duration::from_mins(1);
    vec![
        Task::new("calendar", minute, |host| async move { wake(&host).await }),
        Task::new("seals", minute, |host| async move { seal(&host).await }),
    ]
}

async fn wake(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    if conventions::to_wake(host.store().read(), moment.today, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, |tx, host, moment| {
        Box::pin(async move {
            let mut due = conventions::to_wake(tx, moment.today, BATCH).await?;
            due.sort_unstable();
            for id in &due {
                let call = host.timer_call(moment, "calendar", &format!("{id}/{}", moment.today));
                decide(tx, &call, *id, advance::on).await?;
            }
            Ok(due.len())
        })
    })
    .await
}

async fn seal(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    if seals::unsealed(host.store().read(), moment.today, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, |tx, _, moment| Box::pin(sealing::seal(tx, moment.today))).await
}
