//! The command line's own `s3` commands (`cp`, `sync`, `ls`, …), which the API does not have.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::PROVIDER;
use crate::operation::{Effect, Invocation, Operation};
use crate::semantics::{ArgumentSource, DryRun, ErrorRule, Inverse, Origin, Semantics, Variation};

#[derive(Deserialize)]
struct Table {
    parameters: BTreeMap<String, Value>,
    transfer: Vec<String>,
    commands: Vec<Command>,
}

#[derive(Deserialize)]
struct Command {
    name: String,
    summary: String,
    words: Vec<String>,
    effect: Effect,
    undo: Option<String>,
    required: Vec<String>,
    parameters: Vec<String>,
    /// Parameter that makes it worse, and how.
    #[serde(default)]
    worse: BTreeMap<String, Effect>,
    /// Takes the parameters in `Table::transfer` too.
    #[serde(default)]
    transfer: bool,
}

/// The commands of `aws s3`; their parameters carry the flags' names.
pub(super) fn operations(errors: &[ErrorRule]) -> Vec<Operation> {
    let table: Table =
        serde_json::from_str(include_str!("../aws_s3.json")).expect("the table in the source parses, see the tests");
    table.commands.iter().map(|command| operation(command, &table, errors)).collect()
}

fn operation(command: &Command, table: &Table, errors: &[ErrorRule]) -> Operation {
    let more: &[String] = if command.transfer { &table.transfer } else { &[] };
    let mut properties = Map::new();
    for name in command.parameters.iter().chain(more) {
        let mut schema = table.parameters.get(name).cloned().unwrap_or_else(|| json!({}));
        if schema.get("x-position").is_none() {
            schema["x-flag"] = json!(name);
        }
        properties.insert(name.clone(), schema);
    }
    Operation {
        provider: PROVIDER.to_owned(),
        service: "s3".to_owned(),
        name: command.name.clone(),
        summary: command.summary.clone(),
        words: command.words.clone(),
        effect: command.effect,
        undo: command.undo.clone(),
        invocation: Invocation::Command { words: ["aws", "s3", &command.name].map(str::to_owned).to_vec() },
        semantics: semantics(command, &properties, errors),
        parameters: json!({
            "type": "object",
            "properties": properties,
            "required": command.required,
            "additionalProperties": false,
        }),
        result: Value::Null,
        definitions: Arc::default(),
    }
}

fn semantics(command: &Command, properties: &Map<String, Value>, errors: &[ErrorRule]) -> Semantics {
    let worse = |(parameter, effect): (&String, &Effect)| Variation {
        parameter: parameter.clone(),
        values: Vec::new(),
        effect: *effect,
        from: Origin::Text,
    };
    let dry_run = || DryRun { parameter: "dryrun".to_owned(), values: vec![json!(true)], from: Origin::Text };
    Semantics {
        effect_from: Origin::rule("command-table"),
        variations: command.worse.iter().map(worse).collect(),
        dry_run: properties.contains_key("dryrun").then(dry_run),
        errors: errors.to_vec(),
        inverse: command.undo.clone().map(|operation| Inverse {
            operation,
            arguments: vec![("path".to_owned(), ArgumentSource::Argument("path".to_owned()))],
            from: Origin::rule("command-table"),
        }),
        ..Semantics::default()
    }
}
