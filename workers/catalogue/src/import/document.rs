//! Reads a description that somebody brought: JSON or YAML, within limits, each error with its place.
//!
//! Knows no API format. A document is data: nothing in it is followed, fetched or run.

use serde_json::Value;

use crate::error::{CatalogueError, Result};

/// Largest description, in bytes. The largest public one we know (Microsoft Graph) has 40 MB.
pub const MAX_BYTES: usize = 100 << 20;
/// Deepest nesting; `serde_json` has the same limit built in. Real descriptions stay below 40.
const MAX_DEPTH: usize = 127;
/// Most values in a YAML document: it is read more slowly and aliases can multiply it.
const MAX_YAML_NODES: usize = 4_000_000;

/// Reads JSON, or YAML when it does not begin like JSON; `origin` names the source in errors.
///
/// # Errors
/// Too many bytes, not UTF-8, cut off, nested too deeply: with line and column.
pub fn read(bytes: &[u8], origin: &str) -> Result<Value> {
    if bytes.len() > MAX_BYTES {
        let reason = format!("it has {} bytes, at most {MAX_BYTES} are read; cut it to what you need", bytes.len());
        return Err(refused(origin, reason));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| refused(origin, format!("byte {} is not UTF-8; save it as UTF-8", error.valid_up_to())))?;
    let text = text.trim_start_matches('\u{feff}');
    match text.trim_start().chars().next() {
        None => Err(refused(origin, "it is empty".to_owned())),
        Some('{' | '[') => serde_json::from_str(text).map_err(|error| refused(origin, explain(&error))),
        Some('<') => {
            Err(refused(origin, "it is HTML or XML, not an API description; give the JSON or YAML".to_owned()))
        }
        Some(_) => read_yaml(text, origin),
    }
}

/// An import that failed at a place of the source.
pub(super) fn refused(origin: &str, reason: String) -> CatalogueError {
    CatalogueError::ImportFailed { origin: origin.to_owned(), reason }
}

/// `serde_json` names line and column itself; only its word for depth says nothing to people.
fn explain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.strip_prefix("recursion limit exceeded") {
        Some(place) => format!("it is nested deeper than {MAX_DEPTH} levels{place}"),
        None if error.is_eof() => format!("it is cut off: {text}"),
        None => text,
    }
}

fn read_yaml(text: &str, origin: &str) -> Result<Value> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_YAML_NODES,
            max_events: 2 * MAX_YAML_NODES,
            max_total_scalar_bytes: MAX_BYTES,
            max_documents: 1,
        },
        with_snippet: false,
    };
    let read: std::result::Result<Value, _> = serde_saphyr::from_str_with_options(text, options);
    match read {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => Ok(value),
        Ok(_) => Err(refused(origin, "it is neither JSON nor YAML of an API description".to_owned())),
        Err(error) => {
            let place = error.location().map(|at| format!(" at line {} column {}", at.line(), at.column()));
            let mut reason = format!("not readable as YAML: {error}");
            if let Some(place) = place.filter(|_| !reason.contains("line ")) {
                reason.push_str(&place);
            }
            Err(refused(origin, super::clean::line(&reason, 300)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> String {
        read(bytes, "x.json").unwrap_err().to_string()
    }

    #[test]
    fn json_and_yaml_give_the_same_value() {
        let json = read(br#"{"openapi": "3.0.0", "paths": {"/a": {"200": null}}}"#, "x").unwrap();
        assert_eq!(read(b"openapi: 3.0.0\npaths:\n  /a:\n    200: null\n", "x").unwrap(), json);
        assert_eq!(read("\u{feff}{}".as_bytes(), "x").unwrap(), serde_json::json!({}));
    }

    #[test]
    fn every_error_says_where() {
        assert!(error(br#"{"a": "#).contains("cut off: EOF while parsing a value at line 1 column 6"));
        assert!(error(b"{\"a\": 1,\n \"b\" 2}").contains("line 2 column 6"));
        assert!(error(b"a:\n  - b\n c: d\n").contains("line 3"), "{}", error(b"a:\n  - b\n c: d\n"));
        assert!(error(b"{\"a\": \"\xff\"}").contains("byte 7 is not UTF-8"));
        assert!(error(b"<!DOCTYPE html>").contains("HTML"));
        assert!(error(b" \n").contains("empty") && error(b"just words").contains("neither JSON nor YAML"));
    }

    #[test]
    fn a_hundred_thousand_brackets_are_refused_and_not_followed() {
        assert!(error("[".repeat(100_000).as_bytes()).contains("nested deeper than 127 levels at line 1"));
        let yaml = format!("a: {}", "[".repeat(100_000));
        assert!(error(yaml.as_bytes()).contains("YAML"), "{}", error(yaml.as_bytes()));
    }

    #[test]
    fn a_description_over_the_limit_is_refused_unread() {
        let mut big = vec![b' '; MAX_BYTES + 1];
        big[0] = b'{';
        assert!(error(&big).contains("at most 104857600 are read"));
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..10 {
            let above = level - 1;
            yaml.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{above}"); 10].join(",")));
        }
        assert!(error(yaml.as_bytes()).contains("YAML"));
    }
}
