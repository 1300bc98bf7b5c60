//! A structure of Lyon that journeys begin with.

use conum_testkit::callers;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::journey::{Journey, application, candidate, day};

const SIRET: &str = "21690123100011";

/// A structure of Lyon whose application was granted in an activated wave, with people next door.
#[derive(Debug)]
pub struct Lyon {
    pub journey: Journey,
    pub application: String,
    pub structure: String,
    pub wave: String,
    pub post: String,
}

impl Lyon {
    /// With so many candidates next door.
    pub async fn with(people: usize) -> Self {
        let journey = Journey::start().await;
        for number in 0..people {
            let letter = char::from(b'a' + u8::try_from(number).expect("a small number")).to_string();
            journey.post_openly("/v1/candidates", candidate(&letter)).await.ok();
        }
        let created = journey.post_openly("/v1/applications", application(SIRET, "camille@lyon.example", 1)).await.ok();
        let (application, structure) = (text(&created, "name"), text(&created, "structure"));
        journey.settle().await;
        let link = journey.link("/confirm/").expect("a mail with the link that confirms");
        let (path, token) = link.split_once("?t=").expect("a token");
        let page = journey.call(None, Method::GET, &link, None).await;
        assert!(page.text.contains("Confirmer l'adresse"), "{}", page.text);
        assert_eq!(journey.submit(path, &[("t", token)]).await.status, StatusCode::OK);
        let opinion = json!({ "favourable": true, "comment": "Cohérent" });
        journey.post(&callers::prefect("69"), &format!("/v1/{application}:recordOpinion"), opinion).await.ok();
        let wave = json!({ "committeeDate": day("2020-12-01") });
        let wave = text(&journey.post(&callers::agency(), "/v1/waves", wave).await.ok(), "name");
        let grant = json!({ "wave": wave });
        let granted = journey.post(&callers::agency(), &format!("/v1/{application}:grantPosts"), grant).await.ok();
        let post = text(&granted["posts"][0], "name");
        journey.settle().await;
        journey.post(&callers::agency(), &format!("/v1/{wave}:activate"), json!({})).await.ok();
        journey.settle().await;
        Self { journey, application, structure, wave, post }
    }

    /// The live introductions, as the structure sees them.
    pub async fn live(&self) -> Vec<Value> {
        let caller = callers::structure(&self.structure);
        let answer = self.journey.get(&caller, "/v1/introductions?liveOnly=true").await.ok();
        answer["introductions"].as_array().cloned().unwrap_or_default()
    }
}

/// A text of an answer.
#[track_caller]
pub fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}
