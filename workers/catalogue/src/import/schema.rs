//! JSON Schema and OpenAPI schemas → the schemas of an [`Operation`](crate::Operation).
//!
//! OpenAPI 3.0, 3.1 and the tools of MCP servers write types in slightly different ways; here they become one: `nullable` and
//! `null` go, `allOf` is merged, `oneOf` and `anyOf` stay choices, numbers' exclusive bounds become plain ones where that is exact.
//! A `$ref` stays a reference to a definition, also in a circle: nothing is expanded but what `allOf` joins. What the catalogue's
//! dialect cannot say (`not`, `if`, `patternProperties`) is left out: the vendor will check it. Start at [`Schemas::convert`].

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::clean;
use super::document::refused;
use crate::error::Result;

mod choice;
mod merge;

/// Most schemas of one description, each counted as often as `allOf` copies it. The largest public ones have about 500,000.
const MAX_SCHEMAS: usize = 3_000_000;
/// Schemas within schemas, those that `allOf` joins included.
const MAX_DEPTH: usize = 100;
/// Longest description of a value, in bytes.
const MAX_DESCRIPTION: usize = 160;
/// Longest pattern, in bytes: what is longer costs more than it finds.
const MAX_PATTERN: usize = 1000;
/// Most values of an enumeration.
const MAX_CHOICES: usize = 5000;

/// Reads the schemas of one document.
pub(super) struct Schemas<'a> {
    root: &'a Value,
    origin: &'a str,
    /// Beginning of the names of definitions: several documents may share one map.
    prefix: String,
    /// Names of definitions by JSON pointer.
    names: HashMap<String, String>,
    taken: HashSet<String>,
    definitions: Map<String, Value>,
    pending: Vec<String>,
    /// Definitions whose conversion has begun: a circle through `allOf` has no end.
    open: Vec<String>,
    /// Where the schema at hand stands, as parts of a JSON pointer.
    place: Vec<String>,
    left: usize,
}

// === impl Schemas ===

impl<'a> Schemas<'a> {
    pub fn new(root: &'a Value, origin: &'a str, prefix: &str) -> Self {
        Self {
            root,
            origin,
            prefix: prefix.to_owned(),
            names: HashMap::new(),
            taken: HashSet::new(),
            definitions: Map::new(),
            pending: Vec::new(),
            open: Vec::new(),
            place: Vec::new(),
            left: MAX_SCHEMAS,
        }
    }

    /// The schema of a parameter or result; `place` is its JSON pointer, for errors.
    ///
    /// # Errors
    /// A reference that leads nowhere, out of the document or into itself; a name with control characters; too many schemas.
    pub fn convert(&mut self, schema: &Value, place: &str) -> Result<Value> {
        self.place = vec![place.trim_start_matches('/').to_owned()];
        let converted = self.schema(schema)?;
        while let Some(pointer) = self.pending.pop() {
            self.definition(&pointer)?;
        }
        Ok(converted)
    }

    /// The converted schema itself, references followed: for those whose properties become parameters.
    pub fn convert_flat(&mut self, schema: &Value, place: &str) -> Result<Value> {
        let converted = self.convert(schema, place)?;
        Ok(self.followed(converted))
    }

    /// Everything that was referred to.
    pub fn into_definitions(self) -> Map<String, Value> {
        self.definitions
    }

    /// An error at the place of the schema at hand.
    fn error(&self, reason: &str) -> crate::CatalogueError {
        let parts: Vec<&str> = self.place.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        refused(self.origin, format!("#/{}: {reason}", parts.join("/")))
    }

    fn within<T>(&mut self, part: &str, look: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.place.push(part.replace('~', "~0").replace('/', "~1"));
        let found = look(self)?;
        self.place.pop();
        Ok(found)
    }

    fn schema(&mut self, schema: &Value) -> Result<Value> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return Err(self.error(&format!("more than {MAX_SCHEMAS} schemas; cut the description to what you need")));
        }
        if self.place.len() > 2 * MAX_DEPTH {
            return Err(self.error(&format!("schemas are nested deeper than {MAX_DEPTH} levels")));
        }
        // `true`, and whatever is no schema at all: nothing is known.
        let Some(given) = schema.as_object() else { return Ok(json!({})) };
        if let Some(target) = given.get("$ref").and_then(Value::as_str) {
            let mut reference = json!({ "$ref": format!("#/$defs/{}", self.refer(target)?) });
            set_description(given, &mut reference);
            return Ok(reference);
        }
        let own = self.own(given)?;
        let merged = self.with_all_of(given, own)?;
        self.with_choices(given, merged)
    }

    /// What the schema says itself.
    fn own(&mut self, given: &Map<String, Value>) -> Result<Value> {
        let mut own = json!({});
        set_type(given, &mut own);
        set_description(given, &mut own);
        set_bounds(given, &mut own);
        set_choices(given, &mut own);
        for mark in ["readOnly", "writeOnly", "deprecated"] {
            if given.get(mark) == Some(&Value::Bool(true)) {
                own[mark] = json!(true);
            }
        }
        if let Some(items) = given.get("items").filter(|items| items.is_object()) {
            own["items"] = self.within("items", |this| this.schema(items))?;
        }
        self.set_members(given, &mut own)?;
        Ok(own)
    }

    fn set_members(&mut self, given: &Map<String, Value>, own: &mut Value) -> Result<()> {
        if let Some(listed) = given.get("properties").and_then(Value::as_object) {
            let mut properties = Map::new();
            self.place.push("properties".to_owned());
            for (name, schema) in listed {
                if let Some(problem) = clean::problem_of_name(name) {
                    return Err(self.error(&problem));
                }
                let converted = self.within(name, |this| this.schema(schema))?;
                properties.insert(name.clone(), converted);
            }
            self.place.pop();
            let required = required_names(given, &properties);
            if !required.is_empty() {
                own["required"] = json!(required);
            }
            own["properties"] = Value::Object(properties);
        } else if let Some(required) = given.get("required").filter(|required| required.is_array()) {
            // Of properties that another part of an `allOf` brings; those that nobody brings go in `merge`.
            own["required"] = required.clone();
        }
        match given.get("additionalProperties") {
            Some(Value::Bool(more)) => own["additionalProperties"] = json!(more),
            Some(schema @ Value::Object(_)) => {
                own["additionalProperties"] = self.within("additionalProperties", |this| this.schema(schema))?;
            }
            _ => {}
        }
        let is_untyped = own.get("type").is_none();
        if is_untyped && own.get("properties").is_some() {
            own["type"] = json!("object");
        } else if is_untyped && own.get("items").is_some() {
            own["type"] = json!("array");
        }
        Ok(())
    }

    /// Name of the definition that a `$ref` leads to; it is converted later.
    fn refer(&mut self, target: &str) -> Result<String> {
        let pointer = self.pointer(target)?;
        if let Some(name) = self.names.get(&pointer) {
            return Ok(name.clone());
        }
        let last = pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        let plain =
            |letter: char| if letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-') { letter } else { '_' };
        let base: String = clean::cut(&last, clean::MAX_NAME).chars().map(plain).collect();
        let base = format!("{}{}", self.prefix, if base.is_empty() { "Root" } else { &base });
        let mut name = base.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.names.insert(pointer.clone(), name.clone());
        self.pending.push(pointer);
        Ok(name)
    }

    /// The JSON pointer of a `$ref`, when something is there.
    fn pointer(&self, target: &str) -> Result<String> {
        let shown = clean::line(target, 120);
        let Some(pointer) = target.strip_prefix('#') else {
            let reason = format!("\"{shown}\" refers to another file; bundle the description into one file first");
            return Err(self.error(&reason));
        };
        let pointer = percent_decoded(pointer);
        match self.root.pointer(&pointer) {
            Some(_) => Ok(pointer),
            None => Err(self.error(&format!("\"{shown}\" refers to nothing in this description"))),
        }
    }

    /// Converts the definition at a pointer, once.
    fn definition(&mut self, pointer: &str) -> Result<&Value> {
        let name = self.names.get(pointer).cloned().unwrap_or_default();
        if !self.definitions.contains_key(&name) {
            if self.open.iter().any(|open| open == pointer) {
                return Err(self.error(&format!("`allOf` leads back to #{pointer}, which contains this")));
            }
            let schema = self.root.pointer(pointer).unwrap_or(&Value::Null);
            let place = std::mem::take(&mut self.place);
            // The depth stays: one definition may be joined into another while that one is being read.
            self.place = vec![String::new(); place.len()];
            self.place.push(pointer.trim_start_matches('/').to_owned());
            self.open.push(pointer.to_owned());
            let converted = self.schema(schema)?;
            self.open.pop();
            self.place = place;
            self.definitions.insert(name.clone(), converted);
            if self.followed(self.definitions[&name].clone()).get("$ref").is_some() && self.is_circle(&name) {
                return Err(self.error(&format!("the reference #{pointer} leads back to itself and to nothing else")));
            }
        }
        Ok(&self.definitions[&name])
    }

    /// Does a chain of definitions that are only references come back to its beginning?
    fn is_circle(&self, name: &str) -> bool {
        let mut current = name;
        for _ in 0..=self.definitions.len() {
            let target = self.definitions.get(current).and_then(|schema| schema.get("$ref")).and_then(Value::as_str);
            let Some(next) = target.and_then(|target| target.strip_prefix("#/$defs/")) else { return false };
            if next == name {
                return true;
            }
            current = next;
        }
        // A longer walk than there are definitions: it goes in a circle further on.
        true
    }

    /// Follows references of a converted schema among the definitions that are there.
    fn followed(&self, schema: Value) -> Value {
        let mut current = schema;
        for _ in 0..MAX_DEPTH {
            let target = current.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/$defs/"));
            let Some(next) = target.and_then(|name| self.definitions.get(name)) else { break };
            current = next.clone();
        }
        current
    }
}

/// The definitions that some schemas lead to.
pub(super) fn reachable<'a>(
    definitions: &Map<String, Value>,
    schemas: impl Iterator<Item = &'a Value>,
) -> Map<String, Value> {
    let mut found: HashSet<&str> = HashSet::new();
    let mut open: Vec<&Value> = Vec::new();
    let follow = |value: &Value| value.as_str()?.strip_prefix("#/$defs/").map(str::to_owned);
    let mut waiting: Vec<String> = Vec::new();
    for schema in schemas {
        collect(schema, &mut |target| waiting.extend(follow(target)));
    }
    while let Some(name) = waiting.pop() {
        let Some((name, schema)) = definitions.get_key_value(&name) else { continue };
        if found.insert(name) {
            open.push(schema);
        }
        while let Some(schema) = open.pop() {
            collect(schema, &mut |target| waiting.extend(follow(target)));
        }
    }
    let mut kept: Map<String, Value> = definitions
        .iter()
        .filter(|(name, _)| found.contains(name.as_str()))
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    kept.sort_keys();
    kept
}

/// Every `$ref` within a schema.
fn collect(value: &Value, found: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(members) => {
            members.get("$ref").into_iter().for_each(&mut *found);
            members.values().for_each(|member| collect(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn set_type(given: &Map<String, Value>, own: &mut Value) {
    let named = |value: &Value| {
        let name = value.as_str()?;
        matches!(name, "string" | "integer" | "number" | "boolean" | "array" | "object").then(|| json!(name))
    };
    match given.get("type") {
        Some(Value::Array(kinds)) => match &kinds.iter().filter_map(named).collect::<Vec<_>>()[..] {
            [] => {}
            [one] => own["type"] = one.clone(),
            several => own["type"] = json!(several),
        },
        Some(kind) => own
            .as_object_mut()
            .into_iter()
            .for_each(|own| own.extend(named(kind).map(|kind| ("type".to_owned(), kind)))),
        None => {}
    }
}

fn set_description(given: &Map<String, Value>, own: &mut Value) {
    let text = ["description", "title"]
        .iter()
        .find_map(|key| given.get(*key)?.as_str().filter(|text| !text.trim().is_empty()));
    if let Some(text) = text.map(|text| clean::sentence(text, MAX_DESCRIPTION)).filter(|text| !text.is_empty()) {
        own["description"] = json!(text);
    }
}

fn set_bounds(given: &Map<String, Value>, own: &mut Value) {
    for key in ["minLength", "maxLength", "minItems", "maxItems"] {
        if let Some(count) = given.get(key).and_then(Value::as_u64) {
            own[key] = json!(count);
        }
    }
    for (plain, exclusive, step) in [("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)] {
        let is_whole = given.get("type").is_some_and(|kind| kind == "integer");
        let bound = given.get(plain).filter(|bound| bound.is_number());
        // 3.1 gives the bound itself, 3.0 says that `minimum` is one.
        let strict = match given.get(exclusive) {
            Some(Value::Bool(true)) => bound,
            Some(bound @ Value::Number(_)) => Some(bound),
            _ => None,
        };
        let whole = strict.and_then(Value::as_i64).filter(|_| is_whole).and_then(|bound| bound.checked_add(step));
        if let Some(bound) = whole.map(|bound| json!(bound)).or_else(|| bound.or(strict).cloned()) {
            own[plain] = bound;
        }
    }
    if let Some(pattern) = given.get("pattern").and_then(Value::as_str).filter(|pattern| pattern.len() <= MAX_PATTERN) {
        own["pattern"] = json!(pattern);
    }
    if let Some(format) = given.get("format").and_then(Value::as_str).filter(|format| format.len() <= 60) {
        own["format"] = json!(clean::line(format, 60));
    }
    let is_short = |value: &Value| match value {
        Value::String(text) => text.len() <= MAX_DESCRIPTION,
        other => other.is_number() || other.is_boolean(),
    };
    if let Some(default) = given.get("default").filter(|default| is_short(default)) {
        own["default"] = default.clone();
    }
}

fn set_choices(given: &Map<String, Value>, own: &mut Value) {
    if let Some(only) = given.get("const").filter(|only| !only.is_null()) {
        own["const"] = only.clone();
    }
    let Some(listed) = given.get("enum").and_then(Value::as_array) else { return };
    let listed: Vec<&Value> = listed.iter().filter(|value| !value.is_null()).collect();
    if listed.is_empty() || listed.len() > MAX_CHOICES {
        return;
    }
    if own.get("type").is_none() && listed.iter().all(|value| value.is_string()) {
        own["type"] = json!("string");
    }
    // YAML reads `enum: [1, yes]` as it likes; a string parameter's choices are strings.
    let is_text = own.get("type").is_some_and(|kind| kind == "string");
    let choice = |value: &&Value| match value {
        Value::Number(_) | Value::Bool(_) if is_text => Value::String(value.to_string()),
        other => (*other).clone(),
    };
    own["enum"] = Value::Array(listed.iter().map(choice).collect());
}

/// Required properties that exist and that the caller may give.
fn required_names(given: &Map<String, Value>, properties: &Map<String, Value>) -> Vec<String> {
    let listed = given.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut names: Vec<String> = Vec::new();
    for name in listed {
        let is_given = properties.get(name).is_some_and(|schema| schema.get("readOnly").is_none());
        if is_given && !names.iter().any(|other| other == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// A pointer in a URI fragment may be percent-encoded (RFC 6901, section 6).
pub(super) fn percent_decoded(pointer: &str) -> String {
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut rest = pointer.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| pointer.to_owned())
}

#[cfg(test)]
mod tests;
