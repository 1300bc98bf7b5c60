//! What the person does today (C02): retired people are refused, and so is who already does this work for more than
//! half of the working time, unless the derogation for their post (A09) was granted.
//!
//! Whether it was granted is the applications service's to say: it is looked up outside and given. A registration whose
//! situation is refused is not made; a correction to such a situation is recorded, for it is true, and keeps the person
//! out of introductions.

use conum_kernel::{ApplicationId, PostId, Rule, Violations, parse_post_name};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

const C02: Rule = Rule("C02");

/// Above this share of working time, in percent, the work counts as already done.
const HALF: u8 = 50;

/// What a person does today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    JobSeeker,
    Employed,
    CivilServant,
    Student,
    /// Available when the training ends (C03).
    InTraining,
    SelfEmployed,
    /// Refused.
    Retired,
}

impl Status {
    /// Whether the person holds a post, which the share of working time is about.
    #[must_use]
    pub fn in_post(self) -> bool {
        matches!(self, Self::Employed | Self::CivilServant)
    }
}

/// A person's situation (C02).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Situation {
    pub status: Status,
    /// The share of working time already spent on this work, in percent.
    pub mediation_share_percent: u8,
    /// Declares a move to full time on this work.
    pub moves_to_full_time: bool,
    /// The post whose derogation (A09) is called upon.
    pub derogated_post: Option<(ApplicationId, PostId)>,
    /// Whether that derogation had been granted when the situation was declared.
    pub derogation_granted: bool,
    /// Since when a job seeker has been one.
    pub job_seeker_since: Option<Date>,
}

/// A situation as a command declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// None where it is none of the list.
    pub status: Option<Status>,
    pub mediation_share_percent: i32,
    pub moves_to_full_time: bool,
    /// applications/{application}/posts/{post}, or empty.
    pub derogated_post: String,
    pub job_seeker_since: Option<Date>,
}

/// Why C02 refuses a situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Retired,
    /// More than half, and no derogation called upon.
    AboveHalf,
    /// More than half, and the derogation called upon was not granted.
    DerogationNotGranted,
    /// At half or less, without declaring the move to full time.
    StaysPartTime,
}

impl Situation {
    /// Why C02 refuses it; none where it is welcome.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        if self.status == Status::Retired {
            return Some(Refusal::Retired);
        }
        match self.mediation_share_percent {
            _ if !self.status.in_post() => None,
            0 => None,
            1..=HALF => (!self.moves_to_full_time).then_some(Refusal::StaysPartTime),
            _ if self.derogated_post.is_none() => Some(Refusal::AboveHalf),
            _ => (!self.derogation_granted).then_some(Refusal::DerogationNotGranted),
        }
    }
}

/// Checks that a declared situation is complete and makes sense. Whether C02 welcomes it is [`Situation::refusal`].
pub(super) fn declared(
    violations: &mut Violations,
    given: Option<Declared>,
    derogation_granted: bool,
    today: Date,
) -> Option<Situation> {
    const STATUS: &str = "candidate.situation.status";
    const SHARE: &str = "candidate.situation.mediation_share_percent";
    const POST: &str = "candidate.situation.derogated_post";
    const SINCE: &str = "candidate.situation.job_seeker_since";
    let Some(given) = given else {
        violations.missing("candidate.situation");
        return None;
    };
    if given.status.is_none() {
        violations.missing(STATUS);
    }
    let share = u8::try_from(given.mediation_share_percent).ok().filter(|share| *share <= 100);
    if share.is_none() {
        violations.breaks(
            C02,
            SHARE,
            "SHARE_OUT_OF_RANGE",
            "a share is from 0 to 100 percent",
            "une part va de 0 à 100 pour cent",
        );
    } else if share != Some(0) && given.status.is_some_and(|status| !status.in_post()) {
        violations.breaks(
            C02,
            SHARE,
            "SHARE_WITHOUT_POST",
            "a share of working time is declared by people in post only",
            "seules les personnes en poste déclarent une part de temps de travail",
        );
    }
    if given.job_seeker_since.is_some_and(|since| since > today) {
        violations.breaks(C02, SINCE, "IN_THE_FUTURE", "a past day is expected", "un jour passé est attendu");
    } else if given.job_seeker_since.is_some() && given.status.is_some_and(|status| status != Status::JobSeeker) {
        violations.breaks(
            C02,
            SINCE,
            "NOT_A_JOB_SEEKER",
            "only a job seeker says since when",
            "seule une personne en recherche d'emploi indique depuis quand",
        );
    }
    let post = match given.derogated_post.trim() {
        "" => Some(None),
        name => violations.take(parse_post_name(POST, name)).map(Some),
    };
    Some(Situation {
        status: given.status?,
        mediation_share_percent: share?,
        moves_to_full_time: given.moves_to_full_time,
        derogation_granted: derogation_granted && matches!(post, Some(Some(_))),
        derogated_post: post?,
        job_seeker_since: given.job_seeker_since,
    })
}

/// Notes why C02 refuses a situation.
pub(super) fn refuse(violations: &mut Violations, refusal: Refusal) {
    let (field, reason, english, french) = match refusal {
        Refusal::Retired => (
            "candidate.situation.status",
            "RETIRED",
            "retired people cannot become digital advisers",
            "les retraités ne peuvent pas devenir conseillers numériques",
        ),
        Refusal::AboveHalf => (
            "candidate.situation.mediation_share_percent",
            "ALREADY_AN_ADVISER",
            "this work already takes more than half of the working time, and no derogation is named",
            "ces missions occupent déjà plus de la moitié du temps de travail, sans dérogation indiquée",
        ),
        Refusal::DerogationNotGranted => (
            "candidate.situation.derogated_post",
            "DEROGATION_NOT_GRANTED",
            "the derogation for this post has not been granted",
            "la dérogation pour ce poste n'a pas été accordée",
        ),
        Refusal::StaysPartTime => (
            "candidate.situation.moves_to_full_time",
            "FULL_TIME_NOT_DECLARED",
            "who does this work part-time declares a move to full time",
            "qui exerce ces missions à temps partiel déclare son passage à temps plein",
        ),
    };
    violations.breaks(C02, field, reason, english, french);
}

#[cfg(test)]
mod tests {
    use conum_kernel::{Ids, post_name};

    use super::super::examples;
    use super::*;

    fn employed(share: i32) -> Declared {
        Declared {
            status: Some(Status::Employed),
            mediation_share_percent: share,
            moves_to_full_time: false,
            derogated_post: String::new(),
            job_seeker_since: None,
        }
    }

    fn a_post() -> String {
        let at = examples::moment().now;
        post_name(Ids::seeded(1).mint(at, "application"), Ids::seeded(1).mint(at, "post"))
    }

    fn refusal(declaration: Declared, granted: bool) -> Option<Refusal> {
        declared(&mut Violations::default(), Some(declaration), granted, examples::moment().today)
            .expect("well formed")
            .refusal()
    }

    fn violation(declaration: Declared) -> (String, &'static str) {
        let mut violations = Violations::default();
        declared(&mut violations, Some(declaration), false, examples::moment().today);
        let error = violations.check().unwrap_err();
        (error.violations()[0].field.clone(), error.reason())
    }

    #[test]
    fn c02_a_retired_person_is_refused() {
        assert_eq!(refusal(Declared { status: Some(Status::Retired), ..employed(0) }, true), Some(Refusal::Retired));
    }

    #[test]
    fn c02_employees_and_civil_servants_are_welcome() {
        for status in [Status::Employed, Status::CivilServant] {
            assert_eq!(refusal(Declared { status: Some(status), ..employed(0) }, false), None);
        }
    }

    #[test]
    fn c02_half_is_accepted_with_the_declaration_of_full_time_only() {
        assert_eq!(refusal(Declared { moves_to_full_time: true, ..employed(50) }, false), None);
        assert_eq!(refusal(employed(50), false), Some(Refusal::StaysPartTime));
        assert_eq!(refusal(employed(1), false), Some(Refusal::StaysPartTime));
    }

    #[test]
    fn c02_above_half_is_refused_even_with_the_declaration() {
        assert_eq!(refusal(Declared { moves_to_full_time: true, ..employed(51) }, false), Some(Refusal::AboveHalf));
    }

    #[test]
    fn c02_above_half_is_accepted_where_the_derogation_of_the_post_was_granted() {
        let derogated = Declared { derogated_post: a_post(), ..employed(80) };
        assert_eq!(refusal(derogated.clone(), false), Some(Refusal::DerogationNotGranted));
        assert_eq!(refusal(derogated, true), None);
    }

    #[test]
    fn c02_a_granted_derogation_counts_for_the_post_that_is_named_only() {
        assert_eq!(refusal(employed(80), true), Some(Refusal::AboveHalf));
    }

    #[test]
    fn c02_a_share_is_a_percentage_of_a_post() {
        let share = "candidate.situation.mediation_share_percent".to_owned();
        assert_eq!(violation(employed(101)), (share.clone(), "SHARE_OUT_OF_RANGE"));
        assert_eq!(violation(employed(-1)), (share.clone(), "SHARE_OUT_OF_RANGE"));
        let seeker = Declared { status: Some(Status::JobSeeker), ..employed(20) };
        assert_eq!(violation(seeker), (share, "SHARE_WITHOUT_POST"));
    }

    #[test]
    fn c02_only_a_job_seeker_says_since_when_and_no_day_to_come() {
        let today = examples::moment().today;
        let since = |status, day| Declared { status: Some(status), job_seeker_since: Some(day), ..employed(0) };
        let field = "candidate.situation.job_seeker_since".to_owned();
        assert_eq!(refusal(since(Status::JobSeeker, today), false), None);
        assert_eq!(violation(since(Status::JobSeeker, today.tomorrow().unwrap())), (field.clone(), "IN_THE_FUTURE"));
        assert_eq!(violation(since(Status::Student, today)), (field, "NOT_A_JOB_SEEKER"));
    }

    #[test]
    fn c02_a_derogated_post_is_named_by_its_resource_name() {
        let (field, reason) = violation(Declared { derogated_post: "the town hall".into(), ..employed(80) });
        assert_eq!((field.as_str(), reason), ("candidate.situation.derogated_post", "INVALID_NAME"));
    }
}
