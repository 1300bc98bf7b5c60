//! Path templates as OpenAPI writes them: `/v1/{name=applications/*}:withdraw` is
//! `/v1/applications/{application}:withdraw`.

use std::collections::BTreeSet;

use prost_reflect::FieldDescriptor;
use serde_json::{Value, json};

use crate::routes::{PathField, Segment, Template};

/// The path of a template, and its parameters.
pub(super) fn path(template: &Template, bound: &[PathField]) -> (String, Vec<Value>) {
    let mut path = String::new();
    let mut parameters = Vec::new();
    let mut names = BTreeSet::new();
    for (index, segment) in template.segments.iter().enumerate() {
        path.push('/');
        if let Segment::Literal(literal) = segment {
            path.push_str(literal);
            continue;
        }
        let mut name = parameter_name(template, bound, index);
        while !names.insert(name.clone()) {
            name.push('_');
        }
        path.extend(["{", &name, "}"]);
        parameters.push(parameter(&name, segment));
    }
    if let Some(verb) = &template.verb {
        path.push(':');
        path.push_str(verb);
    }
    (path, parameters)
}

/// A variable of one segment is called like its field; a wildcard of a name after the collection that it is in.
fn parameter_name(template: &Template, bound: &[PathField], index: usize) -> String {
    let spanning = bound.iter().find(|field| (field.variable.start..field.variable.end).contains(&index));
    let field = spanning.and_then(|field| field.fields.last()).map(FieldDescriptor::json_name);
    let collection = index.checked_sub(1).and_then(|before| template.segments.get(before));
    let alone = spanning.is_some_and(|field| field.variable.end - field.variable.start == 1);
    match (collection, field) {
        (_, Some(field)) if alone => field.to_owned(),
        (Some(Segment::Literal(collection)), _) => singular(collection),
        (_, Some(field)) => field.to_owned(),
        (_, None) => format!("segment{index}"),
    }
}

fn parameter(name: &str, segment: &Segment) -> Value {
    let (pattern, description) = match segment {
        Segment::Rest => ("^.*$", format!("The {name}; it may hold slashes.")),
        _ => ("^[^/]+$", format!("The id of the {name}, percent-encoded.")),
    };
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": description,
        "schema": {"type": "string", "pattern": pattern},
    })
}

/// The name of one of a collection: policies, policy.
fn singular(collection: &str) -> String {
    match collection.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => collection.strip_suffix('s').unwrap_or(collection).to_owned(),
    }
}
