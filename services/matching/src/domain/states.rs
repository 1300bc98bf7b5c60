//! What is derived of posts and people, and never set (M10).

use jiff::civil::Date;

use super::recruitment::State as Recruitment;

/// A granted post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// No contract is signed on it; a selection may hold it.
    Vacant,
    Filled,
    GivenBack,
}

/// A post's state, from whether it was given back and the recruitment that holds it.
#[must_use]
pub fn post(given_back: bool, recruitment: Option<Recruitment>) -> Post {
    match recruitment {
        _ if given_back => Post::GivenBack,
        Some(Recruitment::Signed) => Post::Filled,
        _ => Post::Vacant,
    }
}

/// A person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adviser {
    Free,
    Introduced,
    Selected,
    /// The contract has not started.
    Signed,
    /// In initial training, under a signed contract and before the start in post. Somebody who is trained before the
    /// signature is selected still: either side may yet cancel (M06).
    InTraining,
    InPost,
    /// The last contract ended.
    Ended,
    /// Left, merged or erased.
    Gone,
}

/// What is known of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    pub gone: bool,
    pub live_introductions: usize,
    /// The last recruitment that was not cancelled.
    pub recruitment: Option<Recruitment>,
    /// The start of its contract.
    pub start_date: Option<Date>,
    /// A session of initial training runs today.
    pub training_runs: bool,
}

/// A person's state on a day.
#[must_use]
pub fn adviser(person: Person, today: Date) -> Adviser {
    match person.recruitment {
        Some(Recruitment::Signed) if person.start_date.is_some_and(|start| start <= today) => Adviser::InPost,
        Some(Recruitment::Signed) if person.training_runs => Adviser::InTraining,
        Some(Recruitment::Signed) => Adviser::Signed,
        _ if person.gone => Adviser::Gone,
        Some(Recruitment::Selected) => Adviser::Selected,
        _ if person.live_introductions > 0 => Adviser::Introduced,
        Some(Recruitment::Ended) => Adviser::Ended,
        _ => Adviser::Free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::examples::date;

    #[test]
    fn m10_a_posts_state_follows_from_its_recruitment() {
        assert_eq!(post(false, None), Post::Vacant);
        assert_eq!(post(false, Some(Recruitment::Selected)), Post::Vacant);
        assert_eq!(post(false, Some(Recruitment::Signed)), Post::Filled);
        assert_eq!(post(false, Some(Recruitment::Ended)), Post::Vacant);
        assert_eq!(post(true, None), Post::GivenBack);
    }

    #[test]
    fn m10_a_persons_state_follows_from_introductions_contract_and_day() {
        let free =
            Person { gone: false, live_introductions: 0, recruitment: None, start_date: None, training_runs: false };
        let today = date("2021-04-01");
        assert_eq!(adviser(free, today), Adviser::Free);
        assert_eq!(adviser(Person { live_introductions: 1, ..free }, today), Adviser::Introduced);
        let selected = Person { live_introductions: 2, recruitment: Some(Recruitment::Selected), ..free };
        assert_eq!(adviser(selected, today), Adviser::Selected);
        // Until the signature either side may cancel, trained or not.
        assert_eq!(adviser(Person { training_runs: true, ..selected }, today), Adviser::Selected);
        let signed = Person { recruitment: Some(Recruitment::Signed), start_date: Some(date("2021-04-02")), ..free };
        assert_eq!(adviser(signed, today), Adviser::Signed);
        assert_eq!(adviser(Person { training_runs: true, ..signed }, today), Adviser::InTraining);
        // Continuing training stays in post.
        let ended = Person { recruitment: Some(Recruitment::Ended), training_runs: true, ..free };
        assert_eq!(adviser(ended, today), Adviser::Ended);
        let started = Person { start_date: Some(today), training_runs: true, ..signed };
        assert_eq!(adviser(started, today), Adviser::InPost);
        assert_eq!(adviser(Person { recruitment: Some(Recruitment::Ended), ..free }, today), Adviser::Ended);
        assert_eq!(adviser(Person { gone: true, ..free }, today), Adviser::Gone);
    }
}
