//! Callers to act as.

use conum_proto::access::v1::Role;
use conum_service::Caller;

fn caller(role: Role, subject: &str, owned: &[&str]) -> Caller {
    let owned = owned.iter().map(ToString::to_string).collect();
    Caller { subject: subject.into(), roles: vec![role], owned }
}

/// The national agency.
#[must_use]
pub fn agency() -> Caller {
    caller(Role::Agency, "agency", &[])
}

/// Somebody who runs the platform.
#[must_use]
pub fn operator() -> Caller {
    caller(Role::Operator, "operator", &[])
}

/// The prefect of a department, by its INSEE code.
#[must_use]
pub fn prefect(department: &str) -> Caller {
    caller(Role::Prefect, "prefect", &[&format!("departments/{department}")])
}

/// Somebody who acts for a structure, by its resource name.
#[must_use]
pub fn structure(name: &str) -> Caller {
    caller(Role::Structure, "structure", &[name])
}

/// A candidate, by its resource name.
#[must_use]
pub fn candidate(name: &str) -> Caller {
    caller(Role::Candidate, "candidate", &[name])
}

/// Somebody who acts for a training organisation, by its resource name.
#[must_use]
pub fn organisation(name: &str) -> Caller {
    caller(Role::Organisation, "organisation", &[name])
}

/// The holder of a mailed link to an introduction, by its resource name.
#[must_use]
pub fn link(introduction: &str) -> Caller {
    caller(Role::Link, "link", &[introduction])
}

/// Another service of the platform.
#[must_use]
pub fn service(name: &str) -> Caller {
    Caller::service(name)
}

/// Somebody who did not sign in.
#[must_use]
pub fn anonymous() -> Caller {
    Caller::anonymous()
}
