//! Bad input through the gateway: each gets its status, its field and its rule; nothing is written; the server stays up.

use bytes::Bytes;
use conum_testkit::callers;
use conum_tests::journey::{Journey, application, candidate, day};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const SIRET: &str = "21690123100011";

fn changed(mut base: Value, pointer: &str, value: Value) -> Value {
    *base.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    base
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_refused_with_its_field_and_its_rule() {
    let journey = Journey::start().await;
    let base = || application(SIRET, "camille@lyon.example", 1);
    let with = |pointer: &str, value: Value| changed(base(), pointer, value);
    let mut volunteer = base();
    volunteer["lineManager"]["volunteer"] = json!(true);
    let mut counted = base();
    counted["posts"][0]["countsForFranceServices"] = json!(true);
    let cases = [
        (with("/profile/registrationNumber", json!("21690123100012")), "application.profile.registration_number", ""),
        (with("/profile/commune", json!("99999")), "application.profile.commune", ""),
        (with("/contact/email", json!("no address")), "application.contact.email", ""),
        (with("/profile/legalName", json!("x".repeat(201))), "application.profile.legal_name", ""),
        (with("/profile/legalName", json!("Lyon\u{0}")), "application.profile.legal_name", ""),
        (with("/commitments", json!(["COMMITMENT_FULL_TIME"])), "application.commitments", "A13"),
        (with("/missions", json!(["MISSION_GAMES"])), "application.missions", "A15"),
        (with("/posts/0/wishedStartDate", day("2021-02-30")), "application.posts[0].wished_start_date", ""),
        (volunteer, "application.line_manager.volunteer", "A14"),
        (counted, "application.posts[0].counts_for_france_services", "A08"),
    ];
    for (body, field, rule) in cases {
        let answer = journey.post_openly("/v1/applications", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field}: {}", answer.text);
        assert!(answer.fields().iter().any(|named| named.starts_with(field)), "{field}: {}", answer.text);
        assert!(rule.is_empty() || answer.text.contains(rule), "{field}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.json()["message_fr"].is_string());
    }
    let list = journey.get(&callers::agency(), "/v1/applications").await.ok();
    assert!(list.get("applications").is_none(), "nothing is half-written: {list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_refused_with_its_field_and_its_rule() {
    let journey = Journey::start().await;
    let with = |pointer: &str, value: Value| changed(candidate("a"), pointer, value);
    let cases = [
        (with("/birthDate", day("2021-05-17")), "candidate.birth_date", ""),
        (with("/birthDate", day("2004-12-02")), "candidate.birth_date", "C01"),
        (with("/birthDate", day("1955-12-01")), "candidate.birth_date", "C01"),
        (with("/situation/status", json!("STATUS_RETIRED")), "candidate.situation", "C02"),
        (with("/availableFrom", Value::Null), "candidate.available_from", "C03"),
        (with("/reach/maxKm", json!(7)), "candidate.reach.max_km", "C04"),
        (with("/commune", json!("00000")), "candidate.commune", ""),
        (with("/email", json!("a@b")), "candidate.email", ""),
    ];
    for (body, field, rule) in cases {
        let answer = journey.post_openly("/v1/candidates", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{field}: {}", answer.text);
        assert!(answer.fields().iter().any(|named| named.starts_with(field)), "{field}: {}", answer.text);
        assert!(rule.is_empty() || answer.text.contains(rule), "{field}: {}", answer.text);
    }
    let vanished = journey.post_openly("/v1/candidates", with("/commune", json!("69152"))).await.ok();
    assert_eq!(vanished["commune"], "69149", "a vanished commune is mapped");
    let double = journey.post_openly("/v1/candidates", candidate("a")).await;
    assert_eq!(double.status, StatusCode::CONFLICT);
    assert_eq!(double.refusal().1, "C08");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_of_ours_is_told_so() {
    let journey = Journey::start().await;
    let agency = callers::agency();
    let mut unknown = candidate("a");
    unknown["favouriteColour"] = json!("blue");
    let answer = journey.post_openly("/v1/candidates", unknown).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    let answer = journey.get(&agency, "/v1/nothing").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let answer = journey.call(Some(&agency), Method::DELETE, "/v1/applications", None).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    let answer = journey.get(&agency, "/v1/applications?pageToken=AAAA").await;
    assert_eq!(answer.refusal().0, "INVALID_PAGE_TOKEN");
    let answer = journey.get(&agency, "/v1/applications/not-an-id").await;
    assert_eq!(answer.refusal().0, "INVALID_NAME");

    let huge = Bytes::from(vec![b' '; 10 << 20]);
    let answer = journey.send(None, Method::POST, "/v1/candidates", "application/json", huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let deep = Bytes::from("[".repeat(100_000));
    let answer = journey.send(None, Method::POST, "/v1/candidates", "application/json", deep).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(journey.call(None, Method::GET, "/healthz", None).await.status, StatusCode::OK);
    assert_eq!(journey.call(None, Method::GET, "/readyz", None).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_list_a_stale_etag_and_a_reused_request_id_are_refused() {
    let journey = Journey::start().await;
    let agency = callers::agency();
    for letter in ["a", "b"] {
        journey.post_openly("/v1/candidates", candidate(letter)).await.ok();
    }
    let page = journey.get(&agency, "/v1/candidates?pageSize=1").await.ok();
    let token = page["nextPageToken"].as_str().unwrap();
    let other = journey.get(&agency, &format!("/v1/candidates?pageSize=1&department=01&pageToken={token}")).await;
    assert_eq!(other.refusal().0, "INVALID_PAGE_TOKEN");

    let name = page["candidates"][0]["name"].as_str().unwrap().to_owned();
    let stale = json!({ "etag": "999", "phone": "0102030405" });
    let answer = journey.call(Some(&agency), Method::PATCH, &format!("/v1/{name}?updateMask=phone"), Some(stale)).await;
    assert_eq!((answer.status, answer.refusal().0), (StatusCode::CONFLICT, "STALE_ETAG".into()));

    let id = "7b0e3f4e-0000-4000-8000-000000000001";
    let path = format!("/v1/candidates?requestId={id}");
    let first = journey.post_openly(&path, candidate("c")).await.ok();
    assert_eq!(journey.post_openly(&path, candidate("c")).await.ok(), first, "the same answer");
    assert_eq!(journey.post_openly(&path, candidate("d")).await.refusal().0, "REQUEST_ID_REUSED");
    let bad = journey.post_openly("/v1/candidates?requestId=x", candidate("e")).await;
    assert_eq!(bad.refusal().0, "INVALID_REQUEST_ID");
}
