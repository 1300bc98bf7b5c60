//! Who the person is and where they live: names, addresses, and the age limits on the day of registration (C01).
//!
//! Communes are looked up outside; doubles are [`super::doubles`]'s.

use conum_kernel::{Rule, Violations, dates, text};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::policies::Settings;

const C01: Rule = Rule("C01");

/// Nobody is older, in years: a birth date that says so is a slip.
const OLDEST: i16 = 120;

/// The most characters of a given or a family name.
const NAME_LIMIT: usize = 100;

/// A place: a commune that is in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// INSEE code.
    pub commune: String,
    /// INSEE code of the department, or of the overseas collectivity.
    pub department: String,
    /// The commune's centre; some overseas communes have none.
    pub location: Option<Location>,
}

/// A point, in degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
}

/// What became of the commune that a command names.
#[derive(Clone, PartialEq)]
pub enum Commune {
    /// It names none.
    Missing,
    /// There is no such commune, and none that took its place.
    Unknown,
    Found(Place),
}

undisclosed!(Commune);

/// Checks a name: compulsory, at most 100 characters, with a letter in it.
pub(super) fn name(violations: &mut Violations, field: &str, given: &str) -> Option<String> {
    let name = violations.take(text::required(field, given, NAME_LIMIT))?;
    if name.contains(char::is_alphabetic) {
        return Some(name);
    }
    violations.add(field, "NOT_A_NAME", "a name has letters", "un nom comporte des lettres");
    None
}

/// Checks a birth date, and the age on the day of registration (C01).
pub(super) fn birth_date(
    violations: &mut Violations,
    given: Option<Date>,
    registered_on: Date,
    today: Date,
    settings: &Settings,
) -> Option<Date> {
    const FIELD: &str = "candidate.birth_date";
    let Some(birth) = given else {
        violations.missing(FIELD);
        return None;
    };
    let age = dates::age_on(birth, registered_on);
    if birth > today {
        violations.breaks(
            C01,
            FIELD,
            "BIRTH_DATE_IN_THE_FUTURE",
            "the birth date is in the future",
            "la date de naissance est dans le futur",
        );
    } else if age > OLDEST {
        violations.breaks(
            C01,
            FIELD,
            "IMPOSSIBLE_BIRTH_DATE",
            "the birth date cannot be right",
            "la date de naissance ne peut pas être exacte",
        );
    } else if age < settings.minimum_age {
        violations.breaks(
            C01,
            FIELD,
            "TOO_YOUNG",
            format!("a candidate is at least {} years old on the day of registration", settings.minimum_age),
            format!("il faut avoir au moins {} ans le jour de l'inscription", settings.minimum_age),
        );
    } else if age > settings.maximum_age {
        violations.breaks(
            C01,
            FIELD,
            "TOO_OLD",
            format!("a candidate is at most {} years old on the day of registration", settings.maximum_age),
            format!("il faut avoir au plus {} ans le jour de l'inscription", settings.maximum_age),
        );
    } else {
        return Some(birth);
    }
    None
}

/// Checks the commune where the person lives (C04).
pub(super) fn home(violations: &mut Violations, commune: Commune) -> Option<Place> {
    const FIELD: &str = "candidate.commune";
    match commune {
        Commune::Found(place) => return Some(place),
        Commune::Missing => violations.missing(FIELD),
        Commune::Unknown => violations.breaks(
            Rule("C04"),
            FIELD,
            "UNKNOWN_COMMUNE",
            "no commune has this code",
            "aucune commune n'a ce code",
        ),
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::examples::{date, settings};
    use super::*;

    /// The reason of the refusal of a birth date on a day of registration; empty where it is accepted.
    fn refusal(birth: &str, registered_on: &str) -> &'static str {
        let day = date(registered_on);
        let mut violations = Violations::default();
        let accepted = birth_date(&mut violations, Some(date(birth)), day, day, &settings());
        assert_eq!(accepted.is_some(), violations.is_empty());
        match violations.check() {
            Ok(()) => "",
            Err(error) => {
                assert_eq!(error.rule(), Some(C01));
                assert_eq!(error.violations()[0].field, "candidate.birth_date");
                error.reason()
            }
        }
    }

    #[test]
    fn c01_sixteen_on_the_day_of_registration_is_accepted() {
        assert_eq!(refusal("2004-12-01", "2020-12-01"), "");
    }

    #[test]
    fn c01_sixteen_tomorrow_is_refused() {
        assert_eq!(refusal("2004-12-02", "2020-12-01"), "TOO_YOUNG");
    }

    #[test]
    fn c01_the_eve_of_the_sixty_fifth_birthday_is_accepted() {
        assert_eq!(refusal("1955-12-02", "2020-12-01"), "");
    }

    #[test]
    fn c01_sixty_five_today_is_refused() {
        assert_eq!(refusal("1955-12-01", "2020-12-01"), "TOO_OLD");
    }

    #[test]
    fn c01_born_on_29_february_is_sixty_four_until_28_february_of_a_common_year() {
        assert_eq!(refusal("1956-02-29", "2021-02-28"), "");
        assert_eq!(refusal("1956-02-29", "2021-03-01"), "TOO_OLD");
    }

    #[test]
    fn c01_born_on_29_february_is_sixteen_on_29_february() {
        assert_eq!(refusal("2004-02-29", "2020-02-28"), "TOO_YOUNG");
        assert_eq!(refusal("2004-02-29", "2020-02-29"), "");
    }

    #[test]
    fn c01_a_birth_date_in_the_future_or_beyond_any_life_is_refused_as_such() {
        assert_eq!(refusal("2020-12-02", "2020-12-01"), "BIRTH_DATE_IN_THE_FUTURE");
        assert_eq!(refusal("1899-11-30", "2020-12-01"), "IMPOSSIBLE_BIRTH_DATE");
    }

    #[test]
    fn c01_the_limits_are_settings() {
        let young = Settings { minimum_age: 18, ..settings() };
        let mut violations = Violations::default();
        let day = date("2020-12-01");
        assert_eq!(birth_date(&mut violations, Some(date("2003-01-01")), day, day, &young), None);
        assert_eq!(violations.check().unwrap_err().violations()[0].reason, "TOO_YOUNG");
    }

    #[test]
    fn c04_a_commune_that_does_not_exist_is_refused() {
        let mut violations = Violations::default();
        assert_eq!(home(&mut violations, Commune::Unknown), None);
        assert_eq!(violations.check().unwrap_err().reason(), "UNKNOWN_COMMUNE");
    }

    #[test]
    fn a_name_without_a_letter_is_refused() {
        let mut violations = Violations::default();
        assert_eq!(name(&mut violations, "candidate.given_name", "--"), None);
        assert_eq!(name(&mut violations, "candidate.given_name", " Anne-Laure ").as_deref(), Some("Anne-Laure"));
        assert_eq!(violations.check().unwrap_err().reason(), "NOT_A_NAME");
    }

    /// Age by counting the birthdays one by one.
    fn birthdays(birth: Date, day: Date) -> i16 {
        (1..=150)
            .take_while(|years| {
                let year = birth.year() + years;
                let birthday = Date::new(year, birth.month(), birth.day())
                    .unwrap_or_else(|_| Date::new(year, 3, 1).expect("1 March exists"));
                birthday <= day
            })
            .last()
            .unwrap_or(0)
    }

    proptest! {
        #[test]
        fn c01_the_limits_agree_with_counting_birthdays(born in 0_i32..40_000, lived in 0_i32..36_000) {
            let birth = dates::add_days(date("1910-01-01"), born);
            let day = dates::add_days(birth, lived);
            let expected = match birthdays(birth, day) {
                ..16 => "TOO_YOUNG",
                16..=64 => "",
                _ => "TOO_OLD",
            };
            prop_assert_eq!(refusal(&birth.to_string(), &day.to_string()), expected);
        }
    }
}
