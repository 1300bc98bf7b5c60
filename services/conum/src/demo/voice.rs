//! Who speaks in the demo: the cast, each with an identity of its own.

use conum_proto::access::v1::Role;
use conum_service::Caller;

pub(crate) use crate::voice::{Voice, is, unexpected};

/// The agency.
pub(crate) fn agency() -> Caller {
    Caller { subject: "demo-agency".into(), roles: vec![Role::Agency, Role::Operator], owned: vec![] }
}

/// Somebody who acts for a structure.
pub(crate) fn structure(name: &str) -> Caller {
    Caller { subject: "demo-structure".into(), roles: vec![Role::Structure], owned: vec![name.into()] }
}

/// A candidate.
pub(crate) fn candidate(name: &str) -> Caller {
    Caller { subject: "demo-candidate".into(), roles: vec![Role::Candidate], owned: vec![name.into()] }
}

/// The prefect of a department.
pub(crate) fn prefect(department: &str) -> Caller {
    let owned = vec![format!("departments/{department}")];
    Caller { subject: "demo-prefect".into(), roles: vec![Role::Prefect], owned }
}

/// Somebody who acts for a training organisation.
pub(crate) fn organisation(name: &str) -> Caller {
    Caller { subject: "demo-organisation".into(), roles: vec![Role::Organisation], owned: vec![name.into()] }
}
