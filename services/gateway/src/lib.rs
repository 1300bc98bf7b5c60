//! One port: REST transcoding, gRPC, OpenAPI and the pages behind the mails

pub mod openapi;
#[cfg(test)]
mod orchard;
mod outage;
mod percent;
pub mod problem;
pub mod proxy;
pub mod routes;
pub mod transcode;
