//! One adviser from the application of a structure to the certificates and the first instalment, through the gateway, told by
//! the case file.

use conum_kernel::dates::add_days;
use conum_proto::{
    applications::v1::{
        DocumentHeader, UploadDocumentRequest, documents_service_client::DocumentsServiceClient,
        upload_document_request::Part,
    },
    finance::v1::{RecordBankAnswerRequest, payments_service_client::PaymentsServiceClient},
};
use conum_service::{Caller, identity::KeyPair, lifecycle};
use conum_testkit::{bank, callers};
use conum_tests::{
    journey::day,
    lyon::{Lyon, text},
};
use jiff::civil::Date;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tonic::Request;

impl Adviser {
    /// A message in somebody's name, for what the gateway offers over gRPC alone.
    fn signed<T>(&self, caller: &Caller, message: T) -> Request<T> {
        let journey = &self.lyon.journey;
        let keys = KeyPair::open(&journey.folder.path().join("keys"), lifecycle::IDENTITY_KEY).unwrap();
        let token = keys.signer(&journey.clock).unwrap().sign(caller, conum_gateway::NAME, 3600).unwrap();
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    }

    fn gateway(&self) -> String {
        format!("http://{}", self.lyon.journey.gateway.address)
    }

    fn today(&self) -> Date {
        self.lyon.journey.clock.moment().today
    }

    /// Moves the clock to a day.
    async fn until(&self, date: &str) {
        let days = conum_kernel::dates::days_between(self.today(), date.parse().unwrap());
        self.lyon.journey.days_pass(days.into()).await;
    }

    async fn post(&self, caller: &Caller, path: &str, body: Value) -> Value {
        let answer = self.lyon.journey.post(caller, path, body).await.ok();
        self.lyon.journey.settle().await;
        answer
    }

    /// The structure's account, documents and signature: all that a payment waits for.
    async fn open_the_grant(&self) -> String {
        let (lyon, structure, agency) = (&self.lyon, callers::structure(&self.lyon.structure), callers::agency());
        let account = json!({ "account": { "iban": "FR1420041010050500013M02606", "holder": "COMMUNE DE LYON" } });
        let path = format!("/v1/{}/bankAccount", lyon.structure);
        self.post(&structure, &format!("{path}:propose"), account).await;
        self.post(&agency, &format!("{path}:confirm"), json!({})).await;
        let application = lyon.journey.get(&structure, &format!("/v1/{}", lyon.application)).await.ok();
        let content = b"%PDF-1.4 a document".to_vec();
        for document in application["documents"].as_array().unwrap() {
            let header = DocumentHeader {
                name: text(document, "name"),
                media_type: "application/pdf".into(),
                size: i64::try_from(content.len()).unwrap(),
                sha256: hex::encode(Sha256::digest(&content)),
                ..DocumentHeader::default()
            };
            let parts = [Part::Header(header), Part::Chunk(content.clone())];
            let parts = futures::stream::iter(parts.map(|part| UploadDocumentRequest { part: Some(part) }));
            let mut documents = DocumentsServiceClient::connect(self.gateway()).await.unwrap();
            documents.upload_document(self.signed(&structure, parts)).await.unwrap();
            let review = json!({ "valid": true });
            self.post(&agency, &format!("/v1/{}:review", text(document, "name")), review).await;
        }
        let found = lyon.journey.get(&agency, &format!("/v1/conventions?application={}", lyon.application)).await.ok();
        let convention = text(&found["conventions"][0], "name");
        for side in [&structure, &agency] {
            self.post(side, &format!("/v1/{convention}:sign"), json!({})).await;
        }
        convention
    }

    /// The bank pays whatever is ready.
    async fn pay(&self) {
        let agency = callers::agency();
        let file = text(&self.post(&agency, "/v1/paymentFiles", json!({})).await, "name");
        let orders = self.lyon.journey.get(&agency, &format!("/v1/paymentOrders?paymentFile={file}")).await.ok();
        let names: Vec<String> =
            orders["paymentOrders"].as_array().unwrap().iter().map(|order| text(order, "name")).collect();
        let lines: Vec<_> = names.iter().map(|name| (name.as_str(), "ACSC", "")).collect();
        let message = RecordBankAnswerRequest { content: bank::report(&file, &lines), ..Default::default() };
        let mut payments = PaymentsServiceClient::connect(self.gateway()).await.unwrap();
        let answer = payments.record_bank_answer(self.signed(&agency, message)).await.unwrap().into_inner();
        assert_eq!((answer.paid, answer.rejected), (1, 0));
        self.lyon.journey.settle().await;
    }

    /// An exam that is registered for tomorrow, and its result.
    async fn sit(&self, certification: &str, outcome: &str) -> Value {
        let tomorrow = add_days(self.today(), 1).to_string();
        let (path, planned) = (format!("/v1/{}", self.training), day(&tomorrow));
        let exam = json!({ "certification": certification, "plannedOn": planned });
        self.post(&self.organisation, &format!("{path}:registerExam"), exam).await;
        self.until(&tomorrow).await;
        let result = json!({ "certification": certification, "outcome": outcome, "takenOn": day(&tomorrow) });
        self.post(&self.organisation, &format!("{path}:recordExamResult"), result).await
    }
}

/// Somebody who was selected by the structure of Lyon, and an organisation with a session there.
struct Adviser {
    lyon: Lyon,
    candidate: Caller,
    organisation: Caller,
    training: String,
    session: String,
}

async fn selected() -> Adviser {
    let lyon = Lyon::with(4).await;
    let (journey, structure) = (&lyon.journey, callers::structure(&lyon.structure));
    let declared = json!({
        "displayName": "Formation du Rhône",
        "contact": { "fullName": "Camille Martin", "email": "camille@formation.example" },
        "lots": [{ "number": "4", "departments": ["69"], "validFrom": day("2020-12-01"), "validUntil": day("2024-11-30") }]
    });
    let entered = journey.post(&callers::agency(), "/v1/organisations", declared).await.ok();
    let organisation = callers::organisation(&text(&entered, "name"));
    let session = json!({
        "organisation": text(&entered, "name"), "mode": "MODE_ON_SITE", "commune": "69123", "capacity": 10,
        "startsOn": day("2021-01-04"), "endsOn": day("2021-03-26"), "registrationDeadline": day("2020-12-31")
    });
    let session = text(&journey.post(&organisation, "/v1/sessions", session).await.ok(), "name");

    let chosen = text(&lyon.live().await.remove(0), "candidate");
    let selection = json!({ "post": lyon.post, "candidate": chosen });
    let recruitment = text(&journey.post(&structure, "/v1/recruitments", selection).await.ok(), "name");
    journey.days_pass(1).await;
    let contract = json!({ "contract": {
        "kind": "KIND_FIXED_TERM", "signedOn": day("2020-12-02"), "startDate": day("2021-03-01"),
        "endDate": day("2023-02-28"), "grossMonthlyCents": "180000", "fullTime": true
    } });
    journey.post(&structure, &format!("/v1/{recruitment}:sign"), contract).await.ok();
    journey.settle().await;
    let candidate = callers::candidate(&chosen);
    let trainings = journey.get(&candidate, "/v1/trainings").await.ok();
    let training = text(&trainings["trainings"][0], "name");
    Adviser { lyon, candidate, organisation, training, session }
}

#[tokio::test(flavor = "multi_thread")]
async fn t03_f03_an_adviser_is_trained_certified_and_paid_for_and_the_case_file_tells_it() {
    let adviser = selected().await;
    let (journey, agency) = (&adviser.lyon.journey, callers::agency());
    let path = format!("/v1/{}", adviser.training);
    let convention = adviser.open_the_grant().await;
    adviser.pay().await;

    let enrolled = json!({ "session": adviser.session });
    adviser.post(&adviser.candidate, &format!("{path}:enrol"), enrolled).await;
    let interview = json!({ "interview": {
        "heldOn": day("2020-12-02"), "employerConsultedOn": day("2020-12-02"), "level": "LEVEL_EXPERIENCED",
        "proposedMinutes": 105 * 60
    } });
    adviser.post(&adviser.organisation, &format!("{path}:recordInterview"), interview).await;
    let short = json!({ "plan": { "minutes": 104 * 60 } });
    let refused = journey.post(&adviser.organisation, &format!("{path}:setPlan"), short).await;
    assert_eq!(refused.refusal(), ("HOURS_OUT_OF_BOUNDS".into(), "T01".into()));
    let plan = json!({ "plan": { "minutes": 105 * 60 } });
    let planned = adviser.post(&adviser.organisation, &format!("{path}:setPlan"), plan).await;
    let days = planned["plan"]["initialDays"].as_array().cloned().unwrap();
    assert_eq!(days.len(), 15, "three weeks of seven hours a day");

    adviser.until("2021-01-23").await;
    adviser.post(&adviser.organisation, &format!("{path}:recordHours"), json!({ "hours": days })).await;
    adviser.sit("CERTIFICATION_CCP1", "OUTCOME_FAILED").await;
    adviser.sit("CERTIFICATION_PIX", "OUTCOME_PASSED").await;
    let progress = journey.get(&adviser.candidate, &format!("{path}/progress")).await.ok();
    assert_eq!(progress.get("trained"), None, "CCP1 is to be taken again");
    let trained = adviser.sit("CERTIFICATION_CCP1", "OUTCOME_PASSED").await;
    assert_eq!(trained["state"], "STATE_COMPLETED");

    adviser.until("2021-06-02").await;
    adviser.pay().await;
    let balances = journey.get(&agency, &format!("/v1/ledgerBalances?scope={convention}")).await.ok();
    assert_eq!((&balances["grantedCents"], &balances["paidCents"]), (&json!("5000000"), &json!("2500000")));
    let audit = journey.get(&agency, "/v1/ledgerAudit").await.ok();
    assert_eq!(audit["balanced"], true);

    let file = journey.get(&agency, &format!("/v1/{}/caseFile?pageSize=1000", adviser.lyon.application)).await.ok();
    let entries = file["entries"].as_array().cloned().unwrap();
    let mut steps = entries.iter();
    for (service, action, rule, role) in [
        ("applications", "SUBMIT", "A01", "public"),
        ("applications", "GRANT", "A02", "agency"),
        ("matching", "SELECT", "M06", "structure"),
        // The clock stands still within a day: there, entries come by service.
        ("applications", "VALIDATE_DOCUMENT", "A12", "agency"),
        ("finance", "ENTER_INTO_FORCE", "F02", "agency"),
        ("finance", "PAY", "F03", "agency"),
        ("matching", "SIGN", "M07", "structure"),
        ("training", "ENROL", "T05", "candidate"),
        ("training", "PLAN", "T01", "organisation"),
        ("training", "RECORD_HOURS", "T01", "organisation"),
        ("training", "RECORD_EXAM_RESULT", "T03", "organisation"),
        ("candidates", "PIX_PASSED", "T03", "event"),
        ("training", "COMPLETE", "T03", "organisation"),
        ("finance", "FALL_DUE", "F02", "timer"),
        ("finance", "PAY", "F03", "agency"),
    ] {
        let told = |entry: &&Value| {
            entry["service"] == service
                && entry["action"] == action
                && entry["rule"] == rule
                && entry["roles"] == json!([role])
        };
        assert!(steps.any(|entry| told(&entry)), "{action} of {service} in its turn");
    }
    let said = file.to_string();
    for secret in ["Amina", "Camille", "LYON", "FR14", "@"] {
        assert!(!said.contains(secret), "{secret}");
    }
    let letters = journey.letters();
    assert!(
        letters.iter().any(|letter| letter.contains("10\u{202f}000")),
        "the structure is told of the first instalment"
    );
}
