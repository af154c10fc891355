//! Prints, for training a reader, what competes for each request: `right<TAB>request` a line in, a line of JSON out.
//!
//! `cargo run --release -p silverback-workers --example rivals -- MINILM_FOLDER PACK... < requests.tsv`; with `--portraits` what each
//! operation says about itself instead. A name is `provider/service/Operation`.

#![allow(clippy::print_stdout)]

use std::{error::Error, io::BufRead, path::Path, sync::Arc};

use serde_json::json;
use silverback_catalogue::{Catalogue, OperationRef, Wish};
use silverback_workers::{Retriever, load_encoder};

/// Candidates that are printed.
const RIVALS: usize = 24;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, paths): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let [minilm, packs @ ..] = paths.as_slice() else { return Err("give the encoder's folder and packs".into()) };
    let catalogue = Arc::new(Catalogue::open(packs)?);
    let name = |at: OperationRef| {
        let (provider, service, name) = catalogue.name(at).ok_or("an operation without a name")?;
        Ok::<_, Box<dyn Error>>(format!("{provider}/{service}/{name}"))
    };
    if !flags.is_empty() {
        for (number, pack) in (0..).zip(catalogue.packs()) {
            for index in 0..pack.len() {
                let at = OperationRef { pack: number, index };
                println!("{}\t{}", name(at)?, catalogue.portrait(at)?.replace(['\t', '\n'], " "));
            }
        }
        return Ok(());
    }
    let retriever = Retriever::new(catalogue.clone(), Some(Arc::new(load_encoder(Path::new(minilm))?)));
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (right, text) = line.split_once('\t').ok_or("a line without a tabulator")?;
        let vector = retriever.vector(text);
        let found = retriever.retrieve(&Wish { text, vector: vector.as_deref(), draft: "" }, RIVALS);
        let mut rivals = Vec::new();
        for candidate in &found.candidates {
            rivals.push(json!([name(candidate.operation)?, candidate.score]));
        }
        println!("{}", json!({"right": right, "text": text, "rivals": rivals}));
    }
    Ok(())
}
