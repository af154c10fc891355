//! Reads and writes `application/x-www-form-urlencoded` with nested names: `card[number]`, `items[0][price]`.

use serde_json::{Map, Value};

use super::reference;
use crate::operation::Operation;

/// Deepest nesting of a name that is read.
const MAX_DEPTH: usize = 8;
/// Longest list that is read.
const MAX_INDEX: usize = 1000;

/// A scalar or reference as it is written in a form; structures as JSON.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => reference::to_word(other).unwrap_or_else(|| other.to_string()),
    }
}

/// Percent-encodes; references `${…}` stay as they are, to be read and filled in later.
pub fn encode(text: &str) -> String {
    if reference::from_word(text).is_some() {
        return text.to_owned();
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Encoded names and plain texts of all scalars in `value`: `card[number]`, where only the brackets that nest are not encoded.
///
/// An empty list or structure is `name=`: a form has no other way to say it.
pub fn flatten(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    flatten_under(&encode(name), value, pairs);
}

fn flatten_under(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if reference::to_word(value).is_none() && !fields.is_empty() => {
            for (field, value) in fields {
                flatten_under(&format!("{name}[{}]", encode(field)), value, pairs);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                flatten_under(&format!("{name}[{index}]"), item, pairs);
            }
        }
        Value::Object(_) if reference::to_word(value).is_none() => pairs.push((name.to_owned(), String::new())),
        Value::Array(_) => pairs.push((name.to_owned(), String::new())),
        scalar => pairs.push((name.to_owned(), text(scalar))),
    }
}

/// `a=1&card[number]=2` of what [`flatten`] gave.
pub fn join(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
}

/// Adds the pairs of a form or query to `flags`; names stay encoded where they have brackets, see [`split_name`].
pub fn read_pairs(text: &str, flags: &mut Vec<(String, Vec<String>)>) {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = if name.contains('[') { name.to_owned() } else { decode(name) };
        flags.push((name, vec![decode(value)]));
    }
}

/// Undoes percent-encoding; what is no encoding stays.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (bytes[at], hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            // A plus is kept: in a draft it is meant, as in `a+b@example.com`.
            (byte, _) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

/// `card[number]` → `card` and the path `["number"]`; `expand[]` has an empty step.
pub fn split_name(name: &str) -> Option<(String, Vec<String>)> {
    let Some((head, tail)) = name.split_once('[') else {
        return Some((name.to_owned(), Vec::new()));
    };
    let steps: Vec<String> = tail.strip_suffix(']')?.split("][").map(decode).collect();
    (steps.len() <= MAX_DEPTH && !head.is_empty()).then(|| (decode(head), steps))
}

/// Puts `value` at `steps` inside `target`, making objects on the way: what of them are lists only the schema can say, see
/// [`arrange`]. False when something else is there.
pub fn insert(target: &mut Value, steps: &[String], value: Value) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        if target.is_null() {
            *target = value;
            return true;
        }
        return false;
    };
    if target.is_null() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return false };
    // `items[]` is one more element.
    let name = if step.is_empty() { fields.len().to_string() } else { step.clone() };
    fields.len() < MAX_INDEX && insert(fields.entry(name).or_insert(Value::Null), rest, value)
}

/// Turns objects whose names count from 0 into lists wherever the schema can be one, and nothing into the empty structure.
pub fn arrange(operation: &Operation, schema: &Value, value: Value) -> Value {
    let schema = operation.resolve(schema);
    if let Some(branches) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
        let fits = |kind: &str| branches.iter().find(|branch| operation.resolve(branch)["type"] == kind);
        let branch = match &value {
            Value::Object(fields) if is_counted(fields) => fits("array").or_else(|| fits("object")),
            Value::Object(_) => fits("object"),
            _ => None,
        };
        return branch.map_or(value.clone(), |branch| arrange(operation, branch, value));
    }
    match (schema["type"].as_str(), value) {
        (Some("array"), Value::Object(fields)) if is_counted(&fields) => {
            fields.into_iter().map(|(_, item)| arrange(operation, &schema["items"], item)).collect()
        }
        (Some("array"), Value::String(text)) if text.is_empty() => Value::Array(Vec::new()),
        (Some("object"), Value::String(text)) if text.is_empty() => Value::Object(Map::new()),
        (None, Value::Object(fields)) if is_counted(&fields) => fields.into_iter().map(|(_, item)| item).collect(),
        (_, Value::Object(fields)) => {
            let arranged = fields.into_iter().map(|(name, field)| {
                let known = schema["properties"].get(&name).or_else(|| schema.get("additionalProperties"));
                let field = arrange(operation, known.unwrap_or(&Value::Null), field);
                (name, field)
            });
            Value::Object(arranged.collect())
        }
        (_, other) => other,
    }
}

/// Are the names 0, 1, 2, …? A list with holes was not meant.
fn is_counted(fields: &Map<String, Value>) -> bool {
    !fields.is_empty() && fields.keys().enumerate().all(|(at, name)| name.parse() == Ok(at))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_values_are_written_and_read_back() {
        let value = json!({"number": "42 42", "tags": ["a", "b"], "owner": {"email": "a+b@c.d"}});
        let mut pairs = Vec::new();
        flatten("card", &value, &mut pairs);
        let body = join(&pairs);
        assert_eq!(body, "card[number]=42%2042&card[tags][0]=a&card[tags][1]=b&card[owner][email]=a%2Bb%40c.d");
        let mut flags = Vec::new();
        read_pairs(&body, &mut flags);
        let mut back = Value::Null;
        for (name, values) in &flags {
            let (_, steps) = split_name(name).expect("well formed");
            assert!(insert(&mut back, &steps, values[0].clone().into()));
        }
        assert_eq!(back, json!({"number": "42 42", "tags": {"0": "a", "1": "b"}, "owner": {"email": "a+b@c.d"}}));
    }

    #[test]
    fn hostile_names_are_refused() {
        let mut target = Value::Null;
        let steps = |steps: &[&str]| steps.iter().map(|&step| step.to_owned()).collect::<Vec<_>>();
        assert!(insert(&mut target, &steps(&["0"]), json!(1)) && !insert(&mut target, &steps(&["0", "x"]), json!(1)));
        assert!(insert(&mut target, &steps(&[""]), json!(2)));
        assert_eq!(target, json!({"0": 1, "1": 2}));
        assert!(!is_counted(json!({"1": 2}).as_object().expect("an object")), "a list with holes");
        assert!(split_name("a[b").is_none() && split_name("[b]").is_none());
        assert!(split_name(&format!("a{}", "[x]".repeat(9))).is_none());
        assert_eq!(decode("%zz%4"), "%zz%4");
    }
}
