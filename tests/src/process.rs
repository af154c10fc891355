//! One `silverback` process; killed when dropped.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// How often a line is looked for while a process starts.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running `silverback`.
pub struct Process {
    child: Child,
    said: Arc<Mutex<String>>,
}

/// What `silverback ask --json` gave.
#[derive(Debug)]
pub struct Answer {
    /// Exit code.
    pub code: i32,
    /// The plan document; null when there is none.
    pub plan: Value,
    /// Standard error.
    pub said: String,
}

/// An address of this machine that was free a moment ago.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("it is bound").to_string()
}

/// Asks a router and reads the plan document.
pub fn ask(router: &str, text: &str) -> Answer {
    let output = command(&["ask", "--json", "--router", router, "--today", "2026-11-23", text]).output();
    Answer::read(&output.expect("the binary starts"))
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the binary starts")
}

// === impl Process ===

impl Process {
    /// Starts the binary with these arguments.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let heard = said.clone();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut heard = heard.lock().expect("no thread panics while it writes");
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Self { child, said }
    }

    /// Waits until it has said something that contains `text`; panics with all it said when it does not.
    pub fn wait_for(&mut self, text: &str, deadline: Duration) {
        let end = Instant::now() + deadline;
        while !self.said().contains(text) {
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none() && Instant::now() < end, "no {text:?}; it said:\n{}", self.said());
            thread::sleep(LOOK_EVERY);
        }
    }

    /// All it said until now.
    pub fn said(&self) -> String {
        self.said.lock().expect("no thread panics while it writes").clone()
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

// === impl Answer ===

impl Answer {
    fn read(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            plan: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `operation argument=value …` of each call, arguments in the order of their names.
    pub fn calls(&self) -> Vec<String> {
        let calls = self.plan["calls"].as_array().cloned().unwrap_or_default();
        calls.iter().map(written).collect()
    }
}

fn written(call: &Value) -> String {
    let mut arguments: Vec<String> = call["arguments"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    arguments.sort();
    format!("{} {}", call["operation"].as_str().unwrap_or_default(), arguments.join(" ")).trim_end().to_owned()
}

fn command(arguments: &[&str]) -> Command {
    let test = std::env::current_exe().expect("a test knows where it is");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("tests lie in target/PROFILE/deps");
    let binary: PathBuf = folder.join("silverback");
    assert!(binary.is_file(), "{} is not built: run `make test`", binary.display());
    let mut command = Command::new(binary);
    command.args(arguments).stdin(Stdio::null());
    command
}
