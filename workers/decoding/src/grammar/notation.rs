//! Writes literals in the grammar library's notation and values as JSON of one spacing.

use serde_json::Value;

use super::CallStyle;

/// A literal of exactly this text.
pub(super) fn literal(text: &str) -> String {
    // Lark's strings are JSON's, but for the delete character.
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A terminal of any non-empty run of these chunks that neither begins nor ends with a space.
pub(super) fn run_of(chunks: &[String]) -> String {
    let chunks = Value::from(chunks.to_vec());
    format!("%regex {{\"substring_chunks\": {chunks}}} & /[^ ]([^\\n]*[^ ])?/")
}

/// JSON text of a value in this spacing.
pub(super) fn json_text(value: &Value, style: CallStyle) -> String {
    let (item, key) = separators(style);
    match value {
        Value::Array(elements) => {
            let inner: Vec<String> = elements.iter().map(|element| json_text(element, style)).collect();
            format!("[{}]", inner.join(item))
        }
        Value::Object(members) => {
            let inner = members
                .iter()
                .map(|(name, member)| format!("{}{key}{}", Value::from(name.as_str()), json_text(member, style)));
            format!("{{{}}}", inner.collect::<Vec<_>>().join(item))
        }
        scalar => scalar.to_string(),
    }
}

/// What stands between elements, and between a key and its value.
pub(super) fn separators(style: CallStyle) -> (&'static str, &'static str) {
    match style {
        CallStyle::Spaced => (", ", ": "),
        CallStyle::Compact => (",", ":"),
    }
}
