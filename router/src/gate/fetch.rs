//! Fetches a pack from the worker that used it.

use std::path::Path;

use silverback_proto::v1::{FetchPackRequest, specialist_service_client::SpecialistServiceClient};
use tempfile::NamedTempFile;
use tokio::{fs::File, io::AsyncWriteExt, time::timeout};
use tonic::transport::Channel;

use crate::config::RouterLimits;

/// One chunk of a pack, at most.
const MAX_CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Streams a pack into a temporary file of `folder`, unchecked. Removed when dropped.
///
/// # Errors
/// One line: the worker's refusal, a pack over the limit, no time left, no room on the disk.
pub(super) async fn to_file(
    channel: Channel,
    digest: &str,
    folder: &Path,
    limits: &RouterLimits,
) -> Result<NamedTempFile, String> {
    let file = NamedTempFile::with_suffix_in(".part", folder).map_err(|error| error.to_string())?;
    let handle = file.reopen().map_err(|error| error.to_string())?;
    let copied = copy(channel, digest, File::from_std(handle), limits.max_pack_bytes);
    match timeout(limits.pack_deadline, copied).await {
        Ok(result) => result.map(|()| file),
        Err(_) => Err(format!("it took longer than {} s", limits.pack_deadline.as_secs_f32())),
    }
}

async fn copy(channel: Channel, digest: &str, mut file: File, max_bytes: u64) -> Result<(), String> {
    let mut client = SpecialistServiceClient::new(channel).max_decoding_message_size(MAX_CHUNK_BYTES);
    let request = FetchPackRequest { digest: digest.to_owned() };
    let refused = |status: tonic::Status| status.message().to_owned();
    let mut chunks = client.fetch_pack(request).await.map_err(refused)?.into_inner();
    let mut bytes = 0;
    while let Some(chunk) = chunks.message().await.map_err(refused)? {
        bytes += chunk.data.len() as u64;
        if bytes > max_bytes {
            return Err(format!("it is larger than {max_bytes} bytes"));
        }
        file.write_all(&chunk.data).await.map_err(|error| error.to_string())?;
    }
    file.flush().await.map_err(|error| error.to_string())
}
