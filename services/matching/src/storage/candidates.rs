//! People, as their own service tells them, and the search for those who may be introduced.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use conum_geo::{BoundingBox, Place, Territory, distance_m};
use conum_kernel::{CandidateId, Error, StructureId};
use conum_service::{
    Failure, Tx,
    sql::{self, Rows, Script},
};
use jiff::civil::Date;
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::{introductions, read};
use crate::domain::{
    assignment::{Available, Introduced},
    candidate::{Candidate, Quality, Reach, Sector},
    structure::{Seat, Structure},
};

#[derive(Debug, FromQueryResult)]
struct Row {
    id: String,
    registered_at: DateTime<Utc>,
    commune: String,
    lat: Option<f64>,
    lon: Option<f64>,
    department: String,
    territory: Option<String>,
    max_km: Option<i32>,
    available_from: NaiveDate,
    sectors: String,
    offers: String,
    wishes: String,
    eligible: bool,
    job_seeker_since: Option<NaiveDate>,
    live: i64,
    taken: bool,
    gone: bool,
}

const COLUMNS: &str = "id, registered_at, commune, lat, lon, department, territory, max_km, available_from, sectors,
    offers, wishes, eligible, job_seeker_since, taken, gone";
/// Live introductions, counted where they are.
const LIVE: &str =
    "(SELECT count(*) FROM introductions WHERE candidate = candidates.id AND candidate_slot IS NOT NULL)";
/// Who may be introduced at all, as the partial indexes say it.
const OPEN: &str = "eligible AND NOT taken AND NOT gone";

/// A candidate, and what has happened to it here.
#[derive(Clone, Debug)]
pub struct Stored {
    pub candidate: Candidate,
    /// Live introductions.
    pub live: usize,
    /// A selection or a contract holds the person.
    pub taken: bool,
    /// Left, merged or erased.
    pub gone: bool,
}

impl Stored {
    /// Whether the person may be introduced at all.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.candidate.eligible && !self.taken && !self.gone
    }

    /// The person with the room that a limit of live introductions leaves.
    #[must_use]
    pub fn available(self, limit: usize) -> Available {
        Available { room: limit.saturating_sub(self.live), candidate: self.candidate }
    }
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let list = |text: &str| text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let candidate = Candidate {
            id: read(row.id.parse())?,
            registered_at: sql::timestamp(row.registered_at),
            commune: row.commune,
            place: row.lat.zip(row.lon).and_then(|(lat, lon)| Place::new(lat, lon).ok()),
            department: row.department,
            territory: row.territory.as_deref().and_then(Territory::from_code),
            reach: row.max_km.map_or(Reach::Anywhere, |km| Reach::Within(km.unsigned_abs())),
            available_from: sql::date(row.available_from)?,
            wished_departments: list(&row.wishes),
            wished_sectors: list(&row.sectors).iter().filter_map(|text| Sector::parse(text)).collect(),
            offers: list(&row.offers).iter().filter_map(|text| Quality::parse(text)).collect(),
            eligible: row.eligible,
            job_seeker_since: row.job_seeker_since.map(sql::date).transpose()?,
        };
        Ok(Self { candidate, live: usize::try_from(row.live).unwrap_or(0), taken: row.taken, gone: row.gone })
    }
}

fn stored(rows: Vec<Row>) -> Result<Vec<Stored>, Failure> {
    rows.into_iter().map(|row| Stored::try_from(row).map_err(Failure::from)).collect()
}

/// Writes what a candidate's service tells, and keeps what has happened here. Who becomes available after today is awaited.
///
/// # Errors
/// The database's.
pub async fn upsert(tx: &Tx, candidate: &Candidate, today: Date) -> Result<(), Failure> {
    let max_km = match candidate.reach {
        Reach::Within(km) => Some(i32::try_from(km.min(FURTHEST_KM)).unwrap_or(i32::MAX)),
        Reach::Anywhere => None,
    };
    let words = |words: Vec<&str>| words.join(",");
    sql::execute(
        tx,
        "INSERT INTO candidates (id, registered_at, commune, lat, lon, department, territory, max_km, available_from,
           sectors, offers, wishes, eligible, job_seeker_since, awaited, map_row, taken, gone)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, false, false)
         ON CONFLICT (id) DO UPDATE SET registered_at = excluded.registered_at, commune = excluded.commune,
           lat = excluded.lat, lon = excluded.lon, department = excluded.department, territory = excluded.territory,
           max_km = excluded.max_km, available_from = excluded.available_from, sectors = excluded.sectors,
           offers = excluded.offers, wishes = excluded.wishes, eligible = excluded.eligible,
           job_seeker_since = excluded.job_seeker_since, awaited = excluded.awaited, map_row = excluded.map_row",
        [
            candidate.id.to_string().into(),
            sql::instant(candidate.registered_at).into(),
            candidate.commune.clone().into(),
            candidate.place.map(Place::lat).into(),
            candidate.place.map(Place::lon).into(),
            candidate.department.clone().into(),
            candidate.territory.map(|territory| territory.code().to_owned()).into(),
            max_km.into(),
            sql::day(candidate.available_from).into(),
            words(candidate.wished_sectors.iter().map(|sector| sector.text()).collect()).into(),
            words(candidate.offers.iter().map(|quality| quality.text()).collect()).into(),
            candidate.wished_departments.join(",").into(),
            candidate.eligible.into(),
            candidate.job_seeker_since.map(sql::day).into(),
            (candidate.available_from > today).into(),
            candidate.place.map(map_row).into(),
        ],
    )
    .await?;
    let id = candidate.id.to_string();
    sql::execute(tx, "DELETE FROM wishes WHERE candidate = $1", [id.clone().into()]).await?;
    for department in &candidate.wished_departments {
        let insert = "INSERT INTO wishes (department, candidate) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        sql::execute(tx, insert, [department.clone().into(), id.clone().into()]).await?;
    }
    Ok(())
}

/// Reads a candidate.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: CandidateId) -> Result<Option<Stored>, Failure> {
    let query = format!("SELECT {COLUMNS}, {LIVE} AS live FROM candidates WHERE id = $1");
    let row: Option<Row> = sql::row(connection, &query, [id.to_string().into()]).await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

/// Reads a candidate and locks it. Its live introductions are those from before another one's lock.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &Tx, id: CandidateId) -> Result<Option<Stored>, Failure> {
    let query = format!("SELECT {COLUMNS}, {LIVE} AS live FROM candidates WHERE id = $1{}", sql::for_update(tx));
    let row: Option<Row> = sql::row(tx, &query, [id.to_string().into()]).await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

/// Locks a candidate whose introductions change, where rows are locked.
///
/// # Errors
/// The database's.
pub async fn hold(tx: &Tx, id: CandidateId) -> Result<(), Failure> {
    Ok(sql::lock(tx, "SELECT 1 AS found FROM candidates WHERE id = $1", [id.to_string().into()]).await?)
}

/// Locks a candidate, and answers whether there is a place left and the person may be introduced. The place is taken with
/// the introduction, whose slot nobody else can have.
///
/// # Errors
/// The database's.
pub async fn lock_place(tx: &Tx, id: CandidateId, limit: usize) -> Result<bool, Failure> {
    let lock = format!("SELECT 1 AS found FROM candidates WHERE id = $1 AND {OPEN}{}", sql::for_update(tx));
    let is_open = sql::one(tx, &lock, [id.to_string().into()]).await?.is_some();
    // Counted under the lock: what another one has taken meanwhile is seen.
    Ok(is_open && introductions::live_count_of_candidate(tx, id).await? < limit)
}

/// What is told of a candidate who is locked, where others may have written it since it was read; nothing on SQLite,
/// whose one writer reads what it decides on.
///
/// # Errors
/// The database's.
pub async fn told_meanwhile(tx: &Tx, id: CandidateId) -> Result<Option<Candidate>, Failure> {
    if !sql::is_postgres(tx) {
        return Ok(None);
    }
    Ok(find(tx, id).await?.map(|stored| stored.candidate))
}

/// Notes that a selection or a contract holds a person, or no longer does.
///
/// # Errors
/// The database's.
pub async fn set_taken(tx: &Tx, id: CandidateId, taken: bool) -> Result<(), Failure> {
    let update = "UPDATE candidates SET taken = $2 WHERE id = $1";
    sql::execute(tx, update, [id.to_string().into(), taken.into()]).await?;
    Ok(())
}

/// Notes that a person has left the programme.
///
/// # Errors
/// The database's.
pub async fn set_gone(tx: &Tx, id: CandidateId, merged_into: Option<CandidateId>) -> Result<(), Failure> {
    let update = "UPDATE candidates SET gone = true, merged_into = $2 WHERE id = $1";
    sql::execute(tx, update, [id.to_string().into(), merged_into.map(|id| id.to_string()).into()]).await?;
    Ok(())
}

/// Drops what is held of an erased person, and keeps the id (C07).
///
/// # Errors
/// The database's.
pub async fn erase(tx: &Tx, id: CandidateId) -> Result<(), Failure> {
    let id = id.to_string();
    sql::execute(tx, "DELETE FROM wishes WHERE candidate = $1", [id.clone().into()]).await?;
    sql::execute(
        tx,
        "UPDATE candidates SET gone = true, eligible = false, commune = '', lat = NULL, lon = NULL, department = '',
           territory = NULL, max_km = 0, sectors = '', offers = '', wishes = '', job_seeker_since = NULL, awaited = false, map_row = NULL
         WHERE id = $1",
        [id.into()],
    )
    .await?;
    Ok(())
}

/// Those who were awaited and have become available, in the order of their days and ids.
///
/// # Errors
/// The database's.
pub async fn arrived<C: ConnectionTrait>(connection: &C, today: Date, limit: u64) -> Result<Vec<CandidateId>, Failure> {
    let query = format!(
        "SELECT id FROM candidates WHERE awaited AND available_from <= $1 ORDER BY available_from, id LIMIT {limit}"
    );
    let rows = sql::all(connection, &query, [sql::day(today).into()]).await?;
    rows.into_iter().map(|row| Ok(read(row.try_get::<String>("", "id")?.parse())?)).collect()
}

/// Notes that somebody who was awaited is available.
///
/// # Errors
/// The database's.
pub async fn set_arrived(tx: &Tx, id: CandidateId) -> Result<(), Failure> {
    sql::execute(tx, "UPDATE candidates SET awaited = false WHERE id = $1", [id.to_string().into()]).await?;
    Ok(())
}

/// Everybody with room for more introductions: what a wave is computed from.
///
/// # Errors
/// The database's.
pub async fn with_room<C: Rows>(connection: &C, limit: usize) -> Result<Vec<Available>, Failure> {
    let people = open(connection).await?.into_iter().map(|person| person.available(limit));
    Ok(people.filter(|person| person.room > 0).collect())
}

/// Everybody who may be introduced, whether there is room or not, and their live introductions.
///
/// # Errors
/// The database's.
pub async fn open<C: Rows>(connection: &C) -> Result<Vec<Stored>, Failure> {
    let query = format!("SELECT {COLUMNS}, {LIVE} AS live FROM candidates WHERE {OPEN}");
    sql::every(connection, &query, [], |row: Row| row.try_into()).await
}

/// Everybody of the programme who lives around a structure, goes as far as it on its side of the sea, or wishes its
/// department, and whether they were ever introduced to it.
///
/// # Errors
/// The database's.
pub async fn near<C: ConnectionTrait>(
    connection: &C,
    structure: &Structure,
    km: u32,
) -> Result<Vec<(Stored, bool)>, Failure> {
    let area = structure.place.map(|place| BoundingBox::around(place, f64::from(km)));
    let query = format!(
        "SELECT {COLUMNS}, {LIVE} AS live FROM candidates WHERE NOT gone AND ({FAR_GOING} AND territory = $1
           OR lat BETWEEN $2 AND $3 AND lon BETWEEN $4 AND $5 OR commune = $6
           OR id IN (SELECT candidate FROM wishes WHERE department = $7))"
    );
    let territory = structure.territory.map(|territory| territory.code().to_owned());
    let values: [Value; 7] = [
        territory.into(),
        area.as_ref().map(|area| area.min_lat).into(),
        area.as_ref().map(|area| area.max_lat).into(),
        area.as_ref().map(|area| area.min_lon).into(),
        area.as_ref().map(|area| area.max_lon).into(),
        structure.commune.clone().into(),
        structure.department.clone().into(),
    ];
    let introduced: HashSet<CandidateId> =
        pairs(connection, &[structure.id]).await?.into_iter().map(|(_, candidate)| candidate).collect();
    let people = stored(sql::rows(connection, &query, values).await?)?;
    let near = |stored: Stored| {
        let metres = stored.candidate.place.zip(structure.place).map(|(home, site)| distance_m(home, site));
        let close = metres.is_some_and(|metres| metres <= km.saturating_mul(1000));
        let candidate = &stored.candidate;
        let wishes = candidate.wished_departments.contains(&structure.department);
        let reaches = match candidate.reach {
            Reach::Anywhere => true,
            Reach::Within(km) => metres.is_some_and(|metres| metres <= km.saturating_mul(1000)),
        };
        let comes = reaches && candidate.territory == structure.territory;
        let introduced = introduced.contains(&candidate.id);
        (close || wishes || comes || candidate.commune == structure.commune).then_some((stored, introduced))
    };
    Ok(people.into_iter().filter_map(near).collect())
}

/// How far a search for one place looks at first, then further, in km. Who goes further than the last ring is far-going.
pub const RINGS: [f64; 5] = [3.0, 10.0, 25.0, 50.0, 100.0];

/// Who goes further than the last of the rings, or anywhere, as an index says it.
const FAR_GOING: &str = "(max_km IS NULL OR max_km > 100)";
/// Half way around the Earth and more, in km: nobody goes further.
const FURTHEST_KM: u32 = 20_040;

/// Whom a search for one structure is among.
#[derive(Clone, Copy, Debug)]
pub struct Among {
    /// Live introductions of a candidate at most.
    pub limit: usize,
    /// Only job seekers since this day or an earlier one.
    pub job_seekers_since: Option<Date>,
}

impl Among {
    /// Who they are, with a parameter of this number for the day.
    fn condition(self, since: usize) -> String {
        let group = self.job_seekers_since.map(|_| format!(" AND job_seeker_since <= ${since}")).unwrap_or_default();
        format!("{OPEN}{group}")
    }

    fn values(self) -> impl Iterator<Item = Value> {
        self.job_seekers_since.map(|day| sql::day(day).into()).into_iter()
    }
}

/// People around a structure.
#[derive(Debug)]
pub struct Around {
    /// Those with room who were never introduced to it. Some are a little too far.
    pub people: Vec<Available>,
    /// There is nobody else.
    pub whole: bool,
    /// Where the furthest of those who were looked at lives: nobody else is nearer, on a flat map.
    pub furthest: Option<Place>,
}

/// Looks at `most` people who reach a structure from around its place, beside those who were introduced to it: the nearest
/// on a flat map, then the earliest registered, then by id; within some km, or, without a limit, those who go further than
/// all rings, on its side of the sea. Where it is asked for, only at those with room: that takes longer for each, and fewer of them.
///
/// # Errors
/// The database's.
pub async fn around(
    tx: &Tx,
    seat: &Seat,
    km: Option<f64>,
    among: Among,
    introduced: &Introduced,
    most: usize,
    with_room: bool,
) -> Result<Around, Failure> {
    let Some(place) = seat.structure.place else {
        return Ok(Around { people: Vec::new(), whole: true, furthest: None });
    };
    let is_new = |candidate: CandidateId| !introduced.contains(&(seat.structure.id, candidate));
    let most = most + introduced.iter().filter(|(structure, _)| *structure == seat.structure.id).count();
    let narrowing = place.lat().to_radians().cos().powi(2);
    let mut values: Vec<Value> =
        vec![territory(seat).into(), place.lat().into(), place.lon().into(), narrowing.into(), count(most)];
    let room = if with_room {
        values.push(count(among.limit));
        format!(" AND {LIVE} < ${}", values.len())
    } else {
        String::new()
    };
    let since = values.len() + 1;
    values.extend(among.values());
    let away = "((lat - $2) * (lat - $2) + (lon - $3) * (lon - $3) * $4)";
    let within = match km {
        None => FAR_GOING.to_owned(),
        Some(km) => {
            let area = BoundingBox::around(place, km);
            // The rows of the map that the area touches, whichever of two a place on their border is in.
            let rows = whole(area.min_lat * ROWS - 0.5)..=whole(area.max_lat * ROWS + 0.5) + 1;
            let first = values.len() + 1;
            values.extend([area.min_lat, area.max_lat, area.min_lon, area.max_lon, REACH].map(Value::from));
            let first_row = values.len() + 1;
            values.extend(rows.map(Value::from));
            format!(
                "map_row IN ({rows}) AND lat BETWEEN ${first} AND ${max_lat} AND lon BETWEEN ${min_lon} AND ${max_lon}
                   AND (max_km IS NULL OR {away} <= max_km * max_km * ${reach})",
                rows = sql::parameters(first_row, values.len() + 1 - first_row),
                max_lat = first + 1,
                min_lon = first + 2,
                max_lon = first + 3,
                reach = first + 4,
            )
        }
    };
    let query = format!(
        "SELECT {COLUMNS}, {LIVE} AS live FROM candidates WHERE id IN (
           SELECT id FROM candidates WHERE {among} AND territory = $1 AND {within}{room} ORDER BY {away}, registered_at, id LIMIT $5)",
        among = among.condition(since),
    );
    let mut people = stored(sql::rows(tx, &query, values).await?)?;
    let away = |candidate: &Candidate| {
        let home = candidate.place.unwrap_or(place);
        (home.lat() - place.lat()).powi(2) + (home.lon() - place.lon()).powi(2) * narrowing
    };
    people.sort_by(|Stored { candidate: one, .. }, Stored { candidate: other, .. }| {
        let by_distance = away(one).total_cmp(&away(other));
        by_distance.then(one.registered_at.cmp(&other.registered_at)).then(one.id.cmp(&other.id))
    });
    let (whole, furthest) = (people.len() < most, people.last().and_then(|person| person.candidate.place));
    let available = people.into_iter().map(|person| person.available(among.limit));
    let people = available.filter(|person| person.room > 0 && is_new(person.candidate.id)).collect();
    Ok(Around { people, whole, furthest })
}

fn count(count: usize) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

/// Those with room who live in a structure's commune and were never introduced to it: the earliest registered, at most
/// `most` of them; everything in a commune is as near, wherever the structure is.
///
/// # Errors
/// The database's.
pub async fn inhabitants(tx: &Tx, seat: &Seat, among: Among, most: usize) -> Result<Vec<Available>, Failure> {
    let query = format!(
        "SELECT {COLUMNS}, {LIVE} AS live FROM candidates WHERE {among} AND commune = $2 AND {LIVE} < $1 AND {NOT_INTRODUCED}
         ORDER BY registered_at, id LIMIT $4",
        among = among.condition(5),
    );
    let structure = &seat.structure;
    let values: [Value; 4] =
        [count(among.limit), structure.commune.clone().into(), structure.id.to_string().into(), count(most)];
    read_available(tx, &query, values, among).await
}

/// The square of how much of a degree a kilometre is at most: a little more than it is, for a flat map errs by some per
/// cent within the widest ring.
const REACH: f64 = (1.05 / 111.195) * (1.05 / 111.195);
/// Rows of the map in a degree of latitude.
const ROWS: f64 = 10.0;

/// The row of the map that a place is in.
fn map_row(place: Place) -> i64 {
    whole(place.lat() * ROWS)
}

#[expect(clippy::cast_possible_truncation, reason = "some rows of a map")]
fn whole(rows: f64) -> i64 {
    rows.round() as i64
}

const NOT_INTRODUCED: &str =
    "NOT EXISTS (SELECT 1 FROM pairs WHERE pairs.structure = $3 AND pairs.candidate = candidates.id)";

/// Those with room who wish a structure's department, from however far, and were never introduced to it.
///
/// # Errors
/// The database's.
pub async fn wishing(tx: &Tx, seat: &Seat, among: Among) -> Result<Vec<Available>, Failure> {
    let query = format!(
        "SELECT {COLUMNS}, {LIVE} AS live FROM candidates WHERE {among} AND id IN (SELECT candidate FROM wishes WHERE department = $2)
           AND {LIVE} < $1 AND {NOT_INTRODUCED}",
        among = among.condition(4),
    );
    let structure = &seat.structure;
    let values: [Value; 3] = [count(among.limit), structure.department.clone().into(), structure.id.to_string().into()];
    read_available(tx, &query, values, among).await
}

/// Those with room who go anywhere on a structure's side of the sea, and were never introduced to it.
///
/// # Errors
/// The database's.
pub async fn anywhere(tx: &Tx, seat: &Seat, among: Among) -> Result<Vec<Available>, Failure> {
    let query = format!(
        "SELECT {COLUMNS}, {LIVE} AS live FROM candidates WHERE {among} AND {FAR_GOING} AND max_km IS NULL AND territory = $2 AND {LIVE} < $1
           AND {NOT_INTRODUCED}",
        among = among.condition(4),
    );
    let values: [Value; 3] = [count(among.limit), territory(seat).into(), seat.structure.id.to_string().into()];
    read_available(tx, &query, values, among).await
}

async fn read_available(
    tx: &Tx,
    query: &str,
    values: impl IntoIterator<Item = Value>,
    among: Among,
) -> Result<Vec<Available>, Failure> {
    let values: Vec<Value> = values.into_iter().chain(among.values()).collect();
    Ok(stored(sql::rows(tx, query, values).await?)?.into_iter().map(|person| person.available(among.limit)).collect())
}

fn territory(seat: &Seat) -> String {
    seat.structure.territory.map(|territory| territory.code().to_owned()).unwrap_or_default()
}

/// Adds the note that a pair was introduced (M03): a unique violation where it was before.
pub fn pair(script: &mut Script, structure: StructureId, candidate: CandidateId) {
    let insert = "INSERT INTO pairs (structure, candidate) VALUES ($1, $2)";
    script.add(insert, [structure.to_string().into(), candidate.to_string().into()]);
}

/// The pairs that were ever introduced, of some structures.
///
/// # Errors
/// The database's.
pub async fn pairs<C: ConnectionTrait>(
    connection: &C,
    structures: &[StructureId],
) -> Result<Vec<(StructureId, CandidateId)>, Failure> {
    let mut pairs = Vec::new();
    for chunk in structures.chunks(500) {
        let query =
            format!("SELECT structure, candidate FROM pairs WHERE structure IN ({})", sql::parameters(1, chunk.len()));
        for row in
            sql::all(connection, &query, chunk.iter().map(|id| id.to_string().into()).collect::<Vec<_>>()).await?
        {
            let (structure, candidate): (String, String) =
                (row.try_get("", "structure")?, row.try_get("", "candidate")?);
            pairs.push((read(structure.parse())?, read(candidate.parse())?));
        }
    }
    Ok(pairs)
}

/// Unites the pairs of two registrations (C08). Merges are rare: no index finds the pairs of a person.
///
/// # Errors
/// The database's.
pub async fn unite_pairs(tx: &Tx, kept: CandidateId, merged: CandidateId) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO pairs (structure, candidate) SELECT structure, $1 FROM pairs WHERE candidate = $2
         ON CONFLICT DO NOTHING",
        [kept.to_string().into(), merged.to_string().into()],
    )
    .await?;
    Ok(())
}
