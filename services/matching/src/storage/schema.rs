//! The tables of matching. The invariants that a race could break are constraints: live places as unique slots on both
//! sides, one pair for ever, one open recruitment for a post and for a person.

use conum_service::{history::Case, schema::Tables};

/// The migrations of matching.
pub const MIGRATIONS: &[Tables] = &[
    Tables { name: "m0002_matching", statements: TABLES },
    Tables { name: "m0003_terms", statements: TERMS },
    Tables { name: "m0004_trainings", statements: TRAININGS },
    Tables { name: "m0005_order", statements: ORDER },
    Tables { name: "m0006_map", statements: MAP },
    Tables { name: "m0007_clustered", statements: CLUSTERED },
    Tables { name: "m0008_places", statements: PLACES },
    Tables { name: "m0009_served", statements: SERVED },
];

/// How many live introductions each side could have when all structures were last served, in one row. Structures whose
/// record lacks what a wave needs, and those that are looked at once more. Who goes further than the rings of a search, beside those who go anywhere.
const SERVED: &[&str] = &[
    "CREATE TABLE limits (id integer PRIMARY KEY CHECK (id = 1),
        live_per_structure bigint NOT NULL, live_per_candidate bigint NOT NULL)",
    "ALTER TABLE structures ADD COLUMN ready boolean NOT NULL DEFAULT true",
    "ALTER TABLE structures ADD COLUMN recheck_at INSTANT",
    "CREATE INDEX structures_to_recheck ON structures (recheck_at, id) WHERE recheck_at IS NOT NULL",
    "DROP INDEX candidates_anywhere",
    "CREATE INDEX candidates_far_going ON candidates (territory, lat, lon, max_km, registered_at, id,
        eligible, taken, gone) WHERE (max_km IS NULL OR max_km > 100) AND eligible AND NOT taken AND NOT gone",
];

/// Live introductions are counted where they are, and one index of each side serves its places and its lists: an
/// introduction that has ended is in no slot, and any number of those may be.
const PLACES: &[&str] = &[
    "DROP INDEX candidates_by_map",
    "DROP INDEX candidates_anywhere",
    "ALTER TABLE candidates DROP COLUMN live",
    "CREATE INDEX candidates_by_map ON candidates (territory, map_row, lon, lat, max_km, registered_at, id,
        eligible, taken, gone)
        WHERE eligible AND NOT taken AND NOT gone",
    "CREATE INDEX candidates_anywhere ON candidates (territory, lat, lon, max_km, registered_at, id,
        eligible, taken, gone) WHERE max_km IS NULL AND eligible AND NOT taken AND NOT gone",
    "DROP INDEX pairs_by_candidate",
    "DROP INDEX introductions_by_structure",
    "DROP INDEX introductions_by_candidate",
    "DROP INDEX introductions_structure_places",
    "DROP INDEX introductions_candidate_places",
    "CREATE UNIQUE INDEX introductions_of_structure ON introductions (structure, structure_slot)",
    "CREATE UNIQUE INDEX introductions_of_candidate ON introductions (candidate, candidate_slot)",
];

/// Tables that are nothing but their key; and the inhabitants of a commune without what each introduction changes of them.
const CLUSTERED: &[&str] = &[
    "DROP INDEX candidates_by_commune",
    "CREATE INDEX candidates_by_commune ON candidates (commune, registered_at, id)
        WHERE eligible AND NOT taken AND NOT gone",
    "DROP INDEX pairs_by_candidate",
    "ALTER TABLE pairs RENAME TO old_pairs",
    "CREATE TABLE pairs (structure text NOT NULL, candidate text NOT NULL, PRIMARY KEY (structure, candidate)) CLUSTERED",
    "INSERT INTO pairs (structure, candidate) SELECT structure, candidate FROM old_pairs",
    "DROP TABLE old_pairs",
    "CREATE INDEX pairs_by_candidate ON pairs (candidate)",
    "ALTER TABLE wishes RENAME TO old_wishes",
    "CREATE TABLE wishes (department text NOT NULL, candidate text NOT NULL, PRIMARY KEY (department, candidate)) CLUSTERED",
    "INSERT INTO wishes (department, candidate) SELECT department, candidate FROM old_wishes",
    "DROP TABLE old_wishes",
    "CREATE INDEX wishes_by_candidate ON wishes (candidate)",
];

/// People by rows of a map, a tenth of a degree high, and all that a search compares: those around a place are read from
/// the index alone. A place on the border of two rows may be in either.
const MAP: &[&str] = &[
    "ALTER TABLE candidates ADD COLUMN map_row bigint",
    "UPDATE candidates SET map_row = CAST(round(lat * 10) AS bigint)",
    "DROP INDEX candidates_by_place",
    "DROP INDEX candidates_by_commune",
    "CREATE INDEX candidates_by_commune ON candidates (commune, registered_at, id, live, eligible, taken, gone)",
    "DROP INDEX candidates_anywhere",
    "CREATE INDEX candidates_anywhere ON candidates (territory, lat, lon, live, max_km, registered_at, id,
        eligible, taken, gone) WHERE max_km IS NULL AND eligible AND NOT taken AND NOT gone",
    "CREATE INDEX candidates_by_map ON candidates (territory, map_row, lon, lat, live, max_km, registered_at, id,
        eligible, taken, gone)
        WHERE eligible AND NOT taken AND NOT gone",
];

/// What the share kept for a group counts, and who becomes available on a later day than the one on which it was told
/// (M01).
const ORDER: &[&str] = &[
    "ALTER TABLE candidates ADD COLUMN job_seeker_since DAY",
    "ALTER TABLE candidates ADD COLUMN awaited boolean NOT NULL DEFAULT true",
    "CREATE INDEX candidates_awaited ON candidates (available_from, id) WHERE awaited",
    "ALTER TABLE structures ADD COLUMN called bigint NOT NULL DEFAULT 0",
    "ALTER TABLE structures ADD COLUMN reserved_called bigint NOT NULL DEFAULT 0",
    "UPDATE structures SET called = (SELECT count(*) FROM pairs WHERE pairs.structure = structures.id)",
];

/// When the initial training of a recruitment runs, as training tells it (M10).
const TRAININGS: &[&str] =
    &["CREATE TABLE trainings (recruitment text PRIMARY KEY, first_day DAY NOT NULL, last_day DAY NOT NULL)"];

/// The posts, introductions, recruitments and notices of an application.
pub const CASE: Case = "
    WITH posts_of AS (SELECT id, structure FROM posts WHERE application = $1),
      structures_of AS (SELECT structure FROM posts_of UNION SELECT id FROM structures WHERE application = $1)
    SELECT 'applications/' || $1 || '/posts/' || id AS record, '' AS naming FROM posts_of
    UNION ALL SELECT 'introductions/' || id, '' FROM introductions
      WHERE application = $1 AND structure IN (SELECT structure FROM structures_of)
    UNION ALL SELECT 'recruitments/' || id, '' FROM recruitments
      WHERE application = $1 AND structure IN (SELECT structure FROM structures_of)
    UNION ALL SELECT 'notices/' || id, '' FROM notices
      WHERE application = $1 AND structure IN (SELECT structure FROM structures_of)";

/// The last day of a fixed-term contract, so that its end is found.
const TERMS: &[&str] = &[
    "ALTER TABLE recruitments ADD COLUMN term DAY",
    "CREATE INDEX recruitments_past_term ON recruitments (term, id) WHERE state = 'signed' AND term IS NOT NULL",
];

const TABLES: &[&str] = &[
    "CREATE TABLE structures (id text PRIMARY KEY, application text NOT NULL, commune text NOT NULL,
        lat double precision, lon double precision, department text NOT NULL, territory text,
        sector text NOT NULL, needs text NOT NULL, candidate_found boolean NOT NULL,
        short boolean NOT NULL, launched_on DAY, late_noticed boolean NOT NULL)",
    "CREATE INDEX structures_short ON structures (id) WHERE short",
    "CREATE TABLE posts (id text PRIMARY KEY, application text NOT NULL, structure text NOT NULL, wave text NOT NULL,
        start_date DAY NOT NULL, coordinator boolean NOT NULL, active boolean NOT NULL, given_back boolean NOT NULL,
        holder text, holder_state text)",
    "CREATE INDEX posts_by_structure ON posts (structure)",
    "CREATE INDEX posts_by_application ON posts (application)",
    // `taken` by a selection or a contract; `gone` from the programme.
    "CREATE TABLE candidates (id text PRIMARY KEY, registered_at INSTANT NOT NULL, commune text NOT NULL,
        lat double precision, lon double precision, department text NOT NULL, territory text, max_km integer,
        available_from DAY NOT NULL, sectors text NOT NULL, offers text NOT NULL, wishes text NOT NULL,
        eligible boolean NOT NULL, live integer NOT NULL, taken boolean NOT NULL, gone boolean NOT NULL,
        merged_into text)",
    "CREATE INDEX candidates_by_place ON candidates (territory, lat, lon)
        WHERE eligible AND NOT taken AND NOT gone",
    "CREATE INDEX candidates_anywhere ON candidates (territory, id)
        WHERE max_km IS NULL AND eligible AND NOT taken AND NOT gone",
    "CREATE INDEX candidates_by_commune ON candidates (commune)",
    "CREATE TABLE wishes (department text NOT NULL, candidate text NOT NULL, PRIMARY KEY (department, candidate))",
    // Pairs that were ever introduced (M03); a merge unites those of two registrations.
    "CREATE TABLE pairs (structure text NOT NULL, candidate text NOT NULL, PRIMARY KEY (structure, candidate))",
    "CREATE INDEX pairs_by_candidate ON pairs (candidate)",
    "CREATE TABLE introductions (id text PRIMARY KEY, structure text NOT NULL, application text NOT NULL,
        candidate text NOT NULL, state text NOT NULL, close_reason text, reasons text NOT NULL,
        structure_slot integer, candidate_slot integer, introduced_at INSTANT NOT NULL, remind_at INSTANT,
        reminded_at INSTANT, expires_at INSTANT NOT NULL, ended_at INSTANT, replaces text, version bigint NOT NULL,
        CHECK ((state IN ('proposed', 'interested')) = (structure_slot IS NOT NULL)),
        CHECK ((structure_slot IS NULL) = (candidate_slot IS NULL)))",
    "CREATE UNIQUE INDEX introductions_structure_places ON introductions (structure, structure_slot)
        WHERE structure_slot IS NOT NULL",
    "CREATE UNIQUE INDEX introductions_candidate_places ON introductions (candidate, candidate_slot)
        WHERE candidate_slot IS NOT NULL",
    "CREATE INDEX introductions_by_structure ON introductions (structure, id)",
    "CREATE INDEX introductions_by_candidate ON introductions (candidate, id)",
    "CREATE INDEX introductions_to_remind ON introductions (remind_at) WHERE state = 'proposed' AND remind_at IS NOT NULL",
    "CREATE INDEX introductions_to_expire ON introductions (expires_at) WHERE state = 'proposed'",
    "CREATE TABLE recruitments (id text PRIMARY KEY, structure text NOT NULL, application text NOT NULL,
        post text NOT NULL, candidate text NOT NULL, state text NOT NULL, selected_at INSTANT NOT NULL,
        cancel_reason text, contract text, ending text, days_to_fill integer, version bigint NOT NULL)",
    "CREATE UNIQUE INDEX recruitments_one_for_a_post ON recruitments (post) WHERE state IN ('selected', 'signed')",
    "CREATE UNIQUE INDEX recruitments_one_employer ON recruitments (candidate) WHERE state IN ('selected', 'signed')",
    "CREATE INDEX recruitments_by_structure ON recruitments (structure, id)",
    "CREATE INDEX recruitments_by_candidate ON recruitments (candidate, id)",
    "CREATE TABLE notices (id text PRIMARY KEY, structure text NOT NULL, application text NOT NULL, kind text NOT NULL,
        at INSTANT NOT NULL, live integer NOT NULL)",
    "CREATE INDEX notices_by_structure ON notices (structure, id)",
];
