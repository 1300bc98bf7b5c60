//! The one error of the platform. It knows no transport: `conum-service` turns it into `google.rpc.Status`, and the
//! gateway turns that into problem+json.
//!
//! Messages carry no personal data: they name fields, rules and ids. Each comes in English for machines and logs and in
//! French for people.

use std::{borrow::Cow, fmt, time::Duration};

/// A result with the platform's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A rule of the programme, by its id in the rule book: `Rule("A09")`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule(pub &'static str);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request itself is wrong, whatever the state: mend it.
    InvalidArgument,
    /// The request is well formed, and the state or a rule refuses it.
    FailedPrecondition,
    /// What is named does not exist, or is not the caller's to see.
    NotFound,
    /// What would be created exists.
    AlreadyExists,
    /// The caller's role does not allow it.
    PermissionDenied,
    /// No valid identity came with the call.
    Unauthenticated,
    /// The state has changed meanwhile: read it again, then retry.
    Aborted,
    /// Too much at once, or too large.
    ResourceExhausted,
    /// Out of service for now: retry the same call later.
    Unavailable,
    /// The caller's deadline has passed.
    DeadlineExceeded,
    /// The service does not offer it.
    Unimplemented,
    /// A fault of ours. What happened stays in the log.
    Internal,
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field in the request: `application.profile.kind`.
    pub field: String,
    /// UPPER_SNAKE_CASE.
    pub reason: &'static str,
    pub rule: Option<Rule>,
    pub english: Cow<'static, str>,
    pub french: Cow<'static, str>,
}

/// An error, or a rule's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: Kind,
    reason: &'static str,
    rule: Option<Rule>,
    english: Cow<'static, str>,
    french: Cow<'static, str>,
    violations: Vec<Violation>,
    metadata: Vec<(&'static str, String)>,
    retry_after: Option<Duration>,
    /// For the log only.
    context: Option<String>,
}

impl Error {
    fn new(
        kind: Kind,
        reason: &'static str,
        english: impl Into<Cow<'static, str>>,
        french: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Inner {
            kind,
            reason,
            rule: None,
            english: english.into(),
            french: french.into(),
            violations: Vec::new(),
            metadata: Vec::new(),
            retry_after: None,
            context: None,
        }))
    }

    /// A rule of the programme refuses the request in the present state.
    pub fn refused(
        rule: Rule,
        reason: &'static str,
        english: impl Into<Cow<'static, str>>,
        french: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Kind::FailedPrecondition, reason, english, french).with_rule(rule)
    }

    /// The state refuses the request, and no rule of the programme is behind it.
    pub fn precondition(
        reason: &'static str,
        english: impl Into<Cow<'static, str>>,
        french: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Kind::FailedPrecondition, reason, english, french)
    }

    /// One field is wrong.
    pub fn invalid(
        field: impl Into<String>,
        reason: &'static str,
        english: impl Into<Cow<'static, str>>,
        french: impl Into<Cow<'static, str>>,
    ) -> Self {
        let mut violations = Violations::default();
        violations.add(field, reason, english, french);
        violations.into_error()
    }

    /// What is named does not exist. `name` is a resource name: an id, never a person's.
    #[must_use]
    pub fn not_found(name: &str) -> Self {
        Self::new(
            Kind::NotFound,
            "NOT_FOUND",
            format!("{name} does not exist, or is not yours to see"),
            format!("{name} n'existe pas ou ne vous est pas visible"),
        )
    }

    /// What would be created exists: `existing` is its resource name.
    pub fn already_exists(
        rule: Option<Rule>,
        reason: &'static str,
        existing: &str,
        english: impl Into<Cow<'static, str>>,
        french: impl Into<Cow<'static, str>>,
    ) -> Self {
        let mut error = Self::new(Kind::AlreadyExists, reason, english, french);
        error.0.rule = rule;
        error.with("existing", existing)
    }

    /// The caller may not do this.
    #[must_use]
    pub fn denied(reason: &'static str) -> Self {
        Self::new(
            Kind::PermissionDenied,
            reason,
            "the caller's identity does not allow this call",
            "votre identité ne permet pas cette action",
        )
    }

    /// No valid identity came with the call.
    #[must_use]
    pub fn unauthenticated(reason: &'static str) -> Self {
        Self::new(
            Kind::Unauthenticated,
            reason,
            "the call carries no valid identity",
            "l'appel ne porte pas d'identité valable",
        )
    }

    /// The caller's `etag` is not the current one.
    #[must_use]
    pub fn stale(name: &str) -> Self {
        Self::new(
            Kind::Aborted,
            "STALE_ETAG",
            format!("{name} has changed since it was read: read it again"),
            format!("{name} a changé depuis sa lecture : relisez-le"),
        )
    }

    /// A `request_id` came back with other content.
    #[must_use]
    pub fn request_id_reused() -> Self {
        let mut violations = Violations::default();
        violations.add(
            "request_id",
            "REQUEST_ID_REUSED",
            "this request_id was used for another request",
            "cet identifiant de requête a déjà servi à une autre requête",
        );
        violations.into_error()
    }

    /// Too much at once, or too large.
    pub fn exhausted(
        reason: &'static str,
        english: impl Into<Cow<'static, str>>,
        french: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Kind::ResourceExhausted, reason, english, french)
    }

    /// Out of service for now.
    #[must_use]
    pub fn unavailable(context: impl fmt::Display) -> Self {
        Self::new(Kind::Unavailable, "UNAVAILABLE", "out of service for now", "service momentanément indisponible")
            .retry_after(Duration::from_secs(1))
            .because(context)
    }

    /// The caller's deadline has passed.
    #[must_use]
    pub fn deadline() -> Self {
        Self::new(Kind::DeadlineExceeded, "DEADLINE_EXCEEDED", "the deadline has passed", "le délai est dépassé")
    }

    /// A fault of ours: `context` goes to the log and to nobody else.
    #[must_use]
    pub fn internal(context: impl fmt::Display) -> Self {
        Self::new(Kind::Internal, "INTERNAL", "internal error", "erreur interne").because(context)
    }

    /// Names the rule behind the error.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.0.rule = Some(rule);
        self
    }

    /// Names the field behind a rule's refusal.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        let violation = Violation {
            field: field.into(),
            reason: self.0.reason,
            rule: self.0.rule,
            english: self.0.english.clone(),
            french: self.0.french.clone(),
        };
        self.0.violations.push(violation);
        self
    }

    /// Adds a fact for machines: an id or a number, never personal data.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.metadata.push((key, value.to_string()));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Adds what only the log may say.
    #[must_use]
    pub fn because(mut self, context: impl fmt::Display) -> Self {
        self.0.context = Some(context.to_string());
        self
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// UPPER_SNAKE_CASE, stable.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        self.0.rule
    }

    #[must_use]
    pub fn english(&self) -> &str {
        &self.0.english
    }

    #[must_use]
    pub fn french(&self) -> &str {
        &self.0.french
    }

    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    #[must_use]
    pub fn metadata(&self) -> &[(&'static str, String)] {
        &self.0.metadata
    }

    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What only the log may say.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.0.context.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.reason)?;
        if let Some(rule) = self.0.rule {
            write!(f, " ({rule})")?;
        }
        write!(f, ": {}", self.0.english)?;
        if let Some(context) = &self.0.context {
            write!(f, " [{context}]")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Collects wrong fields, so that a caller learns of all of them at once.
#[derive(Clone, Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Notes a wrong field.
    pub fn add(
        &mut self,
        field: impl Into<String>,
        reason: &'static str,
        english: impl Into<Cow<'static, str>>,
        french: impl Into<Cow<'static, str>>,
    ) {
        self.0.push(Violation {
            field: field.into(),
            reason,
            rule: None,
            english: english.into(),
            french: french.into(),
        });
    }

    /// Notes a field that breaks a rule of the programme.
    pub fn breaks(
        &mut self,
        rule: Rule,
        field: impl Into<String>,
        reason: &'static str,
        english: impl Into<Cow<'static, str>>,
        french: impl Into<Cow<'static, str>>,
    ) {
        self.add(field, reason, english, french);
        if let Some(last) = self.0.last_mut() {
            last.rule = Some(rule);
        }
    }

    /// Notes a compulsory field that is missing.
    pub fn missing(&mut self, field: impl Into<String>) {
        self.add(field, "REQUIRED", "this field is required", "ce champ est obligatoire");
    }

    /// Takes a value, or notes why there is none.
    pub fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.extend(error.0.violations);
                None
            }
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails with everything that was noted.
    pub fn check(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }

    /// The error of all that was noted. The first one gives its reason and rule.
    #[must_use]
    pub fn into_error(self) -> Error {
        let (reason, rule) = self.0.first().map_or(("INVALID", None), |first| (first.reason, first.rule));
        let fields: Vec<_> = self.0.iter().map(|violation| violation.field.as_str()).collect();
        let mut error = Error::new(
            Kind::InvalidArgument,
            reason,
            format!("invalid: {}", fields.join(", ")),
            format!("à corriger : {}", fields.join(", ")),
        );
        error.0.rule = rule;
        error.0.violations = self.0;
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_wrong_fields_come_back_at_once_and_the_first_gives_its_rule() {
        let mut violations = Violations::default();
        violations.breaks(Rule("C01"), "candidate.birth_date", "TOO_YOUNG", "under 16", "moins de 16 ans");
        violations.missing("candidate.email");
        let error = violations.check().unwrap_err();
        assert_eq!(
            (error.kind(), error.reason(), error.rule()),
            (Kind::InvalidArgument, "TOO_YOUNG", Some(Rule("C01")))
        );
        assert_eq!(error.violations().len(), 2);
        assert_eq!(error.to_string(), "TOO_YOUNG (C01): invalid: candidate.birth_date, candidate.email");
    }

    #[test]
    fn a_refusal_can_name_its_field() {
        let error = Error::refused(Rule("A08"), "COUNTED_TWICE", "no", "non").at("posts[0]");
        assert_eq!(error.violations()[0].rule, Some(Rule("A08")));
    }
}
