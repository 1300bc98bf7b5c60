//! The checks of a post that is asked for (A05, A08, A09, A10, A16): every wrong field is noted at once, and what comes
//! out says whether the post needs a special examination.

use conum_kernel::{Rule, Violations};
use jiff::civil::Date;

use super::{
    form::StructureKind,
    form_checks::required,
    post::{ExistingContract, Ground, MAX_POSTS, PostForm},
};

/// Checks how many posts an application holds: one at least, and no more than the contract carries.
pub(super) fn count(posts: usize, at: &str, violations: &mut Violations) {
    if posts == 0 {
        violations.breaks(
            Rule("A05"),
            at,
            "REQUIRED",
            "an application carries one post at least",
            "une candidature porte au moins un poste",
        );
    } else if posts > MAX_POSTS {
        violations.add(
            at,
            "TOO_MANY",
            format!("an application carries at most {MAX_POSTS} posts"),
            format!("une candidature porte au plus {MAX_POSTS} postes"),
        );
    }
}

/// Notes that a request names a post that the application has not.
pub(super) fn unknown(at: String, violations: &mut Violations) {
    violations.add(at, "UNKNOWN_POST", "the application has no such post", "la candidature n'a pas ce poste");
}

/// Checks a post under `at` (`application.posts[0]`, say). `asked_on` is the day of the application, or that of the
/// amendment that adds it. Comes out with the grounds of its special examination.
pub(super) fn check(
    post: &PostForm,
    kind: Option<StructureKind>,
    asked_on: Date,
    at: &str,
    violations: &mut Violations,
) -> Vec<Ground> {
    if post.wished_start_date.is_none() {
        required(Rule("A16"), &format!("{at}.wished_start_date"), violations);
    }
    if post.counts_for_france_services {
        violations.breaks(
            Rule("A08"),
            format!("{at}.counts_for_france_services"),
            "FRANCE_SERVICES_POST",
            "an adviser is never one of the two full-time equivalents of a France Services house",
            "un conseiller n'est jamais l'un des deux équivalents temps plein d'une maison France Services",
        );
    }
    let local_authority = kind == Some(StructureKind::LocalAuthority);
    let mut grounds = Vec::new();
    if let Some(contract) = &post.existing_contract
        && consolidates(contract, local_authority, asked_on, &format!("{at}.existing_contract"), violations)
    {
        grounds.push(Ground::Consolidation);
    }
    if post.coordinator {
        if local_authority {
            grounds.push(Ground::Coordinator);
        } else {
            violations.breaks(
                Rule("A10"),
                format!("{at}.coordinator"),
                "COORDINATOR_NOT_LOCAL_AUTHORITY",
                "only a local authority may ask for a coordinator",
                "seule une collectivité peut demander un coordinateur",
            );
        }
    }
    grounds
}

/// Whether the post consolidates an existing one. A contract that is not signed, or has not started, is no obstacle.
fn consolidates(
    contract: &ExistingContract,
    local_authority: bool,
    asked_on: Date,
    at: &str,
    violations: &mut Violations,
) -> bool {
    if contract.signed_on.is_some() && contract.start_date.is_none() {
        violations.breaks(
            Rule("A09"),
            format!("{at}.start_date"),
            "REQUIRED",
            "the start of a signed contract is required",
            "la date de début d'un contrat signé est obligatoire",
        );
    }
    if !contract.has_started(asked_on) {
        return false;
    }
    if !local_authority || contract.situation.is_none() {
        violations.breaks(
            Rule("A09"),
            at,
            "CONTRACT_ALREADY_STARTED",
            "a post is a new recruitment: this contract is signed and has started; only a local authority may ask to \
             consolidate a post that is part-time, ending or experimental",
            "un poste est un nouveau recrutement : ce contrat est signé et a commencé ; seule une collectivité peut \
             demander à consolider un poste à temps partiel, en fin de contrat ou expérimental",
        );
        return false;
    }
    if !contract.moves_to_full_time {
        violations.breaks(
            Rule("A09"),
            format!("{at}.moves_to_full_time"),
            "FULL_TIME_REQUIRED",
            "the person on a consolidated post must move to full time on this work",
            "la personne dont le poste est consolidé doit passer à temps plein sur ces missions",
        );
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        examples::{self, date},
        post::Situation,
    };

    const APPLIED: Date = Date::constant(2021, 3, 10);

    /// The grounds, or the first violation as (field, reason, rule).
    fn checked(
        kind: StructureKind,
        change: impl FnOnce(&mut PostForm),
    ) -> Result<Vec<Ground>, (String, &'static str, Option<Rule>)> {
        let mut post = examples::post(1);
        change(&mut post);
        let mut violations = Violations::default();
        let grounds = check(&post, Some(kind), APPLIED, "posts[0]", &mut violations);
        match violations.check() {
            Ok(()) => Ok(grounds),
            Err(error) => {
                let first = &error.violations()[0];
                Err((first.field.clone(), first.reason, first.rule))
            }
        }
    }

    fn refusal(
        field: &str,
        reason: &'static str,
        rule: &'static str,
    ) -> Result<Vec<Ground>, (String, &'static str, Option<Rule>)> {
        Err((field.into(), reason, Some(Rule(rule))))
    }

    fn contract(signed: &str, start: &str) -> ExistingContract {
        ExistingContract { signed_on: Some(date(signed)), start_date: Some(date(start)), ..Default::default() }
    }

    fn consolidation() -> ExistingContract {
        ExistingContract {
            situation: Some(Situation::PartTime),
            moves_to_full_time: true,
            ..contract("2020-01-06", "2020-02-01")
        }
    }

    const KINDS: [StructureKind; 4] =
        [StructureKind::LocalAuthority, StructureKind::PublicBody, StructureKind::Association, StructureKind::Company];

    #[test]
    fn a08_a_post_that_counts_for_france_services_is_refused_and_no_label_is_asked() {
        for kind in KINDS {
            assert_eq!(
                checked(kind, |post| post.counts_for_france_services = true),
                refusal("posts[0].counts_for_france_services", "FRANCE_SERVICES_POST", "A08")
            );
            assert_eq!(checked(kind, |_| {}), Ok(vec![]));
        }
    }

    #[test]
    fn a09_contract_already_started_is_refused() {
        for kind in KINDS {
            assert_eq!(
                checked(kind, |post| post.existing_contract = Some(contract("2021-03-01", "2021-03-10"))),
                refusal("posts[0].existing_contract", "CONTRACT_ALREADY_STARTED", "A09"),
                "signed, and started on the very day"
            );
        }
    }

    #[test]
    fn a09_a_contract_that_starts_the_day_after_is_no_obstacle() {
        let accepted =
            |contract| checked(StructureKind::Company, |post| post.existing_contract = Some(contract)) == Ok(vec![]);
        assert!(accepted(contract("2021-03-01", "2021-03-11")), "signed, starts tomorrow");
        assert!(accepted(contract("2021-03-11", "2021-03-10")), "signed tomorrow");
        assert!(accepted(ExistingContract { signed_on: None, ..contract("2021-03-01", "2021-03-01") }), "not signed");
        assert!(!accepted(contract("2021-03-10", "2021-03-10")), "signed and started today");
        assert!(!accepted(contract("2021-03-09", "2021-03-09")), "signed and started yesterday");
    }

    #[test]
    fn a09_a_local_authority_may_ask_to_consolidate_a_post() {
        for situation in [Situation::PartTime, Situation::Ending, Situation::Experimental] {
            let contract = ExistingContract { situation: Some(situation), ..consolidation() };
            assert_eq!(
                checked(StructureKind::LocalAuthority, |post| post.existing_contract = Some(contract)),
                Ok(vec![Ground::Consolidation])
            );
        }
        for kind in &KINDS[1..] {
            assert_eq!(
                checked(*kind, |post| post.existing_contract = Some(consolidation())),
                refusal("posts[0].existing_contract", "CONTRACT_ALREADY_STARTED", "A09")
            );
        }
    }

    #[test]
    fn a09_a_consolidated_post_moves_to_full_time() {
        let contract = ExistingContract { moves_to_full_time: false, ..consolidation() };
        assert_eq!(
            checked(StructureKind::LocalAuthority, |post| post.existing_contract = Some(contract)),
            refusal("posts[0].existing_contract.moves_to_full_time", "FULL_TIME_REQUIRED", "A09")
        );
    }

    #[test]
    fn a09_a_signed_contract_says_when_it_starts() {
        let contract = ExistingContract { start_date: None, ..consolidation() };
        assert_eq!(
            checked(StructureKind::LocalAuthority, |post| post.existing_contract = Some(contract)),
            refusal("posts[0].existing_contract.start_date", "REQUIRED", "A09")
        );
    }

    #[test]
    fn a10_only_a_local_authority_asks_for_a_coordinator_and_it_is_examined_apart() {
        assert_eq!(
            checked(StructureKind::LocalAuthority, |post| post.coordinator = true),
            Ok(vec![Ground::Coordinator])
        );
        for kind in &KINDS[1..] {
            assert_eq!(
                checked(*kind, |post| post.coordinator = true),
                refusal("posts[0].coordinator", "COORDINATOR_NOT_LOCAL_AUTHORITY", "A10")
            );
        }
    }

    #[test]
    fn a16_the_date_from_which_the_adviser_is_welcome_is_compulsory() {
        let result = checked(StructureKind::Company, |post| post.wished_start_date = None);
        assert_eq!(result, refusal("posts[0].wished_start_date", "REQUIRED", "A16"));
    }
}
