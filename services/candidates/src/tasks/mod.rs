//! The timers of candidates (C07): the notice to who has been inactive, and the anonymisation that follows. Each takes a
//! few at a time in the order of their ids, and is safe on every replica: what another one did first is found done.
//!
//! Who is due is the domain's to say, by the settings of the day; the queries look for who may be.

use std::time::Duration;

use conum_kernel::{
    CandidateId, Moment,
    clock::paris_date,
    dates::{add_days, add_months},
};
use conum_service::{Call, Failure, Host, Tx, tasks::Task};
use jiff::civil::Date;

use crate::{
    commands::{carry_out, ending, settings},
    domain::{
        Settings,
        inactivity::{due_for_anonymisation, due_for_notice, give_notice, last_activity},
    },
    storage::{
        candidates::{self, Stored},
        ties,
    },
};

/// How many due files one transaction takes.
const BATCH: usize = 50;

/// The timers.
#[must_use]
pub fn timers() -> Vec<Task> {
    let hour = Duration::from_hours(1);
    vec![
        Task::new("inactivity-notices", hour, |host| async move { give_notices(&host).await }),
        Task::new("anonymisations", hour, |host| async move { anonymise(&host).await }),
    ]
}

async fn settings_of_the_day(host: &Host, moment: Moment) -> Result<Settings, Failure> {
    settings(host.store().read(), &host.timer_call(moment, "inactivity", "settings")).await
}

async fn give_notices(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    let settings = settings_of_the_day(host, moment).await?;
    let until = last_day_due(&settings, moment.today);
    if candidates::silent(host.store().read(), until, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, move |tx, host, moment| {
        let settings = settings.clone();
        Box::pin(async move {
            let silent = candidates::silent(tx, until, BATCH).await?;
            for id in &silent {
                let call = host.timer_call(moment, "notice", &id.to_string());
                notice(tx, &call, &settings, *id).await?;
            }
            Ok(silent.len())
        })
    })
    .await
}

/// The last day of activity whose notice is due today: its period ends within the days of the notice.
fn last_day_due(settings: &Settings, today: Date) -> Date {
    let end = add_days(today, settings.inactivity_notice_days);
    let mut last = add_months(end, -settings.inactivity_months);
    // Months are clipped: the period of 29 to 31 January may end on one 28 February.
    while add_months(add_days(last, 1), settings.inactivity_months) <= end {
        last = add_days(last, 1);
    }
    last
}

async fn notice(tx: &Tx, call: &Call, settings: &Settings, id: CandidateId) -> Result<(), Failure> {
    let Some(Stored { candidate, version }) = candidates::lock(tx, id).await? else { return Ok(()) };
    let ties = ties::of(tx, id).await?;
    let noticed_on = candidate.noticed_at.map(paris_date);
    let due = due_for_notice(last_activity(&candidate, &ties), noticed_on, settings, call.moment.today);
    let candidate = if due {
        carry_out(tx, call, version, give_notice(candidate, &ties, settings, call.moment)?).await?.candidate
    } else {
        candidate
    };
    // By periods as short as its notice, the notice may be of the very day of the last activity: it counts all the same.
    candidates::set_noticed(tx, id, candidate.noticed_at.map(paris_date)).await
}

async fn anonymise(host: &Host) -> Result<usize, Failure> {
    let moment = host.clock().moment();
    let settings = settings_of_the_day(host, moment).await?;
    let before = add_days(moment.today, -settings.inactivity_notice_days);
    if candidates::noticed(host.store().read(), before, 1).await?.is_empty() {
        return Ok(0);
    }
    host.on_time(moment, move |tx, host, moment| {
        let settings = settings.clone();
        Box::pin(async move {
            let noticed = candidates::noticed(tx, before, BATCH).await?;
            for id in &noticed {
                let call = host.timer_call(moment, "anonymise", &id.to_string());
                anonymise_one(tx, &call, &settings, *id).await?;
            }
            Ok(noticed.len())
        })
    })
    .await
}

async fn anonymise_one(tx: &Tx, call: &Call, settings: &Settings, id: CandidateId) -> Result<(), Failure> {
    let Some(stored) = candidates::lock(tx, id).await? else { return Ok(()) };
    let last = last_activity(&stored.candidate, &ties::of(tx, id).await?);
    let noticed_on = stored.candidate.noticed_at.map(paris_date);
    if due_for_anonymisation(last, noticed_on, settings, call.moment.today) {
        return ending::anonymise(tx, call, settings, stored).await;
    }
    // The settings have changed since: that notice does not count, and another will be due.
    candidates::set_noticed(tx, id, None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c07_the_last_day_that_is_due_is_the_domains_around_every_end_of_month() {
        for (months, days) in [(24, 30), (1, 30), (6, 0), (120, 365)] {
            let settings = Settings {
                minimum_age: 16,
                maximum_age: 64,
                allowed_km: vec![],
                inactivity_months: months,
                inactivity_notice_days: days,
            };
            let mut today = Date::constant(2023, 12, 1);
            while today < Date::constant(2024, 4, 15) {
                let last = last_day_due(&settings, today);
                assert!(due_for_notice(Some(last), None, &settings, today), "{today} {months} {days}");
                assert!(!due_for_notice(Some(add_days(last, 1)), None, &settings, today), "{today} {months} {days}");
                today = add_days(today, 1);
            }
        }
    }
}
