//! The body of a request: its fields become parameters, or it is one parameter itself.

use serde_json::{Value, json};

use super::one::Fields;
use super::{At, Reader, pointer_part};
use crate::error::Result;
use crate::import::clean;

/// Kinds of bodies, best first.
const PREFERRED: [&str; 4] =
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

// === impl Reader ===

impl Reader<'_> {
    /// Adds the body's fields; gives its media type, empty without a body.
    pub(super) fn read_body(&mut self, at: &At<'_>, fields: &mut Fields) -> Result<String> {
        let Some(body) = at.operation.get("requestBody") else { return Ok(String::new()) };
        let place = format!("{}/requestBody", at.place);
        let body = self.followed(body, &place)?;
        let Some((media, schema)) = content_of(body) else { return Ok(String::new()) };
        let place = format!("{place}/content/{}/schema", pointer_part(media));
        let schema = self.schemas.convert_flat(schema, &place)?;
        // Many descriptions forget `required`, whose default is false; only one that says so is believed.
        let said = body.get("required").and_then(Value::as_bool);
        let is_required = said.unwrap_or(at.method != "get" && at.method != "delete");
        if schema.get("properties").and_then(Value::as_object).is_some_and(|fields| !fields.is_empty()) {
            self.add_fields(&schema, is_required, fields);
        } else {
            let mut whole = schema;
            whole["x-whole"] = json!(true);
            if let Some(text) = body.get("description").and_then(Value::as_str) {
                whole["description"] = json!(clean::sentence(text, 160));
            }
            let own = fields.add("body", "body", whole);
            if said == Some(true) {
                fields.required.push(own);
            }
        }
        Ok(if is_json(media) { "application/json".to_owned() } else { clean::line(media, 100) })
    }

    fn add_fields(&self, schema: &Value, is_required: bool, fields: &mut Fields) {
        let needed = |name: &str| {
            let listed = schema.get("required").and_then(Value::as_array);
            listed.is_some_and(|listed| listed.iter().any(|other| other == name))
        };
        for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            // The server's to write.
            if field.get("readOnly").is_some() {
                continue;
            }
            let own = fields.add(name, "body", field.clone());
            match (needed(name), is_required) {
                (true, true) => fields.required.push(own),
                (true, false) => fields.required_in_body.push(own),
                (false, _) => {}
            }
        }
    }
}

/// The kind of content that we write or read best, and its schema.
pub(super) fn content_of(holder: &Value) -> Option<(&str, &Value)> {
    static NOTHING: Value = Value::Null;
    let content = holder.get("content")?.as_object()?;
    let rank = |media: &str| {
        let plain = media.split(';').next().unwrap_or_default().trim();
        match PREFERRED.iter().position(|preferred| *preferred == plain) {
            Some(rank) => rank,
            None if is_json(media) => 0,
            None => PREFERRED.len(),
        }
    };
    let (media, described) = content.iter().min_by_key(|(media, _)| rank(media))?;
    Some((media, described.get("schema").unwrap_or(&NOTHING)))
}

/// `application/json`, `application/vnd.api+json`, `*/*`.
pub(super) fn is_json(media: &str) -> bool {
    let plain = media.split(';').next().unwrap_or_default().trim();
    matches!(plain, "application/json" | "*/*" | "text/json" | "application/*") || plain.ends_with("+json")
}
