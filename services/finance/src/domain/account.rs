//! The bank account of a structure: its IBAN checked (ISO 13616), and a change in two steps by two people (F03).

use conum_kernel::{Error, Fact, Moment, Result, Rule, StructureId, Violations, text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::refusals::breaks;

const F03: Rule = Rule("F03");

/// The length of an IBAN by country, for the countries of the SEPA area.
const LENGTHS: [(&str, usize); 38] = [
    ("AD", 24),
    ("AT", 20),
    ("BE", 16),
    ("BG", 22),
    ("CH", 21),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("EE", 20),
    ("ES", 24),
    ("FI", 18),
    ("FR", 27),
    ("GB", 22),
    ("GI", 23),
    ("GR", 27),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IS", 26),
    ("IT", 27),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("MC", 27),
    ("MT", 31),
    ("NL", 18),
    ("NO", 15),
    ("PL", 28),
    ("PT", 25),
    ("RO", 24),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("VA", 22),
    ("XK", 20),
];

/// Checks an IBAN: characters, length of its country, key of ISO 7064 (97, 10). Comes out without spaces.
///
/// # Errors
/// `INVALID_IBAN`, `IBAN_COUNTRY`, `IBAN_LENGTH` or `IBAN_KEY` at `field`.
pub fn iban(field: &str, value: &str) -> Result<String> {
    let wrong = |reason, english: &'static str, french: &'static str| breaks(F03, field, reason, english, french);
    let iban: String = value.chars().filter(|c| *c != ' ').collect::<String>().to_ascii_uppercase();
    if iban.len() < 5 || iban.len() > 34 || !iban.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(wrong("INVALID_IBAN", "an IBAN is expected", "un IBAN est attendu"));
    }
    let Some((_, length)) = LENGTHS.iter().find(|(country, _)| iban.starts_with(country)) else {
        let french = "ce pays n'est pas de l'espace SEPA";
        return Err(wrong("IBAN_COUNTRY", "this country is not in the SEPA area", french));
    };
    if iban.len() != *length {
        let french = "la longueur de cet IBAN n'est pas celle de son pays";
        return Err(wrong("IBAN_LENGTH", "an IBAN of this country has another length", french));
    }
    let numeric = iban[2..4].bytes().all(|byte| byte.is_ascii_digit());
    if !numeric || remainder(iban[4..].bytes().chain(iban[..4].bytes())) != 1 {
        return Err(wrong("IBAN_KEY", "the key of this IBAN is wrong", "la clé de cet IBAN est fausse"));
    }
    Ok(iban)
}

/// The remainder by 97 of an IBAN's digits, letters counting from 10.
fn remainder(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0, |rest, byte| {
        if byte.is_ascii_digit() {
            (rest * 10 + u32::from(byte - b'0')) % 97
        } else {
            (rest * 100 + u32::from(byte - b'A') + 10) % 97
        }
    })
}

/// Checks a BIC: 8 or 11 characters, four letters of the bank, two of the country.
///
/// # Errors
/// `INVALID_BIC` at `field`.
pub fn bic(field: &str, value: &str) -> Result<String> {
    let bic = value.trim().to_ascii_uppercase();
    let fits = matches!(bic.len(), 8 | 11)
        && bic.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && bic.bytes().take(6).all(|byte| byte.is_ascii_alphabetic());
    if fits { Ok(bic) } else { Err(breaks(F03, field, "INVALID_BIC", "a BIC is expected", "un BIC est attendu")) }
}

/// An IBAN as it is shown: its country, key and last three characters.
#[must_use]
pub fn masked(iban: &str) -> String {
    let (head, tail) = (iban.get(..4).unwrap_or_default(), iban.len().checked_sub(3).and_then(|at| iban.get(at..)));
    format!("{head} **** {}", tail.unwrap_or_default())
}

/// A text in the characters of SEPA, at most `most` of them.
#[must_use]
pub fn sepa_text(value: &str, most: usize) -> String {
    let mut kept = String::new();
    for c in value.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || " /-?:().,'+".contains(c) => kept.push(c),
            c => {
                let folded = text::folded(&c.to_string());
                let plain = if folded.is_ascii() && !folded.is_empty() { folded } else { " ".into() };
                kept.push_str(&if c.is_uppercase() { plain.to_uppercase() } else { plain });
            }
        }
    }
    // No slash at either end and no double one: they part fields of older formats.
    let words: Vec<&str> = kept.split_whitespace().collect();
    let mut text = words.join(" ");
    while text.contains("//") {
        text = text.replace("//", "/");
    }
    text.truncate(most);
    text.trim_matches(['/', ' ']).to_owned()
}

/// Where a structure is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub iban: String,
    /// Empty where the bank is found by the IBAN.
    pub bic: String,
    pub holder: String,
}

impl Details {
    /// Checks what was given.
    ///
    /// # Errors
    /// Every wrong field of the account at once.
    pub fn read(iban_given: &str, bic_given: &str, holder: &str) -> Result<Self> {
        let mut wrong = Violations::default();
        let iban = wrong.take(iban("account.iban", iban_given));
        let bic = if bic_given.is_empty() { Some(String::new()) } else { wrong.take(bic("account.bic", bic_given)) };
        let holder = wrong.take(text::required("account.holder", holder, 70));
        if holder.as_ref().is_some_and(|holder| sepa_text(holder, 70).is_empty()) {
            let french = "le titulaire s'écrit en caractères latins";
            wrong.breaks(F03, "account.holder", "INVALID_HOLDER", "the holder is written in Latin letters", french);
        }
        match (iban, bic, holder) {
            (Some(iban), Some(bic), Some(holder)) if wrong.is_empty() => Ok(Self { iban, bic, holder }),
            _ => Err(wrong.into_error()),
        }
    }
}

/// The account of a structure, and the change that waits to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankAccount {
    pub structure: StructureId,
    pub current: Option<Details>,
    /// False after the bank refused it.
    pub usable: bool,
    /// When the current account was confirmed.
    pub confirmed_at: Option<Timestamp>,
    pub proposal: Option<Proposal>,
    pub version: i64,
}

/// A change that one person has proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub details: Details,
    /// The subject of the proposer's identity.
    pub by: String,
}

impl BankAccount {
    /// A structure that has given none.
    #[must_use]
    pub fn none(structure: StructureId) -> Self {
        Self { structure, current: None, usable: false, confirmed_at: None, proposal: None, version: 0 }
    }

    /// The state's name, for facts.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match (&self.current, self.usable) {
            (None, _) => "NONE",
            (Some(_), true) => "CONFIRMED",
            (Some(_), false) => "REFUSED_BY_BANK",
        }
    }

    /// Whether the account was changed after an instant: a refusal of what was sent before says nothing of it.
    #[must_use]
    pub fn changed_since(&self, at: Timestamp) -> bool {
        self.confirmed_at.is_some_and(|confirmed| confirmed > at)
    }

    /// Proposes a change: the first step. Payments go on to the account in use.
    #[must_use]
    pub fn propose(mut self, details: Details, by: &str) -> (Self, Fact) {
        self.proposal = Some(Proposal { details, by: by.to_owned() });
        let fact = Fact::noted("PROPOSE_BANK_ACCOUNT", self.state_name(), "").under(F03);
        (self, fact)
    }

    /// Confirms the change: the second step, by somebody else.
    ///
    /// # Errors
    /// `NO_PROPOSAL`, `SAME_PERSON`.
    pub fn confirm(mut self, by: &str, moment: Moment) -> Result<(Self, Fact)> {
        let from = self.state_name();
        let Some(proposal) = self.proposal.take() else {
            let french = "aucun changement de compte n'attend de confirmation";
            return Err(Error::refused(F03, "NO_PROPOSAL", "no change of account waits to be confirmed", french));
        };
        if proposal.by == by {
            let french = "la personne qui propose un compte ne peut pas le confirmer";
            return Err(Error::refused(F03, "SAME_PERSON", "who proposed an account cannot confirm it", french));
        }
        self.current = Some(proposal.details);
        self.usable = true;
        self.confirmed_at = Some(moment.now);
        let fact =
            Fact { action: "CONFIRM_BANK_ACCOUNT", from, to: self.state_name(), why: String::new(), rule: Some(F03) };
        Ok((self, fact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::id;

    const GOOD: &str = "FR14 2004 1010 0505 0001 3M02 606";

    #[test]
    fn f03_an_iban_with_a_wrong_key_length_or_country_is_refused() {
        assert_eq!(iban("f", GOOD).unwrap(), "FR1420041010050500013M02606");
        assert!(iban("f", "DE89 3704 0044 0532 0130 00").is_ok());
        assert!(iban("f", "gb82 west 1234 5698 7654 32").is_ok());
        let reason = |value: &str| iban("f", value).unwrap_err().reason();
        assert_eq!(reason("FR15 2004 1010 0505 0001 3M02 606"), "IBAN_KEY");
        assert_eq!(reason("FR14 2004 1010 0505 0001 3M02 60"), "IBAN_LENGTH");
        assert_eq!(reason("US64SVBKUS6S3300958879"), "IBAN_COUNTRY");
        assert_eq!(reason("FR"), "INVALID_IBAN");
        assert_eq!(reason("FRXX20041010050500013M02606"), "IBAN_KEY");
    }

    #[test]
    fn f03_every_wrong_field_of_an_account_is_named_at_once() {
        let error = Details::read("FR00", "x", " ").unwrap_err();
        let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["account.iban", "account.bic", "account.holder"]);
    }

    #[test]
    fn f03_an_account_changes_in_two_steps_by_two_people() {
        let details = Details::read(GOOD, "", "Mairie de Lyon").unwrap();
        let noon = Moment::at("2021-02-01T11:00:00Z".parse().unwrap());
        let (account, _) = BankAccount::none(id(1)).propose(details.clone(), "ann");
        assert_eq!(account.current, None, "nothing is paid to it yet");
        assert_eq!(account.clone().confirm("ann", noon).unwrap_err().reason(), "SAME_PERSON");
        let (account, _) = account.confirm("bob", noon).unwrap();
        assert_eq!((account.current.clone(), account.usable), (Some(details), true));
        assert_eq!(account.confirm("ann", noon).unwrap_err().reason(), "NO_PROPOSAL");
    }

    #[test]
    fn an_iban_is_shown_masked_and_names_are_written_in_the_characters_of_sepa() {
        assert_eq!(masked("FR1420041010050500013M02606"), "FR14 **** 606");
        assert_eq!(
            sepa_text("Mairie de Saint-Étienne & Cœur", 70),
            "Mairie de Saint-Etienne COEUR".replace("COEUR", "Coeur")
        );
        assert_eq!(sepa_text("//a//b//", 70), "a/b");
        assert_eq!(sepa_text("éééé", 2), "ee");
        assert_eq!(sepa_text("日本", 70), "");
    }
}
