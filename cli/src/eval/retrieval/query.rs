//! Requests whose right operation is known, from the three kinds of files that hold such.

use std::path::Path;

use serde::Deserialize;

use crate::{
    error::CliError,
    eval::{case, read_bounded},
};

/// A name that is accepted: vendor, service (any when `None`), operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// By the vendor's names; any service when `None`.
    Name { provider: String, service: Option<String>, operation: String },
    /// By the words of the vendor's command line.
    Command(Vec<String>),
}

/// A request and what it asks for.
#[derive(Clone, Debug)]
pub struct Query {
    /// The file, without folder and ending.
    pub suite: String,
    /// The request.
    pub text: String,
    /// Vendor for the table; `none` when nothing fits.
    pub provider: String,
    /// Any of these is right; empty when nothing is.
    pub accepted: Vec<Accepted>,
}

/// A sentence of a vendor beside its command.
#[derive(Deserialize)]
struct Sentence {
    text: String,
    command: Vec<String>,
}

/// A request beside `service/Operation` names of AWS.
#[derive(Deserialize)]
struct Words {
    text: String,
    expect: Vec<String>,
}

// === impl Query ===

impl Query {
    /// May its errors be looked at?
    pub fn is_open(&self) -> bool {
        !self.suite.ends_with(".test")
    }
}

/// Reads a file; cases of several calls are left out, since a step asks for one.
pub fn read(path: &Path) -> Result<Vec<Query>, CliError> {
    let unusable = |reason: String| {
        let hint = "give files of one JSON object a line: cases, {\"text\",\"command\"} or {\"text\",\"expect\"}";
        CliError::usage(format!("{}: {reason}", path.display()), hint)
    };
    let text = read_bounded(path).map_err(unusable)?;
    let suite = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut queries = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        queries.extend(query(&suite, line).map_err(|reason| unusable(format!("line {}: {reason}", index + 1)))?);
    }
    Ok(queries)
}

fn query(suite: &str, line: &str) -> Result<Option<Query>, String> {
    let query = |text: String, provider: &str, accepted| Query {
        suite: suite.to_owned(),
        text,
        provider: provider.to_owned(),
        accepted,
    };
    if let Ok(Sentence { text, command }) = serde_json::from_str(line) {
        return Ok(Some(query(text, "aws", vec![Accepted::Command(command)])));
    }
    if let Ok(Words { text, expect }) = serde_json::from_str(line) {
        let accepted = expect.iter().filter_map(|name| {
            let (service, operation) = name.split_once('/')?;
            Some(name_of("aws", Some(service), operation))
        });
        return Ok(Some(query(text, "aws", accepted.collect())));
    }
    let case = case::read(line)?.pop().ok_or("no case")?;
    Ok(match &case.expect.calls[..] {
        [] if case.expect.none => Some(query(case.prompt, "none", Vec::new())),
        [call] => call.provider.clone().map(|provider| {
            let accepted = vec![name_of(&provider, call.service.as_deref(), &call.operation)];
            query(case.prompt.clone(), &provider, accepted)
        }),
        _ => None,
    })
}

fn name_of(provider: &str, service: Option<&str>, operation: &str) -> Accepted {
    Accepted::Name {
        provider: provider.to_owned(),
        service: service.map(str::to_owned),
        operation: operation.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_kinds_are_read() {
        let sentence = query("v", r#"{"text": "t", "command": ["aws", "s3", "cp"]}"#).unwrap().unwrap();
        assert_eq!(sentence.accepted, [Accepted::Command(vec!["aws".into(), "s3".into(), "cp".into()])]);
        let words = query("w", r#"{"text": "t", "expect": ["ec2/StopInstances"]}"#).unwrap().unwrap();
        assert_eq!(words.accepted, [name_of("aws", Some("ec2"), "StopInstances")]);
        let case =
            r#"{"id": "1", "prompt": "p", "expect": {"calls": [{"provider": "stripe", "operation": "PostCharges"}]}}"#;
        assert_eq!(query("c", case).unwrap().unwrap().provider, "stripe");
        let none = query("c", r#"{"id": "1", "prompt": "p", "expect": {"none": true}}"#).unwrap().unwrap();
        assert_eq!((none.provider.as_str(), none.accepted.len()), ("none", 0));
        assert!(query("c", "{}").is_err());
    }

    #[test]
    fn errors_of_test_files_are_closed() {
        let query = |suite: &str| query(suite, r#"{"text": "t", "expect": []}"#).unwrap().unwrap();
        assert!(query("aws.tune").is_open() && !query("aws.test").is_open());
    }
}
