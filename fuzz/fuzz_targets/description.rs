//! Any description that a user brings (OpenAPI, GraphQL, MCP, service model) is imported and packed, or refused, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use silverback_catalogue::build::build_imported;
use silverback_catalogue::import::brought::{Source, operations_from};

fuzz_target!(|description: &[u8]| {
    let source = Source {
        name: "fuzzed".to_owned(),
        origin: "fuzzed".to_owned(),
        server: Some("https://fuzzed.example".to_owned()),
        fetched_from: None,
        trusts_hints: false,
    };
    if let Ok(imported) = operations_from(description, &source) {
        let folder = tempfile::tempdir().expect("a folder");
        drop(build_imported(&imported, folder.path()));
    }
});
