//! Who may call what: the access option of every method, read from the contracts, and its decision.

use std::{collections::HashMap, sync::LazyLock};

use conum_kernel::{Error, Result};
use conum_proto::{DESCRIPTORS, access::v1::Role};
use prost_reflect::{DescriptorPool, MethodDescriptor, Value};

use crate::identity::{Caller, Scope};

/// The access option of a method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Roles that act on every resource.
    pub any: Vec<Role>,
    /// Roles that act on what is theirs.
    pub own: Vec<Role>,
}

impl Access {
    /// On what a caller may act with the method.
    ///
    /// # Errors
    /// Unauthenticated for somebody who did not sign in; permission denied otherwise.
    pub fn decide(&self, caller: &Caller) -> Result<Scope> {
        let has = |roles: &[Role]| roles.iter().any(|role| *role == Role::Public || caller.roles.contains(role));
        if has(&self.any) {
            Ok(Scope::Any)
        } else if has(&self.own) {
            Ok(Scope::Own)
        } else if caller.roles == [Role::Public] {
            Err(Error::unauthenticated("SIGN_IN_REQUIRED"))
        } else {
            Err(Error::denied("ROLE_NOT_ALLOWED"))
        }
    }
}

/// Every method of the contracts, by its path `/package.Service/Method`.
#[must_use]
pub fn methods() -> &'static HashMap<String, Access> {
    static METHODS: LazyLock<HashMap<String, Access>> = LazyLock::new(|| {
        pool()
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .map(|method| (format!("/{}/{}", method.parent_service().full_name(), method.name()), of(&method)))
            .collect()
    });
    &METHODS
}

/// The contracts' descriptors, with their options.
#[must_use]
pub fn pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).unwrap_or_default());
    &POOL
}

fn of(method: &MethodDescriptor) -> Access {
    let options = method.options();
    let Some(extension) = pool().get_extension_by_name("conum.access.v1.access") else { return Access::default() };
    let value = options.get_extension(&extension);
    let roles = |field: &str| -> Vec<Role> {
        let Some(message) = value.as_message() else { return Vec::new() };
        let Some(list) = message.get_field_by_name(field) else { return Vec::new() };
        list.as_list()
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_enum_number)
            .filter_map(|number| Role::try_from(number).ok())
            .collect()
    };
    Access { any: roles("any"), own: roles("own") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_says_who_may_call_it() {
        assert!(methods().len() > 40, "{}", methods().len());
        for (method, access) in methods() {
            assert!(!access.any.is_empty() || !access.own.is_empty(), "{method} can be called by nobody");
        }
    }

    #[test]
    fn a_role_decides_between_any_and_own() {
        let access = &methods()["/conum.applications.v1.ApplicationsService/GetApplication"];
        let caller = |role| Caller { subject: "x".into(), roles: vec![role], owned: vec![] };
        assert_eq!(access.decide(&caller(Role::Agency)), Ok(Scope::Any));
        assert_eq!(access.decide(&caller(Role::Structure)), Ok(Scope::Own));
        assert_eq!(access.decide(&caller(Role::Candidate)).unwrap_err().reason(), "ROLE_NOT_ALLOWED");
        assert_eq!(access.decide(&Caller::anonymous()).unwrap_err().reason(), "SIGN_IN_REQUIRED");
    }
}
