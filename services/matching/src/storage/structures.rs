//! Structures that were granted posts, and their posts.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use conum_geo::{Place, Territory};
use conum_kernel::{ApplicationId, Error, IntroductionId, PostId, RecruitmentId, StructureId, WaveId};
use conum_service::{
    Failure, Tx,
    sql::{self, Script},
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

use super::read;
use crate::domain::{
    candidate::Sector, order::Called, recruitment::State as RecruitmentState, serving::Posts, structure::Structure,
};

#[derive(Debug, FromQueryResult)]
#[expect(clippy::struct_excessive_bools, reason = "the columns of a table")]
struct Row {
    id: String,
    application: String,
    commune: String,
    lat: Option<f64>,
    lon: Option<f64>,
    department: String,
    territory: Option<String>,
    sector: String,
    needs: String,
    candidate_found: bool,
    short: bool,
    launched_on: Option<NaiveDate>,
    late_noticed: bool,
    called: i64,
    reserved_called: i64,
    ready: bool,
}

const COLUMNS: &str = "id, application, commune, lat, lon, department, territory, sector, needs, candidate_found,
    short, launched_on, late_noticed, called, reserved_called, ready";

/// A structure, and what has happened to it here.
#[derive(Clone, Debug)]
pub struct Stored {
    pub structure: Structure,
    /// It lacks introductions, and no possible candidate was left.
    pub short: bool,
    /// When its recruitment was launched (M07).
    pub launched_on: Option<Date>,
    /// The notice of M07 was raised.
    pub late_noticed: bool,
    /// The introductions that it has had.
    pub called: Called,
    /// A wave serves it: nothing is missing in what is recorded of its grant.
    pub ready: bool,
}

impl TryFrom<Row> for Stored {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let structure = Structure {
            id: read(row.id.parse())?,
            application: read(row.application.parse())?,
            commune: row.commune,
            place: row.lat.zip(row.lon).and_then(|(lat, lon)| Place::new(lat, lon).ok()),
            department: row.department,
            territory: row.territory.as_deref().and_then(Territory::from_code),
            sector: read(Sector::parse(&row.sector).ok_or(()))?,
            needs: read(serde_json::from_str(&row.needs))?,
            candidate_found: row.candidate_found,
        };
        Ok(Self {
            structure,
            short: row.short,
            launched_on: row.launched_on.map(sql::date).transpose()?,
            late_noticed: row.late_noticed,
            called: Called { all: row.called.unsigned_abs(), reserved: row.reserved_called.unsigned_abs() },
            ready: row.ready,
        })
    }
}

/// Writes what a structure's application tells, and keeps what has happened here.
///
/// # Errors
/// The database's.
pub async fn upsert(tx: &Tx, structure: &Structure, ready: bool) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO structures (id, application, commune, lat, lon, department, territory, sector, needs,
           candidate_found, ready, short, late_noticed)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, false, false)
         ON CONFLICT (id) DO UPDATE SET application = excluded.application, commune = excluded.commune,
           lat = excluded.lat, lon = excluded.lon, department = excluded.department, territory = excluded.territory,
           sector = excluded.sector, needs = excluded.needs, candidate_found = excluded.candidate_found,
           ready = excluded.ready",
        [
            structure.id.to_string().into(),
            structure.application.to_string().into(),
            structure.commune.clone().into(),
            structure.place.map(Place::lat).into(),
            structure.place.map(Place::lon).into(),
            structure.department.clone().into(),
            structure.territory.map(|territory| territory.code().to_owned()).into(),
            structure.sector.text().into(),
            read(serde_json::to_string(&structure.needs))?.into(),
            structure.candidate_found.into(),
            ready.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Reads a structure and locks it: the lock that everything about its places is decided under.
///
/// # Errors
/// The database's.
pub async fn lock(tx: &Tx, id: StructureId) -> Result<Option<Stored>, Failure> {
    let query = format!("SELECT {COLUMNS} FROM structures WHERE id = $1{}", sql::for_update(tx));
    let row: Option<Row> = sql::row(tx, &query, [id.to_string().into()]).await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

/// Locks the structure of an introduction, where rows are locked.
///
/// # Errors
/// The database's.
pub async fn lock_of(tx: &Tx, introduction: IntroductionId) -> Result<(), Failure> {
    let query = "SELECT 1 AS found FROM structures WHERE id = (SELECT structure FROM introductions WHERE id = $1)";
    Ok(sql::lock(tx, query, [introduction.to_string().into()]).await?)
}

/// The structures that wait for a possible candidate, in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn short(tx: &Tx) -> Result<Vec<Stored>, Failure> {
    let query = format!("SELECT {COLUMNS} FROM structures WHERE short ORDER BY id");
    let rows: Vec<Row> = sql::rows(tx, &query, []).await?;
    rows.into_iter().map(|row| Stored::try_from(row).map_err(Failure::from)).collect()
}

/// Reads a structure.
///
/// # Errors
/// The database's.
pub async fn find<C: ConnectionTrait>(connection: &C, id: StructureId) -> Result<Option<Stored>, Failure> {
    let query = format!("SELECT {COLUMNS} FROM structures WHERE id = $1");
    let row: Option<Row> = sql::row(connection, &query, [id.to_string().into()]).await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

/// Every structure with its posts.
///
/// # Errors
/// The database's.
pub async fn all<C: ConnectionTrait>(connection: &C) -> Result<Vec<(Stored, Vec<Post>)>, Failure> {
    let mut of_structure: HashMap<StructureId, Vec<Post>> = HashMap::new();
    let rows: Vec<PostRow> =
        sql::rows(connection, &format!("SELECT {POST_COLUMNS} FROM posts ORDER BY id"), []).await?;
    for row in rows {
        let post = Post::try_from(row)?;
        of_structure.entry(post.structure).or_default().push(post);
    }
    let rows: Vec<Row> = sql::rows(connection, &format!("SELECT {COLUMNS} FROM structures ORDER BY id"), []).await?;
    let with_posts = |row| {
        let stored = Stored::try_from(row)?;
        let posts = of_structure.remove(&stored.structure.id).unwrap_or_default();
        Ok((stored, posts))
    };
    rows.into_iter().map(with_posts).collect()
}

/// The structures with posts whose wave was activated, and that were not given back.
///
/// # Errors
/// The database's.
pub async fn with_active_posts(tx: &Tx) -> Result<BTreeSet<StructureId>, Failure> {
    let query = "SELECT DISTINCT structure FROM posts WHERE active AND NOT given_back";
    let rows = sql::all(tx, query, []).await?;
    rows.iter().map(|row| Ok(read(row.try_get::<String>("", "structure")?.parse())?)).collect()
}

/// When every transaction that runs while a structure goes short has come to its end, surely.
const RECHECK_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Notes whether a structure waits for a possible candidate. Where others write at the same time, it is looked at once
/// more: somebody may have become free of whom neither the structure's search nor that person's knew the other.
///
/// # Errors
/// The database's.
pub async fn set_short(tx: &Tx, id: StructureId, short: bool, now: Timestamp) -> Result<(), Failure> {
    let update = "UPDATE structures SET short = $2, recheck_at = $3 WHERE id = $1";
    let recheck_at = (short && sql::is_postgres(tx)).then(|| sql::instant(now + RECHECK_AFTER));
    sql::execute(tx, update, [id.to_string().into(), short.into(), recheck_at.into()]).await?;
    Ok(())
}

/// Notes that a structure waits, though somebody may be possible: it is not looked at once more by itself.
///
/// # Errors
/// The database's.
pub async fn hold_back(tx: &Tx, id: StructureId) -> Result<(), Failure> {
    let update = "UPDATE structures SET short = TRUE, recheck_at = NULL WHERE id = $1";
    sql::execute(tx, update, [id.to_string().into()]).await?;
    Ok(())
}

/// The structures that are due to be looked at once more, in the order of due time and id.
///
/// # Errors
/// The database's.
pub async fn to_recheck<C: ConnectionTrait>(
    connection: &C,
    now: Timestamp,
    most: u64,
) -> Result<Vec<StructureId>, Failure> {
    let query = format!("SELECT id FROM structures WHERE recheck_at <= $1 ORDER BY recheck_at, id LIMIT {most}");
    let rows = sql::all(connection, &query, [sql::instant(now).into()]).await?;
    rows.iter().map(|row| Ok(read(row.try_get::<String>("", "id")?.parse())?)).collect()
}

/// Notes that a structure is looked at once more.
///
/// # Errors
/// The database's.
pub async fn set_rechecked(tx: &Tx, id: StructureId) -> Result<(), Failure> {
    sql::execute(tx, "UPDATE structures SET recheck_at = NULL WHERE id = $1", [id.to_string().into()]).await?;
    Ok(())
}

/// Adds the count of one more introduction, which launches the structure's recruitment where it is the first.
pub fn call(script: &mut Script, id: StructureId, reserved: bool, day: Date) {
    let update = "UPDATE structures SET called = called + 1, reserved_called = reserved_called + $2,
        launched_on = coalesce(launched_on, $3) WHERE id = $1";
    script.add(update, [id.to_string().into(), i64::from(reserved).into(), sql::day(day).into()]);
}

/// Adds the note of the launch of a structure's recruitment, once, where it has found somebody already (M07).
pub fn launch_found(script: &mut Script, id: StructureId, day: Date) {
    let update = "UPDATE structures SET launched_on = $2 WHERE id = $1 AND candidate_found AND launched_on IS NULL";
    script.add(update, [id.to_string().into(), sql::day(day).into()]);
}

/// Forgets the launch of a structure's recruitment where no contract is signed any more: one has ended early, and the
/// next introduction launches another recruitment (M07).
///
/// # Errors
/// The database's.
pub async fn forget_launch_without_contract(tx: &Tx, id: StructureId) -> Result<(), Failure> {
    forget_launch_without(tx, id, "holder_state = 'signed'").await
}

/// The same where no active post is left: the next introduction is for posts of another grant.
///
/// # Errors
/// The database's.
pub async fn forget_launch_without_posts(tx: &Tx, id: StructureId) -> Result<(), Failure> {
    forget_launch_without(tx, id, "active AND NOT given_back").await
}

async fn forget_launch_without(tx: &Tx, id: StructureId, posts: &str) -> Result<(), Failure> {
    let update = format!(
        "UPDATE structures SET launched_on = NULL, late_noticed = false
         WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM posts WHERE structure = $1 AND {posts})"
    );
    sql::execute(tx, &update, [id.to_string().into()]).await?;
    Ok(())
}

/// Notes that the notice of a late signature was raised.
///
/// # Errors
/// The database's.
pub async fn set_late_noticed(tx: &Tx, id: StructureId) -> Result<(), Failure> {
    sql::execute(tx, "UPDATE structures SET late_noticed = true WHERE id = $1", [id.to_string().into()]).await?;
    Ok(())
}

/// The structures launched before a day, without a signed contract and not noticed yet, in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn late<C: ConnectionTrait>(connection: &C, before: Date, most: u64) -> Result<Vec<StructureId>, Failure> {
    let rows = sql::all(
        connection,
        "SELECT id FROM structures s WHERE launched_on < $1 AND NOT late_noticed
           AND EXISTS (SELECT 1 FROM posts p WHERE p.structure = s.id AND p.active AND NOT p.given_back)
           AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.structure = s.id AND p.holder_state = 'signed')
         ORDER BY id LIMIT $2",
        [sql::day(before).into(), i64::try_from(most).unwrap_or(i64::MAX).into()],
    )
    .await?;
    rows.iter().map(|row| Ok(read(row.try_get::<String>("", "id")?.parse())?)).collect()
}

/// A granted post, and who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    pub id: PostId,
    pub application: ApplicationId,
    pub structure: StructureId,
    pub wave: WaveId,
    pub start_date: Date,
    pub coordinator: bool,
    /// Its wave was activated.
    pub active: bool,
    pub given_back: bool,
    /// The open recruitment that holds it.
    pub holder: Option<(RecruitmentId, RecruitmentState)>,
}

impl Post {
    /// Neither filled nor given back, and its wave activated.
    #[must_use]
    pub fn is_vacant(&self) -> bool {
        self.active && !self.given_back && !matches!(self.holder, Some((_, RecruitmentState::Signed)))
    }

    /// Vacant, and nobody is selected for it.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.is_vacant() && self.holder.is_none()
    }
}

#[derive(Debug, FromQueryResult)]
struct PostRow {
    id: String,
    application: String,
    structure: String,
    wave: String,
    start_date: NaiveDate,
    coordinator: bool,
    active: bool,
    given_back: bool,
    holder: Option<String>,
    holder_state: Option<String>,
}

const POST_COLUMNS: &str =
    "id, application, structure, wave, start_date, coordinator, active, given_back, holder, holder_state";

impl TryFrom<PostRow> for Post {
    type Error = Error;

    fn try_from(row: PostRow) -> Result<Self, Error> {
        let holder = match (row.holder, row.holder_state) {
            (Some(id), Some(state)) => Some((read(id.parse())?, read(RecruitmentState::parse(&state).ok_or(()))?)),
            _ => None,
        };
        Ok(Self {
            id: read(row.id.parse())?,
            application: read(row.application.parse())?,
            structure: read(row.structure.parse())?,
            wave: read(row.wave.parse())?,
            start_date: sql::date(row.start_date)?,
            coordinator: row.coordinator,
            active: row.active,
            given_back: row.given_back,
            holder,
        })
    }
}

/// Adds a granted post, inactive until its wave is activated. Told of again, it takes the new facts over and stays what
/// it is; one that was given back and is granted in another wave begins afresh.
///
/// # Errors
/// The database's.
pub async fn add_post(tx: &Tx, post: &Post) -> Result<(), Failure> {
    sql::execute(
        tx,
        "INSERT INTO posts (id, application, structure, wave, start_date, coordinator, active, given_back)
         VALUES ($1, $2, $3, $4, $5, $6, false, false)
         ON CONFLICT (id) DO UPDATE SET wave = excluded.wave, start_date = excluded.start_date,
           coordinator = excluded.coordinator,
           active = posts.active AND NOT (posts.given_back AND posts.wave <> excluded.wave),
           given_back = posts.given_back AND posts.wave = excluded.wave",
        [
            post.id.to_string().into(),
            post.application.to_string().into(),
            post.structure.to_string().into(),
            post.wave.to_string().into(),
            sql::day(post.start_date).into(),
            post.coordinator.into(),
        ],
    )
    .await?;
    Ok(())
}

async fn posts<C: ConnectionTrait>(connection: &C, filter: &str, value: Value) -> Result<Vec<Post>, Failure> {
    let query = format!("SELECT {POST_COLUMNS} FROM posts WHERE {filter} = $1 ORDER BY id");
    let rows: Vec<PostRow> = sql::rows(connection, &query, [value]).await?;
    rows.into_iter().map(|row| Post::try_from(row).map_err(Failure::from)).collect()
}

/// The posts of a structure.
///
/// # Errors
/// The database's.
pub async fn posts_of<C: ConnectionTrait>(connection: &C, structure: StructureId) -> Result<Vec<Post>, Failure> {
    posts(connection, "structure", structure.to_string().into()).await
}

/// The granted posts of an application.
///
/// # Errors
/// The database's.
pub async fn posts_of_application<C: ConnectionTrait>(
    connection: &C,
    application: ApplicationId,
) -> Result<Vec<Post>, Failure> {
    posts(connection, "application", application.to_string().into()).await
}

/// One post.
///
/// # Errors
/// The database's.
pub async fn find_post<C: ConnectionTrait>(connection: &C, id: PostId) -> Result<Option<Post>, Failure> {
    Ok(posts(connection, "id", id.to_string().into()).await?.pop())
}

/// What a structure's posts ask for, and the earliest date of a free one.
#[must_use]
pub fn demand(posts: &[Post]) -> (Posts, Option<Date>) {
    let vacant = posts.iter().filter(|post| post.is_vacant());
    let free = posts.iter().filter(|post| post.is_free());
    let counts = Posts { vacant: vacant.clone().count(), reserved: vacant.count() - free.clone().count() };
    (counts, free.map(|post| post.start_date).min())
}

/// Activates a post: its structure is served for it.
///
/// # Errors
/// The database's.
pub async fn activate(tx: &Tx, id: PostId) -> Result<(), Failure> {
    sql::execute(tx, "UPDATE posts SET active = true WHERE id = $1", [id.to_string().into()]).await?;
    Ok(())
}

/// Notes who holds a post.
///
/// # Errors
/// The database's.
pub async fn hold(tx: &Tx, id: PostId, holder: Option<(RecruitmentId, RecruitmentState)>) -> Result<(), Failure> {
    let (recruitment, state) = holder.map(|(id, state)| (id.to_string(), state.text().to_owned())).unzip();
    let update = "UPDATE posts SET holder = $2, holder_state = $3 WHERE id = $1";
    sql::execute(tx, update, [id.to_string().into(), recruitment.into(), state.into()]).await?;
    Ok(())
}

/// Notes that a post was given back.
///
/// # Errors
/// The database's.
pub async fn give_back(tx: &Tx, id: PostId) -> Result<(), Failure> {
    sql::execute(tx, "UPDATE posts SET given_back = true WHERE id = $1", [id.to_string().into()]).await?;
    Ok(())
}

/// Changes the start date of a post.
///
/// # Errors
/// The database's.
pub async fn settle_date(tx: &Tx, id: PostId, day: Date) -> Result<(), Failure> {
    let update = "UPDATE posts SET start_date = $2 WHERE id = $1";
    sql::execute(tx, update, [id.to_string().into(), sql::day(day).into()]).await?;
    Ok(())
}
