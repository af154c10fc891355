//! A call, written as its vendor takes it and read back, is the same call: generated arguments for real operations of all vendors.
//!
//! AWS is cut to three services, unless `SILVERBACK_TEST_BOTOCORE` names a whole botocore wheel.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "support/generate.rs"]
mod generate;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use generate::Generator;
use serde_json::Value;
use silverback_catalogue::build::{BuildSources, build_packs};
use silverback_catalogue::command::{Bound, Rendered, bind, parse, quote, read_request, render};
use silverback_catalogue::{Catalogue, Operation, OperationRef};

/// Calls made for each vendor.
const CALLS: u64 = 4000;

fn catalogue() -> &'static Catalogue {
    static OPENED: OnceLock<(tempfile::TempDir, Catalogue)> = OnceLock::new();
    let (_, catalogue) = OPENED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let cut = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore");
        let botocore = std::env::var_os("SILVERBACK_TEST_BOTOCORE").map_or(cut, PathBuf::from);
        let built = build_packs(&BuildSources { botocore: Some(botocore), embedded: true }, folder.path()).unwrap();
        let paths: Vec<PathBuf> = built.into_iter().map(|pack| pack.path).collect();
        let catalogue = Catalogue::open(&paths).unwrap();
        (folder, catalogue)
    });
    catalogue
}

/// Operations of a vendor spread evenly, each with its seed; of one service together, which are decoded together.
fn spread(provider: &str) -> impl Iterator<Item = (u64, Arc<Operation>)> {
    let catalogue = catalogue();
    let (pack, opened) = (0u32..).zip(catalogue.packs()).find(|(_, pack)| pack.provider() == provider).unwrap();
    let all = u64::from(opened.len());
    (0..CALLS).map(move |seed| {
        let index = u32::try_from(seed * all / CALLS).unwrap();
        (seed, catalogue.operation(OperationRef { pack, index }).unwrap())
    })
}

/// What the rendered call is read back as, and how it was written.
fn back(operation: &Operation, arguments: &Value) -> (Value, String) {
    match render(operation, arguments) {
        Rendered::Command(vector) => {
            let written = quote(&vector);
            let lines = parse(&written);
            assert_eq!(lines.len(), 1, "{written}");
            (whole(bind(operation, &lines[0])), written)
        }
        Rendered::Http(request) => (whole(read_request(operation, &request)), format!("{request:?}")),
        Rendered::Mcp { .. } => unreachable!("no vendor that is shipped speaks MCP"),
    }
}

/// The arguments; what is left over would make them no equal.
fn whole(bound: Bound) -> Value {
    let mut arguments = bound.arguments;
    if !bound.leftovers.is_empty() {
        arguments.insert("left over".to_owned(), bound.leftovers.into());
    }
    arguments.into()
}

fn all_come_back(provider: &str) {
    let mut wrong = 0;
    for (seed, operation) in spread(provider) {
        let arguments = Generator::new(seed, &operation).arguments(&operation);
        let (read, written) = back(&operation, &arguments);
        if read != arguments {
            wrong += 1;
            if wrong <= 6 {
                println!("{} seed {seed}\n  given {arguments}\n  wrote {written}\n  read  {read}", operation.key());
            }
        }
    }
    assert_eq!(wrong, 0, "of {CALLS} calls of {provider}");
}

#[test]
fn aws_calls_come_back_as_they_were() {
    all_come_back("aws");
}

#[test]
fn kubectl_calls_come_back_as_they_were() {
    all_come_back("kubernetes");
}

#[test]
fn stripe_calls_come_back_as_they_were() {
    all_come_back("stripe");
}

#[test]
fn market_data_calls_come_back_as_they_were() {
    all_come_back("openbb");
}
