//! The timers of matching: reminders and expiries (M03), arrivals on the day of availability (M01), notices of late
//! signature and the terms of contracts (M07), a second search and another number of live introductions (M02). Each takes what is due in the
//! order of its time and id, a few at a time, and is safe on every replica: what another one did first is found ended.

use std::time::Duration;

use conum_kernel::dates::add_days;
use conum_service::{Failure, Host, tasks::Task};

use crate::{
    commands::{
        answering, recruiting,
        serving::{self, Freed},
        settings,
    },
    domain::introduction::State,
    storage::{
        candidates, introductions,
        limits::{self, Limits},
        recruitments, structures,
    },
};

/// How many due things one transaction takes.
const BATCH: u64 = 50;

/// The timers.
#[must_use]
pub fn timers() -> Vec<Task> {
    let minute = Duration::from_mins(1);
    vec![
        Task::new("expiries", minute, |host| async move { expire(&host).await }),
        Task::new("reminders", minute, |host| async move { remind(&host).await }),
        Task::new("arrivals", minute, |host| async move { arrive(&host).await }),
        Task::new("late-signatures", minute, |host| async move { late(&host).await }),
        Task::new("rechecks", minute, |host| async move { recheck(&host).await }),
        Task::new("terms", minute, |host| async move { terms(&host).await }),
        Task::new("limits", minute, |host| async move { limits(&host).await }),
    ]
}

async fn expire(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    if introductions::to_expire(host.store().read(), moment.now, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, |tx, host, moment| {
        Box::pin(async move {
            let due = introductions::to_expire(tx, moment.now, BATCH).await?;
            let Some(first) = due.first() else { return Ok(0) };
            let mut freed = Freed::default();
            for introduction in &due {
                let call = host.timer_call(moment, "expire", &introduction.id.to_string());
                let introduction = answering::lock(tx, introduction.id).await?;
                if introduction.state == State::Proposed {
                    answering::expire(tx, &call, introduction, &mut freed).await?;
                }
            }
            let call = host.timer_call(moment, "expire", &first.id.to_string());
            let settings = settings(tx, &call).await?;
            serving::serve(tx, &call, &settings, freed).await?;
            Ok(due.len())
        })
    })
    .await
}

async fn remind(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    if introductions::to_remind(host.store().read(), moment.now, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, |tx, host, moment| {
        Box::pin(async move {
            let due = introductions::to_remind(tx, moment.now, BATCH).await?;
            for introduction in &due {
                let call = host.timer_call(moment, "remind", &introduction.id.to_string());
                let introduction = answering::lock(tx, introduction.id).await?;
                if introduction.state == State::Proposed && introduction.remind_at.is_some() {
                    answering::remind(tx, &call, introduction).await?;
                }
            }
            Ok(due.len())
        })
    })
    .await
}

/// Brings those who become available to the structures that wait (M01): nobody tells matching that a day has come.
async fn arrive(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    if candidates::arrived(host.store().read(), moment.today, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, |tx, host, moment| {
        Box::pin(async move {
            let arrived = candidates::arrived(tx, moment.today, BATCH).await?;
            let Some(first) = arrived.first() else { return Ok(0) };
            let call = host.timer_call(moment, "arrive", &first.to_string());
            let settings = settings(tx, &call).await?;
            // Whoever has become available since is served with whatever happens.
            serving::serve(tx, &call, &settings, Freed::default()).await?;
            Ok(arrived.len())
        })
    })
    .await
}

/// Serves the structures that went short while others wrote (M02): who became free at that moment is seen now.
async fn recheck(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    if structures::to_recheck(host.store().read(), moment.now, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, |tx, host, moment| {
        Box::pin(async move {
            let due = structures::to_recheck(tx, moment.now, BATCH).await?;
            let Some(first) = due.first() else { return Ok(0) };
            let call = host.timer_call(moment, "recheck", &first.to_string());
            let settings = settings(tx, &call).await?;
            let mut freed = Freed::default();
            for id in &due {
                structures::set_rechecked(tx, *id).await?;
                freed.structure(*id);
            }
            serving::serve(tx, &call, &settings, freed).await?;
            Ok(due.len())
        })
    })
    .await
}

async fn late(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    let today = host.timer_call(moment, "late", "settings");
    let days = settings(host.store().read(), &today).await?.signature_days;
    // n days from the launch end with launch + n: it is late on the day after.
    let before = add_days(moment.today, -days);
    if structures::late(host.store().read(), before, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, move |tx, host, moment| {
        Box::pin(async move {
            let due = structures::late(tx, before, BATCH).await?;
            for id in &due {
                let call = host.timer_call(moment, "late", &id.to_string());
                recruiting::notice_late(tx, &call, *id).await?;
            }
            Ok(due.len())
        })
    })
    .await
}

async fn terms(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    if recruitments::past_term(host.store().read(), moment.today, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, |tx, host, moment| {
        Box::pin(async move {
            let due = recruitments::past_term(tx, moment.today, BATCH).await?;
            for id in &due {
                let call = host.timer_call(moment, "term", &id.to_string());
                let settings = settings(tx, &call).await?;
                let recruitment = recruiting::lock(tx, *id).await?;
                recruiting::expire(tx, &call, &settings, recruitment).await?;
            }
            Ok(due.len())
        })
    })
    .await
}

/// Serves everybody anew from the day on which a side may have another number of live introductions (M02).
async fn limits(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    let call = host.timer_call(moment, "limits", &moment.today.to_string());
    let settings = settings(host.store().read(), &call).await?;
    if limits::adopted(host.store().read()).await? == Some(Limits::of(&settings)) {
        return Ok(0);
    }
    host.on_time(moment, move |tx, _, _| {
        let (call, settings) = (call.clone(), settings.clone());
        Box::pin(async move { serving::adopt(tx, &call, &settings).await.map(|()| 1) })
    })
    .await
}
