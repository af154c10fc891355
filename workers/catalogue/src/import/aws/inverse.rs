//! Which operation takes another back, and with which identifiers: only where the names and shapes leave no choice.
//!
//! A pair of verbs (`Create`/`Delete`) over the same noun in the same service proposes the inverse; it is certain when each
//! argument that the inverse needs is found by its name in the forward call's result or arguments, with the same type. What
//! may overwrite (`Tag…`, "creates or updates") has none: taking it back would lose what was there. Start at [`link`].

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::effect::{is_run, verb};
use crate::operation::Operation;
use crate::semantics::{ArgumentSource, Inverse, Origin};

mod source;

use source::{Forward, identifier, same_arguments};

/// Pairs of first words: what the left one does, the right one takes back; whether the left one makes a new thing.
const PAIRS: &[(&str, &str, Making)] = &[
    ("Create", "Delete", Making::New),
    ("Register", "Deregister", Making::New),
    ("Allocate", "Release", Making::New),
    ("Import", "Delete", Making::New),
    ("Start", "Stop", Making::New),
    ("Subscribe", "Unsubscribe", Making::New),
    ("Attach", "Detach", Making::Link),
    ("Detach", "Attach", Making::Link),
    ("Associate", "Disassociate", Making::Link),
    ("Disassociate", "Associate", Making::Link),
    ("Add", "Remove", Making::Link),
    ("Authorize", "Revoke", Making::Link),
    ("Enable", "Disable", Making::Switch),
    ("Disable", "Enable", Making::Switch),
    ("Stop", "Start", Making::Switch),
    ("Suspend", "Resume", Making::Switch),
    ("Resume", "Suspend", Making::Switch),
    ("Activate", "Deactivate", Making::Switch),
    ("Deactivate", "Activate", Making::Switch),
    ("Lock", "Unlock", Making::Switch),
    ("Pause", "Resume", Making::Switch),
];

/// Joining words that change with the direction: `AddUserToGroup`, `RemoveUserFromGroup`.
const DIRECTIONS: &[(&str, &str)] = &[("To", "From"), ("With", "From"), ("From", "To"), ("From", "With")];

/// Certain, but not to be seen from the names: service, forward, inverse, argument, path.
const KNOWN: &[(&str, &str, &str, &str, &str)] = &[
    ("ec2", "RunInstances", "TerminateInstances", "InstanceIds", "Instances[*].InstanceId"),
    ("ecs", "CreateCluster", "DeleteCluster", "cluster", "cluster.clusterArn"),
    ("ecs", "RegisterTaskDefinition", "DeregisterTaskDefinition", "taskDefinition", "taskDefinition.taskDefinitionArn"),
];

/// What the forward operation does to its noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    /// Makes it: the result names it.
    New,
    /// Joins two things: both calls name them.
    Link,
    /// Turns it on or off: both calls name it.
    Switch,
}

/// Writes `undo` and `semantics.inverse` of every operation of a service that has a certain inverse. `texts` are the vendor's
/// own, plain, by operation.
pub(super) fn link(
    service: &str,
    operations: &mut [Operation],
    texts: &HashMap<String, String>,
    definitions: &Map<String, Value>,
) {
    let by_name: HashMap<&str, &Operation> = operations.iter().map(|one| (one.name.as_str(), one)).collect();
    let inverses: Vec<Option<Inverse>> = operations
        .iter()
        .map(|forward| {
            let text = texts.get(&forward.name).map_or("", String::as_str);
            known(service, &forward.name).or_else(|| find(forward, text, &by_name, definitions))
        })
        .collect();
    for (operation, inverse) in operations.iter_mut().zip(inverses) {
        operation.undo = inverse.as_ref().map(|inverse| inverse.operation.clone());
        operation.semantics.inverse = inverse;
    }
}

fn known(service: &str, name: &str) -> Option<Inverse> {
    let (.., operation, argument, path) = *KNOWN.iter().find(|known| (known.0, known.1) == (service, name))?;
    let arguments = vec![(argument.to_owned(), ArgumentSource::Result(path.to_owned()))];
    Some(Inverse { operation: operation.to_owned(), arguments, from: Origin::rule("known-pair") })
}

fn find(
    forward: &Operation,
    text: &str,
    by_name: &HashMap<&str, &Operation>,
    definitions: &Map<String, Value>,
) -> Option<Inverse> {
    let verb = verb(&forward.name);
    let noun = &forward.name[verb.len()..];
    // What is over for good is not brought back by starting another.
    if overwrites(noun, text) || verb == "Stop" && is_run(noun) {
        return None;
    }
    PAIRS.iter().filter(|pair| pair.0 == verb).find_map(|&(_, opposite, making)| {
        let inverse = opposites(opposite, noun).find_map(|name| by_name.get(name.as_str()).copied())?;
        let forward = Forward { operation: forward, noun, making, definitions };
        let arguments = arguments(&forward, inverse)?;
        let from = Origin::rule(if making == Making::New { "made-and-unmade" } else { "opposite-verbs" });
        Some(Inverse { operation: inverse.name.clone(), arguments, from })
    })
}

/// May it change something that was there before? Then its opposite would lose that.
fn overwrites(noun: &str, text: &str) -> bool {
    let start = text.char_indices().nth(400).map_or(text, |(end, _)| &text[..end]).to_ascii_lowercase();
    let or_changes = ["update", "overwrite", "replace", "modif"].iter().any(|word| {
        start.contains(&format!("s or {word}"))
            || start.contains(&format!("or {word}s"))
            || start.contains(&format!("add or {word}"))
    });
    or_changes || noun.starts_with("Tags") || noun.starts_with("OrUpdate") || noun.ends_with("Tags")
}

/// Names the inverse may have: the opposite verb, and the joining word turned round.
fn opposites(opposite: &str, noun: &str) -> impl Iterator<Item = String> {
    let mut names = vec![format!("{opposite}{noun}")];
    for (joined, turned) in DIRECTIONS {
        // Only where it joins two words: `To` of `UserToGroup`, not of `Topic`.
        let at = noun
            .match_indices(joined)
            .map(|(at, _)| at)
            .filter(|at| *at > 0 && noun[at + joined.len()..].starts_with(|next: char| next.is_uppercase()));
        names.extend(at.map(|at| format!("{opposite}{}{turned}{}", &noun[..at], &noun[at + joined.len()..])));
    }
    names.into_iter()
}

/// Every argument the inverse needs; `None` when one of them is open.
fn arguments(forward: &Forward<'_>, inverse: &Operation) -> Option<Vec<(String, ArgumentSource)>> {
    let said = |name: &str| inverse.parameter(name).is_some_and(|schema| schema.get("x-never").is_none());
    let required: Vec<&str> =
        inverse.properties().map(|(name, _)| name).filter(|name| inverse.is_required(name) && said(name)).collect();
    let mut arguments = Vec::new();
    for name in &required {
        arguments.push(((*name).to_owned(), forward.source(name, inverse.parameter(name)?)?));
    }
    // An inverse that takes what the forward call took must take all of it: a rule of a security group, not the group. Also
    // what neither requires: both take the stream by name or by ARN.
    if forward.making != Making::New {
        arguments.extend(same_arguments(forward, inverse, &arguments));
    }
    if arguments.is_empty() {
        arguments.extend(identifier(forward, inverse));
    }
    let takes_nothing = forward.operation.properties().all(|(name, _)| !forward.operation.is_required(name));
    let needs_nothing = takes_nothing && inverse.properties().all(|(name, _)| !said(name));
    (!arguments.is_empty() || needs_nothing).then_some(arguments)
}

#[cfg(test)]
mod tests;
