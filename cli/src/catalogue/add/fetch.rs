//! Fetches a description from an address, and finds out what speaks there.
//!
//! A document is taken as it is. Where there is none, the server is asked to describe itself: by the GraphQL introspection
//! query, then as an MCP server. Nothing else is sent, and no secret.

use std::time::Duration;

use futures::StreamExt;
use reqwest::{Client, Response, header};
use serde_json::json;
use silverback_catalogue::import::{
    brought::{self, Kind},
    document, graphql,
};

use super::mcp;
use crate::{error::CliError, models, terminal};

/// Longest wait for one answer, its body included.
const DEADLINE: Duration = Duration::from_secs(120);
/// What is asked for first.
const ACCEPTED: &str = "application/json, application/yaml;q=0.9, text/yaml;q=0.9, */*;q=0.5";

/// The description at an address, and the address it was found at in the end.
pub async fn description(address: &str) -> Result<(Vec<u8>, String), CliError> {
    check_address(address)?;
    let client = models::http_client()?;
    let mut tried = Vec::new();
    let is_graphql =
        address.split(['?', '#']).next().is_some_and(|path| path.trim_end_matches('/').ends_with("/graphql"));
    if !is_graphql {
        match get(&client, address).await {
            Ok(found) => return Ok(found),
            Err(Attempt::Broken(error)) => return Err(error),
            Err(Attempt::Elsewhere(reason)) => tried.push(format!("GET: {reason}")),
        }
    }
    match introspect(&client, address).await {
        Ok(bytes) => return Ok((bytes, address.to_owned())),
        Err(reason) => tried.push(format!("GraphQL: {reason}")),
    }
    match mcp::over_http(address).await {
        Ok(bytes) => Ok((bytes, address.to_owned())),
        Err(reason) => {
            tried.push(format!("MCP: {reason}"));
            Err(failed(address, &tried.join("; ").replace("; ", ", ")))
        }
    }
}

/// Addresses that can be shown and kept: absolute, and without a password in them.
pub fn check_address(address: &str) -> Result<(), CliError> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let shown = terminal::one_line(&address.chars().take(100).collect::<String>());
    match host {
        Some(host) if host.contains('@') => Err(CliError::usage(
            "the address has a user or a password in it",
            "fetch the description yourself and give the file",
        )),
        Some(host) if !host.is_empty() && !address.chars().any(|letter| letter.is_control() || letter == ' ') => Ok(()),
        _ => Err(CliError::usage(format!("{shown:?} is no address that can be used"), "give https://… or http://…")),
    }
}

/// Why a way did not lead to a description.
enum Attempt {
    /// Something else may speak there.
    Elsewhere(String),
    /// It is what was looked for, and wrong.
    Broken(CliError),
}

async fn get(client: &Client, address: &str) -> Result<(Vec<u8>, String), Attempt> {
    let sent = client.get(address).header(header::ACCEPT, ACCEPTED).timeout(DEADLINE).send().await;
    let response = sent.map_err(|error| Attempt::Broken(failed(address, &cause(&error))))?;
    if !response.status().is_success() {
        return Err(Attempt::Elsewhere(response.status().to_string()));
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("text/event-stream") {
        return Err(Attempt::Elsewhere("a stream of events".to_owned()));
    }
    let found_at = response.url().to_string();
    let bytes = body(response).await.map_err(|reason| Attempt::Broken(failed(address, &reason)))?;
    let read = document::read(&bytes, address);
    match read {
        Ok(document) if brought::kind_of(&document).is_some() || document.get("swagger").is_some() => {
            Ok((bytes, found_at))
        }
        Ok(_) => Err(Attempt::Elsewhere("JSON that describes no API".to_owned())),
        // A page for people may stand where programs speak; half a description may not.
        Err(error) if bytes.trim_ascii_start().starts_with(b"{") => Err(Attempt::Broken(error.into())),
        Err(_) => Err(Attempt::Elsewhere("no JSON and no YAML".to_owned())),
    }
}

async fn introspect(client: &Client, address: &str) -> Result<Vec<u8>, String> {
    let question = json!({ "query": graphql::INTROSPECTION }).to_string();
    let request = client
        .post(address)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json");
    let response = request.body(question).timeout(DEADLINE).send().await.map_err(|error| cause(&error))?;
    let status = response.status();
    let bytes = body(response).await?;
    let document = document::read(&bytes, address).map_err(|_| status.to_string())?;
    match brought::kind_of(&document) {
        Some(Kind::GraphQl) => Ok(bytes),
        _ => Err(format!("{status} without a schema")),
    }
}

/// The body, up to the limit of a description.
async fn body(response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| cause(&error))?);
        if bytes.len() > document::MAX_BYTES {
            return Err(format!("more than {} bytes", document::MAX_BYTES));
        }
    }
    Ok(bytes)
}

fn failed(address: &str, reason: &str) -> CliError {
    CliError::SourceFailed {
        message: format!("no API description at {}: {}", terminal::one_line(address), terminal::one_line(reason)),
        hint: "give the address of an OpenAPI file, of a GraphQL API or of an MCP server, or a file".to_owned(),
    }
}

/// The innermost reason: reqwest's own words only repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
