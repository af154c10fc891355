//! Gives words the types that a parameter's schema asks for.
//!
//! Lenient in form (case of an enumeration, shorthand for JSON, `deploy` for `deployment`), never in content: a word that
//! cannot be of the type is no value.

use serde_json::{Map, Number, Value};

use super::{reference, shorthand};
use crate::check;
use crate::import::kubernetes;
use crate::operation::Operation;

/// Deepest nesting that is typed.
pub const MAX_DEPTH: usize = 24;

/// The value one word says.
pub fn from_word(operation: &Operation, schema: &Value, word: &str) -> Option<Value> {
    let schema = operation.resolve(schema);
    // One reference where a list is expected is its first element: that a whole list is meant cannot be seen in a word.
    if let Some(reference) = reference::from_word(word).filter(|_| schema["type"] != "array") {
        return Some(reference);
    }
    if let Some(branches) = branches(schema) {
        return branches.iter().find_map(|branch| from_word(operation, branch, word));
    }
    match schema["type"].as_str() {
        Some("object") => match structure(operation, word) {
            Some(value) => conform(operation, schema, value, MAX_DEPTH),
            None => wrapped(operation, schema, word),
        },
        Some("array") if reference::from_list_word(word).is_some() => reference::from_list_word(word),
        Some("array") => match json(word, '[') {
            Some(list) => conform(operation, schema, list, MAX_DEPTH),
            None => Some(Value::Array(vec![from_word(operation, &schema["items"], word)?])),
        },
        _ => scalar(schema, word),
    }
}

/// An element of a list as pflag's `StringSlice` reads it: CSV.
pub fn quote_in_list(text: &str) -> String {
    let is_plain = !text.is_empty() && !text.contains([',', '"', '\n', '\r']);
    if is_plain || reference::from_word(text).is_some() {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The elements of such a word: `get,list`, `"a,b",c`.
pub fn split_list(word: &str) -> Vec<String> {
    let mut elements = vec![String::new()];
    let mut characters = word.chars().peekable();
    let mut is_quoted = false;
    while let Some(c) = characters.next() {
        let element = elements.last_mut().expect("it begins with one");
        match c {
            '"' if is_quoted && characters.peek() == Some(&'"') => element.extend(characters.next()),
            '"' if is_quoted => is_quoted = false,
            '"' if element.is_empty() => is_quoted = true,
            ',' if !is_quoted => elements.push(String::new()),
            c => element.push(c),
        }
    }
    elements
}

/// A list of which each word is one element as it stands, or one reference to a whole list.
pub fn from_elements(operation: &Operation, schema: &Value, words: &[String]) -> Option<Value> {
    if let [word] = words
        && let Some(whole) = reference::from_list_word(word)
    {
        return Some(whole);
    }
    words.iter().map(|word| from_word(operation, &schema["items"], word)).collect::<Option<Vec<_>>>().map(Value::Array)
}

/// The value several words say together: a list, or one string where the schema joins several with a separator.
pub fn from_words(operation: &Operation, schema: &Value, words: &[String]) -> Option<Value> {
    let resolved = operation.resolve(schema);
    if let [word] = words {
        return from_word(operation, schema, word);
    }
    if let Some(separator) = resolved["x-separator"].as_str() {
        return scalar(resolved, &words.join(separator));
    }
    if resolved["type"] != "array" {
        return None;
    }
    words
        .iter()
        .map(|word| from_word(operation, &resolved["items"], word))
        .collect::<Option<Vec<_>>>()
        .map(Value::Array)
}

/// A value of another notation (JSON, shorthand, form), typed by the schema; nothing when it cannot be of that type.
pub fn conform(operation: &Operation, schema: &Value, value: Value, depth: usize) -> Option<Value> {
    if let Some(found) = value.as_str().and_then(reference::from_word) {
        return Some(found);
    }
    if depth == 0 || value.get("$ref").is_some() {
        return Some(value);
    }
    let schema = operation.resolve(schema);
    if let Some(branches) = branches(schema) {
        let mut typed = branches.iter().filter_map(|branch| {
            let typed = conform(operation, branch, value.clone(), depth - 1)?;
            Some((check::conforms(operation.resolve(branch), &typed), typed))
        });
        // Best a branch that it fits in whole.
        let first = typed.next()?;
        return if first.0 { Some(first.1) } else { typed.find(|next| next.0).or(Some(first)).map(|found| found.1) };
    }
    let item = |value| conform(operation, &schema["items"], value, depth - 1);
    match (schema["type"].as_str(), value) {
        (Some("object"), Value::Object(fields)) => {
            Some(Value::Object(conform_fields(operation, schema, fields, depth)?))
        }
        (Some("array"), Value::Array(items)) => {
            items.into_iter().map(item).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        (Some("array"), single @ (Value::String(_) | Value::Object(_))) => Some(Value::Array(vec![item(single)?])),
        (Some("object" | "array"), _) => None,
        // `Value=a,b` reads as a list until the schema says it is one string.
        (Some("string"), Value::Array(items)) => {
            let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            scalar(schema, &words?.join(","))
        }
        // A choice nobody knows stays, so that the check can name it: it would take the whole structure with it.
        (Some("string"), Value::String(text)) => Some(string(schema, &text).unwrap_or(text).into()),
        (_, Value::String(text)) => scalar(schema, &text),
        (Some(_), scalar_value @ (Value::Number(_) | Value::Bool(_))) => scalar(schema, &scalar_value.to_string()),
        (None, other) => Some(other),
        _ => None,
    }
}

fn conform_fields(
    operation: &Operation,
    schema: &Value,
    fields: Map<String, Value>,
    depth: usize,
) -> Option<Map<String, Value>> {
    let mut typed = Map::new();
    for (name, value) in fields {
        let field = schema["properties"]
            .get(&name)
            .or_else(|| schema.get("additionalProperties").filter(|extra| extra.is_object()));
        // A field nobody knows stays as it is: the check names it.
        let value = match field {
            Some(field) => conform(operation, field, value, depth - 1)?,
            None => value,
        };
        typed.insert(name, value);
    }
    Some(typed)
}

fn branches(schema: &Value) -> Option<&Vec<Value>> {
    schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array)
}

/// A structure of one member may be said as that member's value (`_handle_special_cases` in `awscli/argprocess.py`).
fn wrapped(operation: &Operation, schema: &Value, word: &str) -> Option<Value> {
    let fields = schema["properties"].as_object().filter(|fields| fields.len() == 1)?;
    let (name, member) = fields.iter().next()?;
    let is_plain = !matches!(operation.resolve(member)["type"].as_str(), None | Some("object" | "array"));
    let value = is_plain.then(|| from_word(operation, member, word)).flatten()?;
    Some(Value::Object(Map::from_iter([(name.clone(), value)])))
}

/// JSON, or the shorthand that only the AWS command line has.
fn structure(operation: &Operation, word: &str) -> Option<Value> {
    json(word, '{').or_else(|| shorthand::parse(word).filter(|_| operation.provider == "aws"))
}

fn json(word: &str, opening: char) -> Option<Value> {
    let word = word.trim();
    word.starts_with(opening).then(|| serde_json::from_str(word).ok()).flatten()
}

fn scalar(schema: &Value, word: &str) -> Option<Value> {
    match schema["type"].as_str() {
        Some("boolean") => boolean(word).map(Value::Bool),
        Some("integer") => integer(word),
        Some("number") => number(word),
        _ => string(schema, word).map(Value::String),
    }
}

/// `true` and `false` in any case.
pub fn boolean(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn integer(word: &str) -> Option<Value> {
    word.parse::<i64>().map(Value::from).or_else(|_| word.parse::<u64>().map(Value::from)).ok()
}

fn number(word: &str) -> Option<Value> {
    integer(word).or_else(|| word.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number))
}

fn string(schema: &Value, word: &str) -> Option<String> {
    if schema["x-kind"] == "kubernetes-name" && !is_object_name(word) {
        return None;
    }
    let Some(choices) = schema["enum"].as_array() else {
        return Some(word.to_owned());
    };
    let choices = || choices.iter().filter_map(Value::as_str);
    let kind = (schema["x-kind"] == "kubernetes-kind")
        .then(|| kubernetes::kind(word))
        .flatten()
        .map(|kind| kind.name.as_str());
    let exact = choices().find(|&choice| choice == word || Some(choice) == kind);
    let found = exact.or_else(|| choices().find(|choice| choice.eq_ignore_ascii_case(word)))?;
    Some(found.to_owned())
}

/// Could a Kubernetes object be called so? Roles may hold colons.
pub fn is_object_name(word: &str) -> bool {
    let is_end = |c: char| c.is_ascii_alphanumeric();
    word.starts_with(is_end) && word.ends_with(is_end) && word.chars().all(|c| is_end(c) || "._:-".contains(c))
}
