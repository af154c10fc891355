//! One operation of a botocore model → [`Operation`].

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::effect::{self, Facts};
use super::shapes::{Shapes, is_true, shape_name};
use super::source::ServiceModel;
use super::text::{self, first_sentence};
use super::{PROVIDER, cli, filters, inverse, semantics, waiters};
use crate::operation::{Effect, Invocation, Operation};
use crate::semantics::{KeyPlace, Semantics};

/// Longest summary, in bytes: the contract of [`Operation::summary`].
const MAX_SUMMARY: usize = 300;

/// Every operation of a service, in the order of their names.
pub(super) fn import_all(service: &str, model: &ServiceModel, shapes: &Shapes) -> Vec<Operation> {
    let listed = listed(model);
    let mut operations: Vec<Operation> =
        listed.iter().map(|(name, described)| import(service, (name, described), shapes, model)).collect();
    // Parameters first: a shape used on both sides keeps its descriptions.
    for (operation, (_, described)) in operations.iter_mut().zip(&listed) {
        if let Some(output) = described.get("output").and_then(shape_name) {
            operation.result = shapes.object(output, false);
        }
    }
    operations
}

/// Effects, inverses, waiters and what else is told of failing; needs the operations of the whole service and their shapes.
pub(super) fn add_semantics(
    operations: &mut [Operation],
    model: &ServiceModel,
    shapes: &Shapes,
    definitions: &Map<String, Value>,
) {
    let listed = listed(model);
    let texts = listed.iter().map(|(name, described)| ((*name).clone(), text::opening(documentation(described))));
    let texts: HashMap<String, String> = texts.collect();
    let service = operations.first().map(|first| first.service.clone()).unwrap_or_default();
    inverse::link(&service, operations, &texts, definitions);
    waiters::attach(&model.waiters, operations);
    for (operation, (name, described)) in operations.iter_mut().zip(&listed) {
        let input = described.get("input").and_then(shape_name);
        let members: Vec<(&str, &Value, &Value)> = input.into_iter().flat_map(|shape| shapes.members(shape)).collect();
        let known = &mut operation.semantics;
        known.key = semantics::key(&members);
        known.dry_run = semantics::dry_run(&members);
        known.paging = semantics::paging(&model.paginators, name);
        known.errors = semantics::errors(described, shapes, &model.retry);
        let method = described.pointer("/http/method").and_then(Value::as_str).unwrap_or_default();
        let facts = Facts {
            readonly: is_true(described, "readonly"),
            idempotent: is_true(described, "idempotent"),
            safe_method: matches!(method, "GET" | "HEAD"),
            keyed: known.key.is_some(),
            text: texts.get(*name).map_or("", String::as_str),
            makes_version: makes_version(described, shapes),
            can_be_taken_back: known.inverse.is_some(),
        };
        (operation.effect, known.effect_from) = effect::effect(name, facts);
    }
}

fn listed(model: &ServiceModel) -> Vec<(&String, &Value)> {
    let listed = model.api.get("operations").and_then(Value::as_object);
    let mut listed: Vec<(&String, &Value)> = listed.into_iter().flatten().collect();
    listed.sort_by_key(|(name, _)| name.as_str());
    listed
}

fn documentation(described: &Value) -> &str {
    described.get("documentation").and_then(Value::as_str).unwrap_or_default()
}

/// Does the result name a version that the call made?
fn makes_version(described: &Value, shapes: &Shapes) -> bool {
    let output = described.get("output").and_then(shape_name);
    let mut names =
        output.into_iter().flat_map(|shape| shapes.members(shape)).map(|(name, ..)| name.to_ascii_lowercase());
    names.any(|name| ["versionid", "versionnumber", "versionarn"].iter().any(|end| name.ends_with(end)))
}

fn import(service: &str, named: (&str, &Value), shapes: &Shapes, model: &ServiceModel) -> Operation {
    let (name, described) = named;
    let words = cli::words(service, name);
    let input = described.get("input").and_then(shape_name);
    let mut parameters = input.map_or_else(no_parameters, |shape| shapes.object(shape, true));
    let members: Vec<(&str, &Value, &Value)> = input.into_iter().flat_map(|shape| shapes.members(shape)).collect();
    let key = semantics::key(&members);
    let page_tokens = page_tokens(&model.paginators, name);
    if let Some(properties) = parameters.get_mut("properties").and_then(Value::as_object_mut) {
        for (member, reference, _) in &members {
            let Some(schema) = properties.get_mut(*member) else { continue };
            schema["x-flag"] = json!(cli::flag(service, &words[2], member));
            let is_filter = member.ends_with("Filters") && schema["type"] == "array";
            if let Some(filters) = is_filter.then(|| filters::documented(documentation(reference))).flatten() {
                schema["x-filters"] = filters;
            }
            let is_key =
                key.as_ref().is_some_and(|key| matches!(&key.place, KeyPlace::Parameter(name) if name == member));
            if is_key || is_never_said(member, reference, schema, &page_tokens) {
                schema["x-never"] = json!(true);
            }
        }
        add_outfile(properties, described, shapes);
    }
    drop_requirement_of_tokens(&mut parameters);
    amend(service, name, &mut parameters);
    if is_true(described, "deprecated") {
        parameters["deprecated"] = json!(true);
    }
    Operation {
        provider: PROVIDER.to_owned(),
        service: service.to_owned(),
        name: name.to_owned(),
        summary: first_sentence(documentation(described), MAX_SUMMARY),
        words: Vec::new(),
        effect: Effect::Irreversible,
        undo: None,
        invocation: Invocation::Command { words },
        parameters,
        result: Value::Null,
        semantics: Semantics::default(),
        definitions: std::sync::Arc::default(),
    }
}

fn no_parameters() -> Value {
    json!({"type": "object", "properties": {}, "additionalProperties": false})
}

/// Idempotency tokens, page tokens and dry-run switches are not the model's to write.
fn is_never_said(member: &str, reference: &Value, schema: &Value, page_tokens: &[&str]) -> bool {
    let folded = member.to_ascii_lowercase();
    let paging = matches!(folded.as_str(), "nexttoken" | "paginationtoken" | "pagetoken" | "nextpagetoken")
        && schema.get("type").is_some_and(|kind| kind == "string");
    is_true(reference, "idempotencyToken") || paging || folded == "dryrun" || page_tokens.contains(&member)
}

/// The command line makes required idempotency tokens itself: nobody has to give them.
fn drop_requirement_of_tokens(parameters: &mut Value) {
    let never = |parameters: &Value, name: &Value| {
        let name = name.as_str().unwrap_or_default();
        parameters.get("properties").and_then(|all| all.get(name)?.get("x-never")).is_some()
    };
    let Some(Value::Array(required)) = parameters.get("required") else { return };
    let kept: Vec<Value> = required.iter().filter(|name| !never(parameters, name)).cloned().collect();
    let Some(object) = parameters.as_object_mut() else { return };
    if kept.is_empty() {
        object.shift_remove("required");
    } else {
        object.insert("required".to_owned(), Value::Array(kept));
    }
}

/// `input_token` of the operation's paginator: a name or several.
fn page_tokens<'a>(paginators: &'a Value, operation: &str) -> Vec<&'a str> {
    match paginators.get("pagination").and_then(|all| all.get(operation)).and_then(|one| one.get("input_token")) {
        Some(Value::String(token)) => vec![token],
        Some(Value::Array(tokens)) => tokens.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The command line writes a result that is bytes to a file, its first positional.
fn add_outfile(properties: &mut Map<String, Value>, described: &Value, shapes: &Shapes) {
    let output = described.get("output").and_then(shape_name);
    let payload = output.and_then(|name| shapes.get(name)).and_then(|shape| shape.get("payload")?.as_str());
    let (Some(output), Some(payload)) = (output, payload) else { return };
    let is_bytes = shapes.members(output).any(|(name, _, shape)| name == payload && shape["type"] == "blob");
    if is_bytes && !properties.contains_key("outfile") {
        let text = "File to which the result is written.";
        properties.insert("outfile".to_owned(), json!({"type": "string", "description": text, "x-position": 0}));
    }
}

/// The command line fills these in itself (`awscli/customizations/ec2/addcount.py`).
fn amend(service: &str, name: &str, parameters: &mut Value) {
    if (service, name) != ("ec2", "RunInstances") {
        return;
    }
    if let Some(object) = parameters.as_object_mut() {
        object.shift_remove("required");
    }
    let Some(properties) = parameters.get_mut("properties").and_then(Value::as_object_mut) else { return };
    // `--count 2:5` is both, in this order.
    for (position, count) in ["MinCount", "MaxCount"].into_iter().enumerate() {
        let Some(mut schema) = properties.shift_remove(count) else { continue };
        schema["default"] = json!(1);
        schema["x-flag"] = json!("count");
        properties.shift_insert(position, count.to_owned(), schema);
    }
}
