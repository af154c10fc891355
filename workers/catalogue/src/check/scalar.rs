//! Checks one value without what is in it: type, choices, pattern, lengths, bounds.

use serde_json::{Number, Value};

use super::ViolationCode;
use super::pattern::matches_pattern;

/// At most so many choices are named in a message.
const SHOWN_CHOICES: usize = 12;

/// What is wrong with one value.
pub(super) struct Fault {
    pub code: ViolationCode,
    pub message: String,
}

fn fault(code: ViolationCode, message: String) -> Result<(), Fault> {
    Err(Fault { code, message })
}

pub(super) fn check_scalar(schema: &Value, value: &Value) -> Result<(), Fault> {
    check_type(schema, value)?;
    check_choices(schema, value)?;
    match value {
        Value::String(text) => check_text(schema, text),
        Value::Number(number) => check_number(schema, number),
        Value::Array(items) => check_count(schema, items.len(), ["minItems", "maxItems"], "items"),
        _ => Ok(()),
    }
}

fn check_type(schema: &Value, value: &Value) -> Result<(), Fault> {
    let fits = match schema.get("type") {
        None => true,
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(|kind| is_of(kind, schema, value)),
        Some(kind) => kind.as_str().is_none_or(|kind| is_of(kind, schema, value)),
    };
    if fits {
        return Ok(());
    }
    let expected = schema.get("type").map(Value::to_string).unwrap_or_default();
    fault(ViolationCode::Type, format!("must be {}, not {}", expected.trim_matches('"'), kind_of(value)))
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

fn check_choices(schema: &Value, value: &Value) -> Result<(), Fault> {
    if let Some(only) = schema.get("const").filter(|only| *only != value) {
        return fault(ViolationCode::Choice, format!("must be {only}"));
    }
    let Some(choices) = schema.get("enum").and_then(Value::as_array) else { return Ok(()) };
    if choices.contains(value) {
        return Ok(());
    }
    let shown: Vec<String> = choices.iter().take(SHOWN_CHOICES).map(Value::to_string).collect();
    let more = if choices.len() > SHOWN_CHOICES { ", …" } else { "" };
    fault(ViolationCode::Choice, format!("must be one of {}{more}", shown.join(", ")))
}

fn check_text(schema: &Value, text: &str) -> Result<(), Fault> {
    if schema.get("minLength").is_some() || schema.get("maxLength").is_some() {
        check_count(schema, text.chars().count(), ["minLength", "maxLength"], "characters")?;
    }
    match schema.get("pattern").and_then(Value::as_str) {
        Some(pattern) if !matches_pattern(pattern, text) => {
            fault(ViolationCode::Pattern, format!("must match {pattern}"))
        }
        _ => Ok(()),
    }
}

/// Compared as integers where both are: near 2^63 a float no longer tells neighbours apart.
fn check_number(schema: &Value, number: &Number) -> Result<(), Fault> {
    let is_below = |a: &Number, b: &Number| match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a < b,
        _ => a.as_f64() < b.as_f64(),
    };
    let bound = |key: &str| schema.get(key).and_then(Value::as_number);
    if let Some(least) = bound("minimum").filter(|least| is_below(number, least)) {
        return fault(ViolationCode::Bounds, format!("must be at least {least}"));
    }
    match bound("maximum").filter(|most| is_below(most, number)) {
        Some(most) => fault(ViolationCode::Bounds, format!("must be at most {most}")),
        None => Ok(()),
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn check_count(schema: &Value, count: usize, [low, high]: [&str; 2], what: &str) -> Result<(), Fault> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    if let Some(least) = bound(low).filter(|least| (count as u64) < *least) {
        return fault(ViolationCode::Length, format!("must have at least {least} {what}, not {count}"));
    }
    match bound(high).filter(|most| count as u64 > *most) {
        Some(most) => fault(ViolationCode::Length, format!("must have at most {most} {what}, not {count}")),
        None => Ok(()),
    }
}
