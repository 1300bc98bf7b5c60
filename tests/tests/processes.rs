//! A journey through separate processes, during which each is killed (SIGKILL) in turn: every acknowledged write is found,
//! and every effect exactly once.

use std::time::{Duration, Instant};

use conum_service::Caller;
use conum_testkit::callers;
use conum_tests::{
    journey::{Answer, Api, application, candidate},
    processes::{PATIENCE, Processes, SERVICES, confirmation, persist, until},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

fn id(number: u32) -> String {
    format!("9d3c1f00-0000-4000-8000-{number:012}")
}

fn count(value: &Value, list: &str) -> usize {
    value[list].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_process_is_killed_during_a_journey_and_every_effect_is_there_once() {
    let mut processes = Processes::start(&[]);
    let api = processes.api().await;
    let agency = callers::agency();
    let outcome = journey(&mut processes, &api, &agency).await;
    assert!(outcome.is_ok(), "{outcome:?}\n{}", processes.logs());
}

async fn journey(processes: &mut Processes, api: &Api, agency: &Caller) -> Result<(), String> {
    let ok = |answer: Answer| if answer.status == StatusCode::OK { Ok(answer.json()) } else { Err(answer.text) };
    // The desk of 2021 is closed: the agency opens it again.
    let policy = json!({ "value": "2099-12-31", "why": "A new season", "requestId": id(1) });
    let path = "/v1/services/applications/policies/closing-date:set";
    ok(persist(api, Some(agency), Method::POST, path, policy).await)?;

    for (number, letter) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        if number == 2 {
            processes.kill("candidates");
        }
        if number == 4 {
            processes.kill("gateway");
        }
        let path = format!("/v1/candidates?requestId={}", id(10 + u32::try_from(number).unwrap()));
        ok(persist(api, None, Method::POST, &path, candidate(letter)).await)?;
    }
    let path = format!("/v1/applications?requestId={}", id(20));
    let form = application("21690123100011", "camille@lyon.example", 1);
    let created = ok(persist(api, None, Method::POST, &path, form).await)?;
    processes.kill("applications");
    let application = created["name"].as_str().unwrap().to_owned();
    let structure = callers::structure(created["structure"].as_str().unwrap());

    let token = confirmation(api).await?;
    let confirm = json!({ "token": token, "requestId": id(21) });
    ok(persist(api, None, Method::POST, &format!("/v1/{application}:confirmAddress"), confirm).await)?;
    let opinion = json!({ "favourable": true, "requestId": id(22) });
    let path = format!("/v1/{application}:recordOpinion");
    ok(persist(api, Some(&callers::prefect("69")), Method::POST, &path, opinion).await)?;
    let path = format!("/v1/waves?requestId={}", id(23));
    let wave = json!({ "committeeDate": { "year": 2026, "month": 1, "day": 5 } });
    let wave = ok(persist(api, Some(agency), Method::POST, &path, wave).await)?["name"].as_str().unwrap().to_owned();
    let grant = json!({ "wave": wave, "requestId": id(24) });
    ok(persist(api, Some(agency), Method::POST, &format!("/v1/{application}:grantPosts"), grant).await)?;
    let activate = json!({ "requestId": id(25) });
    ok(persist(api, Some(agency), Method::POST, &format!("/v1/{wave}:activate"), activate).await)?;
    processes.kill("applications");

    let live = "/v1/introductions?liveOnly=true";
    let introduced =
        until(api, &structure, live, "three introductions", |seen| count(seen, "introductions") == 3).await;
    let first = introduced["introductions"][0]["name"].as_str().unwrap().to_owned();
    let decline = json!({ "requestId": id(26) });
    ok(persist(api, Some(&structure), Method::POST, &format!("/v1/{first}:decline"), decline.clone()).await)?;
    processes.kill("matching");
    ok(persist(api, Some(&structure), Method::POST, &format!("/v1/{first}:decline"), decline).await)?;
    processes.kill("candidates");

    let all =
        until(api, &structure, "/v1/introductions", "four introductions", |seen| count(seen, "introductions") >= 4)
            .await;
    assert_eq!(count(&all, "introductions"), 4, "{all}");
    let people = ok(persist(api, Some(agency), Method::GET, "/v1/candidates", Value::Null).await)?;
    assert_eq!(count(&people, "candidates"), 5, "{people}");
    for service in SERVICES {
        let path = format!("/v1/services/{service}/eventLag");
        let quiet = |seen: &Value| {
            ["pending", "parked", "deadLetters", "mailsPending"].iter().all(|key| seen.get(key).is_none())
        };
        until(api, agency, &path, &format!("{service} quiet"), quiet).await;
    }
    let began = Instant::now();
    let letters = || api.letters().iter().filter(|letter| letter.contains("/introductions/")).count();
    while letters() < 4 && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(letters(), 4, "one mail an introduction");
    Ok(())
}
