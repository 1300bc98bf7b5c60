//! `ConventionsService`: conventions, their instalments, and what is recorded beside them.

use conum_kernel::{ApplicationId, ConventionId, Error, Result as Kernel};
use conum_proto::finance::v1::{
    AddHoldRequest, Convention, DeclareAidRequest, FinanceFigures, FinanceHistoryEntry, Forecast, ForecastMonth,
    GetConventionRequest, GetFinanceFiguresRequest, GetForecastRequest, LiftHoldRequest, ListConventionHistoryRequest,
    ListConventionHistoryResponse, ListConventionsRequest, ListConventionsResponse, ListInstalmentsRequest,
    ListInstalmentsResponse, RecordCofundingRequest, RecordVouchersRequest, RequestFollowUpRequest,
    ResumeConventionRequest, SettleEndingRequest, SignConventionRequest, SubmitFollowUpRequest,
    SuspendConventionRequest, conventions_service_server::ConventionsService,
};
use conum_service::{Call, Failure, Host, Tx, history, paging::Page, wire};
use futures::future::BoxFuture;
use tonic::{Request, Response, Status};

use super::{changes::Change, convert, narrowed, reading, require_party};
use crate::{
    commands::{decide, settings},
    domain::{convention::Convention as Stored, forecast},
    figures,
    storage::{conventions, instalments},
};

/// The rpc of conventions.
#[derive(Clone, Debug)]
pub struct Conventions(pub Host);

fn changed<M: Change>(tx: &Tx, call: Call, asked: M) -> BoxFuture<'_, Result<Stored, Failure>> {
    Box::pin(async move {
        let id = ConventionId::parse_name("name", asked.name())?;
        decide(tx, &call, id, |convention, context| {
            call.require_owner(&[&convention.structure.name()])?;
            wire::fresh(asked.name(), asked.etag().unwrap_or_default(), convention.version)?;
            asked.decide(convention, &call, context)
        })
        .await
    })
}

impl Conventions {
    async fn change<M: Change>(&self, request: Request<M>) -> Result<Response<Convention>, Status> {
        let call = self.0.call(&request, request.get_ref().request_id())?;
        let asked = request.into_inner();
        let stored = if asked.validate_only() {
            self.0.rehearse(&call, asked, changed::<M>).await?
        } else {
            self.0.command(&call, asked, changed::<M>).await?
        };
        self.shown(&call, &stored).await
    }

    async fn shown(&self, call: &Call, stored: &Stored) -> Result<Response<Convention>, Status> {
        let settings = settings(self.0.store().read(), call).await?;
        Ok(Response::new(convert::convention(stored, &settings, call.moment.today)))
    }
}

/// What a forecast is narrowed to, from its scope and the caller.
fn scope(call: &Call, scope: &str) -> Kernel<instalments::Filter> {
    let (structure, department) = match scope.split_once('/') {
        Some(("structures", _)) => narrowed(call, scope, "")?,
        Some(("departments", _)) => narrowed(call, "", scope)?,
        _ if scope.is_empty() => narrowed(call, "", "")?,
        _ => return Err(conum_kernel::id::invalid_name("scope", "structures/{structure} or departments/{code}")),
    };
    Ok(instalments::Filter { structure, department, ..Default::default() })
}

#[tonic::async_trait]
impl ConventionsService for Conventions {
    async fn get_convention(&self, request: Request<GetConventionRequest>) -> Result<Response<Convention>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().name;
        let id = ConventionId::parse_name("name", &name).map_err(Failure::from)?;
        let found = conventions::find(self.0.store().read(), id).await?;
        let found = found.ok_or_else(|| Failure::from(Error::not_found(&name)))?;
        require_party(&call, &found).map_err(Failure::from)?;
        self.shown(&call, &found).await
    }

    async fn list_conventions(
        &self,
        request: Request<ListConventionsRequest>,
    ) -> Result<Response<ListConventionsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let (structure, department) = narrowed(&call, &asked.structure, &asked.department).map_err(Failure::from)?;
        let application = (!asked.application.is_empty())
            .then(|| ApplicationId::parse_name("application", &asked.application))
            .transpose()
            .map_err(Failure::from)?;
        let filter = conventions::Filter { structure, department, application };
        let list = format!("conventions?{filter:?}");
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = conventions::list(self.0.store().read(), &filter, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |convention| convention.id.to_string());
        let settings = settings(self.0.store().read(), &call).await?;
        let today = call.moment.today;
        let conventions = found.iter().map(|found| convert::convention(found, &settings, today)).collect();
        Ok(Response::new(ListConventionsResponse { conventions, next_page_token }))
    }

    async fn sign_convention(&self, request: Request<SignConventionRequest>) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn suspend_convention(
        &self,
        request: Request<SuspendConventionRequest>,
    ) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn resume_convention(
        &self,
        request: Request<ResumeConventionRequest>,
    ) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn settle_ending(&self, request: Request<SettleEndingRequest>) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn add_hold(&self, request: Request<AddHoldRequest>) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn lift_hold(&self, request: Request<LiftHoldRequest>) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn record_cofunding(&self, request: Request<RecordCofundingRequest>) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn declare_aid(&self, request: Request<DeclareAidRequest>) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn record_vouchers(&self, request: Request<RecordVouchersRequest>) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn request_follow_up(
        &self,
        request: Request<RequestFollowUpRequest>,
    ) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn submit_follow_up(&self, request: Request<SubmitFollowUpRequest>) -> Result<Response<Convention>, Status> {
        self.change(request).await
    }

    async fn list_instalments(
        &self,
        request: Request<ListInstalmentsRequest>,
    ) -> Result<Response<ListInstalmentsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let (structure, department) = narrowed(&call, &asked.structure, &asked.department).map_err(Failure::from)?;
        let convention = (!asked.convention.is_empty())
            .then(|| ConventionId::parse_name("convention", &asked.convention))
            .transpose()
            .map_err(Failure::from)?;
        let state = reading::instalment_state(asked.state).map_err(Failure::from)?;
        let filter = instalments::Filter { structure, department, convention, state };
        let list = format!("instalments?{filter:?}");
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = instalments::list(self.0.store().read(), &filter, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |listed| listed.instalment.id.to_string());
        let today = call.moment.today;
        let instalments = found.iter().map(|listed| convert::instalment(listed, today)).collect();
        Ok(Response::new(ListInstalmentsResponse { instalments, next_page_token }))
    }

    async fn list_convention_history(
        &self,
        request: Request<ListConventionHistoryRequest>,
    ) -> Result<Response<ListConventionHistoryResponse>, Status> {
        let asked = request.into_inner();
        let id = ConventionId::parse_name("parent", &asked.parent).map_err(Failure::from)?;
        let list = format!("history?{id}");
        let page = Page::read(&list, asked.page_size, 100, &asked.page_token).map_err(Failure::from)?;
        let after = page.after.parse().unwrap_or(0);
        let found = history::list(self.0.store().read(), &id.name(), after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |entry| entry.id.to_string());
        let entries = found.into_iter().map(|entry| FinanceHistoryEntry {
            at: Some(wire::from_timestamp(entry.at)),
            actor: entry.actor,
            action: entry.action,
            from_state: entry.from,
            to_state: entry.to,
            why: entry.why,
        });
        Ok(Response::new(ListConventionHistoryResponse { entries: entries.collect(), next_page_token }))
    }

    async fn get_forecast(&self, request: Request<GetForecastRequest>) -> Result<Response<Forecast>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let filter = scope(&call, &asked.scope).map_err(Failure::from)?;
        let unpaid = instalments::unpaid(self.0.store().read(), &filter).await?;
        let months = forecast::by_month(unpaid).map_err(Failure::from)?;
        let months = months.into_iter().map(|(first, month)| ForecastMonth {
            month: Some(wire::from_date(first)),
            to_come_cents: month.to_come.0,
            waiting_cents: month.waiting.0,
            instalments: i32::try_from(month.instalments).unwrap_or(i32::MAX),
        });
        Ok(Response::new(Forecast { name: "forecast".into(), scope: asked.scope, months: months.collect() }))
    }

    async fn get_finance_figures(
        &self,
        _: Request<GetFinanceFiguresRequest>,
    ) -> Result<Response<FinanceFigures>, Status> {
        Ok(Response::new(figures::count(self.0.store().read()).await?))
    }
}
