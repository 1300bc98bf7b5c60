//! The policies of this service, each a default that the rule book leaves to the programme, and the [`Settings`] that
//! the domain's functions take for a day. Who changes a policy, and when it applies, is kept by the storage.

use conum_kernel::{
    Error, Result, Rule,
    policy::{Dated, Policy, Shape, words},
};
use jiff::civil::Date;

use super::{documents::DocumentKind, form::StructureKind};

/// P01: posts granted in all.
pub const CAP: Policy = Policy {
    key: "cap",
    rule: Rule("P01"),
    description: "posts that may be granted in all",
    default: "4000",
    shape: Shape::Number(0, 1_000_000),
};

/// P02: the desk's last day.
pub const CLOSING_DATE: Policy = Policy {
    key: "closing-date",
    rule: Rule("P02"),
    description: "last day on which the desk takes applications",
    default: "2022-01-31",
    shape: Shape::Date,
};

/// A02: whether the territory is consulted before a grant.
pub const OPINION_REQUIRED: Policy = Policy {
    key: "opinion-required",
    rule: Rule("A02"),
    description: "whether an opinion of the territory must be recorded before a grant",
    default: "true",
    shape: Shape::Flag,
};

/// A04: how long an applicant corrects its application by itself.
pub const SELF_CORRECTION: Policy = Policy {
    key: "self-correction",
    rule: Rule("A04"),
    description: "how long a structure corrects its application by itself: until-opinion or until-decision",
    default: "until-opinion",
    shape: Shape::Words(&["until-opinion", "until-decision"]),
};

/// A07: how long the mailed link can be used.
pub const CONFIRMATION_DAYS: Policy = Policy {
    key: "confirmation-days",
    rule: Rule("A07"),
    description: "days during which the link that confirms an address can be used",
    default: "30",
    shape: Shape::Number(1, 365),
};

/// A13: the delay of selection that structures commit to.
pub const SELECTION_DELAY_MONTHS: Policy = Policy {
    key: "selection-delay-months",
    rule: Rule("A13"),
    description: "months within which a structure commits to select a candidate",
    default: "1",
    shape: Shape::Number(1, 24),
};

/// A13: the wording of the commitments in force.
pub const COMMITMENTS_VERSION: Policy = Policy {
    key: "commitments-version",
    rule: Rule("A13"),
    description: "version of the wording of the commitments in force",
    default: "2020-11",
    shape: Shape::Words(&[]),
};

/// A16: how far away a first start may lie.
pub const START_DATE_WARNING_MONTHS: Policy = Policy {
    key: "start-date-warning-months",
    rule: Rule("A16"),
    description: "months after the grant beyond which the earliest start date raises a warning",
    default: "3",
    shape: Shape::Number(0, 36),
};

/// A12: the documents asked of a local authority.
pub const DOCUMENTS_LOCAL_AUTHORITY: Policy = Policy {
    key: "documents-local-authority",
    rule: Rule("A12"),
    description: "supporting documents asked of a local authority",
    default: "bank-details,registration-notice,signatory-authority",
    shape: Shape::Words(DocumentKind::KEYS),
};

/// A12: the documents asked of any other public body.
pub const DOCUMENTS_PUBLIC_BODY: Policy = Policy {
    key: "documents-public-body",
    rule: Rule("A12"),
    description: "supporting documents asked of a public body",
    default: "bank-details,registration-notice,signatory-authority,founding-act",
    shape: Shape::Words(DocumentKind::KEYS),
};

/// A12: the documents asked of an association.
pub const DOCUMENTS_ASSOCIATION: Policy = Policy {
    key: "documents-association",
    rule: Rule("A12"),
    description: "supporting documents asked of an association",
    default: "bank-details,registration-notice,signatory-authority,statutes,officers,accounts",
    shape: Shape::Words(DocumentKind::KEYS),
};

/// A12: the documents asked of a company.
pub const DOCUMENTS_COMPANY: Policy = Policy {
    key: "documents-company",
    rule: Rule("A12"),
    description: "supporting documents asked of a company",
    default: "bank-details,company-register-extract,signatory-authority,accounts,state-aid-declaration",
    shape: Shape::Words(DocumentKind::KEYS),
};

/// A12: the documents asked of a private structure of which no more is known, in a record of the past.
pub const DOCUMENTS_PRIVATE: Policy = Policy {
    key: "documents-private",
    rule: Rule("A12"),
    description: "supporting documents asked of a private structure of the past whose kind is not known",
    default: "bank-details,registration-notice,signatory-authority,accounts",
    shape: Shape::Words(DocumentKind::KEYS),
};

/// Every policy of this service.
pub const POLICIES: &[Policy] = &[
    CAP,
    CLOSING_DATE,
    OPINION_REQUIRED,
    SELF_CORRECTION,
    CONFIRMATION_DAYS,
    SELECTION_DELAY_MONTHS,
    COMMITMENTS_VERSION,
    START_DATE_WARNING_MONTHS,
    DOCUMENTS_LOCAL_AUTHORITY,
    DOCUMENTS_PUBLIC_BODY,
    DOCUMENTS_ASSOCIATION,
    DOCUMENTS_COMPANY,
    DOCUMENTS_PRIVATE,
];

/// The policies' values on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Posts. What counts is the programme's row, which follows it (P01).
    pub cap: u32,
    /// Included (P02).
    pub closing_date: Date,
    pub opinion_required: bool,
    pub self_correction: SelfCorrection,
    pub confirmation_days: i32,
    pub selection_delay_months: i32,
    pub commitments_version: String,
    pub start_date_warning_months: i32,
    pub documents: RequiredDocuments,
}

/// Until when an applicant corrects its application by itself (A04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfCorrection {
    UntilOpinion,
    UntilDecision,
}

/// The documents asked for, by kind of structure (A12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredDocuments {
    pub local_authority: Vec<DocumentKind>,
    pub public_body: Vec<DocumentKind>,
    pub association: Vec<DocumentKind>,
    pub company: Vec<DocumentKind>,
    pub private: Vec<DocumentKind>,
}

impl RequiredDocuments {
    /// Those of a kind. A public structure of which no more is known gives those of a public body.
    #[must_use]
    pub fn of(&self, kind: StructureKind) -> &[DocumentKind] {
        match kind {
            StructureKind::LocalAuthority => &self.local_authority,
            StructureKind::PublicBody | StructureKind::Public => &self.public_body,
            StructureKind::Association => &self.association,
            StructureKind::Company => &self.company,
            StructureKind::Private => &self.private,
        }
    }
}

impl Settings {
    /// The values in force on a day. `changes` gives what was recorded of a policy, by its key, in the order in which
    /// it was recorded.
    ///
    /// # Errors
    /// An internal error where a recorded value has not the shape of its policy.
    pub fn on<'a>(day: Date, changes: impl Fn(&'static str) -> &'a [Dated]) -> Result<Self> {
        let value = |policy: &'static Policy| policy.on(day, changes(policy.key));
        let documents = |policy: &'static Policy| {
            let mut kinds = Vec::new();
            for word in words(value(policy)) {
                let kind = DocumentKind::parse(word).ok_or_else(|| unreadable(policy))?;
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            Ok::<_, Error>(kinds)
        };
        Ok(Self {
            cap: parsed(&CAP, value(&CAP))?,
            closing_date: parsed(&CLOSING_DATE, value(&CLOSING_DATE))?,
            opinion_required: parsed(&OPINION_REQUIRED, value(&OPINION_REQUIRED))?,
            self_correction: match value(&SELF_CORRECTION) {
                "until-opinion" => SelfCorrection::UntilOpinion,
                "until-decision" => SelfCorrection::UntilDecision,
                _ => return Err(unreadable(&SELF_CORRECTION)),
            },
            confirmation_days: parsed(&CONFIRMATION_DAYS, value(&CONFIRMATION_DAYS))?,
            selection_delay_months: parsed(&SELECTION_DELAY_MONTHS, value(&SELECTION_DELAY_MONTHS))?,
            commitments_version: value(&COMMITMENTS_VERSION).to_owned(),
            start_date_warning_months: parsed(&START_DATE_WARNING_MONTHS, value(&START_DATE_WARNING_MONTHS))?,
            documents: RequiredDocuments {
                local_authority: documents(&DOCUMENTS_LOCAL_AUTHORITY)?,
                public_body: documents(&DOCUMENTS_PUBLIC_BODY)?,
                association: documents(&DOCUMENTS_ASSOCIATION)?,
                company: documents(&DOCUMENTS_COMPANY)?,
                private: documents(&DOCUMENTS_PRIVATE)?,
            },
        })
    }
}

fn parsed<T: std::str::FromStr>(policy: &Policy, value: &str) -> Result<T> {
    value.parse().map_err(|_| unreadable(policy))
}

fn unreadable(policy: &Policy) -> Error {
    Error::internal(format!("the value of policy {} has not its shape", policy.key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::date;

    fn dated(value: &str, from: &str) -> Dated {
        Dated { value: value.into(), applies_from: date(from) }
    }

    #[test]
    fn every_default_has_the_shape_of_its_policy_and_keys_are_distinct() {
        for (place, policy) in POLICIES.iter().enumerate() {
            assert!(policy.check(policy.default).is_ok(), "{}", policy.key);
            assert!(POLICIES[..place].iter().all(|other| other.key != policy.key), "{}", policy.key);
        }
        let settings = Settings::on(date("2021-01-01"), |_| &[]).unwrap();
        assert_eq!((settings.cap, settings.closing_date), (4000, date("2022-01-31")));
        assert!(settings.opinion_required);
    }

    #[test]
    fn p01_a_raised_cap_applies_from_its_date() {
        let raised = [dated("4500", "2021-06-01")];
        let cap = |day| Settings::on(date(day), |key| if key == "cap" { &raised } else { &[] }).unwrap().cap;
        assert_eq!((cap("2021-05-31"), cap("2021-06-01")), (4000, 4500));
    }

    #[test]
    fn a_recorded_value_of_another_shape_is_a_fault_of_ours_not_a_guess() {
        let wrong = [dated("some", "2021-01-01")];
        let result = Settings::on(date("2021-01-01"), |key| if key == "cap" { &wrong } else { &[] });
        assert_eq!(result.unwrap_err().reason(), "INTERNAL");
    }
}
