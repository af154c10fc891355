//! Real descriptions of others, imported, packed and used; and the same ones damaged in every way chance finds.
//!
//! `fixtures/brought/README.md` says where they come from.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and that is all it is for")]

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use silverback_catalogue::build::build_imported;
use silverback_catalogue::command::{Rendered, render};
use silverback_catalogue::import::Imported;
use silverback_catalogue::import::brought::{Kind, Source, kind_of, operations_from};
use silverback_catalogue::{Catalogue, Effect, Operation, check, result_path_exists};

const ALL: &[&str] =
    &["codat-sync-for-expenses.json", "doqs.dev.json", "xkcd.com.json", "mcp-git.json", "graphql-library.json"];

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/brought").join(file)).unwrap()
}

fn source(file: &str) -> Source {
    let server = file.starts_with("graphql").then(|| "https://library.example/graphql".to_owned());
    Source { origin: file.to_owned(), server, ..Source::named("brought") }
}

fn import(file: &str) -> Imported {
    operations_from(&bytes(file), &source(file)).unwrap()
}

/// The imported operations as they come out of a pack.
fn packed(file: &str) -> (tempfile::TempDir, Catalogue) {
    let folder = tempfile::tempdir().unwrap();
    let built = build_imported(&import(file), folder.path()).unwrap();
    let catalogue = Catalogue::open(&[built.path]).unwrap();
    (folder, catalogue)
}

fn operation(catalogue: &Catalogue, service: &str, name: &str) -> std::sync::Arc<Operation> {
    catalogue.operation(catalogue.find("brought", service, name).expect(name)).unwrap()
}

fn line(operation: &Operation, arguments: &Value) -> (String, String) {
    assert_eq!(check(operation, arguments), []);
    match render(operation, arguments) {
        Rendered::Http(parts) => (format!("{} {}", parts.method, parts.url), parts.body),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_method_of_every_path_is_there() {
    for file in ["codat-sync-for-expenses.json", "doqs.dev.json", "xkcd.com.json"] {
        let document: Value = serde_json::from_slice(&bytes(file)).unwrap();
        assert_eq!(kind_of(&document), Some(Kind::OpenApi));
        let methods = ["get", "put", "post", "delete", "patch", "head", "options"];
        let items = document["paths"].as_object().unwrap().values();
        let described: usize =
            items.map(|item| methods.iter().filter(|method| item.get(**method).is_some()).count()).sum();
        assert_eq!(import(file).len(), described, "{file}");
    }
}

#[test]
fn a_call_of_an_openapi_operation_is_checked_and_written() {
    let (_folder, catalogue) = packed("xkcd.com.json");
    let comic = operation(&catalogue, "info-0-json", "get_comicId_info_0_json");
    let (said, _) = line(&comic, &json!({ "comicId": 614 }));
    assert_eq!(said, "GET http://xkcd.com/614/info.0.json");
    assert_eq!(comic.effect, Effect::Read);
    assert!(!check(&comic, &json!({ "comicId": "latest" })).is_empty() && !check(&comic, &json!({})).is_empty());
    assert_eq!(result_path_exists(&comic, "transcript").unwrap()["type"], "string");
}

#[test]
fn a_graphql_call_is_a_document_with_variables() {
    let (_folder, catalogue) = packed("graphql-library.json");
    let add = operation(&catalogue, "mutation", "addBook");
    let (said, body) = line(&add, &json!({ "input": { "title": "Silverback", "author": "a1", "pages": 7 } }));
    assert_eq!((said.as_str(), add.effect), ("POST https://library.example/graphql", Effect::Irreversible));
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["variables"]["input"]["pages"], 7);
    assert!(
        body["query"]
            .as_str()
            .unwrap()
            .starts_with("mutation addBook($input: NewBook!) { addBook(input: $input) { id title ")
    );
    assert_eq!(check(&add, &json!({ "input": { "title": "x", "author": "a", "genre": "WESTERN" } })).len(), 2);
    let books = operation(&catalogue, "query", "books");
    assert_eq!(books.effect, Effect::Read);
    assert!(result_path_exists(&books, "data.books.nodes[0].author.name").is_some(), "{:?}", books.result);
    assert!(catalogue.find("brought", "mutation", "mutation book").is_some(), "named like a query, and still there");
}

#[test]
fn a_tool_is_checked_by_its_input_schema() {
    let (_folder, catalogue) = packed("mcp-git.json");
    let log = operation(&catalogue, "tools", "git_log");
    assert_eq!(check(&log, &json!({ "repo_path": "/srv/app", "max_count": 3 })), []);
    assert_eq!(check(&log, &json!({ "repo_pat": "/srv/app" })).len(), 2);
    let said = render(&log, &json!({ "repo_path": "/srv/app" }));
    assert_eq!(said, Rendered::Mcp { server: "brought".to_owned(), tool: "git_log".to_owned() });
    assert_eq!(log.effect, Effect::Irreversible, "a hint is no proof");
    let found = catalogue.search("show the commit logs", 1);
    assert_eq!(catalogue.name(found[0].operation), Some(("brought", "tools", "git_log")));
}

#[test]
fn the_same_description_gives_the_same_pack() {
    for file in ALL {
        let digests: Vec<String> = (0..2).map(|_| packed(file).1.digest().to_owned()).collect();
        assert_eq!(digests[0], digests[1], "{file}");
    }
}

#[test]
fn an_open_pack_gives_its_own_bytes_also_when_another_has_taken_its_name() {
    let (folder, catalogue) = packed("xkcd.com.json");
    let path = folder.path().join("brought.pack");
    let before = std::fs::read(&path).unwrap();
    build_imported(&import("doqs.dev.json"), folder.path()).unwrap();
    assert_ne!(std::fs::read(&path).unwrap(), before);
    let mut sent = Vec::new();
    loop {
        let chunk = catalogue.packs()[0].bytes_at(sent.len() as u64, 100).unwrap();
        if chunk.is_empty() {
            break;
        }
        sent.extend(chunk);
    }
    assert!(sent == before, "{} bytes sent, {} written", sent.len(), before.len());
}

#[test]
fn every_reference_of_every_operation_leads_to_a_definition() {
    for file in ALL {
        for service in import(file).services {
            let mut whole = Value::Object((*service.definitions).clone());
            whole["#"] = json!(service.operations);
            let mut open = vec![&whole];
            while let Some(value) = open.pop() {
                if let Some(name) =
                    value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/$defs/"))
                {
                    assert!(service.definitions.contains_key(name), "{file}: {name}");
                }
                match value {
                    Value::Object(members) => open.extend(members.values()),
                    Value::Array(items) => open.extend(items),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn a_service_model_is_imported_from_its_file_under_the_users_name() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore/dynamodb/2012-08-10/service-2.json");
    let imported = operations_from(&std::fs::read(path).unwrap(), &source("service-2.json")).unwrap();
    let keys: Vec<String> = imported.services[0].operations.iter().map(Operation::key).collect();
    assert!(keys.contains(&"brought/dynamodb/PutItem".to_owned()), "{keys:?}");
}

#[test]
fn a_cut_file_is_an_error_with_its_place_wherever_it_is_cut() {
    for file in ALL {
        let whole = bytes(file);
        let whole = whole.trim_ascii_end();
        for cut in (1..whole.len()).step_by(997) {
            let error = operations_from(&whole[..cut], &source(file)).unwrap_err().to_string();
            assert!(error.contains("line 1 column"), "{file} cut at {cut}: {error}");
        }
    }
}

/// All places of a value, deepest last.
fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            places(member, &format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), found)
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| places(item, &format!("{place}/{at}"), found))
        }
        _ => {}
    }
}

fn documents() -> &'static [(Value, Vec<String>)] {
    static READ: std::sync::LazyLock<Vec<(Value, Vec<String>)>> = std::sync::LazyLock::new(|| {
        let read = |file: &&str| {
            let document: Value = serde_json::from_slice(&bytes(file)).unwrap();
            let mut found = Vec::new();
            places(&document, "", &mut found);
            (document, found)
        };
        ALL.iter().map(read).collect()
    });
    &READ
}

fn odd_values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!(-1)),
        Just(json!(1e300)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[{"$ref": "#"}]])),
        Just(json!({"$ref": "#"})),
        Just(json!({"$ref": "#/paths"})),
        Just(json!({"$ref": "#/components/schemas"})),
        Just(json!({"allOf": [{"$ref": "#"}, {"$ref": "#/components"}]})),
        Just(json!({"kind": "LIST", "ofType": {"kind": "NON_NULL", "ofType": {}}})),
        "\\PC{0,12}".prop_map(Value::from),
        "[\u{0}-\u{1f}{}/$#]{1,6}".prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_description_with_anything_at_any_place_never_panics(
        file in 0..ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), odd_values()), 1..4),
    ) {
        let (document, places) = &documents()[file];
        let mut document = document.clone();
        for (place, value) in changes {
            if let Some(slot) = document.pointer_mut(&places[place.index(places.len())]) {
                *slot = value;
            }
        }
        let imported = operations_from(&serde_json::to_vec(&document).unwrap(), &source(ALL[file]));
        if let Ok(imported) = imported {
            let names: BTreeMap<String, ()> =
                imported.services.iter().flat_map(|service| &service.operations).map(|one| (one.key(), ())).collect();
            prop_assert_eq!(names.len(), imported.len());
            for operation in imported.services.iter().flat_map(|service| &service.operations) {
                prop_assert!(operation.summary.len() <= 300 && !operation.key().chars().any(char::is_control));
                check(operation, &json!({}));
                render(operation, &json!({}));
            }
        }
    }

    #[test]
    fn any_bytes_never_panic(head in "(openapi: 3.0.0|\\{\"tools\":|\\[|%YAML|&a )?", tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = head.into_bytes();
        bytes.extend(tail);
        let _ = operations_from(&bytes, &Source::named("bytes"));
    }
}
