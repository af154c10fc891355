use serde_json::json;

use super::*;
use crate::command::{Rendered, render};
use crate::operation::Operation;

fn non_null(kind: Value) -> Value {
    json!({"kind": "NON_NULL", "name": null, "ofType": kind})
}

fn list(kind: Value) -> Value {
    json!({"kind": "LIST", "name": null, "ofType": kind})
}

fn of(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "name": name, "ofType": null})
}

fn pets() -> Value {
    let argument = |name: &str, kind: Value| json!({"name": name, "type": kind, "defaultValue": null});
    let field = |name: &str, args: Value, kind: Value| json!({"name": name, "description": "Says. More.", "args": args, "type": kind});
    let id = || non_null(of("SCALAR", "ID"));
    json!({"data": {"__schema": {"queryType": {"name": "Query"}, "mutationType": {"name": "Mutation"}, "types": [
        {"kind": "OBJECT", "name": "Query", "fields": [
            field("pet", json!([argument("id", id()), argument("kind", of("ENUM", "Kind"))]), of("OBJECT", "Pet")),
            field("pets", json!([]), non_null(list(non_null(of("OBJECT", "Pet")))))]},
        {"kind": "OBJECT", "name": "Mutation", "fields": [field("addPet", json!([argument("input", non_null(of("INPUT_OBJECT", "PetInput")))]), of("OBJECT", "Pet"))]},
        {"kind": "OBJECT", "name": "Pet", "fields": [field("id", json!([]), id()), field("friend", json!([]), of("OBJECT", "Pet")),
            field("photo", json!([argument("size", non_null(of("SCALAR", "Int")))]), of("SCALAR", "String")), field("either", json!([]), of("UNION", "Either"))]},
        {"kind": "UNION", "name": "Either"},
        {"kind": "ENUM", "name": "Kind", "enumValues": [{"name": "CAT"}, {"name": "DOG"}]},
        {"kind": "INPUT_OBJECT", "name": "PetInput", "inputFields": [argument("name", non_null(of("SCALAR", "String"))), argument("friend", of("INPUT_OBJECT", "PetInput"))]},
        {"kind": "SCALAR", "name": "ID"}, {"kind": "SCALAR", "name": "String"}, {"kind": "SCALAR", "name": "Int"}]}}})
}

fn import(document: &Value) -> Imported {
    operations_from(&serde_json::to_vec(document).unwrap(), "pets", "https://pets.example/graphql").unwrap()
}

fn named(name: &str) -> Operation {
    let imported = import(&pets());
    let mut all = imported.services.into_iter().flat_map(|service| {
        let definitions = service.definitions;
        service.operations.into_iter().map(move |mut operation| {
            operation.definitions = definitions.clone();
            operation
        })
    });
    all.find(|operation| operation.name == name).expect(name)
}

#[test]
fn a_query_reads_and_its_document_asks_for_what_the_result_has() {
    let pet = named("pet");
    let Invocation::GraphQl { document, .. } = &pet.invocation else { panic!("{pet:?}") };
    assert_eq!(
        document,
        "query pet($id: ID!, $kind: Kind) { pet(id: $id, kind: $kind) { id friend { id friend { id } either { __typename } } either { __typename } } }"
    );
    assert_eq!((pet.effect, pet.summary.as_str()), (Effect::Read, "Says."));
    assert!(pet.is_required("id") && !pet.is_required("kind"));
    assert!(crate::result_path_exists(&pet, "data.pet.friend.id").is_some());
    assert!(crate::result_path_exists(&pet, "data.pet.photo").is_none(), "it was not asked for");
    assert!(crate::result_path_exists(&named("pets"), "data.pets[0].id").is_some());
}

#[test]
fn a_mutation_is_irreversible_and_its_input_checked() {
    let add = named("addPet");
    assert_eq!(add.effect, Effect::Irreversible);
    assert!(crate::check(&add, &json!({"input": {"name": "Rex", "friend": {"name": "Kim"}}})).is_empty());
    assert_eq!(crate::check(&add, &json!({"input": {"friend": {"nam": "Kim"}}})).len(), 3);
    let Rendered::Http(parts) = render(&add, &json!({"input": {"name": {"$ref": "c1", "path": "data.pet.id"}}})) else {
        panic!()
    };
    assert_eq!((parts.method.as_str(), parts.url.as_str()), ("POST", "https://pets.example/graphql"));
    let body: Value = serde_json::from_str(&parts.body).unwrap();
    assert_eq!(body["variables"]["input"]["name"], "${c1.data.pet.id}");
    assert!(
        body["query"].as_str().unwrap().starts_with("mutation addPet($input: PetInput!) { addPet(input: $input) { id ")
    );
}

#[test]
fn names_that_could_break_out_of_the_document_are_refused() {
    let mut hostile = pets();
    hostile["data"]["__schema"]["types"][0]["fields"][0]["name"] = json!("pet { id } evil");
    let bytes = serde_json::to_vec(&hostile).unwrap();
    let error = operations_from(&bytes, "pets", "https://x.example").unwrap_err().to_string();
    assert!(error.contains("no name that GraphQL allows"), "{error}");
}

#[test]
fn without_an_address_it_says_what_to_give() {
    let error = operations(&pets(), &Source::named("pets")).unwrap_err().to_string();
    assert!(error.contains("--server URL"), "{error}");
    let cut = json!({"__schema": {"queryType": {"name": "Query"}, "types": []}});
    let error =
        operations_from(&serde_json::to_vec(&cut).unwrap(), "pets", "https://x.example").unwrap_err().to_string();
    assert!(error.contains("#/__schema/queryType"), "{error}");
}
