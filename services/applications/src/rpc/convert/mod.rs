//! Between the domain and the contract.

pub mod application;
pub mod events;
pub mod form;
pub mod lists;

use conum_proto::applications::v1 as proto;
use conum_service::wire;

use self::lists::Twin as _;
use crate::{
    domain::equity::DepartmentEquity,
    storage::{posts::Total, waves::Stored as StoredWave},
};

/// A count on the wire.
#[must_use]
pub fn count<N>(number: N) -> i32
where
    i32: TryFrom<N>,
{
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl From<StoredWave> for proto::Wave {
    fn from(stored: StoredWave) -> Self {
        let wave = stored.wave;
        Self {
            name: wave.id.name(),
            number: count(wave.number),
            committee_date: Some(wire::from_date(wave.committee_date)),
            state: wave.state.to_wire(),
            posts_granted: count(stored.posts),
            applications: count(stored.applications),
            activated_at: wave.activated_at.map(wire::from_timestamp),
            imported: wave.imported,
            etag: stored.version.to_string(),
        }
    }
}

impl From<Total> for proto::GrantTotal {
    fn from(total: Total) -> Self {
        Self {
            department: total.department,
            kind: total.kind.map_or(0, lists::Twin::to_wire),
            committee_date: Some(wire::from_date(total.committee_date)),
            posts: count(total.posts),
            structures: count(total.structures),
        }
    }
}

impl From<DepartmentEquity> for proto::DepartmentEquity {
    fn from(row: DepartmentEquity) -> Self {
        Self {
            department: row.count.department,
            department_name: row.count.name,
            population: row.count.population.into(),
            posts_granted: count(row.count.granted),
            posts_asked: count(row.count.asked),
            posts_per_100k: row.posts_per_100k,
            ratio: row.ratio,
        }
    }
}
