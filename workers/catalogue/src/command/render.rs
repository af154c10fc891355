//! Writes a call as the argument vector of the vendor's tool.

use serde_json::Value;

use super::{form, reference};
use crate::operation::{Invocation, Operation};

/// `words`, positionals, flags, and what comes after `--`.
pub fn command(operation: &Operation, words: &[String], arguments: &Value) -> Vec<String> {
    let mut vector = words.to_vec();
    vector.extend(positionals(operation, arguments));
    let mut writer = Writer { operation, arguments, vector };
    for (name, schema) in operation.properties().filter(|(_, schema)| schema.get("x-position").is_none()) {
        if let (Some(value), Some(flag)) = (arguments.get(name), schema["x-flag"].as_str()) {
            writer.push_argument(name, flag, schema, value);
        }
    }
    let mut vector = writer.vector;
    let after = operation.properties().filter(|(_, schema)| schema["x-after-dashes"] == true);
    for value in after.filter_map(|(name, _)| arguments.get(name)) {
        vector.push("--".to_owned());
        vector.extend(words_of(value));
    }
    vector
}

/// Is it one of the commands above the API, `aws s3 cp` and its like? They repeat the flag for each word of a list.
pub fn is_aws_s3(operation: &Operation) -> bool {
    matches!(&operation.invocation, Invocation::Command { words } if words.starts_with(&["aws".to_owned(), "s3".to_owned()]))
}

/// The two parameters that one flag of the AWS command line fills: `--count 1:3` is MinCount and MaxCount.
pub fn sharing<'a>(operation: &'a Operation, flag: &str) -> Option<(&'a str, &'a str)> {
    let mut sharing = operation.properties().filter(|(_, schema)| schema["x-flag"] == flag).map(|(name, _)| name);
    Some((sharing.next()?, sharing.next()?))
}

/// Words of the positionals in order; those that are joined make one word.
fn positionals(operation: &Operation, arguments: &Value) -> Vec<String> {
    let mut placed: Vec<(u64, Option<&str>, &Value)> = Vec::new();
    for (name, schema) in operation.properties().filter(|(_, schema)| schema["x-after-dashes"] != true) {
        if let (Some(position), Some(value)) = (schema["x-position"].as_u64(), arguments.get(name)) {
            placed.push((position, schema["x-join"].as_str(), value));
        }
    }
    placed.sort_by_key(|(position, join, _)| (*position, join.is_some()));
    let mut vector: Vec<String> = Vec::new();
    for (at, (position, join, value)) in placed.iter().enumerate() {
        let is_same_word = at > 0 && placed[at - 1].0 == *position;
        match (join, vector.last_mut()) {
            (Some(join), Some(last)) if is_same_word => *last = format!("{last}{join}{}", form::text(value)),
            _ => vector.extend(words_of(value)),
        }
    }
    vector
}

fn words_of(value: &Value) -> Vec<String> {
    value.as_array().map_or_else(|| vec![form::text(value)], |items| items.iter().map(form::text).collect())
}

struct Writer<'a> {
    operation: &'a Operation,
    arguments: &'a Value,
    vector: Vec<String>,
}

// === impl Writer ===

impl Writer<'_> {
    fn push_argument(&mut self, name: &str, flag: &str, schema: &Value, value: &Value) {
        if self.operation.provider != "aws" {
            self.push_flag(flag, value);
        } else if is_aws_s3(self.operation) {
            self.push_s3(flag, value);
        } else if let Some((first, second)) = sharing(self.operation, flag) {
            self.push_range(flag, (first, second), name);
        } else {
            self.push_aws(flag, schema, value);
        }
    }

    /// A flag as kubectl documents it: `--replicas=5`, `-n prod`, a list as the flag repeated.
    fn push_flag(&mut self, flag: &str, value: &Value) {
        match value {
            Value::Bool(true) => self.vector.push(format!("--{flag}")),
            Value::Array(items) => {
                self.vector.extend(items.iter().map(|item| format!("--{flag}={}", form::text(item))))
            }
            _ if flag == "namespace" => self.vector.extend(["-n".to_owned(), form::text(value)]),
            _ if flag == "output" && self.arguments.get("template").is_some() => {
                // `-o jsonpath=…`: the template is part of the format's word.
                self.vector.push(format!("--output={}={}", form::text(value), form::text(&self.arguments["template"])));
            }
            _ if flag == "template" && self.arguments.get("output").is_some() => {}
            _ => self.vector.push(format!("--{flag}={}", form::text(value))),
        }
    }

    fn push_s3(&mut self, flag: &str, value: &Value) {
        match value {
            Value::Bool(true) => self.vector.push(format!("--{flag}")),
            // These have no `--no-…`: leaving it out says the same.
            Value::Bool(false) => {}
            Value::Array(items) => items.iter().for_each(|item| self.push_word(flag, &form::text(item))),
            _ => self.push_word(flag, &json_or_text(value)),
        }
    }

    /// A flag as the AWS command line takes it: scalars of a list as words, everything nested as JSON.
    fn push_aws(&mut self, flag: &str, schema: &Value, value: &Value) {
        match value {
            Value::Bool(true) => self.vector.push(format!("--{flag}")),
            Value::Bool(false) => self.vector.push(format!("--no-{flag}")),
            Value::Array(items) if are_plain_words(items) && self.operation.resolve(schema)["type"] == "array" => {
                self.vector.push(format!("--{flag}"));
                self.vector.extend(items.iter().map(form::text));
            }
            _ => self.push_word(flag, &json_or_text(value)),
        }
    }

    fn push_range(&mut self, flag: &str, (first, second): (&str, &str), name: &str) {
        match (self.arguments.get(first), self.arguments.get(second)) {
            (Some(_), Some(_)) if name == second => {}
            (Some(least), Some(most)) if least != most => {
                self.push_word(flag, &format!("{}:{}", form::text(least), form::text(most)))
            }
            (Some(count), _) | (None, Some(count)) => self.push_word(flag, &form::text(count)),
            (None, None) => {}
        }
    }

    fn push_word(&mut self, flag: &str, word: &str) {
        if word.starts_with('-') {
            // A word that looks like a flag must be attached to its own.
            self.vector.push(format!("--{flag}={word}"));
        } else {
            self.vector.extend([format!("--{flag}"), word.to_owned()]);
        }
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
        is_scalar && !form::text(item).starts_with(['-', '[', '{'])
    };
    !items.is_empty() && items.iter().all(is_plain)
}
