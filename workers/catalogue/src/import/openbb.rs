//! Turns OpenBB's reference of market data into operations: one for each path, called on a local `openbb-api`.
//!
//! `data/openbb.json` is flattened from `reference.json` by `extract/openbb.py`, `data/openbb_words.json` adds users' words.
//! All of it only reads. Several symbols go into one string with commas, as the API takes them. What computes on
//! rows (`technical.*`) takes them in the body. Start at [`operations`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::{CatalogueError, Result};
use crate::import::kubectl::brief;
use crate::import::{Imported, ImportedService};
use crate::operation::{Effect, Invocation, Operation};
use crate::semantics::{ErrorKind, ErrorRule, Origin, Semantics};

const REFERENCE: &str = include_str!("../../data/openbb.json");
const WORDS: &str = include_str!("../../data/openbb_words.json");

/// Provider of what is imported here.
pub const PROVIDER: &str = "openbb";

/// Where `openbb-api` listens unless told otherwise.
pub const DEFAULT_BASE: &str = "http://127.0.0.1:6900/api/v1/";

#[derive(Deserialize)]
struct Reference {
    groups: HashMap<String, String>,
    paths: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    doc: String,
    parameters: Vec<Parameter>,
    columns: Map<String, Value>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "type")]
    kind: ParameterKind,
    doc: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    default: Option<Value>,
    #[serde(default)]
    choices: Vec<Value>,
    /// Several values, joined with commas.
    #[serde(default)]
    several: bool,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum ParameterKind {
    String,
    Strings,
    Integer,
    Number,
    Boolean,
    Date,
    Dates,
    Object,
    Objects,
    /// The table that an earlier call answered with.
    Rows,
}

#[derive(Deserialize)]
struct Words {
    words: HashMap<String, Vec<String>>,
}

/// All paths of the reference, grouped by their first word.
pub fn operations() -> Result<Imported> {
    let reference: Reference = serde_json::from_str(REFERENCE).map_err(|source| failed("data/openbb.json", &source))?;
    let mut words: Words = serde_json::from_str(WORDS).map_err(|source| failed("data/openbb_words.json", &source))?;
    let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for entry in &reference.paths {
        let name = entry.path.replace('/', ".");
        let said = words.words.remove(&name).unwrap_or_default();
        let operation = operation(entry, name, said);
        groups.entry(operation.service.clone()).or_default().push(operation);
    }
    let service = |(name, operations): (String, Vec<Operation>)| ImportedService {
        title: reference.groups.get(&name).map_or_else(|| name.clone(), |title| brief(title, 120)),
        name,
        definitions: Arc::default(),
        operations,
    };
    Ok(Imported { provider: PROVIDER.to_owned(), services: groups.into_iter().map(service).collect() })
}

fn failed(origin: &str, source: &serde_json::Error) -> CatalogueError {
    CatalogueError::ImportFailed { origin: origin.to_owned(), reason: source.to_string() }
}

fn operation(entry: &Entry, name: String, words: Vec<String>) -> Operation {
    let takes_rows = entry.parameters.iter().any(|parameter| parameter.kind == ParameterKind::Rows);
    let properties: Map<String, Value> =
        entry.parameters.iter().map(|parameter| (parameter.name.clone(), parameter.schema())).collect();
    let required: Vec<&str> = entry.parameters.iter().filter(|p| p.required).map(|p| p.name.as_str()).collect();
    let (method, body) = if takes_rows { ("POST", "application/json") } else { ("GET", "") };
    Operation {
        provider: PROVIDER.to_owned(),
        service: entry.path.split('/').next().unwrap_or_default().to_owned(),
        name,
        summary: brief(&entry.doc, 300),
        words,
        effect: Effect::Read,
        undo: None,
        invocation: Invocation::Http {
            method: method.to_owned(),
            url: format!("{DEFAULT_BASE}{}", entry.path),
            body: body.to_owned(),
        },
        parameters: json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
        result: result(&entry.columns),
        semantics: semantics(),
        definitions: Arc::default(),
    }
}

/// Reading market data fails when a source is slow or limits its callers; nothing else can happen.
fn semantics() -> Semantics {
    let rule = |kind, codes: &[&str]| ErrorRule {
        kind,
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        from: Origin::rule("http-status"),
    };
    let throttled = rule(ErrorKind::Throttled, &["HTTP 429"]);
    let transient = rule(ErrorKind::Transient, &["HTTP 500", "HTTP 502", "HTTP 503", "HTTP 504"]);
    Semantics {
        effect_from: Origin::rule("market-data-only-reads"),
        errors: vec![throttled, transient],
        ..Semantics::default()
    }
}

/// Every answer is a table in `results` with the data source and warnings beside it.
fn result(columns: &Map<String, Value>) -> Value {
    let fields: Map<String, Value> = columns.iter().map(|(name, kind)| (name.clone(), column(kind))).collect();
    json!({"type": "object", "properties": {
        "results": {"type": "array", "items": {"type": "object", "properties": fields}},
        "provider": {"type": "string"},
        "warnings": {"type": "array", "items": {"type": "object"}},
    }})
}

fn column(kind: &Value) -> Value {
    match kind.as_str() {
        Some("date" | "dates") => json!({"type": "string", "format": "date"}),
        Some(plain @ ("string" | "integer" | "number" | "boolean")) => json!({"type": plain}),
        Some("strings") => json!({"type": "array", "items": {"type": "string"}}),
        Some("objects" | "rows") => json!({"type": "array", "items": {"type": "object"}}),
        _ => json!({"type": "object"}),
    }
}

// === impl Parameter ===

impl Parameter {
    fn schema(&self) -> Value {
        let mut schema = self.typed();
        schema["x-in"] = json!(if self.is_structured() { "body" } else { "query" });
        if !self.doc.is_empty() {
            schema["description"] = json!(brief(&self.doc, 140));
        }
        if let Some(default) = &self.default {
            schema["default"] = default.clone();
        }
        if !self.choices.is_empty() {
            let choosing = if schema["type"] == "array" { &mut schema["items"] } else { &mut schema };
            choosing["enum"] = json!(self.choices);
        }
        if self.name == "symbol" || self.name == "benchmark" {
            schema["x-kind"] = json!("ticker");
        }
        if self.several || self.kind == ParameterKind::Dates {
            schema["x-separator"] = json!(",");
        }
        schema
    }

    fn typed(&self) -> Value {
        match self.kind {
            ParameterKind::Integer => json!({"type": "integer"}),
            ParameterKind::Number => json!({"type": "number"}),
            ParameterKind::Boolean => json!({"type": "boolean"}),
            ParameterKind::Date => json!({"type": "string", "format": "date", "x-kind": "date"}),
            ParameterKind::String | ParameterKind::Dates => json!({"type": "string"}),
            // A list of symbols is written as the API takes it: `AAPL,MSFT`.
            ParameterKind::Strings if self.several || self.name == "symbol" => json!({"type": "string"}),
            ParameterKind::Strings => json!({"type": "array", "items": {"type": "string"}}),
            ParameterKind::Object => json!({"type": "object"}),
            ParameterKind::Objects | ParameterKind::Rows => json!({"type": "array", "items": {"type": "object"}}),
        }
    }

    fn is_structured(&self) -> bool {
        matches!(self.kind, ParameterKind::Object | ParameterKind::Objects | ParameterKind::Rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Operation> {
        let imported = operations().expect("the committed extract imports");
        imported.services.into_iter().flat_map(|service| service.operations).collect()
    }

    fn named(name: &str) -> Operation {
        all().into_iter().find(|operation| operation.name == name).expect(name)
    }

    #[test]
    fn all_131_paths_become_operations_that_only_read() {
        let all = all();
        assert_eq!(all.len(), 131);
        assert!(all.iter().all(|operation| operation.effect == Effect::Read && operation.summary.len() <= 300));
    }

    #[test]
    fn a_historical_price_needs_a_ticker_and_takes_dates() {
        let historical = named("equity.price.historical");
        assert_eq!(historical.service, "equity");
        assert!(historical.is_required("symbol") && !historical.is_required("start_date"));
        let symbol = historical.parameter("symbol").expect("symbol");
        assert_eq!((&symbol["type"], &symbol["x-kind"]), (&json!("string"), &json!("ticker")));
        let start = historical.parameter("start_date").expect("start_date");
        assert_eq!((&start["format"], &start["x-kind"]), (&json!("date"), &json!("date")));
        let interval = historical.parameter("interval").expect("interval")["enum"].as_array().expect("choices").len();
        assert_eq!(interval, 13);
        assert_eq!(historical.result["properties"]["results"]["items"]["properties"]["close"]["type"], "number");
    }

    #[test]
    fn rows_are_posted_and_all_else_is_in_the_query() {
        let rsi = named("technical.rsi");
        assert_eq!(rsi.parameter("data").expect("data")["x-in"], "body");
        assert_eq!(rsi.parameter("length").expect("length")["x-in"], "query");
        assert!(matches!(&rsi.invocation, Invocation::Http { method, .. } if method == "POST"));
        let quote = named("equity.price.quote");
        let expected = Invocation::Http {
            method: "GET".to_owned(),
            url: format!("{DEFAULT_BASE}equity/price/quote"),
            body: String::new(),
        };
        assert_eq!(quote.invocation, expected);
    }

    #[test]
    fn every_hand_written_word_is_about_a_path_that_exists() {
        let names: Vec<String> = all().into_iter().map(|operation| operation.name).collect();
        let words: Words = serde_json::from_str(WORDS).expect("parses");
        for name in words.words.keys() {
            assert!(names.contains(name), "{name} is no path of OpenBB");
        }
    }
}
