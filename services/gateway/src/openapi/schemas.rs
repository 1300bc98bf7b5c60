//! JSON Schemas of the messages and enums of the contracts, as the proto3 JSON mapping writes them.

use std::collections::BTreeMap;

use conum_proto::google::api::FieldBehavior;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value as Reflected};
use serde_json::{Map, Value, json};

use super::{comments::Comments, described};
use crate::{problem, transcode};

/// The schemas that the document needs, by their names.
pub(super) struct Schemas<'comments> {
    comments: &'comments Comments,
    components: BTreeMap<String, Value>,
}

/// How a field behaves (AIP-203).
#[derive(Clone, Debug, Default)]
pub(super) struct Behaviour(Vec<FieldBehavior>);

impl Behaviour {
    pub(super) fn of(field: &FieldDescriptor) -> Self {
        let Some(extension) = field.parent_pool().get_extension_by_name("google.api.field_behavior") else {
            return Self::default();
        };
        let options = field.options();
        let stated = options.get_extension(&extension);
        let numbers = stated.as_list().unwrap_or_default().iter().filter_map(Reflected::as_enum_number);
        Self(numbers.filter_map(|number| FieldBehavior::try_from(number).ok()).collect())
    }

    pub(super) fn is(&self, behaviour: FieldBehavior) -> bool {
        self.0.contains(&behaviour)
    }
}

impl<'comments> Schemas<'comments> {
    pub(super) fn new(comments: &'comments Comments) -> Self {
        Self { comments, components: BTreeMap::from([("Problem".to_owned(), problem::schema())]) }
    }

    pub(super) fn into_components(self) -> BTreeMap<String, Value> {
        self.components
    }

    /// The schema of a message: a reference to its component, or the form that JSON gives it.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        if transcode::has_own_json(message) {
            return well_known(message.name());
        }
        let name = message.full_name();
        if !self.components.contains_key(name) {
            // Its place is taken first, for a message that holds itself.
            self.components.insert(name.to_owned(), Value::Null);
            let schema = self.object_of(message, |_| true);
            let comment = self.comments.at(&message.parent_file(), message.path()).unwrap_or_default();
            self.components.insert(name.to_owned(), described(schema, comment.to_owned()));
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// The schema of a message's own fields, of those that are kept.
    pub(super) fn object_of(&mut self, message: &MessageDescriptor, keep: impl Fn(&FieldDescriptor) -> bool) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields().filter(keep) {
            if Behaviour::of(&field).is(FieldBehavior::Required) {
                required.push(Value::from(field.json_name()));
            }
            properties.insert(field.json_name().to_owned(), self.property(&field));
        }
        let mut schema = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        schema
    }

    /// The schema of a field's value.
    pub(super) fn value_of(&mut self, field: &FieldDescriptor) -> Value {
        let kind = field.kind();
        match kind.as_message() {
            Some(entry) if field.is_map() => {
                let values = entry.map_entry_value_field().kind();
                json!({"type": "object", "additionalProperties": self.single(&values)})
            }
            _ if field.is_list() => json!({"type": "array", "items": self.single(&kind)}),
            _ => self.single(&kind),
        }
    }

    fn property(&mut self, field: &FieldDescriptor) -> Value {
        let behaviour = Behaviour::of(field);
        let mut notes = vec![self.comments.at(&field.parent_file(), field.path()).unwrap_or_default()];
        notes.extend(behaviour.is(FieldBehavior::Immutable).then_some("It cannot be changed."));
        notes.extend(behaviour.is(FieldBehavior::Identifier).then_some("It identifies the resource."));
        notes.retain(|note| !note.is_empty());
        let mut schema = described(self.value_of(field), notes.join("\n\n"));
        if behaviour.is(FieldBehavior::OutputOnly) {
            schema["readOnly"] = true.into();
        }
        if behaviour.is(FieldBehavior::InputOnly) {
            schema["writeOnly"] = true.into();
        }
        schema
    }

    fn single(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Message(message) => self.message(message),
            Kind::Enum(values) => self.enumeration(values),
            kind => scalar(kind),
        }
    }

    fn enumeration(&mut self, values: &EnumDescriptor) -> Value {
        if values.full_name() == "google.protobuf.NullValue" {
            return json!({"type": "null"});
        }
        let name = values.full_name();
        if !self.components.contains_key(name) {
            let names: Vec<_> = values.values().map(|value| value.name().to_owned()).collect();
            let schema = described(json!({"type": "string", "enum": names}), self.meanings(values));
            self.components.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// The comment of an enum, then those of its values.
    fn meanings(&self, values: &EnumDescriptor) -> String {
        let file = values.parent_file();
        let own = self.comments.at(&file, values.path()).map(str::to_owned);
        let of_values = values.values().filter_map(|value| {
            let comment = self.comments.at(&file, value.path())?;
            Some(format!("- {}: {comment}", value.name()))
        });
        let of_values: Vec<_> = of_values.collect();
        let parts: Vec<_> = own.into_iter().chain([of_values.join("\n")]).filter(|part| !part.is_empty()).collect();
        parts.join("\n\n")
    }
}

fn scalar(kind: &Kind) -> Value {
    match kind {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
        Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "format": "int64", "minimum": 0}),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"})
        }
        Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}),
        Kind::Float => json!({"type": "number", "format": "float"}),
        Kind::Double => json!({"type": "number", "format": "double"}),
        Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        Kind::String | Kind::Enum(_) | Kind::Message(_) => json!({"type": "string"}),
    }
}

/// The form that the proto3 JSON mapping gives to a message of `google.protobuf`.
fn well_known(name: &str) -> Value {
    match name {
        "Timestamp" => json!({"type": "string", "format": "date-time"}),
        "Duration" => json!({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"}),
        "FieldMask" => json!({
            "type": "string",
            "description": "Field names in lowerCamelCase, with commas between them.",
        }),
        "BoolValue" => json!({"type": ["boolean", "null"]}),
        "Int32Value" => json!({"type": ["integer", "null"], "format": "int32"}),
        "UInt32Value" => json!({"type": ["integer", "null"], "format": "int64", "minimum": 0}),
        "Int64Value" => json!({"type": ["string", "null"], "format": "int64", "pattern": "^-?[0-9]+$"}),
        "UInt64Value" => json!({"type": ["string", "null"], "format": "uint64", "pattern": "^[0-9]+$"}),
        "FloatValue" => json!({"type": ["number", "null"], "format": "float"}),
        "DoubleValue" => json!({"type": ["number", "null"], "format": "double"}),
        "StringValue" => json!({"type": ["string", "null"]}),
        "BytesValue" => json!({"type": ["string", "null"], "contentEncoding": "base64"}),
        "ListValue" => json!({"type": "array"}),
        "Value" => json!({"description": "Any JSON value."}),
        "Any" => json!({"type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}}}),
        _ => json!({"type": "object"}),
    }
}
