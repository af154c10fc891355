//! Downloads a file of the model hub, going on where an earlier download stopped.

use std::{path::Path, time::Duration};

use reqwest::{Client, Response, StatusCode, header};
use tokio::{fs::File, io::AsyncWriteExt};

use super::{ModelError, ModelFile, progress::Meter};

/// Without a network the next source should be tried soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A stalled download is given up after this long without a byte.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// A broken connection is continued this often.
const MAX_ATTEMPTS: u32 = 4;

/// A client with the patience that downloads need.
pub fn client() -> Result<Client, ModelError> {
    // Ignored when somebody was faster: any provider of the process will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .user_agent(concat!("silverback/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|source| ModelError::HubUnreachable { source })
}

/// Brings `target` to the file's full length; what is there already is kept. Does not check the content.
pub async fn fetch(
    client: &Client,
    url: &str,
    file: &ModelFile,
    target: &Path,
    meter: &Meter,
) -> Result<(), ModelError> {
    let mut attempt = 1;
    loop {
        let before = length(target).await;
        match fetch_rest(client, url, file, target, meter).await {
            // Only a connection that brought something is worth continuing.
            Err(ModelError::HubUnreachable { .. }) if attempt < MAX_ATTEMPTS && length(target).await > before => {
                attempt += 1
            }
            other => return other,
        }
    }
}

async fn length(path: &Path) -> u64 {
    tokio::fs::metadata(path).await.map_or(0, |metadata| metadata.len())
}

async fn fetch_rest(
    client: &Client,
    url: &str,
    file: &ModelFile,
    target: &Path,
    meter: &Meter,
) -> Result<(), ModelError> {
    let mut have = length(target).await;
    if have >= file.bytes {
        // Longer than it should be, or whole and refused by its sha256: nothing to go on from.
        have = 0;
    }
    let mut request = client.get(url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let response = request.send().await.map_err(|source| ModelError::HubUnreachable { source })?;
    if response.status() == StatusCode::OK {
        have = 0;
    } else if response.status() != StatusCode::PARTIAL_CONTENT || have == 0 || !starts_at(&response, have) {
        return Err(ModelError::HubRefused { answer: response.status().to_string() });
    }
    meter.set(have);
    append(response, have, file, target, meter).await
}

fn starts_at(response: &Response, offset: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}

async fn append(
    mut response: Response,
    have: u64,
    file: &ModelFile,
    target: &Path,
    meter: &Meter,
) -> Result<(), ModelError> {
    let handle = File::options().create(true).write(true).truncate(false).open(target).await;
    let mut handle = handle.map_err(ModelError::at(target))?;
    handle.set_len(have).await.map_err(ModelError::at(target))?;
    tokio::io::AsyncSeekExt::seek(&mut handle, std::io::SeekFrom::End(0)).await.map_err(ModelError::at(target))?;
    let mut have = have;
    let outcome = loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break Ok(()),
            Err(source) => break Err(ModelError::HubUnreachable { source }),
        };
        have += chunk.len() as u64;
        if have > file.bytes {
            break Err(ModelError::HubRefused { answer: format!("with more than {} bytes", file.bytes) });
        }
        handle.write_all(&chunk).await.map_err(ModelError::at(target))?;
        meter.add(chunk.len() as u64);
    };
    handle.flush().await.map_err(ModelError::at(target))?;
    match outcome {
        Ok(()) if have < file.bytes => {
            Err(ModelError::HubRefused { answer: format!("with {have} bytes instead of {}", file.bytes) })
        }
        other => other,
    }
}
