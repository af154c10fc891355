//! Prints generated calls of the AWS command line, one JSON object a line, for `deploy/compare_awscli.py`.
//!
//! `cargo run -p silverback-catalogue --example render_calls -- BOTOCORE_WHEEL COUNT`. References are left out (the vendor's parser
//! knows none), and blind services too.

#![allow(clippy::print_stdout)]

#[path = "../tests/support/generate.rs"]
mod generate;

use std::path::PathBuf;

use generate::Generator;
use serde_json::json;
use sha2::{Digest, Sha256};
use silverback_catalogue::build::{BuildSources, build_packs};
use silverback_catalogue::command::{Rendered, render};
use silverback_catalogue::{Catalogue, OperationRef};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut given = std::env::args().skip(1);
    let (Some(wheel), Some(count)) = (given.next(), given.next()) else {
        return Err("usage: render_calls BOTOCORE_WHEEL COUNT".into());
    };
    let count: u64 = count.parse()?;
    let folder = tempfile::tempdir()?;
    let built = build_packs(&BuildSources { botocore: Some(PathBuf::from(wheel)), embedded: false }, folder.path())?;
    let catalogue = Catalogue::open(&[&built[0].path])?;
    for seed in 0..count {
        let index = u32::try_from(seed * catalogue.len() as u64 / count)?;
        let operation = catalogue.operation(OperationRef { pack: 0, index })?;
        let arguments = Generator::new(seed, &operation).without_references().arguments(&operation);
        let Rendered::Command(words) = render(&operation, &arguments) else { continue };
        let is_blind = |name: &str| Sha256::digest(name.as_bytes())[0] < 0x40;
        if is_blind(&operation.service) || is_blind(&words[1]) || words[1] == "s3" {
            continue;
        }
        println!("{}", json!({"operation": operation.name, "arguments": arguments, "words": words}));
    }
    Ok(())
}
