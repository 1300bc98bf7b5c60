//! The methods of `conum.training.v1`, and training's reaction to others' events.

pub mod acting;
pub mod asked;
pub mod convert;
pub mod inbox;
pub mod organisations;
pub mod reading;
pub mod trainings;

use conum_kernel::{Error, Id, Result, id::Entity};
use conum_service::{Call, Scope};

/// An id that may be left out.
pub(crate) fn optional<T: Entity>(field: &str, name: &str) -> Result<Option<Id<T>>> {
    (!name.is_empty()).then(|| Id::parse_name(field, name)).transpose()
}

/// What a list is narrowed to: what the request asks for, and no more than the caller owns. Nothing where the caller owns
/// nothing of this collection.
pub(crate) fn narrowed<T: Entity>(call: &Call, field: &str, name: &str) -> Result<Option<Id<T>>> {
    let asked = optional(field, name)?;
    if call.scope == Scope::Any {
        return Ok(asked);
    }
    let own = call.caller.owned_in(&format!("{}/", T::COLLECTION));
    let own = own.map(|own| Id::parse_name(field, own)).transpose()?;
    match (asked, own) {
        (Some(asked), Some(own)) if asked != own => Err(Error::denied("NOT_YOURS")),
        (asked, own) => Ok(own.or(asked)),
    }
}
