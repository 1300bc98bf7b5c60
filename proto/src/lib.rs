//! The contracts: generated messages, clients and servers, and their descriptors.
//!
//! Everything here is generated from `conum/**/*.proto` at build time. What the generated code lacks (conversions,
//! validation) belongs to the services.

/// Every contract with its options and comments, as an encoded `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Includes what was generated for a package.
macro_rules! package {
    ($package:literal) => {
        tonic::include_proto!($package);
    };
}

mod conum {
    /// The options that say who may call a method.
    pub mod access {
        pub mod v1 {
            package!("conum.access.v1");
        }
    }
    /// What the services tell one another.
    pub mod events {
        pub mod v1 {
            package!("conum.events.v1");
        }
    }
    /// Policies and dead letters, hosted by every service.
    pub mod operations {
        pub mod v1 {
            package!("conum.operations.v1");
        }
    }
    /// Applications, waves and the cap.
    pub mod applications {
        pub mod v1 {
            package!("conum.applications.v1");
        }
    }
    /// Candidates and their rights.
    pub mod candidates {
        pub mod v1 {
            package!("conum.candidates.v1");
        }
    }
    /// Conventions, payments, claims and the ledger.
    pub mod finance {
        pub mod v1 {
            package!("conum.finance.v1");
        }
    }
    /// What the gateway answers itself.
    pub mod gateway {
        pub mod v1 {
            package!("conum.gateway.v1");
        }
    }
    /// Introductions and recruitments.
    pub mod matching {
        pub mod v1 {
            package!("conum.matching.v1");
        }
    }
    /// Training organisations, sessions and trainings.
    pub mod training {
        pub mod v1 {
            package!("conum.training.v1");
        }
    }
}
pub use conum::{access, applications, candidates, events, finance, gateway, matching, operations, training};

/// Google's common types.
pub mod google {
    pub mod r#type {
        package!("google.r#type");
    }
    pub mod rpc {
        package!("google.rpc");
    }
    pub mod api {
        package!("google.api");
    }
}
