//! Who may call a method, from the option `conum.access.v1.access`.

use conum_proto::access::v1::{Access, Role};
use prost_reflect::{MethodDescriptor, Value as Reflected};
use serde_json::{Value, json};

/// The option of a method. A method without it can be called by nobody.
pub(super) fn of(method: &MethodDescriptor) -> Access {
    let Some(extension) = method.parent_pool().get_extension_by_name("conum.access.v1.access") else {
        return Access::default();
    };
    match method.options().get_extension(&extension).as_ref() {
        Reflected::Message(access) => access.transcode_to().unwrap_or_default(),
        _ => Access::default(),
    }
}

/// The option, by the names of its roles.
pub(super) fn extension(access: &Access) -> Value {
    let any: Vec<_> = access.any().map(|role| role.as_str_name()).collect();
    let own: Vec<_> = access.own().map(|role| role.as_str_name()).collect();
    json!({"any": any, "own": own})
}

/// The option as a sentence.
pub(super) fn sentence(access: &Access) -> String {
    let list = |roles: Vec<Role>| roles.into_iter().map(name).collect::<Vec<_>>().join(", ");
    let (any, own) = (list(access.any().collect()), list(access.own().collect()));
    match (any.is_empty(), own.is_empty()) {
        (true, true) => "Who may call: nobody.".into(),
        (false, true) => format!("Who may call: {any}."),
        (true, false) => format!("Who may call, on what is theirs: {own}."),
        (false, false) => format!("Who may call: {any}; on what is theirs: {own}."),
    }
}

/// The security of an operation, where it is not the document's: a method for everybody needs no identity.
pub(super) fn security(access: &Access) -> Option<Value> {
    if !access.any().any(|role| role == Role::Public) {
        return None;
    }
    let alone = access.any().chain(access.own()).all(|role| role == Role::Public);
    Some(if alone { json!([]) } else { json!([{}, {"bearer": []}]) })
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Unspecified => "nobody",
        Role::Public => "anyone",
        Role::Structure => "structures",
        Role::Candidate => "candidates",
        Role::Prefect => "prefects",
        Role::Agency => "the agency",
        Role::Operator => "operators",
        Role::Service => "services of the platform",
        Role::Link => "holders of a mailed link",
        Role::Organisation => "training organisations",
    }
}
