//! Counts which arguments of requests with known calls the evidence can say, before any model writes: a JSON case a line in, a table out.
//!
//! `cargo run --release -p silverback-workers --example reach -- MINILM_FOLDER PACK... < cases.jsonl`; a case is
//! `{"op": "provider/service/Operation", "text": …, "args": {…}}`. `--list` prints what is missing and what is offered unasked,
//! `--rules` leaves out the finder.

#![allow(clippy::print_stdout)]

use std::{collections::BTreeMap, error::Error, io::BufRead, path::Path, sync::Arc};

use serde_json::{Map, Value};
use silverback_catalogue::Catalogue;
use silverback_decoding::{Context, Date, Evidence, Form, Offers, Pointing, offers};
use silverback_workers::{Retriever, load_encoder};

#[derive(Default)]
struct Counts {
    cases: usize,
    wanted: usize,
    reached: usize,
    /// Offered with other values only.
    misread: usize,
    unasked: usize,
    whole: usize,
}

/// What is known of one case.
struct Case<'a> {
    text: &'a str,
    wanted: &'a Map<String, Value>,
    offered: Offers,
    /// What the finder read.
    found: Pointing,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, paths): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let [minilm, packs @ ..] = paths.as_slice() else { return Err("give the encoder's folder and packs".into()) };
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let retriever = Retriever::new(Arc::new(Catalogue::open(packs)?), Some(Arc::new(load_encoder(Path::new(minilm))?)));
    let mut all: BTreeMap<String, Counts> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let row: Value = serde_json::from_str(&line?)?;
        let key = row["op"].as_str().ok_or("op")?;
        let Some(case) = read(&row, key, &retriever, !has("--rules"))? else { continue };
        let counts = all.entry(key.split('/').next().unwrap_or_default().to_owned()).or_default();
        let faults = case.count(counts);
        if has("--list") && !faults.is_empty() {
            println!("{key} | {}\n{}", case.text, faults.join("\n"));
        }
    }
    for (provider, Counts { cases, wanted, reached, misread, unasked, whole }) in all {
        println!(
            "{provider}: cases {cases}, nothing missing or unasked {whole}; arguments {wanted}, reachable {reached}, other values {misread}, \
             not offered {}; offered unasked {unasked}",
            wanted - reached - misread
        );
    }
    Ok(())
}

/// Gathers the evidence of a case; nothing where the packs do not have its operation.
fn read<'a>(
    row: &'a Value,
    key: &str,
    retriever: &Retriever,
    with_finder: bool,
) -> Result<Option<Case<'a>>, Box<dyn Error>> {
    let catalogue = retriever.catalogue();
    let mut parts = key.splitn(3, '/');
    let [provider, service, name] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let Some(at) = catalogue.find(provider, service, name) else { return Ok(None) };
    let operation = catalogue.operation(at)?;
    let text = row["text"].as_str().ok_or("text")?;
    let today = Date::parse_iso("2026-11-25").ok_or("a date")?;
    let context = Context { request_text: text.to_owned(), session: Vec::new(), today };
    let mut evidence = Evidence::gather(text, &context);
    let found = if with_finder { retriever.point(evidence.step_text(), at) } else { Pointing::new() };
    if with_finder {
        evidence.point(&operation.key(), found.clone());
    }
    let offered = offers(&operation, &evidence, &Map::new());
    Ok(Some(Case { text, wanted: row["args"].as_object().ok_or("args")?, offered, found }))
}

// === impl Case ===

impl Case<'_> {
    /// Adds it to the counts; says what is wrong.
    fn count(&self, counts: &mut Counts) -> Vec<String> {
        let mut faults = Vec::new();
        counts.cases += 1;
        for (name, value) in self.wanted {
            counts.wanted += 1;
            let read = self.read_for(name);
            match self.offered.parameters.iter().find(|offer| offer.name == *name) {
                Some(offer) if can_say(&offer.form, value) => counts.reached += 1,
                Some(offer) => {
                    counts.misread += 1;
                    let offered = format!("{:?}", offer.form);
                    faults.push(format!("    misread {name} = {value}, offered {offered:.200} | read {read}"));
                }
                None => faults.push(format!("    missing {name} = {value} | read {read}")),
            }
        }
        let unasked =
            self.offered.parameters.iter().filter(|offer| !offer.required && !self.wanted.contains_key(&offer.name));
        for offer in unasked {
            counts.unasked += 1;
            let offered = format!("{:?}", offer.form);
            faults.push(format!("    unasked {} {offered:.200} | read {}", offer.name, self.read_for(&offer.name)));
        }
        counts.whole += usize::from(faults.is_empty());
        faults
    }

    /// What the finder read for a parameter and its parts.
    fn read_for(&self, name: &str) -> String {
        let own = self.found.iter().filter(|(pointer, _)| pointer.split('/').nth(1) == Some(name));
        let said = own.map(|(pointer, one)| {
            let spans = one.spans.iter();
            let spans: Vec<String> =
                spans.map(|(range, sure)| format!("{} {sure:.2}", &self.text[range.clone()])).collect();
            format!("{pointer} {:.2} {spans:?}", one.asked)
        });
        said.collect::<Vec<_>>().join(", ")
    }
}

fn can_say(form: &Form, value: &Value) -> bool {
    match (form, value) {
        (Form::OneOf(values), _) => values.iter().any(|one| are_alike(one, value)),
        (Form::Copied(text), Value::String(said)) => text.contains(said.as_str()),
        (Form::List { element, .. }, Value::Array(values)) => values.iter().all(|value| can_say(element, value)),
        (Form::List { element, .. }, value) => can_say(element, value),
        (Form::Object(members), Value::Object(said)) => {
            let member = |name: &String| members.iter().find(|member| member.name == *name);
            said.iter().all(|(name, value)| member(name).is_some_and(|member| can_say(&member.form, value)))
        }
        _ => false,
    }
}

/// The corpus writes `"5"` where the schema wants 5, and one where a list is.
fn are_alike(one: &Value, other: &Value) -> bool {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase();
    let only = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([only]) => plain(only),
        _ => plain(value),
    };
    only(one) == only(other)
}
