//! A server at an address that speaks streamable HTTP: one POST a message, the answer as JSON or as a stream of events.

use std::time::Duration;

use futures::StreamExt;
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::Value;
use silverback_catalogue::import::document;
use tokio::time::timeout;

use super::{Wire, answers, tools};
use crate::models;

/// Longest wait until a server has said what it has.
const DEADLINE: Duration = Duration::from_secs(60);
const SESSION: &str = "mcp-session-id";

struct Posts<'a> {
    client: Client,
    address: &'a str,
    session: Option<header::HeaderValue>,
    version: Option<String>,
}

/// The answer to `tools/list` of a server at an address.
pub async fn over_http(address: &str) -> Result<Vec<u8>, String> {
    let client = models::http_client().map_err(|error| error.to_string())?;
    let mut posts = Posts { client, address, session: None, version: None };
    let answer = timeout(DEADLINE, tools(&mut posts)).await;
    let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())));
    if posts.session.is_some() {
        // A courtesy: sessions that nobody ends run out by themselves.
        let _ = posts.with_headers(posts.client.delete(address)).timeout(Duration::from_secs(2)).send().await;
    }
    answer
}

// === impl Posts ===

impl Posts<'_> {
    fn with_headers(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(session) = &self.session {
            request = request.header(SESSION, session.clone());
        }
        if let Some(version) = &self.version {
            request = request.header("mcp-protocol-version", version);
        }
        request
    }

    async fn post(&mut self, message: &Value) -> Result<Response, String> {
        let request = self.client.post(self.address).header(header::CONTENT_TYPE, "application/json");
        let request = self.with_headers(request.header(header::ACCEPT, "application/json, text/event-stream"));
        let response = request.body(message.to_string()).send().await.map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(response.status().to_string());
        }
        if let Some(session) = response.headers().get(SESSION) {
            self.session = Some(session.clone());
        }
        Ok(response)
    }
}

impl Wire for Posts<'_> {
    async fn request(&mut self, message: &Value) -> Result<Value, String> {
        let response = self.post(message).await?;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_stream = kind.starts_with("text/event-stream");
        let mut read = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            read.extend_from_slice(&chunk.map_err(|error| error.to_string())?);
            if read.len() > document::MAX_BYTES {
                return Err(format!("its answer has more than {} bytes", document::MAX_BYTES));
            }
            // A stream may stay open after the answer.
            if is_stream && let Some(answer) = event_that_answers(&mut read, message) {
                return Ok(answer);
            }
        }
        if is_stream {
            read.extend_from_slice(b"\n\n");
            return event_that_answers(&mut read, message)
                .ok_or_else(|| "its stream ended without an answer".to_owned());
        }
        match serde_json::from_slice::<Value>(&read) {
            Ok(answer) if answers(&answer, message) => Ok(answer),
            _ => Err("its answer is no JSON-RPC".to_owned()),
        }
    }

    async fn notify(&mut self, message: &Value) -> Result<(), String> {
        self.post(message).await.map(drop)
    }

    fn agree(&mut self, version: &str) {
        let is_plain = version.len() <= 40 && version.bytes().all(|byte| byte.is_ascii_graphic());
        self.version = is_plain.then(|| version.to_owned());
    }
}

/// Takes whole events (text/event-stream, WHATWG HTML 9.2) off the front of what was read; gives the one that answers.
fn event_that_answers(read: &mut Vec<u8>, request: &Value) -> Option<Value> {
    loop {
        let end = end_of_event(read)?;
        let event: Vec<u8> = read.drain(..end).collect();
        let event = String::from_utf8_lossy(&event);
        let data: Vec<&str> =
            event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start).collect();
        let message = serde_json::from_str::<Value>(&data.join("\n"));
        if let Ok(message) = message
            && answers(&message, request)
        {
            return Some(message);
        }
    }
}

/// One past the empty line that ends the first event.
fn end_of_event(read: &[u8]) -> Option<usize> {
    let ends: [&[u8]; 2] = [b"\n\n", b"\r\n\r\n"];
    let end = |sign: &[u8]| read.windows(sign.len()).position(|window| window == sign).map(|at| at + sign.len());
    ends.into_iter().filter_map(end).min()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_event_that_answers_is_found_among_others() {
        let request = json!({"id": 2});
        let mut read = b"event: message\r\ndata: {\"method\":\"note\",\"id\":2}\r\n\r\n: ping\n\ndata: {\"id\":2,\ndata: \"result\":{}}\n\ndata: {\"id\"".to_vec();
        assert_eq!(event_that_answers(&mut read, &request), Some(json!({"id": 2, "result": {}})));
        assert_eq!(read, b"data: {\"id\"");
        assert_eq!(event_that_answers(&mut read, &request), None);
    }
}
