//! A server that is started here and speaks over its standard input and output, one message a line.

use std::{collections::VecDeque, process::Stdio, sync::Arc, time::Duration};

use serde_json::Value;
use silverback_catalogue::import::document;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Mutex,
    task::JoinHandle,
    time::timeout,
};

use super::{Wire, answers, tools};
use crate::{error::CliError, terminal};

/// Longest wait until a server has said what it has; `npx` may have to install it first.
const DEADLINE: Duration = Duration::from_secs(120);
/// Wait for a server whose input was closed.
const FAREWELL: Duration = Duration::from_secs(2);
/// What is kept of a server's complaints, in bytes.
const KEPT_COMPLAINT: usize = 2048;

struct Pipes {
    input: ChildStdin,
    /// Bounded as a whole: a line without an end is no way to fill the memory.
    output: BufReader<Take<ChildStdout>>,
}

/// The answer to `tools/list` of a server that is started. An argument vector, never a shell string.
pub async fn over_stdio(command: &[String]) -> Result<Vec<u8>, CliError> {
    let (program, arguments) = command.split_first().ok_or_else(|| failed("", "no command"))?;
    let mut starting = Command::new(program);
    starting.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = starting.spawn().map_err(|error| failed(program, &format!("cannot start: {error}")))?;
    let (complaint, listening) = listen(&mut child);
    let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
        return Err(failed(program, "no pipe to it"));
    };
    let mut pipes = Pipes { input, output: BufReader::new(output.take(document::MAX_BYTES as u64)) };
    let answer = timeout(DEADLINE, tools(&mut pipes)).await;
    let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())));
    // Its input closes with the pipes: by that a server knows that nobody is there any more.
    drop(pipes);
    if timeout(FAREWELL, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
    match answer {
        Ok(bytes) => Ok(bytes),
        Err(reason) => {
            // It has ended, its last words may still be on their way; what it started may hold the pipe open for ever.
            let _ = timeout(FAREWELL, listening).await;
            let said: Vec<u8> = complaint.lock().await.iter().copied().collect();
            let said = terminal::one_line(String::from_utf8_lossy(&said).trim());
            let reason = if said.is_empty() { reason } else { format!("{reason} (it said: {said})") };
            Err(failed(program, &reason))
        }
    }
}

// === impl Pipes ===

impl Wire for Pipes {
    async fn request(&mut self, message: &Value) -> Result<Value, String> {
        self.notify(message).await?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = self.output.read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
            if read == 0 {
                return Err("it ended, or wrote more than can be read".to_owned());
            }
            // Servers log to standard output against the rules; what is no message is passed over.
            match serde_json::from_slice::<Value>(&line) {
                Ok(answer) if answers(&answer, message) => return Ok(answer),
                _ => {}
            }
        }
    }

    async fn notify(&mut self, message: &Value) -> Result<(), String> {
        let line = format!("{message}\n");
        let written = async {
            self.input.write_all(line.as_bytes()).await?;
            self.input.flush().await
        };
        written.await.map_err(|error: std::io::Error| format!("it does not listen: {error}"))
    }
}

/// Keeps the end of what a server writes to standard error: nobody but it knows why it failed.
fn listen(child: &mut Child) -> (Arc<Mutex<VecDeque<u8>>>, JoinHandle<()>) {
    let heard = Arc::new(Mutex::new(VecDeque::new()));
    let (kept, stderr) = (Arc::clone(&heard), child.stderr.take());
    let listening = tokio::spawn(async move {
        let Some(mut stderr) = stderr else { return };
        let mut chunk = [0_u8; 1024];
        while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
            let mut kept = kept.lock().await;
            kept.extend(&chunk[..count]);
            let excess = kept.len().saturating_sub(KEPT_COMPLAINT);
            kept.drain(..excess);
        }
    });
    (heard, listening)
}

fn failed(program: &str, reason: &str) -> CliError {
    CliError::SourceFailed {
        message: format!(
            "the MCP server {} did not say its tools: {}",
            terminal::one_line(program),
            terminal::one_line(reason)
        ),
        hint: "start it by hand to see whether it speaks MCP over standard input and output".to_owned(),
    }
}
