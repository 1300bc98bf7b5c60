//! `RecruitmentsService`: selections, contracts, and the states that follow from them.

use conum_kernel::{ApplicationId, CandidateId, Error, PostId, RecruitmentId, id::invalid_name, parse_post_name};
use conum_proto::matching::v1::{
    Adviser, CancelRecruitmentRequest, CreateRecruitmentRequest, EndContractRequest, GetAdviserRequest,
    GetMatchingFiguresRequest, GetPostRequest, GetRecruitmentRequest, ListNoticesRequest, ListNoticesResponse,
    ListPostsRequest, ListPostsResponse, ListRecruitmentsRequest, ListRecruitmentsResponse, MatchingFigures, Post,
    Recruitment, SignContractRequest, recruitment::CancelReason, recruitments_service_server::RecruitmentsService,
};
use conum_service::{Call, Failure, Host, paging::Page, wire};
use tonic::{Request, Response, Status};

use super::{convert, narrowed};
use crate::{
    commands::{recruiting, settings},
    domain::states::{self, Person},
    figures,
    storage::{
        candidates, notices,
        recruitments::{self, Recruitment as Stored},
        structures, trainings,
    },
};

/// The rpc of recruitments.
#[derive(Clone, Debug)]
pub struct Recruitments(pub Host);

/// Those who may act on a recruitment as their own: its structure and its candidate.
fn require_party(call: &Call, recruitment: &Stored) -> Result<(), Failure> {
    let parties = [recruitment.structure.name(), recruitment.candidate.name()];
    Ok(call.require_owner(&parties.each_ref().map(String::as_str))?)
}

#[tonic::async_trait]
impl RecruitmentsService for Recruitments {
    async fn create_recruitment(
        &self,
        request: Request<CreateRecruitmentRequest>,
    ) -> Result<Response<Recruitment>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let selected = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let asked = asked.recruitment.ok_or_else(|| wire::required("recruitment"))?;
                    let (_, post) = parse_post_name("recruitment.post", &asked.post)?;
                    let candidate = CandidateId::parse_name("recruitment.candidate", &asked.candidate)?;
                    require_own_post(tx, &call, post, &asked.post).await?;
                    let settings = settings(tx, &call).await?;
                    recruiting::select(tx, &call, &settings, post, candidate).await
                })
            })
            .await?;
        Ok(Response::new(selected.into()))
    }

    async fn get_recruitment(&self, request: Request<GetRecruitmentRequest>) -> Result<Response<Recruitment>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().name;
        let id = RecruitmentId::parse_name("name", &name).map_err(Failure::from)?;
        let found = recruitments::find(self.0.store().read(), id).await?;
        let found = found.ok_or_else(|| Failure::from(Error::not_found(&name)))?;
        require_party(&call, &found)?;
        Ok(Response::new(found.into()))
    }

    async fn list_recruitments(
        &self,
        request: Request<ListRecruitmentsRequest>,
    ) -> Result<Response<ListRecruitmentsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let (structure, candidate) = narrowed(&call, &asked.structure, &asked.candidate)?;
        let list = format!("recruitments?{structure:?}&{candidate:?}");
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = recruitments::list(self.0.store().read(), structure, candidate, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |recruitment| recruitment.id.to_string());
        let recruitments = found.into_iter().map(Into::into).collect();
        Ok(Response::new(ListRecruitmentsResponse { recruitments, next_page_token }))
    }

    async fn cancel_recruitment(
        &self,
        request: Request<CancelRecruitmentRequest>,
    ) -> Result<Response<Recruitment>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let cancelled = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let id = RecruitmentId::parse_name("name", &asked.name)?;
                    let reason = cancel_reason(asked.reason)?;
                    let recruitment = recruiting::lock(tx, id).await?;
                    require_party(&call, &recruitment)?;
                    wire::fresh(&asked.name, &asked.etag, recruitment.version)?;
                    let settings = settings(tx, &call).await?;
                    recruiting::cancel(tx, &call, &settings, recruitment, reason.as_str_name()).await
                })
            })
            .await?;
        Ok(Response::new(cancelled.into()))
    }

    async fn sign_contract(&self, request: Request<SignContractRequest>) -> Result<Response<Recruitment>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let signed = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let id = RecruitmentId::parse_name("name", &asked.name)?;
                    let contract = convert::contract(asked.contract.as_ref())?;
                    let recruitment = recruiting::lock(tx, id).await?;
                    require_party(&call, &recruitment)?;
                    wire::fresh(&asked.name, &asked.etag, recruitment.version)?;
                    let settings = settings(tx, &call).await?;
                    recruiting::sign(tx, &call, &settings, recruitment, contract).await
                })
            })
            .await?;
        Ok(Response::new(signed.into()))
    }

    async fn end_contract(&self, request: Request<EndContractRequest>) -> Result<Response<Recruitment>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let ended = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move {
                    let id = RecruitmentId::parse_name("name", &asked.name)?;
                    let ending = convert::ending(asked.ending.as_ref())?;
                    let recruitment = recruiting::lock(tx, id).await?;
                    require_party(&call, &recruitment)?;
                    wire::fresh(&asked.name, &asked.etag, recruitment.version)?;
                    let settings = settings(tx, &call).await?;
                    recruiting::end(tx, &call, &settings, recruitment, ending).await
                })
            })
            .await?;
        Ok(Response::new(ended.into()))
    }

    async fn get_post(&self, request: Request<GetPostRequest>) -> Result<Response<Post>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().name;
        let (_, id) = parse_post_name("name", &name).map_err(Failure::from)?;
        let post = structures::find_post(self.0.store().read(), id).await?;
        let post = post.ok_or_else(|| Failure::from(Error::not_found(&name)))?;
        call.require_owner(&[&post.structure.name()]).map_err(Failure::from)?;
        Ok(Response::new(convert::post(&post)))
    }

    async fn list_posts(&self, request: Request<ListPostsRequest>) -> Result<Response<ListPostsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let id = ApplicationId::parse_name("parent", &request.into_inner().parent).map_err(Failure::from)?;
        let posts = structures::posts_of_application(self.0.store().read(), id).await?;
        for post in &posts {
            call.require_owner(&[&post.structure.name()]).map_err(Failure::from)?;
        }
        Ok(Response::new(ListPostsResponse { posts: posts.iter().map(convert::post).collect() }))
    }

    async fn get_adviser(&self, request: Request<GetAdviserRequest>) -> Result<Response<Adviser>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().name;
        let id: CandidateId = name
            .strip_prefix("advisers/")
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| Failure::from(invalid_name("name", "advisers/{candidate}")))?;
        call.require_owner(&[&id.name()]).map_err(Failure::from)?;
        let connection = self.0.store().read();
        let person = candidates::find(connection, id).await?;
        let person = person.ok_or_else(|| Failure::from(Error::not_found(&name)))?;
        let recruitment = recruitments::last_of(connection, id).await?;
        let contract = recruitment.as_ref().and_then(|recruitment| recruitment.contract.as_ref());
        let training = match &recruitment {
            Some(recruitment) => trainings::find(connection, recruitment.id).await?,
            None => None,
        };
        let state = states::adviser(
            Person {
                gone: person.gone,
                live_introductions: person.live,
                recruitment: recruitment.as_ref().map(|recruitment| recruitment.state),
                start_date: contract.map(|contract| contract.start_date),
                training_runs: training.is_some_and(|training| training.runs(call.moment.today)),
            },
            call.moment.today,
        );
        Ok(Response::new(Adviser {
            name,
            state: convert::adviser(state).into(),
            live_introductions: i32::try_from(person.live).unwrap_or(i32::MAX),
            recruitment: recruitment.map(|recruitment| recruitment.id.name()).unwrap_or_default(),
        }))
    }

    async fn list_notices(
        &self,
        request: Request<ListNoticesRequest>,
    ) -> Result<Response<ListNoticesResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let (structure, _) = narrowed(&call, &asked.structure, "")?;
        let list = format!("notices?{structure:?}");
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = notices::list(self.0.store().read(), structure, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |notice| notice.id.clone());
        let notices = found.iter().map(convert::notice).collect();
        Ok(Response::new(ListNoticesResponse { notices, next_page_token }))
    }

    async fn get_matching_figures(
        &self,
        _: Request<GetMatchingFiguresRequest>,
    ) -> Result<Response<MatchingFigures>, Status> {
        Ok(Response::new(figures::count(self.0.store().read()).await?))
    }
}

fn cancel_reason(reason: i32) -> Result<CancelReason, Error> {
    CancelReason::try_from(reason)
        .ok()
        .filter(|reason| *reason != CancelReason::Unspecified)
        .ok_or_else(|| wire::unknown_value("reason").with_rule(conum_kernel::Rule("M06")))
}

/// The post exists and is the caller's.
async fn require_own_post(tx: &conum_service::Tx, call: &Call, post: PostId, name: &str) -> Result<(), Failure> {
    let found = structures::find_post(tx, post).await?.ok_or_else(|| Error::not_found(name))?;
    Ok(call.require_owner(&[&found.structure.name()])?)
}
