//! What happened to an application, through the running service, on every database.

use crate::scene::{Granted, MATCHING, Programme, contract, granted};
use conum_proto::operations::v1::{
    CaseEntry, ListCaseEntriesRequest, ListCaseEntriesResponse, case_service_client::CaseServiceClient,
};
use conum_service::{Caller, status};
use conum_testkit::{backends, callers};
use tonic::{Code, Status};

const LYON: &str = "69123";
const VILLEURBANNE: &str = "69266";

async fn page(
    programme: &Programme,
    caller: &Caller,
    of: &Granted,
    (page_size, page_token): (i32, &str),
) -> Result<ListCaseEntriesResponse, Status> {
    let parent = format!("services/{MATCHING}/{}", of.application.name());
    let message = ListCaseEntriesRequest { parent, page_size, page_token: page_token.into() };
    let request = programme.signed(caller, message).await;
    let mut client = CaseServiceClient::new(programme.scene.cluster.channel(MATCHING).unwrap());
    client.list_case_entries(request).await.map(tonic::Response::into_inner)
}

async fn case(programme: &Programme, of: &Granted, page_size: i32) -> Vec<CaseEntry> {
    let (mut entries, mut token) = (Vec::new(), String::new());
    loop {
        let answer = page(programme, &callers::agency(), of, (page_size, &token)).await.unwrap();
        entries.extend(answer.entries);
        token = answer.next_page_token;
        if token.is_empty() {
            return entries;
        }
    }
}

fn named<'a>(entries: &'a [CaseEntry], action: &str) -> Vec<&'a CaseEntry> {
    entries.iter().filter(|entry| entry.action == action).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_holds_all_that_happened_to_an_application_and_nothing_of_another() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        for number in 0..4 {
            programme.register(&format!("person {number}"), VILLEURBANNE).await;
        }
        let (one, two) = (granted("one", LYON, 1), granted("two", LYON, 1));
        programme.grant(&one).await;
        programme.grant(&two).await;
        programme.activate(&[&one, &two]).await;
        programme.scene.days_pass(8).await;
        let live = programme.live(&one).await;
        programme.decline(&one.caller(), &live[0].name, "").await.unwrap();
        let recruited = programme.select(&one, 0, &live[1].candidate).await.unwrap();
        programme.sign(&one, &recruited.name, contract()).await.unwrap();

        let entries = case(&programme, &one, 1000).await;
        let kinds = ["applications/", "introductions/", "recruitments/"];
        for kind in kinds {
            assert!(entries.iter().any(|entry| entry.record.starts_with(kind)), "{kind}");
        }
        let expected = [
            ("ACTIVATE", "event", "P03", "services/applications"),
            ("INTRODUCE", "event", "M02", "services/applications"),
            ("REMIND", "timer", "M03", "services/matching"),
            ("DECLINE", "structure", "M03", "structure"),
            ("SELECT", "structure", "M06", "structure"),
            ("SIGN", "structure", "M07", "structure"),
        ];
        for (action, role, rule, actor) in expected {
            let found = named(&entries, action)[0];
            assert_eq!((found.roles.join(","), found.rule.as_str()), (role.into(), rule), "{action}");
            assert_eq!(found.actor, actor, "{action}");
        }
        let signed = named(&entries, "SIGN")[0];
        assert!(signed.trace.len() == 32 && signed.trace.bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert_eq!((signed.record.as_str(), signed.service.as_str()), (recruited.name.as_str(), MATCHING));
        let key = |entry: &CaseEntry| (entry.at.map(|at| (at.seconds, at.nanos)), entry.id);
        assert!(entries.is_sorted_by_key(key));
        assert_eq!(case(&programme, &one, 2).await, entries, "pages hold everything once");

        let others = case(&programme, &two, 1000).await;
        assert!(others.iter().all(|other| entries.iter().all(|entry| entry.record != other.record)));
        assert!(named(&others, "SELECT").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_a_notice_of_shortage_is_part_of_the_case() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        programme.register("person", VILLEURBANNE).await;
        let one = granted("one", LYON, 1);
        programme.grant(&one).await;
        programme.activate(&[&one]).await;
        let entries = case(&programme, &one, 1000).await;
        let notice = named(&entries, "RAISE")[0];
        assert_eq!((notice.why.as_str(), notice.rule.as_str()), ("candidates_short", "M04"));
        assert_eq!(notice.record, programme.notices(&one).await[0].name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_for_the_agency_and_the_services() {
    let backend = backends().remove(0);
    let programme = Programme::start(&backend).await;
    let one = granted("one", LYON, 1);
    for caller in [callers::operator(), callers::prefect("69"), one.caller(), callers::anonymous()] {
        assert!(page(&programme, &caller, &one, (0, "")).await.is_err(), "{caller:?}");
    }
    assert_eq!(page(&programme, &callers::service("gateway"), &one, (0, "")).await.unwrap().entries, []);
    let wrong = page(&programme, &callers::agency(), &one, (0, "x")).await.unwrap_err();
    assert_eq!(status::reason(&wrong).as_deref(), Some("INVALID_PAGE_TOKEN"));
    let parent = format!("services/finance/{}", one.application.name());
    let message = ListCaseEntriesRequest { parent, ..Default::default() };
    let request = programme.signed(&callers::agency(), message).await;
    let mut client = CaseServiceClient::new(programme.scene.cluster.channel(MATCHING).unwrap());
    assert_eq!(client.list_case_entries(request).await.unwrap_err().code(), Code::InvalidArgument);
}
