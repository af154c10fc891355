//! Binds what an HTTP request says: path, query, fields of a form, a JSON body.

use serde_json::{Map, Value};

use super::Binder;
use crate::command::{Bound, CommandLine, HttpParts, body, coerce, form, reference, target};
use crate::operation::{Invocation, Operation};

/// A parameter that is being put together from several fields.
type Nested<'a> = (&'a str, &'a Value, Value);

/// What a request says to `operation`: the way back of rendering one.
pub fn bind_request(operation: &Operation, request: &HttpParts) -> Bound {
    let mut binder = Binder { operation, bound: Bound::default(), words: Vec::new(), is_request: true };
    let Invocation::Http { url: template, body: media, .. } = &operation.invocation else {
        return binder.bound;
    };
    let (url, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    binder.bind_path(template, url);
    let is_own =
        |(name, _): &&(String, String)| operation.parameter(name).is_some_and(|schema| schema["x-in"] == "header");
    let mut fields: Vec<(String, Vec<String>)> =
        request.headers.iter().filter(is_own).map(|(name, value)| (name.clone(), vec![value.clone()])).collect();
    form::read_pairs(query, &mut fields);
    match media.as_str() {
        "application/json" => binder.bind_json(serde_json::from_str(&request.body).unwrap_or_default()),
        "multipart/form-data" => binder.bind_parts(request),
        _ => form::read_pairs(&request.body, &mut fields),
    }
    binder.bind_fields(&fields);
    binder.bound
}

// === impl Binder ===

impl<'a> Binder<'a> {
    /// Binds what a URL fills in; gives the words that are left as positionals.
    pub(super) fn bind_url(&mut self, template: &str, line: &CommandLine, skipped: usize) -> Vec<String> {
        let url = line.words.get(1).filter(|url| line.program == "curl" || url.starts_with('/'));
        if let Some(url) = url {
            self.bind_path(template, url);
        }
        line.words[skipped..].iter().chain(&line.rest).cloned().collect()
    }

    fn bind_path(&mut self, template: &str, url: &str) {
        for (name, value) in target::placeholders(template, url).unwrap_or_default() {
            if let Some((name, schema)) = self.parameter(name) {
                self.keep(name, schema, &[form::decode(value)]);
            }
        }
    }

    /// The fields of a JSON body are parameters.
    fn bind_json(&mut self, said: Map<String, Value>) {
        for (name, value) in said {
            let typed = self
                .operation
                .properties()
                .find(|(own, _)| *own == name)
                .and_then(|(_, schema)| coerce::conform(self.operation, schema, value.clone(), coerce::MAX_DEPTH));
            match typed {
                Some(value) => drop(self.bound.arguments.insert(name, value)),
                None => self.bound.leftovers.push(format!("{name}={value}")),
            }
        }
    }

    /// The parts of a form are parameters: lists and structures are parts of JSON, the others text.
    fn bind_parts(&mut self, request: &HttpParts) {
        let media = request.headers.iter().find(|(name, _)| name == "Content-Type").map_or("", |(_, media)| media);
        let is_structure = |name: &str| {
            let schema = self.operation.parameter(name).map(|schema| self.operation.resolve(schema));
            schema.is_some_and(|schema| schema["type"] == "array" || schema["type"] == "object")
        };
        let said = body::read_multipart(media, &request.body).into_iter().map(|(name, text)| {
            let parsed = if is_structure(&name) { serde_json::from_str(&text).ok() } else { None };
            (name, parsed.unwrap_or(Value::String(text)))
        });
        let said: Map<String, Value> = said.collect();
        self.bind_json(said);
    }

    /// Binds named fields, also nested ones: `card[number]=42`.
    pub(super) fn bind_fields(&mut self, flags: &[(String, Vec<String>)]) {
        let mut nested: Vec<Nested<'a>> = Vec::new();
        let mut pairs = Vec::new();
        for (name, values) in flags {
            // `stripe charges create -d amount=2500`
            match name.as_str() {
                "-d" | "-F" => values.iter().for_each(|pair| form::read_pairs(pair, &mut pairs)),
                "data" if self.operation.parameter("data").is_none() => {
                    values.iter().for_each(|pair| form::read_pairs(pair, &mut pairs))
                }
                _ => pairs.push((name.clone(), values.clone())),
            }
        }
        for (name, values) in &pairs {
            let split = form::split_name(name).and_then(|(head, steps)| Some((self.parameter(&head)?, steps)));
            let is_kept = match split {
                Some(((parameter, schema), steps)) if steps.is_empty() => self.keep_field(parameter, schema, values),
                Some(((parameter, schema), steps)) => insert_nested(&mut nested, (parameter, schema), &steps, values),
                None => false,
            };
            if !is_kept {
                self.leave(name, values);
            }
        }
        for (parameter, schema, value) in nested {
            let arranged = form::arrange(self.operation, schema, value.clone());
            match coerce::conform(self.operation, schema, arranged, coerce::MAX_DEPTH) {
                Some(value) => drop(self.bound.arguments.insert(parameter.to_owned(), value)),
                None => self.bound.leftovers.push(format!("{parameter}={value}")),
            }
        }
        self.bound.leftovers.append(&mut self.words);
    }

    fn keep_field(&mut self, parameter: &'a str, schema: &'a Value, values: &[String]) -> bool {
        if values.is_empty() && self.operation.resolve(schema)["type"] == "boolean" {
            self.bound.arguments.insert(parameter.to_owned(), Value::Bool(true));
            return true;
        }
        let whole = match values {
            // In a form, nothing may be the empty list or structure.
            [value] if value.is_empty() => Some(form::arrange(self.operation, schema, value.clone().into())),
            // An element of a list would have its number: this stands for all of them.
            [value] => reference::from_word(value),
            _ => None,
        };
        // A field of a request is text: in a draft it may be JSON.
        let whole = match values {
            [value] if self.is_request => whole
                .filter(|whole| !whole.is_string())
                .or_else(|| coerce::conform(self.operation, schema, value.clone().into(), coerce::MAX_DEPTH)),
            _ => whole.filter(|whole| !whole.is_string()),
        };
        if let Some(whole) = whole {
            self.bound.arguments.insert(parameter.to_owned(), whole);
            return true;
        }
        self.keep(parameter, schema, values)
    }

    /// Positionals of a library's call: first what the URL needs, then parameters in the vendor's order.
    pub(super) fn bind_in_order(&mut self, template: &str, words: &[String]) {
        let in_url = |name: &str| template.contains(&format!("{{{name}}}"));
        let mut open: Vec<(&'a str, &'a Value)> =
            self.operation.properties().filter(|(_, schema)| schema["x-never"] != true).collect();
        open.sort_by_key(|(name, _)| !in_url(name));
        let mut open = open
            .into_iter()
            .filter(|(name, _)| !self.bound.arguments.contains_key(*name))
            .collect::<Vec<_>>()
            .into_iter();
        for word in words {
            let is_kept = open.next().is_some_and(|(name, schema)| self.keep(name, schema, std::slice::from_ref(word)));
            if !is_kept {
                self.bound.leftovers.push(word.clone());
            }
        }
    }
}

fn insert_nested<'a>(
    nested: &mut Vec<Nested<'a>>,
    parameter: (&'a str, &'a Value),
    steps: &[String],
    values: &[String],
) -> bool {
    let at = nested.iter().position(|(name, ..)| *name == parameter.0).unwrap_or_else(|| {
        nested.push((parameter.0, parameter.1, Value::Null));
        nested.len() - 1
    });
    values.first().is_some_and(|value| form::insert(&mut nested[at].2, steps, value.clone().into()))
}
