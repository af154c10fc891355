//! Prints what a reader of arguments is trained on: a case a line in, `{"op", "places": [[pointer, text]…], "required": […]}` a line out.
//!
//! `cargo run --release -p silverback-workers --example places -- PACK... < cases.jsonl`; a case is
//! `{"op": "provider/service/Operation", …}`.

#![allow(clippy::print_stdout)]

use std::{error::Error, io::BufRead};

use serde_json::{Value, json};
use silverback_catalogue::Catalogue;
use silverback_decoding::places;

fn main() -> Result<(), Box<dyn Error>> {
    let packs: Vec<String> = std::env::args().skip(1).collect();
    let catalogue = Catalogue::open(&packs)?;
    let mut seen = std::collections::HashSet::new();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let key = case["op"].as_str().ok_or("op")?;
        let mut parts = key.splitn(3, '/');
        let [provider, service, name] = [(); 3].map(|()| parts.next().unwrap_or_default());
        let Some(at) = catalogue.find(provider, service, name).filter(|_| seen.insert(key.to_owned())) else {
            continue;
        };
        let operation = catalogue.operation(at)?;
        let found: Vec<Value> = places(&operation).iter().map(|one| json!([one.pointer, one.text])).collect();
        println!("{}", json!({"op": key, "places": found}));
    }
    Ok(())
}
