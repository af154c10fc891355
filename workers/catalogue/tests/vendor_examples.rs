//! The vendors' own examples, read as calls: how many parse, name the right operation, say what the vendor's own parser says,
//! and pass the check. All of AWS needs `SILVERBACK_TEST_BOTOCORE`; kubectl's run everywhere.
//!
//! Services are split in halves by a hash of their name: what is wrong was fixed looking at one half only.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "support/report.rs"]
mod report;

use std::path::{Path, PathBuf};

use report::{Half, Outcome, Report};
use serde_json::{Map, Value};
use silverback_catalogue::build::{BuildSources, build_packs};
use silverback_catalogue::command::{self, ReadCall};
use silverback_catalogue::{Catalogue, Operation, Violation, check};

fn rows(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples").join(file);
    let text = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn catalogue(botocore: Option<PathBuf>) -> (tempfile::TempDir, Catalogue) {
    let folder = tempfile::tempdir().unwrap();
    let embedded = botocore.is_none();
    let built = build_packs(&BuildSources { botocore, embedded }, folder.path()).unwrap();
    let paths: Vec<PathBuf> = built.into_iter().map(|pack| pack.path).collect();
    let catalogue = Catalogue::open(&paths).unwrap();
    (folder, catalogue)
}

/// Compares one example with what the vendor's own parser made of it.
fn judge_aws(catalogue: &Catalogue, row: &Value) -> Outcome {
    let lines = command::parse(row["command"].as_str().unwrap());
    let Some(line) = lines.iter().find(|line| line.program == "aws") else { return Outcome::Unparsed };
    let Some(ReadCall { operation, mut bound, .. }) = command::read_line(catalogue, line).unwrap() else {
        return Outcome::Unnamed;
    };
    if operation.name != row["operation"].as_str().unwrap() {
        return Outcome::Unnamed;
    }
    // The file of a streamed result is the command line's, not the API's.
    if operation.parameter("outfile").is_some_and(|schema| schema.get("x-position").is_some()) {
        bound.arguments.shift_remove("outfile");
    }
    let read = Value::Object(bound.arguments);
    let violations = check(&operation, &read);
    if !bound.leftovers.is_empty() || !is_same(&read, &row["arguments"]) {
        let reason = if bound.leftovers.is_empty() { "read otherwise" } else { "words left over" };
        let detail = format!("left {:?}, read {read}, expected {}", bound.leftovers, row["arguments"]);
        return Outcome::Differs { is_valid: violations.is_empty(), reason: reason.to_owned(), detail };
    }
    refused(&violations)
}

/// By what kind of rule the check refuses; right when it does not.
fn refused(violations: &[Violation]) -> Outcome {
    violations.first().map_or(Outcome::Right, |violation| Outcome::Refused {
        reason: format!("refused: {}", violation.code.name()),
        detail: format!("{} {}", violation.pointer, violation.message),
    })
}

/// Compares one example with its flags and the operation it is of.
fn judge_kubectl(catalogue: &Catalogue, row: &Value) -> Outcome {
    let lines = command::parse(row["command"].as_str().unwrap());
    let Some(line) = lines.iter().find(|line| line.program == "kubectl") else { return Outcome::Unparsed };
    let Some(ReadCall { operation, bound, .. }) = command::read_line(catalogue, line).unwrap() else {
        return Outcome::Unnamed;
    };
    if operation.name != row["operation"].as_str().unwrap() {
        return Outcome::Unnamed;
    }
    let read = Value::Object(bound.arguments);
    let violations = check(&operation, &read);
    let flags = row["flags"].as_object().unwrap();
    let missing: Vec<&String> = flags.keys().filter(|flag| !is_flag_read(&operation, flag, flags, &read)).collect();
    if !bound.leftovers.is_empty() || !missing.is_empty() {
        let reason = if missing.is_empty() { "words left over" } else { "flag read otherwise" };
        let detail = format!("left {:?}, flags {missing:?}, read {read}", bound.leftovers);
        return Outcome::Differs { is_valid: violations.is_empty(), reason: reason.to_owned(), detail };
    }
    refused(&violations)
}

fn is_flag_read(operation: &Operation, flag: &str, flags: &Map<String, Value>, read: &Value) -> bool {
    if flag == "--" {
        // The rows keep the words after the dashes so.
        return flags[flag].as_array().map(Vec::len) == read["command"].as_array().map(Vec::len);
    }
    let Some((name, schema)) = operation.properties().find(|(_, schema)| schema["x-flag"] == flag) else {
        return false;
    };
    let said: Vec<String> = match &flags[flag] {
        Value::Array(values) => values.iter().map(text).collect(),
        value => vec![text(value)],
    };
    let said = said.join(",");
    match &read[name] {
        Value::Null => false,
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(",") == said,
        // The template is written with its format.
        Value::String(format) if name == "output" => said.starts_with(format.as_str()),
        Value::Bool(is_on) => said.is_empty() || said == is_on.to_string(),
        value => text(value) == said || schema["x-kind"] == "kubernetes-kind",
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Equal, numbers by their value: Python writes 95.0 where a number is asked for.
fn is_same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            let is_there = |(name, own): (&String, &Value)| theirs.get(name).is_some_and(|theirs| is_same(own, theirs));
            ours.len() == theirs.len() && ours.iter().all(is_there)
        }
        _ => ours == theirs,
    }
}

#[test]
fn aws_examples_are_the_calls_that_the_vendors_parser_makes_of_them() {
    let Some(wheel) = std::env::var_os("SILVERBACK_TEST_BOTOCORE").map(PathBuf::from) else {
        println!("skipped: SILVERBACK_TEST_BOTOCORE names no botocore wheel");
        return;
    };
    let (_folder, catalogue) = catalogue(Some(wheel));
    let mut report = Report::default();
    for row in rows("aws.jsonl.zst") {
        let outcome = judge_aws(&catalogue, &row);
        report.add(Half::of(row["service"].as_str().unwrap()), row["command"].as_str().unwrap(), outcome);
    }
    report.print("AWS");
    // Measured, and deterministic. What is refused are texts that the vendor's own patterns refuse: see `tests/examples/README.md`.
    assert_eq!(report.counts(Half::Work), [1878, 1878, 1878, 1871, 1828]);
    assert_eq!(report.counts(Half::HeldOut), [2648, 2648, 2647, 2620, 2548]);
}

#[test]
fn kubectl_examples_are_calls_that_verify() {
    let (_folder, catalogue) = catalogue(None);
    let mut report = Report::default();
    for row in rows("kubectl.jsonl.zst") {
        let outcome = judge_kubectl(&catalogue, &row);
        report.add(Half::of(row["operation"].as_str().unwrap()), row["command"].as_str().unwrap(), outcome);
    }
    report.print("kubectl");
    assert_eq!(report.counts(Half::Work), [131, 131, 131, 128, 131]);
    // One that parsed is refused since patches are read: `--overrides='{ "apiVersion": "v1", "spec": { ... } }'` is no JSON.
    assert_eq!(report.counts(Half::HeldOut), [205, 205, 205, 192, 199]);
}
