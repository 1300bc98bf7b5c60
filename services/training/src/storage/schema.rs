//! The tables of training. The invariants that a race could break are constraints: no more seats taken than a session
//! has, one training for a recruitment, one organisation of a name, each version of a plan and of a day's hours once.

use conum_service::{history::Case, schema::Tables};

/// The migrations of training.
pub const MIGRATIONS: &[Tables] = &[
    Tables { name: "m0002_training", statements: TABLES },
    Tables { name: "m0003_applications", statements: APPLICATIONS },
];

/// The trainings of an application.
pub const CASE: Case = "SELECT 'trainings/' || id AS record, '' AS naming FROM trainings WHERE application = $1";

/// The application that a training is for, so that a case is found. Those that are there name it in their documents.
const APPLICATIONS: &[&str] = &[
    "ALTER TABLE trainings ADD COLUMN application text NOT NULL DEFAULT ''",
    "UPDATE trainings SET application = COALESCE((SELECT min(g.application) FROM grants g
       WHERE g.structure = trainings.structure AND trainings.document LIKE '%\"' || g.application || '\"%'), '')",
    "CREATE INDEX trainings_by_application ON trainings (application, id)",
];

const TABLES: &[&str] = &[
    // `document` is the organisation as the domain knows it, its contact included.
    "CREATE TABLE organisations (id text PRIMARY KEY, name_key text NOT NULL UNIQUE, document text NOT NULL,
        version bigint NOT NULL)",
    // Where and when an organisation trains, a row for each department of its lots.
    "CREATE TABLE lots (department text NOT NULL, organisation text NOT NULL, number text NOT NULL,
        valid_from DAY NOT NULL, valid_until DAY NOT NULL, PRIMARY KEY (department, organisation, number))",
    "CREATE INDEX lots_by_organisation ON lots (organisation)",
    // `territory`, `department` and `commune` are null on line. Seats do not count in the version.
    "CREATE TABLE sessions (id text PRIMARY KEY, organisation text NOT NULL, territory text, department text,
        commune text, starts_on DAY NOT NULL, ends_on DAY NOT NULL, deadline DAY NOT NULL,
        capacity integer NOT NULL, taken integer NOT NULL, state text NOT NULL, cancel_reason text,
        version bigint NOT NULL, CHECK (taken >= 0 AND taken <= capacity))",
    "CREATE INDEX sessions_by_organisation ON sessions (organisation, id)",
    "CREATE INDEX sessions_open ON sessions (territory, deadline, id) WHERE state = 'OPEN'",
    // What applications tells of granted applications.
    "CREATE TABLE grants (application text PRIMARY KEY, structure text NOT NULL, sector text NOT NULL,
        department text NOT NULL, commune text NOT NULL)",
    // What candidates tells of people: where they are, under the id. `gone` once merged or erased.
    "CREATE TABLE people (id text PRIMARY KEY, department text NOT NULL, commune text NOT NULL, gone boolean NOT NULL,
        merged_into text)",
    // `document` is the training as the domain knows it; the other columns are what it is found and counted by.
    "CREATE TABLE trainings (id text PRIMARY KEY, recruitment text NOT NULL UNIQUE, candidate text NOT NULL,
        structure text NOT NULL, department text NOT NULL, organisation text, session text, state text NOT NULL,
        hours integer NOT NULL, ccp1 boolean NOT NULL, pix boolean NOT NULL, failed integer NOT NULL,
        carried boolean NOT NULL, document text NOT NULL, version bigint NOT NULL)",
    "CREATE INDEX trainings_by_candidate ON trainings (candidate, id)",
    "CREATE INDEX trainings_by_structure ON trainings (structure, id)",
    "CREATE INDEX trainings_by_organisation ON trainings (organisation, id)",
    "CREATE INDEX trainings_unplaced ON trainings (department, id) WHERE organisation IS NULL",
    "CREATE INDEX trainings_by_session ON trainings (session, id) WHERE session IS NOT NULL",
    "CREATE INDEX trainings_by_state ON trainings (state, id)",
    // Written once, never changed.
    "CREATE TABLE plans (training text NOT NULL, version integer NOT NULL, document text NOT NULL,
        PRIMARY KEY (training, version))",
    "CREATE TABLE hours (training text NOT NULL, day DAY NOT NULL, version integer NOT NULL, hours integer NOT NULL,
        reason text NOT NULL, at INSTANT NOT NULL, PRIMARY KEY (training, day, version))",
];
