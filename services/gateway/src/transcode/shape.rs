//! Compares JSON with the message that it should be, and names every field that does not fit. The value that comes out
//! has the contract's field names, and is then read by `prost-reflect`.

use std::{ops::RangeInclusive, sync::LazyLock};

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor,
};
use serde_json::{Map, Number, Value};

use super::{
    fault::{Expected, FaultKind, Faults, Trail},
    json::Json,
};

/// The descriptors of `google.protobuf`, for the JSON of values that have no descriptor of their own.
static WELL_KNOWN: LazyLock<DescriptorPool> = LazyLock::new(DescriptorPool::global);

/// Compares a JSON value with a message.
pub(super) fn message(desc: &MessageDescriptor, json: Json, at: &Trail<'_>, faults: &mut Faults) -> Value {
    if has_own_json(desc) {
        return well_known(desc, json, at, faults);
    }
    let Json::Object(entries) = json else {
        return wrong(at, faults, Expected::Object);
    };
    let mut object = Map::new();
    let mut choices: Vec<OneofDescriptor> = Vec::new();
    for (key, json) in entries {
        if faults.is_full() {
            break;
        }
        let Some(field) = field_named(desc, &key) else {
            faults.add(at.unknown(&key), FaultKind::UnknownField);
            continue;
        };
        let at = at.field(&field);
        if object.contains_key(field.name()) {
            faults.add(at, FaultKind::Twice);
            continue;
        }
        if let Some(choice) = field.containing_oneof().filter(|_| json != Json::Null) {
            if choices.contains(&choice) {
                faults.add(at, FaultKind::OneOf);
                continue;
            }
            choices.push(choice);
        }
        object.insert(field.name().to_owned(), value(&field, json, &at, faults));
    }
    Value::Object(object)
}

/// The JSON of a scalar that a path or a query gives as text.
pub(super) fn of_text(kind: &Kind, text: &str) -> Result<Value, FaultKind> {
    let json = typed(kind, text.to_owned());
    match kind {
        Kind::Enum(values) if known_value(values, &json) != Some(true) => Err(FaultKind::unknown_value(values)),
        Kind::Enum(_) => Ok(json.into_value()),
        kind if fits(kind, &json) => Ok(json.into_value()),
        kind => Err(FaultKind::WrongType(Expected::of(kind))),
    }
}

/// The JSON that a text stands for: what is not text in JSON either is made of it.
pub(super) fn typed(kind: &Kind, text: String) -> Json {
    match kind {
        Kind::Enum(values) if values.get_value_by_name(&text).is_none() => {
            text.parse::<i32>().map_or(Json::String(text), |number| Json::Number(number.into()))
        }
        kind if is_bool(kind) && text == "true" => Json::Bool(true),
        kind if is_bool(kind) && text == "false" => Json::Bool(false),
        _ => Json::String(text),
    }
}

fn is_bool(kind: &Kind) -> bool {
    match kind {
        Kind::Message(message) => message.full_name() == "google.protobuf.BoolValue",
        kind => *kind == Kind::Bool,
    }
}

/// The field of a message with a name in JSON or in the contract.
pub(super) fn field_named(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// Whether the proto3 JSON mapping gives a message a form of its own.
pub(crate) fn has_own_json(message: &MessageDescriptor) -> bool {
    // `Empty` is an object without fields, like any other message without fields.
    message.package_name() == "google.protobuf" && message.name() != "Empty"
}

fn value(field: &FieldDescriptor, json: Json, at: &Trail<'_>, faults: &mut Faults) -> Value {
    match json {
        Json::Null if !takes_null(&field.kind()) || field.is_list() => Value::Null,
        Json::Array(items) if field.is_list() => list(&field.kind(), items, at, faults),
        _ if field.is_list() => wrong(at, faults, Expected::Array),
        Json::Object(entries) if field.is_map() => map(field, entries, at, faults),
        _ if field.is_map() => wrong(at, faults, Expected::Object),
        json => single(&field.kind(), json, at, faults),
    }
}

fn list(kind: &Kind, items: Vec<Json>, at: &Trail<'_>, faults: &mut Faults) -> Value {
    let mut values = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        if faults.is_full() {
            break;
        }
        values.push(single(kind, item, &at.index(index), faults));
    }
    Value::Array(values)
}

fn map(field: &FieldDescriptor, entries: Vec<(String, Json)>, at: &Trail<'_>, faults: &mut Faults) -> Value {
    let kind = field.kind();
    let Some(entry) = kind.as_message() else { return Value::Null };
    let (keys, values) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
    let at = at.entry();
    let mut object = Map::new();
    for (key, json) in entries {
        let fits = match keys {
            Kind::Bool => key == "true" || key == "false",
            _ => fits(&keys, &Json::String(key.clone())),
        };
        if !fits {
            faults.add(at, FaultKind::WrongType(Expected::of(&keys)));
        }
        let value = single(&values, json, &at, faults);
        if object.insert(key, value).is_some() {
            faults.add(at, FaultKind::Twice);
        }
    }
    Value::Object(object)
}

fn single(kind: &Kind, json: Json, at: &Trail<'_>, faults: &mut Faults) -> Value {
    match kind {
        Kind::Message(desc) => message(desc, json, at, faults),
        Kind::Enum(values) if values.full_name() == "google.protobuf.NullValue" => json.into_value(),
        Kind::Enum(values) => enum_value(values, json, at, faults),
        kind if fits(kind, &json) => json.into_value(),
        kind => wrong(at, faults, Expected::of(kind)),
    }
}

fn enum_value(values: &EnumDescriptor, json: Json, at: &Trail<'_>, faults: &mut Faults) -> Value {
    match known_value(values, &json) {
        None => wrong(at, faults, Expected::EnumName),
        Some(true) => json.into_value(),
        Some(false) => {
            faults.add(at, FaultKind::unknown_value(values));
            Value::Null
        }
    }
}

/// Whether an enum has a value; `None` for what is no value of any enum.
fn known_value(values: &EnumDescriptor, json: &Json) -> Option<bool> {
    match json {
        Json::String(name) => Some(values.get_value_by_name(name).is_some()),
        Json::Number(number) => {
            let number = number.as_i64().and_then(|number| i32::try_from(number).ok());
            Some(number.is_some_and(|number| values.get_value(number).is_some()))
        }
        _ => None,
    }
}

fn well_known(desc: &MessageDescriptor, json: Json, at: &Trail<'_>, faults: &mut Faults) -> Value {
    let value = json.into_value();
    if DynamicMessage::deserialize(desc.clone(), &value).is_ok() {
        return value;
    }
    wrong(at, faults, Expected::of(&Kind::Message(desc.clone())))
}

fn wrong(at: &Trail<'_>, faults: &mut Faults, expected: Expected) -> Value {
    faults.add(at, FaultKind::WrongType(expected));
    Value::Null
}

/// Whether null is a value of this kind, and not the absence of one.
fn takes_null(kind: &Kind) -> bool {
    match kind {
        Kind::Message(message) => message.full_name() == "google.protobuf.Value",
        Kind::Enum(values) => values.full_name() == "google.protobuf.NullValue",
        _ => false,
    }
}

/// Whether a JSON value is one of a scalar kind.
pub(super) fn fits(kind: &Kind, json: &Json) -> bool {
    match kind {
        Kind::Bool => matches!(json, Json::Bool(_)),
        Kind::String => matches!(json, Json::String(_)),
        Kind::Bytes => is_base64(json),
        Kind::Float => is_number(json, f64::from(f32::MAX)),
        Kind::Double => is_number(json, f64::MAX),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => is_whole(json, i32::MIN.into()..=i32::MAX.into()),
        Kind::Uint32 | Kind::Fixed32 => is_whole(json, 0..=u32::MAX.into()),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => is_whole(json, i64::MIN.into()..=i64::MAX.into()),
        Kind::Uint64 | Kind::Fixed64 => is_whole(json, 0..=u64::MAX.into()),
        Kind::Enum(_) | Kind::Message(_) => false,
    }
}

fn is_whole(json: &Json, range: RangeInclusive<i128>) -> bool {
    let number = match json {
        Json::Number(number) => whole(number),
        Json::String(digits) if *range.start() == 0 && digits.starts_with('-') => None,
        Json::String(digits) => digits.parse().ok(),
        _ => None,
    };
    number.is_some_and(|number| range.contains(&number))
}

/// A number without a fraction, `1.0` and `1e3` included.
fn whole(number: &Number) -> Option<i128> {
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    number.as_f64().filter(|number| number.fract() == 0.0).and_then(|number| format!("{number:.0}").parse().ok())
}

fn is_number(json: &Json, most: f64) -> bool {
    match json {
        Json::Number(number) => number.as_f64().is_some_and(|number| number.abs() <= most),
        Json::String(text) if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") => true,
        Json::String(text) => text.parse().is_ok_and(|number: f64| number.abs() <= most),
        _ => false,
    }
}

fn is_base64(json: &Json) -> bool {
    let Json::String(text) = json else { return false };
    WELL_KNOWN
        .get_message_by_name("google.protobuf.BytesValue")
        .is_some_and(|bytes| DynamicMessage::deserialize(bytes, &Value::String(text.clone())).is_ok())
}
