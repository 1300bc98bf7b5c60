//! The cast: structures and candidates, drawn from the communes by their population. Nobody of it exists.

use conum_geo::{Commune, communes, departments};
use conum_proto::{
    applications::v1::{
        Application, Commitment, Contact, LineManager, Mission, Need, Post, Structure, StructureKind, need,
    },
    candidates::v1::{Background, Candidate, Reach, SectorWish, Situation, Wishes, situation},
};
use conum_service::wire;
use jiff::civil::Date;

use super::chance::Chance;

/// The structures that make the demo's rivalry certain at any seed: neighbours who all want the same person.
pub(crate) const RIVALS: usize = 6;

/// The communes that somebody may come from, with a running sum of their populations.
#[derive(Debug)]
pub(crate) struct Map {
    communes: Vec<&'static Commune>,
    sums: Vec<u64>,
}

impl Map {
    pub(crate) fn new() -> Self {
        let communes: Vec<_> = communes()
            .iter()
            .filter(|commune| commune.place.is_some() && commune.arrondissement_of.is_none() && commune.population > 0)
            .collect();
        let mut sum = 0;
        let sums = communes
            .iter()
            .map(|commune| {
                sum += u64::from(commune.population);
                sum
            })
            .collect();
        Self { communes, sums }
    }

    /// A commune, by its population.
    pub(crate) fn draw(&self, chance: &Chance, key: &str) -> &'static Commune {
        let total = self.sums.last().copied().unwrap_or(1);
        let at = chance.below(total, key, "commune");
        let index = self.sums.partition_point(|sum| *sum <= at);
        self.communes[index.min(self.communes.len() - 1)]
    }
}

const GIVEN: [&str; 24] = [
    "Amina", "Baptiste", "Camille", "Diane", "Elias", "Fatou", "Gaël", "Hélène", "Inès", "Jules", "Karim", "Léa",
    "Malo", "Nadia", "Octave", "Pauline", "Quentin", "Rose", "Samir", "Thaïs", "Ulysse", "Victor", "Wassim", "Zoé",
];
const FAMILY: [&str; 24] = [
    "Aubry", "Bernier", "Caron", "Diallo", "Esnault", "Ferrand", "Garnier", "Hamel", "Imbert", "Jacquot", "Kerbrat",
    "Lacombe", "Morvan", "Naudin", "Ollivier", "Perrot", "Quéré", "Rolland", "Sellier", "Tanguy", "Urbain", "Vasseur",
    "Weiss", "Yvon",
];

/// A valid SIRET that belongs to nobody we know of: SIREN 9xx with its key, establishment 00010 and up, with its key.
pub(crate) fn siret(number: usize) -> String {
    let siren = with_key(&format!("{:08}", 90_000_000 + number));
    (1..100)
        .map(|establishment| format!("{siren}{establishment:05}"))
        .find(|siret| luhn(siret).is_multiple_of(10))
        .unwrap_or(siren)
}

/// Digits with the key that makes their Luhn sum a multiple of 10.
fn with_key(digits: &str) -> String {
    (0..10).map(|key| format!("{digits}{key}")).find(|all| luhn(all).is_multiple_of(10)).unwrap_or_default()
}

fn luhn(digits: &str) -> u32 {
    digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(digit - b'0') * if index % 2 == 1 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum()
}

/// What a structure asks for.
pub(crate) fn application(map: &Map, chance: &Chance, number: usize, day: Date) -> Application {
    let key = format!("structure/{number}");
    let rival = number < RIVALS;
    let commune = map.draw(chance, if rival { "rivals" } else { &key });
    let kind = if rival || chance.happens(68, &key, "kind") {
        StructureKind::LocalAuthority
    } else {
        *chance.one_of(
            &[
                StructureKind::PublicBody,
                StructureKind::Association,
                StructureKind::Association,
                StructureKind::Company,
            ],
            &key,
            "private kind",
        )
    };
    let given = chance.one_of(&GIVEN, &key, "given name");
    let family = chance.one_of(&FAMILY, &key, "family name");
    Application {
        profile: Some(Structure {
            registration_number: siret(number),
            legal_name: format!("{} {}", title(kind), commune.name),
            kind: kind.into(),
            commune: commune.code.into(),
            address: format!("{} place de la République", 1 + number % 40),
            ..Structure::default()
        }),
        contact: Some(Contact {
            given_name: (*given).into(),
            family_name: (*family).into(),
            function: "Responsable du recrutement".into(),
            email: format!("recrutement.{number}@structure.example"),
            phone: "01 00 00 00 00".into(),
        }),
        line_manager: Some(LineManager { function: "Directrice générale".into(), volunteer: false }),
        posts: (0..posts(chance, &key, rival)).map(|post| asked(chance, &format!("{key}/{post}"), day)).collect(),
        missions: [Mission::DigitalAutonomy, Mission::OnlineProcedures, Mission::Outreach].map(i32::from).to_vec(),
        in_frequented_places: true,
        commitments: [
            Commitment::FreeForThePublic,
            Commitment::FullTime,
            Commitment::TimeForMeetingsAndTraining,
            Commitment::StateDress,
            Commitment::Equipment,
            Commitment::SelectionInTime,
            Commitment::FreeWithoutMembership,
        ]
        .map(i32::from)
        .to_vec(),
        needs: needs(chance, &key, rival),
        candidate_found: !rival && chance.happens(10, &key, "found"),
        ..Application::default()
    }
}

fn title(kind: StructureKind) -> &'static str {
    match kind {
        StructureKind::LocalAuthority => "Commune de",
        StructureKind::PublicBody => "Centre social public de",
        StructureKind::Company => "Société coopérative de",
        _ => "Association numérique de",
    }
}

fn posts(chance: &Chance, key: &str, rival: bool) -> i64 {
    match chance.below(100, key, "posts") {
        _ if rival => 1,
        0..70 => 1,
        70..90 => 2,
        90..97 => 3,
        _ => 5,
    }
}

fn asked(chance: &Chance, key: &str, day: Date) -> Post {
    let wished = conum_kernel::dates::add_days(day, i32::try_from(chance.between(60, 150, key, "date")).unwrap_or(90));
    Post { wished_start_date: Some(wire::from_date(wished)), ..Post::default() }
}

fn needs(chance: &Chance, key: &str, rival: bool) -> Vec<Need> {
    let kinds = [need::Kind::Experience, need::Kind::Qualification, need::Kind::DrivingLicence];
    let wanted = kinds.into_iter().filter(|kind| !rival && chance.happens(20, key, kind.as_str_name()));
    wanted.map(|kind| Need { kind: kind.into(), compulsory: chance.happens(25, key, "compulsory") }).collect()
}

/// Somebody who registers.
pub(crate) fn candidate(map: &Map, chance: &Chance, number: usize, day: Date) -> Candidate {
    let key = format!("candidate/{number}");
    // A few live next to the rivals.
    let commune = map.draw(chance, if number < RIVALS { "rivals" } else { &key });
    let birth = conum_kernel::dates::add_days(
        day,
        -i32::try_from(chance.between(6_300, 22_000, &key, "birth")).unwrap_or(9_000),
    );
    let reach = match chance.below(100, &key, "reach") {
        _ if number < RIVALS => Reach { max_km: 20, anywhere: false },
        0..5 => Reach { max_km: 0, anywhere: true },
        5..10 => Reach { max_km: 5, anywhere: false },
        10..25 => Reach { max_km: 10, anywhere: false },
        25..40 => Reach { max_km: 15, anywhere: false },
        40..65 => Reach { max_km: 20, anywhere: false },
        65..90 => Reach { max_km: 40, anywhere: false },
        _ => Reach { max_km: 100, anywhere: false },
    };
    let statuses = [
        situation::Status::JobSeeker,
        situation::Status::JobSeeker,
        situation::Status::Employed,
        situation::Status::Student,
        situation::Status::SelfEmployed,
    ];
    let available =
        conum_kernel::dates::add_days(day, i32::try_from(chance.between(0, 60, &key, "available")).unwrap_or(0));
    Candidate {
        given_name: (*chance.one_of(&GIVEN, &key, "given name")).into(),
        family_name: format!("{} {}", chance.one_of(&FAMILY, &key, "family name"), roman(number)),
        birth_date: Some(wire::from_date(birth)),
        email: format!("candidat.{number}@exemple.example"),
        commune: commune.code.into(),
        reach: Some(reach),
        situation: Some(Situation { status: (*chance.one_of(&statuses, &key, "status")).into(), ..Default::default() }),
        available_from: Some(wire::from_date(available)),
        wishes: Some(wishes(chance, &key)),
        background: Some(Background {
            experience: chance.happens(30, &key, "experience"),
            qualification: chance.happens(25, &key, "qualification"),
            driving_licence: chance.happens(60, &key, "licence"),
        }),
        ..Candidate::default()
    }
}

fn wishes(chance: &Chance, key: &str) -> Wishes {
    let departments = departments();
    let wished = chance.happens(4, key, "wish").then(|| chance.one_of(departments, key, "department").code.to_owned());
    let sector = chance.happens(30, key, "sector").then_some(i32::from(SectorWish::Public));
    Wishes { departments: wished.into_iter().collect(), sectors: sector.into_iter().collect() }
}

/// Letters that tell namesakes apart, so that two of the cast are never one person by name and birth date.
fn roman(mut number: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.push(char::from(b'a' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
        if number == 0 {
            return letters;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_casts_registration_numbers_are_valid_and_distinct() {
        let mut seen = std::collections::HashSet::new();
        for number in 0..2000 {
            let siret = siret(number);
            assert_eq!((siret.len(), luhn(&siret) % 10, luhn(&siret[..9]) % 10), (14, 0, 0), "{siret}");
            assert!(seen.insert(siret));
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_people() {
        let (map, day) = (Map::new(), "2020-12-01".parse().unwrap());
        let one = candidate(&map, &Chance::new(7), 12, day);
        assert_eq!(one, candidate(&map, &Chance::new(7), 12, day));
        assert_ne!(one, candidate(&map, &Chance::new(8), 12, day));
    }
}
