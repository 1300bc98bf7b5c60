//! What tests need: a database per test, a cluster in a test, a mail trap, an OTLP trap
