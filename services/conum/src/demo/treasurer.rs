//! The money of one structure: its bank account, its supporting documents, its signature on the convention, and the report
//! that the agency asks for.

use conum_kernel::{Error, dates::add_days};
use conum_proto::{
    applications::v1::{
        DocumentHeader, GetApplicationRequest, ReviewDocumentRequest, SupportingDocument, UploadDocumentRequest,
        supporting_document, upload_document_request::Part,
    },
    finance::v1::{
        BankAccountDetails, ConfirmBankAccountRequest, Convention, ListConventionsRequest, ProposeBankAccountRequest,
        RequestFollowUpRequest, SignConventionRequest, SubmitFollowUpRequest, follow_up,
    },
};
use conum_service::{Caller, wire};
use sha2::{Digest as _, Sha256};

use super::{
    cast::RIVALS,
    recruiter::Day,
    season::day_of,
    voice::{agency, is, structure, unexpected},
};

/// The structure that signs on the day on which six months later there is no such day.
const SIGNS_LATE: usize = RIVALS - 1;
/// That day.
const LATE: jiff::civil::Date = jiff::civil::Date::constant(2021, 8, 31);

/// A structure that was granted posts.
#[derive(Clone, Debug)]
pub(crate) struct Treasurer {
    number: usize,
    key: String,
    caller: Caller,
    structure: String,
    application: String,
    steps: Vec<(i64, Step)>,
    /// How many accounts it has given.
    accounts: u64,
}

/// What it does on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    GiveAccount,
    SendDocuments,
    SendAgain(String),
    Sign,
    AgencySigns(String),
    AskedForReport(String),
    Report(String, String),
}

impl Treasurer {
    /// The treasurer of an application whose posts were granted by a day of the season.
    pub(crate) fn new(number: usize, application: &str, structure_name: &str, granted_on: i64, day: Day<'_>) -> Self {
        let key = format!("structure/{number}");
        let draw = |least, most, purpose| granted_on + day.chance.between(least, most, &key, purpose);
        let late = number >= RIVALS && day.chance.happens(15, &key, "documents late");
        let documents_on = if late { draw(150, 260, "documents") } else { draw(10, 60, "documents") };
        let signs_on = if number == SIGNS_LATE { day_of(LATE) } else { draw(8, 40, "signs") };
        let steps = vec![
            (draw(5, 20, "account"), Step::GiveAccount),
            (documents_on, Step::SendDocuments),
            (signs_on, Step::Sign),
        ];
        Self {
            number,
            caller: structure(structure_name),
            structure: structure_name.into(),
            application: application.into(),
            key,
            steps,
            accounts: 0,
        }
    }

    fn request_id(&self, day: Day<'_>, about: &str, purpose: &str) -> String {
        day.chance.request_id(&format!("{}/{about}/{}", self.key, day.number), purpose)
    }

    /// Its bank has refused the account: it gives another one in a week.
    pub(crate) fn account_refused(&mut self, day: i64) {
        if !self.steps.iter().any(|(_, step)| *step == Step::GiveAccount) {
            self.steps.push((day + 7, Step::GiveAccount));
        }
    }

    pub(crate) fn is(&self, structure: &str) -> bool {
        self.structure == structure
    }

    /// Does what is to be done on a day.
    ///
    /// # Errors
    /// The first answer that the cast did not expect.
    pub(crate) async fn act(&mut self, day: Day<'_>) -> Result<(), Error> {
        let due: Vec<_> = self.steps.extract_if(.., |(on, _)| *on <= day.number).map(|(_, step)| step).collect();
        for step in due {
            match step {
                Step::GiveAccount => self.give_account(day).await?,
                Step::SendDocuments => self.send_documents(day).await?,
                Step::SendAgain(name) => {
                    if self.send(day, &name).await?.is_some() {
                        self.review(day, &name, true).await?;
                    }
                }
                Step::Sign => self.sign(day).await?,
                Step::AgencySigns(convention) => self.agency_signs(day, convention).await?,
                Step::AskedForReport(convention) => self.asked_for_report(day, convention).await?,
                Step::Report(convention, report) => self.report(day, convention, report).await?,
            }
        }
        Ok(())
    }

    /// Proposes an account; the agency confirms it.
    async fn give_account(&mut self, day: Day<'_>) -> Result<(), Error> {
        self.accounts += 1;
        let name = format!("{}/bankAccount", self.structure);
        let account = BankAccountDetails {
            iban: iban(self.number, self.accounts),
            holder: format!("STRUCTURE {}", self.number),
            ..BankAccountDetails::default()
        };
        let message = ProposeBankAccountRequest {
            name: name.clone(),
            account: Some(account),
            request_id: self.request_id(day, "account", "propose"),
            ..ProposeBankAccountRequest::default()
        };
        let mut client = day.voice.payments();
        let proposed = day.voice.ask(&self.caller, message, async |asked| client.propose_bank_account(asked).await);
        proposed.await?.map_err(unexpected("ProposeBankAccount"))?;
        let request_id = self.request_id(day, "account", "confirm");
        let message = ConfirmBankAccountRequest { name, request_id, ..ConfirmBankAccountRequest::default() };
        let by = agency();
        let confirmed = day.voice.ask(&by, message, async |asked| client.confirm_bank_account(asked).await).await?;
        confirmed.map_err(unexpected("ConfirmBankAccount"))?;
        Ok(())
    }

    /// Sends every document. The agency validates them; a few first ones come back.
    async fn send_documents(&mut self, day: Day<'_>) -> Result<(), Error> {
        let message = GetApplicationRequest { name: self.application.clone() };
        let mut client = day.voice.applications();
        let answer = day.voice.ask(&self.caller, message, async |asked| client.get_application(asked).await).await?;
        let documents = answer.map_err(unexpected("GetApplication"))?.documents;
        let rejected = day.chance.happens(15, &self.key, "document rejected");
        for (index, document) in documents.iter().enumerate() {
            if self.send(day, &document.name).await?.is_none() {
                return Ok(());
            }
            let valid = index > 0 || !rejected;
            self.review(day, &document.name, valid).await?;
            if !valid {
                self.steps.push((day.number + 12, Step::SendAgain(document.name.clone())));
            }
        }
        Ok(())
    }

    /// Sends a document; answers nothing where the application is over.
    async fn send(&self, day: Day<'_>, name: &str) -> Result<Option<SupportingDocument>, Error> {
        let content = format!("%PDF-1.4\n% {name} {}\n%%EOF\n", day.number).into_bytes();
        let header = DocumentHeader {
            name: name.into(),
            media_type: "application/pdf".into(),
            size: i64::try_from(content.len()).unwrap_or(0),
            sha256: hex::encode(Sha256::digest(&content)),
            request_id: self.request_id(day, name, "send"),
        };
        let parts = [Part::Header(header), Part::Chunk(content)].map(|part| UploadDocumentRequest { part: Some(part) });
        let mut client = day.voice.documents();
        let parts = futures::stream::iter(parts);
        match day.voice.ask(&self.caller, parts, async |asked| client.upload_document(asked).await).await? {
            Ok(document) => Ok(Some(document)),
            Err(refused) if is(&refused, &["WRONG_STATE", "NO_DOSSIER"]) => Ok(None),
            Err(refused) => Err(unexpected("UploadDocument")(refused)),
        }
    }

    async fn review(&self, day: Day<'_>, name: &str, valid: bool) -> Result<(), Error> {
        let message = ReviewDocumentRequest {
            name: name.into(),
            valid,
            reason: if valid { String::new() } else { "Document illisible".into() },
            request_id: self.request_id(day, name, "review"),
        };
        let mut client = day.voice.documents();
        let reviewed = day.voice.ask(&agency(), message, async |asked| client.review_document(asked).await).await?;
        let reviewed = reviewed.map_err(unexpected("ReviewDocument"))?;
        debug_assert_ne!(reviewed.state(), supporting_document::State::Uploaded);
        Ok(())
    }

    async fn convention(&self, day: Day<'_>) -> Result<Option<Convention>, Error> {
        let message =
            ListConventionsRequest { application: self.application.clone(), ..ListConventionsRequest::default() };
        let mut client = day.voice.conventions();
        let answer = day.voice.ask(&agency(), message, async |asked| client.list_conventions(asked).await).await?;
        Ok(answer.map_err(unexpected("ListConventions"))?.conventions.pop())
    }

    /// Signs; the agency signs a few days later. Nothing is left to sign where every post was given back.
    async fn sign(&mut self, day: Day<'_>) -> Result<(), Error> {
        let Some(convention) = self.convention(day).await? else { return Ok(()) };
        let message = SignConventionRequest {
            name: convention.name.clone(),
            request_id: self.request_id(day, "convention", "sign"),
            ..SignConventionRequest::default()
        };
        let mut client = day.voice.conventions();
        match day.voice.ask(&self.caller, message, async |asked| client.sign_convention(asked).await).await? {
            Ok(_) => {
                // The late one is signed by both on the same day.
                let wait = if self.number == SIGNS_LATE { 0 } else { day.chance.between(1, 6, &self.key, "agency") };
                if wait == 0 {
                    return self.agency_signs(day, convention.name).await;
                }
                self.steps.push((day.number + wait, Step::AgencySigns(convention.name)));
                Ok(())
            }
            Err(refused) if is(&refused, &["NOTHING_TO_SIGN"]) => Ok(()),
            Err(refused) => Err(unexpected("SignConvention")(refused)),
        }
    }

    async fn agency_signs(&mut self, day: Day<'_>, convention: String) -> Result<(), Error> {
        let message = SignConventionRequest {
            name: convention.clone(),
            request_id: self.request_id(day, "convention", "agency signs"),
            ..SignConventionRequest::default()
        };
        let mut client = day.voice.conventions();
        match day.voice.ask(&agency(), message, async |asked| client.sign_convention(asked).await).await? {
            Ok(_) => {
                if self.number % 9 == 4 {
                    self.steps.push((day.number + 150, Step::AskedForReport(convention)));
                }
                Ok(())
            }
            Err(refused) if is(&refused, &["NOTHING_TO_SIGN"]) => Ok(()),
            Err(refused) => Err(unexpected("SignConvention")(refused)),
        }
    }

    /// The agency asks for a report; a late one holds the next instalment.
    async fn asked_for_report(&mut self, day: Day<'_>, convention: String) -> Result<(), Error> {
        let message = RequestFollowUpRequest {
            name: convention,
            kind: follow_up::Kind::Report.into(),
            due_on: Some(wire::from_date(add_days(day.date, 30))),
            holds: true,
            request_id: self.request_id(day, "report", "ask"),
        };
        let mut client = day.voice.conventions();
        let answer = day.voice.ask(&agency(), message, async |asked| client.request_follow_up(asked).await).await?;
        let convention = answer.map_err(unexpected("RequestFollowUp"))?;
        let Some(asked) = convention.follow_ups.last() else { return Ok(()) };
        let wait = if day.chance.happens(40, &self.key, "report late") { 75 } else { 20 };
        self.steps.push((day.number + wait, Step::Report(convention.name.clone(), asked.name.clone())));
        Ok(())
    }

    async fn report(&self, day: Day<'_>, convention: String, follow_up: String) -> Result<(), Error> {
        let message = SubmitFollowUpRequest {
            name: convention,
            follow_up,
            people: day.chance.between(80, 900, &self.key, "people"),
            activities: day.chance.between(20, 200, &self.key, "activities"),
            report_sha256: hex::encode(Sha256::digest(self.key.as_bytes())),
            request_id: self.request_id(day, "report", "submit"),
        };
        let mut client = day.voice.conventions();
        let answer = day.voice.ask(&self.caller, message, async |asked| client.submit_follow_up(asked).await).await?;
        answer.map_err(unexpected("SubmitFollowUp"))?;
        Ok(())
    }
}

/// An IBAN of a French bank that does not exist, with its keys.
fn iban(number: usize, account: u64) -> String {
    let (bank, branch, number) = (30_999_u64, 100_u64, account * 1_000_000 + number as u64);
    let key = 97 - (89 * bank + 15 * branch + 3 * number) % 97;
    let bban = format!("{bank:05}{branch:05}{number:011}{key:02}");
    // ISO 13616: the country's letters as numbers, then 00, modulo 97.
    let rest = format!("{bban}152700").bytes().fold(0_u32, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("FR{:02}{bban}", 98 - rest)
}
