//! Whatever comes in, nothing panics: real commands, calls, models and packs with bytes changed. `fuzz/` does the same without end.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::Value;
use silverback_catalogue::build::build_imported;
use silverback_catalogue::command::{HttpParts, bind, parse, read_request, render};
use silverback_catalogue::import::{aws, kubectl, openbb, stripe};
use silverback_catalogue::{Operation, Pack, check};

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let imported = [aws::operations(&cut()), kubectl::operations(), stripe::operations(), openbb::operations()];
    let services = imported.into_iter().flat_map(|imported| imported.unwrap().services);
    let with_definitions = services.flat_map(|service| {
        let definitions = service.definitions;
        service.operations.into_iter().map(move |one| Operation { definitions: Arc::clone(&definitions), ..one })
    });
    with_definitions.collect()
});

/// Commands and arguments of the vendor's examples.
static EXAMPLES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples/aws.jsonl.zst");
    let text = String::from_utf8(zstd::decode_all(std::fs::File::open(file).unwrap()).unwrap()).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (row["command"].as_str().unwrap().to_owned(), row["arguments"].to_string())).collect()
});

static PACK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    std::fs::read(build_imported(&openbb::operations().unwrap(), folder.path()).unwrap().path).unwrap()
});

fn cut() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/botocore")
}

/// Places in a text and what is put there.
fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, String)>> {
    let piece = prop_oneof![
        "[\\[\\]{}=,'\"\\\\$<>|#@-]{1,3}",
        "\\PC{1,4}",
        Just("${c1.".to_owned()),
        Just("[@]}".to_owned()),
        Just("--cli-input-json {".to_owned()),
        Just(" -- ".to_owned()),
        Just("\n".to_owned()),
        Just("[0][".to_owned()),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), piece), 0..6)
}

fn edited(text: &str, edits: &[(prop::sample::Index, String)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, piece) in edits {
        let at = at.index(characters.len() + 1);
        let removed = at..(at + piece.len() % 3).min(characters.len());
        drop(characters.splice(removed, piece.chars()));
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn changed_commands_are_read(example in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), edits in edits()) {
        let text = edited(&example.get(&EXAMPLES).0, &edits);
        let operation = at.get(&OPERATIONS);
        for line in parse(&text) {
            let arguments = Value::Object(bind(operation, &line).arguments);
            check(operation, &arguments);
            render(operation, &arguments);
        }
    }

    #[test]
    fn changed_arguments_are_checked(example in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), edits in edits()) {
        let operation = at.get(&OPERATIONS);
        if let Ok(arguments) = serde_json::from_str(&edited(&example.get(&EXAMPLES).1, &edits)) {
            check(operation, &arguments);
            render(operation, &arguments);
        }
    }

    #[test]
    fn changed_requests_are_read(at in any::<prop::sample::Index>(), query in edits(), body in edits()) {
        let operation = at.get(&OPERATIONS);
        let request = HttpParts {
            method: "POST".to_owned(),
            url: edited("https://api.stripe.com/v1/charges/ch_1?expand[0]=a&metadata[a][b]=1", &query),
            headers: Vec::new(),
            body: edited("items[0][price]=x&items[][a]=2&card[number]=4&a=%41%zz", &body),
        };
        let arguments = Value::Object(read_request(operation, &request).arguments);
        check(operation, &arguments);
        render(operation, &arguments);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn changed_packs_are_refused_or_read(kept in any::<prop::sample::Index>(), cuts in any::<bool>(), bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)) {
        let mut pack = PACK.clone();
        for (at, byte) in bytes {
            let at = at.index(pack.len());
            pack[at] = byte;
        }
        if cuts {
            pack.truncate(kept.index(pack.len()));
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &pack).unwrap();
        if let Ok(pack) = Pack::open(file.path()) {
            pack.search("price of apple", 10);
            for index in 0..pack.len() {
                pack.name(index);
                drop(pack.operation(index));
            }
            drop(pack.verify());
        }
    }

    #[test]
    fn changed_models_are_refused_or_imported(edits in edits()) {
        let model = std::fs::read_to_string(cut().join("config/2014-11-12/service-2.json")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let version = folder.path().join("x/2020-01-01");
        std::fs::create_dir_all(&version).unwrap();
        std::fs::write(version.join("service-2.json"), edited(&model, &edits)).unwrap();
        if let Ok(imported) = aws::operations(folder.path()) {
            drop(build_imported(&imported, folder.path()));
        }
    }
}
