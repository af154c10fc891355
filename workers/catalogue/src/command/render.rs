//! Writes a call as the argument vector of the vendor's tool.

use serde_json::Value;

use super::{coerce, form, reference};
use crate::operation::{Invocation, Operation};

mod aws;

/// `words`, positionals, flags, and what comes after `--`.
pub fn command(operation: &Operation, words: &[String], arguments: &Value) -> Vec<String> {
    let placed = positionals(operation, arguments);
    // What begins with a dash would be taken for a flag: it must stand after `--`, and what follows it too.
    let like_flag = placed.iter().position(|word| word.len() > 1 && word.starts_with('-')).unwrap_or(placed.len());
    let (first, last) = placed.split_at(like_flag);
    let mut vector = [words, first].concat();
    if operation.provider == "aws" {
        aws::push_flags(operation, arguments, &mut vector);
    } else {
        let mut writer = Writer { arguments, vector };
        for (name, schema) in operation.properties().filter(|(_, schema)| schema.get("x-position").is_none()) {
            if let (Some(value), Some(flag)) = (arguments.get(name), schema["x-flag"].as_str()) {
                writer.push_flag(flag, schema, value);
            }
        }
        vector = writer.vector;
    }
    let after = operation.properties().filter(|(_, schema)| schema["x-after-dashes"] == true);
    let after = after.filter_map(|(name, schema)| Some(words_of(schema, arguments.get(name)?)));
    let after: Vec<String> = after.flatten().collect();
    if !last.is_empty() || !after.is_empty() {
        vector.push("--".to_owned());
        vector.extend(last.iter().cloned().chain(after));
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
    let mut placed: Vec<(u64, &Value, &Value)> = Vec::new();
    for (name, schema) in operation.properties().filter(|(_, schema)| schema["x-after-dashes"] != true) {
        if let (Some(position), Some(value)) = (schema["x-position"].as_u64(), arguments.get(name)) {
            placed.push((position, schema, value));
        }
    }
    placed.sort_by_key(|(position, schema, _)| (*position, schema.get("x-join").is_some()));
    let mut vector: Vec<String> = Vec::new();
    for (at, (position, schema, value)) in placed.iter().enumerate() {
        let is_same_word = at > 0 && placed[at - 1].0 == *position;
        match (schema["x-join"].as_str(), vector.last_mut()) {
            (Some(join), Some(last)) if is_same_word => *last = format!("{last}{join}{}", form::text(value)),
            _ => vector.extend(words_of(schema, value)),
        }
    }
    vector
}

fn words_of(schema: &Value, value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(form::text).collect(),
        _ if schema["type"] == "array" => vec![reference::to_list_word(value).unwrap_or_else(|| form::text(value))],
        _ => vec![form::text(value)],
    }
}

/// Formats whose template is part of their word: `-o jsonpath={…}`.
pub fn takes_template(format: &str) -> bool {
    ["jsonpath", "go-template", "custom-columns"].iter().any(|begin| format.starts_with(begin))
}

struct Writer<'a> {
    arguments: &'a Value,
    vector: Vec<String>,
}

// === impl Writer ===

impl Writer<'_> {
    /// A flag as kubectl documents it: `--replicas=5`, `-n prod`, a list as the flag repeated.
    fn push_flag(&mut self, flag: &str, schema: &Value, value: &Value) {
        match value {
            Value::Bool(true) => self.vector.push(format!("--{flag}")),
            Value::Object(_) if schema["type"] == "array" => {
                let list = reference::to_list_word(value).unwrap_or_else(|| form::text(value));
                self.vector.push(format!("--{flag}={list}"));
            }
            Value::Array(items) => {
                let is_whole = schema["x-repeat"] == true;
                let word = |item: &Value| {
                    let text = form::text(item);
                    if is_whole { text } else { coerce::quote_in_list(&text) }
                };
                self.vector.extend(items.iter().map(|item| format!("--{flag}={}", word(item))));
            }
            Value::String(namespace) if flag == "namespace" && !namespace.starts_with('-') => {
                self.vector.extend(["-n".to_owned(), namespace.clone()]);
            }
            _ if flag == "output" && self.template().is_some() => {
                let template = self.template().map(form::text).unwrap_or_default();
                self.vector.push(format!("--output={}={template}", form::text(value)));
            }
            _ if flag == "template" && self.template().is_some() => {}
            _ => self.vector.push(format!("--{flag}={}", form::text(value))),
        }
    }

    /// The template that is written with the format.
    fn template(&self) -> Option<&Value> {
        let format = self.arguments.get("output").and_then(Value::as_str)?;
        self.arguments.get("template").filter(|_| takes_template(format))
    }
}
