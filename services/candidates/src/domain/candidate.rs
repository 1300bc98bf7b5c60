//! A registration: its states, what it holds of a person, and whether introductions may rest on it.
//!
//! Each command has a file of its own beside this one. Introductions and contracts are matching's; what is told of them
//! is in [`super::ties`].

use conum_kernel::{CandidateId, Error, Fact, Machine, Result, Rule};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    doubles::PossibleDouble,
    events::{Facts, Offer},
    identity::Place,
    pix::Pix,
    situation::Situation,
    wishes::{Background, Reach, Wishes},
};

/// A registration (inscription d'un candidat).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub id: CandidateId,
    pub state: State,
    /// Of the earliest of the registrations that were merged (C08).
    pub registered_at: Timestamp,
    /// All that is personal. None once merged elsewhere or erased (C07).
    pub person: Option<Person>,
    /// Registrations that look like the same person (C08).
    pub possible_doubles: Vec<PossibleDouble>,
    /// Registrations that the agency said to be of somebody else (C08).
    pub distinct_from: Vec<CandidateId>,
    /// Where this registration was merged into (C08).
    pub merged_into: Option<CandidateId>,
    /// The registrations that were merged into this one, as they were (C08).
    pub absorbed: Vec<Absorbed>,
    /// When the person was last heard of: registration, correction, Pix (C07).
    pub last_contact_at: Timestamp,
    /// When the notice before anonymisation was last sent (C07).
    pub noticed_at: Option<Timestamp>,
}

/// A person: all that is personal in a registration, so that erasing it is dropping this (C07).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub given_name: String,
    pub family_name: String,
    pub birth_date: Date,
    pub email: String,
    /// May be empty.
    pub phone: String,
    /// Where the person lives (C04).
    pub home: Place,
    /// How far the person goes (C04).
    pub reach: Reach,
    /// What the person does today (C02).
    pub situation: Situation,
    /// From when the person is available (C03).
    pub available_from: Date,
    pub wishes: Wishes,
    pub background: Background,
    /// The person's own (C05).
    pub pix: Option<Pix>,
}

/// A registration that was merged into another, as it was: nothing is lost (C08).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Absorbed {
    pub candidate: CandidateId,
    pub registered_at: Timestamp,
    pub merged_at: Timestamp,
    /// As it was, except that its Pix result is, of the two, the one that does not go on.
    pub person: Person,
}

undisclosed!(Person, Absorbed);

/// The state of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Registered,
    /// Left the programme by choice; may come back by a new registration.
    Left,
    /// Ended in another registration (C08).
    Merged,
    /// Holds nothing of a person any more (C07).
    Erased,
}

/// What may happen to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Correct,
    RecordPix,
    GiveConsent,
    WithdrawConsent,
    Leave,
    /// Come back from a leave that matching refused (M08).
    Reinstate,
    /// Take in a double.
    Absorb,
    /// End in the registration that goes on.
    EndInMerge,
    /// Settle a possible double.
    SettleDouble,
    GiveNotice,
    Erase,
    Anonymise,
    /// Be erased with the registration it ended in.
    EraseWithSurvivor,
}

impl Machine for State {
    type Action = Action;

    const TABLE: &'static [(Self, Action, Self)] = &[
        (Self::Registered, Action::Correct, Self::Registered),
        (Self::Registered, Action::RecordPix, Self::Registered),
        (Self::Registered, Action::GiveConsent, Self::Registered),
        (Self::Registered, Action::WithdrawConsent, Self::Registered),
        (Self::Registered, Action::Absorb, Self::Registered),
        (Self::Registered, Action::SettleDouble, Self::Registered),
        (Self::Registered, Action::GiveNotice, Self::Registered),
        (Self::Registered, Action::Leave, Self::Left),
        (Self::Registered, Action::EndInMerge, Self::Merged),
        (Self::Registered, Action::Erase, Self::Erased),
        (Self::Registered, Action::Anonymise, Self::Erased),
        (Self::Left, Action::Reinstate, Self::Registered),
        // Leaving takes no right over one's data away (C07).
        (Self::Left, Action::Correct, Self::Left),
        (Self::Left, Action::WithdrawConsent, Self::Left),
        (Self::Left, Action::SettleDouble, Self::Left),
        (Self::Left, Action::GiveNotice, Self::Left),
        (Self::Left, Action::EndInMerge, Self::Merged),
        (Self::Left, Action::Erase, Self::Erased),
        (Self::Left, Action::Anonymise, Self::Erased),
        (Self::Merged, Action::EraseWithSurvivor, Self::Erased),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Registered => "REGISTERED",
            Self::Left => "LEFT",
            Self::Merged => "MERGED",
            Self::Erased => "ERASED",
        }
    }

    fn action_name(action: Action) -> &'static str {
        match action {
            Action::Correct => "CORRECT",
            Action::RecordPix => "RECORD_PIX",
            Action::GiveConsent => "GIVE_CONSENT",
            Action::WithdrawConsent => "WITHDRAW_CONSENT",
            Action::Leave => "LEAVE",
            Action::Reinstate => "REINSTATE",
            Action::Absorb => "ABSORB",
            Action::EndInMerge => "END_IN_MERGE",
            Action::SettleDouble => "SETTLE_DOUBLE",
            Action::GiveNotice => "GIVE_NOTICE",
            Action::Erase => "ERASE",
            Action::Anonymise => "ANONYMISE",
            Action::EraseWithSurvivor => "ERASE_WITH_SURVIVOR",
        }
    }

    fn rule(action: Action) -> Rule {
        match action {
            Action::RecordPix | Action::GiveConsent | Action::WithdrawConsent => Rule("C05"),
            Action::Absorb | Action::EndInMerge | Action::SettleDouble => Rule("C08"),
            Action::Reinstate => Rule("M08"),
            Action::Correct
            | Action::Leave
            | Action::GiveNotice
            | Action::Erase
            | Action::Anonymise
            | Action::EraseWithSurvivor => Rule("C07"),
        }
    }
}

/// What keeps a registration out of introductions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// It may be of the same person as an earlier one, and the agency has not said (C08).
    PossibleDouble,
    /// What the person does today is not admitted any more (C02).
    Situation,
}

impl Candidate {
    /// What is held of the person.
    ///
    /// # Errors
    /// `NOT_FOUND` once it was merged elsewhere or erased.
    pub fn person(&self) -> Result<&Person> {
        self.person.as_ref().ok_or_else(|| Error::not_found(&self.id.name()))
    }

    /// What keeps it out of introductions; empty where nothing does.
    #[must_use]
    pub fn holds(&self) -> Vec<Hold> {
        let mut holds = Vec::new();
        if self.possible_doubles.iter().any(|double| double.holds) {
            holds.push(Hold::PossibleDouble);
        }
        if self.person.as_ref().is_some_and(|person| person.situation.refusal().is_some()) {
            holds.push(Hold::Situation);
        }
        holds
    }

    /// Whether introductions may rest on it, as far as this service knows: matching adds what it alone knows (M01).
    #[must_use]
    pub fn eligible(&self) -> bool {
        self.state == State::Registered && self.holds().is_empty()
    }

    /// What matching needs of it. None once merged elsewhere or erased.
    #[must_use]
    pub fn facts(&self) -> Option<Facts> {
        let person = self.person.as_ref()?;
        let background = person.background;
        let offers = [
            (background.experience, Offer::Experience),
            (background.qualification, Offer::Qualification),
            (background.driving_licence, Offer::DrivingLicence),
        ];
        Some(Facts {
            registered_at: self.registered_at,
            commune: person.home.commune.clone(),
            location: person.home.location,
            department: person.home.department.clone(),
            reach: person.reach,
            available_from: person.available_from,
            wished_departments: person.wishes.departments.clone(),
            wished_sectors: person.wishes.sectors.clone(),
            offers: offers.into_iter().filter_map(|(has, offer)| has.then_some(offer)).collect(),
            eligible: self.eligible(),
            job_seeker_since: person.situation.job_seeker_since,
        })
    }

    /// Every registration that ended in this one, at any remove.
    pub fn absorbed_ids(&self) -> impl Iterator<Item = CandidateId> + '_ {
        self.absorbed.iter().map(|absorbed| absorbed.candidate)
    }

    /// The step of the state machine; where there is none and the registration was merged, the refusal says into which.
    pub(super) fn step(&self, action: Action, why: impl Into<String>) -> Result<(State, Fact)> {
        self.state.step(action, why).map_err(|error| match self.merged_into {
            Some(survivor) => error.with("merged_into", survivor.name()),
            None => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    #[test]
    fn c07_nothing_happens_to_an_erased_registration() {
        assert!(State::TABLE.iter().all(|(from, _, _)| *from != State::Erased));
    }

    #[test]
    fn no_action_stands_twice_in_one_state() {
        for (row, (from, action, _)) in State::TABLE.iter().enumerate() {
            assert!(State::TABLE[..row].iter().all(|(other, with, _)| (other, with) != (from, action)));
        }
    }

    #[test]
    fn c07_debugging_a_registration_prints_nothing_of_the_person() {
        let candidate = examples::candidate();
        let printed = format!("{candidate:?} {:?} {:?}", examples::register(), candidate.person);

        assert!(printed.contains(&candidate.id.to_string()));
        for personal in ["Rose", "Dupont", "rose", "1990", "06 12", "69123"] {
            assert!(!printed.contains(personal), "{personal}");
        }
    }

    #[test]
    fn a_registration_reads_back_as_it_was_stored() {
        let mut candidate = examples::candidate_with_pix();
        candidate.absorbed.push(Absorbed {
            candidate: examples::id("other"),
            registered_at: candidate.registered_at,
            merged_at: candidate.registered_at,
            person: candidate.person.clone().unwrap(),
        });
        let document = serde_json::to_string(&candidate).unwrap();

        assert_eq!(serde_json::from_str::<Candidate>(&document).unwrap(), candidate);
        assert!(document.contains(r#""state":"registered""#));
    }
}
