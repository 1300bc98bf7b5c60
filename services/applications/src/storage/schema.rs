//! The tables of applications. The invariants that a race could break are constraints: one active application for a
//! registration number, the cap as one row, a source line once, a wave's number once.

use conum_service::{history::Case, schema::Tables};

/// The migrations of applications.
pub const MIGRATIONS: &[Tables] = &[Tables { name: "m0002_applications", statements: TABLES }];

/// An application, and the waves that its posts are in.
pub const CASE: Case = "SELECT 'applications/' || $1 AS record, '' AS naming
     UNION SELECT 'waves/' || wave, '' FROM posts WHERE application = $1 AND wave IS NOT NULL";

const TABLES: &[&str] = &[
    // One structure for a registration number, for good (A05).
    "CREATE TABLE structures (registration_number text PRIMARY KEY, id text NOT NULL)",
    // The body is the whole record; the columns are what it is found and counted by.
    "CREATE TABLE applications (id text PRIMARY KEY, structure text NOT NULL, registration_number text,
        department text, kind text, state text NOT NULL, active boolean NOT NULL, version bigint NOT NULL,
        body text NOT NULL)",
    "CREATE UNIQUE INDEX applications_one_active ON applications (registration_number) WHERE active",
    "CREATE INDEX applications_by_structure ON applications (structure, id)",
    "CREATE INDEX applications_by_department ON applications (department, id)",
    "CREATE INDEX applications_by_number ON applications (registration_number, id)",
    // What an application said before it was corrected (A04).
    "CREATE TABLE versions (application text NOT NULL, number integer NOT NULL, at INSTANT NOT NULL,
        actor text NOT NULL, body text NOT NULL, PRIMARY KEY (application, number))",
    // The source lines of grants of the past: each counts once.
    "CREATE TABLE sources (source text PRIMARY KEY, application text NOT NULL)",
    // Partners of shared posts (A06).
    "CREATE TABLE partners (registration_number text NOT NULL, application text NOT NULL,
        PRIMARY KEY (registration_number, application))",
    "CREATE TABLE waves (id text PRIMARY KEY, number integer NOT NULL UNIQUE, committee_date DAY NOT NULL,
        state text NOT NULL, imported boolean NOT NULL, activated_at INSTANT, version bigint NOT NULL)",
    "CREATE INDEX waves_by_date ON waves (committee_date)",
    // Each post, to count by department, kind and committee (A03).
    "CREATE TABLE posts (id text PRIMARY KEY, application text NOT NULL, wave text, state text NOT NULL)",
    "CREATE INDEX posts_by_application ON posts (application)",
    "CREATE INDEX posts_by_wave ON posts (wave) WHERE wave IS NOT NULL",
    // The cap and what is granted of it (P01): one row, locked by whoever moves it.
    "CREATE TABLE programme (id integer PRIMARY KEY CHECK (id = 1), cap integer NOT NULL, granted integer NOT NULL,
        CHECK (granted >= 0 AND granted <= cap))",
    "INSERT INTO programme (id, cap, granted) VALUES (1, 0, 0)",
];
