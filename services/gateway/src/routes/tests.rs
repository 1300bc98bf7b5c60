use conum_proto::google::api::{CustomHttpPattern, HttpRule, http_rule::Pattern};

use super::*;
use crate::orchard;

fn conum() -> Routes {
    Routes::build(&orchard::conum()).unwrap()
}

fn orchard() -> Routes {
    Routes::build(&orchard::pool()).unwrap()
}

/// The method that a request leads to, and what its path says.
fn found(routes: &Routes, method: &Method, path: &str) -> (String, Vec<(String, String)>) {
    let found = routes.find(method, path).unwrap();
    let captures = found
        .captures
        .iter()
        .map(|capture| {
            let names: Vec<_> = capture.fields.iter().map(FieldDescriptor::name).collect();
            (names.join("."), capture.text.clone())
        })
        .collect();
    (found.binding.method.name().to_owned(), captures)
}

fn one(method: &str, field: &str, text: &str) -> (String, Vec<(String, String)>) {
    (method.to_owned(), vec![(field.to_owned(), text.to_owned())])
}

/// A path that a template matches, its wildcards being numbered.
fn sample(template: &Template) -> String {
    let segments = template.segments.iter().enumerate().map(|(index, segment)| match segment {
        Segment::Literal(literal) => literal.clone(),
        Segment::One => format!("id-{index}"),
        Segment::Rest => "a/b".to_owned(),
    });
    let path = segments.fold(String::new(), |path, segment| format!("{path}/{segment}"));
    template.verb.iter().fold(path, |path, verb| format!("{path}:{verb}"))
}

#[test]
fn every_method_of_the_contracts_is_found_by_its_own_path() {
    let routes = conum();
    assert!(routes.bindings().len() > 50);
    for binding in routes.bindings() {
        let method = binding.http_method.clone().unwrap();
        let path = sample(&binding.template);
        let found = routes.find(&method, &path).unwrap();
        assert_eq!(found.binding.method, binding.method, "{method} {path}");
        for capture in found.captures {
            assert!(path.contains(&capture.text), "{path}: {}", capture.text);
        }
    }
}

#[test]
fn every_unary_method_that_a_person_may_call_has_a_route() {
    let pool = orchard::conum();
    let routes = Routes::build(&pool).unwrap();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let is_bound = routes.bindings().iter().any(|binding| binding.method == method);
        let is_unary = !method.is_client_streaming() && !method.is_server_streaming();
        assert_eq!(is_bound, is_unary && method.name() != "Deliver", "{}", method.full_name());
    }
}

#[test]
fn verbs_and_nested_fields_are_told_apart() {
    let routes = conum();
    assert_eq!(
        found(&routes, &Method::PATCH, "/v1/applications/7"),
        one("UpdateApplication", "application.name", "applications/7")
    );
    assert_eq!(
        found(&routes, &Method::POST, "/v1/applications/7:withdraw"),
        one("WithdrawApplication", "name", "applications/7")
    );
    assert_eq!(
        found(&routes, &Method::POST, "/v1/applications:recordPastGrant"),
        ("RecordPastGrant".to_owned(), vec![])
    );
    assert_eq!(
        found(&routes, &Method::GET, "/v1/matching/applications/7/posts/8"),
        one("GetPost", "name", "applications/7/posts/8")
    );
}

#[test]
fn a_path_that_does_not_exist_differs_from_a_method_that_it_does_not_take() {
    let routes = conum();
    for path in [
        "/v1/nothing",
        "/v1/applications/7:nothing",
        "/v1/applications/",
        "/v1/applications//versions",
        "/v1//applications",
        "/v1/applications/7/",
        "/",
        "",
        "v1/applications",
        "/v1/applications:withdraw",
        "/v1/applications/:withdraw",
    ] {
        assert_eq!(routes.find(&Method::POST, path).unwrap_err(), Miss::NotFound, "{path}");
    }
    let miss = routes.find(&Method::DELETE, "/v1/applications/7").unwrap_err();
    assert_eq!(miss.allow().unwrap(), "GET, HEAD, PATCH");
    let miss = routes.find(&Method::GET, "/v1/applications/7:withdraw").unwrap_err();
    assert_eq!(miss.allow().unwrap(), "POST");
    assert_eq!(Miss::NotFound.allow(), None);
}

#[test]
fn head_is_answered_by_get() {
    let routes = conum();
    assert_eq!(found(&routes, &Method::HEAD, "/v1/programme").0, "GetProgramme");
    let miss = routes.find(&Method::HEAD, "/v1/applications/7:withdraw").unwrap_err();
    assert_eq!(miss.allow().unwrap(), "POST");
}

#[test]
fn segments_are_decoded_and_an_encoded_slash_never_separates() {
    let (conum, orchard) = (conum(), orchard());
    assert_eq!(
        found(&conum, &Method::GET, "/v1/applications/a%2Fb%20c%3Ad"),
        one("GetApplication", "name", "applications/a%2Fb c:d")
    );
    assert_eq!(found(&conum, &Method::GET, "/v1/%61pplications/7").0, "GetApplication");
    assert_eq!(found(&orchard, &Method::GET, "/v1/trees/a%2Fb"), one("GetTree", "name", "a/b"));
    for path in ["/v1/applications/%2", "/v1/applications/%FF", "/v1/applications/7:%zz"] {
        assert_eq!(conum.find(&Method::GET, path).unwrap_err(), Miss::Malformed, "{path}");
    }
}

#[test]
fn literal_segments_come_before_wildcards_and_wildcards_before_what_is_left() {
    let routes = orchard();
    assert_eq!(found(&routes, &Method::GET, "/v1/trees/oldest").0, "GetOldestTree");
    assert_eq!(found(&routes, &Method::GET, "/v1/trees/youngest"), one("GetTree", "name", "youngest"));
    // The literal's own methods do not hide the wildcard's.
    let water = Method::from_bytes(b"WATER").unwrap();
    assert_eq!(found(&routes, &water, "/v1/trees/oldest"), one("WaterTree", "age", "oldest"));
    assert_eq!(found(&routes, &Method::GET, "/v1/orchards/1/trees/2"), one("GetTree", "name", "orchards/1/trees/2"));
}

#[test]
fn what_is_left_keeps_its_slashes() {
    let routes = orchard();
    assert_eq!(found(&routes, &Method::GET, "/v1/leaves/a/b%2Fc/d"), one("ReadLeaf", "name", "a/b%2Fc/d"));
    assert_eq!(found(&routes, &Method::GET, "/v1/leaves"), one("ReadLeaf", "name", ""));
    assert_eq!(routes.find(&Method::GET, "/v1/leaves/a//b").unwrap_err(), Miss::NotFound);
}

#[test]
fn custom_methods_and_every_method() {
    let routes = orchard();
    for method in [Method::GET, Method::POST, Method::OPTIONS] {
        assert_eq!(found(&routes, &method, "/v1/trees/4:shake"), one("ShakeTree", "age", "4"));
    }
    let miss = routes.find(&Method::POST, "/v1/trees/4").unwrap_err();
    assert_eq!(miss.allow().unwrap(), "GET, HEAD, WATER");
}

/// The fault of a rule on `UpdateApplication`.
fn fault(rule: &HttpRule) -> AnnotationFault {
    let pool = orchard::conum();
    let service = pool.get_service_by_name("conum.applications.v1.ApplicationsService").unwrap();
    let method = service.methods().find(|method| method.name() == "UpdateApplication").unwrap();
    Binding::from_rule(&method, rule).unwrap_err()
}

fn get(path: &str) -> HttpRule {
    HttpRule { pattern: Some(Pattern::Get(path.into())), ..HttpRule::default() }
}

fn post(path: &str, body: &str) -> HttpRule {
    HttpRule { pattern: Some(Pattern::Post(path.into())), body: body.into(), ..HttpRule::default() }
}

#[test]
fn a_malformed_annotation_is_an_error() {
    let custom = CustomHttpPattern { kind: "NOT A METHOD".into(), path: "/v1/x".into() };
    assert_eq!(fault(&HttpRule::default()), AnnotationFault::NoPattern);
    assert_eq!(fault(&get("v1/x")), AnnotationFault::Template(TemplateError::NoSlash));
    assert_eq!(fault(&HttpRule { body: "*".into(), ..get("/v1/x") }), AnnotationFault::BodyWithoutContent);
    assert_eq!(
        fault(&HttpRule { pattern: Some(Pattern::Custom(custom)), ..HttpRule::default() }),
        AnnotationFault::BadMethod
    );
    for variable in [
        "nothing",
        "application",
        "application.nothing",
        "application.posts",
        "application.posts.name",
        "application.name.x",
        "update_mask",
    ] {
        assert_eq!(fault(&get(&format!("/v1/{{{variable}}}"))), AnnotationFault::BadVariable(variable.into()));
    }
    assert_eq!(fault(&post("/v1/x", "nothing")), AnnotationFault::BadBody("nothing".into()));
    assert_eq!(fault(&post("/v1/{request_id}", "request_id")), AnnotationFault::BodyInPath("request_id".into()));
    assert_eq!(
        fault(&HttpRule { response_body: "nothing".into(), ..get("/v1/x") }),
        AnnotationFault::BadBody("nothing".into())
    );
    let nested = HttpRule { additional_bindings: vec![get("/v1/y")], ..get("/v1/x") };
    assert_eq!(fault(&HttpRule { additional_bindings: vec![nested], ..get("/v1/z") }), AnnotationFault::NestedBindings);
}

#[test]
fn a_streaming_method_has_no_route() {
    let pool = orchard::pool();
    let service = pool.get_service_by_name("orchard.v1.OrchardService").unwrap();
    let method = service.methods().find(|method| method.name() == "WatchTree").unwrap();
    assert_eq!(Binding::from_rule(&method, &get("/v1/x")).unwrap_err(), AnnotationFault::Streaming);
}

#[test]
fn two_methods_with_the_same_path_are_an_error() {
    let mut routes = conum();
    let first = routes.bindings.iter().find(|binding| binding.method.name() == "GetWave").unwrap().clone();
    let error = routes.add(first).unwrap_err();
    assert_eq!(error.fault, AnnotationFault::Conflict("conum.applications.v1.WavesService.GetWave".into()));
    assert_eq!(
        error.to_string(),
        "the REST binding of conum.applications.v1.WavesService.GetWave is wrong: \
         conum.applications.v1.WavesService.GetWave has the same method and path"
    );
}
