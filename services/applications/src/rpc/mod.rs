//! The methods of `conum.applications.v1`, and the reaction to what the others tell.

pub mod applications;
pub mod asked;
pub mod convert;
pub mod documents;
pub mod inbox;
pub mod reading;
pub mod told;
pub mod waves;

use conum_kernel::{Error, StructureId};
use conum_service::{Call, Failure, Scope};

use crate::{domain::Application, storage::applications::Filter};

/// Whose an application is, to somebody who may act only on what is their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// The structure's.
    Structure,
    /// The prefect's of its department.
    Department,
    /// Both.
    Either,
}

impl Own {
    /// Refuses a caller whose the application is not.
    ///
    /// # Errors
    /// Permission denied.
    pub fn require(self, call: &Call, application: &Application) -> Result<(), Error> {
        let structure = application.structure.name();
        let department = department_name(application.form.profile.department().unwrap_or_default());
        match self {
            Self::Structure => call.require_owner(&[&structure]),
            Self::Department => call.require_owner(&[&department]),
            Self::Either => call.require_owner(&[&structure, &department]),
        }
    }
}

fn department_name(code: &str) -> String {
    format!("departments/{code}")
}

/// Narrows a list to what the caller owns.
pub(crate) fn narrow(call: &Call, filter: Filter) -> Result<Filter, Failure> {
    let denied = || Failure::from(Error::denied("NOT_YOURS"));
    if call.scope == Scope::Any {
        return Ok(filter);
    }
    if let Some(own) = call.caller.owned_in("structures/") {
        let own = StructureId::parse_name("structure", own)?;
        return match filter.structure {
            Some(asked) if asked != own => Err(denied()),
            _ => Ok(Filter { structure: Some(own), ..filter }),
        };
    }
    let own = call.caller.owned_in("departments/").and_then(|name| name.strip_prefix("departments/"));
    let own = own.ok_or_else(denied)?;
    match &filter.department {
        Some(asked) if asked != own => Err(denied()),
        _ => Ok(Filter { department: Some(own.to_owned()), ..filter }),
    }
}
