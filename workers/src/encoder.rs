//! The sentence encoder that is shipped: all-MiniLM-L6-v2, with adapters of ours: one for what users say, one that reads a request
//! and a description at once, one that finds in a request what each place of an operation is given, one that says where a new wish begins.

use std::path::Path;

use silverback_engine::{Adapter, Adapters, Embedder};

use crate::WorkerError;

/// Name that marks vectors of this encoder; other vectors are not comparable with its. Changes with the adapter for requests.
pub const ENCODER: &str = "all-MiniLM-L6-v2+requests-1";

const REQUESTS: [&[u8]; 2] = [
    include_bytes!("../adapters/requests/adapter_config.json"),
    include_bytes!("../adapters/requests/adapter_model.safetensors"),
];
const READER: [&[u8]; 2] = [
    include_bytes!("../adapters/reader/adapter_config.json"),
    include_bytes!("../adapters/reader/adapter_model.safetensors"),
];
const FINDER: [&[u8]; 2] = [
    include_bytes!("../adapters/finder/adapter_config.json"),
    include_bytes!("../adapters/finder/adapter_model.safetensors"),
];
const SPLITTER: [&[u8]; 2] = [
    include_bytes!("../adapters/splitter/adapter_config.json"),
    include_bytes!("../adapters/splitter/adapter_model.safetensors"),
];

/// Loads what makes the vectors of packs: no more than descriptions and users' phrases need.
///
/// # Errors
/// As [`load_encoder`].
pub fn load_describer(dir: &Path) -> Result<Embedder, WorkerError> {
    Ok(Embedder::load_adapted(dir, &Adapters { requests: read(REQUESTS)?, ..Adapters::default() })?)
}

/// Loads all of it from the model's directory.
///
/// # Errors
/// When the directory does not hold that model.
pub fn load_encoder(dir: &Path) -> Result<Embedder, WorkerError> {
    let adapters =
        Adapters { requests: read(REQUESTS)?, reader: read(READER)?, finder: read(FINDER)?, splitter: read(SPLITTER)? };
    Ok(Embedder::load_adapted(dir, &adapters)?)
}

fn read([config, weights]: [&[u8]; 2]) -> Result<Option<Adapter>, WorkerError> {
    Ok(Some(Adapter::read(config, weights)?))
}
