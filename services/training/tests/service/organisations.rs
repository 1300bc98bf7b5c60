//! Organisations and their sessions through the running service, on every database (T05).

use conum_proto::training::v1::{
    CancelSessionRequest, CreateOrganisationRequest, GetOrganisationRequest, GetSessionRequest,
    ListOrganisationsRequest, ListSessionsRequest, Organisation, Session, UpdateOrganisationRequest,
    UpdateSessionRequest, session, training,
};
use conum_testkit::{backends, callers};
use prost_types::FieldMask;
use tonic::Code;

use crate::scene::{
    LYON, Programme, SAINT_DENIS, Selected, VILLEURBANNE, day, declared, hours, interview, names, on_site, refusal,
};

#[expect(clippy::unnecessary_wraps, reason = "every field of a message is optional")]
fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() })
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_a_france_services_house_and_a_second_entry_are_refused() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let house = Organisation { france_services: true, ..declared("Maison", &["69"]) };
        let refused = programme.enter(house).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, "FRANCE_SERVICES_HOUSE".into(), "T05".into()));
        assert!(names(&refused, "organisation.france_services"));
        let first = programme.organisation("Rhône", &["69"]).await.unwrap();
        let refused = programme.organisation("RHONE", &["38"]).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::AlreadyExists, "ORGANISATION_EXISTS".into(), "T05".into()));
        assert!(names(&refused, &first.name), "names the first");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_lots_change_and_only_the_agency_and_the_organisation_see_its_contact() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let made = programme.organisation("Rhône", &["69"]).await.unwrap();
        let get = async |caller| {
            let request = programme.signed(&caller, GetOrganisationRequest { name: made.name.clone() }).await;
            programme.organisations().get_organisation(request).await.map(tonic::Response::into_inner)
        };
        assert_eq!(get(callers::organisation(&made.name)).await.unwrap(), made);
        let other = programme.organisation("Isère", &["38"]).await.unwrap();
        assert_eq!(get(callers::organisation(&other.name)).await.unwrap_err().code(), Code::PermissionDenied);
        assert_eq!(get(callers::structure("structures/x")).await.unwrap_err().code(), Code::PermissionDenied);

        let wider = Organisation {
            name: made.name.clone(),
            etag: made.etag.clone(),
            display_name: "not masked".into(),
            ..declared("Rhône", &["69", "974"])
        };
        let message =
            UpdateOrganisationRequest { organisation: Some(wider), update_mask: mask(&["lots"]), ..Default::default() };
        let request = programme.signed(&callers::agency(), message.clone()).await;
        let changed = programme.organisations().update_organisation(request).await.unwrap().into_inner();
        assert_eq!((&*changed.display_name, changed.lots[0].departments.len()), ("Rhône", 2));
        let request = programme.signed(&callers::agency(), message).await;
        let stale = programme.organisations().update_organisation(request).await.unwrap_err();
        assert_eq!(stale.code(), Code::Aborted);

        let message = ListOrganisationsRequest { department: "974".into(), ..Default::default() };
        let request = programme.signed(&callers::agency(), message).await;
        let listed = programme.organisations().list_organisations(request).await.unwrap().into_inner();
        assert_eq!(listed.organisations, [changed]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_tried_without_being_sent_and_a_request_sent_twice_has_one_effect() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let list = async || {
            let request = programme.signed(&callers::agency(), ListOrganisationsRequest::default()).await;
            programme.organisations().list_organisations(request).await.unwrap().into_inner().organisations.len()
        };
        let message = CreateOrganisationRequest {
            organisation: Some(declared("Rhône", &["69"])),
            validate_only: true,
            ..Default::default()
        };
        let request = programme.signed(&callers::agency(), message.clone()).await;
        programme.organisations().create_organisation(request).await.unwrap();
        assert_eq!(list().await, 0);
        let request_id = "0176a1e0-0000-7000-8000-000000000001".to_owned();
        let message = CreateOrganisationRequest { validate_only: false, request_id, ..message };
        let mut made = Vec::new();
        for _ in 0..2 {
            let request = programme.signed(&callers::agency(), message.clone()).await;
            made.push(programme.organisations().create_organisation(request).await.unwrap().into_inner().name);
        }
        assert_eq!((made[0] == made[1], list().await), (true, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_a_session_is_opened_in_a_lot_by_its_own_organisation() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let own = programme.organisation("Rhône", &["69"]).await.unwrap();
        let other = programme.organisation("Isère", &["38"]).await.unwrap();
        let made = programme.session(on_site(&own.name, LYON, 12)).await.unwrap();
        assert_eq!((&*made.department, made.seats_taken, made.state()), ("69", 0, session::State::Open));
        let refused = programme.session(on_site(&own.name, SAINT_DENIS, 12)).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, "NOT_IN_A_LOT".into(), "T05".into()));
        let past = Session { starts_on: day(2020, 11, 30), ..on_site(&own.name, LYON, 12) };
        let refused = programme.session(past).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, "SESSION_PAST".into(), "T05".into()));
        assert!(names(&refused, "session.starts_on"));

        let message = GetSessionRequest { name: made.name.clone() };
        let request = programme.signed(&callers::organisation(&other.name), message).await;
        let refused = programme.organisations().get_session(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let request = programme.signed(&callers::organisation(&other.name), ListSessionsRequest::default()).await;
        let listed = programme.organisations().list_sessions(request).await.unwrap().into_inner();
        assert!(listed.sessions.is_empty(), "its own only");
        let request = programme.signed(&callers::prefect("69"), ListSessionsRequest::default()).await;
        let listed = programme.organisations().list_sessions(request).await.unwrap().into_inner();
        assert_eq!(listed.sessions, [made]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t05_a_session_with_seats_stays_where_it_is_and_its_end_frees_them() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let own = programme.organisation("Rhône", &["69"]).await.unwrap();
        let organisation = callers::organisation(&own.name);
        let made = programme.session(on_site(&own.name, LYON, 2)).await.unwrap();
        let who = Selected::named("one");
        let training = programme.select(who, VILLEURBANNE, LYON).await;
        programme.enrol(&who.person(), &training.name, &made.name).await.unwrap();
        programme.interview(&organisation, &training.name, interview()).await.unwrap();
        programme.plan(&organisation, &training.name, hours(105)).await.unwrap();

        let update = async |session: Session, paths: &[&str]| {
            let session = Session { name: made.name.clone(), ..session };
            let message =
                UpdateSessionRequest { session: Some(session), update_mask: mask(paths), ..Default::default() };
            let request = programme.signed(&organisation, message).await;
            programme.organisations().update_session(request).await.map(tonic::Response::into_inner)
        };
        let moved = Session { starts_on: day(2021, 1, 11), ..Session::default() };
        let refused = update(moved, &["starts_on"]).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, "SEATS_TAKEN".into(), "T05".into()));
        let none = update(Session::default(), &["capacity"]).await.unwrap_err();
        assert_eq!(refusal(&none).1, "CAPACITY_BELOW_SEATS");
        let more = update(Session { capacity: 20, ..Session::default() }, &["capacity"]).await.unwrap();
        assert_eq!((more.capacity, more.seats_taken), (20, 1));

        let reason = session::CancelReason::TooFewPeople.into();
        let message = CancelSessionRequest { name: made.name.clone(), reason, ..Default::default() };
        let request = programme.signed(&organisation, message).await;
        let cancelled = programme.organisations().cancel_session(request).await.unwrap().into_inner();
        assert_eq!((cancelled.state(), cancelled.seats_taken), (session::State::Cancelled, 0));
        let freed = programme.training(who).await;
        assert_eq!((freed.state(), &*freed.session, freed.plan), (training::State::Opened, "", None));
    }
}
