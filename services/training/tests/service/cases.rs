//! The trainings of an application, through the running service, on every database.

use conum_proto::operations::v1::{ListCaseEntriesRequest, case_service_client::CaseServiceClient};
use conum_service::sql;
use conum_testkit::{backends, callers};
use conum_training::storage::schema::MIGRATIONS;

use crate::scene::{LYON, Programme, Selected, TRAINING, VILLEURBANNE};

/// What happened to trainings of an application: record, action and rule.
async fn case(programme: &Programme, who: &Selected) -> Vec<(String, String, String)> {
    let parent = format!("services/{TRAINING}/{}", who.application.name());
    let message = ListCaseEntriesRequest { parent, ..Default::default() };
    let request = programme.signed(&callers::agency(), message).await;
    let mut client = CaseServiceClient::new(programme.scene.cluster.channel(TRAINING).unwrap());
    let entries = client.list_case_entries(request).await.unwrap().into_inner().entries;
    entries.into_iter().map(|entry| (entry.record, entry.action, entry.rule)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_holds_the_trainings_of_its_application_those_from_before_it_was_noted_too() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let (one, two) = (Selected::named("one"), Selected::named("two"));
        let first = programme.select(one, VILLEURBANNE, LYON).await;
        let second = programme.select(two, VILLEURBANNE, LYON).await;
        let opened = |name: &str| vec![(name.to_owned(), "OPEN".to_owned(), "M06".to_owned())];
        assert_eq!(case(&programme, &one).await, opened(&first.name));

        let fill = MIGRATIONS[1].statements[1];
        let store = programme.scene.cluster.service(TRAINING).unwrap().host.store();
        let filled = store.write(move |tx| {
            Box::pin(async move {
                sql::execute(tx, "UPDATE trainings SET application = ''", []).await?;
                Ok(sql::execute(tx, fill, []).await?.rows_affected())
            })
        });
        assert_eq!(filled.await.unwrap(), 2);
        assert_eq!(case(&programme, &one).await, opened(&first.name));
        assert_eq!(case(&programme, &two).await, opened(&second.name));
    }
}
