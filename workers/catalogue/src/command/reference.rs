//! Writes a reference into an earlier call's result as one word, and reads it back.

use serde_json::{Value, json};

/// `{"$ref":"c1","path":"Vpc.VpcId"}` → `${c1.Vpc.VpcId}`.
pub fn to_word(value: &Value) -> Option<String> {
    let fields = value.as_object()?;
    let call = fields.get("$ref")?.as_str()?;
    match fields.get("path").and_then(Value::as_str) {
        Some(path) if !path.is_empty() => Some(format!("${{{call}.{path}}}")),
        _ => Some(format!("${{{call}}}")),
    }
}

/// A reference that stands for a whole list: `${c1.Ids[@]}`, as a shell writes all elements of one.
pub fn to_list_word(value: &Value) -> Option<String> {
    Some(format!("{}[@]}}", to_word(value)?.strip_suffix('}')?))
}

/// Reads what [`to_list_word`] writes.
pub fn from_list_word(word: &str) -> Option<Value> {
    from_word(&format!("{}}}", word.strip_suffix("[@]}")?))
}

/// `${c1.Vpc.VpcId}` → `{"$ref":"c1","path":"Vpc.VpcId"}`. Other shell variables are no references.
pub fn from_word(word: &str) -> Option<Value> {
    let inner = word.strip_prefix("${")?.strip_suffix('}')?;
    let (call, path) = inner.split_once('.').unwrap_or((inner, ""));
    let is_call = call
        .strip_prefix('c')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    // `[@]` is no step of a path: see `from_list_word`.
    (is_call && !path.ends_with("[@]")).then(|| json!({"$ref": call, "path": path}))
}

/// Puts words in place of references anywhere in a value, for JSON inside a command line.
pub fn words_inside(value: &Value) -> Value {
    if let Some(word) = to_word(value) {
        return Value::String(word);
    }
    match value {
        Value::Array(items) => items.iter().map(words_inside).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), words_inside(field))).collect(),
        other => other.clone(),
    }
}
