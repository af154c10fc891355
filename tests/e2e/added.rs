//! An API of the user's own, served by a process that runs already.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use silverback_tests::{Process, ask, free_address, run};

use crate::{LOADING, alone};

/// The request; the small model is enough, since nothing is drafted for an API it never saw.
const REQUEST: &str = "Fetch the xkcd comic 614.";
/// The worker looks every two seconds, on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// A cache of its own with everybody's models and packs: what is added here is seen by nobody else.
fn own_cache() -> tempfile::TempDir {
    let listed = run(&["models", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("the list is JSON");
    let blob = PathBuf::from(listed[0]["path"].as_str().expect("a path"));
    let shared = blob.parent().and_then(Path::parent).expect("blobs lie in the cache");
    let own = tempfile::tempdir().expect("a folder");
    for folder in ["blobs", "models", "locks"] {
        symlink(shared.join(folder), own.path().join(folder)).expect("a link");
    }
    fs::create_dir(own.path().join("packs")).expect("a folder");
    for provider in ["aws", "kubernetes", "openbb", "stripe"] {
        let pack = format!("packs/{provider}.pack");
        symlink(shared.join(&pack), own.path().join(&pack)).expect("a link");
    }
    own
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_up_serves_what_is_added_and_lets_go_of_what_is_removed() {
    let _machine = alone().await;
    let cache = own_cache();
    let cache = cache.path().to_str().expect("plain letters");
    let address = free_address();
    let mut up = Process::start(&[
        "up",
        "--cache",
        cache,
        "--listen",
        &address,
        "--http",
        "127.0.0.1:0",
        "--model",
        "qwen2.5-coder-0.5b",
        "--log",
        "info",
    ]);
    up.wait_for("ready:", LOADING);
    assert_eq!(ask(&address, REQUEST).calls(), Vec::<String>::new());

    let description = concat!(env!("CARGO_MANIFEST_DIR"), "/../workers/catalogue/tests/fixtures/brought/xkcd.com.json");
    let examples = [
        "--example",
        "show me xkcd number 12",
        "--example",
        "get the comic strip 99",
        "--example",
        "latest xkcd comic",
    ];
    let added = run(&[&["catalogue", "add", "comics", description, "--cache", cache][..], &examples].concat());
    assert!(added.status.success(), "{added:?}");
    up.wait_for("workers/comics/", SOON);
    let answer = ask(&address, REQUEST);
    assert_eq!(answer.calls(), ["get_comicId_info_0_json comicId=614"], "{} {}", answer.plan, answer.said);
    assert_eq!(answer.plan["calls"][0]["http"]["url"], "http://xkcd.com/614/info.0.json");

    // Built anew under the worker: the next answer is from the new pack.
    let elsewhere = ["--server", "https://mirror.example"];
    let again =
        run(&[&["catalogue", "add", "comics", description, "--cache", cache][..], &elsewhere, &examples].concat());
    assert!(again.status.success(), "{again:?}");
    let deadline = std::time::Instant::now() + SOON;
    loop {
        let url = ask(&address, REQUEST).plan["calls"][0]["http"]["url"].as_str().unwrap_or_default().to_owned();
        if url == "https://mirror.example/614/info.0.json" {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "still {url:?}; it said:\n{}", up.said());
    }

    assert!(run(&["catalogue", "remove", "comics", "--cache", cache]).status.success());
    up.wait_for("a removed catalogue is no longer served", SOON);
    assert_eq!(ask(&address, REQUEST).calls(), Vec::<String>::new());
}
