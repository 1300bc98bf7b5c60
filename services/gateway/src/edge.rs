//! The edge of the platform: turns a signed-in caller into an identity that a service believes for a minute, and knows
//! which service answers what.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use conum_kernel::{Clock, Error};
use conum_proto::access::v1::Role;
use conum_service::{
    Caller, access,
    config::Config,
    host, identity,
    identity::{KeyPair, Signer, Verifier},
    layers,
    lifecycle::{self, IDENTITY_KEY, LINKS_KEY},
    links::LinkVerifier,
    telemetry,
};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use tonic::{Request, transport::Channel};

use crate::{NAME, openapi, routes::Routes};

/// The longest life of a token that the gateway takes, in seconds: a year, for development.
pub const LONGEST_TOKEN: i64 = 366 * 24 * 3600;

/// What every handler shares. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Edge(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    channels: BTreeMap<String, Channel>,
    signer: Signer,
    verifier: Verifier,
    links: LinkVerifier,
    routes: Routes,
    openapi: Bytes,
    clock: Clock,
}

impl Edge {
    /// Reads keys and contracts.
    ///
    /// # Errors
    /// Names the setting or annotation that is wrong.
    pub fn new(config: &Config, clock: &Clock) -> Result<Self, Error> {
        let keys = KeyPair::open(&config.keys(), IDENTITY_KEY).map_err(Error::internal)?;
        let links = KeyPair::open(&config.keys(), LINKS_KEY).map_err(Error::internal)?;
        let routes = Routes::build(access::pool()).map_err(Error::internal)?;
        let document = openapi::document(access::pool(), &routes, env!("CARGO_PKG_VERSION"));
        Ok(Self(Arc::new(Inner {
            channels: lifecycle::peers(config, NAME)?.into_iter().collect(),
            signer: keys.signer(clock).map_err(Error::internal)?,
            verifier: identity::verifier(&[keys.public_pem()], NAME, LONGEST_TOKEN, clock).map_err(Error::internal)?,
            links: LinkVerifier::from_pem(links.public_pem())?,
            openapi: serde_json::to_vec_pretty(&document).map_err(Error::internal)?.into(),
            routes,
            clock: clock.clone(),
        })))
    }

    /// The REST bindings.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.0.routes
    }

    /// The OpenAPI document.
    #[must_use]
    pub fn openapi(&self) -> Bytes {
        self.0.openapi.clone()
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Checks the links in mails.
    #[must_use]
    pub fn links(&self) -> &LinkVerifier {
        &self.0.links
    }

    /// The services behind the gateway.
    pub fn services(&self) -> impl Iterator<Item = (&String, &Channel)> {
        self.0.channels.iter()
    }

    /// The channel to a service.
    ///
    /// # Errors
    /// Unavailable where the gateway was not told of it.
    pub fn channel(&self, service: &str) -> Result<Channel, Error> {
        let unknown = || Error::unavailable(format!("no peer {service}"));
        self.0.channels.get(service).cloned().ok_or_else(unknown)
    }

    /// The service that answers a contract: `conum.matching.v1.RecruitmentsService` is matching's. What every service
    /// offers goes to the one that `named` names.
    #[must_use]
    pub fn service_of(contract: &str, named: Option<&str>) -> Option<String> {
        let package = contract.strip_prefix("conum.")?.split('.').next()?;
        match package {
            // Events travel between services, never through the gateway.
            "events" | "access" => None,
            "operations" => named.map(str::to_owned),
            package => Some(package.to_owned()),
        }
    }

    /// Who signed the request.
    ///
    /// # Errors
    /// Unauthenticated where the token is not good; permission denied for roles that only the platform itself has.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let caller = layers::caller(&self.0.verifier, headers)?;
        if caller.roles.iter().any(|role| matches!(role, Role::Service | Role::Link)) {
            return Err(Error::denied("ROLE_OF_THE_PLATFORM"));
        }
        Ok(caller)
    }

    /// The headers that a service believes: who calls, and the trace.
    ///
    /// # Errors
    /// Internal where signing fails.
    pub async fn identify(&self, caller: &Caller, service: &str) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        telemetry::inject(&mut headers);
        if *caller != Caller::anonymous() {
            let token = self.0.signer.assertion(caller, service).await?;
            let value = HeaderValue::try_from(format!("Bearer {token}")).map_err(Error::internal)?;
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }

    /// A message to a service in a caller's name.
    ///
    /// # Errors
    /// Internal where signing fails.
    pub async fn signed<T>(&self, caller: &Caller, service: &str, message: T) -> Result<Request<T>, Error> {
        let mut request = Request::new(message);
        host::sign(&self.0.signer, &mut request, caller, service).await?;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_leads_to_its_service_and_events_to_none() {
        assert_eq!(Edge::service_of("conum.matching.v1.RecruitmentsService", None).as_deref(), Some("matching"));
        let policies = "conum.operations.v1.PoliciesService";
        assert_eq!(Edge::service_of(policies, Some("candidates")).as_deref(), Some("candidates"));
        assert_eq!(Edge::service_of(policies, None), None);
        let own = "conum.gateway.v1.CaseFilesService";
        assert_eq!(Edge::service_of(own, None).as_deref(), Some(NAME), "the gateway answers it itself");
        assert_eq!(Edge::service_of("conum.events.v1.EventSinkService", None), None);
        assert_eq!(Edge::service_of("grpc.health.v1.Health", None), None);
    }
}
