//! What a service does by itself: relay, mailer, timers, sweeps. Each is woken by a signal and by time, and is safe on
//! every replica; none retries inside, because it is called again.

use std::{sync::Arc, time::Duration};

use conum_kernel::Error;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Failure, Host};

/// How many rounds a drain may take: far more than a season's busiest day.
const MOST_ROUNDS: usize = 20_000;

/// One thing to do again and again.
#[derive(Clone)]
pub struct Task {
    name: &'static str,
    /// The longest sleep.
    every: Duration,
    step: Arc<dyn Fn(Host) -> BoxFuture<'static, Result<usize, Failure>> + Send + Sync>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Task {
    /// A task whose step does what is due and answers how much that was. It is called until that is nothing, then again
    /// when something was written or after `every`.
    pub fn new<F, Fut>(name: &'static str, every: Duration, step: F) -> Self
    where
        F: Fn(Host) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<usize, Failure>> + Send + 'static,
    {
        Self { name, every, step: Arc::new(move |host| Box::pin(step(host))) }
    }

    /// Does what is due once.
    ///
    /// # Errors
    /// The step's.
    pub async fn step(&self, host: &Host) -> Result<usize, Failure> {
        (self.step)(host.clone()).await
    }

    async fn run(self, host: Host, mut woken: watch::Receiver<u64>, stop: CancellationToken) {
        loop {
            woken.mark_unchanged();
            let pause = match self.step(&host).await {
                Ok(0) => self.every,
                Ok(_) => Duration::ZERO,
                Err(failure) => {
                    tracing::warn!(task = self.name, service = host.name(), error = %failure.into_error(), "task failed");
                    self.every.max(Duration::from_millis(500))
                }
            };
            if pause.is_zero() && !stop.is_cancelled() {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
                _ = woken.changed() => {}
            }
        }
    }
}

/// Runs tasks until `stop`.
pub fn spawn(host: &Host, tasks: &[Task], tracker: &TaskTracker, stop: &CancellationToken) {
    for task in tasks {
        tracker.spawn(task.clone().run(host.clone(), host.woken(), stop.clone()));
    }
}

/// Runs every task until none has anything left to do: how the demo and tests drive a service whose tasks were not
/// spawned.
///
/// # Errors
/// The first failure; internal where a task always has something left to do.
pub async fn drain(host: &Host, tasks: &[Task]) -> Result<usize, Failure> {
    let mut done = 0;
    let mut busy = "";
    for _ in 0..MOST_ROUNDS {
        let mut round = 0;
        for task in tasks {
            let steps = task.step(host).await?;
            if steps > 0 {
                busy = task.name;
            }
            round += steps;
        }
        if round == 0 {
            return Ok(done);
        }
        done += round;
    }
    Err(Error::internal(format!("task {busy} of {} never ends", host.name())).into())
}
