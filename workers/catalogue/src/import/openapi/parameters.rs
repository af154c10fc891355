//! Parameters of path, query and header.

use serde_json::{Value, json};

use super::one::Fields;
use super::{At, Reader, body};
use crate::error::Result;
use crate::import::clean;

/// Headers that belong to the wire or carry secrets: OpenAPI says to ignore the first three.
const NOT_PARAMETERS: [&str; 7] =
    ["accept", "content-type", "authorization", "content-length", "host", "cookie", "proxy-authorization"];
/// Names, squashed, of what asks for the next page: never the model's to write.
const PAGE_TOKENS: [&str; 7] =
    ["pagetoken", "nexttoken", "nextpagetoken", "paginationtoken", "continuationtoken", "cursor", "startingafter"];
const IDEMPOTENCY_KEYS: [&str; 2] = ["idempotencykey", "xidempotencykey"];

/// One parameter as it is written.
struct Given<'v> {
    name: &'v str,
    place: &'v str,
    parameter: &'v Value,
    pointer: String,
}

/// Is a header of this name an idempotency key, however it is spelled?
pub(in crate::import) fn is_idempotency_key(name: &str) -> bool {
    IDEMPOTENCY_KEYS.contains(&crate::pack::squash(name).as_str())
}

// === impl Reader ===

impl Reader<'_> {
    /// Those of the path, replaced by those of the operation.
    pub(super) fn read_parameters(&mut self, at: &At<'_>, fields: &mut Fields) -> Result<()> {
        let path = at.place.rsplit_once('/').map_or("", |(path, _)| path).to_owned();
        let mut listed: Vec<Given<'_>> = Vec::new();
        for (holder, pointer) in [(at.item, path), (at.operation, at.place.clone())] {
            let parameters = holder.get("parameters").and_then(Value::as_array).into_iter().flatten();
            for (number, parameter) in parameters.enumerate() {
                let pointer = format!("{pointer}/parameters/{number}");
                let parameter = self.followed(parameter, &pointer)?;
                let text = |key: &str| parameter.get(key).and_then(Value::as_str);
                let (Some(name), Some(place)) = (text("name"), text("in")) else {
                    return self.wrong(&pointer, "a parameter needs `name` and `in`");
                };
                listed.retain(|other| (other.name, other.place) != (name, place));
                listed.push(Given { name, place, parameter, pointer });
            }
        }
        for given in &listed {
            self.read_parameter(given, fields)?;
        }
        Ok(())
    }

    fn read_parameter(&mut self, given: &Given<'_>, fields: &mut Fields) -> Result<()> {
        let Given { name, place, parameter, pointer } = given;
        if let Some(problem) = clean::problem_of_name(name) {
            return self.wrong(pointer, &problem);
        }
        let squashed = crate::pack::squash(name);
        let is_header = *place == "header";
        if is_header && is_idempotency_key(name) {
            fields.is_keyed = true;
        }
        let is_secret = self.secrets.iter().any(|(within, key)| within == place && key.eq_ignore_ascii_case(name));
        let is_ours = matches!(*place, "path" | "query" | "header");
        if !is_ours || is_secret || (is_header && NOT_PARAMETERS.contains(&name.to_ascii_lowercase().as_str())) {
            return Ok(());
        }
        let mut schema = match (parameter.get("schema"), body::content_of(parameter)) {
            (Some(schema), _) | (None, Some((_, schema))) => {
                self.schemas.convert_flat(schema, &format!("{pointer}/schema"))?
            }
            (None, None) => json!({ "type": "string" }),
        };
        if let Some(text) = parameter.get("description").and_then(Value::as_str) {
            schema["description"] = json!(clean::sentence(text, 160));
        }
        if let Some(style) = style(place, parameter, &schema) {
            schema["x-style"] = json!(style);
        }
        let is_required = *place == "path" || parameter.get("required") == Some(&Value::Bool(true));
        let is_token = PAGE_TOKENS.contains(&squashed.as_str()) && !is_required;
        let is_key = is_header && IDEMPOTENCY_KEYS.contains(&squashed.as_str());
        if is_token || is_key {
            schema["x-never"] = json!(true);
        }
        let own = fields.add(name, place, schema);
        if is_required && !is_key {
            fields.required.push(own);
        }
        Ok(())
    }
}

/// How several values are written (OpenAPI 3.1, "Style Values"); `None` where there can be only one.
fn style(place: &str, parameter: &Value, schema: &Value) -> Option<&'static str> {
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let said = parameter.get("style").and_then(Value::as_str);
    let is_list = kind == "array";
    if !is_list && kind != "object" {
        return None;
    }
    if parameter.get("content").is_some() {
        return Some("json");
    }
    if place != "query" {
        return Some("comma");
    }
    let explodes = parameter.get("explode").and_then(Value::as_bool).unwrap_or(matches!(said, None | Some("form")));
    Some(match (said, explodes, is_list) {
        (Some("deepObject"), ..) => "brackets",
        (Some("spaceDelimited"), false, _) => "space",
        (Some("pipeDelimited"), false, _) => "pipe",
        (_, true, true) => "repeat",
        (_, true, false) => "spread",
        (_, false, _) => "comma",
    })
}
