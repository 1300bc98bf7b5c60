//! What the season came to, read from the platform: a table for people, one line of JSON for machines.

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use conum_kernel::Error;
use conum_proto::{
    applications::v1::{GetProgrammeRequest, ListApplicationsRequest, ListWavesRequest},
    candidates::v1::ListCandidatesRequest,
    matching::v1::GetMatchingFiguresRequest,
    operations::v1::GetEventLagRequest,
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
    pub(crate) events_published: i64,
    pub(crate) events_pending: i64,
    pub(crate) dead_letters: i64,
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
        for service in SERVICES {
            report.read_lag(voice, service.name).await?;
        }
        Ok(report)
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
            (
                "Events published, pending, dead",
                format!("{}, {}, {}", self.events_published, self.events_pending, self.dead_letters),
            ),
            ("Mails written", self.mails.to_string()),
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
