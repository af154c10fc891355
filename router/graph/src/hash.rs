//! The one spelling of a JSON value, and its digest.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// JSON without white space, members sorted by name, numbers and strings as serde_json writes them.
///
/// Not RFC 8785: that orders by UTF-16 units and rewrites numbers; here both sides are ours and the same library.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

/// `sha256:` and 64 hexadecimal digits.
pub fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (place, (name, member)) in sorted.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(member, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn member_order_does_not_matter_list_order_does() {
        let one = json!({"b": [1, 2], "a": {"y": "\"", "x": null}});
        let same = json!({"a": {"x": null, "y": "\""}, "b": [1, 2]});
        let other = json!({"a": {"x": null, "y": "\""}, "b": [2, 1]});
        assert_eq!(canonical_json(&one), r#"{"a":{"x":null,"y":"\""},"b":[1,2]}"#);
        assert_eq!(canonical_json(&one), canonical_json(&same));
        assert_ne!(canonical_json(&one), canonical_json(&other));
    }

    #[test]
    fn digest_is_sha256() {
        assert_eq!(digest("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
