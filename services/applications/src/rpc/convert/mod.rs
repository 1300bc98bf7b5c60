//! Between the domain and the contract.

pub mod application;
pub mod events;
pub mod form;
pub mod lists;

use conum_proto::applications::v1 as proto;
use conum_service::wire;

use self::lists::Twin as _;
use crate::{
    domain::{
        allocation::{Allocation, DepartmentAllocation, Rate, Spread},
        equity::DepartmentEquity,
    },
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

impl From<Allocation> for proto::ProposeAllocationResponse {
    fn from(allocation: Allocation) -> Self {
        Self {
            departments: allocation.departments.into_iter().map(Into::into).collect(),
            proportional: Some(allocation.proportional.into()),
            max_min: Some(allocation.max_min.into()),
            mean_per_100k: allocation.mean.per_100k(),
            left_over: count(allocation.left_over),
            moved: count(allocation.moved),
        }
    }
}

impl From<DepartmentAllocation> for proto::DepartmentAllocation {
    fn from(row: DepartmentAllocation) -> Self {
        let proposed = |posts| proto::ProposedPosts {
            posts: count(posts),
            posts_per_100k: row.rate(posts).map_or(0.0, Rate::per_100k),
        };
        Self {
            proportional: Some(proposed(row.proportional)),
            max_min: Some(proposed(row.max_min)),
            population: row.count.population.into(),
            posts_granted: count(row.count.granted),
            posts_asked: count(row.count.asked),
            department: row.count.department,
            department_name: row.count.name,
        }
    }
}

impl From<Spread> for proto::AllocationSpread {
    fn from(spread: Spread) -> Self {
        Self {
            lowest_per_100k: spread.lowest.per_100k(),
            highest_per_100k: spread.highest.per_100k(),
            departments_below_mean: count(spread.below_mean),
            gini: spread.gini,
        }
    }
}
