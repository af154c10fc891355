//! Starts the built binary in a folder of its own and reads what it says.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use super::eventually;

/// A command line to run.
pub struct Silverback {
    command: Command,
}

/// The binary while it runs.
pub struct Running {
    child: Child,
    stderr: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// What it left.
#[derive(Debug)]
pub struct Done {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

// === impl Silverback ===

impl Silverback {
    /// The binary with nothing of this machine's settings: home and cache lie in `folder`, and no hub answers.
    pub fn new(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_silverback"));
        command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "LD_LIBRARY_PATH"));
        command.env("HOME", folder).env("SILVERBACK_CACHE", folder.join("cache"));
        // Nothing listens on port 1: connections are refused at once.
        command.env("HF_ENDPOINT", "http://127.0.0.1:1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Silverback { command }
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn arguments<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn run(self) -> Done {
        self.spawn().finish()
    }

    pub fn run_with_input(mut self, input: &[u8]) -> Done {
        self.command.stdin(Stdio::piped());
        let mut running = self.spawn();
        let mut stdin = running.child.stdin.take().unwrap();
        // It may refuse before it has read everything.
        let _ = stdin.write_all(input);
        drop(stdin);
        running.finish()
    }

    pub fn spawn(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let stderr = Arc::new(Mutex::new(String::new()));
        let (pipe, kept) = (child.stderr.take().unwrap(), stderr.clone());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Running { child, stderr, reader: Some(reader) }
    }
}

// === impl Running ===

impl Running {
    pub fn wait_for_line(&mut self, part: &str) {
        eventually(&format!("a line with {part:?}"), || {
            let said = self.stderr.lock().unwrap().contains(part);
            assert!(said || self.child.try_wait().unwrap().is_none(), "it ended without saying {part:?}");
            said
        });
    }

    pub fn finish(mut self) -> Done {
        let mut stdout = String::new();
        if let Some(mut pipe) = self.child.stdout.take() {
            pipe.read_to_string(&mut stdout).unwrap();
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        self.reader.take().unwrap().join().unwrap();
        let stderr = self.stderr.lock().unwrap().clone();
        Done { code, stdout, stderr }
    }

    /// Goes away as `head` does.
    pub fn close_output(&mut self) {
        self.child.stdout.take();
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.finish();
    }

    /// Ctrl-C.
    pub fn interrupt(self) -> Done {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.finish()
    }
}

// === impl Done ===

impl Done {
    /// The text after the last `error: `.
    pub fn last_error(&self) -> &str {
        self.last("error: ")
    }

    /// The text after the last `hint: `.
    pub fn last_hint(&self) -> &str {
        self.last("hint: ")
    }

    fn last(&self, prefix: &str) -> &str {
        let mut lines = self.stderr.lines().rev().filter_map(|line| line.strip_prefix(prefix));
        lines.next().unwrap_or_else(|| panic!("no line {prefix:?} in {}", self.stderr))
    }
}
