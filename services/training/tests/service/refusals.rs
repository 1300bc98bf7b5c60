//! Bad input through the running service, on every database: each has its status, field and rule, and writes nothing.

use conum_proto::training::v1::{
    Absence, Certification, DayHours, Interview, Plan, RecordAbsenceRequest, RecordHoursRequest, absence::Reason,
    exam::Outcome,
};
use conum_testkit::backends;
use tonic::Code;

use crate::{
    scene::{day, hours, interview, january, names, planned, refusal},
    trainings::Course,
};

#[tokio::test(flavor = "multi_thread")]
async fn t01_104_and_421_hours_and_half_hours_are_refused_in_a_plan() {
    for backend in backends() {
        let course = Course::interviewed(&backend).await;
        let cases = [
            (104 * 60, "HOURS_OUT_OF_BOUNDS"),
            (421 * 60, "HOURS_OUT_OF_BOUNDS"),
            (105 * 60 + 30, "NOT_WHOLE_HOURS"),
            (-60, "NOT_WHOLE_HOURS"),
        ];
        for (minutes, reason) in cases {
            let plan = Plan { minutes, ..Plan::default() };
            let refused = course.programme.plan(&course.organisation, &course.name, plan).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, reason.into(), "T01".into()));
            assert!(names(&refused, "plan.minutes"));
            let proposed = Interview { proposed_minutes: minutes, ..interview() };
            let refused = course.programme.interview(&course.organisation, &course.name, proposed).await.unwrap_err();
            assert!(names(&refused, "interview.proposed_minutes"));
        }
        let half = Plan { initial_days: vec![planned(day(2021, 1, 4), 7); 2], ..hours(105) };
        let mut half = half;
        half.initial_days[1].minutes = 90;
        let refused = course.programme.plan(&course.organisation, &course.name, half).await.unwrap_err();
        assert!(names(&refused, "plan.initial_days[1].minutes"));
        assert_eq!(course.programme.training(course.who).await.plan, None, "nothing is half-written");
        assert_eq!(course.programme.told(&course.name).await, ["TrainingOpened"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t09_a_plan_that_overlaps_a_holiday_is_refused_with_its_day() {
    for backend in backends() {
        let course = Course::interviewed(&backend).await;
        let mut initial_days: Vec<_> = january().into_iter().map(|day| planned(day, 7)).collect();
        // A Saturday, then New Year's Day.
        initial_days[4].day = day(2021, 1, 9);
        let continuing_days = vec![planned(day(2021, 5, 8), 7), planned(day(2021, 7, 14), 7)];
        let plan = Plan { initial_days, continuing_days, ..hours(119) };
        let refused = course.programme.plan(&course.organisation, &course.name, plan).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, "NOT_A_WORKING_DAY".into(), "T09".into()));
        for field in ["plan.initial_days[4].day", "plan.continuing_days[0].day", "plan.continuing_days[1].day"] {
            assert!(names(&refused, field), "{field}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t03_an_exam_before_its_hours_is_refused() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        for certification in [Certification::Ccp1, Certification::Pix] {
            let refused = course.register(certification, day(2021, 1, 22)).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::FailedPrecondition, "HOURS_NOT_DONE".into(), "T03".into()));
            assert!(names(&refused, "planned_on"));
        }
        course.register(Certification::Ccp1, day(2021, 1, 28)).await.unwrap();
        course.programme.scene.days_pass(60).await;
        let refused = course.result(Certification::Ccp1, Outcome::Passed, day(2021, 1, 28)).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "HOURS_NOT_DONE");
        assert!(names(&refused, "taken_on"));
        assert_eq!(course.programme.figures().await.ccp1_awarded, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t03_after_two_retakes_no_exam_is_left() {
    for backend in backends() {
        let course = Course::done(&backend).await;
        for _ in 0..3 {
            course.exam(Certification::Ccp1, Outcome::Failed).await.unwrap();
        }
        let refused = course.register(Certification::Ccp1, day(2021, 1, 29)).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "NO_RETAKE_LEFT".into(), "T03".into()));
        course.programme.set_policy("exam-retakes", "3").await;
        course.exam(Certification::Ccp1, Outcome::Passed).await.unwrap();
        assert_eq!(course.programme.figures().await.exams_failed, 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t01_hours_are_recorded_all_or_none_with_every_wrong_field() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        course.programme.scene.days_pass(35).await;
        let refused = course.record(vec![(day(2021, 1, 4), 7 * 60), (day(2021, 1, 5), 90)]).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, "NOT_WHOLE_HOURS".into(), "T01".into()));
        assert!(names(&refused, "hours[1].minutes"));
        let days = vec![
            (day(2021, 1, 4), 7 * 60),
            (day(2021, 1, 5), 8 * 60),
            (day(2021, 1, 6), 7 * 60),
            (day(2021, 1, 9), 60),
        ];
        let refused = course.record(days).await.unwrap_err();
        for (index, reason) in [(1, "DAY_TOO_LONG"), (2, "IN_THE_FUTURE"), (3, "NOT_IN_THE_PLAN")] {
            assert!(names(&refused, &format!("hours[{index}]")) && names(&refused, reason), "{reason}");
        }
        assert_eq!(course.progress().await.minutes_done, 0);
        assert!(course.entries().await.is_empty());

        let tried = RecordHoursRequest {
            name: course.name.clone(),
            hours: vec![DayHours { day: day(2021, 1, 4), minutes: 7 * 60 }],
            validate_only: true,
            ..Default::default()
        };
        let request = course.programme.signed(&course.organisation, tried).await;
        course.programme.trainings().record_hours(request).await.unwrap();
        assert!(course.entries().await.is_empty(), "tried and not sent");
        course.record(vec![(day(2021, 1, 4), 7 * 60)]).await.unwrap();
        let refused = course.record(vec![(day(2021, 1, 4), 7 * 60)]).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "ALREADY_RECORDED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t02_an_absence_is_recorded_with_a_listed_reason() {
    for backend in backends() {
        let course = Course::planned(&backend).await;
        course.programme.scene.days_pass(40).await;
        let absent = async |on, reason: Reason| {
            let absence = Some(Absence { day: on, reason: reason.into() });
            let message = RecordAbsenceRequest { name: course.name.clone(), absence, ..Default::default() };
            let request = course.programme.signed(&course.organisation, message).await;
            course.programme.trainings().record_absence(request).await.map(tonic::Response::into_inner)
        };
        let refused = absent(day(2021, 1, 4), Reason::Unspecified).await.unwrap_err();
        assert!(names(&refused, "absence.reason"));
        let recorded = absent(day(2021, 1, 4), Reason::NotFreedByEmployer).await.unwrap();
        assert_eq!(recorded.absences[0].reason(), Reason::NotFreedByEmployer);
        let refused = course.record(vec![(day(2021, 1, 4), 7 * 60)]).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "ABSENT");
    }
}
