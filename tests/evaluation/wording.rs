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

/// What the packs are searched by and the encoder's adapter was taught: phrases of operations.
fn phrases() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workers/catalogue/data/phrases");
    let mut phrases = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of phrases can be listed") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a readable file");
        phrases.extend(text.lines().flat_map(|line| line.split('\t').skip(1)).map(plain));
    }
    phrases
}

/// Lower case, letters and digits only, single spaces.
fn plain(text: &str) -> String {
    let letters = text.to_lowercase().replace(|letter: char| !letter.is_alphanumeric(), " ");
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text and how often each letter stands in it.
struct Counted {
    text: String,
    letters: [u8; 27],
}

impl Counted {
    fn of(text: String) -> Self {
        let mut letters = [0u8; 27];
        for byte in text.bytes() {
            let place = if byte.is_ascii_lowercase() { usize::from(byte - b'a') } else { 26 };
            letters[place] = letters[place].saturating_add(1);
        }
        Self { text, letters }
    }

    /// Cheap first: lengths and letters alone may tell them apart, and there are millions of pairs.
    fn is_near(&self, other: &Self) -> bool {
        let longer = self.text.len().max(other.text.len()) as f64;
        let most = longer * LEAST_DISTANCE;
        if self.text.len().abs_diff(other.text.len()) as f64 > most {
            return false;
        }
        let pairs = self.letters.iter().zip(&other.letters);
        let missing: u32 = pairs.map(|(own, others)| u32::from(own.saturating_sub(*others))).sum();
        f64::from(missing) <= most && 1.0 - strsim::normalized_levenshtein(&self.text, &other.text) <= LEAST_DISTANCE
    }
}

#[test]
fn no_request_is_near_a_routing_example_a_phrase_or_another_request() {
    let suites = all();
    let (new, old): (Vec<_>, Vec<_>) = suites.iter().partition(|suite| suite.name.matches('.').count() == 2);
    let prompts = |suite: &&crate::suites::Suite| {
        suite.lines.iter().filter_map(|line| line["prompt"].as_str()).map(plain).collect::<Vec<_>>()
    };
    let mut known = routing_examples();
    assert!(known.len() > 200, "{} examples: the specialties were not read", known.len());
    let phrases = phrases();
    assert!(phrases.len() > 10_000, "{} phrases: the files were not read", phrases.len());
    known.extend(phrases);
    known.extend(old.iter().flat_map(prompts));
    let mut known: Vec<Counted> = known.into_iter().map(Counted::of).collect();
    let mut near = Vec::new();
    for line in new.iter().flat_map(|suite| &suite.lines) {
        let prompt = Counted::of(plain(line["prompt"].as_str().unwrap_or_default()));
        let twins = known.iter().filter(|other| prompt.is_near(other));
        near.extend(twins.map(|twin| format!("{}: {:?} is near {:?}", id(line), prompt.text, twin.text)));
        known.push(prompt);
    }
    expect_none(&near);
}

fn id(line: &Value) -> &str {
    line["id"].as_str().unwrap_or_default()
}
