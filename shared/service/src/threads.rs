//! Threads beside those that answer calls. They step aside where processors are few: who only asks something does not
//! wait for what can take its time.

/// How far a thread steps aside: the niceness of its share of the processors.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aside {
    /// For those who only read: it writes, and somebody may wait for it.
    ForReaders = 5,
    /// For everybody: nobody waits for it.
    ForAll = 19,
}

/// Runs `work` in a thread of its own.
pub(crate) fn spawn(name: &str, aside: Aside, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let run = move || {
        step(aside);
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
}
