//! The country as two files draw it: structures with posts, and people who look for one, each in the commune whose centre
//! is nearest.

use std::path::Path;

use conum_geo::{Commune, Place, communes, distance_m};
use serde::de::DeserializeOwned;

/// A structure that was granted posts.
#[derive(Clone, Debug)]
pub struct Site {
    pub commune: &'static Commune,
    /// Its own, somewhere in the commune.
    pub place: Place,
    pub posts: u16,
}

/// Somebody who looks for a post.
#[derive(Clone, Debug)]
pub struct Home {
    pub commune: &'static Commune,
    /// Nothing where the person goes anywhere.
    pub max_km: Option<i32>,
}

/// Both sides.
#[derive(Clone, Debug)]
pub struct Nation {
    pub sites: Vec<Site>,
    pub homes: Vec<Home>,
}

/// The furthest that somebody may be willing to go without going anywhere.
const FURTHEST_KM: i32 = 100;

impl Nation {
    /// Reads CSV files with the columns `id,lat,lon,posts` and `id,lat,lon,max_km`.
    ///
    /// # Panics
    /// Where one of them cannot be read.
    #[must_use]
    pub fn read(structures: &Path, candidates: &Path) -> Self {
        let map = Map::of_communes();
        let sites = rows::<u16>(structures).map(|(place, posts)| Site { commune: map.nearest(place), place, posts });
        let homes = rows::<i32>(candidates).map(|(place, max_km)| Home {
            commune: map.nearest(place),
            max_km: (max_km <= FURTHEST_KM).then_some(max_km),
        });
        Self { sites: sites.collect(), homes: homes.collect() }
    }

    /// Reads the files that a program's first two arguments name, `STRUCTURES.csv CANDIDATES.csv`.
    ///
    /// # Panics
    /// Where they are missing, or cannot be read.
    #[must_use]
    pub fn of_arguments() -> Self {
        let mut arguments = std::env::args().skip(1);
        let (structures, candidates) = arguments.next().zip(arguments.next()).expect("STRUCTURES.csv CANDIDATES.csv");
        Self::read(Path::new(&structures), Path::new(&candidates))
    }
}

/// The places of a file, each with its last column.
fn rows<T: DeserializeOwned>(file: &Path) -> impl Iterator<Item = (Place, T)> {
    let reader = csv::Reader::from_path(file).expect("the file is there");
    reader.into_deserialize().map(|row| {
        let (_, lat, lon, last): (String, f64, f64, T) = row.expect("id, lat, lon and a number");
        (Place::new(lat, lon).expect("a place on Earth"), last)
    })
}

/// The communes whose centre is known, from south to north.
struct Map(Vec<(Place, &'static Commune)>);

/// The length of a degree of latitude, rounded down.
const DEGREE_M: f64 = 111_000.0;

impl Map {
    fn of_communes() -> Self {
        let mut known: Vec<_> = communes().iter().filter_map(|commune| Some((commune.place?, commune))).collect();
        known.sort_by(|(one, _), (other, _)| one.lat().total_cmp(&other.lat()));
        Self(known)
    }

    fn nearest(&self, place: Place) -> &'static Commune {
        let (south, north) = self.0.split_at(self.0.partition_point(|(centre, _)| centre.lat() < place.lat()));
        let (mut metres, mut nearest) = (u32::MAX, None);
        let mut look = |centres: &mut dyn Iterator<Item = &(Place, &'static Commune)>| {
            for (centre, commune) in centres {
                if (centre.lat() - place.lat()).abs() * DEGREE_M > f64::from(metres) {
                    break;
                }
                let distance = distance_m(place, *centre);
                if distance < metres {
                    (metres, nearest) = (distance, Some(*commune));
                }
            }
        };
        look(&mut north.iter());
        look(&mut south.iter().rev());
        nearest.expect("some commune")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_in_the_commune_whose_centre_is_nearest() {
        let map = Map::of_communes();
        for commune in communes().iter().step_by(997) {
            let Some(place) = commune.place else { continue };
            let beside = Place::new(place.lat() + 0.01, place.lon() - 0.01).unwrap();
            let metres = |other: &Commune| other.place.map_or(u32::MAX, |centre| distance_m(beside, centre));
            let least = communes().iter().map(metres).min().unwrap();
            assert_eq!(metres(map.nearest(beside)), least, "{}", commune.name);
        }
    }

    #[test]
    fn a_distance_beyond_the_furthest_is_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let (structures, candidates) = (folder.path().join("structures.csv"), folder.path().join("candidates.csv"));
        std::fs::write(&structures, "id,lat,lon,posts\n0,45.76,4.84,2\n").unwrap();
        std::fs::write(&candidates, "id,lat,lon,max_km\n0,45.76,4.84,100\n1,45.76,4.84,2000\n").unwrap();
        let nation = Nation::read(&structures, &candidates);
        assert_eq!(nation.sites[0].posts, 2);
        assert_eq!(nation.homes.iter().map(|home| home.max_km).collect::<Vec<_>>(), [Some(100), None]);
    }
}
