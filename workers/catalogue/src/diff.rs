//! What changed between two packs of one vendor: operations and parameters that came, went or mean something else.
//!
//! Parameters are followed into structures and lists; a shared shape is looked at once an operation, at the first place that leads to
//! it. Results are not compared. Start at [`diff`].

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::error::{CatalogueError, Result};
use crate::operation::Operation;
use crate::pack::Pack;

/// Structures within structures that are followed.
const MAX_DEPTH: usize = 24;
/// More changes than this in one comparison are two unrelated packs.
const MAX_CHANGES: usize = 200_000;

/// Everything that differs, breaking changes first, then by operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PackDiff {
    /// Vendor of both.
    pub provider: String,
    /// Digest and number of operations of the older pack.
    pub old: Side,
    /// Of the newer one.
    pub new: Side,
    /// Each kind of change with its number.
    pub counts: BTreeMap<ChangeKind, usize>,
    /// How many of them can make a call wrong that was right.
    pub breaking: usize,
    /// All of them.
    pub changes: Vec<Change>,
}

/// One of the packs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// `sha256:…`.
    pub digest: String,
    /// How many operations it has.
    pub operations: u32,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// `service/name`.
    pub operation: String,
    /// Where in the parameters: `Filters[].Name`; empty for the operation itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parameter: String,
    /// What happened.
    pub kind: ChangeKind,
    /// Can a call that was right before be wrong now?
    pub breaking: bool,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

/// What happened to an operation or a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It went.
    OperationRemoved,
    /// It went.
    ParameterRemoved,
    /// Another type.
    TypeChanged,
    /// It must be given now (a new one that must be given counts here too).
    BecameRequired,
    /// Values of an enumeration went.
    ValuesRemoved,
    /// Another effect class.
    EffectChanged,
    /// It came.
    OperationAdded,
    /// It came, and may be left out.
    ParameterAdded,
    /// It need not be given any more.
    BecameOptional,
    /// Values of an enumeration came.
    ValuesAdded,
}

struct Comparison<'a> {
    old: &'a Operation,
    new: &'a Operation,
    name: String,
    /// Pairs of shared shapes that were compared.
    seen: BTreeSet<(&'a str, &'a str)>,
    changes: &'a mut Vec<Change>,
}

/// Compares two packs of one vendor.
///
/// # Errors
/// Packs of two vendors, a damaged one, or more than 200,000 changes.
pub fn diff(old: &Pack, new: &Pack) -> Result<PackDiff> {
    if old.provider() != new.provider() {
        let reason = format!("one is of {}, the other of {}", old.provider(), new.provider());
        return Err(CatalogueError::PackRefused { what: "two packs for comparison".to_owned(), reason });
    }
    let mut changes = Vec::new();
    for (name, index) in names(old) {
        match new.find(&name.0, &name.1) {
            None => changes.push(of_operation(&name, ChangeKind::OperationRemoved, true)),
            Some(found) => compare(&*old.operation(index)?, &*new.operation(found)?, &mut changes),
        }
        if changes.len() > MAX_CHANGES {
            let reason = format!("they differ in more than {MAX_CHANGES} places");
            return Err(CatalogueError::PackRefused { what: "two packs for comparison".to_owned(), reason });
        }
    }
    let came = names(new).into_keys().filter(|name| old.find(&name.0, &name.1).is_none());
    changes.extend(came.map(|name| of_operation(&name, ChangeKind::OperationAdded, false)));
    changes.sort_by(|a, b| {
        let key = |change: &Change| (!change.breaking, change.kind);
        key(a).cmp(&key(b)).then_with(|| (&a.operation, &a.parameter).cmp(&(&b.operation, &b.parameter)))
    });
    let mut counts = BTreeMap::new();
    changes.iter().for_each(|change| *counts.entry(change.kind).or_default() += 1);
    let side = |pack: &Pack| Side { digest: pack.digest(), operations: pack.len() };
    let breaking = changes.iter().filter(|change| change.breaking).count();
    Ok(PackDiff { provider: new.provider().to_owned(), old: side(old), new: side(new), counts, breaking, changes })
}

fn names(pack: &Pack) -> BTreeMap<(String, String), u32> {
    let name = |index| pack.name(index).map(|(service, name)| ((service.to_owned(), name.to_owned()), index));
    (0..pack.len()).filter_map(name).collect()
}

fn of_operation(name: &(String, String), kind: ChangeKind, breaking: bool) -> Change {
    let operation = format!("{}/{}", name.0, name.1);
    Change { operation, parameter: String::new(), kind, breaking, old: None, new: None }
}

fn compare(old: &Operation, new: &Operation, changes: &mut Vec<Change>) {
    let name = format!("{}/{}", new.service, new.name);
    let mut comparison = Comparison { old, new, name, seen: BTreeSet::new(), changes };
    if old.effect != new.effect {
        let (before, after) = (old.effect.name().to_owned(), new.effect.name().to_owned());
        comparison.note(ChangeKind::EffectChanged, "", new.effect > old.effect, (Some(before), Some(after)));
    }
    comparison.schemas(&old.parameters, &new.parameters, "", 0);
}

// === impl ChangeKind ===

impl ChangeKind {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::OperationRemoved => "operation removed",
            Self::ParameterRemoved => "parameter removed",
            Self::TypeChanged => "type changed",
            Self::BecameRequired => "became required",
            Self::ValuesRemoved => "values removed",
            Self::EffectChanged => "effect changed",
            Self::OperationAdded => "operation added",
            Self::ParameterAdded => "parameter added",
            Self::BecameOptional => "became optional",
            Self::ValuesAdded => "values added",
        }
    }
}

// === impl Comparison ===

type Sides = (Option<String>, Option<String>);

impl<'a> Comparison<'a> {
    fn note(&mut self, kind: ChangeKind, parameter: &str, breaking: bool, (old, new): Sides) {
        let (operation, parameter) = (self.name.clone(), parameter.to_owned());
        self.changes.push(Change { operation, parameter, kind, breaking, old, new });
    }

    fn schemas(&mut self, old: &'a Value, new: &'a Value, path: &str, depth: usize) {
        let both = target(old).zip(target(new));
        if depth > MAX_DEPTH || both.is_some_and(|pair| !self.seen.insert(pair)) {
            return;
        }
        let (old, new) = (self.old.resolve(old), self.new.resolve(new));
        let (before, after) = (kind(old), kind(new));
        if before != after {
            return self.note(ChangeKind::TypeChanged, path, true, (Some(before), Some(after)));
        }
        self.values(old, new, path);
        self.members(old, new, path, depth);
        for (key, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
            let further = |schema: &'a Value| schema.get(key).filter(|further| further.is_object());
            if let (Some(old), Some(new)) = (further(old), further(new)) {
                self.schemas(old, new, &format!("{path}{mark}"), depth + 1);
            }
        }
    }

    fn values(&mut self, old: &Value, new: &Value, path: &str) {
        let (before, after) = (choices(old), choices(new));
        let list = |values: Vec<&String>| values.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match (before, after) {
            (Some(before), Some(after)) => {
                let (gone, came) = (before.difference(&after).collect::<Vec<_>>(), after.difference(&before).collect());
                if !gone.is_empty() {
                    self.note(ChangeKind::ValuesRemoved, path, true, (Some(list(gone)), None));
                }
                let came: Vec<&String> = came;
                if !came.is_empty() {
                    self.note(ChangeKind::ValuesAdded, path, false, (None, Some(list(came))));
                }
            }
            (None, Some(after)) => {
                let now = list(after.iter().collect());
                self.note(ChangeKind::ValuesRemoved, path, true, (Some("any".to_owned()), Some(now)));
            }
            (Some(before), None) => {
                let was = list(before.iter().collect());
                self.note(ChangeKind::ValuesAdded, path, false, (Some(was), Some("any".to_owned())));
            }
            (None, None) => {}
        }
    }

    fn members(&mut self, old: &'a Value, new: &'a Value, path: &str, depth: usize) {
        let properties = |schema: &'a Value| schema.get("properties").and_then(Value::as_object);
        let place = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let (before, after) = (properties(old), properties(new));
        for (name, schema) in before.into_iter().flatten() {
            match after.and_then(|after| after.get(name)) {
                None => self.note(
                    ChangeKind::ParameterRemoved,
                    &place(name),
                    true,
                    (Some(kind(self.old.resolve(schema))), None),
                ),
                Some(now) => {
                    match (is_required(old, name), is_required(new, name)) {
                        (false, true) => self.note(ChangeKind::BecameRequired, &place(name), true, (None, None)),
                        (true, false) => self.note(ChangeKind::BecameOptional, &place(name), false, (None, None)),
                        _ => {}
                    }
                    self.schemas(schema, now, &place(name), depth + 1);
                }
            }
        }
        let came =
            after.into_iter().flatten().filter(|(name, _)| before.is_none_or(|before| !before.contains_key(*name)));
        for (name, schema) in came {
            let kind = Some(kind(self.new.resolve(schema)));
            if is_required(new, name) {
                self.note(ChangeKind::BecameRequired, &place(name), true, (None, kind));
            } else {
                self.note(ChangeKind::ParameterAdded, &place(name), false, (None, kind));
            }
        }
    }
}

fn target(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

fn is_required(schema: &Value, name: &str) -> bool {
    let names = schema.get("required").and_then(Value::as_array);
    names.is_some_and(|names| names.iter().any(|given| given == name))
}

fn choices(schema: &Value) -> Option<BTreeSet<String>> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(schema.get("enum")?.as_array()?.iter().map(text).collect())
}

/// The type of a value: `string`, `string (date-time)`, `one of 2 alternatives`.
fn kind(schema: &Value) -> String {
    if let Some(choices) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
        return format!("one of {} alternatives", choices.len());
    }
    let name = match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(kinds) => kinds.to_string(),
        None => "any".to_owned(),
    };
    match schema.get("format").and_then(Value::as_str) {
        Some(format) => format!("{name} ({format})"),
        None => name,
    }
}

#[cfg(test)]
mod tests;
