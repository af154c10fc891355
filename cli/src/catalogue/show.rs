//! Writes an operation for people and for programs.

use std::{collections::BTreeSet, fmt::Write as _};

use console::style;
use serde_json::{Map, Value, json};
use silverback_catalogue::{Invocation, Operation, result_paths};

use super::semantics;
use crate::terminal::one_line;

/// Results below this level are rarely referred to.
const MAX_RESULTS: usize = 12;
/// A longer enumeration is cut.
const MAX_WORDS: usize = 8;

/// The operation as a page of text.
pub fn page(operation: &Operation) -> String {
    let mut text = String::new();
    line(&mut text, &style(one_line(&operation.key())).bold().to_string());
    line(&mut text, &one_line(&operation.summary));
    let said = match &operation.invocation {
        Invocation::Command { words } => words.join(" "),
        Invocation::Http { method, url, .. } => format!("{method} {url}"),
        Invocation::GraphQl { url, document } => format!("POST {url} {document}"),
        Invocation::Mcp { server, tool } => format!("mcp {server} {tool}"),
    };
    line(&mut text, &format!("said as {}", style(one_line(&said)).green()));
    text.push('\n');
    text.push_str(&semantics::lines(operation));
    text.push('\n');
    parameters(&mut text, operation);
    results(&mut text, operation);
    text
}

/// The operation with every shape it refers to.
pub fn document(operation: &Operation, catalogue: &str) -> Value {
    let mut document = json!(operation);
    // Also where nothing is known: a program finds the same members in every document.
    document["semantics"] = json!(operation.semantics);
    document["undo"] = json!(operation.undo);
    document["key"] = json!(operation.key());
    document["definitions"] = Value::Object(reachable(operation));
    document["catalogue"] = json!(catalogue);
    document
}

fn parameters(text: &mut String, operation: &Operation) {
    let mut rows: Vec<[String; 4]> = Vec::new();
    // What must be given comes first.
    let (required, optional): (Vec<_>, Vec<_>) =
        operation.properties().partition(|(name, _)| operation.is_required(name));
    for (name, schema) in required.into_iter().chain(optional) {
        let is_never = schema.get("x-never") == Some(&Value::Bool(true));
        let mark = match (operation.is_required(name), is_never) {
            (_, true) => "never written",
            (true, _) => "required",
            _ => "",
        };
        let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        rows.push([format!("  {name}"), mark.to_owned(), kind(operation, schema), one_line(about)]);
    }
    if rows.is_empty() {
        line(text, "no parameters");
        return;
    }
    rows.insert(0, ["parameters", "", "", ""].map(str::to_owned));
    text.push_str(&crate::terminal::table(&rows));
}

fn results(text: &mut String, operation: &Operation) {
    let paths = result_paths(operation);
    if paths.is_empty() {
        return;
    }
    line(text, "\nresult, for references");
    for (path, schema) in paths.iter().take(MAX_RESULTS) {
        line(text, &format!("  {}  {}", one_line(path), style(kind(operation, schema)).dim()));
    }
    if paths.len() > MAX_RESULTS {
        line(text, &format!("  … {} more", paths.len() - MAX_RESULTS));
    }
}

/// The type of a value in a word or two.
fn kind(operation: &Operation, schema: &Value) -> String {
    let schema = operation.resolve(schema);
    if let Some(Value::Array(words)) = schema.get("enum") {
        let shown =
            words.iter().take(MAX_WORDS).map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned));
        let more = if words.len() > MAX_WORDS { "|…" } else { "" };
        return one_line(&(shown.collect::<Vec<_>>().join("|") + more));
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => match schema.get("items") {
            Some(items) => format!("list of {}", kind_once(operation, items)),
            None => "list".to_owned(),
        },
        Some(kind) => one_line(kind),
        None => "any".to_owned(),
    }
}

/// The type of a list's elements: lists of lists are not unfolded further.
fn kind_once(operation: &Operation, schema: &Value) -> String {
    let schema = operation.resolve(schema);
    schema.get("type").and_then(Value::as_str).map_or_else(|| "any".to_owned(), one_line)
}

/// The shapes that parameters and result lead to, each once: a shape may contain itself.
fn reachable(operation: &Operation) -> Map<String, Value> {
    let mut open: Vec<&Value> = vec![&operation.parameters, &operation.result];
    let mut seen = BTreeSet::new();
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                let target =
                    members.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/$defs/"));
                if let Some((name, shape)) = target.and_then(|name| operation.definitions.get_key_value(name))
                    && seen.insert(name)
                {
                    open.push(shape);
                }
                open.extend(members.values());
            }
            _ => {}
        }
    }
    seen.into_iter().map(|name| (name.clone(), operation.definitions[name].clone())).collect()
}

fn line(text: &mut String, content: &str) {
    writeln!(text, "{}", content.trim_end()).expect("writing to a string cannot fail");
}
