//! The case file of an application: every service's part of it, put together in the order of time. The one method that the
//! gateway answers itself.

use std::time::Duration;

use conum_kernel::{ApplicationId, id::invalid_name};
use conum_proto::{
    applications::v1::{GetApplicationRequest, applications_service_client::ApplicationsServiceClient},
    gateway::v1::{
        CaseFile, GetCaseFileRequest,
        case_files_service_server::{CaseFilesService, CaseFilesServiceServer},
    },
    operations::v1::{
        CaseEntry, ListCaseEntriesRequest, ListCaseEntriesResponse, case_service_client::CaseServiceClient,
    },
};
use conum_service::{
    Caller, Failure, access,
    cases::{Place, Position},
    paging::Page,
};
use futures::future::join_all;
use tonic::{Request, Response, Status, transport::Channel};

use crate::{NAME, edge::Edge, outage};

/// How long one service may take.
const PATIENCE: Duration = Duration::from_secs(5);
const METHOD: &str = "/conum.gateway.v1.CaseFilesService/GetCaseFile";

/// The gateway's own methods.
#[must_use]
pub fn server(edge: Edge) -> CaseFilesServiceServer<CaseFiles> {
    CaseFilesServiceServer::new(CaseFiles(edge))
}

/// The rpc of case files.
#[derive(Clone, Debug)]
pub struct CaseFiles(Edge);

#[tonic::async_trait]
impl CaseFilesService for CaseFiles {
    async fn get_case_file(&self, request: Request<GetCaseFileRequest>) -> Result<Response<CaseFile>, Status> {
        let caller = self.0.caller(request.metadata().as_ref()).map_err(Failure::from)?;
        access::methods()
            .get(METHOD)
            .ok_or_else(|| Status::unimplemented(METHOD))
            .and_then(|access| Ok(access.decide(&caller).map_err(Failure::from)?))?;
        let GetCaseFileRequest { name, page_size, page_token } = request.into_inner();
        let application = name.strip_suffix("/caseFile").and_then(|name| ApplicationId::parse_name("name", name).ok());
        let application =
            application.ok_or_else(|| Failure::from(invalid_name("name", "applications/{application}/caseFile")))?;
        let list = format!("caseFile?{application}");
        let page = Page::read(&list, page_size, 100, &page_token).map_err(Failure::from)?;
        let after = (!page.after.is_empty()).then(|| Position::parse(&page.after)).transpose()?;
        self.require_reader(&caller, application).await?;

        let parts = self.0.services().map(|(service, channel)| {
            let place = after.as_ref().map(|position| position.within(service));
            async move { (service, self.part(service, channel, application, place, page.size).await) }
        });
        let file = CaseFile { name, ..CaseFile::default() };
        Ok(Response::new(join(file, &list, page.size, join_all(parts).await)))
    }
}

impl CaseFiles {
    /// Refuses who may not read the application: applications knows whose it is.
    async fn require_reader(&self, caller: &Caller, application: ApplicationId) -> Result<(), Status> {
        const APPLICATIONS: &str = "applications";
        let channel = self.0.channel(APPLICATIONS).map_err(Failure::from)?;
        let message = GetApplicationRequest { name: application.name() };
        let request = self.0.signed(caller, APPLICATIONS, message).await.map_err(Failure::from)?;
        let mut client = ApplicationsServiceClient::new(channel);
        let read = tokio::time::timeout(PATIENCE, client.get_application(request)).await;
        read.unwrap_or_else(|_| Err(outage::deadline())).map(drop).map_err(outage::tell)
    }

    /// A service's part of the case, in the platform's own name: the reader was checked.
    async fn part(
        &self,
        service: &str,
        channel: &Channel,
        application: ApplicationId,
        after: Option<Place>,
        size: u64,
    ) -> Result<ListCaseEntriesResponse, Status> {
        let message = ListCaseEntriesRequest {
            parent: format!("services/{service}/{}", application.name()),
            page_size: i32::try_from(size).unwrap_or(i32::MAX),
            page_token: after.map(|place| place.token(service, application)).unwrap_or_default(),
        };
        let request = self.0.signed(&Caller::service(NAME), service, message).await.map_err(Failure::from)?;
        let mut client = CaseServiceClient::new(channel.clone());
        let answer = tokio::time::timeout(PATIENCE, client.list_case_entries(request)).await;
        answer.unwrap_or_else(|_| Err(outage::deadline())).map(Response::into_inner).map_err(outage::tell)
    }
}

/// Puts the services' pages together: the first entries of all, and the token of what follows them.
fn join<'a>(
    mut file: CaseFile,
    list: &str,
    size: u64,
    parts: impl IntoIterator<Item = (&'a String, Result<ListCaseEntriesResponse, Status>)>,
) -> CaseFile {
    let mut more = false;
    for (service, part) in parts {
        match part {
            Ok(part) => {
                more |= !part.next_page_token.is_empty();
                file.entries.extend(part.entries);
            }
            Err(status) => {
                tracing::warn!(service, %status, "a case file lacks a service");
                file.unreached_services.push(service.clone());
            }
        }
    }
    file.partial = !file.unreached_services.is_empty();
    file.entries.sort_by_cached_key(Position::of);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    more |= file.entries.len() > size;
    file.entries.truncate(size);
    let end = file.entries.last().map(|entry: &CaseEntry| Position::of(entry).to_string());
    file.next_page_token = end.filter(|_| more).map(|end| Page::token(list, &end)).unwrap_or_default();
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of a service whose entries happened at these seconds, a page of it.
    fn part(service: &str, seconds: &[i64], after: Option<&Position>, size: usize) -> ListCaseEntriesResponse {
        let entries = (1..).zip(seconds).map(|(id, second)| CaseEntry {
            service: service.into(),
            id,
            at: Some(prost_types::Timestamp { seconds: *second, nanos: 0 }),
            ..CaseEntry::default()
        });
        let begin = after.map_or(Place::BEGINNING, |position| position.within(service));
        let later = |entry: &CaseEntry| {
            let Position { at, id, .. } = Position::of(entry);
            Place { at, id } > begin
        };
        let mut entries: Vec<_> = entries.filter(later).collect();
        let next_page_token = if entries.len() > size { "more".into() } else { String::new() };
        entries.truncate(size);
        ListCaseEntriesResponse { entries, next_page_token }
    }

    #[test]
    fn pages_of_any_size_hold_everything_once_and_in_order() {
        let services: Vec<(String, Vec<i64>)> = vec![
            ("applications".into(), vec![1, 1, 4, 9, 9]),
            ("finance".into(), vec![4, 4, 4]),
            ("matching".into(), vec![1, 4, 9, 10]),
            ("training".into(), vec![]),
        ];
        for size in 1..14 {
            let (mut all, mut after) = (Vec::new(), None);
            loop {
                let parts =
                    services.iter().map(|(name, seconds)| (name, Ok(part(name, seconds, after.as_ref(), size))));
                let file = join(CaseFile::default(), "list", size as u64, parts);
                assert!(file.entries.len() <= size && !file.partial);
                all.extend(file.entries.iter().map(Position::of));
                if file.next_page_token.is_empty() {
                    break;
                }
                let page = Page::read("list", 1, 1, &file.next_page_token).unwrap();
                after = Some(Position::parse(&page.after).unwrap());
            }
            assert_eq!(all.len(), 12, "pages of {size}");
            assert!(all.is_sorted_by(|one, next| one < next), "pages of {size}");
        }
    }

    #[test]
    fn a_service_that_is_away_is_named_and_the_others_answer() {
        let (away, here) = ("candidates".to_owned(), "matching".to_owned());
        let parts = [(&away, Err(Status::unavailable(""))), (&here, Ok(part(&here, &[3], None, 10)))];
        let file = join(CaseFile::default(), "list", 10, parts);
        assert_eq!((file.partial, file.unreached_services), (true, vec![away]));
        assert_eq!(file.entries.len(), 1);
    }
}
