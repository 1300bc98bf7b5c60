//! What a person is handed on asking for all that is held (C07): the registration, those that ended in it, and what is
//! known of introductions, recruitments and trainings.
//!
//! The history and the list of mails are storage's, and added outside.

use conum_kernel::Result;

use super::{
    candidate::{Absorbed, Candidate},
    ties::{KnownIntroduction, KnownRecruitment, Ties},
    trainings::KnownTraining,
};

/// All that a registration holds of a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Export<'a> {
    pub candidate: &'a Candidate,
    /// The registrations that were merged into this one, as they were (C08).
    pub absorbed: &'a [Absorbed],
    pub introductions: &'a [KnownIntroduction],
    pub recruitments: &'a [KnownRecruitment],
    pub trainings: &'a [KnownTraining],
}

/// All that is held of a person.
///
/// # Errors
/// `NOT_FOUND` once it was merged elsewhere or erased: nothing is held.
pub fn export<'a>(candidate: &'a Candidate, ties: &'a Ties) -> Result<Export<'a>> {
    candidate.person()?;
    Ok(Export {
        candidate,
        absorbed: &candidate.absorbed,
        introductions: &ties.introductions,
        recruitments: &ties.recruitments,
        trainings: &ties.trainings,
    })
}

#[cfg(test)]
mod tests {
    use conum_kernel::Kind;

    use super::super::{
        erasure,
        examples::{self, introduced, selected, tied, trained},
        merge,
        trainings::News,
    };
    use super::*;

    #[test]
    fn c07_an_export_holds_the_person_what_was_merged_and_what_ties_them() {
        let merged = merge::merge(
            (examples::candidate_with_pix(), tied(&[introduced("mairie")])),
            (examples::double(), tied(&[introduced("maison"), selected("maison"), trained("maison", News::Opened)])),
            examples::moment(),
        )
        .unwrap();
        let export = export(&merged.survivor.state, &merged.ties).unwrap();

        assert!(export.candidate.person().unwrap().pix.is_some());
        assert_eq!(export.absorbed[0].person.email, "rose.perso@exemple.fr");
        assert_eq!((export.introductions.len(), export.recruitments.len(), export.trainings.len()), (2, 1, 1));
    }

    #[test]
    fn c07_of_an_erased_person_nothing_is_held() {
        let erased = erasure::erase(examples::candidate(), erasure::Cause::Asked).unwrap().state;
        assert_eq!(export(&erased, &Ties::default()).unwrap_err().kind(), Kind::NotFound);
    }
}
