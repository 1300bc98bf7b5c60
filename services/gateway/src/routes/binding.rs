//! One REST binding of a gRPC method, checked against the method's messages.

use conum_proto::google::api::{HttpRule, http_rule::Pattern};
use http::{Method, uri::PathAndQuery};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};

use super::{
    AnnotationError, AnnotationFault,
    template::{Template, Variable},
};

/// Where a request's body goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestBody {
    /// There is none.
    None,
    /// It is the request message, less what the path fills.
    Whole,
    /// It is one field of the request message.
    Field(FieldDescriptor),
}

/// A field of the request message that the path fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathField {
    /// The field and the messages around it, outermost first.
    pub fields: Vec<FieldDescriptor>,
    /// The segments that fill it.
    pub variable: Variable,
}

/// A REST binding of a gRPC method.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The gRPC method.
    pub method: MethodDescriptor,
    /// The HTTP method; `None` stands for every one.
    pub http_method: Option<Method>,
    /// The path.
    pub template: Template,
    /// What the path fills.
    pub path_fields: Vec<PathField>,
    /// Where the body goes.
    pub body: RequestBody,
    /// The field of the response message that is the whole answer.
    pub response_body: Option<FieldDescriptor>,
    /// `/package.Service/Method`.
    pub grpc_path: PathAndQuery,
    /// The binding's place among those of its method, the first being 0.
    pub index: usize,
}

impl Binding {
    /// The full name of the gRPC service.
    #[must_use]
    pub fn service(&self) -> &str {
        self.method.parent_service().full_name()
    }

    /// Reads the bindings of a method: none where it has no `google.api.http`.
    pub(super) fn of(method: &MethodDescriptor) -> Result<Vec<Self>, AnnotationError> {
        let fail = |fault| AnnotationError { method: method.full_name().to_owned(), fault };
        match rule_of(method).map_err(fail)? {
            Some(rule) => Self::from_rule(method, &rule).map_err(fail),
            None => Ok(Vec::new()),
        }
    }

    /// Reads a rule and its additional bindings.
    pub(super) fn from_rule(method: &MethodDescriptor, rule: &HttpRule) -> Result<Vec<Self>, AnnotationFault> {
        if method.is_client_streaming() || method.is_server_streaming() {
            return Err(AnnotationFault::Streaming);
        }
        if rule.additional_bindings.iter().any(|additional| !additional.additional_bindings.is_empty()) {
            return Err(AnnotationFault::NestedBindings);
        }
        std::iter::once(rule)
            .chain(&rule.additional_bindings)
            .enumerate()
            .map(|(index, rule)| Self::one(method, rule, index))
            .collect()
    }

    fn one(method: &MethodDescriptor, rule: &HttpRule, index: usize) -> Result<Self, AnnotationFault> {
        let (http_method, path) = pattern(rule)?;
        let template = Template::parse(path)?;
        let input = method.input();
        let path_fields = template
            .variables
            .iter()
            .map(|variable| Ok(PathField { fields: path_field(&input, variable)?, variable: variable.clone() }))
            .collect::<Result<Vec<_>, AnnotationFault>>()?;
        let body = match rule.body.as_str() {
            "" => RequestBody::None,
            "*" => RequestBody::Whole,
            name => RequestBody::Field(top_field(&input, name)?),
        };
        check_body(http_method.as_ref(), &body, &path_fields)?;
        let response_body = match rule.response_body.as_str() {
            "" => None,
            name => Some(top_field(&method.output(), name)?),
        };
        let grpc_path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        Ok(Self {
            method: method.clone(),
            http_method,
            template,
            path_fields,
            body,
            response_body,
            grpc_path: grpc_path.parse().map_err(|_| AnnotationFault::BadMethod)?,
            index,
        })
    }
}

fn rule_of(method: &MethodDescriptor) -> Result<Option<HttpRule>, AnnotationFault> {
    let http = method.parent_pool().get_extension_by_name("google.api.http").ok_or(AnnotationFault::NoExtension)?;
    let options: DynamicMessage = method.options();
    if !options.has_extension(&http) {
        return Ok(None);
    }
    match options.get_extension(&http).as_ref() {
        Value::Message(rule) => rule.transcode_to().map(Some).map_err(|_| AnnotationFault::Unreadable),
        _ => Err(AnnotationFault::Unreadable),
    }
}

fn pattern(rule: &HttpRule) -> Result<(Option<Method>, &str), AnnotationFault> {
    match rule.pattern.as_ref().ok_or(AnnotationFault::NoPattern)? {
        Pattern::Get(path) => Ok((Some(Method::GET), path)),
        Pattern::Put(path) => Ok((Some(Method::PUT), path)),
        Pattern::Post(path) => Ok((Some(Method::POST), path)),
        Pattern::Delete(path) => Ok((Some(Method::DELETE), path)),
        Pattern::Patch(path) => Ok((Some(Method::PATCH), path)),
        Pattern::Custom(custom) if custom.kind == "*" => Ok((None, &custom.path)),
        Pattern::Custom(custom) => {
            let method = custom.kind.parse().map_err(|_| AnnotationFault::BadMethod)?;
            Ok((Some(method), &custom.path))
        }
    }
}

fn path_field(input: &MessageDescriptor, variable: &Variable) -> Result<Vec<FieldDescriptor>, AnnotationFault> {
    let unusable = || AnnotationFault::BadVariable(variable.field.join("."));
    let mut fields: Vec<FieldDescriptor> = Vec::new();
    for name in &variable.field {
        let message = match fields.last() {
            None => input.clone(),
            Some(field) if field.is_list() || field.is_map() => return Err(unusable()),
            Some(field) => field.kind().as_message().cloned().ok_or_else(unusable)?,
        };
        fields.push(message.get_field_by_name(name).ok_or_else(unusable)?);
    }
    match fields.last() {
        Some(leaf) if !leaf.is_list() && !leaf.is_map() && !matches!(leaf.kind(), Kind::Message(_) | Kind::Bytes) => {
            Ok(fields)
        }
        _ => Err(unusable()),
    }
}

fn top_field(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, AnnotationFault> {
    message.get_field_by_name(name).ok_or_else(|| AnnotationFault::BadBody(name.to_owned()))
}

fn check_body(
    http_method: Option<&Method>,
    body: &RequestBody,
    path_fields: &[PathField],
) -> Result<(), AnnotationFault> {
    let reads = [Method::GET, Method::HEAD, Method::DELETE];
    if *body != RequestBody::None && http_method.is_some_and(|method| reads.contains(method)) {
        return Err(AnnotationFault::BodyWithoutContent);
    }
    match body {
        RequestBody::Field(body) if path_fields.iter().any(|bound| bound.fields == std::slice::from_ref(body)) => {
            Err(AnnotationFault::BodyInPath(body.name().to_owned()))
        }
        _ => Ok(()),
    }
}
