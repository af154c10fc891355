//! Checks one value without what is in it: type, choices, pattern, lengths, bounds.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// Compiled patterns that are kept; vendors have about 10,000, a process meets a few hundred.
const KEPT_PATTERNS: usize = 1024;
/// Bound on a compiled pattern, in bytes: `.{0,10000000}` would take gigabytes.
const MAX_PATTERN_SIZE: usize = 1 << 20;
/// At most so many choices are named in a message.
const SHOWN_CHOICES: usize = 12;

/// Patterns by source; `None` for those that this regex language lacks (look-around, possessive quantifiers).
static PATTERNS: LazyLock<Mutex<HashMap<String, Option<Regex>>>> = LazyLock::new(Mutex::default);

/// A stable word for programs and a sentence for people.
pub(super) type Wrong = (&'static str, String);

pub(super) fn check_scalar(schema: &Value, value: &Value) -> Result<(), Wrong> {
    check_type(schema, value)?;
    check_choices(schema, value)?;
    match value {
        Value::String(text) => check_text(schema, text),
        Value::Number(number) => check_number(schema, number.as_f64().unwrap_or(f64::NAN)),
        Value::Array(items) => check_count(schema, items.len(), ["minItems", "maxItems"], "items"),
        _ => Ok(()),
    }
}

fn check_type(schema: &Value, value: &Value) -> Result<(), Wrong> {
    let fits = match schema.get("type") {
        None => true,
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(|kind| is_of(kind, schema, value)),
        Some(kind) => kind.as_str().is_none_or(|kind| is_of(kind, schema, value)),
    };
    if fits {
        return Ok(());
    }
    let expected = schema.get("type").map(Value::to_string).unwrap_or_default();
    Err(("type", format!("must be {}, not {}", expected.trim_matches('"'), kind_of(value))))
}

fn is_of(kind: &str, schema: &Value, value: &Value) -> bool {
    match kind {
        "string" => value.is_string() || (is_time(schema) && value.is_number()),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

/// Vendors take points in time as text or as seconds since 1970.
fn is_time(schema: &Value) -> bool {
    schema.get("format").is_some_and(|format| format == "date-time")
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn check_choices(schema: &Value, value: &Value) -> Result<(), Wrong> {
    if let Some(only) = schema.get("const").filter(|only| *only != value) {
        return Err(("choice", format!("must be {only}")));
    }
    let Some(choices) = schema.get("enum").and_then(Value::as_array) else { return Ok(()) };
    if choices.contains(value) {
        return Ok(());
    }
    let shown: Vec<String> = choices.iter().take(SHOWN_CHOICES).map(Value::to_string).collect();
    let more = if choices.len() > SHOWN_CHOICES { ", …" } else { "" };
    Err(("choice", format!("must be one of {}{more}", shown.join(", "))))
}

fn check_text(schema: &Value, text: &str) -> Result<(), Wrong> {
    if schema.get("minLength").is_some() || schema.get("maxLength").is_some() {
        check_count(schema, text.chars().count(), ["minLength", "maxLength"], "characters")?;
    }
    match schema.get("pattern").and_then(Value::as_str) {
        Some(pattern) if !matches_pattern(pattern, text) => Err(("pattern", format!("must match {pattern}"))),
        _ => Ok(()),
    }
}

/// True also when the pattern is not one this regex language can say: the vendor will check it.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if patterns.len() >= KEPT_PATTERNS && !patterns.contains_key(pattern) {
        patterns.clear();
    }
    let compiled = patterns.entry(pattern.to_owned()).or_insert_with(|| {
        // Not anchored: JSON Schema and Smithy both search, and vendors write anchors where they mean them.
        RegexBuilder::new(pattern).size_limit(MAX_PATTERN_SIZE).build().ok()
    });
    compiled.as_ref().is_none_or(|regex| regex.is_match(text))
}

fn check_number(schema: &Value, number: f64) -> Result<(), Wrong> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    if let Some(least) = bound("minimum").filter(|least| number < *least) {
        return Err(("bounds", format!("must be at least {least}")));
    }
    match bound("maximum").filter(|most| number > *most) {
        Some(most) => Err(("bounds", format!("must be at most {most}"))),
        None => Ok(()),
    }
}

fn check_count(schema: &Value, count: usize, [low, high]: [&str; 2], what: &str) -> Result<(), Wrong> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    if let Some(least) = bound(low).filter(|least| (count as u64) < *least) {
        return Err(("bounds", format!("must have at least {least} {what}, not {count}")));
    }
    match bound(high).filter(|most| count as u64 > *most) {
        Some(most) => Err(("bounds", format!("must have at most {most} {what}, not {count}"))),
        None => Ok(()),
    }
}
