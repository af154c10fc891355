//! Which capability requests are given to, and how long that takes: `cargo bench -p silverback-workers --bench routing -- MINILM FILE.jsonl…`,
//! with whole paths: cargo runs it in the folder of its crate.
//!
//! Of a file of cases the requests of one vendor are used; what is expected follows from the case: the vendor's capability, or
//! `none`. Names of wrong requests are printed for files whose name says `tune`, never for others. Also counts how often the class is
//! so sure that the planner is skipped.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Instant};

use serde_json::Value;
use silverback_engine::Embedder;
use silverback_workers::{Classifier, built_in_specialties};

/// A capability with its examples.
type Class = (String, Vec<String>);

/// As `refusal.rs` of the planner has it.
const OBVIOUS_FROM: f64 = 0.6;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let Some((model, files)) = arguments.split_first() else {
        println!("skipped: name the folder of all-MiniLM-L6-v2 and files of cases");
        return;
    };
    let classifier = Classifier::new(
        Arc::new(Embedder::load(Path::new(model)).unwrap()),
        &std::env::temp_dir().join("silverback-routing"),
    )
    .unwrap();
    let classes: Vec<Class> = built_in_specialties()
        .into_iter()
        .map(|specialty| (specialty.capability, specialty.routing.examples))
        .collect();
    println!("{:>5} {:>13} {:>13} {:>13}  file", "n", "right", "obvious", "obvious+wrong");
    for file in files {
        report(&classifier, &classes, file);
    }
}

fn report(classifier: &Classifier, classes: &[Class], file: &str) {
    let cases: Vec<Value> =
        fs::read_to_string(file).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let (mut n, mut right, mut obvious, mut surely_wrong) = (0, 0, 0, 0);
    let mut milliseconds = Vec::new();
    let mut confusions = BTreeMap::new();
    for case in &cases {
        let Some(expected) = expected(case, file) else { continue };
        let prompt = case["prompt"].as_str().unwrap().to_owned();
        let started = Instant::now();
        let scores = classifier.classify(std::slice::from_ref(&prompt), classes).unwrap().swap_remove(0);
        milliseconds.push(started.elapsed().as_secs_f64() * 1e3);
        let (best, score) = scores.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        n += 1;
        right += usize::from(*best == expected);
        obvious += usize::from(*score >= OBVIOUS_FROM);
        surely_wrong += usize::from(*score >= OBVIOUS_FROM && *best != expected);
        if *best != expected {
            *confusions.entry(format!("{expected} → {best}")).or_insert(0) += 1;
            if file.contains("tune") {
                println!("      {expected} → {best} {score:.2}  {prompt}");
            }
        }
    }
    milliseconds.sort_by(f64::total_cmp);
    let share = |part: usize| format!("{part} ({:.0} %)", 100.0 * part as f64 / f64::from(n.max(1) as u32));
    let median = milliseconds.get(milliseconds.len() / 2).copied().unwrap_or(0.0);
    println!(
        "{n:>5} {:>13} {:>13} {:>13}  {file} {confusions:?}, median {median:.1} ms",
        share(right),
        share(obvious),
        share(surely_wrong)
    );
}

/// The one capability of a case; nothing when there are several, or none is said.
fn expected(case: &Value, file: &str) -> Option<String> {
    if case["expect"]["none"] == true {
        return Some("none".to_owned());
    }
    let calls = case["expect"]["calls"].as_array()?;
    let mut capabilities: Vec<&str> = calls
        .iter()
        .map(|call| match call["provider"].as_str().unwrap_or_default() {
            "stripe" | "openbb" => "finance",
            provider => provider,
        })
        .collect();
    capabilities.dedup();
    match capabilities[..] {
        [only] => Some(only.to_owned()),
        // A question about what nobody gave: the file says whose it is.
        [] => ["aws", "kubernetes", "finance"].into_iter().find(|name| file.contains(name)).map(str::to_owned),
        _ => None,
    }
}
