//! A recruitment: a selection (M06), its contract (M07), its early end (M08).

use conum_kernel::{Error, Fact, Machine, Result, Rule, Violations};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::contract::{self, Contract, Terms};

/// Where a recruitment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Selected,
    Cancelled,
    Signed,
    Ended,
}

/// What may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Cancel,
    Sign,
    End,
    /// The last day of a fixed term has passed.
    Expire,
}

impl State {
    /// A selection or a contract holds its post and its person.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Selected | Self::Signed)
    }

    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Selected => "selected",
            Self::Cancelled => "cancelled",
            Self::Signed => "signed",
            Self::Ended => "ended",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_value(text.into()).ok()
    }
}

impl Machine for State {
    type Action = Action;

    const TABLE: &'static [(Self, Action, Self)] = &[
        (Self::Selected, Action::Cancel, Self::Cancelled),
        (Self::Selected, Action::Sign, Self::Signed),
        (Self::Signed, Action::End, Self::Ended),
        (Self::Signed, Action::Expire, Self::Ended),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Selected => "SELECTED",
            Self::Cancelled => "CANCELLED",
            Self::Signed => "SIGNED",
            Self::Ended => "ENDED",
        }
    }

    fn action_name(action: Action) -> &'static str {
        match action {
            Action::Cancel => "CANCEL",
            Action::Sign => "SIGN",
            Action::End => "END",
            Action::Expire => "EXPIRE",
        }
    }

    fn rule(action: Action) -> Rule {
        match action {
            Action::Cancel => Rule("M06"),
            Action::Sign | Action::Expire => Rule("M07"),
            Action::End => Rule("M08"),
        }
    }
}

/// What is asked of a person and a post before a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, each with its own refusal")]
pub struct Selectable {
    /// The post is granted, its wave activated, and it is neither filled, given back nor held by a selection.
    pub post_vacant: bool,
    /// The person is registered and in the programme.
    pub registered: bool,
    /// No selection and no contract holds the person.
    pub person_free: bool,
    /// The two were introduced and that is live, or the structure said that it has found someone (A11).
    pub known_to_structure: bool,
}

/// Whether a structure can select a person on a post (M06).
///
/// # Errors
/// `POST_NOT_VACANT`, `NOT_REGISTERED`, `ALREADY_SELECTED` or `NOT_INTRODUCED`.
pub fn select(facts: Selectable) -> Result<Fact> {
    const M06: Rule = Rule("M06");
    if !facts.post_vacant {
        let french = "ce poste n'est pas vacant";
        return Err(Error::refused(M06, "POST_NOT_VACANT", "this post is not vacant and granted", french)
            .at("recruitment.post"));
    }
    if !facts.registered {
        let french = "cette personne n'est pas inscrite sur la plateforme";
        return Err(Error::refused(M06, "NOT_REGISTERED", "this person is not registered on the platform", french)
            .at("recruitment.candidate"));
    }
    if !facts.person_free {
        let french = "cette personne est déjà sélectionnée ou en poste";
        return Err(Error::refused(M06, "ALREADY_SELECTED", "this person is already selected or in post", french)
            .at("recruitment.candidate"));
    }
    if !facts.known_to_structure {
        let french = "cette personne ne vous a pas été présentée, et vous n'avez pas déclaré l'avoir trouvée";
        return Err(Error::refused(M06, "NOT_INTRODUCED", "this person was not introduced to the structure", french)
            .at("recruitment.candidate"));
    }
    Ok(Fact { action: "SELECT", from: "", to: State::Selected.name(), why: String::new(), rule: Some(M06) })
}

/// Signs a contract on a selection (M07). `in_post_until` is the last day of the person's contract that ended early, if
/// there was one: until then there is another employer (C06).
///
/// # Errors
/// `WRONG_STATE`, `IN_POST`, or those of [`contract::check`].
pub fn sign(state: State, contract: &Contract, in_post_until: Option<Date>, terms: Terms<'_>) -> Result<(State, Fact)> {
    let signed = state.step(Action::Sign, "")?;
    contract::check(contract, terms)?;
    if let Some(last_day) = in_post_until.filter(|last_day| contract.start_date <= *last_day) {
        let french = "cette personne est encore en poste ce jour-là : un seul employeur à la fois";
        let error =
            Error::refused(Rule("C06"), "IN_POST", "the person is still in another post on the start date", french);
        return Err(error.at("contract.start_date").with("last_day", last_day.to_string()));
    }
    Ok(signed)
}

/// An early end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// One of the contract's listed reasons, UPPER_SNAKE_CASE.
    pub reason: String,
    /// The last day in post.
    pub last_day: Date,
    /// SHA-256 of the documents given with it.
    pub documents: Vec<String>,
}

/// Ends a contract early (M08).
///
/// # Errors
/// `WRONG_STATE`, `DOCUMENTS_REQUIRED`, `NOT_A_SHA256`, `LAST_DAY_OUT_OF_CONTRACT`.
pub fn end(state: State, contract: &Contract, ending: &Ending) -> Result<(State, Fact)> {
    const M08: Rule = Rule("M08");
    let ended = state.step(Action::End, ending.reason.clone())?;
    let mut wrong = Violations::default();
    if ending.documents.is_empty() {
        wrong.breaks(
            M08,
            "ending.document_sha256",
            "DOCUMENTS_REQUIRED",
            "an early end needs its documents",
            "une rupture doit être justifiée par des pièces",
        );
    }
    for (index, hash) in ending.documents.iter().enumerate() {
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
            let field = format!("ending.document_sha256[{index}]");
            let french = "une empreinte SHA-256 en hexadécimal est attendue";
            wrong.breaks(M08, field, "NOT_A_SHA256", "a SHA-256 in lower-case hexadecimal is expected", french);
        }
    }
    let before_term = contract.end_date.is_none_or(|term| ending.last_day < term);
    if ending.last_day < contract.start_date || !before_term {
        wrong.breaks(
            M08,
            "ending.last_day",
            "LAST_DAY_OUT_OF_CONTRACT",
            "the last day lies between the start and the eve of the term",
            "le dernier jour se situe entre le début et la veille du terme",
        );
    }
    wrong.check()?;
    Ok(ended)
}

/// The reason of an end that came with the last day of a fixed term.
pub const TERM: &str = "term";

/// Ends a contract whose last day has passed (M07): no early end, so nothing is justified. Answers the last day with the
/// new state; none where the term has not come.
///
/// # Errors
/// `WRONG_STATE`.
pub fn expire(state: State, contract: &Contract, today: Date) -> Result<Option<(State, Fact, Date)>> {
    match contract.end_date.filter(|term| *term < today) {
        None => Ok(None),
        Some(term) => state.step(Action::Expire, TERM).map(|(state, fact)| Some((state, fact, term))),
    }
}

#[cfg(test)]
mod tests {
    use conum_kernel::Cents;

    use super::*;
    use crate::domain::{contract::ContractKind, examples::date};

    const FREE: Selectable =
        Selectable { post_vacant: true, registered: true, person_free: true, known_to_structure: true };

    fn refused(facts: Selectable) -> &'static str {
        let error = select(facts).unwrap_err();
        assert_eq!(error.rule(), Some(Rule("M06")));
        error.reason()
    }

    #[test]
    fn m06_a_selection_needs_a_vacant_post_and_a_registered_free_person_who_was_introduced() {
        assert!(select(FREE).is_ok());
        assert_eq!(refused(Selectable { post_vacant: false, ..FREE }), "POST_NOT_VACANT");
        assert_eq!(refused(Selectable { registered: false, ..FREE }), "NOT_REGISTERED");
        assert_eq!(refused(Selectable { person_free: false, ..FREE }), "ALREADY_SELECTED");
        assert_eq!(refused(Selectable { known_to_structure: false, ..FREE }), "NOT_INTRODUCED");
    }

    #[test]
    fn m06_a_selection_can_be_cancelled_until_the_contract_is_signed() {
        assert!(State::Selected.step(Action::Cancel, "").is_ok());
        let error = State::Signed.step(Action::Cancel, "").unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("WRONG_STATE", Some(Rule("M06"))));
    }

    fn contract() -> Contract {
        Contract {
            kind: ContractKind::FixedTerm,
            signed_on: date("2021-03-01"),
            start_date: date("2021-03-15"),
            end_date: Some(date("2023-03-14")),
            gross_monthly: Cents(160_000),
            full_time: true,
        }
    }

    fn ending(last_day: &str) -> Ending {
        Ending { reason: "RESIGNATION".into(), last_day: date(last_day), documents: vec!["a".repeat(64)] }
    }

    #[test]
    fn m08_an_early_end_needs_its_documents_and_a_day_within_the_contract() {
        let reason = |ending: &Ending| end(State::Signed, &contract(), ending).map_err(|error| error.reason());
        assert_eq!(reason(&ending("2021-10-15")).unwrap().0, State::Ended);
        assert_eq!(reason(&ending("2021-03-14")), Err("LAST_DAY_OUT_OF_CONTRACT"));
        assert_eq!(reason(&ending("2023-03-14")), Err("LAST_DAY_OUT_OF_CONTRACT"));
        assert_eq!(reason(&Ending { documents: vec![], ..ending("2021-10-15") }), Err("DOCUMENTS_REQUIRED"));
        assert_eq!(reason(&Ending { documents: vec!["X".into()], ..ending("2021-10-15") }), Err("NOT_A_SHA256"));
    }

    #[test]
    fn m07_a_fixed_term_ends_when_its_last_day_has_passed() {
        let on = |day: &str| expire(State::Signed, &contract(), date(day)).unwrap();
        assert_eq!(on("2023-03-14"), None);
        let (state, fact, last_day) = on("2023-03-15").unwrap();
        assert_eq!((state, fact.why.as_str(), last_day), (State::Ended, TERM, date("2023-03-14")));
        let permanent = Contract { end_date: None, ..contract() };
        assert_eq!(expire(State::Signed, &permanent, date("2033-03-15")).unwrap(), None);
    }
}
