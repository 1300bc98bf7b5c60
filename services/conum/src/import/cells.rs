//! What a record of a file says, column by column, and how its texts are read: days, numbers, yes and no, codes that
//! lost a zero.

use std::collections::HashMap;

use jiff::civil::Date;

/// The columns that a kind of file has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// Those that a file must have.
    pub(crate) compulsory: &'static [&'static str],
    pub(crate) optional: &'static [&'static str],
}

impl Columns {
    pub(crate) fn knows(&self, column: &str) -> bool {
        self.all().any(|known| known == column)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.compulsory.iter().chain(self.optional).copied()
    }
}

/// The texts of a record, without the spaces around them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells(HashMap<String, String>);

impl Cells {
    /// The text of a column; empty where the record says nothing.
    pub(crate) fn get(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }

    /// The columns that the record has, whatever they say.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Cells {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(cells: I) -> Self {
        Self(cells.into_iter().map(|(column, text)| (column, text.trim().to_owned())).collect())
    }
}

/// What a source says, or nothing where it writes "0" or "null" because it does not know.
pub(crate) fn known(text: &str) -> &str {
    if text == "0" || text.eq_ignore_ascii_case("null") { "" } else { text }
}

/// A day, as 2021-05-19 or 19/05/2021.
pub(crate) fn date(text: &str) -> Option<Date> {
    let pattern = if text.contains('/') { "%d/%m/%Y" } else { "%Y-%m-%d" };
    let date = Date::strptime(pattern, text).ok()?;
    // A year of two digits is no year.
    (1900..=2199).contains(&date.year()).then_some(date)
}

/// Degrees, with a point or a comma.
pub(crate) fn degrees(text: &str) -> Option<f64> {
    text.replace(',', ".").parse().ok().filter(|degrees: &f64| degrees.is_finite())
}

/// Yes or no, in English or French; no where nothing is said.
pub(crate) fn yes(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "oui" | "vrai" | "1" => Some(true),
        "" | "false" | "no" | "non" | "faux" | "0" => Some(false),
        _ => None,
    }
}

/// A code of some digits with the zero that a spreadsheet took off its head.
pub(crate) fn with_lost_zero(code: &str, digits: usize) -> Option<String> {
    let lost = code.len() + 1 == digits && code.bytes().all(|byte| byte.is_ascii_digit());
    lost.then(|| format!("0{code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_the_french_and_as_machines_write_them() {
        let day = Some(jiff::civil::date(2021, 5, 9));
        assert_eq!((date("2021-05-09"), date("09/05/2021"), date("9/5/2021")), (day, day, day));
        for none in ["", "31/02/2021", "2021-13-01", "09/05/21", "05-09-2021", "9 mai 2021"] {
            assert_eq!(date(none), None, "{none}");
        }
    }

    #[test]
    fn a_code_gets_back_the_zero_that_it_lost_and_no_other() {
        assert_eq!(with_lost_zero("1960", 5).as_deref(), Some("01960"));
        assert_eq!(with_lost_zero("1", 2).as_deref(), Some("01"));
        for whole in ["01960", "196", "A960", ""] {
            assert_eq!(with_lost_zero(whole, 5), None, "{whole}");
        }
    }

    #[test]
    fn degrees_yes_and_nothing() {
        assert_eq!(
            (degrees("46,26"), degrees("47"), degrees(""), degrees("NaN")),
            (Some(46.26), Some(47.0), None, None)
        );
        assert_eq!((yes("Oui"), yes(""), yes("peut-être")), (Some(true), Some(false), None));
        assert_eq!((known("0"), known("NULL"), known("Ain")), ("", "", "Ain"));
    }
}
