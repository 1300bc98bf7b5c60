//! What a case says of people, through the running service, on every database.

use super::scene::{CANDIDATES, Register, application, introduction, recruitment, rose};
use conum_proto::operations::v1::{CaseEntry, ListCaseEntriesRequest, case_service_client::CaseServiceClient};
use conum_testkit::{backends, callers};

async fn case(register: &Register, key: &str) -> Vec<CaseEntry> {
    let parent = format!("services/{CANDIDATES}/{}", application(key));
    let request = register.signed(&callers::agency(), ListCaseEntriesRequest { parent, ..Default::default() }).await;
    let mut client = CaseServiceClient::new(register.scene.cluster.channel(CANDIDATES).unwrap());
    client.list_case_entries(request).await.unwrap().into_inner().entries
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_holds_of_a_person_only_what_names_its_own_introductions_and_recruitments() {
    for backend in backends() {
        let register = Register::open(&backend).await;
        let rose = register.register(rose()).await;
        register.record_pix(&rose, 640).await.unwrap();
        register.introduced(&rose.name, "mairie").await;
        register.introduced(&rose.name, "maison").await;
        register.selected(&rose.name, "maison").await;
        register.signed_contract(&rose.name, "maison").await;
        register.closed(&rose.name, "mairie", "candidate_recruited").await;

        let told = |entries: Vec<CaseEntry>| -> Vec<_> {
            assert!(entries.iter().all(|entry| entry.record == rose.name && entry.roles == ["event"]));
            entries.into_iter().map(|entry| (entry.action, entry.why, entry.rule)).collect()
        };
        let fact = |action: &str, why: &str, rule: &str| -> (String, String, String) {
            (action.into(), why.split_once('/').unwrap().1.into(), rule.into())
        };
        let (seen, asked) = (introduction("mairie"), introduction("maison"));
        assert_eq!(
            told(case(&register, "mairie").await),
            [fact("INTRODUCED", &seen, "M02"), fact("INTRODUCTION_CLOSED", &seen, "M03")]
        );
        let hired = recruitment("maison");
        assert_eq!(
            told(case(&register, "maison").await),
            [
                fact("INTRODUCED", &asked, "M02"),
                fact("SELECTED", &hired, "M06"),
                fact("CONTRACT_SIGNED", &hired, "M07")
            ]
        );
        assert_eq!(case(&register, "ailleurs").await, []);
    }
}
