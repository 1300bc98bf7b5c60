//! The OpenAPI 3.1 document, made of the contracts: the REST routes, their messages, who may call, and the comments.

mod access;
mod comments;
mod paths;
mod schemas;

use std::collections::BTreeSet;

use conum_proto::google::api::FieldBehavior;
use http::Method;
use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::{
    problem,
    routes::{Binding, RequestBody, Routes},
    transcode,
};
use comments::Comments;
use schemas::{Behaviour, Schemas};

/// The media type of request and response bodies.
const JSON: &str = "application/json";

/// Builds the document. The same contracts give the same document, byte for byte. A route for every HTTP method, or for
/// one that OpenAPI does not know, is left out.
#[must_use]
pub fn document(pool: &DescriptorPool, routes: &Routes, version: &str) -> Value {
    let comments = Comments::of(pool);
    let mut writer = Writer { schemas: Schemas::new(&comments), comments: &comments, operation_ids: BTreeSet::new() };
    let mut paths = Map::new();
    for binding in routes.bindings() {
        let Some(verb) = binding.http_method.as_ref().and_then(path_item_member) else { continue };
        let (path, parameters) = paths::path(&binding.template, &binding.path_fields);
        let operation = writer.operation(binding, parameters);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[verb] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Conum",
            "version": version,
            "description": "The national programme of digital advisers (conseillers numériques). Errors are \
                            application/problem+json (RFC 9457). A custom verb follows its resource after a colon.",
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": tags(routes, &comments),
        "paths": paths,
        "components": {
            "schemas": writer.schemas.into_components(),
            "responses": {
                "Problem": {
                    "description": "An error.",
                    "content": {problem::MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The caller's signed identity.",
                },
            },
        },
    })
}

/// The member of a path item that holds an HTTP method's operation.
fn path_item_member(method: &Method) -> Option<&'static str> {
    match method.as_str() {
        "GET" => Some("get"),
        "PUT" => Some("put"),
        "POST" => Some("post"),
        "DELETE" => Some("delete"),
        "PATCH" => Some("patch"),
        "HEAD" => Some("head"),
        "OPTIONS" => Some("options"),
        _ => None,
    }
}

/// A tag for every service that has a route.
fn tags(routes: &Routes, comments: &Comments) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let services = routes.bindings().iter().map(|binding| binding.method.parent_service());
    services
        .filter(|service| seen.insert(service.full_name().to_owned()))
        .map(|service| {
            let description = comments.at(&service.parent_file(), service.path());
            described(json!({"name": service.name()}), description.unwrap_or_default().to_owned())
        })
        .collect()
}

/// Adds a description, unless it is empty.
fn described(mut value: Value, description: String) -> Value {
    if !description.is_empty() {
        value["description"] = description.into();
    }
    value
}

/// Writes operations, and collects the schemas that they need.
struct Writer<'comments> {
    schemas: Schemas<'comments>,
    comments: &'comments Comments,
    operation_ids: BTreeSet<String>,
}

impl Writer<'_> {
    fn operation(&mut self, binding: &Binding, path_parameters: Vec<Value>) -> Value {
        let method = &binding.method;
        let access = access::of(method);
        let comment = self.comments.at(&method.parent_file(), method.path()).unwrap_or_default();
        let description = [comment.to_owned(), access::sentence(&access)].join("\n\n");
        let mut parameters = path_parameters;
        parameters.extend(self.query_parameters(binding));
        let mut operation = json!({
            "operationId": self.operation_id(binding),
            "tags": [method.parent_service().name()],
            "summary": words(method.name()),
            "description": description.trim_start(),
            "parameters": parameters,
            "responses": {
                "200": self.answer(binding),
                "default": {"$ref": "#/components/responses/Problem"},
            },
            "x-conum-access": access::extension(&access),
            "x-conum-grpc": binding.grpc_path.as_str(),
        });
        if let Some(body) = self.request_body(binding) {
            operation["requestBody"] = body;
        }
        if let Some(security) = access::security(&access) {
            operation["security"] = security;
        }
        operation
    }

    /// `ApplicationsService_GetApplication`; the second binding of a method ends in `_2`.
    fn operation_id(&mut self, binding: &Binding) -> String {
        let service = binding.method.parent_service();
        let mut id = format!("{}_{}", service.name(), binding.method.name());
        if binding.index > 0 {
            id = format!("{id}_{}", binding.index + 1);
        }
        if !self.operation_ids.insert(id.clone()) {
            id = format!("{}.{id}", service.package_name());
            self.operation_ids.insert(id.clone());
        }
        id
    }

    fn query_parameters(&mut self, binding: &Binding) -> Vec<Value> {
        if binding.body == RequestBody::Whole {
            return Vec::new();
        }
        let mut parameters = Vec::new();
        self.parameters_of(binding, &binding.method.input(), &mut Vec::new(), &mut parameters);
        parameters
    }

    /// The parameters of a message's fields, and of the messages within. One that holds itself is not followed twice.
    fn parameters_of(
        &mut self,
        binding: &Binding,
        message: &MessageDescriptor,
        above: &mut Vec<FieldDescriptor>,
        parameters: &mut Vec<Value>,
    ) {
        for field in message.fields() {
            let in_body = above.is_empty() && binding.body == RequestBody::Field(field.clone());
            above.push(field.clone());
            let in_path = binding.path_fields.iter().any(|bound| bound.fields == *above);
            if !in_body && !in_path {
                if transcode::fits_in_query(&field) {
                    parameters.push(self.query_parameter(above, &field));
                } else if let Some(inner) = transcode::message_in_query(&field).filter(|inner| !holds(above, inner)) {
                    self.parameters_of(binding, &inner, above, parameters);
                }
            }
            above.pop();
        }
    }

    fn query_parameter(&mut self, path: &[FieldDescriptor], field: &FieldDescriptor) -> Value {
        let name: Vec<_> = path.iter().map(FieldDescriptor::json_name).collect();
        let parameter = json!({
            "name": name.join("."),
            "in": "query",
            "required": path.len() == 1 && is_required(field),
            "schema": self.schemas.value_of(field),
        });
        let description = self.comments.at(&field.parent_file(), field.path()).unwrap_or_default();
        described(parameter, description.to_owned())
    }

    fn request_body(&mut self, binding: &Binding) -> Option<Value> {
        let (schema, required) = match &binding.body {
            RequestBody::None => return None,
            RequestBody::Whole => {
                let bound = |field: &FieldDescriptor| {
                    binding.path_fields.iter().any(|bound| bound.fields == std::slice::from_ref(field))
                };
                let mut schema = self.schemas.object_of(&binding.method.input(), |field| !bound(field));
                schema["additionalProperties"] = false.into();
                let required = schema.get("required").is_some();
                (schema, required)
            }
            RequestBody::Field(field) => (self.body_field(binding, field), is_required(field)),
        };
        Some(json!({"required": required, "content": {JSON: {"schema": schema}}}))
    }

    /// The schema of a field that is the body. A PATCH requires none of its fields: it sets those that it holds.
    fn body_field(&mut self, binding: &Binding, field: &FieldDescriptor) -> Value {
        let kind = field.kind();
        match kind.as_message().filter(|message| !field.is_list() && !transcode::has_own_json(message)) {
            Some(message) if binding.http_method == Some(Method::PATCH) => {
                let mut schema = self.schemas.object_of(message, |_| true);
                if let Some(schema) = schema.as_object_mut() {
                    schema.remove("required");
                }
                schema
            }
            _ => self.schemas.value_of(field),
        }
    }

    fn answer(&mut self, binding: &Binding) -> Value {
        let output = binding.method.output();
        let schema = match &binding.response_body {
            Some(field) => self.schemas.value_of(field),
            None => self.schemas.message(&output),
        };
        let description = self.comments.at(&output.parent_file(), output.path()).unwrap_or("Done.");
        json!({"description": description, "content": {JSON: {"schema": schema}}})
    }
}

fn is_required(field: &FieldDescriptor) -> bool {
    Behaviour::of(field).is(FieldBehavior::Required)
}

/// Whether a message is one of those that hold the last field.
fn holds(above: &[FieldDescriptor], message: &MessageDescriptor) -> bool {
    above.iter().any(|field| field.parent_message() == message)
}

/// GetWelcomeKit as "Get welcome kit".
fn words(name: &str) -> String {
    name.char_indices().fold(String::new(), |mut words, (at, character)| {
        if at > 0 && character.is_ascii_uppercase() {
            words.push(' ');
            words.push(character.to_ascii_lowercase());
        } else {
            words.push(character);
        }
        words
    })
}

#[cfg(test)]
mod tests;
