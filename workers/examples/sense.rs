//! Prints what is known of a text before it is given to a capability, for fitting how a router weighs that
//! (`router/planner/src/sense.rs`): the shares of the examples and what each specialist recognises. `right<TAB>text` a line in, a line
//! of JSON out.
//!
//! `cargo run --release -p silverback-workers --example sense -- MINILM_FOLDER PACKS_FOLDER < texts.tsv`; `router/planner/fit_sense.py`
//! reads it.

#![allow(clippy::print_stdout)]

use std::{collections::BTreeMap, error::Error, io::BufRead, path::Path, sync::Arc};

use serde_json::json;
use silverback_catalogue::Catalogue;
use silverback_workers::{Classifier, Retriever, built_in_specialties, load_encoder};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [minilm, packs] = arguments.as_slice() else { return Err("give the encoder's folder and the packs'".into()) };
    let encoder = Arc::new(load_encoder(Path::new(minilm))?);
    let classifier = Classifier::new(encoder.clone(), &std::env::temp_dir().join("silverback-sense"))?;
    let (mut classes, mut retrievers) = (Vec::new(), Vec::new());
    for specialty in built_in_specialties() {
        let paths = specialty.providers.iter().map(|provider| Path::new(packs).join(format!("{provider}.pack")));
        let catalogue = Arc::new(Catalogue::open(&paths.collect::<Vec<_>>())?);
        retrievers.push((specialty.capability.clone(), Retriever::new(catalogue, Some(encoder.clone()))));
        classes.push((specialty.capability, specialty.routing.examples));
    }
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (right, text) = line.split_once('\t').ok_or("a line without a tabulator")?;
        let shares = classifier.classify(&[text.to_owned()], &classes)?.swap_remove(0);
        let recognised: BTreeMap<&String, _> = retrievers
            .iter()
            .map(|(capability, retriever)| {
                let found = retriever.recognise(text);
                let signs = [found.fits, found.phrase, found.meaning, found.words, f64::from(found.identifiers)];
                (capability, signs)
            })
            .collect();
        println!("{}", json!({"right": right, "text": text, "shares": shares, "recognised": recognised}));
    }
    Ok(())
}
