//! Introductions, answers, selections and contracts
