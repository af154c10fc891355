//! A request that repeats an example measures memory, not understanding.

use std::path::Path;

use serde_json::Value;

use crate::suites::{all, expect_none};

/// Share of the letters that must differ, at least.
const LEAST_DISTANCE: f64 = 0.3;

/// What the specialists are routed by: examples that the product has seen.
fn routing_examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workers/specialties");
    let mut examples = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of specialties can be listed") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a readable file");
        let table: toml::Table = text.parse().expect("a specialty is TOML");
        let listed = table.get("routing").and_then(|routing| routing.get("examples")).and_then(toml::Value::as_array);
        examples.extend(listed.into_iter().flatten().filter_map(toml::Value::as_str).map(plain));
    }
    examples
}

/// Lower case, letters and digits only, single spaces.
fn plain(text: &str) -> String {
    let letters = text.to_lowercase().replace(|letter: char| !letter.is_alphanumeric(), " ");
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_near(a: &str, b: &str) -> bool {
    // Cheap first: the lengths alone may tell them apart, and there are hundreds of thousands of pairs.
    let (shorter, longer) = (a.len().min(b.len()) as f64, a.len().max(b.len()) as f64);
    shorter >= longer * (1.0 - LEAST_DISTANCE) && 1.0 - strsim::normalized_levenshtein(a, b) <= LEAST_DISTANCE
}

#[test]
fn no_request_is_near_a_routing_example_or_another_request() {
    let suites = all();
    let (new, old): (Vec<_>, Vec<_>) = suites.iter().partition(|suite| suite.name.matches('.').count() == 2);
    let prompts = |suite: &&crate::suites::Suite| {
        suite.lines.iter().filter_map(|line| line["prompt"].as_str()).map(plain).collect::<Vec<_>>()
    };
    let mut known = routing_examples();
    assert!(known.len() > 200, "{} examples: the specialties were not read", known.len());
    known.extend(old.iter().flat_map(prompts));
    let mut near = Vec::new();
    for line in new.iter().flat_map(|suite| &suite.lines) {
        let prompt = plain(line["prompt"].as_str().unwrap_or_default());
        let twins = known.iter().filter(|other| is_near(&prompt, other));
        near.extend(twins.map(|twin| format!("{}: {prompt:?} is near {twin:?}", id(line))));
        known.push(prompt);
    }
    expect_none(&near);
}

fn id(line: &Value) -> &str {
    line["id"].as_str().unwrap_or_default()
}
