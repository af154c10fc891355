//! Recognises pages in descriptions that have no word for them: a parameter that takes a token, and where the answer gives it.
//!
//! By the names in use (Google's AIP-158 `page_token`/`next_page_token`, Slack's and Notion's cursors, Stripe's lists). Both halves must be
//! there: a parameter alone says nothing of how to go on. Page numbers and offsets are left alone, since people ask for them.

use serde_json::{Map, Value, json};

use crate::operation::Operation;
use crate::pack::squash;
use crate::semantics::{Origin, Paging};

/// Parameter and what the answer calls the next value of it, both without case and marks.
const TOKENS: [(&str, &[&str]); 9] = [
    ("pagetoken", &["nextpagetoken"]),
    ("nextpagetoken", &["nextpagetoken"]),
    ("nexttoken", &["nexttoken"]),
    ("cursor", &["nextcursor", "cursor"]),
    ("startcursor", &["nextcursor"]),
    ("continuationtoken", &["nextcontinuationtoken", "continuationtoken"]),
    ("continuation", &["nextcontinuation", "continuation"]),
    ("marker", &["nextmarker"]),
    ("after", &["endcursor"]),
];
const LIMITS: [&str; 8] = ["limit", "pagesize", "perpage", "maxresults", "maxitems", "maxkeys", "maxpagesize", "first"];
/// Members that hold the token where the answer's top does not.
const WRAPS: [&str; 6] = ["meta", "metadata", "pagination", "paging", "pageinfo", "responsemetadata"];
const MORE: [&str; 3] = ["hasmore", "hasnextpage", "istruncated"];

/// Notes the pages of an operation, and that its token is never the model's to write.
pub(super) fn note(operation: &mut Operation, definitions: &Map<String, Value>) {
    let Some((paging, token)) = find(operation, definitions) else { return };
    operation.parameters["properties"][token]["x-never"] = json!(true);
    operation.semantics.paging = Some(paging);
}

fn find(operation: &Operation, definitions: &Map<String, Value>) -> Option<(Paging, String)> {
    let properties = operation.parameters.get("properties")?.as_object()?;
    let places = places(&operation.result, definitions);
    let named = |wanted: &[&str]| {
        places.iter().find(|(name, _, _)| wanted.contains(&squash(name).as_str())).map(|(_, path, _)| path.clone())
    };
    let (token, output) = properties.keys().find_map(|name| {
        let (_, outputs) = TOKENS.iter().find(|(input, _)| *input == squash(name))?;
        Some((name.clone(), named(outputs)?))
    })?;
    let lists = places.iter().filter(|(_, path, schema)| !path.contains('.') && schema["type"] == "array");
    let paging = Paging {
        input: vec![token.clone()],
        output: vec![output],
        limit: properties.keys().find(|name| LIMITS.contains(&squash(name).as_str())).cloned(),
        more: named(&MORE),
        results: lists.map(|(_, path, _)| path.clone()).collect(),
        from: Origin::rule("token-names"),
    };
    Some((paging, token))
}

/// Members of the answer and of what wraps tokens in it: name, path, schema.
fn places<'a>(result: &'a Value, definitions: &'a Map<String, Value>) -> Vec<(&'a str, String, &'a Value)> {
    let mut places = Vec::new();
    for (name, schema) in members(result, definitions) {
        if WRAPS.contains(&squash(name).as_str()) {
            let inner = members(schema, definitions).into_iter();
            places.extend(inner.map(|(inner, schema)| (inner, format!("{name}.{inner}"), schema)));
        }
        places.push((name, name.to_owned(), schema));
    }
    places
}

fn members<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> Vec<(&'a str, &'a Value)> {
    let properties = resolve(schema, definitions).get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), resolve(schema, definitions))).collect()
}

fn resolve<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> &'a Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|place| place.strip_prefix("#/$defs/"));
    name.and_then(|name| definitions.get(name)).unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Effect, Invocation};

    fn noted(parameters: &[&str], result: Value) -> Operation {
        let properties: Map<String, Value> =
            parameters.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        let mut operation = Operation {
            provider: "test".into(),
            service: "test".into(),
            name: "list".into(),
            summary: String::new(),
            words: Vec::new(),
            effect: Effect::Read,
            undo: None,
            invocation: Invocation::Command { words: Vec::new() },
            parameters: json!({"type": "object", "properties": properties}),
            result,
            semantics: Default::default(),
            definitions: Default::default(),
        };
        let page = json!({"properties": {"next_cursor": {"type": "string"}, "has_more": {"type": "boolean"}}});
        let definitions = Map::from_iter([("Page".to_owned(), page)]);
        note(&mut operation, &definitions);
        operation
    }

    #[test]
    fn a_token_with_both_halves_is_paging_and_never_said() {
        let result = json!({"properties": {"items": {"type": "array"}, "nextPageToken": {"type": "string"}}});
        let found = noted(&["pageToken", "pageSize", "q"], result);
        let paging = found.semantics.paging.expect("pages");
        assert_eq!((paging.input, paging.output), (vec!["pageToken".to_owned()], vec!["nextPageToken".to_owned()]));
        assert_eq!((paging.limit.as_deref(), paging.results), (Some("pageSize"), vec!["items".to_owned()]));
        assert_eq!(found.parameters["properties"]["pageToken"]["x-never"], true);
        assert!(found.parameters["properties"]["q"].get("x-never").is_none());
    }

    #[test]
    fn a_token_within_shared_shapes_is_found() {
        let result = json!({"properties": {"data": {"type": "array"}, "response_metadata": {"$ref": "#/$defs/Page"}}});
        let paging = noted(&["cursor", "limit"], result).semantics.paging.expect("pages");
        assert_eq!(paging.output, ["response_metadata.next_cursor"]);
        assert_eq!(paging.more.as_deref(), Some("response_metadata.has_more"));
    }

    #[test]
    fn one_half_and_page_numbers_are_left_alone() {
        let without = json!({"properties": {"items": {"type": "array"}}});
        assert!(noted(&["pageToken"], without.clone()).semantics.paging.is_none());
        let found = noted(&["page", "per_page"], json!({"properties": {"next_page": {"type": "integer"}}}));
        assert!(found.semantics.paging.is_none() && found.parameters["properties"]["page"].get("x-never").is_none());
    }
}
