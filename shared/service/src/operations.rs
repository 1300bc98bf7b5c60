//! What every service offers to those who steer and run it (`conum.operations.v1`): policies and dead letters.

use conum_kernel::{
    Error,
    id::invalid_name,
    policy::{Dated, Policy as Declared},
    text,
};
use conum_proto::operations::v1::{
    DeadLetter, EventLag, GetEventLagRequest, GetPolicyRequest, ListDeadLettersRequest, ListDeadLettersResponse,
    ListPoliciesRequest, ListPoliciesResponse, Policy, PolicyChange, RedriveDeadLetterRequest, SetPolicyRequest,
    dead_letters_service_server::DeadLettersService, policies_service_server::PoliciesService,
};
use futures::future::BoxFuture;
use tonic::{Request, Response, Status};

use crate::{
    Call, Failure, Host, Tx,
    events::relay,
    paging::Page,
    policies::{self, Guard},
    requests::Record,
    wire,
};

/// The rpc of a service's policies and dead letters.
#[derive(Clone, Debug)]
pub struct Operations(Host, Option<Guard>);

impl Operations {
    #[must_use]
    pub fn new(host: Host, guard: Option<Guard>) -> Self {
        Self(host, guard)
    }

    fn own(&self, field: &str, parent: &str) -> Result<(), Error> {
        let own = format!("services/{}", self.0.name());
        if parent == own { Ok(()) } else { Err(invalid_name(field, &own)) }
    }

    fn declared(&self, name: &str) -> Result<&'static Declared, Error> {
        let prefix = format!("services/{}/policies/", self.0.name());
        let key = name.strip_prefix(&prefix).ok_or_else(|| invalid_name("name", &format!("{prefix}{{policy}}")))?;
        self.0.policies().iter().find(|policy| policy.key == key).ok_or_else(|| Error::not_found(name))
    }

    /// A policy with its changes.
    async fn policy(&self, declared: &Declared) -> Result<Policy, Failure> {
        let changes = policies::changes(self.0.store().read()).await?;
        let changes: Vec<_> = changes.into_iter().filter(|change| change.policy == declared.key).collect();
        let dated: Vec<Dated> = changes.iter().map(|change| change.dated.clone()).collect();
        Ok(Policy {
            name: name(self.0.name(), declared.key),
            description: declared.description.into(),
            rule: declared.rule.0.into(),
            value: declared.on(self.0.clock().today(), &dated).into(),
            changes: changes
                .into_iter()
                .map(|change| PolicyChange {
                    value: change.dated.value,
                    applies_from: Some(wire::from_date(change.dated.applies_from)),
                    at: Some(wire::from_timestamp(change.at)),
                    actor: change.actor,
                    why: change.why,
                })
                .collect(),
        })
    }
}

fn name(service: &str, key: &str) -> String {
    format!("services/{service}/policies/{key}")
}

/// A policy by its resource name: what a change answers with.
struct Named(String);

impl Record for Named {
    fn name(&self) -> String {
        self.0.clone()
    }

    fn etag(&self) -> String {
        String::new()
    }

    fn load<'t>(_: &'t Tx, name: &'t str) -> BoxFuture<'t, Result<Self, Failure>> {
        Box::pin(async move { Ok(Self(name.to_owned())) })
    }
}

#[tonic::async_trait]
impl PoliciesService for Operations {
    async fn list_policies(
        &self,
        request: Request<ListPoliciesRequest>,
    ) -> Result<Response<ListPoliciesResponse>, Status> {
        self.own("parent", &request.get_ref().parent).map_err(Failure::from)?;
        let mut policies = Vec::new();
        for declared in self.0.policies() {
            let mut policy = self.policy(declared).await?;
            policy.changes.clear();
            policies.push(policy);
        }
        Ok(Response::new(ListPoliciesResponse { policies }))
    }

    async fn get_policy(&self, request: Request<GetPolicyRequest>) -> Result<Response<Policy>, Status> {
        let declared = self.declared(&request.get_ref().name).map_err(Failure::from)?;
        Ok(Response::new(self.policy(declared).await?))
    }

    async fn set_policy(&self, request: Request<SetPolicyRequest>) -> Result<Response<Policy>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let message = request.into_inner();
        let declared = self.declared(&message.name).map_err(Failure::from)?;
        let (service, guard) = (self.0.name(), self.1);
        self.0
            .command(&call, message, move |tx, call, message| {
                Box::pin(set(tx, call, message, (declared, guard), service))
            })
            .await?;
        Ok(Response::new(self.policy(declared).await?))
    }
}

async fn set(
    tx: &Tx,
    call: Call,
    message: SetPolicyRequest,
    (declared, guard): (&'static Declared, Option<Guard>),
    service: &'static str,
) -> Result<Named, Failure> {
    declared.check(&message.value)?;
    let why = text::required("why", &message.why, 500)?;
    let today = call.moment.today;
    let applies_from = wire::date("applies_from", message.applies_from.as_ref())?.unwrap_or(today);
    if applies_from < today {
        return Err(Error::invalid(
            "applies_from",
            "DATE_IN_THE_PAST",
            "a policy cannot change the past",
            "un paramètre ne peut pas changer le passé",
        )
        .with_rule(declared.rule)
        .into());
    }
    let dated = Dated { value: message.value, applies_from };
    if let Some(guard) = guard {
        guard(tx, &call, declared.key, &dated).await?;
    }
    policies::record(tx, &call, declared.key, &dated, &why).await?;
    Ok(Named(name(service, declared.key)))
}

#[tonic::async_trait]
impl DeadLettersService for Operations {
    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        let message = request.into_inner();
        self.own("parent", &message.parent).map_err(Failure::from)?;
        let page = Page::read("deadLetters", message.page_size, 100, &message.page_token).map_err(Failure::from)?;
        let letters = relay::dead_letters(&self.0, &page.after, page.limit()).await?;
        let (letters, next_page_token) = page.cut(letters, |letter| key(&letter.subscriber, &letter.aggregate));
        let dead_letters = letters
            .into_iter()
            .map(|letter| DeadLetter {
                name: format!("services/{}/deadLetters/{}", self.0.name(), id(&letter.subscriber, &letter.aggregate)),
                subscriber: letter.subscriber,
                aggregate: letter.aggregate,
                sequence: letter.sequence,
                event_type: letter.kind,
                attempts: letter.attempts,
                reason: letter.reason,
                last_attempt_at: Some(wire::from_timestamp(letter.last_attempt_at)),
            })
            .collect();
        Ok(Response::new(ListDeadLettersResponse { dead_letters, next_page_token }))
    }

    async fn redrive_dead_letter(
        &self,
        request: Request<RedriveDeadLetterRequest>,
    ) -> Result<Response<DeadLetter>, Status> {
        let name = request.into_inner().name;
        let prefix = format!("services/{}/deadLetters/", self.0.name());
        let (subscriber, aggregate) = name
            .strip_prefix(&prefix)
            .and_then(parts)
            .ok_or_else(|| Failure::from(invalid_name("name", &format!("{prefix}{{dead_letter}}"))))?;
        if !relay::redrive(&self.0, subscriber.clone(), aggregate.clone()).await? {
            return Err(Failure::from(Error::not_found(&name)).into());
        }
        Ok(Response::new(DeadLetter { name, subscriber, aggregate, ..DeadLetter::default() }))
    }

    async fn get_event_lag(&self, request: Request<GetEventLagRequest>) -> Result<Response<EventLag>, Status> {
        let name = request.into_inner().name;
        self.own("name", name.strip_suffix("/eventLag").unwrap_or_default()).map_err(Failure::from)?;
        let lag = relay::lag(&self.0).await?;
        Ok(Response::new(EventLag {
            name,
            published: lag.published,
            pending: lag.pending,
            parked: lag.parked,
            dead_letters: lag.dead,
            mails_sent: lag.mails_sent,
            mails_pending: lag.mails_pending,
        }))
    }
}

fn key(subscriber: &str, aggregate: &str) -> String {
    format!("{subscriber}|{aggregate}")
}

/// A dead letter's id: what it is for and about, without slashes.
fn id(subscriber: &str, aggregate: &str) -> String {
    format!("{subscriber}-{}", aggregate.replace('/', "."))
}

fn parts(id: &str) -> Option<(String, String)> {
    let (subscriber, aggregate) = id.split_once('-')?;
    Some((subscriber.to_owned(), aggregate.replace('.', "/")))
}
