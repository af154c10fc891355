//! Which fields of the answer are asked for: GraphQL gives only what is named.
//!
//! All plain fields of the object, the plain fields of the objects in it, and through connections (`nodes`, `edges { node }`) one
//! level more. Fields that need arguments are left out, and of a union only the name of the type is asked for.

use serde_json::{Map, Value, json};

use super::types::{Types, choices, is_name, scalar};
use crate::error::Result;

/// Most fields of one document: an answer that nobody can read helps nobody.
const MAX_FIELDS: usize = 150;
/// Levels of objects below the answer itself.
const MAX_DEPTH: usize = 2;

/// A selection as it grows.
struct Selection {
    left: usize,
}

// === impl Types ===

impl Types<'_> {
    /// ` { id name … }` (empty for a plain answer) and the schema of what comes back.
    pub(super) fn select(&self, kind: &Value, place: &str) -> Result<(String, Value)> {
        let mut selection = Selection { left: MAX_FIELDS };
        match self.selected(kind, MAX_DEPTH, &mut selection) {
            Some(found) => Ok(found),
            None => self.wrong(place, "its answer has no type; the introspection is cut off"),
        }
    }

    /// `None` when the type is unknown, or an object with nothing to ask for at this depth.
    fn selected(&self, kind: &Value, depth: usize, selection: &mut Selection) -> Option<(String, Value)> {
        let (name, lists) = unwrapped(kind)?;
        let described = self.named(name);
        let type_kind = described.and_then(|described| described.get("kind")?.as_str()).unwrap_or("SCALAR");
        let (written, mut schema) = match (type_kind, described) {
            ("OBJECT" | "INTERFACE", Some(described)) => self.fields(described, depth, selection)?,
            ("UNION", _) => (
                " { __typename }".to_owned(),
                json!({"type": "object", "properties": {"__typename": {"type": "string"}}}),
            ),
            ("ENUM", Some(described)) => (String::new(), choices(described)),
            _ => (String::new(), scalar(name)),
        };
        for _ in 0..lists {
            schema = json!({ "type": "array", "items": schema });
        }
        Some((written, schema))
    }

    fn fields(&self, described: &Value, depth: usize, selection: &mut Selection) -> Option<(String, Value)> {
        let listed: Vec<&Value> = described.get("fields").and_then(Value::as_array).into_iter().flatten().collect();
        let is_open = |field: &&&Value| !needs_arguments(field);
        let mut parts = Vec::new();
        let mut properties = Map::new();
        // Plain fields first: they must not fall to the limit because of an object before them.
        for plain in [true, false] {
            for field in listed.iter().filter(is_open) {
                let Some(name) = field.get("name").and_then(Value::as_str).filter(|name| is_name(name)) else {
                    continue;
                };
                let kind = field.get("type").unwrap_or(&Value::Null);
                // The elements of a connection are what was asked for: they cost no depth.
                let is_element = matches!(name, "nodes" | "edges" | "node");
                if self.is_plain(kind) != plain || selection.left == 0 || (!plain && depth == 0 && !is_element) {
                    continue;
                }
                selection.left -= 1;
                let below = if is_element {
                    depth.saturating_sub(usize::from(name != "edges"))
                } else {
                    depth.saturating_sub(1)
                };
                let inner =
                    if !plain && is_element && depth == 0 { None } else { self.selected(kind, below, selection) };
                let Some((written, schema)) = inner else { continue };
                parts.push(format!("{name}{written}"));
                properties.insert(name.to_owned(), schema);
            }
        }
        if parts.is_empty() {
            return None;
        }
        Some((format!(" {{ {} }}", parts.join(" ")), json!({ "type": "object", "properties": properties })))
    }

    fn is_plain(&self, kind: &Value) -> bool {
        let described = unwrapped(kind).and_then(|(name, _)| self.named(name));
        let kind = described.and_then(|described| described.get("kind")?.as_str());
        !matches!(kind, Some("OBJECT" | "INTERFACE" | "UNION"))
    }
}

/// The name of a type and how many lists are around it.
fn unwrapped(kind: &Value) -> Option<(&str, usize)> {
    let mut current = kind;
    let mut lists = 0;
    while let Some(inner) = current.get("ofType").filter(|inner| inner.is_object()) {
        lists += usize::from(current.get("kind").is_some_and(|kind| kind == "LIST"));
        current = inner;
    }
    Some((current.get("name")?.as_str().filter(|name| is_name(name))?, lists))
}

fn needs_arguments(field: &Value) -> bool {
    let listed = field.get("args").and_then(Value::as_array).into_iter().flatten();
    let is_needed = |argument: &Value| {
        let is_non_null = argument.pointer("/type/kind").is_some_and(|kind| kind == "NON_NULL");
        is_non_null && argument.get("defaultValue").is_none_or(Value::is_null)
    };
    listed.into_iter().any(is_needed)
}
