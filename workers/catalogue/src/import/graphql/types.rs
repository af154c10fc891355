//! The types of a GraphQL schema as schemas of arguments.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::error::Result;
use crate::import::brought::Source;
use crate::import::clean;
use crate::import::document::refused;

/// Lists of lists and exclamation marks around a type's name.
const MAX_WRAPS: usize = 12;
/// Custom scalars whose values are strings everywhere; what is unknown gets no type.
const TEXTS: &[&str] = &[
    "Date",
    "DateTime",
    "Time",
    "Timestamp",
    "URI",
    "URL",
    "UUID",
    "GUID",
    "Email",
    "EmailAddress",
    "HTML",
    "Html",
    "Base64",
    "Base64String",
    "GitObjectID",
    "GitTimestamp",
    "GitRefname",
    "PreciseDateTime",
    "X509Certificate",
    "BigInt",
    "Decimal",
    "Duration",
    "Locale",
    "Color",
    "Cursor",
];

/// The types of one schema.
pub(super) struct Types<'a> {
    source: &'a Source,
    by_name: HashMap<&'a str, &'a Value>,
    definitions: Map<String, Value>,
}

/// One argument of a field.
pub(super) struct Argument<'a> {
    pub name: &'a str,
    pub schema: Value,
    /// The type as a document writes it: `[ID!]!`.
    pub written: String,
    pub is_required: bool,
}

/// `[A-Za-z_][A-Za-z0-9_]*`: only such a name may stand in a document that we write.
pub(super) fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins && name.len() <= 200 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

// === impl Types ===

impl<'a> Types<'a> {
    pub fn read(schema: &'a Value, source: &'a Source) -> Result<Self> {
        let mut by_name = HashMap::new();
        let listed = schema.get("types").and_then(Value::as_array).into_iter().flatten();
        for (at, described) in listed.enumerate() {
            let name = described.get("name").and_then(Value::as_str).unwrap_or_default();
            if !is_name(name) {
                let reason = format!("#/__schema/types/{at}: a type has no name that GraphQL allows");
                return Err(refused(&source.origin, reason));
            }
            by_name.insert(name, described);
        }
        Ok(Self { source, by_name, definitions: Map::new() })
    }

    pub fn named(&self, name: &str) -> Option<&'a Value> {
        self.by_name.get(name).copied()
    }

    pub fn into_definitions(self) -> Map<String, Value> {
        self.definitions
    }

    pub fn wrong<T>(&self, place: &str, reason: &str) -> Result<T> {
        Err(refused(&self.source.origin, format!("#{}: {reason}", clean::line(place, 200))))
    }

    /// The arguments of a field, in the schema's order.
    pub fn arguments(&mut self, field: &'a Value, place: &str) -> Result<Vec<Argument<'a>>> {
        let listed = field.get("args").or_else(|| field.get("inputFields")).and_then(Value::as_array);
        let mut arguments = Vec::new();
        for described in listed.into_iter().flatten() {
            let name = described.get("name").and_then(Value::as_str).unwrap_or_default();
            if !is_name(name) {
                return self.wrong(place, "an argument has no name that GraphQL allows");
            }
            let kind = described.get("type").unwrap_or(&Value::Null);
            let (mut schema, written) = self.input(kind, &format!("{place}/{name}"))?;
            let text = described.get("description").and_then(Value::as_str).unwrap_or_default();
            if !text.is_empty() {
                schema["description"] = json!(clean::sentence(text, 160));
            }
            let has_default = described.get("defaultValue").is_some_and(|default| !default.is_null());
            let is_required = written.ends_with('!') && !has_default;
            arguments.push(Argument { name, schema, written, is_required });
        }
        Ok(arguments)
    }

    /// Schema of an input type, and the type as it is written.
    fn input(&mut self, kind: &'a Value, place: &str) -> Result<(Value, String)> {
        let mut wraps = Vec::new();
        let mut named = kind;
        while let Some(inner) = named.get("ofType").filter(|inner| inner.is_object()) {
            wraps.push(named.get("kind").and_then(Value::as_str).unwrap_or_default());
            named = inner;
            if wraps.len() > MAX_WRAPS {
                return self.wrong(place, "lists are nested too deeply");
            }
        }
        let name = named.get("name").and_then(Value::as_str).filter(|name| is_name(name));
        let Some(name) = name else {
            return self.wrong(place, "an argument has no type; the introspection is cut off");
        };
        let mut schema = self.input_named(name, place)?;
        let mut written = name.to_owned();
        for wrap in wraps.iter().rev() {
            if *wrap == "LIST" {
                schema = json!({ "type": "array", "items": schema });
                written = format!("[{written}]");
            } else {
                written.push('!');
            }
        }
        Ok((schema, written))
    }

    fn input_named(&mut self, name: &'a str, place: &str) -> Result<Value> {
        let described = self.named(name);
        let kind = described.and_then(|described| described.get("kind")?.as_str()).unwrap_or("SCALAR");
        match (kind, described) {
            ("ENUM", Some(described)) => Ok(choices(described)),
            ("INPUT_OBJECT", Some(described)) => {
                // The name is taken before its fields are read: a type may contain itself.
                if !self.definitions.contains_key(name) {
                    self.definitions.insert(name.to_owned(), Value::Null);
                    let object = self.input_object(described, place)?;
                    self.definitions.insert(name.to_owned(), object);
                }
                Ok(json!({ "$ref": format!("#/$defs/{name}") }))
            }
            _ => Ok(scalar(name)),
        }
    }

    fn input_object(&mut self, described: &'a Value, place: &str) -> Result<Value> {
        // One argument within another costs a part of the place: an input type within another may not go on for ever.
        if place.matches('/').count() > 100 {
            return self.wrong(place, "input types are nested deeper than 100 levels");
        }
        let fields = self.arguments(described, place)?;
        let required: Vec<&str> = fields.iter().filter(|field| field.is_required).map(|field| field.name).collect();
        let mut object = json!({"type": "object", "required": required, "additionalProperties": false});
        let properties = fields.into_iter().map(|field| (field.name.to_owned(), field.schema));
        object["properties"] = Value::Object(properties.collect());
        Ok(object)
    }
}

/// Schema of a scalar by its name.
pub(super) fn scalar(name: &str) -> Value {
    match name {
        "Int" => json!({ "type": "integer" }),
        "Float" => json!({ "type": "number" }),
        "Boolean" => json!({ "type": "boolean" }),
        "String" | "ID" => json!({ "type": "string" }),
        name if TEXTS.contains(&name) => json!({ "type": "string", "description": name }),
        // No type: what a scalar of somebody's own takes, only its server knows.
        name => json!({ "description": name }),
    }
}

pub(super) fn choices(described: &Value) -> Value {
    let listed = described.get("enumValues").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> =
        listed.filter_map(|value| value.get("name")?.as_str()).filter(|name| is_name(name)).collect();
    if names.is_empty() { json!({ "type": "string" }) } else { json!({ "type": "string", "enum": names }) }
}
