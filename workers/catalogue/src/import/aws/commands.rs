//! The command line's own commands beside `s3` (`eks update-kubeconfig`, `cloudformation deploy`, `logs tail`, …).
//!
//! `data/aws_commands.json` is read out of awscli's tables by `extract/aws_commands.py`; `data/aws_commands_notes.json` adds what
//! those do not say. A command that the API has too (`emr describe-cluster`) stays the API's: its result is typed.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{PROVIDER, xform_name};
use crate::operation::{Effect, Invocation, Operation};
use crate::semantics::{DryRun, Origin, Semantics};

#[derive(Deserialize)]
struct Table {
    commands: Vec<Command>,
}

#[derive(Deserialize)]
struct Command {
    /// Service, then the words of the command.
    words: Vec<String>,
    doc: String,
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    doc: String,
    schema: Value,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    positional: bool,
    #[serde(default)]
    rest: bool,
}

#[derive(Deserialize)]
struct Notes {
    commands: BTreeMap<String, Note>,
    extra: Vec<Command>,
}

#[derive(Deserialize)]
struct Note {
    effect: Effect,
    #[serde(default)]
    dry_run: Option<String>,
    #[serde(default)]
    words: Vec<String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let text = include_str!("../../../data/aws_commands.json");
    serde_json::from_str(text).expect("the committed extract parses, see the tests")
});
static NOTES: LazyLock<Notes> = LazyLock::new(|| {
    let text = include_str!("../../../data/aws_commands_notes.json");
    serde_json::from_str(text).expect("the table in the source parses, see the tests")
});

/// The commands of one service that are none of `api`'s operations.
pub(super) fn operations(service: &str, api: &[Operation]) -> Vec<Operation> {
    // `s3` has a table of its own, with users' words and what its patterns need.
    if service == "s3" {
        return Vec::new();
    }
    let commands = TABLE.commands.iter().chain(&NOTES.extra).filter(|command| command.words[0] == service);
    let is_new = |command: &&Command| !api.iter().any(|operation| xform_name(&operation.name) == command.name());
    commands.filter(is_new).map(Command::operation).collect()
}

// === impl Command ===

impl Command {
    fn name(&self) -> String {
        self.words[1..].join(" ")
    }

    fn operation(&self) -> Operation {
        let note = NOTES.commands.get(&self.words.join(" "));
        let mut properties = Map::new();
        for (position, parameter) in self.parameters.iter().enumerate() {
            properties.insert(parameter.name.clone(), parameter.schema(position));
        }
        let required: Vec<&String> = self.parameters.iter().filter(|one| one.required).map(|one| &one.name).collect();
        let words = std::iter::once("aws".to_owned()).chain(self.words.iter().cloned()).collect();
        Operation {
            provider: PROVIDER.to_owned(),
            service: self.words[0].clone(),
            name: self.name(),
            summary: if self.doc.is_empty() { self.words.join(" ") } else { self.doc.clone() },
            words: note.map(|note| note.words.clone()).unwrap_or_default(),
            effect: note.map_or(Effect::Irreversible, |note| note.effect),
            undo: None,
            invocation: Invocation::Command { words },
            parameters: json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            }),
            result: Value::Null,
            semantics: semantics(note),
            definitions: Arc::default(),
        }
    }
}

// === impl Parameter ===

impl Parameter {
    fn schema(&self, position: usize) -> Value {
        let mut schema = self.schema.clone();
        schema["description"] = json!(self.doc);
        if self.positional {
            schema["x-position"] = json!(position);
            if self.rest {
                schema["x-rest"] = json!(true);
            }
        } else {
            schema["x-flag"] = json!(self.name);
        }
        if matches!(self.name.as_str(), "dry-run" | "dryrun") {
            schema["x-never"] = json!(true);
        }
        schema
    }
}

fn semantics(note: Option<&Note>) -> Semantics {
    let dry_run = note.and_then(|note| note.dry_run.clone());
    Semantics {
        effect_from: if note.is_some() { Origin::rule("command-table") } else { Origin::Unknown },
        dry_run: dry_run.map(|parameter| DryRun { parameter, values: vec![json!(true)], from: Origin::Text }),
        ..Semantics::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Operation> {
        let mut services: Vec<&String> = TABLE.commands.iter().chain(&NOTES.extra).map(|one| &one.words[0]).collect();
        services.sort();
        services.dedup();
        services.into_iter().flat_map(|service| operations(service, &[])).collect()
    }

    #[test]
    fn the_commands_people_know_are_there() {
        let all = all();
        let known = |key: &str| all.iter().find(|operation| format!("{} {}", operation.service, operation.name) == key);
        for key in [
            "ecr get-login-password",
            "eks update-kubeconfig",
            "cloudformation package",
            "cloudformation deploy",
            "logs tail",
            "ec2-instance-connect ssh",
            "servicecatalog generate product",
        ] {
            assert!(known(key).is_some(), "{key}");
        }
        let update = known("eks update-kubeconfig").unwrap();
        assert!(update.is_required("name") && update.parameter("alias").is_some());
        assert_eq!(update.effect_of(&json!({"name": "x"})), Effect::Idempotent);
        assert_eq!(update.effect_of(&json!({"name": "x", "dry-run": true})), Effect::Read);
        assert_eq!(known("logs tail").unwrap().parameter("group_name").unwrap()["x-position"], 0);
    }

    #[test]
    fn every_note_is_about_a_command_and_a_parameter_that_exist() {
        let all = all();
        for (key, note) in &NOTES.commands {
            let found = all.iter().find(|one| format!("{} {}", one.service, one.name) == *key);
            let found = found.unwrap_or_else(|| panic!("{key} is no command"));
            assert!(note.dry_run.as_ref().is_none_or(|name| found.parameter(name).is_some()), "{key}");
        }
        for operation in &all {
            assert!(!operation.summary.is_empty() && operation.summary.len() <= 303, "{}", operation.key());
        }
    }

    #[test]
    fn a_command_of_the_api_stays_the_apis() {
        let ours = operations("emr", &[]);
        let api = ours.iter().find(|operation| operation.name == "describe-cluster").unwrap();
        let api = Operation { name: "DescribeCluster".to_owned(), ..api.clone() };
        let left = operations("emr", std::slice::from_ref(&api));
        assert_eq!(left.len() + 1, ours.len());
    }

    /// The hand-made table of `aws s3` names the same commands, and no flag that awscli has not.
    #[test]
    fn the_table_of_s3_agrees_with_awscli() {
        let theirs: Vec<&Command> = TABLE.commands.iter().filter(|command| command.words[0] == "s3").collect();
        let ours = super::super::s3::operations(&[]);
        let mut names: Vec<&str> = ours.iter().map(|operation| operation.name.as_str()).collect();
        names.sort_unstable();
        let mut expected: Vec<String> = theirs.iter().map(|command| command.name()).collect();
        expected.sort_unstable();
        assert_eq!(names, expected);
        for command in theirs {
            let own = ours.iter().find(|operation| operation.name == command.name()).unwrap();
            for (name, schema) in own.properties().filter(|(_, schema)| schema.get("x-flag").is_some()) {
                let is_known = |name: &str| command.parameters.iter().any(|known| known.name == name);
                let is_negative = name.strip_prefix("no-").is_some_and(is_known);
                assert!(is_known(name) || is_negative, "{} {name}: {schema}", own.name);
            }
            let missing: Vec<&str> = command
                .parameters
                .iter()
                .filter(|known| !known.positional && own.parameter(&known.name).is_none())
                .map(|known| known.name.as_str())
                .collect();
            // Pairs of words, which the table of parameters has no form for.
            assert!(missing.iter().all(|name| *name == "tags"), "{}: {missing:?}", own.name);
        }
    }
}
