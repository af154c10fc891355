//! The story of one operation: name ▶ service ▶ words ▶ parameters ▶ body ▶ answer ▶ effect.

use serde_json::{Map, Value, json};

use super::{At, Reader, body, effect, server};
use crate::error::Result;
use crate::import::assemble::{Assembly, Described};
use crate::import::clean;
use crate::operation::Invocation;

/// Longest summary, in bytes: the contract of `Operation::summary`.
const MAX_SUMMARY: usize = 300;

// === impl Reader ===

impl Reader<'_> {
    pub(super) fn describe(&mut self, at: &At<'_>, others: &Assembly<'_>) -> Result<Described> {
        let mut fields = Fields::default();
        self.read_parameters(at, &mut fields)?;
        let media = self.read_body(at, &mut fields)?;
        let url = server::url(self, at)?;
        fields.add_placeholders(&url);
        let name = name(at, others);
        let (summary, words) = words(at);
        let effect = effect::effect(at.method, at.path, &name, fields.is_keyed);
        let mut parameters = fields.into_schema();
        if at.operation.get("deprecated") == Some(&Value::Bool(true)) {
            parameters["deprecated"] = json!(true);
        }
        Ok(Described {
            service: service(at),
            name,
            place: at.place.clone(),
            summary,
            words,
            effect,
            undo: None,
            invocation: Invocation::Http { method: at.method.to_ascii_uppercase(), url, body: media },
            parameters,
            result: self.answer(at)?,
        })
    }

    /// Schema of the first answer that says it went well.
    fn answer(&mut self, at: &At<'_>) -> Result<Value> {
        let Some(answers) = at.operation.get("responses").and_then(Value::as_object) else { return Ok(Value::Null) };
        // YAML may write `200:` as a number; it is a string by now.
        let good = answers.iter().filter(|(status, _)| status.starts_with('2'));
        let mut good: Vec<(&String, &Value)> = good.collect();
        good.sort_by_key(|(status, _)| status.as_str());
        for (status, answer) in good {
            let place = format!("{}/responses/{status}", at.place);
            let answer = self.followed(answer, &place)?;
            let Some((media, schema)) = body::content_of(answer).filter(|(media, _)| body::is_json(media)) else {
                continue;
            };
            let place = format!("{place}/content/{}/schema", super::pointer_part(media));
            return self.schemas.convert(schema, &place);
        }
        Ok(Value::Null)
    }
}

/// Parameters as they are gathered.
#[derive(Default)]
pub(super) struct Fields {
    pub properties: Map<String, Value>,
    pub required: Vec<String>,
    /// Required as soon as any of the body is given.
    pub required_in_body: Vec<String>,
    /// Takes an idempotency key.
    pub is_keyed: bool,
}

// === impl Fields ===

impl Fields {
    /// Adds a parameter, under another name when there is one of that name elsewhere; gives the name.
    pub fn add(&mut self, name: &str, place: &str, mut schema: Value) -> String {
        schema["x-in"] = json!(place);
        let mut own = name.to_owned();
        let mut number = 1;
        while self.properties.contains_key(&own) {
            own = if number == 1 { format!("{place}_{name}") } else { format!("{place}_{name}_{number}") };
            number += 1;
            schema["x-name"] = json!(name);
        }
        self.properties.insert(own.clone(), schema);
        own
    }

    /// Placeholders of the URL that no parameter describes are strings that somebody must give.
    fn add_placeholders(&mut self, url: &str) {
        for name in url.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)) {
            let is_there = |(own, schema): (&String, &Value)| {
                schema["x-in"] == "path" && (own == name || schema.get("x-name").is_some_and(|wire| wire == name))
            };
            if !self.properties.iter().any(is_there) && clean::problem_of_name(name).is_none() {
                let own = self.add(name, "path", json!({ "type": "string" }));
                self.required.push(own);
            }
        }
    }

    fn into_schema(self) -> Value {
        let mut schema = json!({ "type": "object", "properties": self.properties, "additionalProperties": false });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        if !self.required_in_body.is_empty() {
            let fields = self.properties.iter().filter(|(_, schema)| schema["x-in"] == "body").map(|(name, _)| name);
            let needs = fields.map(|name| (name.clone(), json!(self.required_in_body)));
            schema["dependentRequired"] = Value::Object(needs.collect());
        }
        schema
    }
}

/// `operationId`, or a name made of method and path: `GET /pets/{id}` is `get_pets_id`.
fn name(at: &At<'_>, others: &Assembly<'_>) -> String {
    let given = at.operation.get("operationId").and_then(Value::as_str).filter(|id| !id.trim().is_empty());
    if let Some(id) = given {
        return id.to_owned();
    }
    let parts = at.path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let made = std::iter::once(at.method).chain(parts).collect::<Vec<_>>().join("_");
    let made = clean::cut(&made, clean::MAX_NAME - 8).to_owned();
    let mut name = made.clone();
    let mut number = 2;
    // `/a/{b}` and `/a/b`: a name that we make must not collide.
    while others.has(&name) {
        name = format!("{made}_{number}");
        number += 1;
    }
    name
}

/// The first tag, or the first word of the path that says something.
fn service(at: &At<'_>) -> String {
    let tag = at.operation.pointer("/tags/0").and_then(Value::as_str).and_then(clean::slug);
    tag.unwrap_or_else(|| service_of_path(at.path))
}

pub(super) fn service_of_path(path: &str) -> String {
    let is_version = |part: &str| {
        let digits = part.trim_start_matches(['v', 'V']);
        part == "api" || digits.starts_with(|first: char| first.is_ascii_digit())
    };
    let mut parts = path.split('/').filter(|part| !part.is_empty() && !part.starts_with('{') && !is_version(part));
    parts.next().and_then(clean::slug).unwrap_or_else(|| "root".to_owned())
}

/// The summary, and what else is said for search.
fn words(at: &At<'_>) -> (String, Vec<String>) {
    let text = |from: &Value, key: &str| from.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let [short, long] = ["summary", "description"].map(|key| clean::sentence(&text(at.operation, key), MAX_SUMMARY));
    let mut said = vec![short, long, clean::sentence(&text(at.item, "summary"), MAX_SUMMARY)];
    said.push(format!("{} {}", at.method.to_ascii_uppercase(), clean::line(at.path, MAX_SUMMARY - 8)));
    said.retain(|text| !text.is_empty());
    let summary = said.remove(0);
    said.dedup();
    said.retain(|text| *text != summary);
    (summary, said)
}
