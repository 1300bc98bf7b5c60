//! The table of REST routes, built once from the `google.api.http` annotations of the contracts: a method and a path
//! lead to a gRPC method and to the fields that the path fills.

mod binding;
mod template;

use std::collections::{BTreeSet, HashMap};

use http::{HeaderValue, Method};
use prost_reflect::{DescriptorPool, FieldDescriptor};

use crate::percent;

pub use binding::{Binding, PathField, RequestBody};
pub use template::{Segment, Template, TemplateError, Variable};

/// Every REST route of the contracts.
#[derive(Debug, Default)]
pub struct Routes {
    bindings: Vec<Binding>,
    root: Node,
}

/// A place in the tree of segments.
#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, Node>,
    one: Option<Box<Node>>,
    /// Templates that end here.
    ends: Vec<End>,
    /// Templates that end here with `**`.
    rests: Vec<End>,
}

#[derive(Debug)]
struct End {
    verb: Option<String>,
    method: Option<Method>,
    binding: usize,
}

/// A route that was found, and what its path says.
#[derive(Clone, Debug)]
pub struct Match<'routes> {
    /// The route.
    pub binding: &'routes Binding,
    /// The fields that the path fills, each with its decoded text.
    pub captures: Vec<Capture<'routes>>,
}

/// A field that the path fills.
#[derive(Clone, Debug)]
pub struct Capture<'routes> {
    /// The field and the messages around it, outermost first.
    pub fields: &'routes [FieldDescriptor],
    /// What the path says.
    pub text: String,
}

/// Why no route was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Miss {
    /// No route has this path.
    #[error("no such path")]
    NotFound,
    /// The path exists, and takes other methods.
    #[error("this path does not take this method")]
    MethodNotAllowed(Vec<Method>),
    /// The path is not valid percent-encoded UTF-8.
    #[error("the path is not valid percent-encoded UTF-8")]
    Malformed,
}

impl Miss {
    /// The value of the `Allow` header, for a path that takes other methods.
    #[must_use]
    pub fn allow(&self) -> Option<HeaderValue> {
        let Self::MethodNotAllowed(methods) = self else { return None };
        let names: Vec<_> = methods.iter().map(Method::as_str).collect();
        HeaderValue::from_str(&names.join(", ")).ok()
    }
}

/// An annotation that makes no route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the REST binding of {method} is wrong: {fault}")]
pub struct AnnotationError {
    /// The full name of the gRPC method.
    pub method: String,
    /// What is wrong.
    pub fault: AnnotationFault,
}

/// What is wrong with an annotation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnotationFault {
    /// The contracts do not hold `google/api/annotations.proto`.
    #[error("the contracts do not define google.api.http")]
    NoExtension,
    /// The option is not a `google.api.HttpRule`.
    #[error("the option cannot be read")]
    Unreadable,
    /// No method and no path.
    #[error("it has no pattern")]
    NoPattern,
    /// The path template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The custom method is no HTTP method.
    #[error("its method is no HTTP method")]
    BadMethod,
    /// A variable of the path names no single scalar field of the request.
    #[error("the path variable {0} names no single scalar field of the request")]
    BadVariable(String),
    /// `body` or `response_body` names no field.
    #[error("{0} is no field of the message")]
    BadBody(String),
    /// The field of the body is filled by the path.
    #[error("{0} is both in the path and the body")]
    BodyInPath(String),
    /// GET, HEAD and DELETE have no body.
    #[error("this HTTP method has no body")]
    BodyWithoutContent,
    /// An additional binding has additional bindings.
    #[error("an additional binding holds further bindings")]
    NestedBindings,
    /// A streaming method has no REST binding.
    #[error("a streaming method has no REST binding")]
    Streaming,
    /// Another method has the same HTTP method and path.
    #[error("{0} has the same method and path")]
    Conflict(String),
}

impl Routes {
    /// Builds the table from every annotated method of the contracts.
    pub fn build(pool: &DescriptorPool) -> Result<Self, AnnotationError> {
        let mut routes = Self::default();
        for service in pool.services() {
            for method in service.methods() {
                for binding in Binding::of(&method)? {
                    routes.add(binding)?;
                }
            }
        }
        Ok(routes)
    }

    /// Every binding, in the order of the contracts.
    #[must_use]
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// Finds the route of a request. `path` is the raw path of the URI, without its query. HEAD is answered by GET's
    /// route where it has none of its own. A colon in the last segment starts a custom verb; one that belongs to an id
    /// comes encoded.
    pub fn find(&self, method: &Method, path: &str) -> Result<Match<'_>, Miss> {
        let path = Path::split(path)?;
        let mut search = Search { path: &path, method, others: BTreeSet::new() };
        let mut found = search.visit(&self.root, 0);
        if found.is_none() && method == Method::HEAD {
            found = Search { path: &path, method: &Method::GET, others: BTreeSet::new() }.visit(&self.root, 0);
        }
        match found.and_then(|index| self.bindings.get(index)) {
            Some(binding) => Ok(path.captures(binding)),
            None if search.others.is_empty() => Err(Miss::NotFound),
            None => Err(Miss::MethodNotAllowed(search.allowed())),
        }
    }

    fn add(&mut self, binding: Binding) -> Result<(), AnnotationError> {
        let mut node = &mut self.root;
        let mut rest = false;
        for segment in &binding.template.segments {
            match segment {
                Segment::Literal(literal) => node = node.literals.entry(literal.clone()).or_default(),
                Segment::One => node = node.one.get_or_insert_default(),
                Segment::Rest => rest = true,
            }
        }
        let end = End {
            verb: binding.template.verb.clone(),
            method: binding.http_method.clone(),
            binding: self.bindings.len(),
        };
        let ends = if rest { &mut node.rests } else { &mut node.ends };
        if let Some(same) = ends.iter().find(|other| other.verb == end.verb && other.method == end.method) {
            let other = self.bindings.get(same.binding).map_or("", |other| other.method.full_name());
            return Err(AnnotationError {
                method: binding.method.full_name().to_owned(),
                fault: AnnotationFault::Conflict(other.to_owned()),
            });
        }
        ends.push(end);
        self.bindings.push(binding);
        Ok(())
    }
}

/// A request's path, taken apart.
#[derive(Debug)]
struct Path<'path> {
    raw: Vec<&'path str>,
    segments: Vec<String>,
    verb: Option<String>,
}

impl<'path> Path<'path> {
    fn split(path: &'path str) -> Result<Self, Miss> {
        let path = path.strip_prefix('/').ok_or(Miss::NotFound)?;
        let last = path.rfind('/').map_or(0, |slash| slash + 1);
        let (path, verb) = match path.get(last..).and_then(|segment| segment.rfind(':')) {
            Some(colon) => (path.get(..last + colon), path.get(last + colon + 1..)),
            None => (Some(path), None),
        };
        let raw: Vec<_> = path.unwrap_or_default().split('/').collect();
        let decode = |text: &str| percent::decode_segment(text).ok_or(Miss::Malformed);
        let segments = raw.iter().map(|segment| decode(segment)).collect::<Result<_, _>>()?;
        Ok(Self { segments, verb: verb.map(decode).transpose()?, raw })
    }

    fn captures<'routes>(&self, binding: &'routes Binding) -> Match<'routes> {
        let captures = binding
            .path_fields
            .iter()
            .map(|bound| Capture { fields: &bound.fields, text: self.text(&binding.template, &bound.variable) })
            .collect();
        Match { binding, captures }
    }

    /// What a variable holds: one segment is decoded entirely, while a name keeps its encoded slashes.
    fn text(&self, template: &Template, variable: &Variable) -> String {
        if !variable.is_name(template) {
            return self.segments.get(variable.start).cloned().unwrap_or_default();
        }
        let open = template.segments.get(variable.end - 1) == Some(&Segment::Rest);
        let end = if open { self.raw.len() } else { variable.end };
        let within = self.raw.get(variable.start..end).unwrap_or_default();
        let decoded: Vec<_> = within.iter().filter_map(|raw| percent::decode_within_name(raw)).collect();
        decoded.join("/")
    }
}

/// A walk down the tree: literal segments come before `*`, and `*` before `**`.
#[derive(Debug)]
struct Search<'search> {
    path: &'search Path<'search>,
    method: &'search Method,
    /// The methods of the routes with this path that do not take the request's.
    others: BTreeSet<&'search str>,
}

impl<'search> Search<'search> {
    fn visit(&mut self, node: &'search Node, depth: usize) -> Option<usize> {
        let path = self.path;
        let Some(segment) = path.segments.get(depth) else {
            return self.end(&node.ends).or_else(|| self.end(&node.rests));
        };
        if segment.is_empty() {
            return None;
        }
        let literal = node.literals.get(segment).and_then(|child| self.visit(child, depth + 1));
        let one = literal.or_else(|| node.one.as_deref().and_then(|child| self.visit(child, depth + 1)));
        one.or_else(|| match path.segments.get(depth..) {
            Some(rest) if rest.iter().all(|segment| !segment.is_empty()) => self.end(&node.rests),
            _ => None,
        })
    }

    fn end(&mut self, ends: &'search [End]) -> Option<usize> {
        let fitting = || ends.iter().filter(|end| end.verb == self.path.verb);
        let exact = fitting().find(|end| end.method.as_ref() == Some(self.method));
        let found = exact.or_else(|| fitting().find(|end| end.method.is_none()));
        let others: Vec<_> = fitting().filter_map(|end| end.method.as_ref()).map(Method::as_str).collect();
        self.others.extend(others);
        found.map(|end| end.binding)
    }

    fn allowed(&self) -> Vec<Method> {
        let head = self.others.contains("GET").then_some("HEAD");
        let names: BTreeSet<_> = self.others.iter().copied().chain(head).collect();
        names.into_iter().filter_map(|name| name.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests;
