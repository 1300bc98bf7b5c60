//! `TrainingsService`: the trainings of advisers.

use conum_proto::training::v1::{
    AgreeCalendarRequest, CorrectHoursRequest, EnrolInSessionRequest, GetTrainingFiguresRequest,
    GetTrainingProgressRequest, GetTrainingRequest, LeaveSessionRequest, ListEligibleSessionsRequest,
    ListEligibleSessionsResponse, ListTrainingHistoryRequest, ListTrainingHistoryResponse, ListTrainingHoursRequest,
    ListTrainingHoursResponse, ListTrainingPlansRequest, ListTrainingPlansResponse, ListTrainingsRequest,
    ListTrainingsResponse, MarkAidantsConnectRequest, OpenVaePathRequest, RecordAbsenceRequest,
    RecordEmployerViewRequest, RecordExamResultRequest, RecordExtraModuleRequest, RecordHoursRequest,
    RecordInterviewRequest, RegisterExamRequest, SetTrainingPlanRequest, SetTrainingPreferenceRequest, Training,
    TrainingFigures, TrainingProgress, trainings_service_server::TrainingsService,
};
use conum_service::{Call, Host};
use tonic::{Request, Response, Status};

use super::{acting, convert, reading};
use crate::{commands::settings, figures, storage::trainings::Stored};

/// The rpc of trainings.
#[derive(Clone, Debug)]
pub struct Trainings(pub Host);

impl Trainings {
    /// A training as the contract writes it on the day of a call.
    async fn shown(&self, call: &Call, stored: Stored) -> Result<Response<Training>, Status> {
        let settings = settings(self.0.store().read(), call).await?;
        Ok(Response::new(convert::training(stored, &settings)))
    }
}

#[tonic::async_trait]
impl TrainingsService for Trainings {
    async fn get_training(&self, request: Request<GetTrainingRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, "")?;
        let found = reading::training(&self.0, &call, "name", &request.get_ref().name).await?;
        self.shown(&call, found).await
    }

    async fn get_training_progress(
        &self,
        request: Request<GetTrainingProgressRequest>,
    ) -> Result<Response<TrainingProgress>, Status> {
        let call = self.0.call(&request, "")?;
        Ok(Response::new(reading::progress(&self.0, &call, &request.get_ref().name).await?))
    }

    async fn list_trainings(
        &self,
        request: Request<ListTrainingsRequest>,
    ) -> Result<Response<ListTrainingsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        Ok(Response::new(reading::list(&self.0, &call, request.get_ref()).await?))
    }

    async fn list_eligible_sessions(
        &self,
        request: Request<ListEligibleSessionsRequest>,
    ) -> Result<Response<ListEligibleSessionsResponse>, Status> {
        let call = self.0.call(&request, "")?;
        Ok(Response::new(reading::eligible(&self.0, &call, request.get_ref()).await?))
    }

    async fn list_training_plans(
        &self,
        request: Request<ListTrainingPlansRequest>,
    ) -> Result<Response<ListTrainingPlansResponse>, Status> {
        let call = self.0.call(&request, "")?;
        Ok(Response::new(reading::plans(&self.0, &call, request.get_ref()).await?))
    }

    async fn list_training_hours(
        &self,
        request: Request<ListTrainingHoursRequest>,
    ) -> Result<Response<ListTrainingHoursResponse>, Status> {
        let call = self.0.call(&request, "")?;
        Ok(Response::new(reading::hours(&self.0, &call, request.get_ref()).await?))
    }

    async fn list_training_history(
        &self,
        request: Request<ListTrainingHistoryRequest>,
    ) -> Result<Response<ListTrainingHistoryResponse>, Status> {
        let call = self.0.call(&request, "")?;
        Ok(Response::new(reading::history(&self.0, &call, request.get_ref()).await?))
    }

    async fn set_training_preference(
        &self,
        request: Request<SetTrainingPreferenceRequest>,
    ) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::prefer).await?;
        self.shown(&call, stored).await
    }

    async fn enrol_in_session(&self, request: Request<EnrolInSessionRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, acting::enrol).await?
        } else {
            self.0.command(&call, asked, acting::enrol).await?
        };
        self.shown(&call, stored).await
    }

    async fn leave_session(&self, request: Request<LeaveSessionRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::leave).await?;
        self.shown(&call, stored).await
    }

    async fn record_interview(&self, request: Request<RecordInterviewRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, acting::record_interview).await?
        } else {
            self.0.command(&call, asked, acting::record_interview).await?
        };
        self.shown(&call, stored).await
    }

    async fn record_employer_view(
        &self,
        request: Request<RecordEmployerViewRequest>,
    ) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::record_view).await?;
        self.shown(&call, stored).await
    }

    async fn set_training_plan(&self, request: Request<SetTrainingPlanRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, acting::set_plan).await?
        } else {
            self.0.command(&call, asked, acting::set_plan).await?
        };
        self.shown(&call, stored).await
    }

    async fn agree_calendar(&self, request: Request<AgreeCalendarRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::agree_calendar).await?;
        self.shown(&call, stored).await
    }

    async fn record_hours(&self, request: Request<RecordHoursRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, acting::record_hours).await?
        } else {
            self.0.command(&call, asked, acting::record_hours).await?
        };
        self.shown(&call, stored).await
    }

    async fn correct_hours(&self, request: Request<CorrectHoursRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::correct_hours).await?;
        self.shown(&call, stored).await
    }

    async fn record_absence(&self, request: Request<RecordAbsenceRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::record_absence).await?;
        self.shown(&call, stored).await
    }

    async fn register_exam(&self, request: Request<RegisterExamRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let asked = request.into_inner();
        let stored = if asked.validate_only {
            self.0.rehearse(&call, asked, acting::register_exam).await?
        } else {
            self.0.command(&call, asked, acting::register_exam).await?
        };
        self.shown(&call, stored).await
    }

    async fn record_exam_result(
        &self,
        request: Request<RecordExamResultRequest>,
    ) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::record_exam_result).await?;
        self.shown(&call, stored).await
    }

    async fn record_extra_module(
        &self,
        request: Request<RecordExtraModuleRequest>,
    ) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::record_module).await?;
        self.shown(&call, stored).await
    }

    async fn open_vae_path(&self, request: Request<OpenVaePathRequest>) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::open_vae).await?;
        self.shown(&call, stored).await
    }

    async fn mark_aidants_connect(
        &self,
        request: Request<MarkAidantsConnectRequest>,
    ) -> Result<Response<Training>, Status> {
        let call = self.0.call(&request, &request.get_ref().request_id)?;
        let stored = self.0.command(&call, request.into_inner(), acting::mark_aidants_connect).await?;
        self.shown(&call, stored).await
    }

    async fn get_training_figures(
        &self,
        _: Request<GetTrainingFiguresRequest>,
    ) -> Result<Response<TrainingFigures>, Status> {
        Ok(Response::new(figures::count(self.0.store().read()).await?))
    }
}
