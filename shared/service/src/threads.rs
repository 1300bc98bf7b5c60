//! Threads beside those that answer calls. They step aside where processors are few: who only asks something does not wait
//! for what can take its time.

use conum_kernel::Error;
use tokio::sync::oneshot;

/// How far a thread steps aside: the niceness of its share of the processors.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aside {
    /// For those who only read: it writes, and somebody may wait for it.
    ForReaders = 5,
    /// For everybody: nobody waits for it.
    ForAll = 10,
}

/// Runs `work` in a thread of its own.
pub(crate) fn spawn(name: &str, aside: Aside, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let run = move || {
        step(aside);
        work();
    };
    std::thread::Builder::new().name(name.into()).spawn(run).map(drop)
}

/// Runs `work` in a thread of its own, and answers what it answers.
pub(crate) async fn aside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let (answer, answered) = oneshot::channel();
    let run = move || drop(answer.send(work()));
    spawn(name, Aside::ForAll, run).map_err(Error::internal)?;
    answered.await.map_err(Error::internal)
}

/// On Linux, priorities are a thread's own. Where the system refuses, everybody has the same share.
#[cfg(target_os = "linux")]
fn step(aside: Aside) {
    let _ = rustix::process::setpriority_process(None, aside as i32);
}

#[cfg(not(target_os = "linux"))]
fn step(_: Aside) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_steps_aside_alone() {
        let own = || rustix::process::getpriority_process(None).unwrap();
        let before = own();
        let there = aside("aside", own).await.unwrap();
        assert_eq!((there, own()), (10, before));
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error() {
        assert!(aside::<()>("aside", || panic!("as it happens")).await.is_err());
    }
}
