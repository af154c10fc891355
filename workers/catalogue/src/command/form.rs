//! Reads and writes `application/x-www-form-urlencoded` with nested names: `card[number]`, `items[0][price]`.

use serde_json::{Map, Value};

use super::reference;

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

/// Names and texts of all scalars in `value`.
pub fn flatten(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if reference::to_word(value).is_none() => {
            for (field, value) in fields {
                flatten(&format!("{name}[{field}]"), value, pairs);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(&format!("{name}[{index}]"), item, pairs);
            }
        }
        scalar => pairs.push((name.to_owned(), text(scalar))),
    }
}

/// `a=1&card[number]=2`: brackets stay readable, as the vendor documents them.
pub fn join(pairs: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| {
        format!("{}={}", encode(name).replace("%5B", "[").replace("%5D", "]"), encode(value))
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Adds the pairs of a form or query to `flags`.
pub fn read_pairs(text: &str, flags: &mut Vec<(String, Vec<String>)>) {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        flags.push((decode(name), vec![decode(value)]));
    }
}

fn decode(text: &str) -> String {
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
pub fn split_name(name: &str) -> Option<(&str, Vec<&str>)> {
    let Some((head, tail)) = name.split_once('[') else {
        return Some((name, Vec::new()));
    };
    let steps: Vec<&str> = tail.strip_suffix(']')?.split("][").collect();
    (steps.len() <= MAX_DEPTH && !head.is_empty()).then_some((head, steps))
}

/// Puts `value` at `steps` inside `target`, making objects and lists on the way. False when something else is there.
pub fn insert(target: &mut Value, steps: &[&str], value: Value) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        if target.is_null() {
            *target = value;
            return true;
        }
        return false;
    };
    let is_index = step.bytes().all(|byte| byte.is_ascii_digit());
    if target.is_null() {
        *target = if is_index { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match target {
        Value::Object(fields) => insert(fields.entry(*step).or_insert(Value::Null), rest, value),
        Value::Array(items) if is_index => {
            let index = step.parse().unwrap_or(items.len());
            // `items[0]` or `items[]`, no gaps: a list with holes was not meant.
            if index > items.len() || index > MAX_INDEX {
                return false;
            }
            if index == items.len() {
                items.push(Value::Null);
            }
            insert(&mut items[index], rest, value)
        }
        _ => false,
    }
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
        assert_eq!(back, value);
    }

    #[test]
    fn hostile_names_are_refused() {
        let mut target = Value::Null;
        assert!(!insert(&mut target, &["5"], json!(1)));
        assert!(insert(&mut target, &["0"], json!(1)) && !insert(&mut target, &["0", "x"], json!(1)));
        assert!(!insert(&mut target, &["x"], json!(1)));
        assert!(split_name("a[b").is_none() && split_name("[b]").is_none());
        assert!(split_name(&format!("a{}", "[x]".repeat(9))).is_none());
        assert_eq!(decode("%zz%4"), "%zz%4");
    }
}
