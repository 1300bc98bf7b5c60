//! The card: what a structure sees of a person while an introduction or a recruitment ties them, and the Pix result
//! only while the person consents (C05).
//!
//! It is made at display from the registration as it is then; nothing of it is kept. The commune's name is looked up
//! outside.

use conum_kernel::{Error, IntroductionId, Result, StructureId};
use jiff::civil::Date;

use super::{
    candidate::{Candidate, State},
    ties::Ties,
    wishes::Background,
};

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    Agency,
    Structure(StructureId),
    /// The holder of the link of an introduction's mail.
    Link(IntroductionId),
}

/// What is seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    pub given_name: String,
    pub family_name: String,
    pub email: String,
    pub phone: String,
    /// INSEE code.
    pub commune: String,
    pub available_from: Date,
    pub background: Background,
    /// None without consent, whoever looks (C05).
    pub pix: Option<PixResult>,
}

/// A Pix result on a card.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PixResult {
    /// 0 to 1024 pix.
    pub score: u16,
    pub passed_on: Date,
}

undisclosed!(Card, PixResult);

/// The card of a person as somebody may see it on a day.
///
/// # Errors
/// `NOT_FOUND` where nothing ties them: whether the person exists is not said.
pub fn card(candidate: &Candidate, ties: &Ties, viewer: Viewer, today: Date) -> Result<Card> {
    let person = candidate.person()?;
    if !may_see(candidate, ties, viewer, today) {
        return Err(Error::not_found(&candidate.id.name()));
    }
    let shared = person.pix.as_ref().filter(|pix| pix.consent);
    Ok(Card {
        given_name: person.given_name.clone(),
        family_name: person.family_name.clone(),
        email: person.email.clone(),
        phone: person.phone.clone(),
        commune: person.home.commune.clone(),
        available_from: person.available_from,
        background: person.background,
        pix: shared.map(|pix| PixResult { score: pix.score, passed_on: pix.passed_on }),
    })
}

fn may_see(candidate: &Candidate, ties: &Ties, viewer: Viewer, today: Date) -> bool {
    // Who has left is seen by nobody but an employer, even before matching has closed what was live.
    let seen_by = |structure| {
        ties.ties(structure, today) && (candidate.state == State::Registered || ties.contract(today).is_some())
    };
    match viewer {
        Viewer::Agency => true,
        Viewer::Structure(structure) => seen_by(structure),
        Viewer::Link(introduction) => ties.structure_of(introduction).is_some_and(seen_by),
    }
}

#[cfg(test)]
mod tests {
    use conum_kernel::Kind;

    use super::super::{
        examples::{self, closed, date, introduced, introduction, selected, signed, structure, tied},
        pix,
        told::CloseReason,
    };
    use super::*;

    const TODAY: Date = Date::constant(2021, 1, 15);

    fn seen(candidate: &Candidate, ties: &Ties) -> Result<Card> {
        card(candidate, ties, Viewer::Structure(structure("mairie")), TODAY)
    }

    #[test]
    fn c05_consent_withdrawn_hides_at_once_for_everybody() {
        let ties = tied(&[introduced("mairie")]);
        let shared = examples::candidate_with_pix();
        assert!(seen(&shared, &ties).unwrap().pix.is_some());

        let withdrawn = pix::set_consent(shared, false, examples::moment()).unwrap().state;

        for viewer in [Viewer::Agency, Viewer::Structure(structure("mairie")), Viewer::Link(introduction("mairie"))] {
            assert_eq!(card(&withdrawn, &ties, viewer, TODAY).unwrap().pix, None);
        }
    }

    #[test]
    fn c05_a_result_without_consent_yet_is_not_on_the_card() {
        let recorded = pix::record(examples::candidate(), 700, Some(date("2020-11-30")), examples::moment()).unwrap();
        assert_eq!(seen(&recorded.state, &tied(&[introduced("mairie")])).unwrap().pix, None);
    }

    #[test]
    fn c07_a_structure_sees_nobody_who_was_not_introduced_to_it() {
        let error = seen(&examples::candidate(), &tied(&[introduced("maison")])).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
    }

    #[test]
    fn c07_the_card_is_closed_with_the_introduction_and_its_link_too() {
        let ties = tied(&[introduced("mairie"), closed("mairie", CloseReason::Expired)]);
        assert!(seen(&examples::candidate(), &ties).is_err());
        let link = Viewer::Link(introduction("mairie"));
        assert!(card(&examples::candidate(), &ties, link, TODAY).is_err());
        assert!(card(&examples::candidate(), &ties, Viewer::Agency, TODAY).is_ok());
    }

    #[test]
    fn c06_after_the_signature_the_employer_alone_sees_the_card() {
        let ties = tied(&[
            introduced("mairie"),
            introduced("maison"),
            selected("maison"),
            signed("maison", "2021-03-01", None),
        ]);
        assert!(seen(&examples::candidate(), &ties).is_err());
        let employer = Viewer::Structure(structure("maison"));
        assert!(card(&examples::candidate(), &ties, employer, TODAY).is_ok());
    }

    #[test]
    fn c07_who_left_is_hidden_at_once_though_matching_has_closed_nothing_yet() {
        let left = Candidate { state: State::Left, ..examples::candidate() };
        assert!(seen(&left, &tied(&[introduced("mairie")])).is_err());
    }
}
