//! Threads beside those that answer calls. They step aside where processors are few: who only asks something does not
//! wait for what can take its time.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// How far a thread steps aside: the niceness of its share of the processors.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aside {
    /// For those who only read: it writes, and somebody may wait for it.
    ForReaders = 5,
    /// For everybody: nobody waits for it.
    ForAll = 19,
}

/// How long a thread that steps aside holds a processor before it offers it.
const BREATH: Duration = Duration::from_micros(100);

thread_local! {
    /// When this thread last offered its processor; nothing where it does not step aside.
    static OFFERED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Offers the processor to whoever waits for it, where this thread steps aside and has held it for a while. The kernel
/// alone would let it run to its next tick, some milliseconds, whatever its niceness.
pub(crate) fn breathe() {
    if OFFERED.get().is_some_and(|offered| offered.elapsed() >= BREATH) {
        std::thread::yield_now();
        OFFERED.set(Some(Instant::now()));
    }
}

/// From now on this thread offers its processor, as [`breathe`] says. A thread does not have it of the one that started
/// it.
pub(crate) fn yielding() {
    OFFERED.set(Some(Instant::now()));
}

/// Runs `work` in a thread of its own.
pub(crate) fn spawn(name: &str, aside: Aside, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let run = move || {
        step(aside);
        yielding();
        work();
    };
    std::thread::Builder::new().name(name.into()).spawn(run).map(drop)
}

/// On Linux, priorities are a thread's own, and of those that it starts. Where the system refuses, everybody has the
/// same share.
#[cfg(target_os = "linux")]
fn step(aside: Aside) {
    let _ = rustix::process::setpriority_process(None, aside as i32);
}

#[cfg(not(target_os = "linux"))]
fn step(_: Aside) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_steps_aside_alone_and_with_it_what_it_starts() {
        let own = || rustix::process::getpriority_process(None).unwrap();
        let before = own();
        let (tell, told) = std::sync::mpsc::channel();
        let work = move || tell.send((own(), std::thread::spawn(own).join().unwrap())).unwrap();
        spawn("aside", Aside::ForAll, work).unwrap();
        let aside = (Aside::ForAll as i32).max(before);
        assert_eq!((told.recv().unwrap(), own()), ((aside, aside), before));
    }

    #[test]
    fn only_a_thread_that_steps_aside_offers_its_processor() {
        breathe();
        assert_eq!(OFFERED.get(), None);
        let (tell, told) = std::sync::mpsc::channel();
        let work = move || {
            let (before, late) = (OFFERED.get(), Instant::now() + Duration::from_secs(20));
            while OFFERED.get() == before && Instant::now() < late {
                breathe();
            }
            tell.send((before, OFFERED.get())).unwrap();
        };
        spawn("aside", Aside::ForReaders, work).unwrap();
        let (before, after) = told.recv().unwrap();
        assert!(before.is_some() && after > before, "{before:?} {after:?}");
    }
}
