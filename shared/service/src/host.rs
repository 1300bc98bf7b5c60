//! What a service runs on: its name, database, clock, ids and keys. Cloning shares it.

use std::sync::Arc;

use conum_kernel::{Clock, Error, Ids, Moment, policy::Policy};
use futures::future::BoxFuture;
use tokio::sync::watch;
use tonic::{Request, metadata::MetadataValue};

use crate::{
    Call, Failure, Store, Tx,
    identity::{Caller, Signer},
    links::LinkSigner,
    policies::InForce,
    telemetry,
};

/// What a service runs on.
#[derive(Clone, Debug)]
pub struct Host(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: &'static str,
    store: Store,
    clock: Clock,
    ids: Ids,
    signer: Signer,
    links: LinkSigner,
    policies: &'static [Policy],
    public_url: String,
    wake: watch::Sender<u64>,
}

/// What a host is made of.
#[derive(Debug)]
pub struct Parts {
    pub name: &'static str,
    pub store: Store,
    pub clock: Clock,
    pub ids: Ids,
    pub signer: Signer,
    pub links: LinkSigner,
    pub policies: &'static [Policy],
    /// Where people reach the gateway: what mailed links begin with.
    pub public_url: String,
}

impl Host {
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { name, store, clock, ids, signer, links, policies, public_url } = parts;
        let wake = watch::Sender::new(0);
        Self(Arc::new(Inner { name, store, clock, ids, signer, links, policies, public_url, wake }))
    }

    /// The service's name: `matching`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    #[must_use]
    pub fn ids(&self) -> &Ids {
        &self.0.ids
    }

    #[must_use]
    pub fn links(&self) -> &LinkSigner {
        &self.0.links
    }

    /// The service's table of policies.
    #[must_use]
    pub fn policies(&self) -> &'static [Policy] {
        self.0.policies
    }

    /// Where people reach the gateway, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.0.public_url
    }

    /// Tells the service's tasks that something was written.
    pub fn wake(&self) {
        self.0.wake.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn woken(&self) -> watch::Receiver<u64> {
        self.0.wake.subscribe()
    }

    /// The call of a request.
    ///
    /// # Errors
    /// Those of [`Call::of`].
    pub fn call<T>(&self, request: &Request<T>, request_id: &str) -> Result<Call, Failure> {
        Ok(Call::of(request, request_id, &self.0.clock, &self.0.ids)?)
    }

    /// Does what a timer finds due, in one transaction, and tells the tasks that something was written. `op` answers how
    /// much it did.
    ///
    /// # Errors
    /// The database's, or what `op` refuses.
    pub async fn on_time<F>(&self, moment: Moment, op: F) -> Result<usize, Failure>
    where
        F: for<'t> Fn(&'t Tx, Host, Moment) -> BoxFuture<'t, Result<usize, Failure>> + Send + Sync + 'static,
    {
        let host = self.clone();
        let done = self.0.store.write(move |tx| op(tx, host.clone(), moment)).await?;
        self.wake();
        Ok(done)
    }

    /// The call that a timer makes: its key and what it is about name it for good.
    #[must_use]
    pub fn timer_call(&self, moment: Moment, timer: &str, about: &str) -> Call {
        Call::internal(self.0.name, format!("{timer}/{about}"), moment, &self.0.ids)
    }

    /// The policies in force on the day of a call.
    ///
    /// # Errors
    /// The database's.
    pub async fn in_force<C: sea_orm::ConnectionTrait>(&self, connection: &C, call: &Call) -> Result<InForce, Failure> {
        InForce::on(connection, self.0.policies, call.moment.today).await
    }

    /// Signs an outgoing request as `caller`, and hands on the trace.
    ///
    /// # Errors
    /// Internal where signing fails.
    pub async fn sign<T>(&self, request: &mut Request<T>, caller: &Caller, audience: &str) -> Result<(), Failure> {
        sign(&self.0.signer, request, caller, audience).await.map_err(Failure::from)
    }
}

/// Signs an outgoing request as `caller`, and hands on the trace.
///
/// # Errors
/// Internal where signing fails.
pub async fn sign<T>(signer: &Signer, request: &mut Request<T>, caller: &Caller, audience: &str) -> Result<(), Error> {
    let token = signer.assertion(caller, audience).await?;
    let value = MetadataValue::try_from(format!("Bearer {token}")).map_err(Error::internal)?;
    request.metadata_mut().insert("authorization", value);
    let traceparent = telemetry::traceparent();
    if let Ok(value) = MetadataValue::try_from(traceparent.as_str())
        && !traceparent.is_empty()
    {
        request.metadata_mut().insert("traceparent", value);
    }
    Ok(())
}
