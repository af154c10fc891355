//! Every call that a case accepts exists in the packs and passes the check that guards the way out.

#![allow(clippy::print_stdout)] // says when it is skipped

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};
use silverback_catalogue::{Catalogue, Operation, OperationRef, check, result_path_exists};

use crate::suites::{all, arguments, calls, expect_none};

/// More values than any argument accepts.
const MOST_ALTERNATIVES: usize = 8;

fn catalogue() -> Option<Catalogue> {
    let Some(folder) = std::env::var_os("SILVERBACK_TEST_PACKS").map(PathBuf::from) else {
        println!("skipped: SILVERBACK_TEST_PACKS is not set");
        return None;
    };
    let packs = ["aws", "kubernetes", "stripe", "openbb"].map(|name| folder.join(format!("{name}.pack")));
    Some(Catalogue::open(&packs).expect("the packs open"))
}

/// The operations that a call of a case may mean: one where it names the service, else all of that name.
fn meant(catalogue: &Catalogue, call: &Value) -> Vec<Arc<Operation>> {
    let text = |name: &str| call[name].as_str();
    let mut found = Vec::new();
    for (number, pack) in (0..).zip(catalogue.packs()) {
        for index in (0..pack.len()).filter(|_| text("provider") == Some(pack.provider())) {
            let named = pack.name(index).is_some_and(|(service, name)| {
                text("operation") == Some(name) && text("service").is_none_or(|wanted| wanted == service)
            });
            if named {
                found.push(
                    catalogue.operation(OperationRef { pack: number, index }).expect("an operation that decodes"),
                );
            }
        }
    }
    found
}

/// What the check says of these arguments; the spelling of a kind (`po`, `pods`) is kubectl's to normalise, so the first stands for all.
fn violations(operation: &Operation, call: &Value, index: usize) -> Vec<String> {
    let mut given = arguments(call, index);
    let first = arguments(call, 0);
    if let (Some(kind), Some(spelling)) = (first.get("resource"), given.get_mut("resource"))
        && operation.provider == "kubernetes"
    {
        *spelling = kind.clone();
    }
    let found = check(operation, &Value::Object(given));
    found.iter().map(|violation| format!("{}: {}", violation.pointer, violation.message)).collect()
}

#[test]
fn every_accepted_value_passes_the_check() {
    let Some(catalogue) = catalogue() else { return };
    let (mut wrong, mut checked) = (Vec::new(), 0);
    let suites = all();
    for line in suites.iter().flat_map(|suite| &suite.lines) {
        for call in calls(line) {
            let operations = meant(&catalogue, call);
            if operations.is_empty() {
                wrong.push(format!("{}: there is no operation {}", line["id"], call["operation"]));
            }
            for index in 0..MOST_ALTERNATIVES {
                checked += 1;
                let mut found = operations.iter().map(|operation| violations(operation, call, index));
                let best = found.by_ref().min_by_key(Vec::len).unwrap_or_default();
                wrong.extend(best.iter().map(|message| format!("{}: {} {message}", line["id"], call["operation"])));
            }
        }
    }
    wrong.dedup();
    expect_none(&wrong);
    println!("{checked} calls checked");
}

#[test]
fn every_reference_leads_into_the_result_of_an_earlier_call() {
    let Some(catalogue) = catalogue() else { return };
    let mut wrong = Vec::new();
    let suites = all();
    for line in suites.iter().flat_map(|suite| &suite.lines) {
        let written: Vec<&Value> = calls(line).collect();
        for (number, call) in written.iter().enumerate() {
            for reference in references(&call["arguments"]) {
                let earlier = target(reference).filter(|at| *at < number).and_then(|at| written.get(at));
                let leads = earlier.is_some_and(|earlier| {
                    let path = reference["path"].as_str().unwrap_or_default();
                    meant(&catalogue, earlier).iter().any(|operation| result_path_exists(operation, path).is_some())
                });
                if !leads {
                    wrong.push(format!(
                        "{}: {} refers to {}",
                        line["id"],
                        call["operation"],
                        Value::Object(reference.clone())
                    ));
                }
            }
        }
    }
    expect_none(&wrong);
}

/// Index of the call that a reference names: `c1` is the first.
fn target(reference: &Map<String, Value>) -> Option<usize> {
    reference["$ref"].as_str()?.strip_prefix('c')?.parse::<usize>().ok()?.checked_sub(1)
}

fn references(value: &Value) -> Vec<&Map<String, Value>> {
    match value {
        Value::Object(members) if members.contains_key("$ref") => vec![members],
        Value::Object(members) => members.values().flat_map(references).collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
