//! Any OpenAPI 3.0 or 3.1 description → operations, one for each method of each path.
//!
//! Not a crate's typed model: those lose 3.1 keywords or extensions, refuse a file for one odd member, and know no limits. Here the
//! document is walked, and every error says where. Start at [`operations`]; `one.rs` is the story of an operation.
//!
//! Keys on a parameter beside those of [`crate::Operation`] and [`crate::command`]:
//!
//! | key | value |
//! |---|---|
//! | `x-name` | name on the wire, where another parameter has it already |
//! | `x-style` | how several values are written: `repeat` (`a=1&a=2`), `comma`, `space`, `pipe`, `spread` (members as their own names), `brackets` |
//! | `x-whole` | `true`: this value is the whole body |

mod body;
mod effect;
mod one;
mod parameters;
mod server;

use std::collections::HashMap;

use serde_json::{Map, Value};

pub(super) use self::parameters::is_idempotency_key;
use super::assemble::Assembly;
use super::brought::Source;
use super::document::{self, refused};
use super::schema::{Schemas, percent_decoded};
use super::{Imported, clean};
use crate::error::Result;

/// References from parameters, bodies and answers to others: one leads to the next.
const MAX_HOPS: usize = 16;
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "head", "patch", "options"];

/// The document and what is read of it.
pub(super) struct Reader<'a> {
    root: &'a Value,
    source: &'a Source,
    schemas: Schemas<'a>,
    /// Names of query and header parameters that carry a secret: the executor's, never the model's.
    secrets: Vec<(String, String)>,
}

/// An operation within its document.
pub(super) struct At<'a> {
    path: &'a str,
    method: &'a str,
    item: &'a Value,
    operation: &'a Value,
    /// JSON pointer to the operation.
    place: String,
}

/// Imports a description from its bytes: JSON or YAML.
///
/// # Errors
/// See [`super::brought::operations_from`].
pub fn operations_from(bytes: &[u8], name: &str) -> Result<Imported> {
    let source = Source::named(name);
    operations(&document::read(bytes, &source.origin)?, &source)
}

/// Imports a description that was read.
pub(super) fn operations(document: &Value, source: &Source) -> Result<Imported> {
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if !version.starts_with("3.") {
        let reason = format!("OpenAPI {:?}; versions 3.0 and 3.1 are read", clean::line(version, 20));
        return Err(refused(&source.origin, reason));
    }
    let Some(paths) = document.get("paths").and_then(Value::as_object) else {
        return Err(refused(&source.origin, "it has no `paths`".to_owned()));
    };
    let schemas = Schemas::new(document, &source.origin, "");
    let mut reader = Reader { root: document, source, schemas, secrets: secrets(document) };
    let mut assembly = Assembly::new(source);
    let mut deletions = HashMap::new();
    for (path, item) in paths {
        // Extensions stand among the paths.
        if !path.starts_with('/') {
            continue;
        }
        let place = format!("/paths/{}", pointer_part(path));
        let item = reader.followed(item, &place)?;
        for method in METHODS {
            let Some(operation) = item.get(method).filter(|operation| operation.is_object()) else { continue };
            let at = At { path, method, item, operation, place: format!("{place}/{method}") };
            let described = reader.describe(&at, &assembly)?;
            if let (Some((collection, last)), "delete") = (path.rsplit_once('/'), method)
                && last.starts_with('{')
            {
                deletions.insert(format!("/paths/{}/post", pointer_part(collection)), described.name.clone());
            }
            assembly.add(described)?;
        }
    }
    let mut imported = assembly.finish(&reader.schemas.into_definitions(), &titles(document, paths))?;
    link_inverses(&mut imported, document, &deletions);
    Ok(imported)
}

/// `DELETE /pets/{id}` takes back `POST /pets`.
fn link_inverses(imported: &mut Imported, document: &Value, deletions: &HashMap<String, String>) {
    let created: HashMap<&str, &str> = deletions
        .iter()
        .filter_map(|(place, inverse)| Some((document.pointer(place)?.get("operationId")?.as_str()?, inverse.as_str())))
        .collect();
    for operation in imported.services.iter_mut().flat_map(|service| &mut service.operations) {
        operation.undo = created.get(operation.name.as_str()).map(|inverse| (*inverse).to_owned());
    }
}

/// What people call each service: the API's title, the tag and what is said of it.
fn titles(document: &Value, paths: &Map<String, Value>) -> HashMap<String, String> {
    let api = document.pointer("/info/title").and_then(Value::as_str).unwrap_or_default();
    let mut titles = HashMap::new();
    let listed = document.get("tags").and_then(Value::as_array).into_iter().flatten();
    for (name, about) in listed.filter_map(|tag| Some((tag.get("name")?.as_str()?, tag.get("description")))) {
        let about = about.and_then(Value::as_str).unwrap_or_default();
        let title = format!("{} {} {}", clean::line(api, 60), clean::line(name, 60), clean::sentence(about, 100));
        titles.extend(clean::slug(name).map(|service| (service, title)));
    }
    for path in paths.keys() {
        let service = one::service_of_path(path);
        titles.entry(service.clone()).or_insert_with(|| format!("{} {service}", clean::line(api, 60)));
    }
    titles
}

/// Parameters that security schemes of type `apiKey` name.
fn secrets(document: &Value) -> Vec<(String, String)> {
    let schemes = document.pointer("/components/securitySchemes").and_then(Value::as_object);
    let key = |scheme: &Value| {
        let text = |key: &str| scheme.get(key).and_then(Value::as_str).map(str::to_owned);
        (scheme.get("type")? == "apiKey").then_some((text("in")?, text("name")?))
    };
    schemes.into_iter().flat_map(Map::values).filter_map(key).collect()
}

fn pointer_part(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// What a `$ref` of the document itself leads to; the value itself without one.
    fn followed<'v>(&self, value: &'v Value, place: &str) -> Result<&'v Value>
    where
        'a: 'v,
    {
        let mut current = value;
        for _ in 0..MAX_HOPS {
            let Some(target) = current.get("$ref").and_then(Value::as_str) else { return Ok(current) };
            let found = target.strip_prefix('#').and_then(|pointer| self.root.pointer(&percent_decoded(pointer)));
            let Some(found) = found else {
                let what = if target.starts_with('#') {
                    "to nothing in this description"
                } else {
                    "to another file; bundle it into one file first"
                };
                return self.wrong(place, &format!("\"{}\" refers {what}", clean::line(target, 120)));
            };
            current = found;
        }
        self.wrong(place, "its `$ref` leads in a circle")
    }

    fn wrong<T>(&self, place: &str, reason: &str) -> Result<T> {
        Err(refused(&self.source.origin, format!("#{place}: {reason}")))
    }
}

#[cfg(test)]
mod tests;
