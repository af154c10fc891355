//! The OpenAI-compatible edge, through OpenAI's own Python client.

use std::{env, process::Command};

use silverback_tests::{Process, free_address};

use crate::{LOADING, alone};

#[tokio::test(flavor = "multi_thread")]
async fn openais_own_client_is_served() {
    let Some(python) = env::var_os("SILVERBACK_TEST_OPENAI_PYTHON") else {
        eprintln!("skipped: SILVERBACK_TEST_OPENAI_PYTHON names no Python with OpenAI's client");
        return;
    };
    let _machine = alone().await;
    let (listen, http) = (free_address(), free_address());
    let mut up = Process::start(&["up", "--listen", &listen, "--http", &http, "--log", "info"]);
    up.wait_for("ready:", LOADING);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/openai_client.py");
    let output = Command::new(python).args([script, &format!("http://{http}/v1")]).output().expect("Python starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.lines().filter(|line| line.starts_with("ok")).count() >= 18, "{said}");
}
