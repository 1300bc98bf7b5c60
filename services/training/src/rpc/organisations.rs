//! `OrganisationsService`: the organisations of the framework agreement and their sessions.

use conum_kernel::{Error, OrganisationId, Result, Rule, SessionId};
use conum_proto::training::v1::{
    CancelSessionRequest, CreateOrganisationRequest, CreateSessionRequest, GetOrganisationRequest, GetSessionRequest,
    ListOrganisationsRequest, ListOrganisationsResponse, ListSessionsRequest, ListSessionsResponse, Organisation,
    Session, UpdateOrganisationRequest, UpdateSessionRequest, organisations_service_server::OrganisationsService,
};
use conum_service::{Call, Failure, Host, Tx, history, paging::Page, wire};
use futures::future::BoxFuture;
use tonic::{Request, Response, Status};

use super::{asked, convert, narrowed};
use crate::{
    commands::seats,
    domain::{organisation, session},
    storage::{
        organisations::{self, Stored as StoredOrganisation},
        sessions::{self, Stored as StoredSession},
    },
};

/// The rpc of organisations.
#[derive(Clone, Debug)]
pub struct Organisations(pub Host);

const ORGANISATION_FIELDS: [&str; 4] = ["display_name", "contact", "lots", "france_services"];
const SESSION_FIELDS: [&str; 6] = ["capacity", "registration_deadline", "mode", "commune", "starts_on", "ends_on"];

fn create_organisation(
    tx: &Tx,
    call: Call,
    asked: CreateOrganisationRequest,
) -> BoxFuture<'_, Result<StoredOrganisation, Failure>> {
    Box::pin(async move {
        let asked = asked.organisation.ok_or_else(|| wire::required("organisation"))?;
        let declared = asked::organisation(&asked, None, &[])?;
        let organisation = organisation::check(call.mint("organisation"), declared)?;
        require_other_name(tx, &organisation).await?;
        organisations::insert(tx, &organisation).await?;
        history::append(tx, &call, &organisation.id.name(), &[organisation::entered()]).await?;
        Ok(StoredOrganisation { organisation, version: 1 })
    })
}

fn update_organisation(
    tx: &Tx,
    call: Call,
    asked: UpdateOrganisationRequest,
) -> BoxFuture<'_, Result<StoredOrganisation, Failure>> {
    Box::pin(async move {
        let paths = wire::mask(asked.update_mask.as_ref(), &ORGANISATION_FIELDS)?;
        let asked = asked.organisation.ok_or_else(|| wire::required("organisation"))?;
        let id = OrganisationId::parse_name("organisation.name", &asked.name)?;
        let mut stored = organisations::known(tx, id).await?;
        wire::fresh(&asked.name, &asked.etag, stored.version)?;
        let declared = asked::organisation(&asked, Some(&stored.organisation), &paths)?;
        stored.organisation = organisation::check(id, declared)?;
        require_other_name(tx, &stored.organisation).await?;
        organisations::update(tx, &stored).await?;
        stored.version += 1;
        history::append(tx, &call, &id.name(), &[organisation::changed()]).await?;
        Ok(stored)
    })
}

/// An organisation is entered once.
async fn require_other_name(tx: &Tx, organisation: &organisation::Organisation) -> Result<(), Failure> {
    match organisations::named(tx, &organisation.key()).await? {
        Some(known) if known != organisation.id => Err(Error::already_exists(
            Some(Rule("T05")),
            "ORGANISATION_EXISTS",
            &known.name(),
            "this organisation is there already",
            "cet organisme figure déjà",
        )
        .at("organisation.display_name")
        .into()),
        _ => Ok(()),
    }
}

fn create_session(tx: &Tx, call: Call, asked: CreateSessionRequest) -> BoxFuture<'_, Result<StoredSession, Failure>> {
    Box::pin(async move {
        let asked = asked.session.ok_or_else(|| wire::required("session"))?;
        let organisation = OrganisationId::parse_name("session.organisation", &asked.organisation)?;
        call.require_owner(&[&organisation.name()])?;
        let organisation = organisations::known(tx, organisation).await?.organisation;
        let declared = asked::session(&asked, None, &[])?;
        let (session, fact) = session::open(call.mint("session"), &organisation, &declared, call.moment)?;
        sessions::insert(tx, &session).await?;
        history::append(tx, &call, &session.id.name(), &[fact]).await?;
        Ok(StoredSession { session, version: 1 })
    })
}

/// A session of the caller's, locked.
async fn own_session(tx: &Tx, call: &Call, field: &str, name: &str, etag: &str) -> Result<StoredSession, Failure> {
    let stored = sessions::lock(tx, SessionId::parse_name(field, name)?).await?;
    call.require_owner(&[&stored.session.organisation.name()])?;
    wire::fresh(name, etag, stored.version)?;
    Ok(stored)
}

fn update_session(tx: &Tx, call: Call, asked: UpdateSessionRequest) -> BoxFuture<'_, Result<StoredSession, Failure>> {
    Box::pin(async move {
        let paths = wire::mask(asked.update_mask.as_ref(), &SESSION_FIELDS)?;
        let asked = asked.session.ok_or_else(|| wire::required("session"))?;
        let mut stored = own_session(tx, &call, "session.name", &asked.name, &asked.etag).await?;
        let organisation = organisations::known(tx, stored.session.organisation).await?.organisation;
        let declared = asked::session(&asked, Some(&stored.session), &paths)?;
        let (session, fact) = session::change(&stored.session, &organisation, &declared, call.moment)?;
        stored.session = session;
        sessions::update(tx, &stored).await?;
        stored.version += 1;
        history::append(tx, &call, &stored.session.id.name(), &[fact]).await?;
        Ok(stored)
    })
}

fn cancel_session(tx: &Tx, call: Call, asked: CancelSessionRequest) -> BoxFuture<'_, Result<StoredSession, Failure>> {
    Box::pin(async move {
        let reason = asked::cancel_reason(asked.reason())?;
        let stored = own_session(tx, &call, "name", &asked.name, &asked.etag).await?;
        seats::cancel(tx, &call, stored, reason).await
    })
}

#[tonic::async_trait]
impl OrganisationsService for Organisations {
    async fn create_organisation(
        &self,
        request: Request<CreateOrganisationRequest>,
    ) -> Result<Response<Organisation>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, create_organisation).await?
        } else {
            self.0.command(&call, asked, create_organisation).await?
        };
        Ok(Response::new(convert::organisation(stored)))
    }

    async fn update_organisation(
        &self,
        request: Request<UpdateOrganisationRequest>,
    ) -> Result<Response<Organisation>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, update_organisation).await?
        } else {
            self.0.command(&call, asked, update_organisation).await?
        };
        Ok(Response::new(convert::organisation(stored)))
    }

    async fn get_organisation(
        &self,
        request: Request<GetOrganisationRequest>,
    ) -> Result<Response<Organisation>, Status> {
        let call = self.0.call(&request, "")?;
        let id = OrganisationId::parse_name("name", &request.get_ref().name).map_err(Failure::from)?;
        call.require_owner(&[&id.name()]).map_err(Failure::from)?;
        Ok(Response::new(convert::organisation(organisations::known(self.0.store().read(), id).await?)))
    }

    async fn list_organisations(
        &self,
        request: Request<ListOrganisationsRequest>,
    ) -> Result<Response<ListOrganisationsResponse>, Status> {
        let asked = request.into_inner();
        let list = format!("organisations?{}", asked.department);
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = organisations::list(self.0.store().read(), &asked.department, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |stored| stored.organisation.id.to_string());
        let organisations = found.into_iter().map(convert::organisation).collect();
        Ok(Response::new(ListOrganisationsResponse { organisations, next_page_token }))
    }

    async fn create_session(&self, request: Request<CreateSessionRequest>) -> Result<Response<Session>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, create_session).await?
        } else {
            self.0.command(&call, asked, create_session).await?
        };
        Ok(Response::new(convert::session(stored)))
    }

    async fn update_session(&self, request: Request<UpdateSessionRequest>) -> Result<Response<Session>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, update_session).await?
        } else {
            self.0.command(&call, asked, update_session).await?
        };
        Ok(Response::new(convert::session(stored)))
    }

    async fn get_session(&self, request: Request<GetSessionRequest>) -> Result<Response<Session>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().name;
        let id = SessionId::parse_name("name", &name).map_err(Failure::from)?;
        let found = sessions::find(self.0.store().read(), id).await?;
        let found = found.ok_or_else(|| Failure::from(Error::not_found(&name)))?;
        call.require_owner(&[&found.session.organisation.name()]).map_err(Failure::from)?;
        Ok(Response::new(convert::session(found)))
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let organisation = narrowed(&call, "organisation", &asked.organisation).map_err(Failure::from)?;
        let own = organisation.map(OrganisationId::name).unwrap_or_default();
        call.require_owner(&[&own]).map_err(Failure::from)?;
        let starts_from = wire::date("starts_from", asked.starts_from.as_ref()).map_err(Failure::from)?;
        let list = format!("sessions?{organisation:?}&{starts_from:?}");
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = sessions::list(self.0.store().read(), organisation, starts_from, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |stored| stored.session.id.to_string());
        let sessions = found.into_iter().map(convert::session).collect();
        Ok(Response::new(ListSessionsResponse { sessions, next_page_token }))
    }

    async fn cancel_session(&self, request: Request<CancelSessionRequest>) -> Result<Response<Session>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let cancelled = self.0.command(&call, request.into_inner(), cancel_session).await?;
        Ok(Response::new(convert::session(cancelled)))
    }
}
