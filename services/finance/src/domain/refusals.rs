//! How a rule refuses a field.

use std::borrow::Cow;

use conum_kernel::{Error, Rule, Violations};

/// The error of one field that breaks a rule.
pub(crate) fn breaks(
    rule: Rule,
    field: impl Into<String>,
    reason: &'static str,
    english: impl Into<Cow<'static, str>>,
    french: impl Into<Cow<'static, str>>,
) -> Error {
    let mut wrong = Violations::default();
    wrong.breaks(rule, field, reason, english, french);
    wrong.into_error()
}
