//! What the rest of the platform counts on when it looks up a commune, or the code of one that is gone.

use conum_geo::{Commune, Resolved, Territory, commune, communes, communes_by_postal_code, department, resolve};

fn codes(communes: &[&Commune]) -> Vec<&'static str> {
    communes.iter().map(|commune| commune.code).collect()
}

#[test]
fn the_table_is_read_whole_and_sorted() {
    assert_eq!(communes().len(), 35_014, "a row was lost");
    assert!(communes().windows(2).all(|pair| pair[0].code < pair[1].code));
    assert_eq!(communes().iter().filter(|c| c.arrondissement_of.is_some()).count(), 45);
    assert_eq!(communes().iter().filter(|c| c.place.is_none()).count(), 94);
    assert!(communes().iter().all(|c| department(c.department).is_some() && c.territory().is_some()));
}

#[test]
fn the_first_and_the_last_commune_are_found() {
    assert_eq!(communes().first().unwrap().code, "01001");
    assert_eq!(communes().last().unwrap().code, "98901");
    assert_eq!(commune("01001").unwrap().name, "L'Abergement-Clémenciat");
    assert_eq!(commune("98901").unwrap().name, "Île de Clipperton");
}

#[test]
fn a_commune_says_what_the_source_says() {
    let ajaccio = commune("2A004").unwrap();
    assert_eq!(ajaccio.name, "Ajaccio");
    assert_eq!((ajaccio.department, ajaccio.region), ("2A", "94"));
    assert_eq!(ajaccio.population, 76_320);
    assert_eq!(ajaccio.postal_codes().collect::<Vec<_>>(), ["20000", "20090", "20167"]);
    let place = ajaccio.place.unwrap();
    assert!((place.lat() - 41.934_684).abs() < 1e-9 && (place.lon() - 8.701_103).abs() < 1e-9);
    assert_eq!(ajaccio.territory(), Some(Territory::Metropole), "no sea rule for Corsica");
}

#[test]
fn a_code_that_is_not_exact_is_not_guessed() {
    for code in ["", "1001", "010010", " 01001", "2a004", "00000", "99999", "é"] {
        assert_eq!(commune(code), None, "{code:?}");
        assert_eq!(resolve(code), Resolved::Unknown, "{code:?}");
        assert_eq!(resolve(code).commune(), None);
    }
}

#[test]
fn an_arrondissement_of_paris_knows_its_city() {
    let thirteenth = commune("75113").unwrap();
    assert_eq!(thirteenth.name, "Paris 13e Arrondissement");
    assert_eq!(thirteenth.arrondissement_of, Some("75056"));
    assert_eq!(thirteenth.department, "75");
    assert!(thirteenth.place.is_some());
    assert_eq!(commune("75056").unwrap().arrondissement_of, None);
}

#[test]
fn arrondissements_hold_all_the_inhabitants_of_their_city() {
    for city in ["75056", "69123", "13055"] {
        let inside: u32 = communes().iter().filter(|c| c.arrondissement_of == Some(city)).map(|c| c.population).sum();
        assert_eq!(inside, commune(city).unwrap().population, "{city}");
    }
}

#[test]
fn an_overseas_collectivity_has_communes_without_a_centre() {
    let noumea = commune("98818").unwrap();
    assert_eq!(noumea.name, "Nouméa");
    assert_eq!((noumea.department, noumea.region), ("988", "988"));
    assert_eq!(noumea.place, None);
    assert_eq!(noumea.territory(), Some(Territory::NouvelleCaledonie));
}

#[test]
fn nobody_lives_nor_gets_mail_in_the_kerguelen() {
    let kerguelen = commune("98412").unwrap();
    assert_eq!(kerguelen.population, 0);
    assert_eq!(kerguelen.postal_codes().count(), 0);
}

#[test]
fn a_postal_code_serves_communes_and_arrondissements() {
    assert_eq!(codes(communes_by_postal_code("75013")), ["75056", "75113"]);
    assert_eq!(codes(communes_by_postal_code("75116")), ["75056", "75116"], "the 16th has two");
    assert_eq!(codes(communes_by_postal_code("97133")), ["97701"], "Saint-Barthélemy");
    assert_eq!(communes_by_postal_code("51300").len(), 46, "the most shared of all");
}

#[test]
fn a_postal_code_may_cross_a_department_border() {
    assert_eq!(codes(communes_by_postal_code("01590")), ["01148", "39102", "39283"]);
}

#[test]
fn an_unknown_postal_code_serves_nothing() {
    for postal_code in ["", "00000", "99999", "7501", "75013 ", "2A004"] {
        assert!(communes_by_postal_code(postal_code).is_empty(), "{postal_code:?}");
    }
}

#[test]
fn every_commune_answers_to_each_of_its_postal_codes() {
    for commune in communes() {
        for postal_code in commune.postal_codes() {
            assert!(codes(communes_by_postal_code(postal_code)).contains(&commune.code));
        }
    }
}

#[test]
fn a_code_in_force_resolves_to_itself() {
    assert_eq!(resolve("69149"), Resolved::Current(commune("69149").unwrap()));
    assert_eq!(resolve("75113").commune(), commune("75113"));
}

#[test]
fn pierre_benite_is_in_oullins_pierre_benite_now() {
    let Resolved::Vanished { code, now } = resolve("69152") else {
        unreachable!("69152 vanished in 2024");
    };
    assert_eq!((code, now.code, now.name), ("69152", "69149", "Oullins-Pierre-Bénite"));
}

#[test]
fn codes_from_before_a_change_of_department_are_known() {
    assert_eq!(resolve("20004").commune(), commune("2A004"), "Corsica was one department until 1976");
    assert_eq!(resolve("01003").commune(), commune("01165"), "first row of the table");
    assert_eq!(resolve("97359").commune(), commune("97310"), "last row of the table");
    assert_eq!(resolve("75001").commune().unwrap().name, "Alfortville", "not Paris 1er");
}
