//! Writes the flags of the AWS command line: scalars of a list as words, everything nested as JSON.
//!
//! Each flag is read back at once. What a word cannot say exactly (a text that names a file, one of the two counts, a number
//! where a text may stand) goes into `--cli-input-json`, which can say everything.

use serde_json::{Map, Value};

use super::{form, is_aws_s3, sharing};
use crate::command::{coerce, options, reference};
use crate::operation::Operation;

/// Adds the flags of a call to the command's words.
pub fn push_flags(operation: &Operation, arguments: &Value, vector: &mut Vec<String>) {
    let mut unsaid = Map::new();
    for (name, schema) in operation.properties().filter(|(_, schema)| schema.get("x-position").is_none()) {
        let (Some(value), Some(flag)) = (arguments.get(name), schema["x-flag"].as_str()) else { continue };
        if is_aws_s3(operation) {
            push_s3((flag, schema), value, vector);
        } else if let Some(pair) = sharing(operation, flag) {
            push_range(flag, pair, (name, arguments), (vector, &mut unsaid));
        } else if !push_exactly(operation, (flag, schema), value, vector) {
            unsaid.insert(name.to_owned(), value.clone());
        }
    }
    if !unsaid.is_empty() {
        let json = reference::words_inside(&Value::Object(unsaid)).to_string();
        vector.extend(["--cli-input-json".to_owned(), json]);
    }
}

fn push_s3((flag, schema): (&str, &Value), value: &Value, vector: &mut Vec<String>) {
    match value {
        Value::Object(_) if schema["type"] == "array" => {
            push_word(flag, &reference::to_list_word(value).unwrap_or_else(|| form::text(value)), vector);
        }
        Value::Bool(true) => vector.push(format!("--{flag}")),
        // These have no `--no-…`: leaving it out says the same.
        Value::Bool(false) => {}
        Value::Array(items) => items.iter().for_each(|item| push_word(flag, &form::text(item), vector)),
        _ => push_word(flag, &json_or_text(value), vector),
    }
}

/// Writes a flag if its words say exactly this value.
fn push_exactly(
    operation: &Operation,
    (flag, schema): (&str, &Value),
    value: &Value,
    vector: &mut Vec<String>,
) -> bool {
    if let Value::Bool(is_on) = value {
        vector.push(if *is_on { format!("--{flag}") } else { format!("--no-{flag}") });
        return true;
    }
    let words = words(operation, schema, value);
    // A switch is on or off, and an option of this name belongs to the command line.
    if operation.resolve(schema)["type"] == "boolean" || options::is_paging(operation, flag) {
        return false;
    }
    // awscli reads a file in place of such a word, and Python's argparse makes nothing of `--flag=--`.
    let is_special = |word: &String| word.starts_with("file://") || word.starts_with("fileb://") || word == "--";
    let is_exact = coerce::from_words(operation, schema, &words).as_ref() == Some(value);
    if !is_exact || words.iter().any(is_special) {
        return false;
    }
    match words.as_slice() {
        [word] => push_word(flag, word, vector),
        words => {
            vector.push(format!("--{flag}"));
            vector.extend_from_slice(words);
        }
    }
    true
}

fn words(operation: &Operation, schema: &Value, value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) if are_plain_words(items) && operation.resolve(schema)["type"] == "array" => {
            items.iter().map(form::text).collect()
        }
        Value::Object(_) if operation.resolve(schema)["type"] == "array" => {
            reference::to_list_word(value).map_or_else(|| vec![json_or_text(value)], |word| vec![word])
        }
        _ => vec![json_or_text(value)],
    }
}

/// `--count 1:3` is MinCount and MaxCount; one number is both.
fn push_range(
    flag: &str,
    (first, second): (&str, &str),
    (name, arguments): (&str, &Value),
    (vector, unsaid): (&mut Vec<String>, &mut Map<String, Value>),
) {
    match (arguments.get(first), arguments.get(second)) {
        (Some(_), Some(_)) if name == second => {}
        (Some(least), Some(most)) if least != most => {
            push_word(flag, &format!("{}:{}", form::text(least), form::text(most)), vector);
        }
        (Some(count), Some(_)) => push_word(flag, &form::text(count), vector),
        (Some(only), None) | (None, Some(only)) => drop(unsaid.insert(name.to_owned(), only.clone())),
        (None, None) => {}
    }
}

fn push_word(flag: &str, word: &str, vector: &mut Vec<String>) {
    if word.starts_with('-') {
        // A word that looks like a flag must be attached to its own.
        vector.push(format!("--{flag}={word}"));
    } else {
        vector.extend([format!("--{flag}"), word.to_owned()]);
    }
}

fn json_or_text(value: &Value) -> String {
    if reference::to_word(value).is_none() && (value.is_array() || value.is_object()) {
        return reference::words_inside(value).to_string();
    }
    form::text(value)
}

/// Can each item stand alone as a word without being taken for a flag or for JSON?
fn are_plain_words(items: &[Value]) -> bool {
    let is_plain = |item: &Value| {
        let is_scalar = !item.is_array() && !item.is_object() || reference::to_word(item).is_some();
        is_scalar && !form::text(item).trim_start().starts_with(['-', '[', '{'])
    };
    !items.is_empty() && items.iter().all(is_plain)
}
