//! Botocore shapes → JSON Schema.
//!
//! Structures become `#/$defs/NAME` (so recursion stays a `$ref`); lists, maps and scalars are written in place, long
//! enumerations are shared.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::text::first_sentence;

/// Longest description of a parameter or member, in bytes.
const MAX_DESCRIPTION: usize = 160;
/// An enumeration with more values stands once in the definitions.
const MAX_INLINE_ENUM: usize = 12;
/// Lists and maps within each other; real ones go 4 deep, a circle would not end.
const MAX_DEPTH: usize = 8;

/// The shapes of one service, and the definitions made of them so far.
pub(super) struct Shapes<'a> {
    shapes: &'a Value,
    definitions: RefCell<BTreeMap<String, Value>>,
    pending: RefCell<Vec<String>>,
    described: RefCell<bool>,
}

// === impl Shapes ===

impl<'a> Shapes<'a> {
    pub fn new(shapes: &'a Value) -> Self {
        Self { shapes, definitions: RefCell::default(), pending: RefCell::default(), described: RefCell::new(true) }
    }

    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.shapes.get(name)
    }

    /// Members of a structure with what they are: name, reference, shape.
    pub fn members(&self, name: &str) -> impl Iterator<Item = (&'a str, &'a Value, &'a Value)> + '_ {
        let members = self.get(name).and_then(|shape| shape.get("members")).and_then(Value::as_object);
        members.into_iter().flatten().map(|(name, reference)| {
            let shape = shape_name(reference).and_then(|name| self.get(name)).unwrap_or(&Value::Null);
            (name.as_str(), reference, shape)
        })
    }

    /// An object schema written in place. Definitions it needs are made with descriptions only if asked:
    /// nobody reads those of results, and they are half of the size.
    pub fn object(&self, name: &str, described: bool) -> Value {
        self.described.replace(described);
        let schema = self.structure(name);
        loop {
            let Some(next) = self.pending.borrow_mut().pop() else { return schema };
            let definition = self.definition(&next);
            self.definitions.borrow_mut().insert(next, definition);
        }
    }

    /// Takes the definitions made so far.
    pub fn take_definitions(&self) -> Map<String, Value> {
        self.definitions.take().into_iter().collect()
    }

    fn definition(&self, name: &str) -> Value {
        match self.get(name).and_then(|shape| shape.get("type")).and_then(Value::as_str) {
            Some("structure") => self.structure(name),
            _ => self.get(name).map_or_else(|| json!({}), string),
        }
    }

    fn structure(&self, name: &str) -> Value {
        let Some(shape) = self.get(name) else { return json!({"type": "object"}) };
        if is_true(shape, "document") {
            return json!({});
        }
        let mut properties = Map::new();
        for (member, reference, _) in self.members(name) {
            properties.insert(member.to_owned(), self.member(reference));
        }
        let mut schema = json!({"type": "object", "properties": properties});
        if let Some(required) = shape.get("required").filter(|names| names.as_array().is_some_and(|n| !n.is_empty())) {
            schema["required"] = required.clone();
        }
        schema["additionalProperties"] = json!(false);
        if is_true(shape, "union") {
            schema["x-union"] = json!(true);
        }
        schema
    }

    /// Schema of a member: its shape's, with the member's own description.
    fn member(&self, reference: &Value) -> Value {
        let mut schema = self.reference(reference, 0);
        if is_true(reference, "jsonvalue") {
            schema = json!({"type": "string"});
        }
        if *self.described.borrow() {
            let text = reference.get("documentation").and_then(Value::as_str).unwrap_or_default();
            let sentence = first_sentence(text, MAX_DESCRIPTION);
            if !sentence.is_empty() {
                schema["description"] = Value::String(sentence);
            }
        }
        if is_true(reference, "deprecated") {
            schema["deprecated"] = json!(true);
        }
        schema
    }

    fn reference(&self, reference: &Value, depth: usize) -> Value {
        let Some((name, shape)) = shape_name(reference).and_then(|name| Some((name, self.get(name)?))) else {
            return json!({});
        };
        if depth > MAX_DEPTH {
            return json!({});
        }
        let part = |key: &str| shape.get(key).map_or_else(|| json!({}), |inner| self.reference(inner, depth + 1));
        match shape.get("type").and_then(Value::as_str).unwrap_or_default() {
            "structure" => self.shared(name),
            "list" => bounded(json!({"type": "array", "items": part("member")}), shape, ["minItems", "maxItems"]),
            "map" => json!({"type": "object", "additionalProperties": part("value")}),
            "integer" | "long" => bounded(json!({"type": "integer"}), shape, ["minimum", "maximum"]),
            "float" | "double" => bounded(json!({"type": "number"}), shape, ["minimum", "maximum"]),
            "boolean" => json!({"type": "boolean"}),
            "timestamp" => json!({"type": "string", "format": "date-time"}),
            "blob" => json!({"type": "string", "format": "binary"}),
            _ if enumeration(shape).is_some_and(|values| values.len() > MAX_INLINE_ENUM) => self.shared(name),
            _ => string(shape),
        }
    }

    fn shared(&self, name: &str) -> Value {
        if !self.definitions.borrow().contains_key(name) {
            self.definitions.borrow_mut().insert(name.to_owned(), Value::Null);
            self.pending.borrow_mut().push(name.to_owned());
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }
}

pub(super) fn shape_name(reference: &Value) -> Option<&str> {
    reference.get("shape").and_then(Value::as_str)
}

pub(super) fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn enumeration(shape: &Value) -> Option<&Vec<Value>> {
    shape.get("enum").and_then(Value::as_array).filter(|values| !values.is_empty())
}

fn string(shape: &Value) -> Value {
    if let Some(values) = enumeration(shape) {
        return json!({"type": "string", "enum": values});
    }
    let mut schema = bounded(json!({"type": "string"}), shape, ["minLength", "maxLength"]);
    if let Some(pattern) = shape.get("pattern").and_then(Value::as_str) {
        schema["pattern"] = json!(pattern);
    }
    schema
}

/// Copies the shape's `min` and `max` under the keywords of its type.
fn bounded(mut schema: Value, shape: &Value, [low, high]: [&str; 2]) -> Value {
    if let Some(min) = shape.get("min").filter(|min| min.is_number()) {
        schema[low] = min.clone();
    }
    if let Some(max) = shape.get("max").filter(|max| max.is_number()) {
        schema[high] = max.clone();
    }
    schema
}
