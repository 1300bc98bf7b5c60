//! `IntroductionsService`: introductions and their answers.

use conum_kernel::{Error, IntroductionId};
use conum_proto::matching::v1::{
    AcceptIntroductionRequest, DeclineIntroductionRequest, DeclineReason, GetIntroductionRequest, Introduction,
    ListIntroductionHistoryRequest, ListIntroductionHistoryResponse, ListIntroductionsRequest,
    ListIntroductionsResponse, MatchingHistoryEntry, introductions_service_server::IntroductionsService,
};
use conum_service::{Call, Failure, Host, history, paging::Page, wire};
use tonic::{Request, Response, Status};

use super::narrowed;
use crate::{
    commands::{answering, settings},
    storage::introductions::{self, Filter, Introduction as Stored},
};

/// The rpc of introductions.
#[derive(Clone, Debug)]
pub struct Introductions(pub Host);

/// Those who may act on an introduction as their own: its structure, its candidate, the holder of its link.
fn require_party(call: &Call, introduction: &Stored) -> Result<(), Failure> {
    let parties = [introduction.structure.name(), introduction.candidate.name(), introduction.id.name()];
    Ok(call.require_owner(&parties.each_ref().map(String::as_str))?)
}

#[tonic::async_trait]
impl IntroductionsService for Introductions {
    async fn get_introduction(
        &self,
        request: Request<GetIntroductionRequest>,
    ) -> Result<Response<Introduction>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().name;
        let id = IntroductionId::parse_name("name", &name).map_err(Failure::from)?;
        let found = introductions::find(self.0.store().read(), id).await?;
        let found = found.ok_or_else(|| Failure::from(Error::not_found(&name)))?;
        require_party(&call, &found)?;
        Ok(Response::new(found.into()))
    }

    async fn list_introductions(
        &self,
        request: Request<ListIntroductionsRequest>,
    ) -> Result<Response<ListIntroductionsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let (structure, candidate) = narrowed(&call, &asked.structure, &asked.candidate)?;
        let filter = Filter { structure, candidate, live_only: asked.live_only };
        let list = format!("introductions?{structure:?}&{candidate:?}&{}", asked.live_only);
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = introductions::list(self.0.store().read(), &filter, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |introduction| introduction.id.to_string());
        let introductions = found.into_iter().map(Into::into).collect();
        Ok(Response::new(ListIntroductionsResponse { introductions, next_page_token }))
    }

    async fn accept_introduction(
        &self,
        request: Request<AcceptIntroductionRequest>,
    ) -> Result<Response<Introduction>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let accepted = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let id = IntroductionId::parse_name("name", &asked.name)?;
                    let introduction = answering::lock(tx, id).await?;
                    require_party(&call, &introduction)?;
                    wire::fresh(&asked.name, &asked.etag, introduction.version)?;
                    answering::accept(tx, &call, introduction).await
                })
            })
            .await?;
        Ok(Response::new(accepted.into()))
    }

    async fn decline_introduction(
        &self,
        request: Request<DeclineIntroductionRequest>,
    ) -> Result<Response<Introduction>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let declined = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let id = IntroductionId::parse_name("name", &asked.name)?;
                    let reason = DeclineReason::try_from(asked.reason).map_err(|_| wire::unknown_value("reason"))?;
                    let introduction = answering::lock(tx, id).await?;
                    require_party(&call, &introduction)?;
                    wire::fresh(&asked.name, &asked.etag, introduction.version)?;
                    let settings = settings(tx, &call).await?;
                    let reason = if reason == DeclineReason::Unspecified { "" } else { reason.as_str_name() };
                    answering::decline(tx, &call, &settings, introduction, reason).await
                })
            })
            .await?;
        Ok(Response::new(declined.into()))
    }

    async fn list_introduction_history(
        &self,
        request: Request<ListIntroductionHistoryRequest>,
    ) -> Result<Response<ListIntroductionHistoryResponse>, Status> {
        let asked = request.into_inner();
        let id = IntroductionId::parse_name("parent", &asked.parent).map_err(Failure::from)?;
        let list = format!("history?{id}");
        let page = Page::read(&list, asked.page_size, 100, &asked.page_token).map_err(Failure::from)?;
        let after = page.after.parse().unwrap_or(0);
        let entries = history::list(self.0.store().read(), &id.name(), after, page.limit()).await?;
        let (entries, next_page_token) = page.cut(entries, |entry| entry.id.to_string());
        let entries = entries
            .into_iter()
            .map(|entry| MatchingHistoryEntry {
                at: Some(wire::from_timestamp(entry.at)),
                actor: entry.actor,
                action: entry.action,
                from_state: entry.from,
                to_state: entry.to,
                why: entry.why,
            })
            .collect();
        Ok(Response::new(ListIntroductionHistoryResponse { entries, next_page_token }))
    }
}
