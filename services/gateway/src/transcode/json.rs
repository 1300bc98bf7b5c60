//! JSON as it was written: an object keeps every key, so that one given twice is seen and not lost.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::Refusal;

/// How deep arrays and objects may be nested. Our deepest message needs less than half.
pub const MAX_DEPTH: usize = 64;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a body. Its depth is counted before anything is built, so that no body can exhaust the stack.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        if depth(body) > MAX_DEPTH {
            return Err(Refusal::TooDeep);
        }
        // The parser's message may quote the body: only the place is told.
        serde_json::from_slice(body)
            .map_err(|error| Refusal::MalformedJson { line: error.line(), column: error.column() })
    }

    /// The same value for `serde_json`, where a key given twice keeps its last value.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::String(value) => Value::String(value),
            Self::Array(values) => Value::Array(values.into_iter().map(Self::into_value).collect()),
            Self::Object(entries) => {
                Value::Object(entries.into_iter().map(|(key, value)| (key, value.into_value())).collect())
            }
        }
    }
}

/// The greatest number of brackets that are open at once, those in strings left out.
fn depth(body: &[u8]) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_kept() {
        let json = Json::parse(br#" {"a": 1, "a": [true, null, "x", -2, 0.5]} "#).unwrap();
        let Json::Object(entries) = &json else { panic!("{json:?}") };
        assert_eq!(entries.len(), 2);
        assert_eq!(json.into_value(), serde_json::json!({"a": [true, null, "x", -2, 0.5]}));
    }

    #[test]
    fn a_broken_body_tells_its_place_and_not_its_content() {
        let refusal = Json::parse(b"{\n  \"email\": secret\n}").unwrap_err();
        assert_eq!(refusal, Refusal::MalformedJson { line: 2, column: 12 });
        for body in [&b""[..], b"{} {}", b"\xFF", b"\"\xFF\"", b"{\"a\":1,}", b"[1e999]"] {
            assert!(matches!(Json::parse(body), Err(Refusal::MalformedJson { .. })), "{body:?}");
        }
    }

    #[test]
    fn a_deeply_nested_body_is_refused_before_it_is_read() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(Json::parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(Json::parse(&nested(MAX_DEPTH + 1)).unwrap_err(), Refusal::TooDeep);
        assert_eq!(Json::parse(&vec![b'['; 1 << 20]).unwrap_err(), Refusal::TooDeep);
        assert_eq!(Json::parse(&b"{\"a\":".repeat(100_000)).unwrap_err(), Refusal::TooDeep);
    }

    #[test]
    fn brackets_in_strings_are_not_depth() {
        let text = "[{\\\"\\\\".repeat(200);
        assert!(Json::parse(format!("[\"{text}\", \"]\"]").as_bytes()).is_ok());
    }
}
