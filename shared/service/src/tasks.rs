//! What a service does by itself: relay, mailer, timers, sweeps. Each is called by time, and those that follow what is
//! written by a signal as well. Each is safe on every replica; none retries inside, because it is called again. One that
//! fails, or panics, stops neither itself nor the others.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use conum_kernel::Error;
use futures::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use tokio::{runtime::Builder, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Failure, Host, sql,
    threads::{self, Aside},
};

/// How many rounds a drain may take: far more than a season's busiest day.
const MOST_ROUNDS: usize = 20_000;

/// One thing to do again and again.
#[derive(Clone)]
pub struct Task {
    name: &'static str,
    /// The longest sleep.
    every: Duration,
    after_writes: bool,
    step: Arc<dyn Fn(Host) -> BoxFuture<'static, Result<usize, Failure>> + Send + Sync>,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Task {
    /// A task whose step does what is due and answers how much that was. It is called until that is nothing, then again
    /// after `every`.
    pub fn new<F, Fut>(name: &'static str, every: Duration, step: F) -> Self
    where
        F: Fn(Host) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<usize, Failure>> + Send + 'static,
    {
        Self { name, every, after_writes: false, step: Arc::new(move |host| Box::pin(step(host))) }
    }

    /// The task is called when something was written, too.
    #[must_use]
    pub fn after_writes(self) -> Self {
        Self { after_writes: true, ..self }
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
            let outcome = AssertUnwindSafe(self.step(&host)).catch_unwind().await;
            let pause = match outcome.unwrap_or_else(|_| Err(Error::internal("a task panicked").into())) {
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
                _ = woken.changed(), if self.after_writes => {}
            }
        }
    }
}

/// Runs tasks until `stop`: on SQLite, which runs where it is called, in a thread of their own; on PostgreSQL beside the
/// calls, whose connections they share, and a connection lives where it was opened.
///
/// # Errors
/// Internal where the system gives no thread.
pub fn spawn(host: &Host, tasks: &[Task], tracker: &TaskTracker, stop: &CancellationToken) -> Result<(), Error> {
    let run = |task: &Task| task.clone().run(host.clone(), host.woken(), stop.clone());
    let all = tracker.track_future(join_all(tasks.iter().map(run).collect::<Vec<_>>()));
    if sql::is_postgres(host.store().read()) {
        drop(tokio::spawn(all));
        return Ok(());
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .on_thread_start(threads::yielding)
        .build()
        .map_err(Error::internal)?;
    let work = move || drop(runtime.block_on(all));
    threads::spawn("background", Aside::ForAll, work).map_err(Error::internal)
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

#[cfg(test)]
mod tests {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    };

    use conum_kernel::{Clock, Ids};

    use super::*;
    use crate::{
        cluster::{Cluster, Options},
        config::Config,
        lifecycle::{Built, Drive, Service},
    };

    static BY_CLOCK: AtomicU64 = AtomicU64::new(0);
    static AFTER_WRITES: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));

    #[expect(clippy::unnecessary_wraps, reason = "the signature of a service")]
    fn built(_: &Host, _: &Config) -> Result<Built, Error> {
        let by_clock = async |_| {
            BY_CLOCK.fetch_add(1, Ordering::SeqCst);
            Ok(0)
        };
        // It panics once: neither it nor the other ends.
        let after_writes = async |_| {
            AFTER_WRITES.send_modify(|calls| *calls += 1);
            assert_ne!(*AFTER_WRITES.borrow(), 2, "as it happens");
            Ok(0)
        };
        let hour = Duration::from_hours(1);
        let timers = vec![Task::new("clock", hour, by_clock), Task::new("writes", hour, after_writes).after_writes()];
        Ok(Built { timers, ..Built::default() })
    }

    #[tokio::test]
    async fn a_timer_follows_the_clock_and_not_every_write_and_a_task_that_panics_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let service = Service { name: "matching", policies: &[], tables: &[], build: built };
        let options = Options::in_folder(folder.path(), Clock::system(), Ids::random(), Drive::Itself);
        let cluster = Cluster::start(&[service], &options).await.unwrap();
        let mut calls = AFTER_WRITES.subscribe();
        for round in 1..=5 {
            let called = calls.wait_for(|calls| *calls >= round);
            tokio::time::timeout(Duration::from_secs(20), called).await.unwrap().unwrap();
            cluster.service("matching").unwrap().host.wake();
        }
        cluster.stop().await;
        assert_eq!(BY_CLOCK.load(Ordering::SeqCst), 1);
    }
}
