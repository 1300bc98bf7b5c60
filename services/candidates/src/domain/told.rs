//! What matching tells of a person's introductions and recruitments, and training of trainings: how it is recorded in the
//! [`Ties`], and which of it the person is told by mail.
//!
//! Whoever was told of an introduction is told of its end too, unless that person brought it about. Mails to structures
//! are the applications service's.

use conum_kernel::{Fact, IntroductionId, Machine as _, RecruitmentId, Rule, StructureId, TrainingId};
use jiff::{Timestamp, civil::Date};

use super::{
    Event, Mail,
    candidate::{Candidate, State},
    ties::{Stage, Ties},
    trainings::News,
};

/// What matching and training tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Introduced { introduction: IntroductionId, structure: StructureId },
    Answered { introduction: IntroductionId, structure: StructureId, interested: bool },
    Closed { introduction: IntroductionId, structure: StructureId, reason: CloseReason },
    Selected { recruitment: RecruitmentId, structure: StructureId },
    SelectionCancelled { recruitment: RecruitmentId, structure: StructureId },
    Signed { recruitment: RecruitmentId, structure: StructureId, start: Date, end: Option<Date> },
    Ended { recruitment: RecruitmentId, structure: StructureId, last_day: Date },
    Training { training: TrainingId, news: News },
}

/// Why an introduction closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    Expired,
    /// By this structure.
    Recruited,
    /// By another structure (C06).
    CandidateRecruited,
    PostsFilled,
    Withdrawn,
    CandidateLeft,
    CandidateIneligible,
    Merged,
}

impl CloseReason {
    /// The reason of a word of the contract.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "expired" => Self::Expired,
            "recruited" => Self::Recruited,
            "candidate_recruited" => Self::CandidateRecruited,
            "posts_filled" => Self::PostsFilled,
            "withdrawn" => Self::Withdrawn,
            "candidate_left" => Self::CandidateLeft,
            "candidate_ineligible" => Self::CandidateIneligible,
            "merged" => Self::Merged,
            _ => return None,
        })
    }

    /// Whether the person is told: yes where somebody else brought the end about and the person is still looking.
    fn leaves_looking(self) -> bool {
        matches!(self, Self::Expired | Self::PostsFilled | Self::Withdrawn)
    }
}

/// What an event from matching or training decides on a person's ties.
pub type Decision = conum_kernel::Decision<Ties, Event, Mail>;

/// Records what is told of a registration, and tells the person what the person should know. The same event
/// again, or one that an erased person no longer has anything to do with, changes nothing. `at` is the event's time.
///
/// An event that names a merged registration is to be told of the one that it ended in.
#[must_use]
pub fn tell(mut ties: Ties, candidate: &Candidate, told: Told, at: Timestamp) -> Decision {
    if matches!(candidate.state, State::Erased | State::Merged) {
        return Decision::of(ties);
    }
    let new = match told {
        Told::Introduced { introduction, structure } => {
            !ties.introductions.iter().any(|known| known.introduction == introduction)
                && ties.introduction(introduction, structure, true, at)
        }
        Told::Answered { introduction, structure, interested } => {
            ties.introduction(introduction, structure, interested, at)
        }
        Told::Closed { introduction, structure, .. } => ties.introduction(introduction, structure, false, at),
        Told::Selected { recruitment, structure } => ties.recruitment(recruitment, structure, Stage::Selected, at),
        Told::SelectionCancelled { recruitment, structure } => {
            ties.recruitment(recruitment, structure, Stage::Cancelled, at)
        }
        Told::Signed { recruitment, structure, start, end } => {
            ties.recruitment(recruitment, structure, Stage::Signed { start, end }, at)
        }
        Told::Ended { recruitment, structure, last_day } => {
            ties.recruitment(recruitment, structure, Stage::Ended { last_day }, at)
        }
        Told::Training { training, news } => ties.training(training, news, at),
    };
    let mut decision = Decision::of(ties);
    if new {
        decision.facts.push(fact(candidate.state, told));
        decision.mails.extend(mail(candidate, told));
    }
    decision
}

fn fact(state: State, told: Told) -> Fact {
    let (rule, action, why) = match told {
        Told::Introduced { introduction, .. } => ("M02", "INTRODUCED", introduction.to_string()),
        Told::Answered { introduction, interested: true, .. } => {
            ("M03", "ANSWERED_INTERESTED", introduction.to_string())
        }
        Told::Answered { introduction, interested: false, .. } => {
            ("M03", "ANSWERED_DECLINED", introduction.to_string())
        }
        Told::Closed { introduction, .. } => ("M03", "INTRODUCTION_CLOSED", introduction.to_string()),
        Told::Selected { recruitment, .. } => ("M06", "SELECTED", recruitment.to_string()),
        Told::SelectionCancelled { recruitment, .. } => ("M06", "SELECTION_CANCELLED", recruitment.to_string()),
        Told::Signed { recruitment, .. } => ("M07", "CONTRACT_SIGNED", recruitment.to_string()),
        Told::Ended { recruitment, .. } => ("M10", "CONTRACT_ENDED", recruitment.to_string()),
        Told::Training { training, news } => (news.rule(), news.action(), training.to_string()),
    };
    Fact::noted(action, state.name(), why).under(Rule(rule))
}

fn mail(candidate: &Candidate, told: Told) -> Option<Mail> {
    // Who has left has asked to hear no more.
    if candidate.state != State::Registered {
        return None;
    }
    let candidate = candidate.id;
    match told {
        Told::Introduced { introduction, structure } => Some(Mail::Introduced { candidate, introduction, structure }),
        Told::Answered { introduction, structure, interested: false } => {
            Some(Mail::ClosedNotChosen { candidate, introduction, structure })
        }
        Told::Closed { introduction, structure, reason } if reason.leaves_looking() => {
            Some(Mail::ClosedNotChosen { candidate, introduction, structure })
        }
        Told::Selected { recruitment, structure } => Some(Mail::Selected { candidate, recruitment, structure }),
        Told::SelectionCancelled { recruitment, structure } => {
            Some(Mail::SelectionCancelled { candidate, recruitment, structure })
        }
        Told::Training { training, news } => Some(news.mail(candidate, training)),
        Told::Answered { .. } | Told::Closed { .. } | Told::Signed { .. } | Told::Ended { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{
        self, candidate, closed, date, introduced, introduction, selected, signed, structure, tied,
    };
    use super::*;

    #[test]
    fn m02_the_end_of_an_introduction_is_mailed_to_who_is_still_looking_only() {
        let ties = tied(&[introduced("mairie")]);
        let at = examples::moment().now;
        for (reason, mailed) in [
            (CloseReason::PostsFilled, true),
            (CloseReason::Withdrawn, true),
            (CloseReason::Expired, true),
            (CloseReason::Recruited, false),
            (CloseReason::CandidateRecruited, false),
            (CloseReason::CandidateLeft, false),
            (CloseReason::CandidateIneligible, false),
            (CloseReason::Merged, false),
        ] {
            let decision = tell(ties.clone(), &candidate(), closed("mairie", reason), at);
            assert_eq!(decision.mails.len(), usize::from(mailed), "{reason:?}");
            assert_eq!(decision.facts[0].action, "INTRODUCTION_CLOSED");
        }
    }

    #[test]
    fn what_was_told_is_mailed_and_noted_once_however_often_it_comes() {
        let at = examples::moment().now;
        let first = tell(Ties::default(), &candidate(), introduced("mairie"), at);
        assert_eq!((first.mails.len(), first.facts.len()), (1, 1));

        let again = tell(first.state.clone(), &candidate(), introduced("mairie"), at);
        assert_eq!((again.mails.len(), again.facts.len()), (0, 0));
        assert_eq!(again.state, first.state);

        let answer =
            Told::Answered { introduction: introduction("mairie"), structure: structure("mairie"), interested: true };
        let later = examples::moment_on("2020-12-05").now;
        let answered = tell(first.state, &candidate(), answer, later);
        assert_eq!((answered.mails.len(), answered.facts[0].action), (0, "ANSWERED_INTERESTED"));
        assert_eq!(tell(answered.state, &candidate(), answer, later).facts, []);
    }

    #[test]
    fn m03_who_is_declined_is_told_and_the_structure_sees_the_person_no_more() {
        let declined =
            Told::Answered { introduction: introduction("mairie"), structure: structure("mairie"), interested: false };
        let decision = tell(tied(&[introduced("mairie")]), &candidate(), declined, examples::moment().now);
        assert!(matches!(decision.mails.as_slice(), [Mail::ClosedNotChosen { .. }]));
        assert!(!decision.state.ties(structure("mairie"), date("2021-01-15")));
    }

    #[test]
    fn an_introduction_that_ended_does_not_live_again_nor_a_contract_go_back_to_a_selection() {
        let ties = tied(&[
            introduced("mairie"),
            closed("mairie", CloseReason::Expired),
            introduced("mairie"),
            signed("maison", "2021-03-01", None),
            selected("maison"),
        ]);
        assert!(!ties.introductions[0].live);
        assert!(matches!(ties.recruitments[0].stage, Stage::Signed { .. }));
    }

    #[test]
    fn c07_nothing_is_kept_or_mailed_of_an_erased_person() {
        let erased = Candidate { state: State::Erased, person: None, ..candidate() };
        let decision = tell(Ties::default(), &erased, introduced("mairie"), examples::moment().now);
        assert_eq!(decision, Decision::of(Ties::default()));
    }

    #[test]
    fn who_left_is_not_mailed_any_more() {
        let left = Candidate { state: State::Left, ..candidate() };
        let decision = tell(Ties::default(), &left, introduced("mairie"), examples::moment().now);
        assert_eq!((decision.mails.len(), decision.facts.len()), (0, 1));
    }

    #[test]
    fn each_word_of_the_contract_is_a_reason() {
        for word in [
            "expired",
            "recruited",
            "candidate_recruited",
            "posts_filled",
            "withdrawn",
            "candidate_left",
            "candidate_ineligible",
            "merged",
        ] {
            assert!(CloseReason::of(word).is_some(), "{word}");
        }
        assert_eq!(CloseReason::of("bored"), None);
    }
}
