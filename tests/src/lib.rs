//! Journeys across services, contract, architecture, trace and fault tests
