//! The tables of candidates. That a mail address is registered once is a constraint, since a race could break it.

use conum_service::{history::Case, schema::Tables};

/// The migrations of candidates.
pub const MIGRATIONS: &[Tables] =
    &[Tables { name: "m0002_candidates", statements: TABLES }, Tables { name: "m0003_cases", statements: CASES }];

/// Of a person's history, what names an introduction or a recruitment of the application, and nothing else.
pub const CASE: Case =
    "SELECT 'candidates/' || candidate AS record, reference AS naming FROM cases WHERE application = $1";

/// Which application an introduction or a recruitment of somebody is for. `reference` is the id of either.
const CASES: &[&str] = &[
    "CREATE TABLE cases (reference text NOT NULL, candidate text NOT NULL, application text NOT NULL,
        PRIMARY KEY (reference, candidate))",
    "CREATE INDEX cases_by_application ON cases (application)",
];

const TABLES: &[&str] = &[
    // `document` is the registration as the domain knows it; the other columns are what it is found by. `noticed_on` is
    // the day of the notice that counts since the last activity (C07).
    "CREATE TABLE candidates (id text PRIMARY KEY, state text NOT NULL, version bigint NOT NULL, mail_key text,
        department text, last_activity DAY, noticed_on DAY, document text NOT NULL)",
    "CREATE UNIQUE INDEX candidates_one_address ON candidates (mail_key) WHERE state = 'REGISTERED'",
    "CREATE INDEX candidates_by_address ON candidates (mail_key, id)",
    "CREATE INDEX candidates_by_department ON candidates (department, id)",
    "CREATE INDEX candidates_by_state ON candidates (state, id)",
    "CREATE INDEX candidates_silent ON candidates (last_activity, id)
        WHERE last_activity IS NOT NULL AND noticed_on IS NULL",
    "CREATE INDEX candidates_noticed ON candidates (noticed_on, id) WHERE noticed_on IS NOT NULL",
    // What doubles have in common, of the registrations that ended in another too (C08).
    "CREATE TABLE keys (kind text NOT NULL, key text NOT NULL, candidate text NOT NULL,
        PRIMARY KEY (kind, key, candidate))",
    "CREATE INDEX keys_by_candidate ON keys (candidate)",
    // Who is flagged with whom, or was said to be somebody else.
    "CREATE TABLE doubles (other text NOT NULL, candidate text NOT NULL, PRIMARY KEY (other, candidate))",
    "CREATE INDEX doubles_by_candidate ON doubles (candidate)",
    // Beside the registration, so that what the others tell does not make a person's etag stale.
    "CREATE TABLE ties (candidate text PRIMARY KEY, document text NOT NULL)",
    // Posts whose special examination was decided (A09).
    "CREATE TABLE derogations (post text PRIMARY KEY, granted boolean NOT NULL)",
];
