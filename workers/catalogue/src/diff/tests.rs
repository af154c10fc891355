use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::build::build_imported;
use crate::import::{Imported, ImportedService};
use crate::operation::{Effect, Invocation};

fn operation(name: &str, effect: Effect, parameters: Value) -> Operation {
    Operation {
        provider: "x".into(),
        service: "s".into(),
        name: name.into(),
        summary: String::new(),
        words: Vec::new(),
        effect,
        undo: None,
        invocation: Invocation::Command { words: vec!["x".into(), name.into()] },
        parameters,
        result: Value::Null,
        semantics: Default::default(),
        definitions: Arc::default(),
    }
}

fn pack(folder: &Path, operations: Vec<Operation>, definitions: Value) -> Pack {
    let definitions = Arc::new(definitions.as_object().unwrap().clone());
    let service = ImportedService { name: "s".into(), title: "S".into(), definitions, operations };
    let imported = Imported { provider: "x".into(), services: vec![service] };
    Pack::open(build_imported(&imported, folder).unwrap().path).unwrap()
}

fn lines(found: &PackDiff) -> Vec<String> {
    let line = |change: &Change| {
        let mark = if change.breaking { "!" } else { "" };
        format!("{mark}{} {} {}", change.kind.name(), change.operation, change.parameter).trim_end().to_owned()
    };
    found.changes.iter().map(line).collect()
}

#[test]
fn every_kind_of_change_is_found_breaking_ones_first() {
    let folder = tempfile::tempdir().unwrap();
    let before = json!({"type": "object", "required": ["was"], "properties": {
        "gone": {"type": "string"}, "kind": {"type": "string"}, "was": {"type": "string"}, "becomes": {"type": "string"},
        "list": {"type": "array", "items": {"$ref": "#/$defs/Item"}}}});
    let after = json!({"type": "object", "required": ["becomes", "must"], "properties": {
        "kind": {"type": "integer"}, "was": {"type": "string"}, "becomes": {"type": "string"},
        "list": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
        "came": {"type": "boolean"}, "must": {"type": "string"}}});
    let item = |values: &[&str]| {
        json!({"Item": {"type": "object", "properties": {
        "again": {"$ref": "#/$defs/Item"}, "color": {"type": "string", "enum": values}}}})
    };
    let nothing = || json!({"type": "object"});
    let old = [operation("Put", Effect::Idempotent, before), operation("Old", Effect::Read, nothing())];
    let old = pack(folder.path(), old.to_vec(), item(&["red", "blue"]));
    let new = [operation("Put", Effect::Irreversible, after), operation("New", Effect::Read, nothing())];
    let new = pack(folder.path(), new.to_vec(), item(&["red", "green"]));
    let found = diff(&old, &new).unwrap();
    let expected = [
        "!operation removed s/Old",
        "!parameter removed s/Put gone",
        "!type changed s/Put kind",
        "!became required s/Put becomes",
        "!became required s/Put must",
        "!values removed s/Put list[].color",
        "!effect changed s/Put",
        "operation added s/New",
        "parameter added s/Put came",
        "became optional s/Put was",
        "values added s/Put list[].color",
    ];
    assert_eq!(lines(&found), expected);
    assert_eq!(found.breaking, 7);
    assert_eq!(found.counts[&ChangeKind::BecameRequired], 2);
}

#[test]
fn a_pack_does_not_differ_from_itself_and_two_vendors_are_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let circle = json!({"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}});
    let leads = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}});
    let one = pack(folder.path(), vec![operation("Put", Effect::Read, leads)], circle);
    assert!(diff(&one, &one).unwrap().changes.is_empty());
    let other = Imported { provider: "y".into(), services: Vec::new() };
    let other = Pack::open(build_imported(&other, folder.path()).unwrap().path).unwrap();
    assert!(diff(&one, &other).unwrap_err().to_string().contains("one is of x, the other of y"));
}
