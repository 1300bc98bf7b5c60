//! Departments, the territories they make, and names as people type them.

use conum_geo::{
    Place, Territory, communes, department, departments, distance_m, find_department_by_name, territory_of,
};

#[test]
fn the_table_is_read_whole_and_sorted() {
    assert_eq!(departments().len(), 109);
    assert!(departments().windows(2).all(|pair| pair[0].code < pair[1].code));
}

#[test]
fn a_department_counts_the_inhabitants_of_its_communes_once() {
    for department in departments() {
        let inhabitants: u32 = communes()
            .iter()
            .filter(|c| c.department == department.code && c.arrondissement_of.is_none())
            .map(|c| c.population)
            .sum();
        assert_eq!(department.population, inhabitants, "{}", department.name);
    }
    assert_eq!(department("75").unwrap().population, 2_103_778);
}

#[test]
fn departments_have_the_region_of_their_communes() {
    let armor = department("22").unwrap();
    assert_eq!((armor.name, armor.region, armor.region_name), ("Côtes-d'Armor", "53", "Bretagne"));
    assert_eq!(department("974").unwrap().region, "04");
    for commune in communes() {
        assert_eq!(commune.region, department(commune.department).unwrap().region);
    }
}

#[test]
fn a_department_is_placed_where_its_people_are() {
    let in_nice = Place::new(43.70, 7.27).unwrap();
    let alpes_maritimes = department("06").unwrap().place.unwrap();
    assert!(distance_m(in_nice, alpes_maritimes) < 20_000, "most live on the coast");
    let unplaced: Vec<_> = departments().iter().filter(|d| d.place.is_none()).map(|d| d.code).collect();
    assert_eq!(unplaced, ["975", "977", "978", "984", "986", "987", "988", "989"]);
}

#[test]
fn a_department_code_that_is_not_exact_is_not_guessed() {
    for code in ["", "1", "001", "20", "2a", "96", "970", "979", "999", "01001"] {
        assert_eq!(department(code), None, "{code:?}");
        assert_eq!(territory_of(code), None, "{code:?}");
    }
}

#[test]
fn every_department_is_found_by_its_own_name_in_capitals_or_not() {
    for department in departments() {
        assert_eq!(find_department_by_name(department.name), Some(department));
        assert_eq!(find_department_by_name(&department.name.to_uppercase()), Some(department));
    }
}

#[test]
fn names_typed_by_hand_are_understood() {
    for (typed, code) in [
        ("cotes d armor", "22"),
        ("  Côtes d’Armor ", "22"),
        ("COTES-D'ARMOR", "22"),
        ("Re\u{301}union", "974"),
        ("la reunion", "974"),
        ("L'Hérault", "34"),
        ("Seine St Denis", "93"),
        ("Seine-St.-Denis", "93"),
        ("St Pierre et Miquelon", "975"),
        ("Wallis-et-Futuna", "986"),
        ("val d'oise", "95"),
        ("Corse du Sud", "2A"),
    ] {
        assert_eq!(find_department_by_name(typed).map(|d| d.code), Some(code), "{typed:?}");
    }
}

#[test]
fn names_of_no_department_find_nothing() {
    for typed in ["", " ", "-", "la", "Sein-Saint-Denis", "Seine Saint", "Corse", "Bretagne", "75"] {
        assert_eq!(find_department_by_name(typed), None, "{typed:?}");
    }
}

#[test]
fn corsica_is_in_the_metropolitan_territory() {
    for code in ["01", "2A", "2B", "75", "95"] {
        assert_eq!(territory_of(code), Some(Territory::Metropole), "{code}");
    }
}

#[test]
fn each_overseas_department_is_a_territory_of_its_own() {
    assert_eq!(territory_of("971"), Some(Territory::Guadeloupe));
    assert_eq!(territory_of("974"), Some(Territory::Reunion));
    assert_eq!(territory_of("977"), Some(Territory::SaintBarthelemy), "not Guadeloupe any more");
    assert_eq!(territory_of("984"), Some(Territory::TerresAustralesEtAntarctiques));
    for department in departments() {
        let territory = territory_of(department.code).unwrap();
        let expected = if department.code.len() == 3 { department.code } else { "metropole" };
        assert_eq!(territory.code(), expected);
    }
}

#[test]
fn a_territory_is_found_again_by_its_code() {
    for territory in Territory::ALL {
        assert_eq!(Territory::from_code(territory.code()), Some(territory));
        assert!(!territory.name().is_empty());
    }
    assert_eq!(Territory::from_code("75"), None);
}
