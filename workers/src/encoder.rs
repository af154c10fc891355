//! The sentence encoder that is shipped: all-MiniLM-L6-v2, with an adapter of ours for what users say.

use std::path::Path;

use silverback_engine::{Adapter, Embedder};

use crate::WorkerError;

/// Name that marks vectors of this encoder; other vectors are not comparable with its. Changes with the adapter.
pub const ENCODER: &str = "all-MiniLM-L6-v2+requests-1";

const CONFIG: &[u8] = include_bytes!("../adapters/requests/adapter_config.json");
const WEIGHTS: &[u8] = include_bytes!("../adapters/requests/adapter_model.safetensors");

/// Loads it from the model's directory.
///
/// # Errors
/// When the directory does not hold that model.
pub fn load_encoder(dir: &Path) -> Result<Embedder, WorkerError> {
    Ok(Embedder::load_adapted(dir, Some(&Adapter::read(CONFIG, WEIGHTS)?))?)
}
