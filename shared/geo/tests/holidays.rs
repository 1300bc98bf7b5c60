//! Public holidays against the table made from `jours-feries-france` (`golden/rebuild_holidays.py`).

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write;

use conum_geo::{
    Zone, departments,
    holidays::{is_public_holiday, is_working_day, public_holidays, zone_of_department},
};
use jiff::civil::{Date, date};

#[test]
fn every_zone_and_year_of_the_reference_is_the_same() {
    let mut compared = 0;
    for line in include_str!("golden/holidays.txt").lines().filter(|line| !line.starts_with('#')) {
        let (zone, rest) = line.split_once(';').unwrap();
        let (year, _) = rest.split_once(';').unwrap();
        let mut ours = format!("{zone};{year}");
        for (date, name) in public_holidays(Zone::from_code(zone).unwrap(), year.parse().unwrap()) {
            write!(ours, ";{:02}-{:02} {name}", date.month(), date.day()).unwrap();
        }
        assert_eq!(ours, line);
        compared += 1;
    }
    assert_eq!(compared, Zone::ALL.len() * 16, "13 zones, 2015 to 2030");
}

#[test]
fn a_holiday_of_one_zone_is_a_working_day_in_another() {
    let good_friday = date(2026, 4, 3);
    assert!(is_public_holiday(Zone::AlsaceMoselle, good_friday));
    assert!(!is_working_day(Zone::AlsaceMoselle, good_friday));
    assert!(is_working_day(Zone::Metropole, good_friday));

    let abolition_in_reunion = date(2027, 12, 20);
    assert!(!is_working_day(Zone::Reunion, abolition_in_reunion));
    assert!(is_working_day(Zone::Mayotte, abolition_in_reunion));
}

#[test]
fn nobody_works_at_week_ends() {
    assert!(is_working_day(Zone::Metropole, date(2026, 3, 6)), "a Friday");
    assert!(!is_working_day(Zone::Metropole, date(2026, 3, 7)), "a Saturday");
    assert!(!is_working_day(Zone::Metropole, date(2026, 3, 8)), "a Sunday");
    assert!(is_working_day(Zone::Metropole, date(2026, 3, 9)), "a Monday");
    assert!(!is_public_holiday(Zone::Metropole, date(2026, 3, 8)), "a Sunday is no holiday by itself");
}

#[test]
fn saint_martin_changed_its_day_in_2018() {
    assert!(is_public_holiday(Zone::SaintMartin, date(2017, 5, 27)));
    assert!(!is_public_holiday(Zone::SaintMartin, date(2018, 5, 27)));
    assert!(is_public_holiday(Zone::SaintMartin, date(2018, 5, 28)));
}

#[test]
fn two_holidays_on_one_date_are_both_listed() {
    let names_on = |zone, wanted: Date| -> Vec<_> {
        let holidays = public_holidays(zone, wanted.year()).into_iter();
        holidays.filter(|(date, _)| *date == wanted).map(|(_, name)| name).collect()
    };
    assert_eq!(names_on(Zone::Metropole, date(2008, 5, 1)), ["1er mai", "Ascension"]);
    assert_eq!(names_on(Zone::Guadeloupe, date(1996, 5, 27)), ["Lundi de Pentecôte", "Abolition de l'esclavage"]);
}

#[test]
fn easter_is_right_at_its_earliest_and_its_latest() {
    // Published dates of Easter Sunday; the holiday is the day after.
    for sunday in [
        date(2000, 4, 23),
        date(2008, 3, 23),
        date(2038, 4, 25),
        date(2049, 4, 18),
        date(2076, 4, 19),
        date(2285, 3, 22),
    ] {
        assert!(is_public_holiday(Zone::Metropole, sunday.tomorrow().unwrap()), "{sunday}");
    }
}

#[test]
fn easter_monday_is_a_monday_and_in_season() {
    for year in 1982..=9999 {
        let (monday, _) = easter_monday(year);
        assert_eq!(monday.weekday(), jiff::civil::Weekday::Monday, "{year}");
        assert!((date(year, 3, 23)..=date(year, 4, 26)).contains(&monday), "{year}");
    }
}

fn easter_monday(year: i16) -> (Date, &'static str) {
    let mut holidays = public_holidays(Zone::Metropole, year).into_iter();
    holidays.find(|(_, name)| *name == "Lundi de Pâques").unwrap()
}

#[test]
fn years_outside_the_rules_have_no_holiday() {
    for year in [i16::MIN, -1, 0, 1981, 10_000, i16::MAX] {
        for zone in Zone::ALL {
            assert!(public_holidays(zone, year).is_empty(), "{year}");
        }
    }
    assert_eq!(public_holidays(Zone::Metropole, 1982).len(), 11);
}

#[test]
fn every_inhabited_department_has_a_zone() {
    for department in departments() {
        let zone = zone_of_department(department.code);
        assert_eq!(zone.is_some(), department.population > 0, "{}", department.name);
    }
    for (code, zone) in [
        ("57", Zone::AlsaceMoselle),
        ("67", Zone::AlsaceMoselle),
        ("68", Zone::AlsaceMoselle),
        ("54", Zone::Metropole),
        ("2B", Zone::Metropole),
        ("971", Zone::Guadeloupe),
        ("976", Zone::Mayotte),
        ("977", Zone::SaintBarthelemy),
        ("988", Zone::NouvelleCaledonie),
    ] {
        assert_eq!(zone_of_department(code), Some(zone), "{code}");
    }
    for code in ["", "96", "20", "984", "989", "999"] {
        assert_eq!(zone_of_department(code), None, "{code:?}");
    }
}

#[test]
fn a_zone_is_found_again_by_its_code() {
    for zone in Zone::ALL {
        assert_eq!(Zone::from_code(zone.code()), Some(zone));
    }
    assert_eq!(Zone::from_code("Métropole"), None);
}
