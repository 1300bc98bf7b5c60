//! `ApplicationsService`: applications, from the first to the last step.

use conum_kernel::{ApplicationId, Error};
use conum_proto::applications::v1::{
    AddPartnerRequest, AddPostsRequest, Application, ConfirmAddressRequest, ConfirmAddressResponse,
    CreateApplicationRequest, DecideCorrectionRequest, DecideDerogationRequest, GetApplicationRequest,
    GetWelcomeKitRequest, GrantPostsRequest, ListApplicationHistoryRequest, ListApplicationHistoryResponse,
    ListApplicationVersionsRequest, ListApplicationVersionsResponse, ListApplicationsRequest, ListApplicationsResponse,
    ProvideInformationRequest, RecordOpinionRequest, RecordPastGrantRequest, RecordPastGrantResponse,
    RefuseApplicationRequest, RequestCorrectionRequest, RequestInformationRequest, ResendConfirmationRequest,
    ResendConfirmationResponse, ReturnPostsRequest, SettleStartDateRequest, UpdateApplicationRequest, WelcomeKit,
    WithdrawApplicationRequest, applications_service_server::ApplicationsService,
};
use conum_service::{Call, Failure, Host, history, paging::Page, wire};
use tonic::{Request, Response, Status};

use super::{
    Own,
    asked::{self, Asked, Op, changed},
    convert::{self, form, lists::Twin as _},
    narrow, reading,
};
use crate::{
    commands::{applying, applying::decide, correcting, granting, past, settings},
    domain::{
        amendments, confirmation,
        corrections::Answer,
        derogations::{self, DecideDerogation},
        documents::DocumentKind,
        examination, kit, start_dates, withdrawal,
    },
    storage::{
        applications::{self, Stored},
        versions,
    },
};

/// The rpc of applications.
#[derive(Clone, Debug)]
pub struct Applications(pub Host);

/// A record on the wire.
fn answer(stored: Stored) -> Response<Application> {
    Response::new(stored.into())
}

impl Applications {
    /// Changes the application that a request names.
    async fn change<M: Asked>(&self, request: Request<M>, op: Op<M>) -> Result<Stored, Status> {
        let call = self.0.call(&request, request.get_ref().request_id())?;
        let changed = self.0.command(&call, request.into_inner(), move |tx, call, asked| changed(tx, call, asked, op));
        Ok(changed.await?)
    }

    /// An application that the caller may see.
    async fn seen(&self, call: &Call, own: Own, name: &str, id: ApplicationId) -> Result<Stored, Failure> {
        let found = applications::find(self.0.store().read(), id).await?;
        let found = found.ok_or_else(|| Error::not_found(name))?;
        own.require(call, &found.application)?;
        Ok(found)
    }
}

#[tonic::async_trait]
impl ApplicationsService for Applications {
    async fn create_application(
        &self,
        request: Request<CreateApplicationRequest>,
    ) -> Result<Response<Application>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, reading::created).await?
        } else {
            self.0.command(&call, asked, reading::created).await?
        };
        Ok(answer(stored))
    }

    async fn get_application(&self, request: Request<GetApplicationRequest>) -> Result<Response<Application>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().name;
        let id = ApplicationId::parse_name("name", &name).map_err(Failure::from)?;
        Ok(answer(self.seen(&call, Own::Either, &name, id).await?))
    }

    async fn list_applications(
        &self,
        request: Request<ListApplicationsRequest>,
    ) -> Result<Response<ListApplicationsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let filter = narrow(&call, reading::filter(&asked).map_err(Failure::from)?)?;
        let list = format!("applications?{filter:?}");
        let page = Page::read(&list, asked.page_size, 50, &asked.page_token).map_err(Failure::from)?;
        let found = applications::list(self.0.store().read(), &filter, &page.after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |stored| stored.application.id.to_string());
        let applications = found.into_iter().map(Into::into).collect();
        Ok(Response::new(ListApplicationsResponse { applications, next_page_token }))
    }

    async fn update_application(
        &self,
        request: Request<UpdateApplicationRequest>,
    ) -> Result<Response<Application>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, reading::corrected).await?
        } else {
            self.0.command(&call, asked, reading::corrected).await?
        };
        Ok(answer(stored))
    }

    async fn confirm_address(
        &self,
        request: Request<ConfirmAddressRequest>,
    ) -> Result<Response<ConfirmAddressResponse>, Status> {
        let op: Op<ConfirmAddressRequest> = |tx, call, before, asked| {
            Box::pin(decide(tx, call, before, move |application, _| {
                confirmation::confirm(application, &confirmation::Token::new(asked.token), call.moment)
            }))
        };
        let stored = self.change(request, op).await?;
        let state = stored.application.state.to_wire();
        Ok(Response::new(ConfirmAddressResponse { name: stored.application.id.name(), state }))
    }

    async fn resend_confirmation(
        &self,
        request: Request<ResendConfirmationRequest>,
    ) -> Result<Response<ResendConfirmationResponse>, Status> {
        let op: Op<ResendConfirmationRequest> = |tx, call, before, _| {
            Box::pin(decide(tx, call, before, move |application, settings| {
                confirmation::resend(application, applying::token(call), settings, call.moment)
            }))
        };
        self.change(request, op).await?;
        Ok(Response::new(ResendConfirmationResponse {}))
    }

    async fn withdraw_application(
        &self,
        request: Request<WithdrawApplicationRequest>,
    ) -> Result<Response<Application>, Status> {
        let op: Op<WithdrawApplicationRequest> = |tx, call, before, asked| {
            Box::pin(decide(tx, call, before, move |application, _| {
                withdrawal::withdraw(application, &asked.reason, call.moment)
            }))
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn record_opinion(&self, request: Request<RecordOpinionRequest>) -> Result<Response<Application>, Status> {
        let op: Op<RecordOpinionRequest> = |tx, call, before, asked| {
            Box::pin(decide(tx, call, before, move |application, _| {
                let actor = call.actor().to_owned();
                let opinion =
                    examination::RecordOpinion { favourable: asked.favourable, comment: asked.comment, actor };
                examination::record_opinion(application, opinion, call.moment)
            }))
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn request_information(
        &self,
        request: Request<RequestInformationRequest>,
    ) -> Result<Response<Application>, Status> {
        let op: Op<RequestInformationRequest> = |tx, call, before, asked| {
            Box::pin(decide(tx, call, before, move |application, _| {
                examination::request_information(application, &asked.question, call.moment)
            }))
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn provide_information(
        &self,
        request: Request<ProvideInformationRequest>,
    ) -> Result<Response<Application>, Status> {
        let op: Op<ProvideInformationRequest> = |tx, call, before, asked| {
            Box::pin(decide(tx, call, before, move |application, _| {
                examination::provide_information(application, &asked.answer, call.moment)
            }))
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn grant_posts(&self, request: Request<GrantPostsRequest>) -> Result<Response<Application>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let granted = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move { granting::grant(tx, &call, &reading::grant(asked)?).await })
            })
            .await?;
        Ok(answer(granted))
    }

    async fn refuse_application(
        &self,
        request: Request<RefuseApplicationRequest>,
    ) -> Result<Response<Application>, Status> {
        let op: Op<RefuseApplicationRequest> = |tx, call, before, asked| {
            Box::pin(decide(tx, call, before, move |application, _| examination::refuse(application, &asked.reason)))
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn decide_derogation(
        &self,
        request: Request<DecideDerogationRequest>,
    ) -> Result<Response<Application>, Status> {
        let op: Op<DecideDerogationRequest> = |tx, call, before, asked| {
            Box::pin(decide(tx, call, before, move |application, _| {
                let post = asked::post(&asked.name)?;
                let command = DecideDerogation { post, accepted: asked.accepted, reason: asked.reason };
                derogations::decide(application, &command)
            }))
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn settle_start_date(
        &self,
        request: Request<SettleStartDateRequest>,
    ) -> Result<Response<Application>, Status> {
        let op: Op<SettleStartDateRequest> = |tx, call, before, asked| {
            Box::pin(decide(tx, call, before, move |application, settings| {
                let post = asked::post(&asked.name)?;
                let date = wire::required_date("start_date", asked.start_date.as_ref())?;
                start_dates::settle(application, post, date, settings)
            }))
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn add_posts(&self, request: Request<AddPostsRequest>) -> Result<Response<Application>, Status> {
        let op: Op<AddPostsRequest> = |tx, call, before, asked| {
            Box::pin(async move {
                let posts = form::posts("posts", &asked.posts, call, None)?;
                applying::add_posts(tx, call, before, &posts).await
            })
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn return_posts(&self, request: Request<ReturnPostsRequest>) -> Result<Response<Application>, Status> {
        let op: Op<ReturnPostsRequest> = |tx, call, before, asked| {
            Box::pin(decide(tx, call, before, move |application, _| {
                let name =
                    |(place, name): (usize, &String)| form::post_of(&format!("posts[{place}]"), name, application.id);
                let posts = asked.posts.iter().enumerate().map(name).collect::<Result<Vec<_>, _>>()?;
                amendments::return_posts(application, &posts, &asked.reason)
            }))
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn add_partner(&self, request: Request<AddPartnerRequest>) -> Result<Response<Application>, Status> {
        let op: Op<AddPartnerRequest> = |tx, call, before, asked| {
            Box::pin(async move {
                let partner = form::partner(asked.partner.as_ref())?;
                applying::add_partner(tx, call, before, &partner).await
            })
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn request_correction(
        &self,
        request: Request<RequestCorrectionRequest>,
    ) -> Result<Response<Application>, Status> {
        let op: Op<RequestCorrectionRequest> = |tx, call, before, asked| {
            Box::pin(async move {
                let change = reading::change(call, &before, asked.application.as_ref(), asked.update_mask.as_ref())?;
                correcting::request(tx, call, before, change).await
            })
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn decide_correction(
        &self,
        request: Request<DecideCorrectionRequest>,
    ) -> Result<Response<Application>, Status> {
        let op: Op<DecideCorrectionRequest> = |tx, call, before, asked| {
            Box::pin(async move {
                let correction = asked::correction(&asked.name)?;
                let answer = Answer { correction, accepted: asked.accepted, reason: asked.reason };
                correcting::decide(tx, call, before, &answer).await
            })
        };
        Ok(answer(self.change(request, op).await?))
    }

    async fn list_application_versions(
        &self,
        request: Request<ListApplicationVersionsRequest>,
    ) -> Result<Response<ListApplicationVersionsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let id = ApplicationId::parse_name("parent", &asked.parent).map_err(Failure::from)?;
        self.seen(&call, Own::Either, &asked.parent, id).await?;
        let page = Page::read(&format!("versions?{id}"), asked.page_size, 50, &asked.page_token);
        let page = page.map_err(Failure::from)?;
        let after = page.after.parse().unwrap_or(0);
        let found = versions::list(self.0.store().read(), id, after, page.limit()).await?;
        let (found, next_page_token) = page.cut(found, |version| version.number.to_string());
        let versions = found.into_iter().map(Into::into).collect();
        Ok(Response::new(ListApplicationVersionsResponse { versions, next_page_token }))
    }

    async fn list_application_history(
        &self,
        request: Request<ListApplicationHistoryRequest>,
    ) -> Result<Response<ListApplicationHistoryResponse>, Status> {
        let call = self.0.call(&request, "")?;
        let asked = request.into_inner();
        let id = ApplicationId::parse_name("parent", &asked.parent).map_err(Failure::from)?;
        self.seen(&call, Own::Either, &asked.parent, id).await?;
        let page = Page::read(&format!("history?{id}"), asked.page_size, 100, &asked.page_token);
        let page = page.map_err(Failure::from)?;
        let after = page.after.parse().unwrap_or(0);
        let entries = history::list(self.0.store().read(), &id.name(), after, page.limit()).await?;
        let (entries, next_page_token) = page.cut(entries, |entry| entry.id.to_string());
        let entries = entries.into_iter().map(convert::application::history).collect();
        Ok(Response::new(ListApplicationHistoryResponse { entries, next_page_token }))
    }

    async fn get_welcome_kit(&self, request: Request<GetWelcomeKitRequest>) -> Result<Response<WelcomeKit>, Status> {
        let call = self.0.call(&request, "")?;
        let name = request.into_inner().name;
        let application = name.strip_suffix("/welcomeKit").unwrap_or_default();
        let id = ApplicationId::parse_name("name", application).map_err(Failure::from)?;
        let stored = self.seen(&call, Own::Structure, &name, id).await?;
        let settings = settings(self.0.store().read(), &call).await?;
        let contact = crate::letters::whom_to_ask(&self.0);
        let kit = kit::welcome_kit(&stored.application, &settings, &contact).map_err(Failure::from)?;
        let documents = kit.documents.into_iter().map(DocumentKind::key).map(str::to_owned).collect();
        Ok(Response::new(WelcomeKit { name, text: kit.text, documents }))
    }

    async fn record_past_grant(
        &self,
        request: Request<RecordPastGrantRequest>,
    ) -> Result<Response<RecordPastGrantResponse>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let recorded = self
            .0
            .command(&call, request.into_inner(), |tx, call, asked| {
                Box::pin(async move { past::record_line(tx, &call, reading::line(&asked)?).await })
            })
            .await?;
        Ok(Response::new(recorded.into()))
    }
}
