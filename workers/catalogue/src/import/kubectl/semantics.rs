//! What may be done when a kubectl command fails: from its help where that says it, else from our reading of the command.

use serde_json::{Value, json};

use super::command::{Command, Help};
use crate::import::kubernetes;
use crate::operation::Effect;
use crate::semantics::{ArgumentSource, DryRun, ErrorKind, ErrorRule, Inverse, Origin, Semantics, Variation, Waiter};

/// Command, flag, the class of a call that has it.
const VARIATIONS: &[(&str, &str, Effect)] = &[
    // Deletes what the files no longer name.
    ("apply", "prune", Effect::Irreversible),
    // Deletes and creates again where a change is refused.
    ("apply", "force", Effect::Irreversible),
    ("set env", "list", Effect::Read),
    ("label", "list", Effect::Read),
    ("annotate", "list", Effect::Read),
    ("set env", "local", Effect::Read),
    ("set image", "local", Effect::Read),
    ("set resources", "local", Effect::Read),
    ("set selector", "local", Effect::Read),
    ("set serviceaccount", "local", Effect::Read),
    ("set subject", "local", Effect::Read),
    ("label", "local", Effect::Read),
    ("annotate", "local", Effect::Read),
    ("patch", "local", Effect::Read),
];

/// Commands after which `rollout status` or `wait` tells when it is done, and for what.
const WAITS: &[(&[&str], &str, &str)] = &[
    (
        &[
            "create deployment",
            "set env",
            "set image",
            "set resources",
            "set serviceaccount",
            "scale",
            "rollout restart",
            "rollout undo",
        ],
        "rollout status",
        "all replicas are updated and available",
    ),
    (&["apply", "rollout resume"], "rollout status", "all replicas are updated and available"),
    (&["create job"], "wait", "--for=condition=complete"),
    (&["run"], "wait", "--for=condition=Ready"),
    (&["delete"], "wait", "--for=delete"),
];

/// The semantics of a command; `effect` is in the table beside it.
pub fn of(help: &Help, command: &Command) -> Semantics {
    let has = |flag: &str| help.flags.iter().find(|known| known.name == flag);
    let only_asks = has("dry-run").filter(|flag| flag.doc.contains("\"server\""));
    let parameter = |flag: &str| command.flags.rename.get(flag).cloned().unwrap_or_else(|| flag.to_owned());
    let variations = VARIATIONS.iter().filter(|(name, flag, _)| *name == help.name && has(flag).is_some());
    Semantics {
        effect_from: Origin::rule("kubectl-table"),
        variations: variations
            .map(|(_, flag, effect)| Variation {
                parameter: parameter(flag),
                values: Vec::new(),
                effect: *effect,
                from: Origin::Text,
            })
            .collect(),
        dry_run: only_asks.map(|_| DryRun {
            parameter: "dry-run".to_owned(),
            values: vec![json!("client"), json!("server")],
            from: Origin::Text,
        }),
        waiters: waiters(&help.name),
        errors: if command.local { Vec::new() } else { errors() },
        inverse: inverse(command),
        ..Semantics::default()
    }
}

fn waiters(name: &str) -> Vec<Waiter> {
    let after = WAITS.iter().filter(|(commands, ..)| commands.contains(&name));
    let waiter = |(_, polls, until): &(&[&str], &str, &str)| Waiter {
        name: (*polls).to_owned(),
        polls: (*polls).to_owned(),
        until: (*until).to_owned(),
        // They watch by themselves: one call is enough.
        delay: 0,
        attempts: 1,
        from: Origin::rule("kubectl-waits"),
    };
    after.map(waiter).collect()
}

/// Reasons of the API server, from the Kubernetes API conventions.
fn errors() -> Vec<ErrorRule> {
    let rule = |kind, codes: &[&str]| ErrorRule {
        kind,
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        from: Origin::rule("kubernetes-status-reasons"),
    };
    vec![
        rule(ErrorKind::Throttled, &["TooManyRequests", "HTTP 429"]),
        rule(
            ErrorKind::Transient,
            &["ServerTimeout", "Timeout", "InternalError", "ServiceUnavailable", "HTTP 500", "HTTP 503", "HTTP 504"],
        ),
    ]
}

/// What was created is deleted by its kind and the name in the answer; opposites take the same object.
fn inverse(command: &Command) -> Option<Inverse> {
    let operation = command.undo.clone()?;
    let argument = |name: &str| (name.to_owned(), ArgumentSource::Argument(name.to_owned()));
    let mut arguments = Vec::new();
    let made = command.result.as_deref().and_then(|kind| kubernetes::kinds().iter().find(|known| known.kind == kind));
    let is_deletion = operation == "delete";
    match made.filter(|_| is_deletion) {
        Some(kind) => {
            let path = |path: &str| ArgumentSource::Result(path.to_owned());
            arguments.push(("resource".to_owned(), ArgumentSource::Constant(Value::String(kind.name.clone()))));
            arguments.push(("name".to_owned(), path("metadata.name")));
            if kind.namespaced {
                arguments.push(("namespace".to_owned(), path("metadata.namespace")));
            }
        }
        None if is_deletion => return None,
        None => {
            let words = command.positionals.split_whitespace().map(|word| word.trim_start_matches('/'));
            arguments.extend(words.map(argument));
            if !command.cluster {
                arguments.push(argument("namespace"));
            }
        }
    }
    arguments.push(argument("context"));
    Some(Inverse { operation, arguments, from: Origin::rule("kubectl-table") })
}
