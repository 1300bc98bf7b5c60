//! What is wrong with a request, field by field: the field, why, and what is expected; never what was sent.

use std::fmt::{self, Write as _};

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The path of the field in the request message, by its names in the contract: `application.posts[2].name`.
    pub field: String,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The message has no such field.
    UnknownField,
    /// The method has no such query parameter.
    UnknownParameter,
    /// The field cannot be given in the query.
    NotInQuery,
    /// The path gives the field already.
    GivenByPath,
    /// The path and the body give different values.
    PathAndBodyDiffer,
    /// The field is given twice.
    Twice,
    /// Another field of the same choice is given.
    OneOf,
    /// The value is of another type.
    WrongType(Expected),
    /// The enum has no such value.
    UnknownEnumValue(Vec<String>),
    /// The method takes no body.
    NoBody,
}

/// What a value should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A boolean.
    Bool,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 32 bits, not negative.
    Uint32,
    /// A whole number of 64 bits.
    Int64,
    /// A whole number of 64 bits, not negative.
    Uint64,
    /// A number.
    Number,
    /// Text.
    Text,
    /// Base64.
    Base64,
    /// The name of an enum value.
    EnumName,
    /// A JSON object.
    Object,
    /// A JSON array.
    Array,
    /// RFC 3339.
    Timestamp,
    /// Seconds, with their unit.
    Duration,
    /// Field names.
    FieldMask,
    /// Whatever the contract says.
    Contract,
}

impl FaultKind {
    /// UPPER_SNAKE_CASE, stable.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownField => "UNKNOWN_FIELD",
            Self::UnknownParameter => "UNKNOWN_PARAMETER",
            Self::NotInQuery => "NOT_IN_QUERY",
            Self::GivenByPath => "GIVEN_BY_PATH",
            Self::PathAndBodyDiffer => "PATH_AND_BODY_DIFFER",
            Self::Twice => "GIVEN_TWICE",
            Self::OneOf => "ONE_OF",
            Self::WrongType(_) => "WRONG_TYPE",
            Self::UnknownEnumValue(_) => "UNKNOWN_ENUM_VALUE",
            Self::NoBody => "NO_BODY_EXPECTED",
        }
    }

    /// Why the field is wrong, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::UnknownField => "there is no such field".into(),
            Self::UnknownParameter => "there is no such query parameter".into(),
            Self::NotInQuery => "this field cannot be given in the query".into(),
            Self::GivenByPath => "the path gives this field already".into(),
            Self::PathAndBodyDiffer => "the path and the body give different values".into(),
            Self::Twice => "this field is given twice".into(),
            Self::OneOf => "another field of the same choice is given".into(),
            Self::WrongType(expected) => format!("expected {}", expected.english()),
            Self::UnknownEnumValue(names) => format!("expected one of {}", names.join(", ")),
            Self::NoBody => "this method takes no body".into(),
        }
    }

    /// Why the field is wrong, in French.
    #[must_use]
    pub fn french(&self) -> String {
        match self {
            Self::UnknownField => "ce champ n'existe pas".into(),
            Self::UnknownParameter => "ce paramètre n'existe pas".into(),
            Self::NotInQuery => "ce champ ne peut pas être donné en paramètre".into(),
            Self::GivenByPath => "le chemin donne déjà ce champ".into(),
            Self::PathAndBodyDiffer => "le chemin et le corps donnent des valeurs différentes".into(),
            Self::Twice => "ce champ est donné deux fois".into(),
            Self::OneOf => "un autre champ du même choix est donné".into(),
            Self::WrongType(expected) => format!("il faut {}", expected.french()),
            Self::UnknownEnumValue(names) => format!("il faut l'une des valeurs {}", names.join(", ")),
            Self::NoBody => "cette méthode ne prend pas de corps".into(),
        }
    }

    pub(super) fn unknown_value(values: &EnumDescriptor) -> Self {
        Self::UnknownEnumValue(values.values().map(|value| value.name().to_owned()).collect())
    }
}

impl Expected {
    /// What one value of a kind should be.
    pub(super) fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool,
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Self::Int32,
            Kind::Uint32 | Kind::Fixed32 => Self::Uint32,
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Self::Int64,
            Kind::Uint64 | Kind::Fixed64 => Self::Uint64,
            Kind::Float | Kind::Double => Self::Number,
            Kind::String => Self::Text,
            Kind::Bytes => Self::Base64,
            Kind::Enum(_) => Self::EnumName,
            Kind::Message(message) => Self::of_message(message),
        }
    }

    fn of_message(message: &MessageDescriptor) -> Self {
        match message.full_name() {
            "google.protobuf.Timestamp" => Self::Timestamp,
            "google.protobuf.Duration" => Self::Duration,
            "google.protobuf.FieldMask" => Self::FieldMask,
            "google.protobuf.BoolValue" => Self::Bool,
            "google.protobuf.StringValue" => Self::Text,
            "google.protobuf.BytesValue" => Self::Base64,
            "google.protobuf.Int32Value" => Self::Int32,
            "google.protobuf.Int64Value" => Self::Int64,
            "google.protobuf.UInt32Value" => Self::Uint32,
            "google.protobuf.UInt64Value" => Self::Uint64,
            "google.protobuf.FloatValue" | "google.protobuf.DoubleValue" => Self::Number,
            "google.protobuf.ListValue" => Self::Array,
            _ => Self::Object,
        }
    }

    fn english(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int32 => "a whole number of 32 bits",
            Self::Uint32 => "a whole number of 32 bits that is not negative",
            Self::Int64 => "a whole number of 64 bits, or a string of its digits",
            Self::Uint64 => "a whole number of 64 bits that is not negative, or a string of its digits",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Base64 => "a string in base64",
            Self::EnumName => "the name of a value",
            Self::Object => "an object",
            Self::Array => "an array without null",
            Self::Timestamp => "a time after RFC 3339, such as 2026-03-02T09:00:00Z",
            Self::Duration => "a duration in seconds, such as 3.5s",
            Self::FieldMask => "field names in lowerCamelCase, with commas between them",
            Self::Contract => "what the contract describes",
        }
    }

    fn french(self) -> &'static str {
        match self {
            Self::Bool => "true ou false",
            Self::Int32 => "un nombre entier de 32 bits",
            Self::Uint32 => "un nombre entier de 32 bits, positif ou nul",
            Self::Int64 => "un nombre entier de 64 bits, ou une chaîne de ses chiffres",
            Self::Uint64 => "un nombre entier de 64 bits, positif ou nul, ou une chaîne de ses chiffres",
            Self::Number => "un nombre",
            Self::Text => "une chaîne de caractères",
            Self::Base64 => "une chaîne en base64",
            Self::EnumName => "le nom d'une valeur",
            Self::Object => "un objet",
            Self::Array => "un tableau sans null",
            Self::Timestamp => "un instant au format RFC 3339, par exemple 2026-03-02T09:00:00Z",
            Self::Duration => "une durée en secondes, par exemple 3.5s",
            Self::FieldMask => "des noms de champs en lowerCamelCase, séparés par des virgules",
            Self::Contract => "ce que décrit le contrat",
        }
    }
}

/// The wrong fields of a request. Only the first ones are kept: a caller mends those, then sees the others.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    const MOST: usize = 20;

    pub(super) fn add(&mut self, field: impl fmt::Display, kind: FaultKind) {
        if self.0.len() < Self::MOST {
            self.0.push(Fault { field: field.to_string(), kind });
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= Self::MOST
    }

    pub(super) fn check(self) -> Result<(), Vec<Fault>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where a value stands in the request message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trail<'trail> {
    parent: Option<&'trail Trail<'trail>>,
    step: Step<'trail>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'trail> {
    Root,
    Field(&'trail str),
    Index(usize),
    Entry,
}

impl<'trail> Trail<'trail> {
    pub(super) const ROOT: Trail<'static> = Trail { parent: None, step: Step::Root };

    pub(super) fn field(&'trail self, field: &'trail FieldDescriptor) -> Self {
        Self { parent: Some(self), step: Step::Field(field.name()) }
    }

    /// A name that the caller sent and the contract does not know.
    pub(super) fn unknown(&'trail self, name: &'trail str) -> Self {
        Self { parent: Some(self), step: Step::Field(harmless(name)) }
    }

    pub(super) fn index(&'trail self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    /// A value of a map. Its key is the caller's, so it is not told.
    pub(super) fn entry(&'trail self) -> Self {
        Self { parent: Some(self), step: Step::Entry }
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) => {
                if self.parent.is_some_and(|parent| !matches!(parent.step, Step::Root)) {
                    f.write_char('.')?;
                }
                f.write_str(name)
            }
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Entry => f.write_str("[*]"),
        }
    }
}

/// The name that a caller gave to something unknown, when it looks like one: it might be anything else.
pub(super) fn harmless(name: &str) -> &str {
    let is_name = name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
    if is_name { name } else { "?" }
}
