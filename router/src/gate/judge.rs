//! The rules a call must keep: it exists, its arguments fit, what it refers to is there and of the right kind.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use silverback_catalogue::{
    Effect as CatalogueEffect, Operation, Pack, Violation, ViolationCode, check,
    command::{Rendered, render},
    result_path_of, result_schema,
};
use silverback_graph::{Call, CallId, Effect, HttpRequest, Invocation, McpTool, Reference, references};

use super::OpenPacks;

/// Violations that are told; the first ones are enough to see what is wrong.
const TOLD: usize = 3;

/// Calls that may be referred to: what they call, and with which arguments, since those decide what is answered.
type Known = BTreeMap<CallId, (Arc<Operation>, Value)>;

/// A call and whether it may be passed on.
pub(super) struct Judged {
    pub(super) call: Call,
    pub(super) verdict: Result<(), Problem>,
}

/// Why a call may not be passed on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    /// One line for people.
    pub(super) reason: String,
    /// For the worker, when it can do better.
    pub(super) faults: Vec<Violation>,
    /// Does the catalogue know the operation? Its name is made up otherwise, and must not become a label of a metric.
    pub(super) is_known: bool,
}

/// Judges the calls of one answer; `earlier` are those they may refer to. Blocks on reading packs.
pub(super) fn judge(calls: Vec<Call>, earlier: &[Call], packs: &OpenPacks) -> Vec<Judged> {
    let mut operations: Known = BTreeMap::new();
    for call in earlier {
        let known = |operation| (call.id, (operation, Value::Object(call.arguments.clone())));
        operations.extend(find_operation(call, packs).ok().map(known));
    }
    let mut judged = Vec::with_capacity(calls.len());
    for mut call in calls {
        let verdict = find_operation(&call, packs).and_then(|operation| {
            check_arguments(&operation, &mut call)?;
            operations.insert(call.id, (operation, Value::Object(call.arguments.clone())));
            Ok(())
        });
        judged.push(Judged { call, verdict });
    }
    for Judged { call, verdict } in &mut judged {
        if verdict.is_ok() {
            *verdict = check_references(call, &operations);
        }
        if let (Ok(()), Some((operation, _))) = (&verdict, operations.get(&call.id)) {
            write_from_catalogue(operation, call);
        }
    }
    judged
}

/// Writes a call's invocation anew. Blocks on reading the pack.
pub(super) fn write_invocation(pack: Arc<Pack>, call: &mut Call) -> Result<(), String> {
    let operation = find_in(&pack, call).map_err(|problem| problem.reason)?;
    write_from_catalogue(&operation, call);
    Ok(())
}

fn find_operation(call: &Call, packs: &OpenPacks) -> Result<Arc<Operation>, Problem> {
    let pack = packs.get(&call.catalogue).ok_or_else(|| hopeless("the answer names too many catalogues".to_owned()))?;
    find_in(pack.as_ref().map_err(|reason| hopeless(reason.clone()))?, call)
}

fn find_in(pack: &Pack, call: &Call) -> Result<Arc<Operation>, Problem> {
    if pack.provider() != call.provider {
        return Err(hopeless(format!("its catalogue is of {}, not of {}", pack.provider(), call.provider)));
    }
    let Some(index) = pack.find(&call.service, &call.operation) else {
        let reason = format!("{} has no operation {} {}", call.provider, call.service, call.operation);
        let fault = Violation { pointer: String::new(), code: ViolationCode::Operation, message: reason.clone() };
        return Err(Problem { reason, faults: vec![fault], is_known: false });
    };
    pack.operation(index).map_err(|error| hopeless(error.to_string()))
}

/// Telling the worker cannot help.
fn hopeless(reason: String) -> Problem {
    Problem { reason, faults: Vec::new(), is_known: false }
}

fn check_arguments(operation: &Operation, call: &mut Call) -> Result<(), Problem> {
    let arguments = Value::Object(std::mem::take(&mut call.arguments));
    let violations = check(operation, &arguments);
    if let Value::Object(arguments) = arguments {
        call.arguments = arguments;
    }
    if violations.is_empty() {
        return Ok(());
    }
    let told: Vec<_> =
        violations.iter().take(TOLD).map(|found| format!("{}: {}", found.pointer, found.message)).collect();
    Err(Problem { reason: told.join("; "), faults: violations, is_known: true })
}

/// A call that is not in the list is left to merging, which knows the whole plan.
fn check_references(call: &Call, operations: &Known) -> Result<(), Problem> {
    let unreadable = |pointer: String| misled(pointer, "this reference cannot be read".to_owned());
    let found = references(&call.arguments).map_err(unreadable)?;
    let own = operations.get(&call.id).map(|(own, _)| own);
    for (pointer, reference) in found {
        let Some((target, arguments)) = operations.get(&reference.call) else {
            continue;
        };
        let given = check_path(&pointer, &reference, (target, arguments))?;
        let wanted = own.and_then(|own| schema_at(own, &pointer));
        if let (Some(given), Some(wanted)) = (given.and_then(shape), wanted.and_then(shape))
            && given != wanted
        {
            let path = &reference.path;
            let message = format!("{path} of {} is {given}, but {wanted} is needed", target.name);
            return Err(misled(pointer, message));
        }
    }
    Ok(())
}

/// The schema of what a reference gives; `None` when the vendor does not describe its results.
fn check_path<'a>(
    pointer: &str,
    reference: &Reference,
    (target, arguments): (&'a Operation, &Value),
) -> Result<Option<&'a Value>, Problem> {
    if !result_schema(target, arguments).is_object() {
        return Ok(None);
    }
    let missing = || misled(pointer.to_owned(), format!("the result of {} has no {}", target.name, reference.path));
    result_path_of(target, arguments, &reference.path).map(Some).ok_or_else(missing)
}

/// A reference that leads nowhere or to the wrong kind of value.
fn misled(pointer: String, message: String) -> Problem {
    let reason = format!("{pointer}: {message}");
    Problem { reason, faults: vec![Violation { pointer, code: ViolationCode::Reference, message }], is_known: true }
}

/// The schema of the argument at a JSON pointer; `None` where the catalogue leaves it open.
fn schema_at<'a>(operation: &'a Operation, pointer: &str) -> Option<&'a Value> {
    let mut schema = &operation.parameters;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let resolved = operation.resolve(schema);
        schema = match resolved.get("items") {
            Some(items) => items,
            None => resolved.get("properties")?.get(&token)?,
        };
    }
    Some(operation.resolve(schema))
}

/// The coarse kind of a schema. Numbers and strings are one kind: command lines carry both as words.
fn shape(schema: &Value) -> Option<&'static str> {
    match schema.get("type")?.as_str()? {
        "object" => Some("an object"),
        "array" => Some("a list"),
        "string" | "integer" | "number" | "boolean" => Some("a single value"),
        _ => None,
    }
}

fn write_from_catalogue(operation: &Operation, call: &mut Call) {
    let arguments = Value::Object(call.arguments.clone());
    call.effect = match operation.effect_of(&arguments) {
        CatalogueEffect::Read => Effect::Read,
        CatalogueEffect::Idempotent => Effect::Idempotent,
        CatalogueEffect::Keyed => Effect::Keyed,
        CatalogueEffect::Irreversible => Effect::Irreversible,
    };
    call.undo = operation.undo.clone();
    call.invocation = match render(operation, &arguments) {
        Rendered::Command(words) => Invocation::Command(words),
        Rendered::Http(parts) => Invocation::Http(HttpRequest {
            method: parts.method,
            url: parts.url,
            headers: parts.headers.into_iter().collect(),
            body: parts.body,
        }),
        Rendered::Mcp { server, tool } => Invocation::Mcp(McpTool { server, tool }),
    };
}

#[cfg(test)]
mod tests;
