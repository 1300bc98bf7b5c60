//! Registration numbers of structures (A05): SIRET, or RIDET in New Caledonia, reduced to their digits so that one
//! structure has one spelling. Whether the number is in use is left to the registers.

use conum_kernel::{Error, Result, Rule, Violations};

/// New Caledonia, by its INSEE code: the one place where a RIDET stands for a SIRET.
pub const NEW_CALEDONIA: &str = "988";

const LA_POSTE: &str = "356000000";
/// The head office of La Poste keeps the ordinary key.
const LA_POSTE_HEAD_OFFICE: &str = "35600000000048";

/// Checks a SIRET (14 digits and their key) or a RIDET (7 to 10 digits, only where `department` is New Caledonia).
/// Spaces, dots and dashes are taken off. A RIDET of 9 digits gets the leading zero that is often left out.
///
/// # Errors
/// `INVALID_REGISTRATION_NUMBER`, `INVALID_SIRET_KEY` or `RIDET_OUTSIDE_NEW_CALEDONIA` at `field` (A05).
pub fn check(field: &str, text: &str, department: Option<&str>) -> Result<String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '.' | '-')).collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid(field));
    }
    match digits.len() {
        14 if has_siret_key(&digits) => Ok(digits),
        14 => Err(broken(
            field,
            "INVALID_SIRET_KEY",
            "the key of this SIRET is wrong: a digit was mistyped",
            "la clé de ce SIRET est fausse : un chiffre a été mal saisi",
        )),
        7..=10 if department == Some(NEW_CALEDONIA) => {
            Ok(if digits.len() == 9 { format!("0{digits}") } else { digits })
        }
        7..=10 => Err(broken(
            field,
            "RIDET_OUTSIDE_NEW_CALEDONIA",
            "a RIDET names a structure of New Caledonia only: give the SIRET",
            "un RIDET ne désigne qu'une structure de Nouvelle-Calédonie : donnez le SIRET",
        )),
        _ => Err(invalid(field)),
    }
}

fn invalid(field: &str) -> Error {
    broken(
        field,
        "INVALID_REGISTRATION_NUMBER",
        "a SIRET of 14 digits is expected, or a RIDET of 7 to 10 digits in New Caledonia",
        "un SIRET de 14 chiffres est attendu, ou un RIDET de 7 à 10 chiffres en Nouvelle-Calédonie",
    )
}

fn broken(field: &str, reason: &'static str, english: &'static str, french: &'static str) -> Error {
    let mut violations = Violations::default();
    violations.breaks(Rule("A05"), field, reason, english, french);
    violations.into_error()
}

/// The key of 14 digits: Luhn's, and for the establishments of La Poste a plain sum that is a multiple of 5.
fn has_siret_key(digits: &str) -> bool {
    if digits.bytes().all(|byte| byte == b'0') {
        return false;
    }
    if digits.starts_with(LA_POSTE) && digits != LA_POSTE_HEAD_OFFICE {
        let sum: u32 = digits.bytes().map(|byte| u32::from(byte - b'0')).sum();
        return sum.is_multiple_of(5);
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            if place % 2 == 0 { digit } else { digit / 5 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str, department: Option<&str>) -> &'static str {
        check("f", text, department).unwrap_err().reason()
    }

    #[test]
    fn a05_a_siret_is_kept_as_its_digits() {
        assert_eq!(check("f", "210 100 533 00012", Some("01")), Ok("21010053300012".into()));
        assert_eq!(check("f", "200.042.935-00011", None), Ok("20004293500011".into()));
    }

    #[test]
    fn a05_a_wrong_siret_is_refused_with_the_rule() {
        assert_eq!(reason("21010053300013", None), "INVALID_SIRET_KEY");
        assert_eq!(reason("34416574200013", None), "INVALID_SIRET_KEY");
        assert_eq!(reason("00000000000000", None), "INVALID_SIRET_KEY");
        for text in ["null", "0", "2101005330001", "2101005330001A", "٢١٠١٠٠٥٣٣٠٠٠١٢", ""] {
            let error = check("f", text, None).unwrap_err();
            assert_eq!((error.reason(), error.rule()), ("INVALID_REGISTRATION_NUMBER", Some(Rule("A05"))), "{text}");
        }
    }

    #[test]
    fn a05_the_establishments_of_la_poste_have_a_key_of_their_own() {
        assert!(check("f", "35600000000048", None).is_ok(), "the head office keeps Luhn's key");
        assert!(check("f", "35600000049837", None).is_ok(), "the digits add up to 45");
        assert_eq!(reason("35600000049838", None), "INVALID_SIRET_KEY");
    }

    #[test]
    fn a05_a_ridet_counts_in_new_caledonia_only_whatever_its_dots_and_leading_zero() {
        assert_eq!(check("f", "0 123 456.001", Some("988")), Ok("0123456001".into()));
        assert_eq!(check("f", "123456.001", Some("988")), Ok("0123456001".into()));
        assert_eq!(check("f", "1234567", Some("988")), Ok("1234567".into()));
        assert_eq!(reason("123456", Some("988")), "INVALID_REGISTRATION_NUMBER");
        assert_eq!(reason("12345678901", Some("988")), "INVALID_REGISTRATION_NUMBER");
        assert_eq!(reason("0123456001", Some("987")), "RIDET_OUTSIDE_NEW_CALEDONIA");
        assert_eq!(reason("0123456001", None), "RIDET_OUTSIDE_NEW_CALEDONIA");
    }
}
