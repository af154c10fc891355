//! Any text bound to any operation, and any JSON as arguments, is checked and written without a panic.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use silverback_catalogue::command::{HttpParts, bind, parse, read_request, render};
use silverback_catalogue::import::{aws, kubectl, openbb, stripe};
use silverback_catalogue::{Operation, check};

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let cut = Path::new(env!("CARGO_MANIFEST_DIR")).join("../workers/catalogue/tests/fixtures/botocore");
    let imported = [aws::operations(&cut), kubectl::operations(), stripe::operations(), openbb::operations()];
    let services = imported.into_iter().flat_map(|imported| imported.expect("committed sources import").services);
    let with_definitions = services.flat_map(|service| {
        let definitions = service.definitions;
        service.operations.into_iter().map(move |operation| Operation { definitions: definitions.clone(), ..operation })
    });
    with_definitions.collect()
});

fuzz_target!(|given: (u16, &str)| {
    let (at, text) = given;
    let operation = &OPERATIONS[usize::from(at) % OPERATIONS.len()];
    for line in parse(text) {
        let arguments = serde_json::Value::Object(bind(operation, &line).arguments);
        check(operation, &arguments);
        render(operation, &arguments);
    }
    if let Ok(arguments) = serde_json::from_str(text) {
        check(operation, &arguments);
        render(operation, &arguments);
    }
    let (url, body) = text.split_once('\n').unwrap_or((text, text));
    let request = HttpParts { method: String::new(), url: url.to_owned(), headers: Vec::new(), body: body.to_owned() };
    read_request(operation, &request);
});
