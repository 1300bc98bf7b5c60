//! What the season came to, read from the platform: a table for people, one line of JSON for machines.

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use conum_kernel::Error;
use conum_proto::{
    applications::v1::{GetProgrammeRequest, ListApplicationsRequest, ListWavesRequest},
    candidates::v1::ListCandidatesRequest,
    finance::v1::GetFinanceFiguresRequest,
    matching::v1::GetMatchingFiguresRequest,
    operations::v1::GetEventLagRequest,
    training::v1::GetTrainingFiguresRequest,
};
use serde::Serialize;

use super::voice::{Voice, agency, unexpected};
use crate::platform::SERVICES;

/// The figures of a season.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Report {
    pub(crate) structures: i64,
    pub(crate) applications: i64,
    pub(crate) posts_asked: i64,
    /// At the end, net of returns.
    pub(crate) posts_granted: i64,
    pub(crate) cap: i64,
    pub(crate) waves: i64,
    pub(crate) candidates: i64,
    pub(crate) introductions: i64,
    pub(crate) declined: i64,
    pub(crate) expired: i64,
    pub(crate) replaced: i64,
    /// The highest ever, recomputed from the history.
    pub(crate) max_live_per_structure: i64,
    pub(crate) max_live_per_candidate: i64,
    pub(crate) repeated_pairs: i64,
    /// At the end, net of early ends.
    pub(crate) posts_filled: i64,
    pub(crate) median_km: f64,
    pub(crate) days_to_fill_median: f64,
    pub(crate) contracts_ended_early: i64,
    /// Hours done, CCP1 passed and Pix certified.
    pub(crate) trained: i64,
    pub(crate) hours_min: i64,
    pub(crate) hours_max: i64,
    pub(crate) ccp1_awarded: i64,
    pub(crate) pix_certified: i64,
    pub(crate) exams_failed: i64,
    pub(crate) conventions: i64,
    /// The sum of the next six.
    pub(crate) granted_cents: i64,
    pub(crate) to_come_cents: i64,
    pub(crate) due_cents: i64,
    pub(crate) held_cents: i64,
    pub(crate) sent_cents: i64,
    /// Gross of claims.
    pub(crate) paid_cents: i64,
    pub(crate) cancelled_cents: i64,
    pub(crate) claimed_cents: i64,
    pub(crate) instalments_paid: i64,
    pub(crate) payments_rejected: i64,
    pub(crate) payments_doubled: i64,
    /// The whole ledger, recomputed from its entries, holds.
    pub(crate) ledger_balanced: bool,
    pub(crate) events_published: i64,
    pub(crate) events_pending: i64,
    pub(crate) dead_letters: i64,
    /// Those of people who were erased or became anonymous are gone.
    pub(crate) mails: i64,
    pub(crate) seconds: f64,
}

impl Report {
    /// Reads the figures.
    ///
    /// # Errors
    /// An answer that was not expected.
    pub(crate) async fn read(voice: &Voice, posts_asked: i64) -> Result<Self, Error> {
        let mut report = Self { posts_asked, ..Self::default() };
        report.read_applications(voice).await?;
        report.candidates = candidates(voice).await?;
        let request = voice.by(&agency(), GetMatchingFiguresRequest {}).await?;
        let answer = voice.recruitments().get_matching_figures(request).await;
        let figures = answer.map_err(unexpected("GetMatchingFigures"))?.into_inner();
        report.introductions = figures.introductions;
        report.declined = figures.declined;
        report.expired = figures.expired;
        report.replaced = figures.replaced;
        report.max_live_per_structure = figures.max_live_per_structure.into();
        report.max_live_per_candidate = figures.max_live_per_candidate.into();
        report.repeated_pairs = figures.repeated_pairs;
        report.posts_filled = figures.posts_filled;
        report.median_km = figures.median_km;
        report.days_to_fill_median = figures.days_to_fill_median;
        report.contracts_ended_early = figures.contracts_ended_early;
        report.read_training(voice).await?;
        report.read_finance(voice).await?;
        for service in SERVICES {
            report.read_lag(voice, service.name).await?;
        }
        Ok(report)
    }

    async fn read_training(&mut self, voice: &Voice) -> Result<(), Error> {
        let mut client = voice.trainings();
        let by = agency();
        let asked = GetTrainingFiguresRequest {};
        let answer = voice.ask(&by, asked, async |asked| client.get_training_figures(asked).await).await?;
        let figures = answer.map_err(unexpected("GetTrainingFigures"))?;
        (self.hours_min, self.hours_max) = (figures.hours_min.into(), figures.hours_max.into());
        (self.trained, self.ccp1_awarded) = (figures.trained, figures.ccp1_awarded);
        (self.pix_certified, self.exams_failed) = (figures.pix_certified, figures.exams_failed);
        Ok(())
    }

    async fn read_finance(&mut self, voice: &Voice) -> Result<(), Error> {
        let mut client = voice.conventions();
        let by = agency();
        let asked = GetFinanceFiguresRequest {};
        let answer = voice.ask(&by, asked, async |asked| client.get_finance_figures(asked).await).await?;
        let figures = answer.map_err(unexpected("GetFinanceFigures"))?;
        (self.conventions, self.granted_cents) = (figures.conventions, figures.granted_cents);
        (self.to_come_cents, self.due_cents) = (figures.to_come_cents, figures.due_cents);
        (self.held_cents, self.sent_cents) = (figures.held_cents, figures.sent_cents);
        (self.paid_cents, self.cancelled_cents) = (figures.paid_cents, figures.cancelled_cents);
        (self.claimed_cents, self.instalments_paid) = (figures.claimed_cents, figures.instalments_paid);
        (self.payments_rejected, self.payments_doubled) = (figures.payments_rejected, figures.payments_doubled);
        self.ledger_balanced = figures.ledger_balanced;
        Ok(())
    }

    async fn read_applications(&mut self, voice: &Voice) -> Result<(), Error> {
        let request = voice.by(&agency(), GetProgrammeRequest {}).await?;
        let programme = voice.waves().get_programme(request).await.map_err(unexpected("GetProgramme"))?.into_inner();
        (self.cap, self.posts_granted) = (programme.cap.into(), programme.granted.into());
        let request = voice.by(&agency(), ListWavesRequest { page_size: 1000, ..Default::default() }).await?;
        let waves = voice.waves().list_waves(request).await.map_err(unexpected("ListWaves"))?.into_inner().waves;
        self.waves = i64::try_from(waves.len()).unwrap_or(i64::MAX);
        let mut structures = std::collections::HashSet::new();
        let mut page_token = String::new();
        loop {
            let message = ListApplicationsRequest { page_size: 1000, page_token, ..Default::default() };
            let request = voice.by(&agency(), message).await?;
            let answer = voice.applications().list_applications(request).await;
            let page = answer.map_err(unexpected("ListApplications"))?.into_inner();
            self.applications += i64::try_from(page.applications.len()).unwrap_or(0);
            structures.extend(page.applications.into_iter().map(|application| application.structure));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        self.structures = i64::try_from(structures.len()).unwrap_or(i64::MAX);
        Ok(())
    }

    async fn read_lag(&mut self, voice: &Voice, service: &'static str) -> Result<(), Error> {
        let message = GetEventLagRequest { name: format!("services/{service}/eventLag") };
        let mut request = voice.by(&agency(), message).await?;
        request.metadata_mut().insert("conum-service", tonic::metadata::MetadataValue::from_static(service));
        let answer = voice.dead_letters().get_event_lag(request).await;
        let lag = answer.map_err(unexpected("GetEventLag"))?.into_inner();
        self.events_published += lag.published;
        self.events_pending += lag.pending + lag.parked;
        self.dead_letters += lag.dead_letters;
        self.mails += lag.mails_sent;
        Ok(())
    }

    /// A table that a person likes to read.
    #[must_use]
    pub(crate) fn table(&self, second_selections_refused: u64) -> Table {
        let rows = [
            ("Structures that applied", format!("{} ({} applications)", self.structures, self.applications)),
            ("Posts asked for, granted", format!("{}, {} of {}", self.posts_asked, self.posts_granted, self.cap)),
            ("Committee waves", self.waves.to_string()),
            ("Candidates", self.candidates.to_string()),
            ("Introductions", self.introductions.to_string()),
            ("  declined, expired", format!("{}, {}", self.declined, self.expired)),
            ("  that replaced an ended one", self.replaced.to_string()),
            ("  pairs introduced twice", self.repeated_pairs.to_string()),
            (
                "  most at once, of a structure and a candidate",
                format!("{}, {}", self.max_live_per_structure, self.max_live_per_candidate),
            ),
            ("  median distance", format!("{:.1} km", self.median_km)),
            ("Second selections refused", second_selections_refused.to_string()),
            ("Posts filled", self.posts_filled.to_string()),
            ("  median days to fill", format!("{:.0}", self.days_to_fill_median)),
            ("Contracts ended early", self.contracts_ended_early.to_string()),
            ("Advisers trained", format!("{}, in {} to {} hours", self.trained, self.hours_min, self.hours_max)),
            ("  CCP1, Pix", format!("{}, {}", self.ccp1_awarded, self.pix_certified)),
            ("  exams failed", self.exams_failed.to_string()),
            ("Conventions signed", format!("{}, for {}", self.conventions, euros(self.granted_cents))),
            ("  paid", format!("{} in {} instalments", euros(self.paid_cents), self.instalments_paid)),
            (
                "  to come, due, sent",
                format!("{}, {}, {}", euros(self.to_come_cents), euros(self.due_cents), euros(self.sent_cents)),
            ),
            ("  held, cancelled", format!("{}, {}", euros(self.held_cents), euros(self.cancelled_cents))),
            ("  claimed back", euros(self.claimed_cents)),
            ("Payments rejected, doubled", format!("{}, {}", self.payments_rejected, self.payments_doubled)),
            ("Ledger", if self.ledger_balanced { "balanced".into() } else { "NOT balanced".into() }),
            (
                "Events published, pending, dead",
                format!("{}, {}, {}", self.events_published, self.events_pending, self.dead_letters),
            ),
            ("Mails written, and kept since", self.mails.to_string()),
        ];
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_header(["The season", ""]);
        for (name, value) in rows {
            table.add_row([name.to_owned(), value]);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

/// Whole euros, in groups of three digits.
fn euros(cents: i64) -> String {
    format!("{} EUR", grouped(&(cents / 100).to_string()))
}

/// Digits in groups of three.
pub(crate) fn grouped(digits: &str) -> String {
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(" ")
}

async fn candidates(voice: &Voice) -> Result<i64, Error> {
    let mut count = 0;
    let mut page_token = String::new();
    loop {
        let message = ListCandidatesRequest { page_size: 1000, page_token, ..Default::default() };
        let request = voice.by(&agency(), message).await?;
        let answer = voice.candidates().list_candidates(request).await;
        let page = answer.map_err(unexpected("ListCandidates"))?.into_inner();
        count += i64::try_from(page.candidates.len()).unwrap_or(0);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(count);
        }
    }
}
