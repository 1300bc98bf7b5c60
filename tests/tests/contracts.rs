//! What every contract keeps: access on every method, REST on what the gateway shows, a request id on every write.

use conum_service::access::{methods, pool};
use prost_reflect::{MethodDescriptor, Value};

fn all() -> Vec<MethodDescriptor> {
    let services = pool().services().filter(|service| service.full_name().starts_with("conum."));
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// The HTTP verb of a method, if it has a REST binding.
fn verb(method: &MethodDescriptor) -> Option<&'static str> {
    let extension = pool().get_extension_by_name("google.api.http").unwrap();
    let options = method.options();
    if !options.has_extension(&extension) {
        return None;
    }
    let rule = options.get_extension(&extension).into_owned();
    let Value::Message(rule) = rule else { return None };
    ["get", "put", "post", "delete", "patch"].into_iter().find(|verb| rule.has_field_by_name(verb))
}

#[test]
fn every_method_says_who_may_call_it() {
    for method in all() {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let access = &methods()[&path];
        assert!(!access.any.is_empty() || !access.own.is_empty(), "{path}");
    }
}

#[test]
fn every_unary_method_but_those_between_services_has_a_rest_path() {
    for method in all() {
        let between = method.parent_service().full_name() == "conum.events.v1.EventSinkService";
        if !between && !method.is_client_streaming() && !method.is_server_streaming() {
            assert!(verb(&method).is_some(), "{}", method.full_name());
        }
    }
}

#[test]
fn every_write_can_be_sent_again() {
    // A redrive can be repeated by nature: it changes nothing where there is no dead letter any more. A simulation is asked
    // for with a body, and writes nothing.
    const REPEATABLE: [&str; 2] = ["RedriveDeadLetter", "SimulateWave"];
    for method in all() {
        let writes = verb(&method).is_some_and(|verb| verb != "get");
        if writes && !REPEATABLE.contains(&method.name()) {
            let has = method.input().get_field_by_name("request_id").is_some();
            assert!(has, "{} has no request_id", method.full_name());
        }
    }
}

#[test]
fn every_list_is_paged() {
    // Short by nature: a service's own settings, the posts of one application, a row for each department.
    const SHORT: [&str; 4] = ["ListPolicies", "ListPosts", "ListDepartmentEquity", "ListGrantTotals"];
    for method in all().into_iter().filter(|method| method.name().starts_with("List")) {
        if SHORT.contains(&method.name()) {
            continue;
        }
        for field in ["page_size", "page_token"] {
            assert!(method.input().get_field_by_name(field).is_some(), "{} has no {field}", method.full_name());
        }
        assert!(method.output().get_field_by_name("next_page_token").is_some(), "{}", method.full_name());
    }
}

#[test]
fn events_hold_ids_and_facts_and_no_identity() {
    const PERSONAL: [&str; 9] =
        ["given_name", "family_name", "email", "phone", "birth_date", "address", "legal_name", "comment", "score"];
    let messages = pool().all_messages().filter(|message| message.package_name() == "conum.events.v1");
    for message in messages {
        for field in message.fields() {
            assert!(!PERSONAL.contains(&field.name()), "{}.{}", message.full_name(), field.name());
        }
    }
}
