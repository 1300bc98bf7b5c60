//! Turns of phrase that the mails of several services share: days and amounts as French writes them.

use conum_kernel::Cents;
use jiff::civil::Date;

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// A day as it is said: 1er mars 2021.
#[must_use]
pub fn day(date: Date) -> String {
    let month = usize::from(date.month().unsigned_abs()).checked_sub(1).and_then(|place| MONTHS.get(place));
    let number = if date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
    format!("{number} {} {}", month.copied().unwrap_or_default(), date.year())
}

/// The days from a first to a last one, both included: du 1er mars 2021 au 19 mars 2021; of one day, le 1er mars 2021.
#[must_use]
pub fn days(first: Date, last: Date) -> String {
    if first == last { format!("le {}", day(first)) } else { format!("du {} au {}", day(first), day(last)) }
}

/// An amount in euros: 12 500 € where no cent is left, 1 554,58 € otherwise. Its spaces do not break.
#[must_use]
pub fn euros(amount: Cents) -> String {
    let (whole, cents) = (amount.0.unsigned_abs() / 100, amount.0.unsigned_abs() % 100);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let sign = if amount.0 < 0 { "-" } else { "" };
    let cents = if cents == 0 { String::new() } else { format!(",{cents:02}") };
    format!("{sign}{grouped}{cents}\u{a0}€")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_said_in_french() {
        assert_eq!(day(Date::constant(2021, 3, 1)), "1er mars 2021");
        assert_eq!(day(Date::constant(2020, 12, 22)), "22 décembre 2020");
        assert_eq!(day(Date::constant(2021, 8, 31)), "31 août 2021");
        let (first, last) = (Date::constant(2021, 2, 1), Date::constant(2021, 2, 19));
        assert_eq!(days(first, last), "du 1er février 2021 au 19 février 2021");
        assert_eq!(days(first, first), "le 1er février 2021");
    }

    #[test]
    fn amounts_are_written_as_in_french_with_spaces_that_do_not_break() {
        for (cents, expected) in [
            (0, "0\u{a0}€"),
            (99_900, "999\u{a0}€"),
            (1_250_000, "12\u{202f}500\u{a0}€"),
            (155_458, "1\u{202f}554,58\u{a0}€"),
            (100_000_005, "1\u{202f}000\u{202f}000,05\u{a0}€"),
            (-5, "-0,05\u{a0}€"),
        ] {
            assert_eq!(euros(Cents(cents)), expected);
        }
    }
}
