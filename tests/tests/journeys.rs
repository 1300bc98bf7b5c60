//! The journeys of the programme's actors through the gateway: a structure from its application to its adviser, a
//! candidate, a prefect, the agency.

use conum_kernel::Ids;
use conum_proto::gateway::v1::{GetCaseFileRequest, case_files_service_client::CaseFilesServiceClient};
use conum_service::{
    Caller,
    cluster::Options,
    config::Config,
    identity::KeyPair,
    lifecycle::{self, Drive},
    status,
};
use conum_testkit::callers;
use conum_tests::{
    journey::{Api, Journey, day},
    lyon::{Lyon, text},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tonic::{Code, Request};

#[tokio::test(flavor = "multi_thread")]
async fn a_structure_applies_is_granted_declines_gets_the_next_and_recruits() {
    let lyon = Lyon::with(5).await;
    let journey = &lyon.journey;
    let structure = callers::structure(&lyon.structure);
    let live = lyon.live().await;
    assert_eq!(live.len(), 3);
    assert!(live[0]["reasons"]["sentence"].as_str().unwrap().contains("km"), "each says why");

    let first = text(&live[0], "name");
    journey.post(&structure, &format!("/v1/{first}:decline"), json!({ "reason": "DECLINE_REASON_PROFILE" })).await.ok();
    let live = lyon.live().await;
    assert_eq!(live.len(), 3, "the next one came in the same transaction");
    assert!(live.iter().any(|introduction| introduction["replaces"] == first.as_str()));

    let chosen = &live[0];
    journey.post(&structure, &format!("/v1/{}:accept", text(chosen, "name")), json!({})).await.ok();
    let selection = json!({ "post": lyon.post, "candidate": text(chosen, "candidate") });
    let recruitment = text(&journey.post(&structure, "/v1/recruitments", selection).await.ok(), "name");
    let contract = json!({ "contract": {
        "kind": "KIND_FIXED_TERM", "signedOn": day("2020-12-01"), "startDate": day("2021-03-01"),
        "endDate": day("2023-02-28"), "grossMonthlyCents": "180000", "fullTime": true
    } });
    journey.post(&structure, &format!("/v1/{recruitment}:sign"), contract).await.ok();
    journey.settle().await;
    assert!(lyon.live().await.is_empty(), "no vacant post is left");
    let opened = journey.letters().into_iter().filter(|letter| letter.contains("est ouverte pour vous")).count();
    assert_eq!(opened, 1, "the person is told of the training that the selection opened");
    let post = journey.get(&structure, &format!("/v1/matching/{}", lyon.post)).await.ok();
    assert_eq!(post["state"], "STATE_FILLED");
    let programme = journey.call(None, Method::GET, "/v1/programme", None).await.ok();
    assert_eq!((&programme["cap"], &programme["granted"]), (&json!(4000), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn m03_the_mails_buttons_change_nothing_when_opened_and_answer_when_posted() {
    let lyon = Lyon::with(4).await;
    let journey = &lyon.journey;
    let link = journey.link("/introductions/").expect("a mail with its buttons");
    let (path, query) = link.split_once('?').unwrap();
    let token = query.trim_start_matches("t=").split('&').next().unwrap().to_owned();

    // A mail scanner opens every link, again and again.
    for _ in 0..3 {
        let page = journey.call(None, Method::GET, &link, None).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert!(page.text.contains("Amina") && page.text.contains("Pas intéressé"), "{}", page.text);
    }
    assert!(lyon.live().await.iter().all(|introduction| introduction["state"] == "STATE_PROPOSED"));

    let answered =
        journey.submit(path, &[("t", &token), ("answer", "non"), ("reason", "DECLINE_REASON_DISTANCE")]).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER, "{}", answered.text);
    assert_eq!(lyon.live().await.len(), 3, "the next one came");
    let again = journey.call(None, Method::GET, &link, None).await;
    assert!(again.text.contains("déjà été déclinée"), "{}", again.text);
    let twice = journey.submit(path, &[("t", &token), ("answer", "oui")]).await;
    assert_eq!(twice.status, StatusCode::SEE_OTHER);
    assert_eq!(lyon.live().await.len(), 3);

    let forged = journey.call(None, Method::GET, &format!("{path}?t=AAAA"), None).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    journey.days_pass(120).await;
    let expired = journey.call(None, Method::GET, &link, None).await;
    assert_eq!(expired.status, StatusCode::FORBIDDEN);
    assert!(expired.text.contains("expiré"), "{}", expired.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn c05_pix_is_shown_only_while_the_candidate_consents() {
    let lyon = Lyon::with(1).await;
    let journey = &lyon.journey;
    let structure = callers::structure(&lyon.structure);
    let person = text(&lyon.live().await[0], "candidate");
    let candidate = callers::candidate(&person);
    let path = format!("/v1/{person}/card");
    let card = || journey.get(&structure, &path);
    let result = json!({ "score": 512, "passedOn": day("2020-11-20") });
    journey.post(&candidate, &format!("/v1/{person}:recordPixResult"), result).await.ok();
    assert!(card().await.ok().get("pix").is_none());
    let consent = |given: bool| json!({ "consent": given });
    journey.post(&candidate, &format!("/v1/{person}:setPixConsent"), consent(true)).await.ok();
    assert_eq!(card().await.ok()["pix"]["score"], 512);
    journey.post(&candidate, &format!("/v1/{person}:setPixConsent"), consent(false)).await.ok();
    assert!(card().await.ok().get("pix").is_none(), "at once");
    let stranger = callers::structure("structures/str_00000000000070008000000000000000");
    assert_eq!(journey.get(&stranger, &path).await.status, StatusCode::NOT_FOUND, "not theirs to see");
}

#[tokio::test(flavor = "multi_thread")]
async fn c07_erasure_reaches_every_service_and_the_mails() {
    let lyon = Lyon::with(2).await;
    let journey = &lyon.journey;
    let person = text(&lyon.live().await[0], "candidate");
    let candidate = callers::candidate(&person);
    let export = journey.get(&candidate, &format!("/v1/{person}:export")).await.ok();
    assert!(export.to_string().contains("Amina"), "{export}");
    journey.post(&candidate, &format!("/v1/{person}:erase"), json!({})).await.ok();
    journey.settle().await;
    assert!(lyon.live().await.iter().all(|introduction| introduction["candidate"] != person.as_str()));
    let email = export["candidate"]["email"].as_str().unwrap();
    let name = export["candidate"]["familyName"].as_str().unwrap();
    for entry in walk(journey.folder.path()) {
        let bytes = std::fs::read(&entry).unwrap_or_default();
        for secret in [email, name] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            // A write-ahead log and freed pages may hold bytes until they are reused; documents and mails may not.
            assert!(!found || entry.to_string_lossy().contains(".db"), "{} holds {secret}", entry.display());
        }
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_a_post_given_back_returns_to_the_cap_once_matching_has_released_it() {
    let lyon = Lyon::with(3).await;
    let journey = &lyon.journey;
    let structure = callers::structure(&lyon.structure);
    let back = json!({ "posts": [lyon.post], "reason": "Budget" });
    journey.post(&structure, &format!("/v1/{}:returnPosts", lyon.application), back).await.ok();
    journey.settle().await;
    let programme = journey.call(None, Method::GET, "/v1/programme", None).await.ok();
    assert_eq!(programme.get("granted").and_then(Value::as_i64).unwrap_or(0), 0);
    assert!(lyon.live().await.is_empty());
    let wave = journey.get(&callers::agency(), &format!("/v1/{}", lyon.wave)).await.ok();
    assert_eq!(wave["state"], "STATE_ACTIVATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_the_cap_is_a_policy_whose_changes_are_kept() {
    let journey = Journey::start().await;
    let agency = callers::agency();
    let path = "/v1/services/applications/policies/cap";
    journey.post(&agency, &format!("{path}:set"), json!({ "value": "4500", "why": "Second phase" })).await.ok();
    let policy = journey.get(&agency, path).await.ok();
    assert_eq!((policy["value"].as_str(), policy["rule"].as_str()), (Some("4500"), Some("P01")));
    assert_eq!(policy["changes"][0]["why"], "Second phase");
    let refused = journey.post(&agency, &format!("{path}:set"), json!({ "value": "many", "why": "x" })).await;
    assert_eq!(refused.refusal(), ("INVALID_POLICY_VALUE".into(), "P01".into()));
    let structure = callers::structure("structures/x");
    assert_eq!(journey.get(&structure, path).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a03_the_committee_compares_two_proposals_and_stays_free() {
    let lyon = Lyon::with(0).await;
    let journey = &lyon.journey;
    let structure = callers::structure(&lyon.structure);
    let more = json!({ "posts": [{ "wishedStartDate": day("2021-03-01") }] });
    journey.post(&structure, &format!("/v1/{}:addPosts", lyon.application), more).await.ok();
    let path = "/v1/departmentEquity:proposeAllocation";
    let answer = journey.get(&callers::prefect("69"), &format!("{path}?posts=3")).await.ok();
    let rows = answer["departments"].as_array().unwrap();
    let rhone = rows.iter().find(|row| row["department"] == "69").unwrap();
    assert_eq!((&rhone["postsGranted"], &rhone["postsAsked"]), (&json!(1), &json!(1)));
    assert_eq!((&rhone["proportional"]["posts"], &rhone["maxMin"]["posts"]), (&json!(1), &json!(1)));
    assert_eq!(answer["leftOver"], 2);
    let programme = journey.call(None, Method::GET, "/v1/programme", None).await.ok();
    assert_eq!(programme["granted"], 1, "nothing is written");

    let agency = callers::agency();
    let none = journey.get(&agency, path).await;
    assert_eq!((none.refusal().1.as_str(), none.fields()), ("A03", vec!["posts".into()]));
    assert!(none.json()["message_fr"].is_string());
    let above = journey.get(&agency, &format!("{path}?posts=4000")).await;
    assert_eq!(above.refusal(), ("CAP_EXCEEDED".into(), "P01".into()));
    let decided = journey.get(&agency, &format!("{path}?posts=1&wave={}", lyon.wave)).await;
    assert_eq!(decided.refusal(), ("WAVE_NOT_OPEN".into(), "P03".into()));
    assert_eq!(journey.get(&structure, &format!("{path}?posts=1")).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn m04_a_shortage_is_explained_and_a_wave_can_be_tried_with_other_settings() {
    let lyon = Lyon::with(2).await;
    let journey = &lyon.journey;
    let (agency, structure) = (callers::agency(), callers::structure(&lyon.structure));
    let path = format!("/v1/{}:explainShortage", lyon.structure);
    let explained = journey.get(&structure, &path).await.ok();
    assert_eq!((&explained["lacking"], &explained["live"], &explained["near"]), (&json!(1), &json!(2), &json!(2)));
    assert_eq!(explained["obstacles"][0]["kind"], "KIND_ALREADY_INTRODUCED");
    assert!(explained["sentence"].as_str().unwrap().contains("2 déjà présentées à cette structure"));
    let other = callers::structure("structures/str_00000000000070008000000000000000");
    assert_eq!(journey.get(&other, &path).await.status, StatusCode::FORBIDDEN);

    let simulate = "/v1/introductions:simulateWave";
    let asked = json!({
        "structures": [{ "commune": "69123", "sector": "private", "neededBy": day("2021-06-01") }],
        "settings": { "livePerStructure": 1 },
    });
    let answer = journey.post(&agency, simulate, asked).await.ok();
    assert_eq!((&answer["today"]["structures"], &answer["simulated"]["structures"]), (&json!(1), &json!(2)));
    assert_eq!(answer["simulated"]["introductions"], 1);
    assert_eq!(lyon.live().await.len(), 2, "nothing is written");
    let wrong = journey.post(&agency, simulate, json!({ "settings": { "livePerCandidate": 21 } })).await;
    assert_eq!(wrong.refusal(), ("OUT_OF_RANGE".into(), "M02".into()));
    assert_eq!(wrong.fields(), ["settings.live_per_candidate"]);
    assert_eq!(journey.post(&structure, simulate, json!({})).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_file_tells_in_order_all_that_happened_to_an_application_and_names_nobody() {
    let lyon = Lyon::with(4).await;
    let journey = &lyon.journey;
    let (agency, structure) = (callers::agency(), callers::structure(&lyon.structure));
    journey.days_pass(1).await;
    let chosen = lyon.live().await.remove(0);
    let selection = json!({ "post": lyon.post, "candidate": text(&chosen, "candidate") });
    let recruitment = text(&journey.post(&structure, "/v1/recruitments", selection).await.ok(), "name");
    journey.days_pass(1).await;
    let contract = json!({ "contract": {
        "kind": "KIND_FIXED_TERM", "signedOn": day("2020-12-03"), "startDate": day("2021-03-01"),
        "endDate": day("2023-02-28"), "grossMonthlyCents": "180000", "fullTime": true
    } });
    journey.post(&structure, &format!("/v1/{recruitment}:sign"), contract).await.ok();
    journey.days_pass(1).await;
    let found = journey.get(&agency, &format!("/v1/conventions?application={}", lyon.application)).await.ok();
    let convention = text(&found["conventions"][0], "name");
    for caller in [&structure, &agency] {
        journey.post(caller, &format!("/v1/{convention}:sign"), json!({})).await.ok();
    }
    journey.settle().await;

    let path = format!("/v1/{}/caseFile", lyon.application);
    let whole = journey.get(&agency, &format!("{path}?pageSize=1000")).await.ok();
    assert_eq!(whole.get("partial"), None, "every service answered");
    let entries = whole["entries"].as_array().cloned().unwrap();
    let steps = [
        ("applications", "SUBMIT", "A01", "public"),
        ("applications", "RECORD_OPINION", "A02", "prefect"),
        ("applications", "GRANT", "A02", "agency"),
        ("matching", "INTRODUCE", "M02", "event"),
        ("matching", "SELECT", "M06", "structure"),
        ("candidates", "SELECTED", "M06", "event"),
        ("training", "OPEN", "M06", "event"),
        ("matching", "SIGN", "M07", "structure"),
        ("finance", "ENTER_INTO_FORCE", "F02", "agency"),
    ];
    let mut before = String::new();
    for (service, action, rule, role) in steps {
        let entry = entries.iter().find(|entry| entry["service"] == service && entry["action"] == action);
        let entry = entry.unwrap_or_else(|| panic!("no {action} of {service}"));
        assert_eq!((&entry["rule"], &entry["roles"]), (&json!(rule), &json!([role])), "{service} {action}");
        assert!(before <= text(entry, "at"), "{service} {action}");
        before = text(entry, "at");
        assert_eq!(text(entry, "trace").len(), 32, "{service} {action}");
    }
    let times: Vec<String> = entries.iter().map(|entry| text(entry, "at")).collect();
    assert!(times.is_sorted());
    let said = whole.to_string();
    for secret in ["Amina", "Diallo", "Camille", "Garnier", "@", "Commune de Lyon", "Comédie"] {
        assert!(!said.contains(secret), "{secret}");
    }

    let mut paged = Vec::new();
    let mut token = String::new();
    loop {
        let page = journey.get(&callers::prefect("69"), &format!("{path}?pageSize=7&pageToken={token}")).await.ok();
        paged.extend(page["entries"].as_array().cloned().unwrap());
        let Some(next) = page["nextPageToken"].as_str() else { break };
        token = next.to_owned();
    }
    assert_eq!(paged, entries, "the prefect of the department reads the same, page by page");
    assert_eq!(journey.get(&structure, &path).await.status, StatusCode::OK);

    let somebody = callers::structure("structures/str_00000000000070008000000000000000");
    for stranger in [callers::prefect("13"), somebody, callers::operator(), callers::candidate("candidates/x")] {
        assert_eq!(journey.get(&stranger, &path).await.status, StatusCode::FORBIDDEN, "{stranger:?}");
    }
    assert_eq!(journey.call(None, Method::GET, &path, None).await.status, StatusCode::UNAUTHORIZED);
    let unknown = "/v1/applications/app_00000000000070008000000000000000/caseFile";
    assert_eq!(journey.get(&agency, unknown).await.status, StatusCode::NOT_FOUND);
    let wrong = journey.get(&agency, &format!("{path}?pageToken=x")).await;
    assert_eq!(wrong.refusal().0, "INVALID_PAGE_TOKEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_file_names_the_service_that_is_away_and_comes_over_grpc_too() {
    let lyon = Lyon::with(1).await;
    let journey = &lyon.journey;
    let folder = journey.folder.path();
    let options = Options::in_folder(folder, journey.clock.clone(), Ids::random(), Drive::ByHand);
    let mut peers = journey.cluster.peers().clone();
    peers.insert("matching".into(), "http://127.0.0.1:1".into());
    let listener = lifecycle::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let config = Config { peers, ..options.config };
    let gateway = conum_gateway::start(&config, &journey.clock, listener).unwrap();
    let url = format!("http://{}", gateway.address);

    let name = format!("{}/caseFile", lyon.application);
    let half = Api::new(url.clone(), folder, &journey.clock);
    let answer = half.get(&callers::agency(), &format!("/v1/{name}")).await.ok();
    assert_eq!((&answer["partial"], &answer["unreachedServices"]), (&json!(true), &json!(["matching"])));
    let services: Vec<_> = answer["entries"].as_array().unwrap().iter().map(|entry| text(entry, "service")).collect();
    assert!(services.contains(&"applications".into()) && services.contains(&"candidates".into()));
    assert!(!services.contains(&"matching".into()));

    let keys = KeyPair::open(&folder.join("keys"), lifecycle::IDENTITY_KEY).unwrap();
    let signer = keys.signer(&journey.clock).unwrap();
    let signed = |caller: Caller| {
        let mut request = Request::new(GetCaseFileRequest { name: name.clone(), ..Default::default() });
        let token = signer.sign(&caller, conum_gateway::NAME, 3600).unwrap();
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    };
    let whole = format!("http://{}", journey.gateway.address);
    let mut client = CaseFilesServiceClient::connect(whole).await.unwrap();
    let file = client.get_case_file(signed(callers::prefect("69"))).await.unwrap().into_inner();
    assert!(!file.partial && file.entries.iter().any(|entry| entry.service == "matching"));
    let refused = client.get_case_file(signed(callers::operator())).await.unwrap_err();
    assert_eq!(
        (refused.code(), status::reason(&refused).as_deref()),
        (Code::PermissionDenied, Some("ROLE_NOT_ALLOWED"))
    );
}
