//! Counts which arguments of requests with known calls the evidence can say, before any model writes: a JSON case a line in, a table out.
//!
//! `cargo run --release -p silverback-workers --example reach -- MINILM_FOLDER PACK... < cases.jsonl`; a case is
//! `{"op": "provider/service/Operation", "text": …, "args": {…}}`. `--list` prints what is missing and what is offered unasked,
//! `--rules` leaves out the finder.

#![allow(clippy::print_stdout)]

use std::{collections::BTreeMap, error::Error, io::BufRead, path::Path, sync::Arc};

use serde_json::{Map, Value};
use silverback_catalogue::Catalogue;
use silverback_decoding::{Context, Date, Evidence, Form, Pointing, offers};
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

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, paths): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let [minilm, packs @ ..] = paths.as_slice() else { return Err("give the encoder's folder and packs".into()) };
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let catalogue = Arc::new(Catalogue::open(packs)?);
    let retriever = Retriever::new(catalogue.clone(), Some(Arc::new(load_encoder(Path::new(minilm))?)));
    let today = Date::parse_iso("2026-11-25").ok_or("a date")?;
    let mut all: BTreeMap<String, Counts> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let (key, text) = (case["op"].as_str().ok_or("op")?, case["text"].as_str().ok_or("text")?);
        let mut parts = key.splitn(3, '/');
        let [provider, service, name] = [(); 3].map(|()| parts.next().unwrap_or_default());
        let Some(at) = catalogue.find(provider, service, name) else { continue };
        let operation = catalogue.operation(at)?;
        let context = Context { request_text: text.to_owned(), session: Vec::new(), today };
        let mut evidence = Evidence::gather(text, &context);
        let found = if has("--rules") { Pointing::new() } else { retriever.point(evidence.step_text(), at) };
        if !has("--rules") {
            evidence.point(&operation.key(), found.clone());
        }
        let read = |name: &str| {
            let own = found.iter().filter(|(pointer, _)| pointer.split('/').nth(1) == Some(name));
            let said = own.map(|(pointer, one)| {
                let spans: Vec<String> =
                    one.spans.iter().map(|(range, sure)| format!("{} {sure:.2}", &text[range.clone()])).collect();
                format!("{pointer} {:.2} {spans:?}", one.asked)
            });
            said.collect::<Vec<_>>().join(", ")
        };
        if has("--signs") {
            eprintln!("CASE {}", serde_json::to_string(&case["args"])?);
        }
        let offered = offers(&operation, &evidence, &Map::new());
        let counts = all.entry(provider.to_owned()).or_default();
        counts.cases += 1;
        let wanted = case["args"].as_object().ok_or("args")?;
        let mut faults = Vec::new();
        for (name, value) in wanted {
            counts.wanted += 1;
            match offered.parameters.iter().find(|offer| offer.name == *name) {
                Some(offer) if can_say(&offer.form, value) => counts.reached += 1,
                Some(offer) => {
                    counts.misread += 1;
                    faults.push(format!(
                        "    misread {name} = {value}, offered {:.200} | read {}",
                        format!("{:?}", offer.form),
                        read(name)
                    ));
                }
                None => faults.push(format!("    missing {name} = {value} | read {}", read(name))),
            }
        }
        let is_unasked = |name: &str, required: bool| !required && !wanted.contains_key(name);
        for offer in offered.parameters.iter().filter(|offer| is_unasked(&offer.name, offer.required)) {
            counts.unasked += 1;
            faults.push(format!(
                "    unasked {} {:.200} | read {}",
                offer.name,
                format!("{:?}", offer.form),
                read(&offer.name)
            ));
        }
        counts.whole += usize::from(faults.is_empty());
        if has("--list") && !faults.is_empty() {
            println!("{key} | {text}\n{}", faults.join("\n"));
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

fn can_say(form: &Form, value: &Value) -> bool {
    match (form, value) {
        (Form::OneOf(values), _) => values.iter().any(|one| alike(one, value)),
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
fn alike(one: &Value, other: &Value) -> bool {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase();
    let only = |value: &Value| {
        value.as_array().filter(|list| list.len() == 1).map_or_else(|| plain(value), |list| plain(&list[0]))
    };
    only(one) == only(other)
}
