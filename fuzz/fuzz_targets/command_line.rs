//! Any text is read as command lines without a panic, and every word that was read is read again when it is quoted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use silverback_catalogue::command::{parse, quote};

fuzz_target!(|text: &str| {
    for line in parse(text) {
        drop(line.target());
        let again = parse(&format!("kubectl {}", quote(&line.words)));
        assert_eq!(again.len(), 1);
    }
});
