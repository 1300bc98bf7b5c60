//! What the service's histories say of an application (`conum.operations.v1.CaseService`), and how the services' pages are
//! put together: all of them by time, then service, then row.

use conum_kernel::{ApplicationId, Error};
use conum_proto::operations::v1::{
    CaseEntry, ListCaseEntriesRequest, ListCaseEntriesResponse, case_service_server::CaseService,
};
use jiff::Timestamp;
use tonic::{Request, Response, Status};

use crate::{
    Failure, Host,
    history::{self, Case},
    paging::Page,
    wire,
};

/// The rpc of a service's cases.
#[derive(Clone, Debug)]
pub struct Cases(Host, Option<Case>);

impl Cases {
    #[must_use]
    pub fn new(host: Host, case: Option<Case>) -> Self {
        Self(host, case)
    }

    fn entry(&self, row: history::CaseEntry) -> CaseEntry {
        let history::CaseEntry { record, entry, roles, rule, trace } = row;
        CaseEntry {
            service: self.0.name().into(),
            id: entry.id,
            record,
            at: Some(wire::from_timestamp(entry.at)),
            actor: entry.actor,
            roles,
            action: entry.action,
            from_state: entry.from,
            to_state: entry.to,
            why: entry.why,
            rule,
            trace,
        }
    }
}

#[tonic::async_trait]
impl CaseService for Cases {
    async fn list_case_entries(
        &self,
        request: Request<ListCaseEntriesRequest>,
    ) -> Result<Response<ListCaseEntriesResponse>, Status> {
        let asked = request.into_inner();
        let own = format!("services/{}/", self.0.name());
        let parent = asked.parent.strip_prefix(&own).unwrap_or_default();
        let application = ApplicationId::parse_name("parent", parent).map_err(Failure::from)?;
        let page = Page::read(&list(self.0.name(), application), asked.page_size, 100, &asked.page_token);
        let page = page.map_err(Failure::from)?;
        let after = if page.after.is_empty() { Place::BEGINNING } else { Place::parse(&page.after)? };
        let Some(case) = self.1 else { return Ok(Response::new(ListCaseEntriesResponse::default())) };
        let rows =
            history::of_case(self.0.store().read(), case, application, (after.at, after.id), page.limit()).await?;
        let (rows, next_page_token) = page.cut(rows, |row| Place { at: row.entry.at, id: row.entry.id }.to_string());
        let entries = rows.into_iter().map(|row| self.entry(row)).collect();
        Ok(Response::new(ListCaseEntriesResponse { entries, next_page_token }))
    }
}

fn list(service: &str, application: ApplicationId) -> String {
    format!("caseEntries?{service}&{application}")
}

/// A place in the case of one service: a page begins after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub at: Timestamp,
    /// The row; 0 is before every row of the moment, `i64::MAX` after.
    pub id: i64,
}

impl Place {
    /// Before everything.
    pub const BEGINNING: Self = Self { at: Timestamp::UNIX_EPOCH, id: 0 };

    /// Reads what [`Display`](std::fmt::Display) wrote.
    ///
    /// # Errors
    /// `INVALID_PAGE_TOKEN`.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let place = || {
            let (at, id) = text.split_once('.')?;
            Some(Self { at: Timestamp::from_microsecond(at.parse().ok()?).ok()?, id: id.parse().ok()? })
        };
        place().ok_or_else(|| {
            let french = "ce jeton n'appartient pas à cette liste";
            Error::invalid("page_token", "INVALID_PAGE_TOKEN", "this token does not belong to this list", french).into()
        })
    }

    /// The token of a page of a service's case that begins here.
    #[must_use]
    pub fn token(&self, service: &str, application: ApplicationId) -> String {
        Page::token(&list(service, application), &self.to_string())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at.as_microsecond(), self.id)
    }
}

/// A place in the case of all services.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub at: Timestamp,
    pub service: String,
    pub id: i64,
}

impl Position {
    /// Where an entry stands.
    #[must_use]
    pub fn of(entry: &CaseEntry) -> Self {
        let at = entry.at.as_ref().and_then(|at| wire::timestamp("at", at).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { at, service: entry.service.clone(), id: entry.id }
    }

    /// Reads what [`Display`](std::fmt::Display) wrote.
    ///
    /// # Errors
    /// `INVALID_PAGE_TOKEN`.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let (service, place) = text.split_once('.').unwrap_or_default();
        let Place { at, id } = Place::parse(place)?;
        Ok(Self { at, service: service.into(), id })
    }

    /// Where the entries of a service begin that come after this.
    #[must_use]
    pub fn within(&self, service: &str) -> Place {
        let id = match service.cmp(&self.service) {
            std::cmp::Ordering::Less => i64::MAX,
            std::cmp::Ordering::Equal => self.id,
            std::cmp::Ordering::Greater => 0,
        };
        Place { at: self.at, id }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.service, Place { at: self.at, id: self.id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(second: i64, service: &str, id: i64) -> Position {
        Position { at: Timestamp::from_second(second).unwrap(), service: service.into(), id }
    }

    #[test]
    fn what_comes_after_a_position_is_found_in_every_service_once() {
        let all: Vec<Position> = (1..4)
            .flat_map(|second| {
                ["applications", "finance", "matching"].into_iter().map(move |service| (second, service))
            })
            .flat_map(|(second, service)| (1..3).map(move |id| position(second, service, 10 * second + id)))
            .collect();
        assert!(all.is_sorted());
        for (index, position) in all.iter().enumerate() {
            let later = |other: &&Position| Place { at: other.at, id: other.id } > position.within(&other.service);
            assert_eq!(all.iter().filter(later).collect::<Vec<_>>(), all.iter().skip(index + 1).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_position_is_read_as_it_is_written() {
        let position = position(1_606_780_800, "matching", 42);
        assert_eq!(Position::parse(&position.to_string()).unwrap(), position);
        for bad in ["", "matching", "matching.1", "matching.x.1", "matching.1.x"] {
            assert!(Position::parse(bad).is_err(), "{bad}");
        }
    }
}
