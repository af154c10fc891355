//! What the process says and how it ends when the input is bad or a part is missing.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use crate::support::Silverback;

fn silverback(arguments: &[&str]) -> (tempfile::TempDir, Silverback) {
    let folder = tempfile::tempdir().unwrap();
    let command = Silverback::new(folder.path()).arguments(arguments);
    (folder, command)
}

#[test]
fn help_and_version_end_well() {
    for arguments in [["--help"], ["--version"]] {
        let (_folder, command) = silverback(&arguments);
        let done = command.run();
        assert_eq!(done.code, 0);
        assert!(done.stdout.contains("silverback"));
    }
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    for arguments in [vec!["fly"], vec![], vec!["ask", "x", "--today", "tomorrow"]] {
        let (_folder, command) = silverback(&arguments);
        assert_eq!(command.run().code, 2, "{arguments:?}");
    }
}

#[test]
fn bad_requests_are_usage_errors_with_one_line_each() {
    let long = "x".repeat(1024 * 1024);
    let cases: [(&[u8], &str); 5] = [
        (b"", "the request is empty"),
        (b"  \n", "the request is empty"),
        (b"caf\xe9", "the request is not valid UTF-8"),
        (b"a\x07b", "the request has the control character U+0007"),
        (long.as_bytes(), "the request is longer than 16 KiB"),
    ];
    for (input, wanted) in cases {
        for arguments in [vec!["ask"], vec!["ask", "-"]] {
            let (_folder, command) = silverback(&arguments);
            let done = command.run_with_input(input);
            assert_eq!(done.code, 2, "{done:?}");
            assert_eq!((done.last_error(), done.stdout.as_str()), (wanted, ""));
            assert_eq!(done.stderr.lines().count(), 2, "{}", done.stderr);
        }
    }
}

#[test]
fn an_argument_that_is_not_utf_8_is_a_usage_error() {
    let (_folder, command) = silverback(&["ask"]);
    let done = command.arguments([OsStr::from_bytes(b"caf\xe9")]).run();
    assert_eq!(done.code, 2);
    assert!(done.stderr.contains("UTF-8"), "{}", done.stderr);
}

#[test]
fn a_router_that_does_not_answer_is_unavailable() {
    let (_folder, command) = silverback(&["ask", "scale web to 5", "--router", "127.0.0.1:1"]);
    let done = command.run();
    assert_eq!(done.code, 3);
    assert!(done.last_error().starts_with("no router answers at 127.0.0.1:1"), "{}", done.stderr);
    assert!(done.last_hint().contains("silverback up"), "{}", done.stderr);
}

#[test]
fn all_wrong_settings_are_named_at_once() {
    let (_folder, command) = silverback(&["models", "list"]);
    let done = command.env("SILVERBACK_ROUTER", "nowhere").env("SILVERBACK_REGISTRY", "redis://x").run();
    assert_eq!(done.code, 2);
    for part in ["SILVERBACK_ROUTER", "SILVERBACK_REGISTRY"] {
        assert!(done.last_error().contains(part), "{}", done.stderr);
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let (_folder, command) = silverback(&["models", "list"]);
    let mut running = command.spawn();
    running.close_output();
    let done = running.finish();
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
}
