//! Asks an MCP server for its tools: one that is started by a command line, or one at an address.
//!
//! Three messages of JSON-RPC (Model Context Protocol 2025-06-18): `initialize`, `notifications/initialized`, `tools/list` page by page.
//! Not the crate `rmcp`: a whole SDK, it brings chrono and a dozen more and changes features of serde under every other crate, for
//! three messages, and a server's output as a whole has no limit there. Nothing here calls a tool.

mod over_http;
mod over_stdio;

use serde_json::{Value, json};
use silverback_catalogue::import::document;

pub use over_http::over_http;
pub use over_stdio::over_stdio;

/// Version of the protocol that is offered; a server may answer with one of its own.
const PROTOCOL: &str = "2025-06-18";
/// Pages of tools.
const MAX_PAGES: usize = 1000;

/// A conversation with a server, whatever carries it.
trait Wire {
    /// Sends a request and waits for the answer with its id.
    async fn request(&mut self, message: &Value) -> Result<Value, String>;
    /// Sends what has no answer.
    async fn notify(&mut self, message: &Value) -> Result<(), String>;
    /// Hears which version of the protocol was agreed on.
    fn agree(&mut self, _version: &str) {}
}

/// Greets, asks for every page of tools, and puts them into one answer with the server's name.
async fn tools(wire: &mut impl Wire) -> Result<Vec<u8>, String> {
    let about = json!({ "name": "silverback", "version": env!("CARGO_PKG_VERSION") });
    let greeting = json!({ "protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": about });
    let hello = call(wire, 1, "initialize", greeting).await?;
    wire.agree(hello["protocolVersion"].as_str().unwrap_or(PROTOCOL));
    wire.notify(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
    let mut tools: Vec<Value> = Vec::new();
    let mut bytes = 0;
    let mut cursor = Value::Null;
    for page in 0..MAX_PAGES {
        let parameters = if cursor.is_null() { json!({}) } else { json!({ "cursor": cursor }) };
        let mut answer = call(wire, 2 + page as u64, "tools/list", parameters).await?;
        let Value::Array(listed) = answer["tools"].take() else { return Err("its answer has no `tools`".to_owned()) };
        bytes += listed.iter().map(|tool| tool.to_string().len()).sum::<usize>();
        if bytes > document::MAX_BYTES {
            return Err(format!("its tools have more than {} bytes", document::MAX_BYTES));
        }
        tools.extend(listed);
        cursor = answer["nextCursor"].take();
        if !cursor.is_string() {
            let answer = json!({ "serverInfo": hello["serverInfo"], "tools": tools });
            return serde_json::to_vec(&answer).map_err(|error| error.to_string());
        }
    }
    Err(format!("more than {MAX_PAGES} pages of tools"))
}

async fn call(wire: &mut impl Wire, id: u64, method: &str, parameters: Value) -> Result<Value, String> {
    let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters });
    let mut answer = wire.request(&request).await?;
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        let message = error["message"].as_str().unwrap_or("no reason given");
        return Err(format!("it refuses {method}: {}", message.chars().take(200).collect::<String>()));
    }
    match answer["result"].take() {
        result @ Value::Object(_) => Ok(result),
        _ => Err(format!("its answer to {method} has no result")),
    }
}

/// Is this message the answer to the request, and not one of the server's own requests or notes?
fn answers(message: &Value, request: &Value) -> bool {
    message.get("method").is_none() && message.get("id") == request.get("id")
}
