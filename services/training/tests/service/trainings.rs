//! One training from selection to certification, through the running service, on every database (T01–T04, T06–T08).

use conum_proto::{
    google::r#type::Date,
    training::v1::{
        Absence, AgreeCalendarRequest, Certification, CorrectHoursRequest, CorrectionReason, DayHours, EmployerView,
        ExtraModule, GetTrainingProgressRequest, HoursEntry, ListTrainingHistoryRequest, ListTrainingHoursRequest,
        ListTrainingPlansRequest, ListTrainingsRequest, MarkAidantsConnectRequest, OpenVaePathRequest, Payer, Plan,
        RecordAbsenceRequest, RecordEmployerViewRequest, RecordExamResultRequest, RecordExtraModuleRequest,
        RecordHoursRequest, RegisterExamRequest, Training, TrainingProgress, absence::Reason, employer_view::Opinion,
        exam::Outcome, training::State,
    },
};
use conum_service::Caller;
use conum_testkit::{Backend, backends, callers};
use tonic::{Code, Status};

use crate::scene::{
    LYON, Programme, Selected, VILLEURBANNE, day, hours, interview, january, on_site, planned, refusal,
};

pub(crate) struct Course {
    pub(crate) programme: Programme,
    pub(crate) who: Selected,
    pub(crate) name: String,
    pub(crate) organisation: Caller,
}

impl Course {
    /// Somebody who is selected, enrolled and interviewed.
    pub(crate) async fn interviewed(backend: &Backend) -> Self {
        let programme = Programme::start(backend).await;
        let own = programme.organisation("Rhône", &["69"]).await.unwrap();
        let session = programme.session(on_site(&own.name, LYON, 12)).await.unwrap();
        let who = Selected::named("one");
        let name = programme.select(who, VILLEURBANNE, LYON).await.name;
        let organisation = callers::organisation(&own.name);
        programme.enrol(&organisation, &name, &session.name).await.unwrap();
        programme.interview(&organisation, &name, interview()).await.unwrap();
        Self { programme, who, name, organisation }
    }

    /// The same, with a plan of 105 hours in January.
    pub(crate) async fn planned(backend: &Backend) -> Self {
        let course = Self::interviewed(backend).await;
        course.programme.plan(&course.organisation, &course.name, hours(105)).await.unwrap();
        course
    }

    /// The same, with all hours done.
    pub(crate) async fn done(backend: &Backend) -> Self {
        let course = Self::planned(backend).await;
        course.programme.scene.days_pass(60).await;
        course.record(january().into_iter().map(|day| (day, 7 * 60)).collect()).await.unwrap();
        course
    }

    pub(crate) async fn record(&self, days: Vec<(Option<Date>, i32)>) -> Result<Training, Status> {
        let hours = days.into_iter().map(|(day, minutes)| DayHours { day, minutes }).collect();
        let message = RecordHoursRequest { name: self.name.clone(), hours, ..Default::default() };
        let request = self.programme.signed(&self.organisation, message).await;
        self.programme.trainings().record_hours(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn register(&self, certification: Certification, on: Option<Date>) -> Result<Training, Status> {
        let message = RegisterExamRequest {
            name: self.name.clone(),
            certification: certification.into(),
            planned_on: on,
            ..Default::default()
        };
        let request = self.programme.signed(&self.organisation, message).await;
        self.programme.trainings().register_exam(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn result(
        &self,
        certification: Certification,
        outcome: Outcome,
        on: Option<Date>,
    ) -> Result<Training, Status> {
        let message = RecordExamResultRequest {
            name: self.name.clone(),
            certification: certification.into(),
            outcome: outcome.into(),
            taken_on: on,
            ..Default::default()
        };
        let request = self.programme.signed(&self.organisation, message).await;
        self.programme.trainings().record_exam_result(request).await.map(tonic::Response::into_inner)
    }

    /// Registers and passes, or fails, an exam of 28 January.
    pub(crate) async fn exam(&self, certification: Certification, outcome: Outcome) -> Result<Training, Status> {
        self.register(certification, day(2021, 1, 28)).await?;
        self.result(certification, outcome, day(2021, 1, 28)).await
    }

    pub(crate) async fn progress(&self) -> TrainingProgress {
        let message = GetTrainingProgressRequest { name: format!("{}/progress", self.name) };
        let request = self.programme.signed(&self.who.person(), message).await;
        self.programme.trainings().get_training_progress(request).await.unwrap().into_inner()
    }

    pub(crate) async fn entries(&self) -> Vec<HoursEntry> {
        let message = ListTrainingHoursRequest { parent: self.name.clone(), ..Default::default() };
        let request = self.programme.signed(&self.who.employer(), message).await;
        self.programme.trainings().list_training_hours(request).await.unwrap().into_inner().entries
    }

    async fn open_vae(&self) -> Result<Training, Status> {
        let message = OpenVaePathRequest { name: self.name.clone(), ..Default::default() };
        let request = self.programme.signed(&self.who.person(), message).await;
        self.programme.trainings().open_vae_path(request).await.map(tonic::Response::into_inner)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t03_hours_then_both_certifications_make_somebody_trained_and_it_is_told_once() {
    for backend in backends() {
        let course = Course::done(&backend).await;
        let progress = course.progress().await;
        assert_eq!((progress.minutes_done, progress.hours_done, progress.trained), (105 * 60, true, false));
        assert_eq!(course.exam(Certification::Ccp1, Outcome::Failed).await.unwrap().state(), State::Planned);
        assert_eq!(course.progress().await.ccp1_attempts_left, 2);
        course.exam(Certification::Ccp1, Outcome::Passed).await.unwrap();
        let trained = course.exam(Certification::Pix, Outcome::Passed).await.unwrap();
        assert_eq!((trained.state(), trained.completed_on), (State::Completed, day(2021, 1, 28)));
        assert!(course.progress().await.trained);
        let told = course.programme.told(&course.name).await;
        let certified = "CertificationRecorded";
        let expected = ["TrainingOpened", "TrainingPlanned", certified, certified, certified, "TrainingCompleted"];
        assert_eq!(told, expected);
        let figures = course.programme.figures().await;
        assert_eq!((figures.trained, figures.hours_min, figures.hours_max), (1, 105, 105));
        assert_eq!((figures.ccp1_awarded, figures.pix_certified, figures.exams_failed), (1, 1, 1));
        assert_eq!(figures.trainings_open, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_the_organisation_sets_the_hours_and_an_unfavourable_employer_has_no_veto() {
    for backend in backends() {
        let course = Course::interviewed(&backend).await;
        let view = Some(EmployerView { opinion: Opinion::Unfavourable.into(), given_on: None });
        let message =
            RecordEmployerViewRequest { name: course.name.clone(), employer_view: view, ..Default::default() };
        let request = course.programme.signed(&course.who.employer(), message).await;
        course.programme.trainings().record_employer_view(request).await.unwrap();
        for other in [course.who.employer(), course.who.person(), callers::agency()] {
            let refused = course.programme.plan(&other, &course.name, hours(105)).await.unwrap_err();
            assert_eq!(refusal(&refused).1, "ROLE_NOT_ALLOWED");
        }
        let plan = course.programme.plan(&course.organisation, &course.name, hours(140)).await.unwrap();
        assert_eq!(plan.employer_view.unwrap().opinion(), Opinion::Unfavourable);
        assert_eq!(plan.plan.unwrap().initial_days.len(), 20);

        course.programme.plan(&course.organisation, &course.name, hours(105)).await.unwrap();
        let message = ListTrainingPlansRequest { parent: course.name.clone(), ..Default::default() };
        let request = course.programme.signed(&course.who.employer(), message).await;
        let versions = course.programme.trainings().list_training_plans(request).await.unwrap().into_inner().plans;
        let versions: Vec<_> = versions.iter().map(|plan| (plan.version, plan.minutes / 60)).collect();
        assert_eq!(versions, [(1, 140), (2, 105)], "changes are versions");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t02_continuing_days_wait_for_the_employer_and_a_late_initial_training_is_flagged() {
    for backend in backends() {
        let course = Course::interviewed(&backend).await;
        let who = course.who;
        course.programme.tell("matching", who.recruitment.name(), who.signed(day(2021, 1, 18))).await;
        let plan = Plan {
            initial_days: january().into_iter().take(14).map(|day| planned(day, 7)).collect(),
            continuing_days: vec![planned(day(2021, 1, 25), 7)],
            ..hours(105)
        };
        let settled = course.programme.plan(&course.organisation, &course.name, plan).await.unwrap().plan.unwrap();
        assert!(settled.ends_after_start_in_post, "a warning");
        course.programme.scene.days_pass(60).await;
        let refused = course.record(vec![(day(2021, 1, 25), 7 * 60)]).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, "CALENDAR_NOT_AGREED".into(), "T02".into()));
        let message = AgreeCalendarRequest { name: course.name.clone(), plan_version: 1, ..Default::default() };
        let request = course.programme.signed(&who.employer(), message).await;
        let agreed = course.programme.trainings().agree_calendar(request).await.unwrap().into_inner();
        assert_eq!(agreed.plan.unwrap().agreed_on, day(2021, 1, 30));
        course.record(vec![(day(2021, 1, 25), 7 * 60)]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_a_correction_supersedes_and_both_are_kept() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        course.programme.scene.days_pass(40).await;
        course.record(vec![(day(2021, 1, 4), 7 * 60), (day(2021, 1, 5), 7 * 60)]).await.unwrap();
        let message = CorrectHoursRequest {
            name: course.name.clone(),
            hours: Some(DayHours { day: day(2021, 1, 4), minutes: 3 * 60 }),
            reason: CorrectionReason::LeftEarly.into(),
            ..Default::default()
        };
        let request = course.programme.signed(&course.organisation, message).await;
        course.programme.trainings().correct_hours(request).await.unwrap();
        assert_eq!(course.progress().await.minutes_done, 10 * 60);
        let entries = course.entries().await;
        let seen: Vec<_> = entries.iter().map(|entry| (entry.minutes / 60, entry.version, entry.counts)).collect();
        assert_eq!(seen, [(7, 1, false), (3, 2, true), (7, 1, true)]);
        assert_eq!(entries[1].reason(), CorrectionReason::LeftEarly);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t04_an_extra_module_is_the_structures_and_counts_in_no_hours() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        let module = ExtraModule {
            title: "Accessibilité".into(),
            day: day(2021, 2, 1),
            minutes: 35 * 60,
            cost_cents: 120_000,
            ..Default::default()
        };
        let message =
            RecordExtraModuleRequest { name: course.name.clone(), extra_module: Some(module), ..Default::default() };
        let request = course.programme.signed(&course.organisation, message).await;
        let recorded = course.programme.trainings().record_extra_module(request).await.unwrap().into_inner();
        assert_eq!(recorded.extra_modules[0].payer(), Payer::Structure);
        assert_eq!(recorded.plan.unwrap().payer(), Payer::State);
        assert_eq!(course.progress().await.minutes_done, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t06_training_time_is_part_of_the_funded_months() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        let seen = async || course.programme.get(&course.who.employer(), &course.name).await.unwrap();
        assert!(seen().await.within_funded_months);
        course.programme.set_policy("private-training-in-months", "false").await;
        assert!(seen().await.within_funded_months, "a public structure's always is");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t07_validation_of_experience_is_refused_until_the_agency_opens_it() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        let refused = course.open_vae().await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "VAE_NOT_OPEN".into(), "T07".into()));
        course.programme.set_policy("vae-open", "true").await;
        assert_eq!(course.open_vae().await.unwrap().vae_opened_on, day(2020, 12, 1));
        course.register(Certification::Ccp1, day(2020, 12, 1)).await.unwrap();
        course.result(Certification::Ccp1, Outcome::Passed, day(2020, 12, 1)).await.unwrap();
        let refused = course.register(Certification::Pix, day(2020, 12, 1)).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "HOURS_NOT_DONE");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t08_aidants_connect_is_marked_once_in_post() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        let mark = async || {
            let message = MarkAidantsConnectRequest { name: course.name.clone(), ..Default::default() };
            let request = course.programme.signed(&course.who.employer(), message).await;
            course.programme.trainings().mark_aidants_connect(request).await.map(tonic::Response::into_inner)
        };
        let refused = mark().await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "NOT_IN_POST".into(), "T08".into()));
        let recruitment = course.who.recruitment.name();
        course.programme.tell("matching", recruitment, course.who.signed(day(2020, 12, 2))).await;
        assert_eq!(refusal(&mark().await.unwrap_err()).1, "NOT_IN_POST");
        course.programme.scene.days_pass(1).await;
        assert_eq!(mark().await.unwrap().aidants_connect_on, day(2020, 12, 2));
        course.programme.scene.days_pass(1).await;
        assert_eq!(mark().await.unwrap().aidants_connect_on, day(2020, 12, 2), "once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_what_is_its_own_and_the_history_names_no_reason_of_health() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        let other = course.programme.organisation("Isère", &["38"]).await.unwrap();
        let strangers =
            [callers::organisation(&other.name), Selected::named("two").person(), Selected::named("two").employer()];
        for stranger in strangers {
            let refused = course.programme.get(&stranger, &course.name).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            let request = course.programme.signed(&stranger, ListTrainingsRequest::default()).await;
            let listed = course.programme.trainings().list_trainings(request).await.unwrap().into_inner();
            assert!(listed.trainings.is_empty());
        }
        for party in [course.organisation.clone(), course.who.person(), course.who.employer()] {
            let request = course.programme.signed(&party, ListTrainingsRequest::default()).await;
            let listed = course.programme.trainings().list_trainings(request).await.unwrap().into_inner();
            assert_eq!(listed.trainings.len(), 1);
        }
        // Without a session, it is the organisations' of its department.
        let second = Selected::named("two");
        let unplaced = course.programme.select(second, VILLEURBANNE, LYON).await;
        assert!(course.programme.get(&course.organisation, &unplaced.name).await.is_ok());
        let near = callers::organisation(&other.name);
        assert!(course.programme.get(&near, &unplaced.name).await.is_err());

        course.programme.scene.days_pass(40).await;
        let absence = Some(Absence { day: day(2021, 1, 4), reason: Reason::Sickness.into() });
        let message = RecordAbsenceRequest { name: course.name.clone(), absence, ..Default::default() };
        let request = course.programme.signed(&course.organisation, message).await;
        course.programme.trainings().record_absence(request).await.unwrap();
        let message = ListTrainingHistoryRequest { parent: course.name.clone(), ..Default::default() };
        let request = course.programme.signed(&callers::agency(), message).await;
        let entries = course.programme.trainings().list_training_history(request).await.unwrap().into_inner().entries;
        let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["OPEN", "ENROL", "RECORD_INTERVIEW", "PLAN", "RECORD_ABSENCE"]);
        assert_eq!(entries[4].why, "2021-01-04");
    }
}
