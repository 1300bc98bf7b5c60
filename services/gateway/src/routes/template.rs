//! Path templates of `google.api.http`: `/v1/{name=applications/*}:withdraw`.

/// One segment of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Matches itself.
    Literal(String),
    /// `*`: matches one segment that is not empty.
    One,
    /// `**`: matches whatever is left, nothing included. It stands last.
    Rest,
}

/// A variable of a template: the field that it fills, and the segments that it spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The names of the field and of the messages around it, outermost first.
    pub field: Vec<String>,
    /// The first segment that it spans.
    pub start: usize,
    /// The segment after the last one that it spans.
    pub end: usize,
}

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its segments, variables taken apart.
    pub segments: Vec<Segment>,
    /// Its variables, in their order.
    pub variables: Vec<Variable>,
    /// The custom verb after the colon.
    pub verb: Option<String>,
}

/// Why a template cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not start with a slash.
    #[error("a path template starts with a slash")]
    NoSlash,
    /// Two slashes follow one another, or one ends the template.
    #[error("a path template has no empty segment")]
    EmptySegment,
    /// A literal or a verb has a character that it may not have.
    #[error("a literal or a verb of a path template is made of letters, digits, '-', '_', '.' and '~'")]
    BadLiteral,
    /// A brace is not closed, not opened, or within another.
    #[error("the braces of a path template do not match, or are nested")]
    Braces,
    /// A variable names no field.
    #[error("a variable of a path template names a field")]
    BadField,
    /// `**` is followed by another segment.
    #[error("'**' stands last in a path template")]
    RestNotLast,
    /// Two variables fill the same field.
    #[error("a path template fills a field once")]
    FieldTwice,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let (path, verb) = split_verb(text)?;
        let path = path.strip_prefix('/').ok_or(TemplateError::NoSlash)?;
        let mut template = Self { segments: Vec::new(), variables: Vec::new(), verb };
        for part in split_outside_braces(path)? {
            template.push(part)?;
        }
        let last = template.segments.len().saturating_sub(1);
        if template.segments.iter().take(last).any(|segment| *segment == Segment::Rest) {
            return Err(TemplateError::RestNotLast);
        }
        Ok(template)
    }

    fn push(&mut self, part: &str) -> Result<(), TemplateError> {
        let Some(inner) = part.strip_prefix('{') else {
            self.segments.push(segment(part)?);
            return Ok(());
        };
        let inner = inner.strip_suffix('}').ok_or(TemplateError::Braces)?;
        let (field, pattern) = inner.split_once('=').unwrap_or((inner, "*"));
        let field: Vec<_> = field.split('.').map(str::to_owned).collect();
        if !field.iter().all(|name| is_field_name(name)) {
            return Err(TemplateError::BadField);
        }
        if self.variables.iter().any(|variable| variable.field == field) {
            return Err(TemplateError::FieldTwice);
        }
        let start = self.segments.len();
        for part in pattern.split('/') {
            self.segments.push(segment(part)?);
        }
        self.variables.push(Variable { field, start, end: self.segments.len() });
        Ok(())
    }
}

impl Variable {
    /// Whether the variable can hold several segments, so that its slashes separate.
    #[must_use]
    pub fn is_name(&self, template: &Template) -> bool {
        self.end - self.start != 1 || template.segments.get(self.start) == Some(&Segment::Rest)
    }
}

fn split_verb(text: &str) -> Result<(&str, Option<String>), TemplateError> {
    match text.rsplit_once(':') {
        Some((path, verb)) if !verb.contains(['/', '}']) => {
            if !is_literal(verb) {
                return Err(TemplateError::BadLiteral);
            }
            Ok((path, Some(verb.to_owned())))
        }
        _ => Ok((text, None)),
    }
}

fn split_outside_braces(path: &str) -> Result<Vec<&str>, TemplateError> {
    let mut parts = Vec::new();
    let (mut start, mut inside) = (0, false);
    for (at, character) in path.char_indices() {
        match character {
            '{' if inside => return Err(TemplateError::Braces),
            '{' => inside = true,
            '}' if !inside => return Err(TemplateError::Braces),
            '}' => inside = false,
            '/' if !inside => {
                parts.push(&path[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err(TemplateError::Braces);
    }
    parts.push(&path[start..]);
    Ok(parts)
}

fn segment(text: &str) -> Result<Segment, TemplateError> {
    match text {
        "" => Err(TemplateError::EmptySegment),
        "*" => Ok(Segment::One),
        "**" => Ok(Segment::Rest),
        literal if is_literal(literal) => Ok(Segment::Literal(literal.to_owned())),
        _ if text.contains(['{', '}']) => Err(TemplateError::Braces),
        _ => Err(TemplateError::BadLiteral),
    }
}

fn is_literal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

fn is_field_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.into())
    }

    #[test]
    fn a_variable_spans_its_pattern_and_the_verb_stands_apart() {
        let template = Template::parse("/v1/{application.name=applications/*/posts/*}:settle").unwrap();
        assert_eq!(
            template.segments,
            [literal("v1"), literal("applications"), Segment::One, literal("posts"), Segment::One]
        );
        assert_eq!(
            template.variables,
            [Variable { field: vec!["application".into(), "name".into()], start: 1, end: 5 }]
        );
        assert_eq!(template.verb.as_deref(), Some("settle"));
        assert!(template.variables[0].is_name(&template));
    }

    #[test]
    fn a_variable_without_a_pattern_is_one_segment() {
        let template = Template::parse("/v1/{id}/{rest=**}").unwrap();
        assert_eq!(template.segments, [literal("v1"), Segment::One, Segment::Rest]);
        assert!(!template.variables[0].is_name(&template));
        assert!(template.variables[1].is_name(&template));
    }

    #[test]
    fn what_is_not_a_template_is_refused() {
        for (text, error) in [
            ("v1/x", TemplateError::NoSlash),
            ("", TemplateError::NoSlash),
            ("/", TemplateError::EmptySegment),
            ("/v1//x", TemplateError::EmptySegment),
            ("/v1/x/", TemplateError::EmptySegment),
            ("/v1/{a=}", TemplateError::EmptySegment),
            ("/v1/x y", TemplateError::BadLiteral),
            ("/v1/x:", TemplateError::BadLiteral),
            ("/v1/x*", TemplateError::BadLiteral),
            ("/v1/{a", TemplateError::Braces),
            ("/v1/a}", TemplateError::Braces),
            ("/v1/{a={b}}", TemplateError::Braces),
            ("/v1/{a}b", TemplateError::Braces),
            ("/v1/{}", TemplateError::BadField),
            ("/v1/{a..b}", TemplateError::BadField),
            ("/v1/{1a}", TemplateError::BadField),
            ("/v1/**/x", TemplateError::RestNotLast),
            ("/v1/{a}/{a}", TemplateError::FieldTwice),
        ] {
            assert_eq!(Template::parse(text), Err(error), "{text}");
        }
    }
}
