//! Any GraphQL API, from the answer to the introspection query (GraphQL October 2021, section 4).
//!
//! Each field of the query type is an operation that reads, each of the mutation type one that is irreversible: GraphQL knows
//! no idempotency. A call is one POST with a document that is written here, once, and variables that are the arguments.
//! What the document selects is what the result schema has. Subscriptions are no calls. Start at [`operations`].

mod selection;
mod types;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::assemble::{Assembly, Described};
use super::brought::Source;
use super::document::{self, refused};
use super::{Imported, clean};
use crate::error::Result;
use crate::operation::{Effect, Invocation};
use types::Types;

/// What is asked of a GraphQL server to describe itself.
pub const INTROSPECTION: &str = "query Introspection { __schema { queryType { name } mutationType { name } types { kind name description \
fields(includeDeprecated: false) { name description args { ...Input } type { ...Type } } inputFields { ...Input } \
enumValues(includeDeprecated: false) { name } possibleTypes { name } } } } \
fragment Input on __InputValue { name description type { ...Type } defaultValue } \
fragment Type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
ofType { kind name } } } } } } }";

/// Longest summary, in bytes.
const MAX_SUMMARY: usize = 300;

/// Imports a saved answer to the introspection query; the address of the API must be in `source`.
///
/// # Errors
/// See [`super::brought::operations_from`].
pub fn operations_from(bytes: &[u8], name: &str, server: &str) -> Result<Imported> {
    let source = Source { server: Some(server.to_owned()), ..Source::named(name) };
    operations(&document::read(bytes, &source.origin)?, &source)
}

/// The schema in an answer, bare or under `data`.
pub(super) fn schema_of(document: &Value) -> Option<&Value> {
    document.get("data").unwrap_or(document).get("__schema").filter(|schema| schema.is_object())
}

/// Imports an answer that was read.
pub(super) fn operations(document: &Value, source: &Source) -> Result<Imported> {
    let schema = schema_of(document).ok_or_else(|| refused(&source.origin, "it has no `__schema`".to_owned()))?;
    let Some(server) = source.server.as_ref().or(source.fetched_from.as_ref()) else {
        let reason = "the schema does not say where the API is; give its address with `--server URL`";
        return Err(refused(&source.origin, reason.to_owned()));
    };
    let mut types = Types::read(schema, source)?;
    let mut assembly = Assembly::new(source);
    let roots = [("queryType", "query", Effect::Read), ("mutationType", "mutation", Effect::Irreversible)];
    for (key, kind, effect) in roots {
        let Some(root) = schema.pointer(&format!("/{key}/name")).and_then(Value::as_str) else { continue };
        let Some(fields) = types.named(root).and_then(|root| root.get("fields")?.as_array()) else {
            return Err(refused(&source.origin, format!("#/__schema/{key}: the type {root:?} has no fields")));
        };
        for field in fields {
            let described = describe(&mut types, field, (kind, effect), server)?;
            // A mutation may be named like a query; the catalogue knows each name once.
            let name =
                if assembly.has(&described.name) { format!("{kind} {}", described.name) } else { described.name };
            assembly.add(Described { name, ..described })?;
        }
    }
    let titles = HashMap::from(["query", "mutation"].map(|kind| (kind.to_owned(), format!("{} {kind}", source.name))));
    assembly.finish(&types.into_definitions(), &titles)
}

fn describe<'a>(
    types: &mut Types<'a>,
    field: &'a Value,
    (kind, effect): (&str, Effect),
    server: &str,
) -> Result<Described> {
    let name = field.get("name").and_then(Value::as_str).unwrap_or_default();
    let place = format!("/__schema/{kind}/{name}");
    if !types::is_name(name) {
        return types.wrong(&place, "a field has no name that GraphQL allows");
    }
    let arguments = types.arguments(field, &place)?;
    let mut properties = Map::new();
    for argument in &arguments {
        let mut schema = argument.schema.clone();
        schema["x-in"] = json!("variable");
        properties.insert(argument.name.to_owned(), schema);
    }
    let required: Vec<&str> =
        arguments.iter().filter(|argument| argument.is_required).map(|argument| argument.name).collect();
    let (selected, answer) = types.select(field.get("type").unwrap_or(&Value::Null), &place)?;
    let declared: Vec<String> =
        arguments.iter().map(|argument| format!("${}: {}", argument.name, argument.written)).collect();
    let passed: Vec<String> = arguments.iter().map(|argument| format!("{0}: ${0}", argument.name)).collect();
    let in_brackets =
        |list: Vec<String>| if list.is_empty() { String::new() } else { format!("({})", list.join(", ")) };
    let document = format!("{kind} {name}{} {{ {name}{}{selected} }}", in_brackets(declared), in_brackets(passed));
    let text = field.get("description").and_then(Value::as_str).unwrap_or_default();
    let summary = clean::sentence(text, MAX_SUMMARY);
    Ok(Described {
        service: kind.to_owned(),
        name: name.to_owned(),
        place,
        summary: if summary.is_empty() { format!("GraphQL {kind} {name}") } else { summary },
        words: Vec::new(),
        effect,
        undo: None,
        invocation: Invocation::GraphQl { url: server.to_owned(), document },
        parameters: json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
        result: json!({"type": "object", "properties": {"data": {"type": "object", "properties": {name: answer}}}}),
    })
}

#[cfg(test)]
mod tests;
