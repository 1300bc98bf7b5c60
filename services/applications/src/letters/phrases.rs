//! Turns of phrase of these letters: numbers, distances.

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
    fn distances_are_said_in_french() {
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
