//! The training organisations: their sessions, the courses of advisers from the seat to the exams, and what the advisers and
//! their employers say to it.

use std::collections::BTreeMap;

use conum_geo::{Commune, communes, departments};
use conum_kernel::{
    Error,
    dates::{add_days, days_between},
};
use conum_proto::training::v1::{
    Certification, CreateOrganisationRequest, CreateSessionRequest, DayHours, EmployerView, EnrolInSessionRequest,
    Exam, Interview, ListEligibleSessionsRequest, ListTrainingsRequest, Lot, Mode, Organisation, OrganisationContact,
    Plan, RecordEmployerViewRequest, RecordExamResultRequest, RecordHoursRequest, RecordInterviewRequest,
    RegisterExamRequest, Session, SetTrainingPlanRequest, Training, employer_view::Opinion, exam::Outcome, interview,
    training::State,
};
use conum_service::wire;
use jiff::civil::Date;
use tonic::Status;

use super::{
    recruiter::Day,
    season::{BEGINNING, SEASON},
    voice::{agency, candidate, is, organisation, structure, unexpected},
};

/// How many organisations share the departments.
const ORGANISATIONS: usize = 6;
/// The day on which the agency enters them.
const ENTERED: i64 = 60;
/// Between two sessions of an organisation, in days.
const EVERY: i64 = 28;
/// How long a session is, in days: more than 420 hours need.
const LENGTH: i32 = 125;
/// After this day nobody opens another one.
const LAST: i64 = SEASON + 250;

/// All training organisations.
#[derive(Debug)]
pub(crate) struct Trainers {
    /// Name, and the commune of its sessions on site.
    organisations: Vec<(String, &'static Commune)>,
    courses: BTreeMap<String, Course>,
    /// Seats of a session on site.
    seats: i32,
    /// Somebody has failed an exam: at any seed somebody does.
    failed: bool,
}

/// One training, as those who take part in it see it.
#[derive(Clone, Debug)]
struct Course {
    training: Training,
    organisation: String,
    stage: Stage,
    /// The next step is taken on this day.
    next: i64,
}

#[derive(Clone, Debug)]
enum Stage {
    Opened,
    Enrolled,
    Planned(Plan),
    /// The exams that are still to be passed, with their days.
    Exams(Vec<(Certification, Date)>),
}

impl Trainers {
    pub(crate) fn new(seats: i32) -> Self {
        Self { organisations: Vec::new(), courses: BTreeMap::new(), seats, failed: false }
    }

    /// Does what is to be done on a day.
    ///
    /// # Errors
    /// The first answer that the cast did not expect.
    pub(crate) async fn act(&mut self, day: Day<'_>) -> Result<(), Error> {
        if day.number == ENTERED {
            self.enter(day).await?;
        }
        if day.number >= ENTERED && day.number <= LAST && (day.number - ENTERED) % EVERY == 0 {
            self.open_sessions(day).await?;
        }
        if day.number % 3 == 0 && day.number > ENTERED {
            self.look_for_new(day).await?;
        }
        let due: Vec<_> =
            self.courses.iter().filter(|(_, course)| course.next <= day.number).map(|(name, _)| name.clone()).collect();
        for name in due {
            let Some(course) = self.courses.remove(&name) else { continue };
            if let Some(course) = self.step(day, course).await? {
                self.courses.insert(name, course);
            }
        }
        Ok(())
    }

    /// The agency enters the organisations of the framework agreement.
    async fn enter(&mut self, day: Day<'_>) -> Result<(), Error> {
        let share = departments().len().div_ceil(ORGANISATIONS);
        for (number, departments) in departments().chunks(share).enumerate() {
            let codes: Vec<_> = departments.iter().map(|department| department.code).collect();
            let seat = communes()
                .iter()
                .filter(|commune| codes.contains(&commune.department) && commune.place.is_some())
                .max_by_key(|commune| (commune.population, commune.code));
            let Some(seat) = seat else { continue };
            let declared = Organisation {
                display_name: format!("Organisme de formation {}", number + 1),
                contact: Some(OrganisationContact {
                    full_name: format!("Responsable {}", number + 1),
                    email: format!("inscriptions.{number}@formation.example"),
                    phone: String::new(),
                }),
                lots: vec![Lot {
                    number: (number + 1).to_string(),
                    departments: codes.into_iter().map(str::to_owned).collect(),
                    valid_from: Some(wire::from_date(BEGINNING)),
                    valid_until: Some(wire::from_date(add_days(BEGINNING, 1460))),
                }],
                ..Organisation::default()
            };
            let request_id = day.chance.request_id(&number.to_string(), "organisation");
            let message = CreateOrganisationRequest { organisation: Some(declared), request_id, validate_only: false };
            let mut client = day.voice.organisations();
            let by = agency();
            let answer = day.voice.ask(&by, message, async |asked| client.create_organisation(asked).await).await?;
            let entered = answer.map_err(unexpected("CreateOrganisation"))?;
            self.organisations.push((entered.name, seat));
        }
        Ok(())
    }

    /// Each organisation opens a session in its town and one on line, for three weeks from now.
    async fn open_sessions(&self, day: Day<'_>) -> Result<(), Error> {
        let starts_on = add_days(day.date, 21);
        for (name, seat) in &self.organisations {
            for mode in [Mode::OnSite, Mode::OnLine] {
                let on_site = mode == Mode::OnSite;
                let session = Session {
                    organisation: name.clone(),
                    mode: mode.into(),
                    commune: if on_site { seat.code.into() } else { String::new() },
                    starts_on: Some(wire::from_date(starts_on)),
                    ends_on: Some(wire::from_date(add_days(starts_on, LENGTH))),
                    registration_deadline: Some(wire::from_date(starts_on)),
                    capacity: if on_site { self.seats } else { 400 },
                    ..Session::default()
                };
                let request_id = day.chance.request_id(&format!("{name}/{on_site}/{}", day.number), "session");
                let message = CreateSessionRequest { session: Some(session), request_id, validate_only: false };
                let mut client = day.voice.organisations();
                let by = organisation(name);
                let answer = day.voice.ask(&by, message, async |asked| client.create_session(asked).await).await?;
                answer.map_err(unexpected("CreateSession"))?;
            }
        }
        Ok(())
    }

    /// Takes up the trainings that selections have opened.
    async fn look_for_new(&mut self, day: Day<'_>) -> Result<(), Error> {
        let mut page_token = String::new();
        loop {
            let message = ListTrainingsRequest {
                page_size: 1000,
                page_token,
                state: State::Opened.into(),
                ..ListTrainingsRequest::default()
            };
            let mut client = day.voice.trainings();
            let answer = day.voice.ask(&agency(), message, async |asked| client.list_trainings(asked).await).await?;
            let page = answer.map_err(unexpected("ListTrainings"))?;
            for training in page.trainings {
                let course =
                    |training| Course { training, organisation: String::new(), stage: Stage::Opened, next: day.number };
                self.courses.entry(training.name.clone()).or_insert_with(|| course(training));
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(());
            }
        }
    }

    /// Takes the next step of a course; nothing is left of one that is over.
    async fn step(&mut self, day: Day<'_>, mut course: Course) -> Result<Option<Course>, Error> {
        let stage = match course.stage.clone() {
            Stage::Opened => course.enrol(day).await?,
            Stage::Enrolled => course.plan(day).await?,
            Stage::Planned(plan) => course.attend(day, &plan).await?,
            Stage::Exams(exams) => course.sit(day, exams, &mut self.failed).await?,
        };
        let Some((stage, next)) = stage else { return Ok(None) };
        (course.stage, course.next) = (stage, next);
        Ok(Some(course))
    }
}

/// The stage after a step and the day of the next one; nothing where the course is over.
type Next = Option<(Stage, i64)>;

impl Course {
    fn request_id(&self, day: Day<'_>, purpose: &str) -> String {
        day.chance.request_id(&format!("{}/{}", self.training.name, day.number), purpose)
    }

    /// Takes the first of the sessions that have room, in the person's name.
    async fn enrol(&mut self, day: Day<'_>) -> Result<Next, Error> {
        let by = candidate(&self.training.candidate);
        let name = self.training.name.clone();
        let mut client = day.voice.trainings();
        let message = ListEligibleSessionsRequest { parent: name.clone(), page_size: 5, ..Default::default() };
        let listed = day.voice.ask(&by, message, async |asked| client.list_eligible_sessions(asked).await).await?;
        let sessions = match listed {
            Ok(page) => page.sessions,
            Err(refused) => return over("ListEligibleSessions", &refused),
        };
        for session in sessions.into_iter().filter_map(|eligible| eligible.session) {
            let message = EnrolInSessionRequest {
                name: name.clone(),
                session: session.name.clone(),
                request_id: self.request_id(day, &session.name),
                ..EnrolInSessionRequest::default()
            };
            match day.voice.ask(&by, message, async |asked| client.enrol_in_session(asked).await).await? {
                Ok(training) => {
                    self.organisation = session.organisation;
                    self.training = training;
                    return Ok(Some((Stage::Enrolled, day.number + day.chance.between(2, 6, &name, "interview"))));
                }
                Err(refused) if is(&refused, &["SESSION_FULL", "REGISTRATION_CLOSED"]) => {}
                Err(refused) => return over("EnrolInSession", &refused),
            }
        }
        Ok(Some((Stage::Opened, day.number + 7)))
    }

    /// The interview, the employer's view, and the plan.
    async fn plan(&mut self, day: Day<'_>) -> Result<Next, Error> {
        let (by, name) = (organisation(&self.organisation), self.training.name.clone());
        let mut client = day.voice.trainings();
        let hours = *day.chance.one_of(&[105, 140, 175, 210, 280, 350, 420], &name, "hours");
        let level = match hours {
            105..=140 => interview::Level::Experienced,
            175..=210 => interview::Level::Intermediate,
            _ => interview::Level::Beginner,
        };
        let interview = Interview {
            held_on: Some(wire::from_date(day.date)),
            employer_consulted_on: Some(wire::from_date(day.date)),
            level: level.into(),
            proposed_minutes: hours * 60,
            needs: vec![interview::Need::Teaching.into()],
            ..Interview::default()
        };
        let message = RecordInterviewRequest {
            name: name.clone(),
            interview: Some(interview),
            request_id: self.request_id(day, "interview"),
            ..RecordInterviewRequest::default()
        };
        if let Err(refused) = day.voice.ask(&by, message, async |asked| client.record_interview(asked).await).await? {
            return over("RecordInterview", &refused);
        }
        if day.chance.happens(80, &name, "employer answers") {
            let favourable = day.chance.happens(85, &name, "favourable");
            let opinion = if favourable { Opinion::Favourable } else { Opinion::Unfavourable };
            let message = RecordEmployerViewRequest {
                name: name.clone(),
                employer_view: Some(EmployerView { opinion: opinion.into(), given_on: None }),
                request_id: self.request_id(day, "employer"),
            };
            let employer = structure(&self.training.structure);
            let said = day.voice.ask(&employer, message, async |asked| client.record_employer_view(asked).await);
            if let Err(refused) = said.await? {
                return over("RecordEmployerView", &refused);
            }
        }
        let message = SetTrainingPlanRequest {
            name: name.clone(),
            plan: Some(Plan { minutes: hours * 60, ..Plan::default() }),
            request_id: self.request_id(day, "plan"),
            ..SetTrainingPlanRequest::default()
        };
        match day.voice.ask(&by, message, async |asked| client.set_training_plan(asked).await).await? {
            Ok(training) => {
                let plan = training.plan.clone().unwrap_or_default();
                let last = plan.initial_days.iter().filter_map(|planned| planned.day).next_back();
                let last = wire::date("day", last.as_ref())?.unwrap_or(day.date);
                self.training = training;
                let until = i64::from(days_between(BEGINNING, last)) + 1;
                Ok(Some((Stage::Planned(plan), until)))
            }
            // The session has begun meanwhile.
            Err(refused) => over("SetTrainingPlan", &refused),
        }
    }

    /// The hours of all planned days, and the registration for both exams.
    async fn attend(&mut self, day: Day<'_>, plan: &Plan) -> Result<Next, Error> {
        let by = organisation(&self.organisation);
        let mut client = day.voice.trainings();
        let hours = plan.initial_days.iter().map(|planned| DayHours { day: planned.day, minutes: planned.minutes });
        let message = RecordHoursRequest {
            name: self.training.name.clone(),
            hours: hours.collect(),
            request_id: self.request_id(day, "hours"),
            validate_only: false,
        };
        if let Err(refused) = day.voice.ask(&by, message, async |asked| client.record_hours(asked).await).await? {
            return over("RecordHours", &refused);
        }
        let (ccp1, pix) = (add_days(day.date, 5), add_days(day.date, 6));
        self.register(day, vec![(Certification::Ccp1, ccp1), (Certification::Pix, pix)]).await
    }

    /// Registers for exams; the next step is the first of them.
    async fn register(&self, day: Day<'_>, exams: Vec<(Certification, Date)>) -> Result<Next, Error> {
        let by = organisation(&self.organisation);
        let mut client = day.voice.trainings();
        for (certification, on) in &exams {
            let message = RegisterExamRequest {
                name: self.training.name.clone(),
                certification: (*certification).into(),
                planned_on: Some(wire::from_date(*on)),
                request_id: self.request_id(day, certification.as_str_name()),
                validate_only: false,
            };
            match day.voice.ask(&by, message, async |asked| client.register_exam(asked).await).await? {
                Ok(_) => {}
                Err(refused) => return over("RegisterExam", &refused),
            }
        }
        let first = exams.iter().map(|(_, on)| *on).min().unwrap_or(day.date);
        Ok(Some((Stage::Exams(exams), i64::from(days_between(BEGINNING, first)))))
    }

    /// The results of the day. What was failed is taken again, as often as the rules allow.
    async fn sit(
        &mut self,
        day: Day<'_>,
        exams: Vec<(Certification, Date)>,
        failed_before: &mut bool,
    ) -> Result<Next, Error> {
        let by = organisation(&self.organisation);
        let mut client = day.voice.trainings();
        let (today, mut later): (Vec<_>, Vec<_>) = exams.into_iter().partition(|(_, on)| *on <= day.date);
        for (certification, on) in today {
            let key = format!("{}/{}/{on}", self.training.name, certification.as_str_name());
            let fails = !*failed_before || day.chance.happens(16, &key, "fails");
            *failed_before |= fails;
            let outcome = if fails { Outcome::Failed } else { Outcome::Passed };
            let message = RecordExamResultRequest {
                name: self.training.name.clone(),
                certification: certification.into(),
                outcome: outcome.into(),
                taken_on: Some(wire::from_date(on)),
                request_id: self.request_id(day, &key),
                ..RecordExamResultRequest::default()
            };
            match day.voice.ask(&by, message, async |asked| client.record_exam_result(asked).await).await? {
                Ok(training) => self.training = training,
                Err(refused) => return over("RecordExamResult", &refused),
            }
            if fails && taken(&self.training.exams, certification) < ATTEMPTS {
                let again = add_days(day.date, 14);
                if self.register(day, vec![(certification, again)]).await?.is_none() {
                    return Ok(None);
                }
                later.push((certification, again));
            }
        }
        let next = later.iter().map(|(_, on)| *on).min();
        Ok(next.map(|on| (Stage::Exams(later), i64::from(days_between(BEGINNING, on)))))
    }
}

/// How often an exam may be taken: once, and twice again.
const ATTEMPTS: usize = 3;

fn taken(exams: &[Exam], certification: Certification) -> usize {
    exams.iter().filter(|exam| exam.certification() == certification && exam.outcome() == Outcome::Failed).count()
}

/// The end of a course whose training was stopped, or whose person or contract is gone.
fn over(call: &'static str, refused: &Status) -> Result<Next, Error> {
    // A training that was stopped has lost its seat, and is no longer the organisation's.
    if is(refused, &["WRONG_STATE", "NOT_ENROLLED", "SESSION_CANCELLED", "NOT_YOURS"]) {
        return Ok(None);
    }
    Err(unexpected(call)(refused.clone()))
}
