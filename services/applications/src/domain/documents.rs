//! The file of supporting documents that a grant opens (A12): what is asked for depends on the kind of structure, and no
//! money leaves before every document is validated. The documents themselves are kept by the storage, under their hash.
//! The deliberation of a public employer is not among them: it stays its own (A17).

use conum_kernel::{Error, Fact, Machine, Moment, Result, Rule, Violations, text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Event, Mail, Outcome, Settings,
    application::{Application, State},
};

/// The largest document, in bytes.
pub const MAX_BYTES: u64 = 10 * 1024 * 1024;

/// What a document may be.
pub const MEDIA_TYPES: [&str; 3] = ["application/pdf", "image/jpeg", "image/png"];

/// A document that the grant asks for: one of each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub kind: DocumentKind,
    pub state: DocumentState,
    pub upload: Option<Upload>,
    /// Why it was rejected, at most 500 characters.
    pub reason: String,
}

/// What was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// One of [`MEDIA_TYPES`].
    pub media_type: String,
    /// Bytes, at most [`MAX_BYTES`].
    pub size: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
    pub at: Timestamp,
}

macro_rules! document_kinds {
    ($($kind:ident, $key:literal, $french:literal;)*) => {
        /// A kind of supporting document.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum DocumentKind { $($kind,)* }

        impl DocumentKind {
            /// The keys of all kinds, as policies and resource names write them.
            pub const KEYS: &'static [&'static str] = &[$($key,)*];

            #[must_use]
            pub fn key(self) -> &'static str {
                match self { $(Self::$kind => $key,)* }
            }

            #[must_use]
            pub fn parse(key: &str) -> Option<Self> {
                match key { $($key => Some(Self::$kind),)* _ => None }
            }

            /// What a structure reads.
            #[must_use]
            pub fn french(self) -> &'static str {
                match self { $(Self::$kind => $french,)* }
            }
        }
    };
}

document_kinds! {
    BankDetails, "bank-details", "relevé d'identité bancaire au nom de la structure";
    RegistrationNotice, "registration-notice", "avis de situation au répertoire des entreprises, de moins de trois mois";
    SignatoryAuthority, "signatory-authority", "pouvoir ou délégation de la personne qui signera la convention";
    FoundingAct, "founding-act", "acte ou texte qui crée l'établissement";
    Statutes, "statutes", "statuts à jour et signés";
    Officers, "officers", "liste des dirigeants en fonction";
    Accounts, "accounts", "derniers comptes approuvés";
    CompanyRegisterExtract, "company-register-extract", "extrait du registre du commerce, de moins de trois mois";
    StateAidDeclaration, "state-aid-declaration", "déclaration des aides publiques reçues sur trois exercices";
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    Expected,
    Uploaded,
    Validated,
    Rejected,
}

/// What may happen to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentAction {
    Upload,
    Validate,
    Reject,
}

impl Machine for DocumentState {
    type Action = DocumentAction;

    const TABLE: &'static [(Self, DocumentAction, Self)] = &[
        (Self::Expected, DocumentAction::Upload, Self::Uploaded),
        (Self::Uploaded, DocumentAction::Upload, Self::Uploaded),
        (Self::Rejected, DocumentAction::Upload, Self::Uploaded),
        (Self::Uploaded, DocumentAction::Validate, Self::Validated),
        (Self::Uploaded, DocumentAction::Reject, Self::Rejected),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Expected => "EXPECTED",
            Self::Uploaded => "UPLOADED",
            Self::Validated => "VALIDATED",
            Self::Rejected => "REJECTED",
        }
    }

    fn action_name(action: DocumentAction) -> &'static str {
        match action {
            DocumentAction::Upload => "UPLOAD_DOCUMENT",
            DocumentAction::Validate => "VALIDATE_DOCUMENT",
            DocumentAction::Reject => "REJECT_DOCUMENT",
        }
    }

    fn rule(_: DocumentAction) -> Rule {
        Rule("A12")
    }
}

/// Whether every document is validated. Without a list there is no complete file.
#[must_use]
pub fn is_complete(application: &Application) -> bool {
    !application.documents.is_empty()
        && application.documents.iter().all(|document| document.state == DocumentState::Validated)
}

/// Lists what is asked for of the structure's kind; what was handed in of it is kept. Nothing is asked for before a
/// grant, nor while the kind is not known. Answers what is told where that has completed the file, or opened it again.
pub(super) fn list_again(application: &mut Application, settings: &Settings) -> Option<(Event, Mail)> {
    let kind = application.form.profile.kind.filter(|_| application.was_ever_granted())?;
    let was_complete = is_complete(application);
    let mut known = std::mem::take(&mut application.documents);
    application.documents = settings
        .documents
        .of(kind)
        .iter()
        .map(|kind| match known.iter().position(|document| document.kind == *kind) {
            Some(place) => known.swap_remove(place),
            None => Document { kind: *kind, state: DocumentState::Expected, upload: None, reason: String::new() },
        })
        .collect();
    let complete = is_complete(application);
    (complete != was_complete).then(|| told(application, complete))
}

/// What finance and the structure are told when the file has become complete, or is no longer.
fn told(Application { id, structure, .. }: &Application, complete: bool) -> (Event, Mail) {
    let (application, structure) = (*id, *structure);
    if complete {
        (Event::DossierCompleted { application, structure }, Mail::DossierCompleted { application })
    } else {
        (Event::DossierReopened { application, structure }, Mail::DossierReopened { application })
    }
}

/// Hands a document in; one that is not validated yet is replaced.
///
/// # Errors
/// `NO_DOSSIER` or `WRONG_STATE` (A12), `NOT_FOUND` for a kind that is not asked for, every wrong field at once.
pub fn upload(mut application: Application, kind: DocumentKind, upload: Upload) -> Result<Outcome> {
    check_open(&application)?;
    let mut violations = Violations::default();
    if !MEDIA_TYPES.contains(&upload.media_type.as_str()) {
        violations.breaks(
            Rule("A12"),
            "media_type",
            "UNSUPPORTED_MEDIA_TYPE",
            "a PDF, JPEG or PNG document is expected",
            "un document PDF, JPEG ou PNG est attendu",
        );
    }
    if upload.size == 0 || upload.size > MAX_BYTES {
        violations.breaks(
            Rule("A12"),
            "size",
            "INVALID_SIZE",
            format!("a document of 1 to {MAX_BYTES} bytes is expected"),
            format!("un document de 1 à {MAX_BYTES} octets est attendu"),
        );
    }
    if upload.sha256.len() != 64 || !upload.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        violations.add(
            "sha256",
            "INVALID_HASH",
            "a SHA-256 of 64 lower-case hexadecimal digits is expected",
            "une empreinte SHA-256 de 64 chiffres hexadécimaux minuscules est attendue",
        );
    }
    violations.check()?;
    let (document, fact) = step(&mut application, kind, DocumentAction::Upload)?;
    document.upload = Some(upload);
    document.reason.clear();
    Ok(Outcome::of(application).fact(fact))
}

/// Validates a document that was handed in. The last one completes the file, and finance is told.
///
/// # Errors
/// `NO_DOSSIER` or `WRONG_STATE` (A12), `NOT_FOUND`.
pub fn validate(mut application: Application, kind: DocumentKind) -> Result<Outcome> {
    check_open(&application)?;
    let (_, fact) = step(&mut application, kind, DocumentAction::Validate)?;
    let mut outcome = Outcome::of(application).fact(fact);
    if is_complete(&outcome.state) {
        let (event, mail) = told(&outcome.state, true);
        outcome.events.push(event);
        outcome.mails.push(mail);
    }
    Ok(outcome)
}

/// Rejects a document that was handed in, with a reason: another is expected.
///
/// # Errors
/// `NO_DOSSIER` or `WRONG_STATE` (A12), `NOT_FOUND`, `REQUIRED` at `reason`.
pub fn reject(mut application: Application, kind: DocumentKind, reason: &str) -> Result<Outcome> {
    check_open(&application)?;
    let reason = text::required("reason", reason, 500)?;
    let (document, fact) = step(&mut application, kind, DocumentAction::Reject)?;
    document.reason = reason;
    let mail = Mail::DocumentRejected { application: application.id, document: kind };
    Ok(Outcome::of(application).fact(fact).mail(mail))
}

fn check_open(application: &Application) -> Result<()> {
    if application.state != State::Granted {
        return Err(Error::refused(
            Rule("A12"),
            "NO_DOSSIER",
            "a grant opens the file of supporting documents: this application has none",
            "un accord ouvre le dossier de pièces justificatives : cette candidature n'en a pas",
        ));
    }
    Ok(())
}

fn step(application: &mut Application, kind: DocumentKind, action: DocumentAction) -> Result<(&mut Document, Fact)> {
    let name = format!("{}/documents/{}", application.id.name(), kind.key());
    let document = application
        .documents
        .iter_mut()
        .find(|document| document.kind == kind)
        .ok_or_else(|| Error::not_found(&name))?;
    let (state, fact) = document.state.step(action, kind.key())?;
    document.state = state;
    Ok((document, fact))
}

/// A document that is handed in at a moment.
#[must_use]
pub fn handed_in(media_type: &str, size: u64, sha256: &str, at: Moment) -> Upload {
    Upload { media_type: media_type.to_owned(), size, sha256: sha256.to_owned(), at: at.now }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examples::{self, moment, settings},
        form::StructureKind,
    };

    fn pdf() -> Upload {
        handed_in("application/pdf", 1000, &"a".repeat(64), moment("2021-04-01"))
    }

    fn granted() -> Application {
        examples::granted(1).application
    }

    #[test]
    fn a12_the_list_depends_on_the_kind_of_structure() {
        let list = |kind| {
            let mut application = granted();
            application.form.profile.kind = Some(kind);
            application.documents.clear();
            list_again(&mut application, &settings());
            application.documents.iter().map(|document| document.kind.key()).collect::<Vec<_>>()
        };
        let authority = list(StructureKind::LocalAuthority);
        assert_eq!(authority, ["bank-details", "registration-notice", "signatory-authority"]);
        let association = list(StructureKind::Association);
        assert!(association.contains(&"statutes") && association.contains(&"bank-details"));
        assert!(list(StructureKind::Company).contains(&"company-register-extract"));
        assert_eq!(list(StructureKind::Public), list(StructureKind::PublicBody));
        assert!(!list(StructureKind::Private).is_empty());
    }

    #[test]
    fn a12_there_is_no_file_before_a_grant() {
        let examined = examples::examined(1).application;
        assert!(examined.documents.is_empty());
        assert!(!is_complete(&examined));
        let error = upload(examined, DocumentKind::BankDetails, pdf()).unwrap_err();
        assert_eq!((error.reason(), error.rule()), ("NO_DOSSIER", Some(Rule("A12"))));
    }

    #[test]
    fn a12_the_file_is_complete_when_every_document_is_validated_and_is_told_once() {
        let mut application = granted();
        let kinds: Vec<_> = application.documents.iter().map(|document| document.kind).collect();
        for kind in &kinds {
            application = upload(application, *kind, pdf()).unwrap().state;
            assert!(!is_complete(&application), "an upload is not a validation");
        }
        let mut told = Vec::new();
        for kind in &kinds {
            let outcome = validate(application, *kind).unwrap();
            told.extend(outcome.events);
            application = outcome.state;
        }
        assert_eq!(told, [Event::DossierCompleted { application: application.id, structure: application.structure }]);
        assert_eq!(validate(application, kinds[0]).unwrap_err().reason(), "WRONG_STATE");
    }

    #[test]
    fn a12_a_rejected_document_is_expected_again() {
        let application = upload(granted(), DocumentKind::BankDetails, pdf()).unwrap().state;
        assert_eq!(reject(application.clone(), DocumentKind::BankDetails, "").unwrap_err().reason(), "REQUIRED");
        let outcome = reject(application, DocumentKind::BankDetails, "Illisible").unwrap();
        assert!(matches!(outcome.mails[..], [Mail::DocumentRejected { .. }]));
        assert_eq!(outcome.state.documents[0].reason, "Illisible");
        assert_eq!(validate(outcome.state.clone(), DocumentKind::BankDetails).unwrap_err().reason(), "WRONG_STATE");
        let again = upload(outcome.state, DocumentKind::BankDetails, pdf()).unwrap().state;
        assert_eq!((again.documents[0].state, again.documents[0].reason.as_str()), (DocumentState::Uploaded, ""));
    }

    #[test]
    fn a12_what_is_no_document_is_refused() {
        let wrong = handed_in("text/html", MAX_BYTES + 1, "x", moment("2021-04-01"));
        let error = upload(granted(), DocumentKind::BankDetails, wrong).unwrap_err();
        assert_eq!(error.violations().len(), 3);
        assert_eq!(upload(granted(), DocumentKind::Statutes, pdf()).unwrap_err().reason(), "NOT_FOUND");
    }

    #[test]
    fn a12_what_was_handed_in_survives_a_change_of_kind() {
        let mut application = upload(granted(), DocumentKind::BankDetails, pdf()).unwrap().state;
        application.form.profile.kind = Some(StructureKind::Association);
        list_again(&mut application, &settings());
        assert_eq!(application.documents[0].state, DocumentState::Uploaded);
        assert!(application.documents.iter().any(|document| document.kind == DocumentKind::Statutes));
    }

    #[test]
    fn the_key_of_a_kind_is_what_is_stored_of_it() {
        for key in DocumentKind::KEYS {
            let kind = DocumentKind::parse(key).unwrap();
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{key}\""));
            assert_eq!(kind.key(), *key);
        }
    }
}
