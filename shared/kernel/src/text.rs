//! Text from outside: trimmed, within its limit, without control characters; and addresses.

use crate::{Error, Result};

/// Checks a text: trims it, refuses control characters and more than `limit` characters. May come out empty.
///
/// # Errors
/// `CONTROL_CHARACTERS` or `TOO_LONG` at `field`.
pub fn optional(field: &str, text: &str, limit: usize) -> Result<String> {
    let text = text.trim();
    if text.chars().any(|c| (c.is_control() && c != '\n') || is_invisible(c)) {
        return Err(Error::invalid(
            field,
            "CONTROL_CHARACTERS",
            "control characters are not allowed",
            "les caractères de contrôle ne sont pas admis",
        ));
    }
    if text.chars().count() > limit {
        return Err(Error::invalid(
            field,
            "TOO_LONG",
            format!("at most {limit} characters"),
            format!("au plus {limit} caractères"),
        ));
    }
    Ok(text.to_owned())
}

/// As [`optional`], and refuses an empty text.
///
/// # Errors
/// `REQUIRED` at `field`, or those of [`optional`].
pub fn required(field: &str, text: &str, limit: usize) -> Result<String> {
    let text = optional(field, text, limit)?;
    if text.is_empty() {
        return Err(Error::invalid(field, "REQUIRED", "this field is required", "ce champ est obligatoire"));
    }
    Ok(text)
}

/// Checks a mail address: one `@`, a local part of RFC 5321's dot-atom, a domain with a dot, at most 254 characters.
/// Comes out with its domain in lower case.
///
/// # Errors
/// `INVALID_EMAIL` at `field`, or those of [`required`].
pub fn email(field: &str, text: &str) -> Result<String> {
    let text = required(field, text, 254)?;
    let invalid = || {
        Error::invalid(field, "INVALID_EMAIL", "a mail address is expected", "une adresse électronique est attendue")
    };
    let (local, domain) = text.rsplit_once('@').ok_or_else(invalid)?;
    let local_fits = (1..=64).contains(&local.len())
        && local.split('.').all(|atom| {
            !atom.is_empty() && atom.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
        });
    let domain_fits = domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    if local_fits && domain_fits { Ok(format!("{local}@{}", domain.to_lowercase())) } else { Err(invalid()) }
}

/// Checks a telephone number: digits, spaces, dots and dashes after an optional `+`; 6 to 15 digits. May be empty.
///
/// # Errors
/// `INVALID_PHONE` at `field`, or those of [`optional`].
pub fn phone(field: &str, text: &str) -> Result<String> {
    let text = optional(field, text, 30)?;
    let rest = text.strip_prefix('+').unwrap_or(&text);
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    if text.is_empty()
        || ((6..=15).contains(&digits) && rest.chars().all(|c| c.is_ascii_digit() || " .-()".contains(c)))
    {
        return Ok(text);
    }
    Err(Error::invalid(field, "INVALID_PHONE", "a telephone number is expected", "un numéro de téléphone est attendu"))
}

/// What two spellings of one name have in common: lower case, no accent, single spaces for anything else.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'à' | 'â' | 'ä' | 'á' | 'ã' | 'å' => folded.push('a'),
            'é' | 'è' | 'ê' | 'ë' => folded.push('e'),
            'î' | 'ï' | 'í' | 'ì' => folded.push('i'),
            'ô' | 'ö' | 'ó' | 'ò' | 'õ' => folded.push('o'),
            'ù' | 'û' | 'ü' | 'ú' => folded.push('u'),
            'ÿ' | 'ý' => folded.push('y'),
            'ç' => folded.push('c'),
            'ñ' => folded.push('n'),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            c if c.is_alphanumeric() => folded.push(c),
            _ if !folded.ends_with(' ') => folded.push(' '),
            _ => {}
        }
    }
    folded.trim().to_owned()
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_limited_and_free_of_control_characters() {
        assert_eq!(required("f", "  Mairie de Lyon ", 20).unwrap(), "Mairie de Lyon");
        assert_eq!(required("f", " ", 20).unwrap_err().reason(), "REQUIRED");
        assert_eq!(required("f", "a\u{0}b", 20).unwrap_err().reason(), "CONTROL_CHARACTERS");
        assert_eq!(required("f", "a\u{202E}b", 20).unwrap_err().reason(), "CONTROL_CHARACTERS");
        assert_eq!(required("f", "éééé", 3).unwrap_err().reason(), "TOO_LONG");
    }

    #[test]
    fn an_address_that_is_no_address_is_refused() {
        for good in ["a@b.fr", "jean.dupont+cnfs@Mairie-Lyon.FR", "o'neil@exemple.org"] {
            assert!(email("f", good).is_ok(), "{good}");
        }
        assert_eq!(email("f", "A@B.FR").unwrap(), "A@b.fr");
        for bad in
            ["", "a", "a@b", "a@@b.fr", "a b@c.fr", ".a@b.fr", "a.@b.fr", "a@-b.fr", "a@b..fr", "a@b.fr\nBcc: c@d.fr"]
        {
            assert!(email("f", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_phone_number_has_6_to_15_digits() {
        for good in ["", "01 23 45 67 89", "+33 1 23 45 67 89", "+687 12.34.56"] {
            assert!(phone("f", good).is_ok(), "{good}");
        }
        for bad in ["12345", "abc", "0123456789012345", "01;23;45;67"] {
            assert!(phone("f", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_fold_to_what_their_spellings_share() {
        assert_eq!(folded("  LE GOFF-Müller  "), folded("Le Goff Muller"));
        assert_eq!(folded("Œuvre d'Été"), "oeuvre d ete");
    }
}
