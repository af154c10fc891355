//! The command line's own `s3` commands (`cp`, `sync`, `ls`, …), which the API does not have.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::PROVIDER;
use crate::operation::{Effect, Invocation, Operation};
use crate::semantics::Semantics;

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
    /// Takes the parameters in `Table::transfer` too.
    #[serde(default)]
    transfer: bool,
}

/// The commands of `aws s3`; their parameters carry the flags' names.
pub(super) fn operations() -> Vec<Operation> {
    let table: Table =
        serde_json::from_str(include_str!("../aws_s3.json")).expect("the table in the source parses, see the tests");
    table.commands.iter().map(|command| operation(command, &table)).collect()
}

fn operation(command: &Command, table: &Table) -> Operation {
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
        parameters: json!({
            "type": "object",
            "properties": properties,
            "required": command.required,
            "additionalProperties": false,
        }),
        result: Value::Null,
        semantics: Semantics::default(),
        definitions: Arc::default(),
    }
}
