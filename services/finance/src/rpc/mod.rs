//! The methods of `conum.finance.v1`, and finance's reaction to others' events.

pub mod changes;
pub mod claims;
pub mod conventions;
pub mod convert;
pub mod inbox;
pub mod ledger;
pub mod payments;
pub mod reading;

use conum_kernel::{Error, Result, StructureId, id::invalid_name};
use conum_service::{Call, Scope};

use crate::domain::convention::Convention;

/// The resource name of a department.
fn department_name(code: &str) -> String {
    format!("departments/{code}")
}

/// Refuses a caller who is neither allowed everything, nor the convention's structure, nor its prefect.
pub(crate) fn require_party(call: &Call, convention: &Convention) -> Result<()> {
    call.require_owner(&[&convention.structure.name(), &department_name(&convention.department)])
}

/// Whose records a list is narrowed to: what the request asks for, and no more than the caller owns.
pub(crate) fn narrowed(
    call: &Call,
    structure: &str,
    department: &str,
) -> Result<(Option<StructureId>, Option<String>)> {
    let mut structure = (!structure.is_empty()).then(|| StructureId::parse_name("structure", structure)).transpose()?;
    let code = |name: &str| {
        let code = name.strip_prefix("departments/").filter(|code| !code.is_empty());
        code.map(str::to_owned).ok_or_else(|| invalid_name("department", "departments/{code}"))
    };
    let mut department = (!department.is_empty()).then(|| code(department)).transpose()?;
    if call.scope == Scope::Any {
        return Ok((structure, department));
    }
    let denied = || Error::denied("NOT_YOURS");
    if let Some(own) = call.caller.owned_in("structures/") {
        let own = StructureId::parse_name("structure", own)?;
        if structure.is_some_and(|asked| asked != own) {
            return Err(denied());
        }
        structure = Some(own);
    } else {
        let own = code(call.caller.owned_in("departments/").ok_or_else(denied)?)?;
        if department.as_ref().is_some_and(|asked| *asked != own) {
            return Err(denied());
        }
        department = Some(own);
    }
    Ok((structure, department))
}
