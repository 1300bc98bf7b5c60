//! Applying, confirming, correcting and examining through the running service, on every database (A01–A07, A09).

use crate::scene::{DEPARTMENT, Programme, form, siret};
use conum_proto::{
    applications::v1::{
        AddPartnerRequest, Application, ApplicationVersion, Contact, CreateApplicationRequest, DecideCorrectionRequest,
        DecideDerogationRequest, ListApplicationHistoryRequest, ListApplicationVersionsRequest,
        ListApplicationsRequest, Partner, ProvideInformationRequest, RequestCorrectionRequest,
        RequestInformationRequest, ResendConfirmationRequest, application::State, correction, derogation,
    },
    events::v1::event::Payload,
};
use conum_service::status;
use conum_testkit::{backends, callers};
use tonic::{Code, Status};

fn reason(status: &Status) -> (String, String) {
    (status::reason(status).unwrap_or_default(), status::rule(status).unwrap_or_default())
}

fn existing(status: &Status) -> String {
    status::info(status).and_then(|mut info| info.metadata.remove("existing")).unwrap_or_default()
}

/// What is done to an application, the reason of its refusal, and the field that is named.
type Spoilt<'t> = (&'t dyn Fn(&mut Application), &'t str, &'t str);

async fn versions(programme: &Programme, application: &Application) -> Vec<ApplicationVersion> {
    let message = ListApplicationVersionsRequest { parent: application.name.clone(), ..Default::default() };
    let request = programme.signed(&callers::structure(&application.structure), message).await;
    programme.applications().list_application_versions(request).await.unwrap().into_inner().versions
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_a_structure_applies_and_the_others_are_told() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let applied = programme.apply(form(1, 2), "").await.unwrap();
        assert_eq!((applied.state(), applied.posts.len()), (State::Submitted, 2));
        let profile = applied.profile.as_ref().unwrap();
        assert_eq!((profile.department.as_str(), profile.commune_name.as_str()), (DEPARTMENT, "Vénissieux"));
        assert!(profile.location.is_some(), "the commune's centre");
        let told = programme.told(&applied.name).await;
        assert!(matches!(&told[..], [Payload::ApplicationSubmitted(told)] if told.structure == applied.structure));
        assert_eq!(programme.get(&applied.name).await, applied);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_what_is_wrong_is_named_field_by_field_and_nothing_is_written() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let unknown = |application: &mut Application| application.profile.as_mut().unwrap().commune = "00000".into();
        let mission = |application: &mut Application| application.missions = vec![1, 99];
        let number =
            |application: &mut Application| application.profile.as_mut().unwrap().registration_number = "1".into();
        let cases: [Spoilt; 3] = [
            (&unknown, "UNKNOWN_COMMUNE", "application.profile.commune"),
            (&mission, "UNKNOWN_VALUE", "application.missions[1]"),
            (&number, "INVALID_REGISTRATION_NUMBER", "application.profile.registration_number"),
        ];
        for (spoil, expected, field) in cases {
            let mut application = form(1, 1);
            spoil(&mut application);
            let refused = programme.apply(application, "").await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused).0.as_str()), (Code::InvalidArgument, expected));
            assert!(String::from_utf8_lossy(refused.details()).contains(field), "{field}");
        }
        let all = programme.list(&callers::agency(), ListApplicationsRequest::default()).await.unwrap();
        assert!(all.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a01_a_request_that_only_asks_whether_it_would_do_writes_nothing() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let message =
            CreateApplicationRequest { application: Some(form(1, 1)), request_id: String::new(), validate_only: true };
        let request = programme.signed(&callers::anonymous(), message).await;
        let answered = programme.applications().create_application(request).await.unwrap().into_inner();
        assert_eq!(answered.state(), State::Submitted);
        assert!(programme.get_as(&callers::agency(), &answered.name).await.is_err());
        assert!(programme.mails(&answered.name).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a05_second_application_of_one_structure_names_the_first() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let answers = futures::future::join_all((0..8).map(|_| programme.apply(form(1, 1), ""))).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        let [first] = &made.into_iter().map(Result::unwrap).collect::<Vec<_>>()[..] else { panic!("one is made") };
        for status in refused.into_iter().map(Result::unwrap_err) {
            assert_eq!(status.code(), Code::AlreadyExists);
            assert_eq!(reason(&status), ("APPLICATION_EXISTS".into(), "A05".into()));
            assert_eq!(existing(&status), first.name);
        }
        assert_ne!(programme.apply(form(2, 1), "").await.unwrap().structure, first.structure);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a05_the_same_request_again_is_one_application() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let id = Programme::request_id("apply");
        let answers = futures::future::join_all((0..4).map(|_| programme.apply(form(1, 1), &id))).await;
        let names: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().name).collect();
        assert!(names.iter().all(|name| *name == names[0]));
        assert_eq!(programme.mails(&names[0]).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a07_the_mailed_link_confirms_the_address_and_the_examination_waits_for_it() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let applied = programme.apply(form(1, 1), "").await.unwrap();
        let early = programme.opinion(&applied).await.unwrap_err();
        assert_eq!(reason(&early), ("ADDRESS_NOT_CONFIRMED".into(), "A07".into()));

        let first = programme.token(&applied).await;
        let message = ResendConfirmationRequest { name: applied.name.clone(), ..Default::default() };
        let request = programme.signed(&callers::structure(&applied.structure), message).await;
        programme.scene.settle().await;
        programme.applications().resend_confirmation(request).await.unwrap();
        let second = programme.token(&applied).await;
        let stale = programme.confirm(&applied, &first).await.unwrap_err();
        assert_eq!(reason(&stale), ("INVALID_TOKEN".into(), "A07".into()));
        for _ in 0..2 {
            let confirmed = programme.confirm(&applied, &second).await.unwrap();
            assert_eq!(confirmed.state(), State::Confirmed, "the link may be pressed twice");
        }
        programme.scene.settle().await;
        let url = format!("/confirm/{}?t={second}", applied.name.trim_start_matches("applications/"));
        let letter = programme.letter(&url);
        assert!(letter.contains("Ada Lovelace") && letter.contains("ada1@exemple.fr"), "{letter}");
        for mail in programme.mails(&applied.name).await {
            assert_eq!(mail.facts, serde_json::json!({}), "no secret is kept once it is mailed");
        }
        assert_eq!(programme.opinion(&applied).await.unwrap().state(), State::UnderExamination);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a04_a_structure_corrects_until_the_first_opinion_and_every_version_is_kept() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let applied = programme.apply(form(1, 1), "").await.unwrap();
        let own = callers::structure(&applied.structure);
        programme.confirm(&applied, &programme.token(&applied).await).await.unwrap();

        let mut changed = programme.get(&applied.name).await;
        changed.profile.as_mut().unwrap().legal_name = "Ville renommée".into();
        changed.posts.push(crate::scene::post());
        let corrected = programme.update(&own, changed.clone(), &["profile", "posts"]).await.unwrap();
        assert_eq!((corrected.posts.len(), corrected.posts[0].name.as_str()), (2, applied.posts[0].name.as_str()));
        let stale = programme.update(&own, changed, &["profile"]).await.unwrap_err();
        assert_eq!(stale.code(), Code::Aborted);
        let kept = versions(&programme, &applied).await;
        assert_eq!((kept.len(), kept[0].version), (1, 1));
        let said = kept[0].application.as_ref().unwrap().profile.as_ref().unwrap();
        assert_eq!(said.legal_name, "Commune n° 1");

        programme.opinion(&applied).await.unwrap();
        let etag = String::new();
        let late = Application { etag, ..corrected };
        let refused = programme.update(&own, late.clone(), &["contact"]).await.unwrap_err();
        assert_eq!(reason(&refused), ("CORRECTION_TO_BE_REQUESTED".into(), "A04".into()));

        let contact = Contact { phone: "01 02 03 04 05".into(), ..late.contact.clone().unwrap() };
        let message = RequestCorrectionRequest {
            name: applied.name.clone(),
            application: Some(Application { contact: Some(contact), ..Application::default() }),
            ..Default::default()
        };
        let asked = programme.applications().request_correction(programme.signed(&own, message).await).await;
        let asked = asked.unwrap().into_inner().corrections.remove(0);
        assert_eq!(asked.proposed.unwrap().contact.unwrap().phone, "01 02 03 04 05");
        let message = DecideCorrectionRequest { name: asked.name, accepted: true, ..Default::default() };
        let request = programme.signed(&callers::agency(), message).await;
        let decided = programme.applications().decide_correction(request).await.unwrap().into_inner();
        assert_eq!(decided.contact.unwrap().phone, "01 02 03 04 05");
        assert_eq!(decided.corrections[0].state(), correction::State::Accepted);
        assert_eq!(versions(&programme, &applied).await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a02_the_agency_asks_for_more_and_the_structure_answers() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let application = programme.examined(1, 1).await;
        let message = RequestInformationRequest {
            name: application.name.clone(),
            question: "Quel lieu ?".into(),
            ..Default::default()
        };
        let request = programme.signed(&callers::agency(), message).await;
        let asked = programme.applications().request_information(request).await.unwrap().into_inner();
        assert_eq!((asked.state(), asked.decision_reason.as_str()), (State::InformationRequested, "Quel lieu ?"));
        programme.scene.settle().await;
        assert!(programme.letter("Quel lieu ?").contains("Répondre"));

        let message = ProvideInformationRequest {
            name: application.name.clone(),
            answer: "La médiathèque".into(),
            ..Default::default()
        };
        let request = programme.signed(&callers::structure(&application.structure), message).await;
        let answered = programme.applications().provide_information(request).await.unwrap().into_inner();
        assert_eq!(answered.state(), State::UnderExamination);
        assert_eq!(answered.inquiries[0].answer, "La médiathèque");
        let message = ListApplicationHistoryRequest { parent: application.name.clone(), ..Default::default() };
        let request = programme.signed(&callers::agency(), message).await;
        let history = programme.applications().list_application_history(request).await.unwrap().into_inner();
        let actions: Vec<_> = history.entries.iter().map(|entry| entry.action.as_str()).collect();
        let expected = ["SUBMIT", "CONFIRM_ADDRESS", "RECORD_OPINION", "REQUEST_INFORMATION", "PROVIDE_INFORMATION"];
        assert_eq!(actions, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a06_a_partner_has_no_application_of_its_own() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let lead = programme.apply(form(1, 1), "").await.unwrap();
        let other = programme.apply(form(2, 1), "").await.unwrap();
        let add = async |number: u32| {
            let partner = Partner { registration_number: siret(number), legal_name: "Voisine".into() };
            let message =
                AddPartnerRequest { name: lead.name.clone(), partner: Some(partner), request_id: String::new() };
            let request = programme.signed(&callers::structure(&lead.structure), message).await;
            programme.applications().add_partner(request).await.map(tonic::Response::into_inner)
        };
        let refused = add(2).await.unwrap_err();
        assert_eq!((reason(&refused).0.as_str(), existing(&refused)), ("PARTNER_HAS_APPLICATION", other.name));
        assert_eq!(add(3).await.unwrap().partners.len(), 1);
        let warned = programme.apply(form(3, 1), "").await.unwrap();
        assert_eq!(warned.warnings, ["PARTNER_OF_ANOTHER"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_a_derogation_is_decided_told_and_mailed() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let mut wanted = form(1, 1);
        wanted.posts[0].coordinator = true;
        let applied = programme.apply(wanted, "").await.unwrap();
        programme.confirm(&applied, &programme.token(&applied).await).await.unwrap();
        let message = DecideDerogationRequest {
            name: applied.posts[0].name.clone(),
            accepted: true,
            reason: "Un réseau à animer".into(),
            request_id: String::new(),
        };
        let request = programme.signed(&callers::agency(), message).await;
        let decided = programme.applications().decide_derogation(request).await.unwrap().into_inner();
        assert_eq!(decided.posts[0].derogation.as_ref().unwrap().state(), derogation::State::Accepted);
        let told = programme.told(&applied.name).await;
        assert!(matches!(told.last(), Some(Payload::DerogationDecided(told)) if told.accepted));
        programme.scene.settle().await;
        programme.letter("Un réseau à animer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_what_is_theirs_and_no_more() {
    for backend in backends() {
        let programme = Programme::start(&backend).await;
        let one = programme.apply(form(1, 1), "").await.unwrap();
        let mut elsewhere = form(2, 1);
        elsewhere.profile.as_mut().unwrap().commune = "75056".into();
        let two = programme.apply(elsewhere, "").await.unwrap();
        let structure = callers::structure(&one.structure);
        let prefect = callers::prefect("75");
        let one_of = |application: &Application| vec![application.name.clone()];
        let names = async |caller, message| -> Vec<String> {
            let found = programme.list(caller, message).await.unwrap();
            found.into_iter().map(|application| application.name).collect()
        };
        let (agency, all) = (callers::agency(), ListApplicationsRequest::default);
        assert_eq!(names(&agency, all()).await, [one.name.clone(), two.name.clone()]);
        assert_eq!(names(&structure, all()).await, one_of(&one));
        assert_eq!(names(&prefect, all()).await, one_of(&two));
        let by_number = ListApplicationsRequest { registration_number: siret(2), ..all() };
        assert_eq!(names(&agency, by_number).await, one_of(&two));
        let by_state = ListApplicationsRequest { state: State::Granted.into(), ..all() };
        assert!(names(&agency, by_state).await.is_empty());

        let department = ListApplicationsRequest { department: DEPARTMENT.into(), ..all() };
        for refused in [
            programme.get_as(&structure, &two.name).await.unwrap_err(),
            programme.get_as(&prefect, &one.name).await.unwrap_err(),
            programme
                .update(&structure, Application { etag: String::new(), ..two.clone() }, &["needs"])
                .await
                .unwrap_err(),
            programme.list(&prefect, department).await.unwrap_err(),
        ] {
            assert_eq!((refused.code(), reason(&refused).0.as_str()), (Code::PermissionDenied, "NOT_YOURS"));
        }
        assert_eq!(programme.get_as(&callers::anonymous(), &one.name).await.unwrap_err().code(), Code::Unauthenticated);
    }
}
