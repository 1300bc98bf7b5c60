//! Recording grants of the past, from files.

use conum_kernel::PostId;
use conum_service::{Call, Failure, Tx, requests::Record};
use futures::future::BoxFuture;
use jiff::civil::Date;

use super::{applying::number, correcting::waves_of, granting::under_cap, record, store_with_cap};
use crate::{
    domain::{
        form::{Form, Profile},
        past::{self, Found, RecordPastGrant},
        waves as wave_rules,
    },
    storage::{
        applications::{self, Stored},
        structures, waves,
    },
};

/// A line of a file of the past.
#[derive(Clone, Debug)]
pub struct Line {
    pub profile: Profile,
    pub posts: usize,
    pub committee_date: Date,
    pub source_id: String,
    /// What resolving the place found.
    pub warnings: Vec<String>,
}

/// What became of a line. Asked for again, it was recorded before.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub stored: Stored,
    pub found: Found,
    pub warnings: Vec<String>,
}

impl Record for Recorded {
    fn name(&self) -> String {
        self.stored.name()
    }

    fn etag(&self) -> String {
        self.stored.etag()
    }

    fn load<'t>(tx: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move {
            let stored = Stored::load(tx, name).await?;
            Ok(Self { stored, found: Found::Unchanged, warnings: Vec::new() })
        })
    }
}

/// Records a line: in the record that holds it, else in the active application of its registration number, else in a new
/// record. The wave of its committee date is made where there is none.
///
/// # Errors
/// Those of the domain's `record`.
pub async fn record_line(tx: &Tx, call: &Call, line: Line) -> Result<Recorded, Failure> {
    // Lines come one after the other under this lock, so that two of one structure make one record.
    let (settings, programme) = under_cap(tx, call).await?;
    let (wave, made) = if let Some(known) = waves::lock_of_date(tx, line.committee_date).await? {
        (known.wave, None)
    } else {
        let number = waves::next_number(tx).await?;
        let outcome = wave_rules::of_the_past(call.mint("wave"), number, line.committee_date);
        (outcome.state.clone(), Some(outcome))
    };
    let number = number(&Form { profile: line.profile.clone(), ..Form::default() });
    let mut existing = applications::of_source(tx, &line.source_id).await?;
    if let (None, Some(number)) = (existing, &number) {
        existing = applications::active_of(tx, number).await?;
    }
    let structure = match (&existing, number) {
        (None, Some(number)) => structures::of_number(tx, call, &number).await?,
        _ => call.mint("structure"),
    };
    let before = match existing {
        Some(id) => Some(applications::lock(tx, id).await?),
        None => None,
    };
    let posts: Vec<PostId> = (0..line.posts).map(|place| call.mint(&format!("post/{place}"))).collect();
    let command = RecordPastGrant {
        application: call.mint("application"),
        structure,
        posts,
        profile: line.profile,
        source_id: line.source_id,
        warnings: line.warnings,
    };
    let known = match &before {
        Some(Stored { application, .. }) => {
            Some(past::Known { application: application.clone(), waves: waves_of(tx, application).await? })
        }
        None => None,
    };
    let recorded = past::record(known, programme, &wave, command, &settings, call.moment)?;
    if let Some(made) = made.filter(|_| recorded.found != Found::Unchanged) {
        let stored = waves::insert(tx, made.state).await?;
        record(tx, call, &stored.wave.id.name(), &made.facts, made.events, made.mails).await?;
    }
    let stored = store_with_cap(tx, call, before, recorded.outcome).await?;
    Ok(Recorded { stored, found: recorded.found, warnings: recorded.warnings })
}
