//! The tables of finance. What a race could break is a constraint: one standing order for an instalment, one numbered entry
//! for a place in a chain, and all that F10 asks of the balances of a post.

use conum_service::{history::Case, schema::Tables};

/// The migrations of finance.
pub const MIGRATIONS: &[Tables] = &[Tables { name: "m0002_finance", statements: TABLES }];

/// The convention of an application: its instalments, orders and claims are facts of its own history.
pub const CASE: Case = "SELECT 'conventions/' || id AS record, '' AS naming FROM conventions WHERE application = $1";

const TABLES: &[&str] = &[
    // `wakes_on` is the next day on which the calendar brings something about.
    "CREATE TABLE conventions (id text PRIMARY KEY, structure text NOT NULL, application text NOT NULL UNIQUE,
        department text NOT NULL, in_force boolean NOT NULL, wakes_on DAY, document text NOT NULL,
        version bigint NOT NULL)",
    "CREATE INDEX conventions_by_structure ON conventions (structure, id)",
    "CREATE INDEX conventions_by_department ON conventions (department, id)",
    "CREATE INDEX conventions_to_wake ON conventions (wakes_on, id) WHERE wakes_on IS NOT NULL",
    "CREATE TABLE instalments (id text PRIMARY KEY, convention text NOT NULL REFERENCES conventions (id),
        structure text NOT NULL, application text NOT NULL, department text NOT NULL, post text NOT NULL,
        number integer NOT NULL, rank integer NOT NULL, recruitment text, amount bigint NOT NULL CHECK (amount >= 0),
        cancelled bigint NOT NULL CHECK (cancelled >= 0), due_on DAY NOT NULL, late_after DAY, state text NOT NULL,
        payment_order text, told text NOT NULL, held_for text NOT NULL, paid_on DAY, set_off boolean NOT NULL,
        UNIQUE (convention, post, number))",
    "CREATE INDEX instalments_by_structure ON instalments (structure, id)",
    "CREATE INDEX instalments_by_department ON instalments (department, id)",
    "CREATE INDEX instalments_by_state ON instalments (state, id)",
    "CREATE TABLE claims (id text PRIMARY KEY, convention text NOT NULL REFERENCES conventions (id),
        structure text NOT NULL, application text NOT NULL, post text NOT NULL, recruitment text, reason text NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0), repaid bigint NOT NULL CHECK (repaid >= 0),
        set_off bigint NOT NULL CHECK (set_off >= 0), waived bigint NOT NULL CHECK (waived >= 0), waiver text,
        decision text, raised_on DAY NOT NULL, position integer NOT NULL,
        CHECK (repaid + set_off + waived <= amount))",
    "CREATE INDEX claims_by_convention ON claims (convention, position)",
    "CREATE INDEX claims_by_structure ON claims (structure, id)",
    "CREATE TABLE bank_accounts (structure text PRIMARY KEY, current text, usable boolean NOT NULL,
        confirmed_at INSTANT, proposal text, version bigint NOT NULL)",
    "CREATE TABLE payment_orders (id text PRIMARY KEY, instalment text NOT NULL REFERENCES instalments (id),
        convention text NOT NULL, structure text NOT NULL, amount bigint NOT NULL CHECK (amount > 0),
        state text NOT NULL, file text, reason text, released_at INSTANT NOT NULL, answered_at INSTANT)",
    "CREATE UNIQUE INDEX payment_orders_one_stands ON payment_orders (instalment)
        WHERE state IN ('ready', 'sent', 'paid')",
    "CREATE INDEX payment_orders_ready ON payment_orders (id) WHERE state = 'ready'",
    "CREATE INDEX payment_orders_by_file ON payment_orders (file, id)",
    "CREATE INDEX payment_orders_by_structure ON payment_orders (structure, id)",
    "CREATE INDEX payment_orders_by_state ON payment_orders (state, id)",
    "CREATE TABLE payment_files (id text PRIMARY KEY, created_at INSTANT NOT NULL, execution_on DAY NOT NULL,
        orders integer NOT NULL, total bigint NOT NULL, sha256 text NOT NULL, content BYTES NOT NULL)",
    "CREATE TABLE bank_answers (digest text PRIMARY KEY, file text NOT NULL, paid integer NOT NULL,
        rejected integer NOT NULL, recorded_at INSTANT NOT NULL)",
    // The ledger. Rows are written once.
    "CREATE TABLE ledger_entries (convention text NOT NULL, number bigint NOT NULL, at INSTANT NOT NULL,
        kind text NOT NULL, rule text NOT NULL, cause text NOT NULL, lines text NOT NULL, previous text NOT NULL,
        hash text NOT NULL, PRIMARY KEY (convention, number))",
    // What the entries come to, for each post: F10 as constraints.
    "CREATE TABLE ledger_balances (convention text NOT NULL, post text NOT NULL,
        granted bigint NOT NULL, to_come bigint NOT NULL CHECK (to_come >= 0), due bigint NOT NULL CHECK (due >= 0),
        held bigint NOT NULL CHECK (held >= 0), sent bigint NOT NULL CHECK (sent >= 0),
        paid bigint NOT NULL CHECK (paid >= 0), cancelled bigint NOT NULL CHECK (cancelled >= 0),
        claimed bigint NOT NULL, outstanding bigint NOT NULL CHECK (outstanding >= 0),
        repaid bigint NOT NULL CHECK (repaid >= 0), waived bigint NOT NULL CHECK (waived >= 0),
        PRIMARY KEY (convention, post),
        CHECK (granted = to_come + due + held + sent + paid + cancelled),
        CHECK (claimed = outstanding + repaid + waived), CHECK (claimed <= paid))",
    "CREATE INDEX ledger_balances_by_post ON ledger_balances (post)",
    // `unsealed_on` is the day of the first entry since the last seal.
    "CREATE TABLE ledger_heads (convention text PRIMARY KEY, number bigint NOT NULL, hash text NOT NULL,
        unsealed_on DAY)",
    "CREATE INDEX ledger_heads_unsealed ON ledger_heads (unsealed_on, convention) WHERE unsealed_on IS NOT NULL",
    "CREATE TABLE ledger_seals (number bigint PRIMARY KEY, sealed_on DAY NOT NULL, heads bigint NOT NULL,
        digest text NOT NULL, previous text NOT NULL, hash text NOT NULL)",
    "CREATE TABLE ledger_sealed_heads (seal bigint NOT NULL, convention text NOT NULL, number bigint NOT NULL,
        hash text NOT NULL, PRIMARY KEY (seal, convention))",
];
