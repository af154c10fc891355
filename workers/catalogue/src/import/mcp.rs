//! The tools of any MCP server, from its answer to `tools/list` (Model Context Protocol 2025-06-18).
//!
//! The server itself is asked elsewhere: here its answer is data. Its hints about what a tool does (`readOnlyHint`, …) are
//! claims of whoever wrote the server, not proof: without [`Source::trusts_hints`] every tool counts as irreversible, the
//! claims stay beside the parameters as `x-claims`. Start at [`operations`].

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::assemble::{Assembly, Described};
use super::brought::Source;
use super::document::{self, refused};
use super::schema::Schemas;
use super::{Imported, clean};
use crate::error::Result;
use crate::operation::{Effect, Invocation};

/// The one service of an MCP server.
const SERVICE: &str = "tools";
/// Longest summary, in bytes.
const MAX_SUMMARY: usize = 300;

/// Imports a saved answer to `tools/list` from its bytes.
///
/// # Errors
/// See [`super::brought::operations_from`].
pub fn operations_from(bytes: &[u8], name: &str) -> Result<Imported> {
    let source = Source::named(name);
    operations(&document::read(bytes, &source.origin)?, &source)
}

/// The list of tools in an answer: bare, or as the result of JSON-RPC.
pub(super) fn tools_of(document: &Value) -> Option<&Vec<Value>> {
    let result = document.get("result").unwrap_or(document);
    let tools = result.get("tools").unwrap_or(result).as_array()?;
    let is_tool = |tool: &Value| tool.get("name").is_some() && tool.get("inputSchema").is_some();
    (result.get("tools").is_some() || tools.first().is_some_and(is_tool)).then_some(tools)
}

/// Imports an answer that was read.
pub(super) fn operations(document: &Value, source: &Source) -> Result<Imported> {
    let tools = tools_of(document).ok_or_else(|| refused(&source.origin, "it has no `tools`".to_owned()))?;
    let mut assembly = Assembly::new(source);
    let mut definitions = Map::new();
    for (at, tool) in tools.iter().enumerate() {
        assembly.add(describe(tool, at, source, &mut definitions)?)?;
    }
    let server = document.pointer("/serverInfo/title").or_else(|| document.pointer("/serverInfo/name"));
    let title = server.and_then(Value::as_str).map_or_else(|| source.name.clone(), |title| clean::line(title, 100));
    assembly.finish(&definitions, &HashMap::from([(SERVICE.to_owned(), title)]))
}

fn describe(tool: &Value, at: usize, source: &Source, definitions: &mut Map<String, Value>) -> Result<Described> {
    let place = format!("/tools/{at}");
    let wrong = |reason: &str| refused(&source.origin, format!("#{place}: {reason}"));
    let text = |key: &str| tool.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = text("name");
    if let Some(problem) = clean::problem_of_name(name) {
        return Err(wrong(&problem));
    }
    let mut convert = |key: &str, prefix: String| -> Result<Value> {
        let Some(schema) = tool.get(key).filter(|schema| schema.is_object()) else { return Ok(Value::Null) };
        let mut schemas = Schemas::new(schema, &source.origin, &prefix);
        let converted = schemas.convert_flat(schema, &format!("{place}/{key}"))?;
        definitions.extend(schemas.into_definitions());
        Ok(converted)
    };
    let mut parameters = convert("inputSchema", format!("{name}."))?;
    if parameters.get("properties").is_none() {
        // A tool may take anything as long as it is an object; what cannot be named cannot be said.
        parameters = json!({ "type": "object", "properties": {} });
    }
    parameters["type"] = json!("object");
    if parameters.get("additionalProperties").is_none() {
        parameters["additionalProperties"] = json!(false);
    }
    if let Some(claims) = tool.get("annotations").and_then(Value::as_object) {
        let claims = claims.iter().filter(|(key, value)| key.ends_with("Hint") && value.is_boolean());
        parameters["x-claims"] = Value::Object(claims.map(|(key, value)| (key.clone(), value.clone())).collect());
    }
    let titles = [tool.pointer("/annotations/title").and_then(Value::as_str).unwrap_or_default(), text("title")];
    let mut words: Vec<String> = titles.iter().map(|title| clean::line(title, 100)).collect();
    words.push(clean::line(text("description"), 600));
    words.retain(|word| !word.is_empty());
    let summary = clean::sentence(text("description"), MAX_SUMMARY);
    Ok(Described {
        service: SERVICE.to_owned(),
        name: name.to_owned(),
        summary: if summary.is_empty() { clean::line(&words.join(" "), MAX_SUMMARY) } else { summary },
        words,
        effect: effect(&parameters, source.trusts_hints),
        undo: None,
        invocation: Invocation::Mcp { server: source.name.clone(), tool: name.to_owned() },
        result: convert("outputSchema", format!("{name}.result."))?,
        parameters,
        place,
    })
}

/// What a tool does, when its server is believed; `irreversible` when not (the default of the protocol's own hints, too).
fn effect(parameters: &Value, trusts_hints: bool) -> Effect {
    let claims = |hint: &str| parameters.pointer(&format!("/x-claims/{hint}")) == Some(&Value::Bool(true));
    if trusts_hints && claims("readOnlyHint") {
        Effect::Read
    } else if trusts_hints && claims("idempotentHint") {
        Effect::Idempotent
    } else {
        Effect::Irreversible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> Value {
        json!({"name": name, "description": "Lists files. In a folder.", "annotations": {"readOnlyHint": true, "title": "List"},
            "inputSchema": {"type": "object", "required": ["path"], "properties": {
                "path": {"type": "string"}, "node": {"$ref": "#/$defs/Node"}},
                "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}}},
            "outputSchema": {"type": "object", "properties": {"entries": {"type": "array", "items": {"type": "string"}}}}})
    }

    fn import(document: &Value, trusts_hints: bool) -> Imported {
        operations(document, &Source { trusts_hints, ..Source::named("files") }).unwrap()
    }

    #[test]
    fn a_tool_becomes_an_operation_with_parameters_and_result() {
        let imported = import(&json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": [tool("list")]}}), false);
        let service = &imported.services[0];
        let list = &service.operations[0];
        assert_eq!((list.key().as_str(), list.summary.as_str()), ("files/tools/list", "Lists files."));
        assert_eq!(list.invocation, Invocation::Mcp { server: "files".to_owned(), tool: "list".to_owned() });
        assert!(list.is_required("path"));
        assert_eq!(list.parameter("node").unwrap()["$ref"], "#/$defs/list.Node");
        assert!(service.definitions.contains_key("list.Node"), "{:?}", service.definitions);
        assert_eq!(list.result["properties"]["entries"]["items"]["type"], "string");
    }

    #[test]
    fn hints_are_claims_until_somebody_believes_them() {
        let document = json!({"tools": [tool("list")]});
        let doubted = &import(&document, false).services[0].operations[0];
        assert_eq!(doubted.effect, Effect::Irreversible);
        assert_eq!(doubted.parameters["x-claims"]["readOnlyHint"], true);
        assert_eq!(import(&document, true).services[0].operations[0].effect, Effect::Read);
    }

    #[test]
    fn two_tools_of_one_name_and_hostile_names_are_refused_with_their_place() {
        let twice = json!({"tools": [tool("list"), tool("list")]});
        let error = operations(&twice, &Source::named("files")).unwrap_err().to_string();
        assert!(error.contains("#/tools/1: the operation \"list\" is already at #/tools/0"), "{error}");
        let hostile = json!({"tools": [tool("a\u{1b}[2J")]});
        let error = operations(&hostile, &Source::named("files")).unwrap_err().to_string();
        assert!(error.contains("#/tools/0") && error.contains("U+001B") && !error.contains('\u{1b}'), "{error}");
    }
}
