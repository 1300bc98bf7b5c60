//! Between REST and gRPC: a request's path, query and JSON body become the request message of a gRPC method, and its
//! response message becomes JSON (the proto3 JSON mapping). Whatever does not fit is told field by field, without a
//! word of what was sent.

mod call;
mod fault;
mod json;
mod query;
mod shape;

use std::{pin::pin, time::Duration};

use bytes::{Buf, BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use prost::Message as _;
use prost_reflect::{DeserializeOptions, DynamicMessage, FieldDescriptor, SerializeOptions};
use serde_json::Value;
use tonic::Status;

use crate::routes::{Binding, Capture, Match, RequestBody};
use fault::{Faults, Trail};
use json::Json;

pub use call::{MAX_ANSWER, call};
pub use fault::{Expected, Fault, FaultKind};
pub use json::MAX_DEPTH;
pub(crate) use query::{fits_in_query, message_in_query};
pub(crate) use shape::has_own_json;

/// The largest request body that is read, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// Why a request is not passed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The body is larger than [`MAX_BODY`].
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body broke off.
    #[error("the body broke off")]
    BodyBrokeOff,
    /// The body is not `application/json`.
    #[error("the body is not application/json")]
    UnsupportedMediaType,
    /// The body is not JSON.
    #[error("the body is not JSON, see line {line}, column {column}")]
    MalformedJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The body is nested deeper than [`MAX_DEPTH`].
    #[error("the body is nested too deeply")]
    TooDeep,
    /// The query is not valid percent-encoded UTF-8.
    #[error("the query is not valid percent-encoded UTF-8")]
    MalformedQuery,
    /// Fields of the request are wrong.
    #[error("{} of the request's fields are wrong", .0.len())]
    Invalid(Vec<Fault>),
}

/// How much of a body that is too large is let pass, in bytes: a client that writes it all before it reads learns why it
/// is refused. None of it is kept.
const PASSED: usize = 32 << 20;
/// How long that may take.
const PASSING: Duration = Duration::from_secs(5);

/// Reads a body of at most [`MAX_BODY`] bytes.
pub async fn read_body<B>(body: B) -> Result<Bytes, Refusal>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = pin!(body);
    let mut kept = BytesMut::new();
    let mut too_large = body.size_hint().lower() > MAX_BODY as u64;
    while !too_large {
        let Some(frame) = body.frame().await else { return Ok(kept.freeze()) };
        let Ok(data) = frame.map_err(|_| Refusal::BodyBrokeOff)?.into_data() else { continue };
        too_large = kept.len() + data.remaining() > MAX_BODY;
        if !too_large {
            kept.put(data);
        }
    }
    drop(kept);
    let pass = async {
        let mut passed = 0;
        while let Some(Ok(frame)) = body.frame().await
            && passed < PASSED
        {
            passed += frame.data_ref().map_or(0, Buf::remaining);
        }
    };
    let _ = tokio::time::timeout(PASSING, pass).await;
    Err(Refusal::BodyTooLarge)
}

/// The encoded request message of a request. `query` is the raw query of the URI; `headers` tell the type of the body.
pub fn encode_request(
    found: &Match<'_>,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Bytes, Refusal> {
    read_request(found, query, headers, body).map(|message| message.encode_to_vec().into())
}

/// The request message of a request.
pub fn read_request(
    found: &Match<'_>,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<DynamicMessage, Refusal> {
    let binding = found.binding;
    let mut faults = Faults::default();
    let body = body_json(&binding.body, headers, body, &mut faults)?;
    let mut entries = query::parse(binding, query.unwrap_or_default(), &mut faults)?;
    let json = match (&binding.body, body) {
        (RequestBody::Field(field), Some(body)) => {
            entries.push((field.name().to_owned(), body));
            Json::Object(entries)
        }
        // No query parameter fits beside a whole body: what is in `entries` was refused.
        (RequestBody::Whole, Some(body)) => body,
        _ => Json::Object(entries),
    };
    let input = binding.method.input();
    let mut value = shape::message(&input, json, &Trail::ROOT, &mut faults);
    if faults.is_empty() {
        for capture in &found.captures {
            fill(&mut value, capture, &mut faults);
        }
    }
    faults.check().map_err(Refusal::Invalid)?;
    // Every field was compared above: what is refused here has no better name.
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(input, &value, &options).map_err(|_| {
        let kind = FaultKind::WrongType(Expected::Contract);
        Refusal::Invalid(vec![Fault { field: String::new(), kind }])
    })
}

/// The JSON of an encoded response message. One that does not fit its contract is a fault of ours.
pub fn decode_response(binding: &Binding, message: Bytes) -> Result<Bytes, Status> {
    let unreadable = || Status::internal("the service's answer does not fit its contract");
    let message = DynamicMessage::decode(binding.method.output(), message).map_err(|_| unreadable())?;
    let json = match &binding.response_body {
        // Written at once, which keeps the contract's order of fields.
        None => write_json(&message),
        Some(field) => to_json(&message).and_then(|json| serde_json::to_vec(&only(field, json))),
    };
    json.map(Bytes::from).map_err(|_| unreadable())
}

/// The proto3 JSON mapping: names in lowerCamelCase, enums by name, 64-bit integers as strings, defaults left out.
fn json_options() -> SerializeOptions {
    SerializeOptions::new()
        .stringify_64_bit_integers(true)
        .use_enum_numbers(false)
        .use_proto_field_name(false)
        .skip_default_fields(true)
}

fn write_json(message: &DynamicMessage) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = Vec::new();
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &json_options())?;
    Ok(json)
}

fn to_json(message: &DynamicMessage) -> Result<Value, serde_json::Error> {
    message.serialize_with_options(serde_json::value::Serializer, &json_options())
}

/// One field of a message in JSON, its default included.
fn only(field: &FieldDescriptor, mut json: Value) -> Value {
    let value = json.get_mut(field.json_name()).map(Value::take);
    value.unwrap_or_else(|| match () {
        () if field.is_list() => Value::Array(Vec::new()),
        () if field.is_map() => Value::Object(serde_json::Map::new()),
        () => Value::Null,
    })
}

/// The JSON of a body; `None` for an empty one, which says nothing.
fn body_json(
    place: &RequestBody,
    headers: &HeaderMap,
    body: &[u8],
    faults: &mut Faults,
) -> Result<Option<Json>, Refusal> {
    if body.is_empty() {
        return Ok(None);
    }
    if *place == RequestBody::None {
        faults.add(Trail::ROOT, FaultKind::NoBody);
        return Ok(None);
    }
    if !is_json(headers) {
        return Err(Refusal::UnsupportedMediaType);
    }
    Json::parse(body).map(Some)
}

/// Whether a body is declared as `application/json`, in UTF-8 where it says so.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/json")
        && parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
            !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

/// Writes what the path says into the message, unless the body says something else.
fn fill(message: &mut Value, capture: &Capture<'_>, faults: &mut Faults) {
    let names: Vec<_> = capture.fields.iter().map(FieldDescriptor::name).collect();
    let (Some(field), Some((leaf, parents))) = (capture.fields.last(), names.split_last()) else { return };
    let mut object = message;
    for name in parents {
        object = child(object, name);
    }
    let value = match shape::of_text(&field.kind(), &capture.text) {
        Ok(value) => value,
        Err(kind) => return faults.add(names.join("."), kind),
    };
    let present = child(object, leaf);
    if present.is_null() {
        *present = value;
    } else if !says(present, &capture.text) {
        faults.add(names.join("."), FaultKind::PathAndBodyDiffer);
    }
}

fn child<'value>(object: &'value mut Value, name: &str) -> &'value mut Value {
    if !object.is_object() {
        *object = Value::Object(serde_json::Map::new());
    }
    // Indexing an object by a name makes the entry.
    &mut object[name]
}

fn says(value: &Value, text: &str) -> bool {
    match value {
        Value::String(value) => value == text,
        value => {
            let written = value.to_string();
            written == text
        }
    }
}

#[cfg(test)]
mod tests;
