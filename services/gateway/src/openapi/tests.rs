use super::*;
use crate::orchard;

fn conum() -> Value {
    let pool = orchard::conum();
    document(&pool, &Routes::build(&pool).unwrap(), "0.1.0")
}

fn orchard() -> Value {
    let pool = orchard::pool();
    document(&pool, &Routes::build(&pool).unwrap(), "0.1.0")
}

/// Every operation, with its path.
fn operations(document: &Value) -> Vec<(&str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let items = paths.iter().flat_map(|(path, item)| item.as_object().unwrap().values().map(move |of| (path, of)));
    items.map(|(path, operation)| (path.as_str(), operation)).collect()
}

fn references<'value>(value: &'value Value, found: &mut Vec<&'value str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn parameter<'value>(operation: &'value Value, name: &str) -> &'value Value {
    let parameters = operation["parameters"].as_array().unwrap();
    parameters.iter().find(|parameter| parameter["name"] == name).unwrap_or(&Value::Null)
}

#[test]
fn every_route_is_an_operation() {
    let pool = orchard::conum();
    let routes = Routes::build(&pool).unwrap();
    let document = document(&pool, &routes, "0.1.0");
    assert_eq!(operations(&document).len(), routes.bindings().len());
    let ids: BTreeSet<_> = operations(&document).iter().map(|(_, of)| of["operationId"].to_string()).collect();
    assert_eq!(ids.len(), routes.bindings().len());
}

#[test]
fn the_document_is_the_same_every_time() {
    assert_eq!(serde_json::to_string(&conum()).unwrap(), serde_json::to_string(&conum()).unwrap());
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    for document in [conum(), orchard()] {
        let mut found = Vec::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some_and(Value::is_object), "{reference}");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            let used = found.iter().any(|reference| reference.rsplit('/').next() == Some(name));
            assert!(used, "{name}");
        }
    }
}

#[test]
fn every_path_parameter_is_declared() {
    for document in [conum(), orchard()] {
        for (path, operation) in operations(&document) {
            for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                let parameter = parameter(operation, name);
                assert_eq!((&parameter["in"], &parameter["required"]), (&json!("path"), &json!(true)), "{path}");
            }
        }
    }
}

#[test]
fn a_name_becomes_the_ids_of_its_collections() {
    let document = conum();
    for path in [
        "/v1/applications/{application}",
        "/v1/applications/{application}:withdraw",
        "/v1/applications/{application}/posts/{post}:settleStartDate",
        "/v1/services/{service}/policies/{policy}:set",
        "/v1/services/{service}/deadLetters/{deadLetter}:redrive",
        "/v1/matching/applications/{application}/posts",
        "/v1/advisers/{adviser}",
    ] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    let item = &document["paths"]["/v1/applications/{application}"];
    assert!(item.get("get").is_some() && item.get("patch").is_some());
}

#[test]
fn parameters_and_bodies_leave_out_what_the_path_gives() {
    let document = conum();
    let withdraw = &document["paths"]["/v1/applications/{application}:withdraw"]["post"];
    assert_eq!(withdraw["parameters"].as_array().unwrap().len(), 1);
    let body = &withdraw["requestBody"]["content"][JSON]["schema"];
    assert_eq!(body["additionalProperties"], false);
    let fields: Vec<_> = body["properties"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["etag", "reason", "requestId"]);

    let create = &document["paths"]["/v1/applications"]["post"];
    let names: Vec<_> = create["parameters"].as_array().unwrap().iter().map(|of| of["name"].clone()).collect();
    assert_eq!(names, ["requestId", "validateOnly"]);
    assert_eq!(create["requestBody"]["required"], true);
    let schema = &create["requestBody"]["content"][JSON]["schema"];
    assert_eq!(schema, &json!({"$ref": "#/components/schemas/conum.applications.v1.Application"}));

    let totals = &document["paths"]["/v1/grantTotals"]["get"];
    assert_eq!(parameter(totals, "committeeDate.year")["schema"]["format"], "int32");
}

#[test]
fn a_patch_requires_no_field() {
    let document = conum();
    let update = &document["paths"]["/v1/applications/{application}"]["patch"];
    let schema = &update["requestBody"]["content"][JSON]["schema"];
    assert!(schema.get("required").is_none());
    assert!(schema["properties"].get("profile").is_some());
    assert_eq!(parameter(update, "updateMask")["schema"]["type"], "string");
}

#[test]
fn schemas_say_what_the_contract_says() {
    let document = conum();
    let schemas = &document["components"]["schemas"];
    let application = &schemas["conum.applications.v1.Application"];
    assert_eq!(application["required"], json!(["profile"]));
    assert_eq!(application["properties"]["structure"]["readOnly"], true);
    let name = application["properties"]["name"]["description"].as_str().unwrap();
    assert_eq!(name, "applications/{application}\n\nIt identifies the resource.");
    assert_eq!(application["properties"]["submittedAt"]["format"], "date-time");
    assert!(application["description"].as_str().unwrap().starts_with("An application (manifestation d'intérêt)"));
    let state = &schemas["conum.applications.v1.Application.State"];
    assert_eq!(state["enum"][5], "STATE_GRANTED");
    assert!(state["description"].as_str().unwrap().contains("- STATE_GRANTED: At least one post was granted."));
    assert_eq!(schemas["conum.operations.v1.EventLag"]["properties"]["published"]["type"], "string");
    // Messages that no route reaches stay out.
    assert!(schemas.get("conum.events.v1.Event").is_none());
}

#[test]
fn who_may_call_is_told() {
    let document = conum();
    let get = &document["paths"]["/v1/applications/{application}"]["get"];
    assert_eq!(
        get["x-conum-access"],
        json!({"any": ["ROLE_AGENCY", "ROLE_SERVICE"], "own": ["ROLE_STRUCTURE", "ROLE_PREFECT"]})
    );
    assert_eq!(
        get["description"],
        "Who may call: the agency, services of the platform; on what is theirs: structures, prefects."
    );
    assert!(get.get("security").is_none());
    assert_eq!(document["paths"]["/v1/programme"]["get"]["security"], json!([]));
    assert_eq!(document["security"], json!([{"bearer": []}]));

    let document = orchard();
    assert_eq!(document["paths"]["/v1/trees/oldest"]["get"]["security"], json!([{}, {"bearer": []}]));
    let search = &document["paths"]["/v1/trees:search"]["get"];
    assert_eq!(search["description"], "Who may call: nobody.");
}

#[test]
fn errors_are_problems() {
    for (path, operation) in operations(&conum()) {
        assert_eq!(operation["responses"]["default"]["$ref"], "#/components/responses/Problem", "{path}");
    }
}

#[test]
fn what_the_contracts_do_not_use_is_described_too() {
    let document = orchard();
    let tree = &document["components"]["schemas"]["orchard.v1.Tree"]["properties"];
    assert_eq!(tree["harvests"]["additionalProperties"]["format"], "int32");
    assert_eq!(tree["bark"]["contentEncoding"], "base64");
    assert_eq!(tree["children"]["items"]["$ref"], "#/components/schemas/orchard.v1.Tree");
    assert_eq!(tree["nickname"]["type"], json!(["string", "null"]));
    let search = &document["paths"]["/v1/trees:search"]["get"];
    assert_eq!(search["responses"]["200"]["content"][JSON]["schema"]["type"], "array");
    assert_eq!(parameter(search, "labels")["schema"]["type"], "array");
    assert_eq!(parameter(search, "like.species")["schema"]["$ref"], "#/components/schemas/orchard.v1.Species");
    assert_eq!(parameter(search, "tags"), &Value::Null);
    let leaf = &document["paths"]["/v1/leaves/{name}"]["get"];
    assert_eq!(parameter(leaf, "name")["schema"]["pattern"], "^.*$");
    assert_eq!(document["paths"]["/v1/trees/{name}"]["get"]["operationId"], "OrchardService_GetTree_2");
    // OpenAPI has no place for these.
    assert!(document["paths"].get("/v1/trees/{age}:shake").is_none());
}
