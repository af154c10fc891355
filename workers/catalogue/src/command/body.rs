//! The body of an HTTP request, and how several values are written in a query, a path or a form.

use serde_json::{Map, Value, json};

use super::{HttpParts, form, reference};

/// The fields of a body as they are gathered.
pub struct Body<'a> {
    media: &'a str,
    fields: Map<String, Value>,
    pairs: Vec<(String, String)>,
    whole: Option<Value>,
}

// === impl Body ===

impl<'a> Body<'a> {
    pub fn new(media: &'a str) -> Self {
        Self { media, fields: Map::new(), pairs: Vec::new(), whole: None }
    }

    pub fn put(&mut self, name: &str, schema: &Value, value: &Value) {
        if schema["x-whole"] == true {
            self.whole = Some(value.clone());
            return;
        }
        styled(name, schema, value, &mut self.pairs);
        self.fields.insert(name.to_owned(), value.clone());
    }

    /// Media type, with its boundary where there is one, and the text; empty without fields.
    pub fn write(self) -> (String, String) {
        let media = self.media.to_owned();
        match (self.media, self.whole) {
            ("application/json", Some(whole)) => (media, reference::words_inside(&whole).to_string()),
            (_, Some(whole)) => (media, form::text(&whole)),
            _ if self.fields.is_empty() => (media, String::new()),
            ("application/json", None) => (media, reference::words_inside(&Value::Object(self.fields)).to_string()),
            ("multipart/form-data", None) => multipart(&self.fields),
            _ => (media, form::join(&self.pairs)),
        }
    }
}

/// A GraphQL call over HTTP: one POST.
pub fn graphql(url: &str, document: &str, arguments: &Value) -> HttpParts {
    let body = json!({ "query": document, "variables": reference::words_inside(arguments) });
    let media = "application/json".to_owned();
    let headers = vec![("Content-Type".to_owned(), media)];
    HttpParts { method: "POST".to_owned(), url: url.to_owned(), headers, body: body.to_string() }
}

/// A value as one text: several are joined with commas where the parameter says so.
pub fn one_text(schema: &Value, value: &Value) -> String {
    match (schema["x-style"].as_str(), value) {
        (Some("comma"), Value::Array(items)) => items.iter().map(form::text).collect::<Vec<_>>().join(","),
        _ => form::text(value),
    }
}

/// Adds a value's names and texts in the style of its parameter; `card[number]` when it has none.
pub fn styled(name: &str, schema: &Value, value: &Value, pairs: &mut Vec<(String, String)>) {
    let is_plain = reference::to_word(value).is_some();
    let joined = |items: &[Value], sign: &str| items.iter().map(form::text).collect::<Vec<_>>().join(sign);
    match (schema["x-style"].as_str(), value) {
        (Some("repeat"), Value::Array(items)) => {
            pairs.extend(items.iter().map(|item| (name.to_owned(), form::text(item))))
        }
        (Some("comma"), Value::Array(items)) => pairs.push((name.to_owned(), joined(items, ","))),
        (Some("space"), Value::Array(items)) => pairs.push((name.to_owned(), joined(items, " "))),
        (Some("pipe"), Value::Array(items)) => pairs.push((name.to_owned(), joined(items, "|"))),
        (Some("spread"), Value::Object(members)) if !is_plain => {
            members.iter().for_each(|(name, member)| form::flatten(name, member, pairs));
        }
        (Some("json"), Value::Array(_) | Value::Object(_)) if !is_plain => {
            pairs.push((name.to_owned(), reference::words_inside(value).to_string()));
        }
        _ => form::flatten(name, value, pairs),
    }
}

/// RFC 7578: one part a field; structures are parts of JSON.
fn multipart(fields: &Map<String, Value>) -> (String, String) {
    let texts: Vec<(String, String)> = fields
        .iter()
        .map(|(name, value)| {
            let plain = !value.is_array() && !value.is_object() || reference::to_word(value).is_some();
            let text = if plain { form::text(value) } else { reference::words_inside(value).to_string() };
            (name.replace(['"', '\r', '\n'], "_"), text)
        })
        .collect();
    let mut boundary = "silverback".to_owned();
    // Not random: the same call must give the same plan and hash.
    while texts.iter().any(|(_, text)| text.contains(&boundary)) {
        boundary.push('-');
        boundary.push_str(&boundary.len().to_string());
    }
    let part = |(name, text): &(String, String)| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let body = texts.iter().map(part).collect::<String>() + &format!("--{boundary}--\r\n");
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// Names and texts of the parts of a form that [`Body::write`] made; a part that cannot be read is left out.
pub fn read_multipart(media: &str, body: &str) -> Vec<(String, String)> {
    let Some((_, boundary)) = media.split_once("boundary=") else { return Vec::new() };
    let inner = body.strip_suffix(&format!("--{boundary}--\r\n")).unwrap_or(body);
    let mark = format!("--{boundary}\r\n");
    let parts = inner.split(mark.as_str()).skip(1);
    let read = |part: &str| {
        let (head, text) = part.split_once("\r\n\r\n")?;
        let name = head.split_once("name=\"")?.1.strip_suffix('"')?;
        Some((name.to_owned(), text.strip_suffix("\r\n")?.to_owned()))
    };
    parts.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(style: &str, value: &Value) -> String {
        let mut pairs = Vec::new();
        styled("a", &json!({ "x-style": style }), value, &mut pairs);
        form::join(&pairs)
    }

    #[test]
    fn several_values_are_written_in_each_style() {
        let list = json!(["x", "y z"]);
        assert_eq!(pairs("repeat", &list), "a=x&a=y%20z");
        assert_eq!(pairs("comma", &list), "a=x%2Cy%20z");
        assert_eq!(pairs("pipe", &list), "a=x%7Cy%20z");
        assert_eq!(pairs("spread", &json!({"b": 1, "c": "d"})), "b=1&c=d");
        assert_eq!(pairs("brackets", &json!({"b": 1})), "a[b]=1");
        assert_eq!(pairs("json", &json!({"b": 1})), "a=%7B%22b%22%3A1%7D");
        assert_eq!(pairs("spread", &json!({"$ref": "c1", "path": "id"})), "a=${c1.id}");
    }

    #[test]
    fn a_form_of_parts_has_a_boundary_that_is_in_no_part() {
        let fields = json!({"file": "a silverback here", "tags": ["x"], "na\"me": 1});
        let (media, body) = multipart(fields.as_object().unwrap());
        let boundary = media.split_once("boundary=").unwrap().1;
        assert_eq!(body.matches(&format!("--{boundary}\r\n")).count(), 3, "{body}");
        assert!(body.contains("name=\"tags\"\r\n\r\n[\"x\"]\r\n") && body.contains("name=\"na_me\""), "{body}");
        assert!(!"a silverback here".contains(boundary));
        let read = read_multipart(&media, &body);
        assert_eq!(read.len(), 3);
        assert!(read.contains(&("file".to_owned(), "a silverback here".to_owned())), "{read:?}");
    }
}
