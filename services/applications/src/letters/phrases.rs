//! Turns of phrase: days, numbers, distances.

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
pub(super) fn day(date: Date) -> String {
    let month = usize::from(date.month().unsigned_abs()).checked_sub(1).and_then(|place| MONTHS.get(place));
    let number = if date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
    format!("{number} {} {}", month.copied().unwrap_or_default(), date.year())
}

/// How far somebody lives, as it is said after "Une personne".
pub(super) fn distance(metres: Option<u32>) -> String {
    match metres {
        None => "prête à vous rejoindre".to_owned(),
        Some(0) => "de votre commune".to_owned(),
        Some(metres @ 1..1500) => format!("à {metres} m de chez vous"),
        Some(metres) => format!("à environ {} km de chez vous", (metres + 500) / 1000),
    }
}

/// Posts, counted.
pub(super) fn posts(count: u32) -> String {
    if count == 1 { "un poste".to_owned() } else { format!("{count} postes") }
}

/// Markdown as a letter can show it: its paragraphs without marks, a table's rows as lines.
pub(super) fn plain(markdown: &str) -> Vec<String> {
    markdown.split("\n\n").map(plain_block).filter(|block| !block.is_empty()).collect()
}

fn plain_block(block: &str) -> String {
    let mut rows = block.lines().filter(|line| !line.starts_with("|---")).map(|line| {
        if line.starts_with('|') {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            format!("- {}", cells.join(" · "))
        } else {
            line.trim_start_matches('#').trim().to_owned()
        }
    });
    // The first row of a table names its columns.
    if block.starts_with('|') {
        rows.next();
    }
    rows.collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_distances_are_said_in_french() {
        assert_eq!(day(Date::constant(2021, 3, 1)), "1er mars 2021");
        assert_eq!(day(Date::constant(2020, 12, 22)), "22 décembre 2020");
        assert_eq!(distance(Some(0)), "de votre commune");
        assert_eq!(distance(Some(12_400)), "à environ 12 km de chez vous");
        assert_eq!(distance(Some(900)), "à 900 m de chez vous");
    }

    #[test]
    fn a_kit_becomes_paragraphs_without_marks() {
        let plain = plain("# Titre\n\nUn texte.\n\n| Sujet | Question |\n|---|---|\n| A | B |\n");
        assert_eq!(plain, ["Titre", "Un texte.", "- A · B"]);
    }
}
