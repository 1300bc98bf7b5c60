//! The gateway: one port for clients outside the platform. REST transcoded from the contracts, gRPC passed through,
//! OpenAPI, and the pages behind the mails' buttons.
//!
//! It knows no rule of the programme: it says who calls ([`edge`]), carries the call ([`rest`], [`grpc`]), shows
//! people what the services answer ([`pages`]), and puts together what all of them say of an application ([`case_file`]).

pub mod case_file;
pub mod edge;
pub mod grpc;
pub mod openapi;
#[cfg(test)]
mod orchard;
mod outage;
pub mod pages;
mod percent;
pub mod probes;
pub mod problem;
pub mod proxy;
pub mod rest;
pub mod routes;
pub mod server;
pub mod transcode;

pub use server::{Gateway, main, start};

/// The gateway's name, and the audience of the tokens that it takes.
pub const NAME: &str = "gateway";
