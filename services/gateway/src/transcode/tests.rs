use std::sync::LazyLock;

use conum_proto::applications::v1 as applications;
use http::{HeaderValue, Method};
use http_body_util::{Full, StreamBody};
use proptest::prelude::*;
use prost_reflect::ReflectMessage as _;
use serde_json::json;

use super::*;
use crate::{orchard, routes::Routes};

fn conum() -> &'static Routes {
    static ROUTES: LazyLock<Routes> = LazyLock::new(|| Routes::build(&orchard::conum()).unwrap());
    &ROUTES
}

fn orchard() -> &'static Routes {
    static ROUTES: LazyLock<Routes> = LazyLock::new(|| Routes::build(&orchard::pool()).unwrap());
    &ROUTES
}

fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

/// The request message of `METHOD /path?query` with a JSON body.
fn read(routes: &Routes, request: &str, body: &str) -> Result<DynamicMessage, Refusal> {
    let (method, uri) = request.split_once(' ').unwrap();
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    let found = routes.find(&Method::from_bytes(method.as_bytes()).unwrap(), path).unwrap();
    read_request(&found, query, &json_headers(), body.as_bytes())
}

/// The JSON of a request message.
fn accepted(routes: &Routes, request: &str, body: &str) -> Value {
    let message = read(routes, request, body).unwrap_or_else(|refusal| panic!("{request}: {refusal:?}"));
    let bytes = message.encode_to_vec();
    to_json(&DynamicMessage::decode(message.descriptor(), bytes.as_slice()).unwrap()).unwrap()
}

/// The wrong fields of a request, each with its reason.
fn faults(routes: &Routes, request: &str, body: &str) -> Vec<(String, &'static str)> {
    match read(routes, request, body) {
        Err(Refusal::Invalid(faults)) => faults.into_iter().map(|fault| (fault.field, fault.kind.reason())).collect(),
        other => panic!("{request}: {other:?}"),
    }
}

fn fault(routes: &Routes, request: &str, body: &str) -> (String, &'static str) {
    let mut faults = faults(routes, request, body);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

fn wrong(field: &str, reason: &'static str) -> (String, &'static str) {
    (field.to_owned(), reason)
}

const CREATE: &str = "POST /v1/applications";
const PLANT: &str = "PUT /v1/orchards/1/trees/2";

#[test]
fn a_body_field_and_the_query_make_one_message() {
    let body = json!({
        "profile": {"registrationNumber": "12345678901234", "kind": "STRUCTURE_KIND_ASSOCIATION"},
        "lineManager": {"function": "Responsable"},
        "posts": [{"wishedStartDate": {"year": 2026, "month": 3, "day": 2}}],
        "missions": ["MISSION_DIGITAL_AUTONOMY", 2],
    });
    let request = format!("{CREATE}?requestId=r-1&validate_only=true");
    let message = read(conum(), &request, &body.to_string()).unwrap();
    let message = message.transcode_to::<applications::CreateApplicationRequest>().unwrap();
    assert_eq!(message.request_id, "r-1");
    assert!(message.validate_only);
    let application = message.application.unwrap();
    assert_eq!(application.line_manager.unwrap().function, "Responsable");
    assert_eq!(application.missions, [1, 2]);
    let date = application.posts[0].wished_start_date.unwrap();
    assert_eq!((date.year, date.month, date.day), (2026, 3, 2));
}

#[test]
fn names_of_the_contract_are_read_as_well_as_names_of_json() {
    let body = json!({"line_manager": {"function": "x"}, "inFrequentedPlaces": true}).to_string();
    let expected = json!({"application": {"lineManager": {"function": "x"}, "inFrequentedPlaces": true}});
    assert_eq!(accepted(conum(), CREATE, &body), expected);
}

#[test]
fn the_path_fills_its_field_and_a_whole_body_the_others() {
    let expected = json!({"name": "applications/7", "reason": "no"});
    let request = "POST /v1/applications/7:withdraw";
    assert_eq!(accepted(conum(), request, r#"{"reason": "no"}"#), expected);
    assert_eq!(accepted(conum(), request, r#"{"reason": "no", "name": "applications/7"}"#), expected);
    assert_eq!(accepted(conum(), request, ""), json!({"name": "applications/7"}));
    assert_eq!(accepted(conum(), request, "{}"), json!({"name": "applications/7"}));
}

#[test]
fn a_patch_without_a_mask_leaves_it_unset() {
    let request = "PATCH /v1/applications/7";
    let body = r#"{"candidateFound": true}"#;
    let expected = json!({"application": {"name": "applications/7", "candidateFound": true}});
    assert_eq!(accepted(conum(), request, body), expected);
    let mask = format!("{request}?updateMask=lineManager,profile.legalName");
    assert_eq!(accepted(conum(), &mask, body)["updateMask"], "lineManager,profile.legalName");
    let message = read(conum(), &mask, body).unwrap();
    let message = message.transcode_to::<applications::UpdateApplicationRequest>().unwrap();
    assert_eq!(message.update_mask.unwrap().paths, ["line_manager", "profile.legal_name"]);
    assert_eq!(fault(conum(), &format!("{request}?updateMask=line_manager"), body), wrong("update_mask", "WRONG_TYPE"));
}

#[test]
fn a_path_and_a_body_that_differ_are_refused() {
    for (request, body, field) in [
        ("PATCH /v1/applications/7", r#"{"name": "applications/8"}"#, "application.name"),
        ("POST /v1/applications/7:withdraw", r#"{"name": "applications/8"}"#, "name"),
    ] {
        assert_eq!(fault(conum(), request, body), wrong(field, "PATH_AND_BODY_DIFFER"));
    }
}

#[test]
fn query_parameters_take_every_form() {
    let query = "labels=a&labels=b+c&species=SPECIES_APPLE&species=2&like.name=x&like.species=1";
    let rest = "&since=2026-03-02T09%3A00%3A00Z&within=3.5s&grafted=true&weight=12&height=1.5&seed=7";
    assert_eq!(
        accepted(orchard(), &format!("GET /v1/trees:search?{query}{rest}&&"), ""),
        json!({
            "labels": ["a", "b c"],
            "species": ["SPECIES_APPLE", "SPECIES_PEAR"],
            "like": {"name": "x", "species": "SPECIES_APPLE"},
            "since": "2026-03-02T09:00:00Z",
            "within": "3.500s",
            "grafted": true,
            "weight": "12",
            "height": 1.5,
            "seed": "7",
        })
    );
    assert_eq!(
        accepted(conum(), "GET /v1/grantTotals?committeeDate.year=2026&committee_date.month=3", ""),
        json!({"committeeDate": {"year": 2026, "month": 3}})
    );
}

#[test]
fn a_wrong_query_parameter_is_named() {
    let (conum, orchard) = (conum(), orchard());
    let list = "GET /v1/applications";
    for (query, field, reason) in [
        ("nothing=1", "nothing", "UNKNOWN_PARAMETER"),
        ("state.x=1", "state.x", "UNKNOWN_PARAMETER"),
        ("pageSize=many", "page_size", "WRONG_TYPE"),
        ("pageSize=", "page_size", "WRONG_TYPE"),
        ("pageSize=4294967296", "page_size", "WRONG_TYPE"),
        ("pageSize=1&page_size=2", "page_size", "GIVEN_TWICE"),
        ("state=STATE_NOTHING", "state", "UNKNOWN_ENUM_VALUE"),
        ("state=99", "state", "UNKNOWN_ENUM_VALUE"),
        ("jean%40example.org=1", "?", "UNKNOWN_PARAMETER"),
    ] {
        assert_eq!(fault(conum, &format!("{list}?{query}"), ""), wrong(field, reason), "{query}");
    }
    let search = "GET /v1/trees:search";
    for (query, field, reason) in [
        ("like=x", "like", "NOT_IN_QUERY"),
        ("tags.a=x", "tags.a", "UNKNOWN_PARAMETER"),
        ("tags=x", "tags", "NOT_IN_QUERY"),
        ("filter=x", "filter", "NOT_IN_QUERY"),
        ("since=today", "since", "WRONG_TYPE"),
        ("within=3", "within", "WRONG_TYPE"),
        ("grafted=yes", "grafted", "WRONG_TYPE"),
        ("weight=1.5", "weight", "WRONG_TYPE"),
        ("height=high", "height", "WRONG_TYPE"),
        ("seed=-1", "seed", "WRONG_TYPE"),
        ("species=SPECIES_APPLE&species=x", "species[1]", "UNKNOWN_ENUM_VALUE"),
        ("like.field=a&like.plot=1", "like.plot", "ONE_OF"),
    ] {
        assert_eq!(fault(orchard, &format!("{search}?{query}"), ""), wrong(field, reason), "{query}");
    }
    assert_eq!(read(conum, &format!("{list}?a=%FF"), ""), Err(Refusal::MalformedQuery));
}

#[test]
fn the_query_gives_nothing_that_the_path_or_the_body_gives() {
    let routes = conum();
    assert_eq!(fault(routes, "GET /v1/applications/7?name=x", ""), wrong("name", "GIVEN_BY_PATH"));
    assert_eq!(fault(routes, &format!("{CREATE}?application.name=x"), "{}"), wrong("application.name", "NOT_IN_QUERY"));
    assert_eq!(fault(routes, "POST /v1/applications/7:withdraw?reason=x", "{}"), wrong("reason", "NOT_IN_QUERY"));
}

#[test]
fn every_wrong_field_of_a_body_is_named() {
    let body = json!({
        "profile": {"kind": "STRUCTURE_KIND_CIRCUS", "legalName": 3, "circus": true},
        "posts": [{"wishedStartDate": {"year": "soon"}}, null, {"coordinator": "yes"}],
        "missions": "MISSION_GAMES",
        "contact": [],
        "submittedAt": "yesterday",
        "candidateFound": 1,
        "jean@example.org": 1,
    });
    let mut found = faults(conum(), CREATE, &body.to_string());
    found.sort_unstable();
    assert_eq!(
        found,
        [
            wrong("application.?", "UNKNOWN_FIELD"),
            wrong("application.candidate_found", "WRONG_TYPE"),
            wrong("application.contact", "WRONG_TYPE"),
            wrong("application.missions", "WRONG_TYPE"),
            wrong("application.posts[0].wished_start_date.year", "WRONG_TYPE"),
            wrong("application.posts[1]", "WRONG_TYPE"),
            wrong("application.posts[2].coordinator", "WRONG_TYPE"),
            wrong("application.profile.circus", "UNKNOWN_FIELD"),
            wrong("application.profile.kind", "UNKNOWN_ENUM_VALUE"),
            wrong("application.profile.legal_name", "WRONG_TYPE"),
            wrong("application.submitted_at", "WRONG_TYPE"),
        ]
    );
}

#[test]
fn a_field_given_twice_is_refused() {
    for body in [r#"{"etag": "a", "etag": "b"}"#, r#"{"lineManager": {}, "line_manager": {}}"#] {
        assert_eq!(fault(conum(), CREATE, body).1, "GIVEN_TWICE", "{body}");
    }
    assert_eq!(fault(orchard(), PLANT, r#"{"field": "a", "plot": 1}"#), wrong("tree.plot", "ONE_OF"));
    assert_eq!(fault(orchard(), PLANT, r#"{"harvests": {"a": 1, "a": 2}}"#), wrong("tree.harvests[*]", "GIVEN_TWICE"));
}

#[test]
fn no_fault_tells_what_was_sent() {
    let secret = "jean.dupont@example.org";
    let body = json!({
        "profile": {"kind": secret, "location": {"latitude": secret}, secret: 1},
        "contact": secret,
        "submittedAt": secret,
        "posts": [secret],
    });
    let refusal = read(conum(), &format!("{CREATE}?requestId={secret}&validateOnly={secret}"), &body.to_string());
    let Err(Refusal::Invalid(faults)) = refusal else { panic!("{refusal:?}") };
    assert_eq!(faults.len(), 7);
    for fault in faults {
        let told = format!("{} {} {}", fault.field, fault.kind.english(), fault.kind.french());
        assert!(!told.contains("jean") && !told.contains("dupont"), "{told}");
    }
}

#[test]
fn only_the_first_faults_are_told() {
    let items = vec!["x"; 100_000];
    let body = json!({"harvests": {}, "seasons": items});
    assert_eq!(faults(orchard(), PLANT, &body.to_string()).len(), 20);
    let keys: Vec<_> = (0..1000).map(|key| format!("\"k{key}\": 1")).collect();
    assert_eq!(faults(orchard(), PLANT, &format!("{{{}}}", keys.join(","))).len(), 20);
}

#[test]
fn a_body_of_the_wrong_shape_is_refused() {
    for body in ["[]", "3", "\"x\"", "null", "[{}]"] {
        assert_eq!(fault(conum(), "POST /v1/applications/7:withdraw", body), wrong("", "WRONG_TYPE"), "{body}");
    }
    assert_eq!(fault(conum(), CREATE, "[]"), wrong("application", "WRONG_TYPE"));
    assert!(matches!(read(conum(), CREATE, "{"), Err(Refusal::MalformedJson { .. })));
    let deep = format!("{}{}", "{\"corrections\":[{\"proposed\":".repeat(5000), "}]}".repeat(5000));
    assert_eq!(read(conum(), CREATE, &deep), Err(Refusal::TooDeep));
}

#[test]
fn a_nested_message_at_the_limit_goes_through() {
    let levels = 20;
    let body = format!("{}{{}}{}", "{\"corrections\":[{\"proposed\":".repeat(levels), "}]}".repeat(levels));
    let message = read(conum(), CREATE, &body).unwrap();
    let bytes = message.encode_to_vec();
    let request = <applications::CreateApplicationRequest as prost::Message>::decode(bytes.as_slice()).unwrap();
    assert_eq!(request.application.unwrap().corrections.len(), 1);
}

#[test]
fn a_body_needs_a_place_and_a_type() {
    let routes = conum();
    assert_eq!(fault(routes, "GET /v1/applications", "{}"), wrong("", "NO_BODY_EXPECTED"));
    let found = routes.find(&Method::POST, "/v1/applications").unwrap();
    for (media_type, accepted) in [
        ("application/json", true),
        ("Application/JSON; Charset=\"UTF-8\"", true),
        ("application/json;charset=iso-8859-1", false),
        ("text/json", false),
        ("application/x-www-form-urlencoded", false),
    ] {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        let refused = read_request(&found, None, &headers, b"{}") == Err(Refusal::UnsupportedMediaType);
        assert_eq!(refused, !accepted, "{media_type}");
    }
    assert_eq!(read_request(&found, None, &HeaderMap::new(), b"{}"), Err(Refusal::UnsupportedMediaType));
    assert!(read_request(&found, None, &HeaderMap::new(), b"").is_ok());
}

#[test]
fn null_leaves_a_field_unset() {
    let body = r#"{"species": null, "harvests": null, "children": null, "age": null, "nickname": null, "mood": null}"#;
    let message = read(orchard(), PLANT, body).unwrap();
    let tree = message.get_field_by_name("tree").unwrap().into_owned();
    let tree = tree.as_message().unwrap();
    assert!(tree.has_field_by_name("mood"), "null is a value of google.protobuf.Value");
    for field in ["species", "harvests", "children", "age", "nickname"] {
        assert!(!tree.has_field_by_name(field), "{field}");
    }
}

#[test]
fn what_the_contracts_do_not_use_goes_through_too() {
    let body = json!({
        "species": "SPECIES_PEAR",
        "harvests": {"2025": 12},
        "bark": "3q2-7w==",
        "plot": 7,
        "age": 0,
        "children": [{"girth": "Infinity"}],
        "notes": {"any": [1, {"thing": null}]},
        "extra": {"@type": "type.googleapis.com/orchard.v1.Tree", "rings": 3},
        "girth": 1.5,
        "rings": 3.0,
        "nickname": "",
        "mood": 4,
        "dormant": "3s",
        "seasons": [true, false],
    });
    let tree = accepted(orchard(), &format!("{PLANT}?validateOnly=true"), &body.to_string());
    let mut expected = body.clone();
    expected["name"] = "orchards/1/trees/2".into();
    expected["bark"] = "3q2+7w==".into();
    expected["plot"] = "7".into();
    expected["rings"] = 3.into();
    expected["mood"] = 4.0.into();
    expected["notes"] = json!({"any": [1.0, {"thing": null}]});
    assert_eq!(tree, json!({"tree": expected, "validateOnly": true}));
}

#[test]
fn wrong_values_of_every_kind_are_named() {
    let routes = orchard();
    for (body, field) in [
        (json!({"bark": "é"}), "bark"),
        (json!({"bark": 1}), "bark"),
        (json!({"plot": "x"}), "plot"),
        (json!({"plot": 1e30}), "plot"),
        (json!({"girth": 1e39}), "girth"),
        (json!({"girth": true}), "girth"),
        (json!({"rings": -1}), "rings"),
        (json!({"rings": 1.5}), "rings"),
        (json!({"species": true}), "species"),
        (json!({"species": 1.5}), "species"),
        (json!({"harvests": []}), "harvests"),
        (json!({"harvests": {"a": "b"}}), "harvests[*]"),
        (json!({"nickname": 1}), "nickname"),
        (json!({"dormant": "3"}), "dormant"),
        (json!({"notes": []}), "notes"),
        (json!({"extra": {"@type": "type.googleapis.com/no.Such"}}), "extra"),
        (json!({"children": [{"children": [{"age": {}}]}]}), "children[0].children[0].age"),
        (json!({"seasons": [null]}), "seasons[0]"),
    ] {
        let (found, reason) = fault(routes, PLANT, &body.to_string());
        assert_eq!(found, format!("tree.{field}"), "{body}");
        assert!(["WRONG_TYPE", "UNKNOWN_ENUM_VALUE"].contains(&reason), "{body}: {reason}");
    }
}

#[test]
fn a_path_gives_numbers_too() {
    let routes = orchard();
    assert_eq!(accepted(routes, "POST /v1/trees/4:shake", ""), json!({"age": 4}));
    assert_eq!(fault(routes, "POST /v1/trees/old:shake", ""), wrong("age", "WRONG_TYPE"));
}

/// The answer of a route to an encoded message.
fn answer(routes: &Routes, method: &Method, path: &str, message: Vec<u8>) -> Result<Value, Status> {
    let binding = routes.find(method, path).unwrap().binding;
    decode_response(binding, message.into()).map(|json| serde_json::from_slice(&json).unwrap())
}

#[test]
fn an_answer_is_proto3_json() {
    let policy = conum_proto::operations::v1::EventLag {
        name: "services/matching/eventLag".into(),
        published: 1 << 60,
        pending: 0,
        ..Default::default()
    };
    assert_eq!(
        answer(conum(), &Method::GET, "/v1/services/matching/eventLag", policy.encode_to_vec()).unwrap(),
        json!({"name": "services/matching/eventLag", "published": "1152921504606846976"})
    );
    let application = applications::Application {
        state: applications::application::State::Granted.into(),
        line_manager: Some(applications::LineManager::default()),
        submitted_at: Some(prost_types::Timestamp { seconds: 1_772_442_000, nanos: 0 }),
        ..Default::default()
    };
    assert_eq!(
        answer(conum(), &Method::GET, "/v1/applications/7", application.encode_to_vec()).unwrap(),
        json!({"state": "STATE_GRANTED", "lineManager": {}, "submittedAt": "2026-03-02T09:00:00Z"})
    );
}

#[test]
fn one_field_can_be_the_whole_answer() {
    let search = |message| answer(orchard(), &Method::GET, "/v1/trees:search", message).unwrap();
    assert_eq!(search(vec![]), json!([]));
    assert_eq!(search(vec![0x0A, 0x03, 0x0A, 0x01, b'x']), json!([{"name": "x"}]));
    let felled = answer(orchard(), &Method::DELETE, "/v1/orchards/1/trees/2", vec![]).unwrap();
    assert_eq!(felled, json!({}));
}

#[test]
fn an_answer_that_does_not_fit_is_a_fault_of_ours() {
    let status = answer(conum(), &Method::GET, "/v1/applications/7", vec![0xFF]).unwrap_err();
    assert_eq!(status.code(), tonic::Code::Internal);
    let timeless = applications::Application {
        submitted_at: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
        ..Default::default()
    };
    let status = answer(conum(), &Method::GET, "/v1/applications/7", timeless.encode_to_vec()).unwrap_err();
    assert_eq!(status.code(), tonic::Code::Internal);
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit() {
    let body = |size| Full::new(Bytes::from(vec![b'x'; size]));
    assert_eq!(read_body(body(MAX_BODY)).await.unwrap().len(), MAX_BODY);
    assert_eq!(read_body(body(MAX_BODY + 1)).await.unwrap_err(), Refusal::BodyTooLarge);
}

#[tokio::test]
async fn a_body_that_does_not_end_is_not_read_to_its_end() {
    let mut sent = 0;
    let endless = futures::stream::iter(std::iter::from_fn(|| {
        sent += 1;
        Some(Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from(vec![b' '; 1 << 16]))))
    }));
    assert_eq!(read_body(StreamBody::new(endless)).await.unwrap_err(), Refusal::BodyTooLarge);
    // What is kept, then what is let pass so that the sender learns why; then no more.
    assert_eq!(sent, (MAX_BODY >> 16) + 1 + (super::PASSED >> 16) + 1);
    let broken = futures::stream::iter([Err::<http_body::Frame<Bytes>, _>(std::io::Error::other("gone"))]);
    assert_eq!(read_body(StreamBody::new(broken)).await.unwrap_err(), Refusal::BodyBrokeOff);
}

/// The names of the fields of a tree, and one that it does not have.
const FIELDS: [&str; 17] = [
    "name", "species", "harvests", "bark", "field", "plot", "age", "children", "notes", "extra", "girth", "rings",
    "nickname", "mood", "dormant", "seasons", "nothing",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-3..3_i32).prop_map(|number| Value::from(f64::from(number))),
        prop::sample::select(vec![
            "",
            "1",
            "-0",
            "+1",
            "1.0",
            "NaN",
            "inf",
            "1e99",
            "SPECIES_PEAR",
            "3s",
            "-_",
            "=",
            "a.B"
        ])
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(prop::sample::select(&FIELDS[..]), inner.clone(), 0..6)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            prop::collection::hash_map(any::<String>(), inner, 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    /// Whatever `prost-reflect` refuses was refused before, with the name of its field; and what it accepts encodes.
    #[test]
    fn every_refusal_names_a_field(body in any_json()) {
        match read(orchard(), PLANT, &body.to_string()) {
            Ok(message) => prop_assert!(DynamicMessage::decode(message.descriptor(), &*message.encode_to_vec()).is_ok()),
            Err(Refusal::Invalid(faults)) => prop_assert!(faults.iter().all(|fault| fault.field.starts_with("tree"))),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }
}
