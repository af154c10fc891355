//! What can go wrong in a worker.

use silverback_proto::ErrorCode;
use tonic::Status;

/// Why a worker could not start or answer.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Nobody ships a specialty of that name.
    #[error("there is no specialty \"{capability}\"; known: {known}")]
    UnknownCapability {
        /// What was asked for.
        capability: String,
        /// What there is.
        known: String,
    },
    /// A model could not be loaded or run.
    #[error("{0}")]
    EngineFailed(#[from] silverback_engine::Error),
    /// The embedding model failed.
    #[error("could not embed a text: {source}")]
    EmbedFailed {
        /// The engine's reason.
        #[source]
        source: silverback_engine::Error,
    },
    /// A catalogue pack could not be opened or read.
    #[error("{0}")]
    CatalogueFailed(#[from] silverback_catalogue::CatalogueError),
    /// A grammar could not be compiled.
    #[error("{0}")]
    DecodingFailed(#[from] silverback_decoding::Error),
    /// No pack for a provider of the specialty.
    #[error(
        "no catalogue pack for provider \"{provider}\" in {place}; run `silverback catalogue build`, or `catalogue add` for one of your own"
    )]
    PackMissing {
        /// The provider.
        provider: String,
        /// Where packs were looked for.
        place: String,
    },
    /// The registry refused.
    #[error("{0}")]
    RegistryFailed(#[from] silverback_registry::RegistryError),
    /// The warm-up generation did not parse under its grammar, so the worker does not register.
    #[error("the warm-up generation failed: {reason}; this model cannot serve")]
    WarmUpFailed {
        /// What was wrong.
        reason: String,
    },
    /// Work on a thread of its own did not come to its end.
    #[error("the work was cut off: {reason}")]
    WorkEnded {
        /// What was wrong.
        reason: String,
    },
    /// Tools or a conversation that cannot be used.
    #[error("{reason}")]
    ToolsRefused {
        /// What is wrong and where.
        reason: String,
    },
    /// A call of a tool did not come to its end, or broke its own schema.
    #[error("{reason}")]
    CallUnfinished {
        /// What happened.
        reason: String,
    },
    /// The address is taken or not allowed.
    #[error("could not listen on {address}: {source}")]
    ListenFailed {
        /// The address.
        address: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
}

// === impl WorkerError ===

impl WorkerError {
    /// Of a thread that panicked, or of a runtime that ends.
    #[allow(clippy::needless_pass_by_value, reason = "taken by `map_err`")]
    pub(crate) fn ended(source: tokio::task::JoinError) -> Self {
        Self::WorkEnded { reason: source.to_string() }
    }

    /// The code for the edges.
    pub fn code(&self) -> ErrorCode {
        match self {
            WorkerError::UnknownCapability { .. } | WorkerError::ToolsRefused { .. } => ErrorCode::InvalidRequest,
            WorkerError::PackMissing { .. } | WorkerError::CatalogueFailed(_) => ErrorCode::NotFound,
            WorkerError::RegistryFailed(source) => source.code(),
            WorkerError::EngineFailed(source) | WorkerError::EmbedFailed { source } => code_of(source),
            WorkerError::ListenFailed { .. } => ErrorCode::Conflict,
            WorkerError::DecodingFailed(_)
            | WorkerError::WarmUpFailed { .. }
            | WorkerError::WorkEnded { .. }
            | WorkerError::CallUnfinished { .. } => ErrorCode::Internal,
        }
    }

    /// May the same be tried again?
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

impl From<WorkerError> for Status {
    fn from(error: WorkerError) -> Self {
        error.code().status(error.to_string())
    }
}

/// The engine knows no wire: its answers get their codes here.
fn code_of(error: &silverback_engine::Error) -> ErrorCode {
    if error.is_retryable() {
        ErrorCode::Exhausted
    } else if error.is_request_fault() {
        ErrorCode::InvalidRequest
    } else {
        ErrorCode::Internal
    }
}
