//! What every server needs: config, lifecycle, telemetry, health, access, idempotency, storage, events, mail
