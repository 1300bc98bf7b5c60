//! A person's trainings, as training told of them: what is recorded in the [`Ties`], and what the person is mailed.
//!
//! Who is trained, where and when is training's to decide (T01 to T05); here it is recorded, and shown in the person's
//! export (C07). No score is told.

use conum_kernel::{CandidateId, OrganisationId, TrainingId};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{mails::Mail, ties::Ties};

/// A training as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownTraining {
    pub training: TrainingId,
    pub state: State,
    /// The plan in force, as it was told.
    pub plan: Option<Plan>,
    /// In the order in which they were told.
    pub exams: Vec<Exam>,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// How far a training has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Opened,
    Planned,
    Completed,
    Stopped,
}

/// The plan of a training (T01, T02, T05).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// None where no organisation has it.
    pub organisation: Option<OrganisationId>,
    /// Whether there is a place in a session.
    pub in_session: bool,
    /// Whole hours.
    pub hours: u32,
    /// The first and the last day of the initial training; none where all of it is continuing training.
    pub days: Option<(Date, Date)>,
}

/// An exam that was taken (T03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exam {
    pub certification: Certification,
    /// From 1.
    pub attempt: u32,
    pub passed: bool,
}

/// The two certifications (T03).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certification {
    Ccp1,
    Pix,
}

/// Why a training stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    SelectionCancelled,
    ContractEnded,
    Erased,
}

/// What training tells of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    Opened,
    Planned(Plan),
    Unplanned,
    Examined { exam: Exam, attempts_left: u32, on: Date },
    Completed { hours: u32, on: Date },
    Stopped(StopReason),
}

impl State {
    /// As an export writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "OPENED",
            Self::Planned => "PLANNED",
            Self::Completed => "COMPLETED",
            Self::Stopped => "STOPPED",
        }
    }

    fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Stopped)
    }
}

impl Certification {
    /// The certification of a word of the contract.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Ccp1, Self::Pix].into_iter().find(|certification| certification.text() == word)
    }

    /// Its word in the contract.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Ccp1 => "ccp1",
            Self::Pix => "pix",
        }
    }
}

impl StopReason {
    /// The reason of a word of the contract.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "selection_cancelled" => Self::SelectionCancelled,
            "contract_ended" => Self::ContractEnded,
            "erased" => Self::Erased,
            _ => return None,
        })
    }
}

impl News {
    /// The rule that it comes of.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Opened | Self::Stopped(StopReason::SelectionCancelled) => "M06",
            Self::Planned(_) => "T01",
            Self::Unplanned => "T05",
            Self::Examined { .. } | Self::Completed { .. } => "T03",
            Self::Stopped(StopReason::ContractEnded) => "M08",
            Self::Stopped(StopReason::Erased) => "C07",
        }
    }

    /// The action that the history names it by.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::Opened => "TRAINING_OPENED",
            Self::Planned(_) => "TRAINING_PLANNED",
            Self::Unplanned => "TRAINING_UNPLANNED",
            Self::Examined { exam, .. } => match (exam.certification, exam.passed) {
                (Certification::Ccp1, true) => "CCP1_PASSED",
                (Certification::Ccp1, false) => "CCP1_FAILED",
                (Certification::Pix, true) => "PIX_PASSED",
                (Certification::Pix, false) => "PIX_FAILED",
            },
            Self::Completed { .. } => "TRAINING_COMPLETED",
            Self::Stopped(_) => "TRAINING_STOPPED",
        }
    }

    /// The mail that the person gets of it.
    pub(super) fn mail(self, candidate: CandidateId, training: TrainingId) -> Mail {
        match self {
            Self::Opened => Mail::TrainingOpened { candidate, training },
            Self::Planned(plan) => Mail::TrainingPlanned { candidate, training, plan },
            Self::Unplanned => Mail::TrainingUnplanned { candidate, training },
            Self::Examined { exam, attempts_left, on } => {
                Mail::Examined { candidate, training, exam, attempts_left, on }
            }
            Self::Completed { hours, on } => Mail::Trained { candidate, training, hours, on },
            Self::Stopped(reason) => Mail::TrainingStopped { candidate, training, reason },
        }
    }
}

impl Ties {
    /// Records a training's turn; false where nothing is new. What has ended takes no other turn.
    pub(super) fn training(&mut self, training: TrainingId, news: News, at: Timestamp) -> bool {
        let Some(known) = self.trainings.iter_mut().find(|known| known.training == training) else {
            let mut known =
                KnownTraining { training, state: State::Opened, plan: None, exams: Vec::new(), changed_at: at };
            known.take(news, at);
            self.trainings.push(known);
            return true;
        };
        let new = !known.state.has_ended() && known.take(news, at);
        if new {
            known.changed_at = at;
        }
        new
    }
}

impl KnownTraining {
    fn take(&mut self, news: News, at: Timestamp) -> bool {
        match news {
            News::Opened => return false,
            News::Planned(plan) => {
                // Days between the first and the last one may have changed.
                if self.plan == Some(plan) && at <= self.changed_at {
                    return false;
                }
                (self.plan, self.state) = (Some(plan), State::Planned);
            }
            News::Unplanned => {
                if self.plan.take().is_none() {
                    return false;
                }
                self.state = State::Opened;
            }
            News::Examined { exam, .. } => {
                let known = |of: &Exam| (of.certification, of.attempt) == (exam.certification, exam.attempt);
                if self.exams.iter().any(known) {
                    return false;
                }
                self.exams.push(exam);
            }
            News::Completed { .. } => self.state = State::Completed,
            News::Stopped(_) => self.state = State::Stopped,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Candidate, State as Registration,
        examples::{candidate, date, moment, moment_on, plan, tied, trained},
        tell,
        told::Decision,
    };
    use super::*;

    const PLANS: [(&str, &str); 2] = [("2021-02-01", "2021-02-19"), ("2021-03-01", "2021-03-19")];

    fn planned(number: usize) -> News {
        News::Planned(plan(PLANS[number].0, PLANS[number].1))
    }

    fn examined(attempt: u32, passed: bool) -> News {
        let exam = Exam { certification: Certification::Ccp1, attempt, passed };
        News::Examined { exam, attempts_left: 3 - attempt, on: date("2021-03-10") }
    }

    fn completed() -> News {
        News::Completed { hours: 105, on: date("2021-03-20") }
    }

    fn told(ties: Ties, news: News) -> Decision {
        tell(ties, &candidate(), trained("mairie", news), moment().now)
    }

    #[test]
    fn t03_each_turn_of_a_training_is_noted_and_mailed_once_however_often_it_comes() {
        let mut ties = Ties::default();
        for (news, action, kind) in [
            (News::Opened, "TRAINING_OPENED", "training-opened"),
            (planned(0), "TRAINING_PLANNED", "training-planned"),
            (News::Unplanned, "TRAINING_UNPLANNED", "training-unplanned"),
            (planned(1), "TRAINING_PLANNED", "training-planned"),
            (examined(1, false), "CCP1_FAILED", "examined"),
            (examined(2, true), "CCP1_PASSED", "examined"),
            (completed(), "TRAINING_COMPLETED", "trained"),
        ] {
            let first = told(ties, news);
            assert_eq!((first.facts[0].action, first.mails[0].kind()), (action, kind));
            let again = told(first.state.clone(), news);
            assert_eq!(again, Decision::of(first.state.clone()), "{action}");
            ties = first.state;
        }
        assert_eq!((ties.trainings[0].state, ties.trainings[0].exams.len()), (State::Completed, 2));
        assert_eq!(ties.trainings[0].plan, Some(plan(PLANS[1].0, PLANS[1].1)));
        for late in [planned(0), examined(3, false), News::Stopped(StopReason::ContractEnded)] {
            assert!(told(ties.clone(), late).facts.is_empty(), "it has ended: {late:?}");
        }
    }

    #[test]
    fn t02_the_same_days_settled_anew_later_are_mailed_since_those_in_between_may_differ() {
        let known = tied(&[trained("mairie", planned(0))]);
        let later = moment_on("2021-01-20").now;
        assert_eq!(tell(known, &candidate(), trained("mairie", planned(0)), later).mails.len(), 1);
    }

    #[test]
    fn c07_who_left_gets_no_mail_of_a_training_and_of_an_erased_person_nothing_is_kept() {
        let stopped = trained("mairie", News::Stopped(StopReason::SelectionCancelled));
        let known = tied(&[trained("mairie", News::Opened)]);
        let left = Candidate { state: Registration::Left, ..candidate() };
        let decision = tell(known, &left, stopped, moment().now);
        assert_eq!((decision.facts[0].action, decision.mails.len()), ("TRAINING_STOPPED", 0));
        assert_eq!(decision.state.trainings[0].state, State::Stopped);

        let erased = Candidate { state: Registration::Erased, person: None, ..candidate() };
        let decision = tell(Ties::default(), &erased, stopped, moment().now);
        assert_eq!(decision, Decision::of(Ties::default()));
    }

    #[test]
    fn c08_the_trainings_of_two_registrations_are_united() {
        let (one, other) = (tied(&[trained("mairie", News::Opened)]), tied(&[trained("maison", completed())]));
        assert_eq!(one.united(other).trainings.len(), 2);
    }

    #[test]
    fn ties_that_were_kept_before_any_training_was_told_read_back() {
        let kept = r#"{"introductions":[],"recruitments":[]}"#;
        assert_eq!(serde_json::from_str::<Ties>(kept).unwrap(), Ties::default());
    }

    #[test]
    fn each_word_of_the_contract_is_a_certification_or_a_reason() {
        assert!(["ccp1", "pix"].iter().all(|word| Certification::of(word).is_some_and(|of| of.text() == *word)));
        assert!(["selection_cancelled", "contract_ended", "erased"].iter().all(|word| StopReason::of(word).is_some()));
        assert_eq!((Certification::of("toeic"), StopReason::of("bored")), (None, None));
    }
}
