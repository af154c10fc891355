//! Asks an MCP server for its tools: one that is started by a command line, or one at an address.

use std::{collections::VecDeque, process::Stdio, sync::Arc, time::Duration};

use rmcp::{
    ServiceExt,
    model::{ClientCapabilities, ClientInfo, Implementation, PaginatedRequestParams},
    service::{RoleClient, RunningService},
    transport::{StreamableHttpClientTransport, async_rw::AsyncRwTransport},
};
use serde_json::json;
use silverback_catalogue::import::document;
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    sync::Mutex,
    time::timeout,
};

use crate::{error::CliError, models, terminal};

/// Longest wait until a server has said what it has; `npx` may have to install it first.
const DEADLINE: Duration = Duration::from_secs(120);
/// Wait for a server whose input was closed.
const FAREWELL: Duration = Duration::from_secs(2);
/// Pages of tools.
const MAX_PAGES: usize = 1000;
/// What is kept of a server's complaints.
const KEPT_COMPLAINT: usize = 2048;

type Client = RunningService<RoleClient, ClientInfo>;

/// The answer to `tools/list` of a server that speaks over standard input and output. An argument vector, never a shell string.
pub async fn over_stdio(command: &[String]) -> Result<Vec<u8>, CliError> {
    let (program, arguments) = command.split_first().ok_or_else(|| failed("", "no command"))?;
    let mut starting = Command::new(program);
    starting.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = starting.spawn().map_err(|error| failed(program, &format!("cannot start: {error}")))?;
    let complaint = listen(&mut child);
    let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
        return Err(failed(program, "no pipe to it"));
    };
    // Its whole output is bounded, not only one line of it.
    let transport = AsyncRwTransport::new_client(output.take(document::MAX_BYTES as u64), input);
    let answer = timeout(DEADLINE, async {
        let client = greeting().serve(transport).await.map_err(|error| error.to_string())?;
        tools(client).await
    });
    let answer = answer.await.unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())));
    if timeout(FAREWELL, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
    match answer {
        Ok(bytes) => Ok(bytes),
        Err(reason) => {
            let said: Vec<u8> = complaint.lock().await.iter().copied().collect();
            let said = terminal::one_line(String::from_utf8_lossy(&said).trim());
            let reason = if said.is_empty() { reason } else { format!("{reason} (it said: {said})") };
            Err(failed(program, &reason))
        }
    }
}

/// The answer of a server that speaks streamable HTTP.
pub async fn over_http(address: &str) -> Result<Vec<u8>, String> {
    // Installs the process's TLS provider, which the transport's own client needs.
    models::http_client().map_err(|error| error.to_string())?;
    let transport = StreamableHttpClientTransport::from_uri(address);
    let answer = timeout(DEADLINE, async {
        let client = greeting().serve(transport).await.map_err(|error| error.to_string())?;
        tools(client).await
    });
    answer.await.unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())))
}

fn greeting() -> ClientInfo {
    ClientInfo::new(ClientCapabilities::default(), Implementation::new("silverback", env!("CARGO_PKG_VERSION")))
}

/// Every page of tools, with the server's name.
async fn tools(client: Client) -> Result<Vec<u8>, String> {
    let mut tools = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let page = PaginatedRequestParams::default().with_cursor(cursor);
        let page = client.list_tools(Some(page)).await.map_err(|error| error.to_string())?;
        tools.extend(page.tools);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    if cursor.is_some() {
        return Err(format!("more than {MAX_PAGES} pages of tools"));
    }
    let server = serde_json::to_value(client.peer_info().as_deref()).unwrap_or_default();
    let answer = json!({ "serverInfo": server["serverInfo"], "tools": tools });
    // Closes its input: a server over stdio ends by that.
    if let Err(error) = client.cancel().await {
        tracing::debug!(%error, "the server's session did not end well");
    }
    serde_json::to_vec(&answer).map_err(|error| error.to_string())
}

/// Keeps the end of what a server writes to standard error: nobody but it knows why it failed.
fn listen(child: &mut Child) -> Arc<Mutex<VecDeque<u8>>> {
    let heard = Arc::new(Mutex::new(VecDeque::new()));
    let Some(mut stderr) = child.stderr.take() else { return heard };
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        let mut chunk = [0_u8; 1024];
        while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
            let mut kept = kept.lock().await;
            kept.extend(&chunk[..count]);
            let excess = kept.len().saturating_sub(KEPT_COMPLAINT);
            kept.drain(..excess);
        }
    });
    heard
}

fn failed(program: &str, reason: &str) -> CliError {
    CliError::SourceFailed {
        message: format!("the MCP server {} did not say its tools: {}", terminal::one_line(program), terminal::one_line(reason)),
        hint: "start it by hand to see whether it speaks MCP over standard input and output".to_owned(),
    }
}
