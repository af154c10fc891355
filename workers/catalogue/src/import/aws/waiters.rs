//! Botocore's waiters: what can be waited for with an operation, and after it.

use serde_json::Value;

use super::effect::verb;
use crate::operation::Operation;
use crate::semantics::{Origin, Waiter};

/// What a thing is in after these first words: ends of waiter names.
const AFTER: &[(&[&str], &[&str])] = &[
    (
        &["Create", "Run", "Restore", "Copy", "Import", "Register", "Allocate", "Launch", "Request", "Issue"],
        &[
            "Available",
            "Exists",
            "Active",
            "Running",
            "InService",
            "Completed",
            "Complete",
            "Ready",
            "Created",
            "Issued",
            "Ok",
        ],
    ),
    (&["Start"], &["Running", "Started", "Active", "Available", "Ready", "Completed", "Complete", "Succeeded"]),
    (&["Stop"], &["Stopped"]),
    (&["Delete", "Terminate", "Deregister"], &["Deleted", "NotExists", "Terminated", "Deregistered"]),
    (&["Update", "Modify"], &["Updated", "UpdateComplete", "UpdateCompleted", "Available", "Active"]),
];

/// Gives every operation the waiters that poll it, and those that may follow it.
pub(super) fn attach(waiters: &Value, operations: &mut [Operation]) {
    let all: Vec<Waiter> =
        waiters.get("waiters").and_then(Value::as_object).into_iter().flatten().filter_map(read).collect();
    for operation in operations {
        let name = operation.name.clone();
        let own = all.iter().filter(|waiter| waiter.polls == name);
        operation.semantics.waiters.extend(own.cloned());
        let after = all.iter().filter(|waiter| waiter.polls != name && follows(&name, &waiter.name));
        operation
            .semantics
            .waiters
            .extend(after.map(|waiter| Waiter { from: Origin::rule("waiter-of-the-noun"), ..waiter.clone() }));
    }
}

fn read((name, described): (&String, &Value)) -> Option<Waiter> {
    let number = |key: &str| described.get(key).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let acceptors = described.get("acceptors").and_then(Value::as_array).into_iter().flatten();
    let succeeding = acceptors.filter(|acceptor| acceptor.get("state").is_some_and(|state| state == "success"));
    Some(Waiter {
        name: name.clone(),
        polls: described.get("operation")?.as_str()?.to_owned(),
        until: succeeding.filter_map(condition).collect::<Vec<_>>().join(" or "),
        delay: number("delay")?,
        attempts: number("maxAttempts")?,
        from: Origin::vendor("waiters-2"),
    })
}

/// `Reservations[].Instances[].State.Name = running (all)`.
fn condition(acceptor: &Value) -> Option<String> {
    let expected = match acceptor.get("expected")? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let path = acceptor.get("argument").and_then(Value::as_str).unwrap_or_default();
    Some(match acceptor.get("matcher")?.as_str()? {
        "status" => format!("HTTP {expected}"),
        "error" => format!("error {expected}"),
        "pathAll" => format!("{path} = {expected} (all)"),
        "pathAny" => format!("{path} = {expected} (any)"),
        _ => format!("{path} = {expected}"),
    })
}

/// `InstanceRunning` follows `RunInstances`: the same noun, in a state that the verb brings.
fn follows(operation: &str, waiter: &str) -> bool {
    let verb = verb(operation);
    let noun = singular(&operation[verb.len()..]);
    let Some(state) = waiter.strip_prefix(noun).filter(|_| !noun.is_empty()) else { return false };
    let state = state.trim_end_matches("V2").trim_end_matches("V3");
    AFTER.iter().any(|(verbs, states)| verbs.contains(&verb) && states.contains(&state))
}

fn singular(noun: &str) -> &str {
    if noun.ends_with("ss") { noun } else { noun.strip_suffix('s').unwrap_or(noun) }
}
