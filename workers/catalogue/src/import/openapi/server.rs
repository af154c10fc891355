//! The address of an operation: the server's URL and the path.

use serde_json::Value;

use super::{At, Reader};
use crate::error::Result;
use crate::import::clean;

/// Absolute URL with `{name}` placeholders.
pub(super) fn url(reader: &Reader<'_>, at: &At<'_>) -> Result<String> {
    // The nearest list counts: operation, path, document.
    let holders = [at.operation, at.item, reader.root];
    let server = holders.iter().find_map(|holder| holder.get("servers")?.as_array()?.first());
    let given = server.and_then(|server| server.get("url")).and_then(Value::as_str).unwrap_or("/");
    let server = filled(given, server.and_then(|server| server.get("variables")));
    let absolute = match (&reader.source.server, &reader.source.fetched_from) {
        (Some(chosen), _) => chosen.clone(),
        (None, Some(base)) if !is_absolute(&server) => relative_to(base, &server),
        _ => server,
    };
    if !is_absolute(&absolute) {
        let shown = clean::line(given, 100);
        let reason = format!("the server \"{shown}\" is no absolute http(s) address; give one with `--server URL`");
        return reader.wrong(&at.place, &reason);
    }
    let whole = joined(&absolute, at.path);
    match clean::problem_of_address(&whole) {
        Some(problem) => reader.wrong(&at.place, &problem),
        None => Ok(whole),
    }
}

fn joined(server: &str, path: &str) -> String {
    format!("{}{path}", server.trim_end_matches('/'))
}

fn is_absolute(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

/// Puts the defaults of variables in their places; one without stays a placeholder.
fn filled(url: &str, variables: Option<&Value>) -> String {
    let mut filled = url.trim().to_owned();
    for (name, variable) in variables.and_then(Value::as_object).into_iter().flatten() {
        let value = variable.get("default").or_else(|| variable.pointer("/enum/0"));
        let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            filled = filled.replace(&format!("{{{name}}}"), &text);
        }
    }
    // `//api.example.com/v1` leaves the scheme to the reader.
    if filled.starts_with("//") { format!("https:{filled}") } else { filled }
}

/// Resolves an address against the one the description was fetched from (RFC 3986, without `..`).
fn relative_to(base: &str, server: &str) -> String {
    let base = base.split(['?', '#']).next().unwrap_or(base);
    let path_at =
        base.find("://").and_then(|at| base[at + 3..].find('/').map(|slash| at + 3 + slash)).unwrap_or(base.len());
    match server.strip_prefix('/') {
        Some(path) => format!("{}/{path}", &base[..path_at]),
        None => {
            let folder = base.rfind('/').filter(|slash| *slash > path_at).unwrap_or(path_at);
            format!("{}/{}", &base[..folder], server.trim_start_matches("./"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_take_their_defaults_and_others_stay_open() {
        let variables = json!({"region": {"default": "eu"}, "port": {"enum": [8443]}});
        let url = "https://{region}.{tenant}.example.com:{port}/v1/";
        assert_eq!(filled(url, Some(&variables)), "https://eu.{tenant}.example.com:8443/v1/");
        assert_eq!(filled("//example.com", None), "https://example.com");
    }

    #[test]
    fn relative_servers_are_relative_to_where_the_description_was() {
        let base = "https://example.com/docs/openapi.json?x=/y";
        assert_eq!(relative_to(base, "/v1"), "https://example.com/v1");
        assert_eq!(relative_to(base, "./v1"), "https://example.com/docs/v1");
        assert_eq!(relative_to("https://example.com", "/"), "https://example.com/");
    }
}
