//! Inactive files (C07): without introduction, selection or contract for 24 months, a file is anonymised, and the person
//! is told 30 days before.
//!
//! Hearing of the person (registration, correction, Pix) counts too, or there would be no answer to the notice. The
//! period ends with its last day; the file is anonymised after that day, and never within the days of the notice,
//! however late that went out. When to look is the timer's.

use conum_kernel::{
    Error, Moment, Result, Rule,
    clock::paris_date,
    dates::{add_days, add_months},
};
use jiff::civil::Date;

use super::{
    Decision,
    candidate::{Action, Candidate},
    erasure::emptied,
    mails::Mail,
    policies::Settings,
    ties::{LastDay, Ties},
};

/// The last day on which something happened on a file. None while an introduction, a selection or a contract without
/// end goes on. It may be in the future: the last day of a contract.
#[must_use]
pub fn last_activity(candidate: &Candidate, ties: &Ties) -> Option<Date> {
    let heard_of = paris_date(candidate.last_contact_at);
    match ties.last_day() {
        LastDay::GoesOn => None,
        LastDay::Never => Some(heard_of),
        LastDay::On(day) => Some(heard_of.max(day)),
    }
}

/// Whether the notice is due: its days before the end of the period have begun, and none went out since.
#[must_use]
pub fn due_for_notice(last_activity: Option<Date>, noticed_on: Option<Date>, settings: &Settings, today: Date) -> bool {
    last_activity.is_some_and(|last| {
        let period = Period::since(last, settings);
        today >= period.notice_from && !period.noticed(noticed_on)
    })
}

/// Whether the file is to be anonymised: the days of its notice are over, and so is the period, since the notice of a
/// period goes out no earlier than these days before its end.
#[must_use]
pub fn due_for_anonymisation(
    last_activity: Option<Date>,
    noticed_on: Option<Date>,
    settings: &Settings,
    today: Date,
) -> bool {
    let (Some(last), Some(noticed)) = (last_activity, noticed_on) else { return false };
    Period::since(last, settings).noticed(noticed_on) && today > add_days(noticed, settings.inactivity_notice_days)
}

/// The period of inactivity that counts. It ends on the same day that many months after.
struct Period {
    notice_from: Date,
}

impl Period {
    fn since(last_activity: Date, settings: &Settings) -> Self {
        let end = add_months(last_activity, settings.inactivity_months);
        Self { notice_from: add_days(end, -settings.inactivity_notice_days) }
    }

    /// Whether the notice that went out was of this period.
    fn noticed(&self, noticed_on: Option<Date>) -> bool {
        noticed_on.is_some_and(|day| day >= self.notice_from)
    }
}

/// Sends the notice. To be run by the timer on files whose last activity is long enough ago.
///
/// # Errors
/// `WRONG_STATE`, `NOT_DUE` (C07).
pub fn give_notice(mut candidate: Candidate, ties: &Ties, settings: &Settings, at: Moment) -> Result<Decision> {
    let (_, fact) = candidate.step(Action::GiveNotice, "")?;
    let last = last_activity(&candidate, ties);
    let due = due_for_notice(last, candidate.noticed_at.map(paris_date), settings, at.today);
    let Some(last) = last.filter(|_| due) else { return Err(not_due()) };
    let last_day =
        add_months(last, settings.inactivity_months).max(add_days(at.today, settings.inactivity_notice_days));
    candidate.noticed_at = Some(at.now);
    let id = candidate.id;
    Ok(Decision::of(candidate).fact(fact).mail(Mail::InactivityNotice { candidate: id, last_day }))
}

/// Anonymises an inactive file: as an erasure, brought about by time. To be run by the timer.
///
/// # Errors
/// `WRONG_STATE`, `NOT_DUE` (C07).
pub fn anonymise(candidate: Candidate, ties: &Ties, settings: &Settings, at: Moment) -> Result<Decision> {
    let last = last_activity(&candidate, ties);
    if !due_for_anonymisation(last, candidate.noticed_at.map(paris_date), settings, at.today) {
        return Err(not_due());
    }
    emptied(candidate, Action::Anonymise, "inactive")
}

fn not_due() -> Error {
    Error::refused(
        Rule("C07"),
        "NOT_DUE",
        "the file has not been inactive, or noticed, for long enough",
        "le dossier n'est pas inactif, ou averti, depuis assez longtemps",
    )
}

#[cfg(test)]
mod tests {
    use super::super::{
        Event, State,
        correction::{self, Change},
        examples::{self, closed, date, id, introduced, moment_on, selected, settings, signed, tied},
        told::CloseReason,
    };
    use super::*;

    // Registered on 2020-12-01: the 24 months end on 2022-12-01, the notice is due 30 days before.

    fn noticed(on: &str) -> Candidate {
        give_notice(examples::candidate(), &Ties::default(), &settings(), moment_on(on)).unwrap().state
    }

    fn anonymised(candidate: Candidate, on: &str) -> bool {
        anonymise(candidate, &Ties::default(), &settings(), moment_on(on)).is_ok()
    }

    #[test]
    fn c07_the_notice_goes_out_30_days_before_24_months_and_once() {
        let early = give_notice(examples::candidate(), &Ties::default(), &settings(), moment_on("2022-10-31"));
        assert_eq!(early.unwrap_err().reason(), "NOT_DUE");

        let decision =
            give_notice(examples::candidate(), &Ties::default(), &settings(), moment_on("2022-11-01")).unwrap();
        let notice = Mail::InactivityNotice { candidate: id("candidate"), last_day: date("2022-12-01") };
        assert_eq!(decision.mails, [notice]);
        assert!(give_notice(decision.state, &Ties::default(), &settings(), moment_on("2022-11-02")).is_err());
    }

    #[test]
    fn c07_an_inactive_file_is_anonymised_after_24_months() {
        assert!(!anonymised(noticed("2022-11-01"), "2022-12-01"));
        let decision =
            anonymise(noticed("2022-11-01"), &Ties::default(), &settings(), moment_on("2022-12-02")).unwrap();
        assert_eq!((decision.state.state, decision.state.person), (State::Erased, None));
        assert_eq!(decision.events, [Event::Erased { candidate: id("candidate") }]);
        assert_eq!((decision.facts[0].action, decision.facts[0].why.as_str()), ("ANONYMISE", "inactive"));
    }

    #[test]
    fn c07_nobody_is_anonymised_without_a_notice_nor_within_its_days() {
        assert!(!anonymised(examples::candidate(), "2024-01-01"));
        // The timer was down for months: the notice is late, and its 30 days count all the same.
        assert!(!anonymised(noticed("2023-06-01"), "2023-07-01"));
        assert!(anonymised(noticed("2023-06-01"), "2023-07-02"));
    }

    #[test]
    fn c07_who_answers_the_notice_keeps_the_file() {
        let change = vec![Change::GivenName("Rose".into())];
        let answered = correction::correct(
            noticed("2022-11-01"),
            change,
            &examples::lookups(),
            &settings(),
            moment_on("2022-11-20"),
        )
        .unwrap()
        .state;
        assert!(!anonymised(answered.clone(), "2022-12-02"));

        // Two years later, a notice of its own is due: the old one does not count.
        assert!(!anonymised(answered.clone(), "2024-11-21"));
        assert!(give_notice(answered, &Ties::default(), &settings(), moment_on("2024-10-21")).is_ok());
    }

    #[test]
    fn c07_an_introduction_a_selection_or_a_contract_keeps_a_file_active() {
        for told in [
            vec![introduced("mairie")],
            vec![selected("mairie")],
            vec![selected("mairie"), signed("mairie", "2021-01-01", None)],
        ] {
            assert_eq!(last_activity(&examples::candidate(), &tied(&told)), None, "{told:?}");
        }
    }

    #[test]
    fn c07_the_period_counts_from_the_end_of_the_last_introduction_or_contract() {
        let expired = tied(&[introduced("mairie"), closed("mairie", CloseReason::Expired)]);
        assert_eq!(last_activity(&examples::candidate(), &expired), Some(date("2021-01-04")));

        let contract = tied(&[selected("mairie"), signed("mairie", "2021-01-01", Some("2022-12-31"))]);
        assert_eq!(last_activity(&examples::candidate(), &contract), Some(date("2022-12-31")));
        assert!(!due_for_notice(Some(date("2022-12-31")), None, &settings(), date("2023-01-15")));
    }

    #[test]
    fn c07_the_delays_are_settings() {
        let brief = Settings { inactivity_months: 6, inactivity_notice_days: 10, ..settings() };
        let last = Some(date("2021-08-31"));
        assert!(!due_for_notice(last, None, &brief, date("2022-02-17")));
        assert!(due_for_notice(last, None, &brief, date("2022-02-18")));
        assert!(!due_for_anonymisation(last, Some(date("2022-02-18")), &brief, date("2022-02-28")));
        assert!(due_for_anonymisation(last, Some(date("2022-02-18")), &brief, date("2022-03-01")));
    }
}
