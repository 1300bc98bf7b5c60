//! The timers of applications: what uploads that broke off have left behind.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use conum_service::tasks::Task;

use crate::storage::files::Files;

/// How long the store is left alone between two looks, in seconds.
const PAUSE: i64 = 3600;

/// The timers.
#[must_use]
pub fn timers(files: Files) -> Vec<Task> {
    // A task is also woken by every write, and the store may be far away.
    let next = Arc::new(AtomicI64::new(i64::MIN));
    vec![Task::new("uploads", Duration::from_hours(1), move |host| {
        let (files, next) = (files.clone(), next.clone());
        async move {
            let now = host.clock().now();
            if now.as_second() < next.load(Ordering::Relaxed) {
                return Ok(0);
            }
            let swept = files.sweep(now).await?;
            next.store(now.as_second().saturating_add(PAUSE), Ordering::Relaxed);
            Ok(swept)
        }
    })]
}
