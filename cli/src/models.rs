//! Fetches, checks and lists the files that models are made of.
//!
//! Start at [`pull`]: a file is looked for in the cache, then at each of its sources, and counts only when its sha256 is
//! the one of the manifest. Knows nothing of how a model is run.

pub mod cache;
pub mod command;
pub mod content;
pub mod error;
pub mod hub;
pub mod list;
pub mod manifest;
pub mod progress;
pub mod pull;
pub mod wheel;

pub use cache::Cache;
pub use error::ModelError;
pub use hub::client as http_client;
pub use manifest::{Manifest, Model, ModelFile, Role};
pub use progress::Progress;
pub use pull::{Puller, SourceConfig, Trust};
