//! Reads the files of cases, and what must hold of each file alone.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::eval::case::{self, Case};

/// A file of cases.
pub struct Suite {
    /// File name, e.g. `aws.tune.jsonl`.
    pub name: String,
    /// Read as the product reads them.
    pub cases: Vec<Case>,
    /// The same lines as JSON: the product reads less than is written.
    pub lines: Vec<Value>,
}

/// Every `*.jsonl` of `tests/requests`, by name.
pub fn all() -> Vec<Suite> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("requests");
    let mut suites: Vec<Suite> = std::fs::read_dir(&folder)
        .expect("the folder of requests can be listed")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .map(|path| read(&path))
        .collect();
    suites.sort_by(|a, b| a.name.cmp(&b.name));
    suites
}

/// The calls of a line with the index of each, as written.
pub fn calls(line: &Value) -> impl Iterator<Item = &Value> {
    line["expect"]["calls"].as_array().into_iter().flatten()
}

/// The first value of each argument that is not "may be left out"; of each, the value with this index where there are so many.
pub fn arguments(call: &Value, index: usize) -> serde_json::Map<String, Value> {
    let accepted = call["arguments"].as_object().into_iter().flatten();
    accepted
        .filter_map(|(name, values)| {
            let given: Vec<&Value> = values.as_array()?.iter().filter(|value| *value != "").collect();
            Some((name.clone(), (*given.get(index).or(given.first())?).clone()))
        })
        .collect()
}

/// Prints what is wrong, one a line, and fails when there is something.
pub fn expect_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn read(path: &Path) -> Suite {
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).expect("a readable file");
    let cases = case::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines = lines.map(|line| serde_json::from_str(line).expect("what was a case is JSON")).collect();
    Suite { name, cases, lines }
}

/// One quarter of the services is never looked at while tuning.
fn is_blind(service: &str) -> bool {
    Sha256::digest(service.as_bytes())[0] < 0x40
}

#[test]
fn ids_are_unique_across_files() {
    let mut seen = BTreeSet::new();
    let suites = all();
    let ids = suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (&suite.name, &case.id)));
    let twice: Vec<String> =
        ids.filter(|(_, id)| !seen.insert(*id)).map(|(name, id)| format!("{name}: {id}")).collect();
    expect_none(&twice);
    assert!(seen.len() > 400, "{} cases: the folder was not read", seen.len());
}

#[test]
fn both_parts_of_a_suite_are_of_one_size_and_dated() {
    let suites = all();
    let mut wrong = Vec::new();
    for suite in suites.iter().filter(|suite| suite.name.matches('.').count() == 2) {
        let undated = suite.cases.iter().filter(|case| case.today.as_deref() != Some("2026-11-25"));
        wrong.extend(undated.map(|case| format!("{}: not dated 2026-11-25", case.id)));
        let Some(stem) = suite.name.strip_suffix(".tune.jsonl") else { continue };
        let test = suites.iter().find(|other| other.name == format!("{stem}.test.jsonl"));
        if test.is_none_or(|test| test.cases.len() != suite.cases.len()) {
            wrong.push(format!("{stem}: the tune and the test part differ in size"));
        }
    }
    expect_none(&wrong);
}

#[test]
fn no_tuned_case_calls_a_blind_service() {
    let suites = all();
    let tuned = suites.iter().filter(|suite| suite.name.ends_with(".tune.jsonl")).flat_map(|suite| &suite.lines);
    let mut wrong = Vec::new();
    for line in tuned {
        let aws = calls(line).filter(|call| call["provider"] == "aws");
        let blind = aws.filter(|call| call["service"].as_str().is_none_or(is_blind));
        wrong.extend(blind.map(|call| format!("{}: {} of {}", line["id"], call["operation"], call["service"])));
    }
    expect_none(&wrong);
}
