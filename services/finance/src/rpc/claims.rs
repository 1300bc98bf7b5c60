//! `ClaimsService`: money that is claimed back, repaid or waived.

use conum_kernel::{Cents, ClaimId, ConventionId, Error};
use conum_proto::finance::v1::{
    Claim, CreateClaimRequest, GetClaimRequest, ListClaimsRequest, ListClaimsResponse, RecordRepaymentRequest,
    WaiveClaimRequest, claims_service_server::ClaimsService,
};
use conum_service::{Call, Failure, Host, Tx, paging::Page, wire};
use futures::future::BoxFuture;
use tonic::{Request, Response, Status};

use super::{narrowed, reading};
use crate::{
    commands::decide,
    domain::{
        claims as rules,
        decision::{Context, Decision},
    },
    storage::claims::{self, Listed},
};

/// The rpc of claims.
#[derive(Clone, Debug)]
pub struct Claims(pub Host);

fn created(tx: &Tx, call: Call, asked: CreateClaimRequest) -> BoxFuture<'_, Result<Listed, Failure>> {
    Box::pin(async move {
        let claim = asked.claim.ok_or_else(|| wire::required("claim"))?;
        let id = ConventionId::parse_name("claim.convention", &claim.convention)?;
        let post = reading::post("claim.post", &claim.post)?;
        let breach = reading::breach("claim.breach", claim.breach)?;
        let by_decision = (Cents(claim.amount_cents), claim.decision_sha256.as_str());
        let after =
            decide(tx, &call, id, |convention, context| rules::raise(convention, post, breach, by_decision, context))
                .await?;
        let raised = after.claims.last().ok_or_else(|| Error::internal("a claim vanished"))?;
        found(tx, raised.id).await
    })
}

async fn found(tx: &Tx, id: ClaimId) -> Result<Listed, Failure> {
    claims::find(tx, id).await?.ok_or_else(|| Error::not_found(&id.name()).into())
}

/// Changes a claim under its convention's lock.
async fn changed(
    tx: &Tx,
    call: &Call,
    name: &str,
    change: impl FnOnce(crate::domain::convention::Convention, ClaimId, &Context<'_>) -> Result<Decision, Error>,
) -> Result<Listed, Failure> {
    let id = ClaimId::parse_name("name", name)?;
    let listed = found(tx, id).await?;
    decide(tx, call, listed.convention, |convention, context| change(convention, id, context)).await?;
    found(tx, id).await
}

fn answer(listed: Listed) -> Result<Response<Claim>, Status> {
    Ok(Response::new(listed.try_into().map_err(Failure::from)?))
}

#[tonic::async_trait]
impl ClaimsService for Claims {
    async fn create_claim(&self, request: Request<CreateClaimRequest>) -> Result<Response<Claim>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        if asked.validate_only {
            return answer(self.0.rehearse(&call, asked, created).await?);
        }
        answer(self.0.command(&call, asked, created).await?)
    }

    async fn get_claim(&self, request: Request<GetClaimRequest>) -> Result<Response<Claim>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().name;
        let id = ClaimId::parse_name("name", &name).map_err(Failure::from)?;
        let listed = claims::find(self.0.store().read(), id).await?;
        let listed = listed.ok_or_else(|| Failure::from(Error::not_found(&name)))?;
        call.require_owner(&[&listed.structure.name()]).map_err(Failure::from)?;
        answer(listed)
    }

    async fn list_claims(&self, request: Request<ListClaimsRequest>) -> Result<Response<ListClaimsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let (structure, _) = narrowed(&call, &asked.structure, "").map_err(Failure::from)?;
        let list = format!("claims?{structure:?}");
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = claims::list(self.0.store().read(), structure, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |listed| listed.claim.id.to_string());
        let claims: Result<Vec<Claim>, Error> = found.into_iter().map(TryInto::try_into).collect();
        Ok(Response::new(ListClaimsResponse { claims: claims.map_err(Failure::from)?, next_page_token }))
    }

    async fn waive_claim(&self, request: Request<WaiveClaimRequest>) -> Result<Response<Claim>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let listed = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let (amount, reason) = (Cents(asked.amount_cents), reading::waiver_reason(asked.reason)?);
                    let waive =
                        |convention, id, context: &Context<'_>| rules::waive(convention, id, amount, reason, context);
                    changed(tx, &call, &asked.name, waive).await
                })
            })
            .await?;
        answer(listed)
    }

    async fn record_repayment(&self, request: Request<RecordRepaymentRequest>) -> Result<Response<Claim>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let listed = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let amount = Cents(asked.amount_cents);
                    let repay = |convention, id, context: &Context<'_>| rules::repay(convention, id, amount, context);
                    changed(tx, &call, &asked.name, repay).await
                })
            })
            .await?;
        answer(listed)
    }
}
