//! `allOf`: several schemas become one.

use serde_json::{Map, Value, json};

use super::Schemas;
use crate::error::Result;

// === impl Schemas ===

impl Schemas<'_> {
    /// Joins what `allOf` lists with what the schema says itself, which is the more special.
    pub(super) fn with_all_of(&mut self, given: &Map<String, Value>, own: Value) -> Result<Value> {
        let Some(parts) = given.get("allOf").and_then(Value::as_array).filter(|parts| !parts.is_empty()) else {
            return Ok(own);
        };
        if let Some(reference) = self.only_reference(parts, &own)? {
            return Ok(reference);
        }
        let mut merged = json!({});
        self.place.push("allOf".to_owned());
        for (at, part) in parts.iter().enumerate() {
            let part = self.within(&at.to_string(), |this| this.joined(part))?;
            merge(&mut merged, part);
        }
        self.place.pop();
        merge(&mut merged, own);
        // Each part alone forbids the others' properties: together they cannot mean that.
        if merged.get("additionalProperties") == Some(&Value::Bool(false)) {
            remove(&mut merged, "additionalProperties");
        }
        drop_unknown_requirements(&mut merged);
        Ok(merged)
    }

    /// One reference, and nothing but words about it beside: the reference, which may then be part of a circle.
    fn only_reference(&mut self, parts: &[Value], own: &Value) -> Result<Option<Value>> {
        let (references, others): (Vec<&Value>, Vec<&Value>) =
            parts.iter().partition(|part| part.get("$ref").is_some());
        let [only] = references[..] else { return Ok(None) };
        let mut words = own.clone();
        for other in others {
            let converted = self.within("allOf", |this| this.schema(other))?;
            merge(&mut words, converted);
        }
        if !says_nothing(&words) {
            return Ok(None);
        }
        let mut reference = self.within("allOf", |this| this.schema(only))?;
        if let Some(text) = words.get("description") {
            reference["description"] = text.clone();
        }
        Ok(Some(reference))
    }

    /// A part with its properties at hand: what it refers to, copied.
    pub(super) fn joined(&mut self, part: &Value) -> Result<Value> {
        let mut converted = match part.get("$ref").and_then(Value::as_str) {
            Some(target) => {
                self.refer(target)?;
                let pointer = self.pointer(target)?;
                self.definition(&pointer)?.clone()
            }
            None => self.schema(part)?,
        };
        // A definition that is only a reference to another one.
        for _ in 0..super::MAX_DEPTH {
            let name = converted.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
            let found = name.and_then(|name| self.names.iter().find(|(_, known)| *known == name));
            let Some(pointer) = found.map(|(pointer, _)| pointer.clone()) else { break };
            converted = self.definition(&pointer)?.clone();
        }
        let copied = converted.get("properties").and_then(Value::as_object).map_or(1, Map::len);
        self.left = self.left.saturating_sub(copied);
        Ok(converted)
    }
}

/// Adds `more` to `base`; where both speak, `more` is believed.
pub(super) fn merge(base: &mut Value, more: Value) {
    let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) else { return };
    for (key, value) in more {
        match (key.as_str(), base.get_mut(&key), value) {
            ("properties", Some(Value::Object(known)), Value::Object(added)) => known.extend(added),
            ("required", Some(Value::Array(known)), Value::Array(added)) => {
                let new: Vec<Value> = added.into_iter().filter(|name| !known.contains(name)).collect();
                known.extend(new);
            }
            // A choice of both would be a product: the first one stands, the vendor checks the other.
            ("anyOf", Some(_), _) => {}
            (_, _, value) => drop(base.insert(key, value)),
        }
    }
}

/// No type, no members: only words.
pub(super) fn says_nothing(schema: &Value) -> bool {
    let is_word = |key: &str| matches!(key, "description" | "readOnly" | "writeOnly" | "deprecated" | "default");
    schema.as_object().is_some_and(|members| members.keys().all(|key| is_word(key)))
}

pub(super) fn drop_unknown_requirements(schema: &mut Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return remove(schema, "required");
    };
    let listed = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let known = |name: &&Value| {
        let property = name.as_str().and_then(|name| properties.get(name));
        property.is_some_and(|schema| schema.get("readOnly").is_none())
    };
    let kept: Vec<Value> = listed.filter(known).cloned().collect();
    if kept.is_empty() { remove(schema, "required") } else { schema["required"] = Value::Array(kept) }
}

pub(super) fn remove(schema: &mut Value, key: &str) {
    if let Some(members) = schema.as_object_mut() {
        members.shift_remove(key);
    }
}
