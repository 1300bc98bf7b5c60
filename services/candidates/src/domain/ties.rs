//! What ties a person to structures: the introductions and recruitments that matching told of ([`super::told`]), with the
//! trainings that follow from them ([`super::trainings`]), and no more than was told. It decides who may see the person's card, whether somebody may leave, and whether a file is inactive.
//!
//! It is a record of its own beside the registration, so that an event does not make a person's etag stale. Whom a
//! person is introduced to and who employs them is matching's to decide (C06, M01 to M08); here it is recorded.

use conum_kernel::{IntroductionId, RecruitmentId, StructureId, clock::paris_date};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::trainings::KnownTraining;

/// What is known of a person's introductions, recruitments and trainings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ties {
    pub introductions: Vec<KnownIntroduction>,
    pub recruitments: Vec<KnownRecruitment>,
    #[serde(default)]
    pub trainings: Vec<KnownTraining>,
}

/// An introduction as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownIntroduction {
    pub introduction: IntroductionId,
    pub structure: StructureId,
    /// Unanswered or interested (M02).
    pub live: bool,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// A recruitment as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRecruitment {
    pub recruitment: RecruitmentId,
    pub structure: StructureId,
    pub stage: Stage,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// How far a recruitment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Selected,
    Cancelled,
    /// `end` is the last day; none for a permanent contract.
    Signed {
        start: Date,
        end: Option<Date>,
    },
    /// Ended early.
    Ended {
        last_day: Date,
    },
}

/// Where a person stands between introduction and employment: derived, never set (M10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Employment {
    Free,
    Introduced,
    Selected,
    /// The contract is signed and has not started.
    Signed,
    InPost,
    Ended,
}

impl KnownRecruitment {
    /// Whether its contract binds on a day: from the signature to the last day, included.
    fn binds(&self, day: Date) -> bool {
        match self.stage {
            Stage::Signed { end, .. } => end.is_none_or(|end| day <= end),
            Stage::Ended { last_day } => day <= last_day,
            Stage::Selected | Stage::Cancelled => false,
        }
    }
}

impl Ties {
    /// The recruitment whose contract binds on a day: one employer at a time (C06).
    #[must_use]
    pub fn contract(&self, day: Date) -> Option<&KnownRecruitment> {
        self.recruitments.iter().find(|recruitment| recruitment.binds(day))
    }

    /// Where the person stands on a day (C06, M10).
    #[must_use]
    pub fn employment(&self, day: Date) -> Employment {
        if let Some(contract) = self.contract(day) {
            return match contract.stage {
                Stage::Signed { start, .. } if day < start => Employment::Signed,
                _ => Employment::InPost,
            };
        }
        let any = |stage: fn(&Stage) -> bool| self.recruitments.iter().any(|known| stage(&known.stage));
        if any(|stage| matches!(stage, Stage::Selected)) {
            Employment::Selected
        } else if self.introductions.iter().any(|known| known.live) {
            Employment::Introduced
        } else if any(|stage| matches!(stage, Stage::Signed { .. } | Stage::Ended { .. })) {
            Employment::Ended
        } else {
            Employment::Free
        }
    }

    /// Whether the person is selected or under contract on a day.
    #[must_use]
    pub fn engaged(&self, day: Date) -> bool {
        matches!(self.employment(day), Employment::Selected | Employment::Signed | Employment::InPost)
    }

    /// Whether a structure is tied to the person on a day: it introduces itself by a live introduction or a selection,
    /// until somebody signs; from then on the employer alone is (C06).
    #[must_use]
    pub fn ties(&self, structure: StructureId, day: Date) -> bool {
        if let Some(contract) = self.contract(day) {
            return contract.structure == structure;
        }
        let introduced = self.introductions.iter().any(|known| known.live && known.structure == structure);
        let selected =
            self.recruitments.iter().any(|known| known.stage == Stage::Selected && known.structure == structure);
        introduced || selected
    }

    /// The structure of an introduction.
    #[must_use]
    pub fn structure_of(&self, introduction: IntroductionId) -> Option<StructureId> {
        self.introductions.iter().find(|known| known.introduction == introduction).map(|known| known.structure)
    }

    /// The last day of an introduction, a selection or a contract (C07).
    pub(super) fn last_day(&self) -> LastDay {
        if self.introductions.iter().any(|known| known.live) {
            return LastDay::GoesOn;
        }
        let mut last = LastDay::Never;
        let mut note = |day: Date| {
            last = match last {
                LastDay::On(known) => LastDay::On(known.max(day)),
                _ => LastDay::On(day),
            };
        };
        self.introductions.iter().for_each(|known| note(paris_date(known.changed_at)));
        for known in &self.recruitments {
            note(paris_date(known.changed_at));
            match known.stage {
                Stage::Selected | Stage::Signed { end: None, .. } => return LastDay::GoesOn,
                Stage::Signed { end: Some(day), .. } | Stage::Ended { last_day: day } => note(day),
                Stage::Cancelled => {}
            }
        }
        last
    }

    /// The ties of two registrations that become one (C08).
    #[must_use]
    pub fn united(mut self, other: Self) -> Self {
        self.introductions.extend(other.introductions);
        self.recruitments.extend(other.recruitments);
        self.trainings.extend(other.trainings);
        self
    }

    /// Records an introduction's turn; false where nothing is new.
    pub(super) fn introduction(
        &mut self,
        introduction: IntroductionId,
        structure: StructureId,
        live: bool,
        at: Timestamp,
    ) -> bool {
        match self.introductions.iter_mut().find(|known| known.introduction == introduction) {
            // What has ended does not live again, and what was told before is not new.
            Some(known) if known.live && (!live || known.changed_at < at) => {
                (known.live, known.changed_at) = (live, at);
                true
            }
            Some(_) => false,
            None => {
                self.introductions.push(KnownIntroduction { introduction, structure, live, changed_at: at });
                true
            }
        }
    }

    /// Records a recruitment's turn; false where nothing is new.
    pub(super) fn recruitment(
        &mut self,
        recruitment: RecruitmentId,
        structure: StructureId,
        stage: Stage,
        at: Timestamp,
    ) -> bool {
        match self.recruitments.iter_mut().find(|known| known.recruitment == recruitment) {
            Some(known) if known.stage.precedes(stage) => {
                (known.stage, known.changed_at) = (stage, at);
                true
            }
            Some(_) => false,
            None => {
                self.recruitments.push(KnownRecruitment { recruitment, structure, stage, changed_at: at });
                true
            }
        }
    }
}

/// The last day of what tied a person: an introduction, a selection, a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastDay {
    /// There never was any.
    Never,
    /// One goes on, and its end is not known.
    GoesOn,
    /// It may be to come: the end of a contract.
    On(Date),
}

impl Stage {
    /// Whether a recruitment can go from this stage to the other.
    fn precedes(self, next: Self) -> bool {
        self.rank() < next.rank()
    }

    fn rank(self) -> u8 {
        match self {
            Self::Selected => 0,
            Self::Cancelled | Self::Signed { .. } => 1,
            Self::Ended { .. } => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{date, ended, introduced, selected, signed, structure, tied};
    use super::*;

    #[test]
    fn m10_the_employment_state_follows_from_what_was_told() {
        let introductions = [introduced("mairie")];
        let selections = [introduced("mairie"), selected("mairie")];
        let contracts = [introduced("mairie"), selected("mairie"), signed("mairie", "2021-03-01", Some("2023-02-28"))];
        let broken = [selected("mairie"), signed("mairie", "2021-03-01", None), ended("mairie", "2021-06-30")];
        for (told, day, expected) in [
            (&[][..], "2021-01-01", Employment::Free),
            (&introductions, "2021-01-01", Employment::Introduced),
            (&selections, "2021-01-01", Employment::Selected),
            (&contracts, "2021-02-28", Employment::Signed),
            (&contracts, "2021-03-01", Employment::InPost),
            (&contracts, "2023-02-28", Employment::InPost),
            (&broken, "2021-06-30", Employment::InPost),
            (&broken, "2021-07-01", Employment::Ended),
        ] {
            assert_eq!(tied(told).employment(date(day)), expected, "{told:?} on {day}");
        }
    }

    #[test]
    fn c06_on_the_signature_the_employer_alone_is_tied_whatever_else_was_told() {
        let told = [introduced("mairie"), introduced("maison"), selected("mairie")];
        let (day, before) = (date("2021-02-01"), tied(&told));
        assert!(before.ties(structure("mairie"), day) && before.ties(structure("maison"), day));

        // The closing of the other introduction has not been told yet; a late introduction even comes after.
        let told = [&told[..], &[signed("mairie", "2021-03-01", None), introduced("ecole")]].concat();
        let after = tied(&told);

        assert!(after.ties(structure("mairie"), day));
        assert!(!after.ties(structure("maison"), day));
        assert!(!after.ties(structure("ecole"), day));
    }

    #[test]
    fn c06_once_the_contract_is_over_the_employer_is_tied_no_more() {
        let ties = tied(&[selected("mairie"), signed("mairie", "2021-03-01", None), ended("mairie", "2021-06-30")]);
        assert!(ties.ties(structure("mairie"), date("2021-06-30")));
        assert!(!ties.ties(structure("mairie"), date("2021-07-01")));
    }
}
