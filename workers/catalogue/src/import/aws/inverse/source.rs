//! Finds where an argument of an inverse comes from.

use serde_json::{Map, Value};

use super::Making;
use crate::operation::Operation;
use crate::semantics::ArgumentSource;

/// Deepest place of a result that is looked at, in names: `Cluster.Endpoint.Address`.
const MAX_DEPTH: usize = 3;

/// The call that is to be taken back.
pub(super) struct Forward<'a> {
    pub operation: &'a Operation,
    /// What its name says after the verb.
    pub noun: &'a str,
    pub making: Making,
    pub definitions: &'a Map<String, Value>,
}

/// A place in the result.
struct Place {
    path: String,
    depth: usize,
    /// Name of the structure it stands in; empty at the top.
    within: String,
}

// === impl Forward ===

impl Forward<'_> {
    /// Where the argument of this name comes from; `None` when nothing or more than one thing could be meant.
    pub fn source(&self, name: &str, schema: &Value) -> Option<ArgumentSource> {
        let argument = || self.argument(name, schema);
        let result = || self.result(name, schema).map(ArgumentSource::Result);
        if self.making == Making::New { result().or_else(argument) } else { argument().or_else(result) }
    }

    fn argument(&self, name: &str, schema: &Value) -> Option<ArgumentSource> {
        let own = self.operation.parameter(name).filter(|own| own.get("x-never").is_none())?;
        // An optional argument may be missing in the call at hand, then there is nothing to take.
        let given = self.operation.is_required(name);
        (given && self.same_type(own, schema)).then(|| ArgumentSource::Argument(name.to_owned()))
    }

    fn result(&self, name: &str, schema: &Value) -> Option<String> {
        let found = self.places(name, schema);
        if let Some(place) = only(found) {
            return Some(place);
        }
        other_names(name, self.noun).iter().find_map(|spelling| only(self.places(spelling, schema)))
    }

    /// Places of this name and type that speak of the noun.
    fn places(&self, name: &str, schema: &Value) -> Vec<Place> {
        let mut found = Vec::new();
        let result = self.resolve(&self.operation.result);
        self.walk(result, &Place { path: String::new(), depth: 0, within: String::new() }, &mut |place, member| {
            let speaks = place.depth == 1 || speaks_of(&place.within, self.noun);
            if place.path.rsplit('.').next() == Some(name) && speaks && self.same_type(member, schema) {
                found.push(place);
            }
        });
        found
    }

    fn walk(&self, schema: &Value, at: &Place, found: &mut dyn FnMut(Place, &Value)) {
        let members = schema.get("properties").and_then(Value::as_object);
        for (name, member) in members.into_iter().flatten() {
            let path = if at.path.is_empty() { name.clone() } else { format!("{}.{name}", at.path) };
            let place = |within: &str| Place { path: path.clone(), depth: at.depth + 1, within: within.to_owned() };
            found(place(&at.within), member);
            if at.depth + 1 < MAX_DEPTH {
                self.walk(self.resolve(member), &place(name), found);
            }
        }
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/$defs/"));
        target.and_then(|name| self.definitions.get(name)).unwrap_or(schema)
    }

    fn same_type<'a>(&'a self, one: &'a Value, other: &'a Value) -> bool {
        let kind = |schema: &'a Value| self.resolve(schema).get("type");
        kind(one).is_some() && kind(one) == kind(other)
    }
}

/// The arguments that both calls take, beside those that are found already.
pub(super) fn same_arguments(
    forward: &Forward<'_>,
    inverse: &Operation,
    found: &[(String, ArgumentSource)],
) -> Vec<(String, ArgumentSource)> {
    let is_new = |name: &str| found.iter().all(|(known, _)| known != name);
    let shared = inverse.properties().filter(|(name, schema)| {
        is_new(name)
            && schema.get("x-never").is_none()
            && forward
                .operation
                .parameter(name)
                .is_some_and(|own| own.get("$ref") == schema.get("$ref") && forward.same_type(own, schema))
    });
    shared.map(|(name, _)| (name.to_owned(), ArgumentSource::Argument(name.to_owned()))).collect()
}

/// The one identifier of an inverse that requires none: its own id before any id before a name.
pub(super) fn identifier(forward: &Forward<'_>, inverse: &Operation) -> Option<(String, ArgumentSource)> {
    let own = format!("{}Id", forward.noun);
    let rank = |name: &str| match name {
        name if name == own => Some(0),
        name if name.ends_with("Id") => Some(1),
        name if name.ends_with("Arn") => Some(2),
        name if name.ends_with("Name") => Some(3),
        _ => None,
    };
    let mut candidates: Vec<(usize, &str, &Value)> = inverse
        .properties()
        .filter(|(_, schema)| schema.get("x-never").is_none())
        .filter_map(|(name, schema)| Some((rank(name)?, name, schema)))
        .collect();
    candidates.sort_by_key(|candidate| candidate.0);
    candidates.into_iter().find_map(|(_, name, schema)| Some((name.to_owned(), forward.source(name, schema)?)))
}

/// The shallowest place, when there is one alone at its depth.
fn only(mut places: Vec<Place>) -> Option<String> {
    places.sort_by_key(|place| place.depth);
    let is_alone = places.get(1).is_none_or(|second| second.depth > places[0].depth);
    (!places.is_empty() && is_alone).then(|| places.swap_remove(0).path)
}

/// What an identifier of a `Thing` may be called on the other side: `thingId` and `id` are one, at the top or in its structure.
fn other_names(name: &str, noun: &str) -> Vec<String> {
    let starts = name.get(..noun.len()).is_some_and(|start| start.eq_ignore_ascii_case(noun));
    let rest = if starts { &name[noun.len()..] } else { name };
    let kind = ["Id", "Arn", "Name"].into_iter().find(|kind| kind.eq_ignore_ascii_case(rest));
    let both = |text: String| [lower_first(&text), text];
    match kind {
        Some(kind) if starts => both(kind.to_owned()).to_vec(),
        Some(kind) => both(format!("{noun}{kind}")).to_vec(),
        None => Vec::new(),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Is this the structure of the noun: `Vpc` of `CreateVpc`, `replicationGroup`, `Summary`?
fn speaks_of(structure: &str, noun: &str) -> bool {
    let structure = structure.to_ascii_lowercase();
    let noun = noun.to_ascii_lowercase();
    let stem = structure.trim_end_matches("details").trim_end_matches("summary").trim_end_matches("info");
    stem.is_empty() || (stem.len() > 2 && (noun.ends_with(stem) || stem.ends_with(&noun)))
}
