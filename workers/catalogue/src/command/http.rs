//! Writes a call as an HTTP request, and reads `curl` lines.

use serde_json::Value;

use super::{CommandLine, HttpParts, body, form};
use crate::operation::Operation;

/// How an operation is said over HTTP.
pub struct Request<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub media: &'a str,
}

/// Fills path, query, headers and body from the arguments, each where its parameter's `x-in` says.
pub fn render(operation: &Operation, request: &Request, arguments: &Value) -> HttpParts {
    let mut url = request.url.to_owned();
    let mut query = Vec::new();
    let mut body = body::Body::new(request.media);
    let mut headers = Vec::new();
    for (name, schema) in operation.properties() {
        let Some(value) = arguments.get(name) else { continue };
        let wire = schema["x-name"].as_str().unwrap_or(name);
        match schema["x-in"].as_str() {
            Some("path") => url = url.replace(&format!("{{{wire}}}"), &form::encode(&body::one_text(schema, value))),
            Some("header") => headers.push((wire.to_owned(), body::one_text(schema, value))),
            Some("body") => body.put(wire, schema, value),
            _ => body::styled(wire, schema, value, &mut query),
        }
    }
    if !query.is_empty() {
        let sign = if url.contains('?') { '&' } else { '?' };
        url = format!("{url}{sign}{}", form::join(&query));
    }
    let (media, body) = body.write();
    if !body.is_empty() {
        headers.push(("Content-Type".to_owned(), media));
    }
    HttpParts { method: request.method.to_owned(), url, headers, body }
}

/// `curl` flags that take a word and say nothing about the call; credentials are among them and are dropped here.
const IGNORED: &[&str] = &[
    "-H",
    "--header",
    "-u",
    "--user",
    "-o",
    "--output",
    "-A",
    "--user-agent",
    "-b",
    "--cookie",
    "-e",
    "-m",
    "--max-time",
];

/// Reads the words after `curl`: `words` become method and URL, form fields and query become flags.
pub fn read_curl(words: impl Iterator<Item = String>) -> Option<CommandLine> {
    let mut words = words.peekable();
    let mut line = CommandLine { program: "curl".to_owned(), ..CommandLine::default() };
    let (mut method, mut url, mut is_get) = (None, None, false);
    while let Some(word) = words.next() {
        let (flag, attached) = split(&word);
        match flag {
            "-X" | "--request" => method = attached.or_else(|| words.next()),
            "-G" | "--get" => is_get = true,
            "-d" | "--data" | "--data-urlencode" | "--data-raw" | "--data-binary" | "-F" | "--form" | "--json" => {
                let data = attached.or_else(|| words.next());
                read_data(data.as_deref().unwrap_or_default(), &mut line.flags);
            }
            "--url" => url = attached.or_else(|| words.next()),
            flag if IGNORED.contains(&flag) => drop(attached.or_else(|| words.next())),
            flag if flag.starts_with('-') => {}
            _ => url = url.or(Some(word)),
        }
    }
    let url = url?;
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let usual = if line.flags.is_empty() || is_get { "GET" } else { "POST" };
    line.words =
        vec![method.unwrap_or_else(|| usual.to_owned()).to_ascii_uppercase(), path.trim_end_matches('/').to_owned()];
    form::read_pairs(query, &mut line.flags);
    Some(line)
}

/// `-XPOST`, `--request=POST` and `-damount=1` carry their word with them.
fn split(word: &str) -> (&str, Option<String>) {
    if let Some((flag, value)) = word.split_once('=').filter(|_| word.starts_with("--")) {
        return (flag, Some(value.to_owned()));
    }
    match word.as_bytes() {
        [b'-', b'X' | b'd' | b'F' | b'H' | b'u', _, ..] => (&word[..2], Some(word[2..].to_owned())),
        _ => (word, None),
    }
}

fn read_data(data: &str, flags: &mut Vec<(String, Vec<String>)>) {
    match serde_json::from_str(data) {
        Ok(Value::Object(fields)) => {
            flags.extend(fields.iter().map(|(name, value)| (name.clone(), vec![form::text(value)])))
        }
        _ => form::read_pairs(data, flags),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn curl_lines_give_method_url_and_fields_but_no_credentials() {
        let line = parse("curl https://api.stripe.com/v1/charges \\\n  -u sk_test_secret: \\\n  -H 'Authorization: Bearer sk_secret' \\\n  -d amount=2500 -d currency=usd -d \"metadata[order]\"=42").remove(0);
        assert_eq!(line.words, ["POST", "https://api.stripe.com/v1/charges"]);
        let flags: Vec<String> = line.flags.iter().map(|(name, values)| format!("{name}={}", values[0])).collect();
        assert_eq!(flags, ["amount=2500", "currency=usd", "metadata[order]=42"]);
        assert!(!format!("{line:?}").contains("secret"));
    }

    #[test]
    fn queries_json_and_methods_are_read() {
        let line = parse("curl -G 'https://api.stripe.com/v1/charges?limit=3' -d customer=cus_1").remove(0);
        assert_eq!((line.words[0].as_str(), line.flags.len()), ("GET", 2));
        assert_eq!(
            parse("curl -XDELETE https://api.stripe.com/v1/customers/cus_1/").remove(0).words,
            ["DELETE", "https://api.stripe.com/v1/customers/cus_1"]
        );
        assert_eq!(
            parse(r#"curl --json '{"length":14}' localhost:6900/api/v1/technical/rsi"#).remove(0).flags[0].1,
            ["14"]
        );
    }
}
