//! A typed hole in an argument: the result of an earlier call.

use serde_json::{Map, Value};

use crate::CallId;

/// `{"$ref":"c1","path":"Vpc.VpcId"}`: the value at `path` in the result of call `c1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The call whose result is meant.
    pub call: CallId,
    /// Member names joined by dots, list places as `[0]`; empty means the whole result.
    pub path: String,
}

/// Every reference below these arguments, with the JSON pointer of the place it stands at.
///
/// # Errors
/// The pointer of an object that has `$ref` but is no reference (no call id, or more than `path` beside it).
pub fn references(arguments: &Map<String, Value>) -> Result<Vec<(String, Reference)>, String> {
    let mut found = Vec::new();
    for (name, value) in arguments {
        collect(value, &format!("/{}", escape(name)), &mut found)?;
    }
    Ok(found)
}

/// Gives every reference in a value the name that `name` says.
pub fn rewrite_references(value: &mut Value, name: &impl Fn(CallId) -> CallId) {
    if let Some(Ok(reference)) = Reference::read(value) {
        *value = Reference { call: name(reference.call), path: reference.path }.to_json();
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite_references(item, name)),
        Value::Object(members) => members.values_mut().for_each(|member| rewrite_references(member, name)),
        _ => {}
    }
}

// === impl Reference ===

impl Reference {
    /// `None` when the value is no reference at all, `Err` when it has a `$ref` but the wrong shape.
    pub fn read(value: &Value) -> Option<Result<Self, ()>> {
        let members = value.as_object()?;
        let call = members.get("$ref")?;
        let path = members.get("path").map_or(Some(""), Value::as_str);
        let has_others = members.keys().any(|key| key != "$ref" && key != "path");
        let call = call.as_str().and_then(|call| call.parse().ok());
        Some(match (call, path, has_others) {
            (Some(call), Some(path), false) => Ok(Self { call, path: path.to_owned() }),
            _ => Err(()),
        })
    }

    /// As it stands in a plan document.
    pub fn to_json(&self) -> Value {
        serde_json::json!({ "$ref": self.call.to_string(), "path": self.path })
    }
}

/// Recursion is bounded: serde_json reads at most 128 levels.
fn collect(value: &Value, pointer: &str, found: &mut Vec<(String, Reference)>) -> Result<(), String> {
    if let Some(reference) = Reference::read(value) {
        found.push((pointer.to_owned(), reference.map_err(|()| pointer.to_owned())?));
        return Ok(());
    }
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                collect(item, &format!("{pointer}/{place}"), found)?;
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                collect(member, &format!("{pointer}/{}", escape(name)), found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// One token of a JSON pointer (RFC 6901).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_found_at_any_depth() {
        let arguments = json!({"a/b": [{"x": {"$ref": "c1", "path": "Vpc.VpcId"}}], "plain": {"path": "p"}});
        let found = references(arguments.as_object().unwrap()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "/a~1b/0/x");
        assert_eq!(found[0].1.path, "Vpc.VpcId");
    }

    #[test]
    fn a_misshapen_reference_is_an_error_not_a_value() {
        for value in [json!({"$ref": 1}), json!({"$ref": "vpc"}), json!({"$ref": "c1", "path": "x", "more": 1})] {
            let arguments = json!({ "VpcId": value });
            assert_eq!(references(arguments.as_object().unwrap()), Err("/VpcId".to_owned()));
        }
    }
}
