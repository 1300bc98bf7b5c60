//! Query parameters: `state=STATE_GRANTED&committeeDate.year=2026` as the JSON of the request message. They may fill
//! whatever neither the path nor the body fills.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::{
    Refusal,
    fault::{FaultKind, Faults, harmless},
    json::Json,
    shape,
};
use crate::{
    percent,
    routes::{Binding, RequestBody},
};

/// Reads a query string into an object of the request message.
pub(super) fn parse(binding: &Binding, query: &str, faults: &mut Faults) -> Result<Vec<(String, Json)>, Refusal> {
    let mut object = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, text) = pair.split_once('=').unwrap_or((pair, ""));
        let key = percent::decode_query(key).ok_or(Refusal::MalformedQuery)?;
        let text = percent::decode_query(text).ok_or(Refusal::MalformedQuery)?;
        match parameter(binding, &key) {
            Ok(fields) => insert(&mut object, &fields, text),
            Err(kind) => faults.add(harmless(&key), kind),
        }
    }
    Ok(object)
}

/// The fields that a parameter names, outermost first.
fn parameter(binding: &Binding, key: &str) -> Result<Vec<FieldDescriptor>, FaultKind> {
    let mut message = binding.method.input();
    let mut fields = Vec::new();
    let mut names = key.split('.').peekable();
    while let Some(name) = names.next() {
        let field = shape::field_named(&message, name).ok_or(FaultKind::UnknownParameter)?;
        if names.peek().is_some() {
            message = message_in_query(&field).ok_or(FaultKind::UnknownParameter)?;
        }
        fields.push(field);
    }
    allowed(binding, &fields).map(|()| fields)
}

/// The message whose fields a parameter may name further.
pub(crate) fn message_in_query(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    let kind = field.kind();
    let message = kind.as_message().filter(|message| !shape::has_own_json(message))?;
    (!field.is_list() && !field.is_map()).then(|| message.clone())
}

fn allowed(binding: &Binding, fields: &[FieldDescriptor]) -> Result<(), FaultKind> {
    if binding.path_fields.iter().any(|bound| bound.fields == fields) {
        return Err(FaultKind::GivenByPath);
    }
    let in_body = match &binding.body {
        RequestBody::None => false,
        RequestBody::Whole => true,
        RequestBody::Field(body) => fields.first() == Some(body),
    };
    if in_body || !fields.last().is_some_and(fits_in_query) {
        return Err(FaultKind::NotInQuery);
    }
    Ok(())
}

/// Whether a field has a form in a query: scalars, enums, and the messages whose JSON is a string, a number or a boolean.
pub(crate) fn fits_in_query(field: &FieldDescriptor) -> bool {
    match field.kind() {
        _ if field.is_map() => false,
        Kind::Message(message) => {
            let of_json = ["Any", "Struct", "Value", "ListValue"];
            shape::has_own_json(&message) && !of_json.contains(&message.name())
        }
        _ => true,
    }
}

/// Puts a value at its place. One that is given twice stands there twice, and the comparison with the message tells it.
fn insert(object: &mut Vec<(String, Json)>, fields: &[FieldDescriptor], text: String) {
    let Some((field, rest)) = fields.split_first() else { return };
    let name = field.name();
    let present = object.iter_mut().find(|(present, _)| present == name).map(|(_, json)| json);
    match present {
        Some(Json::Object(inner)) if !rest.is_empty() => insert(inner, rest, text),
        Some(Json::Array(items)) if rest.is_empty() => items.push(shape::typed(&field.kind(), text)),
        _ if rest.is_empty() => {
            let json = shape::typed(&field.kind(), text);
            let json = if field.is_list() { Json::Array(vec![json]) } else { json };
            object.push((name.to_owned(), json));
        }
        _ => {
            let mut inner = Vec::new();
            insert(&mut inner, rest, text);
            object.push((name.to_owned(), Json::Object(inner)));
        }
    }
}
