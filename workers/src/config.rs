//! What a worker process needs to know. Values come from the binary; nothing here reads the environment.

use std::{net::SocketAddr, path::PathBuf};

use silverback_engine::Device;
use silverback_registry::Registry;

use crate::specialist::Method;

/// Name under which general workers are announced.
pub const PLAN: &str = "plan";

/// Name under which workers are announced that call the tools of a conversation.
pub const TOOLS: &str = "tools";

/// Default of [`WorkerConfig::refuse_below`], chosen on the tune parts of `tests/requests`.
pub const REFUSE_BELOW: f32 = 0.15;

/// How one worker process is set up.
pub struct WorkerConfig {
    /// What it serves: `plan`, `tools` and names of specialties. All share one model.
    pub capabilities: Vec<String>,
    /// Serves every added catalogue too, also those that are added while it runs.
    pub serves_added: bool,
    /// Where it announces itself.
    pub registry: Registry,
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address that routers reach it at, e.g. `http://10.0.0.7:7412`; made of `listen` when `None`.
    pub advertise: Option<String>,
    /// Files it works with.
    pub files: WorkerFiles,
    /// CPU, or a CUDA card when built for it.
    pub device: Device,
    /// Probability, 0 to 1, that the right operation was found, below which a step is refused. Bigger refuses more of what fits
    /// nowhere, and more of what does.
    pub refuse_below: f32,
    /// How steps become calls; another than the default is for measuring.
    pub method: Method,
    /// Steps at work at once; a bigger value makes all of them slower.
    pub max_concurrent: u32,
}

/// Files of a worker.
#[derive(Clone, Debug)]
pub struct WorkerFiles {
    /// Name of the model for people.
    pub model_name: String,
    /// `sha256:…` of the model's file, for the card.
    pub model_digest: String,
    /// GGUF file.
    pub model: PathBuf,
    /// Folder of all-MiniLM-L6-v2: `plan` classifies with it, specialists search by meaning.
    pub embeddings: PathBuf,
    /// Folder where vectors of routing examples are kept between starts; made when missing.
    pub routing: PathBuf,
    /// Folder of `PROVIDER.pack` files; needed by specialists only.
    pub packs: PathBuf,
}
